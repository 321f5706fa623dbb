/* SPDX-License-Identifier: MIT */
/*
 * integrate.c: YATA, and the order in which an update's structs get there.
 *
 * An item says between which two it was typed: its left and its right origin.
 * If they still are neighbours its place is clear. If not, what stands between
 * was typed at the same place by others, and everybody must come to the same
 * order, whoever came first:
 *
 *     origin   o1   o2   o3   ...   right origin
 *
 * Walk over the o's. One with the same left origin goes before the new item
 * if its client id is lower; with the same right origin too, the first of a
 * higher id ends the walk. One whose left origin is among those walked over
 * belongs to its origin: it is passed along with it, but moves the new item
 * only if that origin did. Any other one, and the walk is over.
 *
 * Those walked over are marked BEFORE; those since the last step to the right
 * are marked CONFLICT as well. Both are stretches of the list, so the marks
 * are found again and cleared without a set.
 *
 * Causes first: structs of one client follow one another. If a struct needs
 * one of another client that the update has too, that client's next struct is
 * taken first (a stack, no recursion). If nobody has it, everything on the
 * stack goes to the rest, with all that follows in those clients.
 *
 * The order (clients from the highest id, this stack, that rest) is Yjs's own
 * to the letter: which structs end up in the rest, and how, can be seen.
 *
 * The walk is linear in what was typed at one place, and so, at worst, is each
 * struct of an update: n clients there, the lowest id first, are n^2 / 2 steps
 * in Yjs too. The order is a property of the walk, not of what could be looked
 * up, so there is no index; a limit ends it (`conflicts`).
 *
 * Must never: loop over more than Yjs would, or trust that an origin is in the
 * same list as its neighbour.
 */
#include "yjs/txn.h"

#include "yjs/content.h"
#include "yjs/sort.h"
#include "yjs/update_write.h"

struct place {
    uint32_t left, right, list; /* list 0: becomes a GC */
};

static bool known(const yjs_doc *doc, uint32_t client, uint64_t clock)
{
    return clock < yjs__client(doc, client)->state;
}

/* --------------------------------------------------------------- what lacks */

/* A client whose struct the item waits for, or YJS__NONE. */
static uint32_t find_missing(const yjs_doc *doc, const struct yjs__item *it)
{
    if (it->kind == YJS__GC)
        return YJS__NONE;
    if (it->origin_client != YJS__NONE && it->origin_client != it->client &&
        !known(doc, it->origin_client, it->origin_clock))
        return it->origin_client;
    if (it->right_client != YJS__NONE && it->right_client != it->client &&
        !known(doc, it->right_client, it->right_clock))
        return it->right_client;
    return YJS__NONE;
}

/* The list that an item with the id of its parent goes to. */
static int find_parent(yjs_doc *doc, const struct yjs__item *it,
                       struct place *p)
{
    uint32_t h = yjs__store_item(doc, it->origin_client, it->origin_clock);
    const struct yjs__item *parent = yjs__item(doc, h);
    struct yjs__slice key = {doc->txn.source + it->list, it->right};
    bool keyed = (it->flags & YJS__F_PARENT_SUB) != 0;

    p->list = 0;
    if (parent->kind != YJS__TYPE)
        return YJS_OK;
    p->list = yjs__txn_list(doc, parent->u.type, keyed ? &key : NULL);
    return p->list == 0 ? doc->mem.err : YJS_OK;
}

/* Find the neighbours, splitting what they are part of, and the list. */
static int find_place(yjs_doc *doc, const struct yjs__item *it,
                      struct place *p)
{
    *p = (struct place){0, 0, 0};
    if (it->flags & YJS__F_PARENT_ID)
        return find_parent(doc, it, p);
    if (it->origin_client != YJS__NONE) {
        p->left = yjs__txn_clean_end(doc, it->origin_client, it->origin_clock);
        if (p->left == 0)
            return doc->mem.err;
    }
    if (it->right_client != YJS__NONE) {
        p->right = yjs__txn_clean_start(doc, it->right_client,
                                        it->right_clock);
        if (p->right == 0)
            return doc->mem.err;
    }
    if ((p->left != 0 && yjs__item(doc, p->left)->kind == YJS__GC) ||
        (p->right != 0 && yjs__item(doc, p->right)->kind == YJS__GC))
        p->list = 0;
    else if (p->left != 0)
        p->list = yjs__item(doc, p->left)->list;
    else if (p->right != 0)
        p->list = yjs__item(doc, p->right)->list;
    else
        p->list = it->list;
    return YJS_OK;
}

