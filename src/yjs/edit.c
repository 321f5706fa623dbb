/* SPDX-License-Identifier: MIT */
/*
 * edit.c: transactions of our own, and one inserted item.
 */
#include "yjs/edit.h"

#include "yjs/content.h"
#include "yjs/event.h"
#include "yjs/handle.h"
#include "yjs/marker.h"

/* ------------------------------------------------------------ transactions */

static int new_edit(yjs_doc *doc)
{
    yjs_txn *txn = yjs__mem_alloc(&doc->mem, sizeof(*txn));

    if (txn == NULL)
        return doc->mem.err;
    *txn = (yjs_txn){.doc = doc};
    yjs__writer_init(&txn->bytes, &doc->mem, 0);
    yjs__writer_init(&txn->delta, &doc->mem, 0);
    yjs__attrs_init(&txn->current, doc);
    yjs__attrs_init(&txn->given, doc);
    yjs__attrs_init(&txn->negated, doc);
    yjs__attrs_init(&txn->seen, doc);
    doc->edit = txn;
    return YJS_OK;
}

#define BYTES_KEPT 512u

static void trim_writer(yjs_txn *txn, struct yjs__writer *w, size_t keep)
{
    if (w->cap <= keep && w->err == YJS_OK)
        return;
    yjs__writer_deinit(w);
    yjs__writer_init(w, &txn->doc->mem, 0);
}

/* Scratch of the edits; what is small stays for the next ones. */
static void trim(yjs_txn *txn, size_t keep)
{
    yjs__attrs_trim(&txn->current, keep);
    yjs__attrs_trim(&txn->given, keep);
    yjs__attrs_trim(&txn->negated, keep);
    yjs__attrs_trim(&txn->seen, keep);
    trim_writer(txn, &txn->bytes, keep);
    trim_writer(txn, &txn->delta, keep);
}

void yjs__edit_deinit(yjs_doc *doc)
{
    if (doc->edit == NULL)
        return;
    trim(doc->edit, 0);
    yjs__mem_free(&doc->mem, doc->edit, sizeof(*doc->edit));
    doc->edit = NULL;
}

int yjs_txn_begin(yjs_doc *doc, void *origin, yjs_txn **out)
{
    int rc;

    if (yjs__edit_is_open(doc))
        return YJS_ERR_STATE;
    rc = doc->edit == NULL ? new_edit(doc) : YJS_OK;
    if (rc != YJS_OK)
        return rc;
    doc->edit->origin = origin;
    doc->edit->err = YJS_OK;
    doc->edit->open = true;
    doc->txn.local = true;
    *out = doc->edit;
    return YJS_OK;
}

static int fail(yjs_txn *txn, int rc)
{
    txn->err = rc;
    yjs__txn_rollback(txn->doc);
    trim(txn, BYTES_KEPT);
    return rc;
}

int yjs_txn_commit(yjs_txn *txn)
{
    yjs_doc *doc = txn->doc;
    struct yjs__event event;
    int rc = txn->err;

    if (!txn->open)
        return YJS_ERR_STATE;
    if (rc == YJS_OK) {
        rc = yjs__cleanup_prepare(doc);
        if (rc != YJS_OK)
            rc = fail(txn, rc);
    }
    txn->open = false;
    if (rc != YJS_OK)
        return rc;
    yjs__event_commit(doc, &event);
    if (doc->txn.touched.len > 0)
        doc->pending.grown = true;
    yjs__txn_reset(doc);
    trim(txn, BYTES_KEPT);
    yjs__compact(doc);
    yjs__event_emit(doc, &event, txn->origin, true);
    return YJS_OK;
}

void yjs_txn_abort(yjs_txn *txn)
{
    if (txn == NULL || !txn->open)
        return;
    if (txn->err == YJS_OK)
        (void)fail(txn, YJS_ERR_STATE);
    txn->open = false;
}

int yjs__edit_end(yjs_txn *txn, int rc)
{
    /* A broken one was taken back when it broke. */
    if ((rc == YJS_ERR_NOMEM || rc == YJS_ERR_LIMIT) && txn->err == YJS_OK)
        return fail(txn, rc);
    return rc;
}

int yjs__edit_type(yjs_txn *txn, struct yjs_type handle, unsigned int kinds,
                   struct yjs__type **out)
{
    struct yjs__type *type;
    int rc;

