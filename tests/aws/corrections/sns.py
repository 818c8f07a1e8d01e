"""SNS: a topic's second create, and subscriptions that wait for a human."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from corrections import checks, corrects
from messages import AwsError
from pages import paged

if TYPE_CHECKING:
    from call import Call

Result = dict[str, Any]

CONFIRMED_BY_HAND = ("email", "email-json", "http", "https", "sms")
PROTOCOLS = ("application", "email", "email-json", "firehose", "http", "https", "lambda", "sms", "sqs")
ATTRIBUTES = ("ApplicationFailureFeedbackRoleArn", "ArchivePolicy", "ContentBasedDeduplication", "DeliveryPolicy",
              "DisplayName", "FifoThroughputScope", "FifoTopic", "KmsMasterKeyId", "Policy", "SignatureVersion",
              "TracingConfig")


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameter", f"Invalid parameter: {message}")


@checks("sns")
def check_attributes(call: Call) -> None:
    if call.operation in ("CreateTopic", "SetTopicAttributes"):
        names = list(call.params.get("Attributes") or {}) + [call.params.get("AttributeName", "DisplayName")]
        for name in names:
            if name not in ATTRIBUTES and "Feedback" not in name:
                raise _invalid("AttributeName")


@corrects("sns", "CreateTopic")
def create_topic(call: Call) -> Any:
    """The same again is no error; other tags or attributes are."""
    arn = f"arn:aws:sns:{call.region}:{call.account}:{call.params['Name']}"
    topic = call.backend().topics.get(arn)
    if topic is not None:
        tags = {tag["Key"]: tag["Value"] for tag in call.params.get("Tags") or []}
        if "Tags" in call.params and tags != (topic._tags or {}):
            raise _invalid("Tags Reason: Topic already exists with different tags")
        for name, value in (call.params.get("Attributes") or {}).items():
            have = {"DisplayName": topic.display_name, "KmsMasterKeyId": topic.kms_master_key_id or ""}.get(name, value)
            if have != value:
                raise _invalid("Attributes Reason: Topic already exists with different attributes")
    return call.pass_through()


@corrects("sns", "DeleteTopic")
def delete_topic(call: Call) -> Any:
    return call.pass_through()


def _pending(subscription: Any) -> bool:
    return subscription.protocol in CONFIRMED_BY_HAND and not getattr(subscription, "gateway_confirmed", False)


@corrects("sns", "Subscribe")
def subscribe(call: Call) -> Result:
    protocol, endpoint = call.params["Protocol"], call.params.get("Endpoint", "")
    if protocol not in PROTOCOLS:
        raise _invalid(f"Does not support this protocol string: {protocol}")
    if protocol.startswith("email") and "@" not in endpoint:
        raise _invalid("Email address")
    if protocol == "https" and not endpoint.startswith("https://"):
        raise _invalid("Endpoint must match the specified protocol")
    result = call.forward()
    subscription = call.backend().subscriptions[result["SubscriptionArn"]]
    if _pending(subscription) and not call.params.get("ReturnSubscriptionArn"):
        return {"SubscriptionArn": "pending confirmation"}
    return result


@corrects("sns", "ConfirmSubscription")
def confirm(call: Call) -> Result:
    """Any token confirms what is pending: it stands for the human's click."""
    pending = [sub for sub in call.backend().subscriptions.values()
               if sub.topic.arn == call.params["TopicArn"] and _pending(sub)]
    if not pending:
        raise _invalid("Token")
    pending[0].gateway_confirmed = True
    return {"SubscriptionArn": pending[0].arn}


@corrects("sns", "Unsubscribe", "GetSubscriptionAttributes", "SetSubscriptionAttributes")
def with_arn(call: Call) -> Any:
    arn = call.params["SubscriptionArn"]
    if not arn.startswith("arn:aws:sns:"):
        raise _invalid(f"SubscriptionArn Reason: An ARN must have at least 6 elements, not {arn.count(':') + 1}")
    subscription = call.backend().subscriptions.get(arn)
    if call.operation == "Unsubscribe" and subscription is not None and _pending(subscription):
        raise _invalid("This subscription is not confirmed, so it cannot be unsubscribed")
    if call.operation != "GetSubscriptionAttributes":
        return call.pass_through()
    result = call.forward()
    if subscription is not None:
        result["Attributes"]["PendingConfirmation"] = "true" if _pending(subscription) else "false"
    return result


@corrects("sns", "ListSubscriptionsByTopic", "ListSubscriptions")
def list_subscriptions(call: Call) -> Result:
    result = paged(call) if call.operation == "ListSubscriptionsByTopic" else call.forward()
    for item in result["Subscriptions"]:
        subscription = call.backend().subscriptions.get(item["SubscriptionArn"])
        if subscription is not None and _pending(subscription):
            item["SubscriptionArn"] = "PendingConfirmation"
    return result


@corrects("sns", "GetTopicAttributes")
def topic_attributes(call: Call) -> Result:
    result, topic = call.forward(), call.backend().topics[call.params["TopicArn"]]
    own = [sub for sub in call.backend().subscriptions.values() if sub.topic.arn == topic.arn]
    pending = sum(map(_pending, own))
    result["Attributes"] |= {"SubscriptionsPending": str(pending), "SubscriptionsConfirmed": str(len(own) - pending)}
    for name, attribute in (("SignatureVersion", "signature_version"), ("TracingConfig", "tracing_config")):
        if getattr(topic, attribute, None):
            result["Attributes"][name] = getattr(topic, attribute)
    return result
