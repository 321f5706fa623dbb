/* SPDX-License-Identifier: MIT */
/*
 * Polls that wait in the socket: see http_request.h. Must never keep a poll
 * whose client has left, or one that has an answer.
 *
 * Nearly all the time of a long-poll client is a poll without an answer. MHD
 * would hold a kilobyte for it, the head twice over, and look at all it holds
 * whenever one is resumed. But the listener has looked at the head already,
 * and its bytes are still in the kernel: there the request stays until there
 * is an answer. MHD is given the connection then, and reads it as any other.
 *
 *   http_wait_begin    the session has nothing: the poll is the session's, and
 *                      the socket is watched for its end
 *   longpoll wakes     http_wait_deliver, in the same turn: MHD has it, and
 *                      conn->waited is what was decided
 *   http_wait_take     its request goes on from there
 */
#include "transport/http_request.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/counters.h"
#include "base/mem.h"
#include "transport/env.h"
#include "transport/http_head.h"
#include "transport/upgrade.h"

struct http_wait {
    struct http *http;
    struct http_pool *pool; /* that will answer */
    struct list node;       /* in http->waiting, or http->ready */
    struct poller_item watch;
    struct lp_request lp;
    struct http_keep *keep;
    struct visitor *visitor;
    struct address peer;
    uint64_t consumed; /* with this request */
    int fd;
};

static struct http_wait *wait_of(struct lp_request *lp)
{
    return LIST_ENTRY(lp, struct http_wait, lp);
}

/* A GET without a body, and nothing else in the socket. */
static bool may_wait(const struct listener_request *request)
{
    struct http_span length = http_head_get(request->head, "content-length");
    return !request->more && http_span_is(request->head->method, "GET") &&
           http_span_is(request->head->path, TRANSPORT_MOUNT "/longpoll") &&
           (!length.p || http_span_is(length, "0")) &&
           !http_head_get(request->head, "expect").p;
}

static void end(struct http_wait *w)
{
    struct http *http = w->http;
    struct transport_env *env = http->env;
    poller_delete(http->poller, &w->watch);
    list_remove(&w->node);
    visitors_leave(w->visitor, env_now(env));
    counter_dec(env->counters, COUNTER_CONNECTIONS_HTTP);
    http->requests--;
}

static void on_left(struct poller_item *item, uint32_t events)
{
    struct http_wait *w = LIST_ENTRY(item, struct http_wait, watch);
    (void)events;
    end(w);
    http_keep_free(w->keep, tcp_lost(w->fd));
    close(w->fd);
    http_wait_drop(w);
}

bool http_wait_begin(struct http *http, struct http_pool *pool, int fd,
                     const struct listener_request *request)
{
    struct transport_env *env = http->env;
    struct http_keep *keep = request->keep;
    struct address client;
    if (!may_wait(request) || http->stopping)
        return false;
    if (keep)
        longpoll_settle(&keep->link, false);
    client_address(&env->clients, &request->peer, request->head, &client);
    if (!longpoll_would_park(http->longpoll, request->head, &client))
        return false;
    struct http_wait *w = mem_zalloc(sizeof *w);
    w->http = http;
    w->pool = pool;
    w->fd = fd;
    w->peer = request->peer;
    w->consumed = request->consumed + request->head_len;
    w->keep = keep;
    if (keep)
        keep->fd = fd;
    w->visitor = visitors_enter(env->visitors, &w->peer, env_now(env));
    w->lp.client = client;
    w->lp.unread = true;
    http->requests++;
    counter_inc(env->counters, COUNTER_CONNECTIONS_HTTP);
    if (request->first)
        counter_inc(env->counters, COUNTER_OPENED_HTTP);
    list_push(&http->waiting, &w->node);
    if (!longpoll_poll(http->longpoll, &w->lp, request->head, env_now(env)))
        http_wait_wake(&w->lp);
    else if (!poller_add(http->poller, &w->watch, fd, EPOLLRDHUP, on_left))
        on_left(&w->watch, 0); /* cannot be watched: not to be kept */
    return true;
}

void http_wait_wake(struct lp_request *lp)
{
    struct http_wait *w = wait_of(lp);
    poller_delete(w->http->poller, &w->watch);
    list_remove(&w->node);
    list_push(&w->http->ready, &w->node);
}

void http_wait_deliver(struct http *http)
{
    struct list *node;
    while ((node = list_pop(&http->ready))) {
        struct http_wait *w = LIST_ENTRY(node, struct http_wait, node);
        struct http_arrival arrival = {
            .fd = w->fd,
            .peer = w->peer,
            .consumed = w->consumed,
            .keep = w->keep,
            .waited = w,
        };
        struct http_conn *conn = http_conn_new(http, w->pool, &arrival);
        end(w); /* the connection counts for itself */
        http_conn_start(conn);
    }
}

void http_wait_take(struct http_wait *w, struct lp_request *into)
{
    longpoll_move(&w->lp, into);
    into->unread = false;
    free(w);
}

void http_wait_drop(struct http_wait *w)
{
    if (!w)
        return;
    longpoll_finish(w->http->longpoll, &w->lp, false, NULL,
                    env_now(w->http->env));
    free(w);
}
