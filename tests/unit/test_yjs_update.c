/* SPDX-License-Identifier: MIT */
/*
 * Updates without a document, and format v2: what vectors cannot show. Limits,
 * bombs, lying inputs, errors and where they are, allocations that fail.
 */
#include "fail_alloc.h"
#include "suite.h"
#include "yjs.h"

#include <string.h>

#define SPAN(a)                                                                \
    (struct yjs_span)                                                          \
    {                                                                          \
        (const uint8_t *)(a), sizeof(a) - 1                                    \
    }

/* "abc" of client 40 in root "text"; "d" behind it; "b" deleted; a gap. */
#define ABC "\1\1\x28\0\4\1\4text\3abc\0"
#define D "\1\1\x28\3\x84\x28\2\1d\0"
#define DELETES "\0\1\x28\1\1\1"
#define LATER "\1\1\x28\7\x84\x28\6\2hi\0"

static void assert_bytes(const struct yjs_bytes *got, struct yjs_span want)
{
    ck_assert_uint_eq(got->len, want.len);
    ck_assert_mem_eq(got->data, want.data, want.len);
}

/* ------------------------------------------------------------------ merging */

START_TEST(test_merge_cuts_and_bridges)
{
    struct yjs_span list[] = {SPAN(LATER), SPAN(D), SPAN(ABC), SPAN(DELETES),
                              SPAN(ABC)};
    struct yjs_bytes out = {0};

    ck_assert_int_eq(yjs_update_merge(list, 5, NULL, NULL, &out), YJS_OK);
    assert_bytes(&out, SPAN("\1\4\x28\0\4\1\4text\3abc\x84\x28\2\1d\x0a\3"
                            "\x84\x28\6\2hi\1\x28\1\1\1"));
    yjs_bytes_free(&out);
}
END_TEST

START_TEST(test_merge_names_the_wrong_one)
{
    struct yjs_span list[] = {SPAN(ABC), SPAN("\1\1\x28\3\x84\x28\2\5d"),
                              SPAN(D)};
    struct yjs_update_error err = {99, 99};
    struct yjs_bytes out = {0};

    ck_assert_int_eq(yjs_update_merge(list, 3, NULL, &err, &out),
                     YJS_ERR_TRUNCATED);
    ck_assert_uint_eq(err.index, 1);
    ck_assert_uint_eq(err.offset, 8);
    ck_assert_ptr_null(out.data);
    /* one alone comes back as it is, but only if it is sound */
    ck_assert_int_eq(yjs_update_merge(list + 1, 1, NULL, &err, &out),
                     YJS_ERR_TRUNCATED);
    ck_assert_uint_eq(err.index, 0);
}
END_TEST

/* Yjs takes minutes for this; here it is done before the test times out. */
START_TEST(test_merge_of_very_many)
{
    enum { N = 100000 };
    uint8_t *data = malloc(N * 32), *p = data;
    struct yjs_span *list = malloc(N * sizeof(*list));
    struct yjs_update_meta meta = {0};
    struct yjs_bytes out = {0};

    ck_assert(data != NULL && list != NULL);
    for (uint32_t i = 0; i < N; i++) {
        uint8_t *start = p;
        /* one GC of client 1 to 7 each, in an order far from sorted */
        uint32_t k = (uint32_t)((uint64_t)i * 7919 % N);
        uint32_t clock = k / 7;

        *p++ = 1;
        *p++ = 1;
        *p++ = (uint8_t)(1 + k % 7);
        for (; clock > 127; clock >>= 7)
            *p++ = (uint8_t)(clock | 0x80);
        *p++ = (uint8_t)clock;
        *p++ = 0;
        *p++ = 1;
        *p++ = 0;
        list[i] = (struct yjs_span){start, (size_t)(p - start)};
    }
    ck_assert_int_eq(yjs_update_merge(list, N, NULL, NULL, &out), YJS_OK);
    ck_assert_int_eq(yjs_update_meta_read((struct yjs_span){out.data, out.len},
                                          NULL, NULL, &meta),
                     YJS_OK);
    ck_assert_uint_eq(meta.n, 7);
    ck_assert_uint_eq(meta.ranges[0].to, N / 7 + 1);
    ck_assert_uint_lt(out.len, 100); /* all GCs of a client became one */
    yjs_update_meta_free(&meta);
    yjs_bytes_free(&out);
    free(list);
    free(data);
}
END_TEST

/* -------------------------------------------------------------------- bombs */

struct bounded {
    size_t used, most;
};

static void *bounded_realloc(void *ctx, void *ptr, size_t size)
{
    struct bounded *b = ctx;
    size_t *block = ptr != NULL ? (size_t *)ptr - 2 : NULL;
    size_t old = block != NULL ? *block : 0;

    b->used = b->used - old + size;
    if (b->used > b->most)
        b->most = b->used;
    if (size == 0) {
        free(block);
        return NULL;
    }
    block = realloc(block, size + 2 * sizeof(size_t));
    ck_assert_ptr_nonnull(block);
    *block = size;
    return block + 2;
}

