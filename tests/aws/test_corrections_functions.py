"""Lambda, API Gateway and IAM, where AWS differs from moto."""

import json
import unittest

import harness
import scenario


class Functions(scenario.Case):
    def get(self, name="f"):
        return self.functions.get_function(FunctionName=name)["Configuration"]

    def settle(self, name="f"):
        self.functions.get_function(FunctionName=name)

    def test_what_moto_drops(self):
        vpc = self.vpc()
        group = self.group(vpc)
        topic = self.sns.create_topic(Name="dead")["TopicArn"]
        key = f"arn:aws:kms:us-east-1:{harness.ACCOUNT}:key/00000000-0000-0000-0000-000000000000"
        self.logs.create_log_group(logGroupName="/mine")
        self.function(VpcConfig={"SubnetIds": self.subnets(vpc), "SecurityGroupIds": [group]}, KMSKeyArn=key,
                      DeadLetterConfig={"TargetArn": topic}, LoggingConfig={"LogFormat": "JSON", "LogGroup": "/mine"})
        found = self.get()
        self.assertEqual(found["VpcConfig"]["VpcId"], vpc)
        self.assertEqual(found["DeadLetterConfig"], {"TargetArn": topic})
        self.assertEqual(found["KMSKeyArn"], key)
        self.assertEqual(found["LoggingConfig"], {"LogFormat": "JSON", "LogGroup": "/mine", "ApplicationLogLevel": "INFO",
                                                  "SystemLogLevel": "INFO"})
        self.assertIn("RevisionId", found)
        self.functions.update_function_configuration(
            FunctionName="f", DeadLetterConfig={"TargetArn": ""}, KMSKeyArn="", TracingConfig={"Mode": "Active"},
            VpcConfig={"SubnetIds": [], "SecurityGroupIds": []}, EphemeralStorage={"Size": 1024})
        found = self.get()
        self.assertEqual((found["VpcConfig"]["VpcId"], found["TracingConfig"], found["EphemeralStorage"]),
                         ("", {"Mode": "Active"}, {"Size": 1024}))
        self.assertNotIn("DeadLetterConfig", found)
        self.assertNotIn("KMSKeyArn", found)

    def test_states(self):
        made = self.functions.create_function(
            FunctionName="f", Runtime="provided.al2023", Handler="bootstrap", Code={"ZipFile": scenario.handler_zip()},
            Role=self.role("r", "lambda.amazonaws.com"))
        self.assertEqual(made["State"], "Pending")
        self.refused(self.functions.publish_version, "ResourceConflictException", FunctionName="f")
        self.assertEqual((self.get()["State"], self.get()["LastUpdateStatus"]), ("Active", "Successful"))
        changed = self.functions.update_function_configuration(FunctionName="f", Timeout=9)
        self.assertEqual(changed["LastUpdateStatus"], "InProgress")
        self.refused(self.functions.update_function_code, "ResourceConflictException", FunctionName="f",
                     ZipFile=scenario.handler_zip("#!/bin/bash\n"))
        self.settle()
        self.functions.update_function_code(FunctionName="f", ZipFile=scenario.handler_zip("#!/bin/bash\n"))
        listed = self.functions.list_functions()["Functions"][0]
        self.assertNotIn("State", listed)
        self.assertNotIn("LastUpdateStatus", listed)

    def test_what_is_refused(self):
        base = {"FunctionName": "f", "Runtime": "provided.al2023", "Handler": "bootstrap",
                "Code": {"ZipFile": scenario.handler_zip()}, "Role": self.role("r", "lambda.amazonaws.com")}
        other = self.role("other", "rds.amazonaws.com")
        group = self.group(self.vpc())
        for change, code in [
            ({"Runtime": "python3.6"}, "InvalidParameterValueException"),
            ({"Code": {"ZipFile": b"no zip"}}, "InvalidParameterValueException"),
            ({"Code": {"S3Bucket": "no-such-bucket", "S3Key": "k"}}, "InvalidParameterValueException"),
            ({"Role": other}, "InvalidParameterValueException"),
            ({"Role": other + "x"}, "InvalidParameterValueException"),
            ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "InvalidParameterValueException"),
            ({"VpcConfig": {"SubnetIds": ["subnet-00000000000000000"], "SecurityGroupIds": [group]}},
             "InvalidParameterValueException"),
            ({"LoggingConfig": {"LogFormat": "Text", "ApplicationLogLevel": "DEBUG"}}, "InvalidParameterValueException"),
        ]:
            with self.subTest(change):
                self.refused(self.functions.create_function, code, **{**base, **change})
        vpc = self.vpc()
        error = self.refused(self.functions.create_function, "InvalidParameterValueException", **{
            **base, "VpcConfig": {"SubnetIds": self.subnets(vpc), "SecurityGroupIds": [self.group(vpc)]}})
        self.assertIn("CreateNetworkInterface", str(error))
        self.functions.create_function(**base)
        self.refused(self.functions.create_function, "ResourceConflictException", **base)
        self.refused(self.functions.get_function, "ResourceNotFoundException", FunctionName="g")

    def test_timeouts_are_judged_by_the_model(self):
        lax = self.client("lambda", parameter_validation=False)
        self.refused(lax.create_function, "ValidationException", FunctionName="f", Runtime="provided.al2023",
                     Handler="bootstrap", Role=f"arn:aws:iam::{harness.ACCOUNT}:role/r", Timeout=-1,
                     Code={"ZipFile": scenario.handler_zip()})
        self.assertEqual([item["kind"] for item in self.take_violations()], ["model"])

    def test_code_from_a_bucket(self):
        self.s3.create_bucket(Bucket="bucket-of-code")
        self.s3.put_object(Bucket="bucket-of-code", Key="a/b.zip", Body=scenario.handler_zip("x"))
        self.function(Code={"S3Bucket": "bucket-of-code", "S3Key": "a/b.zip"})
        self.function("g", Code={"ZipFile": scenario.handler_zip("x")}, Role=self.get()["Role"])
        self.assertEqual(self.get()["CodeSize"], self.get("g")["CodeSize"])

    def test_revisions(self):
        self.function()
        old = self.get()["RevisionId"]
        self.functions.update_function_configuration(FunctionName="f", Timeout=9, RevisionId=old)
        self.settle()
        self.refused(self.functions.update_function_configuration, "PreconditionFailedException", FunctionName="f",
                     Timeout=10, RevisionId=old)

    def test_versions(self):
        self.function(Publish=True)
        self.settle()
        same = self.functions.publish_version(FunctionName="f")
        self.assertEqual(same["Version"], "1")
        self.functions.update_function_code(FunctionName="f", ZipFile=scenario.handler_zip("two"))
        self.settle()
        two = self.functions.publish_version(FunctionName="f")
        self.assertEqual(two["Version"], "2")
        one = self.functions.get_function(FunctionName="f", Qualifier="1")["Configuration"]
        self.assertNotEqual(one["CodeSha256"], two["CodeSha256"])
        self.refused(self.functions.publish_version, "InvalidParameterValueException", FunctionName="f", CodeSha256="x")
        numbers = [item["Version"] for item in self.functions.list_versions_by_function(FunctionName="f")["Versions"]]
        self.assertEqual(numbers, ["$LATEST", "1", "2"])

    def test_aliases(self):
        self.function(Publish=True)
        self.refused(self.functions.create_alias, "ResourceNotFoundException", FunctionName="f", Name="live",
                     FunctionVersion="7")
        self.functions.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
        self.refused(self.functions.create_alias, "ResourceConflictException", FunctionName="f", Name="live",
                     FunctionVersion="1")
        self.refused(self.functions.delete_function, "ResourceConflictException", FunctionName="f", Qualifier="1")
        self.functions.delete_alias(FunctionName="f", Name="live")
        self.functions.delete_function(FunctionName="f", Qualifier="1")
        self.refused(self.functions.get_alias, "ResourceNotFoundException", FunctionName="f", Name="live")

    def test_permissions_belong_to_a_qualifier(self):
        self.function(Publish=True)
        self.functions.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
        grant = {"FunctionName": "f", "Qualifier": "live", "StatementId": "s", "Action": "lambda:InvokeFunction",
                 "Principal": "apigateway.amazonaws.com", "SourceArn": "arn:aws:execute-api:us-east-1:123456789012:x/*"}
        self.functions.add_permission(**grant)
        self.refused(self.functions.add_permission, "ResourceConflictException", **grant)
        self.refused(self.functions.get_policy, "ResourceNotFoundException", FunctionName="f")
        document = json.loads(self.functions.get_policy(FunctionName="f", Qualifier="live")["Policy"])
        statement = document["Statement"][0]
        self.assertEqual(statement["Principal"], {"Service": "apigateway.amazonaws.com"})
        self.assertTrue(statement["Resource"].endswith(":function:f:live"))
        self.assertEqual(statement["Condition"], {"ArnLike": {"AWS:SourceArn": grant["SourceArn"]}})
        self.refused(self.functions.remove_permission, "ResourceNotFoundException", FunctionName="f", StatementId="s")
        self.functions.remove_permission(FunctionName="f", StatementId="s", Qualifier="live")
        self.refused(self.functions.get_policy, "ResourceNotFoundException", FunctionName="f", Qualifier="live")

    def test_concurrency(self):
        self.function()
        self.assertNotIn("ReservedConcurrentExecutions", self.functions.get_function_concurrency(FunctionName="f"))
        self.refused(self.functions.put_function_concurrency, "InvalidParameterValueException", FunctionName="f",
                     ReservedConcurrentExecutions=901)
        self.functions.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=5)
        self.assertEqual(self.functions.get_function(FunctionName="f")["Concurrency"], {"ReservedConcurrentExecutions": 5})
        self.functions.delete_function_concurrency(FunctionName="f")
        self.assertNotIn("Concurrency", self.functions.get_function(FunctionName="f"))

    def test_tags(self):
        arn = self.function(Tags={"a": "b"})
        self.functions.tag_resource(Resource=arn, Tags={"c": "d"})
        self.functions.untag_resource(Resource=arn, TagKeys=["a"])
        self.assertEqual(self.functions.get_function(FunctionName="f")["Tags"], {"c": "d"})
        self.refused(self.functions.list_tags, "InvalidParameterValueException", Resource=arn + ":live")

    def test_pages(self):
        role = self.role("r", "lambda.amazonaws.com")
        for index in range(51):
            self.function(f"f{index:02}", Role=role)
        page = self.functions.list_functions()
        self.assertEqual(len(page["Functions"]), 50)
        self.assertEqual(len(self.functions.list_functions(Marker=page["NextMarker"])["Functions"]), 1)


