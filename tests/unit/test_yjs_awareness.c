/* SPDX-License-Identifier: MIT */
/* Awareness; the bytes marked "npm" were made by y-protocols 1.0.7. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "fail_alloc.h"
#include "yjs/jsoncheck.h"

/* --------------------------------------------------- updates and recording */

struct message {
    uint8_t data[4096];
    size_t len;
};

static void put_varuint(struct message *m, uint64_t v)
{
    for (; v > 0x7f; v >>= 7)
        m->data[m->len++] = (uint8_t)(v | 0x80);
    m->data[m->len++] = (uint8_t)v;
}

static void begin(struct message *m, uint64_t n)
{
    m->len = 0;
    put_varuint(m, n);
}

static void put(struct message *m, uint64_t client, uint64_t clock,
                const char *json)
{
    size_t n = strlen(json);

    put_varuint(m, client);
    put_varuint(m, clock);
    put_varuint(m, n);
    memcpy(m->data + m->len, json, n);
    m->len += n;
}

struct heard {
    size_t n;
    char text[2048];
};

static void hear(void *ctx, const struct yjs_awareness_change *change)
{
    static const char *const kinds[] = {"+", "=", "-"};
    struct heard *h = ctx;
    size_t used = strlen(h->text);

    h->n++;
    snprintf(h->text + used, sizeof(h->text) - used, "%s%llu@%llu%.*s ",
             kinds[change->kind], (unsigned long long)change->client,
             (unsigned long long)change->clock, (int)change->json_len,
             change->json != NULL ? change->json : "");
    ck_assert_int_eq(change->json == NULL,
                     change->kind == YJS_AWARENESS_REMOVED);
}

static int apply(yjs_awareness *aw, const struct message *m, uint64_t now,
                 struct heard *h)
{
    uint8_t *copy = malloc(m->len);
    int rc;

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, m->data, m->len);
    memset(h, 0, sizeof(*h));
    rc = yjs_awareness_apply(aw, copy, m->len, now, hear, h);
    free(copy);
    return rc;
}

static int apply_one(yjs_awareness *aw, uint64_t client, uint64_t clock,
                     const char *json, uint64_t now, struct heard *h)
{
    static struct message m;

    begin(&m, 1);
    put(&m, client, clock, json);
    return apply(aw, &m, now, h);
}

#define APPLY_ONE(aw, client, clock, json, now, expected)                      \
    do {                                                                       \
        struct heard heard_;                                                   \
        ck_assert_int_eq(apply_one(aw, client, clock, json, now, &heard_),     \
                         YJS_OK);                                              \
        ck_assert_str_eq(heard_.text, expected);                               \
    } while (0)

static void assert_encodes(yjs_awareness *aw, const uint64_t *clients, size_t n,
                           const void *want, size_t want_len)
{
    struct yjs_bytes out = {0};

    ck_assert_int_eq(yjs_awareness_encode(aw, clients, n, &out), YJS_OK);
    ck_assert_uint_eq(out.len, want_len);
    ck_assert_mem_eq(out.data, want, want_len);
    yjs_bytes_free(&out);
}

static yjs_awareness *aw;
static struct fail_alloc fa;

static void new_awareness(size_t clients, size_t tombstones, size_t state_bytes,
                          size_t total_bytes)
{
    struct yjs_awareness_options opt = {clients, tombstones, state_bytes,
                                        total_bytes, fail_alloc_hook(&fa)};

    ck_assert_int_eq(yjs_awareness_new(&opt, &aw), YJS_OK);
}

static void setup(void)
{
    memset(&fa, 0, sizeof(fa));
    new_awareness(0, 0, 0, 0);
}

static void teardown(void)
{
    yjs_awareness_free(aw);
    ck_assert_uint_eq(fa.blocks, 0);
}

static void restart(size_t clients, size_t tombstones, size_t state_bytes,
                    size_t total_bytes)
{
    teardown();
    new_awareness(clients, tombstones, state_bytes, total_bytes);
}

/* ------------------------------------------------------ the acceptance rule */

