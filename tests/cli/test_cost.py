"""What the stack costs: by the file alone, beside what runs, in diff, and by prices that AWS is asked for."""

import http.server
import json
import threading
import unittest
from typing import Any

import cli

# What the smallest stack of cli.STACK costs, by the program's own table of us-east-1.
MONTH = round(730 * 0.016 + 20 * 0.115 + 2 * 730 * 0.01 + 6 * 0.1 + 3, 2)


def product(usage: str, usd: str, region: str = "eu-west-1", begin: str = "0", **attributes: str) -> str:
    """As GetProducts lists one: JSON in a string, with terms that are not asked for."""
    dimension = {"unit": "Hrs", "beginRange": begin, "endRange": "Inf", "pricePerUnit": {"USD": usd}}
    return json.dumps({
        "product": {"productFamily": "X", "sku": "S", "attributes": {
            "usagetype": usage, "regionCode": region, "locationType": "AWS Region", **attributes}},
        "serviceCode": "X", "version": "1",
        "terms": {"OnDemand": {"S.JR": {"priceDimensions": {"S.JR.6Y": dimension}}},
                  "Reserved": {"S.R": {"priceDimensions": {"S.R.1": {**dimension, "pricePerUnit": {"USD": "0.0001"}}}}}}})


class PriceList(http.server.ThreadingHTTPServer):
    """The Price List API: a list of products, filtered as it is asked, two a page."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.products: dict[str, list[str]] = {}
        self.asked: list[dict[str, Any]] = []
        self.refuses = False
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answer(http.server.BaseHTTPRequestHandler):
    server: PriceList

    def log_message(self, *arguments: Any) -> None:
        pass

    def do_POST(self) -> None:
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.headers["X-Amz-Target"] == "AWSPriceListService.GetProducts"
        self.server.asked.append(question)
        if self.server.refuses:
            return self.give(400, {"__type": "AccessDeniedException", "message": "not authorized"})
        fitting = [text for text in self.server.products.get(question["ServiceCode"], []) if self.fits(text, question)]
        start = int(question.get("NextToken", "0"))
        more = {"NextToken": str(start + 2)} if start + 2 < len(fitting) else {}
        return self.give(200, {"FormatVersion": "aws_v1", "PriceList": fitting[start:start + 2], **more})

    @staticmethod
    def fits(text: str, question: dict[str, Any]) -> bool:
        attributes = json.loads(text)["product"]["attributes"]
        return all(row["Value"] in attributes.get(row["Field"], "") if row["Type"] == "CONTAINS"
                   else row["Value"] == attributes.get(row["Field"]) for row in question["Filters"])

    def give(self, status: int, document: Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class OfflineTest(cli.OfflineCase):
    def test_the_file_alone_has_its_cost(self):
        self.write("ragstack.yaml", cli.STACK)
        result = self.plain(self.status(0, "cost", "--offline"))
        self.assertRegex(result.stdout, r"(?m)^  database: instance +11\.68  db\.t4g\.micro, 730 h x \$0\.016$")
        self.assertRegex(result.stdout, rf"(?m)^  a month, without questions +{MONTH}$")
        self.assertIn("A question is taken as 25 tokens", result.stdout)
        self.assertIn("By use, each:", result.stdout)
        self.assertIn("about", result.stdout.splitlines()[0])
        self.assertEqual(result.stderr, "")

    def test_as_json(self):
        self.write("ragstack.yaml", cli.STACK)
        cost = self.json_of("cost", 0, "cost", "--offline", "--json")["cost"]
        lines = cost["after"]["lines"]
        self.assertEqual(cost["after"]["month_usd"], MONTH)
        self.assertEqual(round(sum(line["usd"] for line in lines if line["part"] == "month"), 2), MONTH)
        self.assertEqual(round(sum(line["usd"] for line in lines if line["part"] == "questions"), 4),
                         cost["after"]["questions_usd"])
        self.assertEqual(cost["after"], cost["before"])
        self.assertTrue(cost["about"])
        self.assertIn("not compared with AWS", cost["source"])

    def test_a_region_without_prices_is_not_guessed(self):
        self.write("ragstack.yaml", cli.STACK.replace("us-east-1", "ap-south-1"))
        self.assertEqual(self.status(0, "cost", "--offline").stdout,
                         "Cost: there are no prices of ap-south-1 here; `ragstack cost --refresh` asks AWS for them\n")
        self.assertEqual(self.json_of("cost", 0, "cost", "--offline", "--json")["cost"], {"region": "ap-south-1"})

    def test_a_bad_table_is_told(self):
        self.write("ragstack.yaml", cli.STACK)
        self.write("ragstack.prices.json", '{"schema": 3}')
        self.assertIn("ragstack.prices.json is no table of prices", self.status(65, "cost", "--offline").stderr)

    def test_on_this_machine_it_costs_nothing(self):
        self.write("ragstack.yaml", cli.STACK)
        self.assertEqual(self.status(0, "cost", "--local").stdout, "On this machine AWS charges nothing.\n")


class DiffTest(cli.CloudCase):
    def test_before_and_after_stand_in_every_plan(self):
        text = self.status(2, "diff").stdout
        self.assertRegex(text, rf"(?m)^  a month, without questions +0\.00 +{MONTH}  \+{MONTH}$")
        self.assertLess(text.index("Cost in $"), text.index(" to create,"))
        self.assertIn(f"| **a month, without questions** | 0.00 | {MONTH} | **+{MONTH}** |",
                      self.status(2, "diff", "--markdown").stdout)
        self.assertIn(f"| 0.00 | {MONTH} |", self.status(0, "ci").stdout)
        cost = self.json_of("plan", 2, "diff", "--json")["cost"]
        self.assertEqual((cost["before"]["month_usd"], cost["after"]["month_usd"]), (0, MONTH))

    def test_a_change_tells_only_the_lines_that_it_changes(self):
        self.status(0, "up", "--yes")
        self.assertNotIn("Cost", self.status(0, "diff").stdout)
        self.assertEqual(self.json_of("plan", 0, "diff", "--json")["cost"]["before"]["month_usd"], MONTH)
        self.write("ragstack.yaml", self.stack + "  class: db.t4g.small\n")
        text = self.status(2, "diff").stdout
        self.assertRegex(text, r"(?m)^  database: instance +11\.68 +23\.36  db\.t4g\.small, 730 h x \$0\.032$")
        self.assertRegex(text, rf"(?m)^  a month, without questions +{MONTH} +{MONTH + 11.68:.2f}  \+11\.68$")
        self.assertNotIn("dashboards", text)
        both = self.status(0, "cost").stdout
        self.assertRegex(both, r"(?m)^  dashboards +3\.00 +3\.00  ")
        self.write("ragstack.yaml", self.stack + "watch: {retention_days: 30}\n")
        self.assertIn(f"Cost: as before: ${MONTH} a month", self.status(2, "diff").stdout)
        self.assertRegex(self.status(0, "down", "--yes", "--allow-data-loss=documents").stderr,
                         rf"(?m)^  a month, without questions +{MONTH} +0\.00  -{MONTH}$")

    def test_it_asks_for_nothing_more(self):
        self.status(2, "diff")
        before = len(self.gateway.requests()["log"])
        self.status(2, "diff")
        self.assertNotIn("GetProducts", [row["operation"] for row in self.gateway.requests()["log"][before:]])


class RefreshTest(cli.OfflineCase):
    def setUp(self) -> None:
        super().setUp()
        self.write("ragstack.yaml", cli.STACK.replace("us-east-1", "eu-west-1"))
        self.api = PriceList()
        self.addCleanup(self.api.server_close)
        self.addCleanup(self.api.shutdown)
        self.program.environment["AWS_ENDPOINT_URL_PRICING"] = self.api.url

    def region(self, path: str = "ragstack.prices.json", region: str = "eu-west-1") -> Any:
        return json.loads((self.folder / path).read_text())["regions"][region]

    def test_what_aws_lists_takes_the_place_of_what_was_written(self):
        self.api.products = {
            "AmazonRDS": [
                product("EU-InstanceUsage:db.t4g.micro", "0.0190000000", databaseEngine="PostgreSQL"),
                product("EU-Multi-AZUsage:db.t4g.micro", "0.0380000000", databaseEngine="PostgreSQL"),
                product("EU-InstanceUsage:db.t4g.micro.tpc1", "0.5", databaseEngine="PostgreSQL"),
                product("EU-InstanceUsage:db.t4g.micro", "0.4", databaseEngine="Oracle"),
                product("InstanceUsage:db.t4g.micro", "0.016", region="us-east-1", databaseEngine="PostgreSQL"),
                product("EU-RDS:GP3-Storage", "0.2", databaseEngine="Oracle"),
                product("EU-RDS:GP3-Storage", "0.13", databaseEngine="PostgreSQL"),
            ],
            "AmazonEC2": [product("EU-NatGateway-Hours", "0.05"), product("EU-NatGateway-Hours", "0.06"),
                          product("EU-NatGateway-Bytes", "5.0")],
            "AWSLambda": [product("EU-Request", "0.0000002100"), product("EU-Lambda-Edge-Request", "0.0000006"),
                          product("EU-Lambda-GB-Second", "0.000016", begin="6000000000"),
                          product("EU-Lambda-GB-Second", "0.000018")],
        }
        result = self.plain(self.status(0, "cost", "--refresh"))
        region = self.region()
        self.assertTrue(region["about"])  # not all of it was told
        self.assertRegex(region["source"], r"^AWS Price List API, but for \d+ prices$")
        self.assertRegex(region["date"], r"^\d{4}-\d\d-\d\d$")
        prices = region["prices"]
        self.assertEqual(prices["rds.instance.db.t4g.micro"], 0.019)
        self.assertEqual(prices["rds.multi_az.db.t4g.micro"], 0.038)
        self.assertEqual(prices["rds.storage.gp3"], 0.13)
        self.assertAlmostEqual(prices["lambda.million_requests"], 0.21)
        self.assertAlmostEqual(prices["lambda.million_gb_seconds.x86_64"], 18)
        self.assertEqual((prices["nat.hour"], prices["nat.gb"]), (0.048, 0.048))
        self.assertIn("nat.hour: $0.048 stays: AWS lists several that differ", result.stdout)
        self.assertIn("nat.gb: $0.048 stays: AWS lists $5, too far from it to be believed", result.stdout)
        self.assertIn("endpoint.hour: $0.011 stays: AWS lists none", result.stdout)
        self.assertIn("Wrote ragstack.prices.json.", result.stdout)
        # and from then on it is what is counted by
        self.assertIn("730 h x $0.019", self.status(0, "cost", "--offline").stdout)

    def test_the_questions_are_those_of_the_api(self):
        self.api.products["AmazonEC2"] = [product("APS3-NatGateway-Hours", "0.056", region="ap-south-1"),
                                          product("USW2-NatGateway-Hours", "0.044", region="us-west-2")]
        self.status(0, "cost", "--refresh", "--region", "ap-south-1", "--region", "us-west-2", "--out", "all.json")
        regions = {row["Value"] for question in self.api.asked for row in question["Filters"]
                   if row["Field"] == "regionCode"}
        self.assertEqual(regions, {"ap-south-1", "us-west-2"})
        for question in self.api.asked:
            self.assertEqual(question["FormatVersion"], "aws_v1")
            self.assertTrue({row["Field"] for row in question["Filters"]} <= {"regionCode", "usagetype", "databaseEngine"})
        self.assertEqual(self.region("all.json", "ap-south-1")["prices"], {"nat.hour": 0.056})
        self.assertEqual(self.region("all.json", "us-west-2")["prices"]["nat.hour"], 0.044)
        self.assertIn("the Price List API tells no price of eu-west-1", self.status(1, "cost", "--refresh").stderr)
        self.assertFalse((self.folder / "ragstack.prices.json").exists())

    def test_without_the_permission_nothing_is_written(self):
        self.api.refuses = True
        self.assertIn("pricing:GetProducts", self.status(1, "cost", "--refresh").stderr)
        self.assertFalse((self.folder / "ragstack.prices.json").exists())


if __name__ == "__main__":
    unittest.main()
