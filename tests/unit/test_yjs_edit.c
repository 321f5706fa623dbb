/* SPDX-License-Identifier: MIT */
/*
 * Edits: refusals that do nothing, transactions that are taken back, memory
 * that ends at any call, positions under many edits, what is told of them.
 * That the updates are those of Yjs is for tests/diff to show.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail_alloc.h"
#include "suite.h"
#include "yjs/doc.h"

static const struct yjs_span none = {NULL, 0};

static struct yjs_span span(const char *s)
{
    return (struct yjs_span){(const uint8_t *)s, strlen(s)};
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

static struct yjs_type root(yjs_doc *doc, const char *name,
                            enum yjs_type_kind kind)
{
    struct yjs_type type;

    ck_assert_int_eq(yjs_doc_root(doc, span(name), kind, &type), YJS_OK);
    return type;
}

static yjs_txn *begin(yjs_doc *doc)
{
    yjs_txn *txn;

    ck_assert_int_eq(yjs_txn_begin(doc, NULL, &txn), YJS_OK);
    return txn;
}

static void commit(yjs_txn *txn)
{
    ck_assert_int_eq(yjs_txn_commit(txn), YJS_OK);
}

static struct yjs_bytes state(yjs_doc *doc)
{
    struct yjs_bytes bytes;

    ck_assert_int_eq(yjs_encode_state_as_update(doc, NULL, 0, &bytes), YJS_OK);
    ck_assert_int_eq(yjs_doc_verify(doc), YJS_OK);
    return bytes;
}

static bool same(const struct yjs_bytes *a, const struct yjs_bytes *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/* The document is still what `before` says; that is freed. */
static void expect_state(yjs_doc *doc, struct yjs_bytes *before)
{
    struct yjs_bytes now = state(doc);

    ck_assert(same(&now, before));
    yjs_bytes_free(&now);
    yjs_bytes_free(before);
}

static void expect_json(yjs_doc *doc, const char *spec, const char *want)
{
    struct yjs_bytes json;

    ck_assert_int_eq(yjs_doc_to_json(doc, spec, &json), YJS_OK);
    if (json.len != strlen(want) || memcmp(json.data, want, json.len) != 0)
        ck_abort_msg("%.*s, not %s", (int)json.len, (char *)json.data, want);
    yjs_bytes_free(&json);
}

static struct yjs_value number(double v)
{
    return (struct yjs_value){.kind = YJS_VALUE_NUMBER, .number = v};
}

static struct yjs_value nested(enum yjs_type_kind kind)
{
    return (struct yjs_value){.kind = YJS_VALUE_TYPE,
                              .type_kind = kind,
                              .name = span("p")};
}

/* -------------------------------------------------------------------- roots */

START_TEST(a_root_has_one_kind)
{
    yjs_doc *doc = new_doc(1, NULL);
    struct yjs_type a = root(doc, "t", YJS_TYPE_TEXT), b;

    b = root(doc, "t", YJS_TYPE_TEXT);
    ck_assert_ptr_eq(a.root, b.root);
    ck_assert_int_eq(yjs_doc_root(doc, span("t"), YJS_TYPE_MAP, &b),
                     YJS_ERR_TYPE);
    ck_assert_int_eq(yjs_doc_root(doc, span("u"), (enum yjs_type_kind)7, &b),
                     YJS_ERR_RANGE);
    ck_assert_int_eq(yjs_doc_root(doc, span("\xff"), YJS_TYPE_MAP, &b),
                     YJS_ERR_MALFORMED);
    ck_assert_int_eq(yjs_doc_root(doc, none, YJS_TYPE_MAP, &b), YJS_OK);
    ck_assert(yjs_doc_is_empty(doc));
    ck_assert_int_eq(yjs_doc_verify(doc), YJS_OK);
    yjs_doc_free(doc);
}
END_TEST

/* ----------------------------------------------------------------- refusals */

