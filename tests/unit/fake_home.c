#include "tests/unit/fake_home.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pkg/base/arena.h"
#include "pkg/base/map.h"
#include "pkg/base/panic.h"

static struct {
    struct arena *arena;
    char path[64];
    struct map variables; /* name -> text; NULL: unset */
} home;

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

void fake_home_begin(void)
{
    home.arena = arena_new();
    home.variables = map_in(home.arena);
    snprintf(home.path, sizeof home.path, "/tmp/ragstack-home-XXXXXX");
    require(mkdtemp(home.path));
    fake_setenv("HOME", home.path);
}

void fake_home_end(void)
{
    nftw(home.path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    arena_free(home.arena);
    home.arena = NULL;
}

const char *fake_home_path(void)
{
    return home.path;
}

void fake_setenv(const char *name, const char *value)
{
    map_put(&home.variables, arena_strdup(home.arena, name), arena_strdup(home.arena, value));
}

const char *fake_getenv(const char *name)
{
    return map_get(&home.variables, name);
}

void fake_home_write(const char *name, const char *text)
{
    char *path = arena_printf(home.arena, "%s/%s", home.path, name);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "we");
    require(file && fputs(text, file) >= 0 && fclose(file) == 0);
}
