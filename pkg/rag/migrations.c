#include "pkg/rag/migrations.h"

static const char documents[] =
    "CREATE TABLE rag.settings (\n"
    "    key text PRIMARY KEY,\n"
    "    value text NOT NULL\n"
    ");\n"
    "CREATE TABLE rag.documents (\n"
    "    id text PRIMARY KEY,\n"
    "    title text NOT NULL,\n"
    "    source text,\n"
    "    text text NOT NULL,\n"
    "    hash bytea NOT NULL,\n" /* of everything that is stored of it */
    "    metadata jsonb NOT NULL DEFAULT '{}',\n"
    "    updated_at timestamptz NOT NULL DEFAULT now()\n"
    ");\n"
    "CREATE INDEX documents_metadata ON rag.documents USING gin (metadata jsonb_path_ops);\n"
    "CREATE TABLE rag.passages (\n"
    "    document text NOT NULL REFERENCES rag.documents ON DELETE CASCADE,\n"
    "    place int NOT NULL,\n"
    "    start_byte int NOT NULL,\n"
    "    end_byte int NOT NULL,\n"
    "    heading text NOT NULL,\n"
    "    text text NOT NULL,\n"
    "    words tsvector NOT NULL,\n"
    "    PRIMARY KEY (document, place)\n"
    ");\n"
    "CREATE INDEX passages_words ON rag.passages USING gin (words);\n";

static const char units[] =
    "CREATE TABLE rag.units (\n"
    "    document text NOT NULL,\n"
    "    passage int NOT NULL,\n"
    "    place int NOT NULL,\n"
    "    start_byte int NOT NULL,\n"
    "    end_byte int NOT NULL,\n"
    "    hash bytea NOT NULL,\n" /* of its text: the same text is embedded once */
    "    embedding halfvec({dimensions}) NOT NULL,\n"
    "    PRIMARY KEY (document, passage, place),\n"
    "    FOREIGN KEY (document, passage) REFERENCES rag.passages ON DELETE CASCADE\n"
    ");\n"
    "CREATE INDEX units_hash ON rag.units (hash);\n";

static const char jobs[] = "CREATE TABLE rag.jobs (\n"
                           "    id text PRIMARY KEY,\n"
                           "    source text NOT NULL,\n"
                           "    state text NOT NULL,\n" /* running, done, failed */
                           "    done int NOT NULL DEFAULT 0,\n"
                           "    total int NOT NULL DEFAULT 0,\n"
                           "    error text,\n"
                           "    updated_at timestamptz NOT NULL DEFAULT now()\n"
                           ");\n";

const struct migration migrations[] = {
    {1, "documents and passages", documents},
    {2, "units and their vectors", units},
    {3, "jobs", jobs},
    {0},
};
