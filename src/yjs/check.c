/* SPDX-License-Identifier: MIT */
/*
 * check.c: every invariant of a document, for tests and fuzzers.
 *
 *   store   a client's structs follow one another from clock 0 to its state;
 *           chunks are neither empty nor overfull, and know their first clock
 *   lists   left and right agree, first and last have no neighbour beyond;
 *           every item that is not a GC is in exactly one list
 *   types   the length is the sum of what counts; entries are found by key;
 *           what a deleted type holds is deleted
 *   items   no mark of a running transaction is left; content fits the length
 *   counts  pool, index and content bytes agree with what is there
 */
#include "yjs/content.h"
#include "yjs/idset.h"
#include "yjs/list.h"
#include "yjs/marker.h"
#include "yjs/store.h"
#include "yjs/utf.h"

struct check {
    const yjs_doc *doc;
    uint64_t items;   /* in stores */
    uint64_t listed;  /* of these, not GC */
    uint64_t linked;  /* met in lists */
    uint64_t lists;
    uint64_t bytes;
};

#define REQUIRE(condition)                                                   \
    do {                                                                     \
        if (!(condition))                                                    \
            return YJS_ERR_MALFORMED;                                        \
    } while (0)

static int check_content(struct check *k, const struct yjs__item *it)
{
    struct yjs__slice s = yjs__content(it);
    size_t units;

    k->bytes += s.len;
    if (it->kind == YJS__GC || it->kind == YJS__DELETED) {
        REQUIRE(it->where == YJS__W_NONE);
        REQUIRE(yjs__item_deleted(it));
        return YJS_OK;
    }
    REQUIRE((it->flags & YJS__F_BIG) == 0);
    if (it->kind == YJS__TYPE) {
        REQUIRE(it->where == YJS__W_TYPE && it->len == 1);
        REQUIRE(yjs__item(k->doc, it->u.type->item) == it);
        return YJS_OK;
    }
    REQUIRE(it->where == YJS__W_INLINE || it->where == YJS__W_BLOCK);
    if (it->where == YJS__W_BLOCK)
        REQUIRE((uint64_t)it->u.block->off + it->u.block->len <=
                it->u.block->cap);
    if (it->kind == YJS__STRING)
        REQUIRE(yjs__utf8_check(s.ptr, s.len, &units) && units == it->len);
    else if (it->kind != YJS__JSON && it->kind != YJS__ANY)
        REQUIRE(it->len == 1);
    return YJS_OK;
}

static int check_item(struct check *k, uint32_t client, uint32_t h)
{
    const struct yjs__item *it = yjs__item(k->doc, h);
    const uint8_t allowed = YJS__F_DELETED | YJS__F_BIG | YJS__F_LIVE |
                            YJS__F_MARKED;

    REQUIRE(it->client == client);
    REQUIRE((it->flags & ~allowed) == 0);
    REQUIRE((it->flags & YJS__F_LIVE) != 0);
    REQUIRE(it->kind <= YJS__DOC && yjs__item_len(it) > 0);
    REQUIRE((it->kind == YJS__GC) == (it->list == 0));
    if (it->origin_client != YJS__NONE)
        REQUIRE(it->origin_clock <
                yjs__client(k->doc, it->origin_client)->state);
    if (it->right_client != YJS__NONE)
        REQUIRE(it->right_clock <
                yjs__client(k->doc, it->right_client)->state);
    k->items++;
    k->listed += it->kind != YJS__GC;
    return check_content(k, it);
}

static int check_client(struct check *k, uint32_t client)
{
    const struct yjs__client *c = yjs__client(k->doc, client);
    uint64_t clock = 0, count = 0;
    uint32_t i, j;
    int rc;

    REQUIRE(c->before == c->state && !c->touched && !c->listed);
    for (i = 0; i < c->len; i++) {
        const struct yjs__chunk *chunk = &c->chunks[i];

        REQUIRE(chunk->len > 0 && chunk->len <= chunk->cap);
        REQUIRE(chunk->clock == clock);
        for (j = 0; j < chunk->len; j++) {
            const struct yjs__slot *slot = &chunk->slots[j];

            REQUIRE(chunk->clock + slot->offset == clock);
            REQUIRE(yjs__item(k->doc, slot->item)->clock == clock);
            rc = check_item(k, client, slot->item);
            if (rc != YJS_OK)
                return rc;
            clock = yjs__item_end(yjs__item(k->doc, slot->item));
        }
        count += chunk->len;
    }
    REQUIRE(clock == c->state && count == c->count);
    REQUIRE(yjs__store_find_client(k->doc, c->id) == client);
    return YJS_OK;
}

/* ------------------------------------------------------------ lists, types */

