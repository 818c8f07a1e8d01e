"""Lambda: the control plane, whole, since moto drops too much of it.

A function is Pending after its create and InProgress after a change until somebody reads it, or a
second has passed: a caller that changes it again without waiting is refused, as AWS does.
"""

from __future__ import annotations

import base64
import copy
import datetime
import hashlib
import io
import json
import time
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from corrections import corrects, schema_function
from corrections.policies import allows, trusts
from messages import AwsError, Reply
from pages import page_of

if TYPE_CHECKING:
    from call import Call

Result = dict[str, Any]

RETIRED = ("nodejs", "nodejs4.3", "nodejs6.10", "nodejs8.10", "nodejs10.x", "nodejs12.x", "nodejs14.x", "python2.7",
           "python3.6", "python3.7", "dotnetcore1.0", "dotnetcore2.0", "dotnetcore2.1", "dotnetcore3.1", "ruby2.5",
           "ruby2.7", "go1.x", "java8", "provided")
RESERVED_VARIABLES = ("_HANDLER", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV",
                      "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION",
                      "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
                      "AWS_LAMBDA_RUNTIME_API", "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY",
                      "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT", "TZ")
SETTLES_S = 1
ACCOUNT_CONCURRENCY, LEAST_UNRESERVED = 1000, 100


@dataclass
class Function:
    arn: str
    config: Result  # of $LATEST, as AWS answers it
    code: bytes = b""
    versions: dict[str, Result] = field(default_factory=dict)
    codes: dict[str, bytes] = field(default_factory=dict)
    aliases: dict[str, Result] = field(default_factory=dict)
    policies: dict[str, list[Result]] = field(default_factory=dict)
    policy_revisions: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    concurrency: int | None = None
    changed: bool = True  # since the last version
    settled: bool = False  # somebody has read it since the last change
    created: bool = False  # it was Active once
    changed_s: float = field(default_factory=time.monotonic)

    @property
    def vpc_config(self) -> Result:
        return self.config.get("VpcConfig", {})

    @property
    def function_name(self) -> str:
        return self.config["FunctionName"]


def functions(call: Call) -> dict[str, Function]:
    """The region's functions by name; they go when moto's own state is reset."""
    return call.backend("lambda").__dict__.setdefault("gateway_functions", {})


def split_name(text: str, qualifier: str | None = None) -> tuple[str, str | None]:
    """Name and qualifier of a name, name:qualifier, or ARN."""
    if text.startswith("arn:"):
        parts = text.split(":")
        return parts[6], parts[7] if len(parts) > 7 else qualifier
    if ":function:" in text:
        text = text.split(":function:")[1]
    name, _, given = text.partition(":")
    return name, given or qualifier


def _arn(call: Call, name: str) -> str:
    return f"arn:aws:lambda:{call.region}:{call.account}:function:{name}"


def _function(call: Call) -> Function:
    name, qualifier = split_name(call.params["FunctionName"], call.params.get("Qualifier"))
    function = functions(call).get(name)
    if function is None:
        raise AwsError("ResourceNotFoundException", f"Function not found: {_arn(call, name)}"
                       + (f":{qualifier}" if qualifier else ""), 404)
    return function


def _config(call: Call, function: Function, qualifier: str | None) -> Result:
    """The configuration that a qualifier stands for."""
    if qualifier in (None, "$LATEST"):
        config = copy.deepcopy(function.config)
        if qualifier:
            config["FunctionArn"] += ":$LATEST"
        return config
    version = function.aliases[qualifier]["FunctionVersion"] if qualifier in function.aliases else qualifier
    if version == "$LATEST":
        return copy.deepcopy(function.config)
    if version not in function.versions:
        raise AwsError("ResourceNotFoundException", f"Function not found: {function.arn}:{qualifier}", 404)
    config = copy.deepcopy(function.versions[version])
    config["FunctionArn"] = f"{function.arn}:{qualifier}"
    return config


# -- checks ----------------------------------------------------------------------------------------


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValueException", message)


