"""RDS for PostgreSQL: subnet and parameter groups, instances, proxies and their targets."""

from __future__ import annotations

import copy
import ipaddress
import random
import string
from typing import TYPE_CHECKING, Any

from corrections import corrects, checks, paged_or_plain
from corrections import rds_tables as tables
from corrections.policies import allows, trusts
from messages import AwsError
from pages import page_of, paged

if TYPE_CHECKING:
    from call import Call

Result = dict[str, Any]

# ModifyDBInstance changes these in the maintenance window, unless told to at once.
DELAYED = {
    "AllocatedStorage": "AllocatedStorage", "CACertificateIdentifier": "CACertificateIdentifier",
    "DBInstanceClass": "DBInstanceClass", "DBPortNumber": "Port", "DBSubnetGroupName": "DBSubnetGroupName",
    "EnableIAMDatabaseAuthentication": "IAMDatabaseAuthenticationEnabled", "EngineVersion": "EngineVersion",
    "Iops": "Iops", "LicenseModel": "LicenseModel", "MasterUserPassword": "MasterUserPassword",
    "MultiAZ": "MultiAZ", "StorageThroughput": "StorageThroughput", "StorageType": "StorageType",
}
# What moto keeps under another name than the one it answers with, or drops at the create.
KEPT = {
    "DBPortNumber": "port", "Port": "port", "EnablePerformanceInsights": "performance_insights_enabled",
    "PerformanceInsightsRetentionPeriod": "performance_insights_retention_period",
    "PerformanceInsightsKMSKeyId": "performance_insights_kms_key_id", "MonitoringInterval": "monitoring_interval",
    "MonitoringRoleArn": "monitoring_role_arn", "DatabaseInsightsMode": "database_insights_mode",
    "NetworkType": "network_type", "DedicatedLogVolume": "dedicated_log_volume",
    "EngineLifecycleSupport": "engine_lifecycle_support",
}


@checks("rds")
def lower_names(call: Call) -> None:
    """RDS keeps its names in lower case."""
    for key in ("DBInstanceIdentifier", "DBSubnetGroupName", "DBParameterGroupName", "DBProxyName"):
        if isinstance(call.params.get(key), str):
            call.params[key] = call.params[key].lower()


def _names(call: Call, code: str, what: str, table: str, name: str) -> Any:
    found = getattr(call.backend(), table).get(name)
    if found is None:
        raise AwsError(code, f"{what} {name} not found.", 404)
    return found


# -- subnet groups ---------------------------------------------------------------------------------


def _subnets(call: Call, ids: list[str]) -> list[Any]:
    """The subnets, of one network and of two zones at least."""
    ec2 = call.backend("ec2")
    known = {subnet.id: subnet for zone in ec2.subnets.values() for subnet in zone.values()}
    missing = [name for name in ids if name not in known]
    if missing:
        raise AwsError("InvalidSubnet", f"Some input subnets in :[{', '.join(missing)}] are invalid.")
    subnets = [known[name] for name in dict.fromkeys(ids)]
    if len({subnet.vpc_id for subnet in subnets}) > 1:
        raise AwsError("InvalidSubnet", "Subnets are in different VPCs.")
    zones = sorted({subnet.availability_zone for subnet in subnets})
    if len(zones) < 2:
        raise AwsError(
            "DBSubnetGroupDoesNotCoverEnoughAZs",
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ "
            f"coverage: {', '.join(zones)}. Add subnets to cover at least 2 AZs.")
    return subnets


@corrects("rds", "CreateDBSubnetGroup")
def create_subnet_group(call: Call) -> Result:
    name = call.params["DBSubnetGroupName"]
    if name in call.backend().subnet_groups:
        raise AwsError("DBSubnetGroupAlreadyExists", f"The DB subnet group '{name}' already exists.")
    _subnets(call, call.params["SubnetIds"])
    return call.forward(call.params)


@corrects("rds", "ModifyDBSubnetGroup")
def modify_subnet_group(call: Call) -> Result:
    name = call.params["DBSubnetGroupName"]
    group = _names(call, "DBSubnetGroupNotFoundFault", "DB subnet group", "subnet_groups", name)
    subnets = _subnets(call, call.params["SubnetIds"])
    if subnets[0].vpc_id != group.vpc_id:
        raise AwsError("InvalidParameterValue", "The new Subnets are not in the same Vpc as the existing subnet group")
    zones = {subnet.availability_zone for subnet in subnets}
    for instance in _instances_in(call, name):
        if instance.availability_zone not in zones:
            gone = [s.id for s in group._subnets if s.availability_zone == instance.availability_zone]
            raise AwsError("SubnetAlreadyInUse", f"Some of the subnets to be deleted are currently in use: {gone}")
    group.subnets = subnets
    group.description = call.params.get("DBSubnetGroupDescription", group.description)
    return {"DBSubnetGroup": call.forward({"DBSubnetGroupName": name}, "DescribeDBSubnetGroups")["DBSubnetGroups"][0]}


