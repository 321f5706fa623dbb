/* SPDX-License-Identifier: MIT */
/*
 * list.c: types, and the lists that their items stand in.
 *
 * One index for all lists that have a name: entries by (type, key), roots by
 * (no type, name). A root's entry in the index is its sequence, which every
 * root has from the start.
 *
 * Must never: touch items.
 */
#include "yjs/list.h"

#include "yjs/marker.h"

static size_t type_size(uint32_t name_len)
{
    return sizeof(struct yjs__type) + name_len;
}

static struct yjs__type *new_type(yjs_doc *doc, uint8_t ref,
                                  struct yjs__slice name)
{
    struct yjs__type *type;

    if (name.len > UINT32_MAX / 2) {
        doc->mem.err = yjs__mem_over(&doc->mem, YJS_LIMIT_DOC_BYTES);
        return NULL;
    }
    type = yjs__mem_alloc(&doc->mem, type_size((uint32_t)name.len));
    if (type == NULL)
        return NULL;
    *type = (struct yjs__type){.ref = ref, .name_len = (uint32_t)name.len};
    if (name.len > 0)
        memcpy(type->name, name.ptr, name.len);
    return type;
}

static void free_type(yjs_doc *doc, struct yjs__type *type)
{
    yjs__mem_free(&doc->mem, type, type_size(type->name_len));
}

static uint32_t new_list(yjs_doc *doc, struct yjs__type *type)
{
    uint32_t h = yjs__pool_alloc(&doc->mem, &doc->lists);

    if (h != 0)
        *yjs__list(doc, h) = (struct yjs__list){.type = type};
    return h;
}

/* ------------------------------------------------------------------- roots */

static uint32_t root_hash(const yjs_doc *doc, struct yjs__slice name)
{
    return yjs__hash_bytes(doc->seed, NULL, name.ptr, name.len);
}

uint32_t yjs__root_find(const yjs_doc *doc, struct yjs__slice name)
{
    uint32_t hash = root_hash(doc, name);
    uint32_t at = yjs__index_first(&doc->list_index, hash);
    uint32_t h;

    while ((h = yjs__index_probe(&doc->list_index, &at, hash)) != 0) {
        const struct yjs__list *list = yjs__list(doc, h);

        if (list->key == NULL && list->type->name_len == name.len &&
            memcmp(list->type->name, name.ptr, name.len) == 0)
            return h;
        at = yjs__index_next(&doc->list_index, at);
    }
    return 0;
}

uint32_t yjs__root_new(yjs_doc *doc, struct yjs__slice name)
{
    struct yjs__type *type;
    uint32_t h;

    if (yjs__index_reserve(&doc->mem, &doc->list_index) != YJS_OK)
        return 0;
    type = new_type(doc, YJS__TYPE_ROOT, name);
    if (type == NULL)
        return 0;
    h = new_list(doc, type);
    if (h == 0) {
        free_type(doc, type);
        return 0;
    }
    type->seq = h;
    type->next = doc->roots;
    doc->roots = type;
    yjs__list(doc, h)->hash = root_hash(doc, name);
    yjs__index_insert(&doc->list_index, yjs__list(doc, h)->hash, h);
    return h;
}

void yjs__root_drop(yjs_doc *doc)
{
    struct yjs__type *type = doc->roots;

    doc->roots = type->next;
    yjs__index_remove(&doc->list_index, yjs__list(doc, type->seq)->hash,
                      type->seq);
    yjs__pool_free(&doc->lists, type->seq);
    free_type(doc, type);
}

/* ----------------------------------------------------------------- entries */

static uint32_t entry_hash(const yjs_doc *doc, const struct yjs__type *type,
                           struct yjs__slice key)
{
    return yjs__hash_bytes(doc->seed, type, key.ptr, key.len);
}

uint32_t yjs__entry_find(const yjs_doc *doc, const struct yjs__type *type,
                         struct yjs__slice key)
{
    uint32_t hash = entry_hash(doc, type, key);
    uint32_t at = yjs__index_first(&doc->list_index, hash);
    uint32_t h;

    while ((h = yjs__index_probe(&doc->list_index, &at, hash)) != 0) {
        const struct yjs__list *list = yjs__list(doc, h);

        if (list->type == type && list->key != NULL &&
            list->key->len == key.len &&
            memcmp(list->key->data, key.ptr, key.len) == 0)
            return h;
        at = yjs__index_next(&doc->list_index, at);
    }
    return 0;
}

