/* SPDX-License-Identifier: MIT */
/*
 * What is said to the server and what comes back: joins, real Yjs updates in
 * each wire form, deliveries counted against what was sent.
 *
 * The text of an update begins with a stamp: '@', 16 hex digits of the time
 * the update was DUE, 6 of its room. So a delivery tells its own latency, and
 * one that came to the wrong room is found.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CLIENT = 1000000, SEED_CLIENT = 500000, SEED_TEXT = 40 };
enum { SEED_BYTES = 1 << 20, NCHAN_OVERHEAD = 32 };
/* Info byte of a string; what is written of where it belongs. */
enum { STRING = 4, RIGHT = 0x40, LEFT = 0x80 };

/* Connections come in groups of room_size; a group shares `channels` rooms. */
uint32_t room_of(const struct conn *c, uint32_t channel)
{
    return c->index / (uint32_t)bench.opt.room_size *
               (uint32_t)bench.opt.channels +
           channel;
}

void topic_of(uint32_t room, char out[64])
{
    snprintf(out, 64, "%.40s%u", bench.opt.topic, room);
}

/* ---- Yjs ---- */

/* Items of the one room's document before the others came. */
static uint32_t seed_items;

static size_t put_varuint(uint8_t *out, uint32_t v)
{
    size_t n = 0;

    while (v > 127) {
        out[n++] = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    out[n++] = (uint8_t)v;
    return n;
}

static size_t put_stamp(uint8_t *out, uint64_t due_ns, uint32_t room,
                        size_t text)
{
    static const char hex[] = "0123456789abcdef";

    out[0] = '@';
    for (int i = 0; i < 16; i++)
        out[1 + i] = (uint8_t)hex[due_ns >> (60 - 4 * i) & 15];
    for (int i = 0; i < 6; i++)
        out[17 + i] = (uint8_t)hex[room >> (20 - 4 * i) & 15];
    memset(out + STAMP_BYTES, 'x', text - STAMP_BYTES);
    return text;
}

static size_t put_id(uint8_t *out, uint32_t client, uint32_t clock)
{
    size_t n = put_varuint(out, client);

    return n + put_varuint(out + n, clock);
}

/*
 * Where the text goes: into the root, or behind this client's last one; in a
 * document that was there before, between two of its items, each client at a
 * place of its own.
 */
static size_t put_place(struct conn *c, uint32_t clock, uint8_t *out)
{
    uint32_t client = FIRST_CLIENT + c->index;
    uint32_t at = seed_items > 2 ? c->index * 997 % (seed_items - 2) : 0;
    size_t n = 0;

    out[n++] = (uint8_t)(STRING | (clock > 0 || seed_items > 2 ? LEFT : 0) |
                         (seed_items > 2 ? RIGHT : 0));
    if (clock > 0)
        n += put_id(out + n, client, clock - 1);
    else if (seed_items > 2)
        n += put_id(out + n, SEED_CLIENT, (at + 2) * SEED_TEXT - 1);
    if (seed_items > 2)
        return n + put_id(out + n, SEED_CLIENT, at * SEED_TEXT);
    if (clock > 0)
        return n;
    memcpy(out + n, "\1\5bench", 7);
    return n + 7;
}

/*
 * A Yjs v1 update: one item of text.
 *   1 client, 1 struct, client, clock, info, origins or parent, text, no delete
 */
static size_t make_update(struct conn *c, uint32_t channel, uint64_t due_ns,
                          uint8_t *out)
{
    uint32_t *clock = &c->clocks[channel];
    size_t n = 0;

    out[n++] = 1;
    out[n++] = 1;
    n += put_id(out + n, FIRST_CLIENT + c->index, *clock);
    n += put_place(c, *clock, out + n);
    n += put_varuint(out + n, (uint32_t)bench.opt.bytes);
    n += put_stamp(out + n, due_ns, room_of(c, channel),
                   (size_t)bench.opt.bytes);
    out[n++] = 0;
    *clock += (uint32_t)bench.opt.bytes;
    return n;
}

/* Items of text each before the last one, so that none merges with another:
 * a document of many structs, as an edited one is. */
static size_t make_seed(uint32_t client, uint32_t *clock, uint8_t *out,
                        size_t bytes)
{
    uint32_t count = (uint32_t)(bytes / (SEED_TEXT + 10));
    size_t n = 0;

    out[n++] = 1;
    n += put_varuint(out + n, count);
    n += put_varuint(out + n, client);
    n += put_varuint(out + n, *clock);
    for (uint32_t i = 0; i < count; i++) {
        if (*clock == 0) {
            out[n++] = STRING;
            memcpy(out + n, "\1\5bench", 7);
            n += 7;
        } else {
            out[n++] = STRING | RIGHT;
            n += put_varuint(out + n, client);
            n += put_varuint(out + n, *clock - SEED_TEXT);
        }
        out[n++] = SEED_TEXT;
        memset(out + n, 'a' + (int)(*clock / SEED_TEXT % 26), SEED_TEXT);
        n += SEED_TEXT;
        *clock += SEED_TEXT;
    }
    out[n++] = 0;
    return n;
}

/* ---- Phoenix frames ---- */

static size_t binary_head(struct conn *c, uint32_t channel, const char *event,
                          uint8_t *out)
{
    char topic[64];
    size_t n = 5, e = strlen(event);

    topic_of(room_of(c, channel), topic);
    size_t t = strlen(topic);
    out[0] = 0;
    out[1] = out[2] = 1;
    out[3] = (uint8_t)t;
    out[4] = (uint8_t)e;
    out[n++] = '1';
    out[n++] = '1';
    memcpy(out + n, topic, t);
    n += t;
    memcpy(out + n, event, e);
    return n + e;
}

static size_t put_text(char *out, size_t cap, struct conn *c, uint32_t channel,
                       const char *event, const char *payload)
{
    char topic[64];
    int n;

    topic_of(room_of(c, channel), topic);
    if (bench.opt.wire == WIRE_V1)
        n = snprintf(out, cap,
                     "{\"topic\":\"%s\",\"event\":\"%s\",\"payload\":%s,"
                     "\"ref\":\"1\"}",
                     topic, event, payload);
    else
        n = snprintf(out, cap, "[\"1\",\"1\",\"%s\",\"%s\",%s]", topic, event,
                     payload);
    if (n < 0 || (size_t)n >= cap)
        die("a message of %d bytes is more than this program sends", n);
    return (size_t)n;
}

static size_t put_ints(char *out, const uint8_t *bytes, size_t len)
{
    static char digits[256][4];
    static uint8_t lengths[256];
    size_t n = 0;

    if (!lengths[0]) {
        for (int i = 0; i < 256; i++)
            lengths[i] = (uint8_t)snprintf(digits[i], 4, "%d", i);
    }
    memcpy(out, "{\"data\":[", 9);
    n = 9;
    for (size_t i = 0; i < len; i++) {
        memcpy(out + n, digits[bytes[i]], lengths[bytes[i]]);
        n += lengths[bytes[i]];
        out[n++] = ',';
    }
    memcpy(out + n - 1, "]}", 3);
    return n + 1;
}

static void send_text(struct conn *c, const char *text, size_t n)
{
    if (c->role == POLLER)
        poll_post(c, text, n);
    else
        ws_send(c, 1, text, n);
}

size_t put_join(struct conn *c, uint32_t channel, char *out, size_t cap)
{
    return put_text(out, cap, c, channel, "phx_join", "{}");
}

static void send_yjs(struct conn *c, uint32_t channel, const char *event,
                     uint8_t sync, const uint8_t *data, size_t len)
{
    static struct bytes frame;
    uint8_t head[320];
    size_t n = binary_head(c, channel, event, head);

    head[n++] = 0;
    head[n++] = sync;
    n += put_varuint(head + n, (uint32_t)len);
    frame.len = 0;
    bytes_add(&frame, head, n);
    bytes_add(&frame, data, len);
    ws_send(c, 2, frame.data, frame.len);
}

static void send_v1_update(struct conn *c, uint32_t channel,
                           const uint8_t *update, size_t len)
{
    static char payload[40000], text[40400];

    put_ints(payload, update, len);
    size_t n = put_text(text, sizeof text, c, channel, "update", payload);
    send_text(c, text, n);
}

void send_update(struct conn *c, uint32_t channel, uint64_t due_ns)
{
    static uint8_t update[8192];
    size_t bytes = (size_t)bench.opt.bytes, n;

    if (bench.opt.wire == WIRE_NCHAN) {
        n = put_stamp(update, due_ns, room_of(c, 0), bytes + NCHAN_OVERHEAD);
        send_text(c, (const char *)update, n);
    } else {
        n = make_update(c, channel, due_ns, update);
        if (bench.opt.wire == WIRE_YJS && c->role == SOCKET)
            send_yjs(c, channel, "yjs", 2, update, n);
        else
            send_v1_update(c, channel, update, n);
    }
    bench.sent++;
    bench.rooms[room_of(c, channel)].sent++;
}

/* Through the first of a room; binary only, or JSON would be the load. */
void send_document(struct conn *c, uint32_t channel, size_t bytes)
{
    static uint8_t seed[SEED_BYTES + 64];
    uint32_t clock = 0;

    for (size_t done = 0; done < bytes; done += SEED_BYTES) {
        size_t n = make_seed(SEED_CLIENT, &clock, seed, SEED_BYTES);
        send_yjs(c, channel, "yjs", 2, seed, n);
    }
    seed_items = clock / SEED_TEXT;
}

void send_leave(struct conn *c, uint32_t channel)
{
    char text[256];

    send_text(c, text,
              put_text(text, sizeof text, c, channel, "phx_leave", "{}"));
}

void send_heartbeat(struct conn *c)
{
    static const char v2[] = "[null,\"h\",\"phoenix\",\"heartbeat\",{}]";
    static const char v1[] = "{\"topic\":\"phoenix\",\"event\":\"heartbeat\","
                             "\"payload\":{},\"ref\":\"h\"}";

    if (bench.opt.wire == WIRE_NCHAN || c->role != SOCKET)
        return;
    if (bench.opt.wire == WIRE_V1)
        ws_send(c, 1, v1, sizeof v1 - 1);
    else
        ws_send(c, 1, v2, sizeof v2 - 1);
}

/* ---- joins ---- */

void send_join(struct conn *c)
{
    char text[256];

    c->join_ns = now_ns();
    if (bench.opt.wire == WIRE_NCHAN) {
        on_joined(c, 1);
        return;
    }
    for (uint32_t i = 0; i < (uint32_t)bench.opt.channels; i++)
        send_text(c, text, put_join(c, i, text, sizeof text));
}

void on_joined(struct conn *c, uint32_t count)
{
    uint64_t now = now_ns();

    if (c->state == JOINED)
        return;
    c->joined += count;
    if (c->joined < (uint32_t)bench.opt.channels &&
        bench.opt.wire != WIRE_NCHAN)
        return;
    c->state = JOINED;
    bench.joined++;
    if (c->join_ns)
        histogram_add(&bench.join, (now - c->join_ns) / 1000);
    histogram_add(&bench.join_due, (now - c->due_ns) / 1000);
}

/* A join is answered. With y-protocols the client asks for the document, from
 * when on the server speaks binary to it; with --document it is joined when it
 * has that. */
static void on_join_reply(struct conn *c)
{
    if (bench.opt.wire == WIRE_YJS && c->role == SOCKET) {
        uint32_t channel = c->joined;
        if (!bench.opt.document)
            on_joined(c, 1);
        send_yjs(c, channel, "yjs_sync", 0, (const uint8_t *)"", 1);
        return;
    }
    on_joined(c, 1);
}

/* ---- deliveries ---- */

static int hex_of(unsigned v)
{
    if (v >= '0' && v <= '9')
        return (int)v - '0';
    return v >= 'a' && v <= 'f' ? (int)v - 'a' + 10 : -1;
}

static void on_delivery(struct conn *c, uint64_t due, uint32_t room)
{
    uint32_t group = c->index / (uint32_t)bench.opt.room_size;

    if (room >= bench.room_count ||
        room / (uint32_t)bench.opt.channels != group) {
        bench.strays++;
        return;
    }
    bench.delivered++;
    bench.rooms[room].delivered++;
    if (bench.measuring) {
        uint64_t now = now_ns();
        histogram_add(&bench.latency, due < now ? (now - due) / 1000 : 0);
    }
}

/* The digits at p; false when they are none. */
static bool take_stamp(struct conn *c, const uint8_t *p)
{
    uint64_t due = 0;
    uint32_t room = 0;

    for (int i = 0; i < STAMP_BYTES - 1; i++) {
        int digit = hex_of(p[i]);
        if (digit < 0)
            return false;
        if (i < 16)
            due = due << 4 | (unsigned)digit;
        else
            room = room << 4 | (unsigned)digit;
    }
    on_delivery(c, due, room);
    return true;
}

static void find_in_bytes(struct conn *c, const uint8_t *p, size_t n)
{
    const uint8_t *end = p + n;

    while ((p = memchr(p, '@', (size_t)(end - p))) &&
           end - ++p >= STAMP_BYTES - 1) {
        if (take_stamp(c, p))
            p += STAMP_BYTES - 1;
    }
}

/* The same in arrays of byte values. */
static void find_in_json(struct conn *c, const uint8_t *p, size_t n)
{
    const uint8_t *end = p + n;

    while ((p = memmem(p, (size_t)(end - p), ",64,", 4))) {
        uint8_t digits[STAMP_BYTES - 1];
        int count = 0;
        p += 3;
        while (count < STAMP_BYTES - 1 && p < end && *p == ',') {
            unsigned v = 0;
            for (p++; p < end && *p >= '0' && *p <= '9'; p++)
                v = v * 10 + (unsigned)(*p - '0');
            digits[count++] = (uint8_t)v;
        }
        if (count == STAMP_BYTES - 1)
            take_stamp(c, digits);
    }
}

static void on_text(struct conn *c, const uint8_t *p, size_t n)
{
    size_t head = n < 120 ? n : 120;

    if (c->state == JOINING && memmem(p, head, "\"phx_reply\"", 11)) {
        if (!memmem(p, n, "\"status\":\"ok\"", 13))
            die("join refused: %.*s", (int)head, (const char *)p);
        on_join_reply(c);
    } else if (memmem(p, head, "\"update\"", 8)) {
        find_in_json(c, p, n);
    } else if (memmem(p, head, "\"phx_reply\"", 11) &&
               memmem(p, n, "\"error\"", 7)) {
        die("the server refused a message: %.*s", (int)n, (const char *)p);
    }
}

void on_message(struct conn *c, uint8_t opcode, const uint8_t *p, size_t n)
{
    if (bench.opt.wire == WIRE_NCHAN) {
        if (p)
            find_in_bytes(c, p, n);
        return;
    }
    if (bench.opt.document > 0 && opcode == 2 && c->state == JOINING) {
        if (!p || memmem(p, n < 120 ? n : 120, "yjs\0\1", 5))
            on_joined(c, 1);
        return;
    }
    if (!p) {
        if (c->state == JOINING && opcode == 1)
            on_join_reply(c);
        return;
    }
    if (opcode == 2)
        find_in_bytes(c, p, n);
    else
        on_text(c, p, n);
}

/* The body of a poll holds many messages: their replies to the join, then what
 * was sent to the room. Escaped quotes are of no interest to either search. */
void on_poll_body(struct conn *c, const uint8_t *p, size_t n)
{
    if (bench.opt.wire == WIRE_NCHAN) {
        find_in_bytes(c, p, n);
        return;
    }
    if (c->state == JOINING) {
        const uint8_t *at = p, *end = p + n;
        while ((at = memmem(at, (size_t)(end - at), "phx_reply", 9))) {
            at += 9;
            on_join_reply(c);
        }
    }
    find_in_json(c, p, n);
}
