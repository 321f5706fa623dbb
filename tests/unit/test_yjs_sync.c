/* SPDX-License-Identifier: MIT */
/* The y-protocols envelope; the bytes marked "npm" were made by y-protocols
 * 1.0.7. */
#include <check.h>
#include <string.h>

#include "fail_alloc.h"

struct sample {
    enum yjs_message_type type;
    enum yjs_sync_type sync;
    const char *bytes;
    size_t len;
    size_t body_at;
};

#define BYTES(s) s, sizeof(s) - 1

static const struct sample samples[] = {
    /* npm */
    {YJS_MESSAGE_SYNC, YJS_SYNC_STEP1, BYTES("\0\0\3\1\5\2"), 3},
    {YJS_MESSAGE_SYNC, YJS_SYNC_STEP2,
     BYTES("\0\1\x0c\1\1\5\0\4\1\1t\2hi\0"), 3},
    {YJS_MESSAGE_SYNC, YJS_SYNC_UPDATE,
     BYTES("\0\2\x0c\1\1\5\0\4\1\1t\2hi\0"), 3},
    {YJS_MESSAGE_AWARENESS, YJS_SYNC_STEP1,
     BYTES("\1\x12\1\xff\xff\xff\xff\xff\xff\xff\x0f\2\7{\"a\":1}"), 2},
    {YJS_MESSAGE_AUTH, YJS_SYNC_STEP1, BYTES("\2\0\2no"), 3},
    {YJS_MESSAGE_QUERY_AWARENESS, YJS_SYNC_STEP1, BYTES("\3"), 1},
    /* empty bodies */
    {YJS_MESSAGE_SYNC, YJS_SYNC_STEP1, BYTES("\0\0\0"), 3},
    {YJS_MESSAGE_AWARENESS, YJS_SYNC_STEP1, BYTES("\1\0"), 2},
};

enum { SAMPLES = sizeof(samples) / sizeof(samples[0]) };

static int decode(const char *bytes, size_t len, struct yjs_message *out)
{
    /* a copy of exact size, so that ASan sees a read past the end */
    uint8_t *copy = malloc(len + (len == 0));
    int rc;

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, bytes, len);
    rc = yjs_message_decode(copy, len, out);
    free(copy);
    return rc;
}

START_TEST(test_decode)
{
    const struct sample *s = &samples[_i];
    struct yjs_message msg;

    ck_assert_int_eq(yjs_message_decode((const uint8_t *)s->bytes, s->len,
                                        &msg),
                     YJS_OK);
    ck_assert_int_eq(msg.type, s->type);
    if (s->type == YJS_MESSAGE_SYNC)
        ck_assert_int_eq(msg.sync, s->sync);
    ck_assert_uint_eq(msg.body_len, s->len - s->body_at);
    if (msg.body_len > 0)
        ck_assert_ptr_eq(msg.body, (const uint8_t *)s->bytes + s->body_at);
}
END_TEST

START_TEST(test_encode)
{
    const struct sample *s = &samples[_i];
    struct yjs_message msg = {s->type, s->sync,
                              (const uint8_t *)s->bytes + s->body_at,
                              s->len - s->body_at};
    struct yjs_bytes out = {0};

    ck_assert_int_eq(yjs_message_encode(&msg, NULL, &out), YJS_OK);
    ck_assert_uint_eq(out.len, s->len);
    ck_assert_mem_eq(out.data, s->bytes, s->len);
    yjs_bytes_free(&out);
}
END_TEST

START_TEST(test_every_prefix_is_refused)
{
    const struct sample *s = &samples[_i];
    size_t n;

    for (n = 0; n < s->len; n++) {
        struct yjs_message msg = {YJS_MESSAGE_AUTH, YJS_SYNC_UPDATE, NULL, 77};

        ck_assert_int_eq(decode(s->bytes, n, &msg), YJS_ERR_TRUNCATED);
        ck_assert_int_eq(msg.type, YJS_MESSAGE_AUTH);
        ck_assert_uint_eq(msg.body_len, 77);
    }
}
END_TEST

START_TEST(test_trailing_byte_is_refused)
{
    const struct sample *s = &samples[_i];
    char copy[64] = {0};
    struct yjs_message msg;

    memcpy(copy, s->bytes, s->len);
    ck_assert_int_eq(decode(copy, s->len + 1, &msg), YJS_ERR_MALFORMED);
}
END_TEST

struct bad {
    const char *bytes;
    size_t len;
    int rc;
};

