/* SPDX-License-Identifier: MIT */
/**
 * @file marker.h
 * Where in a sequence is index i? Markers every few items, kept for sequences
 * that are edited here, or read by index.
 *
 *   markers   item   a      b      c           all of them visible,
 *             index  0      310    655         by ascending index
 *                    |      |      |
 *   items            a..x.x..b.xx..c.x..       about STEP items apart
 *
 * Found by binary search, then a short walk. An edit at index i shifts all
 * that follow: a run of additions in one array. They are only a cache: a
 * change by a peer to the sequence drops all of its markers, lack of memory
 * means that there are fewer of them. Items that have one are flagged, so that
 * a merge can tell.
 */
#ifndef YJS_MARKER_H
#define YJS_MARKER_H

#include "yjs/doc.h"

/** The visible item that holds the unit at `index`, which is below the length
 *  of the sequence, and the index of its first unit. */
uint32_t yjs__marks_find(yjs_doc *doc, uint32_t list, uint64_t index,
                         uint64_t *start);

/** `len` visible units were inserted so that they begin at `index`. */
void yjs__marks_insert(yjs_doc *doc, uint32_t list, uint64_t index,
                       uint64_t len);
/** The `len` units from `index` on were deleted. */
void yjs__marks_delete(yjs_doc *doc, uint32_t list, uint64_t index,
                       uint64_t len);
/** The item, which is flagged, is about to go. */
void yjs__marks_forget(yjs_doc *doc, uint32_t h);
/** The sequence of the type, which is flagged, changed in some other way. */
void yjs__marks_drop(yjs_doc *doc, struct yjs__type *type);
void yjs__marks_drop_all(yjs_doc *doc);

/** For tests: every marker is where it says. */
bool yjs__marks_check(const yjs_doc *doc);

#endif
