/* SPDX-License-Identifier: MIT */
/*
 * Documents beyond what the golden vectors show: limits, refusals that leave
 * no trace, memory that ends at any call, memory that comes back, and updates
 * made to be expensive.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail_alloc.h"
#include "yjs/doc.h"
#include "yjs/store.h"

/* ---------------------------------------------------------- making updates */

struct maker {
    struct yjs__mem mem;
    struct yjs__writer w;
};

static struct yjs__writer *begin(struct maker *m)
{
    yjs__mem_init(&m->mem, NULL, 0);
    yjs__writer_init(&m->w, &m->mem, 0);
    return &m->w;
}

static void end(struct maker *m)
{
    yjs__writer_deinit(&m->w);
}

static void put_str(struct yjs__writer *w, const char *s)
{
    yjs__write_var_bytes(w, s, strlen(s));
}

static void put_id(struct yjs__writer *w, uint64_t client, uint64_t clock)
{
    yjs__write_varuint(w, client);
    yjs__write_varuint(w, clock);
}

/* The head of an update with one block. */
static void put_block(struct yjs__writer *w, uint64_t structs, uint64_t client,
                      uint64_t clock)
{
    yjs__write_varuint(w, 1);
    yjs__write_varuint(w, structs);
    put_id(w, client, clock);
}

static int apply(yjs_doc *doc, const struct yjs__writer *w)
{
    /* a copy of exact size, so that ASan sees a read past the end */
    uint8_t *copy = malloc(w->len + 1);
    int rc;

    memcpy(copy, w->data, w->len);
    rc = yjs_apply_update(doc, copy, w->len, NULL);
    free(copy);
    ck_assert_int_eq(yjs__doc_check(doc), YJS_OK);
    return rc;
}

/* One text in the root "t". */
static int insert_text(yjs_doc *doc, uint64_t client, const char *text)
{
    struct maker m;
    struct yjs__writer *w = begin(&m);
    int rc;

    put_block(w, 1, client, 0);
    yjs__write_u8(w, 4);
    yjs__write_u8(w, 1);
    put_str(w, "t");
    put_str(w, text);
    yjs__write_u8(w, 0);
    rc = apply(doc, w);
    end(&m);
    return rc;
}

static int delete_range(yjs_doc *doc, uint64_t client, uint64_t clock,
                        uint64_t len)
{
    struct maker m;
    struct yjs__writer *w = begin(&m);
    int rc;

    yjs__write_u8(w, 0);
    yjs__write_varuint(w, 1);
    yjs__write_varuint(w, client);
    yjs__write_varuint(w, 1);
    put_id(w, clock, len);
    rc = apply(doc, w);
    end(&m);
    return rc;
}

static void expect_json(yjs_doc *doc, const char *spec, const char *want)
{
    struct yjs_bytes out = {0};

    ck_assert_int_eq(yjs_doc_to_json(doc, spec, &out), YJS_OK);
    ck_assert_uint_eq(out.len, strlen(want));
    ck_assert_int_eq(memcmp(out.data, want, out.len), 0);
    yjs_bytes_free(&out);
}

static struct yjs_bytes state_of(yjs_doc *doc)
{
    struct yjs_bytes out = {0};

    ck_assert_int_eq(yjs_encode_state_as_update(doc, NULL, 0, &out), YJS_OK);
    return out;
}

static yjs_doc *new_doc(void)
{
    yjs_doc *doc;

    ck_assert_int_eq(yjs_doc_new(NULL, &doc), YJS_OK);
    return doc;
}

/* ------------------------------------------------------------------- basics */

