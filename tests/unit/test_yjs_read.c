/* SPDX-License-Identifier: MIT */
/*
 * Reading: values of every kind, iterators, types that are gone, what callers
 * may get wrong, limits, and memory ending at every allocation. What npm yjs
 * says of the same documents is in tests/vectors and tests/diff.
 */
#include "fail_alloc.h"
#include "suite.h"
#include "yjs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static struct yjs_span span(const char *text)
{
    return (struct yjs_span){(const uint8_t *)text, strlen(text)};
}

static void ok(int rc)
{
    ck_assert_msg(rc == YJS_OK, "%s", yjs_strerror(rc));
}

static yjs_doc *open_doc(bool keep_deleted, struct fail_alloc *fa)
{
    struct yjs_doc_options opt = {.client_id = 7, .keep_deleted = keep_deleted};
    yjs_doc *doc = NULL;

    if (fa != NULL)
        opt.alloc = fail_alloc_hook(fa);
    ok(yjs_doc_new(&opt, &doc));
    return doc;
}

static struct yjs_type root(yjs_doc *doc, const char *name,
                            enum yjs_type_kind kind)
{
    struct yjs_type type;

    ok(yjs_doc_root(doc, span(name), kind, &type));
    return type;
}

static struct yjs_value json_value(const char *text)
{
    return (struct yjs_value){.kind = YJS_VALUE_JSON, .bytes = span(text)};
}

static struct yjs_value string_value(const char *text)
{
    return (struct yjs_value){.kind = YJS_VALUE_STRING, .bytes = span(text)};
}

static struct yjs_value type_value(enum yjs_type_kind kind, const char *name)
{
    return (struct yjs_value){.kind = YJS_VALUE_TYPE,
                              .type_kind = kind,
                              .name = span(name)};
}

static void assert_text(const struct yjs_bytes *got, const char *want)
{
    ck_assert_msg(got->len == strlen(want) &&
                      memcmp(got->data, want, got->len) == 0,
                  "got %.*s", (int)got->len, (const char *)got->data);
}

static void assert_span(struct yjs_span got, const char *want)
{
    ck_assert_uint_eq(got.len, strlen(want));
    ck_assert_mem_eq(got.data, want, got.len);
}

typedef int (*form)(yjs_doc *, struct yjs_type, struct yjs_bytes *);

static void assert_form(form fn, yjs_doc *doc, struct yjs_type type,
                        const char *want)
{
    struct yjs_bytes got = {0};

    ok(fn(doc, type, &got));
    assert_text(&got, want);
    yjs_bytes_free(&got);
}

static void assert_value(yjs_doc *doc, const struct yjs_value *value,
                         const char *want)
{
    struct yjs_bytes got = {0};

    ok(yjs_value_to_json(doc, value, &got));
    assert_text(&got, want);
    yjs_bytes_free(&got);
}

/* ------------------------------------------------------------------- values */

static const uint8_t two_bytes[] = {0, 255};

/* One of each that an array takes, as they are written and as they are read. */
static const struct {
    struct yjs_value value;
    const char *json;
} each[] = {
    {{.kind = YJS_VALUE_NULL}, "null"},
    {{.kind = YJS_VALUE_BOOL, .boolean = true}, "true"},
    {{.kind = YJS_VALUE_BOOL}, "false"},
    {{.kind = YJS_VALUE_NUMBER, .number = -12}, "-12"},
    {{.kind = YJS_VALUE_NUMBER, .number = 0.1}, "0.1"},
    {{.kind = YJS_VALUE_NUMBER, .number = 1e300}, "1e+300"},
    {{.kind = YJS_VALUE_STRING, .bytes = {(const uint8_t *)"\303\274\"", 3}},
     "\"\303\274\\\"\""},
    {{.kind = YJS_VALUE_BYTES, .bytes = {two_bytes, 2}}, "{\"0\":0,\"1\":255}"},
    {{.kind = YJS_VALUE_JSON, .bytes = {(const uint8_t *)"{\"a\":[1,2]}", 11}},
     "{\"a\":[1,2]}"},
    {{.kind = YJS_VALUE_TYPE, .type_kind = YJS_TYPE_MAP}, "{}"},
    {{.kind = YJS_VALUE_TYPE,
      .type_kind = YJS_TYPE_XML_ELEMENT,
      .name = {(const uint8_t *)"P", 1}},
     "\"<p></p>\""},
    {{.kind = YJS_VALUE_DOC, .name = {(const uint8_t *)"guid", 4}}, "{}"},
};

