/* SPDX-License-Identifier: MIT */
/*
 * sort.c: what comes from Yjs mostly is in order, or a few ordered runs one
 * after the other (one for each client): those are merged. Anything else is
 * heap sorted.
 */
#include "yjs/sort.h"

#include <stdbool.h>
#include <string.h>

struct heap {
    char *base;
    size_t elem;
    yjs__compare_fn compare;
    const void *ctx;
};

static bool less(const struct heap *h, size_t a, size_t b)
{
    return h->compare(h->ctx, h->base + a * h->elem, h->base + b * h->elem) <
           0;
}

static void swap(const struct heap *h, size_t a, size_t b)
{
    char tmp[YJS__SORT_ELEM];

    memcpy(tmp, h->base + a * h->elem, h->elem);
    memcpy(h->base + a * h->elem, h->base + b * h->elem, h->elem);
    memcpy(h->base + b * h->elem, tmp, h->elem);
}

static void sink(const struct heap *h, size_t at, size_t n)
{
    size_t child;

    while ((child = 2 * at + 1) < n) {
        if (child + 1 < n && less(h, child, child + 1))
            child++;
        if (!less(h, at, child))
            return;
        swap(h, at, child);
        at = child;
    }
}

static void heap_sort(const struct heap *h, size_t n)
{
    size_t i;

    for (i = n / 2; i-- > 0;)
        sink(h, i, n);
    for (i = n; i-- > 1;) {
        swap(h, 0, i);
        sink(h, 0, i);
    }
}

#define RUNS_MAX 16u

/* Where runs end; 0 when there are too many. */
static size_t find_runs(const struct heap *h, size_t n, size_t *ends)
{
    size_t i, runs = 0;

    for (i = 1; i < n; i++) {
        if (!less(h, i, i - 1))
            continue;
        if (runs == RUNS_MAX - 1)
            return 0;
        ends[runs++] = i;
    }
    ends[runs++] = n;
    return runs;
}

/* Merge [from, middle) and [middle, end); `copy` has room for the first. */
static void merge(const struct heap *h, char *copy, size_t from, size_t middle,
                  size_t end)
{
    size_t elem = h->elem, i = 0, n = middle - from, at = from;

    memcpy(copy, h->base + from * elem, n * elem);
    while (i < n && middle < end) {
        const char *a = copy + i * elem, *b = h->base + middle * elem;
        bool second = h->compare(h->ctx, b, a) < 0;

        memmove(h->base + at++ * elem, second ? b : a, elem);
        middle += second;
        i += !second;
    }
    memcpy(h->base + at * elem, copy + i * elem, (n - i) * elem);
}

static void merge_runs(const struct heap *h, char *copy, size_t *ends,
                       size_t runs)
{
    size_t i, n, from;

    for (; runs > 1; runs = n) {
        for (i = n = from = 0; i < runs; i += 2) {
            size_t end = i + 1 < runs ? ends[i + 1] : ends[i];

            if (end > ends[i])
                merge(h, copy, from, ends[i], end);
            ends[n++] = end;
            from = end;
        }
    }
}

void yjs__sort_runs(struct yjs__mem *mem, void *base, size_t n, size_t elem,
                    yjs__compare_fn compare, const void *ctx)
{
    struct heap h = {base, elem, compare, ctx};
    size_t ends[RUNS_MAX];
    char *copy = NULL;
    size_t runs;

    if (n < 2)
        return;
    runs = find_runs(&h, n, ends);
    if (runs == 1)
        return;
    if (runs > 0 && mem != NULL)
        copy = yjs__mem_alloc(mem, n * elem);
    if (copy == NULL) {
        heap_sort(&h, n);
        return;
    }
    merge_runs(&h, copy, ends, runs);
    yjs__mem_free(mem, copy, n * elem);
}

void yjs__sort(void *base, size_t n, size_t elem, yjs__compare_fn compare,
               const void *ctx)
{
    yjs__sort_runs(NULL, base, n, elem, compare, ctx);
}
