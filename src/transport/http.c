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
 * The pool of a connection has to hold head, parsed headers (72 bytes each)
 * and response head: heads of 16 kB with 100 headers need 32 kB. Untouched
 * pages cost nothing: see POOL_BYTES.
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
#include "transport/http_request.h"
#include "transport/poller.h"

enum {
    /* A parked poll takes 5.5 kB with 32 kB of pool and 5.0 kB with 4 kB
     * [measured]: not worth refusing a browser with large cookies. */
    POOL_BYTES = 32 * 1024,
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

static bool resume_woken(struct http *http)
{
    struct list *node;
    bool some = false;
    while ((node = list_pop(&http->woken))) {
        struct http_request *r = LIST_ENTRY(node, struct http_request, node);
        r->suspended = false;
        MHD_resume_connection(r->mhd);
        some = true;
    }
    return some;
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
    struct http *http = arg;
    struct counters *c = http->env->counters;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
        struct http_conn *conn = mem_zalloc(sizeof *conn);
        conn->http = http;
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
    struct http *http = arg;
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
    struct http *http = arg;
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
    struct http *http = arg;
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
    struct http *http = handle->data;
    (void)status;
    (void)events;
    http->due = true;
}

static void on_mhd_timer(uv_timer_t *timer)
{
    struct http *http = timer->data;
    http->due = true;
}

static void run_mhd(struct http *http)
{
    MHD_UNSIGNED_LONG_LONG wait = 1;
    bool more = false;
    for (int i = 0; i < RUNS_PER_TURN; i++) {
        MHD_run(http->mhd);
        more = MHD_get_timeout(http->mhd, &wait) == MHD_YES;
        if (!more || wait != 0)
            break;
    }
    http->due = more && wait == 0;
    if (more && wait != 0)
        uv_timer_start(&http->timer, on_mhd_timer, wait, 0);
    else
        uv_timer_stop(&http->timer);
}

bool http_turn(struct http *http)
{
    bool busy = longpoll_turn(http->longpoll, now_of(http));
    if (resume_woken(http))
        http->due = true;
    if (http->due && http->mhd) {
        run_mhd(http);
        busy = true;
    }
    return busy;
}

void http_adopt(struct http *http, int fd, const struct sockaddr *peer,
                socklen_t peer_len)
{
    if (http->stopping) {
        close(fd);
        return;
    }
    /* Closes the socket itself when it refuses. */
    MHD_add_connection(http->mhd, fd, peer, peer_len);
    http->due = true;
}

static struct MHD_Daemon *start_mhd(struct http *http)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME |
            MHD_USE_ITC | MHD_USE_TURBO | MHD_ALLOW_UPGRADE,
        0, NULL, NULL, on_request, http,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, 0u,
        MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, http,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, http,
        MHD_OPTION_URI_LOG_CALLBACK, on_request_line, http, MHD_OPTION_END);
}

static bool watch_mhd(struct http *http)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(http->mhd, MHD_DAEMON_INFO_EPOLL_FD);
    if (!info || uv_poll_init(http->env->loop, &http->poll,
                              info->epoll_fd) != 0)
        return false;
    uv_timer_init(http->env->loop, &http->timer);
    http->poll.data = http->timer.data = http;
    uv_poll_start(&http->poll, UV_READABLE, on_mhd_readable);
    return true;
}

struct http *http_new(const struct http_options *options)
{
    struct http *http = mem_zalloc(sizeof *http);
    http->env = options->env;
    http->poller = options->poller;
    http->ws = options->ws;
    http->files = options->files;
    http->pages = options->pages;
    http->pages_arg = options->pages_arg;
    list_init(&http->parked);
    list_init(&http->woken);
    http->mhd = start_mhd(http);
    if (!http->mhd || !watch_mhd(http)) {
        if (http->mhd)
            MHD_stop_daemon(http->mhd);
        free(http);
        return NULL;
    }
    http->gzip = gzip_new();
    http->longpoll = longpoll_new(http->env, &longpoll_callbacks);
    return http;
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
    run_mhd(http);
    MHD_stop_daemon(http->mhd); /* completes and closes the rest */
    http->mhd = NULL;
    uv_close((uv_handle_t *)&http->poll, NULL);
    uv_close((uv_handle_t *)&http->timer, NULL);
    longpoll_free(http->longpoll, now_of(http));
    http->longpoll = NULL;
    gzip_free(http->gzip);
    http->gzip = NULL;
}

void http_free(struct http *http)
{
    free(http);
}
