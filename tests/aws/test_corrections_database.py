"""RDS, where AWS differs from moto."""

import unittest

import scenario


class SubnetGroups(scenario.Case):
    def make(self, subnets, name="g"):
        self.rds.create_db_subnet_group(DBSubnetGroupName=name, DBSubnetGroupDescription="d", SubnetIds=subnets)

    def test_two_zones(self):
        vpc = self.vpc()
        subnets = self.subnets(vpc)
        self.refused(self.rds.create_db_subnet_group, "DBSubnetGroupDoesNotCoverEnoughAZs", DBSubnetGroupName="g",
                     DBSubnetGroupDescription="d", SubnetIds=subnets[:1])
        self.make(subnets)
        self.refused(self.rds.create_db_subnet_group, "DBSubnetGroupAlreadyExists", DBSubnetGroupName="G",
                     DBSubnetGroupDescription="d", SubnetIds=subnets)
        self.refused(self.rds.create_db_subnet_group, "InvalidSubnet", DBSubnetGroupName="h",
                     DBSubnetGroupDescription="d", SubnetIds=["subnet-00000000000000000"])

    def test_modify_keeps_the_group(self):
        subnets = self.subnets(self.vpc(), 3)
        self.make(subnets[:2])
        changed = self.rds.modify_db_subnet_group(DBSubnetGroupName="g", SubnetIds=subnets, DBSubnetGroupDescription="e")
        self.assertEqual(len(changed["DBSubnetGroup"]["Subnets"]), 3)
        found = self.rds.describe_db_subnet_groups(DBSubnetGroupName="g")["DBSubnetGroups"][0]
        self.assertEqual((found["DBSubnetGroupDescription"], len(found["Subnets"])), ("e", 3))
        self.refused(self.rds.modify_db_subnet_group, "DBSubnetGroupNotFoundFault", DBSubnetGroupName="h", SubnetIds=subnets)
        self.refused(self.rds.modify_db_subnet_group, "InvalidParameterValue", DBSubnetGroupName="g",
                     SubnetIds=self.subnets(self.vpc()))

    def test_in_use(self):
        vpc = self.vpc()
        subnets = self.subnets(vpc, 3)
        self.database(subnets[:2], [self.group(vpc)])
        self.refused(self.rds.delete_db_subnet_group, "InvalidDBSubnetGroupStateFault", DBSubnetGroupName="d-subnets")
        self.refused(self.rds.modify_db_subnet_group, "SubnetAlreadyInUse", DBSubnetGroupName="d-subnets",
                     SubnetIds=subnets[1:])
        self.rds.delete_db_instance(DBInstanceIdentifier="d", SkipFinalSnapshot=True)
        self.rds.delete_db_subnet_group(DBSubnetGroupName="d-subnets")


