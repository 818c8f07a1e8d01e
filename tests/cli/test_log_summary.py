"""logs --request, --cost, --slow, --errors: one request as a waterfall; many added up, against sums made by hand."""

import json
import re
import unittest

from test_logs import LogsCase

MINUTE, HOUR = 60_000, 3_600_000
HAIKU, SONNET = "us.anthropic.claude-haiku-4-5-v1:0", "us.anthropic.claude-sonnet-4-5-v1:0"


def question(request="7f", **fields):
    return json.dumps({"event": "question", "requestId": request, "outcome": "answered", "reason": "", **fields})


def failure(request, cause, error, **fields):
    return json.dumps({"event": "failure", "requestId": request, "cause": cause, "error": error, **fields})


def access(request, status, whole=0, integration=0, **fields):
    """API Gateway's own lines have texts only."""
    return json.dumps({"requestId": f"api-{request}=", "routeKey": "POST /ask", "status": str(status),
                       "responseLatency": str(whole), "integrationLatency": str(integration),
                       "integrationRequestId": request, "integrationError": "-", "error": "-", **fields})


def report(request, duration, status=None, init=None):
    parts = [f"REPORT RequestId: {request}", f"Duration: {duration} ms", "Billed Duration: 9 ms", "Memory Size: 256 MB"]
    parts += [f"Init Duration: {init} ms"] if init else []
    return "\t".join(parts + ([f"Status: {status}"] if status else [])) + "\t\n"


class WaterfallTest(LogsCase):
    def one(self, request="7f1c-2a", **fields):
        self.put("ask", (5000, f"START RequestId: {request} Version: 3"),
                 (4500, question(request, connectMs=20, EmbedMs=80, SearchMs=40, GenerateMs=700, TotalMs=830,
                                 InputTokens=1200, OutputTokens=90, CostUSD=0.00165, model=HAIKU)),
                 (4400, report(request, 860, init=150)))
        self.put("api", (4300, access(request, 200, 1100, 1050)))

    def trace(self, request):
        return self.json_of("waterfall", 0, "logs", "--request", request, "--trace", "--json")

    def test_parts_stand_where_they_were(self):
        self.one()
        found = self.trace("7f1c-2a")
        self.assertEqual((found["request"], found["status"], found["outcome"], found["usd"]), ("7f1c-2a", 200, "answered", 0.00165))
        # 1,100 ms at the gateway, of them 1,050 in the function's call: 150 to start and 860 of work leave 40 before.
        spans = [(span["name"], span["start_ms"], span["length_ms"], span["depth"]) for span in found["spans"]]
        self.assertEqual(spans, [
            ("gateway", 0, 1100, 0), ("start", 90, 150, 1), ("function", 240, 860, 1), ("connect", 240, 20, 2),
            ("embed", 260, 80, 2), ("search", 340, 40, 2), ("generate", 380, 700, 2)])
        self.assertEqual(found["spans"][-1]["where"], HAIKU)
        self.assertFalse(any(span["failed"] for span in found["spans"]))

    def test_the_apis_own_id_leads_to_the_function(self):
        self.one()
        self.put("ask", (4000, question("other", TotalMs=1)))
        self.assertEqual(self.trace("api-7f1c-2a="), self.trace("7f1c-2a"))

    def test_each_line_is_told_once_by_either_id(self):
        self.one()
        self.assertEqual(sorted(self.messages("--request", "api-7f1c-2a=")), sorted(self.messages("--request", "7f1c-2a")))

    def test_a_filter_holds_for_the_functions_lines_too(self):
        self.one()
        self.assertEqual(len(self.messages("--request", "api-7f1c-2a=", "--filter", "POST")), 1)

    def test_a_failure_is_seen_where_it_was(self):
        self.put("ask", (4500, failure("7f1c-2a", "database", "it is gone", phase="search", connectMs=5, EmbedMs=50, SearchMs=900)),
                 (4400, report("7f1c-2a", 960)))
        self.put("api", (4300, access("7f1c-2a", 500, 990, 970)))
        found = self.trace("7f1c-2a")
        self.assertEqual([span["name"] for span in found["spans"] if span["failed"]], ["gateway", "search"])
        self.assertEqual(found["outcome"], "failed")

    def test_people_see_lines_and_bars(self):
        self.one()
        text = self.plain(self.status(0, "logs", "--request", "7f1c-2a")).stdout
        lines, _, picture = text.partition("\n\n")
        self.assertEqual(len(lines.splitlines()), 4)
        self.assertRegex(picture, r"^Request 7f1c-2a  POST /ask  200  answered  1200 tokens in, 90 out  \$0\.001650\n")
        bars = dict(re.findall(r"(?m)^ +(\w+) .* ms  ( *[█▏]+)$", picture))
        self.assertEqual(list(bars), ["gateway", "start", "function", "connect", "embed", "search", "generate"])
        whole = len(bars["gateway"])
        self.assertEqual(len(bars["generate"]), round(1080 / 1100 * whole))
        self.assertEqual(bars["generate"].count(" "), round(380 / 1100 * whole))
        self.assertEqual(self.status(0, "logs", "--request", "7f1c-2a", "--trace").stdout, picture)

    def test_json_stays_a_line_each(self):
        self.one()
        self.assertEqual(len(self.messages("--request", "7f1c-2a")), 4)

    def test_what_no_line_tells_is_not_drawn(self):
        self.put("ask", (5000, "some line of 7f1c-2a"))
        self.assertNotIn("Request", self.status(0, "logs", "--request", "7f1c-2a").stdout)

    def test_nothing_in_it_steers_the_terminal(self):
        self.put("ask", (5000, question("7f1c-2a", TotalMs=10, GenerateMs=10, model="\x1b[2J\u009bx", outcome="\x07")))
        self.plain(self.status(0, "logs", "--request", "7f1c-2a"))

    def test_a_trace_is_of_a_request(self):
        self.assertIn("--request", self.status(64, "logs", "--trace").stderr)


