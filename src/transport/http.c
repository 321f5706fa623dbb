/* SPDX-License-Identifier: MIT */
/*
 * libmicrohttpd (MHD) under our loop: see http.h. Must never let a peer hold
 * a connection without a deadline, stop the daemon while a request is
 * suspended (MHD aborts the process), or park a poll whose client has left.
 *
 * Library behaviour that this file relies on [measured with 0.9.75]:
 *  - Its own timeout counts inactivity only, so a head sent drop by drop lives
 *    for ever. Ours are absolute, one timer per connection. There is no call
 *    to close a connection: the deadline shuts the socket down, and MHD sees
 *    the end.
 *  - A suspended connection neither times out nor notices that the client has
 *    left: parked polls are watched for EPOLLRDHUP by us.
 *  - Resuming scans all suspended connections: resumes are collected and MHD
 *    runs once per turn (10,000 parked: 18 us each, 104 us one by one). A
 *    resumed request enters the access handler anew.
 *  - A proxy's upstream connection that MHD owns may carry an upgrade later.
 *    MHD's own upgrade mechanism sends the 101 and gives out what it has read
 *    behind the head; the descriptor is duplicated, the copy given to
 *    libwebsockets, and MHD told to close its own, which it does without
 *    shutdown() [read in its source].
 *
 * The pool of a connection must hold the head twice over, 72 bytes for each
 * header and cookie, and the head of the response; and MHD zeroes all of it
 * after each response, so that a kept-alive connection takes its whole size
 * [measured: 33.4 kB each with 32 kB of pool, 5.5 kB before the first answer].
 * One size for all is too small for some or too much for the rest. We know the
 * first head: there are three daemons with three sizes, and the largest, for
 * heads full of cookies, does not keep connections alive, so that its pages
 * are only touched as far as they are used.
 */
#include "transport/http.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <microhttpd.h>
#include <uv.h>

#include "base/counters.h"
#include "base/log.h"
#include "base/mem.h"
#include "transport/env.h"
#include "transport/http_head.h"
#include "transport/http_request.h"
#include "transport/poller.h"

static const size_t pool_bytes[HTTP_POOLS] = {3072, 6144, 65536};

enum {
    HEADER_BYTES = 72,    /* MHD's record of a header, cookie or argument */
    RESPONSE_BYTES = 640, /* the head of our longest response */
    HEAD_SLACK = 256,     /* later heads may be longer: a token comes along */
    CONNECTIONS_MAX = 1 << 20, /* ours is counted in listen.c */
    RUNS_PER_TURN = 16
};

static uint64_t now_of(const struct http *http)
{
    return env_now(http->env);
}

/* deadlines */

static const struct {
    enum counter_id counter;
    size_t limit; /* offset in transport_limits */
} phases[] = {
    [HTTP_IDLE] = {COUNTER_LIMIT_KEEPALIVE,
                   offsetof(struct transport_limits, keepalive_ms)},
    [HTTP_HEAD] = {COUNTER_LIMIT_HEAD_TIME,
                   offsetof(struct transport_limits, head_ms)},
    [HTTP_BODY] = {COUNTER_LIMIT_BODY_TIME,
                   offsetof(struct transport_limits, request_ms)},
    [HTTP_WRITING] = {COUNTER_LIMIT_RESPONSE_TIME,
                      offsetof(struct transport_limits, response_ms)},
};

static void on_deadline(struct wheel_timer *timer, uint64_t now)
{
    struct http_conn *conn = LIST_ENTRY(timer, struct http_conn, deadline);
    (void)now;
    if (conn->phase != HTTP_IDLE)
        log_info("http deadline", LOG_INT("phase", conn->phase));
    counter_inc(conn->http->env->counters, phases[conn->phase].counter);
    shutdown(conn->fd, SHUT_RDWR);
}

void http_conn_phase(struct http_conn *conn, enum http_phase phase)
{
    struct transport_env *env = conn->http->env;
    conn->phase = phase;
    if (phase == HTTP_PARKED) {
        wheel_cancel(env->wheel, &conn->deadline);
        return;
    }
    uint64_t ms;
    memcpy(&ms, (const char *)&env->limits + phases[phase].limit, sizeof ms);
    wheel_set(env->wheel, &conn->deadline, env_now(env) + ms, on_deadline);
}

/* parking */

static void on_parked_event(struct poller_item *item, uint32_t events)
{
    struct http_request *r = LIST_ENTRY(item, struct http_request, watch);
    (void)events;
    r->aborted = true;
    http_request_wake(r);
}

void http_request_park(struct http_request *r)
{
    struct http *http = r->conn->http;
    http_conn_phase(r->conn, HTTP_PARKED);
    MHD_suspend_connection(r->mhd);
    r->suspended = true;
    list_push(&http->parked, &r->node);
    if (!poller_add(http->poller, &r->watch, r->conn->fd, EPOLLRDHUP,
                    on_parked_event)) {
        r->aborted = true; /* cannot be watched: not to be kept */
        http_request_wake(r);
    }
}

