/* SPDX-License-Identifier: MIT */
/*
 * cleanup.c: what Yjs does when a transaction ends.
 *
 *   1. superfluous formats in texts are deleted
 *   2. what was deleted loses its content; children of a deleted type become
 *      holes (GC), for nothing can refer to their place any more
 *   3. neighbours that continue each other become one
 *
 * Step 1 can fail, and so can making room for the texts that step 3 joins:
 * both are done before the point of no return. Steps 2 and 3 take no memory.
 *
 * Where a merge is tried decides about the bytes of every later encoding, so
 * the places are Yjs's own: around all that was deleted, all structs that are
 * new, and around each split. A merge goes on to the left as long as it can.
 *
 * Must never: fail in the second half.
 */
#include "yjs/txn.h"

#include "yjs/content.h"
#include "yjs/list.h"
#include "yjs/marker.h"

/* ---------------------------------------------------------------- formatting
 *
 * After a change by a peer to a text with formats, Yjs deletes formats
 * that have no effect. Two cases: where a format was inserted or deleted, the
 * whole text is looked at; but as that looks for a gap from a visible item
 * on, and finds it empty, only the gap before the first visible item is ever
 * cleaned. Elsewhere, around each deleted item, of several formats with the
 * same key only the last is kept.
 *
 * A gap is a stretch of items that are deleted or not countable. The same gap
 * may be met once for each deleted item in it: those seen are marked.
 */

/* Keys of formats seen in one gap. */
struct keys {
    yjs_doc *doc;
    struct yjs__index index; /* of item handles */
};

static struct yjs__slice format_key(const struct yjs__item *it,
                                    struct yjs__slice *value)
{
    struct yjs__slice s = yjs__content(it), key;
    struct yjs__reader r;

    yjs__reader_init(&r, s.ptr, s.len);
    key = yjs__read_var_bytes(&r);
    *value = yjs__read_var_bytes(&r);
    return key;
}

/* Add the key of a format; *had tells whether it was there. */
static int keys_add(struct keys *k, uint32_t h, bool *had)
{
    yjs_doc *doc = k->doc;
    struct yjs__slice value;
    struct yjs__slice key = format_key(yjs__item(doc, h), &value);
    uint32_t hash = yjs__hash_bytes(doc->seed, NULL, key.ptr, key.len);
    uint32_t at = yjs__index_first(&k->index, hash);
    uint32_t v;
    int rc;

    while ((v = yjs__index_probe(&k->index, &at, hash)) != 0) {
        struct yjs__slice other = format_key(yjs__item(doc, v), &value);

        *had = other.len == key.len &&
               memcmp(other.ptr, key.ptr, key.len) == 0;
        if (*had)
            return YJS_OK;
        at = yjs__index_next(&k->index, at);
    }
    *had = false;
    rc = yjs__index_reserve(&doc->mem, &k->index);
    if (rc == YJS_OK)
        yjs__index_insert(&k->index, hash, h);
    return rc;
}

static bool in_gap(const struct yjs__item *it)
{
    return yjs__item_deleted(it) || !yjs__item_countable(it);
}

static bool is_live_format(const struct yjs__item *it)
{
    return it->kind == YJS__FORMAT && !yjs__item_deleted(it);
}

static bool is_null_format(const struct yjs__item *it)
{
    struct yjs__slice value;

    (void)format_key(it, &value);
    return value.len == 4 && memcmp(value.ptr, "null", 4) == 0;
}

/*
 * Walk left from `h` to the start of its gap; of equal keys the rightmost
 * survives, unless `nulls` and it takes a format away.
 */
static int clean_gap(yjs_doc *doc, uint32_t h, bool nulls)
{
    struct keys k = {.doc = doc};
    int rc = YJS_OK;

    for (; h != 0 && in_gap(yjs__item(doc, h)) && rc == YJS_OK;
         h = yjs__item(doc, h)->left) {
        struct yjs__item *it = yjs__item(doc, h);
        bool had;

        if (!is_live_format(it))
            continue;
        rc = keys_add(&k, h, &had);
        if (rc == YJS_OK && (had || (nulls && is_null_format(it))))
            rc = yjs__txn_delete(doc, h);
    }
    yjs__index_free(&doc->mem, &k.index);
    return rc;
}

static int clean_first_gap(yjs_doc *doc, const struct yjs__type *type)
{
    uint32_t h = type->seq ? yjs__list(doc, type->seq)->first : 0;
    uint32_t last = 0;

    for (; h != 0 && in_gap(yjs__item(doc, h)); h = yjs__item(doc, h)->right)
        last = h;
    return h == 0 || last == 0 ? YJS_OK : clean_gap(doc, last, true);
}

