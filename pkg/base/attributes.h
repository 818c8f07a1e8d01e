/* Compiler attributes used throughout. Knows nothing but the compiler. */
#ifndef RAGSTACK_BASE_ATTRIBUTES_H
#define RAGSTACK_BASE_ATTRIBUTES_H

#define PRINTF_LIKE(nth, first) __attribute__((format(printf, nth, first)))
#define MUST_USE __attribute__((warn_unused_result))
#define NORETURN __attribute__((noreturn))
/* Runs `function(&variable)` when the variable leaves its scope. */
#define CLEANUP(function) __attribute__((cleanup(function)))

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
