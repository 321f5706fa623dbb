/* SPDX-License-Identifier: MIT */
/**
 * @file blob.h
 * Immutable bytes with a reference count: what a fan-out shares between all
 * its receivers. One thread; the count is not atomic. Fill `data` between
 * blob_alloc and the first ref given away, never later.
 *
 * A joint blob has a head and a tail of its own around a body that others
 * share: the same document in answer to many joins costs each of them some
 * dozens of bytes. Only blob_run reads one; `data` of a joint blob is private.
 */
#ifndef BASE_BLOB_H
#define BASE_BLOB_H

#include <stddef.h>
#include <stdint.h>

struct blob {
    uint32_t refs : 31;
    uint32_t joint : 1;
    uint32_t len; /**< bytes, of a joint blob in all; below 4 GiB by every
                       limit we have */
    uint8_t data[];
};

/** Bytes that lie one behind the other. */
struct blob_run {
    const uint8_t *data;
    size_t len;
};

/** One reference, uninitialised content. */
struct blob *blob_alloc(size_t len);
/** Likewise; NULL when the memory is not to be had, or `len` is no uint32_t:
 *  for what a peer may make large. */
struct blob *blob_try_alloc(size_t len);
struct blob *blob_new(const void *src, size_t len);
/** `head` and `tail` bytes are copied; `body` is not joint, and gets a
 *  reference of its own. All three together are below 4 GiB. */
struct blob *blob_join(const void *head, size_t head_len, struct blob *body,
                       const void *tail, size_t tail_len);

/** The bytes from offset `from` (below len) to the end, or to where they go
 *  on somewhere else. */
struct blob_run blob_run(const struct blob *b, size_t from);

static inline struct blob *blob_ref(struct blob *b)
{
    b->refs++;
    return b;
}

/** NULL is accepted. */
void blob_unref(struct blob *b);

/** Content of all blobs of this process, shared ones once. */
uint64_t blob_total(void);

#endif
