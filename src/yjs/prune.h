/* SPDX-License-Identifier: MIT */
/**
 * @file prune.h
 * An update without the content that it deletes itself.
 */
#ifndef YJS_PRUNE_H
#define YJS_PRUNE_H

#include "yjs/lib0.h"

/** As yjs_update_compact; parameters as of yjs__diff_limited (merge.h). */
YJS_MUST_USE int yjs__prune(struct yjs__mem *mem, struct yjs__slice update,
                            const struct yjs_limits *limits, bool exact,
                            struct yjs__writer *out, size_t *error_offset);

#endif
