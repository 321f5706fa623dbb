/* SPDX-License-Identifier: MIT */
/*
 * HTTP requests: see http_request.h. Must never answer before the whole body
 * was read (what is left of it would be read as the next request), except to
 * refuse one that is far too large, which closes the connection.
 */
#include "transport/http_request.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/counters.h"
#include "base/log.h"
#include "base/mem.h"
#include "transport/env.h"
#include "transport/http_head.h"
#include "transport/lp_stream.h"
#include "transport/static.h"
#include "transport/tcp.h"
#include "transport/upgrade.h"
#include "transport/ws.h"

#define JSON_TYPE "application/json; charset=utf-8"
#define TEXT_TYPE "text/plain; charset=utf-8"

enum {
    STREAM_HEAD_MAX = 1024,
    MISSING_PAGE_MAX = 64 * 1024, /* twice that with its addresses */
    POLL_HEAD = 256 /* of the answer to a poll: enough for what is not messages,
                       commas aside */
};

enum reply_flags {
    REPLY_CORS = 1,      /* readable by any page */
    REPLY_NO_STORE = 2,
    REPLY_GZIPPED = 4
};

struct http_request *http_request_new(struct http_conn *conn,
                                      struct MHD_Connection *mhd,
                                      const char *target, size_t len)
{
    struct http_request *r = mem_zalloc(sizeof *r + len + 1);
    r->conn = conn;
    r->checked = conn->checked;
    conn->checked = false; /* the next one, if MHD reads it itself */
    r->mhd = mhd;
    list_init(&r->node);
    r->target_len = len;
    memcpy(r->target, target, len);
    return r;
}

void http_request_free(struct http_request *r, bool written)
{
    struct http *http = r->conn->http;
    if (r->polled && http->longpoll)
        longpoll_finish(http->longpoll, &r->lp, written,
                        http_conn_link(r->conn), env_now(http->env));
    wheel_cancel(http->env->wheel, &r->pause);
    buf_deinit(&r->body);
    if (r->upgrade)
        connect_params_deinit(r->upgrade);
    free(r->upgrade);
    free(r);
}

/* answers */

static void add(struct MHD_Response *response, const char *name,
                const char *value)
{
    MHD_add_response_header(response, name, value);
}

static bool queue_response(struct http_request *r, int status,
                           struct MHD_Response *response)
{
    struct counters *c = r->conn->http->env->counters;
    if (!response)
        return false;
    counter_inc(c, COUNTER_HTTP_REQUESTS);
    http_conn_phase(r->conn, HTTP_WRITING);
    if (r->last && !r->upgrade)
        add(response, "Connection", "close");
    bool ok = MHD_queue_response(r->mhd, (unsigned int)status, response) ==
              MHD_YES;
    MHD_destroy_response(response);
    return ok;
}

static void add_fields(struct MHD_Response *response, const char *type,
                       unsigned flags)
{
    add(response, "Content-Type", type);
    if (flags & REPLY_CORS)
        add(response, "Access-Control-Allow-Origin", "*");
    if (flags & REPLY_NO_STORE)
        add(response, "Cache-Control", "no-store");
    if (flags & REPLY_GZIPPED)
        add(response, "Content-Encoding", "gzip");
}

/* Takes the content of `body`. */
static bool reply(struct http_request *r, int status, const char *type,
                  struct buf *body, unsigned flags)
{
    counter_add(r->conn->http->env->counters, COUNTER_BYTES_OUT, body->len);
    struct MHD_Response *response = MHD_create_response_from_buffer(
        body->len, body->data, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        buf_deinit(body);
        return false;
    }
    *body = (struct buf){.limit = body->limit};
    add_fields(response, type, flags);
    return queue_response(r, status, response);
}

static bool reply_text(struct http_request *r, int status, const char *text)
{
    struct buf body;
    buf_init(&body, 256);
    buf_puts(&body, text);
    return reply(r, status, TEXT_TYPE, &body, REPLY_NO_STORE);
}