/* --------------------------------------------------------------------- YATA */

static bool same_id(uint32_t a_client, uint64_t a_clock, uint32_t b_client,
                    uint64_t b_clock)
{
    return a_client == b_client &&
           (a_client == YJS__NONE || a_clock == b_clock);
}

static void unmark(yjs_doc *doc, uint32_t from, uint32_t to, uint8_t marks)
{
    for (;; from = yjs__item(doc, from)->right) {
        yjs__item(doc, from)->flags &= (uint8_t)~marks;
        if (from == to)
            return;
    }
}

/* The item that the new one comes to stand behind; 0: the start. */
static uint32_t resolve_conflict(yjs_doc *doc, const struct yjs__item *it,
                                 const struct place *p)
{
    uint64_t id = yjs__client(doc, it->client)->id;
    uint32_t left = p->left;
    uint32_t first = left ? yjs__item(doc, left)->right
                          : yjs__list(doc, p->list)->first;
    uint32_t conflict = first, last = 0, o = first;
    uint64_t steps = 0;

    while (o != 0 && o != p->right) {
        struct yjs__item *other = yjs__item(doc, o);
        bool step = false;

        other->flags |= YJS__F_BEFORE | YJS__F_CONFLICT;
        last = o;
        steps++;
        if (same_id(it->origin_client, it->origin_clock, other->origin_client,
                    other->origin_clock)) {
            if (yjs__client(doc, other->client)->id < id)
                step = true;
            else if (same_id(it->right_client, it->right_clock,
                             other->right_client, other->right_clock))
                break;
        } else {
            uint8_t marks = 0;

            if (other->origin_client != YJS__NONE)
                marks = yjs__item(doc, yjs__store_item(doc,
                                                       other->origin_client,
                                                       other->origin_clock))
                            ->flags;
            if ((marks & YJS__F_BEFORE) == 0)
                break;
            step = (marks & YJS__F_CONFLICT) == 0;
        }
        if (step) {
            left = o;
            unmark(doc, conflict, o, YJS__F_CONFLICT);
            conflict = other->right;
        }
        o = other->right;
    }
    if (last != 0)
        unmark(doc, first, last, YJS__F_BEFORE | YJS__F_CONFLICT);
    doc->txn.conflicts += steps;
    return left;
}

static bool neighbours(const yjs_doc *doc, const struct place *p)
{
    if (p->left != 0)
        return yjs__item(doc, p->left)->right == p->right;
    return p->right != 0 && yjs__item(doc, p->right)->left == 0;
}

/*
 * The item's beginning is known already: only the part from `offset` on is
 * new, and continues what is known. If that is not in the list that the item
 * names, somebody lies, and Yjs would lose its own structure.
 */
static int skip_known(yjs_doc *doc, struct yjs__item *it, uint64_t offset,
                      struct place *p)
{
    struct yjs__item *left;

    it->clock += offset;
    p->left = yjs__txn_clean_end(doc, it->client, it->clock - 1);
    if (p->left == 0)
        return doc->mem.err;
    left = yjs__item(doc, p->left);
    if (p->list != 0 && p->list != left->list)
        return YJS_ERR_MALFORMED;
    it->origin_client = it->client;
    it->origin_clock = it->clock - 1;
    return YJS_OK;
}

/* In a map the last item counts: whatever else there is, is deleted. */
static int delete_losers(yjs_doc *doc, uint32_t h)
{
    const struct yjs__item *it = yjs__item(doc, h);
    const struct yjs__list *list = yjs__list(doc, it->list);
    int rc = YJS_OK;

    if (list->key != NULL && it->right == 0 && it->left != 0)
        rc = yjs__txn_delete(doc, it->left);
    if (rc == YJS_OK)
        rc = yjs__txn_changed(doc, list->type);
    if (rc == YJS_OK &&
        ((list->type->item != 0 &&
          yjs__item_deleted(yjs__item(doc, list->type->item))) ||
         (list->key != NULL && it->right != 0)))
        rc = yjs__txn_delete(doc, h);
    return rc;
}