class Apis(scenario.Case):
    def test_routes(self):
        api = self.api()
        target = f"integrations/{self.integration(api)}"
        made = self.apis.create_route(ApiId=api, RouteKey="POST /ask", Target=target, AuthorizationType="AWS_IAM")
        self.refused(self.apis.create_route, "ConflictException", ApiId=api, RouteKey="POST /ask", Target=target)
        for key in ("POST ask", "FETCH /ask", "/ask", "GET /{a+}/b"):
            self.refused(self.apis.create_route, "BadRequestException", ApiId=api, RouteKey=key)
        self.refused(self.apis.create_route, "BadRequestException", ApiId=api, RouteKey="GET /x", Target="integrations/none")
        self.refused(self.apis.create_route, "BadRequestException", ApiId=api, RouteKey="GET /x", AuthorizationType="JWT")
        self.refused(self.apis.delete_integration, "ConflictException", ApiId=api, IntegrationId=target.split("/")[1])
        self.apis.delete_route(ApiId=api, RouteId=made["RouteId"])
        self.apis.delete_integration(ApiId=api, IntegrationId=target.split("/")[1])

    def test_integrations(self):
        api = self.api()
        uri = f"arn:aws:lambda:us-east-1:{harness.ACCOUNT}:function:f"
        self.refused(self.apis.create_integration, "BadRequestException", ApiId=api, IntegrationType="AWS_PROXY",
                     IntegrationUri=uri)
        self.refused(self.apis.create_integration, "BadRequestException", ApiId=api, IntegrationType="AWS_PROXY",
                     IntegrationUri="f", PayloadFormatVersion="2.0")
        made = self.integration(api)
        changed = self.apis.update_integration(ApiId=api, IntegrationId=made, TimeoutInMillis=5000)
        self.assertEqual((changed["TimeoutInMillis"], changed["PayloadFormatVersion"]), (5000, "2.0"))

    def test_authorizers(self):
        api = self.api()
        made = self.apis.create_authorizer(
            ApiId=api, Name="jwt", AuthorizerType="JWT", IdentitySource=["$request.header.Authorization"],
            JwtConfiguration={"Issuer": "https://issuer.example.com", "Audience": ["a"]})["AuthorizerId"]
        self.assertEqual([item["AuthorizerId"] for item in self.apis.get_authorizers(ApiId=api)["Items"]], [made])
        route = self.apis.create_route(ApiId=api, RouteKey="GET /x", AuthorizationType="JWT", AuthorizerId=made,
                                       AuthorizationScopes=["read"])
        self.refused(self.apis.delete_authorizer, "ConflictException", ApiId=api, AuthorizerId=made)
        changed = self.apis.update_route(ApiId=api, RouteId=route["RouteId"], AuthorizationType="NONE")
        self.assertNotIn("AuthorizerId", changed)
        self.apis.delete_authorizer(ApiId=api, AuthorizerId=made)
        self.refused(self.apis.create_authorizer, "BadRequestException", ApiId=api, Name="x", AuthorizerType="JWT",
                     IdentitySource=["Authorization"], JwtConfiguration={"Issuer": "https://x.example.com", "Audience": ["a"]})

    def test_stages(self):
        api = self.api()
        self.integration(api)
        self.apis.create_route(ApiId=api, RouteKey="POST /ask")
        made = self.apis.create_stage(ApiId=api, StageName="$default", AutoDeploy=True, Tags={"a": "b"})
        self.assertIn("DeploymentId", made)
        self.refused(self.apis.create_stage, "ConflictException", ApiId=api, StageName="$default")
        self.refused(self.apis.update_stage, "BadRequestException", ApiId=api, StageName="$default", AccessLogSettings={
            "DestinationArn": f"arn:aws:logs:us-east-1:{harness.ACCOUNT}:log-group:/none", "Format": "$context.requestId"})
        self.logs.create_log_group(logGroupName="/api")
        log = {"DestinationArn": f"arn:aws:logs:us-east-1:{harness.ACCOUNT}:log-group:/api", "Format": "$context.requestId"}
        changed = self.apis.update_stage(
            ApiId=api, StageName="$default", AccessLogSettings=log, RouteSettings={"POST /ask": {"ThrottlingRateLimit": 1.5}},
            DefaultRouteSettings={"ThrottlingBurstLimit": 10, "ThrottlingRateLimit": 5.0})
        self.assertEqual(changed["DefaultRouteSettings"]["ThrottlingRateLimit"], 5.0)
        found = self.apis.get_stage(ApiId=api, StageName="$default")
        self.assertEqual((found["AccessLogSettings"], found["Tags"]), (log, {"a": "b"}))
        self.refused(self.apis.update_stage, "NotFoundException", ApiId=api, StageName="$default",
                     RouteSettings={"GET /none": {"ThrottlingRateLimit": 1.0}})
        self.apis.delete_route_settings(ApiId=api, StageName="$default", RouteKey="POST /ask")
        self.apis.delete_access_log_settings(ApiId=api, StageName="$default")
        found = self.apis.get_stage(ApiId=api, StageName="$default")
        self.assertEqual(found.get("RouteSettings", {}), {})
        self.assertNotIn("AccessLogSettings", found)

    def test_deployments(self):
        api = self.api()
        self.refused(self.apis.create_deployment, "BadRequestException", ApiId=api)
        self.apis.create_route(ApiId=api, RouteKey="$default")
        self.apis.create_stage(ApiId=api, StageName="prod")
        made = self.apis.create_deployment(ApiId=api, StageName="prod")["DeploymentId"]
        self.assertEqual(self.apis.get_stage(ApiId=api, StageName="prod")["DeploymentId"], made)
        self.assertEqual(len(self.apis.get_deployments(ApiId=api)["Items"]), 1)

    def test_quick_create(self):
        api = self.apis.create_api(Name="q", ProtocolType="HTTP",
                                   Target=f"arn:aws:lambda:us-east-1:{harness.ACCOUNT}:function:f")["ApiId"]
        self.assertEqual([item["RouteKey"] for item in self.apis.get_routes(ApiId=api)["Items"]], ["$default"])
        self.assertEqual([item["StageName"] for item in self.apis.get_stages(ApiId=api)["Items"]], ["$default"])

    def test_cors_and_tags(self):
        api = self.api()
        cors = {"AllowOrigins": ["https://example.com"], "AllowMethods": ["POST"], "MaxAge": 60}
        self.apis.update_api(ApiId=api, CorsConfiguration=cors)
        self.assertEqual(self.apis.get_api(ApiId=api)["CorsConfiguration"], cors)
        self.refused(self.apis.update_api, "BadRequestException", ApiId=api,
                     CorsConfiguration={"AllowOrigins": ["*"], "AllowCredentials": True})
        self.apis.delete_cors_configuration(ApiId=api)
        self.assertNotIn("CorsConfiguration", self.apis.get_api(ApiId=api))
        arn = f"arn:aws:apigateway:us-east-1::/apis/{api}"
        self.apis.tag_resource(ResourceArn=arn, Tags={"a": "b"})
        self.assertEqual(self.apis.get_tags(ResourceArn=arn)["Tags"], {"a": "b"})
        self.apis.untag_resource(ResourceArn=arn, TagKeys=["a"])
        self.assertEqual(self.apis.get_api(ApiId=api).get("Tags", {}), {})
        self.apis.delete_api(ApiId=api)
        self.refused(self.apis.get_api, "NotFoundException", ApiId=api)

    def test_pages(self):
        for index in range(26):
            self.apis.create_api(Name=f"a{index}", ProtocolType="HTTP")
        page = self.apis.get_apis()
        self.assertEqual(len(page["Items"]), 25)
        self.assertEqual(len(self.apis.get_apis(NextToken=page["NextToken"])["Items"]), 1)
        self.refused(self.apis.get_apis, "BadRequestException", NextToken="made up")


