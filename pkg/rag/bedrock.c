/* Titan by InvokeModel, and Claude or any other model by Converse. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/base/log.h"
#include "pkg/rag/embedder.h"
#include "pkg/rag/model.h"
#include "pkg/value/json.h"

enum {
    EMBED_AT_ONCE = 8,
};

struct bedrock {
    struct bedrock_options options;
    struct models models;
};

/* -- embedding -- */

struct one_text {
    struct bedrock *bedrock;
    struct arena *arena;
    const char *text;
    float *out;
    int tokens;
};

static const struct value *embed_body(struct arena *arena, const struct bedrock_options *options,
                                      const char *text)
{
    struct value *body = value_map(arena);
    value_set_text(arena, body, "inputText", text);
    value_set_int(arena, body, "dimensions", options->dimensions);
    return value_set_bool(arena, body, "normalize", true);
}

static int read_vector(const struct value *reply, int dimensions, float *out, struct error *error)
{
    const struct value *vector = value_get(reply, "embedding");
    double sum = 0;
    if (value_count(vector) != (size_t)dimensions)
        return error_set(error, ERR_FAILED, "the embedding model gave %zu numbers, %d were wanted",
                         value_count(vector), dimensions);
    for (int i = 0; i < dimensions; i++) {
        out[i] = (float)value_as_real(value_item(vector, (size_t)i), 0);
        sum += (double)out[i] * out[i];
    }
    if (!(sum > 0) || !isfinite(sum))
        return error_set(error, ERR_FAILED,
                         "the embedding model gave a vector without a direction");
    for (int i = 0; i < dimensions; i++)
        out[i] /= (float)sqrt(sum);
    return 0;
}

static int embed_one(struct task *task, void *argument, struct error *error)
{
    struct one_text *one = argument;
    const struct bedrock_options *options = &one->bedrock->options;
    struct aws_reply reply;
    struct value *tree = NULL, *parameters = value_map(one->arena);
    value_set_text(one->arena, parameters, "modelId", options->embed_model);
    value_set_text(one->arena, parameters, "contentType", "application/json");
    value_set_text(one->arena, parameters, "accept", "application/json");
    value_set_text(one->arena, parameters, "body",
                   json_text(one->arena, embed_body(one->arena, options, one->text)));
    int result = aws_call_raw(task, options->client, one->arena, &aws_bedrock_runtime,
                              "InvokeModel", parameters, &reply, error);
    if (result == 0)
        result = json_parse(one->arena, reply.http.body, reply.http.body_length, "embedding", &tree,
                            error);
    if (result < 0)
        return result;
    one->tokens = (int)value_int_at(tree, "inputTextTokenCount", 0);
    return read_vector(tree, options->dimensions, one->out, error);
}

static int embed(struct task *task, struct models *models, struct arena *arena,
                 const char *const *texts, size_t count, float *out, struct model_usage *usage,
                 struct error *error)
{
    struct bedrock *bedrock = models->data;
    const struct bedrock_options *options = &bedrock->options;
    struct one_text *all = arena_array(arena, count + 1, sizeof *all);
    for (size_t i = 0; i < count; i++)
        all[i] =
            (struct one_text){bedrock, arena, texts[i], out + i * (size_t)options->dimensions, 0};
    int at_once = options->embed_at_once ? options->embed_at_once : EMBED_AT_ONCE, result = 0;
    if (task && count > 1)
        result = task_each(task, "embed", embed_one, all, sizeof *all, count, at_once, error);
    for (size_t i = 0; (!task || count == 1) && i < count && result == 0; i++)
        result = embed_one(task, &all[i], error);
    *usage = (struct model_usage){.model = options->embed_model};
    for (size_t i = 0; i < count; i++)
        usage->input_tokens += all[i].tokens;
    usage->dollars = price_of_tokens(options->embed_model, usage->input_tokens, 0);
    return result;
}

/* -- generating -- */

static struct value *text_block(struct arena *arena, const char *text)
{
    return value_push(arena, value_list(arena),
                      value_set_text(arena, value_map(arena), "text", text));
}