class SummaryTest(LogsCase):
    def setUp(self):
        super().setUp()
        # Ten questions in the last two hours, and one five hours ago; (total ms, tokens in, out, dollars, model).
        self.asked = [(100 + 37 * number % 1000, 1000 + number, 10 * number, 0.001 * number, SONNET if number % 3 == 0 else HAIKU)
                      for number in range(10)]
        self.put("ask", *((90 * MINUTE - number * MINUTE, question(f"r{number}", TotalMs=total, InputTokens=tokens_in,
                                                                     OutputTokens=tokens_out, CostUSD=usd, model=model))
                          for number, (total, tokens_in, tokens_out, usd, model) in enumerate(self.asked)))
        self.put("ask", (5 * HOUR, question("old", TotalMs=9000, InputTokens=7, OutputTokens=7, CostUSD=7.0, model=HAIKU)),
                 (50 * MINUTE, question("floor", TotalMs=50, outcome="no_answer", InputTokens=9)),
                 (49 * MINUTE, question("t", outcome="throttled")),
                 (48 * MINUTE, failure("f1", "database", "no connection")),
                 (47 * MINUTE, failure("f2", "database", "no\x1b[2J route")),
                 (46 * MINUTE, failure("f3", "models", "access denied")),
                 (45 * MINUTE, report("f4", 29000, status="timeout")), (44 * MINUTE, report("ok", 12)))
        self.put("api", (43 * MINUTE, access("f4", 503)), (42 * MINUTE, access("x", 429, error="throttled")),
                 (41 * MINUTE, access("ok", 200)), (40 * MINUTE, access("no", 404)))

    def summary(self, *arguments):
        return self.json_of("logs_summary", 0, "logs", "--json", *arguments)

    def by_hand(self, with_old=False):
        rows = [*self.asked, *([(9000, 7, 7, 7.0, HAIKU)] if with_old else [])]
        return {model: (sum(1 for row in rows if row[4] == model), sum(row[1] for row in rows if row[4] == model),
                        sum(row[2] for row in rows if row[4] == model), round(sum(row[3] for row in rows if row[4] == model), 9))
                for model in (HAIKU, SONNET)}

    def check_cost(self, found, with_old):
        totals = {row["model"]: (row["questions"], row["input_tokens"], row["output_tokens"], round(row["usd"], 9))
                  for row in found["cost"]}
        nobody = totals.pop("")
        self.assertEqual(totals, self.by_hand(with_old))
        self.assertEqual(nobody, (2, 9, 0, 0))

    def test_cost_by_model(self):
        found = self.summary("--cost", "--since", "2h")
        self.assertEqual(found["read"]["by"], "lines")
        self.check_cost(found, with_old=False)

    def test_both_ways_tell_the_same(self):
        for span, with_old in (("2h", False), ("6h", True)):
            said = ("--cost", "--slow", "4", "--errors", "--since", span)
            lines, insights = (self.summary(*said, "--insights", when) for when in ("never", "always"))
            self.check_cost(insights, with_old)
            self.assertEqual((lines["read"]["by"], insights["read"]["by"]), ("lines", "insights"))
            self.assertEqual((lines["read"]["usd"], lines["read"]["scanned_bytes"]), (0, 0))
            self.assertGreater(insights["read"]["scanned_bytes"], 1000)
            for part in ("cost", "slow", "errors"):
                order = (lambda row: json.dumps(row, sort_keys=True)) if part != "slow" else (lambda row: -row["total_ms"])
                rounded = [[{key: round(value, 9) if isinstance(value, float) else value for key, value in row.items()}
                            for row in sorted(one[part], key=order)] for one in (lines, insights)]
                self.assertEqual(rounded[0], rounded[1], part)

    def test_a_long_time_is_asked_of_insights(self):
        self.gateway.reset()
        self.assertEqual(self.summary("--cost", "--since", "3h")["read"]["by"], "lines")
        found = self.summary("--cost", "--since", "7d")
        self.assertEqual(found["read"]["by"], "insights")
        started = [entry for entry in self.gateway.requests()["log"] if entry["operation"] == "StartQuery"]
        self.assertEqual(len(started), 1)
        text = self.plain(self.status(0, "logs", "--cost", "--since", "7d")).stdout
        self.assertRegex(text, r"(?m)^  all +13 +[\d]+ +[\d]+ +7\.0450 +541\.9231$")
        self.assertRegex(text, r"by Logs Insights: \d calls, 0\.0 MB scanned, \$0\.0000\.\n$")

    def test_the_slowest(self):
        found = self.summary("--slow", "3", "--since", "2h")
        slowest = sorted(((total, f"r{number}") for number, (total, *_) in enumerate(self.asked)), reverse=True)[:3]
        self.assertEqual([(row["total_ms"], row["request"]) for row in found["slow"]], slowest)
        self.assertNotIn("cost", found)

    def test_what_went_wrong(self):
        found = self.summary("--errors", "--since", "2h")
        told = {(row["source"], row["what"]): (row["count"], row["last_request"]) for row in found["errors"]}
        self.assertEqual(told, {
            ("ask", "the models were throttled"): (1, "t"), ("ask", "the database failed"): (2, "f2"),
            ("ask", "the models failed"): (1, "f3"), ("ask", "the run ended with: timeout"): (1, "f4"),
            ("api", "answered with 503"): (1, "f4"), ("api", "answered with 429"): (1, "x")})
        text = self.plain(self.status(0, "logs", "--errors", "--since", "2h")).stdout
        self.assertRegex(text, r"(?m)^! ask    the database failed +2  \S+Z  f2\n         no \[2J route$")

    def test_nothing_in_it_steers_the_terminal(self):
        self.put("ask", (30 * MINUTE, question("c1", model="\x1b[2J\u009bx", outcome="\x07", TotalMs=9999)))
        for when in ("never", "always"):
            text = self.plain(self.status(0, "logs", "--cost", "--slow", "1", "--since", "2h", "--insights", when)).stdout
            self.assertRegex(text, r"(?m)^   \[2J  x +1 ")
            self.assertNotRegex(text, r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")

    def test_nothing_went_wrong(self):
        text = self.status(0, "logs", "--errors", "--slow", "2", "--since", "30m").stdout
        self.assertRegex(text, r"What went wrong.*\n  nothing\n")

    def test_wrong_words(self):
        for words in (("--cost", "--follow"), ("--errors", "--request", "x"), ("--slow", "0"), ("--slow", "many"),
                      ("--cost", "--since", "1h", "--until", "2h"), ("--cost", "--insights", "perhaps")):
            self.status(64, "logs", *words)


if __name__ == "__main__":
    unittest.main()