def _instances_in(call: Call, subnet_group: str) -> list[Any]:
    return [db for db in call.backend().databases.values() if db._db_subnet_group_name == subnet_group]


@corrects("rds", "DeleteDBSubnetGroup")
def delete_subnet_group(call: Call) -> Result:
    name = call.params["DBSubnetGroupName"]
    _names(call, "DBSubnetGroupNotFoundFault", "DB subnet group", "subnet_groups", name)
    for instance in _instances_in(call, name):
        raise AwsError("InvalidDBSubnetGroupStateFault", f"Cannot delete the subnet group '{name}' because at least "
                       f"one database instance: {instance.db_instance_identifier} is still using it.")
    return call.forward(call.params)


# -- parameter groups ------------------------------------------------------------------------------


@corrects("rds", "DescribeDBParameterGroups")
def describe_parameter_groups(call: Call) -> Result:
    name = call.params.get("DBParameterGroupName")
    if name:
        _parameter_group(call, name)
    return paged_or_plain(call)  # type: ignore[return-value]


def _parameter_group(call: Call, name: str) -> Any:
    """A group; AWS has each family's default group from the start."""
    groups = call.backend().db_parameter_groups
    if name not in groups and name in {f"default.{tables.ENGINE}{major}" for major in tables.MINORS}:
        family = name.removeprefix("default.")
        call.forward({"DBParameterGroupName": name, "DBParameterGroupFamily": family,
                      "Description": f"Default parameter group for {family}"}, "CreateDBParameterGroup")
    return _names(call, "DBParameterGroupNotFound", "DBParameterGroup", "db_parameter_groups", name)


@corrects("rds", "CreateDBParameterGroup")
def create_parameter_group(call: Call) -> Result:
    family = call.params["DBParameterGroupFamily"]
    if family not in {f"{tables.ENGINE}{major}" for major in tables.MINORS}:
        raise AwsError("InvalidParameterValue", f"ParameterGroupFamily {family} is not a valid parameter group family")
    return call.forward(call.params)


@corrects("rds", "ModifyDBParameterGroup", "ResetDBParameterGroup")
def change_parameters(call: Call) -> Result:
    name = call.params["DBParameterGroupName"]
    group = _parameter_group(call, name)
    if name.startswith("default."):
        raise AwsError("InvalidDBParameterGroupState", f"The parameter group {name} cannot be modified.")
    changes = call.params.get("Parameters", [])
    reset = call.operation == "ResetDBParameterGroup"
    if reset and call.params.get("ResetAllParameters"):
        changes = [{"ParameterName": key, "ApplyMethod": "pending-reboot"} for key in group.parameters]
    if len(changes) > 20 and not call.params.get("ResetAllParameters"):
        raise AwsError("InvalidParameterValue", "The number of parameters to modify must not exceed 20.")
    if not changes and not reset:
        raise AwsError("MissingParameter", "The request must contain the parameter Parameters.")
    for change in changes:
        _check_change(change, reset)
    for change in changes:
        group.parameters.pop(change["ParameterName"], None)
        if not reset:
            group.parameters[change["ParameterName"]] = change
    if any(tables.PARAMETERS[change["ParameterName"]][1] == "static" for change in changes):
        _pending_reboot(call, name)
    return {"DBParameterGroupName": name}


def _check_change(change: dict[str, str], reset: bool) -> None:
    name, method = change.get("ParameterName"), change.get("ApplyMethod")
    if name not in tables.PARAMETERS:
        raise AwsError("InvalidParameterValue", f"Could not find parameter with name: {name}")
    if not method:
        raise AwsError("InvalidParameterValue", f"ApplyMethod of {name} must be provided")
    if tables.PARAMETERS[name][1] == "static" and method == "immediate":
        raise AwsError("InvalidParameterCombination", "cannot use immediate apply method for static parameter")
    if not reset:
        value = change.get("ParameterValue")
        if value is None:
            raise AwsError("InvalidParameterValue", f"ParameterValue of {name} must be provided")
        if not tables.allowed(name, value):
            raise AwsError("InvalidParameterValue", f"Invalid parameter value: {value} for: {name} allowed values "
                           f"are: {tables.PARAMETERS[name][3]}")


def _pending_reboot(call: Call, group: str) -> None:
    for instance in call.backend().databases.values():
        if instance.db_parameter_group_name == group:
            instance.parameter_apply_status = "pending-reboot"


