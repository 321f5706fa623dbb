/* SPDX-License-Identifier: MIT */
/**
 * @file queue.h
 * Which of many updates gives the next struct of a merge.
 */
#ifndef YJS_QUEUE_H
#define YJS_QUEUE_H

#include "yjs/lib0.h"

/** An update being merged: where its next struct stands. */
struct yjs__source {
    const uint8_t *pos;
    uint64_t blocks, structs; /**< still to come, those of this block */
    uint64_t client, clock;   /**< of the next struct */
    uint32_t update;          /**< its number */
    bool has;                 /**< there is a next struct */
    bool gc;                  /**< and it is a GC */
};

struct yjs__queue_entry;

struct yjs__queue {
    struct yjs__vec sources;
    struct yjs__queue_entry *heap; /**< while there are many, else NULL */
    struct yjs__queue_entry *heap_memory;
    size_t heap_cap;
    struct yjs__source **order;    /**< once there are few */
    size_t n;
    int64_t stamp;
    bool started;
    bool mixed;
};

YJS_MUST_USE int yjs__queue_add(struct yjs__mem *mem, struct yjs__queue *q,
                                const struct yjs__source *s);
/** After the last one was added, before the first is asked for. */
YJS_MUST_USE int yjs__queue_start(struct yjs__mem *mem, struct yjs__queue *q);
/**
 * The source whose turn it is, or NULL. Of those given before, only the last
 * may have been read from since.
 */
struct yjs__source *yjs__queue_first(struct yjs__queue *q);
void yjs__queue_free(struct yjs__mem *mem, struct yjs__queue *q);

#endif
