/* SPDX-License-Identifier: MIT */
/*
 * A client on the other end of a real socket, for tests/fuzz/daemon.c: puts
 * out bytes, whole or cut, and reads strictly what comes back. Whatever the
 * daemon says must be a response or a frame that a client can read, whatever
 * it was told; only what it answers to bytes without a meaning is not looked
 * into (`loose`), since nobody can tell which response belongs to what.
 */
#ifndef TESTS_FUZZ_PEER_H
#define TESTS_FUZZ_PEER_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <zlib.h>

#include "base/buf.h"
#include "channel/json.h"
#include "fuzz.h"
#include "transport/token.h"

enum {
    PEER_IN_MAX = 8 << 20,
    PEER_OUT_MAX = 1 << 20,
    PEER_TOKENS = 4,
    PEER_SMALL_BUFFER = 2048
};

struct peer {
    int fd; /* -1: none */
    uint16_t port;
    uint64_t spoke; /* when it sent last */
    struct buf in, out;
    bool corked;  /* what it says waits */
    bool reading; /* it takes what it is sent */
    bool asked;   /* has asked for a WebSocket: says frames */
    bool v1;
    bool ws;    /* was answered 101 */
    bool loose;
    bool closed;    /* it sent a Close, or something that may be one */
    bool ended;     /* the daemon sent its Close */
    bool fragments; /* in the middle of a message */
    struct buf message;
    uint8_t opcode;
};

/* Of the sessions opened, in turn. */
static char peer_tokens[PEER_TOKENS][TOKEN_CHARS + 1];
static unsigned peer_tokens_seen;

static inline void peer_init(struct peer *p)
{
    memset(p, 0, sizeof *p);
    p->fd = -1;
    buf_init(&p->in, PEER_IN_MAX);
    buf_init(&p->out, PEER_OUT_MAX);
    buf_init(&p->message, PEER_IN_MAX);
}

/* From an address of its own, so that no two runs share ports that linger. */
static inline void peer_open(struct peer *p, uint16_t to, uint32_t from,
                             bool small, uint64_t now)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    int one = 1, bytes = PEER_SMALL_BUFFER;
    p->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    FUZZ_ASSERT(p->fd >= 0);
    setsockopt(p->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (small)
        setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    address.sin_addr.s_addr = htonl(from);
    FUZZ_ASSERT(bind(p->fd, (struct sockaddr *)&address, len) == 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(to);
    FUZZ_ASSERT(connect(p->fd, (struct sockaddr *)&address, len) == 0 ||
                errno == EINPROGRESS);
    FUZZ_ASSERT(getsockname(p->fd, (struct sockaddr *)&address, &len) == 0);
    p->port = ntohs(address.sin_port);
    p->reading = true;
    p->spoke = now;
}

static inline void peer_close(struct peer *p, bool reset)
{
    struct linger linger = {.l_onoff = 1};
    if (p->fd >= 0 && reset)
        setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    if (p->fd >= 0)
        close(p->fd);
    buf_deinit(&p->in);
    buf_deinit(&p->out);
    buf_deinit(&p->message);
    peer_init(p);
}

/* saying */

/* Send up to `most` of what waits to be sent. */
static inline void peer_flush(struct peer *p, size_t most, uint64_t now)
{
    size_t n = most < p->out.len ? most : p->out.len;
    if (p->fd < 0 || n == 0)
        return;
    ssize_t sent = send(p->fd, p->out.data, n, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent <= 0)
        return;
    p->spoke = now;
    buf_consume(&p->out, (size_t)sent);
}

static inline void peer_say(struct peer *p, const void *data, size_t len)
{
    if (p->fd >= 0 && len)
        buf_append(&p->out, data, len);
}

static inline void peer_puts(struct peer *p, const char *text)
{
    peer_say(p, text, strlen(text));
}

/* `first` has FIN and the opcode. The mask is all zeros: bytes stay as the
 * script has them. */
static inline void peer_frame(struct peer *p, uint8_t first, bool masked,
                              const uint8_t *data, size_t len)
{
    uint8_t head[8] = {first, masked ? 0x80 : 0};
    size_t n = 2;
    if (len < 126) {
        head[1] |= (uint8_t)len;
    } else {
        head[1] |= 126;
        head[n++] = (uint8_t)(len >> 8);
        head[n++] = (uint8_t)len;
    }
    if (masked)
        n += 4;
    p->closed = p->closed || (first & 15) == 8;
    peer_say(p, head, n);
    peer_say(p, data, len);
}

/* hearing */

static inline void peer_hear_json(const char *text, size_t len)
{
    struct json_cursor cursor =
        json_cursor((const uint8_t *)text, len, JSON_DEPTH_MAX);
    bool ok = json_skip_value(&cursor);
    json_skip_space(&cursor);
    ok = ok && cursor.at == cursor.end;
    FUZZ_ASSERT(ok);
}

static inline void peer_hear_token(const char *text, size_t len)
{
    static const char mark[] = "\"token\":\"";
    const char *at = memmem(text, len < 64 ? len : 64, mark, sizeof mark - 1);
    if (!at)
        return;
    at += sizeof mark - 1;
    FUZZ_ASSERT((size_t)(text + len - at) > TOKEN_CHARS &&
                at[TOKEN_CHARS] == '"');
    for (int i = 0; i < PEER_TOKENS; i++)
        if (memcmp(peer_tokens[i], at, TOKEN_CHARS) == 0)
            return;
    memcpy(peer_tokens[peer_tokens_seen++ % PEER_TOKENS], at, TOKEN_CHARS);
}

/* The answer of a poll has a status that phoenix.js survives. */
static inline void peer_hear_body(const char *text, size_t len)
{
    static const int known[] = {200, 204, 400, 403, 410, 413, 500};
    int status = 0;
    char head[32];
    if (len == 0 || text[0] != '{')
        return;
    peer_hear_json(text, len);
    snprintf(head, sizeof head, "%.*s", (int)(len < 20 ? len : 20), text);
    if (sscanf(head, "{\"status\":%d", &status) != 1)
        return;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i] == status) {
            peer_hear_token(text, len);
            return;
        }
    FUZZ_ASSERT(!"a status that is none");
}

