/* SPDX-License-Identifier: MIT */
/* Messages to clients: see frame.h. Must never copy a payload twice: a
 * message is written by running its encoder two times over a sink, first to
 * count, then to write into a blob of exactly that size. What is counted is
 * what is written because it is the same code.
 *
 *   WS     WebSocket header (FIN, text or binary, not masked) + message
 *   LP     the text message as a JSON string: quoted and escaped once more
 *   B64    binary messages as a base64 string, text as LP
 *
 * A payload that is shared is not written at all: what is before it and what
 * is behind it become the head and the tail of a joint blob.
 *
 *   V2 text       [join_ref, ref, topic, event, payload]
 *   V1 text       {"topic": , "event": , "payload": , "ref": }
 *   V2 push       0 #join_ref #topic #event join_ref topic event data
 *   V2 broadcast  2 #topic #event topic event data
 */
#include <string.h>

#include "base/blob.h"
#include "channel/frame.h"
#include "channel/ints.h"

/* ------------------------------------------------------------------- sink */

struct sink {
    uint8_t *at; /* NULL: count only */
    size_t len;
    size_t shared, split; /* bytes left out, and where */
    bool quoted;          /* inside a JSON string: escape */
};

static void put_raw(struct sink *s, const void *src, size_t len)
{
    if (s->at && len)
        memcpy(s->at + s->len, src, len);
    s->len += len;
}

static bool plain(uint8_t c)
{
    return c >= 0x20 && c != '"' && c != '\\';
}

/* The escape of a character that is not plain. Returns its length. */
static size_t escape(uint8_t c, char out[6])
{
    static const char hex[] = "0123456789abcdef";
    static const char from[] = "\n\r\t\b\f", to[] = "nrtbf";
    const char *short_form = c ? strchr(from, c) : NULL;
    out[0] = '\\';
    if (c == '"' || c == '\\') {
        out[1] = (char)c;
        return 2;
    }
    if (short_form) {
        out[1] = to[short_form - from];
        return 2;
    }
    memcpy(out + 1, "u00", 3);
    out[4] = hex[c >> 4];
    out[5] = hex[c & 15];
    return 6;
}

static void put_escaped(struct sink *s, const uint8_t *src, size_t len,
                        void (*put)(struct sink *, const void *, size_t))
{
    size_t from = 0;
    if (!len)
        return;
    for (size_t i = 0; i < len; i++) {
        char esc[6];
        if (plain(src[i]))
            continue;
        put(s, src + from, i - from);
        put(s, esc, escape(src[i], esc));
        from = i + 1;
    }
    put(s, src + from, len - from);
}

/* Text of the message; inside a long-poll string it is escaped. */
static void put(struct sink *s, const void *src, size_t len)
{
    if (s->quoted)
        put_escaped(s, src, len, put_raw);
    else
        put_raw(s, src, len);
}

static void put_z(struct sink *s, const char *text)
{
    put(s, text, strlen(text));
}

/* Digits and commas need no escape in any form. */
static void put_ints(struct sink *s, const uint8_t *bytes, size_t len)
{
    if (s->at)
        ints_write(s->at + s->len, bytes, len);
    s->len += ints_length(bytes, len);
}

static void put_string(struct sink *s, const char *text, size_t len)
{
    put(s, "\"", 1);
    put_escaped(s, (const uint8_t *)text, len, put);
    put(s, "\"", 1);
}

static void put_token(struct sink *s, const struct token *t)
{
    if (t->kind == TOKEN_NULL)
        put(s, "null", 4);
    else if (t->kind == TOKEN_STRING)
        put_string(s, t->text, t->len);
    else
        put(s, t->text, t->len);
}

/* --------------------------------------------------------------- messages */

/* The payload: head, then data (as it is, or as integers), then tail. */
struct body {
    const char *head, *tail;
    const uint8_t *data;
    size_t len;
    bool ints;
    struct blob *shared; /* stands for the data, written already; or NULL */
};

struct envelope {
    struct token join_ref, ref, topic, event;
    struct body body;
};

/* The data, or the place where the shared data will stand. */
static void put_data(struct sink *s, const struct body *b)
{
    if (b->shared) {
        s->split = s->len;
        s->shared = b->shared->len;
    } else if (b->ints) {
        put_ints(s, b->data, b->len);
    } else {
        put(s, b->data, b->len);
    }
}

static void put_body(struct sink *s, const struct body *b)
{
    put_z(s, b->head);
    put_data(s, b);
    put_z(s, b->tail);
}

static void put_v2(struct sink *s, const struct envelope *e)
{
    put(s, "[", 1);
    put_token(s, &e->join_ref);
    put(s, ",", 1);
    put_token(s, &e->ref);
    put(s, ",", 1);
    put_token(s, &e->topic);
    put(s, ",", 1);
    put_token(s, &e->event);
    put(s, ",", 1);
    put_body(s, &e->body);
    put(s, "]", 1);
}