START_TEST(empty_documents)
{
    yjs_doc *doc = new_doc();
    struct yjs_bytes out = state_of(doc);

    ck_assert(yjs_doc_is_empty(doc));
    ck_assert_uint_lt(yjs_doc_heap(doc), 1024);
    ck_assert_uint_eq(out.len, 2);
    ck_assert_int_eq(memcmp(out.data, "\0\0", 2), 0);
    yjs_bytes_free(&out);
    ck_assert_int_eq(yjs_encode_state_vector(doc, &out), YJS_OK);
    ck_assert_uint_eq(out.len, 1);
    yjs_bytes_free(&out);
    ck_assert_int_eq(yjs_apply_update(doc, (const uint8_t *)"\0\0", 2, NULL),
                     YJS_OK);
    ck_assert(yjs_doc_is_empty(doc));
    expect_json(doc, "t:text,a:array,m:map,x:xml",
                "{\"t\":\"\",\"a\":[],\"m\":{},\"x\":\"\"}");
    expect_json(doc, "", "{}");
    ck_assert_int_eq(yjs_doc_to_json(doc, "t", &out), YJS_ERR_RANGE);
    ck_assert_int_eq(yjs_doc_to_json(doc, "t:what", &out), YJS_ERR_RANGE);
    yjs_doc_free(doc);
    yjs_doc_free(NULL);
}
END_TEST

START_TEST(results_say_what_happened)
{
    static const uint8_t later[] = {1, 1, 9, 3, 0x84, 9, 2, 1, 'z', 0};
    struct yjs_apply_result result;
    yjs_doc *doc = new_doc();

    ck_assert_int_eq(yjs_apply_update(doc, later, sizeof later, &result),
                     YJS_OK);
    ck_assert(!result.changed && result.pending);
    ck_assert(!yjs_doc_is_empty(doc));
    ck_assert_int_eq(insert_text(doc, 9, "xyy"), YJS_OK);
    expect_json(doc, "t:text", "{\"t\":\"xyyz\"}");
    ck_assert_int_eq(yjs_apply_update(doc, later, sizeof later, &result),
                     YJS_OK);
    ck_assert(!result.changed && !result.pending);
    ck_assert_int_eq(delete_range(doc, 9, 1, 2), YJS_OK);
    expect_json(doc, "t:text", "{\"t\":\"xz\"}");
    result.error_offset = 77;
    ck_assert_int_eq(yjs_apply_update(doc, later, 8, &result),
                     YJS_ERR_TRUNCATED);
    ck_assert_uint_eq(result.error_offset, 8);
    yjs_doc_free(doc);
}
END_TEST

START_TEST(pairs_are_cut)
{
    yjs_doc *doc = new_doc();

    ck_assert_int_eq(insert_text(doc, 5, "a\xf0\x9f\x98\x80" "b"), YJS_OK);
    ck_assert_int_eq(delete_range(doc, 5, 2, 1), YJS_OK);
    expect_json(doc, "t:text", "{\"t\":\"a\xef\xbf\xbd" "b\"}");
    yjs_doc_free(doc);
}
END_TEST

/* ----------------------------------------------------------------- refusals */

