"""The gateway's own behaviour in time: states, propagation, what lingers, limits, pages, faults, copies."""

import time
import unittest

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError
from botocore.parsers import ResponseParserError

import scenario


class TimeCase(scenario.Case):
    gateway_options = ("--time-by-hand", "--seed", "7")

    def passing(self, look, *wanted, step_s=2, longest_s=3000):
        """Lets time pass until the last of the wanted states, and expects to see them all in this order."""
        seen = [look()]
        for _ in range(int(longest_s / step_s)):
            if seen[-1] == wanted[-1]:
                break
            self.gateway.advance(step_s)
            state = look()
            if state != seen[-1]:
                seen.append(state)
        self.assertEqual(seen, list(wanted))

    def network(self):
        vpc = self.vpc()
        self.gateway.advance(5)
        subnets, group = self.subnets(vpc), self.group(vpc)
        self.gateway.advance(5)
        return vpc, subnets, group

    def database_state(self):
        found = self.rds.describe_db_instances()["DBInstances"]
        return found[0]["DBInstanceStatus"] if found else "gone"


class StatesTest(TimeCase):
    def test_a_database_is_made_and_changed(self):
        _, subnets, group = self.network()
        self.database(subnets, [group])
        self.assertNotIn("Endpoint", self.rds.describe_db_instances()["DBInstances"][0])
        self.refused(self.rds.modify_db_instance, "InvalidDBInstanceState", DBInstanceIdentifier="d", MultiAZ=True)
        self.passing(self.database_state, "creating", "configuring-iam-database-auth", "backing-up", "available")
        self.rds.modify_db_instance(DBInstanceIdentifier="d", MultiAZ=True, ApplyImmediately=True)
        found = self.rds.describe_db_instances()["DBInstances"][0]
        self.assertEqual((found["DBInstanceStatus"], found["MultiAZ"]), ("available", False))
        self.assertEqual(found["PendingModifiedValues"], {"MultiAZ": True})
        self.gateway.advance(11)
        self.passing(self.database_state, "modifying", "available")
        self.assertTrue(self.rds.describe_db_instances()["DBInstances"][0]["MultiAZ"])

    def test_a_database_is_deleted(self):
        _, subnets, group = self.network()
        self.database(subnets, [group])
        self.refused(self.rds.delete_db_instance, "InvalidDBInstanceState", DBInstanceIdentifier="d",
                     FinalDBSnapshotIdentifier="last")
        self.gateway.advance(600)
        self.rds.delete_db_instance(DBInstanceIdentifier="d", FinalDBSnapshotIdentifier="last")
        self.refused(self.rds.delete_db_instance, "InvalidDBInstanceState", DBInstanceIdentifier="d", SkipFinalSnapshot=True)
        self.refused(self.rds.delete_db_subnet_group, "InvalidDBSubnetGroupStateFault", DBSubnetGroupName="d-subnets")
        self.passing(self.database_state, "deleting", "gone")
        self.rds.delete_db_subnet_group(DBSubnetGroupName="d-subnets")

    def test_a_proxy_and_its_target(self):
        _, subnets, group = self.network()
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": group}]}])
        role = self.role("proxy", "rds.amazonaws.com", "rds-db:connect")
        proxy = {"DBProxyName": "p", "EngineFamily": "POSTGRESQL", "RoleArn": role, "VpcSubnetIds": subnets,
                 "VpcSecurityGroupIds": [group], "DefaultAuthScheme": "IAM_AUTH"}
        self.refused(self.rds.create_db_proxy, "InvalidParameterValue", **proxy)
        self.gateway.advance(15)
        self.rds.create_db_proxy(**proxy)
        self.database(subnets, [group])
        register = {"DBProxyName": "p", "DBInstanceIdentifiers": ["d"]}
        self.refused(self.rds.register_db_proxy_targets, "InvalidDBProxyStateFault", **register)
        self.passing(lambda: self.rds.describe_db_proxies()["DBProxies"][0]["Status"], "creating", "available")
        self.refused(self.rds.register_db_proxy_targets, "InvalidDBInstanceState", **register)
        self.gateway.advance(600)
        self.rds.register_db_proxy_targets(**register)

        def health():
            found = self.rds.describe_db_proxy_targets(DBProxyName="p")["Targets"][0]["TargetHealth"]
            return found.get("Reason", found["State"])

        self.passing(health, "REGISTERING", "PENDING_PROXY_CAPACITY", "AVAILABLE")

    def test_functions_and_the_interfaces_they_leave_behind(self):
        _, subnets, group = self.network()
        role = self.role("f", "lambda.amazonaws.com", "ec2:*")
        network = {"SubnetIds": subnets, "SecurityGroupIds": [group]}
        self.refused(self.functions.create_function, "InvalidParameterValueException", FunctionName="f",
                     Runtime="provided.al2023", Handler="bootstrap", Role=role, VpcConfig=network,
                     Code={"ZipFile": scenario.handler_zip()})
        self.gateway.advance(15)
        self.function(Role=role, VpcConfig=network)
        self.refused(self.functions.update_function_configuration, "ResourceConflictException", FunctionName="f", Timeout=5)
        self.refused(self.functions.invoke, "ResourceConflictException", FunctionName="f")
        self.passing(lambda: self.functions.get_function(FunctionName="f")["Configuration"]["State"], "Pending", "Active")
        self.functions.update_function_configuration(FunctionName="f", Timeout=5)
        self.refused(self.functions.publish_version, "ResourceConflictException", FunctionName="f")
        self.passing(lambda: self.functions.get_function(FunctionName="f")["Configuration"]["LastUpdateStatus"],
                     "InProgress", "Successful")
        self.functions.delete_function(FunctionName="f")
        self.refused(self.ec2.delete_security_group, "DependencyViolation", GroupId=group)
        self.refused(self.ec2.delete_subnet, "DependencyViolation", SubnetId=subnets[0])
        self.gateway.advance(600)
        self.assertEqual(len(self.ec2.describe_network_interfaces()["NetworkInterfaces"]), 2)
        self.gateway.advance(1600)
        self.ec2.delete_security_group(GroupId=group)

    def test_gateways_and_endpoints(self):
        vpc, subnets, group = self.network()
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.gateway.advance(5)
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        address = self.ec2.allocate_address()["AllocationId"]
        self.gateway.advance(5)
        nat = self.ec2.create_nat_gateway(SubnetId=subnets[0], AllocationId=address)["NatGateway"]["NatGatewayId"]
        endpoint = self.ec2.create_vpc_endpoint(
            VpcId=vpc, VpcEndpointType="Interface", ServiceName="com.amazonaws.us-east-1.bedrock-runtime",
            SubnetIds=subnets, SecurityGroupIds=[group], PrivateDnsEnabled=False)["VpcEndpoint"]["VpcEndpointId"]

        def nat_state():
            return self.ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"][0]["State"]

        def endpoint_state():
            found = self.ec2.describe_vpc_endpoints()["VpcEndpoints"]
            return found[0]["State"] if found else "gone"

        self.assertEqual(endpoint_state(), "pending")
        self.passing(nat_state, "pending", "available")
        self.passing(endpoint_state, "available")
        self.ec2.delete_nat_gateway(NatGatewayId=nat)
        self.refused(self.ec2.release_address, "InvalidIPAddress.InUse", AllocationId=address)
        self.passing(nat_state, "deleting", "deleted")
        self.ec2.release_address(AllocationId=address)
        self.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
        self.refused(self.ec2.delete_security_group, "DependencyViolation", GroupId=group)
        self.passing(endpoint_state, "deleting", "gone")


