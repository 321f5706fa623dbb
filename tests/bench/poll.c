/* SPDX-License-Identifier: MIT */
/*
 * HTTP long-poll as phoenix.js does it, and as nchan's subscribers do: one
 * keep-alive connection per poller, asking again at each answer. What a poller
 * sends goes by a second connection, one request at a time; messages that come
 * up meanwhile share the next one.
 *
 *   Phoenix   GET (410, token) -> POST join -> GET, GET, ...
 *   nchan     GET with If-None-Match and If-Modified-Since of the last answer
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HEAD_MAX = 1024 };

static bool nchan(void)
{
    return bench.opt.wire == WIRE_NCHAN;
}

static void get(struct conn *c)
{
    char text[HEAD_MAX];
    int n;

    if (nchan() && c->token)
        n = snprintf(text, sizeof text,
                     "GET /lp/%u HTTP/1.1\r\nHost: bench\r\n"
                     "If-None-Match: %s\r\nIf-Modified-Since: %s\r\n\r\n",
                     room_of(c, 0), c->token, c->since ? c->since : "");
    else if (nchan())
        n = snprintf(text, sizeof text,
                     "GET /lp/%u HTTP/1.1\r\nHost: bench\r\n\r\n",
                     room_of(c, 0));
    else
        n = snprintf(text, sizeof text,
                     "GET /socket/longpoll?vsn=%s%s%s HTTP/1.1\r\n"
                     "Host: bench\r\n\r\n",
                     bench.opt.wire == WIRE_V1 ? "1.0.0" : "2.0.0",
                     c->token ? "&token=" : "", c->token ? c->token : "");
    conn_send(c, text, (size_t)n);
}

static void post(struct conn *c, const struct conn *session, const void *body,
                 size_t n)
{
    char text[HEAD_MAX];
    int len;

    if (nchan())
        len = snprintf(text, sizeof text,
                       "POST /pub/%u HTTP/1.1\r\nHost: bench\r\n"
                       "Content-Type: text/plain\r\n"
                       "Content-Length: %zu\r\n\r\n",
                       room_of(session, 0), n);
    else
        len = snprintf(text, sizeof text,
                       "POST /socket/longpoll?vsn=%s&token=%s HTTP/1.1\r\n"
                       "Host: bench\r\nContent-Type: application/x-ndjson\r\n"
                       "Content-Length: %zu\r\n\r\n",
                       bench.opt.wire == WIRE_V1 ? "1.0.0" : "2.0.0",
                       session->token, n);
    struct bytes whole = {0};
    bytes_add(&whole, text, (size_t)len);
    bytes_add(&whole, body, n);
    conn_send(c, whole.data, whole.len);
    bytes_free(&whole);
    c->busy = true;
}

void poll_hello(struct conn *c)
{
    if (nchan())
        on_joined(c, 1); /* nothing tells when a subscriber has arrived */
    get(c);
}

/* All that waits, a message a line; nchan's publisher takes one a request. */
static void post_waiting(struct conn *poster)
{
    struct conn *session = &bench.conns[poster->index];
    struct bytes *waiting = &poster->waiting;
    const uint8_t *end;

    if (poster->busy || waiting->len == 0)
        return;
    end = nchan() ? memchr(waiting->data, '\n', waiting->len) : NULL;
    size_t n = end ? (size_t)(end - waiting->data) : waiting->len;
    post(poster, session, waiting->data, n);
    bytes_drop(waiting, end ? n + 1 : n);
}

void poll_post(struct conn *c, const void *body, size_t n)
{
    if (!c->poster)
        c->poster = conn_open(zalloc(1, sizeof *c), POSTER, c->index);
    struct bytes *waiting = &c->poster->waiting;
    if (waiting->len)
        bytes_add(waiting, "\n", 1);
    bytes_add(waiting, body, n);
    post_waiting(c->poster);
}

