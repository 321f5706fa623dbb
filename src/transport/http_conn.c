/* SPDX-License-Identifier: MIT */
/*
 * Connections as MHD sees them: deadlines, parking, coming and going. Must
 * never let MHD read a request that listen.c has not looked at, as far as that
 * can be helped; nor lose a byte of one that MHD has read already.
 *
 * MHD gets a connection for one request, and then loses it again. It has no
 * call for that, so it is taken away from it:
 *
 *   http_conn_new      the descriptor is given to MHD
 *   ... answered       MHD keeps it open for a next request
 *   suspended          which takes it out of MHD's epoll set
 *   dup, dup3(dead)    a copy of the descriptor goes back to the listener;
 *                      the number MHD knows now means a socket at its end
 *   spent: resumed     MHD reads the end, closes that number, forgets it
 *
 * So every head is read by our strict parser, gets memory of its own size, and
 * may be an upgrade; and a connection between two requests costs 100 bytes.
 *
 * What a client pipelines behind a request may be in MHD's buffer by then. We
 * know how many bytes the requests have and the kernel knows how many were
 * read: only when these are the same is a connection taken back. Otherwise it
 * stays, and MHD reads the next request itself.
 */
#include "transport/http_request.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/counters.h"
#include "base/log.h"
#include "base/mem.h"
#include "transport/env.h"
#include "transport/tcp.h"

/* Resuming makes MHD look at all suspended connections: the spent ones are
 * resumed together. */
enum { BURY_MS = 50 };

/* deadlines */

static const struct {
    const char *name;
    enum counter_id counter;
    size_t limit; /* offset in transport_limits */
} phases[] = {
    [HTTP_IDLE] = {"idle", COUNTER_LIMIT_KEEPALIVE,
                   offsetof(struct transport_limits, keepalive_ms)},
    [HTTP_HEAD] = {"head", COUNTER_LIMIT_HEAD_TIME,
                   offsetof(struct transport_limits, head_ms)},
    [HTTP_BODY] = {"body", COUNTER_LIMIT_BODY_TIME,
                   offsetof(struct transport_limits, request_ms)},
    [HTTP_WRITING] = {"response", COUNTER_LIMIT_RESPONSE_TIME,
                      offsetof(struct transport_limits, response_ms)},
};