static int check_list(struct check *k, uint32_t h)
{
    const struct yjs__list *list = yjs__list(k->doc, h);
    uint32_t left = 0, at = list->first;
    uint64_t length = 0;
    bool gone = list->type->item != 0 &&
                yjs__item_deleted(yjs__item(k->doc, list->type->item));

    k->lists++;
    for (; at != 0; at = yjs__item(k->doc, at)->right) {
        const struct yjs__item *it = yjs__item(k->doc, at);

        REQUIRE(k->linked++ < k->listed);
        REQUIRE(it->left == left && it->list == h && it->kind != YJS__GC);
        REQUIRE(!gone || yjs__item_deleted(it));
        if (!yjs__item_deleted(it) && yjs__item_countable(it))
            length += it->len;
        if (it->kind == YJS__FORMAT)
            REQUIRE(list->type->formats);
        left = at;
    }
    REQUIRE(list->last == left);
    if (list->key == NULL)
        REQUIRE(list->type->length == length);
    return YJS_OK;
}

static int check_type(struct check *k, const struct yjs__type *type)
{
    struct yjs__slice key;
    uint32_t h, last = 0;
    int rc;

    REQUIRE(!type->noted);
    if (type->seq == 0) {
        REQUIRE(type->length == 0);
    } else {
        REQUIRE(yjs__list(k->doc, type->seq)->type == type);
        REQUIRE(yjs__list(k->doc, type->seq)->key == NULL);
        rc = check_list(k, type->seq);
        if (rc != YJS_OK)
            return rc;
    }
    for (h = type->entries; h != 0; h = yjs__list(k->doc, h)->next) {
        REQUIRE(yjs__list(k->doc, h)->type == type);
        REQUIRE(yjs__list(k->doc, h)->key != NULL);
        REQUIRE(yjs__list(k->doc, h)->prev == last);
        key = (struct yjs__slice){yjs__list(k->doc, h)->key->data,
                                  yjs__list(k->doc, h)->key->len};
        REQUIRE(yjs__entry_find(k->doc, type, key) == h);
        rc = check_list(k, h);
        if (rc != YJS_OK)
            return rc;
        last = h;
    }
    REQUIRE(type->last_entry == last);
    return YJS_OK;
}

static int check_nested(struct check *k, const struct yjs__client *c)
{
    struct yjs__spot s = {0, 0};
    int rc = YJS_OK;

    if (c->len == 0)
        return YJS_OK;
    do {
        const struct yjs__item *it =
            yjs__item(k->doc, yjs__spot_item(c, s));

        if (it->kind == YJS__TYPE)
            rc = check_type(k, it->u.type);
    } while (rc == YJS_OK && yjs__spot_next(c, &s));
    return rc;
}

static int check_roots(struct check *k)
{
    const struct yjs__type *type;
    int rc;

    for (type = k->doc->roots; type != NULL; type = type->next) {
        struct yjs__slice name = {type->name, type->name_len};

        REQUIRE(type->item == 0 && type->ref <= YJS__TYPE_ROOT);
        REQUIRE(type->seq != 0);
        REQUIRE(yjs__root_find(k->doc, name) == type->seq);
        rc = check_type(k, type);
        if (rc != YJS_OK)
            return rc;
    }
    return YJS_OK;
}

static int check_pending(const yjs_doc *doc)
{
    size_t i;

    for (i = 0; i < doc->pending_ds.len; i++) {
        const struct yjs__range *r = yjs__idset_at(&doc->pending_ds, i);

        REQUIRE(r->len > 0);
        if (i == 0)
            continue;
        REQUIRE(r[-1].client > r->client ||
                (r[-1].client == r->client &&
                 r[-1].clock + r[-1].len < r->clock));
    }
    REQUIRE(doc->pending.data != NULL || doc->pending.waits.len == 0);
    return YJS_OK;
}

int yjs__doc_check(const yjs_doc *doc)
{
    struct check k = {.doc = doc};
    uint32_t i;
    int rc = YJS_OK;

    for (i = 0; i < doc->client_count && rc == YJS_OK; i++)
        rc = check_client(&k, i);
    if (rc == YJS_OK)
        rc = check_roots(&k);
    for (i = 0; i < doc->client_count && rc == YJS_OK; i++)
        rc = check_nested(&k, yjs__client(doc, i));
    if (rc != YJS_OK)
        return rc;
    REQUIRE(k.linked == k.listed);
    REQUIRE(k.items == doc->items.used);
    REQUIRE(k.lists == doc->lists.used);
    REQUIRE(k.bytes == doc->content_bytes);
    REQUIRE(doc->client_index.count == doc->client_count);
    REQUIRE(yjs__marks_check(doc));
    return check_pending(doc);
}

int yjs_doc_verify(const yjs_doc *doc)
{
    return yjs__doc_check(doc);
}
