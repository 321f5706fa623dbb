/* SPDX-License-Identifier: MIT */
/**
 * @file update_read.h
 * Update format v1, read struct by struct.
 *
 *   update      varuint n, n client block, delete set
 *   block       varuint n structs, varuint client, varuint clock of the first,
 *               n struct: each begins where the one before ends
 *   struct      byte info, then by kind = info & 31
 *     GC 0      varuint length
 *     Skip 10   varuint length
 *     item      info & 128: varuint client, varuint clock of the left origin
 *               info & 64:  the same of the right origin
 *               neither:    varuint 1 and string: name of the root; or
 *                           varuint 0 and client, clock: id of the parent;
 *                           then with info & 32 the key in the parent
 *               content by kind
 *     1 Deleted varuint length                3 Binary  bytes
 *     2 JSON    varuint n, n string           4 String  string
 *     5 Embed   string (JSON)                 6 Format  string, string (JSON)
 *     7 Type    varuint ref; refs 3 and 5: string
 *     8 Any     varuint n, n any              9 Doc     string guid, any
 *   delete set  varuint n, n (varuint client, varuint m, m (varuint clock,
 *               varuint length))
 *
 * Bytes after the delete set are ignored, as Yjs does.
 */
#ifndef YJS_UPDATE_READ_H
#define YJS_UPDATE_READ_H

#include "yjs/canon.h"
#include "yjs/item.h"

enum yjs__info {
    YJS__INFO_KIND = 31,
    YJS__INFO_SUB = 32,
    YJS__INFO_RIGHT = 64,
    YJS__INFO_ORIGIN = 128
};

/** An id as it is written. */
struct yjs__wire_id {
    uint64_t client;
    uint64_t clock;
};

static inline struct yjs__wire_id yjs__read_wire_id(struct yjs__reader *r)
{
    struct yjs__wire_id id;

    id.client = yjs__read_varuint(r);
    id.clock = yjs__read_varuint(r);
    return id;
}

/** One struct as it stands in an update; all slices are borrowed. */
struct yjs__view {
    uint64_t client;
    uint64_t clock;
    uint64_t len;
    uint8_t info;    /**< kind, and those INFO bits whose field was read */
    bool root;       /**< the parent is a root, `name` */
    struct yjs__wire_id origin, right;
    struct yjs__wire_id parent; /**< unless root, and without origins */
    struct yjs__slice name;
    struct yjs__slice sub;
    /** STRING: its UTF-8; JSON, ANY: elements; else all after the parent. */
    struct yjs__slice content;
};

static inline enum yjs__kind yjs__view_kind(const struct yjs__view *v)
{
    return (enum yjs__kind)(v->info & YJS__INFO_KIND);
}

static inline bool yjs__view_has_parent(const struct yjs__view *v)
{
    return yjs__view_kind(v) != YJS__GC && yjs__view_kind(v) != YJS__SKIP &&
           (v->info & (YJS__INFO_ORIGIN | YJS__INFO_RIGHT)) == 0;
}

/** What reading contents needs. */
struct yjs__view_ctx {
    struct yjs__canon *canon;
    struct yjs__arena *arena; /**< where rewritten contents live */
};

/**
 * Read one struct; client and clock of `v` are set by the caller. Errors
 * stick to `r`. The content is canonical (canon.h) afterwards.
 */
void yjs__view_read(struct yjs__reader *r, const struct yjs__view_ctx *ctx,
                    struct yjs__view *v);

/** Read a content alone, of the kind that v->info names. */
void yjs__view_read_content(struct yjs__reader *r,
                            const struct yjs__view_ctx *ctx,
                            struct yjs__view *v);

/** Read v->len values of kind ANY. */
void yjs__view_read_any(struct yjs__reader *r, const struct yjs__view_ctx *ctx,
                        struct yjs__view *v);

/** The content of a DOC (subdoc.c), for yjs__view_read. */
void yjs__view_read_doc(struct yjs__reader *r, const struct yjs__view_ctx *ctx,
                        struct yjs__view *v);

/**
 * What was written to the canonicaliser's output, as a content: `source` if
 * it is the same, otherwise a copy in the arena.
 */
struct yjs__slice yjs__view_settle(struct yjs__reader *r,
                                   const struct yjs__view_ctx *ctx,
                                   struct yjs__slice source);

/** Write one struct. */
void yjs__view_write(struct yjs__writer *w, const struct yjs__view *v);

/**
 * Drop the first `diff` units, which makes the struct before it its origin.
 */
YJS_MUST_USE int yjs__view_cut(const struct yjs__view_ctx *ctx,
                               struct yjs__view *v, uint64_t diff);

#endif
