#include <stddef.h>

#include "pkg/aws/service.h"

#define ROW(operation, http_method, http_path, ...)                                    \
    {                                                                                  \
        .name = (operation), .method = (http_method), .path = (http_path), __VA_ARGS__ \
    }

static const struct aws_operation operations[] = {
    ROW("GetFoundationModel", "GET", "/foundation-models/{modelIdentifier}", ),
    ROW("ListFoundationModels", "GET", "/foundation-models",
        .query = "byProvider byCustomizationType byOutputModality byInferenceType",
        .page_items = "modelSummaries"),
    ROW("GetFoundationModelAvailability", "GET", "/foundation-model-availability/{modelId}", ),
    ROW("GetInferenceProfile", "GET", "/inference-profiles/{inferenceProfileIdentifier}", ),
    ROW("ListInferenceProfiles", "GET", "/inference-profiles",
        .query = "maxResults nextToken typeEquals=type", .page_in = "nextToken",
        .page_out = "nextToken", .page_items = "inferenceProfileSummaries"),
    {.name = NULL},
};

const struct aws_service aws_bedrock = {
    .id = "bedrock",
    .sdk_id = "BEDROCK",
    .endpoint_prefix = "bedrock",
    .signing_name = "bedrock",
    .protocol = AWS_REST_JSON,
    .version = "2023-04-20",
    .calls_per_s = 5,
    .burst = 10,
    .operations = operations,
};

static const struct aws_operation runtime_operations[] = {
    ROW("InvokeModel", "POST", "/model/{modelId}/invoke",
        .headers = "contentType=Content-Type accept=Accept trace=X-Amzn-Bedrock-Trace "
                   "guardrailIdentifier=X-Amzn-Bedrock-GuardrailIdentifier "
                   "guardrailVersion=X-Amzn-Bedrock-GuardrailVersion "
                   "performanceConfigLatency=X-Amzn-Bedrock-PerformanceConfig-Latency",
        .payload = "body", .body_is_raw = true, .reads = true, .timeout_s = 120),
    ROW("Converse", "POST", "/model/{modelId}/converse", .reads = true, .timeout_s = 120),
    {.name = NULL},
};

/* Paced by the models' own quotas, which this table cannot know. */
const struct aws_service aws_bedrock_runtime = {
    .id = "bedrock-runtime",
    .sdk_id = "BEDROCK_RUNTIME",
    .endpoint_prefix = "bedrock-runtime",
    .signing_name = "bedrock",
    .protocol = AWS_REST_JSON,
    .version = "2023-09-30",
    .operations = runtime_operations,
};