static bool reply_longpoll_status(struct http_request *r, int http_status,
                                  int status)
{
    struct buf body;
    buf_init(&body, 256);
    longpoll_status_body(status, &body);
    return reply(r, http_status, JSON_TYPE, &body,
                 REPLY_CORS | REPLY_NO_STORE);
}

/* long-poll */

static ssize_t on_stream_read(void *arg, uint64_t at, char *dst, size_t max)
{
    struct lp_stream *stream = arg;
    (void)at;
    size_t n = lp_stream_read(stream, dst, max);
    return n ? (ssize_t)n : MHD_CONTENT_READER_END_OF_STREAM;
}

static void on_stream_free(void *arg)
{
    lp_stream_free(arg);
}

static bool reply_stream(struct http_request *r)
{
    struct http *http = r->conn->http;
    struct buf head;
    buf_init(&head, STREAM_HEAD_MAX);
    longpoll_head(http->longpoll, &r->lp, &head);
    struct lp_stream *stream =
        lp_stream_new(head.data, head.len, &r->lp.in_flight, r->gzip);
    uint64_t size = lp_stream_size(stream);
    buf_deinit(&head);
    counter_inc(http->env->counters, COUNTER_LIMIT_GZIP);
    counter_add(http->env->counters, COUNTER_BYTES_OUT, r->lp.bytes);
    struct MHD_Response *response = MHD_create_response_from_callback(
        size ? size : MHD_SIZE_UNKNOWN, LP_STREAM_PIECE, on_stream_read,
        stream, on_stream_free);
    if (!response) {
        lp_stream_free(stream);
        return false;
    }
    add_fields(response, JSON_TYPE,
               REPLY_CORS | REPLY_NO_STORE | (size ? 0 : REPLY_GZIPPED));
    return queue_response(r, 200, response);
}

static bool reply_poll(struct http_request *r)
{
    struct http *http = r->conn->http;
    struct buf body, packed;
    unsigned flags = REPLY_CORS | REPLY_NO_STORE;
    if (longpoll_take(http->longpoll, &r->lp) >
        http->env->limits.gzip_max_bytes)
        return reply_stream(r);
    buf_init(&body, UINT32_MAX);
    buf_reserve(&body, r->lp.bytes + POLL_HEAD);
    longpoll_body(http->longpoll, &r->lp, &body);
    if (r->gzip && body.len >= http->env->limits.gzip_bytes) {
        buf_init(&packed, UINT32_MAX);
        if (gzip_compress(http->gzip, body.data, body.len, &packed)) {
            buf_deinit(&body);
            body = packed;
            flags |= REPLY_GZIPPED;
        } else {
            buf_deinit(&packed);
        }
    }
    return reply(r, 200, JSON_TYPE, &body, flags);
}

static bool start_poll(struct http_request *r, const struct http_head *head)
{
    struct http *http = r->conn->http;
    struct http_wait *waited = r->conn->waited;
    r->gzip = gzip_accepted(http_head_get(head, "accept-encoding"));
    r->polled = true;
    if (waited) {
        r->conn->waited = NULL;
        http_wait_take(waited, &r->lp);
        return reply_poll(r);
    }
    r->lp.client = r->client;
    if (!longpoll_poll(http->longpoll, &r->lp, head, env_now(http->env)))
        return reply_poll(r);
    http_request_park(r);
    return true;
}

static void on_pause_over(struct wheel_timer *timer, uint64_t now)
{
    (void)now;
    http_request_wake(LIST_ENTRY(timer, struct http_request, pause));
}

static bool handle_post(struct http_request *r, const struct http_head *head)
{
    struct http *http = r->conn->http;
    uint64_t pause;
    if (r->too_large)
        return reply_longpoll_status(r, 400, LP_TOO_LARGE);
    int status = longpoll_post(
        http->longpoll, head,
        r->body.data ? (uint8_t *)r->body.data : (uint8_t *)(char[1]){0},
        r->body.len, &r->post_done, &r->client, env_now(http->env), &pause);
    if (status == LP_MORE) {
        http_request_park(r);
        http_request_wake(r);
        return true;
    }
    buf_deinit(&r->body);
    if (!pause)
        return reply_longpoll_status(r, 200, status);
    r->post_status = status;
    wheel_set(http->env->wheel, &r->pause, env_now(http->env) + pause,
              on_pause_over);
    http_request_park(r);
    return true;
}

