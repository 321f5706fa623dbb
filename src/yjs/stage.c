/* SPDX-License-Identifier: MIT */
/*
 * stage.c: decoding an update into staged items.
 *
 * Items come out of the document's own pool, so integrating one is linking
 * it. Contents and keys stay in the update until then: a struct that turns
 * out to be known already costs nothing but its slot.
 *
 * Refused here, since Yjs would throw on it half-way or lose it in silence: an
 * id that points at its own struct or a later one of the same client, and a
 * second block of the same client.
 *
 * Must never: touch a list.
 */
#include "yjs/txn.h"

#include "yjs/update_read.h"

struct stage {
    yjs_doc *doc;
    struct yjs__reader *r;
    struct yjs__view_ctx ctx;
    uint64_t structs; /* so far */
    /* The client looked up last: runs of one client are the rule. */
    uint64_t last_id;
    uint32_t last_client;
};

static uint32_t find_client(struct stage *s, uint64_t id)
{
    if (s->last_client == YJS__NONE || s->last_id != id) {
        s->last_client = yjs__txn_client(s->doc, id);
        s->last_id = id;
        if (s->last_client == YJS__NONE)
            yjs__read_fail(s->r, s->doc->mem.err);
    }
    return s->last_client;
}

/* An id that a struct refers to. */
static uint32_t refer(struct stage *s, const struct yjs__view *v,
                      const struct yjs__wire_id *id)
{
    if (id->client == v->client && id->clock >= v->clock)
        yjs__read_fail(s->r, YJS_ERR_MALFORMED);
    return find_client(s, id->client);
}

static void stage_root(struct stage *s, struct yjs__item *it,
                       const struct yjs__view *v)
{
    uint32_t list = yjs__txn_root(s->doc, v->name);

    if (list != 0 && (v->info & YJS__INFO_SUB))
        list = yjs__txn_list(s->doc, yjs__list(s->doc, list)->type, &v->sub);
    if (list == 0)
        yjs__read_fail(s->r, s->doc->mem.err);
    it->list = list;
}

static void stage_parent(struct stage *s, struct yjs__item *it,
                         const struct yjs__view *v)
{
    if (v->root) {
        stage_root(s, it, v);
        return;
    }
    it->flags |= YJS__F_PARENT_ID;
    it->origin_client = refer(s, v, &v->parent);
    it->origin_clock = v->parent.clock;
    if (v->info & YJS__INFO_SUB) {
        it->flags |= YJS__F_PARENT_SUB;
        it->list = (uint32_t)(v->sub.ptr - s->r->begin);
        it->right = (uint32_t)v->sub.len;
    }
}

static void stage_content(struct yjs__item *it, const struct yjs__view *v)
{
    enum yjs__kind kind = yjs__view_kind(v);

    it->kind = (uint8_t)kind;
    yjs__item_set_len(it, v->len);
    if (kind == YJS__GC || kind == YJS__SKIP || kind == YJS__DELETED)
        return;
    it->where = YJS__W_BORROWED;
    it->u.borrowed = v->content.ptr;
    it->left = (uint32_t)v->content.len;
}

static void stage_struct(struct stage *s, uint32_t client,
                         const struct yjs__view *v)
{
    yjs_doc *doc = s->doc;
    uint32_t *ref = yjs__vec_add(&doc->mem, &doc->txn.refs, sizeof(*ref));
    struct yjs__item *it;

    if (ref == NULL) {
        yjs__read_fail(s->r, doc->mem.err);
        return;
    }
    *ref = yjs__pool_alloc(&doc->mem, &doc->items);
    if (*ref == 0) {
        doc->txn.refs.len--;
        yjs__read_fail(s->r, doc->mem.err);
        return;
    }
    it = yjs__item(doc, *ref);
    *it = (struct yjs__item){.clock = v->clock,
                             .client = client,
                             .origin_client = YJS__NONE,
                             .right_client = YJS__NONE};
    stage_content(it, v);
    if (v->info & YJS__INFO_ORIGIN) {
        it->origin_client = refer(s, v, &v->origin);
        it->origin_clock = v->origin.clock;
    }
    if (v->info & YJS__INFO_RIGHT) {
        it->right_client = refer(s, v, &v->right);
        it->right_clock = v->right.clock;
    }
    if (yjs__view_has_parent(v))
        stage_parent(s, it, v);
}

/*
 * Ask at once for what n structs need, as far as the bytes that are left can
 * hold so many. Not to get it is no failure yet.
 */
static void make_room(struct stage *s, uint64_t n)
{
    struct yjs__vec *refs = &s->doc->txn.refs;

    if (n > yjs__read_left(s->r) / 2)
        n = yjs__read_left(s->r) / 2;
    (void)!yjs__vec_reserve(&s->doc->mem, refs, (size_t)n,
                            sizeof(uint32_t));
}

static void stage_block(struct stage *s)
{
    yjs_doc *doc = s->doc;
    uint64_t n = yjs__read_varuint(s->r);
    struct yjs__view v = {.client = yjs__read_varuint(s->r)};
    struct yjs__group *g;
    uint32_t client;

    v.clock = yjs__read_varuint(s->r);
    if (s->r->err != YJS_OK)
        return;
    client = find_client(s, v.client);
    g = yjs__vec_add(&doc->mem, &doc->txn.groups, sizeof(*g));
    if (client == YJS__NONE || g == NULL) {
        doc->txn.groups.len -= g != NULL;
        yjs__read_fail(s->r, doc->mem.err);
        return;
    }
    *g = (struct yjs__group){.client = client,
                             .start = (uint32_t)doc->txn.refs.len};
    make_room(s, n);
    if (yjs__client(doc, client)->group != 0)
        yjs__read_fail(s->r, YJS_ERR_MALFORMED);
    yjs__client(doc, client)->group = (uint32_t)doc->txn.groups.len;
    for (; n > 0 && s->r->err == YJS_OK; n--) {
        if (++s->structs > doc->limits.structs)
            yjs__read_fail(s->r, yjs__mem_over(&doc->mem, YJS_LIMIT_STRUCTS));
        yjs__view_read(s->r, &s->ctx, &v);
        if (s->r->err == YJS_OK)
            stage_struct(s, client, &v);
        v.clock += v.len;
    }
    g = (struct yjs__group *)doc->txn.groups.data + doc->txn.groups.len - 1;
    g->end = (uint32_t)doc->txn.refs.len;
    g->next = g->start;
    g->open = true;
}

int yjs__stage(yjs_doc *doc, struct yjs__reader *r)
{
    struct stage s = {.doc = doc, .r = r, .last_client = YJS__NONE};
    struct yjs__group *groups = doc->txn.groups.data;
    uint64_t n = yjs__read_varuint(r);
    size_t i;

    for (i = 0; i < doc->txn.groups.len; i++)
        yjs__client(doc, groups[i].client)->group = 0;
    doc->txn.groups.len = 0;
    s.ctx = (struct yjs__view_ctx){&doc->txn.canon, &doc->txn.arena};
    doc->txn.source = r->begin;
    for (; n > 0 && r->err == YJS_OK; n--)
        stage_block(&s);
    return r->err;
}