class Roles(scenario.Case):
    def test_trust_policies(self):
        for text in ("{", "[]", '{"Statement": []}', '{"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}',
                     scenario.policy("s3:GetObject"),
                     json.dumps({"Statement": [{"Effect": "Maybe", "Principal": "*", "Action": "sts:AssumeRole"}]})):
            self.refused(self.iam.create_role, "MalformedPolicyDocument", RoleName="r", AssumeRolePolicyDocument=text)
        self.iam.create_role(RoleName="r", AssumeRolePolicyDocument=scenario.trust("lambda.amazonaws.com"))
        self.refused(self.iam.create_role, "EntityAlreadyExists", RoleName="R",
                     AssumeRolePolicyDocument=scenario.trust("lambda.amazonaws.com"))
        self.refused(self.iam.update_assume_role_policy, "MalformedPolicyDocument", RoleName="r", PolicyDocument="{")

    def test_inline_policies(self):
        self.role("r", "lambda.amazonaws.com")
        for text in ("{", scenario.trust("lambda.amazonaws.com"), scenario.policy("nonsense"),
                     json.dumps({"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "bucket"}]})):
            self.refused(self.iam.put_role_policy, "MalformedPolicyDocument", RoleName="r", PolicyName="p", PolicyDocument=text)
        long = scenario.policy(*(f"s3:GetObject{index:0>40}" for index in range(250)))
        self.refused(self.iam.put_role_policy, "LimitExceeded", RoleName="r", PolicyName="p", PolicyDocument=long)

    def test_lists_without_tags_in_pages(self):
        for index in range(3):
            self.iam.create_role(RoleName=f"r{index}", Path="/ragstack/", Tags=[{"Key": "a", "Value": "b"}],
                                 AssumeRolePolicyDocument=scenario.trust("lambda.amazonaws.com"))
        page = self.iam.list_roles(PathPrefix="/ragstack/", MaxItems=2)
        self.assertTrue(page["IsTruncated"])
        self.assertNotIn("Tags", page["Roles"][0])
        rest = self.iam.list_roles(PathPrefix="/ragstack/", MaxItems=2, Marker=page["Marker"])
        self.assertEqual((len(rest["Roles"]), rest["IsTruncated"]), (1, False))
        self.assertEqual(self.iam.get_role(RoleName="r0")["Role"]["Tags"], [{"Key": "a", "Value": "b"}])

    def test_assuming(self):
        sts = self.client("sts")
        self.refused(sts.assume_role, "AccessDenied", RoleArn=f"arn:aws:iam::{harness.ACCOUNT}:role/none",
                     RoleSessionName="session")
        arn = self.role("service", "lambda.amazonaws.com")
        self.refused(sts.assume_role, "AccessDenied", RoleArn=arn, RoleSessionName="session")


if __name__ == "__main__":
    unittest.main()