static bool preflight(struct http_request *r, const struct http_head *head)
{
    struct http_span wanted =
        http_head_get(head, "access-control-request-headers");
    if (!connect_origin_ok(r->conn->http->env, head, &r->client))
        return reply_longpoll_status(r, 200, LP_FORBIDDEN);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return false;
    add(response, "Access-Control-Allow-Origin", "*");
    add(response, "Access-Control-Allow-Methods", "get, post, options");
    add(response, "Access-Control-Max-Age", "3600");
    if (wanted.p) {
        char *copy = mem_dup(wanted.p, wanted.len);
        add(response, "Access-Control-Allow-Headers", copy);
        free(copy);
    }
    return queue_response(r, 200, response);
}

static bool handle_longpoll(struct http_request *r,
                            const struct http_head *head)
{
    if (http_span_is(head->method, "GET"))
        return start_poll(r, head);
    if (http_span_is(head->method, "POST"))
        return handle_post(r, head);
    if (http_span_is(head->method, "OPTIONS"))
        return preflight(r, head);
    return reply_longpoll_status(r, 400, 400);
}

/* pages and files */

/* What a page may do is the administrator's to say; the rest holds for any. */
static void add_policy(struct http_request *r, struct MHD_Response *response)
{
    const char *policy = r->conn->http->policy;
    add(response, "X-Content-Type-Options", "nosniff");
    add(response, "Referrer-Policy", "same-origin");
    if (policy && policy[0])
        add(response, "Content-Security-Policy", policy);
}

static void add_file_headers(struct http_request *r,
                             struct MHD_Response *response,
                             const struct static_file *file)
{
    add(response, "Content-Type", file->type);
    if (file->coding)
        add(response, "Content-Encoding", file->coding);
    if (file->varies)
        add(response, "Vary", "Accept-Encoding");
    add(response, "ETag", file->etag);
    add(response, "Cache-Control",
        file->immutable ? "public, max-age=31536000, immutable" : "no-cache");
    add_policy(r, response);
}

static bool reply_file(struct http_request *r, const struct http_head *head,
                       struct static_file *file)
{
    struct MHD_Response *response;
    bool same =
        static_etag_matches(http_head_get(head, "if-none-match"), file->etag);
    if (same || file->size == 0) {
        response =
            MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
        close(file->fd);
    } else { /* closes the descriptor in the end */
        response = MHD_create_response_from_fd64(file->size, file->fd);
        if (!response)
            close(file->fd);
    }
    if (!response)
        return false;
    add_file_headers(r, response, file);
    return queue_response(r, same ? 304 : 200, response);
}

/* The page 404.html, as it must be for `path`: it is asked for at any depth,
 * and perhaps below a path of another site, of which nothing is known here, so
 * each address in it that begins with "./" is made to lead to the root from
 * there. (A base would do, but the policy forbids to set one.) */
static bool missing_page(const struct http *http, struct http_span path,
                         struct buf *out)
{
    static const struct http_span name = {"/404.html", 9}, plain = {NULL, 0};
    static const char mark[] = "=\"./";
    struct static_file file;
    struct buf raw;
    if (static_open(http->files, name, plain, &file) != 200)
        return false;
    buf_init(&raw, MISSING_PAGE_MAX);
    char *text =
        file.size < MISSING_PAGE_MAX ? buf_reserve(&raw, file.size + 1) : NULL;
    bool ok = text && read(file.fd, text, file.size) == (ssize_t)file.size;
    close(file.fd);
    if (ok) {
        text[file.size] = '\0';
        for (char *at; (at = strstr(text, mark)); text = at + sizeof mark - 1) {
            buf_append(out, text, (size_t)(at - text) + sizeof mark - 1);
            for (size_t i = 1; i < path.len; i++)
                if (path.p[i] == '/')
                    buf_puts(out, "../");
        }
        ok = buf_puts(out, text);
    }
    buf_deinit(&raw);
    return ok;
}

