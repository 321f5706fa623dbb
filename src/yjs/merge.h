/* SPDX-License-Identifier: MIT */
/**
 * @file merge.h
 * Updates without a document: several into one, and what one adds to a state.
 *
 * The inputs are updates that this library wrote itself.
 */
#ifndef YJS_MERGE_H
#define YJS_MERGE_H

#include "yjs/lib0.h"

/** As Y.mergeUpdates; `out` is initialised. */
YJS_MUST_USE int yjs__merge(struct yjs__mem *mem,
                            const struct yjs__slice *updates, size_t n,
                            struct yjs__writer *out);

/** As Y.diffUpdate; `sv` as of yjs__sv_read. */
YJS_MUST_USE int yjs__diff(struct yjs__mem *mem, struct yjs__slice update,
                           const struct yjs__vec *sv, struct yjs__writer *out);

#endif