static void refuse_texts(yjs_txn *txn, struct yjs_type text)
{
    struct yjs_value bytes = {.kind = YJS_VALUE_BYTES}, empty = {
        .kind = YJS_VALUE_STRING};

    ck_assert_int_eq(yjs_text_insert(txn, text, 4, span("x"), none),
                     YJS_ERR_RANGE);
    ck_assert_int_eq(yjs_text_insert(txn, text, 0, span("\xff"), none),
                     YJS_ERR_MALFORMED);
    ck_assert_int_eq(yjs_text_insert(txn, text, 0, span("x"), span("[]")),
                     YJS_ERR_MALFORMED);
    ck_assert_int_eq(yjs_text_insert(txn, text, 0, span("x"), span("{")),
                     YJS_ERR_MALFORMED);
    ck_assert_int_eq(yjs_text_delete(txn, text, 1, 3), YJS_ERR_RANGE);
    ck_assert_int_eq(yjs_text_delete(txn, text, 1, UINT64_MAX),
                     YJS_ERR_RANGE);
    ck_assert_int_eq(yjs_text_format(txn, text, 0, 9, span("{\"b\":1}")),
                     YJS_ERR_RANGE);
    ck_assert_int_eq(yjs_text_format(txn, text, 0, 1, none),
                     YJS_ERR_MALFORMED);
    ck_assert_int_eq(yjs_text_insert_embed(txn, text, 0, &bytes, none),
                     YJS_ERR_TYPE);
    ck_assert_int_eq(yjs_text_insert_embed(txn, text, 0, &empty, none),
                     YJS_ERR_RANGE);
}

START_TEST(bad_deltas_do_nothing)
{
    static const char *const bad[] = {
        "{}", "[1]", "[{\"insert\":null}]", "[{\"retain\":-1}]",
        "[{\"insert\":\"x\"},{\"delete\":1.5}]", "[{\"retain\":\"1\"}]",
        "[{\"insert\":\"x\",\"attributes\":[]}]", "[{\"insert\":\"x\"}",
        "[{\"retain\":1e300}]"};
    yjs_doc *doc = new_doc(1, NULL);
    struct yjs_type text = root(doc, "t", YJS_TYPE_TEXT);
    yjs_txn *txn = begin(doc);

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_int_eq(yjs_text_apply_delta(txn, text, span(bad[i])),
                         YJS_ERR_MALFORMED);
    ck_assert_int_eq(yjs_text_apply_delta(
                         txn, text,
                         span("[{\"insert\":\"a\\ud83d\\ude00\"},{},"
                              "{\"retain\":2}]")),
                     YJS_OK);
    commit(txn);
    expect_json(doc, "t:text", "{\"t\":\"a\xf0\x9f\x98\x80\\n\\n\"}");
    yjs_doc_free(doc);
}
END_TEST

START_TEST(refused_edits_do_nothing)
{
    yjs_doc *doc = new_doc(1, NULL);
    struct yjs_type text = root(doc, "t", YJS_TYPE_TEXT);
    struct yjs_type list = root(doc, "a", YJS_TYPE_ARRAY);
    struct yjs_type map = root(doc, "m", YJS_TYPE_MAP);
    struct yjs_type xml = root(doc, "x", YJS_TYPE_XML_FRAGMENT);
    struct yjs_value v[2] = {number(1), {.kind = YJS_VALUE_BIGINT}};
    yjs_txn *txn = begin(doc);
    struct yjs_bytes before;

    ck_assert_int_eq(yjs_text_insert(txn, text, 0, span("abc"), none), YJS_OK);
    commit(txn);
    before = state(doc);
    txn = begin(doc);
    refuse_texts(txn, text);
    ck_assert_int_eq(yjs_array_insert(txn, list, 1, v, 1), YJS_ERR_RANGE);
    ck_assert_int_eq(yjs_array_insert(txn, list, 0, v, 2), YJS_ERR_TYPE);
    ck_assert_int_eq(yjs_array_insert(txn, xml, 0, v, 1), YJS_ERR_TYPE);
    ck_assert_int_eq(yjs_array_push(txn, text, v, 1), YJS_ERR_TYPE);
    ck_assert_int_eq(yjs_array_delete(txn, list, 0, 1), YJS_ERR_RANGE);
    ck_assert_int_eq(yjs_map_set(txn, list, span("k"), v), YJS_ERR_TYPE);
    ck_assert_int_eq(yjs_map_set(txn, map, span("\xff"), v),
                     YJS_ERR_MALFORMED);
    ck_assert_int_eq(yjs_text_insert(txn, map, 0, span("x"), none),
                     YJS_ERR_TYPE);
    v[0] = (struct yjs_value){.kind = YJS_VALUE_JSON, .bytes = span("{]")};
    ck_assert_int_eq(yjs_map_set(txn, map, span("k"), v), YJS_ERR_MALFORMED);
    v[0] = (struct yjs_value){.kind = YJS_VALUE_ANY, .bytes = span("~~")};
    ck_assert_int_eq(yjs_map_set(txn, map, span("k"), v), YJS_ERR_MALFORMED);
    v[0] = (struct yjs_value){.kind = YJS_VALUE_DOC, .name = span("guid"),
                              .options = span("[1]")};
    ck_assert_int_eq(yjs_map_set(txn, map, span("k"), v), YJS_ERR_MALFORMED);
    ck_assert_int_eq(yjs_map_delete(txn, map, span("none")), YJS_OK);
    commit(txn);
    expect_state(doc, &before);
    yjs_doc_free(doc);
}
END_TEST