@corrects("rds", "DescribeDBParameters")
def describe_parameters(call: Call) -> Result:
    group = _parameter_group(call, call.params["DBParameterGroupName"])
    source = call.params.get("Source")
    items = []
    for name, (default, apply_type, data_type, values) in sorted(tables.PARAMETERS.items()):
        own = group.parameters.get(name)
        item = {
            "ParameterName": name, "Description": f"Sets {name}.", "ApplyType": apply_type, "DataType": data_type,
            "IsModifiable": True, "ApplyMethod": own["ApplyMethod"] if own else "pending-reboot",
            "Source": "user" if own else "system" if default is not None else "engine-default",
        }
        if values:
            item["AllowedValues"] = values
        value = own["ParameterValue"] if own else default
        if value is not None:
            item["ParameterValue"] = value
        if source in (None, item["Source"]):
            items.append(item)
    return page_of(call, {"Parameters": items})


@corrects("rds", "DeleteDBParameterGroup")
def delete_parameter_group(call: Call) -> Result:
    name = call.params["DBParameterGroupName"]
    _names(call, "DBParameterGroupNotFound", "DBParameterGroup", "db_parameter_groups", name)
    users = [db for db in call.backend().databases.values() if db.db_parameter_group_name == name]
    if users or name.startswith("default."):
        raise AwsError("InvalidDBParameterGroupState",
                       "One or more database instances are still members of this parameter group "
                       f"{name}, so the group cannot be deleted")
    return call.forward(call.params)


# -- engines ---------------------------------------------------------------------------------------


@corrects("rds", "DescribeDBEngineVersions")
def describe_engine_versions(call: Call) -> Result:
    engine, version = call.params.get("Engine"), call.params.get("EngineVersion")
    family = call.params.get("DBParameterGroupFamily")
    found = [_engine_version(text) for text in tables.VERSIONS]
    if engine not in (None, tables.ENGINE):
        found = []
    if version:
        found = [item for item in found if item["EngineVersion"] == version or item["MajorEngineVersion"] == version]
    if family:
        found = [item for item in found if item["DBParameterGroupFamily"] == family]
    if call.params.get("DefaultOnly"):
        wanted = tables.full_version(version)
        found = [item for item in found if item["EngineVersion"] == wanted]
    return page_of(call, {"DBEngineVersions": found})


def _engine_version(version: str) -> Result:
    major = version.split(".")[0]
    targets = [{"Engine": tables.ENGINE, "EngineVersion": other, "AutoUpgrade": False,
                "IsMajorVersionUpgrade": other.split(".")[0] != major, "Description": f"PostgreSQL {other}-R1"}
               for other in tables.VERSIONS if tables.version_key(other) > tables.version_key(version)]
    return {
        "Engine": tables.ENGINE, "MajorEngineVersion": major, "EngineVersion": version,
        "DBParameterGroupFamily": f"{tables.ENGINE}{major}", "DBEngineDescription": "PostgreSQL",
        "DBEngineVersionDescription": f"PostgreSQL {version}-R1", "ValidUpgradeTarget": targets,
        "ExportableLogTypes": tables.LOG_TYPES, "SupportsLogExportsToCloudwatchLogs": True,
        "SupportsReadReplica": True, "SupportedFeatureNames": ["Lambda", "s3Export", "s3Import"],
        "Status": "available", "SupportsParallelQuery": False, "SupportsGlobalDatabases": False,
        "SupportsCertificateRotationWithoutRestart": True, "SupportedCACertificateIdentifiers": tables.CERTIFICATES,
        "SupportsBabelfish": False, "TagList": [],
    }


@corrects("rds", "DescribeOrderableDBInstanceOptions")
def describe_orderable(call: Call) -> Result:
    if call.params["Engine"] != tables.ENGINE:
        return {"OrderableDBInstanceOptions": []}
    versions = [text for text in tables.VERSIONS if call.params.get("EngineVersion") in (None, text)]
    classes = sorted(name for name in tables.CLASSES if call.params.get("DBInstanceClass") in (None, name))
    zones = [{"Name": f"{call.region}{letter}"} for letter in "abc"]
    options = [{
        "Engine": tables.ENGINE, "EngineVersion": version, "DBInstanceClass": name, "LicenseModel": "postgresql-license",
        "AvailabilityZones": zones, "MultiAZCapable": True, "ReadReplicaCapable": True, "Vpc": True,
        "SupportsStorageEncryption": True, "StorageType": "gp3", "SupportsIops": False,
        "SupportsIAMDatabaseAuthentication": True, "SupportsPerformanceInsights": True, "MinStorageSize": 20,
        "MaxStorageSize": 65536, "SupportsStorageAutoscaling": True, "SupportedNetworkTypes": ["IPV4"],
    } for version in versions for name in classes]
    return {"OrderableDBInstanceOptions": options[:100]}


# -- instances -------------------------------------------------------------------------------------


