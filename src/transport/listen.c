/* SPDX-License-Identifier: MIT */
/*
 * Accept, peek, hand over: see listen.h. Must never block, spin, hold a socket
 * that says nothing for longer than the head deadline, or hand over a head
 * that it has not understood.
 *
 * A connection here:
 *
 *                     +--------- listener_return ---------+
 *                     v                                   |
 *   accept -> PEEK (or IDLE) --- whole head ---> http() --+
 *              | bad, too long         \-------> websocket()
 *              v
 *            LINGER: the answer is written; what the peer still sends is
 *            thrown away until it closes, since closing over unread bytes
 *            would reset the connection and take the answer with it
 *
 * Peeking without a busy loop: the socket is level-triggered and its bytes
 * stay where they are, so SO_RCVLOWAT is set to one more than what we have
 * seen [measured: epoll honours it on TCP; AF_UNIX ignores it]. A peer that
 * sends byte by byte would have us search 16 kB for each of 16,000 bytes: after
 * MANY_PEEKS it is looked at only every PACE_MS.
 */
#include "transport/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/counters.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/wheel.h"
#include "transport/env.h"
#include "transport/http_head.h"
#include "transport/inherit.h"
#include "transport/poller.h"
#include "transport/proxy_header.h"
#include "transport/tcp.h"
#include "transport/upgrade.h"

enum {
    BACKLOG = 4096,
    ACCEPTS_PER_TURN = 128,
    MANY_PEEKS = 64,
    PACE_MS = 100,
    LINGER_MS = 2000,
    LINGER_BYTES = 256 * 1024,
    UNSENT_BYTES = 64 * 1024,
    PAUSE_MS = 250, /* without descriptors */
    AWAITED_MS = 1000
};

struct listener {
    struct transport_env *env;
    struct poller *poller;
    const struct listener_ops *ops;
    void *arg;
    struct poller_item item;
    struct wheel_timer pause;
    struct list heads;
    int fd, reserve;
    uint16_t port;
    bool shedding;    /* logged that we are over the limit */
    char *scratch;    /* heads are peeked into it */
    size_t scratch_size;
    struct http_head head; /* being looked at */
};

struct head {
    struct listener *owner;
    struct list node;
    struct poller_item item;
    struct wheel_timer timer; /* the deadline, or the pace */
    uint64_t deadline;
    uint64_t consumed; /* of requests before */
    void *keep;
    uint32_t seen; /* PEEK: bytes searched; LINGER: bytes thrown away */
    uint16_t peeks;
    bool linger;
    bool returned; /* was HTTP before, and counts as that */
    bool proxied;  /* a PROXY header comes first */
    struct address peer;
    struct visitor *visitor; /* of the peer, or NULL */
    int fd;
};

static void on_head(struct poller_item *item, uint32_t events);
static void peek(struct head *head, bool hangup);

static enum counter_id gauge(const struct head *head)
{
    return head->returned ? COUNTER_CONNECTIONS_HTTP
                          : COUNTER_CONNECTIONS_HEAD;
}

static void part(struct head *head, bool reset)
{
    if (head->keep)
        head->owner->ops->parted(head->owner->arg, head->keep, reset);
    head->keep = NULL;
}

static void head_unlink(struct head *head)
{
    struct listener *l = head->owner;
    poller_delete(l->poller, &head->item);
    wheel_cancel(l->env->wheel, &head->timer);
    list_remove(&head->node);
    counter_dec(l->env->counters, gauge(head));
    visitors_leave(head->visitor, env_now(l->env));
    free(head);
}

static void head_close(struct head *head)
{
    int fd = head->fd;
    part(head, head->keep && tcp_lost(fd));
    head_unlink(head);
    close(fd);
}

static void on_deadline(struct wheel_timer *timer, uint64_t now)
{
    struct head *head = LIST_ENTRY(timer, struct head, timer);
    (void)now;
    if (!head->linger)
        counter_inc(head->owner->env->counters,
                    head->returned && head->seen == 0
                        ? COUNTER_LIMIT_KEEPALIVE
                        : COUNTER_LIMIT_HEAD_TIME);
    head_close(head);
}