class SpreadTest(TimeCase):
    def test_new_ids_are_not_known_everywhere(self):
        vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        refused = 0
        for _ in range(12):
            try:
                self.ec2.describe_vpcs(VpcIds=[vpc])
            except ClientError as error:
                self.assertEqual(error.response["Error"]["Code"], "InvalidVpcID.NotFound")
                refused += 1
        self.assertGreater(refused, 0)
        self.gateway.advance(5)
        self.ec2.describe_vpcs(VpcIds=[vpc])

    def test_the_tagging_api_hears_late(self):
        tagging = self.client("resourcegroupstaggingapi")
        topic = self.sns.create_topic(Name="t", Tags=[{"Key": "a", "Value": "b"}])["TopicArn"]

        def listed():
            return [row["ResourceARN"] for row in tagging.get_resources(
                TagFilters=[{"Key": "a", "Values": ["b"]}])["ResourceTagMappingList"]]

        self.passing(listed, [], [topic])
        self.sns.delete_topic(TopicArn=topic)
        self.passing(listed, [topic], [])


class LimitsTest(scenario.Case):
    gateway_options = ("--limits", "--page-size", "2", "--others", "30,7")

    def test_more_calls_than_aws_takes(self):
        throttled = 0
        for number in range(30):
            try:
                self.logs.create_log_group(logGroupName=f"g{number}")
            except ClientError as error:
                self.assertEqual(error.response["Error"]["Code"], "ThrottlingException")
                throttled += 1
        self.assertGreater(throttled, 5)

    def test_small_pages_and_a_full_account(self):
        page = self.functions.list_functions()
        self.assertEqual(len(page["Functions"]), 2)
        self.assertIn("NextMarker", page)
        self.assertEqual(sum(len(page["Functions"]) for page in self.functions.get_paginator("list_functions").paginate()), 30)
        pages = list(self.rds.get_paginator("describe_db_instances").paginate())
        names = [found["DBInstanceIdentifier"] for page in pages for found in page["DBInstances"]]
        self.assertEqual((len(pages), len(set(names))), (4, 7))