def _check_instance(call: Call, params: Result, engine_version: str) -> None:
    """What the create and the change have in common."""
    name = params.get("DBInstanceClass")
    if name is not None and name not in tables.CLASSES:
        raise AwsError("InvalidParameterValue", f"Invalid DB Instance class: {name}")
    group = params.get("DBParameterGroupName")
    if group:
        family = _parameter_group(call, group).family
        wanted = f"{tables.ENGINE}{engine_version.split('.')[0]}"
        if family != wanted:
            raise AwsError("InvalidParameterCombination", f"The Parameter Group {group} with DBParameterGroupFamily "
                           f"{family} cannot be used for this instance. Please use a Parameter Group with "
                           f"DBParameterGroupFamily {wanted}")
    days = params.get("BackupRetentionPeriod")
    if days is not None and not 0 <= days <= 35:
        raise AwsError("InvalidParameterValue", f"Invalid backup retention period: {days}. Must be between 0 and 35.")
    if params.get("ManageMasterUserPassword") is False and not (
            params.get("MasterUserPassword") or params.get("MasterUserAuthenticationType") == "iam-db-auth"):
        raise AwsError("InvalidParameterCombination", "MasterUserPassword must be specified where RDS no longer manages it.")
    password = params.get("MasterUserPassword")
    if password is not None and not 8 <= len(password) <= 128:
        raise AwsError("InvalidParameterValue", "The parameter MasterUserPassword is not a valid password because "
                       "it is shorter than 8 characters or longer than 128.")
    if password is not None and params.get("MasterUserAuthenticationType") == "iam-db-auth":
        raise AwsError("InvalidParameterCombination",
                       "MasterUserPassword can't be specified when MasterUserAuthenticationType is iam-db-auth.")
    types = params.get("EnableCloudwatchLogsExports") or []
    types += (params.get("CloudwatchLogsExportConfiguration") or {}).get("EnableLogTypes", [])
    for kind in types:
        if kind not in tables.LOG_TYPES:
            raise AwsError("InvalidParameterCombination", f"You cannot use the log types '{kind}' with engine version "
                           f"{tables.ENGINE} {engine_version}. For supported log types, see the documentation.")


def _check_groups(call: Call, ids: list[str], vpc: str | None) -> None:
    ec2 = call.backend("ec2")
    for name in ids:
        group = ec2.get_security_group_from_id(name)
        if group is None:
            raise AwsError("InvalidParameterValue", f"Invalid security group , groupId= {name}, groupName=.")
        if vpc and group.vpc_id != vpc:
            raise AwsError("InvalidParameterCombination", "The DB instance and EC2 security group are in different "
                           f"VPCs. The DB instance is in {vpc} and the EC2 security group is in {group.vpc_id}")


@corrects("rds", "CreateDBInstance")
def create_instance(call: Call) -> Result:
    params = dict(call.params)
    if params["Engine"] != tables.ENGINE:
        raise AwsError("InvalidParameterValue", f"Invalid DB engine for this gateway: {params['Engine']}")
    version = tables.full_version(params.get("EngineVersion"))
    if version is None:
        raise AwsError("InvalidParameterCombination", f"Cannot find version {params['EngineVersion']} for postgres")
    _check_instance(call, params, version)
    _check_master(params)
    storage, kind = params.get("AllocatedStorage"), params.get("StorageType", "gp2")
    if storage is None:
        raise AwsError("InvalidParameterValue", "Invalid storage size for engine name postgres and storage type "
                       f"{kind}: null")
    if not 20 <= storage <= 65536:
        raise AwsError("InvalidParameterValue", f"Invalid storage size for engine name postgres and storage type "
                       f"{kind}: {storage}")
    group = None
    if params.get("DBSubnetGroupName"):
        group = _names(call, "DBSubnetGroupNotFoundFault", "DB subnet group", "subnet_groups", params["DBSubnetGroupName"])
        zones = sorted({subnet.availability_zone for subnet in group._subnets})
        params.setdefault("AvailabilityZone", zones[0])
        if params["AvailabilityZone"] not in zones:
            raise AwsError("InvalidVPCNetworkStateFault", f"{params['AvailabilityZone']} has no subnet in the group.")
    _check_groups(call, params.get("VpcSecurityGroupIds", []), group.vpc_id if group else None)
    if group and not params.get("VpcSecurityGroupIds"):
        params["VpcSecurityGroupIds"] = [call.backend("ec2").get_default_security_group(group.vpc_id).id]
    params |= {"EngineVersion": version, "LicenseModel": "postgresql-license"}
    params.setdefault("CACertificateIdentifier", tables.DEFAULT_CERTIFICATE)
    params.setdefault("MasterUserPassword", "unused-by-the-emulator")
    if params.get("MasterUserAuthenticationType") == "iam-db-auth":
        params["EnableIAMDatabaseAuthentication"] = True
    call.forward(params)
    instance = call.backend().databases[params["DBInstanceIdentifier"]]
    instance.dbi_resource_id = "db-" + "".join(random.choices(string.ascii_uppercase + string.digits, k=26))
    instance.publicly_accessible = bool(params.get("PubliclyAccessible", False))
    if instance.storage_encrypted and "KmsKeyId" not in params:
        instance.kms_key_id = _aws_managed_key(call)
    _keep(instance, params)
    return {"DBInstance": _instance(call, instance.db_instance_identifier)}


