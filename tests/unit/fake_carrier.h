/* SPDX-License-Identifier: MIT */
/*
 * A transport without a network: sessions on one registry, each with a list
 * of what was sent to it. Messages are compared as they are on the wire; only
 * the 16 characters of a phx_ref, which nobody can know, become "*".
 */
#ifndef TESTS_UNIT_FAKE_CARRIER_H
#define TESTS_UNIT_FAKE_CARRIER_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/counters.h"
#include "base/log.h"
#include "channel/session.h"
#include "room/registry.h"

enum { FAKE_OUT_MAX = 4096 };

static struct world {
    struct counters counters;
    struct session_env env;
    struct registry_options options;
    uint64_t now;
} world;

struct fake {
    struct session *session;
    enum wire_form form;
    int closed; /* code of the last ops->close */
    size_t n, next;
    struct blob *out[FAKE_OUT_MAX];
    enum message_class klass[FAKE_OUT_MAX];
};

static void fake_send(void *carrier, struct blob *blob,
                      enum message_class klass)
{
    struct fake *f = carrier;
    ck_assert_ptr_nonnull(f->session); /* not after session_close */
    ck_assert_uint_lt(f->n, FAKE_OUT_MAX);
    f->klass[f->n] = klass;
    f->out[f->n++] = blob_ref(blob);
}

static void fake_close(void *carrier, int code)
{
    ((struct fake *)carrier)->closed = code;
}

static const struct session_ops fake_ops = {fake_send, fake_close};

/* ------------------------------------------------------------------ world */

static inline void world_open(void)
{
    log_set_fd(-1);
    world = (struct world){.now = 1000000};
    room_limits_default(&world.options.limits);
    world.options.counters = &world.counters;
    memcpy(world.options.seed, "0123456789abcdef", 16);
    world.options.now_ms = world.now;
    world.options.unix_offset_ms = UINT64_C(1700000000000) - world.now;
    world.env = (struct session_env){
        .counters = &world.counters,
        .limits = {.channels = 100, .topic_bytes = 255, .json_depth = 64},
    };
    world.env.rooms = registry_new(&world.options);
}

static inline void world_limits(void)
{
    registry_set_limits(world.env.rooms, &world.options.limits);
}

static inline void world_close(void)
{
    registry_free(world.env.rooms);
    ck_assert_uint_eq(world.counters.value[COUNTER_ROOMS], 0);
    ck_assert_uint_eq(world.counters.value[COUNTER_MEMBERS], 0);
    ck_assert_uint_eq(world.counters.value[COUNTER_DOCUMENT_BYTES], 0);
}

/* In steps, as a server ticks. */
static inline void world_pass(uint64_t ms)
{
    uint64_t until = world.now + ms;
    while (world.now < until) {
        world.now += until - world.now < 50 ? until - world.now : 50;
        registry_tick(world.env.rooms, world.now);
    }
}

static inline uint64_t counted(enum counter_id id)
{
    return world.counters.value[id];
}

/* ---------------------------------------------------------------- clients */

static inline struct fake *fake_open_as(enum wire_form form, const char *user)
{
    static uint64_t connection;
    struct fake *f = calloc(1, sizeof *f);
    struct session_params params = {
        .form = form,
        .connection = ++connection,
        .user_id = user,
        .user_id_len = user ? strlen(user) : 0,
    };
    f->form = form;
    f->session = session_open(&world.env, &params, &fake_ops, f, world.now);
    return f;
}

static inline struct fake *fake_open(const char *user)
{
    return fake_open_as(WIRE_WS_V2, user);
}

static inline void fake_gone(struct fake *f)
{
    struct session *s = f->session;
    f->session = NULL;
    session_close(s, world.now);
    while (f->n)
        blob_unref(f->out[--f->n]);
    free(f);
}

static inline int say(struct fake *f, const char *text)
{
    size_t len = strlen(text);
    uint8_t *copy = malloc(len ? len : 1);
    memcpy(copy, text, len);
    int code = session_receive_text(f->session, copy, len, world.now);
    free(copy);
    return code;
}

static inline int say_bytes(struct fake *f, const void *data, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    memcpy(copy, data, len);
    int code = session_receive_binary(f->session, copy, len, world.now);
    free(copy);
    return code;
}

/* A V2 binary push. */
static inline int say_binary(struct fake *f, const char *join_ref,
                             const char *ref, const char *topic,
                             const char *event, const void *data, size_t len)
{
    const char *const fields[] = {join_ref, ref, topic, event};
    uint8_t *frame = malloc(1100 + len);
    size_t at = 5;
    frame[0] = 0;
    for (int i = 0; i < 4; i++) {
        size_t n = strlen(fields[i]);
        frame[1 + i] = (uint8_t)n;
        memcpy(frame + at, fields[i], n);
        at += n;
    }
    if (len)
        memcpy(frame + at, data, len);
    int code = session_receive_binary(f->session, frame, at + len, world.now);
    free(frame);
    return code;
}

