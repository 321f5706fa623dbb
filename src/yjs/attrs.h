/* SPDX-License-Identifier: MIT */
/**
 * @file attrs.h
 * Attributes of text: keys and JSON values, in the order that Yjs keeps.
 *
 * Slices are borrowed: from formats in the document, or from what the caller
 * of an edit gave.
 *
 * In JavaScript, objects that are alike are not yet the same, and Yjs asks for
 * both. It is one object that a format which is set back behind an edit has in
 * common with the format in force before. So a value that is an object knows
 * whose it is: of the format that it first came with. This is not written
 * down: with every format that comes in an update comes an object of its own.
 */
#ifndef YJS_ATTRS_H
#define YJS_ATTRS_H

#include "yjs/doc.h"

struct yjs__attr_value {
    struct yjs__slice json; /**< canonical */
    struct yjs__id owner;   /**< no client: where it lies tells */
};

struct yjs__attr {
    struct yjs__slice key;
    struct yjs__attr_value value;
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
                                struct yjs__attr_value value);
void yjs__attrs_remove(struct yjs__attrs *a, struct yjs__slice key);
/** Let a format take effect: one with null removes. */
YJS_MUST_USE int yjs__attrs_apply(struct yjs__attrs *a,
                                  const struct yjs__item *format);
/** From here on in the order of the properties of an object. */
YJS_MUST_USE int yjs__attrs_arrange(struct yjs__attrs *a);

/** The next from place *at on, which moves behind it; NULL at the end. */
struct yjs__attr *yjs__attrs_next(const struct yjs__attrs *a, size_t *at);

/** `===` on what the two stand for. */
bool yjs__attrs_same(const struct yjs__attr_value *a,
                     const struct yjs__attr_value *b);
/** Yjs's equalAttrs: the same, or objects alike in all of their members. */
bool yjs__attrs_equal(const yjs_doc *doc, const struct yjs__attr_value *a,
                      const struct yjs__attr_value *b);

/** Key and value of a format. */
void yjs__attrs_of_format(const struct yjs__item *it, struct yjs__slice *key,
                          struct yjs__attr_value *value);
/** The format, just inserted, has the value in common with its owner. */
YJS_MUST_USE int yjs__attrs_share(yjs_doc *doc, uint32_t format,
                                  const struct yjs__attr_value *value);

/** What a missing attribute is taken for. */
extern const struct yjs__attr_value yjs__attrs_null;
bool yjs__attrs_is_null(struct yjs__slice json);

#endif