def _check_master(params: Result) -> None:
    if not params.get("MasterUsername"):
        raise AwsError("InvalidParameterValue", "The parameter MasterUsername must be provided and must not be blank.")
    if params["MasterUsername"].lower() in ("postgres_", "rdsadmin", "admin"):
        raise AwsError("InvalidParameterValue", f"MasterUsername {params['MasterUsername']} cannot be used as it is a "
                       "reserved word used by the engine")
    choices = [bool(params.get("MasterUserPassword")), bool(params.get("ManageMasterUserPassword")),
               params.get("MasterUserAuthenticationType") == "iam-db-auth"]
    if sum(choices) == 0:
        raise AwsError("InvalidParameterValue", "The parameter MasterUserPassword must be provided and must not be blank.")
    if sum(choices) > 1:
        raise AwsError("InvalidParameterCombination", "You can specify only one of MasterUserPassword, "
                       "ManageMasterUserPassword and MasterUserAuthenticationType iam-db-auth.")


def _aws_managed_key(call: Call) -> str:
    """The account's key for RDS, one a region."""
    backend = call.backend()
    if not hasattr(backend, "gateway_key"):
        digits = "".join(random.choices("0123456789abcdef", k=32))
        backend.gateway_key = (f"arn:aws:kms:{call.region}:{call.account}:key/{digits[:8]}-{digits[8:12]}-"
                               f"{digits[12:16]}-{digits[16:20]}-{digits[20:]}")
    return backend.gateway_key


def _keep(instance: Any, params: Result) -> None:
    for name, attribute in KEPT.items():
        if name in params:
            setattr(instance, attribute, params[name])


def _instance(call: Call, name: str) -> Result:
    found = call.forward({"DBInstanceIdentifier": name}, "DescribeDBInstances")["DBInstances"][0]
    return _as_aws(call, found)


def _as_aws(call: Call, found: Result) -> Result:
    """What AWS says otherwise about an instance."""
    instance = call.backend().databases[found["DBInstanceIdentifier"]]
    if found.get("MaxAllocatedStorage") == found.get("AllocatedStorage"):
        found.pop("MaxAllocatedStorage", None)
    found["PendingModifiedValues"] = _shown(getattr(instance, "gateway_pending", {}))
    found.setdefault("MonitoringInterval", 0)
    found.setdefault("PerformanceInsightsEnabled", False)
    found.setdefault("NetworkType", "IPV4")
    found.setdefault("DatabaseInsightsMode", "standard")
    for group in found.get("DBParameterGroups", []):
        group["ParameterApplyStatus"] = getattr(instance, "parameter_apply_status", "in-sync")
    if found.get("Endpoint"):
        found["Endpoint"]["HostedZoneId"] = "Z2R2ITUGPM61AM"
    found["CertificateDetails"] = {"CAIdentifier": found.get("CACertificateIdentifier")}
    return found


def _shown(pending: Result) -> Result:
    shown = {DELAYED[name]: value for name, value in pending.items()}
    return {**shown, "MasterUserPassword": "****"} if "MasterUserPassword" in shown else shown


@corrects("rds", "DescribeDBInstances")
def describe_instances(call: Call) -> Result:
    result = paged(call)
    result["DBInstances"] = [_as_aws(call, found) for found in result["DBInstances"]]
    return result  # type: ignore[return-value]


@corrects("rds", "ModifyDBInstance")
def modify_instance(call: Call) -> Result:
    params = copy.deepcopy(call.params)
    name = params["DBInstanceIdentifier"]
    instance = _names(call, "DBInstanceNotFound", "DBInstance", "databases", name)
    _check_modification(call, params, instance)
    now = params.pop("ApplyImmediately", False)
    pending = getattr(instance, "gateway_pending", {})
    if params.get("MasterUserAuthenticationType") == "iam-db-auth":
        params["EnableIAMDatabaseAuthentication"] = True
    delayed = {key: params.pop(key) for key in list(params) if key in DELAYED and _differs(instance, key, params[key])}
    for key in DELAYED:
        if key in params:
            params.pop(key)
            pending.pop(key, None)
    pending = {**pending, **delayed}
    if now:
        params |= pending
        pending = {}
    instance.gateway_pending = pending
    if params.get("DBParameterGroupName") not in (None, instance.db_parameter_group_name):
        instance.parameter_apply_status = "pending-reboot"
    call.forward({"ApplyImmediately": True, **params})
    _keep(instance, params)
    return {"DBInstance": _instance(call, params.get("NewDBInstanceIdentifier", name).lower())}