static void put_v1(struct sink *s, const struct envelope *e)
{
    put_z(s, "{\"topic\":");
    put_token(s, &e->topic);
    put_z(s, ",\"event\":");
    put_token(s, &e->event);
    put_z(s, ",\"payload\":");
    put_body(s, &e->body);
    put_z(s, ",\"ref\":");
    put_token(s, &e->ref);
    put(s, "}", 1);
}

static bool is_v1(enum wire_form form)
{
    return form == WIRE_WS_V1 || form == WIRE_LP_V1;
}

static bool is_ws(enum wire_form form)
{
    return form == WIRE_WS_V1 || form == WIRE_WS_V2;
}

static void put_text(struct sink *s, enum wire_form form,
                     const struct envelope *e)
{
    if (!is_ws(form))
        put_raw(s, "\"", 1);
    s->quoted = !is_ws(form);
    if (is_v1(form))
        put_v1(s, e);
    else
        put_v2(s, e);
    s->quoted = false;
    if (!is_ws(form))
        put_raw(s, "\"", 1);
}

/* ------------------------------------------------------------ WebSockets */

enum { WS_TEXT = 0x81, WS_BINARY = 0x82, WS_HEAD_MAX = 10 };

static size_t ws_head(uint8_t out[WS_HEAD_MAX], uint8_t first, size_t len)
{
    out[0] = first;
    if (len < 126) {
        out[1] = (uint8_t)len;
        return 2;
    }
    size_t bytes = len <= UINT16_MAX ? 2 : 8;
    out[1] = bytes == 2 ? 126 : 127;
    for (size_t i = 0; i < bytes; i++)
        out[2 + i] = (uint8_t)((uint64_t)len >> (8 * (bytes - 1 - i)));
    return 2 + bytes;
}

/* A blob of a WebSocket header, if any, and what `write_it` writes. */
static struct blob *encode(enum wire_form form, uint8_t first,
                           void (*write_it)(struct sink *, enum wire_form,
                                            const struct envelope *),
                           const struct envelope *e)
{
    struct sink count = {0}, write = {0};
    uint8_t head[WS_HEAD_MAX];
    write_it(&count, form, e);
    if (count.len + count.shared > UINT32_MAX - WS_HEAD_MAX)
        return NULL; /* a shared payload of gigabytes */
    size_t skip =
        first ? ws_head(head, first, count.len + count.shared) : 0;
    struct blob *own = blob_alloc(skip + count.len);
    memcpy(own->data, head, skip);
    write.at = own->data + skip;
    write_it(&write, form, e);
    if (!e->body.shared)
        return own;
    size_t before = skip + write.split;
    struct blob *joint =
        blob_join(own->data, before, e->body.shared, own->data + before,
                  own->len - before);
    blob_unref(own);
    return joint;
}

static struct blob *encode_text(enum wire_form form, const struct envelope *e)
{
    return encode(form, is_ws(form) ? WS_TEXT : 0, put_text, e);
}

/* ------------------------------------------------------------------ bytes */

static void put_binary(struct sink *s, enum wire_form form,
                       const struct envelope *e)
{
    (void)form;
    bool push = e->join_ref.kind != TOKEN_NULL;
    uint8_t head[4];
    size_t n = 0;
    head[n++] = push ? 0 : 2;
    if (push)
        head[n++] = (uint8_t)e->join_ref.len;
    head[n++] = (uint8_t)e->topic.len;
    head[n++] = (uint8_t)e->event.len;
    put_raw(s, head, n);
    if (push)
        put_raw(s, e->join_ref.text, e->join_ref.len);
    put_raw(s, e->topic.text, e->topic.len);
    put_raw(s, e->event.text, e->event.len);
    put_data(s, &e->body);
}

static uint8_t *base64(uint8_t *dst, const uint8_t *src, size_t len)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno"
                                   "pqrstuvwxyz0123456789+/";
    for (; len >= 3; src += 3, len -= 3) {
        uint32_t v = (uint32_t)src[0] << 16 | (uint32_t)src[1] << 8 | src[2];
        for (int shift = 18; shift >= 0; shift -= 6)
            *dst++ = (uint8_t)alphabet[v >> shift & 63];
    }
    if (len) {
        uint32_t v =
            (uint32_t)src[0] << 16 | (len == 2 ? (uint32_t)src[1] << 8 : 0);
        *dst++ = (uint8_t)alphabet[v >> 18 & 63];
        *dst++ = (uint8_t)alphabet[v >> 12 & 63];
        *dst++ = len == 2 ? (uint8_t)alphabet[v >> 6 & 63] : '=';
        *dst++ = '=';
    }
    return dst;
}

static struct blob *encode_base64(const struct envelope *e)
{
    struct blob *bytes = encode(WIRE_LP_V2_B64, 0, put_binary, e);
    struct blob *blob = blob_alloc(2 + ((size_t)bytes->len + 2) / 3 * 4);
    blob->data[0] = '"';
    *base64(blob->data + 1, bytes->data, bytes->len) = '"';
    blob_unref(bytes);
    return blob;
}

/* --------------------------------------------------------------- encoders */

/* Let `body` stand for a payload; what is large is written once for all who
 * send it. False without memory for that. */
