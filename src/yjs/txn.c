/* SPDX-License-Identifier: MIT */
/*
 * txn.c: the changes that an update is made of, and their journal.
 *
 * A journal entry is one word, operation << 56 | argument, with a second word
 * before it where the argument does not suffice:
 *
 *   CLIENT           the client added last
 *   ROOT             the root added last
 *   LIST     list    a list of a type, which is empty again
 *   SPLIT    right   an item was split
 *   SPLIT_PAIR right the same, through a surrogate pair (before it: its UTF-8)
 *   PUSH     n, ref  n staged items from txn.refs[ref] on got their place in
 *                    the store, and in a list unless they became GCs
 *   FORMATS  type    first format ever in a type
 *   FORMATTED type   first format in a type since it has its kind
 *
 * Deletions need no entry: the items deleted are those in the sets `dels` and
 * `cleaned`. They are revived first, then the journal runs backwards;
 * each entry finds the document as it was right after its own change.
 */
#include "yjs/txn.h"

#include "yjs/content.h"
#include "yjs/list.h"
#include "yjs/marker.h"

enum journal_op {
    J_CLIENT = 1,
    J_ROOT,
    J_LIST,
    J_SPLIT,
    J_SPLIT_PAIR,
    J_PUSH,
    J_FORMATS,
    J_FORMATTED
};

#define J_SHIFT 56
#define J_ARGUMENT (((uint64_t)1 << J_SHIFT) - 1)
#define J_COUNT_SHIFT 32 /* of PUSH */
#define J_COUNT_MAX (((uint64_t)1 << (J_SHIFT - J_COUNT_SHIFT)) - 1)
#define SCRATCH_KEPT 256u

static int journal(yjs_doc *doc, enum journal_op op, uint64_t argument)
{
    uint64_t *e = yjs__vec_add(&doc->mem, &doc->txn.journal, sizeof(*e));

    if (e == NULL)
        return doc->mem.err;
    *e = (uint64_t)op << J_SHIFT | (argument & J_ARGUMENT);
    return YJS_OK;
}

static void journal_drop(yjs_doc *doc, size_t n)
{
    doc->txn.journal.len -= n;
}

/* ----------------------------------------------- clients, roots and entries */

uint32_t yjs__txn_client(yjs_doc *doc, uint64_t id)
{
    uint32_t i = yjs__store_find_client(doc, id);

    if (i != YJS__NONE || journal(doc, J_CLIENT, 0) != YJS_OK)
        return i;
    i = yjs__store_add_client(doc, id);
    if (i == YJS__NONE)
        journal_drop(doc, 1);
    return i;
}

uint32_t yjs__txn_root(yjs_doc *doc, struct yjs__slice name)
{
    uint32_t h = yjs__root_find(doc, name);

    if (h != 0 || journal(doc, J_ROOT, 0) != YJS_OK)
        return h;
    h = yjs__root_new(doc, name);
    if (h == 0)
        journal_drop(doc, 1);
    return h;
}

uint32_t yjs__txn_list(yjs_doc *doc, struct yjs__type *type,
                       const struct yjs__slice *key)
{
    uint32_t h = key ? yjs__entry_find(doc, type, *key) : type->seq;
    size_t at = doc->txn.journal.len;

    if (h != 0 || journal(doc, J_LIST, 0) != YJS_OK)
        return h;
    h = key ? yjs__entry_new(doc, type, *key) : yjs__seq_new(doc, type);
    if (h == 0)
        journal_drop(doc, 1);
    else
        ((uint64_t *)doc->txn.journal.data)[at] |= h;
    return h;
}

/* ------------------------------------------------------------------- splits */

static int add_merge(yjs_doc *doc, uint32_t client, uint64_t clock)
{
    struct yjs__id *id = yjs__vec_add(&doc->mem, &doc->txn.merges,
                                      sizeof(*id));

    if (id == NULL)
        return doc->mem.err;
    *id = (struct yjs__id){clock, client};
    return YJS_OK;
}

static void link_right_half(yjs_doc *doc, uint32_t h, uint32_t right)
{
    struct yjs__item *l = yjs__item(doc, h), *r = yjs__item(doc, right);

    r->left = h;
    r->right = l->right;
    l->right = right;
    if (r->right != 0)
        yjs__item(doc, r->right)->left = right;
    else
        yjs__list(doc, r->list)->last = right;
}

