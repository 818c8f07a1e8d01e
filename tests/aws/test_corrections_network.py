"""EC2, where AWS differs from moto."""

import unittest

import harness
import scenario


class Requests(scenario.Case):
    def test_dry_run(self):
        self.refused(self.ec2.create_vpc, "DryRunOperation", CidrBlock="10.0.0.0/16", DryRun=True)
        self.assertEqual(len(self.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["false"]}])["Vpcs"]), 0)

    def test_unknown_filter(self):
        self.refused(self.ec2.describe_vpcs, "InvalidParameterValue", Filters=[{"Name": "colour", "Values": ["red"]}])
        self.ec2.describe_vpcs(Filters=[{"Name": "tag:any", "Values": ["x"]}, {"Name": "tag-key", "Values": ["y"]}])

    def test_client_tokens(self):
        vpc = self.vpc()
        first = self.ec2.create_route_table(VpcId=vpc, ClientToken="t")["RouteTable"]["RouteTableId"]
        again = self.ec2.create_route_table(VpcId=vpc, ClientToken="t")["RouteTable"]["RouteTableId"]
        self.assertEqual(first, again)
        self.refused(self.ec2.create_route_table, "IdempotentParameterMismatch", VpcId=vpc, ClientToken="t",
                     TagSpecifications=[{"ResourceType": "route-table", "Tags": [{"Key": "a", "Value": "b"}]}])
        other = self.ec2.create_route_table(VpcId=vpc, ClientToken="u")["RouteTable"]["RouteTableId"]
        self.assertNotEqual(first, other)

    def test_pages(self):
        vpc = self.vpc()
        for index in range(5):
            self.ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{index}.0/24")
        chosen = [{"Name": "vpc-id", "Values": [vpc]}]
        page = self.ec2.describe_subnets(Filters=chosen, MaxResults=5)
        self.assertNotIn("NextToken", page)
        self.ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.9.0/24")
        page = self.ec2.describe_subnets(Filters=chosen, MaxResults=5)
        self.assertEqual(len(page["Subnets"]), 5)
        rest = self.ec2.describe_subnets(Filters=chosen, MaxResults=5, NextToken=page["NextToken"])
        self.assertEqual(len(rest["Subnets"]), 1)
        self.refused(self.ec2.describe_subnets, "InvalidNextToken", NextToken="made up")

    def test_one_attribute_a_call(self):
        self.refused(self.ec2.modify_vpc_attribute, "InvalidParameterCombination", VpcId=self.vpc(),
                     EnableDnsHostnames={"Value": True}, EnableDnsSupport={"Value": True})

    def test_zone_of_another_region(self):
        self.refused(self.ec2.create_subnet, "InvalidParameterValue", VpcId=self.vpc(), CidrBlock="10.0.0.0/24",
                     AvailabilityZone="eu-west-1a")
        west = self.client("ec2", "eu-west-1")
        vpc = west.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        zone = west.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["AvailabilityZone"]
        self.assertEqual(zone, "eu-west-1a")