static void put_last(yjs_doc *doc, struct yjs__type *type, uint32_t h)
{
    struct yjs__list *list = yjs__list(doc, h);

    list->prev = type->last_entry;
    list->next = 0;
    if (list->prev != 0)
        yjs__list(doc, list->prev)->next = h;
    else
        type->entries = h;
    type->last_entry = h;
}

static void take_out(yjs_doc *doc, struct yjs__type *type, uint32_t h)
{
    const struct yjs__list *list = yjs__list(doc, h);

    if (list->prev != 0)
        yjs__list(doc, list->prev)->next = list->next;
    else
        type->entries = list->next;
    if (list->next != 0)
        yjs__list(doc, list->next)->prev = list->prev;
    else
        type->last_entry = list->prev;
}

void yjs__entry_arrived(yjs_doc *doc, uint32_t h)
{
    struct yjs__type *type = yjs__list(doc, h)->type;

    if (type->last_entry == h)
        return;
    take_out(doc, type, h);
    put_last(doc, type, h);
}

uint32_t yjs__entry_new(yjs_doc *doc, struct yjs__type *type,
                        struct yjs__slice key)
{
    struct yjs__key *name;
    struct yjs__list *list;
    size_t size = sizeof(*name) + key.len;
    uint32_t h;

    if (key.len > UINT32_MAX / 2) {
        doc->mem.err = yjs__mem_over(&doc->mem, YJS_LIMIT_DOC_BYTES);
        return 0;
    }
    if (yjs__index_reserve(&doc->mem, &doc->list_index) != YJS_OK)
        return 0;
    name = yjs__mem_alloc(&doc->mem, size);
    if (name == NULL)
        return 0;
    h = new_list(doc, type);
    if (h == 0) {
        yjs__mem_free(&doc->mem, name, size);
        return 0;
    }
    name->len = (uint32_t)key.len;
    memcpy(name->data, key.ptr, key.len);
    list = yjs__list(doc, h);
    list->key = name;
    list->hash = entry_hash(doc, type, key);
    put_last(doc, type, h);
    yjs__index_insert(&doc->list_index, list->hash, h);
    return h;
}

uint32_t yjs__seq_new(yjs_doc *doc, struct yjs__type *type)
{
    return type->seq = new_list(doc, type);
}

static void free_entry(yjs_doc *doc, uint32_t h)
{
    struct yjs__list *list = yjs__list(doc, h);

    yjs__index_remove(&doc->list_index, list->hash, h);
    yjs__mem_free(&doc->mem, list->key, sizeof(*list->key) + list->key->len);
    yjs__pool_free(&doc->lists, h);
}

void yjs__list_drop(yjs_doc *doc, uint32_t h)
{
    struct yjs__type *type = yjs__list(doc, h)->type;

    if (yjs__list(doc, h)->key == NULL) {
        type->seq = 0;
        yjs__pool_free(&doc->lists, h);
        return;
    }
    take_out(doc, type, h);
    free_entry(doc, h);
}

/* ------------------------------------------------------------ nested types */

int yjs__type_own(yjs_doc *doc, uint32_t h)
{
    struct yjs__item *it = yjs__item(doc, h);
    struct yjs__slice name = {NULL, 0};
    struct yjs__reader r;
    uint8_t ref;

    yjs__reader_init(&r, it->u.borrowed, it->left);
    ref = (uint8_t)yjs__read_varuint(&r);
    if (ref == YJS__TYPE_XML_ELEMENT || ref == YJS__TYPE_XML_HOOK)
        name = yjs__read_var_bytes(&r);
    it->u.type = new_type(doc, ref, name);
    if (it->u.type == NULL) {
        it->where = YJS__W_NONE;
        return doc->mem.err;
    }
    it->u.type->item = h;
    it->where = YJS__W_TYPE;
    return YJS_OK;
}

void yjs__type_free(yjs_doc *doc, struct yjs__type *type)
{
    uint32_t h, next;

    if (type->marked)
        yjs__marks_drop(doc, type);
    for (h = type->entries; h != 0; h = next) {
        next = yjs__list(doc, h)->next;
        free_entry(doc, h);
    }
    if (type->seq != 0)
        yjs__pool_free(&doc->lists, type->seq);
    free_type(doc, type);
}
