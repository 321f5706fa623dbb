/* SPDX-License-Identifier: MIT */
/**
 * @file store.h
 * Who wrote what: all structs of a document by client and clock.
 *
 * Each client's structs follow one another without a gap from clock 0. They
 * stand in chunks of at most 128 slots, and a directory has the first clock
 * of each chunk:
 *
 *   client -> [0 | 310 | 655 | ...]       binary search by clock
 *               |
 *               v
 *             [0 h | 4 h | 9 h | ...]     binary search by what follows it
 *
 * so that a struct is found in log n without a look at others, and one
 * inserted in the middle of 100,000 moves at most a chunk. A chunk spans less
 * than 2^32 clocks.
 */
#ifndef YJS_STORE_H
#define YJS_STORE_H

#include "yjs/doc.h"

#define YJS__CHUNK 128u

/** A struct in a chunk: searching looks at the clocks here, not at items. */
struct yjs__slot {
    uint32_t offset; /**< its clock less that of the chunk */
    uint32_t item;
};

struct yjs__chunk {
    uint64_t clock; /**< of its first struct */
    struct yjs__slot *slots;
    uint16_t len, cap;
};

struct yjs__client {
    uint64_t id;
    uint64_t state;   /**< the next clock; 0: nothing known of it */
    uint64_t before;  /**< state when the running transaction began */
    uint64_t missing; /**< pending structs wait for this clock; UINT64_MAX */
    struct yjs__chunk *chunks;
    uint32_t len, cap; /**< of chunks */
    uint32_t hint_chunk, hint_at; /**< where the last search ended */
    uint32_t count;   /**< structs */
    uint32_t group;   /**< 1 + its group in the update being integrated */
    bool touched;     /**< is on the transaction's list */
    bool listed;      /**< is in the transaction's `order` */
};

/** A place in a client's array. */
struct yjs__spot {
    uint32_t chunk, at;
};

static inline struct yjs__client *yjs__client(const yjs_doc *doc, uint32_t i)
{
    return &doc->clients[i];
}

static inline uint32_t yjs__spot_item(const struct yjs__client *c,
                                      struct yjs__spot s)
{
    return c->chunks[s.chunk].slots[s.at].item;
}

/** YJS__NONE when the document does not know the client. */
uint32_t yjs__store_find_client(const yjs_doc *doc, uint64_t id);
/** Find or add; YJS__NONE on failure, doc->mem.err tells why. */
uint32_t yjs__store_add_client(yjs_doc *doc, uint64_t id);
/** An id that the document has not seen, made from `old`, nothing random. */
uint64_t yjs__store_new_id(const yjs_doc *doc, uint64_t old);
/** Remove the client that was added last; it must have no structs. */
void yjs__store_drop_client(yjs_doc *doc);
/** Client indexes by id, highest first; NULL on failure. Lives until the next
 *  client is added. */
const uint32_t *yjs__store_sorted(yjs_doc *doc);

/** The struct that holds `clock`, which is below the client's state. */
struct yjs__spot yjs__store_find(struct yjs__client *c, uint64_t clock);

/** The handle of the struct that holds the id, which must be known. */
static inline uint32_t yjs__store_item(const yjs_doc *doc, uint32_t client,
                                       uint64_t clock)
{
    struct yjs__client *c = yjs__client(doc, client);

    return yjs__spot_item(c, yjs__store_find(c, clock));
}

/** Append: the item's clock is the client's state, which grows. */
YJS_MUST_USE int yjs__store_push(yjs_doc *doc, uint32_t h);
/** Undo the last push of this client. */
void yjs__store_pop(yjs_doc *doc, struct yjs__client *c);
/** Insert behind `s`. */
YJS_MUST_USE int yjs__store_insert(yjs_doc *doc, struct yjs__client *c,
                                   struct yjs__spot s, uint32_t h);
/** Remove `n` structs, the last of which stands at `s`. */
void yjs__store_remove(yjs_doc *doc, struct yjs__client *c, struct yjs__spot s,
                       uint32_t n);

static inline struct yjs__spot yjs__store_last(const struct yjs__client *c)
{
    return (struct yjs__spot){c->len - 1, c->chunks[c->len - 1].len - 1u};
}

/** False at the end. */
static inline bool yjs__spot_next(const struct yjs__client *c,
                                  struct yjs__spot *s)
{
    if (s->at + 1 < c->chunks[s->chunk].len) {
        s->at++;
        return true;
    }
    if (s->chunk + 1 >= c->len)
        return false;
    s->chunk++;
    s->at = 0;
    return true;
}

/** False at the start. */
static inline bool yjs__spot_prev(const struct yjs__client *c,
                                  struct yjs__spot *s)
{
    if (s->at > 0) {
        s->at--;
        return true;
    }
    if (s->chunk == 0)
        return false;
    s->chunk--;
    s->at = c->chunks[s->chunk].len - 1u;
    return true;
}

void yjs__store_deinit(yjs_doc *doc);

#endif
