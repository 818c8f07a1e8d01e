/* The transport over libcurl: one multi handle, which is the loop's poller; or, without a loop, one
 * easy handle that blocks and keeps its connection. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/base/panic.h"
#include "pkg/http/internal.h"

enum { CONNECTIONS_PER_HOST = 16, CONNECTIONS_KEPT = 256, LONGEST_POLL_MS = 3600000 };

/* At most so many requests to one host are given to libcurl at a time. Its own limit would let the
 * time that a request spends in the queue count as time to connect. */
struct host {
    char *authority;
    struct semaphore places;
    struct host *next;
};

struct curl_transport {
    struct transport transport;
    struct poller poller;
    struct loop *loop; /* NULL: every request blocks */
    CURLM *multi;
    CURL *blocking; /* for requests without a task; made when first needed */
    char *ca_file, *user_agent;
    int connections_per_host;
    struct host *hosts;
    int under_way; /* calls given to the multi handle */
};

/* -- handles -- */

static void initialize_curl(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        panic("libcurl does not start");
}

/* What all requests share. */
static void set_up(const struct curl_transport *self, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (self->ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, self->ca_file);
    if (self->user_agent)
        curl_easy_setopt(easy, CURLOPT_USERAGENT, self->user_agent);
}

static CURL *new_easy(const struct curl_transport *self)
{
    CURL *easy = curl_easy_init();
    if (!easy)
        panic("out of memory");
    set_up(self, easy);
    return easy;
}

/* -- on the loop -- */

static struct semaphore *places_of(struct curl_transport *self, const char *url)
{
    size_t length;
    const char *authority = url_authority(url, &length);
    for (struct host *host = self->hosts; host; host = host->next) {
        if (strlen(host->authority) == length && strncmp(host->authority, authority, length) == 0)
            return &host->places;
    }
    struct host *host = calloc(1, sizeof *host);
    if (!host || !(host->authority = strndup(authority, length)))
        panic("out of memory");
    host->places.places = self->connections_per_host;
    host->next = self->hosts;
    self->hosts = host;
    return &host->places;
}

static void take_messages(struct curl_transport *self)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(self->multi, &left));) {
        struct call *call = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
        call->outcome = message->data.result;
        call->done = true;
        self->under_way--;
        signal_all(&call->progressed);
    }
}

static int poll_multi(struct poller *poller, int timeout_ms, int wake_descriptor)
{
    struct curl_transport *self =
        (struct curl_transport *)((char *)poller - offsetof(struct curl_transport, poller));
    struct curl_waitfd wake = {.fd = wake_descriptor, .events = CURL_WAIT_POLLIN};
    if (timeout_ms < 0 || timeout_ms > LONGEST_POLL_MS)
        timeout_ms = LONGEST_POLL_MS;
    if (timeout_ms > 0)
        curl_multi_poll(self->multi, &wake, 1, timeout_ms, NULL);
    int running = 0;
    if (self->under_way)
        curl_multi_perform(self->multi, &running);
    take_messages(self);
    return self->under_way;
}

/* Until it is done: passes on what came, and waits for more. */
static int drive(struct task *task, struct call *call, struct error *error)
{
    char what[160];
    snprintf(what, sizeof what, "the reply of %s %.*s", call->request->method,
             url_shown_length(call->request->url), call->request->url);
    for (;;) {
        int result = call_deliver(call, error);
        if (result < 0 || call->done)
            return result;
        result = task_wait(task, &call->progressed, 0, what, error);
        if (result < 0)
            return result;
    }
}

static int perform_on_loop(struct curl_transport *self, struct task *task, struct call *call,
                           struct error *error)
{
    struct semaphore *places = places_of(self, call->request->url);
    int result = semaphore_acquire(task, places, error);
    if (result < 0)
        return result;
    curl_multi_add_handle(self->multi, call->easy);
    self->under_way++;
    result = drive(task, call, error);
    if (!call->done)
        self->under_way--;
    curl_multi_remove_handle(self->multi, call->easy);
    semaphore_release(places);
    return result;
}

/* -- without a loop -- */

static CURL *blocking_easy(struct curl_transport *self)
{
    if (self->blocking) {
        curl_easy_reset(self->blocking); /* keeps connections */
        set_up(self, self->blocking);
    } else {
        self->blocking = new_easy(self);
    }
    return self->blocking;
}

static int perform_blocking(struct call *call)
{
    call->outcome = curl_easy_perform(call->easy);
    return 0;
}

/* -- the table -- */

static int perform(struct transport *transport, struct task *task, struct arena *arena,
                   const struct http_request *request, struct http_reply *reply,
                   struct error *error)
{
    struct curl_transport *self = (struct curl_transport *)transport;
    bool blocking = !self->loop || !task;
    struct call call = {.blocking = blocking};
    CURL *easy = blocking ? blocking_easy(self) : new_easy(self);
    int result = call_begin(&call, easy, request, error);
    if (result == 0)
        result = blocking ? perform_blocking(&call) : perform_on_loop(self, task, &call, error);
    if (result == 0)
        result = call_finish(&call, arena, reply, error);
    if (!blocking)
        curl_easy_cleanup(easy);
    call_end(&call);
    return result;
}

static void close_transport(struct transport *transport)
{
    struct curl_transport *self = (struct curl_transport *)transport;
    require(self->under_way == 0);
    if (self->loop)
        loop_set_poller(self->loop, NULL);
    curl_easy_cleanup(self->blocking);
    curl_multi_cleanup(self->multi);
    for (struct host *host = self->hosts, *next; host; host = next) {
        next = host->next;
        free(host->authority);
        free(host);
    }
    free(self->ca_file);
    free(self->user_agent);
    free(self);
}

static char *copy(const char *text)
{
    return text ? strdup(text) : NULL;
}

struct transport *http_curl_new(struct loop *loop, const struct http_curl_options *options)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, initialize_curl);
    struct curl_transport *self = calloc(1, sizeof *self);
    if (!self)
        panic("out of memory");
    self->transport = (struct transport){perform, close_transport};
    self->loop = loop;
    self->ca_file = copy(options->ca_file);
    self->user_agent = copy(options->user_agent);
    self->connections_per_host =
        options->connections_per_host > 0 ? options->connections_per_host : CONNECTIONS_PER_HOST;
    if (!loop)
        return &self->transport;
    self->multi = curl_multi_init();
    if (!self->multi)
        panic("out of memory");
    curl_multi_setopt(self->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
    self->poller.poll = poll_multi;
    loop_set_poller(loop, &self->poller);
    return &self->transport;
}
