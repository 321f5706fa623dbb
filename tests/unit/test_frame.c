/* SPDX-License-Identifier: MIT */
/* Wire messages: what is read, what is not, and every byte of what is sent. */
#include <stdio.h>
#include <string.h>

#include "base/blob.h"
#include "channel/frame.h"
#include "suite.h"

typedef enum frame_error (*text_decoder)(const uint8_t *, size_t, unsigned,
                                         struct frame *);

/* In a block of its own size; it outlives the frame that points into it. */
static uint8_t *input;

static const uint8_t *own(const void *data, size_t len)
{
    free(input);
    input = malloc(len ? len : 1);
    memcpy(input, data, len);
    return input;
}

static enum frame_error text(text_decoder decode, const char *json,
                             struct frame *f)
{
    size_t len = strlen(json);
    return decode(own(json, len), len, 64, f);
}

static void is_token(const struct token *t, enum token_kind kind,
                     const char *expected)
{
    ck_assert_int_eq(t->kind, kind);
    ck_assert_uint_eq(t->len, strlen(expected));
    if (t->len)
        ck_assert_mem_eq(t->text, expected, t->len);
}

START_TEST(v2_text_is_split)
{
    struct frame f;
    ck_assert_int_eq(
        text(frame_decode_v2,
             " [ \"3\" , \"7\", \"room:a\",\"update\" , {\"data\": [1]} ] ",
             &f),
        FRAME_OK);
    is_token(&f.join_ref, TOKEN_STRING, "3");
    is_token(&f.ref, TOKEN_STRING, "7");
    is_token(&f.topic, TOKEN_STRING, "room:a");
    is_token(&f.event, TOKEN_STRING, "update");
    ck_assert_uint_eq(f.payload_len, strlen("{\"data\": [1]}"));
    ck_assert_mem_eq(f.payload, "{\"data\": [1]}", f.payload_len);
    ck_assert(!f.binary);

    ck_assert_int_eq(text(frame_decode_v2,
                          "[null,7,\"\\u0072oom:\\ud83d\\ude00\",[\"e\"],null,"
                          "{\"ignored\":1},2]",
                          &f),
                     FRAME_OK);
    is_token(&f.join_ref, TOKEN_NULL, "");
    is_token(&f.ref, TOKEN_JSON, "7");
    is_token(&f.topic, TOKEN_STRING, "room:\xf0\x9f\x98\x80");
    is_token(&f.event, TOKEN_JSON, "[\"e\"]");
    ck_assert_uint_eq(f.payload_len, 4);

    ck_assert_int_eq(
        text(frame_decode_v2, "[null,\"1\",\"\\ud800\",\"e\",{}]", &f),
        FRAME_OK);
    is_token(&f.topic, TOKEN_JSON, "\"\\ud800\"");
}
END_TEST

START_TEST(v2_text_that_cannot_be_read)
{
    static const char *const bad[] = {
        "",
        " ",
        "{}",
        "[]",
        "null",
        "\"x\"",
        "[1,2,3,4]",
        "[1,2,3,4,5",
        "[1,2,3,4,5,]",
        "[1,2,3,4,5]]",
        "[1,2,3,4,5] x",
        "[1,2,3,4,NaN]",
        "[1,2,3,4,{\"a\":01}]",
        "[1,2,3,4,5,nope]",
        "[1,2,3,4,\"\xff\"]",
        "[,1,2,3,4,5]",
    };
    struct frame f;
    char long_ref[400];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(text(frame_decode_v2, bad[i], &f) == FRAME_UNREADABLE,
                      "%s", bad[i]);
    snprintf(long_ref, sizeof long_ref, "[null,\"%0255d\",\"t\",\"e\",{}]", 1);
    ck_assert_int_eq(text(frame_decode_v2, long_ref, &f), FRAME_OK);
    snprintf(long_ref, sizeof long_ref, "[null,\"%0256d\",\"t\",\"e\",{}]", 1);
    ck_assert_int_eq(text(frame_decode_v2, long_ref, &f), FRAME_UNREADABLE);
    const char *deep = "[null,null,\"t\",\"e\",[[[]]]]";
    ck_assert_int_eq(
        frame_decode_v2(own(deep, strlen(deep)), strlen(deep), 2, &f),
        FRAME_TOO_DEEP);
    ck_assert_int_eq(
        frame_decode_v2(own(deep, strlen(deep)), strlen(deep), 3, &f),
        FRAME_OK);
}
END_TEST