class Dependencies(scenario.Case):
    def test_group_in_a_rule(self):
        vpc = self.vpc()
        inner, outer = self.group(vpc, "inner"), self.group(vpc, "outer")
        rule = [{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "UserIdGroupPairs": [{"GroupId": outer}]}]
        self.ec2.authorize_security_group_ingress(GroupId=inner, IpPermissions=rule)
        self.refused(self.ec2.delete_security_group, "DependencyViolation", GroupId=outer)
        self.ec2.revoke_security_group_ingress(GroupId=inner, IpPermissions=rule)
        self.ec2.delete_security_group(GroupId=outer)

    def test_default_group(self):
        vpc = self.vpc()
        group = self.ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"][0]
        self.refused(self.ec2.delete_security_group, "CannotDelete", GroupId=group["GroupId"])

    def test_function_in_a_subnet(self):
        vpc = self.vpc()
        subnets, group = self.subnets(vpc), self.group(vpc)
        self.function(VpcConfig={"SubnetIds": subnets, "SecurityGroupIds": [group]})
        found = self.ec2.describe_network_interfaces(Filters=[{"Name": "group-id", "Values": [group]}])["NetworkInterfaces"]
        self.assertEqual(sorted(item["SubnetId"] for item in found), sorted(subnets))
        self.assertEqual({item["InterfaceType"] for item in found}, {"lambda"})
        self.refused(self.ec2.delete_security_group, "DependencyViolation", GroupId=group)
        self.refused(self.ec2.delete_subnet, "DependencyViolation", SubnetId=subnets[0])
        self.refused(self.ec2.delete_network_interface, "InvalidParameterValue",
                     NetworkInterfaceId=found[0]["NetworkInterfaceId"])
        self.functions.delete_function(FunctionName="f")
        self.ec2.delete_security_group(GroupId=group)
        self.ec2.delete_subnet(SubnetId=subnets[0])

    def test_database_in_a_subnet(self):
        vpc = self.vpc()
        subnets, group = self.subnets(vpc), self.group(vpc)
        self.database(subnets, [group])
        self.refused(self.ec2.delete_security_group, "DependencyViolation", GroupId=group)
        self.refused(self.ec2.delete_subnet, "DependencyViolation", SubnetId=subnets[0])
        self.rds.delete_db_instance(DBInstanceIdentifier="d", SkipFinalSnapshot=True)
        self.ec2.delete_security_group(GroupId=group)

    def test_network_with_what_is_in_it(self):
        vpc = self.vpc()
        gateway = self.internet_gateway(vpc)
        self.refused(self.ec2.delete_vpc, "DependencyViolation", VpcId=vpc)
        self.ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        group = self.group(vpc)
        self.refused(self.ec2.delete_vpc, "DependencyViolation", VpcId=vpc)
        self.ec2.delete_security_group(GroupId=group)
        self.ec2.delete_vpc(VpcId=vpc)

    def test_nat_gateway(self):
        vpc = self.vpc()
        subnet = self.subnets(vpc, 1)[0]
        address = self.ec2.allocate_address(Domain="vpc")["AllocationId"]
        self.refused(self.ec2.create_nat_gateway, "Gateway.NotAttached", SubnetId=subnet, AllocationId=address)
        gateway = self.internet_gateway(vpc)
        tags = [{"ResourceType": "natgateway", "Tags": [{"Key": "mine", "Value": "yes"}]}]
        nat = self.ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address, ClientToken="t",
                                          TagSpecifications=tags)["NatGateway"]["NatGatewayId"]
        again = self.ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address, ClientToken="t", TagSpecifications=tags)
        self.assertEqual(again["NatGateway"]["NatGatewayId"], nat)
        self.refused(self.ec2.create_nat_gateway, "Resource.AlreadyAssociated", SubnetId=subnet, AllocationId=address)
        self.assertEqual(len(self.ec2.describe_nat_gateways(Filter=[{"Name": "tag:mine", "Values": ["yes"]}])["NatGateways"]), 1)
        self.assertEqual(self.ec2.describe_nat_gateways(Filter=[{"Name": "tag:mine", "Values": ["no"]}])["NatGateways"], [])
        self.refused(self.ec2.detach_internet_gateway, "DependencyViolation", InternetGatewayId=gateway, VpcId=vpc)
        self.refused(self.ec2.delete_subnet, "DependencyViolation", SubnetId=subnet)
        self.refused(self.ec2.release_address, "InvalidIPAddress.InUse", AllocationId=address)
        self.ec2.delete_nat_gateway(NatGatewayId=nat)
        self.assertEqual(self.ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"][0]["State"], "deleted")
        self.ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        self.ec2.release_address(AllocationId=address)
        self.ec2.delete_subnet(SubnetId=subnet)
        self.refused(self.ec2.delete_nat_gateway, "NatGatewayNotFound", NatGatewayId="nat-00000000000000000")


class Rules(scenario.Case):
    def permission(self, description: str, group: str | None = None) -> list[dict]:
        base = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432}
        if group:
            return [{**base, "UserIdGroupPairs": [{"GroupId": group, "Description": description}]}]
        return [{**base, "IpRanges": [{"CidrIp": "10.0.0.0/16", "Description": description}]}]

    def test_duplicate_with_another_description(self):
        vpc = self.vpc()
        group, other = self.group(vpc), self.group(vpc, "other")
        for target in (None, other):
            self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=self.permission("one", target))
            self.refused(self.ec2.authorize_security_group_ingress, "InvalidPermission.Duplicate", GroupId=group,
                         IpPermissions=self.permission("two", target))

    def test_all_or_none_and_all_in_the_reply(self):
        group = self.group(self.vpc())
        many = [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}
                for port in (1, 2, 3)]
        made = self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=many[:2])
        self.assertEqual(sorted(rule["FromPort"] for rule in made["SecurityGroupRules"]), [1, 2])
        self.refused(self.ec2.authorize_security_group_ingress, "InvalidPermission.Duplicate", GroupId=group,
                     IpPermissions=[many[2], many[0]])
        found = self.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
        self.assertEqual(sorted(rule["FromPort"] for rule in found), [1, 2])

    def test_descriptions_and_groups_are_shown(self):
        vpc = self.vpc()
        group, other = self.group(vpc), self.group(vpc, "other")
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=self.permission("from the other", other))
        rules = self.ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
        rule = next(rule for rule in rules if not rule["IsEgress"])
        self.assertEqual(rule["Description"], "from the other")
        self.assertEqual(rule["ReferencedGroupInfo"]["GroupId"], other)

    def test_prefix_list_rule(self):
        group = self.group(self.vpc())
        prefix = next(item["PrefixListId"] for item in self.ec2.describe_managed_prefix_lists()["PrefixLists"]
                      if item["PrefixListName"].endswith(".s3"))
        target = {"PrefixListId": prefix, "Description": "to S3"}
        rule = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "PrefixListIds": [target]}]
        self.ec2.authorize_security_group_egress(GroupId=group, IpPermissions=rule)
        rules = self.ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
        self.assertIn((prefix, "to S3"), [(rule.get("PrefixListId"), rule.get("Description")) for rule in rules])
        shown = self.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissionsEgress"]
        self.assertIn([target], [permission["PrefixListIds"] for permission in shown])
        self.refused(self.ec2.authorize_security_group_egress, "InvalidPermission.Duplicate", GroupId=group, IpPermissions=rule)
        rule[0]["PrefixListIds"] = [{"PrefixListId": prefix, "Description": "changed"}]
        self.ec2.update_security_group_rule_descriptions_egress(GroupId=group, IpPermissions=rule)
        rules = self.ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
        self.assertIn("changed", [found.get("Description") for found in rules])
        self.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=rule)

    def test_modify_to_another_group(self):
        vpc = self.vpc()
        group, one, two = self.group(vpc), self.group(vpc, "one"), self.group(vpc, "two")
        made = self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=self.permission("d", one))
        name = made["SecurityGroupRules"][0]["SecurityGroupRuleId"]
        wanted = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "ReferencedGroupId": two, "Description": "e"}
        self.ec2.modify_security_group_rules(GroupId=group, SecurityGroupRules=[
            {"SecurityGroupRuleId": name, "SecurityGroupRule": wanted}])
        found = self.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
        self.assertEqual([pair["GroupId"] for pair in found[0]["UserIdGroupPairs"]], [two])

    def test_bad_permissions(self):
        group = self.group(self.vpc())
        for permission in ({"IpProtocol": "tcp", "IpRanges": [{"CidrIp": "10.0.0.0/16"}]},
                           {"IpProtocol": "tcp", "FromPort": 9, "ToPort": 8, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]},
                           {"IpProtocol": "tcp", "FromPort": 8, "ToPort": 9, "IpRanges": [{"CidrIp": "10.0.0.1/16"}]}):
            self.refused(self.ec2.authorize_security_group_ingress, "InvalidParameterValue", GroupId=group,
                         IpPermissions=[permission])