static const struct {
    const char *what;
    const char *bytes;
    size_t len;
    int err;
} refused[] = {
#define CASE(what, bytes, err) {what, bytes, sizeof(bytes) - 1, err}
    CASE("nothing at all", "", YJS_ERR_TRUNCATED),
    CASE("no delete set", "\0", YJS_ERR_TRUNCATED),
    CASE("more blocks than bytes", "\xff\xff\xff\xff\x0f", YJS_ERR_TRUNCATED),
    CASE("a content of no kind", "\1\1\7\0\x0b\1\1t\1\0", YJS_ERR_MALFORMED),
    CASE("a content of kind 31", "\1\1\7\0\x1f\1\1t\1\0", YJS_ERR_MALFORMED),
    CASE("a type of no kind", "\1\1\7\0\7\1\1t\7\0", YJS_ERR_MALFORMED),
    CASE("empty text", "\1\1\7\0\4\1\1t\0\0", YJS_ERR_MALFORMED),
    CASE("a GC of nothing", "\1\1\7\0\0\0\0", YJS_ERR_MALFORMED),
    CASE("no elements", "\1\1\7\0\10\1\1t\0\0", YJS_ERR_MALFORMED),
    CASE("bad UTF-8", "\1\1\7\0\4\1\1t\1\xff\0", YJS_ERR_MALFORMED),
    CASE("bad UTF-8 in a name", "\1\1\7\0\4\1\1\xc0\1a\0", YJS_ERR_MALFORMED),
    CASE("bad JSON", "\1\1\7\0\5\1\1t\1{\0", YJS_ERR_MALFORMED),
    CASE("bad JSON in a format", "\1\1\7\0\6\1\1t\1k\2tr\0",
         YJS_ERR_MALFORMED),
    CASE("a bad any", "\1\1\7\0\10\1\1t\1\x50\0", YJS_ERR_MALFORMED),
    CASE("a subdocument of null", "\1\1\7\0\11\1\1t\1g\x7e\0",
         YJS_ERR_MALFORMED),
    CASE("its own left origin", "\1\1\7\0\x84\7\0\1a\0", YJS_ERR_MALFORMED),
    CASE("an origin of its own to come", "\1\1\7\0\x84\7\5\1a\0",
         YJS_ERR_MALFORMED),
    CASE("its own right origin", "\1\1\7\0\x44\7\0\1a\0", YJS_ERR_MALFORMED),
    CASE("its own parent", "\1\1\7\0\4\0\7\0\1a\0", YJS_ERR_MALFORMED),
    CASE("the same client twice", "\2\1\7\0\0\1\1\7\1\0\1\0",
         YJS_ERR_MALFORMED),
    CASE("a clock over 2^53",
         "\1\2\7\0\0\xff\xff\xff\xff\xff\xff\xff\x0f\0\1\0",
         YJS_ERR_MALFORMED),
    CASE("a first clock over 2^53",
         "\1\1\7\xff\xff\xff\xff\xff\xff\xff\x1f\0\1\0", YJS_ERR_MALFORMED),
    CASE("a delete over 2^53",
         "\0\1\7\1\1\xff\xff\xff\xff\xff\xff\xff\x0f", YJS_ERR_MALFORMED),
    CASE("waiting deletes in disorder", "\0\1\7\2\5\1\1\1",
         YJS_ERR_MALFORMED),
    CASE("deletes cut off", "\0\1\7\2\1\1", YJS_ERR_TRUNCATED),
#undef CASE
};

/* Also after good structs, of which nothing may stay. */
START_TEST(refused_updates_leave_no_trace)
{
    static const char good[] = "\1\2\x09\0\4\1\1q\1a\7\1\1r\1";
    struct fail_alloc fa = {0, 0};
    struct yjs_doc_options opt = {.alloc = fail_alloc_hook(&fa)};
    struct yjs_bytes before, after;
    yjs_doc *doc;

    ck_assert_int_eq(yjs_doc_new(&opt, &doc), YJS_OK);
    ck_assert_int_eq(insert_text(doc, 3, "text"), YJS_OK);
    before = state_of(doc);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        uint8_t both[128];
        size_t blocks = fa.blocks, clients = doc->client_count;
        int rc = yjs_apply_update(doc, (const uint8_t *)refused[i].bytes,
                                  refused[i].len, NULL);

        ck_assert_msg(rc == refused[i].err, "%s: %d", refused[i].what, rc);
        if (refused[i].len > 1 && refused[i].bytes[0] == 1) {
            memcpy(both, good, sizeof good - 1);
            both[0] = 2;
            memcpy(both + sizeof good - 1, refused[i].bytes + 1,
                   refused[i].len - 1);
            rc = yjs_apply_update(doc, both,
                                  sizeof good - 2 + refused[i].len, NULL);
            ck_assert_msg(rc == refused[i].err, "%s: %d", refused[i].what, rc);
        }
        ck_assert_int_eq(yjs__doc_check(doc), YJS_OK);
        ck_assert_uint_le(fa.blocks, blocks + 24);
        ck_assert_uint_eq(doc->client_count, clients);
        after = state_of(doc);
        ck_assert_uint_eq(after.len, before.len);
        ck_assert_int_eq(memcmp(after.data, before.data, after.len), 0);
        yjs_bytes_free(&after);
    }
    yjs_bytes_free(&before);
    yjs_doc_free(doc);
    ck_assert_uint_eq(fa.blocks, 0);
}
END_TEST

