/* SPDX-License-Identifier: MIT */
/**
 * @file edit.h
 * Edits of our own: the transaction, and what all of them are made of.
 *
 * An edit is a staged item that is integrated at once, through the same
 * journal as an update (txn.h). As nobody can have typed at the same place
 * meanwhile, its place needs no search.
 *
 * An edit that is refused for its arguments has not changed anything. One that
 * fails for memory or a limit takes the whole transaction back and leaves it
 * broken.
 */
#ifndef YJS_EDIT_H
#define YJS_EDIT_H

#include "yjs/attrs.h"
#include "yjs/txn.h"

struct yjs_txn {
    yjs_doc *doc;
    void *origin;
    bool open;
    int err; /**< what broke it */
    struct yjs__writer bytes;  /**< content of the edit at hand */
    struct yjs__writer delta;  /**< canonical, while it is gone through */
    struct yjs__attrs current; /**< of an edit of a text (edit_text.h) */
    struct yjs__attrs given;
    struct yjs__attrs negated;
    struct yjs__attrs seen;
};

static inline bool yjs__edit_is_open(const yjs_doc *doc)
{
    return doc->telling || (doc->edit != NULL && doc->edit->open);
}

/** Free what the document keeps for edits. */
void yjs__edit_deinit(yjs_doc *doc);

/**
 * The type of a handle, for an edit: of one of the kinds whose bits are set in
 * `kinds` (1 << enum yjs_type_kind).
 */
YJS_MUST_USE int yjs__edit_type(yjs_txn *txn, struct yjs_type handle,
                                unsigned int kinds, struct yjs__type **out);

/** How every edit ends: `rc`, after the transaction was broken if need be. */
YJS_MUST_USE int yjs__edit_end(yjs_txn *txn, int rc);

/** Its sequence, made if need be. */
YJS_MUST_USE int yjs__edit_sequence(yjs_txn *txn, struct yjs__type *type,
                                    uint32_t *list);

/** Content of a new item: as the update format has it, without a count. */
struct yjs__fresh {
    enum yjs__kind kind;
    uint32_t len;
    struct yjs__slice bytes;
};

/** Insert behind `left`, before `right` (0: an end); the item is in *out. */
YJS_MUST_USE int yjs__edit_insert(yjs_txn *txn, uint32_t list, uint32_t left,
                                  uint32_t right,
                                  const struct yjs__fresh *content,
                                  uint32_t *out);

/** The item is to end (begin) at unit `diff` of what it is: cut it there. */
YJS_MUST_USE int yjs__edit_cut(yjs_txn *txn, uint32_t h, uint64_t diff);

/** What stands before and behind the unit at `index`, cut apart. */
YJS_MUST_USE int yjs__edit_place(yjs_txn *txn, uint32_t list, uint64_t index,
                                 uint32_t *left, uint32_t *right);

/* Kinds of types, as bits. */
#define YJS__ARRAYS                                                          \
    (1u << YJS_TYPE_ARRAY | 1u << YJS_TYPE_XML_ELEMENT |                     \
     1u << YJS_TYPE_XML_FRAGMENT)
#define YJS__TEXTS (1u << YJS_TYPE_TEXT | 1u << YJS_TYPE_XML_TEXT)
#define YJS__MAPS                                                            \
    (1u << YJS_TYPE_MAP | 1u << YJS_TYPE_XML_ELEMENT |                       \
     1u << YJS_TYPE_XML_HOOK | YJS__TEXTS)

#endif
