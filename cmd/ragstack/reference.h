/* The reference of stack keys and resource kinds, made from the field tables. */
#ifndef RAGSTACK_CMD_REFERENCE_H
#define RAGSTACK_CMD_REFERENCE_H

#include "pkg/resource/type.h"

/* "string", "int" ... "document". */
const char *field_type_name(enum field_type type);

/* A flag's name in the table, in lower case, and what it means for who writes a stack file. Ends
 * with a NULL name. */
struct flag_row {
    unsigned flag;
    const char *name, *meaning;
};
extern const struct flag_row field_flag_rows[], type_flag_rows[];

/* {"schema": 1, "kinds": [{"kind":, "fields": [..]}], "alarms": [..], "stack": [..]}: every row of
 * every table. */
struct value *reference_tables(struct arena *arena);
/* The JSON Schema (draft 2020-12) of a stack file, for editors. */
struct value *reference_schema(struct arena *arena);

#endif