/* Nor may it be followed: the other document may be gone. */
START_TEST(a_root_of_another_document_is_refused)
{
    yjs_doc *doc = new_doc(1, NULL), *other = new_doc(2, NULL);
    struct yjs_type mine = root(doc, "t", YJS_TYPE_TEXT);
    struct yjs_type first = root(other, "t", YJS_TYPE_TEXT);
    struct yjs_type second = root(other, "u", YJS_TYPE_TEXT);
    yjs_txn *txn = begin(doc);
    uint64_t length;

    yjs_doc_free(other);
    ck_assert_int_eq(yjs_text_insert(txn, first, 0, span("x"), none),
                     YJS_ERR_DELETED);
    ck_assert_int_eq(yjs_type_length(doc, second, &length), YJS_ERR_DELETED);
    ck_assert_int_eq(yjs_text_insert(txn, mine, 0, span("x"), none), YJS_OK);
    commit(txn);
    yjs_doc_free(doc);
}
END_TEST

START_TEST(a_client_id_is_one_that_can_be_written)
{
    struct yjs_doc_options opt = {.client_id = (uint64_t)1 << 53};
    yjs_doc *doc = NULL;

    ck_assert_int_eq(yjs_doc_new(&opt, &doc), YJS_ERR_RANGE);
    ck_assert_ptr_null(doc);
    opt.client_id--;
    ck_assert_int_eq(yjs_doc_new(&opt, &doc), YJS_OK);
    ck_assert_int_eq(yjs_doc_set_client_id(doc, (uint64_t)1 << 53),
                     YJS_ERR_RANGE);
    yjs_doc_free(doc);
}
END_TEST

START_TEST(a_deleted_type_is_refused)
{
    yjs_doc *doc = new_doc(7, NULL);
    struct yjs_type list = root(doc, "a", YJS_TYPE_ARRAY);
    struct yjs_type inner = {NULL, {7, 0}}, unknown = {NULL, {8, 0}};
    struct yjs_value v = nested(YJS_TYPE_ARRAY), one = number(1);
    yjs_txn *txn = begin(doc);

    ck_assert_int_eq(yjs_array_push(txn, inner, &one, 1), YJS_ERR_DELETED);
    ck_assert_int_eq(yjs_array_push(txn, list, &v, 1), YJS_OK);
    ck_assert_int_eq(yjs_array_push(txn, inner, &one, 1), YJS_OK);
    ck_assert_int_eq(yjs_array_push(txn, unknown, &one, 1), YJS_ERR_DELETED);
    expect_json(doc, "a:array", "{\"a\":[[1]]}");
    ck_assert_int_eq(yjs_array_delete(txn, list, 0, 1), YJS_OK);
    ck_assert_int_eq(yjs_array_push(txn, inner, &one, 1), YJS_ERR_DELETED);
    commit(txn);
    txn = begin(doc);
    ck_assert_int_eq(yjs_array_push(txn, inner, &one, 1), YJS_ERR_DELETED);
    yjs_txn_abort(txn);
    yjs_doc_free(doc);
}
END_TEST

/* ------------------------------------------------------------- transactions */

