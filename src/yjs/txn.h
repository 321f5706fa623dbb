/* SPDX-License-Identifier: MIT */
/**
 * @file txn.h
 * The life of one applied update, and how it is taken back.
 *
 *   stage      decode everything into staged items (stage.c)
 *   integrate  put them into their lists (integrate.c), delete what the
 *              delete set names (apply.c)
 *   pending    what lacks its causes is kept; a pending update whose causes
 *              came goes through the same two steps
 *   prepare    the formatting clean-up, room for the merges (cleanup.c)
 *   ---------- from here on nothing can fail
 *   commit     collect garbage, merge neighbours, swap the pending data
 *
 * An update that is no more than typing goes another, short way (typing.c).
 *
 * Up to the line every change is in the journal. When memory or a limit ends,
 * or the update turns out to be malformed, the journal is walked backwards
 * and the document is as it was.
 *
 * After any of these functions has failed, only rolling back is allowed.
 */
#ifndef YJS_TXN_H
#define YJS_TXN_H

#include "yjs/idset.h"
#include "yjs/store.h"

/** Handles of staged items of one client, in the update being integrated. */
struct yjs__group {
    uint32_t client;
    uint32_t start;     /**< index in txn.refs of its first struct */
    uint32_t end;       /**< behind its last */
    uint32_t next;      /**< the struct to integrate next */
    uint32_t rest, rest_end; /**< what could not be integrated */
    bool open;          /**< false: went to the rest */
};

/** Neighbours that will become one; room was made in the first. */
struct yjs__run {
    uint32_t first;
    uint32_t n;
};

static inline uint32_t yjs__txn_ref(const yjs_doc *doc, uint32_t i)
{
    return ((const uint32_t *)doc->txn.refs.data)[i];
}

/* ------------------------------------------------ primitives with a journal */

/** Find or add a client; YJS__NONE on failure. */
uint32_t yjs__txn_client(yjs_doc *doc, uint64_t id);
/** Find or add a root's sequence list; 0 on failure. */
uint32_t yjs__txn_root(yjs_doc *doc, struct yjs__slice name);
/** Find or add the list of a key, or the sequence (key NULL); 0 on failure. */
uint32_t yjs__txn_list(yjs_doc *doc, struct yjs__type *type,
                       const struct yjs__slice *key);

/** Split the struct at `s`, an item, behind its first `diff` units. */
YJS_MUST_USE int yjs__txn_split(yjs_doc *doc, struct yjs__client *c,
                                struct yjs__spot s, uint64_t diff);
/** Put the staged item of refs[ref] between `left` (0: at the start) and what
 *  follows. */
YJS_MUST_USE int yjs__txn_link(yjs_doc *doc, uint32_t ref, uint32_t list,
                               uint32_t left);
/** Make the staged struct of refs[ref] a GC of the store. */
YJS_MUST_USE int yjs__txn_collect(yjs_doc *doc, uint32_t ref);
/** Mark an item and all that is in it as deleted. */
YJS_MUST_USE int yjs__txn_delete(yjs_doc *doc, uint32_t h);
/** The struct that ends with the id, split if it must be; 0 on failure. A GC
 *  is never split. The same for one that begins with it. */
uint32_t yjs__txn_clean_end(yjs_doc *doc, uint32_t client, uint64_t clock);
uint32_t yjs__txn_clean_start(yjs_doc *doc, uint32_t client, uint64_t clock);

/** Note that the content of a type changed. */
YJS_MUST_USE int yjs__txn_changed(yjs_doc *doc, struct yjs__type *type);

/* ------------------------------------------------------------------- phases */

/**
 * Decode the structs of an update into staged items and groups; `r` then
 * stands before the delete set.
 */
YJS_MUST_USE int yjs__stage(yjs_doc *doc, struct yjs__reader *r);
/** Integrate the staged groups; what cannot be goes to the rest (a v1 update
 *  without deletes in txn.rest) and txn.missing. */
YJS_MUST_USE int yjs__integrate(yjs_doc *doc);

YJS_MUST_USE int yjs__cleanup_prepare(yjs_doc *doc);
void yjs__cleanup_commit(yjs_doc *doc);
/** What the formatting clean-up deleted, and the end of all. */
void yjs__cleanup_finish(yjs_doc *doc);

/** What a merged content may come to, in bytes and in units. */
static inline bool yjs__merge_fits(uint64_t bytes, uint64_t units)
{
    return bytes <= UINT32_MAX / 4 && units <= UINT32_MAX / 4;
}

/** Will these neighbours of one client become one? */
bool yjs__joins(const yjs_doc *doc, uint32_t left, uint32_t right);

/** A v1 update that is one of typing's commonest: done, up to the commit, or
 *  false and nothing has changed (typing.c). */
bool yjs__typing(yjs_doc *doc, struct yjs__slice update);

/** One v1 update, from its bytes to the callback. `origin` is for that. */
YJS_MUST_USE int yjs__apply(yjs_doc *doc, struct yjs__slice update,
                            void *origin, struct yjs_apply_result *result);

/** Give memory back when most items of the past are gone. Handles change. */
void yjs__compact(yjs_doc *doc);

/** Take everything back. */
void yjs__txn_rollback(yjs_doc *doc);
/** Get ready for the next transaction. */
void yjs__txn_reset(yjs_doc *doc);
void yjs__txn_deinit(yjs_doc *doc);

#endif
