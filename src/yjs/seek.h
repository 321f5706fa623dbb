/* SPDX-License-Identifier: MIT */
/**
 * @file seek.h
 * Elements of long items by number, for readers.
 *
 * An array that one client filled is one item, and where its elements lie can
 * only be found by reading from the front. The places of every 32nd element of
 * the items read last are kept beside the document: unlike the tables of
 * content.c they move nothing that a reader may have borrowed.
 */
#ifndef YJS_SEEK_H
#define YJS_SEEK_H

#include "yjs/doc.h"

/**
 * The bytes of a JSON or ANY item from element `unit` on, `unit` below its
 * length. Without memory for the places it is read from the front.
 */
YJS_MUST_USE int yjs__seek(yjs_doc *doc, struct yjs__canon *canon, uint32_t h,
                           uint32_t unit, struct yjs__slice *tail);

/** A block is freed or moved. */
void yjs__seek_forget(yjs_doc *doc, const struct yjs__block *block);

/** Forget all. */
void yjs__seek_deinit(yjs_doc *doc);

#endif
