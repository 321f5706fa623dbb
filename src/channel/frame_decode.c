/* SPDX-License-Identifier: MIT */
/* Messages from clients: see frame.h. Must never allocate and never accept a
 * text that Phoenix would not: what cannot be read ends the connection.
 *
 *   V2 text    [join_ref, ref, topic, event, payload, ignored ...]
 *   V1 text    {"topic": , "event": , "payload": , "ref": , "join_ref": }
 *   V2 binary  +------+------+-----+-------+-------+----------- ... -------+
 *              | 0    | #jr  | #r  | #topic| #event| jr r topic event data |
 *              +------+------+-----+-------+-------+----------- ... -------+
 */
#include <string.h>

#include "channel/frame.h"
#include "channel/json.h"

enum field { JOIN_REF, REF, TOPIC, EVENT, PAYLOAD, FIELDS };

bool token_equal(const struct token *a, const struct token *b)
{
    return a->kind == b->kind && a->len == b->len &&
           (a->len == 0 || memcmp(a->text, b->text, a->len) == 0);
}

bool token_is(const struct token *t, const char *text)
{
    return t->kind == TOKEN_STRING && t->len == strlen(text) &&
           memcmp(t->text, text, t->len) == 0;
}

/* A string that does not fit into what is left of the scratch, or holds a
 * lone surrogate, stays JSON: it can match nothing and is echoed as it is. */
static struct token read_token(struct json_slice raw, struct frame *f,
                               size_t *used)
{
    struct token t = {(const char *)raw.data, raw.len, TOKEN_JSON};
    const char *text;
    size_t len;
    if (raw.len == 4 && memcmp(raw.data, "null", 4) == 0)
        return (struct token){.kind = TOKEN_NULL};
    if (raw.data[0] != '"' ||
        !json_string(raw, f->scratch + *used, sizeof f->scratch - *used, &text,
                     &len))
        return t;
    if (text == f->scratch + *used)
        *used += len;
    return (struct token){text, len, TOKEN_STRING};
}

static enum frame_error finish_text(const struct json_slice *fields,
                                    struct frame *f)
{
    size_t used = 0;
    f->join_ref = (struct token){.kind = TOKEN_NULL};
    if (fields[JOIN_REF].data)
        f->join_ref = read_token(fields[JOIN_REF], f, &used);
    f->ref = read_token(fields[REF], f, &used);
    f->topic = read_token(fields[TOPIC], f, &used);
    f->event = read_token(fields[EVENT], f, &used);
    f->payload = fields[PAYLOAD].data;
    f->payload_len = fields[PAYLOAD].len;
    f->binary = false;
    if (f->join_ref.len > FRAME_FIELD_MAX || f->ref.len > FRAME_FIELD_MAX)
        return FRAME_UNREADABLE;
    return FRAME_OK;
}

static enum frame_error text_error(const struct json_cursor *c)
{
    return c->too_deep ? FRAME_TOO_DEEP : FRAME_UNREADABLE;
}

static bool at_end(struct json_cursor *c)
{
    json_skip_space(c);
    return c->at == c->end;
}

enum frame_error frame_decode_v2(const uint8_t *data, size_t len,
                                 unsigned depth, struct frame *out)
{
    struct json_cursor c = json_cursor(data, len, depth);
    struct json_slice fields[FIELDS], extra;
    size_t n = 0;
    json_skip_space(&c);
    if (!json_take(&c, '['))
        return FRAME_UNREADABLE;
    do {
        json_skip_space(&c);
        if (!json_take_value(&c, n < FIELDS ? &fields[n] : &extra))
            return text_error(&c);
        n++;
        json_skip_space(&c);
    } while (json_take(&c, ','));
    if (!json_take(&c, ']') || !at_end(&c) || n < FIELDS)
        return FRAME_UNREADABLE;
    return finish_text(fields, out);
}

/* Which field a member of the V1 object is; FIELDS for any other. */
static enum field v1_field(struct json_slice key)
{
    static const char *const names[FIELDS] = {"join_ref", "ref", "topic",
                                              "event", "payload"};
    char scratch[16];
    const char *text;
    size_t len;
    int i = 0;
    if (!json_string(key, scratch, sizeof scratch, &text, &len))
        return FIELDS;
    while (i < FIELDS &&
           (len != strlen(names[i]) || memcmp(text, names[i], len) != 0))
        i++;
    return (enum field)i;
}

static bool v1_member(struct json_cursor *c, struct json_slice *fields)
{
    struct json_slice key, value;
    json_skip_space(c);
    if (c->at == c->end || *c->at != '"' || !json_take_value(c, &key))
        return false;
    json_skip_space(c);
    if (!json_take(c, ':'))
        return false;
    json_skip_space(c);
    if (!json_take_value(c, &value))
        return false;
    enum field field = v1_field(key);
    if (field != FIELDS)
        fields[field] = value; /* the last duplicate wins */
    json_skip_space(c);
    return true;
}

enum frame_error frame_decode_v1(const uint8_t *data, size_t len,
                                 unsigned depth, struct frame *out)
{
    struct json_cursor c = json_cursor(data, len, depth);
    struct json_slice fields[FIELDS] = {{0}};
    json_skip_space(&c);
    if (!json_take(&c, '{'))
        return FRAME_UNREADABLE;
    do {
        if (!v1_member(&c, fields))
            return text_error(&c);
    } while (json_take(&c, ','));
    if (!json_take(&c, '}') || !at_end(&c))
        return FRAME_UNREADABLE;
    for (int i = REF; i < FIELDS; i++)
        if (!fields[i].data)
            return FRAME_UNREADABLE;
    return finish_text(fields, out);
}

enum frame_error frame_decode_binary(const uint8_t *data, size_t len,
                                     struct frame *out)
{
    enum { HEAD = 5 };
    struct token *const tokens[] = {&out->join_ref, &out->ref, &out->topic,
                                    &out->event};
    if (len < HEAD || data[0] != 0)
        return FRAME_UNREADABLE;
    size_t at = HEAD;
    for (size_t i = 0; i < 4; i++) {
        size_t n = data[1 + i];
        if (n > len - at || !json_utf8_valid(data + at, n))
            return FRAME_UNREADABLE;
        *tokens[i] = (struct token){(const char *)data + at, n, TOKEN_STRING};
        at += n;
    }
    out->payload = data + at;
    out->payload_len = len - at;
    out->binary = true;
    return FRAME_OK;
}
