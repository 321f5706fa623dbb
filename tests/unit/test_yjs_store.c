/* SPDX-License-Identifier: MIT */
/*
 * The structures below the document, each against a naive twin that always
 * tells the truth: sorting, the hash index, the pool, id sets, and the structs
 * of a client under pushes, splits and removals.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fail_alloc.h"
#include "yjs/idset.h"
#include "yjs/index.h"
#include "yjs/pool.h"
#include "yjs/sort.h"
#include "yjs/store.h"

static uint32_t state = 1;

static uint32_t below(uint32_t n)
{
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % n;
}

static int compare_u32(const void *ctx, const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    ck_assert_ptr_null(ctx);
    return x < y ? -1 : x > y;
}

static int plain_compare(const void *a, const void *b)
{
    return compare_u32(NULL, a, b);
}

START_TEST(sorting)
{
    struct yjs__mem mem;
    uint32_t a[400], b[400];

    yjs__mem_init(&mem, NULL, 0);
    for (int round = 0; round < 600; round++) {
        uint32_t n = below(400), runs = 1 + below(30);

        for (uint32_t i = 0; i < n; i++)
            a[i] = round % 3 == 0   ? below(20)
                   : round % 3 == 1 ? i % (n / runs + 1)
                                    : below(1u << 30);
        memcpy(b, a, sizeof a);
        qsort(b, n, sizeof *b, plain_compare);
        yjs__sort_runs(round % 2 ? &mem : NULL, a, n, sizeof *a, compare_u32,
                       NULL);
        ck_assert_int_eq(memcmp(a, b, n * sizeof *a), 0);
    }
    ck_assert_uint_eq(mem.used, 0);
}
END_TEST

START_TEST(index_of_hashes)
{
    struct yjs__index ix = {NULL, 0, 0};
    struct yjs__mem mem;
    bool in[500] = {false};

    yjs__mem_init(&mem, NULL, 0);
    for (int step = 0; step < 20000; step++) {
        uint32_t v = 1 + below(499);
        uint32_t hash = v % 17 * 4; /* long chains */
        uint32_t at = yjs__index_first(&ix, hash), found = 0, h;

        while ((h = yjs__index_probe(&ix, &at, hash)) != 0) {
            found += h == v;
            at = yjs__index_next(&ix, at);
        }
        ck_assert_uint_eq(found, in[v]);
        if (in[v]) {
            yjs__index_remove(&ix, hash, v);
        } else {
            ck_assert_int_eq(yjs__index_reserve(&mem, &ix), YJS_OK);
            yjs__index_insert(&ix, hash, v);
        }
        in[v] = !in[v];
    }
    yjs__index_free(&mem, &ix);
    ck_assert_uint_eq(mem.used, 0);
    /* the seed matters, and so does every part of the key */
    ck_assert(yjs__hash_bytes(1, NULL, (const uint8_t *)"key", 3) !=
              yjs__hash_bytes(2, NULL, (const uint8_t *)"key", 3));
    ck_assert(yjs__hash_bytes(1, NULL, (const uint8_t *)"key", 3) !=
              yjs__hash_bytes(1, &ix, (const uint8_t *)"key", 3));
    ck_assert(yjs__hash_bytes(1, NULL, (const uint8_t *)"a\0", 2) !=
              yjs__hash_bytes(1, NULL, (const uint8_t *)"a", 1));
}
END_TEST

START_TEST(pool_of_objects)
{
    struct yjs__pool pool;
    struct yjs__mem mem;
    uint32_t live[3000], n = 0;

    yjs__mem_init(&mem, NULL, 0);
    yjs__pool_init(&pool, 16);
    for (int step = 0; step < 30000; step++) {
        if (n < 3000 && (n == 0 || below(5) < 3)) {
            uint32_t h = yjs__pool_alloc(&mem, &pool);

            ck_assert_uint_ne(h, 0);
            memset(yjs__pool_at(&pool, h), (int)h & 0xff, 16);
            live[n++] = h;
        } else {
            uint32_t at = below(n);
            const uint8_t *p = yjs__pool_at(&pool, live[at]);

            for (int i = 0; i < 16; i++)
                ck_assert_uint_eq(p[i], live[at] & 0xff);
            yjs__pool_free(&pool, live[at]);
            live[at] = live[--n];
        }
        ck_assert_uint_eq(pool.used, n);
    }
    yjs__pool_deinit(&mem, &pool);
    ck_assert_uint_eq(mem.used, 0);
}
END_TEST