static void on_pace(struct wheel_timer *timer, uint64_t now)
{
    struct head *head = LIST_ENTRY(timer, struct head, timer);
    if (now >= head->deadline)
        on_deadline(timer, now);
    else
        peek(head, false);
}

static const char *reason_phrase(int status)
{
    switch (status) {
    case 400:
        return "Bad Request";
    case 403:
        return "Forbidden";
    case 431:
        return "Request Header Fields Too Large";
    case 429:
        return "Too Many Requests";
    default:
        return "HTTP Version Not Supported";
    }
}

/* Wake up for each byte again, if ever told otherwise. */
static void lower_mark(const struct head *head)
{
    if (head->seen)
        tcp_low_mark(head->fd, 1);
}

/* Answer and close politely. */
static void refuse(struct head *head, int status, uint64_t retry_after)
{
    struct listener *l = head->owner;
    char text[256], retry[48] = "";
    const char *phrase = reason_phrase(status);
    if (retry_after)
        snprintf(retry, sizeof retry, "retry-after: %llu\r\n",
                 (unsigned long long)retry_after);
    int n = snprintf(text, sizeof text,
                     "HTTP/1.1 %d %s\r\ncontent-type: text/plain\r\n%s"
                     "content-length: %zu\r\nconnection: close\r\n\r\n%s\n",
                     status, phrase, retry, strlen(phrase) + 1, phrase);
    if (send(head->fd, text, (size_t)n, MSG_NOSIGNAL) != n ||
        shutdown(head->fd, SHUT_WR) != 0) {
        head_close(head);
        return;
    }
    lower_mark(head);
    head->linger = true;
    head->seen = 0;
    wheel_set(l->env->wheel, &head->timer, env_now(l->env) + LINGER_MS,
              on_deadline);
    if (!head->item.watched &&
        !poller_add(l->poller, &head->item, head->fd, EPOLLIN | EPOLLRDHUP,
                    on_head))
        head_close(head);
}

static void refuse_head(struct head *head, int status)
{
    struct counters *c = head->owner->env->counters;
    counter_inc(c, status == HTTP_HEAD_LARGE ? COUNTER_LIMIT_HEAD
                                             : COUNTER_REFUSED_HEAD);
    char peer[ADDRESS_TEXT_MAX];
    address_text(&head->peer, peer);
    log_info("head refused", LOG_INT("status", status), LOG_Z("peer", peer));
    refuse(head, status, 0);
}

/* The peer has ended its side. What it was sent last may still be lost: it is
 * not yet known whether it reads that before it closes, and the next poll of
 * its session may ask. So the socket is held a little longer. */
static void head_ended(struct head *head)
{
    struct listener *l = head->owner;
    if (!head->keep) {
        head_close(head);
        return;
    }
    poller_delete(l->poller, &head->item); /* it stays readable */
    head->linger = true;
    wheel_set(l->env->wheel, &head->timer, env_now(l->env) + LINGER_MS,
              on_deadline);
}

static void throw_away(struct head *head)
{
    char sink[4096];
    ssize_t n = recv(head->fd, sink, sizeof sink, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0)
        head->seen += (uint32_t)n;
    if (n <= 0 || head->seen > LINGER_BYTES)
        head_close(head);
}

/* Is more there than this request, or may be? */
static bool more_behind(const struct http_head *head, size_t head_len,
                        size_t have)
{
    struct http_span length = http_head_get(head, "content-length");
    if (http_head_get(head, "transfer-encoding").p)
        return true;
    uint64_t body = length.p ? strtoull(length.p, NULL, 10) : 0;
    return have - head_len > body;
}

static void give_to_http(struct head *head, size_t head_len, size_t have)
{
    struct listener *l = head->owner;
    struct listener_request request = {
        .head = &l->head,
        .head_len = head_len,
        .more = more_behind(&l->head, head_len, have),
        .first = !head->returned,
        .consumed = head->consumed,
        .peer = head->peer,
        .keep = head->keep,
    };
    int fd = head->fd;
    lower_mark(head);
    head_unlink(head);
    l->ops->http(l->arg, fd, &request);
}

