/* SPDX-License-Identifier: MIT */
/**
 * @file item.h
 * A struct of the document, in 64 bytes: one cache line, one pool object.
 *
 * Yjs has three: Item (content in a list), GC (a hole where content was) and
 * Skip (a hole in an update, never in a document). They share this layout and
 * differ in `kind`. Everything that points at an item is a handle.
 *
 *   an item   belongs to one client's array, by clock (store.h)
 *             and, unless it is a GC, to one list, by left and right
 *   a list    the sequence of a type, or all values that one key of a type
 *             ever had: the last of them counts
 *   a type    a root, or the content of an item of kind TYPE
 *
 * An item read from an update and not yet integrated is `staged`: its content
 * is borrowed from the update, and its place is what the update says.
 */
#ifndef YJS_ITEM_H
#define YJS_ITEM_H

#include <stdbool.h>
#include <stdint.h>

/** Content kinds by their number in the update format. */
enum yjs__kind {
    YJS__GC = 0,
    YJS__DELETED = 1,
    YJS__JSON = 2,
    YJS__BINARY = 3,
    YJS__STRING = 4,
    YJS__EMBED = 5,
    YJS__FORMAT = 6,
    YJS__TYPE = 7,
    YJS__ANY = 8,
    YJS__DOC = 9,
    YJS__SKIP = 10
};

/** Shared types by their number in the update format. */
enum yjs__type_ref {
    YJS__TYPE_ARRAY = 0,
    YJS__TYPE_MAP = 1,
    YJS__TYPE_TEXT = 2,
    YJS__TYPE_XML_ELEMENT = 3,
    YJS__TYPE_XML_FRAGMENT = 4,
    YJS__TYPE_XML_HOOK = 5,
    YJS__TYPE_XML_TEXT = 6,
    YJS__TYPE_ROOT = 7 /**< a root that nobody asked for by its kind yet */
};

enum yjs__item_flag {
    YJS__F_DELETED = 1,
    YJS__F_BIG = 2,      /**< the length is in u.length */
    YJS__F_CONFLICT = 4, /**< marks of one integration (integrate.c) */
    YJS__F_BEFORE = 8,
    YJS__F_SEEN = 16,    /**< mark of one clean-up (cleanup.c) */
    YJS__F_PARENT_ID = 32, /**< staged: parent is the id in `origin` */
    YJS__F_PARENT_SUB = 64, /**< staged: with a key, see below */
    YJS__F_MARKED = 64,  /**< in a list: a marker is here (marker.h) */
    YJS__F_LIVE = 128    /**< in the store, not staged any more */
};

/** Where the content is. */
enum yjs__where {
    YJS__W_NONE,    /**< nothing but a length (GC, DELETED, SKIP) */
    YJS__W_INLINE,  /**< at most 8 bytes in u.bytes */
    YJS__W_BLOCK,   /**< u.block */
    YJS__W_BORROWED, /**< u.borrowed, `left` bytes: staged items only */
    YJS__W_TYPE     /**< u.type */
};

/** No client. */
#define YJS__NONE UINT32_MAX

/** A client by its index in the document, and a clock. */
struct yjs__id {
    uint64_t clock;
    uint32_t client;
};

/**
 * Content bytes on the heap. Text is UTF-8; JSON and ANY are their elements
 * one after the other; the rest is what the update format has after the info
 * byte and the parent. A split hands the larger half its old block: `off`.
 */
struct yjs__block {
    uint32_t cap; /**< of data */
    uint32_t off; /**< where the content begins */
    uint32_t len; /**< of the content */
    uint8_t data[];
};

struct yjs__type;

struct yjs__item {
    uint64_t clock;
    uint64_t origin_clock;
    uint64_t right_clock;
    union {
        uint8_t bytes[8];
        const uint8_t *borrowed;
        struct yjs__block *block;
        struct yjs__type *type;
        uint64_t length;
    } u;
    uint32_t client;
    uint32_t origin_client; /**< YJS__NONE: no left origin */
    uint32_t right_client;  /**< YJS__NONE: no right origin */
    /**
     * Neighbours in the list. Staged: the bytes of borrowed content, and with
     * PARENT_SUB the bytes of the key.
     */
    uint32_t left, right;
    /**
     * The list, 0 for GC and SKIP. Staged: the list if the parent is a root,
     * with PARENT_SUB where in the update the key is, otherwise 0.
     */
    uint32_t list;
    uint32_t len; /**< unless BIG */
    uint8_t kind;
    uint8_t flags;
    uint8_t where;
    uint8_t inline_len;
};

_Static_assert(sizeof(struct yjs__item) == 64, "an item is a cache line");

/** The name of a map entry. */
struct yjs__key {
    uint32_t len;
    uint8_t data[];
};

struct yjs__list {
    struct yjs__type *type;
    struct yjs__key *key; /**< NULL: the sequence of the type */
    uint32_t first, last;
    uint32_t prev, next;  /**< the type's entries beside it */
    uint32_t hash;
};

struct yjs__type {
    struct yjs__type *next; /**< roots: the root before; else a work list */
    uint64_t length;        /**< countable units of the sequence */
    uint32_t item;          /**< what holds it, 0 for a root */
    uint32_t seq;           /**< list, 0 while there is none */
    uint32_t entries, last_entry; /**< lists by key, as their first items
                                       came; those without one anywhere */
    uint32_t name_len;
    uint8_t ref;            /**< enum yjs__type_ref */
    bool formatted : 1;     /**< what Yjs calls _hasFormatting: a FORMAT was
                                 integrated here since it has its kind */
    bool formats : 1;       /**< a FORMAT was ever integrated here */
    bool marked : 1;        /**< its sequence has markers (marker.h) */
    bool noted : 1;         /**< is on the transaction's list of texts */
    uint8_t name[];         /**< of a root, an XML element or hook */
};

static inline uint64_t yjs__item_len(const struct yjs__item *it)
{
    return (it->flags & YJS__F_BIG) != 0 ? it->u.length : it->len;
}

/** For kinds without content; for the others `len` is below 2^32. */
static inline void yjs__item_set_len(struct yjs__item *it, uint64_t len)
{
    if (len > UINT32_MAX) {
        it->flags |= YJS__F_BIG;
        it->u.length = len;
        it->len = 0;
    } else {
        it->flags &= (uint8_t)~YJS__F_BIG;
        it->len = (uint32_t)len;
    }
}

static inline uint64_t yjs__item_end(const struct yjs__item *it)
{
    return it->clock + yjs__item_len(it);
}

static inline bool yjs__item_deleted(const struct yjs__item *it)
{
    return (it->flags & YJS__F_DELETED) != 0;
}

/** Adds to the length of its sequence while it is not deleted. */
static inline bool yjs__item_countable(const struct yjs__item *it)
{
    return it->kind != YJS__DELETED && it->kind != YJS__FORMAT;
}

/** Is `r`, at handle `right`, what an edit behind `l` goes on with? Such two
 *  become one if yjs__joins (txn.h) says so of their kinds as well. */
static inline bool yjs__item_continues(const struct yjs__item *l,
                                       const struct yjs__item *r,
                                       uint32_t right)
{
    return r->origin_client == l->client && r->origin_clock + 1 == r->clock &&
           l->right == right && l->right_client == r->right_client &&
           (l->right_client == YJS__NONE || l->right_clock == r->right_clock);
}

static inline bool yjs__type_is_text(const struct yjs__type *type)
{
    return type->ref == YJS__TYPE_TEXT || type->ref == YJS__TYPE_XML_TEXT;
}

#endif