START_TEST(one_transaction_at_a_time)
{
    static const uint8_t nothing[2] = {0, 0};
    struct yjs_apply_result result;
    yjs_doc *doc = new_doc(1, NULL);
    yjs_txn *txn = begin(doc), *other;

    ck_assert_int_eq(yjs_txn_begin(doc, NULL, &other), YJS_ERR_STATE);
    ck_assert_int_eq(yjs_apply_update(doc, nothing, 2, &result),
                     YJS_ERR_STATE);
    yjs_txn_abort(txn);
    yjs_txn_abort(NULL);
    ck_assert_int_eq(yjs_apply_update(doc, nothing, 2, &result), YJS_OK);
    txn = begin(doc); /* and is left to yjs_doc_free */
    ck_assert_ptr_nonnull(txn);
    yjs_doc_free(doc);
}
END_TEST

/* Who kept it edits nothing, and ends nothing. */
START_TEST(a_transaction_ends_once)
{
    struct yjs_value one = number(1);
    yjs_doc *doc = new_doc(1, NULL);
    struct yjs_type list = root(doc, "a", YJS_TYPE_ARRAY);
    yjs_txn *txn = begin(doc);

    ck_assert_int_eq(yjs_array_push(txn, list, &one, 1), YJS_OK);
    commit(txn);
    ck_assert_int_eq(yjs_array_push(txn, list, &one, 1), YJS_ERR_STATE);
    ck_assert_int_eq(yjs_txn_commit(txn), YJS_ERR_STATE);
    yjs_txn_abort(txn);
    expect_json(doc, "a:array", "{\"a\":[1]}");
    txn = begin(doc);
    yjs_txn_abort(txn);
    ck_assert_int_eq(yjs_array_push(txn, list, &one, 1), YJS_ERR_STATE);
    ck_assert_int_eq(yjs_txn_commit(txn), YJS_ERR_STATE);
    expect_json(doc, "a:array", "{\"a\":[1]}");
    yjs_doc_free(doc);
}
END_TEST

/* Somebody knows edits of ours that we make only now, as after a restart from
 * an old copy: what waited for them is taken with the next update. */
START_TEST(own_edits_end_a_wait)
{
    static const uint8_t nothing[2] = {0, 0}, ours[3] = {1, 7, 2};
    yjs_doc *doc = new_doc(7, NULL), *peer = new_doc(9, NULL);
    struct yjs_type text = root(doc, "t", YJS_TYPE_TEXT);
    struct yjs_type other = root(peer, "t", YJS_TYPE_TEXT);
    struct yjs_apply_result result;
    struct yjs_bytes bytes = {0};
    yjs_doc *before = new_doc(7, NULL);
    yjs_txn *txn = begin(before);

    ck_assert_int_eq(yjs_text_insert(txn, root(before, "t", YJS_TYPE_TEXT), 0,
                                     span("ab"), none),
                     YJS_OK);
    commit(txn);
    bytes = state(before);
    ck_assert_int_eq(yjs_apply_update(peer, bytes.data, bytes.len, NULL),
                     YJS_OK);
    yjs_bytes_free(&bytes);
    txn = begin(peer);
    ck_assert_int_eq(yjs_text_insert(txn, other, 2, span("c"), none), YJS_OK);
    ck_assert_int_eq(yjs_text_delete(txn, other, 0, 1), YJS_OK);
    commit(txn);
    ck_assert_int_eq(yjs_encode_state_as_update(peer, ours, 3, &bytes),
                     YJS_OK);
    ck_assert_int_eq(yjs_apply_update(doc, bytes.data, bytes.len, &result),
                     YJS_OK);
    yjs_bytes_free(&bytes);
    ck_assert(result.pending);
    txn = begin(doc);
    ck_assert_int_eq(yjs_text_insert(txn, text, 0, span("ab"), none), YJS_OK);
    commit(txn);
    expect_json(doc, "t:text", "{\"t\":\"ab\"}");
    ck_assert_int_eq(yjs_apply_update(doc, nothing, 2, &result), YJS_OK);
    ck_assert(!result.pending);
    expect_json(doc, "t:text", "{\"t\":\"bc\"}");
    yjs_doc_free(before);
    yjs_doc_free(peer);
    yjs_doc_free(doc);
}
END_TEST

