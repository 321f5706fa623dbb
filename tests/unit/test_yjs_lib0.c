/* SPDX-License-Identifier: MIT */
/* The cursor, the writer, UTF-8 in UTF-16 units, and the memory account. */
#include "suite.h"

#include "fail_alloc.h"
#include "yjs/lib0.h"
#include "yjs/utf.h"

#include <stdio.h>

static struct yjs__reader reader(const void *data, size_t len)
{
    struct yjs__reader r;

    yjs__reader_init(&r, data, len);
    return r;
}

static const uint64_t numbers[] = {
    0,          1,           63,         64,
    127,        128,         16383,      16384,
    2097151,    2097152,     268435455,  268435456,
    4294967295, 34359738367, 4294967296, YJS__MAX_INT,
};

START_TEST(numbers_survive)
{
    struct yjs__mem mem;
    struct yjs__writer w;
    struct yjs__reader r;
    bool negative;

    yjs__mem_init(&mem, NULL, 0);
    yjs__writer_init(&w, &mem, 0);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        yjs__write_varuint(&w, numbers[i]);
        yjs__write_varint(&w, numbers[i], false);
        yjs__write_varint(&w, numbers[i], true);
    }
    ck_assert_int_eq(w.err, YJS_OK);
    r = reader(w.data, w.len);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        ck_assert_uint_eq(yjs__read_varuint(&r), numbers[i]);
        ck_assert_uint_eq(yjs__read_varint(&r, &negative), numbers[i]);
        ck_assert(!negative);
        ck_assert_uint_eq(yjs__read_varint(&r, &negative), numbers[i]);
        ck_assert(negative);
    }
    ck_assert_int_eq(r.err, YJS_OK);
    ck_assert_uint_eq(yjs__read_left(&r), 0);
    /* every prefix is truncated somewhere, and never read beyond */
    for (size_t cut = 0; cut < w.len; cut++) {
        uint8_t *copy = malloc(cut + 1);

        memcpy(copy, w.data, cut);
        r = reader(copy, cut);
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
            (void)yjs__read_varuint(&r);
            (void)yjs__read_varint(&r, &negative);
            (void)yjs__read_varint(&r, &negative);
        }
        ck_assert_int_eq(r.err, YJS_ERR_TRUNCATED);
        free(copy);
    }
    yjs__writer_deinit(&w);
    ck_assert_uint_eq(mem.used, 0);
}
END_TEST

START_TEST(odd_numbers)
{
    static const struct {
        const char *bytes;
        size_t len;
        int err;
        uint64_t value;
    } cases[] = {
        {"\x80\x80\x80\x00", 4, YJS_OK, 0},
        {"\x85\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 12, YJS_OK, 5},
        {"\xff\xff\xff\xff\xff\xff\xff\x0f", 8, YJS_OK, YJS__MAX_INT},
        {"\x80\x80\x80\x80\x80\x80\x80\x10", 8, YJS_ERR_MALFORMED, 0},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, YJS_ERR_MALFORMED, 0},
        {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 10, YJS_ERR_MALFORMED, 0},
        {"\x80", 1, YJS_ERR_TRUNCATED, 0},
        {"\xff\xff\xff\xff\xff\xff", 6, YJS_ERR_TRUNCATED, 0},
        {"", 0, YJS_ERR_TRUNCATED, 0},
    };
    uint8_t padded[200];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct yjs__reader r = reader(cases[i].bytes, cases[i].len);

        ck_assert_uint_eq(yjs__read_varuint(&r), cases[i].value);
        ck_assert_int_eq(r.err, cases[i].err);
    }
    /* lib0 takes padding until its multiplier overflows */
    memset(padded, 0x80, sizeof padded);
    for (size_t n = 140; n < 150; n++) {
        struct yjs__reader r = reader(padded, n + 1);

        padded[n] = 0;
        (void)yjs__read_varuint(&r);
        ck_assert_int_eq(r.err, n < 147 ? YJS_OK : YJS_ERR_MALFORMED);
        padded[n] = 0x80;
    }
}
END_TEST