/* Read exactly the head, so that a frame pipelined behind it stays in the
 * socket until the handshake is answered. */
static void give_to_websocket(struct head *head, size_t head_len,
                              const struct connect_params *params)
{
    struct listener *l = head->owner;
    int fd = head->fd;
    lower_mark(head);
    /* The bytes are the ones we peeked at; params point into them. */
    ssize_t n = recv(fd, l->scratch, head_len, MSG_DONTWAIT);
    part(head, false);
    head_unlink(head);
    if (n == (ssize_t)head_len)
        l->ops->websocket(l->arg, fd, params);
    else
        close(fd);
}

static void route(struct head *head, size_t head_len, size_t have)
{
    struct listener *l = head->owner;
    int err = http_head_parse(&l->head, l->scratch, head_len);
    if (err) {
        refuse_head(head, err);
        return;
    }
    if (!upgrade_path(l->head.path) || !upgrade_wanted(&l->head)) {
        give_to_http(head, head_len, have);
        return;
    }
    struct connect_params params;
    connect_params_init(&params);
    client_address(&l->env->clients, &head->peer, &l->head, &params.client);
    enum connect_refusal why = upgrade_check(l->env, &l->head, &params);
    if (why == CONNECT_OK)
        give_to_websocket(head, head_len, &params);
    else
        refuse(head, connect_refusal_status(why), params.retry_after);
    connect_params_deinit(&params);
}

/* Wait for more than `have` bytes. */
static void wait_for_more(struct head *head, size_t have)
{
    struct listener *l = head->owner;
    head->seen = (uint32_t)have;
    if (head->peeks >= MANY_PEEKS) {
        uint64_t at = env_now(l->env) + PACE_MS;
        poller_delete(l->poller, &head->item);
        wheel_set(l->env->wheel, &head->timer,
                  at < head->deadline ? at : head->deadline, on_pace);
        return;
    }
    if (have)
        tcp_low_mark(head->fd, (int)have + 1);
    if (!head->item.watched &&
        !poller_add(l->poller, &head->item, head->fd, EPOLLIN | EPOLLRDHUP,
                    on_head))
        head_close(head);
}

/* The first bytes of a next request: from now on it is in a hurry. */
static void begin_head(struct head *head)
{
    struct transport_env *env = head->owner->env;
    head->deadline = env_now(env) + env->limits.head_ms;
    wheel_set(env->wheel, &head->timer, head->deadline, on_deadline);
}

/* Counts the head for its address; closes it when that has far too many. */
static bool admit(struct head *head)
{
    struct transport_env *env = head->owner->env;
    head->visitor = visitors_enter(env->visitors, &head->peer, env_now(env));
    if (!visitor_far_over(head->visitor))
        return true;
    counter_inc(env->counters, COUNTER_LIMIT_ADDRESS_CONNECTIONS);
    head_close(head);
    return false;
}

/* No answer: who sends none of these does not speak HTTP to us yet. */
static void refuse_proxy_header(struct head *head)
{
    char peer[ADDRESS_TEXT_MAX];
    address_text(&head->peer, peer);
    counter_inc(head->owner->env->counters, COUNTER_REFUSED_PROXY);
    log_info("proxy header refused", LOG_Z("peer", peer));
    head_close(head);
}

/* Take the PROXY header off the socket, then begin with what is behind it. */
static void read_proxy_header(struct head *head, size_t have, bool hangup)
{
    struct listener *l = head->owner;
    struct address client;
    int len = proxy_header_read((const uint8_t *)l->scratch, have, &client);
    if (len == PROXY_HEADER_MORE) {
        if (hangup)
            head_ended(head);
        else
            wait_for_more(head, have);
        return;
    }
    if (len == PROXY_HEADER_BAD ||
        recv(head->fd, l->scratch, (size_t)len, MSG_DONTWAIT) != len) {
        refuse_proxy_header(head);
        return;
    }
    if (address_known(&client)) {
        head->peer = client;
        visitors_leave(head->visitor, env_now(l->env));
        if (!admit(head))
            return;
    }
    lower_mark(head);
    head->proxied = false;
    head->consumed += (uint64_t)len;
    head->seen = 0;
    peek(head, hangup);
}

