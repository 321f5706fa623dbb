/* SPDX-License-Identifier: MIT */
/*
 * Typing, which does without a transaction: it ends where transactions end, it
 * is told like them, indexes stay true, and memory may be lacking anywhere.
 * What npm yjs makes of it is compared in tests/diff (profile `typing`).
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail_alloc.h"
#include "same_docs.h"
#include "yjs/store.h"
#include "yjs/txn.h"

static const struct yjs_span none = {NULL, 0};

/* A key: text to insert at the cursor, or how many units to take away before
 * (negative) or behind it; the cursor goes to `at` before that, if not -1. */
static const struct key {
    int at;
    const char *text;
    int away;
} keys[] = {
    {0, "o", 0},
    {-1, "n", 0},
    {-1, "e", 0},
    {-1, " ", 0},
    {-1, "two", 0},
    {-1, NULL, -1},
    {-1, NULL, -1},
    {-1, "hree", 0},
    {2, "X", 0},
    {-1, "Y", 0},
    {-1, "\xf0\x9f\x98\x80", 0},
    {-1, NULL, -1},
    {-1, NULL, -1},
    {-1, "Z", 0},
    {1, NULL, 1},
    {-1, NULL, 1},
    {-1, NULL, 2},
    {0, NULL, 1},
    {-1, "a", 0},
    {-1, "\xf0\x9f\x91\x8d", 0},
    {-1, "b", 0},
    {-1, NULL, -1},
    {-1, NULL, -1},
    {-1, "quite a long run of letters", 0},
    {-1, NULL, -1},
    {-1, NULL, -1},
    {-1, NULL, -3},
    {4, NULL, 1},
    {-1, NULL, 1},
    {-1, NULL, 1},
    {-1, "\xc3\xa9", 0},
    {-1, "!", 0},
};
#define KEYS (sizeof keys / sizeof *keys)

struct update {
    uint8_t bytes[128];
    size_t len;
};

static struct yjs_span span(const char *s)
{
    return (struct yjs_span){(const uint8_t *)s, strlen(s)};
}

static yjs_doc *new_doc(uint64_t client, bool keep, struct fail_alloc *fa)
{
    struct yjs_doc_options opt = {.client_id = client, .keep_deleted = keep};
    yjs_doc *doc;

    if (fa != NULL)
        opt.alloc = fail_alloc_hook(fa);
    ck_assert_int_eq(yjs_doc_new(&opt, &doc), YJS_OK);
    return doc;
}

static struct yjs_type text_of(yjs_doc *doc)
{
    struct yjs_type text;

    ck_assert_int_eq(yjs_doc_root(doc, span("t"), YJS_TYPE_TEXT, &text),
                     YJS_OK);
    return text;
}

static uint64_t length_of(yjs_doc *doc, struct yjs_type text)
{
    uint64_t length;

    ck_assert_int_eq(yjs_type_length(doc, text, &length), YJS_OK);
    return length;
}

static void keep_update(void *ctx, const struct yjs_update_event *event)
{
    struct update *u = ctx;

    ck_assert_uint_le(event->v1.len, sizeof u->bytes);
    memcpy(u->bytes, event->v1.data, event->v1.len);
    u->len = event->v1.len;
}

static void press(yjs_doc *doc, const struct key *key, uint64_t *cursor)
{
    struct yjs_type text = text_of(doc);
    uint64_t before = length_of(doc, text);
    yjs_txn *txn;
    int rc;

    if (key->at >= 0)
        *cursor = (uint64_t)key->at;
    if (key->away < 0)
        *cursor -= (uint64_t)-key->away;
    ck_assert_int_eq(yjs_txn_begin(doc, NULL, &txn), YJS_OK);
    if (key->text != NULL)
        rc = yjs_text_insert(txn, text, *cursor, span(key->text), none);
    else
        rc = yjs_text_delete(txn, text, *cursor, (uint64_t)abs(key->away));
    ck_assert_int_eq(rc, YJS_OK);
    ck_assert_int_eq(yjs_txn_commit(txn), YJS_OK);
    if (key->text != NULL)
        *cursor += length_of(doc, text) - before;
}

