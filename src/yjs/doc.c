/* SPDX-License-Identifier: MIT */
/*
 * doc.c: making and freeing documents, and what is asked about them.
 */
#include "yjs/doc.h"

#include "yjs/content.h"
#include "yjs/edit.h"
#include "yjs/idset.h"
#include "yjs/list.h"
#include "yjs/marker.h"
#include "yjs/seek.h"
#include "yjs/store.h"
#include "yjs/pending.h"
#include "yjs/txn.h"

const char *yjs_strerror(int err)
{
    switch (err) {
    case YJS_OK:
        return "no error";
    case YJS_ERR_NOMEM:
        return "out of memory";
    case YJS_ERR_TRUNCATED:
        return "the input ends inside a value";
    case YJS_ERR_MALFORMED:
        return "the input is malformed";
    case YJS_ERR_LIMIT:
        return "a limit was reached";
    case YJS_ERR_RANGE:
        return "an argument is outside its range";
    case YJS_ERR_UNSUPPORTED:
        return "not supported";
    case YJS_ERR_DELETED:
        return "the type was deleted";
    case YJS_ERR_TYPE:
        return "the type has no such thing";
    case YJS_ERR_STATE:
        return "not possible now";
    default:
        return "unknown error";
    }
}

void yjs_bytes_free(struct yjs_bytes *bytes)
{
    if (bytes->data != NULL)
        bytes->alloc.realloc_fn(bytes->alloc.ctx, bytes->data, 0);
    *bytes = (struct yjs_bytes){NULL, 0, {NULL, NULL}};
}

void yjs__limits_fill(struct yjs_limits *l)
{
    if (l->update_bytes == 0)
        l->update_bytes = (size_t)64 << 20;
    /* Offsets into an update are 32 bits. */
    if (l->update_bytes > UINT32_MAX / 2)
        l->update_bytes = UINT32_MAX / 2;
    if (l->structs == 0)
        l->structs = (size_t)8 << 20;
    if (l->clients == 0)
        l->clients = (size_t)1 << 20;
    if (l->clients >= YJS__NONE)
        l->clients = YJS__NONE - 1;
    if (l->depth == 0)
        l->depth = 64;
    if (l->text_bytes == 0)
        l->text_bytes = (size_t)1 << 30;
    if (l->conflicts == 0)
        l->conflicts = (size_t)16 << 20;
    if (l->pending_bytes == 0)
        l->pending_bytes = (size_t)16 << 20;
    if (l->pending_bytes > UINT32_MAX / 2)
        l->pending_bytes = UINT32_MAX / 2;
}

int yjs_doc_new(const struct yjs_doc_options *opt, yjs_doc **out)
{
    static const struct yjs_doc_options defaults;
    struct yjs__mem mem;
    yjs_doc *doc;

    if (opt == NULL)
        opt = &defaults;
    if (opt->client_id > YJS__MAX_INT)
        return YJS_ERR_RANGE;
    yjs__mem_init(&mem, &opt->alloc, opt->limits.doc_bytes);
    doc = yjs__mem_alloc(&mem, sizeof(*doc));
    if (doc == NULL)
        return mem.err;
    *doc = (yjs_doc){.mem = mem,
                     .limits = opt->limits,
                     .client_id = opt->client_id,
                     .keep_deleted = opt->keep_deleted,
                     .new_client_id = opt->new_client_id,
                     .new_client_id_ctx = opt->new_client_id_ctx};
    yjs__limits_fill(&doc->limits);
    /* Peers must not be able to tell which keys collide. Where the address
     * space is not random, neither is this. */
    doc->seed = (uint64_t)(uintptr_t)doc * 0x9e3779b97f4a7c15u;
    doc->seed ^= (uint64_t)(uintptr_t)&mem << 16;
    yjs__pool_init(&doc->items, sizeof(struct yjs__item));
    yjs__pool_init(&doc->lists, sizeof(struct yjs__list));
    yjs__canon_init(&doc->txn.canon, &doc->mem, doc->limits.depth);
    yjs__writer_init(&doc->txn.rest, &doc->mem, 0);
    doc->txn.arena.mem = &doc->mem;
    doc->txn.into = &doc->txn.dels;
    *out = doc;
    return YJS_OK;
}

static void free_items(yjs_doc *doc)
{
    uint32_t i;

    for (i = 0; i < doc->client_count; i++) {
        struct yjs__client *c = yjs__client(doc, i);
        struct yjs__spot s = {0, 0};

        if (c->len == 0)
            continue;
        do {
            struct yjs__item *it = yjs__item(doc, yjs__spot_item(c, s));

            if (it->where == YJS__W_TYPE)
                yjs__type_free(doc, it->u.type);
            else
                yjs__content_free(doc, it);
        } while (yjs__spot_next(c, &s));
    }
}

static void free_roots(yjs_doc *doc)
{
    struct yjs__type *type, *next;

    for (type = doc->roots; type != NULL; type = next) {
        next = type->next;
        yjs__index_remove(&doc->list_index, yjs__list(doc, type->seq)->hash,
                          type->seq);
        yjs__type_free(doc, type);
    }
}

void yjs_doc_free(yjs_doc *doc)
{
    struct yjs__mem mem;

    if (doc == NULL)
        return;
    if (doc->edit != NULL && doc->edit->open)
        yjs_txn_abort(doc->edit);
    yjs__edit_deinit(doc);
    yjs__marks_drop_all(doc);
    yjs__seek_deinit(doc);
    free_items(doc);
    free_roots(doc);
    yjs__txn_deinit(doc);
    yjs__vec_trim(&doc->mem, &doc->pending.waits, sizeof(uint32_t), 0);
    yjs__vec_trim(&doc->mem, &doc->pending_ds, sizeof(struct yjs__range), 0);
    yjs__pending_set(doc, NULL, 0);
    yjs__store_deinit(doc);
    yjs__index_free(&doc->mem, &doc->list_index);
    yjs__pool_deinit(&doc->mem, &doc->items);
    yjs__pool_deinit(&doc->mem, &doc->lists);
    mem = doc->mem;
    yjs__mem_free(&mem, doc, sizeof(*doc));
}

enum yjs_limit yjs_doc_limit(const yjs_doc *doc)
{
    return doc->mem.fired;
}

size_t yjs_doc_heap(const yjs_doc *doc)
{
    return doc->mem.used;
}

uint64_t yjs_doc_client_id(const yjs_doc *doc)
{
    return doc->client_id;
}

int yjs_doc_set_client_id(yjs_doc *doc, uint64_t id)
{
    if (id > YJS__MAX_INT)
        return YJS_ERR_RANGE;
    doc->client_id = id;
    return YJS_OK;
}

bool yjs_doc_is_empty(const yjs_doc *doc)
{
    uint32_t i;

    if (doc->pending.data != NULL || doc->pending_ds.len > 0)
        return false;
    for (i = 0; i < doc->client_count; i++)
        if (yjs__client(doc, i)->state > 0)
            return false;
    return true;
}
