/* SPDX-License-Identifier: MIT */
/*
 * edit_list.c: edits of arrays, XML children, maps and XML attributes.
 */
#include "yjs/edit_value.h"
#include "yjs/list.h"
#include "yjs/marker.h"

/* ------------------------------------------------------------------- arrays */

/* Children of XML are XML. */
static bool may_contain(const struct yjs__type *type,
                        const struct yjs_value *value)
{
    if (!yjs__value_in_list(value))
        return false;
    if (type->ref == YJS__TYPE_ARRAY)
        return true;
    return value->kind == YJS_VALUE_TYPE &&
           value->type_kind >= YJS_TYPE_XML_ELEMENT;
}

static int check_values(yjs_txn *txn, const struct yjs__type *type,
                        const struct yjs_value *values, size_t n)
{
    size_t i;
    int rc = YJS_OK;

    for (i = 0; i < n && rc == YJS_OK; i++)
        rc = may_contain(type, &values[i])
                 ? yjs__value_check(txn, &values[i])
                 : YJS_ERR_TYPE;
    return rc;
}

/* The values from *i on that go into one struct; *i moves behind them. */
static int take_content(yjs_txn *txn, const struct yjs_value *values, size_t n,
                        size_t *i, struct yjs__fresh *content)
{
    struct yjs__writer *w = &txn->bytes;
    int rc = YJS_OK;

    if (!yjs__value_is_any(&values[*i]))
        return yjs__value_content(txn, &values[(*i)++], content);
    w->len = 0;
    *content = (struct yjs__fresh){.kind = YJS__ANY};
    for (; *i < n && rc == YJS_OK && yjs__value_is_any(&values[*i]); ++*i) {
        if (++content->len > UINT32_MAX / 4)
            return yjs__mem_over(&txn->doc->mem, YJS_LIMIT_DOC_BYTES);
        rc = yjs__value_any(txn, &values[*i]);
    }
    content->bytes = (struct yjs__slice){w->data, w->len};
    return rc;
}

/* All of them get the same right origin, as in Yjs. */
static int insert_values(yjs_txn *txn, uint32_t list, uint32_t left,
                         uint32_t right, const struct yjs_value *values,
                         size_t n)
{
    struct yjs__fresh content;
    size_t i = 0;
    int rc = YJS_OK;

    while (i < n && rc == YJS_OK) {
        rc = take_content(txn, values, n, &i, &content);
        if (rc == YJS_OK)
            rc = yjs__edit_insert(txn, list, left, right, &content, &left);
    }
    return rc;
}

static int insert_at(yjs_txn *txn, struct yjs__type *type, uint64_t index,
                     const struct yjs_value *values, size_t n)
{
    uint32_t list, left, right;
    int rc = yjs__edit_sequence(txn, type, &list);

    if (rc == YJS_OK)
        rc = yjs__edit_place(txn, list, index, &left, &right);
    if (rc == YJS_OK)
        rc = insert_values(txn, list, left, right, values, n);
    if (rc == YJS_OK)
        yjs__marks_insert(txn->doc, list, index, n);
    return rc;
}

int yjs_array_insert(yjs_txn *txn, struct yjs_type array, uint64_t index,
                     const struct yjs_value *values, size_t n)
{
    struct yjs__type *type;
    int rc = yjs__edit_type(txn, array, YJS__ARRAYS, &type);

    if (rc == YJS_OK && index > type->length)
        rc = YJS_ERR_RANGE;
    if (rc == YJS_OK)
        rc = check_values(txn, type, values, n);
    if (rc == YJS_OK && n > 0)
        rc = insert_at(txn, type, index, values, n);
    return yjs__edit_end(txn, rc);
}

int yjs_array_push(yjs_txn *txn, struct yjs_type array,
                   const struct yjs_value *values, size_t n)
{
    struct yjs__type *type;
    uint32_t list;
    int rc = yjs__edit_type(txn, array, YJS__ARRAYS, &type);

    if (rc == YJS_OK)
        rc = check_values(txn, type, values, n);
    if (rc != YJS_OK || n == 0)
        return yjs__edit_end(txn, rc);
    if (type->ref != YJS__TYPE_ARRAY)
        return yjs__edit_end(txn,
                             insert_at(txn, type, type->length, values, n));
    rc = yjs__edit_sequence(txn, type, &list);
    if (rc == YJS_OK)
        rc = insert_values(txn, list, yjs__list(txn->doc, list)->last, 0,
                           values, n);
    return yjs__edit_end(txn, rc);
}