def _differs(instance: Any, key: str, value: Any) -> bool:
    attribute = {
        "AllocatedStorage": "allocated_storage", "CACertificateIdentifier": "ca_certificate_identifier",
        "DBInstanceClass": "db_instance_class", "DBPortNumber": "port", "DBSubnetGroupName": "_db_subnet_group_name",
        "EnableIAMDatabaseAuthentication": "enable_iam_database_authentication", "EngineVersion": "engine_version",
        "Iops": "iops", "LicenseModel": "license_model", "MultiAZ": "multi_az",
        "StorageThroughput": "storage_throughput", "StorageType": "storage_type",
    }.get(key)
    return attribute is None or getattr(instance, attribute) != value


def _check_modification(call: Call, params: Result, instance: Any) -> None:
    version = params.get("EngineVersion")
    if version:
        full = tables.full_version(version)
        if full is None:
            raise AwsError("InvalidParameterCombination", f"Cannot find upgrade target from {instance.engine_version} "
                           f"with requested version {version}.")
        params["EngineVersion"] = version = full
        old, new = tables.version_key(instance.engine_version), tables.version_key(version)
        if new < old:
            raise AwsError("InvalidParameterCombination", f"Cannot upgrade postgres from {instance.engine_version} to {version}")
        if new[0] != old[0] and not params.get("AllowMajorVersionUpgrade"):
            raise AwsError("InvalidParameterCombination", "The AllowMajorVersionUpgrade flag must be present when "
                           "upgrading to a new major version.")
    _check_instance(call, params, version or instance.engine_version)
    storage = params.get("AllocatedStorage")
    if storage is not None and storage < instance.allocated_storage:
        raise AwsError("InvalidParameterCombination", f"Requested storage size ({storage}) cannot be less than the "
                       f"current storage size ({instance.allocated_storage})")
    if storage is not None and instance.allocated_storage < storage < instance.allocated_storage * 1.1:
        raise AwsError("InvalidParameterCombination", "Invalid storage size for modifying the DB instance: allocated "
                       "storage must grow by at least 10 percent.")
    vpc = None
    if instance._db_subnet_group_name:
        group = call.backend().subnet_groups.get(instance._db_subnet_group_name)
        vpc = group.vpc_id if group else None
    if params.get("DBSubnetGroupName"):
        _names(call, "DBSubnetGroupNotFoundFault", "DB subnet group", "subnet_groups", params["DBSubnetGroupName"])
        if params["DBSubnetGroupName"] == instance._db_subnet_group_name:
            raise AwsError("InvalidVPCNetworkStateFault", "The specified DB instance is already in the target DB subnet group.")
    _check_groups(call, params.get("VpcSecurityGroupIds", []), vpc)


@corrects("rds", "RebootDBInstance")
def reboot_instance(call: Call) -> Result:
    name = call.params["DBInstanceIdentifier"]
    call.forward(call.params)
    call.backend().databases[name].parameter_apply_status = "in-sync"
    return {"DBInstance": _instance(call, name)}


@corrects("rds", "DeleteDBInstance")
def delete_instance(call: Call) -> Result:
    name, final = call.params["DBInstanceIdentifier"], call.params.get("FinalDBSnapshotIdentifier")
    _names(call, "DBInstanceNotFound", "DBInstance", "databases", name)
    skip = call.params.get("SkipFinalSnapshot", False)
    if not final and not skip:
        raise AwsError("InvalidParameterCombination",
                       "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.")
    if final and skip:
        raise AwsError("InvalidParameterCombination",
                       "FinalDBSnapshotIdentifier can not be specified when deleting a DB instance with SkipFinalSnapshot.")
    found = _instance(call, name)
    call.forward(call.params)
    for proxy in call.backend().db_proxies.values():
        for group in proxy.proxy_target_groups.values():
            group.targets = [target for target in group.targets if target.rds_resource_id != name]
    return {"DBInstance": {**found, "DBInstanceStatus": "deleting"}}


# -- proxies ---------------------------------------------------------------------------------------


def _proxy(call: Call) -> Any:
    return _names(call, "DBProxyNotFoundFault", "DBProxy", "db_proxies", call.params["DBProxyName"])


def _check_proxy_role(call: Call, arn: str) -> None:
    role = next((role for role in call.backend("iam").roles.values() if role.arn == arn), None)
    if role is None or not trusts(role, "rds.amazonaws.com"):
        raise AwsError("InvalidParameterValue", f"RDS is not authorized to assume the role {arn}.")


