/* SPDX-License-Identifier: MIT */
/**
 * @file content.h
 * What an item holds: owning it, cutting it, joining it, writing it.
 *
 * Units are what Yjs counts: UTF-16 code units of text, elements of JSON and
 * ANY, 1 for all else.
 */
#ifndef YJS_CONTENT_H
#define YJS_CONTENT_H

#include "yjs/doc.h"

/** The content's bytes; nothing for kinds without, or a type. */
static inline struct yjs__slice yjs__content(const struct yjs__item *it)
{
    switch (it->where) {
    case YJS__W_INLINE:
        return (struct yjs__slice){it->u.bytes, it->inline_len};
    case YJS__W_BLOCK:
        return (struct yjs__slice){it->u.block->data + it->u.block->off,
                                   it->u.block->len};
    case YJS__W_BORROWED:
        return (struct yjs__slice){it->u.borrowed, it->left};
    default:
        return (struct yjs__slice){NULL, 0};
    }
}

/**
 * Give a staged item content of its own, without its first `offset` units,
 * and set its length.
 */
YJS_MUST_USE int yjs__content_own(yjs_doc *doc, uint32_t h, uint64_t offset);

/** Free it; kind and length stay. A type must be gone already. */
void yjs__content_free(yjs_doc *doc, struct yjs__item *it);

/**
 * Move what is behind the first `units` of `left` to `right`, which has no
 * content yet; both get kind and length. Cut text between the halves of a
 * surrogate pair, and each half becomes U+FFFD, as Yjs does; *lost then is the
 * pair's UTF-8, otherwise 0. Fails without a change.
 */
YJS_MUST_USE int yjs__content_split(yjs_doc *doc, struct yjs__item *left,
                                    struct yjs__item *right, uint64_t units,
                                    uint32_t *lost);

/** Undo exactly that split; nothing was done to either in between. */
void yjs__content_unsplit(yjs_doc *doc, struct yjs__item *left,
                          struct yjs__item *right, uint32_t lost);

/**
 * Room for `bytes` of content in all. Changes nothing that can be seen, nor
 * what unsplit needs.
 */
YJS_MUST_USE int yjs__content_reserve(yjs_doc *doc, struct yjs__item *it,
                                      uint32_t bytes);

/** Is there room for `bytes` in all? */
bool yjs__content_has_room(const struct yjs__item *it, uint64_t bytes);

/** Append `right`'s content and length to `left`, where it fits. */
void yjs__content_append(yjs_doc *doc, struct yjs__item *left,
                         const struct yjs__item *right);

/** Keep the bytes from `from` up to `to` of a text; its length is the caller's
 *  to set. */
void yjs__content_keep(yjs_doc *doc, struct yjs__item *it, size_t from,
                       size_t to);

/** Give back what a split left unused; may do nothing. */
void yjs__content_tidy(yjs_doc *doc, struct yjs__item *it);

/**
 * A format may remember an id: whose value it has in common (attrs.h). It
 * stands before the content in its block, and `inline_len` tells.
 */
YJS_MUST_USE int yjs__content_set_owner(yjs_doc *doc, struct yjs__item *format,
                                        const struct yjs__id *owner);
/** False when there is none. */
bool yjs__content_owner(const struct yjs__item *format, struct yjs__id *owner);

/** Write it as the update format has it, without the first `offset` units. */
YJS_MUST_USE int yjs__content_write(struct yjs__canon *canon,
                                    struct yjs__writer *w,
                                    const struct yjs__item *it,
                                    uint64_t offset);

/**
 * The bytes of `content` behind the first `units` units, for text, JSON and
 * ANY. *inside: the cut falls into a surrogate pair, whose second half is to
 * be U+FFFD before the bytes given.
 */
YJS_MUST_USE int yjs__content_tail(struct yjs__canon *canon,
                                   enum yjs__kind kind,
                                   struct yjs__slice content, uint64_t len,
                                   uint64_t units, struct yjs__slice *tail,
                                   bool *inside);

#endif