/* The known beginning of a struct lies in another list than it says. */
START_TEST(liars_are_refused_late)
{
    static const uint8_t liar[] = {1, 1, 7, 2, 0x24, 1, 1, 't', 1, 'k',
                                   3, 'x', 'y', 'z', 0};
    yjs_doc *doc = new_doc();
    struct yjs_bytes before, after;

    ck_assert_int_eq(insert_text(doc, 7, "abc"), YJS_OK);
    before = state_of(doc);
    ck_assert_int_eq(yjs_apply_update(doc, liar, sizeof liar, NULL),
                     YJS_ERR_MALFORMED);
    ck_assert_int_eq(yjs__doc_check(doc), YJS_OK);
    after = state_of(doc);
    ck_assert_uint_eq(after.len, before.len);
    ck_assert_int_eq(memcmp(after.data, before.data, after.len), 0);
    yjs_bytes_free(&before);
    yjs_bytes_free(&after);
    yjs_doc_free(doc);
}
END_TEST

START_TEST(trailing_bytes_are_ignored)
{
    static const uint8_t update[] = {1, 1, 7, 0, 4, 1, 1, 't', 1, 'a', 0, 9, 9};
    yjs_doc *doc = new_doc();

    ck_assert_int_eq(yjs_apply_update(doc, update, sizeof update, NULL),
                     YJS_OK);
    expect_json(doc, "t:text", "{\"t\":\"a\"}");
    yjs_doc_free(doc);
}
END_TEST

/* ------------------------------------------------------------------- limits */

static enum yjs_limit fired; /* what the last document said */

static int with_limits(struct yjs_limits limits, const struct yjs__writer *w)
{
    struct yjs_doc_options opt = {.limits = limits};
    yjs_doc *doc;
    int rc;

    ck_assert_int_eq(yjs_doc_new(&opt, &doc), YJS_OK);
    rc = apply(doc, w);
    ck_assert(rc == YJS_OK || yjs_doc_is_empty(doc));
    ck_assert_int_eq(rc == YJS_ERR_LIMIT, yjs_doc_limit(doc) != YJS_LIMIT_NONE);
    fired = yjs_doc_limit(doc);
    yjs_doc_free(doc);
    return rc;
}