/* A field too long for the scratch matches nothing, and is still echoed. */
START_TEST(escaped_fields_longer_than_the_scratch_stay_json)
{
    struct frame f;
    char json[8192] = "[null,\"\\u0031\",\"\\u0041";
    memset(json + strlen(json), 'x', 2000);
    strcat(json, "\",\"\\u0065\",{}]");
    ck_assert_int_eq(text(frame_decode_v2, json, &f), FRAME_OK);
    is_token(&f.ref, TOKEN_STRING, "1");
    ck_assert_int_eq(f.topic.kind, TOKEN_JSON);
    ck_assert_uint_eq(f.topic.len, 2008);
    is_token(&f.event, TOKEN_STRING, "e");
}
END_TEST

START_TEST(v1_objects_are_split)
{
    struct frame f;
    ck_assert_int_eq(
        text(frame_decode_v1,
             "{\"payload\":{\"topic\":1},\"ref\":\"1\",\"x\":[{}],\"topic\":"
             "\"old\",\"t\\u006fpic\" : \"t\" ,\"event\":\"phx_join\"}",
             &f),
        FRAME_OK);
    is_token(&f.join_ref, TOKEN_NULL, "");
    is_token(&f.ref, TOKEN_STRING, "1");
    is_token(&f.topic, TOKEN_STRING, "t");
    is_token(&f.event, TOKEN_STRING, "phx_join");
    ck_assert_mem_eq(f.payload, "{\"topic\":1}", f.payload_len);
    ck_assert_int_eq(text(frame_decode_v1,
                          "{\"topic\":\"t\",\"event\":\"e\",\"payload\":null,"
                          "\"ref\":null,\"join_ref\":\"4\"}",
                          &f),
                     FRAME_OK);
    is_token(&f.join_ref, TOKEN_STRING, "4");
    is_token(&f.ref, TOKEN_NULL, "");
}
END_TEST

START_TEST(v1_objects_that_cannot_be_read)
{
    static const char *const bad[] = {
        "",
        "{}",
        "[]",
        "1",
        "{\"event\":\"e\",\"payload\":{},\"ref\":\"1\"}",
        "{\"topic\":\"t\",\"payload\":{},\"ref\":\"1\"}",
        "{\"topic\":\"t\",\"event\":\"e\",\"ref\":\"1\"}",
        "{\"topic\":\"t\",\"event\":\"e\",\"payload\":{}}",
        "{\"topic\":\"t\",\"event\":\"e\",\"payload\":{},\"ref\":\"1\"",
        "{\"topic\":\"t\",\"event\":\"e\",\"payload\":{},\"ref\":\"1\",}",
        "{\"topic\":\"t\",\"event\":\"e\",\"payload\":{},\"ref\":\"1\"}}",
        "{\"topic\":\"t\" \"event\":\"e\",\"payload\":{},\"ref\":\"1\"}",
        "{topic:\"t\",\"event\":\"e\",\"payload\":{},\"ref\":\"1\"}",
        "[null,\"1\",\"t\",\"e\",{}]",
    };
    struct frame f;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(text(frame_decode_v1, bad[i], &f) == FRAME_UNREADABLE,
                      "%s", bad[i]);
}
END_TEST

static enum frame_error binary(const char *bytes, size_t len, struct frame *f)
{
    return frame_decode_binary(own(bytes, len), len, f);
}

