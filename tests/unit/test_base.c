/* SPDX-License-Identifier: MIT */
/* The leaf modules: dict, wheel, buf, blob, list, log, mem. Dict and wheel are
 * compared with naive twins that always tell the truth. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/buf.h"
#include "base/counters.h"
#include "base/dict.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/wheel.h"
#include "suite.h"

static uint32_t seed;

static uint32_t next_random(void)
{
    seed = seed * 1664525 + 1013904223;
    return seed >> 8;
}

/* ------------------------------------------------------------------- dict */

static const uint8_t key16[16] = {0, 1, 2,  3,  4,  5,  6,  7,
                                  8, 9, 10, 11, 12, 13, 14, 15};

START_TEST(dict_agrees_with_an_array)
{
    enum { KEYS = 600, STEPS = 60000 };
    static char keys[KEYS][16];
    void *truth[KEYS] = {NULL};
    size_t count = 0;
    struct dict d;
    dict_init(&d, key16);
    seed = 1;
    for (int i = 0; i < KEYS; i++)
        snprintf(keys[i], sizeof keys[i], "%d", i * 7919);
    for (int step = 0; step < STEPS; step++) {
        uint32_t k = next_random() % KEYS;
        bool fill = (step / 6000) % 2 == 0;
        size_t len = strlen(keys[k]);
        ck_assert_ptr_eq(dict_find(&d, keys[k], len), truth[k]);
        if (next_random() % 8 < (fill ? 6 : 2)) {
            void *value = &truth[next_random() % KEYS];
            ck_assert_ptr_eq(dict_put(&d, keys[k], len, value), truth[k]);
            count += truth[k] == NULL;
            truth[k] = value;
        } else {
            ck_assert_ptr_eq(dict_remove(&d, keys[k], len), truth[k]);
            count -= truth[k] != NULL;
            truth[k] = NULL;
        }
        ck_assert_uint_eq(d.count, count);
    }
    size_t cursor = 0, seen = 0;
    while (dict_next(&d, &cursor))
        seen++;
    ck_assert_uint_eq(seen, count);
    for (int k = 0; k < KEYS; k++)
        ck_assert_ptr_eq(dict_remove(&d, keys[k], strlen(keys[k])), truth[k]);
    ck_assert_ptr_null(d.slots); /* an empty dict owns nothing */
    cursor = 0;
    ck_assert_ptr_null(dict_next(&d, &cursor));
    dict_deinit(&d);
}
END_TEST

START_TEST(dict_keys_are_bytes)
{
    struct dict d;
    int a, b, c;
    dict_init(&d, key16);
    dict_put(&d, "x\0y", 3, &a);
    dict_put(&d, "x\0z", 3, &b);
    dict_put(&d, "", 0, &c);
    ck_assert_ptr_eq(dict_find(&d, "x\0y", 3), &a);
    ck_assert_ptr_eq(dict_find(&d, "x\0z", 3), &b);
    ck_assert_ptr_eq(dict_find(&d, "", 0), &c);
    ck_assert_ptr_null(dict_find(&d, "x", 1));
    dict_deinit(&d);
    ck_assert_ptr_null(dict_find(&d, "", 0));
}
END_TEST

/* Computed by a separate implementation of SipHash-1-3. */
START_TEST(siphash_depends_on_every_byte_and_both_keys)
{
    uint8_t data[24] = {0};
    uint64_t base = dict_siphash(1, 2, data, sizeof data);
    ck_assert_uint_ne(base, dict_siphash(1, 3, data, sizeof data));
    ck_assert_uint_ne(base, dict_siphash(2, 2, data, sizeof data));
    ck_assert_uint_ne(base, dict_siphash(1, 2, data, sizeof data - 1));
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = 1;
        ck_assert_uint_ne(base, dict_siphash(1, 2, data, sizeof data));
        data[i] = 0;
    }
    ck_assert_uint_eq(
        dict_siphash(0x0706050403020100, 0x0f0e0d0c0b0a0908, "", 0),
        UINT64_C(0xabac0158050fc4dc));
    for (size_t i = 0; i < 15; i++)
        data[i] = (uint8_t)i;
    ck_assert_uint_eq(
        dict_siphash(0x0706050403020100, 0x0f0e0d0c0b0a0908, data, 15),
        UINT64_C(0xd320d86d2a519956));
}
END_TEST

/* ------------------------------------------------------------------ wheel */

struct timed {
    struct wheel_timer timer;
    uint64_t at;
    uint64_t latest; /* one tick behind the later of `at` and when it was set */
    bool armed;
    bool again;
};

static struct wheel wheel;
static uint64_t wheel_now;
static size_t fired;