static const struct value *converse_parameters(struct arena *arena, const char *model,
                                               const struct generation_request *request)
{
    struct value *message = value_map(arena), *limits = value_map(arena), *all = value_map(arena);
    value_set_text(arena, message, "role", "user");
    value_set(arena, message, "content", text_block(arena, request->user));
    value_set_int(arena, limits, "maxTokens", request->max_tokens);
    value_set(arena, limits, "temperature", value_real(arena, 0));
    value_set_text(arena, all, "modelId", model);
    if (request->system && *request->system)
        value_set(arena, all, "system", text_block(arena, request->system));
    value_set(arena, all, "messages", value_push(arena, value_list(arena), message));
    return value_set(arena, all, "inferenceConfig", limits);
}

static int read_generation(struct arena *arena, const char *model, const struct value *reply,
                           struct generation *out, struct error *error)
{
    const char *text = value_text_at(reply, "output.message.content[0].text");
    if (!text)
        return error_set(error, ERR_FAILED, "%s answered without a text", model);
    int input = (int)value_int_at(reply, "usage.inputTokens", 0);
    int output = (int)value_int_at(reply, "usage.outputTokens", 0);
    const char *reason = value_text(reply, "stopReason");
    *out = (struct generation){
        .text = arena_strdup(arena, text),
        .stop_reason = reason ? reason : "",
        .usage = {input, output, price_of_tokens(model, input, output), model},
    };
    return 0;
}

/* One attempt with one model, in a task of its own, so that it can be left at the deadline. */
struct attempt {
    struct bedrock *bedrock;
    struct arena *arena;
    const char *model;
    const struct generation_request *request;
    struct generation *out;
    struct signal ended;
    bool over;
};

static int attempt_model(struct task *task, void *argument, struct error *error)
{
    struct attempt *attempt = argument;
    struct value *reply;
    int result = aws_call(
        task, attempt->bedrock->options.client, attempt->arena, &aws_bedrock_runtime, "Converse",
        converse_parameters(attempt->arena, attempt->model, attempt->request), &reply, error);
    if (result == 0)
        result = read_generation(attempt->arena, attempt->model, reply, attempt->out, error);
    attempt->over = true;
    signal_all(&attempt->ended);
    return result;
}

static int run_attempt(struct task *task, struct attempt *attempt, struct error *error)
{
    if (!task)
        return attempt_model(NULL, attempt, error);
    struct task *runner = task_start(task_loop(task), attempt->model, attempt_model, attempt);
    int waited = 0;
    while (!attempt->over && waited == 0)
        waited =
            task_wait(task, &attempt->ended, attempt->request->deadline_ms, "the model", error);
    if (waited < 0)
        task_cancel(runner);
    struct error late = {0};
    task_mask_cancel(task, true);
    int result = task_join(task, runner, &late);
    task_mask_cancel(task, false);
    if (waited == ERR_TIMEOUT)
        return error_set(error, ERR_TIMEOUT, "%s did not answer in time", attempt->model);
    if (waited < 0)
        return waited;
    if (result < 0 && error)
        *error = late;
    return result;
}

static int generate(struct task *task, struct models *models, struct arena *arena,
                    const struct generation_request *request, struct generation *out,
                    struct error *error)
{
    struct bedrock *bedrock = models->data;
    const char *const *fallback = bedrock->options.fallback;
    const char *model = bedrock->options.generate_model;
    int result = ERR_THROTTLED;
    while (model && result == ERR_THROTTLED) {
        struct attempt attempt = {bedrock, arena, model, request, out, {0}, false};
        result = run_attempt(task, &attempt, error);
        if (result == ERR_THROTTLED)
            log_debug("%s is throttled", model);
        model = fallback && *fallback ? *fallback++ : NULL;
    }
    return result;
}

struct models *bedrock_models(struct arena *arena, const struct bedrock_options *options)
{
    struct bedrock *bedrock = arena_new_of(arena, struct bedrock);
    *bedrock = (struct bedrock){
        .options = *options,
        .models = {.embedder = options->embed_model,
                   .dimensions = options->dimensions,
                   .unit_maximum = embedder_of(options->embed_model)->unit_maximum,
                   .embed = strcmp(options->embed_model, "none") == 0 ? NULL : embed,
                   .generate = generate,
                   .data = bedrock},
    };
    return &bedrock->models;
}
