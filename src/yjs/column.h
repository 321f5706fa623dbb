/* SPDX-License-Identifier: MIT */
/**
 * @file column.h
 * The columns of update format v2 (lib0's run-length codecs).
 *
 *   rle     byte value, then varuint n: n + 1 times; the last value has no
 *           count and never ends
 *   uint    varint value; negative (-0 as well): varuint n: n + 2 times
 *   diff    varint 2 d + c, every value is the one before plus d;
 *           c = 1: varuint n: n + 2 times
 *   string  string (all of them in one), then a uint column: their lengths in
 *           UTF-16 units
 *
 * A run may claim 2^53 values: whoever reads a column counts what it takes.
 */
#ifndef YJS_COLUMN_H
#define YJS_COLUMN_H

#include "yjs/lib0.h"

/** One column being read; errors stick to `r`. */
struct yjs__column {
    struct yjs__reader r;
    uint64_t value;
    uint64_t count; /**< how often `value` or `step` comes again */
    uint64_t step;  /**< diff: magnitude, and its sign */
    bool down;
};

static inline void yjs__column_init(struct yjs__column *c, struct yjs__slice s)
{
    /* An empty column, too, has a place in the update for its errors. */
    *c = (struct yjs__column){.r = {s.ptr, s.ptr + s.len, s.ptr, NULL, 0}};
}

uint8_t yjs__column_rle(struct yjs__column *c);
uint64_t yjs__column_uint(struct yjs__column *c);
/** YJS_ERR_MALFORMED outside of 0 to 2^53 - 1. */
uint64_t yjs__column_diff(struct yjs__column *c);

/** A string of the string column: UTF-8, and halves of pairs around it. */
struct yjs__cut {
    struct yjs__slice text;
    uint64_t units;
    bool low;  /**< the second half of a pair before `text` */
    bool high; /**< the first half of a pair behind `text` */
};

struct yjs__strings {
    struct yjs__column lens;
    struct yjs__slice left; /**< not taken yet */
    uint64_t units;         /**< of those */
    bool half;              /**< the first half of the pair at `left` is */
};

void yjs__strings_init(struct yjs__strings *s, struct yjs__slice column);
struct yjs__cut yjs__strings_next(struct yjs__strings *s);

/** One column being written; errors stick to `w`. */
struct yjs__column_out {
    struct yjs__writer w;
    uint64_t value;
    uint64_t count;
    uint64_t step;
    bool down;
};

void yjs__column_put_rle(struct yjs__column_out *c, uint8_t v);
void yjs__column_put_uint(struct yjs__column_out *c, uint64_t v);
void yjs__column_put_diff(struct yjs__column_out *c, uint64_t v);
/** Write the run that is open. An rle column needs no end. */
void yjs__column_end_uint(struct yjs__column_out *c);
void yjs__column_end_diff(struct yjs__column_out *c);

#endif