static inline void peer_hear_gzip(const char *data, size_t len)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)len};
    char *text = malloc(PEER_IN_MAX);
    FUZZ_ASSERT(text && inflateInit2(&z, 15 + 16) == Z_OK);
    z.next_out = (Bytef *)text;
    z.avail_out = PEER_IN_MAX;
    FUZZ_ASSERT(inflate(&z, Z_FINISH) == Z_STREAM_END && z.avail_in == 0);
    peer_hear_body(text, z.total_out);
    inflateEnd(&z);
    free(text);
}

/* The value of a header of the response, or NULL. `name` ends with a colon. */
static inline const char *peer_header(const char *head, size_t len,
                                      const char *name)
{
    size_t n = strlen(name);
    const char *end = head + len, *at = head;
    while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        at++;
        if ((size_t)(end - at) > n && strncasecmp(at, name, n) == 0)
            return at[n] == ' ' ? at + n + 1 : at + n;
    }
    return NULL;
}

/* The bytes of a chunked body, whose text goes to `out`; 0: not all there. */
static inline size_t peer_chunks(const char *data, size_t len,
                                 struct buf *out)
{
    size_t at = 0;
    for (;;) {
        const char *eol = memmem(data + at, len - at, "\r\n", 2);
        if (!eol)
            return 0;
        char *stop;
        size_t n = strtoul(data + at, &stop, 16);
        FUZZ_ASSERT(stop == eol && n < PEER_IN_MAX);
        at = (size_t)(eol - data) + 2;
        if (len - at < n + 2)
            return 0;
        FUZZ_ASSERT(memcmp(data + at + n, "\r\n", 2) == 0);
        buf_append(out, data + at, n);
        at += n + 2;
        if (n == 0)
            return at;
    }
}