START_TEST(binary_frames_are_split)
{
    static const char push[] = "\0\1\2\6\3"
                               "312room:ayjs\0\1\xff";
    struct frame f;
    ck_assert_int_eq(binary(push, sizeof push - 1, &f), FRAME_OK);
    is_token(&f.join_ref, TOKEN_STRING, "3");
    is_token(&f.ref, TOKEN_STRING, "12");
    is_token(&f.topic, TOKEN_STRING, "room:a");
    is_token(&f.event, TOKEN_STRING, "yjs");
    ck_assert(f.binary);
    ck_assert_uint_eq(f.payload_len, 3);
    ck_assert_mem_eq(f.payload, "\0\1\xff", 3);
    for (size_t n = 0; n < sizeof push - 4; n++)
        ck_assert_int_eq(binary(push, n, &f), FRAME_UNREADABLE);
    ck_assert_int_eq(binary(push, sizeof push - 4, &f), FRAME_OK);
    ck_assert_uint_eq(f.payload_len, 0);
    ck_assert_int_eq(binary("\0\0\0\0\0", 5, &f), FRAME_OK);
    is_token(&f.join_ref, TOKEN_STRING, "");
    ck_assert_int_eq(binary("\1\0\0\0\0", 5, &f), FRAME_UNREADABLE);
    ck_assert_int_eq(binary("\2\0\0\0\0", 5, &f), FRAME_UNREADABLE);
    ck_assert_int_eq(binary("\0\0\0\1\0\xff", 6, &f), FRAME_UNREADABLE);
    ck_assert_int_eq(binary("\0\0\0\0\1\xc3", 6, &f), FRAME_UNREADABLE);
    ck_assert_int_eq(binary("\0\xff\0\0\0", 5, &f), FRAME_UNREADABLE);
}
END_TEST

/* --------------------------------------------------------------- encoding */

static void is_blob(struct blob *b, const void *expected, size_t len)
{
    ck_assert_msg(b->len == len && memcmp(b->data, expected, len) == 0,
                  "%u bytes: %.*s", b->len, (int)b->len, b->data);
    blob_unref(b);
}

/* A text frame of less than 126 bytes. */
static void is_text(struct blob *b, const char *expected)
{
    ck_assert_uint_eq(b->data[0], 0x81);
    ck_assert_uint_eq(b->data[1], b->len - 2);
    ck_assert_uint_lt(b->data[1], 126);
    ck_assert_uint_eq(strlen(expected), b->len - 2);
    ck_assert_mem_eq(b->data + 2, expected, b->len - 2);
    blob_unref(b);
}

#define IS(blob, literal) is_blob(blob, literal, sizeof(literal) - 1)

static struct message message(const char *event, enum message_kind kind,
                              const void *payload, size_t len)
{
    return (struct message){.topic = "t\"1",
                            .topic_len = 3,
                            .event = event,
                            .event_len = strlen(event),
                            .payload = payload,
                            .payload_len = len,
                            .kind = kind};
}

START_TEST(broadcasts_in_every_form)
{
    struct message json = message("ev", MESSAGE_JSON, "{\"a\": \"\\n\"}\n", 13);
    json.payload_len = 12;
    is_text(frame_broadcast(WIRE_WS_V2, &json),
            "[null,null,\"t\\\"1\",\"ev\",{\"a\": \"\\n\"}\n]");
    is_text(frame_broadcast(WIRE_WS_V1, &json),
            "{\"topic\":\"t\\\"1\",\"event\":\"ev\",\"payload\":{\"a\": "
            "\"\\n\"}\n,\"ref\":null}");
    IS(frame_broadcast(WIRE_LP_V2, &json),
       "\"[null,null,\\\"t\\\\\\\"1\\\",\\\"ev\\\",{\\\"a\\\": "
       "\\\"\\\\n\\\"}\\n]\"");
    IS(frame_broadcast(WIRE_LP_V2_B64, &json),
       "\"[null,null,\\\"t\\\\\\\"1\\\",\\\"ev\\\",{\\\"a\\\": "
       "\\\"\\\\n\\\"}\\n]\"");
    IS(frame_broadcast(WIRE_LP_V1, &json),
       "\"{\\\"topic\\\":\\\"t\\\\\\\"1\\\",\\\"event\\\":\\\"ev\\\","
       "\\\"payload\\\":{\\\"a\\\": \\\"\\\\n\\\"}\\n,\\\"ref\\\":null}\"");

    struct message data = message("update", MESSAGE_DATA, "\1\0\xff", 3);
    is_text(frame_broadcast(WIRE_WS_V2, &data),
            "[null,null,\"t\\\"1\",\"update\",{\"data\":[1,0,255]}]");
    data.payload_len = 0;
    IS(frame_broadcast(WIRE_LP_V2, &data),
       "\"[null,null,\\\"t\\\\\\\"1\\\",\\\"update\\\",{\\\"data\\\":[]}]\"");

    struct message bytes = message("yjs", MESSAGE_BYTES, "\1\0\xff", 3);
    IS(frame_broadcast(WIRE_WS_V2, &bytes), "\x82\x0c\2\3\3t\"1yjs\1\0\xff");
    IS(frame_broadcast(WIRE_LP_V2, &bytes),
       "\"[null,null,\\\"t\\\\\\\"1\\\",\\\"yjs\\\",[1,0,255]]\"");
    is_text(frame_broadcast(WIRE_WS_V1, &bytes),
            "{\"topic\":\"t\\\"1\",\"event\":\"yjs\",\"payload\":[1,0,255],"
            "\"ref\":null}");
    IS(frame_broadcast(WIRE_LP_V2_B64, &bytes), "\"AgMDdCIxeWpzAQD/\"");
}
END_TEST

