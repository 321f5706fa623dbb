/* SPDX-License-Identifier: MIT */
/**
 * @file pool.h
 * Small objects of one size, named by 32-bit handles instead of pointers.
 *
 *   handle  = granule << 3 | slot          0 is no handle
 *   granule -> 8 objects next to each other; a block is 1 to 32 granules
 *
 * Half the size of a pointer in every link, stable addresses (blocks never
 * move), and neighbours in an update are neighbours in memory. A freed object
 * goes to the free list.
 */
#ifndef YJS_POOL_H
#define YJS_POOL_H

#include <stdint.h>

#include "yjs/mem.h"

#define YJS__GRANULE 8u

struct yjs__pool {
    char **granules;
    size_t cap;        /**< of granules */
    uint32_t count;    /**< granules there are */
    uint32_t fresh;    /**< first handle never given out */
    uint32_t free;     /**< first freed handle, 0: none */
    uint32_t used;     /**< objects in use */
    uint32_t elem;     /**< bytes of an object, a multiple of 8 */
};

static inline void yjs__pool_init(struct yjs__pool *pool, uint32_t elem)
{
    *pool = (struct yjs__pool){.elem = elem, .fresh = 1};
}

void yjs__pool_deinit(struct yjs__mem *mem, struct yjs__pool *pool);

static inline void *yjs__pool_at(const struct yjs__pool *pool, uint32_t h)
{
    return pool->granules[h / YJS__GRANULE] + (h % YJS__GRANULE) * pool->elem;
}

/** Uninitialised; 0 on failure. */
uint32_t yjs__pool_alloc(struct yjs__mem *mem, struct yjs__pool *pool);
void yjs__pool_free(struct yjs__pool *pool, uint32_t h);

#endif
