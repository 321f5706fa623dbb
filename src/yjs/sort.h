/* SPDX-License-Identifier: MIT */
/**
 * @file sort.h
 * Sorting in place: n log n always, no memory, not stable.
 *
 * libc's qsort may allocate behind the allocator's back, or go quadratic.
 */
#ifndef YJS_SORT_H
#define YJS_SORT_H

#include <stddef.h>

/** Elements of at most this many bytes. */
#define YJS__SORT_ELEM 64u

typedef int (*yjs__compare_fn)(const void *ctx, const void *a, const void *b);

void yjs__sort(void *base, size_t n, size_t elem, yjs__compare_fn compare,
               const void *ctx);

#endif