static int note_seen(yjs_doc *doc, uint32_t first, uint32_t n)
{
    struct yjs__run *run = yjs__vec_add(&doc->mem, &doc->txn.runs,
                                        sizeof(*run));

    if (run == NULL)
        return doc->mem.err;
    *run = (struct yjs__run){first, n};
    return YJS_OK;
}

/* The gap around a deleted item, unless it was cleaned already. */
static int clean_gap_around(yjs_doc *doc, uint32_t h)
{
    uint32_t first = h, last = h, n = 1;
    int rc;

    if (yjs__item(doc, h)->flags & YJS__F_SEEN)
        return YJS_OK;
    while (yjs__item(doc, last)->right != 0 &&
           in_gap(yjs__item(doc, yjs__item(doc, last)->right))) {
        last = yjs__item(doc, last)->right;
        n++;
    }
    while (yjs__item(doc, first)->left != 0 &&
           in_gap(yjs__item(doc, yjs__item(doc, first)->left))) {
        first = yjs__item(doc, first)->left;
        n++;
    }
    rc = note_seen(doc, first, n);
    if (rc != YJS_OK)
        return rc;
    for (h = first; n > 0; n--, h = yjs__item(doc, h)->right)
        yjs__item(doc, h)->flags |= YJS__F_SEEN;
    return clean_gap(doc, last, false);
}

static void forget_seen(yjs_doc *doc)
{
    struct yjs__run *runs = doc->txn.runs.data;
    size_t i;

    for (i = 0; i < doc->txn.runs.len; i++) {
        uint32_t h = runs[i].first, n = runs[i].n;

        for (; n > 0; n--, h = yjs__item(doc, h)->right)
            yjs__item(doc, h)->flags &= (uint8_t)~YJS__F_SEEN;
    }
    doc->txn.runs.len = 0;
}

/* Types to clean as a whole: a list in `texts`, `noted` set. */
static int want_type(yjs_doc *doc, struct yjs__type *type)
{
    struct yjs__type **slot;

    if (type->noted)
        return YJS_OK;
    slot = yjs__vec_add(&doc->mem, &doc->txn.texts, sizeof(*slot));
    if (slot == NULL)
        return doc->mem.err;
    *slot = type;
    type->noted = true;
    return YJS_OK;
}

/* Call `fn` on every struct of a client from `clock` up to `end`. */
static int each_struct(yjs_doc *doc, struct yjs__client *c, uint64_t clock,
                       uint64_t end, int (*fn)(yjs_doc *doc, uint32_t h))
{
    struct yjs__spot s = yjs__store_find(c, clock);
    int rc;

    do {
        uint32_t h = yjs__spot_item(c, s);

        if (yjs__item(doc, h)->clock >= end)
            return YJS_OK;
        rc = fn(doc, h);
    } while (rc == YJS_OK && yjs__spot_next(c, &s));
    return rc;
}

static int on_new(yjs_doc *doc, uint32_t h)
{
    const struct yjs__item *it = yjs__item(doc, h);

    if (!is_live_format(it))
        return YJS_OK;
    return want_type(doc, yjs__list(doc, it->list)->type);
}

static int on_deleted(yjs_doc *doc, uint32_t h)
{
    const struct yjs__item *it = yjs__item(doc, h);
    struct yjs__type *type;

    if (it->kind == YJS__GC)
        return YJS_OK;
    type = yjs__list(doc, it->list)->type;
    if (!type->formatted || type->noted)
        return YJS_OK;
    if (it->kind == YJS__FORMAT)
        return want_type(doc, type);
    return clean_gap_around(doc, h);
}

/* Did a text with formats change that is still there? */
static bool needs_formatting(yjs_doc *doc)
{
    struct yjs__type **texts = doc->txn.texts.data;
    bool needed = false;
    size_t i;

    for (i = 0; i < doc->txn.texts.len; i++) {
        texts[i]->noted = false;
        if (texts[i]->formatted &&
            (texts[i]->item == 0 ||
             !yjs__item_deleted(yjs__item(doc, texts[i]->item))))
            needed = true;
    }
    doc->txn.texts.len = 0;
    return needed;
}

/* Items that came as DELETED count as deleted here. */
static int add_born_deleted(yjs_doc *doc, uint32_t h)
{
    const struct yjs__item *it = yjs__item(doc, h);

    if (it->kind != YJS__DELETED)
        return YJS_OK;
    return yjs__idset_add(&doc->mem, &doc->txn.dels, it->client, it->clock,
                          yjs__item_len(it));
}

