/* SPDX-License-Identifier: MIT */
/*
 * event.c: commit, encode, tell.
 *
 * Encoding asks for memory when nothing can be taken back any more. Not to get
 * it is told to the callback, and is nobody else's trouble. The memory is not
 * the document's: its limits do not count here.
 */
#include "yjs/event.h"

#include "yjs/sort.h"
#include "yjs/txn.h"
#include "yjs/update_write.h"
#include "yjs/v2.h"

void yjs_doc_on_update(yjs_doc *doc, unsigned int formats, yjs_update_fn fn,
                       void *ctx)
{
    doc->on_update = fn;
    doc->on_update_ctx = ctx;
    doc->formats = (uint8_t)(formats & 3);
}

static int compare_ids(const void *ctx, const void *a, const void *b)
{
    uint64_t x = yjs__client(ctx, *(const uint32_t *)a)->id;
    uint64_t y = yjs__client(ctx, *(const uint32_t *)b)->id;

    return x > y ? -1 : x < y;
}

/* All structs that are new, clients from the highest id. */
static int write_structs(yjs_doc *doc, struct yjs__writer *w)
{
    const uint32_t *touched = doc->txn.touched.data;
    size_t i, n = doc->txn.touched.len;
    int rc = YJS_OK;

    if (n > 1)
        yjs__sort(doc->txn.touched.data, n, sizeof(uint32_t), compare_ids,
                  doc);
    yjs__write_varuint(w, n);
    for (i = 0; i < n && rc == YJS_OK; i++) {
        struct yjs__client *c = yjs__client(doc, touched[i]);

        rc = yjs__write_from(doc, w, c, c->before);
    }
    return rc;
}

/* The ranges, by index of the client, are not needed any more. */
static void write_deletes(yjs_doc *doc, struct yjs__writer *w,
                          struct yjs__vec *set)
{
    size_t i;

    for (i = 0; i < set->len; i++) {
        struct yjs__range *r = yjs__idset_at(set, i);

        r->client = yjs__client(doc, (uint32_t)r->client)->id;
    }
    yjs__idset_normalise(set);
    yjs__idset_order(set);
    yjs__idset_write(w, set);
}

/* The same as v2, if that is asked for. */
static void finish(yjs_doc *doc, struct yjs__event *e, struct yjs__told *told)
{
    static const struct yjs_limits none = {.update_bytes = SIZE_MAX,
                                           .structs = SIZE_MAX,
                                           .depth = SIZE_MAX};
    struct yjs__slice v1 = {told->v1.data, told->v1.len};
    size_t stopped;

    if (told->err == YJS_OK)
        told->err = told->v1.err;
    if (told->err == YJS_OK && (doc->formats & YJS_FORMAT_V2) != 0)
        told->err = yjs__v1_to_v2(&e->mem, v1, &none, true, &told->v2,
                                  &stopped);
}

static void encode(yjs_doc *doc, struct yjs__event *e)
{
    struct yjs__told *told = &e->main;

    told->any = e->any;
    if (!told->any || doc->formats == 0)
        return;
    told->err = write_structs(doc, &told->v1);
    write_deletes(doc, &told->v1, &doc->txn.dels);
    finish(doc, e, told);
}

static void encode_cleaned(yjs_doc *doc, struct yjs__event *e)
{
    struct yjs__told *told = &e->cleaned;

    told->any = doc->txn.cleaned.len > 0;
    if (!told->any || doc->formats == 0)
        return;
    yjs__write_u8(&told->v1, 0);
    write_deletes(doc, &told->v1, &doc->txn.cleaned);
    finish(doc, e, told);
}

static void init(struct yjs__event *e, struct yjs__told *told)
{
    *told = (struct yjs__told){false, YJS_OK, {0}, {0}};
    yjs__writer_init(&told->v1, &e->mem, 0);
    yjs__writer_init(&told->v2, &e->mem, 0);
}

void yjs__event_commit(yjs_doc *doc, struct yjs__event *event)
{
    event->any = doc->txn.touched.len > 0 || doc->txn.dels.len > 0;
    event->told = doc->on_update != NULL;
    if (event->told) {
        yjs__mem_init(&event->mem, &doc->mem.alloc, 0);
        init(event, &event->main);
        init(event, &event->cleaned);
    }
    yjs__cleanup_commit(doc);
    if (event->told)
        encode(doc, event);
    yjs__cleanup_finish(doc);
    if (event->told)
        encode_cleaned(doc, event);
}

static struct yjs_span span_of(const struct yjs__told *told,
                               const struct yjs__writer *w, bool wanted)
{
    if (!wanted || told->err != YJS_OK)
        return (struct yjs_span){NULL, 0};
    return (struct yjs_span){w->data, w->len};
}

static void tell(yjs_doc *doc, struct yjs__told *told, void *origin,
                 bool local)
{
    struct yjs_update_event event = {.origin = origin,
                                     .local = local,
                                     .err = told->err};

    if (told->any && doc->on_update != NULL) {
        event.v1 = span_of(told, &told->v1, doc->formats & YJS_FORMAT_V1);
        event.v2 = span_of(told, &told->v2, doc->formats & YJS_FORMAT_V2);
        doc->telling = true;
        doc->on_update(doc->on_update_ctx, &event);
        doc->telling = false;
    }
    yjs__writer_deinit(&told->v1);
    yjs__writer_deinit(&told->v2);
}

void yjs__event_emit(yjs_doc *doc, struct yjs__event *event, void *origin,
                     bool local)
{
    if (!event->told)
        return;
    tell(doc, &event->main, origin, local);
    tell(doc, &event->cleaned, NULL, true);
}
