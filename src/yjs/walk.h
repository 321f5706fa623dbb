/* SPDX-License-Identifier: MIT */
/**
 * @file walk.h
 * All structs of an update in format v1, in the order in which they stand.
 */
#ifndef YJS_WALK_H
#define YJS_WALK_H

#include "yjs/update_read.h"

struct yjs__walk {
    struct yjs__reader r;
    struct yjs__view_ctx ctx;
    uint64_t blocks, structs; /**< still to come */
    uint64_t seen;            /**< structs so far */
    uint64_t limit;           /**< of those */
    uint64_t next_clock;
    struct yjs__view view;    /**< the struct at hand */
    uint8_t info;             /**< its info as it was written */
};

void yjs__walk_init(struct yjs__walk *w, struct yjs__slice update,
                    const struct yjs__view_ctx *ctx, uint64_t limit);

/**
 * Step to the next struct, the first one at first. False at the end, where
 * `r` stands before the delete set, and after an error, which sticks to `r`.
 */
bool yjs__walk_next(struct yjs__walk *w);

#endif
