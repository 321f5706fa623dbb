/* SPDX-License-Identifier: MIT */
/* The strict scanner and the arrays of integers. What is accepted here is
 * relayed to whole rooms, so the lists below are what JSON.parse says. */
#include <stdio.h>
#include <string.h>

#include "channel/ints.h"
#include "channel/json.h"
#include "suite.h"

/* In a block of its own size, so that a sanitizer sees a read past the end. */
static bool accepts_bytes(const void *text, size_t len, unsigned depth,
                          bool *too_deep)
{
    uint8_t *copy = malloc(len ? len : 1);
    memcpy(copy, text, len);
    struct json_cursor c = json_cursor(copy, len, depth);
    bool ok = json_skip_value(&c) && c.at == c.end;
    if (too_deep)
        *too_deep = c.too_deep;
    free(copy);
    return ok;
}

static bool accepts(const char *text)
{
    return accepts_bytes(text, strlen(text), 64, NULL);
}

START_TEST(accepts_what_json_parse_accepts)
{
    static const char *const good[] = {
        "0",
        "-0",
        "12",
        "-1.5",
        "1e9",
        "1E+9",
        "0.1e-2",
        "10.0",
        "true",
        "false",
        "null",
        "\"\"",
        "\"a b\"",
        "[]",
        "{}",
        "[ ]",
        "{ \t\r\n}",
        "[1,2,3]",
        "[0]",
        "[0,0,10]",
        "[255,0,128,7,12,3,4,5,6]",
        "[1 , 2 ]",
        "[[],[[]],{}]",
        "{\"a\":1,\"b\":[{\"c\":null}]}",
        "{\"a\" : 1 , \"a\":2}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\\udc00x\"",
        "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"",
        "[12345678,123456789,1]",
        "[1.5,2,3,4,5,6,7,8]",
        "\"\x7f\"",
        "[1,2,3,4,5,6,7,8,9,10,11,12,-1,1e5,\"x\",{}]",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_assert_msg(accepts(good[i]), "%s", good[i]);
}
END_TEST

START_TEST(refuses_what_json_parse_refuses)
{
    static const char *const bad[] = {
        "",
        " ",
        "-",
        "01",
        "1.",
        ".5",
        "1.e5",
        "1e",
        "1e+",
        "+1",
        "0x10",
        "NaN",
        "Infinity",
        "-Infinity",
        "tru",
        "nul",
        "True",
        "'a'",
        "\"",
        "\"a",
        "\"\\",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\\u123",
        "\"\n\"",
        "\"\t\"",
        "[",
        "]",
        "[1",
        "[1,",
        "[,1]",
        "[1,]",
        "[1,,2]",
        "[01]",
        "[1,2,3,4,5,6,7,00]",
        "[1,2,3,4,05,6,7,8,9]",
        "[10,20,30,,40,50,60]",
        "[1 2]",
        "[1,2,3,4,5,6,7,8,9,1.]",
        "{",
        "}",
        "{1:2}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\":1 \"b\":2}",
        "{,}",
        "[}",
        "{]",
        "[1}",
        "{\"a\":1]",
        "\xef\xbb\xbf{}",
        "\"\xff\"",
        "\"\xc0\xaf\"",
        "\"\xe0\x80\xaf\"",
        "\"\xed\xa0\x80\"",
        "\"\xf4\x90\x80\x80\"",
        "\"\xf0\x80\x80\xaf\"",
        "\"\xc3\"",
        "\"\xe2\x82\"",
        "\"\x80\"",
        "1 ",
        "[]]",
        "nulll",
        "/**/1",
        "[1,2,3,4,5,6,7,8,,9]",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!accepts(bad[i]), "%s", bad[i]);
    ck_assert(!accepts_bytes("\"\0\"", 3, 64, NULL));
}
END_TEST

/* The fast loop over integers against the slow one: every array of up to five
 * characters between the brackets out of these, behind each alignment. */
START_TEST(integer_runs_are_judged_like_single_numbers)
{
    static const char letters[] = "019,.";
    enum { N = sizeof letters - 1, LEN = 6 };
    for (unsigned pad = 0; pad < 9; pad++) {
        for (unsigned code = 0; code < 15625; code++) {
            char fast[64] = "[", slow[64] = "[";
            size_t at = 1, at2 = 1;
            unsigned rest = code;
            for (unsigned i = 0; i < pad; i++) {
                fast[at++] = i % 2 ? ',' : '7';
                slow[at2++] = i % 2 ? ',' : '7';
                if (i % 2)
                    slow[at2++] = ' '; /* a space ends the fast loop */
            }
            for (unsigned i = 0; i < LEN; i++, rest /= N) {
                fast[at++] = letters[rest % N];
                slow[at2++] = letters[rest % N];
                if (letters[rest % N] == ',')
                    slow[at2++] = ' ';
            }
            fast[at++] = ']';
            slow[at2++] = ']';
            ck_assert_msg(accepts_bytes(fast, at, 64, NULL) ==
                              accepts_bytes(slow, at2, 64, NULL),
                          "%s", fast);
        }
    }
}
END_TEST

START_TEST(depth_has_a_limit_and_costs_no_stack)
{
    enum { N = 1000000 };
    char *deep = malloc(N);
    bool too_deep;
    ck_assert(accepts_bytes("[[[]]]", 6, 3, &too_deep));
    ck_assert(!accepts_bytes("[[[]]]", 6, 2, &too_deep));
    ck_assert(too_deep);
    ck_assert(!accepts_bytes("[[[", 3, 3, &too_deep));
    ck_assert(!too_deep);
    ck_assert(accepts_bytes("{\"a\":[{}]}", 10, 3, NULL));
    ck_assert(accepts_bytes("1", 1, 0, NULL)); /* no container at all */
    memset(deep, '[', N);
    ck_assert(!accepts_bytes(deep, N, 64, &too_deep));
    ck_assert(too_deep);
    ck_assert(!accepts_bytes(deep, N, 1 << 30, &too_deep));
    ck_assert(too_deep);
    memset(deep, '[', JSON_DEPTH_MAX);
    memset(deep + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    ck_assert(accepts_bytes(deep, 2 * JSON_DEPTH_MAX, JSON_DEPTH_MAX, NULL));
    free(deep);
}
END_TEST

static const char *text_of(const char *token, char *scratch, size_t cap,
                           size_t *len)
{
    const char *out = NULL;
    struct json_slice s = {(const uint8_t *)token, strlen(token)};
    return json_string(s, scratch, cap, &out, len) ? out : NULL;
}

START_TEST(strings_are_unescaped)
{
    char scratch[32];
    size_t len;
    const char *plain = "\"plain\"";
    ck_assert_ptr_eq(text_of(plain, scratch, 0, &len), plain + 1);
    ck_assert_uint_eq(len, 5);
    const char *t =
        text_of("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\"", scratch, 32, &len);
    ck_assert_uint_eq(len, 9);
    ck_assert_mem_eq(t, "\"\\/\b\f\n\r\tA", 9);
    t = text_of("\"\\u00e9\\u20ac\\ud83d\\ude00\"", scratch, 32, &len);
    ck_assert_uint_eq(len, 9);
    ck_assert_mem_eq(t, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9);
    t = text_of("\"a\\u0000b\"", scratch, 32, &len);
    ck_assert_mem_eq(t, "a\0b", 3);
    ck_assert_ptr_null(text_of("\"\\ud83d\"", scratch, 32, &len));
    ck_assert_ptr_null(text_of("\"\\ud83d\\u0041\"", scratch, 32, &len));
    ck_assert_ptr_null(text_of("\"\\ude00\\ud83d\"", scratch, 32, &len));
    ck_assert_ptr_null(text_of("\"\\n1234\"", scratch, 4, &len));
    ck_assert_ptr_nonnull(text_of("\"\\n123\"", scratch, 4, &len));
}
END_TEST

static const char *member_of(const char *object, const char *name)
{
    static char value[64];
    struct json_slice s = {(const uint8_t *)object, strlen(object)}, out;
    if (!json_member(s, name, &out))
        return NULL;
    memcpy(value, out.data, out.len);
    value[out.len] = '\0';
    return value;
}

START_TEST(the_last_of_equal_members_wins)
{
    ck_assert_str_eq(member_of("{\"data\":[1],\"x\":{\"data\":3}}", "data"),
                     "[1]");
    ck_assert_str_eq(member_of("{\"data\":1, \"d\\u0061ta\" : 2 }", "data"),
                     "2");
    ck_assert_ptr_null(member_of("{\"date\":1}", "data"));
    ck_assert_ptr_null(member_of("{}", "data"));
    ck_assert_ptr_null(member_of("[\"data\",1]", "data"));
    ck_assert_ptr_null(member_of("\"data\"", "data"));
}
END_TEST

START_TEST(utf8_is_checked_at_every_length)
{
    ck_assert(json_utf8_valid("", 0));
    ck_assert(json_utf8_valid("\xf4\x8f\xbf\xbf", 4));
    ck_assert(!json_utf8_valid("\xf4\x8f\xbf", 3));
    ck_assert(!json_utf8_valid("\xed\xbf\xbf", 3));
    ck_assert(!json_utf8_valid("a\xf5", 2));
    ck_assert(!json_utf8_valid("\xc1\x80", 2));
}
END_TEST

/* ------------------------------------------------------------------- ints */

static bool ints(const char *json, uint8_t *out, size_t *n)
{
    size_t len = strlen(json), room = INTS_ROOM(len);
    uint8_t *in = malloc(len ? len : 1), *to = malloc(room);
    memcpy(in, json, len);
    bool ok = ints_decode(in, len, to, n);
    if (ok)
        memcpy(out, to, *n);
    free(in);
    free(to);
    return ok;
}

START_TEST(every_byte_survives_the_round_trip)
{
    enum { N = 700 };
    uint8_t bytes[N], back[N];
    char json[4 * N + 3];
    uint32_t seed = 1;
    for (size_t len = 0; len <= N; len = len < 40 ? len + 1 : len + 61) {
        for (size_t i = 0; i < len; i++) {
            seed = seed * 1664525 + 1013904223;
            bytes[i] = len == 256 ? (uint8_t)i
                                  : (uint8_t)(seed >> 24 >> (seed >> 8 & 7));
        }
        size_t n, chars = ints_length(bytes, len);
        uint8_t *exact = malloc(chars ? chars : 1);
        ints_write(exact, bytes, len);
        json[0] = '[';
        memcpy(json + 1, exact, chars);
        memcpy(json + 1 + chars, "]", 2);
        free(exact);
        ck_assert(accepts(json));
        ck_assert(ints(json, back, &n));
        ck_assert_uint_eq(n, len);
        if (len)
            ck_assert_mem_eq(back, bytes, len);
    }
    for (int byte = 0; byte < 256; byte++) {
        size_t n;
        snprintf(json, sizeof json, "[%d,%d,%d,%d]", byte, byte, byte, byte);
        ck_assert(ints(json, back, &n) && n == 4);
        for (int i = 0; i < 4; i++)
            ck_assert_uint_eq(back[i], (unsigned)byte);
    }
}
END_TEST

START_TEST(only_bytes_are_bytes)
{
    static const char *const bad[] = {
        "",
        "[",
        "]",
        "[1",
        "[1,",
        "[,]",
        "[1,]",
        "[256]",
        "[1,256,1,1,1]",
        "[-1]",
        "[1.0]",
        "[1e1]",
        "[01]",
        "[00,1,1,1]",
        "[007,1,1,1]",
        "[1000]",
        "[1,1000,1,1]",
        "[\"1\"]",
        "[null]",
        "[[1]]",
        "1,2",
        "{}",
        "[1]]",
        "[1] ",
        "[1 1]",
        "[300,1,1,1,1]",
        "[1,2,3,4,999,1,1]",
        "[1;2]",
        "[,1]",
        "[1,,1,1]",
        "[ ",
        "[1, ",
    };
    uint8_t out[64];
    size_t n;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!ints(bad[i], out, &n), "%s", bad[i]);
    ck_assert(ints("[ ]", out, &n) && n == 0);
    ck_assert(ints("[ 1 ,\t2,\n3 , 255 ]", out, &n) && n == 4);
    ck_assert_uint_eq(out[3], 255);
}
END_TEST

/* What ints_decode is to do, one character at a time. */
static bool plain_ints(const char *p, uint8_t *out, size_t *n)
{
    *n = 0;
    if (*p++ != '[')
        return false;
    p += strspn(p, " ");
    if (*p == ']')
        return p[1] == '\0';
    for (;;) {
        size_t digits = strspn(p, "0123456789");
        unsigned long value = strtoul(p, NULL, 10);
        if (!digits || digits > 3 || value > 255 || (*p == '0' && digits > 1))
            return false;
        out[(*n)++] = (uint8_t)value;
        p += digits;
        p += strspn(p, " ");
        if (*p == ']')
            return p[1] == '\0';
        if (*p++ != ',')
            return false;
        p += strspn(p, " ");
    }
}

START_TEST(integers_are_judged_like_a_plain_reader_judges_them)
{
    static const char letters[] = "0123456789,,,,,,,  ;]";
    uint32_t seed = 7, agreed = 0;
    for (int round = 0; round < 400000; round++) {
        char json[32] = "[";
        size_t len = 1 + (size_t)round % 24, n, m;
        for (size_t i = 1; i < len; i++) {
            seed = seed * 1664525 + 1013904223;
            json[i] = letters[(seed >> 16) % (round % 2 ? 17 : 21)];
            /* mostly what could be an array of bytes */
            if (round % 2 && i % (2 + round % 3) == 0)
                json[i] = ',';
        }
        strcat(json, "]");
        uint8_t a[32], b[32];
        bool ok = plain_ints(json, a, &n);
        ck_assert_msg(ints(json, b, &m) == ok, "%s", json);
        if (!ok)
            continue;
        ck_assert_uint_eq(m, n);
        ck_assert_mem_eq(a, b, n);
        agreed++;
    }
    ck_assert_uint_gt(agreed, 1000);
}
END_TEST

SUITE_MAIN("json", accepts_what_json_parse_accepts,
           refuses_what_json_parse_refuses,
           integer_runs_are_judged_like_single_numbers,
           depth_has_a_limit_and_costs_no_stack, strings_are_unescaped,
           the_last_of_equal_members_wins, utf8_is_checked_at_every_length,
           every_byte_survives_the_round_trip, only_bytes_are_bytes,
           integers_are_judged_like_a_plain_reader_judges_them)