/* With a page, to those who look with a browser. */
static bool reply_missing(struct http_request *r, const struct http_head *head)
{
    struct buf page;
    buf_init(&page, 2 * MISSING_PAGE_MAX);
    if (!http_head_has_token(head, "accept", "text/html") ||
        !missing_page(r->conn->http, head->path, &page)) {
        buf_deinit(&page);
        return reply_text(r, 404, "Not Found\n");
    }
    counter_add(r->conn->http->env->counters, COUNTER_BYTES_OUT, page.len);
    struct MHD_Response *response = MHD_create_response_from_buffer(
        page.len, page.data, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        buf_deinit(&page);
        return false;
    }
    add_fields(response, "text/html; charset=utf-8", REPLY_NO_STORE);
    add_policy(r, response);
    return queue_response(r, 404, response);
}

/* Relative, so that it also holds below a path of another site. */
static bool redirect_to_slash(struct http_request *r,
                              const struct http_head *head)
{
    struct buf where;
    size_t start = head->path.len;
    while (start > 0 && head->path.p[start - 1] != '/')
        start--;
    buf_init(&where, 16 * 1024);
    buf_puts(&where, "./");
    buf_append(&where, head->path.p + start, head->path.len - start);
    buf_puts(&where, "/");
    if (head->query.p) {
        buf_puts(&where, "?");
        buf_append(&where, head->query.p, head->query.len);
    }
    bool fits = buf_putc(&where, '\0');
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (response && fits)
        add(response, "Location", where.data);
    buf_deinit(&where);
    return queue_response(r, 301, response);
}

static bool reply_drip(struct http_request *r)
{
    struct MHD_Response *response = http_drip_response(r);
    if (!response)
        return false;
    add(response, "Content-Type", TEXT_TYPE);
    add(response, "Cache-Control", "no-store");
    return queue_response(r, 200, response);
}

static const struct http_page *find_page(const struct http *http,
                                         struct http_span path)
{
    const struct http_page *page = http->pages;
    for (; page && page->path; page++)
        if (http_span_is(path, page->path))
            return page;
    return NULL;
}