/* Integrate a struct whose causes are all there. */
static int integrate(yjs_doc *doc, uint32_t ref, uint64_t offset,
                     struct place *p)
{
    uint32_t h = yjs__txn_ref(doc, ref);
    struct yjs__item *it = yjs__item(doc, h);
    int rc;

    if (it->kind == YJS__GC) {
        uint64_t len = yjs__item_len(it) - offset;

        it->clock += offset;
        yjs__item_set_len(it, len);
        return yjs__txn_collect(doc, ref);
    }
    if (offset > 0) {
        rc = skip_known(doc, it, offset, p);
        if (rc != YJS_OK)
            return rc;
    }
    if (it->flags & YJS__F_PARENT_ID) {
        it->flags &= (uint8_t)~(YJS__F_PARENT_ID | YJS__F_PARENT_SUB);
        if (offset == 0)
            it->origin_client = YJS__NONE;
    }
    if (p->list == 0) {
        uint64_t len = yjs__item_len(it) - offset;

        it->where = YJS__W_NONE;
        yjs__item_set_len(it, len);
        return yjs__txn_collect(doc, ref);
    }
    rc = yjs__content_own(doc, h, offset);
    if (rc != YJS_OK)
        return rc;
    if (!neighbours(doc, p))
        p->left = resolve_conflict(doc, it, p);
    if (doc->txn.conflicts > doc->limits.conflicts)
        return yjs__mem_over(&doc->mem, YJS_LIMIT_CONFLICTS);
    rc = yjs__txn_link(doc, ref, p->list, p->left);
    return rc == YJS_OK ? delete_losers(doc, h) : rc;
}

/* ---------------------------------------------------------------- the order */

struct order {
    yjs_doc *doc;
    uint32_t *targets; /* group indexes, ascending client ids */
    size_t left;       /* targets not exhausted */
    struct yjs__group *target;
};

static struct yjs__group *group(const yjs_doc *doc, size_t i)
{
    return (struct yjs__group *)doc->txn.groups.data + i;
}

static struct yjs__group *group_of(const yjs_doc *doc, uint32_t client)
{
    uint32_t g = yjs__client(doc, client)->group;

    return g == 0 || !group(doc, g - 1)->open ? NULL : group(doc, g - 1);
}

static int compare_groups(const void *ctx, const void *a, const void *b)
{
    const yjs_doc *doc = ctx;
    uint64_t x = yjs__client(doc, group(doc, *(const uint32_t *)a)->client)->id;
    uint64_t y = yjs__client(doc, group(doc, *(const uint32_t *)b)->client)->id;

    return x < y ? -1 : x > y;
}

static struct yjs__group *next_target(struct order *o)
{
    struct yjs__group *g;

    for (; o->left > 0; o->left--) {
        g = group(o->doc, o->targets[o->left - 1]);
        if (g->next < g->end)
            return g;
    }
    return NULL;
}

static int note_missing(yjs_doc *doc, uint32_t client, uint64_t clock)
{
    struct yjs__id *id = yjs__vec_add(&doc->mem, &doc->txn.missing,
                                      sizeof(*id));

    if (id == NULL)
        return doc->mem.err;
    *id = (struct yjs__id){clock, client};
    return YJS_OK;
}

/*
 * Nothing on the stack can go on: each of its clients ends here. What follows
 * in a client goes along with its struct; a client already ended is left with
 * that one struct alone, as in Yjs.
 */
static void give_up(yjs_doc *doc)
{
    const uint32_t *stack = doc->txn.stack.data;
    size_t i;

    for (i = 0; i < doc->txn.stack.len; i++) {
        const struct yjs__item *it =
            yjs__item(doc, yjs__txn_ref(doc, stack[i]));
        struct yjs__group *g =
            group(doc, yjs__client(doc, it->client)->group - 1);

        if (g->open) {
            g->rest = g->next - 1;
            g->rest_end = g->end;
            g->open = false;
            g->next = g->end;
        } else {
            g->rest = stack[i];
            g->rest_end = stack[i] + 1;
        }
    }
    doc->txn.stack.len = 0;
}

static int push_stack(yjs_doc *doc, uint32_t ref)
{
    uint32_t *slot = yjs__vec_add(&doc->mem, &doc->txn.stack, sizeof(*slot));

    if (slot == NULL)
        return doc->mem.err;
    *slot = ref;
    return YJS_OK;
}

/*
 * Try one struct. *again is set when another has to come first, which is then
 * in *ref.
 */