int yjs__txn_split(yjs_doc *doc, struct yjs__client *c, struct yjs__spot s,
                   uint64_t diff)
{
    uint32_t h = yjs__spot_item(c, s);
    uint32_t right = yjs__pool_alloc(&doc->mem, &doc->items);
    struct yjs__item *l = yjs__item(doc, h), *r;
    uint32_t lost;
    int rc;

    if (right == 0)
        return doc->mem.err;
    r = yjs__item(doc, right);
    *r = *l;
    r->flags &= YJS__F_DELETED;
    r->clock = l->clock + diff;
    r->origin_client = l->client;
    r->origin_clock = r->clock - 1;
    rc = yjs__vec_reserve(&doc->mem, &doc->txn.journal, 2, sizeof(uint64_t));
    if (rc != YJS_OK)
        goto failed;
    rc = add_merge(doc, r->client, r->clock);
    if (rc != YJS_OK)
        goto failed;
    rc = yjs__content_split(doc, l, r, diff, &lost);
    if (rc != YJS_OK)
        goto no_split;
    rc = yjs__store_insert(doc, c, s, right);
    if (rc != YJS_OK) {
        yjs__content_unsplit(doc, l, r, lost);
        goto no_split;
    }
    if (lost != 0)
        (void)journal(doc, 0, lost);
    (void)journal(doc, lost != 0 ? J_SPLIT_PAIR : J_SPLIT, right);
    link_right_half(doc, h, right);
    return YJS_OK;
no_split:
    doc->txn.merges.len--;
failed:
    yjs__pool_free(&doc->items, right);
    return rc;
}

static void undo_split(yjs_doc *doc, uint32_t right, uint32_t lost)
{
    struct yjs__item *r = yjs__item(doc, right);
    struct yjs__item *l = yjs__item(doc, r->left);
    struct yjs__client *c = yjs__client(doc, (uint32_t)r->client);

    l->right = r->right;
    if (r->right != 0)
        yjs__item(doc, r->right)->left = r->left;
    else
        yjs__list(doc, r->list)->last = r->left;
    yjs__store_remove(doc, c, yjs__store_find(c, r->clock), 1);
    yjs__content_unsplit(doc, l, r, lost);
    yjs__pool_free(&doc->items, right);
}

uint32_t yjs__txn_clean_end(yjs_doc *doc, uint32_t client, uint64_t clock)
{
    struct yjs__client *c = yjs__client(doc, client);
    struct yjs__spot s = yjs__store_find(c, clock);
    uint32_t h = yjs__spot_item(c, s);
    struct yjs__item *it = yjs__item(doc, h);

    if (it->kind == YJS__GC || clock + 1 == yjs__item_end(it))
        return h;
    if (yjs__txn_split(doc, c, s, clock - it->clock + 1) != YJS_OK)
        return 0;
    return h;
}

uint32_t yjs__txn_clean_start(yjs_doc *doc, uint32_t client, uint64_t clock)
{
    struct yjs__client *c = yjs__client(doc, client);
    struct yjs__spot s = yjs__store_find(c, clock);
    uint32_t h = yjs__spot_item(c, s);
    struct yjs__item *it = yjs__item(doc, h);

    if (it->kind == YJS__GC || clock == it->clock)
        return h;
    if (yjs__txn_split(doc, c, s, clock - it->clock) != YJS_OK)
        return 0;
    return yjs__item(doc, h)->right;
}

/* -------------------------------------------------------------- integration */

static int touch(yjs_doc *doc, struct yjs__client *c, uint32_t client)
{
    uint32_t *t;

    if (c->touched)
        return YJS_OK;
    t = yjs__vec_add(&doc->mem, &doc->txn.touched, sizeof(*t));
    if (t == NULL)
        return doc->mem.err;
    *t = client;
    c->touched = true;
    return YJS_OK;
}

/* A staged item came into the store: one entry for all that follow on. */
static int journal_push(yjs_doc *doc, uint32_t ref)
{
    struct yjs__vec *v = &doc->txn.journal;
    uint64_t *last = (uint64_t *)v->data + v->len - (v->len > 0);
    uint64_t one = (uint64_t)1 << J_COUNT_SHIFT;

    if (v->len > 0 && *last >> J_SHIFT == J_PUSH) {
        uint64_t n = (*last & J_ARGUMENT) >> J_COUNT_SHIFT;

        if ((*last & UINT32_MAX) + n == ref && n < J_COUNT_MAX) {
            *last += one;
            return YJS_OK;
        }
    }
    return journal(doc, J_PUSH, one | ref);
}