START_TEST(test_clock_rule)
{
    APPLY_ONE(aw, 5, 0, "{}", 0, ""); /* clock 0 is never news */
    ck_assert_uint_eq(yjs_awareness_count(aw), 0);
    APPLY_ONE(aw, 5, 2, "{\"a\":1}", 0, "+5@2{\"a\":1} ");
    APPLY_ONE(aw, 5, 2, "{\"a\":2}", 0, "");
    APPLY_ONE(aw, 5, 1, "null", 0, "");
    APPLY_ONE(aw, 5, 3, "{\"a\":1}", 0, "=5@3{\"a\":1} ");
    APPLY_ONE(aw, 5, 3, "null", 0, "-5@3 ");
    APPLY_ONE(aw, 5, 3, "null", 0, ""); /* gone already */
    APPLY_ONE(aw, 5, 3, "{}", 0, "");
    APPLY_ONE(aw, 5, 4, "{}", 0, "+5@4{} ");
    APPLY_ONE(aw, 5, 9, "null", 0, "-5@9 ");
    APPLY_ONE(aw, 5, 10, "null", 0, "-5@10 "); /* as JavaScript does */
}
END_TEST

START_TEST(test_unknown_null_is_remembered)
{
    uint64_t clock = 77;
    bool live = true;

    APPLY_ONE(aw, 8, 4, "null", 0, "");
    ck_assert(yjs_awareness_clock(aw, 8, &clock, &live));
    ck_assert_uint_eq(clock, 4);
    ck_assert(!live);
    APPLY_ONE(aw, 8, 4, "{}", 0, "");
    APPLY_ONE(aw, 8, 5, "{}", 0, "+8@5{} ");
}
END_TEST

START_TEST(test_records_of_one_update_in_order)
{
    struct message m;
    struct heard h;

    begin(&m, 6);
    put(&m, 1, 1, "1");
    put(&m, 1, 1, "2"); /* same clock: refused */
    put(&m, 1, 2, "3");
    put(&m, 1, 2, "null");
    put(&m, 1, 1, "4");
    put(&m, 1, 3, "5");
    ck_assert_int_eq(apply(aw, &m, 0, &h), YJS_OK);
    ck_assert_str_eq(h.text, "+1@11 =1@23 -1@2 +1@35 ");
    assert_encodes(aw, NULL, 0, "\1\1\3\1"
                                "5",
                   5);
}
END_TEST

START_TEST(test_large_numbers)
{
    const uint64_t max = ((uint64_t)1 << 53) - 1;
    struct heard h;

    APPLY_ONE(aw, max, max, "{}", 0, "+9007199254740991@9007199254740991{} ");
    ck_assert_int_eq(apply_one(aw, max + 1, 1, "{}", 0, &h),
                     YJS_ERR_MALFORMED);
    ck_assert_int_eq(apply_one(aw, 1, max + 1, "{}", 0, &h),
                     YJS_ERR_MALFORMED);
    ck_assert_uint_eq(yjs_awareness_count(aw), 1);
}
END_TEST

/* ------------------------------------------------------------- y-protocols */

START_TEST(test_npm_bytes)
{
    /* npm: client 5 at clock 1 and 2, then two clients */
    static const char c1[] = "\1\5\1\x1c{\"user\":{\"name\":\"Ada "
                             "\xf0\x9f\x98\x80\"}}";
    static const char gone[] = "\1\5\2\4null";
    static const char two[] = "\2\xff\xff\xff\xff\xff\xff\xff\x0f\2\7{\"a\":1}"
                              "\5\2\4null";
    const uint64_t both[] = {((uint64_t)1 << 53) - 1, 5};
    const uint64_t five = 5;
    struct heard h = {0};

    ck_assert_int_eq(yjs_awareness_apply(aw, (const uint8_t *)c1,
                                         sizeof(c1) - 1, 0, hear, &h),
                     YJS_OK);
    ck_assert_uint_eq(h.n, 1);
    assert_encodes(aw, &five, 1, c1, sizeof(c1) - 1);
    assert_encodes(aw, NULL, 0, c1, sizeof(c1) - 1);
    ck_assert_int_eq(yjs_awareness_apply(aw, (const uint8_t *)two,
                                         sizeof(two) - 1, 0, NULL, NULL),
                     YJS_OK);
    assert_encodes(aw, both, 2, two, sizeof(two) - 1);
    assert_encodes(aw, &five, 1, gone, sizeof(gone) - 1);
    assert_encodes(aw, NULL, 0,
                   "\1\xff\xff\xff\xff\xff\xff\xff\x0f\2\7{\"a\":1}", 18);
}
END_TEST