enum { EACH = sizeof(each) / sizeof(each[0]) };

static void push_each(yjs_doc *doc, struct yjs_type array)
{
    yjs_txn *txn;

    ok(yjs_txn_begin(doc, NULL, &txn));
    for (size_t i = 0; i < EACH; i++)
        ck_assert_msg(yjs_array_push(txn, array, &each[i].value, 1) == YJS_OK,
                      "value %zu", i);
    ok(yjs_txn_commit(txn));
}

START_TEST(test_values_of_every_kind_come_back)
{
    yjs_doc *doc = open_doc(false, NULL);
    struct yjs_type array = root(doc, "a", YJS_TYPE_ARRAY);
    struct yjs_value v;
    struct yjs_iter iter;
    struct yjs_span key;
    uint64_t n = 0;

    push_each(doc, array);
    ok(yjs_type_length(doc, array, &n));
    ck_assert_uint_eq(n, EACH);
    ok(yjs_iter_sequence(doc, array, &iter));
    for (size_t i = 0; i < EACH; i++) {
        ok(yjs_array_get(doc, array, i, &v));
        assert_value(doc, &v, each[i].json);
        ck_assert(yjs_iter_next(&iter, &key, &v));
        ck_assert_ptr_null(key.data);
        assert_value(doc, &v, each[i].json);
        if (each[i].value.kind == YJS_VALUE_JSON)
            ck_assert_int_eq(v.kind, YJS_VALUE_ANY);
        else
            ck_assert_int_eq(v.kind, each[i].value.kind);
    }
    ck_assert(!yjs_iter_next(&iter, NULL, &v));
    ck_assert_int_eq(iter.err, YJS_OK);
    ck_assert_int_eq(yjs_array_get(doc, array, EACH, &v), YJS_ERR_RANGE);
    ck_assert_int_eq(yjs_array_get(doc, array, UINT64_MAX, &v), YJS_ERR_RANGE);
    /* names are those of the writer */
    ok(yjs_array_get(doc, array, EACH - 2, &v));
    assert_span(v.name, "P");
    ck_assert_int_eq(v.type_kind, YJS_TYPE_XML_ELEMENT);
    ok(yjs_array_get(doc, array, EACH - 1, &v));
    assert_span(v.name, "guid");
    yjs_doc_free(doc);
}
END_TEST

/* What no document ever gave: refused, or made sense of. */
START_TEST(test_values_of_the_caller_are_checked)
{
    static const uint8_t endless[] = {117, 0xff, 0xff, 0xff, 0xff, 0x0f};
    static const uint8_t odd[] = {118, 2, 1, 'b', 125, 1, 1, '1', 126};
    yjs_doc *doc = open_doc(false, NULL);
    struct yjs_value v = {.kind = YJS_VALUE_ANY};
    struct yjs_bytes out = {0};

    ck_assert_int_eq(yjs_value_to_json(doc, &v, &out), YJS_ERR_TRUNCATED);
    v.bytes = (struct yjs_span){endless, sizeof(endless)};
    ck_assert_int_eq(yjs_value_to_json(doc, &v, &out), YJS_ERR_TRUNCATED);
    v.bytes = (struct yjs_span){odd, sizeof(odd)};
    assert_value(doc, &v, "{\"1\":null,\"b\":1}");
    v = json_value(" { \"b\" : 1.0 } ");
    assert_value(doc, &v, "{\"b\":1}");
    v = json_value("{");
    ck_assert_int_ne(yjs_value_to_json(doc, &v, &out), YJS_OK);
    v = string_value("\303(");
    ck_assert_int_eq(yjs_value_to_json(doc, &v, &out), YJS_ERR_MALFORMED);
    v = (struct yjs_value){.kind = YJS_VALUE_NUMBER, .number = NAN};
    assert_value(doc, &v, "null");
    v.kind = (enum yjs_value_kind)99;
    ck_assert_int_eq(yjs_value_to_json(doc, &v, &out), YJS_ERR_RANGE);
    ck_assert_ptr_null(out.data);
    yjs_doc_free(doc);
}
END_TEST

