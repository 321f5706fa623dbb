/* SPDX-License-Identifier: MIT */
/**
 * @file sink.h
 * Writing an update struct by struct, when their number is not known before.
 */
#ifndef YJS_SINK_H
#define YJS_SINK_H

#include "yjs/update_read.h"

/** A block is preceded by its number of structs: it is gathered apart. */
struct yjs__sink {
    struct yjs__writer *body; /**< finished blocks */
    struct yjs__writer block;
    uint64_t client, blocks, structs;
};

/** `body` is the caller's. */
void yjs__sink_init(struct yjs__sink *k, struct yjs__mem *mem,
                    struct yjs__writer *body);
void yjs__sink_deinit(struct yjs__sink *k);

/** End the block at hand. */
void yjs__sink_flush(struct yjs__sink *k);
/** Structs of one client that follow each other become one block. */
void yjs__sink_write(struct yjs__sink *k, const struct yjs__view *v);
/** All blocks, then the delete set, as an update. */
YJS_MUST_USE int yjs__sink_finish(struct yjs__sink *k, struct yjs__vec *ds,
                                  struct yjs__writer *out);

#endif