START_TEST(test_encode_leaves_unknown_out)
{
    const uint64_t some[] = {1, 2, 3};

    assert_encodes(aw, NULL, 0, "\0", 1);
    assert_encodes(aw, some, 3, "\0", 1);
    APPLY_ONE(aw, 2, 1, "7", 0, "+2@17 ");
    assert_encodes(aw, some, 3, "\1\2\1\1"
                                "7",
                   5);
    assert_encodes(aw, some, 0, "\0", 1);
}
END_TEST

/* ---------------------------------------------------------- remove, expire */

START_TEST(test_remove)
{
    const uint64_t five = 5;

    ck_assert(!yjs_awareness_remove(aw, 5, 0));
    APPLY_ONE(aw, 5, 7, "{}", 0, "+5@7{} ");
    ck_assert(yjs_awareness_remove(aw, 5, 1));
    ck_assert(!yjs_awareness_remove(aw, 5, 1));
    ck_assert_uint_eq(yjs_awareness_count(aw), 0);
    assert_encodes(aw, &five, 1, "\1\5\7\4null", 8);
    APPLY_ONE(aw, 5, 7, "{}", 2, ""); /* a late copy does not bring it back */
    APPLY_ONE(aw, 5, 8, "{}", 2, "+5@8{} ");
}
END_TEST

static struct yjs_span span(const char *s)
{
    return (struct yjs_span){(const uint8_t *)s, strlen(s)};
}

START_TEST(test_own_state)
{
    static const struct yjs_span no_state = {NULL, 0};
    yjs_awareness *mine, *friend;
    struct heard h = {0, ""}, all = {0, ""}, far = {0, ""};
    struct yjs_bytes out = {0};
    struct yjs_span json;
    uint64_t me = 7;

    ck_assert_int_eq(yjs_awareness_new(NULL, &mine), YJS_OK);
    ck_assert_int_eq(yjs_awareness_new(NULL, &friend), YJS_OK);
    ck_assert_int_eq(yjs_awareness_set(mine, 7, no_state, 1, hear, &h), YJS_OK);
    ck_assert_int_eq(yjs_awareness_set(mine, 7, span("{]"), 1, hear, &h),
                     YJS_ERR_MALFORMED);
    ck_assert_int_eq(yjs_awareness_set(mine, (uint64_t)1 << 53, span("{}"), 1,
                                       hear, &h), YJS_ERR_RANGE);
    ck_assert(!yjs_awareness_state(mine, 7, &json));
    ck_assert_int_eq(yjs_awareness_set(mine, 9, span("1"), 1, hear, &h),
                     YJS_OK);
    ck_assert_int_eq(yjs_awareness_set(mine, 7, span("{}"), 2, hear, &h),
                     YJS_OK);
    ck_assert_int_eq(yjs_awareness_set(mine, 7, span("[2]"), 3, hear, &h),
                     YJS_OK);
    ck_assert(yjs_awareness_state(mine, 7, &json));
    ck_assert_uint_eq(json.len, 3);
    ck_assert_int_eq(memcmp(json.data, "[2]", 3), 0);
    ck_assert_int_eq(yjs_awareness_encode(mine, &me, 1, &out), YJS_OK);
    ck_assert_int_eq(yjs_awareness_apply(friend, out.data, out.len, 3, hear,
                                         &far), YJS_OK);
    ck_assert_str_eq(far.text, "+7@2[2] ");
    yjs_awareness_visit(mine, hear, &all);
    ck_assert_str_eq(all.text, "+9@11 +7@2[2] ");
    ck_assert_int_eq(yjs_awareness_set(mine, 7, no_state, 4, hear, &h), YJS_OK);
    ck_assert_str_eq(h.text, "+9@11 +7@1{} =7@2[2] -7@3 ");
    ck_assert(!yjs_awareness_state(mine, 7, &json));
    yjs_bytes_free(&out);
    yjs_awareness_free(mine);
    yjs_awareness_free(friend);
}
END_TEST

