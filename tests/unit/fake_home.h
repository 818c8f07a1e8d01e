/* An environment and a home folder of the test's own: nothing of the machine's is seen. */
#ifndef RAGSTACK_TESTS_FAKE_HOME_H
#define RAGSTACK_TESTS_FAKE_HOME_H

#include <stdbool.h>

/* A new empty folder as HOME, and no other variable. */
void fake_home_begin(void);
/* Removes the folder with all in it. */
void fake_home_end(void);
const char *fake_home_path(void);

/* NULL unsets. Both are copied. */
void fake_setenv(const char *name, const char *value);
/* For options that take a getenv. */
const char *fake_getenv(const char *name);

/* Writes a file below the folder (".aws/config"), and the folders above it. */
void fake_home_write(const char *name, const char *text);

#endif