/* One response from the front of what was read; 0: not all there. */
static inline size_t peer_response(struct peer *p)
{
    const char *data = p->in.data;
    size_t len = p->in.len, took = 0;
    int status = 0;
    const char *end = memmem(data, len, "\r\n\r\n", 4);
    if (!end)
        return 0;
    size_t head = (size_t)(end - data) + 4;
    FUZZ_ASSERT(sscanf(data, "HTTP/1.%*1[01] %d", &status) == 1);
    FUZZ_ASSERT(status >= 100 && status < 600 && status != 304);
    if (status == 101) {
        FUZZ_ASSERT(p->asked);
        p->ws = true;
        return head;
    }
    if (status < 200)
        return head;
    const char *length = peer_header(data, head, "content-length:");
    struct buf body;
    buf_init(&body, PEER_IN_MAX);
    if (length) {
        size_t n = strtoul(length, NULL, 10);
        if (len - head >= n) {
            took = head + n;
            buf_append(&body, data + head, n);
        }
    } else if (peer_header(data, head, "transfer-encoding:")) {
        size_t n = peer_chunks(data + head, len - head, &body);
        took = n ? head + n : 0;
    } else {
        p->loose = true; /* until the connection ends */
    }
    const char *encoding = peer_header(data, head, "content-encoding:");
    if (took && body.len && encoding)
        peer_hear_gzip(body.data, body.len);
    else if (took && body.len)
        peer_hear_body(body.data, body.len);
    buf_deinit(&body);
    return took;
}

static inline void peer_hear_message(struct peer *p)
{
    if (p->opcode == 1)
        peer_hear_json(p->message.data, p->message.len);
    else
        FUZZ_ASSERT(p->message.len > 0 && (uint8_t)p->message.data[0] <= 2);
    FUZZ_ASSERT(p->opcode == 1 || !p->v1);
    p->message.len = 0;
}

static inline void peer_hear_control(struct peer *p, uint8_t opcode,
                                     const uint8_t *data, size_t len)
{
    if (opcode != 8)
        return;
    p->ended = true;
    FUZZ_ASSERT(len != 1);
    if (len >= 2 && !p->closed) /* else it may be an echo */
        FUZZ_ASSERT((data[0] << 8 | data[1]) != 1000);
}

/* One frame; 0: not all there. */
static inline size_t peer_hear_frame(struct peer *p)
{
    const uint8_t *data = (const uint8_t *)p->in.data;
    size_t have = p->in.len, head, len;
    if (have < 2)
        return 0;
    uint8_t opcode = data[0] & 15;
    FUZZ_ASSERT((data[0] & 0x70) == 0 && data[1] < 128 && !p->ended);
    head = data[1] < 126 ? 2 : data[1] == 126 ? 4 : 10;
    if (have < head)
        return 0;
    len = data[1];
    if (head > 2)
        for (size_t i = 2 + (len = 0); i < head; i++)
            len = len << 8 | data[i];
    FUZZ_ASSERT(len < PEER_IN_MAX);
    if (have - head < len)
        return 0;
    if (opcode >= 8) {
        FUZZ_ASSERT(opcode <= 10 && (data[0] & 0x80) && head == 2);
        peer_hear_control(p, opcode, data + head, len);
        return head + len;
    }
    FUZZ_ASSERT(opcode <= 2 && (opcode == 0) == p->fragments);
    if (opcode)
        p->opcode = opcode;
    if (len)
        buf_append(&p->message, data + head, len);
    p->fragments = !(data[0] & 0x80);
    if (!p->fragments)
        peer_hear_message(p);
    return head + len;
}

/* Read up to `most`; true when there was something. */
static inline bool peer_hear(struct peer *p, size_t most)
{
    char chunk[65536];
    if (p->fd < 0)
        return false;
    ssize_t n = recv(p->fd, chunk, most < sizeof chunk ? most : sizeof chunk,
                     MSG_DONTWAIT);
    if (n <= 0)
        return false;
    FUZZ_ASSERT(p->loose || buf_append(&p->in, chunk, (size_t)n));
    if (!p->loose && buf_putc(&p->in, '\0')) /* ends it for sscanf */
        p->in.len--;
    while (!p->loose && p->in.len > 0) {
        size_t took = p->ws ? peer_hear_frame(p) : peer_response(p);
        if (took == 0)
            break;
        memmove(p->in.data, p->in.data + took, p->in.len - took + 1);
        p->in.len -= took;
    }
    if (p->loose)
        p->in.len = 0;
    return true;
}

#endif