START_TEST(test_expire)
{
    struct heard h = {0};

    APPLY_ONE(aw, 1, 1, "{}", 1000, "+1@1{} ");
    APPLY_ONE(aw, 2, 1, "{}", 2000, "+2@1{} ");
    APPLY_ONE(aw, 3, 1, "{}", 3000, "+3@1{} ");
    APPLY_ONE(aw, 1, 2, "{}", 4000, "=1@2{} "); /* renewed */
    ck_assert_uint_eq(yjs_awareness_expire(aw, 31999, 30000, hear, &h), 0);
    ck_assert_uint_eq(yjs_awareness_expire(aw, 33000, 30000, hear, &h), 2);
    ck_assert_str_eq(h.text, "-2@1 -3@1 ");
    ck_assert_uint_eq(yjs_awareness_count(aw), 1);
    /* a clock that jumps back expires nobody */
    ck_assert_uint_eq(yjs_awareness_expire(aw, 0, 0, hear, &h), 0);
    ck_assert_uint_eq(yjs_awareness_expire(aw, 34000, 30000, NULL, NULL), 1);
    ck_assert_uint_eq(yjs_awareness_count(aw), 0);
}
END_TEST

/* ------------------------------------------------------------------ limits */

START_TEST(test_tombstone_cap)
{
    uint64_t clock, i;
    bool live;

    restart(0, 3, 0, 0);
    for (i = 1; i <= 10; i++) {
        struct heard h;

        ck_assert_int_eq(apply_one(aw, i, 1, "{}", 0, &h), YJS_OK);
    }
    for (i = 1; i <= 10; i++)
        ck_assert(yjs_awareness_remove(aw, i, 0));
    for (i = 1; i <= 10; i++)
        ck_assert_int_eq(yjs_awareness_clock(aw, i, &clock, &live), i > 7);
    /* one that came back and left again is the youngest */
    APPLY_ONE(aw, 8, 2, "{}", 0, "+8@2{} ");
    ck_assert(yjs_awareness_remove(aw, 8, 0));
    APPLY_ONE(aw, 20, 1, "null", 0, "");
    ck_assert(yjs_awareness_clock(aw, 8, &clock, &live));
    ck_assert(!yjs_awareness_clock(aw, 9, &clock, &live));
    ck_assert(yjs_awareness_clock(aw, 10, &clock, &live));
}
END_TEST

START_TEST(test_client_limit)
{
    struct message m;
    struct heard h;

    restart(3, 5, 0, 0);
    begin(&m, 4);
    for (uint64_t i = 1; i <= 4; i++)
        put(&m, i, 1, "{}");
    ck_assert_int_eq(apply(aw, &m, 0, &h), YJS_ERR_LIMIT);
    ck_assert_uint_eq(h.n, 0);
    ck_assert_uint_eq(yjs_awareness_count(aw), 0);
    begin(&m, 3);
    for (uint64_t i = 1; i <= 3; i++)
        put(&m, i, 1, "{}");
    ck_assert_int_eq(apply(aw, &m, 0, &h), YJS_OK);
    ck_assert_int_eq(apply_one(aw, 9, 1, "{}", 0, &h), YJS_ERR_LIMIT);
    APPLY_ONE(aw, 3, 2, "{}", 0, "=3@2{} "); /* who is there may speak */
    begin(&m, 2); /* one leaves, one comes, in either order */
    put(&m, 9, 1, "{}");
    put(&m, 1, 2, "null");
    ck_assert_int_eq(apply(aw, &m, 0, &h), YJS_OK);
    ck_assert_str_eq(h.text, "+9@1{} -1@2 ");
}
END_TEST

