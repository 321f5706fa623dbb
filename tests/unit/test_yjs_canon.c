/* SPDX-License-Identifier: MIT */
/* Values in the form in which Yjs would write them back. */
#include "suite.h"

#include "fail_alloc.h"
#include "yjs/canon.h"
#include "yjs/number.h"

#include <stdio.h>

static const char *json(const char *text, int *rc)
{
    static char out[1 << 16];
    struct yjs__mem mem;
    struct yjs__canon c;
    struct yjs__slice s = {(const uint8_t *)text, strlen(text)};

    yjs__mem_init(&mem, NULL, 0);
    yjs__canon_init(&c, &mem, 64);
    *rc = yjs__canon_json(&c, s);
    ck_assert_uint_lt(c.out.len, sizeof out);
    if (c.out.len > 0)
        memcpy(out, c.out.data, c.out.len);
    out[c.out.len] = '\0';
    if (yjs__canon_json_plain(s))
        ck_assert_str_eq(out, text);
    yjs__canon_trim(&c);
    ck_assert_uint_eq(mem.used, 0);
    return out;
}

/* What JSON.stringify(JSON.parse(x)) gives in node. */
static const struct {
    const char *from, *to;
} json_cases[] = {
    {"null", "null"},
    {" [ 1 , 2 ] ", "[1,2]"},
    {"{\"b\":1,\"a\":2,\"b\":3}", "{\"b\":3,\"a\":2}"},
    {"{\"2\":0,\"1\":0,\"a\":0,\"0\":0}", "{\"0\":0,\"1\":0,\"2\":0,\"a\":0}"},
    {"{\"01\":1,\"1\":2,\"-1\":3}", "{\"1\":2,\"01\":1,\"-1\":3}"},
    {"{\"4294967295\":1,\"4294967294\":2}",
     "{\"4294967294\":2,\"4294967295\":1}"},
    {"{\"__proto__\":1}", "{\"__proto__\":1}"},
    {"{}", "{}"},
    {"[[],{},[{}]]", "[[],{},[{}]]"},
    {"{\"a\":{\"c\":1,\"b\":{\"1\":1,\"0\":2}},\"a\":[]}", "{\"a\":[]}"},
    {"-0", "0"},
    {"1e3", "1000"},
    {"1.50", "1.5"},
    {"1E400", "null"},
    {"-1e400", "null"},
    {"1e-400", "0"},
    {"0.1e1", "1"},
    {"1e21", "1e+21"},
    {"100000000000000000000", "100000000000000000000"},
    {"123456789012345678901234567890", "1.2345678901234568e+29"},
    {"1e-7", "1e-7"},
    {"0.000001", "0.000001"},
    {"123e-20", "1.23e-18"},
    {"4.35", "4.35"},
    {"5e-324", "5e-324"},
    {"4.9406564584124654e-324", "5e-324"},
    {"2.2250738585072014e-308", "2.2250738585072014e-308"},
    {"1.7976931348623157e308", "1.7976931348623157e+308"},
    {"9007199254740993", "9007199254740992"},
    {"0.30000000000000004", "0.30000000000000004"},
    {"5.684341886080802e-14", "5.684341886080802e-14"},
    {"9.5367431640625e-7", "9.5367431640625e-7"},
    {"\"\\u0041\\/\\b\\f\\n\\r\\t\\\"\\\\\"", "\"A/\\b\\f\\n\\r\\t\\\"\\\\\""},
    {"\"\\u001F\\u007f\"", "\"\\u001f\x7f\""},
    {"\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\""},
    {"\"\\uD83D\"", "\"\\ud83d\""},
    {"\"\\ude00\\ud83d\"", "\"\\ude00\\ud83d\""},
    {"\"\\ud83d\\ud83d\\ude00\"", "\"\\ud83d\xf0\x9f\x98\x80\""},
    {"\"\\ud83dx\\ude00\"", "\"\\ud83dx\\ude00\""},
    {"\"\xe2\x80\xa8\"", "\"\xe2\x80\xa8\""},
    {"true", "true"},
    {"\t\n\rfalse ", "false"},
};

START_TEST(json_is_rewritten)
{
    for (size_t i = 0; i < sizeof json_cases / sizeof *json_cases; i++) {
        int rc;
        const char *got = json(json_cases[i].from, &rc);

        ck_assert_msg(rc == YJS_OK, "%s", json_cases[i].from);
        ck_assert_str_eq(got, json_cases[i].to);
    }
}
END_TEST

