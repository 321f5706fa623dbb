/* SPDX-License-Identifier: MIT */
/**
 * @file sort.h
 * Sorting: n log n always, n when there are few runs, not stable.
 *
 * libc's qsort may allocate behind the allocator's back, or go quadratic.
 */
#ifndef YJS_SORT_H
#define YJS_SORT_H

#include "yjs/mem.h"

/** Elements of at most this many bytes. */
#define YJS__SORT_ELEM 64u

typedef int (*yjs__compare_fn)(const void *ctx, const void *a, const void *b);

/** In place. */
void yjs__sort(void *base, size_t n, size_t elem, yjs__compare_fn compare,
               const void *ctx);

/** Asks `mem` for a copy of the elements if there are but a few runs; without
 *  memory it does what yjs__sort does. */
void yjs__sort_runs(struct yjs__mem *mem, void *base, size_t n, size_t elem,
                    yjs__compare_fn compare, const void *ctx);

#endif