/* For who is told of them. */
static int add_all_born_deleted(yjs_doc *doc)
{
    const uint32_t *touched = doc->txn.touched.data;
    size_t i;
    int rc = YJS_OK;

    for (i = 0; i < doc->txn.touched.len && rc == YJS_OK; i++) {
        struct yjs__client *c = yjs__client(doc, touched[i]);

        rc = each_struct(doc, c, c->before, c->state, add_born_deleted);
    }
    return rc;
}

static int clean_deleted(yjs_doc *doc, uint32_t client)
{
    const struct yjs__vec *dels = &doc->txn.dels;
    size_t i = yjs__idset_find(dels, client);
    int rc = YJS_OK;

    for (; i < dels->len && rc == YJS_OK; i++) {
        struct yjs__range *r = yjs__idset_at(dels, i);

        if (r->client != client)
            break;
        rc = each_struct(doc, yjs__client(doc, client), r->clock,
                         r->clock + r->len, on_deleted);
    }
    return rc;
}

/*
 * Clients come in the order in which something of theirs was deleted first:
 * that is how Yjs goes through them, and it shows when a format and something
 * else of one text were deleted.
 */
static int clean_formatting(yjs_doc *doc)
{
    struct yjs__txn *txn = &doc->txn;
    const uint32_t *touched = txn->touched.data;
    struct yjs__type **texts;
    size_t i, n;
    int rc = YJS_OK;

    for (i = 0; i < txn->touched.len && rc == YJS_OK; i++) {
        struct yjs__client *c = yjs__client(doc, touched[i]);

        rc = each_struct(doc, c, c->before, c->state, add_born_deleted);
        if (rc == YJS_OK)
            rc = each_struct(doc, c, c->before, c->state, on_new);
    }
    yjs__idset_normalise(&txn->dels);
    txn->into = &txn->cleaned;
    /* The order grows, and moves, as formats of other clients are deleted. */
    n = txn->order.len;
    for (i = 0; i < n && rc == YJS_OK; i++)
        rc = clean_deleted(doc, ((const uint32_t *)txn->order.data)[i]);
    texts = txn->texts.data;
    for (i = 0; i < txn->texts.len && rc == YJS_OK; i++)
        rc = clean_first_gap(doc, texts[i]);
    if (rc != YJS_OK)
        return rc;
    forget_seen(doc);
    for (i = 0; i < txn->texts.len; i++)
        texts[i]->noted = false;
    txn->texts.len = 0;
    yjs__idset_normalise(&txn->cleaned);
    return YJS_OK;
}

/* ------------------------------------------------------------------ merging */

bool yjs__joins(const yjs_doc *doc, uint32_t left, uint32_t right)
{
    const struct yjs__item *l = yjs__item(doc, left);
    const struct yjs__item *r = yjs__item(doc, right);

    if (l->kind != r->kind ||
        (l->flags & YJS__F_DELETED) != (r->flags & YJS__F_DELETED))
        return false;
    if (l->kind == YJS__GC)
        return true;
    if (l->kind != YJS__STRING && l->kind != YJS__DELETED &&
        l->kind != YJS__ANY && l->kind != YJS__JSON)
        return false;
    return yjs__item_continues(l, r, right);
}

static bool is_plain(enum yjs__kind kind)
{
    return kind == YJS__GC || kind == YJS__DELETED;
}

/* How many structs to the left of `s` become one with it. */
static uint32_t run_to_left(const yjs_doc *doc, const struct yjs__client *c,
                            struct yjs__spot s)
{
    uint32_t h = yjs__spot_item(c, s), left, n = 0;
    uint64_t bytes = yjs__content(yjs__item(doc, h)).len;
    uint64_t units = yjs__item_len(yjs__item(doc, h));

    for (; yjs__spot_prev(c, &s); h = left, n++) {
        left = yjs__spot_item(c, s);
        if (!yjs__joins(doc, left, h))
            break;
        bytes += yjs__content(yjs__item(doc, left)).len;
        units += yjs__item_len(yjs__item(doc, left));
        if (!is_plain(yjs__item(doc, left)->kind) &&
            !yjs__merge_fits(bytes, units))
            break;
    }
    return n;
}