/* Push to the store. */
static int push(yjs_doc *doc, uint32_t ref)
{
    uint32_t h = yjs__txn_ref(doc, ref);
    struct yjs__item *it = yjs__item(doc, h);
    int rc = touch(doc, yjs__client(doc, it->client), it->client);

    if (rc == YJS_OK)
        rc = yjs__vec_reserve(&doc->mem, &doc->txn.journal, 1,
                              sizeof(uint64_t));
    if (rc == YJS_OK)
        rc = yjs__store_push(doc, h);
    return rc == YJS_OK ? journal_push(doc, ref) : rc;
}

int yjs__txn_changed(yjs_doc *doc, struct yjs__type *type)
{
    struct yjs__type **slot;
    const struct yjs__item *it;

    /* Only formatting hangs on it, and only texts clean it up; what the
     * clean-up itself deletes is a change of our own. */
    if (type->noted || !yjs__type_is_text(type) || doc->txn.local ||
        doc->txn.into == &doc->txn.cleaned)
        return YJS_OK;
    it = type->item == 0 ? NULL : yjs__item(doc, type->item);
    if (it != NULL && (yjs__item_deleted(it) ||
                       it->clock >= yjs__client(doc, it->client)->before))
        return YJS_OK;
    slot = yjs__vec_add(&doc->mem, &doc->txn.texts, sizeof(*slot));
    if (slot == NULL)
        return doc->mem.err;
    *slot = type;
    type->noted = true;
    return YJS_OK;
}

/* Remember in which order clients had something deleted first. */
static int note_order(yjs_doc *doc, uint32_t client)
{
    struct yjs__client *c = yjs__client(doc, client);
    uint32_t *slot;

    if (c->listed)
        return YJS_OK;
    slot = yjs__vec_add(&doc->mem, &doc->txn.order, sizeof(*slot));
    if (slot == NULL)
        return doc->mem.err;
    *slot = client;
    c->listed = true;
    return YJS_OK;
}

static int mark_formatted(yjs_doc *doc, struct yjs__type *type)
{
    int rc = YJS_OK;

    if (type->formatted)
        return YJS_OK;
    if (!type->formats)
        rc = journal(doc, J_FORMATS, (uint64_t)(uintptr_t)type);
    if (rc == YJS_OK)
        type->formats = true;
    if (rc == YJS_OK)
        rc = journal(doc, J_FORMATTED, (uint64_t)(uintptr_t)type);
    if (rc == YJS_OK)
        type->formatted = true;
    return rc;
}

int yjs__txn_link(yjs_doc *doc, uint32_t ref, uint32_t list, uint32_t left)
{
    uint32_t h = yjs__txn_ref(doc, ref);
    struct yjs__item *it = yjs__item(doc, h);
    struct yjs__list *l = yjs__list(doc, list);
    struct yjs__item *before = left ? yjs__item(doc, left) : NULL;
    int rc = YJS_OK;

    if (l->type->marked && l->key == NULL && !doc->txn.local)
        yjs__marks_drop(doc, l->type);
    if (it->kind == YJS__FORMAT)
        rc = mark_formatted(doc, l->type);
    if (rc == YJS_OK && it->kind == YJS__DELETED)
        rc = note_order(doc, it->client);
    if (rc == YJS_OK)
        rc = push(doc, ref);
    if (rc != YJS_OK)
        return rc;
    if (l->key != NULL && l->first == 0)
        yjs__entry_arrived(doc, list);
    it->list = list;
    it->left = left;
    it->right = before ? before->right : l->first;
    if (before != NULL)
        before->right = h;
    else
        l->first = h;
    if (it->right != 0)
        yjs__item(doc, it->right)->left = h;
    else
        l->last = h;
    if (it->kind == YJS__DELETED)
        it->flags |= YJS__F_DELETED;
    else if (l->key == NULL && yjs__item_countable(it))
        l->type->length += it->len;
    return YJS_OK;
}

