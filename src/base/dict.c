/* SPDX-License-Identifier: MIT */
/* Hash map: see dict.h. Linear probing with backward-shift deletion, so there
 * are no tombstones and a lookup costs the same after a million removals.
 * Load is kept between 1/8 and 3/4. */
#include "base/dict.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { MIN_SLOTS = 8 };

struct dict_entry {
    const void *key;
    void *value; /* NULL: free slot */
    uint64_t hash;
    size_t len;
};

#define ROTL(x, b) (uint64_t)(((x) << (b)) | ((x) >> (64 - (b))))

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = ROTL(v[1], 13) ^ v[0];
    v[0] = ROTL(v[0], 32);
    v[2] += v[3];
    v[3] = ROTL(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = ROTL(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = ROTL(v[1], 17) ^ v[2];
    v[2] = ROTL(v[2], 32);
}

static uint64_t load_le64(const uint8_t *p, size_t n)
{
    uint64_t x = 0;
    for (size_t i = 0; i < n; i++)
        x |= (uint64_t)p[i] << (8 * i);
    return x;
}

uint64_t dict_siphash(uint64_t k0, uint64_t k1, const void *data, size_t len)
{
    uint64_t v[4] = {0x736f6d6570736575u ^ k0, 0x646f72616e646f6du ^ k1,
                     0x6c7967656e657261u ^ k0, 0x7465646279746573u ^ k1};
    const uint8_t *p = data;
    size_t left = len;
    for (; left >= 8; left -= 8, p += 8) {
        uint64_t m = load_le64(p, 8);
        v[3] ^= m;
        sip_round(v);
        v[0] ^= m;
    }
    uint64_t last = ((uint64_t)len << 56) | load_le64(p, left);
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void dict_init(struct dict *d, const uint8_t key[16])
{
    *d = (struct dict){.k0 = load_le64(key, 8), .k1 = load_le64(key + 8, 8)};
}

void dict_deinit(struct dict *d)
{
    free(d->slots);
    *d = (struct dict){.k0 = d->k0, .k1 = d->k1};
}

/* The slot that holds the key, or the free slot where it would go. */
static struct dict_entry *probe(const struct dict *d, const void *key,
                                size_t len, uint64_t hash)
{
    for (size_t i = hash & d->mask;; i = (i + 1) & d->mask) {
        struct dict_entry *e = &d->slots[i];
        if (!e->value)
            return e;
        if (e->hash == hash && e->len == len && memcmp(e->key, key, len) == 0)
            return e;
    }
}

static void resize(struct dict *d, size_t slots)
{
    struct dict_entry *old = d->slots;
    size_t old_slots = old ? d->mask + 1 : 0;
    d->slots = mem_array(slots, sizeof *d->slots);
    d->mask = slots - 1;
    for (size_t i = 0; i < old_slots; i++)
        if (old[i].value)
            *probe(d, old[i].key, old[i].len, old[i].hash) = old[i];
    free(old);
}

void *dict_find(const struct dict *d, const void *key, size_t len)
{
    if (!d->slots)
        return NULL;
    return probe(d, key, len, dict_siphash(d->k0, d->k1, key, len))->value;
}

void *dict_put(struct dict *d, const void *key, size_t len, void *value)
{
    if (!d->slots)
        resize(d, MIN_SLOTS);
    else if ((d->count + 1) * 4 > (d->mask + 1) * 3)
        resize(d, (d->mask + 1) * 2);
    uint64_t hash = dict_siphash(d->k0, d->k1, key, len);
    struct dict_entry *e = probe(d, key, len, hash);
    void *old = e->value;
    *e = (struct dict_entry){key, value, hash, len};
    if (!old)
        d->count++;
    return old;
}

/* Close the hole at `hole` by moving back every later entry of the run whose
 * home slot does not lie behind the hole. */
static void shift_back(struct dict *d, size_t hole)
{
    for (size_t i = (hole + 1) & d->mask; d->slots[i].value;
         i = (i + 1) & d->mask) {
        size_t home = d->slots[i].hash & d->mask;
        if (((i - home) & d->mask) < ((i - hole) & d->mask))
            continue;
        d->slots[hole] = d->slots[i];
        hole = i;
    }
    d->slots[hole].value = NULL;
}

void *dict_remove(struct dict *d, const void *key, size_t len)
{
    if (!d->slots)
        return NULL;
    uint64_t hash = dict_siphash(d->k0, d->k1, key, len);
    struct dict_entry *e = probe(d, key, len, hash);
    void *value = e->value;
    if (!value)
        return NULL;
    shift_back(d, (size_t)(e - d->slots));
    d->count--;
    if (d->count == 0)
        dict_deinit(d);
    else if (d->mask + 1 > MIN_SLOTS && d->count * 8 < d->mask + 1)
        resize(d, (d->mask + 1) / 2);
    return value;
}

void *dict_next(const struct dict *d, size_t *cursor)
{
    if (!d->slots)
        return NULL;
    while (*cursor <= d->mask) {
        void *value = d->slots[(*cursor)++].value;
        if (value)
            return value;
    }
    return NULL;
}
