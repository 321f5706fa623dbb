/* SPDX-License-Identifier: MIT */
/**
 * @file mem.h
 * Memory as the engine asks for it: sized, counted and bounded.
 *
 * Every block is resized and freed with the size it was asked with, so that
 * a document knows its heap without an own header before each block. All
 * memory of the engine comes through here and from nowhere else.
 */
#ifndef YJS_MEM_H
#define YJS_MEM_H

#include <stdbool.h>
#include <stddef.h>

#include "yjs.h"

/** One account: what was asked of one allocator by one owner. */
struct yjs__mem {
    struct yjs_allocator alloc;
    size_t used;  /**< bytes held now */
    size_t limit; /**< 0: none */
    int err;      /**< why the last request failed */
};

/** `alloc` may be NULL or hold a NULL hook: libc then. */
void yjs__mem_init(struct yjs__mem *mem, const struct yjs_allocator *alloc,
                   size_t limit);

/** NULL on failure, mem->err then tells why. `size` must not be 0. */
void *yjs__mem_alloc(struct yjs__mem *mem, size_t size);

/** As realloc: the old block lives on failure. `size` must not be 0. */
void *yjs__mem_resize(struct yjs__mem *mem, void *ptr, size_t old_size,
                      size_t size);

/** NULL with size 0 is accepted. */
void yjs__mem_free(struct yjs__mem *mem, void *ptr, size_t size);

/**
 * Make room for `need` elements of `elem` bytes in the array *ptr that has
 * room for *cap: at least half as many again when it grows. Returns 0 or a
 * yjs_err; array and capacity are as before on failure.
 */
YJS_MUST_USE int yjs__mem_grow(struct yjs__mem *mem, void **ptr, size_t *cap,
                               size_t need, size_t elem);

#endif