static bool refuse_method(struct http_request *r)
{
    static char text[] = "Method Not Allowed\n";
    struct MHD_Response *response = MHD_create_response_from_buffer(
        sizeof text - 1, text, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return false;
    add(response, "Content-Type", TEXT_TYPE);
    add(response, "Allow", "GET, HEAD");
    return queue_response(r, 405, response);
}

/* /doctor, /doctor.json and all below. */
static bool doctor_path(struct http_span path)
{
    static const char name[] = "/doctor";
    size_t n = sizeof name - 1;
    return path.len >= n && memcmp(path.p, name, n) == 0 &&
           (path.len == n || path.p[n] == '/' || path.p[n] == '.');
}

static bool handle_page(struct http_request *r, const struct http_head *head)
{
    struct http *http = r->conn->http;
    struct static_file file;
    struct buf body;
    if (!http_span_is(head->method, "GET") &&
        !http_span_is(head->method, "HEAD"))
        return refuse_method(r);
    if (!http->env->doctor && doctor_path(head->path))
        return reply_missing(r, head);
    if (http_span_is(head->path, HTTP_DRIP_PATH))
        return reply_drip(r);
    const struct http_page *page = find_page(http, head->path);
    if (page) {
        buf_init(&body, 1 << 20);
        int status = page->render(
            http->pages_arg,
            &(struct http_asker){head, &r->conn->peer, &r->client}, &body);
        return reply(r, status, page->type, &body, REPLY_NO_STORE);
    }
    int status =
        static_open(http->files, head->path,
                    http_head_get(head, "accept-encoding"), &file);
    if (status == 200)
        return reply_file(r, head, &file);
    if (status == 301)
        return redirect_to_slash(r, head);
    return reply_missing(r, head);
}

/* upgrades on a connection that MHD owns */

static void on_upgraded(void *arg, struct MHD_Connection *mhd, void *request,
                        const char *early, size_t early_len, MHD_socket fd,
                        struct MHD_UpgradeResponseHandle *handle)
{
    struct http_request *r = request;
    struct http *http = r->conn->http;
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    (void)arg;
    (void)mhd;
    if (copy >= 0)
        ws_adopt_answered(http->ws, copy, r->upgrade, early, early_len);
    else
        counter_inc(http->env->counters, COUNTER_LIMIT_FDS);
    MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
    r->conn->pool->due = true;
}

static bool answer_upgrade(struct http_request *r)
{
    char accept[UPGRADE_ACCEPT_CHARS + 1];
    struct MHD_Response *response =
        MHD_create_response_for_upgrade(on_upgraded, NULL);
    if (!response)
        return false;
    upgrade_accept(r->upgrade->key, accept);
    add(response, "Upgrade", "websocket");
    add(response, "Sec-WebSocket-Accept", accept);
    if (r->upgrade->offers_phoenix)
        add(response, "Sec-WebSocket-Protocol", "phoenix");
    if (r->upgrade->cookie[0])
        add(response, "Set-Cookie", r->upgrade->cookie);
    return queue_response(r, 101, response);
}

static bool handle_upgrade(struct http_request *r,
                           const struct http_head *head)
{
    r->upgrade = mem_zalloc(sizeof *r->upgrade);
    connect_params_init(r->upgrade);
    r->upgrade->client = r->client;
    enum connect_refusal why =
        upgrade_check(r->conn->http->env, head, r->upgrade);
    if (why == CONNECT_OK)
        return answer_upgrade(r);
    int status = connect_refusal_status(why);
    return reply_text(r, status,
                      status == 403   ? "Forbidden\n"
                      : status == 429 ? "Too Many Requests\n"
                                      : "Bad Request\n");
}

/* requests */

struct head_builder {
    struct http_head *head;
    bool full;
};

static enum MHD_Result on_header(void *arg, enum MHD_ValueKind kind,
                                 const char *name, size_t name_len,
                                 const char *value, size_t value_len)
{
    struct head_builder *b = arg;
    (void)kind;
    if (b->head->count == HTTP_HEADERS_MAX) {
        b->full = true;
        return MHD_NO;
    }
    b->head->headers[b->head->count++] = (struct http_header){
        {name, name_len}, {value ? value : "", value ? value_len : 0}};
    return MHD_YES;
}

static size_t header_size(const struct http_request *r)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        r->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info ? info->header_size : 0;
}

/* A head that was pipelined and that only MHD has read, which forgives more
 * than listen.c: the same is asked of what it made of it. What it swallowed
 * (bare line feeds, folds, NULs) shows in the length. */
static int check_pipelined(struct http_request *r, const char *version,
                           const struct http_head *head)
{
    if (strcmp(version, "HTTP/1.0") != 0 && strcmp(version, "HTTP/1.1") != 0)
        return HTTP_HEAD_VERSION;
    if (header_size(r) > r->conn->http->env->limits.head_bytes)
        return HTTP_HEAD_LARGE;
    if (header_size(r) != http_head_plain_size(head))
        return HTTP_HEAD_BAD;
    int err = http_head_charset(head);
    return err ? err : http_head_framing(head);
}

static int build_head(struct http_request *r, const char *method,
                      const char *version, struct http_head *head)
{
    struct head_builder builder = {head, false};
    head->method = (struct http_span){method, strlen(method)};
    head->target = (struct http_span){r->target, r->target_len};
    head->minor = strcmp(version, "HTTP/1.0") == 0 ? 0 : 1;
    head->count = 0;
    if (!http_target_split(head->target, &head->path, &head->query))
        return HTTP_HEAD_BAD;
    MHD_get_connection_values_n(r->mhd, MHD_HEADER_KIND, on_header, &builder);
    if (builder.full)
        return HTTP_HEAD_LARGE;
    if (head->method.len > HTTP_METHOD_MAX)
        return HTTP_HEAD_BAD;
    return r->checked ? HTTP_HEAD_OK : check_pipelined(r, version, head);
}

