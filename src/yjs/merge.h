/* SPDX-License-Identifier: MIT */
/**
 * @file merge.h
 * Updates without a document: several into one, and what one adds to a state.
 */
#ifndef YJS_MERGE_H
#define YJS_MERGE_H

#include "yjs/lib0.h"

/** The input that was found wrong, and where. */
struct yjs__merge_error {
    size_t index;
    size_t offset;
};

/**
 * As Y.mergeUpdates, which for one update writes the same structs, but gives
 * it back as it is. `out` is initialised; limits: structs of all inputs, depth.
 * `exact` is that of canon.h, for updates that were v2.
 */
YJS_MUST_USE int yjs__merge_many(struct yjs__mem *mem,
                                 const struct yjs__slice *updates, size_t n,
                                 const struct yjs_limits *limits, bool exact,
                                 struct yjs__merge_error *error,
                                 struct yjs__writer *out);

/** As Y.diffUpdate; `sv` as of yjs__sv_read. */
YJS_MUST_USE int yjs__diff_limited(struct yjs__mem *mem,
                                   struct yjs__slice update,
                                   const struct yjs__vec *sv,
                                   const struct yjs_limits *limits, bool exact,
                                   struct yjs__writer *out,
                                   size_t *error_offset);

/** The same two for updates that this library wrote itself. */
YJS_MUST_USE int yjs__merge(struct yjs__mem *mem,
                            const struct yjs__slice *updates, size_t n,
                            struct yjs__writer *out);
YJS_MUST_USE int yjs__diff(struct yjs__mem *mem, struct yjs__slice update,
                           const struct yjs__vec *sv, struct yjs__writer *out);

#endif