/*
 * 2^40 structs of client 1, each of them from a few runs; `len` counts:
 * info, type ref and length columns, strings and keys of no length at all.
 */
static void try_bomb(struct yjs_span bomb, int want)
{
    struct bounded b = {0, 0};
    struct yjs_update_options opt = {.format = YJS_FORMAT_V2,
                                     .limits = {.structs = 1 << 20},
                                     .alloc = {bounded_realloc, &b}};
    struct yjs_span twice[] = {bomb, bomb};
    struct yjs_bytes out = {0};
    yjs_doc *doc = NULL;

    ck_assert_int_eq(yjs_update_convert(bomb, YJS_FORMAT_V1, &opt, NULL, &out),
                     want);
    ck_assert_int_eq(yjs_update_merge(twice, 2, &opt, NULL, &out), want);
    ck_assert_int_eq(yjs_update_state_vector(bomb, &opt, NULL, &out), want);
    ck_assert_uint_lt(b.most, 16384);
    ck_assert_uint_eq(b.used, 0);
    ck_assert_int_eq(yjs_doc_new(NULL, &doc), YJS_OK);
    ck_assert_int_eq(yjs_apply_update_v2(doc, bomb.data, bomb.len, NULL), want);
    ck_assert(yjs_doc_is_empty(doc));
    yjs_doc_free(doc);
}

/* columns: key, client, left, right, info, string, parent, type, len; rest */
START_TEST(test_bomb_of_collected)
{
    try_bomb(SPAN("\0" "\0" "\1\1" "\0" "\0" "\1\0" "\1\0" "\0" "\0"
                  "\7\x41\xff\xff\xff\xff\xff\x1f"
                  "\1\x80\x80\x80\x80\x80\x20\0" "\0"),
             YJS_ERR_LIMIT);
}
END_TEST

/* XML elements in the root "", each with a name of its own: "" as well */
START_TEST(test_bomb_of_empty_names)
{
    try_bomb(SPAN("\0"
                  "\7\3\xff\xff\xff\xff\xff\x1f" /* keys 1, 2, 3, ... */
                  "\1\1" "\0" "\0" "\1\7"
                  "\x08\0\x40\xff\xff\xff\xff\xff\x1f"
                  "\1\1"
                  "\7\x43\xff\xff\xff\xff\xff\x1f"
                  "\0"
                  "\1\x80\x80\x80\x80\x80\x20\0" "\0"),
             YJS_ERR_LIMIT);
}
END_TEST

/* One key of 30 bytes for millions of formats: it is bytes that are too many */
START_TEST(test_bomb_of_one_key)
{
    struct yjs_span bomb =
        SPAN("\0"
             "\7\1\xff\xff\xff\xff\xff\x1f" /* key 0 again and again */
             "\7\x41\xff\xff\xff\xff\xff\x1f"
             "\7\1\xff\xff\xff\xff\xff\x1f" "\0" "\1\x86"
             "\x20\x1e" "abcdefghijklmnopqrstuvwxyz1234" "\x1e"
             "\0" "\0" "\0"
             "\1\x80\x80\x80\x80\x80\x20\0"
             "~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~" "\0");
    struct yjs_update_options opt = {.format = YJS_FORMAT_V2,
                                     .limits = {.update_bytes = 512}};
    struct yjs_update_error err = {0, 0};
    struct yjs_bytes out = {0};

    ck_assert_int_eq(yjs_update_convert(bomb, YJS_FORMAT_V1, &opt, &err, &out),
                     YJS_ERR_LIMIT);
    ck_assert_ptr_null(out.data);
}
END_TEST

START_TEST(test_output_limits)
{
    struct yjs_span list[] = {SPAN(ABC), SPAN(D)};
    struct yjs_update_options opt = {.limits = {.update_bytes = 20}};
    struct yjs_bytes out = {0};

    ck_assert_int_eq(yjs_update_merge(list, 2, &opt, NULL, &out),
                     YJS_ERR_LIMIT);
    opt.limits.update_bytes = 0;
    opt.limits.structs = 1;
    ck_assert_int_eq(yjs_update_merge(list, 2, &opt, NULL, &out),
                     YJS_ERR_LIMIT);
    opt.limits.structs = 2;
    ck_assert_int_eq(yjs_update_merge(list, 2, &opt, NULL, &out), YJS_OK);
    yjs_bytes_free(&out);
    opt.format = (enum yjs_format)3;
    ck_assert_int_eq(yjs_update_merge(list, 2, &opt, NULL, &out),
                     YJS_ERR_RANGE);
}
END_TEST

/* -------------------------------------------------------------- lying input */