/* ----------------------------------------------------------- expectations */

static inline struct blob *fake_next(struct fake *f)
{
    ck_assert_msg(f->next < f->n, "nothing was sent");
    return f->out[f->next++];
}

/* The payload of a whole WebSocket frame; its header must be right. */
static inline const uint8_t *unframed(const struct blob *b, uint8_t first,
                                      size_t *len)
{
    size_t head = 2, n;
    ck_assert_uint_ge(b->len, 2);
    ck_assert_msg(b->data[0] == first, "%.*s", (int)b->len, b->data);
    n = b->data[1];
    if (n >= 126) {
        head += n == 126 ? 2 : 8;
        ck_assert_uint_ge(b->len, head);
        n = 0;
        for (size_t i = 2; i < head; i++)
            n = n << 8 | b->data[i];
        ck_assert_uint_ge(n, head == 4 ? 126 : 65536);
    }
    ck_assert_uint_eq(b->len, head + n);
    *len = n;
    return b->data + head;
}

static inline char *without_refs(const void *text, size_t len)
{
    static const char mark[] = "phx_ref\":\"", escaped[] = "phx_ref\\\":\\\"";
    char *out = malloc(len + 1), *at;
    memcpy(out, text, len);
    out[len] = '\0';
    at = out;
    for (;;) {
        char *plain = strstr(at, mark), *esc = strstr(at, escaped);
        size_t n = plain ? strlen(mark) : strlen(escaped);
        at = plain ? plain : esc;
        if (!at)
            return out;
        at += n;
        ck_assert_uint_eq(strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmn"
                                     "opqrstuvwxyz0123456789-_"),
                          16);
        *at = '*';
        memmove(at + 1, at + 16, strlen(at + 16) + 1);
    }
}

static inline char *next_text(struct fake *f)
{
    struct blob *b = fake_next(f);
    size_t len = b->len;
    bool ws = f->form == WIRE_WS_V2 || f->form == WIRE_WS_V1;
    const uint8_t *text = ws ? unframed(b, 0x81, &len) : b->data;
    return without_refs(text, len);
}

static inline void hears(struct fake *f, const char *expected)
{
    char *text = next_text(f);
    ck_assert_str_eq(text, expected);
    free(text);
}

static inline void hears_class(struct fake *f, enum message_class klass)
{
    ck_assert_uint_gt(f->next, 0);
    ck_assert_int_eq(f->klass[f->next - 1], klass);
}

/* A binary push (join_ref not NULL) or broadcast of event `yjs`. */
static inline void hears_yjs(struct fake *f, const char *join_ref,
                             const char *topic, const void *data, size_t len)
{
    uint8_t head[600];
    size_t at = 0, got, n;
    struct blob *b = fake_next(f);
    const uint8_t *frame = unframed(b, 0x82, &got);
    head[at++] = join_ref ? 0 : 2;
    if (join_ref)
        head[at++] = (uint8_t)strlen(join_ref);
    head[at++] = (uint8_t)strlen(topic);
    head[at++] = 3;
    n = (size_t)snprintf((char *)head + at, sizeof head - at, "%s%syjs",
                         join_ref ? join_ref : "", topic);
    at += n;
    ck_assert_uint_ge(got, at);
    ck_assert_mem_eq(frame, head, at);
    ck_assert_uint_eq(got - at, len);
    if (len)
        ck_assert_mem_eq(frame + at, data, len);
}

#define HEARS_YJS(f, join_ref, topic, ...)                                     \
    hears_yjs(f, join_ref, topic, (const uint8_t[]){__VA_ARGS__},              \
              sizeof((const uint8_t[]){__VA_ARGS__}))
#define SAY_YJS(f, join_ref, ref, topic, event, ...)                           \
    say_binary(f, join_ref, ref, topic, event, (const uint8_t[]){__VA_ARGS__}, \
               sizeof((const uint8_t[]){__VA_ARGS__}))

static inline void hears_nothing(struct fake *f)
{
    if (f->next < f->n)
        ck_abort_msg("unexpected: %.*s", (int)f->out[f->next]->len,
                     f->out[f->next]->data);
}

static inline void forget(struct fake *f)
{
    f->next = f->n;
}

/* Join and forget what the join brings. */
static inline void joined(struct fake *f, const char *topic)
{
    char text[400];
    snprintf(text, sizeof text, "[\"1\",\"1\",\"%s\",\"phx_join\",{}]", topic);
    ck_assert_int_eq(say(f, text), SESSION_OK);
    forget(f);
}

#endif