START_TEST(json_is_strict)
{
    static const char *bad[] = {
        "",        " ",        "nul",      "nulll",   "tru",      "01",
        "+1",      "1.",       ".5",       "1e",      "1e+",      "-",
        "--1",     "0x1",      "NaN",      "'a'",     "\"a",      "\"\\x\"",
        "\"\\u12\"", "\"\\u12g4\"", "\"\n\"", "[1,]", "[,1]",     "[1 2]",
        "[",       "]",        "{",        "{]",      "[}",       "{\"a\"}",
        "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:1}",   "1 1",      "[]]",
        "{\"a\":1 \"b\":2}", "\"\\", "\"\\u", "[\"", "//", "undefined",
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int rc;

        (void)json(bad[i], &rc);
        ck_assert_msg(rc == YJS_ERR_MALFORMED, "%s", bad[i]);
    }
}
END_TEST

START_TEST(nesting_is_bounded)
{
    char text[4096];

    for (size_t depth = 60; depth < 70; depth++) {
        int rc;

        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        text[2 * depth] = '\0';
        (void)json(text, &rc);
        ck_assert_int_eq(rc, depth <= 64 ? YJS_OK : YJS_ERR_LIMIT);
    }
}
END_TEST

/* ---------------------------------------------------------------------- any */

static size_t from_hex(const char *hex, uint8_t *out)
{
    size_t n = 0;

    for (; *hex != '\0'; hex++) {
        unsigned int v;

        if (*hex == ' ')
            continue;
        ck_assert_int_eq(sscanf(hex++, "%2x", &v), 1);
        out[n++] = (uint8_t)v;
    }
    return n;
}

static const struct {
    const char *from, *to; /* to NULL: the same */
} any_cases[] = {
    {"7f", NULL},
    {"7e", NULL},
    {"79", NULL},
    {"78", NULL},
    {"7d 05", NULL},
    {"7d 40", NULL},               /* -0 */
    {"7d bfffffff0f", NULL},       /* 2^31 - 1 */
    {"7d 80808080 10", "7c 4f000000"}, /* 2^31: a float holds it */
    {"7d 8500", "7d 05"},          /* padded */
    {"7d bfffffffffffff1f", "7b 433fffffffffffff"}, /* 2^53 - 1 */
    {"7c 40400000", "7d 03"},      /* 3.0 as float32 */
    {"7c 3f000000", NULL},         /* 0.5 */
    {"7c 7fc00000", "7b 7ff8000000000000"}, /* NaN */
    {"7c 7f800000", NULL},         /* Infinity */
    {"7b 3fe0000000000000", "7c 3f000000"},
    {"7b 3fb999999999999a", NULL}, /* 0.1 */
    {"7b 8000000000000000", "7d 40"},
    {"7b 7ff0000000000000", "7c 7f800000"},
    {"7b 7fefffffffffffff", NULL}, /* larger than any float */
    {"7a 0000000000000000", NULL},
    {"77 00", NULL},
    {"77 03 616263", NULL},
    {"77 8300 616263", "77 03 616263"},
    {"74 02 ff00", NULL},
    {"75 00", NULL},
    {"75 02 7e 75 01 7d 01", NULL},
    {"76 00", NULL},
    {"76 02 01 62 7e 01 61 7e", NULL},
    {"76 03 01 62 7e 01 61 7e 01 62 78", "76 02 01 62 78 01 61 7e"},
    {"76 02 01 32 7e 01 31 78", "76 02 01 31 78 01 32 7e"},
    {"76 01 09 5f5f70726f746f5f5f 7e", "76 00"},
    {"76 02 00 76 02 01 32 7e 01 31 7e 01 61 7f",
     "76 02 00 76 02 01 31 7e 01 32 7e 01 61 7f"},
};

START_TEST(any_is_rewritten)
{
    struct yjs__mem mem;
    struct yjs__canon c;

    yjs__mem_init(&mem, NULL, 0);
    yjs__canon_init(&c, &mem, 64);
    for (size_t i = 0; i < sizeof any_cases / sizeof *any_cases; i++) {
        const char *to = any_cases[i].to ? any_cases[i].to : any_cases[i].from;
        uint8_t from[128], want[128];
        size_t n = from_hex(any_cases[i].from, from);
        size_t want_len = from_hex(to, want);
        struct yjs__reader r;

        yjs__reader_init(&r, from, n);
        c.out.len = 0;
        yjs__canon_any(&c, &r);
        ck_assert_msg(r.err == YJS_OK, "%s", any_cases[i].from);
        ck_assert_uint_eq(yjs__read_left(&r), 0);
        ck_assert_msg(c.out.len == want_len &&
                          memcmp(c.out.data, want, want_len) == 0,
                      "%s", any_cases[i].from);
        /* what the quick look takes for canonical is */
        yjs__reader_init(&r, from, n);
        if (yjs__canon_any_plain(&r))
            ck_assert_ptr_null(any_cases[i].to);
        yjs__reader_init(&r, want, want_len);
        ck_assert_int_eq(yjs__canon_any_skip(&c, &r), YJS_OK);
        ck_assert_uint_eq(yjs__read_left(&r), 0);
    }
    yjs__canon_trim(&c);
    ck_assert_uint_eq(mem.used, 0);
}
END_TEST

