/* Errors as values.
 *
 * A function that can fail returns int: 0, or one of the negative codes below, and fills the
 * `struct error *` that is its last parameter. Only the place where the error is known sets the
 * message; callers add what the callee could not know with error_wrap(). The struct owns all its
 * text, so it may be copied and outlive everything else. No text in it is ever a secret. */
#ifndef RAGSTACK_BASE_ERROR_H
#define RAGSTACK_BASE_ERROR_H

#include <stdarg.h>

#include "pkg/base/attributes.h"

/* A place in a file that a user wrote. line and column count from 1; 0 is unknown. The file name
 * is borrowed: it must outlive the mark (it lives in the arena of the parsed tree). */
struct mark {
    const char *file;
    int line, column;
};

/* Only codes that some caller branches on. */
enum error_code {
    ERR_FAILED = -1,     /* anything no caller tells apart */
    ERR_USAGE = -2,      /* wrong command line */
    ERR_INPUT = -3,      /* a stack file, a plan or another input is wrong */
    ERR_NOT_FOUND = -4,  /* the thing asked for does not exist */
    ERR_EXISTS = -5,     /* the name is taken */
    ERR_DENIED = -6,     /* the caller's permissions do not suffice */
    ERR_THROTTLED = -7,  /* still throttled after all patience */
    ERR_LOST_REPLY = -8, /* the request may or may not have taken effect */
    ERR_CANCELLED = -9,  /* the task was cancelled */
    ERR_TIMEOUT = -10,   /* waited for as long as was allowed */
    ERR_LOCKED = -11,    /* somebody else holds the lock */
    ERR_DATA_LOSS = -12, /* would lose data, and nobody consented */
    ERR_PARTIAL = -13,   /* some steps are done, some are not: run again */
    ERR_PREFLIGHT = -14, /* cannot work as things stand; nothing was changed */
    ERR_CONFLICT = -15,  /* the state does not allow it now (busy, in use, moved) */
};

struct error {
    int code;           /* an error_code, 0 when unset */
    char message[1536]; /* what, why, and what to do; no final newline */
    char file[256];     /* where in the user's file; empty if nowhere */
    int line, column;
    char aws_code[96];   /* AWS's own error code, empty if none */
    char request_id[96]; /* AWS's request id, empty if none */
    int http_status;     /* 0 if there was no HTTP reply */
};

/* Sets code and message (error may be NULL) and returns the code, for `return error_set(...)`. */
int error_set(struct error *error, int code, const char *format, ...) PRINTF_LIKE(3, 4);
int error_set_at(struct error *error, int code, struct mark mark, const char *format, ...)
    PRINTF_LIKE(4, 5);
/* "context: message"; keeps everything else. Returns the error's code. */
int error_wrap(struct error *error, const char *format, ...) PRINTF_LIKE(2, 3);
/* Gives the error a place if it has none yet. Returns the error's code. */
int error_place(struct error *error, struct mark mark);
void error_clear(struct error *error);

#endif