void http_request_wake(struct http_request *r)
{
    struct http *http = r->conn->http;
    if (!r->suspended)
        return;
    poller_delete(http->poller, &r->watch);
    list_remove(&r->node);
    list_push(&http->woken, &r->node);
}

static void on_longpoll_wake(struct lp_request *lp)
{
    http_request_wake(LIST_ENTRY(lp, struct http_request, lp));
}

/* A reset puts the socket into the closed state, an end does not. */
static bool was_reset(int fd)
{
    struct tcp_info info;
    socklen_t len = sizeof info;
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
           info.tcpi_state == TCP_CLOSE;
}

static bool on_longpoll_lost(struct lp_link *link)
{
    return was_reset(LIST_ENTRY(link, struct http_conn, link)->fd);
}

static const struct longpoll_ops longpoll_callbacks = {
    .wake = on_longpoll_wake,
    .lost = on_longpoll_lost,
};

static void resume_woken(struct http *http)
{
    struct list *node;
    while ((node = list_pop(&http->woken))) {
        struct http_request *r = LIST_ENTRY(node, struct http_request, node);
        r->suspended = false;
        r->conn->pool->due = true;
        MHD_resume_connection(r->mhd);
    }
}

/* MHD's callbacks */

static struct http_conn *conn_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void on_connection(void *arg, struct MHD_Connection *mhd,
                          void **socket_context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct http_pool *pool = arg;
    struct http *http = pool->http;
    struct counters *c = http->env->counters;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
        struct http_conn *conn = mem_zalloc(sizeof *conn);
        conn->http = http;
        conn->pool = pool;
        conn->fd = info->connect_fd;
        counter_inc(c, COUNTER_CONNECTIONS_HTTP);
        counter_inc(c, COUNTER_OPENED_HTTP);
        http_conn_phase(conn, HTTP_HEAD);
        *socket_context = conn;
        return;
    }
    struct http_conn *conn = *socket_context;
    longpoll_settle(&conn->link, was_reset(conn->fd));
    wheel_cancel(http->env->wheel, &conn->deadline);
    counter_dec(c, COUNTER_CONNECTIONS_HTTP);
    free(conn);
    *socket_context = NULL;
}

/* The request line is there: gives the raw target, and makes the request. */
static void *on_request_line(void *arg, const char *target,
                             struct MHD_Connection *mhd)
{
    struct http *http = ((struct http_pool *)arg)->http;
    struct http_conn *conn = conn_of(mhd);
    struct http_request *r =
        http_request_new(conn, mhd, target, strlen(target));
    http->requests++;
    longpoll_settle(&conn->link, false);
    if (conn->phase == HTTP_IDLE)
        http_conn_phase(conn, HTTP_HEAD);
    return r;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *mhd,
                                  const char *url, const char *method,
                                  const char *version, const char *data,
                                  size_t *size, void **request)
{
    struct http *http = ((struct http_pool *)arg)->http;
    (void)mhd;
    (void)url;
    if (!*request || http->stopping)
        return MHD_NO;
    return http_request_step(*request, method, version, data, size)
               ? MHD_YES
               : MHD_NO;
}

