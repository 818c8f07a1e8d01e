"""Small worlds for the gateway's own tests, made with boto3."""

from __future__ import annotations

import io
import json
import zipfile
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

import harness


def trust(service: str) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]})


def policy(*actions: str) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": list(actions), "Resource": "*"}]})


def handler_zip(text: str = "#!/bin/sh\n") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("bootstrap", text)
    return buffer.getvalue()


class Case(harness.TestCase):
    """Clients by name, refusals, and the resources that tests need on their way to their own."""

    def refused(self, call: Any, code: str, **params: Any) -> ClientError:
        with self.assertRaises(ClientError) as caught:
            call(**params)
        self.assertEqual(caught.exception.response["Error"]["Code"], code, caught.exception)
        return caught.exception

    @cached_property
    def ec2(self) -> Any:
        return self.client("ec2")

    @cached_property
    def rds(self) -> Any:
        return self.client("rds")

    @cached_property
    def iam(self) -> Any:
        return self.client("iam")

    @cached_property
    def functions(self) -> Any:
        return self.client("lambda")

    @cached_property
    def apis(self) -> Any:
        return self.client("apigatewayv2")

    @cached_property
    def s3(self) -> Any:
        return self.client("s3")

    @cached_property
    def logs(self) -> Any:
        return self.client("logs")

    @cached_property
    def metrics(self) -> Any:
        return self.client("cloudwatch")

    @cached_property
    def sns(self) -> Any:
        return self.client("sns")

    # -- resources ----------------------------------------------------------------------------------

    def vpc(self, dns: bool = False) -> str:
        name = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        if dns:
            self.ec2.modify_vpc_attribute(VpcId=name, EnableDnsHostnames={"Value": True})
        return name

    def subnets(self, vpc: str, count: int = 2) -> list[str]:
        return [self.ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{index}.0/24",
                                       AvailabilityZone=f"us-east-1{'abc'[index]}")["Subnet"]["SubnetId"]
                for index in range(count)]

    def group(self, vpc: str, name: str = "group") -> str:
        return self.ec2.create_security_group(GroupName=name, Description="d", VpcId=vpc)["GroupId"]

    def internet_gateway(self, vpc: str) -> str:
        name = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=name, VpcId=vpc)
        return name

    def role(self, name: str, service: str, *actions: str) -> str:
        arn = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(service))["Role"]["Arn"]
        if actions:
            self.iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(*actions))
        return arn

    def function(self, name: str = "f", **params: Any) -> str:
        if "Role" not in params:
            params["Role"] = self.role(f"role-of-{name}", "lambda.amazonaws.com", "ec2:*")
        base = {"FunctionName": name, "Runtime": "provided.al2023", "Handler": "bootstrap", "Code": {"ZipFile": handler_zip()}}
        return self.functions.create_function(**{**base, **params})["FunctionArn"]

    def database(self, subnets: list[str], groups: list[str], name: str = "d", **params: Any) -> None:
        self.rds.create_db_subnet_group(DBSubnetGroupName=f"{name}-subnets", DBSubnetGroupDescription="d", SubnetIds=subnets)
        base = {"DBInstanceIdentifier": name, "DBInstanceClass": "db.t4g.micro", "Engine": "postgres", "EngineVersion": "17",
                "AllocatedStorage": 20, "MasterUsername": "ragstack", "MasterUserAuthenticationType": "iam-db-auth",
                "DBSubnetGroupName": f"{name}-subnets", "VpcSecurityGroupIds": groups}
        self.rds.create_db_instance(**{**base, **params})

    def api(self) -> str:
        return self.apis.create_api(Name="a", ProtocolType="HTTP")["ApiId"]

    def integration(self, api: str) -> str:
        uri = f"arn:aws:lambda:us-east-1:{harness.ACCOUNT}:function:f:live"
        return self.apis.create_integration(ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=uri,
                                            PayloadFormatVersion="2.0")["IntegrationId"]