START_TEST(errors_stick)
{
    struct yjs__reader r = reader("\x05" "ab", 3);
    struct yjs__slice s = yjs__read_var_string(&r);

    ck_assert_uint_eq(s.len, 0);
    ck_assert_int_eq(r.err, YJS_ERR_TRUNCATED);
    ck_assert_uint_eq(yjs__read_offset(&r), 1);
    ck_assert_uint_eq(yjs__read_u8(&r), 0);
    ck_assert_uint_eq(yjs__read_bytes(&r, 0).len, 0);
    ck_assert_uint_eq(yjs__read_offset(&r), 1);
    yjs__read_fail(&r, YJS_ERR_LIMIT);
    ck_assert_int_eq(r.err, YJS_ERR_TRUNCATED);
}
END_TEST

START_TEST(strings_are_strict)
{
    static const struct {
        const char *bytes;
        bool ok;
        size_t units;
    } cases[] = {
        {"", true, 0},
        {"plain ascii, longer than a word", true, 31},
        {"\xc3\xbc\xe2\x82\xac", true, 2},
        {"\xf0\x9f\x98\x80", true, 2},
        {"a\xf4\x8f\xbf\xbfz", true, 4},
        {"\xef\xbb\xbf", true, 1},
        {"\x80", false, 0},
        {"\xc0\x80", false, 0},
        {"\xc1\xbf", false, 0},
        {"\xe0\x9f\xbf", false, 0},
        {"\xed\xa0\x80", false, 0},
        {"\xed\xbf\xbf", false, 0},
        {"\xf0\x8f\xbf\xbf", false, 0},
        {"\xf4\x90\x80\x80", false, 0},
        {"\xf5\x80\x80\x80", false, 0},
        {"abcdefgh\xff", false, 0},
        {"\xe2\x82", false, 0},
        {"\xf0\x9f\x98", false, 0},
        {"\xc3(", false, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t units = 0;
        bool ok = yjs__utf8_check((const uint8_t *)cases[i].bytes,
                                  strlen(cases[i].bytes), &units);

        ck_assert_msg(ok == cases[i].ok, "case %zu", i);
        if (ok)
            ck_assert_uint_eq(units, cases[i].units);
    }
}
END_TEST

/* The naive twin: walk over all characters from the front. */
static struct yjs__utf8_cut find_slowly(const char *s, size_t unit)
{
    struct yjs__utf8_cut cut = {0, false};
    size_t at = 0;

    for (;;) {
        size_t n = 1;

        if (at == unit)
            return cut;
        while (((uint8_t)s[cut.byte + n] & 0xc0) == 0x80)
            n++;
        at += n == 4 ? 2 : 1;
        if (at > unit) {
            cut.inside = true;
            return cut;
        }
        cut.byte += n;
    }
}

START_TEST(cuts_are_found_from_both_ends)
{
    static const char *texts[] = {"hello", "\xc3\xbc\xc3\xbc\xc3\xbc",
                                  "a\xf0\x9f\x98\x80" "b\xf0\x9f\x98\x80",
                                  "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xe2\x82\xac"
                                  "x\xf0\x9f\x98\x80"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const uint8_t *s = (const uint8_t *)texts[i];
        size_t len = strlen(texts[i]), units;

        ck_assert(yjs__utf8_check(s, len, &units));
        for (size_t unit = 0; unit <= units; unit++) {
            struct yjs__utf8_cut want = find_slowly(texts[i], unit);
            struct yjs__utf8_cut got = yjs__utf8_find(s, len, units, unit);

            ck_assert_uint_eq(got.byte, want.byte);
            ck_assert(got.inside == want.inside);
        }
    }
}
END_TEST

START_TEST(writer_is_bounded)
{
    struct yjs_bytes out = {0};
    struct yjs__mem mem;
    struct yjs__writer w;

    yjs__mem_init(&mem, NULL, 0);
    yjs__writer_init(&w, &mem, 1000);
    for (int i = 0; i < 100000 && w.err == YJS_OK; i++)
        yjs__write_bytes(&w, "0123456789abcdef0", 17);
    ck_assert_int_eq(w.err, YJS_ERR_LIMIT);
    ck_assert_uint_le(w.len, 1000);
    yjs__write_u8(&w, 1);
    ck_assert_int_eq(yjs__writer_take(&w, &out), YJS_ERR_LIMIT);
    ck_assert_ptr_null(out.data);
    ck_assert_uint_eq(mem.used, 0);
}
END_TEST

START_TEST(taking_leaves_the_account)
{
    struct yjs_bytes out = {0};
    struct yjs__mem mem;
    struct yjs__writer w;

    yjs__mem_init(&mem, NULL, 0);
    yjs__writer_init(&w, &mem, 0);
    yjs__write_var_bytes(&w, "abc", 3);
    yjs__write_f32(&w, 1.5f);
    yjs__write_f64(&w, -2.25);
    yjs__write_u64(&w, 0x0102030405060708u);
    ck_assert_int_eq(yjs__writer_take(&w, &out), YJS_OK);
    ck_assert_uint_eq(mem.used, 0);
    struct yjs__reader r = reader(out.data, out.len);
    ck_assert_uint_eq(yjs__read_var_string(&r).len, 3);
    ck_assert(yjs__read_f32(&r) == 1.5f);
    ck_assert(yjs__read_f64(&r) == -2.25);
    ck_assert_uint_eq(yjs__read_u64(&r), 0x0102030405060708u);
    ck_assert_uint_eq(yjs__read_left(&r), 0);
    yjs_bytes_free(&out);
    ck_assert_ptr_null(out.data);
    yjs_bytes_free(&out);
    /* nothing written is an empty block, not a missing one */
    yjs__writer_init(&w, &mem, 0);
    ck_assert_int_eq(yjs__writer_take(&w, &out), YJS_OK);
    ck_assert_ptr_nonnull(out.data);
    ck_assert_uint_eq(out.len, 0);
    yjs_bytes_free(&out);
}
END_TEST

START_TEST(account_knows_its_limit)
{
    struct yjs__mem mem;
    void *a, *b;

    yjs__mem_init(&mem, NULL, 100);
    a = yjs__mem_alloc(&mem, 60);
    ck_assert_ptr_nonnull(a);
    ck_assert_ptr_null(yjs__mem_alloc(&mem, 41));
    ck_assert_int_eq(mem.err, YJS_ERR_LIMIT);
    b = yjs__mem_alloc(&mem, 40);
    ck_assert_ptr_nonnull(b);
    ck_assert_ptr_null(yjs__mem_resize(&mem, a, 60, 61));
    a = yjs__mem_resize(&mem, a, 60, 10);
    ck_assert_uint_eq(mem.used, 50);
    yjs__mem_free(&mem, a, 10);
    yjs__mem_free(&mem, b, 40);
    yjs__mem_free(&mem, NULL, 0);
    ck_assert_uint_eq(mem.used, 0);
}
END_TEST

START_TEST(failures_keep_what_there_is)
{
    struct fail_alloc fa = {0, 0};
    struct yjs_allocator hook = fail_alloc_hook(&fa);
    struct yjs__vec vec = {NULL, 0, 0};
    struct yjs__arena arena;
    struct yjs__mem mem;
    uint32_t *slot;

    yjs__mem_init(&mem, &hook, 0);
    for (uint32_t i = 0; i < 4; i++)
        *(uint32_t *)yjs__vec_add(&mem, &vec, sizeof *slot) = i;
    fa.fail_in = 1;
    ck_assert_ptr_null(yjs__vec_add(&mem, &vec, sizeof *slot));
    ck_assert_int_eq(mem.err, YJS_ERR_NOMEM);
    ck_assert_uint_eq(vec.len, 4);
    ck_assert_uint_eq(((uint32_t *)vec.data)[3], 3);
    yjs__vec_trim(&mem, &vec, sizeof *slot, 0);
    arena = (struct yjs__arena){.mem = &mem};
    for (size_t n = 1; n < 20000; n = n * 3 + 1)
        memset(yjs__arena_alloc(&arena, n), 1, n);
    ck_assert_ptr_null(yjs__arena_alloc(&arena, SIZE_MAX));
    yjs__arena_free(&arena);
    ck_assert_uint_eq(mem.used, 0);
    ck_assert_uint_eq(fa.blocks, 0);
}
END_TEST

SUITE_MAIN("yjs/lib0", numbers_survive, odd_numbers, errors_stick,
           strings_are_strict, cuts_are_found_from_both_ends,
           writer_is_bounded, taking_leaves_the_account,
           account_knows_its_limit, failures_keep_what_there_is)