static void on_completed(void *arg, struct MHD_Connection *mhd,
                         void **request,
                         enum MHD_RequestTerminationCode code)
{
    struct http *http = ((struct http_pool *)arg)->http;
    struct http_request *r = *request;
    (void)mhd;
    if (!r)
        return;
    *request = NULL;
    struct http_conn *conn = r->conn;
    http->requests--;
    poller_delete(http->poller, &r->watch);
    list_remove(&r->node);
    http_request_free(r, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    http_conn_phase(conn, HTTP_IDLE);
}

/* running */

static void on_mhd_readable(uv_poll_t *handle, int status, int events)
{
    struct http_pool *pool = handle->data;
    (void)status;
    (void)events;
    pool->due = true;
}

static void on_mhd_timer(uv_timer_t *timer)
{
    struct http_pool *pool = timer->data;
    pool->due = true;
}

static void run_mhd(struct http_pool *pool)
{
    MHD_UNSIGNED_LONG_LONG wait = 1;
    bool more = false;
    for (int i = 0; i < RUNS_PER_TURN; i++) {
        MHD_run(pool->mhd);
        more = MHD_get_timeout(pool->mhd, &wait) == MHD_YES;
        if (!more || wait != 0)
            break;
    }
    pool->due = more && wait == 0;
    if (more && wait != 0)
        uv_timer_start(&pool->timer, on_mhd_timer, wait, 0);
    else
        uv_timer_stop(&pool->timer);
}

bool http_turn(struct http *http)
{
    bool busy = longpoll_turn(http->longpoll, now_of(http));
    resume_woken(http);
    for (int i = 0; i < HTTP_POOLS; i++) {
        if (!http->pools[i].due)
            continue;
        run_mhd(&http->pools[i]);
        busy = true;
    }
    return busy;
}

/* The smallest pool that holds such heads: MHD gives half of it to the head
 * as it is read, the rest to what it makes of it. */
static struct http_pool *pool_for(struct http *http,
                                  const struct http_head *head)
{
    size_t text = head->target.len + HEAD_SLACK, records = head->count;
    for (size_t i = 0; i < head->count; i++) {
        const struct http_header *h = &head->headers[i];
        text += h->name.len + h->value.len + 4;
        if (!http_span_is_nocase(h->name, "cookie"))
            continue;
        text += h->value.len;
        for (size_t c = 0; c < h->value.len; c++)
            records += h->value.p[c] == ';' || h->value.p[c] == ',';
    }
    for (size_t i = 0; i < head->query.len; i++)
        records += head->query.p[i] == '&';
    size_t half = records * HEADER_BYTES + RESPONSE_BYTES;
    half = half > text ? half : text;
    int i = 0;
    while (i < HTTP_POOLS - 1 && pool_bytes[i] < 2 * half)
        i++;
    return &http->pools[i];
}

void http_adopt(struct http *http, int fd, const struct http_head *first,
                const struct sockaddr *peer, socklen_t peer_len)
{
    struct http_pool *pool = pool_for(http, first);
    if (http->stopping) {
        close(fd);
        return;
    }
    /* Closes the socket itself when it refuses. */
    MHD_add_connection(pool->mhd, fd, peer, peer_len);
    pool->due = true;
}

static struct MHD_Daemon *start_mhd(struct http_pool *pool, size_t bytes)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME |
            MHD_USE_ITC | MHD_USE_TURBO | MHD_ALLOW_UPGRADE,
        0, NULL, NULL, on_request, pool,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, bytes,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, 0u,
        MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, pool,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, pool,
        MHD_OPTION_URI_LOG_CALLBACK, on_request_line, pool, MHD_OPTION_END);
}

static bool pool_start(struct http *http, int number)
{
    struct http_pool *pool = &http->pools[number];
    pool->http = http;
    pool->one_shot = number == HTTP_POOLS - 1;
    pool->mhd = start_mhd(pool, pool_bytes[number]);
    if (!pool->mhd)
        return false;
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(pool->mhd, MHD_DAEMON_INFO_EPOLL_FD);
    if (!info || uv_poll_init(http->env->loop, &pool->poll,
                              info->epoll_fd) != 0) {
        MHD_stop_daemon(pool->mhd);
        pool->mhd = NULL;
        return false;
    }
    uv_timer_init(http->env->loop, &pool->timer);
    pool->poll.data = pool->timer.data = pool;
    uv_poll_start(&pool->poll, UV_READABLE, on_mhd_readable);
    return true;
}

static void pool_stop(struct http_pool *pool)
{
    if (!pool->mhd)
        return;
    run_mhd(pool);
    uv_close((uv_handle_t *)&pool->poll, NULL);
    uv_close((uv_handle_t *)&pool->timer, NULL);
    MHD_stop_daemon(pool->mhd); /* completes and closes the rest */
    pool->mhd = NULL;
}

bool http_new(const struct http_options *options, struct http **out)
{
    struct http *http = *out = mem_zalloc(sizeof *http);
    bool ok = true;
    http->env = options->env;
    http->poller = options->poller;
    http->ws = options->ws;
    http->files = options->files;
    http->pages = options->pages;
    http->pages_arg = options->pages_arg;
    list_init(&http->parked);
    list_init(&http->woken);
    for (int i = 0; i < HTTP_POOLS && ok; i++)
        ok = pool_start(http, i);
    http->gzip = gzip_new();
    http->longpoll = longpoll_new(http->env, &longpoll_callbacks);
    return ok;
}

size_t http_end_sessions(struct http *http, size_t most)
{
    return longpoll_end_some(http->longpoll, most);
}

size_t http_requests(const struct http *http)
{
    return http->requests;
}

void http_stop(struct http *http)
{
    struct list *node, *next;
    if (!http || http->stopping)
        return;
    longpoll_end_some(http->longpoll, SIZE_MAX);
    http->stopping = true;
    LIST_FOREACH(node, next, &http->parked) {
        http_request_wake(LIST_ENTRY(node, struct http_request, node));
    }
    resume_woken(http);
    for (int i = 0; i < HTTP_POOLS; i++)
        pool_stop(&http->pools[i]);
    longpoll_free(http->longpoll, now_of(http));
    http->longpoll = NULL;
    gzip_free(http->gzip);
    http->gzip = NULL;
}

void http_free(struct http *http)
{
    free(http);
}
