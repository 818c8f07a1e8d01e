/* What a handler's process keeps from one event to the next: the loop, the HTTP connections, the
 * database's connection. Made when first needed, so that a start costs nothing. */
#ifndef RAGSTACK_CMD_RAG_HANDLER_RUNTIME_H
#define RAGSTACK_CMD_RAG_HANDLER_RUNTIME_H

#include "pkg/aws/client.h"
#include "pkg/lambda/lambda.h"
#include "pkg/pg/pg.h"
#include "pkg/rag/model.h"

/* Runs a function in a task on the process's loop, and returns its result. */
int runtime_run(const char *name, task_function *function, void *argument, struct error *error);

/* The client for Bedrock and S3. Its patience with throttles is short: people wait. */
struct aws_client *runtime_client(void);

/* The models that the environment names. RAG_EMBED_MODEL "none": models->embed is NULL. */
int runtime_models(struct arena *arena, struct models **out, struct error *error);

/* The database. RAG_DB_URL_FILE names a file with a connection's URI (the local target); else
 * RAG_DB_HOST, RAG_DB_NAME and RAG_DB_USER, with a token made here from the function's own
 * credentials and TLS verified. A kept connection that broke is opened anew. */
int runtime_database(struct task *task, struct pg **out, struct error *error);
/* The same for another host, as the schema's event names it: not kept. */
int runtime_connect(struct task *task, const char *host, struct pg **out, struct error *error);

/* A whole number of the environment, or `otherwise`. */
int64_t runtime_number(const char *name, int64_t otherwise);
/* A text of the environment; NULL when it is empty or not there. */
const char *runtime_text(const char *name);

#endif