static void on_timer(struct wheel_timer *timer, uint64_t now_ms)
{
    struct timed *t = LIST_ENTRY(timer, struct timed, timer);
    ck_assert(t->armed);
    ck_assert_uint_eq(now_ms, wheel_now);
    ck_assert_uint_ge(now_ms, t->at); /* never early */
    ck_assert(!wheel_armed(timer));
    t->armed = false;
    fired++;
    if (t->again) {
        t->again = false;
        t->armed = true;
        t->at = now_ms + 5000;
        t->latest = t->at + WHEEL_TICK_MS;
        wheel_set(&wheel, timer, t->at, on_timer);
    }
}

START_TEST(wheel_agrees_with_a_list)
{
    enum { TIMERS = 300, STEPS = 6000 };
    static struct timed timers[TIMERS];
    memset(timers, 0, sizeof timers);
    wheel_now = UINT64_C(987654321);
    wheel_init(&wheel, wheel_now);
    seed = 3;
    for (int step = 0; step < STEPS; step++) {
        struct timed *t = &timers[next_random() % TIMERS];
        uint32_t what = next_random() % 8;
        if (what < 4) {
            uint32_t shift = next_random() % 29;
            uint64_t ahead = next_random() & ((UINT32_C(1) << shift) - 1);
            t->at = next_random() % 16 ? wheel_now + ahead
                                       : wheel_now - ahead % 1000;
            t->latest = (t->at > wheel_now ? t->at : wheel_now) + WHEEL_TICK_MS;
            t->again = what == 0;
            t->armed = true;
            wheel_set(&wheel, &t->timer, t->at, on_timer);
        } else if (what == 4) {
            wheel_cancel(&wheel, &t->timer);
            t->armed = false;
        } else {
            wheel_now += what == 5   ? 1
                         : what == 6 ? next_random() % 300
                                     : next_random() % 200000;
            wheel_advance(&wheel, wheel_now);
            for (int i = 0; i < TIMERS; i++)
                ck_assert(!timers[i].armed || timers[i].latest > wheel_now);
        }
        size_t armed = 0;
        for (int i = 0; i < TIMERS; i++) {
            ck_assert(timers[i].armed == wheel_armed(&timers[i].timer));
            armed += timers[i].armed;
        }
        ck_assert_uint_eq(wheel.count, armed);
    }
    ck_assert_uint_gt(fired, 500);
}
END_TEST

START_TEST(an_idle_wheel_jumps)
{
    static struct timed t;
    wheel_now = 1000;
    wheel_init(&wheel, wheel_now);
    wheel_now = UINT64_C(1) << 50;
    wheel_advance(&wheel, wheel_now); /* at once, not tick by tick */
    t.armed = true;
    t.at = wheel_now + 100;
    wheel_set(&wheel, &t.timer, t.at, on_timer);
    wheel_now += 99;
    wheel_advance(&wheel, wheel_now);
    ck_assert(t.armed);
    wheel_now += 1 + WHEEL_TICK_MS;
    wheel_advance(&wheel, wheel_now);
    ck_assert(!t.armed);
    wheel_cancel(&wheel, &t.timer);
    ck_assert_uint_eq(wheel.count, 0);
}
END_TEST

/* -------------------------------------------------------------- buf, blob */

START_TEST(buf_keeps_its_limit)
{
    struct buf b;
    buf_init(&b, 10);
    ck_assert_ptr_null(b.data);
    ck_assert(buf_puts(&b, "12345"));
    ck_assert(buf_puts(&b, "67890"));
    ck_assert(buf_append(&b, NULL, 0));
    ck_assert(!buf_putc(&b, 'x'));
    ck_assert(b.overflow);
    ck_assert_uint_eq(b.len, 10);
    ck_assert(!buf_append(&b, "", 0)); /* stays failed */
    buf_reset(&b);
    ck_assert(buf_printf(&b, "%d-%s", 42, "abcdef"));
    ck_assert_uint_eq(b.len, 9);
    ck_assert_mem_eq(b.data, "42-abcdef", 9);
    ck_assert(!buf_printf(&b, "%d", 10));
    buf_reset(&b);
    ck_assert(!buf_put_u64(&b, UINT64_MAX));
    buf_reset(&b);
    ck_assert(buf_put_u64(&b, 0) && buf_put_u64(&b, 123456789));
    ck_assert_mem_eq(b.data, "0123456789", 10);
    buf_consume(&b, 3);
    ck_assert_mem_eq(b.data, "3456789", b.len);
    buf_consume(&b, 100);
    ck_assert_uint_eq(b.len, 0);
    buf_shrink(&b, 5);
    ck_assert_uint_eq(b.cap, 0);
    buf_deinit(&b);
}
END_TEST

