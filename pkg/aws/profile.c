#include "pkg/aws/profile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/aws/ini.h"
#include "pkg/aws/words.h"

const char *credential_getenv(const struct credential_options *options, const char *name)
{
    const char *text = options->getenv ? options->getenv(name) : getenv(name);
    return text && *text ? text : NULL;
}

const char *credential_path(struct arena *arena, const struct credential_options *options,
                            const char *path)
{
    if (strncmp(path, "~/", 2) != 0)
        return arena_strdup(arena, path);
    const char *home = credential_getenv(options, "HOME");
    return home ? arena_printf(arena, "%s%s", home, path + 1) : NULL;
}

static void close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

int credential_read_file(struct arena *arena, const char *path, size_t maximum, char **text,
                         size_t *length, struct error *error)
{
    CLEANUP(close_file) FILE *file = fopen(path, "rbe");
    if (!file)
        return error_set(error, errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_FAILED,
                         "cannot read %s: %s", path, strerror(errno));
    setvbuf(file, NULL, _IONBF, 0); /* no copy of a secret stays behind */
    size_t capacity = maximum < 4096 ? maximum + 1 : 4096;
    *text = arena_alloc(arena, capacity + 1);
    *length = 0;
    for (size_t got; (got = fread(*text + *length, 1, capacity - *length, file)) > 0;) {
        *length += got;
        if (*length > maximum)
            return error_set(error, ERR_INPUT, "%s is over %zu bytes", path, maximum);
        if (*length == capacity) {
            *text = arena_grow(arena, *text, capacity, 2 * capacity + 1);
            capacity *= 2;
        }
    }
    if (ferror(file))
        return error_set(error, ERR_FAILED, "cannot read %s: %s", path, strerror(errno));
    (*text)[*length] = '\0';
    return 0;
}

/* -- merging -- */

static struct profile *profile_in(struct arena *arena, struct map *map, const char *name)
{
    struct profile *profile = map_get(map, name);
    if (profile)
        return profile;
    profile = arena_new_of(arena, struct profile);
    *profile = (struct profile){.name = name, .values = map_in(arena)};
    map_put(map, name, profile);
    return profile;
}

static void merge(struct profile *profile, const struct ini_section *section)
{
    for (size_t i = 0; i < section->options.count; i++) {
        const struct ini_option *option = section->options.entries[i].value;
        if (option->value && *option->value)
            map_put(&profile->values, section->options.entries[i].key, (char *)option->value);
    }
}

/* "profile NAME", with quotes where the name has spaces: NAME; NULL if it is something else. */
static const char *named_section(struct arena *arena, const char *header, const char *kind)
{
    char **words;
    size_t count;
    struct error ignored;
    if (strncmp(header, kind, strlen(kind)) != 0 ||
        words_split(arena, header, &words, &count, &ignored) < 0 || count != 2 ||
        strcmp(words[0], kind) != 0)
        return NULL;
    return words[1];
}

static void take_config(struct arena *arena, struct profiles *profiles, const struct ini *ini)
{
    for (size_t i = 0; i < ini->sections.count; i++) {
        const struct ini_section *section = ini->sections.entries[i].value;
        const char *profile = named_section(arena, section->name, "profile");
        const char *session = named_section(arena, section->name, "sso-session");
        if (strcmp(section->name, "default") == 0)
            profile = "default";
        if (profile)
            merge(profile_in(arena, &profiles->by_name, profile), section);
        else if (session)
            merge(profile_in(arena, &profiles->sso_sessions, session), section);
    }
}

static void take_credentials(struct arena *arena, struct profiles *profiles, const struct ini *ini)
{
    for (size_t i = 0; i < ini->sections.count; i++) {
        const struct ini_section *section = ini->sections.entries[i].value;
        struct profile *profile = profile_in(arena, &profiles->by_name, section->name);
        merge(profile, section);
        profile->keys_in_credentials = ini_get(section, "aws_access_key_id") != NULL;
    }
}

/* -- reading -- */

/* NULL path: no home folder is known. */
static int read_ini(struct arena *arena, const char *path, struct ini *ini, bool *there,
                    struct error *error)
{
    char *text = NULL;
    size_t length = 0;
    struct error own = {0};
    *ini = (struct ini){0};
    int result = path ? credential_read_file(arena, path, INI_MAXIMUM_BYTES, &text, &length, &own)
                      : ERR_NOT_FOUND;
    *there = result == 0;
    if (result == 0)
        return ini_parse(arena, text, length, path, ini, error);
    if (result != ERR_NOT_FOUND && error)
        *error = own;
    return result == ERR_NOT_FOUND ? 0 : result;
}

static const char *path_of(struct arena *arena, const struct credential_options *options,
                           const char *variable, const char *otherwise)
{
    const char *named = credential_getenv(options, variable);
    return credential_path(arena, options, named ? named : otherwise);
}

static void select_profile(struct arena *arena, const struct credential_options *options,
                           struct profiles *out)
{
    const char *name = options->profile;
    if (!name)
        name = credential_getenv(options, "AWS_PROFILE");
    if (!name)
        name = credential_getenv(options, "AWS_DEFAULT_PROFILE");
    out->named = name != NULL;
    out->selected = name ? arena_strdup(arena, name) : "default";
}

int profiles_read(struct arena *arena, const struct credential_options *options,
                  struct profiles *out, struct error *error)
{
    struct ini config = {0}, credentials = {0};
    *out = (struct profiles){.by_name = map_in(arena), .sso_sessions = map_in(arena)};
    out->config_path = path_of(arena, options, "AWS_CONFIG_FILE", "~/.aws/config");
    out->credentials_path =
        path_of(arena, options, "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials");
    select_profile(arena, options, out);
    int result = read_ini(arena, out->config_path, &config, &out->config_there, error);
    if (result == 0)
        result =
            read_ini(arena, out->credentials_path, &credentials, &out->credentials_there, error);
    if (result < 0)
        return result;
    take_config(arena, out, &config);
    take_credentials(arena, out, &credentials);
    return 0;
}

const struct profile *profiles_find(const struct profiles *profiles, const char *name)
{
    return map_get(&profiles->by_name, name);
}

const char *profile_get(const struct profile *profile, const char *option)
{
    return profile ? map_get(&profile->values, option) : NULL;
}

/* -- the region -- */

const char *aws_default_region(struct arena *arena, const struct credential_options *options)
{
    struct profiles profiles;
    const char *region = credential_getenv(options, "AWS_REGION");
    if (!region)
        region = credential_getenv(options, "AWS_DEFAULT_REGION");
    if (region)
        return arena_strdup(arena, region);
    CLEANUP(arena_erasep) struct arena *scratch = arena_new();
    if (profiles_read(scratch, options, &profiles, NULL) < 0)
        return NULL;
    region = profile_get(profiles_find(&profiles, profiles.selected), "region");
    return arena_strdup(arena, region);
}
