/* SPDX-License-Identifier: MIT */
/**
 * @file dict.h
 * Hash map from byte strings to pointers. Keys are borrowed: they must live in
 * the value or outlive the entry. The hash is SipHash-1-3 (Aumasson and
 * Bernstein) with a caller's key, so that peers who choose the keys cannot
 * choose the collisions. An empty dict owns no memory.
 */
#ifndef BASE_DICT_H
#define BASE_DICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dict_entry;

struct dict {
    struct dict_entry *slots; /**< open addressing, linear probing */
    size_t count, mask;
    uint64_t k0, k1;
};

void dict_init(struct dict *d, const uint8_t key[16]);
/** Frees the table, not the values. */
void dict_deinit(struct dict *d);

/** NULL when absent. */
void *dict_find(const struct dict *d, const void *key, size_t len);
/** Insert or replace; `value` not NULL. Returns the old value or NULL. */
void *dict_put(struct dict *d, const void *key, size_t len, void *value);
/** Remove and return the value; NULL when absent. */
void *dict_remove(struct dict *d, const void *key, size_t len);

/** Walk in no order: start with *cursor = 0, ends with NULL. The dict must not
 *  change meanwhile. */
void *dict_next(const struct dict *d, size_t *cursor);

uint64_t dict_siphash(uint64_t k0, uint64_t k1, const void *data, size_t len);

#endif
