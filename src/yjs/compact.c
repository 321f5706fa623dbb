/* SPDX-License-Identifier: MIT */
/*
 * compact.c: moving items together when most of them are gone.
 *
 * An update of many small structs that then merge (a log merged into one, say)
 * leaves the pool with many times what the document needs, in blocks that are
 * none of them empty. Items then move into a new pool, in the order of clients
 * and clocks, which is also the order in which they are written.
 *
 * Must never: fail, or be called while anybody holds a handle.
 */
#include "yjs/txn.h"

#include "yjs/marker.h"

#define WORTH_IT 1024u /* items */

struct compact {
    yjs_doc *doc;
    struct yjs__pool pool; /* the new one */
    uint32_t *map;         /* old handle to new */
};

/* Copy all items; the document is not touched. False: no memory. */
static bool copy_items(struct compact *k)
{
    yjs_doc *doc = k->doc;
    uint32_t i;

    for (i = 0; i < doc->client_count; i++) {
        const struct yjs__client *c = yjs__client(doc, i);
        struct yjs__spot s = {0, 0};

        if (c->len == 0)
            continue;
        do {
            uint32_t old = yjs__spot_item(c, s);
            uint32_t h = yjs__pool_alloc(&doc->mem, &k->pool);

            if (h == 0)
                return false;
            memcpy(yjs__pool_at(&k->pool, h), yjs__item(doc, old),
                   sizeof(struct yjs__item));
            k->map[old] = h;
        } while (yjs__spot_next(c, &s));
    }
    return true;
}

static void move_list(const struct compact *k, uint32_t list)
{
    struct yjs__list *l = yjs__list(k->doc, list);

    l->first = k->map[l->first];
    l->last = k->map[l->last];
}

static void move_lists(const struct compact *k, const struct yjs__type *type)
{
    uint32_t h;

    if (type->seq != 0)
        move_list(k, type->seq);
    for (h = type->entries; h != 0; h = yjs__list(k->doc, h)->next)
        move_list(k, h);
}

static void move_item(const struct compact *k, uint32_t h)
{
    struct yjs__item *it = yjs__pool_at(&k->pool, h);

    it->left = k->map[it->left];
    it->right = k->map[it->right];
    if (it->kind == YJS__TYPE) {
        it->u.type->item = h;
        move_lists(k, it->u.type);
    }
}

/* Let everything that has a handle have the new one. */
static void move_all(const struct compact *k)
{
    const struct yjs__type *type;
    uint32_t i, j, at;

    for (i = 0; i < k->doc->client_count; i++) {
        struct yjs__client *c = yjs__client(k->doc, i);

        for (j = 0; j < c->len; j++) {
            for (at = 0; at < c->chunks[j].len; at++) {
                struct yjs__slot *slot = &c->chunks[j].slots[at];

                slot->item = k->map[slot->item];
                move_item(k, slot->item);
            }
        }
    }
    for (type = k->doc->roots; type != NULL; type = type->next)
        move_lists(k, type);
}

void yjs__compact(yjs_doc *doc)
{
    struct compact k = {.doc = doc};
    uint32_t slots = doc->items.fresh;
    bool done;

    if (slots < WORTH_IT || doc->items.used > slots / 4)
        return;
    yjs__marks_drop_all(doc);
    k.map = yjs__mem_alloc(&doc->mem, slots * sizeof(*k.map));
    if (k.map == NULL)
        return;
    memset(k.map, 0, slots * sizeof(*k.map));
    yjs__pool_init(&k.pool, sizeof(struct yjs__item));
    done = copy_items(&k);
    if (done) {
        struct yjs__pool old = doc->items;

        move_all(&k);
        doc->items = k.pool;
        k.pool = old;
    }
    yjs__pool_deinit(&doc->mem, &k.pool);
    yjs__mem_free(&doc->mem, k.map, slots * sizeof(*k.map));
}