def _check_config(call: Call, params: Result, role: str) -> None:
    if params.get("Runtime") in RETIRED:
        raise _invalid(f"The runtime parameter of {params['Runtime']} is no longer supported for creating or updating "
                       "AWS Lambda functions.")
    _check_role(call, role, params.get("VpcConfig"))
    variables = (params.get("Environment") or {}).get("Variables") or {}
    reserved = sorted(set(variables) & set(RESERVED_VARIABLES))
    if reserved:
        raise _invalid("Lambda was unable to configure your environment variables because the environment variables you "
                       "have provided contains reserved keys that are currently not supported for modification. "
                       f"Reserved keys used in this request: {', '.join(reserved)}")
    if len(json.dumps(variables)) > 4096:
        raise _invalid("Lambda was unable to configure your environment variables because the environment variables "
                       "you have provided exceeded the 4KB limit.")
    _check_vpc(call, params.get("VpcConfig") or {})
    logging = params.get("LoggingConfig") or {}
    if logging.get("LogFormat", "Text") == "Text" and (logging.get("ApplicationLogLevel") or logging.get("SystemLogLevel")):
        raise _invalid("Log level can be configured for the JSON log format only.")


def _check_role(call: Call, arn: str, vpc: Result | None) -> None:
    role = next((role for role in call.backend("iam").roles.values() if role.arn == arn), None)
    if role is None or not trusts(role, "lambda.amazonaws.com"):
        raise _invalid("The role defined for the function cannot be assumed by Lambda.")
    if vpc and vpc.get("SubnetIds") and not allows(call, role, "ec2:CreateNetworkInterface"):
        raise _invalid("The provided execution role does not have permissions to call CreateNetworkInterface on EC2")


def _check_vpc(call: Call, vpc: Result) -> None:
    subnets, groups = vpc.get("SubnetIds") or [], vpc.get("SecurityGroupIds") or []
    if bool(subnets) != bool(groups):
        raise _invalid("SubnetIds and SecurityIds must coexist or be both empty list.")
    ec2 = call.backend("ec2")
    networks = set()
    for name in subnets:
        found = next((zone[name] for zone in ec2.subnets.values() if name in zone), None)
        if found is None:
            raise _invalid("Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error "
                           f"Message: The subnet ID '{name}' does not exist")
        networks.add(found.vpc_id)
    for name in groups:
        group = ec2.get_security_group_from_id(name)
        if group is None:
            raise _invalid("Error occurred while DescribeSecurityGroups. EC2 Error Code: InvalidGroup.NotFound. EC2 "
                           f"Error Message: The security group '{name}' does not exist")
        networks.add(group.vpc_id)
    if len(networks) > 1:
        raise _invalid("Security Groups and Subnets must belong to the same VPC.")