/* The updates of all keys, pressed one after the other. */
static yjs_doc *type_all(struct update *updates)
{
    yjs_doc *doc = new_doc(9, false, NULL);
    uint64_t cursor = 0;

    for (size_t i = 0; i < KEYS; i++) {
        yjs_doc_on_update(doc, YJS_FORMAT_V1, keep_update, &updates[i]);
        press(doc, &keys[i], &cursor);
    }
    yjs_doc_on_update(doc, 0, NULL, NULL);
    return doc;
}

START_TEST(typing_ends_where_transactions_end)
{
    struct update updates[KEYS], told;
    yjs_doc *peer = type_all(updates);
    yjs_doc *plain = new_doc(0, false, NULL), *heard = new_doc(0, false, NULL);
    yjs_doc *keeps = new_doc(0, true, NULL);
    yjs_doc *follower = new_doc(0, false, NULL);

    yjs_doc_on_update(heard, YJS_FORMAT_V1, keep_update, &told);
    for (size_t i = 0; i < KEYS; i++) {
        struct yjs_apply_result result = {false, true, 7};

        ck_assert_int_eq(
            yjs_apply_update(plain, updates[i].bytes, updates[i].len, &result),
            YJS_OK);
        ck_assert(result.changed && !result.pending);
        told.len = 0;
        ck_assert_int_eq(
            yjs_apply_update(heard, updates[i].bytes, updates[i].len, &result),
            YJS_OK);
        ck_assert(result.changed && !result.pending);
        ck_assert_uint_eq(told.len, updates[i].len);
        ck_assert_mem_eq(told.bytes, updates[i].bytes, told.len);
        ck_assert_int_eq(yjs_apply_update(follower, told.bytes, told.len, NULL),
                         YJS_OK);
        ck_assert_int_eq(
            yjs_apply_update(keeps, updates[i].bytes, updates[i].len, NULL),
            YJS_OK);
        expect_equal(plain, heard);
        expect_equal(plain, follower);
    }
    expect_equal(plain, peer);
    ck_assert_uint_eq(yjs__client(plain, 0)->count,
                      yjs__client(peer, 0)->count);
    ck_assert_uint_eq(length_of(plain, text_of(plain)),
                      length_of(keeps, text_of(keeps)));
    yjs_doc_free(peer);
    yjs_doc_free(plain);
    yjs_doc_free(heard);
    yjs_doc_free(keeps);
    yjs_doc_free(follower);
}
END_TEST

/* Typed again, or out of turn, it is what it always was: known, or waiting. */
START_TEST(typing_again_or_early)
{
    struct update updates[KEYS];
    yjs_doc *peer = type_all(updates), *doc = new_doc(0, false, NULL);
    struct yjs_apply_result result;

    for (size_t i = KEYS; i-- > 0;)
        ck_assert_int_eq(
            yjs_apply_update(doc, updates[i].bytes, updates[i].len, &result),
            YJS_OK);
    ck_assert(!result.pending);
    for (size_t i = 0; i < KEYS; i++) {
        ck_assert_int_eq(
            yjs_apply_update(doc, updates[i].bytes, updates[i].len, &result),
            YJS_OK);
        ck_assert(!result.changed);
    }
    ck_assert_uint_eq(length_of(doc, text_of(doc)),
                      length_of(peer, text_of(peer)));
    yjs_doc_free(peer);
    yjs_doc_free(doc);
}
END_TEST

/* A letter goes in at the cursor, or the one before it comes out. */
static void write_down(char *want, uint64_t at, const char *text, size_t len)
{
    if (len > 0) {
        memmove(want + at + len, want + at, strlen(want + at) + 1);
        memcpy(want + at, text, len);
    } else {
        memmove(want + at - 1, want + at, strlen(want + at) + 1);
    }
}

static void expect_text(yjs_doc *doc, const char *want)
{
    struct yjs_bytes got;

    ck_assert_int_eq(yjs_type_to_string(doc, text_of(doc), &got), YJS_OK);
    ck_assert_uint_eq(got.len, strlen(want));
    ck_assert_mem_eq(got.data, want, got.len);
    yjs_bytes_free(&got);
}