static const struct bad bads[] = {
    {BYTES("\4"), YJS_ERR_UNSUPPORTED},
    {BYTES("\x7f\1"), YJS_ERR_UNSUPPORTED},
    {BYTES("\0\3\0"), YJS_ERR_UNSUPPORTED},
    {BYTES("\2\1\2no"), YJS_ERR_UNSUPPORTED},
    {BYTES("\2\0\2\xff\xff"), YJS_ERR_MALFORMED}, /* not UTF-8 */
    {BYTES("\0\0\xff\xff\xff\xff\xff\xff\xff\x0f"), YJS_ERR_TRUNCATED},
    {BYTES("\0\0\xff\xff\xff\xff\xff\xff\xff\x1f"), YJS_ERR_MALFORMED},
    {BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
     YJS_ERR_MALFORMED},
    {BYTES("\1\2\0"), YJS_ERR_TRUNCATED},
};

START_TEST(test_bad)
{
    struct yjs_message msg;

    ck_assert_int_eq(decode(bads[_i].bytes, bads[_i].len, &msg), bads[_i].rc);
}
END_TEST

START_TEST(test_null_input)
{
    struct yjs_message msg;

    ck_assert_int_eq(yjs_message_decode(NULL, 0, &msg), YJS_ERR_TRUNCATED);
}
END_TEST

START_TEST(test_encode_range)
{
    struct yjs_message msg = {(enum yjs_message_type)4, YJS_SYNC_STEP1, NULL,
                              0};
    struct yjs_bytes out = {NULL, 99, {NULL, NULL}};

    ck_assert_int_eq(yjs_message_encode(&msg, NULL, &out), YJS_ERR_RANGE);
    msg.type = YJS_MESSAGE_SYNC;
    msg.sync = (enum yjs_sync_type)3;
    ck_assert_int_eq(yjs_message_encode(&msg, NULL, &out), YJS_ERR_RANGE);
    ck_assert_uint_eq(out.len, 99);
}
END_TEST

START_TEST(test_encode_large)
{
    enum { N = 300000 };
    uint8_t *body = calloc(1, N);
    struct yjs_message msg = {YJS_MESSAGE_SYNC, YJS_SYNC_STEP2, body, N};
    struct yjs_message back;
    struct yjs_bytes out = {0};

    ck_assert_ptr_nonnull(body);
    body[N - 1] = 0xab;
    ck_assert_int_eq(yjs_message_encode(&msg, NULL, &out), YJS_OK);
    ck_assert_uint_eq(out.len, 2 + 3 + N);
    ck_assert_int_eq(yjs_message_decode(out.data, out.len, &back), YJS_OK);
    ck_assert_uint_eq(back.body_len, N);
    ck_assert_mem_eq(back.body, body, N);
    yjs_bytes_free(&out);
    free(body);
}
END_TEST

START_TEST(test_no_memory)
{
    struct yjs_message msg = {YJS_MESSAGE_AWARENESS, YJS_SYNC_STEP1,
                              (const uint8_t *)"abc", 3};
    size_t n;

    for (n = 1;; n++) {
        struct fail_alloc fa = {0, n};
        struct yjs_allocator hook = fail_alloc_hook(&fa);
        struct yjs_bytes out = {NULL, 99, {NULL, NULL}};
        int rc = yjs_message_encode(&msg, &hook, &out);

        if (rc == YJS_OK) {
            ck_assert_uint_eq(fa.blocks, 1);
            yjs_bytes_free(&out);
            ck_assert_uint_eq(fa.blocks, 0);
            break;
        }
        ck_assert_int_eq(rc, YJS_ERR_NOMEM);
        ck_assert_uint_eq(out.len, 99);
        ck_assert_uint_eq(fa.blocks, 0);
    }
    ck_assert_uint_gt(n, 1);
}
END_TEST

static Suite *sync_suite(void)
{
    Suite *suite = suite_create("yjs_sync");
    TCase *tc = tcase_create("messages");

    tcase_add_loop_test(tc, test_decode, 0, SAMPLES);
    tcase_add_loop_test(tc, test_encode, 0, SAMPLES);
    tcase_add_loop_test(tc, test_every_prefix_is_refused, 0, SAMPLES);
    tcase_add_loop_test(tc, test_trailing_byte_is_refused, 0, SAMPLES);
    tcase_add_loop_test(tc, test_bad, 0, sizeof(bads) / sizeof(bads[0]));
    tcase_add_test(tc, test_null_input);
    tcase_add_test(tc, test_encode_range);
    tcase_add_test(tc, test_encode_large);
    tcase_add_test(tc, test_no_memory);
    suite_add_tcase(suite, tc);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(sync_suite());
    int failed;

    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
