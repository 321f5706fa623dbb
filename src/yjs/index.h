/* SPDX-License-Identifier: MIT */
/**
 * @file index.h
 * A hash index from 32-bit hashes to 32-bit handles, and the keyed hash.
 *
 * Open addressing, linear probing, at most 3/4 full, no tombstones. The owner
 * of the handles compares keys; the index stores none.
 *
 *     for (at = yjs__index_first(ix, h); (v = yjs__index_probe(ix, &at, h));
 *          at = yjs__index_next(ix, at))
 *         if (it is the one)
 */
#ifndef YJS_INDEX_H
#define YJS_INDEX_H

#include <stdint.h>

#include "yjs/lib0.h"

struct yjs__index_slot {
    uint32_t hash;
    uint32_t value; /**< 0: empty */
};

struct yjs__index {
    struct yjs__index_slot *slots;
    uint32_t cap; /**< a power of two, or 0 */
    uint32_t count;
};

/** SipHash-1-3: peers choose keys, so the hash has a secret. */
uint32_t yjs__hash_bytes(uint64_t seed, const void *owner, const uint8_t *key,
                         size_t len);
uint32_t yjs__hash_u64(uint64_t seed, uint64_t v);

/** Make sure that one more insertion cannot fail. */
YJS_MUST_USE int yjs__index_reserve(struct yjs__mem *mem,
                                    struct yjs__index *ix);
/** After yjs__index_reserve only. `value` is not 0 and not yet there. */
void yjs__index_insert(struct yjs__index *ix, uint32_t hash, uint32_t value);
/** The pair must be there. */
void yjs__index_remove(struct yjs__index *ix, uint32_t hash, uint32_t value);
void yjs__index_free(struct yjs__mem *mem, struct yjs__index *ix);

static inline uint32_t yjs__index_first(const struct yjs__index *ix,
                                        uint32_t hash)
{
    return ix->cap == 0 ? 0 : hash & (ix->cap - 1);
}

static inline uint32_t yjs__index_next(const struct yjs__index *ix,
                                       uint32_t at)
{
    return (at + 1) & (ix->cap - 1);
}

/** The next handle whose hash matches, from slot *at on; 0: no more. */
static inline uint32_t yjs__index_probe(const struct yjs__index *ix,
                                        uint32_t *at, uint32_t hash)
{
    if (ix->cap == 0)
        return 0;
    while (ix->slots[*at].value != 0 && ix->slots[*at].hash != hash)
        *at = yjs__index_next(ix, *at);
    return ix->slots[*at].value;
}

#endif