START_TEST(limits_stop)
{
    struct maker m;
    struct yjs__writer *w = begin(&m);

    yjs__write_varuint(w, 10);
    for (uint64_t client = 10; client > 0; client--) {
        yjs__write_varuint(w, 3);
        put_id(w, client, 5);
        for (int i = 0; i < 3; i++) {
            yjs__write_u8(w, 0);
            yjs__write_varuint(w, 1);
        }
    }
    yjs__write_varuint(w, 1);
    yjs__write_varuint(w, 1);
    yjs__write_varuint(w, 1);
    put_id(w, 1000, 5);
    ck_assert_int_eq(with_limits((struct yjs_limits){0}, w), YJS_OK);
    ck_assert_int_eq(
        with_limits((struct yjs_limits){.update_bytes = w->len}, w), YJS_OK);
    ck_assert_int_eq(
        with_limits((struct yjs_limits){.update_bytes = w->len - 1}, w),
        YJS_ERR_LIMIT);
    ck_assert_int_eq(fired, YJS_LIMIT_UPDATE_BYTES);
    ck_assert_int_eq(with_limits((struct yjs_limits){.structs = 30}, w),
                     YJS_OK);
    ck_assert_int_eq(with_limits((struct yjs_limits){.structs = 29}, w),
                     YJS_ERR_LIMIT);
    ck_assert_int_eq(fired, YJS_LIMIT_STRUCTS);
    ck_assert_int_eq(with_limits((struct yjs_limits){.clients = 10}, w),
                     YJS_OK);
    ck_assert_int_eq(with_limits((struct yjs_limits){.clients = 9}, w),
                     YJS_ERR_LIMIT);
    ck_assert_int_eq(fired, YJS_LIMIT_CLIENTS);
    ck_assert_int_eq(with_limits((struct yjs_limits){.pending_bytes = 64}, w),
                     YJS_ERR_LIMIT);
    ck_assert_int_eq(fired, YJS_LIMIT_PENDING_BYTES);
    ck_assert_int_eq(with_limits((struct yjs_limits){.doc_bytes = 2048}, w),
                     YJS_ERR_LIMIT);
    ck_assert_int_eq(fired, YJS_LIMIT_DOC_BYTES);
    end(&m);
}
END_TEST

/* Ten clients write at the start of one text: each passes those before it. */
START_TEST(conflicts_stop)
{
    struct maker m;
    struct yjs__writer *w = begin(&m);
    size_t needed;

    yjs__write_varuint(w, 10);
    for (uint64_t client = 1; client <= 10; client++) {
        yjs__write_varuint(w, 1);
        put_id(w, client, 0);
        yjs__write_u8(w, 4);
        yjs__write_u8(w, 1);
        put_str(w, "t");
        put_str(w, "x");
    }
    yjs__write_u8(w, 0);
    for (needed = 1; needed < 100; needed++)
        if (with_limits((struct yjs_limits){.conflicts = needed}, w) == YJS_OK)
            break;
        else
            ck_assert_int_eq(fired, YJS_LIMIT_CONFLICTS);
    ck_assert_uint_ge(needed, 9);
    ck_assert_uint_le(needed, 45);
    ck_assert_int_eq(with_limits((struct yjs_limits){0}, w), YJS_OK);
    end(&m);
}
END_TEST

START_TEST(values_nested_too_deep_say_so)
{
    struct maker m;
    struct yjs__writer *w = begin(&m);

    put_block(w, 1, 1, 0);
    yjs__write_u8(w, 8);
    yjs__write_u8(w, 1);
    put_str(w, "a");
    yjs__write_u8(w, 1);
    for (int i = 0; i < 5; i++) {
        yjs__write_u8(w, 117);
        yjs__write_u8(w, 1);
    }
    yjs__write_u8(w, 126);
    yjs__write_u8(w, 0);
    ck_assert_int_eq(with_limits((struct yjs_limits){.depth = 5}, w), YJS_OK);
    ck_assert_int_eq(with_limits((struct yjs_limits){.depth = 4}, w),
                     YJS_ERR_LIMIT);
    ck_assert_int_eq(fired, YJS_LIMIT_DEPTH);
    end(&m);
}
END_TEST

/* ------------------------------------------------------------------- memory */

/* A history that touches everything: types, maps, formats, splits, pending. */
static const struct {
    const char *bytes;
    size_t len;
} history[] = {
#define UPDATE(bytes) {bytes, sizeof(bytes) - 1}
    /* root text with a nested text and formats */
    UPDATE("\1\3\1\0\7\1\1r\2\6\0\1\0\1b\4true\x84\1\1\5hello\0"),
    UPDATE("\1\2\2\0\xc4\1\3\1\4\2xy\x86\2\1\1b\4null\0"),
    /* a map with a conflict, an array of anys and JSON */
    UPDATE("\1\4\1\7\x28\1\1m\1k\1\x7d\1\x28\1\1m\1k\1\x7d\2\10\1\1a\3\x7e\x78"
           "\x77\1s\2\1\1a\1\13{\"b\":[1e2]}\0"),
    /* deletes that split, some of them waiting */
    UPDATE("\0\2\1\2\3\1\13\1\2\1\0\11"),
    /* structs that wait, and those they wait for */
    UPDATE("\1\1\3\4\x84\3\3\2zz\0"),
    UPDATE("\1\1\3\0\4\1\1t\4\xf0\x9f\x98\x80\1\3\1\1\1"),
    UPDATE("\1\1\3\2\x84\3\1\2pq\0"),
    /* the nested text goes with all that is in it */
    UPDATE("\0\1\1\1\0\1"),
#undef UPDATE
};