static int try_struct(yjs_doc *doc, uint32_t *ref, bool *again)
{
    uint32_t h = yjs__txn_ref(doc, *ref);
    struct yjs__item *it = yjs__item(doc, h);
    uint64_t state = yjs__client(doc, it->client)->state;
    struct yjs__group *g;
    struct place p = {0, 0, 0};
    uint32_t missing;
    int rc;

    *again = false;
    if (it->kind == YJS__SKIP)
        return YJS_OK;
    if (state < it->clock) {
        rc = push_stack(doc, *ref);
        if (rc == YJS_OK)
            rc = note_missing(doc, it->client, it->clock - 1);
        give_up(doc);
        return rc;
    }
    missing = find_missing(doc, it);
    if (missing != YJS__NONE) {
        rc = push_stack(doc, *ref);
        g = group_of(doc, missing);
        if (rc == YJS_OK && g != NULL && g->next < g->end) {
            *ref = g->next++;
            *again = true;
        } else if (rc == YJS_OK) {
            rc = note_missing(doc, missing, yjs__client(doc, missing)->state);
            give_up(doc);
        }
        return rc;
    }
    rc = YJS_OK;
    /* A known struct, too, splits where its origins are: as in Yjs. */
    if (it->kind != YJS__GC && (state < yjs__item_end(it) ||
                                (it->flags & YJS__F_PARENT_ID) == 0))
        rc = find_place(doc, it, &p);
    if (rc == YJS_OK && state < yjs__item_end(it))
        rc = integrate(doc, *ref, state - it->clock, &p);
    return rc;
}

static bool next_struct(struct order *o, uint32_t *ref)
{
    struct yjs__vec *stack = &o->doc->txn.stack;

    if (stack->len > 0) {
        *ref = ((uint32_t *)stack->data)[--stack->len];
        return true;
    }
    if (o->target == NULL || o->target->next >= o->target->end)
        o->target = next_target(o);
    if (o->target == NULL)
        return false;
    *ref = o->target->next++;
    return true;
}

/* Write what is left over as an update without deletes. */
static int write_rest(struct order *o)
{
    yjs_doc *doc = o->doc;
    struct yjs__writer *w = &doc->txn.rest;
    uint64_t blocks = 0;
    size_t i, j, n = doc->txn.groups.len;

    for (i = 0; i < n; i++)
        blocks += group(doc, i)->rest_end > group(doc, i)->rest;
    if (blocks == 0)
        return YJS_OK;
    yjs__write_varuint(w, blocks);
    for (i = n; i > 0; i--) {
        struct yjs__group *g = group(doc, o->targets[i - 1]);
        const struct yjs__item *it;

        if (g->rest_end == g->rest)
            continue;
        /* Yjs looks the first clock up, and passes an empty skip. */
        it = yjs__item(doc, yjs__txn_ref(doc, g->rest));
        while (g->rest_end - g->rest > 1 && yjs__item_len(it) == 0)
            it = yjs__item(doc, yjs__txn_ref(doc, ++g->rest));
        yjs__write_varuint(w, g->rest_end - g->rest);
        yjs__write_varuint(w, yjs__client(doc, g->client)->id);
        yjs__write_varuint(w, it->clock);
        for (j = g->rest; j < g->rest_end && w->err == YJS_OK; j++)
            yjs__write_staged(doc, w, yjs__txn_ref(doc, (uint32_t)j));
    }
    yjs__write_varuint(w, 0);
    return w->err;
}

int yjs__integrate(yjs_doc *doc)
{
    struct order o = {.doc = doc};
    size_t n = doc->txn.groups.len, i;
    uint32_t ref, only = 0;
    bool again = false;
    int rc = YJS_OK;

    if (n == 0)
        return YJS_OK;
    o.targets = &only;
    if (n > 1)
        o.targets = yjs__arena_alloc(&doc->txn.arena, n * sizeof(*o.targets));
    if (o.targets == NULL)
        return doc->mem.err;
    for (i = 0; i < n; i++)
        o.targets[i] = (uint32_t)i;
    if (n > 1)
        yjs__sort(o.targets, n, sizeof(*o.targets), compare_groups, doc);
    o.left = n;
    while (rc == YJS_OK && (again || next_struct(&o, &ref)))
        rc = try_struct(doc, &ref, &again);
    return rc == YJS_OK ? write_rest(&o) : rc;
}