START_TEST(test_record_limit)
{
    struct message m;
    struct heard h;

    restart(2, 2, 0, 0);
    begin(&m, 5); /* refused by its count, before anything is read */
    ck_assert_int_eq(apply(aw, &m, 0, &h), YJS_ERR_LIMIT);
    begin(&m, ((uint64_t)1 << 53) - 1);
    ck_assert_int_eq(apply(aw, &m, 0, &h), YJS_ERR_LIMIT);
    begin(&m, 4);
    ck_assert_int_eq(apply(aw, &m, 0, &h), YJS_ERR_TRUNCATED);
}
END_TEST

START_TEST(test_byte_limits)
{
    struct heard h;

    restart(0, 0, 10, 15);
    ck_assert_int_eq(apply_one(aw, 1, 1, "\"12345678\"", 0, &h), YJS_OK);
    ck_assert_int_eq(apply_one(aw, 1, 2, "\"123456789\"", 0, &h),
                     YJS_ERR_LIMIT);
    ck_assert_int_eq(apply_one(aw, 2, 1, "123456", 0, &h), YJS_ERR_LIMIT);
    ck_assert_int_eq(apply_one(aw, 2, 1, "12345", 0, &h), YJS_OK);
    ck_assert_int_eq(apply_one(aw, 1, 2, "1", 0, &h), YJS_OK);
    ck_assert_int_eq(apply_one(aw, 3, 1, "123456789", 0, &h), YJS_OK);
    ck_assert(yjs_awareness_remove(aw, 3, 0));
    ck_assert_int_eq(apply_one(aw, 4, 1, "123456789", 0, &h), YJS_OK);
}
END_TEST

/* --------------------------------------------------------------- bad input */

START_TEST(test_refused_changes_nothing)
{
    static const char *const bad[] = {"", "{", "nul", "NaN", "{\"a\":1,}",
                                      "\"\xed\xa0\x80\"", "1 2"};
    struct message m;
    struct heard h;
    size_t i;

    APPLY_ONE(aw, 1, 1, "{}", 0, "+1@1{} ");
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        begin(&m, 3);
        put(&m, 1, 2, "null");
        put(&m, 2, 1, "{}");
        put(&m, 3, 1, bad[i]);
        ck_assert_int_eq(apply(aw, &m, 0, &h), YJS_ERR_MALFORMED);
        ck_assert_uint_eq(h.n, 0);
        assert_encodes(aw, NULL, 0, "\1\1\1\2{}", 6);
    }
}
END_TEST

START_TEST(test_every_prefix_is_refused)
{
    struct message m;
    struct heard h;
    size_t len;

    begin(&m, 2);
    put(&m, 300, 1, "{\"x\":[1,2]}");
    put(&m, 2, 300, "null");
    len = m.len;
    for (m.len = 1; m.len < len; m.len++) {
        ck_assert_int_eq(apply(aw, &m, 0, &h), YJS_ERR_TRUNCATED);
        ck_assert_uint_eq(yjs_awareness_count(aw), 0);
    }
    m.data[m.len++] = 0;
    ck_assert_int_eq(apply(aw, &m, 0, &h), YJS_ERR_MALFORMED);
    ck_assert_int_eq(yjs_awareness_apply(aw, NULL, 0, 0, NULL, NULL),
                     YJS_ERR_TRUNCATED);
}
END_TEST