START_TEST(memory_may_end_anywhere)
{
    struct fail_alloc fa = {0, 0};
    struct yjs_doc_options opt = {.alloc = fail_alloc_hook(&fa),
                                  .keep_deleted = _i != 0};
    struct yjs_bytes before = {0}, after;
    yjs_doc *doc;

    for (size_t n = 1;; n++) {
        fa.fail_in = n;
        if (yjs_doc_new(&opt, &doc) == YJS_OK)
            break;
        ck_assert_uint_eq(fa.blocks, 0);
    }
    fa.fail_in = 0;
    for (size_t i = 0; i < sizeof history / sizeof *history; i++) {
        int rc = YJS_ERR_NOMEM;

        before = state_of(doc);
        for (size_t n = 1; rc == YJS_ERR_NOMEM; n++) {
            fa.fail_in = n;
            rc = yjs_apply_update(doc, (const uint8_t *)history[i].bytes,
                                  history[i].len, NULL);
            fa.fail_in = 0;
            ck_assert_int_eq(yjs__doc_check(doc), YJS_OK);
            if (rc != YJS_ERR_NOMEM)
                break;
            after = state_of(doc);
            ck_assert_uint_eq(after.len, before.len);
            ck_assert_int_eq(memcmp(after.data, before.data, after.len), 0);
            yjs_bytes_free(&after);
        }
        ck_assert_msg(rc == YJS_OK, "update %zu: %d", i, rc);
        yjs_bytes_free(&before);
    }
    /* encoding and printing fail cleanly as well */
    for (size_t n = 1, rc = 1; rc != 0; n++) {
        size_t blocks = fa.blocks;

        fa.fail_in = n;
        rc = yjs_encode_state_as_update(doc, NULL, 0, &after) != YJS_OK;
        fa.fail_in = 0;
        if (rc == 0)
            yjs_bytes_free(&after);
        ck_assert_uint_le(fa.blocks, blocks + 1);
    }
    for (size_t n = 1, rc = 1; rc != 0; n++) {
        size_t blocks = fa.blocks;

        fa.fail_in = n;
        rc = yjs_doc_to_json(doc, "r:array,m:map,a:array,t:text", &after) !=
             YJS_OK;
        fa.fail_in = 0;
        if (rc == 0)
            yjs_bytes_free(&after);
        ck_assert_uint_eq(fa.blocks, blocks);
    }
    yjs_doc_free(doc);
    ck_assert_uint_eq(fa.blocks, 0);
}
END_TEST

/* Many small structs that become one: the room they took comes back. */
START_TEST(memory_comes_back)
{
    const uint64_t n = 20000;
    yjs_doc *doc = new_doc();
    struct maker m;
    struct yjs__writer *w = begin(&m);

    put_block(w, n, 8, 0);
    for (uint64_t i = 0; i < n; i++) {
        yjs__write_u8(w, i == 0 ? 4 : 0x84);
        if (i == 0) {
            yjs__write_u8(w, 1);
            put_str(w, "t");
        } else {
            put_id(w, 8, i - 1);
        }
        put_str(w, "x");
    }
    yjs__write_u8(w, 0);
    ck_assert_int_eq(apply(doc, w), YJS_OK);
    ck_assert_uint_eq(yjs__client(doc, 0)->count, 1);
    ck_assert_uint_lt(yjs_doc_heap(doc), 2 * n);
    end(&m);
    yjs_doc_free(doc);
}
END_TEST

