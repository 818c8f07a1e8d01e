#include "pkg/serve/models.h"

#include <stdlib.h>
#include <string.h>

#include "pkg/base/panic.h"
#include "pkg/http/http.h"
#include "pkg/serve/extract.h"
#include "pkg/serve/server.h"
#include "pkg/value/json.h"

enum {
    PADDED_DIMENSIONS = 1024,
    TITAN_BYTES_MAXIMUM = 50000,
    BODY_MAXIMUM = 4 << 20,
    CHAT_TIMEOUT_MS = 120000,
    BYTES_A_TOKEN = 4,
};

struct model_server {
    struct arena *arena;
    struct model_server_options options;
    struct server *server;
};

/* An error as Bedrock writes it. */
static void refuse(const struct request *request, struct reply *reply, int status, const char *type,
                   const char *message)
{
    reply_message(request, reply, status, message);
    reply->headers =
        value_set_text(request->arena, value_map(request->arena), "x-amzn-errortype", type);
}

/* -- embeddings -- */

static struct value *vector_value(struct arena *arena, const float *vector, int64_t dimensions)
{
    struct value *list = value_list(arena);
    for (int64_t i = 0; i < dimensions; i++)
        value_push(arena, list, value_real(arena, i < ENCODER_DIMENSIONS ? (double)vector[i] : 0));
    return list;
}

static void serve_embedding(const struct model_server *server, const struct request *request,
                            const struct value *body, struct reply *reply)
{
    const struct value *text = value_get(body, "inputText");
    int64_t dimensions = value_int_at(body, "dimensions", PADDED_DIMENSIONS);
    float vector[ENCODER_DIMENSIONS];
    if (!server->options.encoder) {
        refuse(request, reply, 503, "ModelNotReadyException",
               "there is no local embedding model: `ragstack up --local` fetches it");
        return;
    }
    if (!value_is(text, VALUE_STRING) || text->string.length == 0 ||
        text->string.length > TITAN_BYTES_MAXIMUM) {
        refuse(request, reply, 400, "ValidationException", "inputText: 1 to 50,000 characters");
        return;
    }
    if (dimensions != ENCODER_DIMENSIONS && dimensions != PADDED_DIMENSIONS) {
        refuse(request, reply, 400, "ValidationException",
               "dimensions: the local encoder gives 512, or 1024 padded with zeros");
        return;
    }
    size_t pieces =
        encoder_embed(server->options.encoder, text->string.text, text->string.length, vector);
    struct value *answer = value_map(request->arena), *list;
    list = vector_value(request->arena, vector, dimensions);
    value_set(request->arena, answer, "embedding", list);
    value_set(request->arena, answer, "embeddingsByType",
              value_wrap(request->arena, "float", list));
    value_set_int(request->arena, answer, "inputTextTokenCount", (int64_t)pieces);
    reply_json(request, reply, 200, answer);
}

/* -- answers -- */

static const char *joined_text(struct arena *arena, const struct value *blocks)
{
    const char *text = "";
    struct value *block;
    value_each(block, blocks)
    {
        const char *part = value_text(block, "text");
        text = part ? arena_printf(arena, "%s%s%s", text, *text ? "\n" : "", part) : text;
    }
    return text;
}

static struct value *chat_message(struct arena *arena, const char *role, const char *text)
{
    return value_set_text(arena, value_set_text(arena, value_map(arena), "role", role), "content",
                          text);
}

static const char *chat_body(const struct model_server *server, struct arena *arena,
                             const struct value *body)
{
    struct value *chat = value_map(arena), *messages = value_list(arena), *message;
    const char *system = joined_text(arena, value_get(body, "system"));
    if (*system)
        value_push(arena, messages, chat_message(arena, "system", system));
    value_each(message, value_get(body, "messages"))
    {
        const char *role = value_text(message, "role");
        value_push(arena, messages,
                   chat_message(arena, role ? role : "user",
                                joined_text(arena, value_get(message, "content"))));
    }
    value_set_text(arena, chat, "model", server->options.chat_model);
    value_set(arena, chat, "messages", messages);
    value_set_int(arena, chat, "max_tokens", value_int_at(body, "inferenceConfig.maxTokens", 800));
    value_set(arena, chat, "temperature", value_real(arena, 0));
    return json_text(arena, chat);
}

struct generated {
    const char *text, *stop_reason;
    int64_t input_tokens, output_tokens;
};

static int read_chat(struct arena *arena, const struct http_reply *answer, struct generated *out,
                     struct error *error)
{
    struct value *tree;
    int result = json_parse(arena, answer->body, answer->body_length, "chat", &tree, error);
    if (result < 0 || answer->status != 200)
        return error_set(error, ERR_FAILED, "the language model's server answered %d",
                         answer->status);
    const char *text = value_text_at(tree, "choices[0].message.content");
    const char *reason = value_text_at(tree, "choices[0].finish_reason");
    if (!text)
        return error_set(error, ERR_FAILED, "the language model's server answered without a text");
    *out = (struct generated){text,
                              reason && strcmp(reason, "length") == 0 ? "max_tokens" : "end_turn",
                              value_int_at(tree, "usage.prompt_tokens", 0),
                              value_int_at(tree, "usage.completion_tokens", 0)};
    return 0;
}