/* Who edits a text has markers in it; they go when a peer types. */
START_TEST(indexes_stay_true_while_a_peer_types)
{
    static const struct key letter = {-1, "x", 0}, back = {-1, NULL, -1};
    yjs_doc *mine = new_doc(5, false, NULL), *peer = new_doc(9, false, NULL);
    struct yjs_type text = text_of(mine);
    struct update typed, written;
    uint64_t cursor = 0;
    char want[600] = "", word[8];

    yjs_doc_on_update(peer, YJS_FORMAT_V1, keep_update, &typed);
    yjs_doc_on_update(mine, YJS_FORMAT_V1, keep_update, &written);
    for (int i = 0; i < 100; i++) {
        uint64_t at = length_of(mine, text) * 3 / 4;
        bool takes_back = i % 5 >= 3;
        yjs_txn *txn;

        /* a word of our own, by its index */
        snprintf(word, sizeof word, "<%02d>", i);
        ck_assert_int_eq(yjs_txn_begin(mine, NULL, &txn), YJS_OK);
        ck_assert_int_eq(yjs_text_insert(txn, text, at, span(word), none),
                         YJS_OK);
        ck_assert_int_eq(yjs_txn_commit(txn), YJS_OK);
        write_down(want, at, word, 4);
        ck_assert_int_eq(
            yjs_apply_update(peer, written.bytes, written.len, NULL), YJS_OK);
        if (i == 0)
            cursor = 2;
        /* three letters of the peer, two of them taken back */
        write_down(want, cursor, "x", takes_back ? 0 : 1);
        press(peer, takes_back ? &back : &letter, &cursor);
        ck_assert_int_eq(yjs_apply_update(mine, typed.bytes, typed.len, NULL),
                         YJS_OK);
        expect_text(mine, want);
    }
    expect_equal(mine, peer);
    yjs_doc_free(mine);
    yjs_doc_free(peer);
}
END_TEST

/*
 * Updates that look like typing. Each is applied as it is, and with a deletion
 * of nothing added, which is never taken for typing: the same must come out.
 */
static const struct {
    const char *bytes;
    size_t len;
} nearly[][4] = {
#define UPDATE(literal)                                                        \
    {                                                                          \
        literal, sizeof(literal) - 1                                           \
    }
    /* text as the value of a key: who comes later deletes it */
    {UPDATE("\1\1\1\0\x24\1\1m\1k\1a"), UPDATE("\1\1\1\1\x84\1\0\1b")},
    /* behind the letter before the last */
    {UPDATE("\1\1\1\0\4\1\1t\2ab"), UPDATE("\1\1\1\2\x84\1\0\1c")},
    /* somebody stands between, and names no right origin */
    {UPDATE("\1\1\2\0\4\1\1t\1a"), UPDATE("\1\1\1\0\x84\2\0\1x"),
     UPDATE("\1\1\2\1\x84\2\0\1b")},
    /* somebody stands there who wrote the right origin as well */
    {UPDATE("\1\2\3\0\4\1\1t\1l\x84\3\0\1r"), UPDATE("\1\1\5\0\xc4\3\0\3\1\1a"),
     UPDATE("\1\1\3\2\xc4\5\0\3\1\1x"), UPDATE("\1\1\5\1\xc4\5\0\3\1\1b")},
    /* a right origin of the same clock, but not of the same client */
    {UPDATE("\2\1\4\0\4\1\1o\2pq\2\3\0\4\1\1t\1l\x84\3\0\1r"),
     UPDATE("\1\1\1\0\xc4\3\0\3\1\1a"), UPDATE("\1\1\1\1\xc4\1\0\4\1\1b")},
    /* a right origin in another list, and then none */
    {UPDATE("\2\1\3\0\4\1\1o\1r\1\2\0\4\1\1t\1l"),
     UPDATE("\1\1\1\0\xc4\2\0\3\0\1a"), UPDATE("\1\1\1\1\x84\1\0\1b")},
    /* the last text before an embed */
    {UPDATE("\1\1\1\0\4\1\1t\3abc"), UPDATE("\1\1\1\3\x85\1\2\1\61"),
     UPDATE("\0\1\1\1\2\1")},
    /* the first text behind one */
    {UPDATE("\1\2\1\0\4\1\1t\1z\x85\1\0\1\61"), UPDATE("\1\1\1\2\x84\1\1\3abc"),
     UPDATE("\0\1\1\1\2\1")},
    /* no struct at all */
    {UPDATE("\1\1\1\0\4\1\1t\1a"), UPDATE("\1\0\1\1\x84\1\0\1b")},
    /* typing itself, before something */
    {UPDATE("\1\2\3\0\4\1\1t\1l\x84\3\0\1r"), UPDATE("\1\1\1\0\xc4\3\0\3\1\1a"),
     UPDATE("\1\1\1\1\xc4\1\0\3\1\1b")},
    /* two of the same right origin do not follow each other */
    {UPDATE("\1\2\3\0\4\1\1t\1l\x84\3\0\1r"),
     UPDATE("\2\1\2\0\xc4\1\0\3\1\1x\1\1\0\xc4\3\0\3\1\1a"),
     UPDATE("\1\1\1\1\xc4\1\0\3\1\1b")},
    {UPDATE("\1\2\3\0\4\1\1t\1l\x84\3\0\1r"),
     UPDATE("\2\1\2\0\xc4\3\0\3\1\1a\1\1\0\xc4\2\0\3\1\1x"),
     UPDATE("\1\1\2\1\xc4\2\0\3\1\1b")},
    /* half of a pair, from behind and from the front */
    {UPDATE("\1\1\1\0\4\1\1t\6a\xf0\x9f\x98\x80z"), UPDATE("\0\1\1\1\3\1"),
     UPDATE("\0\1\1\1\2\1")},
    {UPDATE("\1\1\1\0\4\1\1t\6a\xf0\x9f\x98\x80z"), UPDATE("\0\1\1\1\0\1"),
     UPDATE("\0\1\1\1\1\1")},
    /* all that is left of a text, and more than that */
    {UPDATE("\1\1\1\0\4\1\1t\3abc"), UPDATE("\0\1\1\1\2\1"),
     UPDATE("\0\1\1\1\0\2")},
    {UPDATE("\1\1\1\0\4\1\1t\3abc"), UPDATE("\0\1\1\1\2\1"),
     UPDATE("\0\1\1\1\1\11")},
    /* formats that are cleaned up when something beside them is deleted */
    {UPDATE("\1\1\1\0\4\1\1t\4abcz"), UPDATE("\0\1\1\1\2\1"),
     UPDATE("\1\2\2\0\xc6\1\2\1\3\1b\4true\xc6\2\0\1\3\1b\4true"),
     UPDATE("\0\1\1\1\1\1")},
    /* no UTF-8 */
    {UPDATE("\1\1\1\0\4\1\1t\1a"), UPDATE("\1\1\1\1\x84\1\0\1\xff")},
    /* a number in more bytes than it needs is a number */
    {UPDATE("\1\1\1\0\4\1\1t\1a"), UPDATE("\1\1\1\x81\0\x84\1\x80\0\1b")},
#undef UPDATE
};

