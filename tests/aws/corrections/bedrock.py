"""Bedrock: a few models with their lifecycles, embeddings and answers that are the same every run."""

from __future__ import annotations

import hashlib
import json
import math
import struct
from typing import TYPE_CHECKING, Any

from corrections import corrects
from messages import AwsError, Reply

if TYPE_CHECKING:
    from call import Call

Result = dict[str, Any]

# Model -> name, provider, lifecycle, input, output, ways to call it.
MODELS: dict[str, tuple[str, str, str, str, str, list[str]]] = {
    "amazon.titan-embed-text-v2:0": ("Titan Text Embeddings V2", "Amazon", "ACTIVE", "TEXT", "EMBEDDING", ["ON_DEMAND"]),
    "anthropic.claude-3-haiku-20240307-v1:0": ("Claude 3 Haiku", "Anthropic", "LEGACY", "TEXT", "TEXT", ["ON_DEMAND"]),
    "anthropic.claude-haiku-4-5-20251001-v1:0": ("Claude Haiku 4.5", "Anthropic", "ACTIVE", "TEXT", "TEXT",
                                                 ["INFERENCE_PROFILE"]),
    "anthropic.claude-sonnet-4-5-20250929-v1:0": ("Claude Sonnet 4.5", "Anthropic", "ACTIVE", "TEXT", "TEXT",
                                                  ["INFERENCE_PROFILE"]),
}
REGIONS = {"us": ("us-east-1", "us-east-2", "us-west-2"), "eu": ("eu-central-1", "eu-west-1", "eu-west-3"),
           "global": ("us-east-1", "us-west-2", "eu-west-1")}


def _model(call: Call, name: str) -> Result:
    title, provider, lifecycle, takes, gives, ways = MODELS[name]
    return {"modelArn": f"arn:aws:bedrock:{call.region}::foundation-model/{name}", "modelId": name, "modelName": title,
            "providerName": provider, "inputModalities": [takes], "outputModalities": [gives],
            "responseStreamingSupported": gives == "TEXT", "customizationsSupported": [],
            "inferenceTypesSupported": ways, "modelLifecycle": {"status": lifecycle}}


def _name(text: str) -> str:
    return text.rsplit("/", 1)[-1]


def _profiles(call: Call) -> dict[str, Result]:
    found = {}
    for name, entry in MODELS.items():
        if "INFERENCE_PROFILE" not in entry[5]:
            continue
        for prefix, regions in REGIONS.items():
            if prefix != "global" and prefix != call.region[:2]:
                continue
            profile = f"{prefix}.{name}"
            found[profile] = {
                "inferenceProfileId": profile, "inferenceProfileName": f"{prefix.upper()} {entry[0]}",
                "inferenceProfileArn": f"arn:aws:bedrock:{call.region}:{call.account}:inference-profile/{profile}",
                "models": [{"modelArn": f"arn:aws:bedrock:{region}::foundation-model/{name}"} for region in regions],
                "status": "ACTIVE", "type": "SYSTEM_DEFINED"}
    return found


@corrects("bedrock", "GetFoundationModel")
def get_model(call: Call) -> Result:
    name = _name(call.params["modelIdentifier"])
    if name not in MODELS:
        raise AwsError("ResourceNotFoundException", f"Could not resolve the foundation model from {name}", 404)
    return {"modelDetails": _model(call, name)}


@corrects("bedrock", "ListFoundationModels")
def list_models(call: Call) -> Result:
    provider = call.params.get("byProvider")
    found = [_model(call, name) for name, entry in MODELS.items() if provider in (None, entry[1])]
    return {"modelSummaries": found}


@corrects("bedrock", "GetFoundationModelAvailability")
def get_availability(call: Call) -> Result:
    name = _name(call.params["modelId"])
    if name not in MODELS:
        raise AwsError("ResourceNotFoundException", f"Could not resolve the foundation model from {name}", 404)
    return {"modelId": name, "agreementAvailability": {"status": "AVAILABLE"}, "authorizationStatus": "AUTHORIZED",
            "entitlementAvailability": "AVAILABLE", "regionAvailability": "AVAILABLE"}


@corrects("bedrock", "ListInferenceProfiles")
def list_profiles(call: Call) -> Result:
    return {"inferenceProfileSummaries": list(_profiles(call).values())}


@corrects("bedrock", "GetInferenceProfile")
def get_profile(call: Call) -> Result:
    profile = _profiles(call).get(_name(call.params["inferenceProfileIdentifier"]))
    if profile is None:
        raise AwsError("ResourceNotFoundException", "The provided inference profile is not found.", 404)
    return profile


# -- calling them ----------------------------------------------------------------------------------


def _called(call: Call) -> str:
    """The model behind an id, an ARN or a profile."""
    name = _name(call.params["modelId"])
    if name in _profiles(call):
        return name.split(".", 1)[1]
    if name not in MODELS:
        raise AwsError("ValidationException", "The provided model identifier is invalid.")
    if "ON_DEMAND" not in MODELS[name][5]:
        raise AwsError("ValidationException", f"Invocation of model ID {name} with on-demand throughput isn’t supported. "
                       "Retry your request with the ID or ARN of an inference profile that contains this model.")
    return name


def embedding(text: str, dimensions: int) -> list[float]:
    """A unit vector that depends on the text alone."""
    words = text.lower().split() or [""]
    vector = [0.0] * dimensions
    for word in words:
        digest = hashlib.sha256(word.encode()).digest()
        for index in range(dimensions):
            digest = hashlib.sha256(digest).digest() if index % 8 == 0 else digest
            vector[index] += struct.unpack_from("<i", digest, index % 8 * 4)[0] / 2**31
    length = math.sqrt(sum(value * value for value in vector)) or 1.0
    return [value / length for value in vector]


@corrects("bedrock-runtime", "InvokeModel")
def invoke_model(call: Call) -> Reply:
    name = _called(call)
    try:
        body = json.loads(call.params.get("body") or b"")
    except ValueError:
        raise AwsError("ValidationException", "Malformed input request, please reformat your input and try again.") from None
    if MODELS[name][4] == "EMBEDDING":
        unknown = set(body) - {"inputText", "dimensions", "normalize", "embeddingTypes"}
        if "inputText" not in body or unknown or body.get("dimensions", 1024) not in (256, 512, 1024):
            raise AwsError("ValidationException", "Malformed input request, please reformat your input and try again.")
        vector = embedding(body["inputText"], body.get("dimensions", 1024))
        result: Result = {"embedding": vector, "embeddingsByType": {"float": vector},
                          "inputTextTokenCount": len(body["inputText"].split())}
    else:
        if "messages" not in body or "anthropic_version" not in body or "max_tokens" not in body:
            raise AwsError("ValidationException", "messages, max_tokens and anthropic_version: Field required")
        result = {"id": "msg_1", "type": "message", "role": "assistant", "stop_reason": "end_turn",
                  "content": [{"type": "text", "text": "An answer of the emulator [1]."}],
                  "usage": {"input_tokens": 10, "output_tokens": 7}}
    return Reply(200, [("Content-Type", "application/json")], json.dumps(result).encode())


@corrects("bedrock-runtime", "Converse")
def converse(call: Call) -> Result:
    name = _called(call)
    if MODELS[name][4] != "TEXT":
        raise AwsError("ValidationException", "This action doesn't support the model that you provided.")
    return {"output": {"message": {"role": "assistant", "content": [{"text": "An answer of the emulator [1]."}]}},
            "stopReason": "end_turn", "usage": {"inputTokens": 10, "outputTokens": 7, "totalTokens": 17},
            "metrics": {"latencyMs": 1}}