/* Some of everything. */
static int edit_all(yjs_txn *txn, struct yjs_type text, struct yjs_type list,
                    struct yjs_type map, struct yjs_type xml)
{
    struct yjs_value v[4] = {
        number(0.5), nested(YJS_TYPE_XML_ELEMENT),
        {.kind = YJS_VALUE_JSON, .bytes = span("{\"a\":[1,{\"b\":null}]}")},
        {.kind = YJS_VALUE_DOC,
         .name = span("guid"),
         .options = span("{\"meta\":{\"m\":1},\"x\":2}")}};
    struct yjs_span bold = span("{\"bold\":true,\"7\":\"a\\u0020b\"}");
    int rc = yjs_text_insert(txn, text, 2, span("in\xf0\x9f\x98\x80to"), none);

    if (rc == YJS_OK)
        rc = yjs_text_insert(txn, text, 5, span("a longer text"), bold);
    if (rc == YJS_OK)
        rc = yjs_text_format(txn, text, 3, 9, span("{\"bold\":null}"));
    if (rc == YJS_OK)
        rc = yjs_text_insert_embed(txn, text, 1, &v[2], bold);
    if (rc == YJS_OK)
        rc = yjs_text_delete(txn, text, 4, 6);
    if (rc == YJS_OK)
        rc = yjs_text_apply_delta(
            txn, text,
            span("[{\"retain\":2,\"attributes\":{\"em\":1}},{\"delete\":1},"
                 "{\"insert\":\"new\",\"attributes\":{\"bold\":true}}]"));
    if (rc == YJS_OK)
        rc = yjs_array_insert(txn, list, 1, v, 4);
    if (rc == YJS_OK)
        rc = yjs_array_delete(txn, list, 0, 2);
    if (rc == YJS_OK)
        rc = yjs_array_push(txn, list, v, 3);
    if (rc == YJS_OK)
        rc = yjs_map_set(txn, map, span("key"), &v[2]);
    if (rc == YJS_OK)
        rc = yjs_map_set(txn, map, span("a key of some length"), &v[3]);
    if (rc == YJS_OK)
        rc = yjs_map_delete(txn, map, span("old"));
    if (rc == YJS_OK)
        rc = yjs_array_insert(txn, xml, 0, &v[1], 1);
    return rc;
}

struct all {
    yjs_doc *doc;
    struct yjs_type text, list, map, xml;
};

/* A document with something in each root. */
static struct all make_all(struct fail_alloc *fa)
{
    struct all a = {.doc = new_doc(9, fa)};
    struct yjs_value v[3] = {number(1), number(2), number(3)};
    yjs_txn *txn;

    a.text = root(a.doc, "t", YJS_TYPE_TEXT);
    a.list = root(a.doc, "a", YJS_TYPE_ARRAY);
    a.map = root(a.doc, "m", YJS_TYPE_MAP);
    a.xml = root(a.doc, "x", YJS_TYPE_XML_FRAGMENT);
    txn = begin(a.doc);
    ck_assert_int_eq(yjs_text_insert(txn, a.text, 0, span("some text here"),
                                     none),
                     YJS_OK);
    ck_assert_int_eq(yjs_array_insert(txn, a.list, 0, v, 3), YJS_OK);
    ck_assert_int_eq(yjs_map_set(txn, a.map, span("old"), v), YJS_OK);
    commit(txn);
    return a;
}

START_TEST(an_abort_takes_all_back)
{
    struct all a = make_all(NULL);
    struct yjs_bytes before = state(a.doc);
    yjs_txn *txn = begin(a.doc);

    ck_assert_int_eq(edit_all(txn, a.text, a.list, a.map, a.xml), YJS_OK);
    yjs_txn_abort(txn);
    expect_state(a.doc, &before);
    yjs_doc_free(a.doc);
}
END_TEST

static int try_all(struct all *a)
{
    yjs_txn *txn;
    int rc = yjs_txn_begin(a->doc, NULL, &txn), broken;

    if (rc != YJS_OK)
        return rc;
    rc = edit_all(txn, a->text, a->list, a->map, a->xml);
    if (rc == YJS_OK)
        return yjs_txn_commit(txn);
    broken = yjs_map_clear(txn, a->map);
    ck_assert_int_eq(broken, rc);
    ck_assert_int_eq(yjs_txn_commit(txn), rc);
    return rc;
}

