/* Listings, page by page. */
#include <string.h>

#include "pkg/aws/call.h"

enum { MAXIMUM_PAGES = 10000, MAXIMUM_TOKENS = 2 };

struct listing {
    struct arena *arena;
    const struct aws_operation *row;
    struct value *parameters; /* of the next page; our own copy */
    struct value *items;
};

/* The words of "NextKeyMarker NextVersionIdMarker". */
static size_t split(struct arena *arena, const char *words, const char *out[MAXIMUM_TOKENS])
{
    size_t count = 0;
    while (words && *words && count < MAXIMUM_TOKENS) {
        size_t length = strcspn(words, " ");
        out[count++] = arena_strndup(arena, words, length);
        words += length + (words[length] == ' ');
    }
    return count;
}

static void take_items(struct listing *listing, const struct value *reply)
{
    const char *paths[MAXIMUM_TOKENS];
    size_t count = split(listing->arena, listing->row->page_items, paths);
    for (size_t i = 0; i < count; i++) {
        struct value *item;
        value_each(item, value_at(reply, paths[i]))
            value_push(listing->arena, listing->items, item);
    }
}

enum page { PAGE_LAST, PAGE_MORE, PAGE_AGAIN };

/* Puts the next page's tokens into the parameters. */
static enum page turn_page(struct listing *listing, const struct value *reply)
{
    const char *in[MAXIMUM_TOKENS] = {0}, *out[MAXIMUM_TOKENS] = {0};
    size_t count = split(listing->arena, listing->row->page_in, in);
    split(listing->arena, listing->row->page_out, out);
    bool more = false, differs = false;
    for (size_t i = 0; i < count; i++) {
        const char *token = value_text_at(reply, out[i]);
        const char *before = value_text(listing->parameters, in[i]);
        if (!token || !*token) {
            value_remove(listing->parameters, in[i]);
            continue;
        }
        more = true;
        differs = differs || !before || strcmp(before, token) != 0;
        value_set_text(listing->arena, listing->parameters, in[i], token);
    }
    if (!more)
        return PAGE_LAST;
    return differs ? PAGE_MORE : PAGE_AGAIN;
}

int aws_list(struct task *task, struct aws_client *client, struct arena *arena,
             const struct aws_service *service, const char *operation,
             const struct value *parameters, struct value **items, struct error *error)
{
    struct listing listing = {.arena = arena,
                              .row = aws_operation(service, operation),
                              .parameters =
                                  parameters ? value_copy(arena, parameters) : value_map(arena),
                              .items = value_list(arena)};
    *items = NULL;
    if (!listing.row || !listing.row->page_items)
        return error_set(error, ERR_FAILED, "%s %s is no listing in the service's table",
                         service->id, operation);
    for (int page = 0; page < MAXIMUM_PAGES; page++) {
        struct value *reply;
        int result =
            aws_call(task, client, arena, service, operation, listing.parameters, &reply, error);
        if (result)
            return result;
        take_items(&listing, reply);
        enum page next = turn_page(&listing, reply);
        if (next == PAGE_LAST) {
            *items = listing.items;
            return 0;
        }
        if (next == PAGE_AGAIN)
            break;
    }
    return error_set(error, ERR_FAILED, "%s %s: the pages do not come to an end", service->id,
                     operation);
}
