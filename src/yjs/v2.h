/* SPDX-License-Identifier: MIT */
/**
 * @file v2.h
 * Update format v2, to and from format v1 (update_read.h).
 *
 *   update   varuint 0, nine columns, each with its length before it, the rest
 *   columns  (column.h)
 *     key clock    diff     numbers of keys: a new number is a new string
 *     client       uint     of blocks, of ids
 *     left clock   diff     of left origins, of parents' ids
 *     right clock  diff
 *     info         rle      as in v1
 *     string       string   roots, keys of parents, texts, guids, keys, JSON
 *     parent info  rle      1: a root, 0: an id
 *     type ref     uint
 *     len          uint     lengths of all but Skips and texts
 *   rest     varuint n, n block, delete set (deletes.h)
 *   block    varuint n structs, varuint clock of the first; per struct what has
 *            no column:
 *     Skip     varuint length        Binary   bytes
 *     Any      its values            Doc      any
 *     Embed    any                   Format   any
 *
 * Values of embeds and formats are JSON in v1 and an Any in v2.
 */
#ifndef YJS_V2_H
#define YJS_V2_H

#include "yjs/lib0.h"

/**
 * Convert, as Yjs does without a document. `out` is initialised; what was
 * written to it on failure is of no use. Limits are those of `limits`
 * (update_bytes: of input and output alike), all set. *stopped
 * tells where decoding stopped, at the end or with an error. `exact`: the v1
 * will be v2 again; it may hold -0 and infinities (canon.h). `own`: the update
 * was written here. A struct that has a key but, for its origins, does not
 * write it is marked all the same; who reads it in an update from elsewhere
 * cannot know of the key, and forgets the mark as Yjs does.
 */
YJS_MUST_USE int yjs__v2_to_v1(struct yjs__mem *mem, struct yjs__slice update,
                               const struct yjs_limits *limits, bool exact,
                               struct yjs__writer *out, size_t *stopped);
YJS_MUST_USE int yjs__v1_to_v2(struct yjs__mem *mem, struct yjs__slice update,
                               const struct yjs_limits *limits, bool own,
                               struct yjs__writer *out, size_t *stopped);

#endif
