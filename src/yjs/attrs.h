/* SPDX-License-Identifier: MIT */
/**
 * @file attrs.h
 * Attributes of text: keys and JSON values, in the order that Yjs keeps.
 *
 * Slices are borrowed: from formats in the document, or from what the caller
 * of an edit gave. Where a value lies tells which object it is: in JavaScript
 * objects that are alike are not yet the same.
 */
#ifndef YJS_ATTRS_H
#define YJS_ATTRS_H

#include "yjs/doc.h"

struct yjs__attr {
    struct yjs__slice key;
    struct yjs__slice value; /**< canonical JSON */
    uint64_t number;         /**< of a key that is an array index */
    bool gone;
};

struct yjs__attrs {
    yjs_doc *doc;
    struct yjs__vec list; /**< struct yjs__attr, with gaps that are gone */
    size_t count;         /**< of those that are not */
    struct yjs__index index; /**< of places in the list, if it is long */
};

void yjs__attrs_init(struct yjs__attrs *a, yjs_doc *doc);
/** Remove all; memory stays. */
void yjs__attrs_clear(struct yjs__attrs *a);
/** Remove all, and give memory back that is over `keep` bytes. */
void yjs__attrs_trim(struct yjs__attrs *a, size_t keep);

/** NULL when there is none. */
struct yjs__attr *yjs__attrs_get(const struct yjs__attrs *a,
                                 struct yjs__slice key);
/** As Map.set: one that is there keeps its place. */
YJS_MUST_USE int yjs__attrs_set(struct yjs__attrs *a, struct yjs__slice key,
                                struct yjs__slice value);
void yjs__attrs_remove(struct yjs__attrs *a, struct yjs__slice key);
/** Let a format take effect: one with null removes. */
YJS_MUST_USE int yjs__attrs_apply(struct yjs__attrs *a,
                                  const struct yjs__item *format);
/** From here on in the order of the properties of an object. */
YJS_MUST_USE int yjs__attrs_arrange(struct yjs__attrs *a);

/** The next from place *at on, which moves behind it; NULL at the end. */
struct yjs__attr *yjs__attrs_next(const struct yjs__attrs *a, size_t *at);

/** `===` on what the two JSON texts stand for. */
bool yjs__attrs_same(struct yjs__slice a, struct yjs__slice b);
/** Yjs's equalAttrs: the same, or objects alike in all of their members. */
bool yjs__attrs_equal(const yjs_doc *doc, struct yjs__slice a,
                      struct yjs__slice b);

/** Key and value of a format. */
void yjs__attrs_of_format(const struct yjs__item *it, struct yjs__slice *key,
                          struct yjs__slice *value);

/** What a missing attribute is taken for. */
extern const struct yjs__slice yjs__attrs_null;
bool yjs__attrs_is_null(struct yjs__slice value);

#endif
