/* SPDX-License-Identifier: MIT */
/**
 * @file doc.h
 * The document: everything one yjs_doc owns.
 */
#ifndef YJS_DOC_H
#define YJS_DOC_H

#include "yjs/canon.h"
#include "yjs/index.h"
#include "yjs/item.h"
#include "yjs/lib0.h"
#include "yjs/pool.h"

struct yjs__client;
struct yjs__marks;

/**
 * The working memory of one transaction (txn.h). Small vectors are kept from
 * one transaction to the next, so that an update of one character asks the
 * allocator for nothing.
 */
struct yjs__txn {
    const uint8_t *source;   /**< the update that staged items borrow from */
    struct yjs__arena arena; /**< contents that had to be rewritten */
    struct yjs__canon canon;
    struct yjs__vec refs;    /**< u32: all staged items */
    struct yjs__vec groups;  /**< struct yjs__group, of this round */
    struct yjs__vec stack;   /**< u32: indexes into refs */
    struct yjs__vec journal; /**< u64: how to undo */
    struct yjs__vec merges;  /**< struct yjs__id: places to try a merge */
    struct yjs__vec touched; /**< u32: clients whose state grew */
    struct yjs__vec texts;   /**< struct yjs__type *: nested texts changed */
    struct yjs__vec runs;    /**< struct yjs__run: merges with room made */
    struct yjs__vec missing; /**< struct yjs__id: what the rest waits for */
    struct yjs__vec unapplied; /**< ranges: deletes to come */
    struct yjs__vec order;   /**< u32: clients as they had deletions first */
    struct yjs__vec dels;    /**< ranges: deleted by the update, less those
                                  that came as DELETED */
    struct yjs__vec cleaned; /**< ranges: formats deleted by the clean-up */
    struct yjs__vec *into;   /**< which of the two deletions go to */
    struct yjs__type *work;  /**< types whose content is still to delete */
    struct yjs__writer rest; /**< structs that could not be integrated */
    uint64_t conflicts;      /**< compared with so far (integrate.c) */
    bool local;              /**< edits of our own */
};

/**
 * Structs that wait. What comes while there are some already is put behind it
 * as it is, and merged when it is looked at (pending.c): updates that arrive
 * in reverse order, each of which waits, then cost n log n.
 */
struct yjs__pending {
    uint8_t *data; /**< a v1 update without deletes, or NULL */
    size_t len;
    struct yjs__vec parts; /**< struct yjs__slice: those after it, owned */
    size_t parts_len;      /**< bytes of them */
    struct yjs__vec waits; /**< u32: clients whose `missing` is set */
    bool due;              /**< may have become applicable meanwhile */
    bool grown;            /**< our own edits may have brought what structs
                                or deletes wait for */
};

struct yjs_doc {
    struct yjs__mem mem;
    struct yjs_limits limits;
    uint64_t client_id;
    uint64_t seed;
    bool keep_deleted;
    bool sorted_valid;
    bool telling;            /**< the update callback runs */
    uint8_t formats;         /**< that it wants */
    uint32_t client_count;
    struct yjs__client *clients;
    size_t client_cap;
    uint32_t *sorted;
    size_t sorted_cap;
    struct yjs__index client_index;
    struct yjs__index list_index;
    struct yjs__pool items;
    struct yjs__pool lists;
    struct yjs__type *roots; /**< newest first */
    size_t content_bytes;    /**< about; sizes the encoder's buffer */
    struct yjs__pending pending;
    struct yjs__vec pending_ds; /**< ranges by client id, ordered */
    struct yjs__txn txn;
    yjs_txn *edit;           /**< NULL before the first edit (edit.h) */
    struct yjs__marks *marks; /**< positions in lists edited here (marker.h) */
    struct yjs__seeks *seeks; /**< elements in items read here (seek.h) */
    yjs_update_fn on_update;
    void *on_update_ctx;
    uint64_t (*new_client_id)(void *ctx, uint64_t old);
    void *new_client_id_ctx;
};

static inline struct yjs__item *yjs__item(const yjs_doc *doc, uint32_t h)
{
    return (struct yjs__item *)(void *)doc->items
               .granules[h / YJS__GRANULE] +
           h % YJS__GRANULE;
}

static inline struct yjs__list *yjs__list(const yjs_doc *doc, uint32_t h)
{
    return (struct yjs__list *)(void *)doc->lists
               .granules[h / YJS__GRANULE] +
           h % YJS__GRANULE;
}

/** Put the defaults in the place of zeros. */
void yjs__limits_fill(struct yjs_limits *limits);

/**
 * Check every invariant of the document (check.c). YJS_ERR_MALFORMED if one
 * is broken: a bug in the engine, never a matter of input. For tests.
 */
YJS_MUST_USE int yjs__doc_check(const yjs_doc *doc);

#endif