static void undo_link(yjs_doc *doc, uint32_t h)
{
    struct yjs__item *it = yjs__item(doc, h);
    struct yjs__list *l = yjs__list(doc, it->list);

    if (l->key == NULL && yjs__item_countable(it))
        l->type->length -= it->len;
    if (it->left != 0)
        yjs__item(doc, it->left)->right = it->right;
    else
        l->first = it->right;
    if (it->right != 0)
        yjs__item(doc, it->right)->left = it->left;
    else
        l->last = it->left;
    yjs__store_pop(doc, yjs__client(doc, it->client));
    it->flags &= (uint8_t)~YJS__F_LIVE;
}

int yjs__txn_collect(yjs_doc *doc, uint32_t ref)
{
    struct yjs__item *it = yjs__item(doc, yjs__txn_ref(doc, ref));
    uint64_t len = yjs__item_len(it);
    int rc = push(doc, ref);

    if (rc != YJS_OK)
        return rc;
    it->kind = YJS__GC;
    it->where = YJS__W_NONE;
    it->flags = YJS__F_LIVE | YJS__F_DELETED;
    it->list = it->left = it->right = 0;
    it->origin_client = it->right_client = YJS__NONE;
    yjs__item_set_len(it, len);
    return YJS_OK;
}

static void undo_collect(yjs_doc *doc, uint32_t h)
{
    struct yjs__item *it = yjs__item(doc, h);

    yjs__store_pop(doc, yjs__client(doc, it->client));
    it->flags &= (uint8_t)~YJS__F_LIVE;
}

static void undo_push(yjs_doc *doc, uint32_t ref, uint32_t n)
{
    while (n-- > 0) {
        uint32_t h = yjs__txn_ref(doc, ref + n);

        if (yjs__item(doc, h)->kind == YJS__GC)
            undo_collect(doc, h);
        else
            undo_link(doc, h);
    }
}

/* ----------------------------------------------------------------- deleting */

static int delete_one(yjs_doc *doc, uint32_t h)
{
    struct yjs__item *it = yjs__item(doc, h);
    struct yjs__list *l = yjs__list(doc, it->list);
    int rc = yjs__txn_changed(doc, l->type);

    if (l->type->marked && l->key == NULL && !doc->txn.local)
        yjs__marks_drop(doc, l->type);
    if (rc == YJS_OK)
        rc = note_order(doc, it->client);
    if (rc == YJS_OK)
        rc = yjs__idset_add(&doc->mem, doc->txn.into, it->client, it->clock,
                            yjs__item_len(it));
    if (rc != YJS_OK)
        return rc;
    it->flags |= YJS__F_DELETED;
    if (l->key == NULL && yjs__item_countable(it))
        l->type->length -= it->len;
    return YJS_OK;
}

/* The value of this entry, or of the first after it that has one. */
static uint32_t entry_value(const yjs_doc *doc, uint32_t list)
{
    while (list != 0 && yjs__list(doc, list)->last == 0)
        list = yjs__list(doc, list)->next;
    return list == 0 ? 0 : yjs__list(doc, list)->last;
}

static uint32_t first_child(const yjs_doc *doc, const struct yjs__type *type)
{
    uint32_t h = type->seq ? yjs__list(doc, type->seq)->first : 0;

    return h != 0 ? h : entry_value(doc, type->entries);
}

/* The next child of the same type: first the sequence, then the values. */
static uint32_t next_child(const yjs_doc *doc, uint32_t h)
{
    const struct yjs__item *it = yjs__item(doc, h);
    const struct yjs__list *l = yjs__list(doc, it->list);

    if (l->key != NULL)
        return entry_value(doc, l->next);
    return it->right != 0 ? it->right : entry_value(doc, l->type->entries);
}

/*
 * Delete one item on the way through a deleted tree; *deeper: it was not
 * deleted yet and may have children. One that was deleted before this
 * transaction is about to be collected as well: note where it may merge then.
 */
static int delete_visited(yjs_doc *doc, uint32_t h, bool *deeper)
{
    struct yjs__item *it = yjs__item(doc, h);

    *deeper = !yjs__item_deleted(it) && it->kind == YJS__TYPE;
    if (!yjs__item_deleted(it))
        return delete_one(doc, h);
    if (it->clock < yjs__client(doc, it->client)->before)
        return add_merge(doc, it->client, it->clock);
    return YJS_OK;
}

/*
 * Parents before children, in document order, as the recursion in Yjs would.
 * The way back up is in the tree itself.
 */
