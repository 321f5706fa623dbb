/* SPDX-License-Identifier: MIT */
/* The client's side of RFC 6455, as far as a load needs it. */
#include "bench.h"

#include <stdio.h>
#include <string.h>

enum { HEADER_MAX = 14, OP_CONTINUED = 0, OP_CLOSE = 8, OP_PING = 9 };

/* nchan has no topics in its messages: the room is in the address. */
void ws_hello(struct conn *c)
{
    char text[512], path[128];
    const char *vsn = bench.opt.wire == WIRE_V1 ? "1.0.0" : "2.0.0";

    if (bench.opt.wire == WIRE_NCHAN)
        snprintf(path, sizeof path, "/ws/%u", room_of(c, 0));
    else
        snprintf(path, sizeof path, "/socket/websocket?vsn=%s", vsn);
    int n = snprintf(text, sizeof text,
                     "GET %s HTTP/1.1\r\n"
                     "Host: %s:%d\r\nConnection: Upgrade\r\n"
                     "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: cm9vbWQtYmVuY2gtMDAwMA==\r\n\r\n",
                     path, bench.opt.host, bench.opt.port);
    conn_send(c, text, (size_t)n);
}

/* One frame; its mask is zero, which costs the server as much as any other. */
void ws_send(struct conn *c, uint8_t opcode, const void *data, size_t n)
{
    static struct bytes frame;
    uint8_t head[HEADER_MAX] = {(uint8_t)(0x80 | opcode)};
    size_t len = 2;

    if (n < 126) {
        head[1] = (uint8_t)(0x80 | n);
    } else if (n < 65536) {
        head[1] = 0x80 | 126;
        head[2] = (uint8_t)(n >> 8);
        head[3] = (uint8_t)n;
        len = 4;
    } else {
        head[1] = 0x80 | 127;
        for (int i = 0; i < 8; i++)
            head[2 + i] = (uint8_t)((uint64_t)n >> (56 - 8 * i));
        len = 10;
    }
    frame.len = 0;
    bytes_add(&frame, head, len + 4);
    bytes_add(&frame, data, n);
    conn_send(c, frame.data, frame.len);
}

/* Fragments come only of messages that are too long for this program to look
 * into; their length tells what they are. */
static void on_frame(struct conn *c, uint8_t first, const uint8_t *p, size_t n)
{
    uint8_t opcode = first & 15;
    bool final = first & 0x80;

    if (opcode == OP_CLOSE) {
        if (!bench.asked_close && n >= 2)
            fprintf(stderr, "closed by the server with %u\n",
                    (unsigned)p[0] << 8 | p[1]);
        conn_kill(c);
    } else if (opcode == OP_PING) {
        ws_send(c, 10, p, n);
    } else if (opcode < OP_CLOSE) {
        if (opcode != OP_CONTINUED && final) {
            on_message(c, opcode, p, n);
            return;
        }
        if (opcode != OP_CONTINUED) {
            c->opcode = opcode;
            c->message_len = 0;
        }
        c->message_len += n;
        if (final)
            on_message(c, c->opcode, NULL, (size_t)c->message_len);
    }
}

static size_t on_handshake(struct conn *c, const uint8_t *p, size_t n)
{
    const uint8_t *end = memmem(p, n, "\r\n\r\n", 4);

    if (!end)
        return 0;
    if (memcmp(p, "HTTP/1.1 101", 12) != 0)
        die("handshake refused: %.40s", (const char *)p);
    c->state = JOINING;
    send_join(c);
    return (size_t)(end + 4 - p);
}

/* One frame of p, or the handshake; returns the bytes used up. */
size_t ws_read(struct conn *c, const uint8_t *p, size_t n)
{
    if (c->state == HANDSHAKE)
        return on_handshake(c, p, n);
    if (n < 2)
        return 0;
    size_t head = 2, len = p[1] & 0x7f;
    if (len == 126) {
        if (n < 4)
            return 0;
        len = (size_t)p[2] << 8 | p[3];
        head = 4;
    } else if (len == 127) {
        if (n < 10)
            return 0;
        len = 0;
        for (int i = 2; i < 10; i++)
            len = len << 8 | p[i];
        head = 10;
    }
    if (n < head || n - head < len)
        return 0;
    on_frame(c, p[0], p + head, len);
    return head + len;
}