/* Content of kind JSON, which only old clients write. */
START_TEST(test_old_json_content_is_read_too)
{
    static const char update[] = "\1\1\x28\0\x02\1\1a\7"
                                 "\4true\1""5\3\"x\"\4\"\\\"\"\2[]\11undefined"
                                 "\4null\0";
    static const enum yjs_value_kind kinds[] = {
        YJS_VALUE_BOOL, YJS_VALUE_NUMBER,    YJS_VALUE_STRING, YJS_VALUE_JSON,
        YJS_VALUE_JSON, YJS_VALUE_UNDEFINED, YJS_VALUE_NULL};
    yjs_doc *doc = open_doc(false, NULL);
    struct yjs_value v;

    ok(yjs_apply_update(doc, (const uint8_t *)update, sizeof(update) - 1,
                        NULL));
    for (size_t i = 0; i < 7; i++) {
        ok(yjs_array_get(doc, root(doc, "a", YJS_TYPE_ARRAY), i, &v));
        ck_assert_int_eq(v.kind, kinds[i]);
    }
    assert_form(yjs_type_to_json, doc, root(doc, "a", YJS_TYPE_ARRAY),
                "[true,5,\"x\",\"\\\"\",[],null,null]");
    yjs_doc_free(doc);
}
END_TEST

/* Text in an array counts by its units, as it does in Yjs. */
START_TEST(test_text_in_an_array_is_units)
{
    static const char update[] = "\1\1\x28\0\x04\1\1a\7x\360\237\230\200\303"
                                 "\274\0";
    static const char *const want[] = {"x", "\357\277\275", "\357\277\275",
                                       "\303\274"};
    yjs_doc *doc = open_doc(false, NULL);
    struct yjs_type array;
    struct yjs_iter iter;
    struct yjs_value v;

    ok(yjs_apply_update(doc, (const uint8_t *)update, sizeof(update) - 1,
                        NULL));
    array = root(doc, "a", YJS_TYPE_ARRAY);
    ok(yjs_iter_sequence(doc, array, &iter));
    for (size_t i = 0; i < 4; i++) {
        ok(yjs_array_get(doc, array, i, &v));
        assert_span(v.bytes, want[i]);
        ck_assert(yjs_iter_next(&iter, NULL, &v));
        assert_span(v.bytes, want[i]);
    }
    ck_assert(!yjs_iter_next(&iter, NULL, &v));
    yjs_doc_free(doc);
}
END_TEST

/* -------------------------------------------------------------------- types */

START_TEST(test_entries_and_where_types_are)
{
    yjs_doc *doc = open_doc(false, NULL);
    struct yjs_type map = root(doc, "m", YJS_TYPE_MAP), nested, parent;
    struct yjs_value v = type_value(YJS_TYPE_TEXT, "");
    struct yjs_span key, name;
    struct yjs_iter iter;
    enum yjs_type_kind kind;
    uint64_t n;
    yjs_txn *txn;

    ok(yjs_txn_begin(doc, NULL, &txn));
    ok(yjs_map_set(txn, map, span("z"), &v));
    v = (struct yjs_value){.kind = YJS_VALUE_BIGINT, .bigint = INT64_MIN};
    ok(yjs_map_set(txn, map, span(""), &v));
    ok(yjs_map_set(txn, map, span("gone"), &v));
    ok(yjs_map_delete(txn, map, span("gone")));
    /* the transaction is open: reading sees what it did */
    ok(yjs_map_size(doc, map, &n));
    ck_assert_uint_eq(n, 2);
    ok(yjs_txn_commit(txn));
    ok(yjs_map_get(doc, map, span("gone"), &v));
    ck_assert_int_eq(v.kind, YJS_VALUE_UNDEFINED);
    ok(yjs_map_get(doc, map, span("never"), &v));
    ck_assert_int_eq(v.kind, YJS_VALUE_UNDEFINED);
    ok(yjs_iter_entries(doc, map, &iter));
    ck_assert(yjs_iter_next(&iter, &key, &v));
    assert_span(key, "z");
    nested = v.type;
    ck_assert(yjs_iter_next(&iter, &key, &v));
    assert_span(key, "");
    ck_assert_ptr_nonnull(key.data);
    ck_assert_int_eq(v.kind, YJS_VALUE_BIGINT);
    assert_value(doc, &v, "-9223372036854775808");
    ck_assert(!yjs_iter_next(&iter, &key, &v));

    ok(yjs_type_kind(doc, nested, &kind));
    ck_assert_int_eq(kind, YJS_TYPE_TEXT);
    ok(yjs_type_parent(doc, nested, &parent, &key));
    assert_span(key, "z");
    ck_assert_ptr_eq(parent.root, map.root);
    ck_assert_int_eq(yjs_type_parent(doc, map, &parent, &key), YJS_ERR_RANGE);
    ok(yjs_type_name(doc, map, &name));
    assert_span(name, "m");
    ck_assert_int_eq(yjs_type_name(doc, nested, &name), YJS_ERR_TYPE);
    yjs_doc_free(doc);
}
END_TEST

