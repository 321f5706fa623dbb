/* SPDX-License-Identifier: MIT */
/* The outgoing queue: order, bound, and who gives way. */
#include <string.h>

#include "base/blob.h"
#include "suite.h"
#include "transport/outq.h"

enum { LIMIT = 400 };

static struct outq q;
static uint64_t dropped;

static enum outq_result push(const char *text, enum message_class klass)
{
    struct blob *blob = blob_new(text, strlen(text));
    enum outq_result result = outq_push(&q, blob, klass, &dropped);
    blob_unref(blob);
    return result;
}

static enum outq_result push_big(char fill, size_t len,
                                 enum message_class klass)
{
    struct blob *blob = blob_alloc(len);
    memset(blob->data, fill, len);
    enum outq_result result = outq_push(&q, blob, klass, &dropped);
    blob_unref(blob);
    return result;
}

/* The first letters of what comes out, in order. */
static const char *drain(void)
{
    static char letters[256];
    size_t n = 0;
    struct blob *blob;
    while ((blob = outq_take(&q, NULL))) {
        letters[n++] = (char)blob->data[0];
        blob_unref(blob);
    }
    letters[n] = '\0';
    return letters;
}

static void begin(void)
{
    outq_init(&q, LIMIT);
    dropped = 0;
}

START_TEST(first_in_first_out)
{
    begin();
    ck_assert(outq_empty(&q));
    for (int i = 0; i < 100; i++) {
        char text[2] = {(char)('A' + i % 26), 0};
        ck_assert_int_eq(push(text, MESSAGE_DOCUMENT), OUTQ_QUEUED);
    }
    ck_assert(!outq_empty(&q));
    const char *out = drain();
    ck_assert_uint_eq(strlen(out), 100);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(out[i], 'A' + i % 26);
    ck_assert(outq_empty(&q));
    ck_assert_ptr_null(q.many);
    ck_assert_uint_eq(q.charged, 0);
}
END_TEST

START_TEST(urgent_goes_ahead_in_its_own_order)
{
    begin();
    push("a", MESSAGE_DOCUMENT);
    push("b", MESSAGE_CONTROL);
    push("1", MESSAGE_URGENT);
    push("2", MESSAGE_URGENT);
    push("c", MESSAGE_AWARENESS);
    ck_assert_str_eq(drain(), "12abc");
    push("a", MESSAGE_DOCUMENT);
    push("1", MESSAGE_URGENT);
    blob_unref(outq_take(&q, NULL)); /* "1" */
    push("2", MESSAGE_URGENT);
    ck_assert_str_eq(drain(), "2a");
}
END_TEST

START_TEST(nothing_goes_before_what_has_begun)
{
    begin();
    push("a", MESSAGE_DOCUMENT);
    push("b", MESSAGE_DOCUMENT);
    outq_peek(&q);
    q.head_begun = true;
    push("1", MESSAGE_URGENT);
    push("2", MESSAGE_URGENT);
    ck_assert_str_eq(drain(), "a12b");
    push("1", MESSAGE_URGENT);
    push("b", MESSAGE_DOCUMENT);
    q.head_begun = true;
    push("2", MESSAGE_URGENT);
    ck_assert_str_eq(drain(), "12b");
}
END_TEST

START_TEST(a_full_queue_drops_the_oldest_awareness)
{
    begin();
    ck_assert_int_eq(push_big('d', 90, MESSAGE_DOCUMENT), OUTQ_QUEUED);
    ck_assert_int_eq(push_big('1', 90, MESSAGE_AWARENESS), OUTQ_QUEUED);
    ck_assert_int_eq(push_big('2', 90, MESSAGE_AWARENESS), OUTQ_QUEUED);
    ck_assert_int_eq(push_big('3', 90, MESSAGE_AWARENESS), OUTQ_QUEUED);
    ck_assert_int_eq(push_big('4', 90, MESSAGE_AWARENESS), OUTQ_QUEUED);
    ck_assert_uint_eq(dropped, 1);
    ck_assert_int_eq(push_big('e', 90, MESSAGE_DOCUMENT), OUTQ_QUEUED);
    ck_assert_uint_eq(dropped, 2);
    ck_assert_str_eq(drain(), "d34e");
}
END_TEST

/* A frame that is half on the wire and then dropped corrupts the stream. */
START_TEST(what_has_begun_is_not_dropped)
{
    begin();
    push_big('A', 90, MESSAGE_AWARENESS);
    push_big('B', 90, MESSAGE_AWARENESS);
    push_big('C', 90, MESSAGE_AWARENESS);
    push_big('D', 90, MESSAGE_AWARENESS);
    q.head_begun = true;
    ck_assert_int_eq(push_big('E', 90, MESSAGE_DOCUMENT), OUTQ_QUEUED);
    ck_assert_uint_eq(dropped, 1);
    ck_assert_str_eq(drain(), "ACDE");
}
END_TEST