START_TEST(test_no_memory)
{
    struct message m;
    size_t n;

    teardown();
    for (n = 1;; n++) {
        struct yjs_awareness_options opt = {.alloc = fail_alloc_hook(&fa)};
        struct heard h;
        int rc;

        fa.fail_in = 0;
        ck_assert_int_eq(yjs_awareness_new(&opt, &aw), YJS_OK);
        ck_assert_int_eq(apply_one(aw, 3, 1, "{}", 0, &h), YJS_OK);
        begin(&m, 6);
        put(&m, 3, 2, "null");
        for (uint64_t i = 1; i < 6; i++)
            put(&m, i * 7, 5, "{\"k\":0}");
        fa.fail_in = n;
        rc = apply(aw, &m, 0, &h);
        if (rc == YJS_OK)
            break;
        fa.fail_in = 0;
        ck_assert_int_eq(rc, YJS_ERR_NOMEM);
        ck_assert_uint_eq(h.n, 0);
        assert_encodes(aw, NULL, 0, "\1\3\1\2{}", 6);
        yjs_awareness_free(aw);
        ck_assert_uint_eq(fa.blocks, 0);
    }
    ck_assert_uint_gt(n, 5);
    fa.fail_in = 1;
    struct yjs_bytes out = {NULL, 99, {NULL, NULL}};
    ck_assert_int_eq(yjs_awareness_encode(aw, NULL, 0, &out), YJS_ERR_NOMEM);
    ck_assert_uint_eq(out.len, 99);
    fa.fail_in = 1;
    struct yjs_awareness_options opt = {.alloc = fail_alloc_hook(&fa)};
    yjs_awareness *other = NULL;
    ck_assert_int_eq(yjs_awareness_new(&opt, &other), YJS_ERR_NOMEM);
    ck_assert_ptr_null(other);
    fa.fail_in = 0;
}
END_TEST

/* Random updates against a naive twin that is one array in a row. */
START_TEST(test_against_twin)
{
    enum { CLIENTS = 12, ROUNDS = 20000 };
    struct {
        bool known, live;
        uint64_t clock;
    } twin[CLIENTS] = {{0}};
    uint32_t seed = 12345;
    size_t live_want = 0;

    for (int round = 0; round < ROUNDS; round++) {
        uint64_t client, clock;
        bool null, accept, live = false;
        struct heard h;

        seed = seed * 1664525 + 1013904223;
        client = (seed >> 8) % CLIENTS;
        clock = twin[client].clock + (seed >> 16) % 3;
        clock -= clock > 0 && (seed >> 20) % 4 == 0;
        null = (seed >> 24) % 3 == 0;
        accept = clock > twin[client].clock ||
                 (clock == twin[client].clock && null && twin[client].live);
        ck_assert_int_eq(
            apply_one(aw, client * 1000, clock, null ? " null\n" : "[0]", 0,
                      &h),
            YJS_OK);
        ck_assert_uint_eq(h.n, accept && !(null && !twin[client].known));
        if (accept) {
            live_want -= twin[client].live;
            live_want += !null;
            twin[client].known = true;
            twin[client].live = !null;
            twin[client].clock = clock;
        }
        ck_assert_uint_eq(yjs_awareness_count(aw), live_want);
        ck_assert_int_eq(yjs_awareness_clock(aw, client * 1000, &clock, &live),
                         twin[client].known);
        ck_assert_int_eq(live, twin[client].live);
    }
}
END_TEST

/* --------------------------------------------------------------------- JSON */

static const char *const json_good[] = {
    "null", " null\n", "true", "false", "0", "-0", "10", "1.5", "-1.5e+10",
    "1E-5", "0e0", "\"\"", "\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
    "\"\\ud800\"", "[]", "{}", "[1,[2,{\"a\":[]}],{}]", "{\"\":0,\"\":1}",
    "\t[ 1 , 2 ]\r\n", "{ \"a\" : 1 , \"b\" : null }", "\"\xc3\xa9\"",
    "\"\xf4\x8f\xbf\xbf\"", "\"\x7f\"", "\"\xe2\x80\xa8\"", "1e999",
};

