/* SPDX-License-Identifier: MIT */
/**
 * @file pending.h
 * Structs that wait for others, as updates in the order in which they came.
 */
#ifndef YJS_PENDING_H
#define YJS_PENDING_H

#include "yjs/doc.h"

/**
 * Everything that waits, and `more` (may be empty), as one update in `out`,
 * as if each part had been merged into those before it when it came.
 */
YJS_MUST_USE int yjs__pending_merge(yjs_doc *doc, struct yjs__slice more,
                                    struct yjs__writer *out);
/** May `more` bytes be put behind it for now? Not while there is little, nor
 *  when as much has come since the last merge as there was then. */
bool yjs__pending_may_grow(const yjs_doc *doc, size_t more);
/** Make it one update in place. On failure nothing has changed. */
YJS_MUST_USE int yjs__pending_settle(yjs_doc *doc);
/** `data` (owned, or NULL) is all that waits from now on. */
void yjs__pending_set(yjs_doc *doc, uint8_t *data, size_t len);
/** Put `data`, owned, behind what waits; room was made with yjs__vec_reserve
 *  in `parts`. */
void yjs__pending_add(yjs_doc *doc, uint8_t *data, size_t len);

#endif