static int chat(const struct model_server *server, struct arena *arena, const struct value *body,
                struct generated *out, struct error *error)
{
    static const struct http_header headers[] = {{"content-type", "application/json"}};
    struct transport *transport = http_curl_new(NULL, &(struct http_curl_options){0});
    struct http_reply answer;
    const char *text = chat_body(server, arena, body);
    struct http_request request = {
        .method = "POST",
        .url = arena_printf(arena, "%s/chat/completions", server->options.chat_url),
        .headers = headers,
        .header_count = COUNT_OF(headers),
        .body = text,
        .body_length = strlen(text),
        .timeout_ms = CHAT_TIMEOUT_MS,
    };
    int result = http_perform(transport, NULL, arena, &request, &answer, error);
    if (result == 0)
        result = read_chat(arena, &answer, out, error);
    http_close(transport);
    return result;
}

static void extract(const struct model_server *server, struct arena *arena,
                    const struct value *body, struct generated *out)
{
    const struct value *messages = value_get(body, "messages");
    const struct value *last = value_item(messages, value_item_count(messages) - 1);
    const char *prompt = joined_text(arena, value_get(last, "content"));
    const char *text = extract_answer(arena, server->options.encoder, prompt);
    *out = (struct generated){text, "end_turn", (int64_t)strlen(prompt) / BYTES_A_TOKEN,
                              (int64_t)strlen(text) / BYTES_A_TOKEN};
}

static struct value *converse_answer(struct arena *arena, const struct generated *generated)
{
    struct value *answer = value_map(arena), *message = value_map(arena), *usage = value_map(arena);
    value_set_text(arena, message, "role", "assistant");
    value_set(arena, message, "content",
              value_push(arena, value_list(arena),
                         value_set_text(arena, value_map(arena), "text", generated->text)));
    value_set_int(arena, usage, "inputTokens", generated->input_tokens);
    value_set_int(arena, usage, "outputTokens", generated->output_tokens);
    value_set_int(arena, usage, "totalTokens", generated->input_tokens + generated->output_tokens);
    value_set(arena, answer, "output", value_wrap(arena, "message", message));
    value_set_text(arena, answer, "stopReason", generated->stop_reason);
    value_set(arena, answer, "usage", usage);
    return value_set(arena, answer, "metrics",
                     value_set_int(arena, value_map(arena), "latencyMs", 0));
}

static void serve_converse(const struct model_server *server, const struct request *request,
                           const struct value *body, struct reply *reply)
{
    struct generated generated = {0};
    struct error error = {0};
    if (!value_item_count(value_get(body, "messages"))) {
        refuse(request, reply, 400, "ValidationException", "messages: at least one");
        return;
    }
    if (!server->options.chat_url)
        extract(server, request->arena, body, &generated);
    else if (chat(server, request->arena, body, &generated, &error) < 0) {
        refuse(request, reply, 424, "ModelErrorException", error.message);
        return;
    }
    reply_json(request, reply, 200, converse_answer(request->arena, &generated));
}

/* -- requests -- */

/* POST /model/{id}/invoke and /model/{id}/converse */
static void serve(void *data, const struct request *request, struct reply *reply)
{
    const struct model_server *server = data;
    struct value *body;
    struct error error;
    const char *id = strncmp(request->path, "/model/", 7) == 0 ? request->path + 7 : NULL;
    const char *verb = id ? strchr(id, '/') : NULL;
    if (!verb || strcmp(request->method, "POST") != 0)
        refuse(request, reply, 404, "UnknownOperationException", "no such operation");
    else if (json_parse(request->arena, request->body, request->body_length, "body", &body,
                        &error) < 0)
        refuse(request, reply, 400, "ValidationException", "the body is no JSON");
    else if (strcmp(verb, "/invoke") == 0)
        serve_embedding(server, request, body, reply);
    else if (strcmp(verb, "/converse") == 0)
        serve_converse(server, request, body, reply);
    else
        refuse(request, reply, 404, "UnknownOperationException", "no such operation");
}

int model_server_start(const struct model_server_options *options, struct model_server **out,
                       struct error *error)
{
    struct model_server *server = calloc(1, sizeof *server);
    struct server_options listen = {
        .port = options->port, .maximum_body_bytes = BODY_MAXIMUM, .serve = serve, .data = server};
    require(server);
    server->arena = arena_new();
    server->options = *options;
    server->options.chat_url = arena_strdup(server->arena, options->chat_url);
    server->options.chat_model = arena_strdup(server->arena, options->chat_model);
    int result = server_start(&listen, &server->server, error);
    if (result < 0)
        model_server_stop(server);
    else
        *out = server;
    return result;
}

int model_server_port(const struct model_server *server)
{
    return server_port(server->server);
}

void model_server_stop(struct model_server *server)
{
    if (!server)
        return;
    server_stop(server->server);
    arena_free(server->arena);
    free(server);
}