static bool share(enum wire_form form, struct body *body, struct payload *p)
{
    bool quoted = !body->ints && !is_ws(form);
    struct blob **kept = body->ints ? &p->ints
                         : quoted   ? &p->quoted
                                    : &p->bytes;
    struct body plain = {.data = p->data, .len = p->len, .ints = body->ints};
    struct sink count = {.quoted = quoted}, write = {.quoted = quoted};
    if (p->len < FRAME_SHARED_MIN)
        return true;
    if (!*kept) {
        put_data(&count, &plain);
        *kept = blob_try_alloc(count.len);
        if (*kept) {
            write.at = (*kept)->data;
            put_data(&write, &plain);
        }
    }
    body->shared = *kept;
    return *kept != NULL;
}

static struct blob *encode_message(enum wire_form form, struct envelope *e,
                                   const struct message *m)
{
    e->topic = (struct token){m->topic, m->topic_len, TOKEN_STRING};
    e->event = (struct token){m->event, m->event_len, TOKEN_STRING};
    e->body = (struct body){
        .head = "", .tail = "", .data = m->payload, .len = m->payload_len};
    /* base64 depends on what stands before: nothing to share */
    if (m->kind == MESSAGE_BYTES && form == WIRE_LP_V2_B64)
        return encode_base64(e);
    e->body.ints = m->kind != MESSAGE_JSON &&
                   !(m->kind == MESSAGE_BYTES && form == WIRE_WS_V2);
    if (m->shared && !share(form, &e->body, m->shared))
        return NULL;
    if (m->kind == MESSAGE_BYTES && form == WIRE_WS_V2)
        return encode(form, WS_BINARY, put_binary, e);
    if (e->body.ints) {
        e->body.head = m->kind == MESSAGE_BYTES ? "[" : "{\"data\":[";
        e->body.tail = m->kind == MESSAGE_BYTES ? "]" : "]}";
    }
    return encode_text(form, e);
}

struct blob *frame_broadcast(enum wire_form form, const struct message *m)
{
    struct envelope e = {.ref.kind = TOKEN_NULL};
    return encode_message(form, &e, m);
}

/* A binary push says "no join_ref" with an empty one. */
struct blob *frame_push(enum wire_form form, const struct token *join_ref,
                        const struct message *m)
{
    struct envelope e = {.join_ref = *join_ref};
    bool binary = m->kind == MESSAGE_BYTES &&
                  (form == WIRE_WS_V2 || form == WIRE_LP_V2_B64);
    if (binary && e.join_ref.kind == TOKEN_NULL)
        e.join_ref = TOKEN_LITERAL("");
    return encode_message(form, &e, m);
}

static struct blob *encode_reply(enum wire_form form,
                                 const struct frame_reply *to, struct body body)
{
    struct envelope e = {.join_ref = to->join_ref,
                         .ref = to->ref,
                         .topic = to->topic,
                         .event = TOKEN_LITERAL("phx_reply"),
                         .body = body};
    return encode_text(form, &e);
}

struct blob *frame_reply_ok(enum wire_form form, const struct frame_reply *to)
{
    return encode_reply(form, to,
                        (struct body){"{\"status\":\"ok\",\"response\":{}}", "",
                                      NULL, 0, false, NULL});
}

struct blob *frame_reply_error(enum wire_form form,
                               const struct frame_reply *to, const char *reason)
{
    return encode_reply(
        form, to,
        (struct body){"{\"status\":\"error\",\"response\":{\"reason\":\"",
                      "\"}}", (const uint8_t *)reason, strlen(reason), false,
                      NULL});
}

struct blob *frame_reply_echo(enum wire_form form,
                              const struct frame_reply *to,
                              const uint8_t *payload, size_t len)
{
    return encode_reply(form, to,
                        (struct body){"{\"status\":\"ok\",\"response\":", "}",
                                      payload, len, false, NULL});
}

struct blob *frame_reply_state(enum wire_form form,
                               const struct frame_reply *to,
                               struct payload *state)
{
    struct body body = {"{\"status\":\"ok\",\"response\":{\"state\":[", "]}}",
                        state->data, state->len, true, NULL};
    return share(form, &body, state) ? encode_reply(form, to, body) : NULL;
}

static struct blob *encode_end(enum wire_form form, const char *event,
                               const struct token *join_ref,
                               const struct token *topic, const char *payload)
{
    struct envelope e = {
        .join_ref = *join_ref,
        .ref = *join_ref,
        .topic = *topic,
        .event = {event, strlen(event), TOKEN_STRING},
        .body = {payload, "", NULL, 0, false, NULL},
    };
    return encode_text(form, &e);
}

struct blob *frame_close(enum wire_form form, const struct token *join_ref,
                         const struct token *topic)
{
    return encode_end(form, "phx_close", join_ref, topic, "{}");
}

struct blob *frame_error(enum wire_form form, const struct token *join_ref,
                         const struct token *topic)
{
    return encode_end(form, "phx_error", join_ref, topic,
                      "{\"reason\":\"channel_crash\"}");
}