static const char *const json_bad[] = {
    "", " ", "nul", "nulll", "null,", "True", "NaN", "Infinity", "-", "+1",
    "01", "-01", "1.", ".5", "1e", "1e+", "0x10", "1_0", "'a'", "\"", "\"a",
    "\"\\x\"", "\"\\u12g4\"", "\"\\u123\"", "\"\n\"", "\"\x01\"", "[", "]",
    "[1", "[1,", "[,1]", "[1,]", "[1 2]", "{", "}", "{\"a\"}", "{\"a\":}",
    "{\"a\":1,}", "{,}", "{1:2}", "{a:1}", "{\"a\":1 \"b\":2}", "[1}", "{]",
    "[}", "1 2", "{}{}", "//", "/**/1", "\xef\xbb\xbf"
                                        "1",
    "\xc2\xa0"
    "1",
    "\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"",
    "\"\xe2\x82\"", "\v1", "\f1", "undefined", "[undefined]", "\"\\", "\"\\u",
};

START_TEST(test_json_good)
{
    const char *text = json_good[_i];
    bool is_null;

    ck_assert_int_eq(yjs__json_check((const uint8_t *)text, strlen(text), 64,
                                     &is_null),
                     YJS_OK);
    ck_assert_int_eq(is_null, strstr(text, "null") != NULL && text[0] != '{');
}
END_TEST

START_TEST(test_json_bad)
{
    const char *text = json_bad[_i];
    size_t n = strlen(text);
    uint8_t *copy = malloc(n + 1);
    bool is_null;

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, text, n);
    ck_assert_int_eq(yjs__json_check(copy, n, 64, &is_null),
                     YJS_ERR_MALFORMED);
    /* a NUL does not end it */
    copy[n] = 0;
    ck_assert_int_eq(yjs__json_check(copy, n + 1, 64, &is_null),
                     YJS_ERR_MALFORMED);
    free(copy);
}
END_TEST

START_TEST(test_json_depth)
{
    char text[200];
    bool is_null;

    memset(text, '[', 65);
    memset(text + 65, ']', 65);
    ck_assert_int_eq(yjs__json_check((uint8_t *)text, 130, 64, &is_null),
                     YJS_ERR_LIMIT);
    ck_assert_int_eq(yjs__json_check((uint8_t *)text, 130, 999, &is_null),
                     YJS_ERR_LIMIT);
    ck_assert_int_eq(yjs__json_check((uint8_t *)text + 1, 128, 64, &is_null),
                     YJS_OK);
    ck_assert_int_eq(yjs__json_check((uint8_t *)"{\"a\":[]}", 8, 1, &is_null),
                     YJS_ERR_LIMIT);
    ck_assert_int_eq(yjs__json_check((uint8_t *)"[{},[],{}]", 10, 2, &is_null),
                     YJS_OK);
}
END_TEST

static Suite *awareness_suite(void)
{
    Suite *suite = suite_create("yjs_awareness");
    TCase *tc = tcase_create("awareness");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_clock_rule);
    tcase_add_test(tc, test_unknown_null_is_remembered);
    tcase_add_test(tc, test_records_of_one_update_in_order);
    tcase_add_test(tc, test_large_numbers);
    tcase_add_test(tc, test_npm_bytes);
    tcase_add_test(tc, test_encode_leaves_unknown_out);
    tcase_add_test(tc, test_remove);
    tcase_add_test(tc, test_own_state);
    tcase_add_test(tc, test_expire);
    tcase_add_test(tc, test_tombstone_cap);
    tcase_add_test(tc, test_client_limit);
    tcase_add_test(tc, test_record_limit);
    tcase_add_test(tc, test_byte_limits);
    tcase_add_test(tc, test_refused_changes_nothing);
    tcase_add_test(tc, test_every_prefix_is_refused);
    tcase_add_test(tc, test_no_memory);
    tcase_add_test(tc, test_against_twin);
    suite_add_tcase(suite, tc);
    tc = tcase_create("json");
    tcase_add_loop_test(tc, test_json_good, 0,
                        sizeof(json_good) / sizeof(json_good[0]));
    tcase_add_loop_test(tc, test_json_bad, 0,
                        sizeof(json_bad) / sizeof(json_bad[0]));
    tcase_add_test(tc, test_json_depth);
    suite_add_tcase(suite, tc);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(awareness_suite());
    int failed;

    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