START_TEST(memory_may_end_at_any_call)
{
    struct fail_alloc fa = {0, 0};
    struct all a = make_all(NULL), b = make_all(&fa);
    struct yjs_bytes want, before = state(b.doc), now;
    size_t n, failed = 0;
    int rc;

    ck_assert_int_eq(try_all(&a), YJS_OK);
    want = state(a.doc);
    for (n = 1;; n++) {
        fa.fail_in = n;
        rc = try_all(&b);
        fa.fail_in = 0;
        if (rc == YJS_OK)
            break;
        ck_assert_int_eq(rc, YJS_ERR_NOMEM);
        now = state(b.doc);
        ck_assert(same(&now, &before));
        yjs_bytes_free(&now);
        failed++;
    }
    ck_assert_uint_gt(failed, 20);
    expect_state(b.doc, &want);
    yjs_bytes_free(&before);
    yjs_doc_free(a.doc);
    yjs_doc_free(b.doc);
    ck_assert_uint_eq(fa.blocks, 0);
}
END_TEST

START_TEST(a_limit_breaks_the_transaction)
{
    struct yjs_doc_options opt = {.client_id = 1,
                                  .limits = {.doc_bytes = 20000}};
    struct yjs_bytes before;
    struct yjs_type text;
    yjs_doc *doc;
    yjs_txn *txn;
    int rc;

    ck_assert_int_eq(yjs_doc_new(&opt, &doc), YJS_OK);
    text = root(doc, "t", YJS_TYPE_TEXT);
    before = state(doc);
    txn = begin(doc);
    do
        rc = yjs_text_insert(txn, text, 0, span("0123456789"), none);
    while (rc == YJS_OK);
    ck_assert_int_eq(rc, YJS_ERR_LIMIT);
    ck_assert_int_eq(yjs_text_insert(txn, text, 0, span("x"), none), rc);
    ck_assert_int_eq(yjs_txn_commit(txn), rc);
    expect_state(doc, &before);
    txn = begin(doc);
    ck_assert_int_eq(yjs_text_insert(txn, text, 0, span("x"), none), YJS_OK);
    commit(txn);
    yjs_doc_free(doc);
}
END_TEST

START_TEST(values_nest_within_the_limit)
{
    struct yjs_doc_options opt = {.client_id = 1, .limits = {.depth = 3}};
    struct yjs_value v = {.kind = YJS_VALUE_JSON, .bytes = span("[[[1]]]")};
    struct yjs_type map;
    yjs_doc *doc;
    yjs_txn *txn;

    ck_assert_int_eq(yjs_doc_new(&opt, &doc), YJS_OK);
    map = root(doc, "m", YJS_TYPE_MAP);
    txn = begin(doc);
    ck_assert_int_eq(yjs_map_set(txn, map, span("k"), &v), YJS_OK);
    commit(txn);
    txn = begin(doc);
    v.bytes = span("[[[[1]]]]");
    ck_assert_int_eq(yjs_map_set(txn, map, span("k"), &v), YJS_ERR_LIMIT);
    yjs_txn_abort(txn);
    expect_json(doc, "m:map", "{\"m\":{\"k\":[[[1]]]}}");
    yjs_doc_free(doc);
}
END_TEST

/* ---------------------------------------------------------------- positions */

/* A text of one-byte characters, as it is to be. */
struct model {
    char text[40000];
    size_t len;
    uint32_t random;
};

static size_t below(struct model *m, size_t n)
{
    m->random = m->random * 1664525u + 1013904223u;
    return (size_t)((uint64_t)m->random * n >> 32);
}

static void model_insert(struct model *m, yjs_txn *txn, struct yjs_type text)
{
    size_t at = below(m, m->len + 1), n = 1 + below(m, 3);
    char s[4] = {(char)('a' + below(m, 26)), 'x', 'y', 0};

    s[n] = 0;
    ck_assert_int_eq(yjs_text_insert(txn, text, at, span(s), none), YJS_OK);
    memmove(m->text + at + n, m->text + at, m->len - at);
    memcpy(m->text + at, s, n);
    m->len += n;
}

static void model_delete(struct model *m, yjs_txn *txn, struct yjs_type text)
{
    size_t at = below(m, m->len), n = 1 + below(m, 5);

    if (n > m->len - at)
        n = m->len - at;
    ck_assert_int_eq(yjs_text_delete(txn, text, at, n), YJS_OK);
    memmove(m->text + at, m->text + at + n, m->len - at - n);
    m->len -= n;
}