static void on_deadline(struct wheel_timer *timer, uint64_t now)
{
    struct http_conn *conn = LIST_ENTRY(timer, struct http_conn, deadline);
    (void)now;
    char peer[ADDRESS_TEXT_MAX];
    address_text(&conn->peer, peer);
    if (conn->phase != HTTP_IDLE)
        log_info("http deadline", LOG_Z("phase", phases[conn->phase].name),
                 LOG_Z("peer", peer));
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

/* what stays between two requests */

struct lp_link *http_conn_link(struct http_conn *conn)
{
    if (!conn->keep) {
        conn->keep = mem_zalloc(sizeof *conn->keep);
        conn->keep->http = conn->http;
        conn->keep->fd = conn->fd;
    }
    return &conn->keep->link;
}

bool http_keep_lost(struct lp_link *link)
{
    return tcp_was_reset(LIST_ENTRY(link, struct http_keep, link)->fd);
}

void http_keep_free(struct http_keep *keep, bool reset)
{
    if (!keep)
        return;
    longpoll_settle(&keep->link, reset);
    free(keep);
}

/* coming */

struct http_conn *http_conn_new(struct http *http, struct http_pool *pool,
                                const struct http_arrival *arrival)
{
    struct list *node, *next;
    LIST_FOREACH(node, next, &http->arriving) {
        struct http_conn *stale = LIST_ENTRY(node, struct http_conn, node);
        if (stale->fd == arrival->fd) /* MHD dropped it without a word */
            http_conn_free(stale);
    }
    struct http_conn *conn = mem_zalloc(sizeof *conn);
    conn->http = http;
    conn->pool = pool;
    conn->fd = arrival->fd;
    conn->keep = arrival->keep;
    conn->waited = arrival->waited;
    conn->peer = arrival->peer;
    conn->visitor = visitors_enter(http->env->visitors, &conn->peer,
                                   env_now(http->env));
    conn->consumed = arrival->consumed;
    conn->countless = arrival->countless;
    conn->checked = true;
    if (conn->keep)
        conn->keep->fd = conn->fd;
    list_push(&http->arriving, &conn->node);
    counter_inc(http->env->counters, COUNTER_CONNECTIONS_HTTP);
    if (arrival->first)
        counter_inc(http->env->counters, COUNTER_OPENED_HTTP);
    return conn;
}

void http_conn_start(struct http_conn *conn)
{
    /* Nobody asks MHD who the peer is, and it may not be who it says. */
    static const struct sockaddr_in nobody = {.sin_family = AF_INET};
    struct http_pool *pool = conn->pool;
    pool->due = true;
    /* Closes the socket itself when it refuses. */
    if (MHD_add_connection(pool->mhd, conn->fd,
                           (const struct sockaddr *)&nobody,
                           sizeof nobody) != MHD_YES &&
        !conn->mhd)
        http_conn_free(conn);
}

struct http_conn *http_conn_arrived(struct http_pool *pool,
                                    struct MHD_Connection *mhd, int fd)
{
    struct list *node, *next;
    LIST_FOREACH(node, next, &pool->http->arriving) {
        struct http_conn *conn = LIST_ENTRY(node, struct http_conn, node);
        if (conn->fd != fd)
            continue;
        list_remove(&conn->node);
        conn->mhd = mhd;
        http_conn_phase(conn, HTTP_HEAD);
        return conn;
    }
    return NULL;
}

void http_conn_free(struct http_conn *conn)
{
    struct transport_env *env = conn->http->env;
    list_remove(&conn->node);
    wheel_cancel(env->wheel, &conn->deadline);
    visitors_leave(conn->visitor, env_now(env));
    http_wait_drop(conn->waited);
    if (!conn->spent) {
        http_keep_free(conn->keep, conn->mhd && tcp_lost(conn->fd));
        counter_dec(env->counters, COUNTER_CONNECTIONS_HTTP);
    }
    free(conn);
}

/* going */

void http_conn_answered(struct http_conn *conn)
{
    http_conn_phase(conn, HTTP_IDLE);
    list_remove(&conn->node);
    list_push(&conn->http->answered, &conn->node);
}

static void on_spent_timer(struct wheel_timer *timer, uint64_t now)
{
    (void)now;
    http_conn_bury_spent(LIST_ENTRY(timer, struct http, spent_timer));
}

static void give_back(struct http_conn *conn)
{
    struct http *http = conn->http;
    struct transport_env *env = http->env;
    int fd = fcntl(conn->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return; /* then it stays */
    MHD_suspend_connection(conn->mhd);
    if (dup3(http->dead, conn->fd, O_CLOEXEC) < 0) {
        close(fd); /* cannot happen: the number is taken */
        MHD_resume_connection(conn->mhd);
        return;
    }
    conn->spent = true;
    visitors_leave(conn->visitor, env_now(env));
    conn->visitor = NULL;
    wheel_cancel(env->wheel, &conn->deadline);
    list_push(&http->spent, &conn->node);
    if (!wheel_armed(&http->spent_timer))
        wheel_set(env->wheel, &http->spent_timer, env_now(env) + BURY_MS,
                  on_spent_timer);
    counter_dec(env->counters, COUNTER_CONNECTIONS_HTTP);
    if (conn->keep)
        conn->keep->fd = fd;
    listener_return(http->listener, fd, conn->consumed, &conn->peer,
                    conn->keep);
    conn->keep = NULL;
}

/* Has MHD read nothing but the requests it has answered? */
static bool at_boundary(const struct http_conn *conn)
{
    uint64_t consumed;
    if (conn->phase != HTTP_IDLE || conn->countless ||
        !tcp_consumed(conn->fd, &consumed))
        return false;
    if (consumed == conn->consumed + 1) /* the end counts as a byte */
        return tcp_peer_ended(conn->fd);
    return consumed == conn->consumed;
}

void http_conn_return_answered(struct http *http)
{
    struct list *node;
    while ((node = list_pop(&http->answered))) {
        struct http_conn *conn = LIST_ENTRY(node, struct http_conn, node);
        if (at_boundary(conn) && !http->stopping)
            give_back(conn);
    }
}

void http_conn_bury_spent(struct http *http)
{
    struct list *node;
    while ((node = list_pop(&http->spent))) {
        struct http_conn *conn = LIST_ENTRY(node, struct http_conn, node);
        conn->pool->due = true;
        MHD_resume_connection(conn->mhd);
    }
    wheel_cancel(http->env->wheel, &http->spent_timer);
}
