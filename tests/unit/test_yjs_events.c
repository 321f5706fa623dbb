/* SPDX-License-Identifier: MIT */
/*
 * What a document tells of its transactions: the updates themselves, who made
 * them, and that they are enough for somebody else to follow.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fail_alloc.h"
#include "same_docs.h"
#include "suite.h"

static const struct yjs_span none = {NULL, 0};

static struct yjs_span span(const char *s)
{
    return (struct yjs_span){(const uint8_t *)s, strlen(s)};
}

/* A document, and two that follow it by what it tells. */
struct followed {
    yjs_doc *doc;
    yjs_doc *by_v1, *by_v2;
    int told, local, failed;
    void *origin;
    int nested; /* what begin and apply answer during the callback */
    uint8_t last[128];
    size_t last_len;
};

static void follow(void *ctx, const struct yjs_update_event *event)
{
    struct followed *f = ctx;
    struct yjs_apply_result result;
    yjs_txn *txn;

    f->told++;
    f->local += event->local;
    f->origin = event->origin;
    f->failed += event->err != YJS_OK;
    f->nested = yjs_txn_begin(f->doc, NULL, &txn);
    if (event->err != YJS_OK)
        return;
    f->last_len = event->v1.len < sizeof(f->last) ? event->v1.len : 0;
    memcpy(f->last, event->v1.data, f->last_len);
    ck_assert_int_eq(yjs_apply_update(f->by_v1, event->v1.data, event->v1.len,
                                      &result),
                     YJS_OK);
    ck_assert(!result.pending || f->failed > 0);
    if (event->v2.len > 0)
        ck_assert_int_eq(yjs_apply_update_v2(f->by_v2, event->v2.data,
                                             event->v2.len, &result),
                         YJS_OK);
}

static yjs_doc *new_doc(uint64_t client, struct fail_alloc *fa)
{
    struct yjs_doc_options opt = {.client_id = client};
    yjs_doc *doc;

    if (fa != NULL)
        opt.alloc = fail_alloc_hook(fa);
    ck_assert_int_eq(yjs_doc_new(&opt, &doc), YJS_OK);
    return doc;
}

static void open_followed(struct followed *f, struct fail_alloc *fa)
{
    *f = (struct followed){.doc = new_doc(7, fa),
                           .by_v1 = new_doc(0, NULL),
                           .by_v2 = new_doc(0, NULL)};
    yjs_doc_on_update(f->doc, YJS_FORMAT_V1 | YJS_FORMAT_V2, follow, f);
}

static void close_followed(struct followed *f)
{
    yjs_doc_free(f->doc);
    yjs_doc_free(f->by_v1);
    yjs_doc_free(f->by_v2);
}

static struct yjs_type root(yjs_doc *doc, const char *name,
                            enum yjs_type_kind kind)
{
    struct yjs_type type;

    ck_assert_int_eq(yjs_doc_root(doc, span(name), kind, &type), YJS_OK);
    return type;
}

static void insert(yjs_doc *doc, struct yjs_type text, uint64_t at,
                   const char *s, const char *attributes, void *origin)
{
    yjs_txn *txn;

    ck_assert_int_eq(yjs_txn_begin(doc, origin, &txn), YJS_OK);
    ck_assert_int_eq(yjs_text_insert(txn, text, at, span(s),
                                     attributes ? span(attributes) : none),
                     YJS_OK);
    ck_assert_int_eq(yjs_txn_commit(txn), YJS_OK);
}

START_TEST(updates_of_edits_are_told)
{
    /* what npm yjs tells of text.insert(0, 'ab') by client 7 */
    static const uint8_t want[] = {1, 1, 7, 0, 4, 1, 1, 't', 2, 'a', 'b', 0};
    struct followed f;
    struct yjs_type text;
    yjs_txn *txn;
    int origin;

    open_followed(&f, NULL);
    text = root(f.doc, "t", YJS_TYPE_TEXT);
    insert(f.doc, text, 0, "ab", NULL, &origin);
    ck_assert_int_eq(f.told, 1);
    ck_assert_int_eq(f.local, 1);
    ck_assert_ptr_eq(f.origin, &origin);
    ck_assert_int_eq(f.nested, YJS_ERR_STATE);
    ck_assert_uint_eq(f.last_len, sizeof(want));
    ck_assert_mem_eq(f.last, want, sizeof(want));
    /* nothing happened, nothing told */
    ck_assert_int_eq(yjs_txn_begin(f.doc, NULL, &txn), YJS_OK);
    ck_assert_int_eq(yjs_text_insert(txn, text, 0, none, none), YJS_OK);
    ck_assert_int_eq(yjs_txn_commit(txn), YJS_OK);
    ck_assert_int_eq(yjs_txn_begin(f.doc, NULL, &txn), YJS_OK);
    ck_assert_int_eq(yjs_text_insert(txn, text, 0, span("x"), none), YJS_OK);
    yjs_txn_abort(txn);
    ck_assert_int_eq(f.told, 1);
    insert(f.doc, text, 1, "c", "{\"bold\":true}", NULL);
    ck_assert_int_eq(f.told, 2);
    ck_assert_ptr_null(f.origin);
    expect_equal(f.doc, f.by_v1);
    expect_equal(f.doc, f.by_v2);
    close_followed(&f);
}
END_TEST