@corrects("rds", "CreateDBProxy")
def create_proxy(call: Call) -> Result:
    params = dict(call.params)
    scheme = params.pop("DefaultAuthScheme", "NONE")
    if scheme == "NONE" and not params.get("Auth"):
        raise AwsError("InvalidParameterCombination", "Auth must be specified when DefaultAuthScheme is NONE.")
    subnets = _subnets(call, params["VpcSubnetIds"])
    _check_groups(call, params.get("VpcSecurityGroupIds", []), subnets[0].vpc_id)
    _check_proxy_role(call, params["RoleArn"])
    params.setdefault("Auth", [])
    network = params.pop("EndpointNetworkType", "IPV4"), params.pop("TargetConnectionNetworkType", "IPV4")
    call.forward(params)
    proxy = call.backend().db_proxies[params["DBProxyName"]]
    proxy.default_auth_scheme = scheme
    proxy.endpoint_network_type, proxy.target_connection_network_type = network
    return {"DBProxy": _describe_proxy(call, params["DBProxyName"])}


def _describe_proxy(call: Call, name: str) -> Result:
    return call.forward({"DBProxyName": name}, "DescribeDBProxies")["DBProxies"][0]


@corrects("rds", "ModifyDBProxy")
def modify_proxy(call: Call) -> Result:
    proxy, params, backend = _proxy(call), call.params, call.backend()
    if "RoleArn" in params:
        _check_proxy_role(call, params["RoleArn"])
    if "SecurityGroups" in params:
        _check_groups(call, params["SecurityGroups"], proxy.vpc_id)
    for name, attribute in {
        "Auth": "auth", "DebugLogging": "debug_logging", "DefaultAuthScheme": "default_auth_scheme",
        "IdleClientTimeout": "idle_client_timeout", "RequireTLS": "require_tls", "RoleArn": "role_arn",
        "SecurityGroups": "vpc_security_group_ids",
    }.items():
        if name in params:
            setattr(proxy, attribute, params[name])
    new_name = params.get("NewDBProxyName")
    if new_name:
        if new_name in backend.db_proxies:
            raise AwsError("DBProxyAlreadyExistsFault", f"DB Proxy {new_name} already exists.")
        backend.db_proxies[new_name] = backend.db_proxies.pop(proxy.db_proxy_name)
        proxy.db_proxy_name = new_name
    return {"DBProxy": _describe_proxy(call, proxy.db_proxy_name)}


@corrects("rds", "DeleteDBProxy")
def delete_proxy(call: Call) -> Result:
    _proxy(call)
    found = _describe_proxy(call, call.params["DBProxyName"])
    call.forward(call.params)
    return {"DBProxy": {**found, "Status": "deleting"}}


def _target_group(call: Call) -> Any:
    name = call.params.get("TargetGroupName", "default")
    group = _proxy(call).proxy_target_groups.get(name)
    if group is None:
        raise AwsError("DBProxyTargetGroupNotFoundFault", f"DB Proxy target group {name} not found.", 404)
    return group


@corrects("rds", "DescribeDBProxyTargetGroups")
def describe_target_groups(call: Call) -> Result:
    _target_group(call)
    result = paged(call)
    for shown in result["TargetGroups"]:
        _show_query(shown, _proxy(call).proxy_target_groups[shown["TargetGroupName"]])
    return result  # type: ignore[return-value]


@corrects("rds", "ModifyDBProxyTargetGroup")
def modify_target_group(call: Call) -> Result:
    _target_group(call)
    config = call.params.get("ConnectionPoolConfig", {})
    low, high = config.get("MaxIdleConnectionsPercent"), config.get("MaxConnectionsPercent", 100)
    if not 1 <= high <= 100 or low is not None and low > high:
        raise AwsError("InvalidParameterValue", "MaxIdleConnectionsPercent must not exceed MaxConnectionsPercent.")
    result = call.forward()
    group = _target_group(call)
    group.gateway_query = config.get("InitQuery", getattr(group, "gateway_query", ""))
    _show_query(result["DBProxyTargetGroup"], group)
    return result


def _show_query(shown: Result, group: Any) -> None:
    """moto forgets the initialization query."""
    if getattr(group, "gateway_query", ""):
        shown["ConnectionPoolConfig"]["InitQuery"] = group.gateway_query


@corrects("rds", "RegisterDBProxyTargets")
def register_targets(call: Call) -> Result:
    group = _target_group(call)
    for name in call.params.get("DBInstanceIdentifiers", []):
        _names(call, "DBInstanceNotFound", "DBInstance", "databases", name)
        if any(target.rds_resource_id == name for target in group.targets):
            raise AwsError("DBProxyTargetAlreadyRegisteredFault", f"{name} is already registered with the proxy.")
    if len(group.targets) + len(call.params.get("DBInstanceIdentifiers", [])) > 1:
        raise AwsError("DBProxyTargetAlreadyRegisteredFault", "A proxy can be associated with only one DB instance.")
    call.forward()
    return {"DBProxyTargets": [_target(call, target, fresh=True) for target in group.targets]}