static void model_check(struct model *m, yjs_doc *doc)
{
    struct yjs_bytes json;

    ck_assert_int_eq(yjs_doc_to_json(doc, "t:text", &json), YJS_OK);
    ck_assert_uint_eq(json.len, m->len + 8);
    ck_assert(memcmp(json.data + 6, m->text, m->len) == 0);
    yjs_bytes_free(&json);
    ck_assert_int_eq(yjs_doc_verify(doc), YJS_OK);
}

/* Somebody else types at the end of the text; the model takes part. */
static void model_foreign(struct model *m, yjs_doc *doc, yjs_doc *peer)
{
    struct yjs_type text = root(peer, "t", YJS_TYPE_TEXT);
    struct yjs_bytes update = state(doc);
    yjs_txn *txn;

    ck_assert_int_eq(yjs_apply_update(peer, update.data, update.len, NULL),
                     YJS_OK);
    yjs_bytes_free(&update);
    txn = begin(peer);
    ck_assert_int_eq(yjs_text_insert(txn, text, m->len, span("Z"), none),
                     YJS_OK);
    m->text[m->len++] = 'Z';
    model_delete(m, txn, text);
    commit(txn);
    update = state(peer);
    ck_assert_int_eq(yjs_apply_update(doc, update.data, update.len, NULL),
                     YJS_OK);
    yjs_bytes_free(&update);
}

START_TEST(positions_hold_under_many_edits)
{
    static struct model m = {.random = 1};
    yjs_doc *doc = new_doc(5, NULL), *peer = new_doc(6, NULL);
    struct yjs_type text = root(doc, "t", YJS_TYPE_TEXT);
    int i, k;

    for (i = 0; i < 1500; i++) {
        yjs_txn *txn = begin(doc);

        for (k = i % 4; k >= 0; k--)
            model_insert(&m, txn, text);
        if (i % 3 == 0)
            model_delete(&m, txn, text);
        commit(txn);
        if (i % 100 == 0)
            model_check(&m, doc);
        if (i % 250 == 0)
            model_foreign(&m, doc, peer);
    }
    model_check(&m, doc);
    /* An aborted transaction, and what was an abort ago, are no matter. */
    for (i = 0; i < 30; i++) {
        struct model copy = m;
        yjs_txn *txn = begin(doc);

        model_insert(&copy, txn, text);
        model_delete(&copy, txn, text);
        yjs_txn_abort(txn);
        txn = begin(doc);
        model_insert(&m, txn, text);
        commit(txn);
        model_check(&m, doc);
    }
    yjs_doc_free(doc);
    yjs_doc_free(peer);
}
END_TEST

struct counter {
    size_t calls;
};

static void *count(void *ctx, void *ptr, size_t size)
{
    struct counter *c = ctx;

    c->calls += size > 0;
    if (size > 0)
        return realloc(ptr, size);
    free(ptr);
    return NULL;
}

START_TEST(typing_asks_for_next_to_no_memory)
{
    struct counter c = {0};
    struct yjs_doc_options opt = {.client_id = 1, .alloc = {count, &c}};
    struct yjs_type text;
    yjs_doc *doc;
    size_t i, before = 0;

    ck_assert_int_eq(yjs_doc_new(&opt, &doc), YJS_OK);
    text = root(doc, "t", YJS_TYPE_TEXT);
    for (i = 0; i < 2000; i++) {
        yjs_txn *txn = begin(doc);

        if (i == 1000)
            before = c.calls;
        ck_assert_int_eq(yjs_text_insert(txn, text, i, span("a"), none),
                         YJS_OK);
        commit(txn);
    }
    ck_assert_uint_le(c.calls - before, 8);
    yjs_doc_free(doc);
}
END_TEST

SUITE_MAIN("yjs/edit", a_root_has_one_kind, bad_deltas_do_nothing,
           refused_edits_do_nothing, a_root_of_another_document_is_refused,
           a_client_id_is_one_that_can_be_written, a_deleted_type_is_refused,
           one_transaction_at_a_time,
           a_transaction_ends_once, own_edits_end_a_wait,
           an_abort_takes_all_back,
           memory_may_end_at_any_call, a_limit_breaks_the_transaction,
           values_nest_within_the_limit, positions_hold_under_many_edits,
           typing_asks_for_next_to_no_memory)
