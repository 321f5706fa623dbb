/* SPDX-License-Identifier: MIT */
/*
 * index.c: hashing what peers choose: client ids, map keys, root names.
 *
 * Must never: depend on anything but the seed (a document's order of
 * iteration is by handle, never by hash), or fail after a reserve.
 */
#include "yjs/index.h"

struct sip {
    uint64_t a, b, c, d;
};

static uint64_t rotl(uint64_t v, unsigned int n)
{
    return v << n | v >> (64 - n);
}

static void sip_round(struct sip *s)
{
    s->a += s->b;
    s->b = rotl(s->b, 13) ^ s->a;
    s->a = rotl(s->a, 32);
    s->c += s->d;
    s->d = rotl(s->d, 16) ^ s->c;
    s->a += s->d;
    s->d = rotl(s->d, 21) ^ s->a;
    s->c += s->b;
    s->b = rotl(s->b, 17) ^ s->c;
    s->c = rotl(s->c, 32);
}

static void sip_word(struct sip *s, uint64_t word)
{
    s->d ^= word;
    sip_round(s);
    s->a ^= word;
}

uint32_t yjs__hash_bytes(uint64_t seed, const void *owner, const uint8_t *key,
                         size_t len)
{
    uint64_t k1 = seed * 0x9e3779b97f4a7c15u + 1;
    struct sip s = {seed ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du,
                    seed ^ 0x6c7967656e657261u, k1 ^ 0x7465646279746573u};
    uint64_t word;
    size_t i;

    sip_word(&s, (uint64_t)(uintptr_t)owner);
    for (i = 0; len - i >= 8; i += 8) {
        memcpy(&word, key + i, 8);
        sip_word(&s, word);
    }
    word = 0;
    memcpy(&word, key + i, len - i);
    sip_word(&s, word ^ (uint64_t)len << 56);
    s.c ^= 0xff;
    sip_round(&s);
    sip_round(&s);
    sip_round(&s);
    word = s.a ^ s.b ^ s.c ^ s.d;
    return (uint32_t)(word ^ word >> 32);
}

uint32_t yjs__hash_u64(uint64_t seed, uint64_t v)
{
    v ^= seed;
    v = (v ^ v >> 33) * 0xff51afd7ed558ccdu;
    v += seed;
    v = (v ^ v >> 33) * 0xc4ceb9fe1a85ec53u;
    return (uint32_t)(v ^ v >> 33);
}

static void place(struct yjs__index_slot *slots, uint32_t cap,
                  struct yjs__index_slot slot)
{
    uint32_t at = slot.hash & (cap - 1);

    while (slots[at].value != 0)
        at = (at + 1) & (cap - 1);
    slots[at] = slot;
}

int yjs__index_reserve(struct yjs__mem *mem, struct yjs__index *ix)
{
    struct yjs__index_slot *slots;
    uint32_t cap, i;

    if ((uint64_t)ix->count + 1 <= (uint64_t)ix->cap / 4 * 3)
        return YJS_OK;
    if (ix->cap > UINT32_MAX / 4)
        return yjs__mem_over(mem, YJS_LIMIT_DOC_BYTES);
    cap = ix->cap == 0 ? 4 : ix->cap * 2;
    slots = yjs__mem_alloc(mem, cap * sizeof(*slots));
    if (slots == NULL)
        return mem->err;
    memset(slots, 0, cap * sizeof(*slots));
    for (i = 0; i < ix->cap; i++)
        if (ix->slots[i].value != 0)
            place(slots, cap, ix->slots[i]);
    yjs__mem_free(mem, ix->slots, ix->cap * sizeof(*slots));
    ix->slots = slots;
    ix->cap = cap;
    return YJS_OK;
}

void yjs__index_insert(struct yjs__index *ix, uint32_t hash, uint32_t value)
{
    place(ix->slots, ix->cap, (struct yjs__index_slot){hash, value});
    ix->count++;
}

void yjs__index_remove(struct yjs__index *ix, uint32_t hash, uint32_t value)
{
    uint32_t mask = ix->cap - 1;
    uint32_t hole = hash & mask;
    uint32_t at;

    while (ix->slots[hole].value != value)
        hole = (hole + 1) & mask;
    /* Close the gap: move back whatever may stand in the hole, which is all
     * that does not have its home between the hole and itself. */
    for (at = (hole + 1) & mask; ix->slots[at].value != 0;
         at = (at + 1) & mask) {
        uint32_t home = ix->slots[at].hash & mask;

        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        ix->slots[hole] = ix->slots[at];
        hole = at;
    }
    ix->slots[hole].value = 0;
    ix->count--;
}

void yjs__index_free(struct yjs__mem *mem, struct yjs__index *ix)
{
    yjs__mem_free(mem, ix->slots, ix->cap * sizeof(*ix->slots));
    *ix = (struct yjs__index){0};
}
