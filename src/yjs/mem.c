/* SPDX-License-Identifier: MIT */
/*
 * mem.c: the engine's memory account.
 *
 * Must never: abort, fall back to another allocator, or touch a block's
 * content.
 */
#include "yjs/mem.h"

#include <stdint.h>
#include <stdlib.h>

static void *libc_realloc(void *ctx, void *ptr, size_t size)
{
    (void)ctx;
    if (size == 0) {
        free(ptr);
        return NULL;
    }
    return realloc(ptr, size);
}

void yjs__mem_init(struct yjs__mem *mem, const struct yjs_allocator *alloc,
                   size_t limit)
{
    *mem = (struct yjs__mem){.limit = limit};
    if (alloc != NULL && alloc->realloc_fn != NULL)
        mem->alloc = *alloc;
    else
        mem->alloc.realloc_fn = libc_realloc;
}

void *yjs__mem_resize(struct yjs__mem *mem, void *ptr, size_t old_size,
                      size_t size)
{
    void *p;

    if (mem->limit != 0 && size > old_size &&
        size - old_size > mem->limit - mem->used) {
        mem->err = yjs__mem_over(mem, YJS_LIMIT_DOC_BYTES);
        return NULL;
    }
    p = mem->alloc.realloc_fn(mem->alloc.ctx, ptr, size);
    if (p == NULL) {
        mem->err = YJS_ERR_NOMEM;
        return NULL;
    }
    mem->used += size;
    mem->used -= old_size;
    return p;
}

void *yjs__mem_alloc(struct yjs__mem *mem, size_t size)
{
    return yjs__mem_resize(mem, NULL, 0, size);
}

void yjs__mem_free(struct yjs__mem *mem, void *ptr, size_t size)
{
    if (ptr == NULL)
        return;
    mem->alloc.realloc_fn(mem->alloc.ctx, ptr, 0);
    mem->used -= size;
}

int yjs__mem_grow(struct yjs__mem *mem, void **ptr, size_t *cap, size_t need,
                  size_t elem)
{
    size_t want;
    void *p;

    if (need <= *cap)
        return YJS_OK;
    want = *cap + *cap / 2;
    if (want < need)
        want = need;
    if (want < 4)
        want = 4;
    if (want > SIZE_MAX / 2 / elem)
        return mem->err = YJS_ERR_NOMEM;
    p = yjs__mem_resize(mem, *ptr, *cap * elem, want * elem);
    if (p == NULL)
        return mem->err;
    *ptr = p;
    *cap = want;
    return YJS_OK;
}

int yjs__vec_reserve(struct yjs__mem *mem, struct yjs__vec *vec, size_t more,
                     size_t elem)
{
    return yjs__mem_grow(mem, &vec->data, &vec->cap, vec->len + more, elem);
}

void yjs__vec_free(struct yjs__mem *mem, struct yjs__vec *vec, size_t elem)
{
    yjs__mem_free(mem, vec->data, vec->cap * elem);
    vec->len = 0;
    vec->data = NULL;
    vec->cap = 0;
}

struct yjs__arena_block {
    struct yjs__arena_block *next;
    size_t size; /* with this header */
    size_t used;
};

#define ARENA_BLOCK 4096u

void *yjs__arena_alloc(struct yjs__arena *arena, size_t size)
{
    struct yjs__arena_block *b = arena->blocks;
    size_t need;
    void *p;

    if (size > SIZE_MAX / 2) {
        arena->mem->err = YJS_ERR_NOMEM;
        return NULL;
    }
    size = (size + 7) & ~(size_t)7;
    if (b == NULL || size > b->size - b->used) {
        need = sizeof(*b) + size;
        if (need < ARENA_BLOCK)
            need = ARENA_BLOCK;
        b = yjs__mem_alloc(arena->mem, need);
        if (b == NULL)
            return NULL;
        *b = (struct yjs__arena_block){arena->blocks, need, sizeof(*b)};
        arena->blocks = b;
    }
    p = (char *)b + b->used;
    b->used += size;
    return p;
}

void yjs__arena_free(struct yjs__arena *arena)
{
    struct yjs__arena_block *b, *next;

    for (b = arena->blocks; b != NULL; b = next) {
        next = b->next;
        yjs__mem_free(arena->mem, b, b->size);
    }
    arena->blocks = NULL;
}