def _read_code(call: Call, code: Result) -> bytes:
    if code.get("ZipFile") is not None:
        data = code["ZipFile"]
        if len(data) > 50 << 20:
            raise AwsError("RequestEntityTooLargeException", "Request must be smaller than 52428800 bytes", 413)
    elif code.get("S3Bucket") and code.get("S3Key"):
        data = _read_object(call, code)
    else:
        raise _invalid("Please provide a source for function code.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if archive.testzip() is not None or not archive.namelist():
                raise zipfile.BadZipFile
    except zipfile.BadZipFile:
        raise _invalid("Could not unzip uploaded file. Please check your file, then try to upload again.") from None
    return data


def _read_object(call: Call, code: Result) -> bytes:
    buckets = call.backend("s3").buckets
    reason = "NoSuchBucket"
    if code["S3Bucket"] in buckets:
        reason = "NoSuchKey"
        key = call.backend("s3").get_object(code["S3Bucket"], code["S3Key"], code.get("S3ObjectVersion"))
        if key is not None:
            return key.value
    raise _invalid(f"Error occurred while GetObject. S3 Error Code: {reason}. S3 Error Message: The specified "
                   f"{'bucket' if reason == 'NoSuchBucket' else 'key'} does not exist.")


# -- functions -------------------------------------------------------------------------------------


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"


def _put_code(function: Function, data: bytes) -> None:
    function.code = data
    function.config["CodeSha256"] = base64.b64encode(hashlib.sha256(data).digest()).decode()
    function.config["CodeSize"] = len(data)


def _apply(call: Call, config: Result, params: Result) -> None:
    """Puts what a caller said into the configuration, as AWS shows it."""
    for name in ("Role", "Handler", "Description", "Timeout", "MemorySize", "Runtime", "KMSKeyArn", "EphemeralStorage",
                 "TracingConfig"):
        if name in params:
            config[name] = params[name]
    if "KMSKeyArn" in params and not params["KMSKeyArn"]:
        config.pop("KMSKeyArn")
    if "Environment" in params:
        variables = params["Environment"].get("Variables") or {}
        config.pop("Environment", None)
        if variables:
            config["Environment"] = {"Variables": variables}
    if "DeadLetterConfig" in params:
        config.pop("DeadLetterConfig", None)
        if params["DeadLetterConfig"].get("TargetArn"):
            config["DeadLetterConfig"] = params["DeadLetterConfig"]
    if "VpcConfig" in params:
        _apply_vpc(call, config, params["VpcConfig"])
    if "Layers" in params:
        config["Layers"] = [{"Arn": arn, "CodeSize": 1} for arn in params["Layers"]]
    if "LoggingConfig" in params:
        logging = {**config["LoggingConfig"], **params["LoggingConfig"]}
        if logging["LogFormat"] == "Text":
            logging = {key: value for key, value in logging.items() if not key.endswith("LogLevel")}
        else:
            logging = {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO", **logging}
        config["LoggingConfig"] = logging
    if "SnapStart" in params:
        config["SnapStart"] = {"ApplyOn": params["SnapStart"].get("ApplyOn", "None"), "OptimizationStatus": "Off"}


def _apply_vpc(call: Call, config: Result, vpc: Result) -> None:
    subnets, groups = vpc.get("SubnetIds") or [], vpc.get("SecurityGroupIds") or []
    network = call.backend("ec2").get_subnet(subnets[0]).vpc_id if subnets else ""
    had = bool(config.get("VpcConfig", {}).get("VpcId"))
    config.pop("VpcConfig", None)
    if subnets or had:
        config["VpcConfig"] = {"SubnetIds": subnets, "SecurityGroupIds": groups, "VpcId": network,
                               "Ipv6AllowedForDualStack": vpc.get("Ipv6AllowedForDualStack", False)}


@corrects("lambda", "CreateFunction")
def create_function(call: Call) -> Result:
    params = call.params
    name, _ = split_name(params["FunctionName"])
    if name in functions(call):
        raise AwsError("ResourceConflictException", f"Function already exist: {name}", 409)
    if params.get("PackageType", "Zip") == "Zip" and not (params.get("Runtime") and params.get("Handler")):
        raise _invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
    _check_config(call, params, params["Role"])
    data = _read_code(call, params["Code"])
    config: Result = {
        "FunctionName": name, "FunctionArn": _arn(call, name), "Description": "", "Timeout": 3, "MemorySize": 128,
        "Version": "$LATEST", "TracingConfig": {"Mode": "PassThrough"}, "PackageType": params.get("PackageType", "Zip"),
        "Architectures": params.get("Architectures") or ["x86_64"], "EphemeralStorage": {"Size": 512},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"}, "LastModified": _now(),
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"}, "RevisionId": str(uuid.uuid4()),
        "RuntimeVersionConfig": {"RuntimeVersionArn": f"arn:aws:lambda:{call.region}::runtime:{'0' * 64}"},
    }
    _apply(call, config, params)
    function = Function(config["FunctionArn"], config, tags=dict(params.get("Tags") or {}))
    _put_code(function, data)
    functions(call)[name] = function
    shown = _publish(function, "") if params.get("Publish") else copy.deepcopy(config)
    return {**shown, **_unsettled(function)}


def _unsettled(function: Function) -> Result:
    """State as a change's own reply has it; reads settle it."""
    function.settled, function.changed_s = False, time.monotonic()
    if not function.created:
        return {"State": "Pending", "StateReason": "The function is being created.", "StateReasonCode": "Creating"}
    return {"State": "Active", "LastUpdateStatus": "InProgress", "LastUpdateStatusReasonCode": "Creating",
            "LastUpdateStatusReason": "The function is being created."}


def _settle(function: Function) -> Result:
    function.settled = function.created = True
    return {"State": "Active", "LastUpdateStatus": "Successful"}


@corrects("lambda", "GetFunction")
def get_function(call: Call) -> Result:
    function = _function(call)
    _, qualifier = split_name(call.params["FunctionName"], call.params.get("Qualifier"))
    config = {**_config(call, function, qualifier), **_settle(function)}
    result = {"Configuration": config, "Code": {
        "RepositoryType": "S3", "Location": f"https://prod-tasks.s3.{call.region}.amazonaws.com/{config['CodeSha256']}"}}
    if function.tags:
        result["Tags"] = function.tags
    if function.concurrency is not None:
        result["Concurrency"] = {"ReservedConcurrentExecutions": function.concurrency}
    return result


@corrects("lambda", "GetFunctionConfiguration")
def get_function_configuration(call: Call) -> Result:
    return get_function(call)["Configuration"]


@corrects("lambda", "ListFunctions")
def list_functions(call: Call) -> Result:
    """Without State and LastUpdateStatus, which AWS leaves out of lists."""
    found = [copy.deepcopy(function.config) for _, function in sorted(functions(call).items())]
    if call.params.get("FunctionVersion") == "ALL":
        for function in functions(call).values():
            found += copy.deepcopy(list(function.versions.values()))
    return page_of(call, {"Functions": found})


def _check_change(function: Function, params: Result) -> None:
    if params.get("RevisionId") not in (None, function.config["RevisionId"]):
        raise AwsError("PreconditionFailedException", "The Revision Id provided does not match the latest Revision Id. "
                       "Call the GetFunction/GetAlias API to retrieve the latest Revision Id", 412)
    if not function.settled and time.monotonic() - function.changed_s < SETTLES_S:
        why = ("The function is currently in the following state: Pending" if not function.created
               else f"An update is in progress for resource: {function.arn}")
        raise AwsError("ResourceConflictException", f"The operation cannot be performed at this time. {why}", 409)


@corrects("lambda", "UpdateFunctionConfiguration")
def update_configuration(call: Call) -> Result:
    function = _function(call)
    _check_change(function, call.params)
    merged_vpc = call.params.get("VpcConfig", function.vpc_config)
    _check_config(call, {**call.params, "VpcConfig": merged_vpc}, call.params.get("Role", function.config["Role"]))
    before = copy.deepcopy(function.config)
    _apply(call, function.config, call.params)
    function.changed = function.changed or before != function.config
    function.config |= {"LastModified": _now(), "RevisionId": str(uuid.uuid4())}
    return {**copy.deepcopy(function.config), **_unsettled(function)}


@corrects("lambda", "UpdateFunctionCode")
def update_code(call: Call) -> Result:
    function = _function(call)
    _check_change(function, call.params)
    data = _read_code(call, call.params)
    if call.params.get("DryRun"):
        return copy.deepcopy(function.config)
    architectures = call.params.get("Architectures") or function.config["Architectures"]
    function.changed = function.changed or data != function.code or architectures != function.config["Architectures"]
    _put_code(function, data)
    function.config |= {"Architectures": architectures, "LastModified": _now(), "RevisionId": str(uuid.uuid4())}
    shown = _publish(function, "") if call.params.get("Publish") else copy.deepcopy(function.config)
    return {**shown, **_unsettled(function)}


@corrects("lambda", "DeleteFunction")
def delete_function(call: Call) -> Reply:
    function = _function(call)
    name, qualifier = split_name(call.params["FunctionName"], call.params.get("Qualifier"))
    if qualifier is None:
        functions(call).pop(name)
    elif qualifier == "$LATEST":
        raise _invalid("$LATEST version cannot be deleted without deleting the function.")
    elif not qualifier.isdigit():
        raise _invalid("Deletion of aliases is not currently supported.")
    else:
        users = [alias["Name"] for alias in function.aliases.values() if qualifier in (
            alias["FunctionVersion"], *alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}))]
        if users:
            raise AwsError("ResourceConflictException", "Unable to delete version because the following aliases "
                           f"reference it: {users}", 409)
        function.versions.pop(qualifier, None)
    return Reply(204, [], b"")


