/* SPDX-License-Identifier: MIT */
/*
 * Structs that wait for others: kept as they come, merged when looked at.
 */
#include <stdio.h>
#include <string.h>

#include "fail_alloc.h"
#include "suite.h"
#include "yjs/doc.h"

static yjs_doc *new_doc(void)
{
    yjs_doc *doc;

    ck_assert_int_eq(yjs_doc_new(NULL, &doc), YJS_OK);
    return doc;
}

static struct yjs_bytes state_of(yjs_doc *doc)
{
    struct yjs_bytes out = {0};

    ck_assert_int_eq(yjs_encode_state_as_update(doc, NULL, 0, &out), YJS_OK);
    return out;
}

/* One letter of client 5 in the root "t", behind the one before it. */
static int type_letter(yjs_doc *doc, uint64_t clock)
{
    uint8_t first[] = {1, 1, 5, 0, 4, 1, 1, 't', 1, 'x', 0};
    uint8_t other[] = {1, 1, 5, (uint8_t)clock, 0x84, 5, (uint8_t)(clock - 1),
                       1, 'x', 0};
    int rc = clock == 0 ? yjs_apply_update(doc, first, sizeof first, NULL)
                        : yjs_apply_update(doc, other, sizeof other, NULL);

    ck_assert_int_eq(yjs__doc_check(doc), YJS_OK);
    return rc;
}

static void expect_same(struct yjs_bytes a, struct yjs_bytes b)
{
    ck_assert_uint_eq(a.len, b.len);
    ck_assert_int_eq(memcmp(a.data, b.data, a.len), 0);
    yjs_bytes_free(&a);
    yjs_bytes_free(&b);
}

/* What waits is merged late: it makes no difference to what can be seen. */
START_TEST(updates_in_reverse_order)
{
    yjs_doc *late = new_doc(), *early = new_doc();

    for (uint64_t clock = 100; clock > 0; clock--) {
        struct yjs_bytes seen;

        if (clock % 7 == 3) /* some never come */
            continue;
        ck_assert_int_eq(type_letter(late, clock), YJS_OK);
        ck_assert_int_eq(type_letter(early, clock), YJS_OK);
        seen = state_of(early); /* merged here and now */
        yjs_bytes_free(&seen);
    }
    expect_same(state_of(late), state_of(early));
    for (uint64_t clock = 3; clock < 100; clock += 7)
        ck_assert_int_eq(type_letter(late, clock), YJS_OK);
    ck_assert_int_eq(type_letter(late, 0), YJS_OK);
    for (uint64_t clock = 0; clock <= 100; clock++)
        ck_assert_int_eq(type_letter(early, clock), YJS_OK);
    expect_same(state_of(late), state_of(early));
    ck_assert(!late->pending.data && late->pending.parts.cap == 0);
    yjs_doc_free(late);
    yjs_doc_free(early);
}
END_TEST

/*
 * Of two that say a different thing of one item, one that has it and one that
 * has it deleted, the first to come is kept, however many wait beside them.
 */
START_TEST(of_many_that_wait_the_first_is_kept)
{
    /* client 5 wrote "bc" at 1 and "defg" at 3; later "fg" was deleted */
    static const uint8_t bc[] = {1, 1, 5, 1, 0x84, 5, 0, 2, 'b', 'c', 0};
    static const uint8_t defg[] = {1,   1,   5,   3,   0x84, 5, 2,
                                   4,   'd', 'e', 'f', 'g',  0};
    static const uint8_t less[] = {1,   2,    5, 2, 0x84, 5, 1, 3, 'c', 'd',
                                   'e', 0x81, 5, 4, 2,    1, 5, 1, 5,   2};
    yjs_doc *late = new_doc(), *early = new_doc();
    uint8_t more[] = {1, 1, 6, 0, 0x84, 7, 9, 1, 'x', 0};
    uint8_t long_one[1010] = {1, 1, 9, 1, 0x84, 9, 0, 0xe8, 7};
    struct yjs_bytes seen;

    /* those behind it are not merged at once */
    memset(long_one + 9, 'y', 1000);
    for (int i = 0; i < 45; i++) {
        const uint8_t *update = more;
        size_t len = sizeof more;

        if (i == 0)
            update = long_one, len = sizeof long_one;
        else if (i == 1)
            update = bc, len = sizeof bc;
        else if (i == 2)
            update = defg, len = sizeof defg;
        else if (i == 3)
            update = less, len = sizeof less;
        else
            more[3]++;
        ck_assert_int_eq(yjs_apply_update(late, update, len, NULL), YJS_OK);
        ck_assert_int_eq(yjs_apply_update(early, update, len, NULL), YJS_OK);
        seen = state_of(early);
        yjs_bytes_free(&seen);
    }
    ck_assert_uint_ge(late->pending.parts.len, 33);
    expect_same(state_of(late), state_of(early));
    yjs_doc_free(late);
    yjs_doc_free(early);
}
END_TEST

START_TEST(memory_may_end_among_many_that_wait)
{
    struct fail_alloc fa = {0, 0};
    struct yjs_doc_options opt = {.alloc = fail_alloc_hook(&fa)};
    yjs_doc *doc, *whole;

    ck_assert_int_eq(yjs_doc_new(&opt, &doc), YJS_OK);
    for (uint64_t clock = 50; clock-- > 0;) {
        int rc = YJS_ERR_NOMEM;

        for (size_t n = 1; rc == YJS_ERR_NOMEM; n++) {
            fa.fail_in = n;
            rc = type_letter(doc, clock);
            fa.fail_in = 0;
        }
        ck_assert_int_eq(rc, YJS_OK);
    }
    whole = new_doc();
    for (uint64_t clock = 0; clock < 50; clock++)
        ck_assert_int_eq(type_letter(whole, clock), YJS_OK);
    expect_same(state_of(doc), state_of(whole));
    yjs_doc_free(whole);
    yjs_doc_free(doc);
    ck_assert_uint_eq(fa.blocks, 0);
}
END_TEST

SUITE_MAIN("yjs/pending", updates_in_reverse_order,
           of_many_that_wait_the_first_is_kept,
           memory_may_end_among_many_that_wait)
