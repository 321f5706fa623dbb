/* SPDX-License-Identifier: MIT */
/*
 * handle.c: from the handles of the public interface to types, and back.
 */
#include "yjs/handle.h"

#include "yjs/list.h"
#include "yjs/store.h"
#include "yjs/utf.h"

int yjs__handle_type(const yjs_doc *doc, struct yjs_type handle,
                     struct yjs__type **out)
{
    const struct yjs__item *it;
    uint32_t client;

    if (handle.root != NULL) {
        /* only looked at when it is one of this document */
        if (handle.id.clock == 0 || handle.id.clock >= doc->lists.fresh ||
            yjs__list(doc, (uint32_t)handle.id.clock)->type != handle.root)
            return YJS_ERR_DELETED;
        *out = (struct yjs__type *)(uintptr_t)handle.root;
        return YJS_OK;
    }
    client = yjs__store_find_client(doc, handle.id.client);
    if (client == YJS__NONE ||
        handle.id.clock >= yjs__client(doc, client)->state)
        return YJS_ERR_DELETED;
    it = yjs__item(doc, yjs__store_item(doc, client, handle.id.clock));
    if (it->kind != YJS__TYPE || it->clock != handle.id.clock ||
        yjs__item_deleted(it))
        return YJS_ERR_DELETED;
    *out = it->u.type;
    return YJS_OK;
}

struct yjs_type yjs__handle_of(const yjs_doc *doc,
                               const struct yjs__type *type)
{
    struct yjs_type handle = {NULL, {0, 0}};
    const struct yjs__item *it;

    if (type->item == 0) {
        handle.root = type;
        handle.id.clock = type->seq;
        return handle;
    }
    it = yjs__item(doc, type->item);
    handle.id.client = yjs__client(doc, it->client)->id;
    handle.id.clock = it->clock;
    return handle;
}

int yjs__root_get(yjs_doc *doc, struct yjs__slice name, uint32_t *out)
{
    uint32_t list;
    size_t units;

    if (name.len == 0)
        name.ptr = (const uint8_t *)"";
    if (!yjs__utf8_check(name.ptr, name.len, &units))
        return YJS_ERR_MALFORMED;
    list = yjs__root_find(doc, name);
    if (list == 0)
        list = yjs__root_new(doc, name);
    if (list == 0)
        return doc->mem.err;
    *out = list;
    return YJS_OK;
}

/*
 * Not part of any transaction: a root, once asked for, stays, and so does its
 * kind. In Yjs a root that becomes of a kind is a new object, which has not
 * seen a format yet.
 */
int yjs_doc_root(yjs_doc *doc, struct yjs_span name, enum yjs_type_kind kind,
                 struct yjs_type *out)
{
    struct yjs__type *type;
    uint32_t list = 0;
    int rc;

    if ((unsigned int)kind > YJS_TYPE_XML_TEXT)
        return YJS_ERR_RANGE;
    rc = yjs__root_get(doc, (struct yjs__slice){name.data, name.len}, &list);
    if (rc != YJS_OK)
        return rc;
    type = yjs__list(doc, list)->type;
    if (type->ref == YJS__TYPE_ROOT) {
        type->ref = (uint8_t)kind;
        type->formatted = false;
    } else if (type->ref != kind) {
        return YJS_ERR_TYPE;
    }
    *out = yjs__handle_of(doc, type);
    return YJS_OK;
}
