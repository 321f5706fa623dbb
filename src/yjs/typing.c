/* SPDX-License-Identifier: MIT */
/*
 * typing.c: the updates that most of a document is made of, done in place.
 *
 * Text behind the last that its author wrote is merged with it at once, and a
 * character deleted beside deleted ones is merged with those. As transactions
 * both make items that do not live to their end; of a log of one-edit updates
 * nine in ten are of these kinds.
 *
 *      append      |  L   |              L holds the last clock of its client,
 *                  |  L    +|            the text names it, and what follows
 *                                        it, as its origins
 *
 *      backspace   |  L   |..N..|        N is deleted and continues L
 *                  |  L  |...N..|
 *
 *      delete      |..P..|   R  |        P is deleted and R continues it
 *                  |..P...|  R  |
 *
 * The end is the same to the byte, and so is what is told. Whatever is not
 * exactly this, or fails, is left as it was, for the transaction to do.
 *
 * Must never: report an error, or change anything before all is known.
 */
#include "yjs/txn.h"

#include "yjs/content.h"
#include "yjs/marker.h"
#include "yjs/update_read.h"
#include "yjs/utf.h"

/* Text that is part of a sequence, not the value of a key. */
static bool is_visible_text(const yjs_doc *doc, const struct yjs__item *it)
{
    return it->kind == YJS__STRING && !yjs__item_deleted(it) &&
           yjs__list(doc, it->list)->key == NULL;
}

static void changed(yjs_doc *doc, struct yjs__type *type)
{
    if (type->marked)
        yjs__marks_drop(doc, type);
}

/* Who listens will be told from what the transaction notes: room for it. */
static bool can_tell(yjs_doc *doc, struct yjs__vec *notes, size_t elem)
{
    return doc->on_update == NULL ||
           yjs__vec_reserve(&doc->mem, notes, 1, elem) == YJS_OK;
}

/* ---------------------------------------------------------------- appending */

/* Does the update say that its text, written behind `l`, stands before what
 * follows `l`, and did `l` come there with the same right origin? */
static bool is_before_next(const yjs_doc *doc, const struct yjs__item *l,
                           const struct yjs__wire_id *right)
{
    const struct yjs__item *next;

    if (right == NULL)
        return l->right == 0 && l->right_client == YJS__NONE;
    if (l->right == 0 || l->right_client == YJS__NONE ||
        l->right_clock != right->clock ||
        yjs__client(doc, l->right_client)->id != right->client)
        return false;
    next = yjs__item(doc, l->right);
    return next->client == l->right_client && next->clock == right->clock;
}

/* Neighbours that would be one, but for their size (yjs__merge_fits): here they
 * might come to fit, which is the transaction's to find out. */
static bool is_alone(const yjs_doc *doc, const struct yjs__client *c)
{
    struct yjs__spot s = yjs__store_last(c), before = s;

    return !yjs__spot_prev(c, &before) ||
           !yjs__joins(doc, yjs__spot_item(c, before), yjs__spot_item(c, s));
}

static bool append(yjs_doc *doc, struct yjs__client *c,
                   const struct yjs__wire_id *right, struct yjs__slice text)
{
    struct yjs__item *l = yjs__item(doc, yjs__spot_item(c, yjs__store_last(c)));
    struct yjs__item piece = {.kind = YJS__STRING,
                              .where = YJS__W_BORROWED,
                              .u.borrowed = text.ptr,
                              .left = (uint32_t)text.len};
    uint64_t bytes = yjs__content(l).len + text.len;
    size_t units;

    if (!is_visible_text(doc, l) || !is_before_next(doc, l, right) ||
        !is_alone(doc, c) || !yjs__utf8_check(text.ptr, text.len, &units) ||
        !yjs__merge_fits(bytes, yjs__item_len(l) + units) ||
        units > YJS__MAX_INT - c->state)
        return false;
    if (yjs__content_reserve(doc, l, (uint32_t)bytes) != YJS_OK)
        return false;
    piece.len = (uint32_t)units;
    yjs__content_append(doc, l, &piece);
    c->state += units;
    yjs__list(doc, l->list)->type->length += units;
    changed(doc, yjs__list(doc, l->list)->type);
    return true;
}

/* The client has grown: who listens is told of it by the commit. */
static void note_append(yjs_doc *doc, struct yjs__client *c, uint32_t client)
{
    struct yjs__vec *touched = &doc->txn.touched;

    if (doc->on_update == NULL) {
        c->before = c->state;
        return;
    }
    ((uint32_t *)touched->data)[touched->len++] = client;
    c->touched = true;
}

/* One client, one struct: text with a left origin, and nothing deleted. */
static bool try_append(yjs_doc *doc, struct yjs__reader *r)
{
    uint64_t structs = yjs__read_varuint(r);
    struct yjs__wire_id id = yjs__read_wire_id(r), origin, right = {0, 0};
    uint8_t info = yjs__read_u8(r);
    bool has_right = (info & YJS__INFO_RIGHT) != 0;
    struct yjs__slice text;
    struct yjs__client *c;
    uint32_t client;

    if (structs != 1 || (info & (YJS__INFO_KIND | YJS__INFO_ORIGIN)) !=
                            (YJS__STRING | YJS__INFO_ORIGIN))
        return false;
    origin = yjs__read_wire_id(r);
    if (origin.client != id.client || origin.clock + 1 != id.clock)
        return false;
    if (has_right)
        right = yjs__read_wire_id(r);
    text = yjs__read_var_bytes(r);
    if (yjs__read_varuint(r) != 0 || r->err != YJS_OK || text.len == 0)
        return false;
    client = yjs__store_find_client(doc, id.client);
    if (client == YJS__NONE || id.client == doc->client_id)
        return false;
    c = yjs__client(doc, client);
    if (c->state != id.clock ||
        !can_tell(doc, &doc->txn.touched, sizeof(uint32_t)) ||
        !append(doc, c, has_right ? &right : NULL, text))
        return false;
    note_append(doc, c, client);
    return true;
}

