/* The instance's role, from the metadata service, version 2 (with a session token).
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-v2-how-it-works.html */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "pkg/aws/source.h"

#define ROLES_PATH "/latest/meta-data/iam/security-credentials/"

enum { REPLY_MAXIMUM_BYTES = 64 << 10, LONGEST_TIMEOUT_S = 60, MOST_ATTEMPTS = 10 };

struct metadata {
    const char *base; /* without a final slash */
    int timeout_ms, attempts;
};

/* From the environment, or the selected profile. */
static const char *setting(const struct search *search, const char *variable, const char *option)
{
    const char *text = search_env(search, variable);
    if (text || !search->profiles)
        return text;
    return profile_get(profiles_find(search->profiles, search->profiles->selected), option);
}

static int number_setting(const struct search *search, const char *variable, const char *option,
                          int most)
{
    const char *text = setting(search, variable, option);
    long number = text ? strtol(text, NULL, 10) : 1;
    return number < 1 ? 1 : number > most ? most : (int)number;
}

static struct metadata read_settings(const struct search *search)
{
    const char *base =
        setting(search, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint");
    const char *mode = setting(search, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
                               "ec2_metadata_service_endpoint_mode");
    bool six = mode && strcasecmp(mode, "ipv6") == 0;
    if (!base)
        base = six ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
    size_t length = strlen(base);
    while (length && base[length - 1] == '/')
        length--;
    return (struct metadata){
        .base = arena_strndup(search->arena, base, length),
        .timeout_ms = 1000 * number_setting(search, "AWS_METADATA_SERVICE_TIMEOUT",
                                            "metadata_service_timeout", LONGEST_TIMEOUT_S),
        .attempts = number_setting(search, "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
                                   "metadata_service_num_attempts", MOST_ATTEMPTS),
    };
}

static int ask(struct task *task, const struct search *search, const struct metadata *metadata,
               const char *method, const char *path, const struct http_header *header,
               struct http_reply *reply, struct error *error)
{
    struct http_request request = {.method = method,
                                   .url = arena_printf(search->arena, "%s%s", metadata->base, path),
                                   .headers = header,
                                   .header_count = 1,
                                   .connect_timeout_ms = metadata->timeout_ms,
                                   .timeout_ms = metadata->timeout_ms,
                                   .maximum_body_bytes = REPLY_MAXIMUM_BYTES};
    return search_fetch(task, search, &request, metadata->attempts, reply, error);
}

static int unexpected(const struct http_reply *reply, const char *what, struct error *error)
{
    return error_set(error, ERR_FAILED,
                     "the instance's metadata service answers with HTTP %d to %s", reply->status,
                     what);
}

/* Nobody there is the usual case, on every machine that is no EC2 instance. */
static int get_token(struct task *task, struct search *search, const struct metadata *metadata,
                     const char **token, struct error *error)
{
    static const struct http_header lifetime = {"x-aws-ec2-metadata-token-ttl-seconds", "21600"};
    struct http_reply reply;
    int result = ask(task, search, metadata, "PUT", "/latest/api/token", &lifetime, &reply, error);
    if (result == ERR_CANCELLED)
        return result;
    if (result < 0) {
        search_note(search, "no instance metadata at %s", metadata->base);
        return SOURCE_EMPTY;
    }
    if (reply.status == 403) {
        search_note(search, "instance metadata is switched off");
        return SOURCE_EMPTY;
    }
    if (reply.status != 200 || !header_safe(reply.body))
        return unexpected(&reply, "the request for a token", error);
    *token = reply.body;
    return 0;
}

static int get_role(struct task *task, struct search *search, const struct metadata *metadata,
                    const struct http_header *token, const char **role, struct error *error)
{
    struct http_reply reply;
    int result = ask(task, search, metadata, "GET", ROLES_PATH, token, &reply, error);
    if (result < 0)
        return error_wrap(error, "instance metadata");
    if (reply.status == 404) {
        search_note(search, "the instance has no role");
        return SOURCE_EMPTY;
    }
    if (reply.status != 200 || reply.body_length == 0)
        return unexpected(&reply, "the question for its role", error);
    *role = arena_strndup(search->arena, reply.body, strcspn(reply.body, "\r\n"));
    return 0;
}

static int get_keys(struct task *task, struct search *search, const struct metadata *metadata,
                    const struct http_header *token, const char *role, struct credentials *out,
                    struct error *error)
{
    struct http_reply reply;
    struct value *tree;
    const char *path =
        arena_printf(search->arena, ROLES_PATH "%s", http_encode(search->arena, role, false));
    int result = ask(task, search, metadata, "GET", path, token, &reply, error);
    if (result < 0)
        return error_wrap(error, "instance metadata");
    if (reply.status != 200)
        return unexpected(&reply, "the request for credentials", error);
    result = search_json(search, reply.body, reply.body_length, "instance metadata", &tree, error);
    const char *code = result == 0 ? value_text(tree, "Code") : NULL;
    if (code && strcmp(code, "Success") != 0)
        return error_set(error, ERR_FAILED,
                         "instance metadata has no credentials of role %s (%.60s): is its trust "
                         "policy for ec2.amazonaws.com?",
                         role, code);
    return result < 0 ? result : search_keys(tree, "Token", "instance metadata", out, error);
}

int source_instance(struct task *task, struct search *search, struct credentials *out,
                    struct error *error)
{
    const char *disabled = search_env(search, "AWS_EC2_METADATA_DISABLED");
    const char *token = NULL, *role = NULL;
    if (disabled && strcasecmp(disabled, "true") == 0) {
        search_note(search, "AWS_EC2_METADATA_DISABLED is true");
        return SOURCE_EMPTY;
    }
    struct metadata metadata = read_settings(search);
    int result = get_token(task, search, &metadata, &token, error);
    if (result != 0)
        return result;
    struct http_header header = {"x-aws-ec2-metadata-token", token};
    result = get_role(task, search, &metadata, &header, &role, error);
    if (result != 0)
        return result;
    credentials_name(out, "instance metadata, role %.38s", role);
    return get_keys(task, search, &metadata, &header, role, out, error);
}