/* Make the n structs before `s` and the one at `s` one; s moves to it. */
static void join_run(yjs_doc *doc, struct yjs__client *c, struct yjs__spot *s,
                     uint32_t n)
{
    struct yjs__spot end = *s;
    uint32_t last = yjs__spot_item(c, *s), first, h, i;
    struct yjs__item *into;
    struct yjs__spot from;

    for (i = 0; i < n; i++)
        (void)yjs__spot_prev(c, s);
    from = *s;
    first = yjs__spot_item(c, *s);
    into = yjs__item(doc, first);
    if (into->kind != YJS__GC) {
        into->right = yjs__item(doc, last)->right;
        if (into->right != 0)
            yjs__item(doc, into->right)->left = first;
        else
            yjs__list(doc, into->list)->last = first;
    }
    for (i = 0; i < n; i++) {
        (void)yjs__spot_next(c, &from);
        h = yjs__spot_item(c, from);
        if (yjs__item(doc, h)->flags & YJS__F_MARKED)
            yjs__marks_forget(doc, h);
        yjs__content_append(doc, into, yjs__item(doc, h));
        yjs__content_free(doc, yjs__item(doc, h));
        yjs__pool_free(&doc->items, h);
    }
    yjs__store_remove(doc, c, end, n);
}

/* Always, but for contents so large that they stay apart. */
static bool has_room(const yjs_doc *doc, const struct yjs__client *c,
                     struct yjs__spot s, uint32_t n)
{
    uint64_t bytes = yjs__content(yjs__item(doc, yjs__spot_item(c, s))).len;

    if (is_plain(yjs__item(doc, yjs__spot_item(c, s))->kind))
        return true;
    for (; n > 0; n--) {
        (void)yjs__spot_prev(c, &s);
        bytes += yjs__content(yjs__item(doc, yjs__spot_item(c, s))).len;
    }
    return yjs__content_has_room(yjs__item(doc, yjs__spot_item(c, s)), bytes);
}

/* Try to merge the struct at `s` with those to its left; returns how many. */
static uint32_t merge_left(yjs_doc *doc, struct yjs__client *c,
                           struct yjs__spot *s)
{
    uint32_t n = run_to_left(doc, c, *s);

    if (n > 0 && !has_room(doc, c, *s, n))
        n = 0;
    if (n > 0)
        join_run(doc, c, s, n);
    return n;
}

/* ------------------------------------------------------ room for the merges */

/* Deleted content is about to go. */
static bool needs_room(const yjs_doc *doc, const struct yjs__item *it)
{
    return !is_plain(it->kind) &&
           (!yjs__item_deleted(it) || doc->keep_deleted);
}

static int reserve_run(yjs_doc *doc, uint32_t first, uint32_t n)
{
    struct yjs__item *into = yjs__item(doc, first);
    uint64_t bytes = 0;
    uint32_t h = first, i;
    int rc;

    for (i = 0; i <= n; i++, h = yjs__item(doc, h)->right) {
        uint64_t more = yjs__content(yjs__item(doc, h)).len;

        if (!yjs__merge_fits(bytes + more, 0))
            break;
        bytes += more;
    }
    rc = yjs__content_reserve(doc, into, (uint32_t)bytes);
    if (rc == YJS_OK)
        rc = note_seen(doc, first, n + 1);
    if (rc != YJS_OK)
        return rc;
    for (h = first, i = 0; i <= n; i++, h = yjs__item(doc, h)->right)
        yjs__item(doc, h)->flags |= YJS__F_SEEN;
    return YJS_OK;
}

/* The longest run that the struct at `s` is part of. */
static int reserve_around(yjs_doc *doc, struct yjs__client *c,
                          struct yjs__spot s)
{
    struct yjs__spot next = s;
    uint32_t h = yjs__spot_item(c, s), right, n = 0;

    if ((yjs__item(doc, h)->flags & YJS__F_SEEN) ||
        !needs_room(doc, yjs__item(doc, h)))
        return YJS_OK;
    for (; yjs__spot_next(c, &next); h = right, n++) {
        right = yjs__spot_item(c, next);
        if (!yjs__joins(doc, h, right))
            break;
    }
    for (h = yjs__spot_item(c, s); yjs__spot_prev(c, &s); n++) {
        uint32_t left = yjs__spot_item(c, s);

        if (!yjs__joins(doc, left, h))
            break;
        h = left;
    }
    return n == 0 ? YJS_OK : reserve_run(doc, h, n);
}