    if (!txn->open)
        return YJS_ERR_STATE;
    if (txn->err != YJS_OK)
        return txn->err;
    rc = yjs__handle_type(txn->doc, handle, &type);
    if (rc != YJS_OK)
        return rc;
    if ((kinds >> type->ref & 1) == 0)
        return YJS_ERR_TYPE;
    *out = type;
    return YJS_OK;
}

/* ------------------------------------------------------------------- places */

int yjs__edit_sequence(yjs_txn *txn, struct yjs__type *type, uint32_t *list)
{
    *list = yjs__txn_list(txn->doc, type, NULL);
    return *list == 0 ? txn->doc->mem.err : YJS_OK;
}

int yjs__edit_cut(yjs_txn *txn, uint32_t h, uint64_t diff)
{
    const struct yjs__item *it = yjs__item(txn->doc, h);
    struct yjs__client *c = yjs__client(txn->doc, it->client);

    return yjs__txn_split(txn->doc, c, yjs__store_find(c, it->clock), diff);
}

int yjs__edit_place(yjs_txn *txn, uint32_t list, uint64_t index,
                    uint32_t *left, uint32_t *right)
{
    yjs_doc *doc = txn->doc;
    uint64_t start;
    int rc = YJS_OK;

    if (index == 0) {
        *left = 0;
        *right = yjs__list(doc, list)->first;
        return YJS_OK;
    }
    *left = yjs__marks_find(doc, list, index - 1, &start);
    if (index - start < yjs__item(doc, *left)->len)
        rc = yjs__edit_cut(txn, *left, index - start);
    *right = yjs__item(doc, *left)->right;
    return rc;
}

/* ---------------------------------------------------------------- inserting */

/* Our index in the store; YJS__NONE on failure. */
static uint32_t own_client(yjs_doc *doc)
{
    if (doc->client_id == 0)
        doc->client_id = yjs__store_new_id(doc, 1);
    return yjs__txn_client(doc, doc->client_id);
}

static int stage(yjs_doc *doc, uint32_t client,
                 const struct yjs__fresh *content, uint32_t *ref)
{
    uint32_t *slot = yjs__vec_add(&doc->mem, &doc->txn.refs, sizeof(*slot));
    struct yjs__item *it;
    uint32_t h;

    if (slot == NULL)
        return doc->mem.err;
    *slot = h = yjs__pool_alloc(&doc->mem, &doc->items);
    if (h == 0) {
        doc->txn.refs.len--;
        return doc->mem.err;
    }
    *ref = (uint32_t)doc->txn.refs.len - 1;
    it = yjs__item(doc, h);
    *it = (struct yjs__item){.clock = yjs__client(doc, client)->state,
                             .client = client,
                             .origin_client = YJS__NONE,
                             .right_client = YJS__NONE,
                             .kind = (uint8_t)content->kind,
                             .where = YJS__W_BORROWED,
                             .len = content->len,
                             .left = (uint32_t)content->bytes.len};
    it->u.borrowed = content->bytes.ptr;
    return yjs__content_own(doc, h, 0);
}

static void set_origins(const yjs_doc *doc, struct yjs__item *it,
                        uint32_t left, uint32_t right)
{
    const struct yjs__item *other;

    if (left != 0) {
        other = yjs__item(doc, left);
        it->origin_client = other->client;
        it->origin_clock = yjs__item_end(other) - 1;
    }
    if (right != 0) {
        other = yjs__item(doc, right);
        it->right_client = other->client;
        it->right_clock = other->clock;
    }
}

int yjs__edit_insert(yjs_txn *txn, uint32_t list, uint32_t left,
                     uint32_t right, const struct yjs__fresh *content,
                     uint32_t *out)
{
    yjs_doc *doc = txn->doc;
    uint32_t client = own_client(doc), ref = 0;
    int rc;

    if (client == YJS__NONE)
        return doc->mem.err;
    if (content->bytes.len > UINT32_MAX / 4 ||
        content->len > YJS__MAX_INT - yjs__client(doc, client)->state)
        return yjs__mem_over(&doc->mem, YJS_LIMIT_DOC_BYTES);
    rc = stage(doc, client, content, &ref);
    if (rc != YJS_OK)
        return rc;
    *out = yjs__txn_ref(doc, ref);
    set_origins(doc, yjs__item(doc, *out), left, right);
    rc = yjs__txn_link(doc, ref, list, left);
    if (rc == YJS_OK && yjs__list(doc, list)->key != NULL && left != 0)
        rc = yjs__txn_delete(doc, left);
    return rc;
}