START_TEST(buf_escapes_json)
{
    struct buf b;
    buf_init(&b, 100);
    ck_assert(buf_put_json_escaped(&b, "a\"\\\n\r\t\x01\x1f\xc3\xa9/", 11));
    const char *expected = "a\\\"\\\\\\n\\r\\t\\u0001\\u001f\xc3\xa9/";
    ck_assert_uint_eq(b.len, strlen(expected));
    ck_assert_mem_eq(b.data, expected, b.len);
    buf_deinit(&b);
}
END_TEST

START_TEST(a_joint_blob_shares_its_body)
{
    uint64_t before = blob_total();
    struct blob *body = blob_new("BODY", 4);
    struct blob *a = blob_join("<", 1, body, ">>", 2);
    struct blob *b = blob_join("", 0, body, "", 0);
    blob_unref(body); /* they hold it */
    ck_assert_uint_eq(a->len, 7);
    char text[8] = "";
    for (size_t at = 0; at < a->len;) {
        struct blob_run run = blob_run(a, at);
        ck_assert_uint_gt(run.len, 0);
        memcpy(text + at, run.data, run.len);
        at += run.len;
    }
    ck_assert_str_eq(text, "<BODY>>");
    ck_assert_uint_eq(blob_run(a, 3).len, 2);
    ck_assert_uint_eq(blob_run(b, 0).len, 4);
    ck_assert_uint_lt(blob_total() - before, 4 + 3 + 64);
    blob_unref(a);
    ck_assert_mem_eq(blob_run(b, 0).data, "BODY", 4);
    blob_unref(b);
    ck_assert_uint_eq(blob_total(), before);
    ck_assert_ptr_null(blob_try_alloc((size_t)UINT32_MAX + 1));
}
END_TEST

START_TEST(blobs_count_references)
{
    struct blob *b = blob_new("abc", 3);
    ck_assert_uint_eq(b->len, 3);
    ck_assert_mem_eq(b->data, "abc", 3);
    ck_assert_ptr_eq(blob_ref(b), b);
    ck_assert_uint_eq(b->refs, 2);
    blob_unref(b);
    ck_assert_uint_eq(b->refs, 1);
    blob_unref(b);
    blob_unref(NULL);
    b = blob_new(NULL, 0);
    ck_assert_uint_eq(b->len, 0);
    blob_unref(b);
}
END_TEST

START_TEST(lists_are_rings)
{
    struct list head, other, n[4], *it, *tmp;
    list_init(&head);
    list_init(&other);
    ck_assert(list_empty(&head));
    ck_assert_ptr_null(list_pop(&head));
    for (int i = 0; i < 3; i++)
        list_push(&head, &n[i]);
    list_push_front(&head, &n[3]);
    ck_assert_ptr_eq(head.next, &n[3]);
    ck_assert_ptr_eq(head.prev, &n[2]);
    LIST_FOREACH(it, tmp, &head)
    {
        if (it == &n[1])
            list_remove(it);
    }
    list_remove(&n[1]); /* twice is harmless */
    list_take(&other, &head);
    ck_assert(list_empty(&head));
    ck_assert_ptr_eq(list_pop(&other), &n[3]);
    ck_assert_ptr_eq(list_pop(&other), &n[0]);
    ck_assert_ptr_eq(list_pop(&other), &n[2]);
    ck_assert_ptr_null(list_pop(&other));
    list_take(&head, &other);
    ck_assert(list_empty(&head));
}
END_TEST

START_TEST(memory_is_zeroed_and_copied)
{
    int *array = mem_array(100, sizeof *array);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(array[i], 0);
    array = mem_realloc(array, sizeof *array);
    free(array);
    char *copy = mem_dup("a\0b", 3);
    ck_assert_mem_eq(copy, "a\0b\0", 4);
    free(copy);
    copy = mem_strdup("xyz");
    ck_assert_str_eq(copy, "xyz");
    free(copy);
    free(mem_alloc(0));
}
END_TEST

/* -------------------------------------------------------------------- log */

static char *logged(enum log_format format, enum log_level level,
                    const char *str, size_t len)
{
    static char line[8192];
    FILE *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    log_setup(LOG_INFO, format);
    log_set_fd(fileno(file));
    LOG_AT(level, "something happened", LOG_STR("who", str, len),
           LOG_Z("word", "x"), LOG_INT("n", -5));
    log_set_fd(-1);
    rewind(file);
    line[fread(line, 1, sizeof line - 1, file)] = '\0';
    fclose(file);
    return line;
}