class FaultsTest(scenario.Case):
    def topics(self):
        return len(self.sns.list_topics()["Topics"])

    def test_refusals_have_no_effect(self):
        for kind, code in (("throttle", "Throttling"), ("internal", "InternalFailure"), ("denied", "AccessDenied"),
                           ("unavailable", "ServiceUnavailable"), ("expired", "ExpiredToken")):
            self.gateway.fault(kind, changing=True)
            self.refused(self.sns.create_topic, code, Name="t")
        self.assertEqual(self.topics(), 0)
        self.sns.create_topic(Name="t")

    def test_the_nth_call_of_its_kind(self):
        self.gateway.fault("throttle", service="sns", operation="CreateTopic", at=3)
        self.sns.create_topic(Name="a")
        self.topics()
        self.sns.create_topic(Name="b")
        self.refused(self.sns.create_topic, "Throttling", Name="c")
        self.assertEqual(self.gateway.faults()[0]["hits"], ["sns.CreateTopic"])
        self.sns.create_topic(Name="c")

    def test_a_reply_that_is_lost(self):
        for number, (kind, effect) in enumerate((("reset-before", 0), ("reset-after", 1), ("internal-after", 1),
                                                 ("cut", 1), ("garbage", 1))):
            before = self.topics()
            self.gateway.fault(kind, changing=True)
            with self.assertRaises((ClientError, ConnectionError, HTTPClientError, ResponseParserError)):
                self.sns.create_topic(Name=f"t{number}")
            self.assertEqual(self.topics() - before, effect, kind)

    def test_by_chance(self):
        self.gateway.fault("throttle", rate=0.5)
        outcomes = set()
        for number in range(30):
            try:
                self.sns.create_topic(Name=f"t{number}")
                outcomes.add("done")
            except ClientError:
                outcomes.add("throttled")
        self.assertEqual(outcomes, {"done", "throttled"})

    def test_what_is_slow_comes_late(self):
        self.gateway.fault("slow", seconds=0.3)
        began = time.monotonic()
        self.sns.create_topic(Name="t")
        self.assertGreater(time.monotonic() - began, 0.3)

    def test_a_copy_goes_its_own_way(self):
        self.sns.create_topic(Name="both")
        copy = self.gateway.copy()
        self.addCleanup(copy.stop)
        copy.client("sns").create_topic(Name="copy")
        self.sns.create_topic(Name="ours")
        self.sns.create_topic(Name="ours-too")
        self.assertEqual(len(copy.client("sns").list_topics()["Topics"]), 2)
        self.assertEqual(self.topics(), 3)
        self.assertNotEqual(copy.inventory(), self.gateway.inventory())


if __name__ == "__main__":
    unittest.main()
