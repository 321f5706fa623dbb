/* SPDX-License-Identifier: MIT */
/*
 * pool.c: objects by handle.
 *
 * Blocks grow with the pool (a quarter of what there is, at most 32 granules),
 * so that a tiny document stays tiny and a large one wastes little. Their
 * sizes follow from their position alone and need not be stored.
 */
#include "yjs/pool.h"

#include <string.h>

static uint32_t block_granules(uint32_t first)
{
    uint32_t n = first / 4;

    if (n < 1)
        return 1;
    return n > 32 ? 32 : n;
}

void yjs__pool_deinit(struct yjs__mem *mem, struct yjs__pool *pool)
{
    uint32_t i, n;

    for (i = 0; i < pool->count; i += n) {
        n = block_granules(i);
        yjs__mem_free(mem, pool->granules[i],
                      (size_t)n * YJS__GRANULE * pool->elem);
    }
    yjs__mem_free(mem, pool->granules, pool->cap * sizeof(*pool->granules));
    yjs__pool_init(pool, pool->elem);
}

static int grow(struct yjs__mem *mem, struct yjs__pool *pool)
{
    uint32_t n = block_granules(pool->count);
    size_t bytes = (size_t)YJS__GRANULE * pool->elem;
    void *table = pool->granules;
    char *block;
    uint32_t i;
    int rc;

    if (pool->count > UINT32_MAX / YJS__GRANULE - n)
        return mem->err = yjs__mem_over(mem, YJS_LIMIT_DOC_BYTES);
    rc = yjs__mem_grow(mem, &table, &pool->cap, pool->count + n,
                       sizeof(*pool->granules));
    pool->granules = table;
    if (rc < 0)
        return rc;
    block = yjs__mem_alloc(mem, n * bytes);
    if (block == NULL)
        return mem->err;
    for (i = 0; i < n; i++)
        pool->granules[pool->count++] = block + i * bytes;
    return YJS_OK;
}

uint32_t yjs__pool_alloc(struct yjs__mem *mem, struct yjs__pool *pool)
{
    uint32_t h = pool->free;

    if (h != 0) {
        memcpy(&pool->free, yjs__pool_at(pool, h), sizeof(pool->free));
    } else {
        if (pool->fresh >= pool->count * YJS__GRANULE && grow(mem, pool) < 0)
            return 0;
        h = pool->fresh++;
    }
    pool->used++;
    return h;
}

void yjs__pool_free(struct yjs__pool *pool, uint32_t h)
{
    memcpy(yjs__pool_at(pool, h), &pool->free, sizeof(pool->free));
    pool->free = h;
    pool->used--;
}