START_TEST(handles_move_with_their_items)
{
    yjs_doc *doc = new_doc();
    struct maker m;
    struct yjs__writer *w = begin(&m);
    const uint64_t n = 6000;

    /* entries of a map, of which most are overwritten, in a nested map */
    put_block(w, n + 1, 8, 0);
    yjs__write_u8(w, 7);
    yjs__write_u8(w, 1);
    put_str(w, "t");
    yjs__write_u8(w, 1);
    for (uint64_t i = 0; i < n; i++) {
        if (i < 2) {
            yjs__write_u8(w, 0x28);
            yjs__write_u8(w, 0);
            put_id(w, 8, 0);
            put_str(w, i % 2 ? "odd" : "even");
        } else {
            yjs__write_u8(w, 0xa8);
            put_id(w, 8, i);
        }
        yjs__write_u8(w, 1);
        yjs__write_u8(w, 125);
        yjs__write_u8(w, (uint8_t)(i % 60));
    }
    yjs__write_u8(w, 0);
    ck_assert_int_eq(apply(doc, w), YJS_OK);
    end(&m);
    ck_assert_uint_lt(doc->items.fresh, 1024);
    expect_json(doc, "t:array", "{\"t\":[{\"even\":0,\"odd\":59}]}");
    ck_assert_int_eq(delete_range(doc, 8, 0, 1), YJS_OK);
    expect_json(doc, "t:array", "{\"t\":[]}");
    yjs_doc_free(doc);
}
END_TEST

/* ------------------------------------------------------------------ hostile */

START_TEST(deep_types)
{
    const uint64_t n = 50000;
    yjs_doc *doc = new_doc();
    struct yjs_bytes out = {0};
    struct maker m;
    struct yjs__writer *w = begin(&m);

    put_block(w, n, 1, 0);
    for (uint64_t i = 0; i < n; i++) {
        yjs__write_u8(w, 7);
        yjs__write_u8(w, i == 0);
        if (i == 0)
            put_str(w, "t");
        else
            put_id(w, 1, i - 1);
        yjs__write_u8(w, (uint8_t)(i % 3 == 0 ? 3 : i % 2));
        if (i % 3 == 0)
            put_str(w, "p");
    }
    yjs__write_u8(w, 0);
    ck_assert_int_eq(apply(doc, w), YJS_OK);
    end(&m);
    ck_assert_int_eq(yjs_doc_to_json(doc, "t:array", &out), YJS_OK);
    yjs_bytes_free(&out);
    ck_assert_int_eq(delete_range(doc, 1, 0, 1), YJS_OK);
    ck_assert_uint_eq(yjs__client(doc, 0)->count, 2);
    yjs_doc_free(doc);
}
END_TEST

/* Splits from behind of one long content, each by a delete of one unit. */
START_TEST(splits_from_behind)
{
    const uint64_t n = 40000;
    yjs_doc *doc = new_doc();
    struct maker m;
    struct yjs__writer *w = begin(&m);

    put_block(w, 1, 1, 0);
    yjs__write_u8(w, 8);
    yjs__write_u8(w, 1);
    put_str(w, "t");
    yjs__write_varuint(w, n);
    for (uint64_t i = 0; i < n; i++) {
        yjs__write_u8(w, 125);
        yjs__write_u8(w, (uint8_t)(i % 64));
    }
    yjs__write_u8(w, 0);
    ck_assert_int_eq(apply(doc, w), YJS_OK);
    end(&m);
    w = begin(&m);
    yjs__write_u8(w, 0);
    yjs__write_varuint(w, 1);
    yjs__write_varuint(w, 1);
    yjs__write_varuint(w, n / 2);
    for (uint64_t i = n / 2; i > 0; i--)
        put_id(w, 2 * i - 2, 1);
    ck_assert_int_eq(apply(doc, w), YJS_OK);
    end(&m);
    ck_assert_uint_eq(yjs__client(doc, 0)->count, n);
    yjs_doc_free(doc);
}
END_TEST