# -- versions and aliases --------------------------------------------------------------------------


def _publish(function: Function, description: str) -> Result:
    """A new version, or the last one where nothing has changed since."""
    if not function.changed and function.versions:
        return copy.deepcopy(function.versions[max(function.versions, key=int)])
    number = str(max(map(int, function.codes), default=0) + 1)
    config = copy.deepcopy(function.config)
    config |= {"Version": number, "FunctionArn": f"{function.arn}:{number}", "RevisionId": str(uuid.uuid4())}
    if description:
        config["Description"] = description
    function.versions[number], function.codes[number] = config, function.code
    function.changed = False
    return copy.deepcopy(config)


@corrects("lambda", "PublishVersion")
def publish_version(call: Call) -> Result:
    function = _function(call)
    _check_change(function, call.params)
    wanted = call.params.get("CodeSha256")
    if wanted and wanted != function.config["CodeSha256"]:
        raise _invalid(f"CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST "
                       f"({function.config['CodeSha256']}). Please try again with the CodeSHA256 in $LATEST.")
    return {**_publish(function, call.params.get("Description", "")), "State": "Active", "LastUpdateStatus": "Successful"}


@corrects("lambda", "ListVersionsByFunction")
def list_versions(call: Call) -> Result:
    function = _function(call)
    latest = _config(call, function, "$LATEST")
    versions = [copy.deepcopy(function.versions[number]) for number in sorted(function.versions, key=int)]
    return page_of(call, {"Versions": [latest, *versions]})