static bool refuse_head(struct http_request *r, int status)
{
    struct counters *c = r->conn->http->env->counters;
    counter_inc(c, status == HTTP_HEAD_LARGE ? COUNTER_LIMIT_HEAD
                                             : COUNTER_REFUSED_HEAD);
    char peer[ADDRESS_TEXT_MAX];
    address_text(&r->conn->peer, peer);
    log_info("head refused", LOG_INT("status", status), LOG_Z("peer", peer));
    r->last = true;
    return reply_text(r, status,
                      status == HTTP_HEAD_LARGE
                          ? "Request Header Fields Too Large\n"
                      : status == HTTP_HEAD_VERSION
                          ? "HTTP Version Not Supported\n"
                          : "Bad Request\n");
}

static bool longpoll_path(const struct http_head *head)
{
    return http_span_is(head->path, TRANSPORT_MOUNT "/longpoll");
}

/* Where the next request will begin, for http_conn.c. */
static void count_request(struct http_request *r, const struct http_head *head)
{
    struct http_span length = http_head_get(head, "content-length");
    if (http_head_get(head, "transfer-encoding").p)
        r->conn->countless = true;
    r->last = r->conn->countless;
    if (r->checked)
        return; /* counted by http_conn_new */
    r->conn->consumed += header_size(r);
    if (length.p)
        r->conn->consumed += strtoull(length.p, NULL, 10);
}

/* The head is whole, the body is to come. */
static bool on_head(struct http_request *r, const struct http_head *head)
{
    struct transport_env *env = r->conn->http->env;
    struct http_span length = http_head_get(head, "content-length");
    if (upgrade_path(head->path) && upgrade_wanted(head))
        return handle_upgrade(r, head);
    http_conn_phase(r->conn, HTTP_BODY);
    if (!http_span_is(head->method, "POST") || !longpoll_path(head))
        return true;
    r->collects = true;
    buf_init(&r->body, env->limits.body_bytes);
    uint64_t size = length.p ? strtoull(length.p, NULL, 10) : 0;
    if (size <= env->limits.body_bytes)
        return true;
    counter_inc(env->counters, COUNTER_LIMIT_BODY);
    r->too_large = true;
    /* Read past what was sent already, so that the answer is not lost in a
     * reset; but not past anything, nor what was asked for permission. */
    if (size / 8 > env->limits.body_bytes || http_head_get(head, "expect").p)
        return handle_post(r, head);
    return true;
}

static void on_body(struct http_request *r, const char *data, size_t size)
{
    if (!r->collects || r->too_large)
        return;
    if (buf_append(&r->body, data, size))
        return;
    counter_inc(r->conn->http->env->counters, COUNTER_LIMIT_BODY);
    r->too_large = true; /* the rest is read and thrown away */
    buf_deinit(&r->body);
}

static bool on_whole(struct http_request *r, const struct http_head *head)
{
    if (longpoll_path(head))
        return handle_longpoll(r, head);
    if (upgrade_path(head->path))
        return reply_text(r, 400, "Bad Request\n");
    return handle_page(r, head);
}

bool http_request_step(struct http_request *r, const char *method,
                       const char *version, const char *data, size_t *size)
{
    struct http_head head;
    if (r->started && *size > 0) {
        on_body(r, data, *size);
        *size = 0;
        return true;
    }
    if (r->polled) /* resumed */
        return r->aborted ? false : reply_poll(r);
    if (r->post_status) /* likewise */
        return r->aborted ? false
                          : reply_longpoll_status(r, 200, r->post_status);
    if (r->post_done && r->aborted)
        return false;
    int refused = build_head(r, method, version, &head);
    if (refused)
        return refuse_head(r, refused);
    if (r->started)
        return on_whole(r, &head);
    r->started = true;
    client_address(&r->conn->http->env->clients, &r->conn->peer, &head,
                   &r->client);
    count_request(r, &head);
    return on_head(r, &head);
}
