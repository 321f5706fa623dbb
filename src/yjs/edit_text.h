/* SPDX-License-Identifier: MIT */
/**
 * @file edit_text.h
 * Edits of a text at a place that moves on: what the public calls, and the
 * operations of a delta, are made of. Each is the function of the like name in
 * Yjs, so that the same formats are written and deleted in the same order.
 */
#ifndef YJS_EDIT_TEXT_H
#define YJS_EDIT_TEXT_H

#include "yjs/edit.h"

/** A place between two items; the attributes in force are txn->current. */
struct yjs__place {
    yjs_txn *txn;
    struct yjs__type *type;
    uint32_t list;
    uint32_t left, right;
    uint64_t index;
};

/** The start of a text. */
YJS_MUST_USE int yjs__text_start(yjs_txn *txn, struct yjs__type *type,
                                 struct yjs__place *place);
/** At `index`, which is at most the length. */
YJS_MUST_USE int yjs__text_seek(struct yjs__place *place, uint64_t index);

/** Insert with the attributes of txn->given, to which those in force are added
 *  as null. */
YJS_MUST_USE int yjs__text_put(struct yjs__place *place,
                               const struct yjs__fresh *content);
/** Give `len` units the attributes of txn->given; line ends are added behind
 *  the text for those that are not there. */
YJS_MUST_USE int yjs__text_mark(struct yjs__place *place, uint64_t len);
/** Delete up to `len` units. */
YJS_MUST_USE int yjs__text_cut(struct yjs__place *place, uint64_t len);

/** The members of a canonical JSON object become txn->given. */
YJS_MUST_USE int yjs__text_give(yjs_txn *txn, struct yjs__slice json);

/** Content of an embed: canonical JSON, or the text if it is a string. */
YJS_MUST_USE int yjs__text_embed(yjs_txn *txn, struct yjs__slice json,
                                 struct yjs__fresh *out);

/** The characters of a JSON string with its quotes; borrowed, or in the
 *  arena. */
YJS_MUST_USE int yjs__text_unquote(yjs_txn *txn, struct yjs__slice json,
                                   struct yjs__slice *out);

#endif