int yjs__txn_delete(yjs_doc *doc, uint32_t top)
{
    uint32_t h = top, next;
    bool deeper;
    int rc;

    if (yjs__item_deleted(yjs__item(doc, top)))
        return YJS_OK;
    for (;;) {
        rc = delete_visited(doc, h, &deeper);
        if (rc != YJS_OK)
            return rc;
        if (deeper && yjs__item(doc, h)->u.type->marked)
            yjs__marks_drop(doc, yjs__item(doc, h)->u.type);
        next = deeper ? first_child(doc, yjs__item(doc, h)->u.type) : 0;
        while (next == 0) {
            if (h == top)
                return YJS_OK;
            next = next_child(doc, h);
            if (next == 0)
                h = yjs__list(doc, yjs__item(doc, h)->list)->type->item;
        }
        h = next;
    }
}

static void revive(yjs_doc *doc, uint32_t h)
{
    struct yjs__item *it = yjs__item(doc, h);
    struct yjs__list *l;

    if (it->kind == YJS__GC || it->kind == YJS__DELETED ||
        !yjs__item_deleted(it))
        return;
    it->flags &= (uint8_t)~YJS__F_DELETED;
    l = yjs__list(doc, it->list);
    if (l->key == NULL && yjs__item_countable(it))
        l->type->length += it->len;
}

static void revive_all(yjs_doc *doc, const struct yjs__vec *set)
{
    size_t i;

    for (i = 0; i < set->len; i++) {
        struct yjs__range *r = yjs__idset_at(set, i);
        struct yjs__client *c = yjs__client(doc, (uint32_t)r->client);
        struct yjs__spot s;
        uint32_t h;

        s = yjs__store_find(c, r->clock);
        do {
            h = yjs__spot_item(c, s);
            if (yjs__item(doc, h)->clock >= r->clock + r->len)
                break;
            revive(doc, h);
        } while (yjs__spot_next(c, &s));
    }
}

/* ----------------------------------------------------------------- the ends */

static void undo_one(yjs_doc *doc, uint64_t entry, uint64_t before, size_t *at)
{
    uint32_t h = (uint32_t)(entry & UINT32_MAX);

    switch ((enum journal_op)(entry >> J_SHIFT)) {
    case J_CLIENT:
        yjs__store_drop_client(doc);
        break;
    case J_ROOT:
        yjs__root_drop(doc);
        break;
    case J_LIST:
        yjs__list_drop(doc, h);
        break;
    case J_SPLIT:
        undo_split(doc, h, 0);
        break;
    case J_SPLIT_PAIR:
        undo_split(doc, h, (uint32_t)before);
        --*at;
        break;
    case J_PUSH:
        undo_push(doc, h, (uint32_t)((entry & J_ARGUMENT) >> J_COUNT_SHIFT));
        break;
    case J_FORMATS:
        ((struct yjs__type *)(uintptr_t)(entry & J_ARGUMENT))->formats = false;
        break;
    case J_FORMATTED:
        ((struct yjs__type *)(uintptr_t)(entry & J_ARGUMENT))->formatted =
            false;
        break;
    }
}

static void clear_marks(yjs_doc *doc)
{
    struct yjs__type **texts = doc->txn.texts.data;
    struct yjs__run *runs = doc->txn.runs.data;
    size_t i;

    for (i = 0; i < doc->txn.texts.len; i++)
        texts[i]->noted = false;
    for (i = 0; i < doc->txn.runs.len; i++) {
        uint32_t h = runs[i].first, n = runs[i].n;

        for (; n > 0; n--, h = yjs__item(doc, h)->right)
            yjs__item(doc, h)->flags &= (uint8_t)~YJS__F_SEEN;
    }
}

static void free_staged(yjs_doc *doc)
{
    size_t i;

    for (i = 0; i < doc->txn.refs.len; i++) {
        uint32_t h = yjs__txn_ref(doc, (uint32_t)i);
        struct yjs__item *it = yjs__item(doc, h);

        if (it->where == YJS__W_TYPE)
            yjs__type_free(doc, it->u.type);
        else
            yjs__content_free(doc, it);
        yjs__pool_free(&doc->items, h);
    }
}