class ParameterGroups(scenario.Case):
    def setUp(self):
        super().setUp()
        self.rds.create_db_parameter_group(DBParameterGroupName="p", DBParameterGroupFamily="postgres17", Description="d")

    def user_parameters(self):
        found = self.rds.describe_db_parameters(DBParameterGroupName="p", Source="user")["Parameters"]
        return {item["ParameterName"]: (item["ParameterValue"], item["ApplyMethod"], item["ApplyType"]) for item in found}

    def set(self, name, value, method="immediate"):
        self.rds.modify_db_parameter_group(DBParameterGroupName="p", Parameters=[
            {"ParameterName": name, "ParameterValue": value, "ApplyMethod": method}])

    def test_sources_and_types(self):
        self.set("rds.force_ssl", "0")
        self.set("shared_preload_libraries", "pg_stat_statements,pg_cron", "pending-reboot")
        self.assertEqual(self.user_parameters(), {
            "rds.force_ssl": ("0", "immediate", "dynamic"),
            "shared_preload_libraries": ("pg_stat_statements,pg_cron", "pending-reboot", "static")})
        every = self.rds.describe_db_parameters(DBParameterGroupName="p")["Parameters"]
        self.assertEqual({item["Source"] for item in every}, {"user", "system", "engine-default"})
        self.assertGreater(len(every), 30)

    def test_reset(self):
        self.set("rds.force_ssl", "0")
        self.set("work_mem", "8192")
        self.rds.reset_db_parameter_group(DBParameterGroupName="p", Parameters=[
            {"ParameterName": "work_mem", "ApplyMethod": "immediate"}])
        self.assertEqual(list(self.user_parameters()), ["rds.force_ssl"])
        self.rds.reset_db_parameter_group(DBParameterGroupName="p", ResetAllParameters=True)
        self.assertEqual(self.user_parameters(), {})

    def test_what_is_refused(self):
        for name, value, method, code in [
            ("no.such", "1", "immediate", "InvalidParameterValue"),
            ("rds.force_ssl", "2", "immediate", "InvalidParameterValue"),
            ("work_mem", "63", "immediate", "InvalidParameterValue"),
            ("max_connections", "100", "immediate", "InvalidParameterCombination"),
        ]:
            self.refused(self.rds.modify_db_parameter_group, code, DBParameterGroupName="p", Parameters=[
                {"ParameterName": name, "ParameterValue": value, "ApplyMethod": method}])
        many = [{"ParameterName": "work_mem", "ParameterValue": "64", "ApplyMethod": "immediate"}] * 21
        self.refused(self.rds.modify_db_parameter_group, "InvalidParameterValue", DBParameterGroupName="p", Parameters=many)
        self.refused(self.rds.modify_db_parameter_group, "InvalidDBParameterGroupState", Parameters=many[:1],
                     DBParameterGroupName="default.postgres17")
        self.refused(self.rds.describe_db_parameter_groups, "DBParameterGroupNotFound", DBParameterGroupName="q")
        self.refused(self.rds.create_db_parameter_group, "InvalidParameterValue", DBParameterGroupName="q",
                     DBParameterGroupFamily="postgres3", Description="d")

    def test_in_use_and_pending_reboot(self):
        vpc = self.vpc()
        self.database(self.subnets(vpc), [self.group(vpc)], DBParameterGroupName="p")
        self.refused(self.rds.delete_db_parameter_group, "InvalidDBParameterGroupState", DBParameterGroupName="p")
        self.set("max_connections", "100", "pending-reboot")
        shown = self.rds.describe_db_instances()["DBInstances"][0]["DBParameterGroups"][0]
        self.assertEqual(shown["ParameterApplyStatus"], "pending-reboot")
        self.rds.reboot_db_instance(DBInstanceIdentifier="d")
        shown = self.rds.describe_db_instances()["DBInstances"][0]["DBParameterGroups"][0]
        self.assertEqual(shown["ParameterApplyStatus"], "in-sync")


class Engines(scenario.Case):
    def test_versions(self):
        found = self.rds.describe_db_engine_versions(Engine="postgres", EngineVersion="17")["DBEngineVersions"]
        self.assertTrue(found and all(item["DBParameterGroupFamily"] == "postgres17" for item in found))
        default = self.rds.describe_db_engine_versions(Engine="postgres", DefaultOnly=True)["DBEngineVersions"]
        self.assertEqual(len(default), 1)
        self.assertEqual(self.rds.describe_db_engine_versions(Engine="mysql")["DBEngineVersions"], [])

    def test_classes(self):
        found = self.rds.describe_orderable_db_instance_options(
            Engine="postgres", EngineVersion="17.4", DBInstanceClass="db.t4g.micro")["OrderableDBInstanceOptions"]
        self.assertEqual([item["DBInstanceClass"] for item in found], ["db.t4g.micro"])


