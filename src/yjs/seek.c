/* SPDX-License-Identifier: MIT */
/*
 * seek.c: where the elements of long items lie (seek.h).
 *
 * A few items are remembered, the oldest gives way. What is remembered holds
 * while the item has the same bytes: the same block, cut at the same places.
 *
 * Must never: change the document.
 */
#include "yjs/seek.h"

#include "yjs/content.h"

enum { STEP = 32, SEATS = 4 };

struct seat {
    const struct yjs__block *block; /* NULL: free */
    uint32_t off, len;              /* the block's, when it was read */
    uint32_t units;
    uint32_t *places; /* of elements 32, 64, ..., from the content's start */
};

struct yjs__seeks {
    struct seat seats[SEATS];
    unsigned int next; /* to give way */
};

static size_t count(uint32_t units)
{
    return (units - 1) / STEP;
}

static void leave(yjs_doc *doc, struct seat *s)
{
    if (s->block != NULL)
        yjs__mem_free(&doc->mem, s->places, count(s->units) * sizeof(uint32_t));
    *s = (struct seat){0};
}

static int read_places(struct yjs__canon *canon, const struct yjs__item *it,
                       uint32_t *places)
{
    struct yjs__slice s = yjs__content(it), rest = s;
    uint32_t left = it->len;
    int rc = YJS_OK;
    bool inside;
    size_t i;

    for (i = 0; i < count(it->len) && rc == YJS_OK; i++) {
        rc = yjs__content_tail(canon, it->kind, rest, left, STEP, &rest,
                               &inside);
        left -= STEP;
        places[i] = (uint32_t)(rest.ptr - s.ptr);
    }
    return rc;
}

/* NULL when there is no memory. */
static struct seat *take_seat(yjs_doc *doc, const struct yjs__item *it)
{
    const struct yjs__block *b = it->u.block;
    struct seat *s;

    if (doc->seeks == NULL) {
        doc->seeks = yjs__mem_alloc(&doc->mem, sizeof(*doc->seeks));
        if (doc->seeks == NULL)
            return NULL;
        *doc->seeks = (struct yjs__seeks){0};
    }
    s = &doc->seeks->seats[doc->seeks->next++ % SEATS];
    leave(doc, s);
    s->places = yjs__mem_alloc(&doc->mem, count(it->len) * sizeof(uint32_t));
    if (s->places == NULL)
        return NULL;
    s->block = b;
    s->off = b->off;
    s->len = b->len;
    s->units = it->len;
    return s;
}

static const struct seat *find(yjs_doc *doc, struct yjs__canon *canon,
                               const struct yjs__item *it)
{
    const struct yjs__block *b = it->u.block;
    size_t limit = doc->mem.limit;
    int err = doc->mem.err;
    struct seat *s;
    size_t i;

    for (i = 0; doc->seeks != NULL && i < SEATS; i++) {
        s = &doc->seeks->seats[i];
        if (s->block == b && s->off == b->off && s->len == b->len &&
            s->units == it->len)
            return s;
    }
    doc->mem.limit = 0; /* an eighth of the content at most: no matter */
    s = take_seat(doc, it);
    doc->mem.limit = limit;
    doc->mem.err = err;
    if (s != NULL && read_places(canon, it, s->places) != YJS_OK) {
        leave(doc, s);
        s = NULL;
    }
    return s;
}

int yjs__seek(yjs_doc *doc, struct yjs__canon *canon, uint32_t h,
              uint32_t unit, struct yjs__slice *tail)
{
    const struct yjs__item *it = yjs__item(doc, h);
    struct yjs__slice s = yjs__content(it);
    const struct seat *seat = NULL;
    uint32_t i = unit / STEP;
    bool inside;

    if (it->where == YJS__W_BLOCK && i > 0)
        seat = find(doc, canon, it);
    if (seat != NULL) {
        s.ptr += seat->places[i - 1];
        s.len -= seat->places[i - 1];
        unit %= STEP;
    }
    return yjs__content_tail(canon, it->kind, s, it->len, unit, tail, &inside);
}

void yjs__seek_forget(yjs_doc *doc, const struct yjs__block *block)
{
    size_t i;

    for (i = 0; doc->seeks != NULL && i < SEATS; i++)
        if (doc->seeks->seats[i].block == block)
            leave(doc, &doc->seeks->seats[i]);
}

void yjs__seek_deinit(yjs_doc *doc)
{
    size_t i;

    if (doc->seeks == NULL)
        return;
    for (i = 0; i < SEATS; i++)
        leave(doc, &doc->seeks->seats[i]);
    yjs__mem_free(&doc->mem, doc->seeks, sizeof(*doc->seeks));
    doc->seeks = NULL;
}