static int delete_items(yjs_txn *txn, uint32_t h, uint64_t len)
{
    yjs_doc *doc = txn->doc;
    int rc = YJS_OK;

    for (; len > 0 && h != 0 && rc == YJS_OK; h = yjs__item(doc, h)->right) {
        if (yjs__item_deleted(yjs__item(doc, h)))
            continue;
        if (len < yjs__item(doc, h)->len)
            rc = yjs__edit_cut(txn, h, len);
        len -= yjs__item(doc, h)->len;
        if (rc == YJS_OK)
            rc = yjs__txn_delete(doc, h);
    }
    return rc;
}

int yjs_array_delete(yjs_txn *txn, struct yjs_type array, uint64_t index,
                     uint64_t len)
{
    struct yjs__type *type;
    uint32_t left, right;
    int rc = yjs__edit_type(txn, array, YJS__ARRAYS, &type);

    if (rc == YJS_OK &&
        (index > type->length || len > type->length - index))
        rc = YJS_ERR_RANGE;
    if (rc != YJS_OK || len == 0)
        return yjs__edit_end(txn, rc);
    rc = yjs__edit_place(txn, type->seq, index, &left, &right);
    if (rc == YJS_OK)
        rc = delete_items(txn, right, len);
    if (rc == YJS_OK && type->formats && type->marked)
        yjs__marks_drop(txn->doc, type); /* not all that went was visible */
    else if (rc == YJS_OK)
        yjs__marks_delete(txn->doc, type->seq, index, len);
    return yjs__edit_end(txn, rc);
}

/* --------------------------------------------------------------------- maps */

int yjs_map_set(yjs_txn *txn, struct yjs_type map, struct yjs_span key,
                const struct yjs_value *value)
{
    struct yjs__fresh content;
    struct yjs__type *type;
    struct yjs__slice name;
    uint32_t units, list, out;
    int rc = yjs__edit_type(txn, map, YJS__MAPS, &type);

    if (rc == YJS_OK)
        rc = yjs__value_text(&txn->doc->mem, key, &name, &units);
    if (rc == YJS_OK)
        rc = yjs__value_content(txn, value, &content);
    if (rc != YJS_OK)
        return yjs__edit_end(txn, rc);
    list = yjs__txn_list(txn->doc, type, &name);
    if (list == 0)
        return yjs__edit_end(txn, txn->doc->mem.err);
    rc = yjs__edit_insert(txn, list, yjs__list(txn->doc, list)->last, 0,
                          &content, &out);
    return yjs__edit_end(txn, rc);
}

static int delete_entry(yjs_txn *txn, uint32_t list)
{
    uint32_t last = list == 0 ? 0 : yjs__list(txn->doc, list)->last;

    return last == 0 ? YJS_OK : yjs__txn_delete(txn->doc, last);
}

int yjs_map_delete(yjs_txn *txn, struct yjs_type map, struct yjs_span key)
{
    struct yjs__type *type;
    struct yjs__slice name;
    uint32_t units;
    int rc = yjs__edit_type(txn, map, YJS__MAPS, &type);

    if (rc == YJS_OK)
        rc = yjs__value_text(&txn->doc->mem, key, &name, &units);
    if (rc == YJS_OK)
        rc = delete_entry(txn, yjs__entry_find(txn->doc, type, name));
    return yjs__edit_end(txn, rc);
}

int yjs_map_clear(yjs_txn *txn, struct yjs_type map)
{
    struct yjs__type *type;
    uint32_t list;
    int rc = yjs__edit_type(txn, map, YJS__MAPS, &type);

    if (rc != YJS_OK)
        return yjs__edit_end(txn, rc);
    for (list = type->entries; list != 0 && rc == YJS_OK;
         list = yjs__list(txn->doc, list)->next)
        rc = delete_entry(txn, list);
    return yjs__edit_end(txn, rc);
}