static int apply_nearly(yjs_doc *doc, const char *bytes, size_t len,
                        const char *deletes, size_t more)
{
    uint8_t update[64];

    ck_assert_uint_le(len + more, sizeof update);
    memcpy(update, bytes, len);
    memcpy(update + len, deletes, more);
    return yjs_apply_update(doc, update, len + more, NULL);
}

START_TEST(what_only_looks_like_typing)
{
    yjs_doc *a = new_doc(0, _i & 1, NULL), *b = new_doc(0, _i & 1, NULL);
    size_t i = (size_t)_i / 2;

    (void)text_of(a); /* a text: only there formats are cleaned up */
    (void)text_of(b);
    for (size_t k = 0; k < 4 && nearly[i][k].bytes != NULL; k++) {
        const char *bytes = nearly[i][k].bytes;
        size_t len = nearly[i][k].len;
        int rc;

        if (bytes[0] == 0) { /* a range, and behind it one of nothing */
            char two[16];

            memcpy(two, bytes, len);
            two[3] = 2;
            rc = apply_nearly(a, bytes, len, "", 0);
            ck_assert_int_eq(apply_nearly(b, two, len, "\0\0", 2), rc);
        } else {
            rc = apply_nearly(a, bytes, len, "\0", 1);
            ck_assert_int_eq(apply_nearly(b, bytes, len, "\1\1\1\0\0", 5), rc);
        }
        expect_equal(a, b);
    }
    yjs_doc_free(a);
    yjs_doc_free(b);
}
END_TEST

/* Letters added in the update that deletes others, as overtyping does. */
START_TEST(a_letter_that_replaces_another)
{
    static const uint8_t abc[] = {1,   1, 1,   0,   4,   1, 1,
                                  't', 3, 'a', 'b', 'c', 0};
    static const uint8_t d[] = {1, 1, 1, 3, 0x84, 1, 2, 1, 'd', 1, 1, 1, 0, 1};
    yjs_doc *doc = new_doc(0, false, NULL);

    ck_assert_int_eq(yjs_apply_update(doc, abc, sizeof abc, NULL), YJS_OK);
    ck_assert_int_eq(yjs_apply_update(doc, d, sizeof d, NULL), YJS_OK);
    expect_text(doc, "bcd");
    yjs_doc_free(doc);
}
END_TEST

