/* The numbered steps of the database's schema. A released one is never edited: its checksum is
 * stored where it was applied. */
#ifndef RAGSTACK_RAG_MIGRATIONS_H
#define RAGSTACK_RAG_MIGRATIONS_H

struct migration {
    int number; /* from 1, without gaps */
    const char *name;
    const char *sql; /* "{dimensions}" stands for the length of the vectors */
};
extern const struct migration migrations[]; /* ends with number 0 */

#endif