START_TEST(applied_updates_are_told)
{
    struct followed f;
    yjs_doc *peer = new_doc(8, NULL);
    struct yjs_type text = root(peer, "t", YJS_TYPE_TEXT);
    struct yjs_bytes update;
    int origin;

    open_followed(&f, NULL);
    insert(peer, text, 0, "one two", NULL, NULL);
    update = state(peer);
    ck_assert_int_eq(yjs_apply_update_from(
                         f.doc, (struct yjs_span){update.data, update.len},
                         YJS_FORMAT_V1, &origin, NULL),
                     YJS_OK);
    ck_assert_int_eq(f.told, 1);
    ck_assert_int_eq(f.local, 0);
    ck_assert_ptr_eq(f.origin, &origin);
    /* known already */
    ck_assert_int_eq(yjs_apply_update(f.doc, update.data, update.len, NULL),
                     YJS_OK);
    ck_assert_int_eq(f.told, 1);
    ck_assert_int_eq(yjs_apply_update_from(f.doc, none, (enum yjs_format)3,
                                           NULL, NULL),
                     YJS_ERR_RANGE);
    yjs_bytes_free(&update);
    expect_equal(f.doc, f.by_v1);
    expect_equal(f.doc, f.by_v2);
    yjs_doc_on_update(f.doc, 0, NULL, NULL);
    close_followed(&f);
    yjs_doc_free(peer);
}
END_TEST

/* Formats without effect are taken out of a root text that is one: a second
 * transaction, told as our own. */
START_TEST(the_formatting_clean_up_is_told)
{
    struct followed f;
    yjs_doc *peer = new_doc(8, NULL);
    struct yjs_type text = root(peer, "t", YJS_TYPE_TEXT), mine;
    struct yjs_bytes update;
    yjs_txn *txn;

    open_followed(&f, NULL);
    mine = root(f.doc, "t", YJS_TYPE_TEXT);
    insert(f.doc, mine, 0, "abcd", "{\"bold\":true}", NULL);
    update = state(f.doc);
    ck_assert_int_eq(yjs_apply_update(peer, update.data, update.len, NULL),
                     YJS_OK);
    yjs_bytes_free(&update);
    /* both delete what is bold; each keeps what the other still needs */
    ck_assert_int_eq(yjs_txn_begin(f.doc, NULL, &txn), YJS_OK);
    ck_assert_int_eq(yjs_text_format(txn, mine, 0, 4, span("{\"bold\":null}")),
                     YJS_OK);
    ck_assert_int_eq(yjs_txn_commit(txn), YJS_OK);
    ck_assert_int_eq(yjs_txn_begin(peer, NULL, &txn), YJS_OK);
    ck_assert_int_eq(yjs_text_format(txn, text, 0, 4, span("{\"bold\":1}")),
                     YJS_OK);
    ck_assert_int_eq(yjs_text_insert(txn, text, 0, span("x"),
                                     span("{\"bold\":null}")),
                     YJS_OK);
    ck_assert_int_eq(yjs_text_delete(txn, text, 0, 1), YJS_OK);
    ck_assert_int_eq(yjs_txn_commit(txn), YJS_OK);
    f.told = f.local = 0;
    update = state(peer);
    ck_assert_int_eq(yjs_apply_update(f.doc, update.data, update.len, NULL),
                     YJS_OK);
    yjs_bytes_free(&update);
    ck_assert_int_ge(f.told, 1);
    ck_assert_int_eq(f.local, f.told - 1);
    expect_equal(f.doc, f.by_v2);
    close_followed(&f);
    yjs_doc_free(peer);
}
END_TEST

