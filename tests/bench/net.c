/* SPDX-License-Identifier: MIT */
/* Sockets: opening them from several loopback addresses, reading, writing. */
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Loopback has 28,000 ports for a pair of addresses. */
enum { PER_ADDRESS = 4000, ADDRESSES = 16 };

static void watch(struct conn *c, bool write)
{
    struct epoll_event e = {.events = EPOLLIN | (write ? EPOLLOUT : 0u),
                            .data.ptr = c};

    if (c->want_write != write)
        epoll_ctl(bench.epoll, EPOLL_CTL_MOD, c->fd, &e);
    c->want_write = write;
}

void conn_kill(struct conn *c)
{
    if (c->state == DEAD)
        return;
    if (c->state == JOINED && c->role != POSTER)
        bench.joined--;
    if (c->role != POSTER)
        bench.dead++;
    c->state = DEAD;
    close(c->fd);
    bytes_free(&c->in);
    bytes_free(&c->out);
}

void conn_flush(struct conn *c)
{
    size_t done = 0;

    while (done < c->out.len) {
        ssize_t n = send(c->fd, c->out.data + done, c->out.len - done,
                         MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0) {
            conn_kill(c);
            return;
        }
        done += (size_t)n;
    }
    bytes_drop(&c->out, done);
    watch(c, c->out.len > 0);
}

void conn_send(struct conn *c, const void *data, size_t n)
{
    if (c->state == DEAD)
        return;
    if (c->out.len == 0 && c->state != CONNECTING) {
        ssize_t done = send(c->fd, data, n, MSG_NOSIGNAL);
        if (done == (ssize_t)n)
            return;
        if (done > 0) {
            data = (const uint8_t *)data + done;
            n -= (size_t)done;
        }
    }
    bytes_add(&c->out, data, n);
    conn_flush(c);
}

static void bind_source(int fd, uint32_t index)
{
    struct sockaddr_in from = {.sin_family = AF_INET};
    int one = 1;

    if (strncmp(bench.opt.host, "127.", 4) != 0)
        return;
    from.sin_addr.s_addr =
        htonl(0x7f000001u + index / PER_ADDRESS % ADDRESSES);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&from, sizeof from))
        die("bind: %s", strerror(errno));
}

struct conn *conn_open(struct conn *c, enum role role, uint32_t index)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)bench.opt.port)};
    int one = 1;

    c->role = role;
    c->index = index;
    c->state = CONNECTING;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        die("socket: %s (ulimit -n?)", strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (inet_pton(AF_INET, bench.opt.host, &to.sin_addr) != 1)
        die("--host wants an IPv4 address");
    bind_source(c->fd, index);
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) &&
        errno != EINPROGRESS)
        die("connect: %s", strerror(errno));
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
    c->want_write = true;
    if (epoll_ctl(bench.epoll, EPOLL_CTL_ADD, c->fd, &e))
        die("epoll: %s", strerror(errno));
    return c;
}

static size_t read_some(struct conn *c, const uint8_t *p, size_t n)
{
    size_t used = 0, step = 1;

    while (step && used < n && c->state != DEAD) {
        step = c->role == SOCKET ? ws_read(c, p + used, n - used)
                                 : poll_read(c, p + used, n - used);
        used += step;
    }
    return used;
}

static void on_bytes(struct conn *c, const uint8_t *p, size_t n)
{
    if (c->in.len > 0) { /* an old piece first */
        bytes_add(&c->in, p, n);
        size_t used = read_some(c, c->in.data, c->in.len);
        if (c->state != DEAD)
            bytes_drop(&c->in, used);
        return;
    }
    size_t used = read_some(c, p, n);
    if (used < n && c->state != DEAD)
        bytes_add(&c->in, p + used, n - used);
}

static void on_readable(struct conn *c)
{
    static uint8_t buf[262144];
    ssize_t n = recv(c->fd, buf, sizeof buf, 0);

    if (n > 0) {
        bench.bytes_in += (uint64_t)n;
        on_bytes(c, buf, (size_t)n);
    } else if (n == 0 || errno != EAGAIN) {
        conn_kill(c);
    }
}

static void on_connected(struct conn *c)
{
    int error = 0;
    socklen_t len = sizeof error;

    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error)
        die("connect: %s", strerror(error));
    c->state = HANDSHAKE;
    if (c->role == SOCKET)
        ws_hello(c);
    else if (c->role == POLLER)
        poll_hello(c);
    if (c->state != DEAD)
        conn_flush(c);
}

void net_turn(int64_t timeout_us)
{
    struct epoll_event events[512];
    struct timespec limit = {timeout_us / 1000000,
                             timeout_us % 1000000 * 1000};
    int n = epoll_pwait2(bench.epoll, events, 512, &limit, NULL);

    if (n > 0)
        bench.last_in_ns = now_ns();
    for (int i = 0; i < n; i++) {
        struct conn *c = events[i].data.ptr;
        if (c->state == CONNECTING)
            on_connected(c);
        else if (c->state != DEAD && (events[i].events & EPOLLOUT))
            conn_flush(c);
        if (c->state != DEAD && c->state != CONNECTING &&
            (events[i].events & (EPOLLIN | EPOLLHUP)))
            on_readable(c);
    }
}
