/* SPDX-License-Identifier: MIT */
/*
 * sort.c: heap sort, after a look whether anything needs sorting at all (what
 * comes from Yjs mostly is in order).
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

void yjs__sort(void *base, size_t n, size_t elem, yjs__compare_fn compare,
               const void *ctx)
{
    struct heap h = {base, elem, compare, ctx};
    size_t i;

    if (n < 2)
        return;
    for (i = 1; i < n && !less(&h, i, i - 1); i++)
        ;
    if (i >= n)
        return;
    for (i = n / 2; i-- > 0;)
        sink(&h, i, n);
    for (i = n; i-- > 1;) {
        swap(&h, 0, i);
        sink(&h, 0, i);
    }
}
