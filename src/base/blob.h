/* SPDX-License-Identifier: MIT */
/**
 * @file blob.h
 * Immutable bytes with a reference count: what a fan-out shares between all
 * its receivers. One thread; the count is not atomic. Fill `data` between
 * blob_alloc and the first ref given away, never later.
 */
#ifndef BASE_BLOB_H
#define BASE_BLOB_H

#include <stddef.h>
#include <stdint.h>

struct blob {
    uint32_t refs;
    uint32_t len; /**< bytes; below 4 GiB by every limit we have */
    uint8_t data[];
};

/** One reference, uninitialised content. */
struct blob *blob_alloc(size_t len);
struct blob *blob_new(const void *src, size_t len);

static inline struct blob *blob_ref(struct blob *b)
{
    b->refs++;
    return b;
}

/** NULL is accepted. */
void blob_unref(struct blob *b);

#endif
