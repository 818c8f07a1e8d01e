#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pkg/base/attributes.h"
#include "pkg/http/http.h"

/* -- certificates -- */

struct authority {
    EVP_PKEY *key;
    X509 *certificate;
    char file[64]; /* where the certificate stands */
};

static void add_extension(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

/* Valid from yesterday for so many days. */
static X509 *certificate_new(EVP_PKEY *key, const char *name, int days)
{
    X509 *certificate = X509_new();
    static long serial = 1;
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -24 * 3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), (days - 1) * 24 * 3600 - 60);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    return certificate;
}

static void authority_new(struct authority *authority, const char *name)
{
    authority->key = EVP_EC_gen("P-256");
    authority->certificate = certificate_new(authority->key, name, 10);
    X509_set_issuer_name(authority->certificate, X509_get_subject_name(authority->certificate));
    add_extension(authority->certificate, NID_basic_constraints, "critical,CA:TRUE");
    X509_sign(authority->certificate, authority->key, EVP_sha256());
    snprintf(authority->file, sizeof authority->file, "/tmp/ragstack-test-ca-XXXXXX");
    FILE *out = fdopen(mkstemp(authority->file), "w");
    PEM_write_X509(out, authority->certificate);
    fclose(out);
}

static void authority_free(struct authority *authority)
{
    unlink(authority->file);
    X509_free(authority->certificate);
    EVP_PKEY_free(authority->key);
}

/* -- a server -- */

struct server {
    SSL_CTX *context;
    int descriptor, port;
    bool hangs_up; /* in the handshake */
    pthread_t thread;
};

static void answer(SSL *tls)
{
    char bytes[4096];
    static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecure";
    if (SSL_accept(tls) == 1 && SSL_read(tls, bytes, sizeof bytes) > 0)
        SSL_write(tls, reply, sizeof reply - 1);
    SSL_shutdown(tls);
}

static void *serve(void *argument)
{
    struct server *server = argument;
    for (int descriptor; (descriptor = accept(server->descriptor, NULL, NULL)) >= 0;) {
        SSL *tls = SSL_new(server->context);
        SSL_set_fd(tls, descriptor);
        if (!server->hangs_up)
            answer(tls);
        SSL_free(tls);
        close(descriptor);
    }
    return NULL;
}

static void server_start(struct server *server, const struct authority *authority,
                         const char *names, int days)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = certificate_new(key, "server", days);
    X509_set_issuer_name(certificate, X509_get_subject_name(authority->certificate));
    add_extension(certificate, NID_subject_alt_name, names);
    X509_sign(certificate, authority->key, EVP_sha256());
    server->context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(server->context, certificate);
    SSL_CTX_use_PrivateKey(server->context, key);
    X509_free(certificate);
    EVP_PKEY_free(key);

    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    server->descriptor = socket(AF_INET, SOCK_STREAM, 0);
    bind(server->descriptor, (struct sockaddr *)&address, length);
    listen(server->descriptor, 16);
    getsockname(server->descriptor, (struct sockaddr *)&address, &length);
    server->port = ntohs(address.sin_port);
    pthread_create(&server->thread, NULL, serve, server);
}

static void server_stop(struct server *server)
{
    shutdown(server->descriptor, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->descriptor);
    SSL_CTX_free(server->context);
}

/* -- asking it -- */

static int ask(int port, const char *ca_file, struct http_reply *reply, struct arena *arena,
               struct error *error)
{
    struct transport *transport =
        http_curl_new(NULL, &(struct http_curl_options){.ca_file = ca_file});
    struct http_request request = {.method = "POST",
                                   .url = arena_printf(arena, "https://127.0.0.1:%d/x", port)};
    int result = http_perform(transport, NULL, arena, &request, reply, error);
    http_close(transport);
    return result;
}

static void only_a_trusted_and_fitting_certificate_will_do(void **state)
{
    (void)state;
    struct authority ours, other;
    authority_new(&ours, "ours");
    authority_new(&other, "other");
    const struct {
        const char *ca_file, *names;
        int days;
        bool hangs_up, old;
        int result;
        const char *words;
    } cases[] = {
        {ours.file, "IP:127.0.0.1", 10, false, false, 0, NULL},
        {other.file, "IP:127.0.0.1", 10, false, false, ERR_FAILED, "AWS_CA_BUNDLE names a file"},
        {NULL, "IP:127.0.0.1", 10, false, false, ERR_FAILED, "AWS_CA_BUNDLE names a file"},
        {"/nowhere/ca.pem", "IP:127.0.0.1", 10, false, false, ERR_FAILED, "/nowhere/ca.pem"},
        {ours.file, "IP:127.0.0.2", 10, false, false, ERR_FAILED, "127.0.0.1"},
        {ours.file, "DNS:ec2.amazonaws.com", 10, false, false, ERR_FAILED, "127.0.0.1"},
        {ours.file, "IP:127.0.0.1", 1, false, false, ERR_FAILED, "expired"},
        {ours.file, "IP:127.0.0.1", 10, true, false, ERR_FAILED, "127.0.0.1"},
        {ours.file, "IP:127.0.0.1", 10, false, true, ERR_FAILED, "protocol version"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct server server = {.hangs_up = cases[i].hangs_up};
        server_start(&server, &ours, cases[i].names, cases[i].days);
        if (cases[i].old) {
            SSL_CTX_set_max_proto_version(server.context, TLS1_1_VERSION);
            SSL_CTX_set_security_level(server.context, 0);
        }
        struct arena *arena = arena_new();
        struct http_reply reply;
        struct error error = {0};
        int result = ask(server.port, cases[i].ca_file, &reply, arena, &error);
        if (result != cases[i].result || (result < 0 && !strstr(error.message, cases[i].words)))
            fail_msg("case %zu: %d: %s", i, result, error.message);
        if (result == 0)
            assert_string_equal(reply.body, "secure");
        arena_free(arena);
        server_stop(&server);
    }
    authority_free(&ours);
    authority_free(&other);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_trusted_and_fitting_certificate_will_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
