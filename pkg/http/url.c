/* Parts of an absolute address. */
#include <string.h>

#include "pkg/http/internal.h"

int url_shown_length(const char *url)
{
    return (int)strcspn(url, "?#");
}

const char *url_authority(const char *url, size_t *length)
{
    const char *start = strstr(url, "://");
    start = start ? start + 3 : url;
    *length = strcspn(start, "/?#");
    return start;
}

bool url_is_near(const char *url)
{
    static const char *const near[] = {"127.", "169.254.", "[::1]", "[fe80:", "[fd00:ec2:"};
    size_t length;
    const char *host = url_authority(url, &length);
    for (size_t i = 0; i < COUNT_OF(near); i++) {
        if (strncmp(host, near[i], strlen(near[i])) == 0)
            return true;
    }
    size_t name = strcspn(host, ":/?#");
    return name == strlen("localhost") && strncmp(host, "localhost", name) == 0;
}