START_TEST(documents_overflow_and_awareness_gives_way)
{
    begin();
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(push_big('d', 100, MESSAGE_DOCUMENT), OUTQ_QUEUED);
    ck_assert_int_eq(push("a", MESSAGE_AWARENESS), OUTQ_DROPPED);
    ck_assert_uint_eq(dropped, 1);
    ck_assert_int_eq(push("d", MESSAGE_DOCUMENT), OUTQ_OVERFLOW);
    ck_assert_int_eq(push("c", MESSAGE_CONTROL), OUTQ_OVERFLOW);
    ck_assert_str_eq(drain(), "dddd");
    ck_assert_int_eq(push("d", MESSAGE_DOCUMENT), OUTQ_QUEUED);
    outq_clear(&q);
}
END_TEST

START_TEST(one_message_may_be_larger_than_the_limit)
{
    begin();
    ck_assert_int_eq(push_big('D', 10 * LIMIT, MESSAGE_DOCUMENT),
                     OUTQ_QUEUED);
    ck_assert_int_eq(push("c", MESSAGE_CONTROL), OUTQ_QUEUED);
    ck_assert_int_eq(push("a", MESSAGE_AWARENESS), OUTQ_QUEUED);
    ck_assert_str_eq(drain(), "Dca");
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(push_big('D', 10 * LIMIT, MESSAGE_DOCUMENT),
                         OUTQ_QUEUED);
    ck_assert_int_eq(push_big('D', 10 * LIMIT, MESSAGE_DOCUMENT),
                     OUTQ_OVERFLOW);
    outq_clear(&q);
}
END_TEST

START_TEST(put_back_restores_the_order)
{
    struct blob *taken[8];
    enum message_class klass[8];
    for (size_t n = 0; n <= 8; n++) {
        begin();
        for (const char *c = "abcdefgh"; *c; c++)
            push((char[2]){*c, 0}, MESSAGE_DOCUMENT);
        for (size_t i = 0; i < n; i++)
            taken[i] = outq_take(&q, &klass[i]);
        push("i", MESSAGE_DOCUMENT);
        for (size_t i = n; i > 0; i--)
            outq_put_back(&q, taken[i - 1], klass[i - 1]);
        ck_assert_str_eq(drain(), "abcdefghi");
        ck_assert_uint_eq(q.charged, 0);
    }
}
END_TEST

/* The truth: an array that is shifted. */
struct twin {
    struct {
        char letter;
        size_t len;
        enum message_class klass;
    } all[4096];
    size_t count;
};

static size_t twin_charge(size_t len)
{
    return len < LIMIT / 4 ? len : LIMIT / 4;
}

static size_t twin_charged(const struct twin *t)
{
    size_t sum = 0;
    for (size_t i = 0; i < t->count; i++)
        sum += twin_charge(t->all[i].len);
    return sum;
}

static void twin_remove(struct twin *t, size_t at)
{
    memmove(&t->all[at], &t->all[at + 1],
            (t->count - at - 1) * sizeof *t->all);
    t->count--;
}

static void twin_push(struct twin *t, char letter, size_t len,
                      enum message_class klass)
{
    size_t need = twin_charge(len), at = t->count;
    for (size_t i = 0; i < t->count && twin_charged(t) + need > LIMIT;) {
        if (t->all[i].klass == MESSAGE_AWARENESS)
            twin_remove(t, i);
        else
            i++;
    }
    if (twin_charged(t) + need > LIMIT)
        return;
    at = t->count;
    if (klass == MESSAGE_URGENT)
        for (at = 0; at < t->count && t->all[at].klass == MESSAGE_URGENT;)
            at++;
    memmove(&t->all[at + 1], &t->all[at], (t->count - at) * sizeof *t->all);
    t->all[at].letter = letter;
    t->all[at].len = len;
    t->all[at].klass = klass;
    t->count++;
}

START_TEST(like_its_naive_twin)
{
    static struct twin twin;
    uint32_t x = 12345;
    begin();
    twin.count = 0;
    for (int step = 0; step < 20000; step++) {
        x = x * 1664525u + 1013904223u;
        if ((x >> 28) < 6) {
            struct blob *blob = outq_take(&q, NULL);
            ck_assert(!blob == !twin.count);
            if (blob) {
                ck_assert_int_eq(blob->data[0], twin.all[0].letter);
                twin_remove(&twin, 0);
            }
            blob_unref(blob);
            continue;
        }
        char letter = (char)('a' + (x >> 8) % 26);
        size_t len = 1 + (x >> 16) % 150;
        enum message_class klass = (enum message_class)((x >> 5) % 4);
        push_big(letter, len, klass);
        twin_push(&twin, letter, len, klass);
        ck_assert_uint_eq(q.charged, twin_charged(&twin));
    }
    outq_clear(&q);
}
END_TEST

SUITE_MAIN("outq", first_in_first_out, urgent_goes_ahead_in_its_own_order,
           nothing_goes_before_what_has_begun,
           a_full_queue_drops_the_oldest_awareness,
           what_has_begun_is_not_dropped,
           documents_overflow_and_awareness_gives_way,
           one_message_may_be_larger_than_the_limit,
           put_back_restores_the_order, like_its_naive_twin)