START_TEST(test_types_have_what_their_kind_has)
{
    yjs_doc *doc = open_doc(false, NULL);
    struct yjs_type text = root(doc, "t", YJS_TYPE_TEXT);
    struct yjs_type map = root(doc, "m", YJS_TYPE_MAP);
    struct yjs_type array = root(doc, "a", YJS_TYPE_ARRAY);
    struct yjs_bytes out = {0};
    struct yjs_iter iter;
    struct yjs_value v;
    uint64_t n;

    ck_assert_int_eq(yjs_array_get(doc, text, 0, &v), YJS_ERR_TYPE);
    ck_assert_int_eq(yjs_array_get(doc, map, 0, &v), YJS_ERR_TYPE);
    ck_assert_int_eq(yjs_map_get(doc, array, span("k"), &v), YJS_ERR_TYPE);
    ck_assert_int_eq(yjs_map_size(doc, array, &n), YJS_ERR_TYPE);
    ck_assert_int_eq(yjs_iter_entries(doc, array, &iter), YJS_ERR_TYPE);
    ck_assert_int_eq(yjs_iter_sequence(doc, map, &iter), YJS_ERR_TYPE);
    ck_assert_int_eq(yjs_text_to_delta(doc, array, &out), YJS_ERR_TYPE);
    ck_assert_int_eq(yjs_type_to_string(doc, map, &out), YJS_ERR_TYPE);
    ok(yjs_iter_sequence(doc, text, &iter));
    ck_assert(!yjs_iter_next(&iter, NULL, &v));
    ok(yjs_map_size(doc, text, &n));
    ck_assert_uint_eq(n, 0);
    yjs_doc_free(doc);
}
END_TEST

/* A handle outlives its type: every call says that it is gone. */
START_TEST(test_deleted_types_say_so)
{
    yjs_doc *doc = open_doc(false, NULL);
    struct yjs_type map = root(doc, "m", YJS_TYPE_MAP), nested;
    struct yjs_value v = type_value(YJS_TYPE_XML_ELEMENT, "p");
    struct yjs_bytes out = {0};
    struct yjs_position pos;
    struct yjs_span key;
    struct yjs_iter iter;
    enum yjs_type_kind kind;
    uint64_t n;
    yjs_txn *txn;

    ok(yjs_txn_begin(doc, NULL, &txn));
    ok(yjs_map_set(txn, map, span("k"), &v));
    ok(yjs_txn_commit(txn));
    ok(yjs_map_get(doc, map, span("k"), &v));
    nested = v.type;
    ok(yjs_position_at(doc, nested, 0, 0, &pos));
    ok(yjs_txn_begin(doc, NULL, &txn));
    ok(yjs_map_clear(txn, map));
    ok(yjs_txn_commit(txn));
    ck_assert_int_eq(yjs_type_kind(doc, nested, &kind), YJS_ERR_DELETED);
    ck_assert_int_eq(yjs_type_name(doc, nested, &key), YJS_ERR_DELETED);
    ck_assert_int_eq(yjs_type_length(doc, nested, &n), YJS_ERR_DELETED);
    ck_assert_int_eq(yjs_type_parent(doc, nested, &map, &key),
                     YJS_ERR_DELETED);
    ck_assert_int_eq(yjs_array_get(doc, nested, 0, &v), YJS_ERR_DELETED);
    ck_assert_int_eq(yjs_map_get(doc, nested, span("k"), &v), YJS_ERR_DELETED);
    ck_assert_int_eq(yjs_map_size(doc, nested, &n), YJS_ERR_DELETED);
    ck_assert_int_eq(yjs_iter_sequence(doc, nested, &iter), YJS_ERR_DELETED);
    ck_assert_int_eq(yjs_iter_entries(doc, nested, &iter), YJS_ERR_DELETED);
    ck_assert_int_eq(yjs_type_to_json(doc, nested, &out), YJS_ERR_DELETED);
    ck_assert_int_eq(yjs_type_to_string(doc, nested, &out), YJS_ERR_DELETED);
    ck_assert_int_eq(yjs_position_at(doc, nested, 0, 0, &pos),
                     YJS_ERR_DELETED);
    /* the position at its end, as well */
    ck_assert_int_eq(yjs_position_resolve(doc, &pos, &nested, &n),
                     YJS_ERR_DELETED);
    yjs_doc_free(doc);
}
END_TEST

