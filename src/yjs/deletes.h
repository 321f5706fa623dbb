/* SPDX-License-Identifier: MIT */
/**
 * @file deletes.h
 * Delete sets as they stand in an update: ranges, in order, unmerged.
 *
 *   v1   varuint n, n (varuint client, varuint m, m (varuint clock, varuint
 *        length))
 *   v2   the same, but a clock counts from the end of the range before it, and
 *        a length is one less
 *
 * idset.h has sets of ids; this has what was written, which a conversion must
 * give back as it was.
 */
#ifndef YJS_DELETES_H
#define YJS_DELETES_H

#include "yjs/idset.h"

/** Add the ranges at `r`, struct yjs__range, to `set`. Errors stick to `r`. */
void yjs__deletes_read(struct yjs__mem *mem, struct yjs__reader *r, bool v2,
                       struct yjs__vec *set);

/** Highest client first; the ranges of each stay in the order they came. */
YJS_MUST_USE int yjs__deletes_group(struct yjs__mem *mem,
                                    struct yjs__vec *set);

/** Highest client first, clocks ascending, what overlaps or touches merged. */
void yjs__deletes_merge(struct yjs__vec *set);

/**
 * Write a grouped set. Format v2 can only hold ascending ranges that are not
 * empty: others are merged (Yjs writes what nobody can read, or throws).
 */
void yjs__deletes_write(struct yjs__writer *w, struct yjs__vec *set, bool v2);

#endif