START_TEST(a_log_line_obeys_nobody)
{
    char *line = logged(LOG_TEXT, LOG_INFO, "ada", 3);
    ck_assert_uint_eq(line[23], 'Z'); /* 2024-01-02T03:04:05.678Z */
    ck_assert_str_eq(line + 24, " info    something happened who=ada word=x "
                                "n=-5\n");
    line = logged(LOG_TEXT, LOG_ERROR, "a=\"\n\x1b[0m\xc3\xa9", 10);
    ck_assert_str_eq(line + 24,
                     " error   something happened who=\"a=\\\"\\u000a\\u001b"
                     "[0m\\u00c3\\u00a9\" word=x n=-5\n");
    line = logged(LOG_JSON, LOG_WARNING, "q\"\n", 3);
    ck_assert_str_eq(line + 34, ",\"level\":\"warning\",\"event\":\"something "
                                "happened\",\"who\":\"q\\\"\\u000a\",\"word\":"
                                "\"x\",\"n\":-5}\n");
    ck_assert_str_eq(logged(LOG_TEXT, LOG_DEBUG, "", 0), "");
}
END_TEST

/* A full pipe once stopped the whole daemon. */
START_TEST(a_log_nobody_reads_stops_nobody)
{
    int fds[2];
    char text[8192];
    ssize_t n;
    uint64_t before = log_dropped();
    ck_assert_int_eq(pipe(fds), 0);
    log_setup(LOG_INFO, LOG_TEXT);
    log_set_fd(fds[1]);
    for (int i = 0; i < 4000; i++)
        log_info("test of a pipe that nobody reads", LOG_INT("i", i));
    ck_assert_uint_gt(log_dropped(), before);
    uint64_t dropped = log_dropped() - before;
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    while (read(fds[0], text, sizeof text) > 0)
        ;
    log_info("it flows again");
    n = read(fds[0], text, sizeof text - 1);
    ck_assert_int_gt(n, 0);
    text[n] = '\0';
    char told[64];
    snprintf(told, sizeof told, "nobody read them lines=%llu\n",
             (unsigned long long)dropped);
    ck_assert_ptr_nonnull(strstr(text, told));
    ck_assert_ptr_nonnull(strstr(text, "it flows again"));
    log_set_fd(-1);
    close(fds[0]);
    close(fds[1]);
}
END_TEST

START_TEST(a_log_line_is_capped)
{
    static char big[5000];
    memset(big, 'x', sizeof big);
    char *line = logged(LOG_TEXT, LOG_INFO, big, sizeof big);
    ck_assert_ptr_nonnull(strstr(line, "xxx...\" word=x n=-5\n"));
    ck_assert_uint_lt(strlen(line), 250);
}
END_TEST

START_TEST(counters_add_up)
{
    struct counters c = {{0}};
    counter_inc(&c, COUNTER_ROOMS);
    counter_add(&c, COUNTER_ROOMS, 4);
    counter_dec(&c, COUNTER_ROOMS);
    ck_assert_uint_eq(c.value[COUNTER_ROOMS], 4);
    counter_set(&c, COUNTER_ROOMS, 9);
    ck_assert_uint_eq(c.value[COUNTER_ROOMS], 9);
}
END_TEST

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
enum { BLOCKS = 40000, BLOCK = 1000 };
static void *blocks[BLOCKS];

static void *fill(void)
{
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = mem_alloc(BLOCK);
        memset(blocks[i], 1, BLOCK);
    }
    return mem_alloc(BLOCK); /* lives on above them */
}

static void drain(void)
{
    for (size_t i = 0; i < BLOCKS; i++)
        free(blocks[i]);
}

static long resident_pages(void)
{
    long size, pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%ld %ld", &size, &pages) != 2)
        pages = 0;
    if (f)
        fclose(f);
    return pages;
}

/* Bytes that had been given back, were used again and freed again between two
 * looks: they counted as given back. */
START_TEST(memory_goes_back_a_second_time)
{
    long before = resident_pages(), most = BLOCKS / 4 * (BLOCK / 1000) / 4;
    if (!before)
        return; /* no /proc */
    void *above = fill();
    drain();
    size_t left = mem_give_back(0);
    ck_assert_int_lt(resident_pages(), before + most);
    void *again = fill();
    drain();
    mem_give_back(left);
    ck_assert_int_lt(resident_pages(), before + most);
    free(above);
    free(again);
}
END_TEST
#define TESTS_OF_GLIBC , memory_goes_back_a_second_time
#else
#define TESTS_OF_GLIBC
#endif

SUITE_MAIN("base", a_joint_blob_shares_its_body,
           dict_agrees_with_an_array, dict_keys_are_bytes,
           siphash_depends_on_every_byte_and_both_keys,
           wheel_agrees_with_a_list, an_idle_wheel_jumps, buf_keeps_its_limit,
           buf_escapes_json, blobs_count_references, lists_are_rings,
           memory_is_zeroed_and_copied, a_log_line_obeys_nobody,
           a_log_nobody_reads_stops_nobody, a_log_line_is_capped,
           counters_add_up TESTS_OF_GLIBC)