/* Yjs has the keys of a map in the order in which they came to be there, not
 * in the order in which they were first heard of. */
START_TEST(test_bug_entries_that_waited_come_last)
{
    /* client 40: clock 1 waits for clock 0, "a"; client 41 sets "b" */
    static const char waits[] = "\1\1\x28\1\x28\1\1m\1a\1\x7d\1\0";
    static const char other[] = "\1\1\x29\0\x28\1\1m\1b\1\x7d\2\0";
    static const char first[] = "\1\1\x28\0\x28\1\1m\1c\1\x7d\3\0";
    yjs_doc *doc = open_doc(false, NULL);

    ok(yjs_apply_update(doc, (const uint8_t *)waits, sizeof(waits) - 1, NULL));
    ok(yjs_apply_update(doc, (const uint8_t *)other, sizeof(other) - 1, NULL));
    ok(yjs_apply_update(doc, (const uint8_t *)first, sizeof(first) - 1, NULL));
    ok(yjs_doc_verify(doc));
    assert_form(yjs_type_to_json, doc, root(doc, "m", YJS_TYPE_MAP),
                "{\"b\":2,\"c\":3,\"a\":1}");
    yjs_doc_free(doc);
}
END_TEST

/* ------------------------------------------------------------------- limits */

/* Each of n formats is an attribute of all that follow: the delta grows with
 * n squared, in Yjs as here. A limit stops it. */
START_TEST(test_a_limit_stops_long_deltas)
{
    enum { N = 300 };
    struct yjs_doc_options opt = {.client_id = 7,
                                  .limits = {.text_bytes = 1 << 16}};
    struct yjs_bytes out = {0};
    struct yjs_type text;
    char attributes[64];
    yjs_doc *doc = NULL;
    yjs_txn *txn;

    ok(yjs_doc_new(&opt, &doc));
    text = root(doc, "t", YJS_TYPE_TEXT);
    ok(yjs_txn_begin(doc, NULL, &txn));
    for (int i = 0; i < N; i++) {
        ok(yjs_text_insert(txn, text, (uint64_t)i, span("x"),
                           (struct yjs_span){NULL, 0}));
        snprintf(attributes, sizeof(attributes), "{\"key%d\":true}", i);
        ok(yjs_text_format(txn, text, (uint64_t)i, 1, span(attributes)));
    }
    ok(yjs_txn_commit(txn));
    ck_assert_int_eq(yjs_text_to_delta(doc, text, &out), YJS_ERR_LIMIT);
    ck_assert_int_eq(yjs_type_to_json(doc, text, &out), YJS_OK);
    yjs_bytes_free(&out);
    yjs_doc_free(doc);
}
END_TEST

/* A type in a type in a type: no stack of C's is used up. */
START_TEST(test_deep_nesting_is_read)
{
    enum { N = 5000 };
    yjs_doc *doc = open_doc(false, NULL);
    struct yjs_type type = root(doc, "a", YJS_TYPE_ARRAY);
    struct yjs_value v = type_value(YJS_TYPE_ARRAY, "");
    struct yjs_bytes out = {0};
    yjs_txn *txn;

    ok(yjs_txn_begin(doc, NULL, &txn));
    for (int i = 0; i < N; i++) {
        struct yjs_value got;

        ok(yjs_array_push(txn, type, &v, 1));
        ok(yjs_array_get(doc, type, 0, &got));
        type = got.type;
    }
    ok(yjs_txn_commit(txn));
    ok(yjs_type_to_json(doc, root(doc, "a", YJS_TYPE_ARRAY), &out));
    ck_assert_uint_eq(out.len, 2 * N + 2);
    yjs_bytes_free(&out);
    yjs_doc_free(doc);
}
END_TEST

/* ----------------------------------------------------- snapshots, positions */

static int count_clocks(void *ctx, uint64_t client, uint64_t clock)
{
    *(uint64_t *)ctx += client + clock;
    return 0;
}

static int stop(void *ctx, struct yjs_id first, uint64_t len)
{
    *(uint64_t *)ctx += first.clock + len;
    return 42;
}

