/* SPDX-License-Identifier: MIT */
/*
 * Updates without what they delete: the cases that random histories seldom
 * have. tests/diff/compact.mjs compares the rest with npm yjs.
 */
#include <stdio.h>
#include <string.h>

#include "fail_alloc.h"
#include "suite.h"

struct said {
    char text[1000];
    size_t len;
};

static int note_line(void *ctx, const char *text)
{
    struct said *said = ctx;

    said->len += (size_t)snprintf(said->text + said->len,
                                  sizeof said->text - said->len, "%s\n", text);
    return 0;
}

#define COMPACT(bytes, want)                                                   \
    expect((struct yjs_span){(const uint8_t *)(bytes), sizeof(bytes) - 1}, want)

static void expect(struct yjs_span update, const char *want)
{
    struct said said = {"", 0};
    struct fail_alloc fa = {0, 0};
    struct yjs_update_options opt = {.alloc = fail_alloc_hook(&fa)};
    struct yjs_bytes out, again;
    int rc = YJS_ERR_NOMEM;

    for (size_t n = 1; rc == YJS_ERR_NOMEM; n++) {
        fa.fail_in = n;
        rc = yjs_update_compact(update, &opt, NULL, &out);
        ck_assert(rc == YJS_OK || fa.blocks == 0);
    }
    fa.fail_in = 0;
    ck_assert_int_eq(rc, YJS_OK);
    ck_assert_int_eq(yjs_update_dump((struct yjs_span){out.data, out.len},
                                     NULL, 0, note_line, &said, NULL),
                     YJS_OK);
    ck_assert_str_eq(said.text, want);
    ck_assert_int_eq(yjs_update_compact((struct yjs_span){out.data, out.len},
                                        NULL, NULL, &again),
                     YJS_OK);
    ck_assert_uint_eq(again.len, out.len);
    ck_assert_int_eq(memcmp(again.data, out.data, out.len), 0);
    yjs_bytes_free(&again);
    yjs_bytes_free(&out);
    ck_assert_uint_eq(fa.blocks, 0);
}

START_TEST(pairs_are_cut)
{
    /* two emoji, of which the middle is deleted */
    COMPACT("\1\1\1\0\4\1\1t\10\xf0\x9f\x98\x80\xf0\x9f\x98\x81\1\1\1\1\2",
            "1@0 len 1 string \"\xef\xbf\xbd\" in root \"t\"\n"
            "1@1 len 2 deleted after 1@0\n"
            "1@3 len 1 string \"\xef\xbf\xbd\" after 1@2\n"
            "delete 1@1 len 2\n");
    /* every other half */
    COMPACT("\1\1\1\0\4\1\1t\10\xf0\x9f\x98\x80\xf0\x9f\x98\x81\1\1\2\0\1\2\1",
            "1@0 len 1 deleted in root \"t\"\n"
            "1@1 len 1 string \"\xef\xbf\xbd\" after 1@0\n"
            "1@2 len 1 deleted after 1@1\n"
            "1@3 len 1 string \"\xef\xbf\xbd\" after 1@2\n"
            "delete 1@0 len 1\ndelete 1@2 len 1\n");
}
END_TEST

START_TEST(elements_are_cut)
{
    COMPACT("\1\1\1\0\10\1\1a\3\176\170\171\1\1\1\1\1",
            "1@0 len 1 any [null] in root \"a\"\n"
            "1@1 len 1 deleted after 1@0\n"
            "1@2 len 1 any [false] after 1@1\n"
            "delete 1@1 len 1\n");
}
END_TEST

START_TEST(deleted_neighbours_become_one)
{
    /* "a", then "b" typed behind it: one; "c" before something: another */
    COMPACT("\1\3\1\0\4\1\1t\1a\204\1\0\1b\304\1\1\2\5\1c\1\1\1\0\3",
            "1@0 len 2 deleted in root \"t\"\n"
            "1@2 len 1 deleted after 1@1 before 2@5\n"
            "delete 1@0 len 3\n");
}
END_TEST

START_TEST(what_is_not_deleted_stays)
{
    /* in a deleted type, by somebody who did not know: for Yjs to see to */
    COMPACT("\2\1\2\0\4\0\1\0\1x\1\1\0\7\1\1t\0\1\1\1\0\1",
            "2@0 len 1 string \"x\" in 1@0\n"
            "1@0 len 1 deleted in root \"t\"\n"
            "delete 1@0 len 1\n");
    /* where an item is that refers to what is not here, nobody knows */
    COMPACT("\1\2\1\0\7\1\1t\0\204\11\0\1x\1\1\1\0\2",
            "1@0 len 1 deleted in root \"t\"\n"
            "1@1 len 1 deleted after 9@0\n"
            "delete 1@0 len 2\n");
}
END_TEST

START_TEST(origins_in_a_circle)
{
    /* 1@1 after 2@0 after 1@1, and a deleted type */
    COMPACT("\2\1\2\0\204\1\1\1y\2\1\0\7\1\1t\0\204\2\0\1x\2\2\1\0\1\1\1\0\2",
            "2@0 len 1 deleted after 1@1\n"
            "1@0 len 1 deleted in root \"t\"\n"
            "1@1 len 1 deleted after 2@0\n"
            "delete 2@0 len 1\ndelete 1@0 len 2\n");
}
END_TEST

START_TEST(nested_types_are_collected)
{
    /* a map in a map in a root; a text entry in it, "q" and "r" behind it */
    COMPACT("\1\5\1\0\7\1\1m\1\47\0\1\0\1k\2\4\0\1\1\1p\204\1\2\1q\4\1\1s\1z"
            "\1\1\1\0\4",
            "1@0 len 1 deleted in root \"m\"\n"
            "1@1 len 3 gc\n"
            "1@4 len 1 string \"z\" in root \"s\"\n"
            "delete 1@0 len 4\n");
}
END_TEST

START_TEST(skips_and_second_blocks_stay)
{
    COMPACT("\1\2\1\0\12\5\0\3\0", "1@0 len 5 skip\n1@5 len 3 gc\n");
    COMPACT("\2\1\1\0\0\1\1\1\7\0\1\0", "1@0 len 1 gc\n1@7 len 1 gc\n");
}
END_TEST

START_TEST(errors_say_where)
{
    struct yjs_update_error err = {9, 9};
    struct yjs_bytes out;
    struct yjs_span cut = {(const uint8_t *)"\1\1\1\0\4\1", 6};

    ck_assert_int_eq(yjs_update_compact(cut, NULL, &err, &out),
                     YJS_ERR_TRUNCATED);
    ck_assert_uint_eq(err.index, 0);
    ck_assert_uint_eq(err.offset, 6);
}
END_TEST

SUITE_MAIN("yjs/compact", pairs_are_cut, elements_are_cut,
           deleted_neighbours_become_one, what_is_not_deleted_stays,
           origins_in_a_circle, nested_types_are_collected,
           skips_and_second_blocks_stay, errors_say_where)