void yjs__txn_rollback(yjs_doc *doc)
{
    struct yjs__txn *txn = &doc->txn;
    const uint64_t *entries = txn->journal.data;
    const uint32_t *touched = txn->touched.data;
    const uint32_t *order = txn->order.data;
    size_t i;

    yjs__marks_drop_all(doc);
    clear_marks(doc);
    revive_all(doc, &txn->dels);
    revive_all(doc, &txn->cleaned);
    /* Before the journal: undoing CLIENT may remove some of these. */
    for (i = 0; i < txn->touched.len; i++)
        yjs__client(doc, touched[i])->touched = false;
    for (i = 0; i < txn->order.len; i++)
        yjs__client(doc, order[i])->listed = false;
    for (i = txn->journal.len; i > 0; i--)
        undo_one(doc, entries[i - 1], i > 1 ? entries[i - 2] : 0, &i);
    free_staged(doc);
    yjs__txn_reset(doc);
}

void yjs__txn_reset(yjs_doc *doc)
{
    struct yjs__txn *txn = &doc->txn;
    struct yjs__mem *mem = &doc->mem;
    struct yjs__group *groups = txn->groups.data;
    size_t i;

    for (i = 0; i < txn->groups.len; i++)
        if (groups[i].client < doc->client_count)
            yjs__client(doc, groups[i].client)->group = 0;
    yjs__vec_trim(mem, &txn->refs, sizeof(uint32_t), SCRATCH_KEPT);
    yjs__vec_trim(mem, &txn->groups, sizeof(struct yjs__group), SCRATCH_KEPT);
    yjs__vec_trim(mem, &txn->stack, sizeof(uint32_t), SCRATCH_KEPT);
    yjs__vec_trim(mem, &txn->journal, sizeof(uint64_t), SCRATCH_KEPT);
    yjs__vec_trim(mem, &txn->merges, sizeof(struct yjs__id), SCRATCH_KEPT);
    yjs__vec_trim(mem, &txn->touched, sizeof(uint32_t), SCRATCH_KEPT);
    yjs__vec_trim(mem, &txn->order, sizeof(uint32_t), SCRATCH_KEPT);
    yjs__vec_trim(mem, &txn->texts, sizeof(void *), SCRATCH_KEPT);
    yjs__vec_trim(mem, &txn->runs, sizeof(struct yjs__run), SCRATCH_KEPT);
    yjs__vec_trim(mem, &txn->missing, sizeof(struct yjs__id), SCRATCH_KEPT);
    yjs__vec_trim(mem, &txn->unapplied, sizeof(struct yjs__range),
                  SCRATCH_KEPT);
    yjs__vec_trim(mem, &txn->dels, sizeof(struct yjs__range), SCRATCH_KEPT);
    yjs__vec_trim(mem, &txn->cleaned, sizeof(struct yjs__range), SCRATCH_KEPT);
    txn->canon.mark = NULL;
    txn->conflicts = 0;
    yjs__writer_deinit(&txn->rest);
    yjs__writer_init(&txn->rest, mem, 0);
    yjs__canon_trim(&txn->canon);
    yjs__arena_free(&txn->arena);
    txn->into = &txn->dels;
    txn->work = NULL;
    txn->source = NULL;
    txn->local = false;
}

void yjs__txn_deinit(yjs_doc *doc)
{
    struct yjs__txn *txn = &doc->txn;
    struct yjs__mem *mem = &doc->mem;

    yjs__txn_reset(doc);
    yjs__vec_trim(mem, &txn->refs, sizeof(uint32_t), 0);
    yjs__vec_trim(mem, &txn->groups, sizeof(struct yjs__group), 0);
    yjs__vec_trim(mem, &txn->stack, sizeof(uint32_t), 0);
    yjs__vec_trim(mem, &txn->journal, sizeof(uint64_t), 0);
    yjs__vec_trim(mem, &txn->merges, sizeof(struct yjs__id), 0);
    yjs__vec_trim(mem, &txn->touched, sizeof(uint32_t), 0);
    yjs__vec_trim(mem, &txn->order, sizeof(uint32_t), 0);
    yjs__vec_trim(mem, &txn->texts, sizeof(void *), 0);
    yjs__vec_trim(mem, &txn->runs, sizeof(struct yjs__run), 0);
    yjs__vec_trim(mem, &txn->missing, sizeof(struct yjs__id), 0);
    yjs__vec_trim(mem, &txn->unapplied, sizeof(struct yjs__range), 0);
    yjs__vec_trim(mem, &txn->dels, sizeof(struct yjs__range), 0);
    yjs__vec_trim(mem, &txn->cleaned, sizeof(struct yjs__range), 0);
}