static void join_all(struct conn *c)
{
    struct bytes body = {0};
    char join[256];

    for (uint32_t i = 0; i < (uint32_t)bench.opt.channels; i++) {
        if (i)
            bytes_add(&body, "\n", 1);
        bytes_add(&body, join, put_join(c, i, join, sizeof join));
    }
    c->state = JOINING;
    c->join_ns = now_ns();
    post(c, c, body.data, body.len);
    bytes_free(&body);
}

/* The value of a header, or NULL. */
static const char *header(const uint8_t *head, size_t len, const char *name,
                          size_t *out_len)
{
    const char *at = (const char *)head, *end = at + len;
    size_t n = strlen(name);

    while ((at = memchr(at, '\n', (size_t)(end - at))) &&
           (size_t)(end - ++at) > n) {
        if (strncasecmp(at, name, n) != 0 || at[n] != ':')
            continue;
        at += n + 1;
        while (at < end && *at == ' ')
            at++;
        const char *stop = memchr(at, '\r', (size_t)(end - at));
        *out_len = (size_t)((stop ? stop : end) - at);
        return at;
    }
    return NULL;
}

static void keep(char **to, const uint8_t *head, size_t len, const char *name)
{
    size_t n;
    const char *value = header(head, len, name, &n);

    if (!value)
        return;
    free(*to);
    *to = copy_text(value, n);
}

static void take_token(struct conn *c, const uint8_t *body, size_t n)
{
    const uint8_t *at = memmem(body, n, "\"token\":\"", 9);
    const uint8_t *end =
        at ? memchr(at + 9, '"', n - (size_t)(at + 9 - body)) : NULL;

    if (!end)
        die("no token in the first poll: %.*s", (int)n, (const char *)body);
    c->token = copy_text((const char *)at + 9, (size_t)(end - at - 9));
}

static void on_poll_answer(struct conn *c, int status, const uint8_t *head,
                           size_t head_len, const uint8_t *body, size_t n)
{
    if (status != 200 && !(nchan() && (status == 304 || status == 408)))
        die("a poll was answered with %d", status);
    if (nchan()) {
        keep(&c->token, head, head_len, "Etag");
        keep(&c->since, head, head_len, "Last-Modified");
    } else if (!c->token) {
        take_token(c, body, n);
        join_all(c);
        return;
    } else if (memmem(body, n < 40 ? n : 40, "\"status\":410", 12)) {
        fputs("a session is gone\n", stderr);
        conn_kill(c);
        return;
    }
    if (bench.asked_close)
        return;
    get(c);
    on_poll_body(c, body, n);
}

static void on_answer(struct conn *c, int status, const uint8_t *head,
                      size_t head_len, const uint8_t *body, size_t n)
{
    if (c->role == POLLER && !c->busy) {
        on_poll_answer(c, status, head, head_len, body, n);
        return;
    }
    c->busy = false;
    if (status != 200 && !(nchan() && (status == 201 || status == 202)))
        die("a POST was answered with %d", status);
    if (c->role == POLLER) /* the join is done; its reply comes by poll */
        get(c);
    else
        post_waiting(c);
}

/* One response of p. A poster may be written to as soon as it is connected,
 * so its state is of no interest. */
size_t poll_read(struct conn *c, const uint8_t *p, size_t n)
{
    const uint8_t *end = memmem(p, n, "\r\n\r\n", 4);
    size_t len;

    if (!end || n < 16)
        return 0;
    size_t head = (size_t)(end + 4 - p);
    int status = (int)strtol((const char *)p + 9, NULL, 10);
    const char *value = header(p, head, "Content-Length", &len);
    size_t body = value ? strtoul(value, NULL, 10) : 0;
    if (!value && header(p, head, "Transfer-Encoding", &len))
        die("chunked answers are not understood");
    if (n - head < body)
        return 0;
    on_answer(c, status, p, head, p + head, body);
    return head + body;
}
