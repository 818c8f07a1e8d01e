import unittest

import harness
from kind_case import KindCase

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:{}:live"
ASK, INGEST = FUNCTION.format("ask"), FUNCTION.format("ingest")
LOG = "${log.arn}"
JWT = {"issuer": "https://login.example.com/", "audience": ["acme", "docs"]}


class ApigatewayApiTest(KindCase, harness.TestCase):
    kind = "apigateway.api"
    others = {"log": {"kind": "logs.group"}}
    base = {"routes": [{"key": "POST /ask", "function": ASK}, {"key": "GET /documents", "function": INGEST}]}
    changes = {
        "name": "acme's own",
        "description": "questions",
        "cors": {"origins": ["https://example.com"], "methods": ["GET", "POST"], "headers": ["Content-Type"],
                 "max_age_s": 300},
        "stage": {"throttle_rate": 50, "throttle_burst": 100, "access_log": LOG, "detailed_metrics": True},
        "disable_endpoint": True,
    }

    # its name in the console: what the file stops saying stays
    def test_each_field_changes_in_place_and_goes_back(self):
        self.changes = {field: value for field, value in self.changes.items() if field != "name"}
        super().test_each_field_changes_in_place_and_goes_back()

    def test_the_name_changes_in_place(self):
        self.make()
        api = self.physical_id()
        self.make(name="acme's own")
        self.assertEqual(self.physical_id(), api)
        self.assertEqual(self.api(api)["Name"], "acme's own")

    def api(self, api_id):
        return self.client("apigatewayv2").get_api(ApiId=api_id)

    def items(self, operation, api_id):
        return getattr(self.client("apigatewayv2"), operation)(ApiId=api_id)["Items"]

    def test_one_integration_for_each_function(self):
        self.make(routes=[{"key": "POST /ask", "function": ASK}, {"key": "GET /", "function": ASK},
                          {"key": "$default", "function": INGEST}, {"key": "GET /x", "function": ASK, "timeout_ms": 1000}])
        integrations = self.items("get_integrations", self.physical_id())
        found = sorted((one["IntegrationUri"], one["TimeoutInMillis"]) for one in integrations)
        self.assertEqual(found, [(ASK, 1000), (ASK, 30000), (INGEST, 30000)])
        self.assertEqual({one["PayloadFormatVersion"] for one in integrations}, {"2.0"})

    def test_routes_come_move_and_go(self):
        self.make()
        self.make(routes=[{"key": "POST /ask", "function": INGEST}, {"key": "GET /new", "function": INGEST}])
        api = self.physical_id()
        self.assertEqual(sorted(route["RouteKey"] for route in self.items("get_routes", api)), ["GET /new", "POST /ask"])
        self.assertEqual([one["IntegrationUri"] for one in self.items("get_integrations", api)], [INGEST])

    def test_the_order_of_routes_means_nothing(self):
        self.make()
        self.say({"routes": self.base["routes"][::-1]})
        self.assert_settled()

    def test_never_open_unless_said(self):
        self.make()
        kinds = {route["AuthorizationType"] for route in self.items("get_routes", self.physical_id())}
        self.assertEqual(kinds, {"AWS_IAM"})

    def test_tokens_and_back_to_signatures(self):
        routes = [{**route, "auth": "jwt"} for route in self.base["routes"]]
        self.make(routes=routes, authorizer=JWT)
        api = self.physical_id()
        authorizer = self.items("get_authorizers", api)[0]
        self.assertEqual(authorizer["JwtConfiguration"], {"Issuer": JWT["issuer"], "Audience": JWT["audience"]})
        self.assertEqual({route["AuthorizerId"] for route in self.items("get_routes", api)}, {authorizer["AuthorizerId"]})
        routes[0]["scopes"] = ["ask"]
        self.make(routes=routes, authorizer={**JWT, "audience": ["acme"]})
        self.make()
        self.assertEqual(self.items("get_authorizers", api), [])
        self.assertEqual({route["AuthorizationType"] for route in self.items("get_routes", api)}, {"AWS_IAM"})

    def test_cors_loses_a_list(self):
        cors = {"origins": ["https://example.com"], "headers": ["content-type"], "expose_headers": ["etag"]}
        self.make(cors=cors)
        del cors["expose_headers"]
        self.make(cors=cors)
        self.assertNotIn("ExposeHeaders", self.api(self.physical_id())["CorsConfiguration"])

    def test_tokens_want_an_authorizer_and_an_authorizer_tokens(self):
        self.say({"routes": [{"key": "POST /ask", "function": ASK, "auth": "jwt"}]})
        self.assertIn("no authorizer", self.ragstack("up", "--yes", *self.target()).stderr)
        self.say({**self.base, "authorizer": JWT})
        self.assertIn("no route has auth: jwt", self.ragstack("up", "--yes", *self.target()).stderr)

    def test_an_open_door_is_drift(self):
        self.make()
        client, api = self.client("apigatewayv2"), self.physical_id()
        for route in self.items("get_routes", api):
            client.update_route(ApiId=api, RouteId=route["RouteId"], AuthorizationType="NONE")
        self.say(self.base)
        self.assertEqual(self.fields(), ["routes"])
        self.up()
        self.assert_settled()
        self.test_kinds = {route["AuthorizationType"] for route in self.items("get_routes", api)}
        self.assertEqual(self.test_kinds, {"AWS_IAM"})

    def test_a_half_made_api_is_finished(self):
        self.make()
        client, api = self.client("apigatewayv2"), self.physical_id()
        client.delete_stage(ApiId=api, StageName="$default")
        client.delete_route(ApiId=api, RouteId=self.items("get_routes", api)[0]["RouteId"])
        self.say(self.base)
        self.assertEqual(self.fields(), ["routes", "stage"])
        self.up()
        self.assert_settled()
        self.assertEqual(self.physical_id(), api)

    def test_the_access_log_can_be_read(self):
        self.make(stage={"access_log": LOG})
        stage = self.items("get_stages", self.physical_id())[0]
        self.assertIn(":log-group:/ragstack/acme-log-", stage["AccessLogSettings"]["DestinationArn"])
        self.assertFalse(stage["AccessLogSettings"]["DestinationArn"].endswith(":*"))
        for name in ("requestId", "integrationLatency", "status", "routeKey"):
            self.assertIn(f"$context.{name}", stage["AccessLogSettings"]["Format"])
        self.make(stage={"access_log": LOG, "log_format": "$context.requestId"})
        self.make()
        self.assertNotIn("AccessLogSettings", self.items("get_stages", self.physical_id())[0])


if __name__ == "__main__":
    unittest.main()
