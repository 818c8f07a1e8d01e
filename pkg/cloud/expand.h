/* From a checked stack file to the resources of the aws target. Pure: the file alone decides.
 *
 * expand.c begins and ends it, and takes in the free `resources:`; one file a subject makes the
 * rest. */
#ifndef RAGSTACK_CLOUD_EXPAND_H
#define RAGSTACK_CLOUD_EXPAND_H

#include "pkg/resource/resource.h"

struct expand_options {
    const char *handler_zip;     /* path of the handlers' zip */
    const char *handler_sha256;  /* its SHA-256 in base64, as Lambda's CodeSha256 has it */
    const struct git_state *git; /* may be NULL */
    const char *prompt;          /* the template's text; NULL: the handlers' own */
};

/* `tree` is a stack's tree (every key present). ERR_INPUT when a free resource takes a built-in id,
 * or when what the file says could not work: functions without a way to the models, a prompt that
 * does not fit. */
int cloud_expand(struct arena *arena, const struct value *tree,
                 const struct expand_options *options, struct resource_list *out,
                 struct error *error);

/* -- for the files of the expansion -- */
/* Database users: who makes tables, and who uses them. */
#define MASTER_USER "ragadmin"
#define APP_USER "rag_app"

struct expansion {
    struct arena *arena;
    const struct value *tree;
    const struct expand_options *options;
    struct resource_list *out;
};

/* Adds a resource; `from` is the part of the file that it comes from (its mark). */
struct resource *expand_add(struct expansion *expansion, const struct resource_type *type,
                            const char *id, const struct value *from, struct value *props);
/* Says it aloud in every plan; `from` is the part of the file that it is about. */
void expand_note(struct resource *resource, const struct value *from, const char *note);
/* props(arena, "key", value, "key", value, NULL); NULL values are left out. */
struct value *props(struct arena *arena, ...) __attribute__((sentinel));
/* A list of the values, up to NULL. */
struct value *items(struct arena *arena, ...) __attribute__((sentinel));
struct value *text(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
/* A list of "${<prefix><n>.<attribute>}" for n from 1 to count. */
struct value *each_reference(struct arena *arena, const char *prefix, int count,
                             const char *attribute);
/* Shorthands into the tree. */
int64_t say_int(const struct expansion *expansion, const char *path);
bool say_bool(const struct expansion *expansion, const char *path);
const char *say_text(const struct expansion *expansion, const char *path);
struct value *say(const struct expansion *expansion, const char *path);
/* Is somebody told of what goes wrong: watch.notify, by the topic `alerts`? */
bool has_topic(const struct expansion *expansion);
/* Is this AWS service among network.endpoints? */
bool has_endpoint(const struct expansion *expansion, const char *service);

/* What the API answers, and by which function; ends with a NULL key. The same on every target. */
struct api_route {
    const char *key, *function;
};
extern const struct api_route api_routes[];
/* Access from browsers, as the file says; NULL for none. */
struct value *expand_cors(const struct expansion *expansion);
/* What the handler "ask" reads of its environment, but for the names of its models. */
void expand_asking(const struct expansion *expansion, struct value *environment);

/* An IAM policy document of these statements. */
struct value *policy(struct arena *arena, struct value *statements);
/* actions and resources are lists of strings. */
struct value *allow(struct arena *arena, const char *sid, struct value *actions,
                    struct value *resources);
struct value *trust(struct arena *arena, const char *service);

void expand_network(struct expansion *expansion);
void expand_database(struct expansion *expansion);
void expand_documents(struct expansion *expansion);
void expand_functions(struct expansion *expansion);
void expand_api(struct expansion *expansion);
void expand_watch(struct expansion *expansion);

#endif