START_TEST(test_snapshots_that_are_wrong)
{
    static const uint8_t deletes_only[] = {1, 7, 1, 0, 2};
    static const uint8_t sound[] = {1, 7, 1, 0, 2, 1, 7, 5};
    static const uint8_t overflow[] = {1,    7,    1,    0xff, 0xff, 0xff, 0xff,
                                       0xff, 0xff, 0xff, 0x0f, 2,    0};
    struct yjs_update_options two = {.format = YJS_FORMAT_V2};
    uint64_t seen = 0;
    struct yjs_snapshot_visitor visitor = {count_clocks, stop, &seen};
    struct yjs_update_error err = {9, 9};
    yjs_doc *doc = open_doc(true, NULL), *gc = open_doc(false, NULL);
    yjs_doc *past = NULL;
    bool all = true;

    ck_assert_int_eq(
        yjs_snapshot_visit((struct yjs_span){NULL, 0}, NULL, &visitor, &err),
        YJS_ERR_TRUNCATED);
    ck_assert_int_eq(yjs_snapshot_visit((struct yjs_span){deletes_only, 5},
                                        NULL, &visitor, &err),
                     YJS_ERR_TRUNCATED);
    ck_assert_uint_eq(err.index, 0);
    ck_assert_uint_eq(err.offset, 5);
    ck_assert_int_eq(yjs_snapshot_visit((struct yjs_span){overflow, 13}, &two,
                                        &visitor, &err),
                     YJS_ERR_MALFORMED);
    ck_assert_uint_eq(seen, 0);
    ck_assert_int_eq(
        yjs_snapshot_visit((struct yjs_span){sound, 8}, NULL, &visitor, &err),
        42);
    ck_assert_uint_eq(seen, 7 + 5 + 2);
    ck_assert_int_eq(yjs_snapshot_contains((struct yjs_span){sound, 8},
                                           (struct yjs_span){sound, 3}, NULL,
                                           &err, &all),
                     YJS_ERR_TRUNCATED);
    ck_assert_uint_eq(err.index, 1);
    ck_assert(all);
    /* of a document that knows nothing of it */
    ck_assert_int_eq(yjs_doc_at_snapshot(doc, (struct yjs_span){sound, 8},
                                         YJS_FORMAT_V1, NULL, &past),
                     YJS_ERR_RANGE);
    ck_assert_int_eq(yjs_doc_at_snapshot(gc, (struct yjs_span){sound, 8},
                                         YJS_FORMAT_V1, NULL, &past),
                     YJS_ERR_STATE);
    ck_assert_ptr_null(past);
    yjs_doc_free(doc);
    yjs_doc_free(gc);
}
END_TEST

START_TEST(test_positions_that_are_wrong)
{
    static const uint8_t kind[] = {3, 1, 1};
    static const uint8_t cut[] = {0, 1};
    static const uint8_t name[] = {1, 2, 0xc3, 0x28};
    static const uint8_t far[] = {0,    1,    1,    0xbf, 0xff, 0xff, 0xff,
                                  0xff, 0xff, 0xff, 0xff, 0xff, 0x0f};
    struct yjs_position pos = {.assoc = 5};
    struct yjs_bytes out = {0};

    ck_assert_int_eq(yjs_position_decode(NULL, 0, &pos), YJS_ERR_TRUNCATED);
    ck_assert_int_eq(yjs_position_decode(kind, 3, &pos), YJS_ERR_MALFORMED);
    ck_assert_int_eq(yjs_position_decode(cut, 2, &pos), YJS_ERR_TRUNCATED);
    ck_assert_int_eq(yjs_position_decode(name, 4, &pos), YJS_ERR_MALFORMED);
    ck_assert_int_eq(yjs_position_decode(far, 13, &pos), YJS_ERR_MALFORMED);
    ck_assert_int_eq(pos.assoc, 5);
    pos.assoc = INT64_MIN;
    ck_assert_int_eq(yjs_position_encode(&pos, NULL, &out), YJS_ERR_RANGE);
    ck_assert_ptr_null(out.data);
}
END_TEST

/* ------------------------------------------------- long items, by number */

static void expect_numbers(yjs_doc *doc, struct yjs_type list,
                           const double *want, size_t n)
{
    struct yjs_value v;

    for (size_t i = 0, at = 0; i < n; i++, at = (at + 7919) % n) {
        ok(yjs_array_get(doc, list, at, &v));
        ck_assert_int_eq(v.kind, YJS_VALUE_NUMBER);
        ck_assert(v.number >= want[at] && v.number <= want[at]);
    }
    ck_assert_int_eq(yjs_array_get(doc, list, n, &v), YJS_ERR_RANGE);
}

/* What was read before a change must not be taken for what is there then, and
 * what was borrowed stays where it is while others are read. */