/* Every prefix of a v2 update, and every byte replaced, without a crash. */
START_TEST(test_v2_prefixes_and_bytes)
{
    struct yjs_span v1 = SPAN("\1\3\x28\0\4\1\4text\6\xf0\x9f\x98\x80zz"
                              "\xc6\x28\1\x28\2\4bold\4true"
                              "\x85\x28\2\7{\"a\":1}\1\x28\1\1\1");
    struct yjs_update_options opt = {.format = YJS_FORMAT_V1};
    struct yjs_bytes v2 = {0}, out = {0};

    ck_assert_int_eq(yjs_update_convert(v1, YJS_FORMAT_V2, &opt, NULL, &v2),
                     YJS_OK);
    opt.format = YJS_FORMAT_V2;
    for (size_t n = 0; n < v2.len; n++) {
        struct yjs_update_error err = {0, 0};
        int rc = yjs_update_convert((struct yjs_span){v2.data, n},
                                    YJS_FORMAT_V1, &opt, &err, &out);

        ck_assert_int_lt(rc, 0);
        ck_assert_uint_le(err.offset, n);
    }
    for (size_t n = 0; n < v2.len; n++) {
        for (int c = 0; c < 256; c++) {
            uint8_t old = v2.data[n];

            v2.data[n] = (uint8_t)c;
            if (yjs_update_convert((struct yjs_span){v2.data, v2.len},
                                   YJS_FORMAT_V1, &opt, NULL, &out) == YJS_OK)
                yjs_bytes_free(&out);
            v2.data[n] = old;
        }
    }
    yjs_bytes_free(&v2);
}
END_TEST

/* A string column that is cut inside a surrogate pair. */
START_TEST(test_halves_in_v2)
{
    struct yjs_update_options opt = {.format = YJS_FORMAT_V2};
    struct yjs_span v2 =
        SPAN("\0" "\0" "\3\1\x41\0" "\2\0\0" "\0" "\4\4\0\x84\0"
             "\x08\5r\xf0\x9f\x98\x80\x41\1" "\1\1" "\0" "\0" "\1\2\0" "\0");
    struct yjs_bytes out = {0};

    /* Not a whole one by accident: the two halves became two U+FFFD. */
    ck_assert_int_eq(yjs_update_convert(v2, YJS_FORMAT_V1, &opt, NULL, &out),
                     YJS_OK);
    assert_bytes(&out, SPAN("\1\2\1\0\4\1\1r\3\xef\xbf\xbd"
                            "\x84\1\0\3\xef\xbf\xbd\0"));
    yjs_bytes_free(&out);
}
END_TEST

/* ------------------------------------------------------------ out of memory */

static int run(int which, struct fail_alloc *fa, struct yjs_bytes *out)
{
    struct yjs_update_options opt = {.alloc = fail_alloc_hook(fa)};
    struct yjs_span list[] = {SPAN(LATER), SPAN(D), SPAN(ABC), SPAN(DELETES)};
    struct yjs_update_meta meta = {0};
    int rc;

    switch (which) {
    case 0:
        return yjs_update_merge(list, 4, &opt, NULL, out);
    case 1:
        return yjs_update_convert(list[2], YJS_FORMAT_V2, &opt, NULL, out);
    case 2:
        return yjs_update_diff(list[2], SPAN("\1\x28\1"), &opt, NULL, out);
    case 3:
        return yjs_update_state_vector(list[2], &opt, NULL, out);
    default:
        rc = yjs_update_meta_read(list[2], &opt, NULL, &meta);
        yjs_update_meta_free(&meta);
        return rc;
    }
}

START_TEST(test_out_of_memory)
{
    for (int which = 0; which < 5; which++) {
        for (size_t n = 1;; n++) {
            struct fail_alloc fa = {0, n};
            struct yjs_bytes out = {0};
            int rc = run(which, &fa, &out);

            if (rc == YJS_OK && fa.fail_in > 0) {
                yjs_bytes_free(&out);
                break;
            }
            /* giving memory back early may fail without harm */
            ck_assert(rc == YJS_ERR_NOMEM || rc == YJS_OK);
            yjs_bytes_free(&out);
            ck_assert_uint_eq(fa.blocks, 0);
            ck_assert_uint_lt(n, 1000);
        }
    }
}
END_TEST

/* --------------------------------------------------------------------- dump */

static int first_line(void *ctx, const char *text)
{
    strncpy(ctx, text, 127);
    return 7;
}

START_TEST(test_dump_stops_when_told)
{
    char line[128] = "";

    ck_assert_int_eq(yjs_update_dump(SPAN(ABC), NULL, 2, first_line, line,
                                     NULL),
                     7);
    ck_assert_str_eq(line, "40@0 len 3 string \"ab\"... in root \"te\"...");
}
END_TEST

SUITE_MAIN("yjs_update", test_merge_cuts_and_bridges,
           test_merge_names_the_wrong_one, test_merge_of_very_many,
           test_bomb_of_collected, test_bomb_of_empty_names,
           test_bomb_of_one_key, test_output_limits,
           test_v2_prefixes_and_bytes, test_halves_in_v2, test_out_of_memory,
           test_dump_stops_when_told)
