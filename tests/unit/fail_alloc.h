/* SPDX-License-Identifier: MIT */
/*
 * An allocator for the engine's tests: counts what it has out, and can fail at
 * the n-th call from now. A test of an operation runs it with n = 1, 2, 3, ...
 * until it gets through.
 */
#ifndef TESTS_FAIL_ALLOC_H
#define TESTS_FAIL_ALLOC_H

#include <stdbool.h>
#include <stdlib.h>

#include "yjs.h"

struct fail_alloc {
    size_t blocks;  /* out now */
    size_t fail_in; /* 0: never */
};

static inline void *fail_alloc_fn(void *ctx, void *ptr, size_t size)
{
    struct fail_alloc *fa = ctx;
    void *p;

    if (size == 0) {
        fa->blocks -= ptr != NULL;
        free(ptr);
        return NULL;
    }
    if (fa->fail_in > 0 && --fa->fail_in == 0)
        return NULL;
    p = realloc(ptr, size);
    fa->blocks += p != NULL && ptr == NULL;
    return p;
}

static inline struct yjs_allocator fail_alloc_hook(struct fail_alloc *fa)
{
    return (struct yjs_allocator){fail_alloc_fn, fa};
}

#endif