START_TEST(base64_pads_what_is_left)
{
    struct message bytes = message("yjs", MESSAGE_BYTES, "abcd", 0);
    IS(frame_broadcast(WIRE_LP_V2_B64, &bytes), "\"AgMDdCIxeWpz\"");
    bytes.payload_len = 1;
    IS(frame_broadcast(WIRE_LP_V2_B64, &bytes), "\"AgMDdCIxeWpzYQ==\"");
    bytes.payload_len = 2;
    IS(frame_broadcast(WIRE_LP_V2_B64, &bytes), "\"AgMDdCIxeWpzYWI=\"");
}
END_TEST

START_TEST(pushes_carry_the_join_ref)
{
    struct token string = TOKEN_LITERAL("3"), null = {.kind = TOKEN_NULL};
    struct token integer = {"12", 2, TOKEN_JSON};
    struct message bytes = message("yjs", MESSAGE_BYTES, "\1", 1);
    struct message json = message("p", MESSAGE_JSON, "{}", 2);
    IS(frame_push(WIRE_WS_V2, &string, &bytes), "\x82\x0c\0\1\3\3"
                                                "3t\"1yjs\1");
    IS(frame_push(WIRE_WS_V2, &integer, &bytes), "\x82\x0d\0\2\3\3"
                                                 "12t\"1yjs\1");
    IS(frame_push(WIRE_WS_V2, &null, &bytes), "\x82\x0b\0\0\3\3t\"1yjs\1");
    is_text(frame_push(WIRE_WS_V2, &string, &json),
            "[\"3\",null,\"t\\\"1\",\"p\",{}]");
    is_text(frame_push(WIRE_WS_V2, &integer, &json),
            "[12,null,\"t\\\"1\",\"p\",{}]");
    is_text(frame_push(WIRE_WS_V1, &string, &json),
            "{\"topic\":\"t\\\"1\",\"event\":\"p\",\"payload\":{},\"ref\":"
            "null}");
    IS(frame_push(WIRE_LP_V2, &string, &bytes),
       "\"[\\\"3\\\",null,\\\"t\\\\\\\"1\\\",\\\"yjs\\\",[1]]\"");
}
END_TEST

/* A large presence_state is written once for all who are sent it, whatever
 * they read it from; each form is what it would be without sharing. */
START_TEST(a_shared_payload_changes_nothing_on_the_wire)
{
    static const enum wire_form forms[] = {WIRE_WS_V2, WIRE_WS_V1, WIRE_LP_V2,
                                           WIRE_LP_V1, WIRE_LP_V2_B64};
    enum { BYTES = FRAME_SHARED_MIN + 2 };
    struct token ref = TOKEN_LITERAL("3");
    char *json = malloc(BYTES);
    memset(json, '\"', BYTES); /* [""""...]: frames do not read it again */
    json[0] = '[';
    json[BYTES - 1] = ']';
    struct payload shared = {.data = (uint8_t *)json, .len = BYTES};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct message m = message("p", MESSAGE_JSON, json, BYTES);
        struct blob *own = frame_push(forms[i], &ref, &m);
        m.shared = &shared;
        struct blob *joint = frame_push(forms[i], &ref, &m);
        ck_assert(joint->joint && !own->joint);
        ck_assert_uint_eq(joint->len, own->len);
        for (size_t at = 0; at < joint->len;) {
            struct blob_run run = blob_run(joint, at);
            ck_assert_mem_eq(run.data, own->data + at, run.len);
            at += run.len;
        }
        blob_unref(own);
        blob_unref(joint);
    }
    payload_deinit(&shared);
    free(json);
}
END_TEST

