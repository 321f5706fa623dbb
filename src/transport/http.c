/* SPDX-License-Identifier: MIT */
/*
 * libmicrohttpd (MHD) under our loop: see http.h. Must never let a peer hold
 * a connection without a deadline, stop the daemon while a request is
 * suspended (MHD aborts the process), or park a poll whose client has left.
 *
 * Library behaviour that this file relies on [measured with 0.9.75]:
 *  - Its own timeout counts inactivity only, so a body sent drop by drop lives
 *    for ever. Ours are absolute, one timer per connection. There is no call
 *    to close a connection: the deadline shuts the socket down, and MHD sees
 *    the end.
 *  - A suspended connection neither times out nor notices that the client has
 *    left: parked polls are watched for EPOLLRDHUP by us.
 *  - Resuming scans all suspended connections: resumes are collected and MHD
 *    runs once per turn (10,000 parked: 18 us each, 104 us one by one). A
 *    resumed request enters the access handler anew.
 *  - An upgrade that was pipelined behind another request (see http_conn.c) is
 *    MHD's already. Its own upgrade mechanism sends the 101 and gives out what
 *    it has read behind the head; the descriptor is duplicated, the copy given
 *    to libwebsockets, and MHD told to close its own, which it does without
 *    shutdown() [read in its source].
 *
 * The pool of a connection must hold the head twice over, 72 bytes for each
 * header and cookie, and the head of the response; and MHD zeroes all of it
 * after each response. We know the head before MHD does, so there are daemons
 * with three sizes: those of ordinary clients take the smallest. Polls without
 * an answer take none (http_wait.c).
 */
#include "transport/http.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>
#include <uv.h>

#include "base/counters.h"
#include "base/mem.h"
#include "transport/env.h"
#include "transport/http_head.h"
#include "transport/http_request.h"
#include "transport/poller.h"

static const size_t pool_bytes[HTTP_POOLS] = {2560, 6144, 65536};

enum {
    HEADER_BYTES = 72,    /* MHD's record of a header, cookie or argument */
    RESPONSE_BYTES = 640, /* the head of our longest response */
    HEAD_SLACK = 64,      /* what a line has besides name and value */
    CONNECTIONS_MAX = 1 << 20, /* ours is counted in listen.c */
    RUNS_PER_TURN = 16
};

static uint64_t now_of(const struct http *http)
{
    return env_now(http->env);
}

/* polls */

static void on_longpoll_wake(struct lp_request *lp)
{
    if (lp->unread)
        http_wait_wake(lp);
    else
        http_request_wake(LIST_ENTRY(lp, struct http_request, lp));
}

static const struct longpoll_ops longpoll_callbacks = {
    .wake = on_longpoll_wake,
    .lost = http_keep_lost,
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
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
        *socket_context = http_conn_arrived(arg, mhd, info->connect_fd);
    } else if (*socket_context) {
        http_conn_free(*socket_context);
        *socket_context = NULL;
    }
}

/* The request line is there: gives the raw target, and makes the request. */
static void *on_request_line(void *arg, const char *target,
                             struct MHD_Connection *mhd)
{
    struct http *http = ((struct http_pool *)arg)->http;
    struct http_conn *conn = conn_of(mhd);
    if (!conn)
        return NULL;
    struct http_request *r =
        http_request_new(conn, mhd, target, strlen(target));
    http->requests++;
    if (conn->keep)
        longpoll_settle(&conn->keep->link, false);
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
    http_conn_answered(conn);
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
    pool->due = false; /* what is called from here may set it again */
    for (int i = 0; i < RUNS_PER_TURN; i++) {
        MHD_run(pool->mhd);
        http_conn_return_answered(pool->http); /* before it reads again */
        more = MHD_get_timeout(pool->mhd, &wait) == MHD_YES;
        if (!more || wait != 0)
            break;
    }
    pool->due = pool->due || (more && wait == 0);
    if (more && wait != 0)
        uv_timer_start(&pool->timer, on_mhd_timer, wait, 0);
    else
        uv_timer_stop(&pool->timer);
}