START_TEST(test_elements_of_long_items_by_number)
{
    struct fail_alloc fa = {0, 0};
    yjs_doc *doc = open_doc(false, &fa);
    struct yjs_type list[6];
    struct yjs_value v = {.kind = YJS_VALUE_NUMBER}, word;
    double want[1300];
    yjs_txn *txn;

    for (size_t k = 0; k < 6; k++) { /* more than are remembered */
        char name[2] = {(char)('a' + k), 0};

        list[k] = root(doc, name, YJS_TYPE_ARRAY);
        ok(yjs_txn_begin(doc, NULL, &txn));
        for (size_t i = 0; i < 1000; i++) {
            v.number = want[i] = (double)(i * i);
            ok(yjs_array_push(txn, list[k], &v, 1));
        }
        ok(yjs_txn_commit(txn));
    }
    for (size_t k = 0; k < 12; k++) {
        fa.fail_in = k < 6 ? 1 : 0; /* without memory, slowly */
        expect_numbers(doc, list[k % 6], want, 1000);
    }
    fa.fail_in = 0;
    ok(yjs_txn_begin(doc, NULL, &txn));
    word = string_value("a word that is borrowed");
    for (size_t i = 0; i < 300; i++)
        ok(yjs_array_push(txn, list[1], &word, 1));
    ok(yjs_array_get(doc, list[1], 1000, &word));
    ok(yjs_array_get(doc, list[1], 1299, &v));
    ck_assert_ptr_ne(v.bytes.data, word.bytes.data);
    ck_assert_uint_eq(word.bytes.len, 23);
    ck_assert_int_eq(memcmp(word.bytes.data, v.bytes.data, 23), 0);
    v = (struct yjs_value){.kind = YJS_VALUE_NUMBER, .number = -5};
    for (size_t i = 1000; i < 1300; i++) {
        want[i] = -5;
        ok(yjs_array_push(txn, list[0], &v, 1));
    }
    expect_numbers(doc, list[0], want, 1300);
    ok(yjs_array_delete(txn, list[0], 200, 100));
    memmove(want + 200, want + 300, 1000 * sizeof(*want));
    expect_numbers(doc, list[0], want, 1200);
    yjs_txn_abort(txn);
    for (size_t i = 0; i < 1000; i++)
        want[i] = (double)(i * i);
    expect_numbers(doc, list[0], want, 1000);
    expect_numbers(doc, list[1], want, 1000);
    ok(yjs_doc_verify(doc));
    yjs_doc_free(doc);
    ck_assert_uint_eq(fa.blocks, 0);
}
END_TEST

/* ------------------------------------------------------------ memory ending */

static void fill(yjs_doc *doc)
{
    struct yjs_type text = root(doc, "t", YJS_TYPE_TEXT);
    struct yjs_type xml = root(doc, "x", YJS_TYPE_XML_FRAGMENT);
    struct yjs_type map = root(doc, "m", YJS_TYPE_MAP);
    struct yjs_value v = json_value("{\"1\":[[\"deep\"]],\"0\":2}");
    yjs_txn *txn;

    push_each(doc, root(doc, "a", YJS_TYPE_ARRAY));
    ok(yjs_txn_begin(doc, NULL, &txn));
    ok(yjs_text_insert(txn, text, 0, span("some text"), span("{\"b\":1}")));
    ok(yjs_text_format(txn, text, 2, 4, span("{\"10\":{\"c\":2},\"2\":0}")));
    ok(yjs_text_insert_embed(txn, text, 3, &v, span("{}")));
    ok(yjs_map_set(txn, map, span("k"), &v));
    v = type_value(YJS_TYPE_XML_ELEMENT, "p");
    ok(yjs_array_push(txn, xml, &v, 1));
    v = type_value(YJS_TYPE_XML_TEXT, "");
    ok(yjs_array_push(txn, xml, &v, 1));
    ok(yjs_array_get(doc, xml, 1, &v));
    ok(yjs_text_insert(txn, v.type, 0, span("x\"y"), span("{\"b\":\"12\"}")));
    ok(yjs_text_delete(txn, text, 1, 2));
    ok(yjs_txn_commit(txn));
}

struct question {
    yjs_doc *doc;
    struct yjs_type type;
    struct yjs_bytes snapshot;
    struct yjs_allocator alloc;
    form fn;
};

static int ask_form(struct question *q)
{
    struct yjs_bytes out = {0};
    int rc = q->fn(q->doc, q->type, &out);

    ck_assert(rc == YJS_OK || out.data == NULL);
    yjs_bytes_free(&out);
    return rc;
}