static void apply_all(yjs_doc *doc, const struct yjs_span *updates, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(
            yjs_apply_update(doc, updates[i].data, updates[i].len, NULL),
            YJS_OK);
}

#define BYTES(literal)                                                         \
    {                                                                          \
        (const uint8_t *)(literal), sizeof(literal) - 1                        \
    }

/* Two letters, two ranges, ranges of two clients; and a range of nothing. */
START_TEST(more_than_one_or_nothing)
{
    static const struct yjs_span updates[] = {
        BYTES("\1\1\1\0\4\1\1t\5abcde\0"),
        BYTES("\0\1\1\1\4\1"),
        BYTES("\1\2\1\5\x84\1\4\1f\x84\1\5\1g\0"),
        BYTES("\0\1\1\2\3\1\0\1"),
        BYTES("\1\1\2\0\x84\1\6\3xyz\0"),
        BYTES("\0\1\2\1\2\1"),
        BYTES("\0\2\2\1\1\1\1\1\1\1"),
    };
    static const uint8_t nothing[] = {0, 1, 1, 1, 2, 0};
    yjs_doc *doc = new_doc(0, false, NULL);
    struct yjs_apply_result result;

    apply_all(doc, updates, 4);
    expect_text(doc, "bcfg");
    apply_all(doc, updates + 4, 3);
    expect_text(doc, "cfgx");
    ck_assert_int_eq(yjs_apply_update(doc, nothing, sizeof nothing, &result),
                     YJS_OK);
    ck_assert(!result.changed);
    yjs_doc_free(doc);
}
END_TEST

/* Typing on in our own name: somebody else has our id. */
START_TEST(typing_in_our_own_name)
{
    static const uint8_t b[] = {1, 1, 9, 1, 0x84, 9, 0, 1, 'b', 0};
    yjs_doc *doc = new_doc(9, false, NULL);
    static const struct key a = {0, "a", 0};
    uint64_t cursor = 0;

    press(doc, &a, &cursor);
    ck_assert_int_eq(yjs_apply_update(doc, b, sizeof b, NULL), YJS_OK);
    expect_text(doc, "ab");
    ck_assert_uint_ne(yjs_doc_client_id(doc), 9);
    yjs_doc_free(doc);
}
END_TEST

/* A deletion of one, of a client below 128, with or without one of nothing. */
static void delete_one(yjs_doc *doc, uint64_t clock, bool slow)
{
    uint8_t update[16] = {0, 1, 1, slow ? 2 : 1};
    size_t n = 4;

    for (; clock > 0x7f; clock >>= 7)
        update[n++] = (uint8_t)(clock | 0x80);
    update[n++] = (uint8_t)clock;
    update[n++] = 1;
    n += slow ? 2 : 0;
    ck_assert_int_eq(yjs_apply_update(doc, update, n, NULL), YJS_OK);
}

/* Of a client with many structs, some begin or end a chunk of the store. */
START_TEST(among_many_structs)
{
    enum { WORDS = 500, LEN = 16, TIMES = 12 };
    yjs_doc *quick = new_doc(0, false, NULL), *slow = new_doc(0, false, NULL);
    yjs_doc *peer = new_doc(1, false, NULL);
    static const struct key word = {0, "sixteen letters.", 0};
    struct yjs_bytes start;
    uint64_t cursor;

    for (int i = 0; i < WORDS; i++)
        press(peer, &word, &cursor);
    start = state(peer);
    ck_assert_int_eq(yjs_apply_update(quick, start.data, start.len, NULL),
                     YJS_OK);
    ck_assert_int_eq(yjs_apply_update(slow, start.data, start.len, NULL),
                     YJS_OK);
    for (uint64_t k = 0; k < TIMES; k++) { /* from both ends in turns */
        uint64_t from = k % 2 == 0 ? LEN - 1 - k / 2 : k / 2;

        for (uint64_t i = 0; i < WORDS; i++) {
            uint64_t at = i * 37 % WORDS;

            if (k < at % 4) /* so that structs are not of one pattern */
                continue;
            delete_one(quick, at * LEN + from, false);
            delete_one(slow, at * LEN + from, true);
        }
        expect_equal(quick, slow);
    }
    yjs_bytes_free(&start);
    yjs_doc_free(quick);
    yjs_doc_free(slow);
    yjs_doc_free(peer);
}
END_TEST