/* All runs among the structs that are new, in one pass. */
static int reserve_new(yjs_doc *doc, struct yjs__client *c)
{
    struct yjs__spot s = yjs__store_find(c, c->before);
    int rc = reserve_around(doc, c, s);

    while (rc == YJS_OK && yjs__spot_next(c, &s)) {
        struct yjs__spot prev = s;
        uint32_t h = yjs__spot_item(c, s);

        /* Inside a run that is reserved, or not the second of a new one. */
        (void)yjs__spot_prev(c, &prev);
        if ((yjs__item(doc, h)->flags & YJS__F_SEEN) == 0 &&
            yjs__joins(doc, yjs__spot_item(c, prev), h))
            rc = reserve_around(doc, c, s);
    }
    return rc;
}

static int reserve_splits(yjs_doc *doc)
{
    const struct yjs__id *at = doc->txn.merges.data;
    size_t i;
    int rc = YJS_OK;

    for (i = 0; i < doc->txn.merges.len && rc == YJS_OK; i++) {
        struct yjs__client *c = yjs__client(doc, at[i].client);

        rc = reserve_around(doc, c, yjs__store_find(c, at[i].clock));
    }
    return rc;
}

static int reserve_deleted(yjs_doc *doc)
{
    size_t i;
    int rc = YJS_OK;

    if (!doc->keep_deleted)
        return YJS_OK;
    for (i = 0; i < doc->txn.dels.len && rc == YJS_OK; i++) {
        struct yjs__range *r = yjs__idset_at(&doc->txn.dels, i);
        struct yjs__client *c = yjs__client(doc, (uint32_t)r->client);
        struct yjs__spot s = yjs__store_find(c, r->clock);

        do {
            rc = reserve_around(doc, c, s);
        } while (rc == YJS_OK && yjs__spot_next(c, &s) &&
                 yjs__item(doc, yjs__spot_item(c, s))->clock <
                     r->clock + r->len);
    }
    return rc;
}

int yjs__cleanup_prepare(yjs_doc *doc)
{
    const uint32_t *touched = doc->txn.touched.data;
    size_t i;
    int rc = YJS_OK;

    if (needs_formatting(doc))
        rc = clean_formatting(doc);
    else if (doc->on_update != NULL)
        rc = add_all_born_deleted(doc);
    if (rc == YJS_OK && doc->txn.into != &doc->txn.cleaned)
        yjs__idset_normalise_runs(&doc->mem, &doc->txn.dels);
    for (i = 0; i < doc->txn.touched.len && rc == YJS_OK; i++)
        rc = reserve_new(doc, yjs__client(doc, touched[i]));
    if (rc == YJS_OK)
        rc = reserve_splits(doc);
    if (rc == YJS_OK)
        rc = reserve_deleted(doc);
    return rc;
}

/* ------------------------------------------------------- garbage collection */

static void push_work(yjs_doc *doc, struct yjs__type *type)
{
    type->next = doc->txn.work;
    doc->txn.work = type;
}

static void drop_content(yjs_doc *doc, struct yjs__item *it)
{
    if (it->where == YJS__W_TYPE) {
        push_work(doc, it->u.type);
        it->where = YJS__W_NONE;
    } else {
        yjs__content_free(doc, it);
    }
}

/* The list is gone: nothing of it but the clocks is left. */
static void collect_list(yjs_doc *doc, uint32_t list)
{
    uint32_t h = list ? yjs__list(doc, list)->first : 0, next;

    for (; h != 0; h = next) {
        struct yjs__item *it = yjs__item(doc, h);

        next = it->right;
        drop_content(doc, it);
        it->kind = YJS__GC;
        it->list = it->left = it->right = 0;
        it->origin_client = it->right_client = YJS__NONE;
    }
}

static void collect_types(yjs_doc *doc)
{
    struct yjs__type *type;
    uint32_t list;

    while ((type = doc->txn.work) != NULL) {
        doc->txn.work = type->next;
        collect_list(doc, type->seq);
        for (list = type->entries; list != 0;
             list = yjs__list(doc, list)->next)
            collect_list(doc, list);
        yjs__type_free(doc, type);
    }
}

static int collect_one(yjs_doc *doc, uint32_t h)
{
    struct yjs__item *it = yjs__item(doc, h);

    if (it->kind == YJS__GC || !yjs__item_deleted(it))
        return YJS_OK;
    drop_content(doc, it);
    it->kind = YJS__DELETED;
    collect_types(doc);
    return YJS_OK;
}

