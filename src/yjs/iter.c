/* SPDX-License-Identifier: MIT */
/*
 * iter.c: ways through a type, value by value.
 *
 *   sequence   `at` is the item at hand, with `left` units in `rest`; `next`
 *              the item behind it
 *   entries    `next` is the list of the entry to come
 */
#include "yjs/type.h"

#include "yjs/content.h"
#include "yjs/value.h"

int yjs_iter_sequence(const yjs_doc *doc, struct yjs_type handle,
                      struct yjs_iter *out)
{
    struct yjs__type *type;
    int rc = yjs__type_of_kinds(doc, handle,
                                YJS__TYPES_ARRAY | YJS__TYPES_TEXT, &type);

    if (rc != YJS_OK)
        return rc;
    *out = (struct yjs_iter){.doc = doc, .type = type};
    out->next = type->seq ? yjs__list(doc, type->seq)->first : 0;
    return YJS_OK;
}

int yjs_iter_entries(const yjs_doc *doc, struct yjs_type handle,
                     struct yjs_iter *out)
{
    struct yjs__type *type;
    int rc = yjs__type_of_kinds(doc, handle, YJS__TYPES_MAP, &type);

    if (rc != YJS_OK)
        return rc;
    *out = (struct yjs_iter){.doc = doc, .type = type, .entries = true};
    out->next = yjs__type_next_entry(doc, type->entries);
    return YJS_OK;
}

static bool next_entry(struct yjs_iter *i, struct yjs_span *key,
                       struct yjs_value *value)
{
    const struct yjs__list *list;

    if (i->next == 0)
        return false;
    i->err = yjs__type_entry(i->doc, i->next, value);
    if (i->err != YJS_OK)
        return false;
    list = yjs__list(i->doc, i->next);
    if (key != NULL)
        *key = (struct yjs_span){list->key->data, list->key->len};
    i->next = yjs__type_next_entry(i->doc, list->next);
    return true;
}

/* The next item that counts; false at the end. */
static bool next_item(struct yjs_iter *i)
{
    const struct yjs__item *it;
    struct yjs__slice s;

    while (i->next != 0) {
        i->at = i->next;
        it = yjs__item(i->doc, i->at);
        i->next = it->right;
        if (yjs__item_deleted(it) || !yjs__item_countable(it))
            continue;
        s = yjs__content(it);
        i->rest = (struct yjs_span){s.ptr, s.len};
        i->left = it->len;
        return true;
    }
    return false;
}

/* A character of two units is given as two halves. */
static void next_unit(struct yjs_iter *i, struct yjs_value *value)
{
    struct yjs__slice s = {i->rest.data, i->rest.len};
    bool pair = s.ptr[0] >= 0xf0;
    size_t n;

    *value = yjs__value_unit(s, false);
    n = pair ? 4 : value->bytes.len;
    i->half = pair && !i->half;
    if (!i->half)
        i->rest = (struct yjs_span){s.ptr + n, s.len - n};
    i->left--;
}

static bool next_value(struct yjs_iter *i, const struct yjs__item *it,
                       struct yjs_value *value)
{
    struct yjs__canon canon;
    struct yjs__reader r;
    struct yjs__mem mem;

    yjs__mem_init(&mem, &i->doc->mem.alloc, 0);
    yjs__canon_init(&canon, &mem, i->doc->limits.depth);
    yjs__reader_init(&r, i->rest.data, i->rest.len);
    i->err = yjs__value_read(i->doc, &canon, it, &r, value);
    yjs__canon_trim(&canon);
    i->rest = (struct yjs_span){r.pos, yjs__read_left(&r)};
    i->left--;
    return i->err == YJS_OK;
}

bool yjs_iter_next(struct yjs_iter *iter, struct yjs_span *key,
                   struct yjs_value *value)
{
    const struct yjs__item *it;

    if (iter->err != YJS_OK)
        return false;
    if (iter->entries)
        return next_entry(iter, key, value);
    if (iter->left == 0 && !next_item(iter))
        return false;
    it = yjs__item(iter->doc, iter->at);
    if (key != NULL)
        *key = (struct yjs_span){NULL, 0};
    if (it->kind != YJS__STRING)
        return next_value(iter, it, value);
    if (!yjs__type_is_text(iter->type)) {
        next_unit(iter, value);
        return true;
    }
    *value = yjs__value_string(
        (struct yjs__slice){iter->rest.data, iter->rest.len});
    iter->left = 0;
    return true;
}
