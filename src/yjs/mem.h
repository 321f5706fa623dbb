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
    enum yjs_limit fired; /**< which limit was reached last */
};

/** Say which limit it is that ends a call. */
static inline int yjs__mem_over(struct yjs__mem *mem, enum yjs_limit which)
{
    mem->fired = which;
    return YJS_ERR_LIMIT;
}

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

/** A growing array; the element size is the caller's to remember. */
struct yjs__vec {
    void *data;
    size_t len;
    size_t cap;
};

/** Room for one more element at the end, uninitialised; NULL on failure. */
static inline void *yjs__vec_add(struct yjs__mem *mem, struct yjs__vec *vec,
                                 size_t elem)
{
    if (vec->len == vec->cap && yjs__mem_grow(mem, &vec->data, &vec->cap,
                                              vec->len + 1, elem) < 0)
        return NULL;
    return (char *)vec->data + vec->len++ * elem;
}

/** Make sure that `more` elements can be added without memory. */
YJS_MUST_USE int yjs__vec_reserve(struct yjs__mem *mem, struct yjs__vec *vec,
                                  size_t more, size_t elem);

/** Forget the elements and give the memory back. */
void yjs__vec_free(struct yjs__mem *mem, struct yjs__vec *vec, size_t elem);

/** Forget the elements; give the memory back if it is over `keep` bytes. */
static inline void yjs__vec_trim(struct yjs__mem *mem, struct yjs__vec *vec,
                                 size_t elem, size_t keep)
{
    vec->len = 0;
    if (vec->cap * elem > keep)
        yjs__vec_free(mem, vec, elem);
}

/** Memory that is given back all at once, for what one call needs. */
struct yjs__arena {
    struct yjs__mem *mem;
    struct yjs__arena_block *blocks;
};

/** NULL on failure, arena->mem->err then tells why. Aligned to 8 bytes. */
void *yjs__arena_alloc(struct yjs__arena *arena, size_t size);
void yjs__arena_free(struct yjs__arena *arena);

#endif