bool http_turn(struct http *http)
{
    bool busy = longpoll_turn(http->longpoll, now_of(http));
    resume_woken(http);
    http_wait_deliver(http);
    for (int i = 0; i < HTTP_POOLS; i++) {
        if (!http->pools[i].due)
            continue;
        run_mhd(&http->pools[i]);
        busy = true;
    }
    return busy;
}

/* The smallest size that holds the request: MHD gives half of it to the head
 * as it is read, the rest to what it makes of it. Heads that it will read
 * without us may be of any size. */
static int size_for(const struct listener_request *request)
{
    const struct http_head *head = request->head;
    size_t text = head->target.len + HEAD_SLACK, records = head->count;
    int i = 0;
    for (size_t h = 0; h < head->count; h++) {
        struct http_span value = head->headers[h].value;
        text += head->headers[h].name.len + value.len + HEAD_SLACK / 16;
        if (!http_span_is_nocase(head->headers[h].name, "cookie"))
            continue;
        text += value.len;
        for (size_t c = 0; c < value.len; c++)
            records += value.p[c] == ';' || value.p[c] == ',';
    }
    for (size_t c = 0; c < head->query.len; c++)
        records += head->query.p[c] == '&';
    size_t half = records * HEADER_BYTES + RESPONSE_BYTES;
    half = half > text ? half : text;
    while (i < HTTP_POOLS - 1 && (request->more || pool_bytes[i] < 2 * half))
        i++;
    return i;
}

void http_adopt(struct http *http, int fd,
                const struct listener_request *request)
{
    struct http_pool *pool = &http->pools[size_for(request)];
    struct http_span length = http_head_get(request->head, "content-length");
    struct http_arrival arrival = {
        .fd = fd,
        .peer = request->peer,
        .consumed = request->consumed + request->head_len,
        .countless = http_head_get(request->head, "transfer-encoding").p,
        .first = request->first,
        .keep = request->keep,
    };
    if (length.p)
        arrival.consumed += strtoull(length.p, NULL, 10);
    if (!http_wait_begin(http, pool, fd, request))
        http_conn_start(http_conn_new(http, pool, &arrival));
}

void http_parted(struct http *http, void *keep, bool reset)
{
    (void)http;
    http_keep_free(keep, reset);
}

void http_set_listener(struct http *http, struct listener *listener)
{
    http->listener = listener;
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

/* A socket at its end: what MHD is left with when a connection is taken away
 * from it. */
static int open_dead(void)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                   pair) != 0)
        return -1;
    close(pair[1]);
    return pair[0];
}

bool http_new(const struct http_options *options, struct http **out)
{
    struct http *http = *out = mem_zalloc(sizeof *http);
    http->env = options->env;
    http->poller = options->poller;
    http->ws = options->ws;
    http->files = options->files;
    http->policy = options->policy;
    http->pages = options->pages;
    http->pages_arg = options->pages_arg;
    list_init(&http->parked);
    list_init(&http->woken);
    list_init(&http->waiting);
    list_init(&http->ready);
    list_init(&http->arriving);
    list_init(&http->answered);
    list_init(&http->spent);
    http->dead = open_dead();
    bool ok = http->dead >= 0;
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

size_t http_shed(struct http *http)
{
    return longpoll_shed(http->longpoll);
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
    http_wait_deliver(http);
    http_conn_bury_spent(http);
    for (int i = 0; i < HTTP_POOLS; i++)
        pool_stop(&http->pools[i]);
    while (!list_empty(&http->arriving))
        http_conn_free(
            LIST_ENTRY(http->arriving.next, struct http_conn, node));
    if (http->dead >= 0)
        close(http->dead);
    longpoll_free(http->longpoll, now_of(http));
    http->longpoll = NULL;
    gzip_free(http->gzip);
    http->gzip = NULL;
}

void http_free(struct http *http)
{
    free(http);
}