static void collect_deleted(yjs_doc *doc, const struct yjs__vec *set)
{
    size_t i;

    doc->txn.work = NULL;
    for (i = 0; i < set->len; i++) {
        struct yjs__range *r = yjs__idset_at(set, i);

        (void)each_struct(doc, yjs__client(doc, (uint32_t)r->client), r->clock,
                          r->clock + r->len, collect_one);
    }
}

/* ----------------------------------------------------------- where to merge */

/* From the struct behind the range to the first in it, from the right. */
static void merge_range(yjs_doc *doc, const struct yjs__range *r)
{
    struct yjs__client *c = yjs__client(doc, (uint32_t)r->client);
    struct yjs__spot s = yjs__store_find(c, r->clock + r->len - 1);

    (void)yjs__spot_next(c, &s);
    while (yjs__item(doc, yjs__spot_item(c, s))->clock >= r->clock) {
        (void)merge_left(doc, c, &s);
        if (!yjs__spot_prev(c, &s))
            return;
    }
}

/* `fresh`: what is new will be gone through as a whole anyway. */
static void merge_deleted(yjs_doc *doc, const struct yjs__vec *set, bool fresh)
{
    size_t i;

    for (i = set->len; i > 0; i--) {
        struct yjs__range *r = yjs__idset_at(set, i - 1);

        if (!fresh ||
            r->clock < yjs__client(doc, (uint32_t)r->client)->before)
            merge_range(doc, r);
    }
}

static void merge_new(yjs_doc *doc, struct yjs__client *c)
{
    struct yjs__spot s = yjs__store_last(c);

    /* The struct that holds the old state, but never the first of all. */
    while (yjs__item_end(yjs__item(doc, yjs__spot_item(c, s))) > c->before) {
        (void)merge_left(doc, c, &s);
        if (!yjs__spot_prev(c, &s))
            return;
    }
}

static void merge_split(yjs_doc *doc, const struct yjs__id *at)
{
    struct yjs__client *c = yjs__client(doc, at->client);
    struct yjs__spot s = yjs__store_find(c, at->clock), next = s;
    uint32_t merged = 0;

    if (yjs__spot_next(c, &next)) {
        merged = merge_left(doc, c, &next);
        if (merged > 0)
            s = next;
    }
    if (merged <= 1)
        (void)merge_left(doc, c, &s);
}

/* Only when all is merged: it gives back the room that merges need. */
static void tidy_split(yjs_doc *doc, const struct yjs__id *at)
{
    struct yjs__client *c = yjs__client(doc, at->client);
    struct yjs__spot s = yjs__store_find(c, at->clock);

    yjs__content_tidy(doc, yjs__item(doc, yjs__spot_item(c, s)));
    if (yjs__spot_prev(c, &s))
        yjs__content_tidy(doc, yjs__item(doc, yjs__spot_item(c, s)));
}

static void free_unused(yjs_doc *doc)
{
    size_t i;

    for (i = 0; i < doc->txn.refs.len; i++) {
        uint32_t h = yjs__txn_ref(doc, (uint32_t)i);

        if ((yjs__item(doc, h)->flags & YJS__F_LIVE) == 0)
            yjs__pool_free(&doc->items, h);
    }
}

void yjs__cleanup_commit(yjs_doc *doc)
{
    struct yjs__txn *txn = &doc->txn;
    const uint32_t *touched = txn->touched.data;
    const struct yjs__id *splits = txn->merges.data;
    size_t i;

    forget_seen(doc);
    free_unused(doc);
    if (!doc->keep_deleted)
        collect_deleted(doc, &txn->dels);
    merge_deleted(doc, &txn->dels, true);
    for (i = 0; i < txn->touched.len; i++)
        merge_new(doc, yjs__client(doc, touched[i]));
    for (i = txn->merges.len; i > 0; i--)
        merge_split(doc, &splits[i - 1]);
    for (i = 0; i < txn->merges.len; i++)
        tidy_split(doc, &splits[i]);
}

/* The formatting clean-up is a transaction of its own in Yjs. */
void yjs__cleanup_finish(yjs_doc *doc)
{
    struct yjs__txn *txn = &doc->txn;
    const uint32_t *touched = txn->touched.data;
    const uint32_t *order = txn->order.data;
    size_t i;

    if (!doc->keep_deleted)
        collect_deleted(doc, &txn->cleaned);
    merge_deleted(doc, &txn->cleaned, false);
    for (i = 0; i < txn->touched.len; i++) {
        struct yjs__client *c = yjs__client(doc, touched[i]);

        c->before = c->state;
        c->touched = false;
    }
    for (i = 0; i < txn->order.len; i++)
        yjs__client(doc, order[i])->listed = false;
}