START_TEST(no_memory_for_the_update_is_told)
{
    struct fail_alloc fa = {0, 0};
    struct followed f;
    struct yjs_type text;
    size_t n;
    int failed = 0;

    open_followed(&f, &fa);
    text = root(f.doc, "t", YJS_TYPE_TEXT);
    for (n = 1; n < 200; n++) {
        yjs_txn *txn;
        int rc = yjs_txn_begin(f.doc, NULL, &txn), before = f.told;

        ck_assert_int_eq(rc, YJS_OK);
        ck_assert_int_eq(yjs_text_insert(txn, text, n % 7 % (n > 7 ? 7 : 1),
                                         span("some text"), none),
                         YJS_OK);
        fa.fail_in = 1 + n % 12;
        rc = yjs_txn_commit(txn);
        fa.fail_in = 0;
        ck_assert_int_eq(f.told - before, rc == YJS_OK);
        failed = f.failed;
        ck_assert_int_eq(yjs_doc_verify(f.doc), YJS_OK);
    }
    ck_assert_int_gt(failed, 0);
    close_followed(&f);
    ck_assert_uint_eq(fa.blocks, 0);
}
END_TEST

/* ------------------------------------------------------------------ clients */

static uint64_t seventeen(void *ctx, uint64_t old)
{
    *(uint64_t *)ctx = old;
    return 17;
}

START_TEST(an_id_that_somebody_uses_is_given_up)
{
    uint64_t old = 0;
    struct yjs_doc_options opt = {.client_id = 8,
                                  .new_client_id = seventeen,
                                  .new_client_id_ctx = &old};
    yjs_doc *doc, *plain = new_doc(8, NULL), *other = new_doc(8, NULL);
    struct yjs_bytes update;

    ck_assert_int_eq(yjs_doc_new(&opt, &doc), YJS_OK);
    insert(other, root(other, "t", YJS_TYPE_TEXT), 0, "x", NULL, NULL);
    ck_assert_uint_eq(yjs_doc_client_id(other), 8);
    update = state(other);
    ck_assert_int_eq(yjs_apply_update(doc, update.data, update.len, NULL),
                     YJS_OK);
    ck_assert_int_eq(yjs_apply_update(plain, update.data, update.len, NULL),
                     YJS_OK);
    ck_assert_uint_eq(yjs_doc_client_id(doc), 17);
    ck_assert_uint_eq(old, 8);
    ck_assert_uint_ne(yjs_doc_client_id(plain), 8);
    ck_assert_uint_ne(yjs_doc_client_id(plain), 0);
    yjs_bytes_free(&update);
    ck_assert_int_eq(yjs_doc_set_client_id(doc, UINT64_MAX), YJS_ERR_RANGE);
    ck_assert_int_eq(yjs_doc_set_client_id(doc, 5), YJS_OK);
    ck_assert_uint_eq(yjs_doc_client_id(doc), 5);
    yjs_doc_free(doc);
    yjs_doc_free(plain);
    yjs_doc_free(other);
}
END_TEST

START_TEST(an_id_is_chosen_at_the_first_edit)
{
    yjs_doc *doc = new_doc(0, NULL);
    struct yjs_type text = root(doc, "t", YJS_TYPE_TEXT);

    ck_assert_uint_eq(yjs_doc_client_id(doc), 0);
    insert(doc, text, 0, "x", NULL, NULL);
    ck_assert_uint_ne(yjs_doc_client_id(doc), 0);
    ck_assert_uint_le(yjs_doc_client_id(doc), UINT32_MAX);
    yjs_doc_free(doc);
}
END_TEST

/* Found by tests/diff, edits, seed 3000586. */
START_TEST(deletes_of_our_own_edits_may_come_before_them)
{
    static const uint8_t deletes[] = {0, 1, 7, 1, 1, 1}, nothing[] = {0, 0};
    struct yjs_apply_result result;
    struct followed f;
    struct yjs_type text;

    open_followed(&f, NULL);
    text = root(f.doc, "t", YJS_TYPE_TEXT);
    ck_assert_int_eq(yjs_apply_update(f.doc, deletes, sizeof(deletes),
                                      &result),
                     YJS_OK);
    ck_assert(result.pending);
    insert(f.doc, text, 0, "abc", NULL, NULL);
    ck_assert_int_eq(f.told, 1);
    ck_assert_int_eq(yjs_apply_update(f.doc, nothing, sizeof(nothing),
                                      &result),
                     YJS_OK);
    ck_assert(!result.pending);
    ck_assert_int_eq(f.told, 2);
    expect_equal(f.doc, f.by_v1);
    close_followed(&f);
}
END_TEST

SUITE_MAIN("yjs/events", updates_of_edits_are_told, applied_updates_are_told,
           the_formatting_clean_up_is_told, no_memory_for_the_update_is_told,
           an_id_that_somebody_uses_is_given_up,
           an_id_is_chosen_at_the_first_edit,
           deletes_of_our_own_edits_may_come_before_them)