START_TEST(sets_of_ids)
{
    for (int round = 0; round < 300; round++) {
        struct yjs__vec set = {NULL, 0, 0};
        bool in[4][64] = {{false}};
        struct yjs__mem mem;

        yjs__mem_init(&mem, NULL, 0);
        for (uint32_t i = below(30); i > 0; i--) {
            uint32_t client = below(4), clock = below(50),
                     len = 1 + below(10);

            ck_assert_int_eq(yjs__idset_add(&mem, &set, client, clock, len),
                             YJS_OK);
            while (len-- > 0)
                in[client][clock + len] = true;
        }
        if (round % 2)
            yjs__idset_normalise(&set);
        else
            yjs__idset_normalise_runs(&mem, &set);
        for (size_t i = 0; i < set.len; i++) {
            const struct yjs__range *r = yjs__idset_at(&set, i);

            ck_assert_uint_gt(r->len, 0);
            if (i > 0 && r[-1].client == r->client)
                ck_assert_uint_lt(r[-1].clock + r[-1].len, r->clock);
            else if (i > 0)
                ck_assert_uint_lt(r[-1].client, r->client);
            for (uint64_t k = 0; k < r->len; k++) {
                ck_assert(in[r->client][r->clock + k]);
                in[r->client][r->clock + k] = false;
            }
            ck_assert(yjs__idset_at(&set, yjs__idset_find(&set, r->client))
                          ->client == r->client);
        }
        for (int c = 0; c < 4; c++)
            for (int k = 0; k < 64; k++)
                ck_assert(!in[c][k]);
        yjs__vec_trim(&mem, &set, sizeof(struct yjs__range), 0);
        ck_assert_uint_eq(mem.used, 0);
    }
}
END_TEST

/* -------------------------------------------------------- structs by clock */

struct twin {
    uint64_t clock[4000];
    uint32_t item[4000];
    uint32_t n;
    uint64_t state;
};

static uint32_t new_gc(yjs_doc *doc, uint64_t clock, uint64_t len)
{
    uint32_t h = yjs__pool_alloc(&doc->mem, &doc->items);

    *yjs__item(doc, h) = (struct yjs__item){
        .clock = clock, .kind = YJS__GC, .flags = YJS__F_DELETED};
    yjs__item_set_len(yjs__item(doc, h), len);
    return h;
}

static void twin_find(const struct twin *t, uint64_t clock, uint32_t *at)
{
    *at = t->n;
    while (t->clock[*at - 1] > clock)
        --*at;
    --*at;
}

static void push(yjs_doc *doc, struct twin *t)
{
    uint64_t len = below(50) == 0 ? (uint64_t)1 << (25 + below(12))
                                  : 1 + below(5);
    uint32_t h = new_gc(doc, t->state, len);

    ck_assert_int_eq(yjs__store_push(doc, h), YJS_OK);
    t->clock[t->n] = t->state;
    t->item[t->n++] = h;
    t->state += len;
}

static void split(yjs_doc *doc, struct twin *t)
{
    struct yjs__client *c = yjs__client(doc, 0);
    uint32_t at = below(t->n), h;
    struct yjs__item *it = yjs__item(doc, t->item[at]);
    uint64_t len = yjs__item_len(it), cut = len / 2;
    struct yjs__spot s;

    if (len < 2)
        return;
    s = yjs__store_find(c, it->clock);
    ck_assert_uint_eq(yjs__spot_item(c, s), t->item[at]);
    h = new_gc(doc, it->clock + cut, len - cut);
    yjs__item_set_len(it, cut);
    ck_assert_int_eq(yjs__store_insert(doc, c, s, h), YJS_OK);
    memmove(t->clock + at + 2, t->clock + at + 1,
            (t->n - at - 1) * sizeof *t->clock);
    memmove(t->item + at + 2, t->item + at + 1,
            (t->n - at - 1) * sizeof *t->item);
    t->clock[at + 1] = yjs__item(doc, h)->clock;
    t->item[at + 1] = h;
    t->n++;
}

/* Some structs become one with the struct before them. */
static void join(yjs_doc *doc, struct twin *t)
{
    struct yjs__client *c = yjs__client(doc, 0);
    uint32_t n = 1 + below(below(4) == 0 ? 400 : 6), at, i;
    struct yjs__item *into;

    if (t->n <= n + 1)
        return;
    at = below(t->n - n);
    into = yjs__item(doc, t->item[at]);
    for (i = 1; i <= n; i++) {
        yjs__item_set_len(into,
                          yjs__item_len(into) +
                              yjs__item_len(yjs__item(doc, t->item[at + i])));
    }
    yjs__store_remove(doc, c, yjs__store_find(c, t->clock[at + n]), n);
    for (i = 1; i <= n; i++)
        yjs__pool_free(&doc->items, t->item[at + i]);
    memmove(t->clock + at + 1, t->clock + at + 1 + n,
            (t->n - at - 1 - n) * sizeof *t->clock);
    memmove(t->item + at + 1, t->item + at + 1 + n,
            (t->n - at - 1 - n) * sizeof *t->item);
    t->n -= n;
}