class Instances(scenario.Case):
    def setUp(self):
        super().setUp()
        self.network = self.vpc()
        self.places = self.subnets(self.network)
        self.rule = self.group(self.network)

    def make(self, **params):
        self.database(self.places, [self.rule], **params)

    def shown(self):
        return self.rds.describe_db_instances(DBInstanceIdentifier="d")["DBInstances"][0]

    def test_what_a_new_one_has(self):
        self.make(StorageEncrypted=True)
        found = self.shown()
        self.assertTrue(found["IAMDatabaseAuthenticationEnabled"])
        self.assertTrue(found["EngineVersion"].startswith("17."))
        self.assertTrue(found["KmsKeyId"].startswith("arn:aws:kms:"))
        self.assertEqual(found["DBParameterGroups"][0]["DBParameterGroupName"], "default.postgres17")
        self.assertEqual(found["PendingModifiedValues"], {})
        self.assertNotIn("MaxAllocatedStorage", found)
        self.assertFalse(found["PubliclyAccessible"])

    def test_what_is_refused(self):
        subnets, vpc = self.places, self.network
        self.rds.create_db_parameter_group(DBParameterGroupName="p16", DBParameterGroupFamily="postgres16", Description="d")
        other = self.group(self.vpc(), "elsewhere")
        self.rds.create_db_subnet_group(DBSubnetGroupName="g", DBSubnetGroupDescription="d", SubnetIds=subnets)
        base = {"DBInstanceIdentifier": "d", "DBInstanceClass": "db.t4g.micro", "Engine": "postgres", "AllocatedStorage": 20,
                "MasterUsername": "u", "MasterUserAuthenticationType": "iam-db-auth", "DBSubnetGroupName": "g"}
        for change, code in [
            ({"DBInstanceClass": "db.t9.nano"}, "InvalidParameterValue"),
            ({"EngineVersion": "17.99"}, "InvalidParameterCombination"),
            ({"AllocatedStorage": 5}, "InvalidParameterValue"),
            ({"MasterUserPassword": "password"}, "InvalidParameterCombination"),
            ({"MasterUserAuthenticationType": "password"}, "InvalidParameterValue"),
            ({"MasterUserAuthenticationType": "password", "MasterUserPassword": "short"}, "InvalidParameterValue"),
            ({"DBSubnetGroupName": "nowhere"}, "DBSubnetGroupNotFoundFault"),
            ({"DBParameterGroupName": "p16"}, "InvalidParameterCombination"),
            ({"DBParameterGroupName": "none"}, "DBParameterGroupNotFound"),
            ({"VpcSecurityGroupIds": [other]}, "InvalidParameterCombination"),
            ({"VpcSecurityGroupIds": ["sg-00000000000000000"]}, "InvalidParameterValue"),
            ({"BackupRetentionPeriod": 36}, "InvalidParameterValue"),
            ({"EnableCloudwatchLogsExports": ["slowquery"]}, "InvalidParameterCombination"),
        ]:
            with self.subTest(change):
                self.refused(self.rds.create_db_instance, code, **{**base, **change})
        self.assertTrue(vpc)

    def test_changes_wait_for_the_window(self):
        self.make()
        self.rds.modify_db_instance(DBInstanceIdentifier="d", AllocatedStorage=30, DeletionProtection=True)
        found = self.shown()
        self.assertEqual((found["AllocatedStorage"], found["PendingModifiedValues"]), (20, {"AllocatedStorage": 30}))
        self.assertTrue(found["DeletionProtection"])
        self.rds.modify_db_instance(DBInstanceIdentifier="d", DBInstanceClass="db.t4g.small", ApplyImmediately=True)
        found = self.shown()
        self.assertEqual((found["AllocatedStorage"], found["DBInstanceClass"], found["PendingModifiedValues"]),
                         (30, "db.t4g.small", {}))

    def test_changes_that_are_refused(self):
        self.make()
        for change, code in [
            ({"AllocatedStorage": 19}, "InvalidParameterCombination"),
            ({"AllocatedStorage": 21}, "InvalidParameterCombination"),
            ({"DBInstanceClass": "db.huge"}, "InvalidParameterValue"),
            ({"EngineVersion": "16.10"}, "InvalidParameterCombination"),
            ({"EngineVersion": "18.1"}, "InvalidParameterCombination"),
        ]:
            with self.subTest(change):
                self.refused(self.rds.modify_db_instance, code, DBInstanceIdentifier="d", ApplyImmediately=True, **change)
        self.refused(self.rds.modify_db_instance, "DBInstanceNotFound", DBInstanceIdentifier="e")

    def test_insights_monitoring_and_port_are_kept(self):
        self.make(EnablePerformanceInsights=True, Port=5433)
        found = self.shown()
        self.assertEqual((found["PerformanceInsightsEnabled"], found["Endpoint"]["Port"]), (True, 5433))
        self.rds.modify_db_instance(DBInstanceIdentifier="d", EnablePerformanceInsights=False, ApplyImmediately=True)
        self.assertFalse(self.shown()["PerformanceInsightsEnabled"])

    def test_delete(self):
        self.make(DeletionProtection=True)
        delete = self.rds.delete_db_instance
        self.refused(delete, "InvalidParameterCombination", DBInstanceIdentifier="d")
        self.refused(delete, "InvalidParameterCombination", DBInstanceIdentifier="d", SkipFinalSnapshot=True,
                     FinalDBSnapshotIdentifier="last")
        self.refused(delete, "InvalidParameterCombination", DBInstanceIdentifier="d", SkipFinalSnapshot=True)
        self.rds.modify_db_instance(DBInstanceIdentifier="d", DeletionProtection=False)
        delete(DBInstanceIdentifier="d", FinalDBSnapshotIdentifier="last")
        self.assertEqual(len(self.rds.describe_db_snapshots(DBSnapshotIdentifier="last")["DBSnapshots"]), 1)
        self.refused(self.rds.describe_db_instances, "DBInstanceNotFound", DBInstanceIdentifier="d")

    def test_each_has_a_resource_id(self):
        self.make()
        self.database(self.places, [self.rule], name="e")
        ids = {item["DbiResourceId"] for item in self.rds.describe_db_instances()["DBInstances"]}
        self.assertEqual(len(ids), 2)

    def test_tags_of_what_is_not_there(self):
        self.refused(self.rds.list_tags_for_resource, "DBInstanceNotFound",
                     ResourceName="arn:aws:rds:us-east-1:123456789012:db:none")