START_TEST(any_refuses)
{
    static const struct {
        const char *hex;
        int err;
    } bad[] = {
        {"", YJS_ERR_TRUNCATED},
        {"73", YJS_ERR_MALFORMED},
        {"80", YJS_ERR_MALFORMED},
        {"00", YJS_ERR_MALFORMED},
        {"7d", YJS_ERR_TRUNCATED},
        {"7d 80", YJS_ERR_TRUNCATED},
        {"7c 000000", YJS_ERR_TRUNCATED},
        {"77 05 61", YJS_ERR_TRUNCATED},
        {"77 01 ff", YJS_ERR_MALFORMED},
        {"75 ffffffff07", YJS_ERR_TRUNCATED},
        {"76 ffffffff07 00 7e", YJS_ERR_TRUNCATED},
        {"75 02 7e", YJS_ERR_TRUNCATED},
        {"76 01 01 61", YJS_ERR_TRUNCATED},
    };
    struct yjs__mem mem;
    struct yjs__canon c;

    yjs__mem_init(&mem, NULL, 0);
    yjs__canon_init(&c, &mem, 64);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint8_t from[64];
        struct yjs__reader r;

        yjs__reader_init(&r, from, from_hex(bad[i].hex, from));
        yjs__canon_any(&c, &r);
        ck_assert_msg(r.err == bad[i].err, "%s: %d", bad[i].hex, r.err);
    }
    yjs__canon_trim(&c);
}
END_TEST

/* Deep and wide: a stack of its own, and n log n for n equal names. */
START_TEST(any_is_bounded)
{
    size_t n = 200000, at = 0;
    uint8_t *data = malloc(4 * n + 8);
    struct yjs__mem mem;
    struct yjs__canon c;
    struct yjs__reader r;

    yjs__mem_init(&mem, NULL, 0);
    yjs__canon_init(&c, &mem, 64);
    memset(data, 117, 2 * n);
    for (size_t i = 1; i < 2 * n; i += 2)
        data[i] = 1;
    yjs__reader_init(&r, data, 2 * n);
    yjs__canon_any(&c, &r);
    ck_assert_int_eq(r.err, YJS_ERR_LIMIT);
    data[at++] = 118;
    at = (size_t)(yjs__put_varuint(data + at, n) - data);
    for (size_t i = 0; i < n; i++) {
        data[at++] = 1;
        data[at++] = (uint8_t)('a' + i % 26);
        data[at++] = 126;
    }
    yjs__reader_init(&r, data, at);
    c.out.len = 0;
    yjs__canon_any(&c, &r);
    ck_assert_int_eq(r.err, YJS_OK);
    ck_assert_uint_eq(c.out.len, 2 + 26 * 3);
    yjs__canon_trim(&c);
    ck_assert_uint_eq(mem.used, 0);
    free(data);
}
END_TEST

START_TEST(memory_may_end_anywhere)
{
    static const char text[] =
        "{\"b\":[1,{\"2\":[],\"1\":{}}],\"a\":1,\"b\":2}";
    struct yjs__slice s = {(const uint8_t *)text, sizeof text - 1};
    int rc = YJS_ERR_NOMEM;

    for (size_t n = 1; rc == YJS_ERR_NOMEM; n++) {
        struct fail_alloc fa = {0, n};
        struct yjs_allocator hook = fail_alloc_hook(&fa);
        struct yjs__mem mem;
        struct yjs__canon c;

        yjs__mem_init(&mem, &hook, 0);
        yjs__canon_init(&c, &mem, 64);
        rc = yjs__canon_json(&c, s);
        yjs__canon_trim(&c);
        ck_assert_uint_eq(fa.blocks, 0);
        ck_assert_uint_eq(mem.used, 0);
        ck_assert_uint_lt(n, 100);
    }
    ck_assert_int_eq(rc, YJS_OK);
}
END_TEST

START_TEST(numbers_come_back)
{
    uint64_t seed = 1;
    char text[YJS__NUMBER_SIZE];

    for (int i = 0; i < 20000; i++) {
        double v, back;
        size_t n;

        seed = seed * 6364136223846793005u + 1442695040888963407u;
        memcpy(&v, &seed, sizeof v);
        if (v - v != 0)
            continue;
        n = yjs__number_format(v, text);
        ck_assert_uint_le(n, sizeof text);
        back = yjs__number_parse((const uint8_t *)text, n);
        ck_assert(back == v);
    }
}
END_TEST

SUITE_MAIN("yjs/canon", json_is_rewritten, json_is_strict, nesting_is_bounded,
           any_is_rewritten, any_refuses, any_is_bounded,
           memory_may_end_anywhere, numbers_come_back)
