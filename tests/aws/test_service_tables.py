"""The tables of services and operations in pkg/aws/service_*.c, against AWS's published models."""

import functools
import pathlib
import re
import subprocess
import unittest

import botocore.exceptions
import botocore.session

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# Our id -> the name of the model.
MODELS = {
    "ec2": "ec2", "rds": "rds", "iam": "iam", "sns": "sns", "sts": "sts", "cloudwatch": "cloudwatch",
    "logs": "logs", "tagging": "resourcegroupstaggingapi", "quotas": "service-quotas",
    "pricing": "pricing", "lambda": "lambda", "apigateway": "apigatewayv2", "bedrock": "bedrock",
    "bedrock-runtime": "bedrock-runtime", "s3": "s3",
}
PROTOCOLS = {"AWS_EC2": "ec2", "AWS_QUERY": "query", "AWS_JSON": "json", "AWS_REST_JSON": "rest-json",
             "AWS_REST_XML": "rest-xml"}
TRUE = ("1", "true")  # as the preprocessor leaves it


# -- reading the tables ---------------------------------------------------------------------------


def preprocessed(path):
    command = ["cc", "-E", "-P", "-I", str(ROOT), str(path)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


STRING = r'"(?:[^"])*"'
FIELD = re.compile(rf"\.(\w+)\s*=\s*(\(?(?:{STRING}\s*)+\)?|[^,]+)")
ROW = re.compile(rf"\{{((?:{STRING}|[^{{}}\"])*)\}}")


def parse_fields(text):
    """{.name = ("x"), .path = "a" "b", .reads = 1} as a dict: strings joined, the rest as written."""
    fields = {}
    for name, value in FIELD.findall(text):
        strings = re.findall(r'"([^"]*)"', value)
        fields[name] = "".join(strings) if strings else value.strip()
    return fields


def parse_rows(text):
    rows = map(parse_fields, ROW.findall(text))
    return {row["name"]: row for row in rows if re.fullmatch(r"\w+", row["name"]) and row["name"] != "NULL"}


@functools.cache
def services():
    """id -> (fields of the service, {operation: fields of its row})."""
    found = {}
    for path in sorted((ROOT / "pkg/aws").glob("service_*.c")):
        text = preprocessed(path)
        tables = {name: parse_rows(body) for name, body in
                  re.findall(r"struct aws_operation (\w+)\[\] = \{(.*?)\};", text, re.S)}
        for body in re.findall(r"const struct aws_service \w+ = \{(.*?)\};", text, re.S):
            service = parse_fields(body)
            found[service["id"]] = (service, tables[service["operations"]])
    return found


def used():
    """Every ("service", "Operation", is listed) that the program's sources name."""
    calls = set()
    for path in [*ROOT.glob("pkg/*/*.c"), *ROOT.glob("cmd/*/*.c")]:
        if path.parent.name == "aws":
            continue
        for match in re.finditer(r"(\w+)\([^;(]*?&aws_(\w+),\s*\"(\w+)\"", path.read_text()):
            calls.add((match[2].replace("_", "-"), match[3], match[1].endswith("list")))
    return calls


# -- the models -----------------------------------------------------------------------------------


@functools.cache
def session():
    return botocore.session.get_session()


@functools.cache
def model(identifier):
    return session().get_service_model(MODELS[identifier])


@functools.cache
def paginators(name):
    try:
        return session().get_paginator_model(name)._paginator_config
    except botocore.exceptions.UnknownServiceError:
        return {}


def members(shape):
    return shape.members if shape is not None else {}


def same_name(left, right):
    """First letters may differ in case: API references do."""
    return left[:1].lower() + left[1:] == right[:1].lower() + right[1:]


def find_member(shape, name):
    return next((item for key, item in members(shape).items() if same_name(key, name)), None)


def wire_name(shape, protocol, name):
    if protocol == "ec2":
        plain = shape.serialization.get("name", name)
        return shape.serialization.get("queryName") or plain[:1].upper() + plain[1:]
    return shape.serialization.get("name", name)


def wire_path(shape, expression, protocol):
    """Where a reply has what the model calls `expression`."""
    parts = []
    for name in expression.split("."):
        shape = shape.members[name]
        parts.append(shape.serialization.get("name", name))
        if protocol in ("ec2", "query", "rest-xml") and shape.type_name == "list":
            if not shape.serialization.get("flattened"):
                parts.append(shape.member.serialization.get("name", "member"))
    return ".".join(parts)


def as_list(value):
    return value if isinstance(value, list) else [value]


def pairs(words):
    for word in words.split():
        name, _, wire = word.partition("=")
        yield name, wire or name


# -- the tests ------------------------------------------------------------------------------------


class ServiceTest(unittest.TestCase):
    def each_service(self, check):
        for identifier, (service, rows) in services().items():
            with self.subTest(service=identifier):
                check(identifier, service, rows)

    def each_row(self, check):
        for identifier, (service, rows) in services().items():
            protocol = PROTOCOLS[service["protocol"]]
            for name, row in rows.items():
                with self.subTest(service=identifier, operation=name):
                    check(protocol, model(identifier).operation_model(name), row)

    def test_all_tables_were_read(self):
        self.assertEqual(set(services()), set(MODELS))
        self.assertGreater(sum(len(rows) for _, rows in services().values()), 150)

    def test_services(self):
        def check(identifier, service, _rows):
            metadata = model(identifier).metadata
            self.assertEqual(service["endpoint_prefix"], metadata["endpointPrefix"])
            self.assertEqual(service["signing_name"], metadata.get("signingName", metadata["endpointPrefix"]))
            self.assertEqual(service["version"], metadata["apiVersion"])
            self.assertEqual(service["sdk_id"], metadata["serviceId"].replace(" ", "_").upper())
            self.assertEqual(service.get("target_prefix"), metadata.get("targetPrefix"))
            if service["protocol"] == "AWS_JSON":
                self.assertEqual(service["json_version"], metadata["jsonVersion"])
            offered = metadata.get("protocols") or [metadata["protocol"]]
            self.assertIn(PROTOCOLS[service["protocol"]], offered)

        self.each_service(check)

    def test_methods_and_paths(self):
        def check(protocol, operation, row):
            if not protocol.startswith("rest"):
                self.assertNotIn("path", row)
                return
            self.assertEqual(row["method"], operation.http["method"])
            label = {item.serialization["name"]: key for key, item in members(operation.input_shape).items()
                     if item.serialization.get("location") == "uri"}
            expected = re.sub(r"\{([\w-]+)(\+?)\}", lambda match: "{%s%s}" % (label[match[1]], match[2]),
                              operation.http["requestUri"])
            ours = re.sub(r"\{(\w)", lambda match: "{" + match[1].lower(), row["path"])
            self.assertEqual(ours, re.sub(r"\{(\w)", lambda match: "{" + match[1].lower(), expected))

        self.each_row(check)

    def test_query_strings_and_headers(self):
        def check(_protocol, operation, row):
            for field, location in (("query", "querystring"), ("headers", "header")):
                for name, wire in pairs(row.get(field, "")):
                    member = find_member(operation.input_shape, name)
                    self.assertIsNotNone(member, name)
                    prefix = "headers" if wire.endswith("*") else location
                    self.assertEqual(member.serialization["location"], prefix, name)
                    self.assertEqual(member.serialization["name"], wire.rstrip("*"))

        self.each_row(check)

    def test_bodies(self):
        def check(protocol, operation, row):
            if not protocol.startswith("rest"):
                return
            payload = operation.input_shape and operation.input_shape.serialization.get("payload")
            shape = payload and operation.input_shape.members[payload]
            if payload and shape.type_name in ("blob", "string"):
                self.assertEqual(row.get("payload"), payload)
            elif payload:
                self.assertEqual(row.get("root"), shape.serialization.get("name", payload))
            else:
                self.assertNotIn("payload", row)
                self.assertNotIn("root", row)

        self.each_row(check)

    def test_raw_replies(self):
        def check(protocol, operation, row):
            shape = operation.output_shape
            payload = shape.serialization.get("payload") if shape is not None else None
            raw = bool(payload) and shape.members[payload].type_name in ("blob", "string")
            self.assertEqual(row.get("body_is_raw") in TRUE, raw and protocol.startswith("rest"))

        self.each_row(check)

    def test_checksums(self):
        def check(_protocol, operation, row):
            if (operation.http_checksum or {}).get("requestChecksumRequired"):
                self.assertIn(row.get("checksum"), TRUE)

        self.each_row(check)

    def test_idempotency_tokens(self):
        def check(_protocol, operation, row):
            if "token" in row:
                self.assertIsNotNone(find_member(operation.input_shape, row["token"]))
            self.assertEqual("token" in row, row.get("repeat") == "AWS_REPEAT_TOKEN")

        self.each_row(check)

    def test_no_token_is_forgotten(self):
        for identifier, operation, _ in used():
            with self.subTest(service=identifier, operation=operation):
                shape = model(identifier).operation_model(operation).input_shape
                tokens = [key for key, item in members(shape).items() if item.metadata.get("idempotencyToken")]
                row = services()[identifier][1].get(operation, {})
                if tokens:
                    self.assertEqual(tokens, [row.get("token")])

    def test_paging(self):
        def check(protocol, operation, row):
            if "page_items" not in row:
                return
            config = paginators(operation.service_model.service_name).get(operation.name)
            items = row["page_items"].split()
            if not config:
                self.assertNotIn("page_in", row)
                self.check_items(operation, protocol, items)
                return
            known = [wire_path(operation.output_shape, key, protocol) for key in as_list(config["result_key"])]
            self.assertLessEqual(set(items), set(known))
            if "page_in" not in row:
                return
            inputs = as_list(config["input_token"])
            shown = inputs if protocol.startswith("rest") else [
                wire_name(operation.input_shape.members[name], protocol, name) for name in inputs]
            for ours, theirs in zip(row["page_in"].split(), shown, strict=True):
                self.assertTrue(same_name(ours, theirs), (ours, theirs))
            outputs = [wire_path(operation.output_shape, key, protocol) for key in as_list(config["output_token"])]
            self.assertEqual(row["page_out"].split(), outputs)

        self.each_row(check)

    def check_items(self, operation, protocol, items):
        lists = [wire_path(operation.output_shape, key, protocol) for key, item in
                 operation.output_shape.members.items() if item.type_name == "list"]
        self.assertLessEqual(set(items), set(lists))


class UseTest(unittest.TestCase):
    """What the rest of the program calls exists, and has the row that it needs."""

    def test_calls_exist(self):
        self.assertGreater(len(used()), 0)
        for identifier, operation, _ in used():
            with self.subTest(service=identifier, operation=operation):
                self.assertIn(operation, model(identifier).operation_names)

    def test_rest_calls_have_rows(self):
        for identifier, operation, _ in used():
            service, rows = services()[identifier]
            if service["protocol"].startswith("AWS_REST"):
                with self.subTest(service=identifier, operation=operation):
                    self.assertIn(operation, rows)

    def test_listings_have_items(self):
        for identifier, operation, listed in used():
            if listed:
                with self.subTest(service=identifier, operation=operation):
                    self.assertIn("page_items", services()[identifier][1].get(operation, {}))


if __name__ == "__main__":
    unittest.main()
