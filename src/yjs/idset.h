/* SPDX-License-Identifier: MIT */
/**
 * @file idset.h
 * Sets of ids as ranges: what was deleted, what is still to be deleted.
 *
 * A vector of ranges, in the order in which they were added until it is
 * normalised: then sorted by client and clock, without overlap or
 * touching neighbours.
 */
#ifndef YJS_IDSET_H
#define YJS_IDSET_H

#include <stdint.h>

#include "yjs/lib0.h"

struct yjs__range {
    uint64_t client; /**< an index or an id, as the set's owner has it */
    uint64_t clock;
    uint64_t len;
};

static inline struct yjs__range *yjs__idset_at(const struct yjs__vec *set,
                                               size_t i)
{
    return (struct yjs__range *)set->data + i;
}

/** Grows the last range when the new one follows it. */
YJS_MUST_USE int yjs__idset_add(struct yjs__mem *mem, struct yjs__vec *set,
                                uint64_t client, uint64_t clock, uint64_t len);

void yjs__idset_normalise(struct yjs__vec *set);
/** The same, quicker if the set is a few ordered runs and there is memory. */
void yjs__idset_normalise_runs(struct yjs__mem *mem, struct yjs__vec *set);

/** In a normalised set: the first range of this or a higher client. */
size_t yjs__idset_find(const struct yjs__vec *set, uint64_t client);

/** Bring a normalised set into the order of a delete set: highest client
 *  first. */
void yjs__idset_order(struct yjs__vec *set);

/** Write an ordered set, whose clients are ids, in the update format. */
void yjs__idset_write(struct yjs__writer *w, const struct yjs__vec *set);

/** Read a delete set, ranges in the order in which they stand. */
void yjs__idset_read(struct yjs__mem *mem, struct yjs__reader *r,
                     struct yjs__vec *set);

#endif