@corrects("rds", "DeregisterDBProxyTargets")
def deregister_targets(call: Call) -> Result:
    registered = {target.rds_resource_id for target in _target_group(call).targets}
    for name in call.params.get("DBInstanceIdentifiers", []):
        if name not in registered:
            raise AwsError("DBProxyTargetNotFoundFault", f"{name} is not registered with the proxy.", 404)
    return call.forward()


@corrects("rds", "DescribeDBProxyTargets")
def describe_targets(call: Call) -> Result:
    return page_of(call, {"Targets": [_target(call, target) for target in _target_group(call).targets]})


def _target(call: Call, target: Any, fresh: bool = False) -> Result:
    instance = call.backend().databases[target.rds_resource_id]
    health = {"State": "REGISTERING"} if fresh else _health(call, _proxy(call), instance)
    return {"Endpoint": instance.address, "RdsResourceId": target.rds_resource_id, "Port": instance.port,
            "Type": "RDS_INSTANCE", "TargetArn": instance.db_instance_arn, "Role": "READ_WRITE", "TargetHealth": health}


def _health(call: Call, proxy: Any, instance: Any) -> Result:
    """AVAILABLE, or what stands between the proxy and its target: rules, then the role's permission."""
    ec2 = call.backend("ec2")
    outside = [ec2.get_security_group_from_id(name) for name in proxy.vpc_security_group_ids]
    inside = [ec2.get_security_group_from_id(name) for name in instance.vpc_security_group_ids]
    addresses = [subnet.cidr_block for name in proxy.vpc_subnet_ids for subnet in [ec2.get_subnet(name)]]
    group = call.backend().subnet_groups.get(instance._db_subnet_group_name)
    targets = [subnet.cidr_block for subnet in group._subnets] if group else ["0.0.0.0/32"]
    port = int(instance.port)
    goes_out = any(_permits(side.egress_rules, port, instance.vpc_security_group_ids, targets) for side in outside if side)
    comes_in = any(_permits(side.ingress_rules, port, proxy.vpc_security_group_ids, addresses) for side in inside if side)
    if not goes_out or not comes_in:
        return {"State": "UNAVAILABLE", "Reason": "UNREACHABLE",
                "Description": "DBProxy Target unavailable due to network connectivity."}
    if getattr(proxy, "default_auth_scheme", "NONE") == "IAM_AUTH" and not _role_may_connect(call, proxy):
        return {"State": "UNAVAILABLE", "Reason": "AUTH_FAILURE",
                "Description": "The proxy's role does not allow rds-db:connect to the target."}
    return {"State": "AVAILABLE"}


def _permits(rules: list[Any], port: int, groups: list[str], networks: list[str]) -> bool:
    ranges = []
    for rule in rules:
        if rule.ip_protocol not in ("-1", "tcp"):
            continue
        if rule.ip_protocol == "tcp" and not int(rule.from_port) <= port <= int(rule.to_port):
            continue
        if rule.source_group and rule.source_group.get("GroupId") in groups:
            return True
        if rule.ip_range and rule.ip_range.get("CidrIp"):
            ranges.append(ipaddress.ip_network(rule.ip_range["CidrIp"]))
    if networks and all(any(ipaddress.ip_network(net).subnet_of(wide) for wide in ranges) for net in networks):
        return True
    return False


def _role_may_connect(call: Call, proxy: Any) -> bool:
    role = next((role for role in call.backend("iam").roles.values() if role.arn == proxy.role_arn), None)
    return role is not None and allows(call, role, "rds-db:connect")


# -- tags ------------------------------------------------------------------------------------------


@corrects("rds", "ListTagsForResource", "AddTagsToResource", "RemoveTagsFromResource")
def tags(call: Call) -> Any:
    arn = call.params["ResourceName"]
    codes = {"db": "DBInstanceNotFound", "pg": "DBParameterGroupNotFound", "subgrp": "DBSubnetGroupNotFoundFault",
             "db-proxy": "DBProxyNotFoundFault", "snapshot": "DBSnapshotNotFound"}
    kind = arn.split(":")[5] if arn.count(":") >= 6 else ""
    if kind not in codes:
        raise AwsError("InvalidParameterValue", f"Invalid resource name: {arn}")
    if call.backend()._get_resource_for_tagging(arn) is None:
        raise AwsError(codes[kind], f"{arn} not found.", 404)
    return call.pass_through()
