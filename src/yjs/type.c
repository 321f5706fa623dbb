/* SPDX-License-Identifier: MIT */
/*
 * type.c: what a type is, and what stands at a place in it.
 */
#include "yjs/type.h"

#include "yjs/handle.h"
#include "yjs/list.h"
#include "yjs/marker.h"
#include "yjs/value.h"

int yjs__type_of_kinds(const yjs_doc *doc, struct yjs_type handle,
                       unsigned int kinds, struct yjs__type **out)
{
    struct yjs__type *type;
    int rc = yjs__handle_type(doc, handle, &type);

    if (rc == YJS_OK && (1u << type->ref & kinds) == 0)
        rc = YJS_ERR_TYPE;
    if (rc == YJS_OK)
        *out = type;
    return rc;
}

int yjs_type_kind(const yjs_doc *doc, struct yjs_type handle,
                  enum yjs_type_kind *out)
{
    struct yjs__type *type;
    int rc = yjs__type_of_kinds(doc, handle, YJS__TYPES_ALL, &type);

    if (rc == YJS_OK)
        *out = (enum yjs_type_kind)type->ref;
    return rc;
}

int yjs_type_name(const yjs_doc *doc, struct yjs_type handle,
                  struct yjs_span *out)
{
    struct yjs__type *type;
    int rc = yjs__handle_type(doc, handle, &type);

    if (rc == YJS_OK && type->item != 0 &&
        type->ref != YJS__TYPE_XML_ELEMENT && type->ref != YJS__TYPE_XML_HOOK)
        rc = YJS_ERR_TYPE;
    if (rc == YJS_OK)
        *out = (struct yjs_span){type->name, type->name_len};
    return rc;
}

int yjs_type_parent(const yjs_doc *doc, struct yjs_type handle,
                    struct yjs_type *out, struct yjs_span *out_key)
{
    const struct yjs__list *list;
    struct yjs__type *type;
    int rc = yjs__handle_type(doc, handle, &type);

    if (rc == YJS_OK && type->item == 0)
        rc = YJS_ERR_RANGE;
    if (rc != YJS_OK)
        return rc;
    list = yjs__list(doc, yjs__item(doc, type->item)->list);
    *out = yjs__handle_of(doc, list->type);
    if (list->key != NULL)
        *out_key = (struct yjs_span){list->key->data, list->key->len};
    else
        *out_key = (struct yjs_span){NULL, 0};
    return YJS_OK;
}

int yjs_type_length(const yjs_doc *doc, struct yjs_type handle, uint64_t *out)
{
    struct yjs__type *type;
    int rc = yjs__handle_type(doc, handle, &type);

    if (rc == YJS_OK)
        *out = type->length;
    return rc;
}

/* ---------------------------------------------------------------- sequences */

int yjs_array_get(yjs_doc *doc, struct yjs_type handle, uint64_t index,
                  struct yjs_value *out)
{
    struct yjs__type *type;
    uint64_t start;
    uint32_t h;
    int rc = yjs__type_of_kinds(doc, handle, YJS__TYPES_ARRAY, &type);

    if (rc != YJS_OK)
        return rc;
    if (index >= type->length)
        return YJS_ERR_RANGE;
    h = yjs__marks_find(doc, type->seq, index, &start);
    return yjs__value_get(doc, h, index - start, out);
}

/* ------------------------------------------------------------------ entries */

/* The item that an entry's list has for value, NULL if there is none. */
static const struct yjs__item *entry_item(const yjs_doc *doc, uint32_t list)
{
    const struct yjs__item *it;
    uint32_t last = list != 0 ? yjs__list(doc, list)->last : 0;

    it = last != 0 ? yjs__item(doc, last) : NULL;
    return it != NULL && !yjs__item_deleted(it) ? it : NULL;
}

int yjs__type_entry(const yjs_doc *doc, uint32_t list, struct yjs_value *out)
{
    const struct yjs__item *it = entry_item(doc, list);

    if (it == NULL || !yjs__item_countable(it)) {
        *out = (struct yjs_value){.kind = YJS_VALUE_UNDEFINED};
        return YJS_OK;
    }
    return yjs__value_at(doc, it, it->len - 1, out);
}

uint32_t yjs__type_next_entry(const yjs_doc *doc, uint32_t list)
{
    while (list != 0 && entry_item(doc, list) == NULL)
        list = yjs__list(doc, list)->next;
    return list;
}

int yjs_map_get(const yjs_doc *doc, struct yjs_type handle,
                struct yjs_span key, struct yjs_value *out)
{
    struct yjs__slice s = {key.data, key.len};
    struct yjs__type *type;
    int rc = yjs__type_of_kinds(doc, handle, YJS__TYPES_MAP, &type);

    if (s.len == 0)
        s.ptr = (const uint8_t *)"";
    return rc != YJS_OK
               ? rc
               : yjs__type_entry(doc, yjs__entry_find(doc, type, s), out);
}

int yjs_map_size(const yjs_doc *doc, struct yjs_type handle, uint64_t *out)
{
    struct yjs__type *type;
    uint64_t n = 0;
    uint32_t list;
    int rc = yjs__type_of_kinds(doc, handle, YJS__TYPES_MAP, &type);

    if (rc != YJS_OK)
        return rc;
    for (list = yjs__type_next_entry(doc, type->entries); list != 0;
         list = yjs__type_next_entry(doc, yjs__list(doc, list)->next))
        n++;
    *out = n;
    return YJS_OK;
}