def _alias(function: Function, name: str) -> Result:
    if name not in function.aliases:
        raise AwsError("ResourceNotFoundException", f"Cannot find alias arn: {function.arn}:{name}", 404)
    return function.aliases[name]


def _check_versions(function: Function, params: Result) -> None:
    weights = (params.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    for version in (params.get("FunctionVersion"), *weights):
        if version not in (None, "$LATEST", *function.versions):
            raise AwsError("ResourceNotFoundException", f"Function not found: {function.arn}:{version}", 404)


def _routing(params: Result) -> Result:
    weights = (params.get("RoutingConfig") or {}).get("AdditionalVersionWeights")
    return {"RoutingConfig": {"AdditionalVersionWeights": weights}} if weights else {}


@corrects("lambda", "CreateAlias")
def create_alias(call: Call) -> Result:
    function, name = _function(call), call.params["Name"]
    _check_versions(function, call.params)
    if name in function.aliases:
        raise AwsError("ResourceConflictException", f"Alias already exists: {function.arn}:{name}", 409)
    function.aliases[name] = {
        "AliasArn": f"{function.arn}:{name}", "Name": name, "FunctionVersion": call.params["FunctionVersion"],
        "Description": call.params.get("Description", ""), "RevisionId": str(uuid.uuid4()), **_routing(call.params)}
    return function.aliases[name]


@corrects("lambda", "GetAlias")
def get_alias(call: Call) -> Result:
    return _alias(_function(call), call.params["Name"])


@corrects("lambda", "UpdateAlias")
def update_alias(call: Call) -> Result:
    function = _function(call)
    alias = _alias(function, call.params["Name"])
    if call.params.get("RevisionId") not in (None, alias["RevisionId"]):
        raise AwsError("PreconditionFailedException", "The Revision Id provided does not match the latest Revision Id.", 412)
    _check_versions(function, call.params)
    for key in ("FunctionVersion", "Description"):
        if key in call.params:
            alias[key] = call.params[key]
    if "RoutingConfig" in call.params:
        alias.pop("RoutingConfig", None)
        alias |= _routing(call.params)
    alias["RevisionId"] = str(uuid.uuid4())
    return alias


@corrects("lambda", "DeleteAlias")
def delete_alias(call: Call) -> Reply:
    function = _function(call)
    function.aliases.pop(call.params["Name"], None)
    function.policies.pop(call.params["Name"], None)
    return Reply(204, [], b"")


@corrects("lambda", "ListAliases")
def list_aliases(call: Call) -> Result:
    wanted = call.params.get("FunctionVersion")
    found = [alias for _, alias in sorted(_function(call).aliases.items()) if wanted in (None, alias["FunctionVersion"])]
    return page_of(call, {"Aliases": found})


# -- permissions -----------------------------------------------------------------------------------


def _policy_of(call: Call, function: Function) -> tuple[str, list[Result]]:
    """Each qualifier has a policy of its own."""
    _, qualifier = split_name(call.params["FunctionName"], call.params.get("Qualifier"))
    if qualifier == "$LATEST":
        raise _invalid("We currently do not support adding policies for $LATEST.")
    _config(call, function, qualifier)
    return qualifier or "", function.policies.setdefault(qualifier or "", [])


def _check_policy_revision(call: Call, function: Function, qualifier: str) -> None:
    if call.params.get("RevisionId") not in (None, function.policy_revisions.get(qualifier)):
        raise AwsError("PreconditionFailedException", "The RevisionId provided does not match the latest RevisionId for "
                       "the Lambda function or alias.", 412)


@corrects("lambda", "AddPermission")
def add_permission(call: Call) -> Result:
    function, params = _function(call), call.params
    qualifier, statements = _policy_of(call, function)
    _check_policy_revision(call, function, qualifier)
    sid = params["StatementId"]
    if any(statement["Sid"] == sid for statement in statements):
        raise AwsError("ResourceConflictException", f"The statement id ({sid}) provided already exists. Please provide a "
                       "new statement id, or remove the existing statement.", 409)
    principal = params["Principal"]
    if principal.endswith(".amazonaws.com"):
        shown: Any = {"Service": principal}
    elif principal == "*":
        shown = "*"
    else:
        shown = {"AWS": f"arn:aws:iam::{principal}:root" if principal.isdigit() else principal}
    statement: Result = {"Sid": sid, "Effect": "Allow", "Principal": shown, "Action": params["Action"],
                         "Resource": function.arn + (f":{qualifier}" if qualifier else "")}
    condition: dict[str, dict[str, str]] = {}
    for name, operator, key in (("SourceAccount", "StringEquals", "AWS:SourceAccount"),
                                ("EventSourceToken", "StringEquals", "lambda:EventSourceToken"),
                                ("FunctionUrlAuthType", "StringEquals", "lambda:FunctionUrlAuthType"),
                                ("PrincipalOrgID", "StringEquals", "aws:PrincipalOrgID"),
                                ("SourceArn", "ArnLike", "AWS:SourceArn")):
        if name in params:
            condition.setdefault(operator, {})[key] = params[name]
    if condition:
        statement["Condition"] = condition
    statements.append(statement)
    function.policy_revisions[qualifier] = str(uuid.uuid4())
    return {"Statement": json.dumps(statement)}


@corrects("lambda", "RemovePermission")
def remove_permission(call: Call) -> Reply:
    function = _function(call)
    qualifier, statements = _policy_of(call, function)
    _check_policy_revision(call, function, qualifier)
    kept = [statement for statement in statements if statement["Sid"] != call.params["StatementId"]]
    if len(kept) == len(statements):
        raise AwsError("ResourceNotFoundException", f"Statement {call.params['StatementId']} is not found in resource "
                       "policy.", 404)
    function.policies[qualifier] = kept
    function.policy_revisions[qualifier] = str(uuid.uuid4())
    return Reply(204, [], b"")


@corrects("lambda", "GetPolicy")
def get_policy(call: Call) -> Result:
    function = _function(call)
    qualifier, statements = _policy_of(call, function)
    if not statements:
        raise AwsError("ResourceNotFoundException", "The resource you requested does not exist.", 404)
    document = {"Version": "2012-10-17", "Id": "default", "Statement": statements}
    return {"Policy": json.dumps(document), "RevisionId": function.policy_revisions[qualifier]}


# -- concurrency, tags, settings -------------------------------------------------------------------


@corrects("lambda", "PutFunctionConcurrency")
def put_concurrency(call: Call) -> Result:
    function, wanted = _function(call), call.params["ReservedConcurrentExecutions"]
    others = sum(other.concurrency or 0 for other in functions(call).values() if other is not function)
    if ACCOUNT_CONCURRENCY - others - wanted < LEAST_UNRESERVED:
        raise _invalid("Specified ReservedConcurrentExecutions for function decreases account's "
                       f"UnreservedConcurrentExecution below its minimum value of [{LEAST_UNRESERVED}].")
    function.concurrency = wanted
    return {"ReservedConcurrentExecutions": wanted}


@corrects("lambda", "GetFunctionConcurrency")
def get_concurrency(call: Call) -> Result:
    concurrency = _function(call).concurrency
    return {} if concurrency is None else {"ReservedConcurrentExecutions": concurrency}


@corrects("lambda", "DeleteFunctionConcurrency")
def delete_concurrency(call: Call) -> Reply:
    _function(call).concurrency = None
    return Reply(204, [], b"")


@corrects("lambda", "GetFunctionCodeSigningConfig")
def get_code_signing(call: Call) -> Result:
    """No function here has one."""
    return {"FunctionName": split_name(_function(call).config["FunctionName"])[0]}


def _tagged(call: Call) -> Function:
    arn = call.params["Resource"]
    name, qualifier = split_name(arn)
    if qualifier:
        raise _invalid("Tags on function aliases and versions are not supported. Please specify either a function ARN.")
    if name not in functions(call):
        raise AwsError("ResourceNotFoundException", f"Function not found: {arn}", 404)
    return functions(call)[name]


@corrects("lambda", "TagResource")
def tag_resource(call: Call) -> Reply:
    _tagged(call).tags.update(call.params["Tags"])
    return Reply(204, [], b"")


@corrects("lambda", "UntagResource")
def untag_resource(call: Call) -> Reply:
    for key in call.params["TagKeys"]:
        _tagged(call).tags.pop(key, None)
    return Reply(204, [], b"")


@corrects("lambda", "ListTags")
def list_tags(call: Call) -> Result:
    return {"Tags": _tagged(call).tags}


@corrects("lambda", "GetAccountSettings")
def account_settings(call: Call) -> Result:
    reserved = sum(function.concurrency or 0 for function in functions(call).values())
    return {
        "AccountLimit": {"TotalCodeSize": 80530636800, "CodeSizeUnzipped": 262144000, "CodeSizeZipped": 52428800,
                         "ConcurrentExecutions": ACCOUNT_CONCURRENCY,
                         "UnreservedConcurrentExecutions": ACCOUNT_CONCURRENCY - reserved},
        "AccountUsage": {"TotalCodeSize": sum(len(function.code) for function in functions(call).values()),
                         "FunctionCount": len(functions(call))},
    }


@corrects("lambda", "Invoke")
def invoke(call: Call) -> Reply:
    """No code is run: the schema function is played, other payloads come back as they went."""
    function = _function(call)
    _, qualifier = split_name(call.params["FunctionName"], call.params.get("Qualifier"))
    config = _config(call, function, qualifier)
    headers = [("X-Amz-Executed-Version", config["Version"]), ("Content-Type", "application/json")]
    kind = call.params.get("InvocationType", "RequestResponse")
    if kind == "DryRun":
        return Reply(204, headers, b"")
    if kind == "Event":
        return Reply(202, headers, b"")
    payload = call.params.get("Payload") or b"{}"
    if config["Handler"] == "schema":
        payload, failed = schema_function.play(call, config, payload)
        headers += [("X-Amz-Function-Error", failed)] if failed else []
    return Reply(200, headers, payload)


def in_vpc(call: Call) -> Iterator[Function]:
    return (function for function in functions(call).values() if function.vpc_config.get("VpcId"))