class Routes(scenario.Case):
    def test_routes(self):
        vpc = self.vpc()
        table = self.ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        route = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": gateway}
        self.refused(self.ec2.create_route, "InvalidParameterValue", **route)
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        self.ec2.create_route(**route)
        self.refused(self.ec2.create_route, "RouteAlreadyExists", **route)
        self.refused(self.ec2.create_route, "InvalidNatGatewayID.NotFound", RouteTableId=table,
                     DestinationCidrBlock="1.0.0.0/8", NatGatewayId="nat-00000000000000000")

    def test_a_subnet_has_one_table(self):
        vpc = self.vpc()
        subnet = self.subnets(vpc, 1)[0]
        one, two = (self.ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"] for _ in range(2))
        made = self.ec2.associate_route_table(RouteTableId=one, SubnetId=subnet)["AssociationId"]
        self.assertEqual(self.ec2.associate_route_table(RouteTableId=one, SubnetId=subnet)["AssociationId"], made)
        self.refused(self.ec2.associate_route_table, "Resource.AlreadyAssociated", RouteTableId=two, SubnetId=subnet)
        self.refused(self.ec2.delete_route_table, "DependencyViolation", RouteTableId=one)


class Endpoints(scenario.Case):
    def routes(self, table: str) -> list[str]:
        found = self.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
        return [route.get("GatewayId", "") for route in found if route.get("DestinationPrefixListId")]

    def test_gateway_endpoint(self):
        vpc = self.vpc()
        one, two = (self.ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"] for _ in range(2))
        wanted = {"VpcId": vpc, "ServiceName": "com.amazonaws.us-east-1.s3", "RouteTableIds": [one]}
        name = self.ec2.create_vpc_endpoint(**wanted, ClientToken="t")["VpcEndpoint"]["VpcEndpointId"]
        self.assertEqual(self.ec2.create_vpc_endpoint(**wanted, ClientToken="t")["VpcEndpoint"]["VpcEndpointId"], name)
        self.refused(self.ec2.create_vpc_endpoint, "RouteAlreadyExists", **wanted)
        self.assertEqual(self.routes(one), [name])
        self.ec2.modify_vpc_endpoint(VpcEndpointId=name, AddRouteTableIds=[two], RemoveRouteTableIds=[one])
        self.assertEqual((self.routes(one), self.routes(two)), ([], [name]))
        self.assertFalse(self.ec2.describe_vpc_endpoints(VpcEndpointIds=[name])["VpcEndpoints"][0]["PrivateDnsEnabled"])
        gone = self.ec2.delete_vpc_endpoints(VpcEndpointIds=[name, "vpce-00000000000000000"])["Unsuccessful"]
        self.assertEqual([item["ResourceId"] for item in gone], ["vpce-00000000000000000"])
        self.assertEqual(self.routes(two), [])
        self.refused(self.ec2.describe_vpc_endpoints, "InvalidVpcEndpointId.NotFound", VpcEndpointIds=[name])

    def test_interface_endpoint(self):
        vpc = self.vpc()
        subnets, group = self.subnets(vpc), self.group(vpc)
        wanted = {"VpcId": vpc, "ServiceName": "com.amazonaws.us-east-1.bedrock-runtime", "VpcEndpointType": "Interface",
                  "SubnetIds": subnets[:1], "SecurityGroupIds": [group]}
        self.refused(self.ec2.create_vpc_endpoint, "InvalidParameter", **wanted)
        self.ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
        name = self.ec2.create_vpc_endpoint(**wanted)["VpcEndpoint"]["VpcEndpointId"]
        self.refused(self.ec2.create_vpc_endpoint, "InvalidParameter", **wanted)
        self.refused(self.ec2.delete_security_group, "DependencyViolation", GroupId=group)
        self.ec2.modify_vpc_endpoint(VpcEndpointId=name, AddSubnetIds=[subnets[1]], PrivateDnsEnabled=False)
        found = self.ec2.describe_vpc_endpoints(VpcEndpointIds=[name])["VpcEndpoints"][0]
        self.assertEqual(sorted(found["SubnetIds"]), sorted(subnets))
        self.assertEqual(len(found["NetworkInterfaceIds"]), 2)
        self.assertFalse(found["PrivateDnsEnabled"])
        self.refused(self.ec2.delete_subnet, "DependencyViolation", SubnetId=subnets[1])
        self.ec2.delete_vpc_endpoints(VpcEndpointIds=[name])
        self.ec2.delete_subnet(SubnetId=subnets[1])
        self.ec2.delete_security_group(GroupId=group)

    def test_services_that_are_not_offered(self):
        self.refused(self.ec2.create_vpc_endpoint, "InvalidServiceName", VpcId=self.vpc(),
                     ServiceName="com.amazonaws.us-east-1.unicorn")
        self.refused(self.ec2.create_vpc_endpoint, "InvalidParameter", VpcId=self.vpc(dns=True),
                     ServiceName="com.amazonaws.us-east-1.bedrock-runtime")

    def test_two_subnets_of_one_zone(self):
        vpc = self.vpc(dns=True)
        pair = [self.ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{index}.0/24", AvailabilityZone="us-east-1a")
                ["Subnet"]["SubnetId"] for index in range(2)]
        self.refused(self.ec2.create_vpc_endpoint, "DuplicateSubnetsInSameZone", VpcId=vpc, VpcEndpointType="Interface",
                     ServiceName="com.amazonaws.us-east-1.bedrock-runtime", SubnetIds=pair)


class Tagging(scenario.Case):
    def test_kinds_that_moto_leaves_out(self):
        tags = [{"Key": "mine", "Value": "yes"}]
        vpc = self.vpc()
        subnets = self.subnets(vpc)
        made = {
            "vpc-endpoint": self.ec2.create_vpc_endpoint(
                VpcId=vpc, ServiceName="com.amazonaws.us-east-1.s3", TagSpecifications=[
                    {"ResourceType": "vpc-endpoint", "Tags": tags}])["VpcEndpoint"]["VpcEndpointId"],
            "elastic-ip": self.ec2.allocate_address(Domain="vpc", TagSpecifications=[
                {"ResourceType": "elastic-ip", "Tags": tags}])["AllocationId"],
        }
        self.rds.create_db_subnet_group(DBSubnetGroupName="g", DBSubnetGroupDescription="d", SubnetIds=subnets, Tags=tags)
        self.rds.create_db_parameter_group(DBParameterGroupName="p", DBParameterGroupFamily="postgres17", Description="d",
                                           Tags=tags)
        self.function(Tags={"mine": "yes"})
        api = self.apis.create_api(Name="a", ProtocolType="HTTP", Tags={"mine": "yes"})["ApiId"]
        self.apis.create_stage(ApiId=api, StageName="$default", Tags={"mine": "yes"})
        self.s3.create_bucket(Bucket="bucket-of-tagging", CreateBucketConfiguration={"Tags": tags})
        tagging = self.client("resourcegroupstaggingapi")
        found = tagging.get_resources(TagFilters=[{"Key": "mine", "Values": ["yes"]}])["ResourceTagMappingList"]
        arns = {item["ResourceARN"] for item in found}
        prefix = f"us-east-1:{harness.ACCOUNT}"
        self.assertEqual(arns, {
            *(f"arn:aws:ec2:{prefix}:{kind}/{name}" for kind, name in made.items()),
            f"arn:aws:rds:{prefix}:subgrp:g", f"arn:aws:rds:{prefix}:pg:p", f"arn:aws:lambda:{prefix}:function:f",
            f"arn:aws:apigateway:us-east-1::/apis/{api}", f"arn:aws:apigateway:us-east-1::/apis/{api}/stages/$default",
            "arn:aws:s3:::bucket-of-tagging"})
        self.assertEqual(tagging.get_resources(TagFilters=[{"Key": "mine", "Values": ["no"]}])["ResourceTagMappingList"], [])
        only = tagging.get_resources(TagFilters=[{"Key": "mine"}], ResourceTypeFilters=["rds:pg", "lambda"])
        self.assertEqual(len(only["ResourceTagMappingList"]), 2)

    def test_tag_and_untag(self):
        vpc = self.vpc()
        arn = f"arn:aws:ec2:us-east-1:{harness.ACCOUNT}:vpc/{vpc}"
        tagging = self.client("resourcegroupstaggingapi")
        self.assertEqual(tagging.tag_resources(ResourceARNList=[arn], Tags={"a": "b"})["FailedResourcesMap"], {})
        self.assertEqual(self.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Tags"], [{"Key": "a", "Value": "b"}])
        tagging.untag_resources(ResourceARNList=[arn], TagKeys=["a"])
        self.assertEqual(self.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0].get("Tags", []), [])
        failed = tagging.tag_resources(ResourceARNList=[arn + "x"], Tags={"a": "b"})["FailedResourcesMap"]
        self.assertEqual(list(failed), [arn + "x"])

    def test_pages_of_fifty(self):
        for index in range(60):
            self.logs.create_log_group(logGroupName=f"/g{index}", tags={"mine": "yes"})
        tagging = self.client("resourcegroupstaggingapi")
        first = tagging.get_resources(TagFilters=[{"Key": "mine"}])
        self.assertEqual(len(first["ResourceTagMappingList"]), 50)
        rest = tagging.get_resources(TagFilters=[{"Key": "mine"}], PaginationToken=first["PaginationToken"])
        self.assertEqual((len(rest["ResourceTagMappingList"]), rest["PaginationToken"]), (10, ""))


if __name__ == "__main__":
    unittest.main()