static void peek(struct head *head, bool hangup)
{
    struct listener *l = head->owner;
    size_t limit = head->proxied ? PROXY_HEADER_MAX
                                 : l->env->limits.head_bytes;
    if (limit > l->scratch_size) {
        l->scratch = mem_realloc(l->scratch, limit);
        l->scratch_size = limit;
    }
    ssize_t got = recv(head->fd, l->scratch, limit, MSG_PEEK | MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        got = 0;
    else if (got <= 0) {
        head_ended(head);
        return;
    }
    size_t have = (size_t)got;
    head->peeks += head->peeks < MANY_PEEKS;
    if (head->proxied) {
        read_proxy_header(head, have, hangup);
        return;
    }
    size_t end = http_head_end(l->scratch, have,
                               have < head->seen ? 0 : head->seen);
    if (have && head->returned && head->seen == 0)
        begin_head(head);
    if (end)
        route(head, end, have);
    else if (have == limit)
        refuse_head(head, HTTP_HEAD_LARGE);
    else if (have && (l->scratch[0] < 'A' || l->scratch[0] > 'Z'))
        refuse_head(head, HTTP_HEAD_BAD); /* TLS and other strangers */
    else if (hangup)
        head_ended(head);
    else
        wait_for_more(head, have);
}

static void on_head(struct poller_item *item, uint32_t events)
{
    struct head *head = LIST_ENTRY(item, struct head, item);
    if (head->linger)
        throw_away(head);
    else
        peek(head, (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
}

/* Far beyond the limit even the polite answer (accept, then 1013) is too
 * much. */
static bool too_many(struct listener *l)
{
    size_t limit = l->env->limits.connections;
    bool over = env_connections(l->env) >= limit + limit / 8 + 16;
    if (over)
        counter_inc(l->env->counters, COUNTER_LIMIT_CONNECTIONS);
    if (over && !l->shedding)
        log_warning("connections closed at once",
                    LOG_INT("open", env_connections(l->env)));
    l->shedding = over;
    return over;
}

static struct head *head_new(struct listener *l, int fd, bool returned,
                             uint64_t ms)
{
    struct head *head = mem_zalloc(sizeof *head);
    head->owner = l;
    head->fd = fd;
    head->returned = returned;
    head->deadline = env_now(l->env) + ms;
    list_push(&l->heads, &head->node);
    counter_inc(l->env->counters, gauge(head));
    wheel_set(l->env->wheel, &head->timer, head->deadline, on_deadline);
    return head;
}

static void on_accepted(struct listener *l, int fd)
{
    int one = 1;
    if (too_many(l)) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    tcp_bound_unsent(fd, UNSENT_BYTES);
    struct head *head = head_new(l, fd, false, l->env->limits.head_ms);
    tcp_peer(fd, &head->peer);
    if (!admit(head))
        return;
    head->proxied = l->env->clients.proxy_protocol &&
                    address_list_has(&l->env->clients.trusted, &head->peer);
    /* The head is often there already. */
    peek(head, false);
}

void listener_return(struct listener *listener, int fd, uint64_t consumed,
                     const struct address *peer, void *keep)
{
    struct head *head =
        head_new(listener, fd, true, listener->env->limits.keepalive_ms);
    head->consumed = consumed;
    head->peer = *peer;
    head->keep = keep;
    head->visitor =
        visitors_enter(listener->env->visitors, peer, env_now(listener->env));
    wait_for_more(head, 0);
}

static void on_listen(struct poller_item *item, uint32_t events);

static void on_pause_over(struct wheel_timer *timer, uint64_t now)
{
    struct listener *l = LIST_ENTRY(timer, struct listener, pause);
    (void)now;
    if (l->fd >= 0)
        poller_add(l->poller, &l->item, l->fd, EPOLLIN, on_listen);
}

/* No descriptor is left: the listening socket stays readable, so not to spin
 * we give up the reserve, close what waits, and look away for a while. */
static void out_of_descriptors(struct listener *l)
{
    counter_inc(l->env->counters, COUNTER_LIMIT_FDS);
    log_warning("out of descriptors",
                LOG_INT("open", env_connections(l->env)));
    if (l->reserve >= 0) {
        close(l->reserve);
        int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            close(fd);
        l->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    poller_delete(l->poller, &l->item);
    wheel_set(l->env->wheel, &l->pause, env_now(l->env) + PAUSE_MS,
              on_pause_over);
}

static void on_listen(struct poller_item *item, uint32_t events)
{
    struct listener *l = LIST_ENTRY(item, struct listener, item);
    (void)events;
    for (int i = 0; i < ACCEPTS_PER_TURN && l->fd >= 0; i++) {
        int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            on_accepted(l, fd);
            continue;
        }
        if (errno == ECONNABORTED || errno == EINTR)
            continue;
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
            errno == ENOMEM)
            out_of_descriptors(l);
        return;
    }
}

static int open_socket(const struct addrinfo *ai)
{
    int one = 1, zero = 0;
    int fd = socket(ai->ai_family,
                    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (ai->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 &&
        listen(fd, BACKLOG) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static int open_address(const char *bind_to, uint16_t port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *all, *ai;
    char service[8];
    int fd = -1;
    snprintf(service, sizeof service, "%u", port);
    if (getaddrinfo(bind_to, service, &hints, &all) != 0) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    for (ai = all; ai && fd < 0; ai = ai->ai_next)
        fd = open_socket(ai);
    int saved = errno;
    freeaddrinfo(all);
    errno = saved;
    return fd;
}

static uint16_t bound_port(int fd)
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof addr;
    if (getsockname(fd, (struct sockaddr *)&addr, &len) != 0)
        return 0;
    if (addr.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&addr)->sin6_port);
    return ntohs(((struct sockaddr_in *)&addr)->sin_port);
}

struct listener *listener_new(struct transport_env *env,
                              struct poller *poller, const char *bind_to,
                              uint16_t port, const struct listener_ops *ops,
                              void *arg)
{
    int fd = inherit_listener();
    if (fd == INHERIT_NONE)
        fd = open_address(bind_to, port);
    if (fd == -1 && strcmp(bind_to, "::") == 0 &&
        (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
        fd = open_address("0.0.0.0", port);
    if (fd < 0)
        return NULL;
    struct listener *l = mem_zalloc(sizeof *l);
    l->env = env;
    l->poller = poller;
    l->ops = ops;
    l->arg = arg;
    l->fd = fd;
    l->port = bound_port(fd);
    l->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    list_init(&l->heads);
    if (!poller_add(poller, &l->item, fd, EPOLLIN, on_listen)) {
        listener_free(l);
        return NULL;
    }
    return l;
}

uint16_t listener_port(const struct listener *listener)
{
    return listener->port;
}

size_t listener_awaited(const struct listener *listener)
{
    uint64_t now = env_now(listener->env);
    uint64_t head_ms = listener->env->limits.head_ms;
    size_t count = 0;
    const struct list *node;
    for (node = listener->heads.next; node != &listener->heads;
         node = node->next) {
        const struct head *head = LIST_ENTRY(node, struct head, node);
        bool expected = !head->returned || head->seen > 0;
        /* Its deadline tells when it came, or began to speak again. */
        if (expected && !head->linger &&
            now + head_ms < head->deadline + AWAITED_MS)
            count++;
    }
    return count;
}

void listener_stop(struct listener *listener)
{
    if (listener->fd < 0)
        return;
    poller_delete(listener->poller, &listener->item);
    wheel_cancel(listener->env->wheel, &listener->pause);
    close(listener->fd);
    listener->fd = -1;
}

void listener_free(struct listener *listener)
{
    if (!listener)
        return;
    listener_stop(listener);
    while (!list_empty(&listener->heads))
        head_close(
            LIST_ENTRY(listener->heads.next, struct head, node));
    if (listener->reserve >= 0)
        close(listener->reserve);
    free(listener->scratch);
    free(listener);
}