class Proxies(scenario.Case):
    def setUp(self):
        super().setUp()
        self.network = self.vpc()
        self.places = self.subnets(self.network)
        self.outside, self.inside = self.group(self.network, "proxy"), self.group(self.network, "database")
        self.trusted = self.role("proxy", "rds.amazonaws.com", "rds-db:connect")
        self.base = {"DBProxyName": "p", "EngineFamily": "POSTGRESQL", "RoleArn": self.trusted, "VpcSubnetIds": self.places,
                     "VpcSecurityGroupIds": [self.outside], "DefaultAuthScheme": "IAM_AUTH", "RequireTLS": True}

    def shown(self):
        return self.rds.describe_db_proxies(DBProxyName="p")["DBProxies"][0]

    def health(self):
        return self.rds.describe_db_proxy_targets(DBProxyName="p")["Targets"][0]["TargetHealth"]

    def test_scheme_comes_back_and_changes(self):
        self.assertEqual(self.rds.create_db_proxy(**self.base)["DBProxy"]["DefaultAuthScheme"], "IAM_AUTH")
        self.rds.modify_db_proxy(DBProxyName="p", RequireTLS=False, IdleClientTimeout=60, SecurityGroups=[self.inside])
        found = self.shown()
        self.assertEqual((found["DefaultAuthScheme"], found["RequireTLS"], found["IdleClientTimeout"],
                          found["VpcSecurityGroupIds"]), ("IAM_AUTH", False, 60, [self.inside]))
        self.refused(self.rds.modify_db_proxy, "DBProxyNotFoundFault", DBProxyName="q", RequireTLS=True)

    def test_what_is_refused(self):
        untrusted = self.role("other", "lambda.amazonaws.com")
        for change, code in [
            ({"RoleArn": untrusted}, "InvalidParameterValue"),
            ({"VpcSubnetIds": self.places[:1]}, "DBSubnetGroupDoesNotCoverEnoughAZs"),
            ({"VpcSecurityGroupIds": ["sg-00000000000000000"]}, "InvalidParameterValue"),
            ({"DefaultAuthScheme": "NONE"}, "InvalidParameterCombination"),
        ]:
            with self.subTest(change):
                self.refused(self.rds.create_db_proxy, code, **{**self.base, **change})

    def test_targets(self):
        self.rds.create_db_proxy(**self.base)
        register = {"DBProxyName": "p", "DBInstanceIdentifiers": ["d"]}
        self.refused(self.rds.register_db_proxy_targets, "DBInstanceNotFound", **register)
        self.database(self.places, [self.inside])
        made = self.rds.register_db_proxy_targets(**register)["DBProxyTargets"][0]
        self.assertEqual(made["TargetHealth"]["State"], "REGISTERING")
        self.refused(self.rds.register_db_proxy_targets, "DBProxyTargetAlreadyRegisteredFault", **register)
        self.rds.deregister_db_proxy_targets(**register)
        self.refused(self.rds.deregister_db_proxy_targets, "DBProxyTargetNotFoundFault", **register)
        self.refused(self.rds.describe_db_proxy_targets, "DBProxyNotFoundFault", DBProxyName="q")

    def test_health_tells_the_missing_rule(self):
        self.rds.create_db_proxy(**self.base)
        self.database(self.places, [self.inside])
        self.rds.register_db_proxy_targets(DBProxyName="p", DBInstanceIdentifiers=["d"])
        self.assertEqual(self.health(), {"State": "UNAVAILABLE", "Reason": "UNREACHABLE",
                                         "Description": "DBProxy Target unavailable due to network connectivity."})
        self.ec2.authorize_security_group_ingress(GroupId=self.inside, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": self.outside}]}])
        self.assertEqual(self.health()["State"], "AVAILABLE")
        self.iam.delete_role_policy(RoleName="proxy", PolicyName="p")
        self.assertEqual(self.health()["Reason"], "AUTH_FAILURE")

    def test_target_group(self):
        self.rds.create_db_proxy(**self.base)
        self.rds.modify_db_proxy_target_group(DBProxyName="p", TargetGroupName="default", ConnectionPoolConfig={
            "MaxConnectionsPercent": 80, "MaxIdleConnectionsPercent": 10, "ConnectionBorrowTimeout": 5})
        found = self.rds.describe_db_proxy_target_groups(DBProxyName="p")["TargetGroups"][0]["ConnectionPoolConfig"]
        self.assertEqual((found["MaxConnectionsPercent"], found["MaxIdleConnectionsPercent"]), (80, 10))
        self.refused(self.rds.modify_db_proxy_target_group, "InvalidParameterValue", DBProxyName="p",
                     TargetGroupName="default", ConnectionPoolConfig={"MaxConnectionsPercent": 5, "MaxIdleConnectionsPercent": 9})

    def test_interfaces_hold_group_and_subnet(self):
        self.rds.create_db_proxy(**self.base)
        self.refused(self.ec2.delete_security_group, "DependencyViolation", GroupId=self.outside)
        self.rds.delete_db_proxy(DBProxyName="p")
        self.ec2.delete_security_group(GroupId=self.outside)
        self.refused(self.rds.delete_db_proxy, "DBProxyNotFoundFault", DBProxyName="p")


if __name__ == "__main__":
    unittest.main()
