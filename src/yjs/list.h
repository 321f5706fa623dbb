/* SPDX-License-Identifier: MIT */
/**
 * @file list.h
 * Types and their lists: roots by name, entries by key, sequences.
 */
#ifndef YJS_LIST_H
#define YJS_LIST_H

#include "yjs/doc.h"

/** The sequence list of the root, 0 when there is none of this name. */
uint32_t yjs__root_find(const yjs_doc *doc, struct yjs__slice name);
/** A new root, whose name is not taken yet; 0 on failure. */
uint32_t yjs__root_new(yjs_doc *doc, struct yjs__slice name);
/** Remove the newest root; it must never have held an item. */
void yjs__root_drop(yjs_doc *doc);

/** The list of a key, 0 when there is none. */
uint32_t yjs__entry_find(const yjs_doc *doc, const struct yjs__type *type,
                         struct yjs__slice key);
/** A new one, for a key without; 0 on failure. */
uint32_t yjs__entry_new(yjs_doc *doc, struct yjs__type *type,
                        struct yjs__slice key);
/** The sequence of a type that has none yet; 0 on failure. */
uint32_t yjs__seq_new(yjs_doc *doc, struct yjs__type *type);
/** The first item of an entry came: it is the last of the type from now on. */
void yjs__entry_arrived(yjs_doc *doc, uint32_t h);
/** Remove a list, which must be empty. */
void yjs__list_drop(yjs_doc *doc, uint32_t h);

/** Turn the content of a staged TYPE item into a type. */
YJS_MUST_USE int yjs__type_own(yjs_doc *doc, uint32_t h);
/** Free a type with its lists; their items are somebody else's. */
void yjs__type_free(yjs_doc *doc, struct yjs__type *type);

#endif
