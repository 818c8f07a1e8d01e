/* A Bedrock-compatible endpoint on loopback for the local target.
 *
 * InvokeModel speaks Titan Text Embeddings V2 by the local encoder: 512 numbers as they are, 1024
 * padded with zeros (same angles), 256 refused. Converse goes to an OpenAI-compatible server where
 * one is configured; else to the extractive answerer, which quotes the sentences nearest to the
 * question, says so, and never passes for a model. Signatures are not checked: nothing beyond
 * loopback reaches it. */
#ifndef RAGSTACK_SERVE_MODELS_H
#define RAGSTACK_SERVE_MODELS_H

#include "pkg/base/error.h"
#include "pkg/encoder/encoder.h"

struct model_server_options {
    int port;                /* 0: any free one */
    struct encoder *encoder; /* NULL: embeddings are refused with what to do */
    const char *chat_url;    /* "http://127.0.0.1:11434/v1"; NULL: extracts */
    const char *chat_model;  /* the name that the server knows it by */
};

struct model_server;
int model_server_start(const struct model_server_options *options, struct model_server **out,
                       struct error *error);
int model_server_port(const struct model_server *server);
void model_server_stop(struct model_server *server);

#endif