static void pop(yjs_doc *doc, struct twin *t)
{
    if (t->n < 2)
        return;
    t->state = t->clock[--t->n];
    yjs__store_pop(doc, yjs__client(doc, 0));
    yjs__pool_free(&doc->items, t->item[t->n]);
}

static void compare(yjs_doc *doc, const struct twin *t)
{
    struct yjs__client *c = yjs__client(doc, 0);
    struct yjs__spot s = {0, 0};
    uint32_t i = 0, at;

    ck_assert_uint_eq(c->state, t->state);
    ck_assert_uint_eq(c->count, t->n);
    do {
        ck_assert_uint_eq(yjs__spot_item(c, s), t->item[i++]);
    } while (yjs__spot_next(c, &s));
    ck_assert_uint_eq(i, t->n);
    do {
        ck_assert_uint_eq(yjs__spot_item(c, s), t->item[--i]);
    } while (yjs__spot_prev(c, &s));
    ck_assert_uint_eq(i, 0);
    for (i = 0; i < 50; i++) {
        uint64_t clock = t->clock[below(t->n)] + (i % 3 == 0);

        if (clock >= t->state)
            continue;
        twin_find(t, clock, &at);
        ck_assert_uint_eq(yjs__spot_item(c, yjs__store_find(c, clock)),
                          t->item[at]);
    }
    c->before = c->state;
    ck_assert_int_eq(yjs__doc_check(doc), YJS_OK);
}

START_TEST(structs_by_clock)
{
    static struct twin t;
    yjs_doc *doc;

    state = (uint32_t)_i + 1;
    memset(&t, 0, sizeof t);
    ck_assert_int_eq(yjs_doc_new(NULL, &doc), YJS_OK);
    ck_assert_uint_eq(yjs__store_add_client(doc, 77), 0);
    push(doc, &t);
    for (int step = 0; step < 4000 && t.n < 3900; step++) {
        uint32_t what = below(20);

        if (what < 9)
            push(doc, &t);
        else if (what < 18)
            split(doc, &t);
        else if (what < 19)
            join(doc, &t);
        else
            pop(doc, &t);
        if (step % 40 == 0)
            compare(doc, &t);
    }
    compare(doc, &t);
    yjs_doc_free(doc);
}
END_TEST

START_TEST(clients_by_id)
{
    struct fail_alloc fa = {0, 0};
    struct yjs_doc_options opt = {.alloc = fail_alloc_hook(&fa),
                                  .limits.clients = 1000};
    yjs_doc *doc;

    ck_assert_int_eq(yjs_doc_new(&opt, &doc), YJS_OK);
    for (uint32_t i = 0; i < 1000; i++) {
        uint64_t id = (uint64_t)(i * 7919u % 1009u) << 33 | i;

        ck_assert_uint_eq(yjs__store_find_client(doc, id), YJS__NONE);
        ck_assert_uint_eq(yjs__store_add_client(doc, id), i);
        ck_assert_uint_eq(yjs__store_add_client(doc, id), i);
    }
    ck_assert_uint_eq(yjs__store_add_client(doc, 1234567), YJS__NONE);
    ck_assert_int_eq(doc->mem.err, YJS_ERR_LIMIT);
    const uint32_t *sorted = yjs__store_sorted(doc);
    for (uint32_t i = 1; i < 1000; i++)
        ck_assert(yjs__client(doc, sorted[i - 1])->id >
                  yjs__client(doc, sorted[i])->id);
    while (doc->client_count > 0) {
        uint64_t id = yjs__client(doc, doc->client_count - 1)->id;

        yjs__store_drop_client(doc);
        ck_assert_uint_eq(yjs__store_find_client(doc, id), YJS__NONE);
    }
    yjs_doc_free(doc);
    ck_assert_uint_eq(fa.blocks, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("yjs/store");
    TCase *tcase = tcase_create("store");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, sorting);
    tcase_add_test(tcase, index_of_hashes);
    tcase_add_test(tcase, pool_of_objects);
    tcase_add_test(tcase, sets_of_ids);
    tcase_add_loop_test(tcase, structs_by_clock, 0, 6);
    tcase_add_test(tcase, clients_by_id);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