START_TEST(huge_clocks)
{
    yjs_doc *doc = new_doc();
    struct yjs_bytes out;
    struct maker m;
    struct yjs__writer *w = begin(&m);
    uint64_t id = YJS__MAX_INT;

    put_block(w, 3, id, 0);
    yjs__write_u8(w, 0);
    yjs__write_varuint(w, (uint64_t)1 << 40);
    yjs__write_u8(w, 1);
    yjs__write_u8(w, 1);
    put_str(w, "t");
    yjs__write_varuint(w, (uint64_t)1 << 50);
    yjs__write_u8(w, 4);
    yjs__write_u8(w, 1);
    put_str(w, "t");
    put_str(w, "end");
    yjs__write_u8(w, 0);
    ck_assert_int_eq(apply(doc, w), YJS_OK);
    expect_json(doc, "t:text", "{\"t\":\"end\"}");
    /* the same again, byte by byte */
    out = state_of(doc);
    ck_assert_uint_gt(out.len, w->len);
    ck_assert_int_eq(memcmp(out.data, w->data, w->len - 1), 0);
    yjs_bytes_free(&out);
    end(&m);
    ck_assert_int_eq(delete_range(doc, id,
                                  ((uint64_t)1 << 40) + ((uint64_t)1 << 50) + 1,
                                  1),
                     YJS_OK);
    expect_json(doc, "t:text", "{\"t\":\"ed\"}");
    ck_assert_int_eq(delete_range(doc, id, (uint64_t)1 << 45, 5), YJS_OK);
    yjs_doc_free(doc);
}
END_TEST

/* Random bytes, and good updates with a byte changed: no crash, no trace. */
START_TEST(noise)
{
    uint32_t seed = 7;
    yjs_doc *doc = new_doc();

    for (int round = 0; round < 20000; round++) {
        uint8_t data[64];
        size_t i = (size_t)round % (sizeof history / sizeof *history);
        size_t len = history[i].len;

        memcpy(data, history[i].bytes, len);
        for (int k = 0; k < 1 + round % 3; k++) {
            seed = seed * 1664525u + 1013904223u;
            data[(seed >> 8) % len] = (uint8_t)(seed >> 24);
        }
        (void)!yjs_apply_update(doc, data, len - (seed >> 20) % 3, NULL);
        if (round % 16 == 0)
            ck_assert_int_eq(yjs__doc_check(doc), YJS_OK);
        if (round % 200 == 0) {
            yjs_doc_free(doc);
            doc = new_doc();
        }
    }
    yjs_doc_free(doc);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("yjs/doc");
    TCase *tcase = tcase_create("doc");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, empty_documents);
    tcase_add_test(tcase, results_say_what_happened);
    tcase_add_test(tcase, pairs_are_cut);
    tcase_add_test(tcase, refused_updates_leave_no_trace);
    tcase_add_test(tcase, liars_are_refused_late);
    tcase_add_test(tcase, trailing_bytes_are_ignored);
    tcase_add_test(tcase, limits_stop);
    tcase_add_test(tcase, conflicts_stop);
    tcase_add_test(tcase, values_nested_too_deep_say_so);
    tcase_add_loop_test(tcase, memory_may_end_anywhere, 0, 2);
    tcase_add_test(tcase, memory_comes_back);
    tcase_add_test(tcase, handles_move_with_their_items);
    tcase_add_test(tcase, deep_types);
    tcase_add_test(tcase, splits_from_behind);
    tcase_add_test(tcase, huge_clocks);
    tcase_add_test(tcase, noise);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