/* ----------------------------------------------------------------- deleting */

/* Cut what is deleted off the text: its end, or its beginning. False where a
 * surrogate pair would be torn. */
static bool cut(yjs_doc *doc, struct yjs__item *it, uint64_t clock, bool end)
{
    struct yjs__slice s = yjs__content(it);
    size_t units = (size_t)(clock - it->clock);
    struct yjs__utf8_cut at = yjs__utf8_find(s.ptr, s.len, it->len, units);

    if (at.inside)
        return false;
    if (end)
        yjs__content_keep(doc, it, 0, at.byte);
    else
        yjs__content_keep(doc, it, at.byte, s.len);
    it->len = (uint32_t)(end ? units : it->len - units);
    return true;
}

/* The struct at `s`, not the first of its chunk, begins at `clock` now, and
 * the one before it ends there. */
static void begin_at(yjs_doc *doc, struct yjs__client *c, struct yjs__spot s,
                     uint64_t clock)
{
    struct yjs__chunk *k = &c->chunks[s.chunk];
    struct yjs__item *it = yjs__item(doc, k->slots[s.at].item);

    k->slots[s.at].offset = (uint32_t)(clock - k->clock);
    it->clock = clock;
    it->origin_clock = clock - 1;
}

static void grow(struct yjs__item *deleted, uint64_t by)
{
    yjs__item_set_len(deleted, yjs__item_len(deleted) + by);
}

/* The text at `s` loses what is behind `clock`. */
static bool backspace(yjs_doc *doc, struct yjs__client *c, struct yjs__spot s,
                      uint64_t clock)
{
    uint32_t left = yjs__spot_item(c, s), right;
    struct yjs__item *l = yjs__item(doc, left), *n;
    uint64_t end = yjs__item_end(l);

    if (!yjs__spot_next(c, &s) || s.at == 0)
        return false;
    right = yjs__spot_item(c, s);
    n = yjs__item(doc, right);
    if (n->kind != YJS__DELETED || !yjs__item_continues(l, n, right) ||
        !cut(doc, l, clock, true))
        return false;
    begin_at(doc, c, s, clock);
    grow(n, end - clock);
    return true;
}

/* The text at `s` loses what is before `end`. */
static bool delete_ahead(yjs_doc *doc, struct yjs__client *c,
                         struct yjs__spot s, uint64_t end)
{
    struct yjs__spot before = s, behind = s;
    uint32_t right = yjs__spot_item(c, s);
    struct yjs__item *r = yjs__item(doc, right), *p;
    uint64_t clock = r->clock;

    if (s.at == 0 || end - c->chunks[s.chunk].clock > UINT32_MAX)
        return false;
    (void)yjs__spot_prev(c, &before);
    p = yjs__item(doc, yjs__spot_item(c, before));
    if (p->kind != YJS__DELETED || !yjs__item_continues(p, r, right) ||
        (yjs__spot_next(c, &behind) &&
         yjs__joins(doc, right, yjs__spot_item(c, behind))) ||
        !cut(doc, r, end, false))
        return false;
    begin_at(doc, c, s, end);
    grow(p, end - clock);
    return true;
}

static bool delete_text(yjs_doc *doc, struct yjs__client *c, uint64_t clock,
                        uint64_t end)
{
    struct yjs__spot s = yjs__store_find(c, clock);
    struct yjs__item *it = yjs__item(doc, yjs__spot_item(c, s));
    struct yjs__type *type;
    bool done = false;

    if (!is_visible_text(doc, it))
        return false;
    type = yjs__list(doc, it->list)->type;
    if (type->formatted) /* formats are cleaned up around it */
        return false;
    if (it->clock < clock && end == yjs__item_end(it))
        done = backspace(doc, c, s, clock);
    else if (it->clock == clock && end < yjs__item_end(it))
        done = delete_ahead(doc, c, s, end);
    if (!done)
        return false;
    yjs__content_tidy(doc, it);
    type->length -= end - clock;
    changed(doc, type);
    return true;
}

/* No structs, and one range to delete. */
static bool try_delete(yjs_doc *doc, struct yjs__reader *r)
{
    uint64_t clients = yjs__read_varuint(r), id = yjs__read_varuint(r);
    uint64_t ranges = yjs__read_varuint(r), clock = yjs__read_varuint(r);
    uint64_t len = yjs__read_varuint(r);
    struct yjs__client *c;
    uint32_t client;

    if (r->err != YJS_OK || clients != 1 || ranges != 1 || len == 0 ||
        doc->keep_deleted)
        return false;
    client = yjs__store_find_client(doc, id);
    if (client == YJS__NONE)
        return false;
    c = yjs__client(doc, client);
    if (clock >= c->state || len > c->state - clock ||
        !can_tell(doc, &doc->txn.dels, sizeof(struct yjs__range)) ||
        !delete_text(doc, c, clock, clock + len))
        return false;
    if (doc->on_update != NULL)
        (void)!yjs__idset_add(&doc->mem, &doc->txn.dels, client, clock, len);
    return true;
}

bool yjs__typing(yjs_doc *doc, struct yjs__slice update)
{
    struct yjs__reader r;

    if (doc->pending.data != NULL || doc->pending_ds.len > 0)
        return false;
    yjs__reader_init(&r, update.ptr, update.len);
    switch (yjs__read_varuint(&r)) {
    case 0:
        return try_delete(doc, &r);
    case 1:
        return try_append(doc, &r);
    default:
        return false;
    }
}
