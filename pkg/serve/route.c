#include "pkg/serve/route.h"

#include <string.h>

#include "pkg/http/http.h"

/* How well a route fits, by segment: exact beats a parameter beats the rest of the path. */
enum { EXACT = 3, PARAMETER = 2, REST = 1, SCORE_BASE = 4, SEGMENTS_MAXIMUM = 16 };

struct match {
    struct arena *arena;
    struct value *parameters;
    long score;
};

static void take_parameter(struct match *match, const char *name, size_t name_length,
                           const char *text, size_t length)
{
    if (!match->parameters)
        match->parameters = value_map(match->arena);
    value_set_text(match->arena, match->parameters, arena_strndup(match->arena, name, name_length),
                   http_decode(match->arena, text, length, false));
}

/* One segment of the pattern against one of the path; 0: does not fit. */
static int match_segment(struct match *match, const char *pattern, size_t pattern_length,
                         const char *path, size_t length)
{
    bool braces = pattern_length > 2 && pattern[0] == '{' && pattern[pattern_length - 1] == '}';
    if (braces && pattern[pattern_length - 2] == '+') {
        take_parameter(match, pattern + 1, pattern_length - 3, path, strlen(path));
        return REST;
    }
    if (braces && length > 0) {
        take_parameter(match, pattern + 1, pattern_length - 2, path, length);
        return PARAMETER;
    }
    return pattern_length == length && memcmp(pattern, path, length) == 0 ? EXACT : 0;
}

static bool match_path(struct match *match, const char *pattern, const char *path)
{
    for (int i = 0; i < SEGMENTS_MAXIMUM; i++) {
        if (*pattern != '/' || *path != '/')
            return *pattern == *path;
        pattern++, path++;
        size_t pattern_length = strcspn(pattern, "/"), length = strcspn(path, "/");
        int fit = match_segment(match, pattern, pattern_length, path, length);
        if (!fit)
            return false;
        match->score = match->score * SCORE_BASE + fit;
        if (fit == REST)
            return true;
        pattern += pattern_length;
        path += length;
    }
    return false;
}

static bool match_route(struct match *match, const char *key, const char *method, const char *path)
{
    if (strcmp(key, "$default") == 0)
        return true;
    const char *space = strchr(key, ' ');
    if (!space)
        return false;
    size_t length = (size_t)(space - key);
    bool any = length == 3 && strncmp(key, "ANY", 3) == 0;
    if (!any && (strlen(method) != length || strncmp(key, method, length) != 0))
        return false;
    match->score = 1;
    if (!match_path(match, space + 1, path))
        return false;
    match->score = match->score * 2 + !any;
    return true;
}

const struct value *route_find(struct arena *arena, const struct value *routes, const char *method,
                               const char *path, struct value **parameters)
{
    const struct value *best = NULL;
    struct value *route;
    long best_score = -1;
    *parameters = NULL;
    value_each(route, routes)
    {
        struct match match = {.arena = arena};
        const char *key = value_text(route, "key");
        if (!key || !match_route(&match, key, method, path) || match.score <= best_score)
            continue;
        best = route;
        best_score = match.score;
        *parameters = match.parameters;
    }
    return best;
}