START_TEST(replies_and_ends)
{
    struct frame_reply to = {
        TOKEN_LITERAL("3"), {"7", 1, TOKEN_JSON}, TOKEN_LITERAL("t")};
    is_text(frame_reply_ok(WIRE_WS_V2, &to),
            "[\"3\",7,\"t\",\"phx_reply\",{\"status\":\"ok\",\"response\":"
            "{}}]");
    is_text(
        frame_reply_error(WIRE_WS_V1, &to, "no"),
        "{\"topic\":\"t\",\"event\":\"phx_reply\",\"payload\":{"
        "\"status\":\"error\",\"response\":{\"reason\":\"no\"}},\"ref\":7}");
    struct payload state = {.data = (const uint8_t *)"\1\2", .len = 2};
    IS(frame_reply_state(WIRE_LP_V2, &to, &state),
       "\"[\\\"3\\\",7,\\\"t\\\",\\\"phx_reply\\\",{\\\"status\\\":\\\"ok\\\","
       "\\\"response\\\":{\\\"state\\\":[1,2]}}]\"");
    is_text(frame_close(WIRE_WS_V2, &to.join_ref, &to.topic),
            "[\"3\",\"3\",\"t\",\"phx_close\",{}]");
    is_text(frame_error(WIRE_WS_V2, &to.join_ref, &to.topic),
            "[\"3\",\"3\",\"t\",\"phx_error\",{\"reason\":"
            "\"channel_crash\"}]");
    struct token none = {.kind = TOKEN_NULL};
    is_text(frame_close(WIRE_WS_V1, &none, &to.topic),
            "{\"topic\":\"t\",\"event\":\"phx_close\",\"payload\":{},"
            "\"ref\":null}");
}
END_TEST

/* The header at both of its size steps. */
START_TEST(websocket_headers_by_length)
{
    static const struct {
        size_t total;
        const char *head;
        size_t head_len;
    } steps[] = {
        {125, "\x82\x7d", 2},
        {126, "\x82\x7e\x00\x7e", 4},
        {65535, "\x82\x7e\xff\xff", 4},
        {65536, "\x82\x7f\0\0\0\0\0\1\0\0", 10},
    };
    uint8_t *payload = calloc(1, 70000);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct message m =
            message("yjs", MESSAGE_BYTES, payload, steps[i].total - 9);
        struct blob *b = frame_broadcast(WIRE_WS_V2, &m);
        ck_assert_uint_eq(b->len, steps[i].head_len + steps[i].total);
        ck_assert_mem_eq(b->data, steps[i].head, steps[i].head_len);
        blob_unref(b);
    }
    free(payload);
}
END_TEST

START_TEST(control_characters_are_escaped_in_both_layers)
{
    struct message m = message("e", MESSAGE_JSON, "[\t]", 3);
    m.topic = "a\x01\n\xc3\xa9";
    m.topic_len = 5;
    is_text(frame_broadcast(WIRE_WS_V2, &m),
            "[null,null,\"a\\u0001\\n\xc3\xa9\",\"e\",[\t]]");
    IS(frame_broadcast(WIRE_LP_V2, &m),
       "\"[null,null,\\\"a\\\\u0001\\\\n\xc3\xa9\\\",\\\"e\\\",[\\t]]\"");
}
END_TEST

SUITE_MAIN("frame", v2_text_is_split, v2_text_that_cannot_be_read,
           escaped_fields_longer_than_the_scratch_stay_json,
           v1_objects_are_split, v1_objects_that_cannot_be_read,
           binary_frames_are_split, broadcasts_in_every_form,
           base64_pads_what_is_left, pushes_carry_the_join_ref,
           a_shared_payload_changes_nothing_on_the_wire,
           replies_and_ends, websocket_headers_by_length,
           control_characters_are_escaped_in_both_layers)