static int ask_values(struct question *q)
{
    struct yjs_value v;
    struct yjs_iter iter;
    int rc = yjs_iter_sequence(q->doc, q->type, &iter);

    while (rc == YJS_OK && yjs_iter_next(&iter, NULL, &v)) {
        struct yjs_bytes out = {0};

        rc = yjs_value_to_json(q->doc, &v, &out);
        yjs_bytes_free(&out);
    }
    for (uint64_t i = 0; i < EACH && rc == YJS_OK; i++)
        rc = yjs_array_get(q->doc, q->type, i, &v);
    return rc == YJS_OK ? iter.err : rc;
}

static int ask_snapshot(struct question *q)
{
    struct yjs_update_options opt = {.format = YJS_FORMAT_V2,
                                     .alloc = q->alloc};
    struct yjs_doc_options doc_opt = {.alloc = q->alloc};
    struct yjs_span s = {q->snapshot.data, q->snapshot.len};
    struct yjs_snapshot_visitor nobody = {NULL, NULL, NULL};
    struct yjs_bytes out = {0};
    yjs_doc *past = NULL;
    int rc = yjs_snapshot_encode(q->doc, YJS_FORMAT_V2, &out);

    yjs_bytes_free(&out);
    if (rc == YJS_OK)
        rc = yjs_snapshot_visit(s, &opt, &nobody, NULL);
    if (rc == YJS_OK)
        rc = yjs_doc_at_snapshot(q->doc, s, YJS_FORMAT_V2, &doc_opt, &past);
    yjs_doc_free(past);
    return rc;
}

static int ask_position(struct question *q)
{
    struct yjs_position pos;
    struct yjs_bytes out = {0};
    struct yjs_type type;
    uint64_t index;
    int rc = yjs_position_at(q->doc, q->type, 3, -1, &pos);

    if (rc == YJS_OK)
        rc = yjs_position_encode(&pos, &q->alloc, &out);
    yjs_bytes_free(&out);
    if (rc == YJS_OK)
        rc = yjs_position_resolve(q->doc, &pos, &type, &index);
    return rc;
}

/* Fail at the first allocation, the second, ...; what is kept is the
 * document's, and goes with it. */
static void survive(struct fail_alloc *fa, struct question *q,
                    int (*ask)(struct question *q))
{
    int rc;

    for (size_t n = 1;; n++) {
        size_t blocks = fa->blocks;

        fa->fail_in = n;
        rc = ask(q);
        if (rc != YJS_ERR_NOMEM || fa->fail_in > 0)
            break;
        ck_assert_uint_le(fa->blocks, blocks + 4);
        ok(yjs_doc_verify(q->doc));
    }
    fa->fail_in = 0;
    ok(rc);
}

START_TEST(test_memory_may_end_anywhere)
{
    struct fail_alloc fa = {0, 0};
    struct question q = {.alloc = fail_alloc_hook(&fa)};

    q.doc = open_doc(true, &fa);
    fill(q.doc);
    ok(yjs_snapshot_encode(q.doc, YJS_FORMAT_V2, &q.snapshot));
    q.type = root(q.doc, "a", YJS_TYPE_ARRAY);
    q.fn = yjs_type_to_json;
    survive(&fa, &q, ask_form);
    survive(&fa, &q, ask_values);
    q.type = root(q.doc, "x", YJS_TYPE_XML_FRAGMENT);
    q.fn = yjs_type_to_string;
    survive(&fa, &q, ask_form);
    q.type = root(q.doc, "t", YJS_TYPE_TEXT);
    survive(&fa, &q, ask_form);
    q.fn = yjs_text_to_delta;
    survive(&fa, &q, ask_form);
    survive(&fa, &q, ask_snapshot);
    survive(&fa, &q, ask_position);
    yjs_bytes_free(&q.snapshot);
    yjs_doc_free(q.doc);
    ck_assert_uint_eq(fa.blocks, 0);
}
END_TEST

SUITE_MAIN("yjs_read", test_values_of_every_kind_come_back,
           test_values_of_the_caller_are_checked,
           test_old_json_content_is_read_too, test_text_in_an_array_is_units,
           test_entries_and_where_types_are,
           test_types_have_what_their_kind_has, test_deleted_types_say_so,
           test_bug_entries_that_waited_come_last,
           test_a_limit_stops_long_deltas, test_deep_nesting_is_read,
           test_snapshots_that_are_wrong, test_positions_that_are_wrong,
           test_elements_of_long_items_by_number, test_memory_may_end_anywhere)