/* Most keys are typing, and so they have to go. */
START_TEST(the_short_way_is_taken)
{
    struct update updates[KEYS];
    yjs_doc *peer = type_all(updates), *doc = new_doc(0, false, NULL);
    size_t quick = 0;

    for (size_t i = 0; i < KEYS; i++) {
        struct yjs__slice s = {updates[i].bytes, updates[i].len};

        if (yjs__typing(doc, s))
            quick++;
        else
            ck_assert_int_eq(yjs_apply_update(doc, s.ptr, s.len, NULL), YJS_OK);
    }
    expect_equal(doc, peer);
    ck_assert_uint_ge(quick, KEYS / 3);
    yjs_doc_free(peer);
    yjs_doc_free(doc);
}
END_TEST

/* With gc off what is deleted is kept, also beside what came without. */
START_TEST(what_is_kept_is_not_made_less)
{
    /* a, b, and a Deleted of one */
    static const uint8_t state_of_other[] = {
        1, 2, 1, 0, 4, 1, 1, 't', 2, 'a', 'b', 0x81, 1, 1, 1, 1, 1, 1, 2, 1};
    static const uint8_t backspace[] = {0, 1, 1, 1, 1, 1};
    yjs_doc *doc = new_doc(0, true, NULL);
    struct yjs_bytes got;

    ck_assert_int_eq(
        yjs_apply_update(doc, state_of_other, sizeof state_of_other, NULL),
        YJS_OK);
    ck_assert_int_eq(yjs_apply_update(doc, backspace, sizeof backspace, NULL),
                     YJS_OK);
    got = state(doc);
    ck_assert_ptr_nonnull(memchr(got.data, 'b', got.len));
    yjs_bytes_free(&got);
    yjs_doc_free(doc);
}
END_TEST

/* Each update with the n-th allocation failing, until it gets through. */
static void apply_at_last(yjs_doc *doc, struct fail_alloc *fa,
                          const struct update *u)
{
    struct yjs_bytes before = state(doc), after;
    int rc = YJS_ERR_NOMEM;

    for (size_t n = 1; rc == YJS_ERR_NOMEM; n++) {
        fa->fail_in = n;
        rc = yjs_apply_update(doc, u->bytes, u->len, NULL);
        fa->fail_in = 0;
        if (rc == YJS_OK)
            break;
        ck_assert_int_eq(rc, YJS_ERR_NOMEM);
        after = state(doc);
        ck_assert_uint_eq(after.len, before.len);
        ck_assert_mem_eq(after.data, before.data, after.len);
        yjs_bytes_free(&after);
    }
    yjs_bytes_free(&before);
}

START_TEST(memory_may_end_while_typing)
{
    struct fail_alloc fa = {0, 0};
    struct update updates[KEYS];
    yjs_doc *peer = type_all(updates), *doc = new_doc(0, false, &fa);

    for (size_t i = 0; i < KEYS; i++)
        apply_at_last(doc, &fa, &updates[i]);
    expect_equal(doc, peer);
    yjs_doc_free(doc);
    ck_assert_uint_eq(fa.blocks, 0);
    yjs_doc_free(peer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("yjs/typing");
    TCase *tcase = tcase_create("yjs/typing");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tcase, typing_ends_where_transactions_end);
    tcase_add_test(tcase, typing_again_or_early);
    tcase_add_test(tcase, indexes_stay_true_while_a_peer_types);
    tcase_add_loop_test(tcase, what_only_looks_like_typing, 0,
                        2 * (int)(sizeof nearly / sizeof *nearly));
    tcase_add_test(tcase, a_letter_that_replaces_another);
    tcase_add_test(tcase, more_than_one_or_nothing);
    tcase_add_test(tcase, typing_in_our_own_name);
    tcase_add_test(tcase, among_many_structs);
    tcase_add_test(tcase, the_short_way_is_taken);
    tcase_add_test(tcase, what_is_kept_is_not_made_less);
    tcase_add_test(tcase, memory_may_end_while_typing);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
