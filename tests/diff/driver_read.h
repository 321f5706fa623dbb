/* SPDX-License-Identifier: MIT */
/*
 * The driver's questions that change nothing: what a document reads like,
 * snapshots, relative positions. `doc` is that of the slot.
 *
 *  40 read      u8 n positions per type, u32 seed, the type specification;
 *               data: lines of text, see driver_read.c
 *  41 snapshot  u8 fmt; data: the snapshot
 *  42 past      u8 fmt, u8 keep_deleted, the snapshot; data: the state of the
 *               document as it was
 *  43 contains  u8 fmt, u32 length of the snapshot, it, the update; data: u8
 *  44 resolve   positions, each with its u32 length; data: a line for each
 */
#ifndef TESTS_DIFF_DRIVER_READ_H
#define TESTS_DIFF_DRIVER_READ_H

#include <stdbool.h>

#include "yjs.h"

enum read_op {
    OP_READ = 40,
    OP_SNAPSHOT,
    OP_PAST,
    OP_CONTAINS,
    OP_RESOLVE
};

/** Bytes of malloc, whatever allocator the document has. */
struct answer {
    char *data;
    size_t len, cap;
};

/** 0 or an error; the answer is the caller's to free in either case. */
int driver_read(yjs_doc *doc, unsigned int op, const uint8_t *arg, size_t len,
                const struct yjs_allocator *alloc, struct answer *out);

#endif
