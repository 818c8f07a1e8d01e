"""CloudWatch: alarms and dashboards as strict as AWS's, tags, percentiles."""

from __future__ import annotations

import datetime
import json
import math
import re
from typing import TYPE_CHECKING, Any

from corrections import corrects
from messages import AwsError

if TYPE_CHECKING:
    from call import Call

Result = dict[str, Any]

MISSING_DATA = ("breaching", "notBreaching", "ignore", "missing")
WIDGETS = ("alarm", "custom", "explorer", "log", "metric", "text")


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationError", message)


# -- alarms ----------------------------------------------------------------------------------------


@corrects("cloudwatch", "PutMetricAlarm")
def put_alarm(call: Call) -> Any:
    params = call.params
    _check_alarm(params)
    if params["AlarmName"] in call.backend().alarms and "Tags" in params:
        return call.forward({key: value for key, value in params.items() if key != "Tags"})
    return call.pass_through()


def _check_alarm(params: Result) -> None:
    for name in ("ComparisonOperator", "EvaluationPeriods"):
        if name not in params:
            raise _invalid(f"The parameter {name} is required.")
    if "Metrics" in params:
        if any(name in params for name in ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Dimensions")):
            raise AwsError("InvalidParameterCombination", "Metrics list cannot be specified with MetricName, Namespace, "
                           "Dimensions, Period, Unit, Statistic or ExtendedStatistic.")
        if sum(query.get("ReturnData", True) for query in params["Metrics"]) != 1:
            raise _invalid("Exactly one element of the metrics list should return data.")
    else:
        for name in ("MetricName", "Namespace", "Period"):
            if name not in params:
                raise _invalid(f"The parameter {name} is required.")
        if ("Statistic" in params) == ("ExtendedStatistic" in params):
            raise AwsError("InvalidParameterCombination", "Exactly one of Statistic and ExtendedStatistic must be specified.")
        period = params["Period"]
        if period not in (10, 20, 30) and (period % 60 or period <= 0):
            raise _invalid("Period must be 10, 20, 30 or a multiple of 60.")
        most = 7 * 86400 if period >= 3600 else 86400
        if period * params["EvaluationPeriods"] > most:
            raise _invalid("Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= "
                           f"{most}).")
    if "Threshold" not in params and "ThresholdMetricId" not in params:
        raise _invalid("The parameter Threshold is required.")
    if params.get("TreatMissingData", "missing") not in MISSING_DATA:
        raise _invalid(f"Option {params['TreatMissingData']} is not supported. Supported options for parameter "
                       "TreatMissingData are: breaching, notBreaching, ignore, missing.")
    if params.get("DatapointsToAlarm", 1) > params["EvaluationPeriods"]:
        raise _invalid("DatapointsToAlarm must not exceed EvaluationPeriods.")
    for key in ("AlarmActions", "OKActions", "InsufficientDataActions"):
        for arn in params.get(key, []):
            if not arn.startswith("arn:"):
                raise _invalid(f"Invalid arn syntax: {arn}")


@corrects("cloudwatch", "DeleteAlarms")
def delete_alarms(call: Call) -> Any:
    missing = [name for name in call.params["AlarmNames"] if name not in call.backend().alarms]
    if missing:
        raise AwsError("ResourceNotFound", f"Unknown alarms: {', '.join(missing)}", 404)
    for name in call.params["AlarmNames"]:
        call.backend().tagger.delete_all_tags_for_resource(call.backend().alarms[name].alarm_arn)
    return call.pass_through()


# -- dashboards ------------------------------------------------------------------------------------


@corrects("cloudwatch", "PutDashboard")
def put_dashboard(call: Call) -> Result:
    _check_dashboard(call.params["DashboardBody"])
    name = call.params["DashboardName"]
    new = name not in call.backend().dashboards
    result = call.forward({key: value for key, value in call.params.items() if key != "Tags"})
    if new and call.params.get("Tags"):
        call.backend().tagger.tag_resource(_dashboard_arn(call, name), call.params["Tags"])
    return result


def _dashboard_arn(call: Call, name: str) -> str:
    return f"arn:aws:cloudwatch::{call.account}:dashboard/{name}"


def _check_dashboard(text: str) -> None:
    def bad(why: str) -> AwsError:
        return AwsError("InvalidParameterInput", f"The dashboard body is invalid: {why}")

    try:
        body = json.loads(text)
    except ValueError:
        raise bad("it is not JSON") from None
    if not isinstance(body, dict) or not isinstance(body.get("widgets"), list):
        raise bad("it should have required property 'widgets'")
    for index, widget in enumerate(body["widgets"]):
        if widget.get("type") not in WIDGETS:
            raise bad(f"/widgets/{index}/type should be one of {', '.join(WIDGETS)}")
        if not isinstance(widget.get("properties"), dict):
            raise bad(f"/widgets/{index} should have required property 'properties'")
        if not 1 <= widget.get("width", 6) <= 24 or not 1 <= widget.get("height", 6) <= 1000:
            raise bad(f"/widgets/{index} is too wide or too high")
        if widget["type"] == "metric" and not widget["properties"].get("region"):
            raise bad(f"/widgets/{index}/properties should have required property 'region'")


@corrects("cloudwatch", "DeleteDashboards")
def delete_dashboards(call: Call) -> Any:
    for name in call.params["DashboardNames"]:
        call.backend().tagger.delete_all_tags_for_resource(_dashboard_arn(call, name))
    return call.pass_through()


# -- tags ------------------------------------------------------------------------------------------


@corrects("cloudwatch", "TagResource", "UntagResource", "ListTagsForResource")
def tags(call: Call) -> Result:
    arn, backend = call.params["ResourceARN"], call.backend()
    known = {alarm.alarm_arn for alarm in backend.alarms.values()}
    known |= {_dashboard_arn(call, name) for name in backend.dashboards}
    if arn not in known:
        raise AwsError("ResourceNotFoundException", f"Unknown resource: {arn}", 404)
    if call.operation == "TagResource":
        backend.tagger.tag_resource(arn, call.params["Tags"])
    elif call.operation == "UntagResource":
        backend.tagger.untag_resource_using_names(arn, call.params["TagKeys"])
    else:
        found = backend.tagger.get_tag_dict_for_resource(arn)
        return {"Tags": [{"Key": key, "Value": value} for key, value in found.items()]}
    return {}


# -- metric data -----------------------------------------------------------------------------------


@corrects("cloudwatch", "GetMetricData")
def get_metric_data(call: Call) -> Result:
    """Statistics and percentiles of what was put; expressions give no values."""
    start, end = _utc(call.params["StartTime"]), _utc(call.params["EndTime"])
    newest_first = call.params.get("ScanBy", "TimestampDescending") == "TimestampDescending"
    results = []
    for query in call.params["MetricDataQueries"]:
        if not query.get("ReturnData", True):
            continue
        points = _points(call, query["MetricStat"], start, end) if query.get("MetricStat") else {}
        times = sorted(points, reverse=newest_first)
        label = query.get("Label") or query.get("MetricStat", {}).get("Metric", {}).get("MetricName") or query["Id"]
        results.append({"Id": query["Id"], "Label": label, "StatusCode": "Complete", "Timestamps": times,
                        "Values": [points[time] for time in times]})
    return {"MetricDataResults": results, "Messages": []}


def _utc(time: datetime.datetime) -> datetime.datetime:
    return time.astimezone(datetime.timezone.utc) if time.tzinfo else time.replace(tzinfo=datetime.timezone.utc)


def _points(call: Call, wanted: Result, start: datetime.datetime, end: datetime.datetime) -> dict[datetime.datetime, float]:
    metric, period = wanted["Metric"], wanted["Period"]
    dimensions = {(item["Name"], item["Value"]) for item in metric.get("Dimensions") or []}
    first = int(start.timestamp()) // 60 * 60  # periods count from there, not by the clock
    buckets: dict[int, list[float]] = {}
    for datum in call.backend().get_all_metrics():
        if datum.name != metric.get("MetricName") or datum.namespace != metric.get("Namespace"):
            continue
        if {(item.name, item.value) for item in datum.dimensions or []} != dimensions:
            continue
        time = _utc(datum.timestamp)
        if start <= time < end and hasattr(datum, "value"):
            place = (int(time.timestamp()) - first) // period * period + first
            buckets.setdefault(place, []).append(float(datum.value))
    return {datetime.datetime.fromtimestamp(key, datetime.timezone.utc): _statistic(values, wanted["Stat"])
            for key, values in buckets.items()}


def _statistic(values: list[float], name: str) -> float:
    simple = {"Average": lambda: sum(values) / len(values), "Sum": lambda: sum(values), "Minimum": lambda: min(values),
              "Maximum": lambda: max(values), "SampleCount": lambda: float(len(values))}
    if name in simple:
        return simple[name]()
    percentile = re.fullmatch(r"p(\d{1,2}(?:\.\d+)?|100)", name)
    if not percentile:
        raise _invalid(f"The value {name} for parameter Stat is not supported.")
    rank = math.ceil(float(percentile.group(1)) / 100 * len(values))
    return sorted(values)[max(0, rank - 1)]
