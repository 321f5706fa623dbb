/* SPDX-License-Identifier: MIT */
/**
 * @file handle.h
 * What the struct yjs_type of the public interface stands for.
 *
 * A root is named by its address: roots live as long as their document. The
 * only roots ever taken back are those that an update names which then turns
 * out to be bad, and nobody can have asked for one of these meanwhile. A
 * nested type is named by the id of the item that holds it.
 */
#ifndef YJS_HANDLE_H
#define YJS_HANDLE_H

#include "yjs/doc.h"

/** YJS_ERR_DELETED when there is no such type (any more). */
YJS_MUST_USE int yjs__handle_type(const yjs_doc *doc, struct yjs_type handle,
                                  struct yjs__type **out);

struct yjs_type yjs__handle_of(const yjs_doc *doc,
                               const struct yjs__type *type);

/** doc.get(name): the root's sequence, made if there is no such root. */
YJS_MUST_USE int yjs__root_get(yjs_doc *doc, struct yjs__slice name,
                               uint32_t *out);

#endif
