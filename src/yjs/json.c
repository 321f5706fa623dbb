/* SPDX-License-Identifier: MIT */
/*
 * json.c: types as JSON.stringify prints what their toJSON() gives.
 */
#include "yjs/render.h"

#include "yjs/content.h"
#include "yjs/sort.h"

static void put(struct yjs__render *k, const char *s)
{
    yjs__render_put(k, s);
}

/* ------------------------------------------------------------------- types */

static void print_string(struct yjs__render *k, const struct yjs__type *type)
{
    uint32_t h = type->seq ? yjs__list(k->doc, type->seq)->first : 0;

    for (; h != 0; h = yjs__item(k->doc, h)->right) {
        const struct yjs__item *it = yjs__item(k->doc, h);

        if (it->kind == YJS__STRING && !yjs__item_deleted(it))
            yjs__print_text(&k->out, yjs__content(it));
    }
}

static int compare_indexed(const void *ctx, const void *a, const void *b)
{
    const struct yjs__indexed *x = a, *y = b;

    (void)ctx;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* JavaScript prints these before all other names of an object. */
static void collect_indexes(struct yjs__render *k, struct yjs__render_frame *f)
{
    uint32_t h = f->entry;

    for (; h != 0; h = yjs__list(k->doc, h)->next) {
        const struct yjs__key *key = yjs__list(k->doc, h)->key;
        uint64_t index = yjs__array_index(key->data, key->len);
        struct yjs__indexed *e;

        if (index == UINT64_MAX)
            continue;
        e = yjs__vec_add(&k->mem, &f->indexes, sizeof(*e));
        if (e == NULL) {
            yjs__render_fail(k, k->mem.err);
            return;
        }
        *e = (struct yjs__indexed){index, h};
    }
    yjs__sort(f->indexes.data, f->indexes.len, sizeof(struct yjs__indexed),
              compare_indexed, NULL);
}

/* NULL when there is no memory for it. */
static struct yjs__render_frame *push_frame(struct yjs__render *k,
                                            const struct yjs__type *type,
                                            enum yjs__render_mode mode,
                                            bool string)
{
    struct yjs__render_frame *f =
        yjs__vec_add(&k->mem, &k->frames, sizeof(*f));

    if (f == NULL) {
        yjs__render_fail(k, k->mem.err);
        return NULL;
    }
    *f = (struct yjs__render_frame){
        .type = type, .mode = mode, .first = true, .string = string};
    f->item = type->seq ? yjs__list(k->doc, type->seq)->first : 0;
    f->entry = type->entries;
    if (mode == YJS__RENDER_MAP)
        collect_indexes(k, f);
    else
        yjs__attrs_init(&f->attrs, k->doc);
    return f;
}

static void render_xml(struct yjs__render *k, const struct yjs__type *type,
                       uint8_t ref, bool plain)
{
    struct yjs__render_frame *f;

    if (!plain)
        put(k, "\"");
    f = push_frame(k, type,
                   ref == YJS__TYPE_XML_TEXT ? YJS__RENDER_XML_TEXT
                                             : YJS__RENDER_XML,
                   !plain);
    if (f != NULL && ref == YJS__TYPE_XML_ELEMENT)
        yjs__xml_open(k, f);
}

void yjs__render_delta(struct yjs__render *k, const struct yjs__type *type)
{
    put(k, "[");
    (void)push_frame(k, type, YJS__RENDER_DELTA, false);
}

void yjs__render_type(struct yjs__render *k, const struct yjs__type *type,
                      uint8_t ref, bool plain)
{
    switch (ref) {
    case YJS__TYPE_TEXT:
        put(k, plain ? "" : "\"");
        print_string(k, type);
        put(k, plain ? "" : "\"");
        return;
    case YJS__TYPE_XML_ELEMENT:
    case YJS__TYPE_XML_FRAGMENT:
    case YJS__TYPE_XML_TEXT:
        render_xml(k, type, ref, plain);
        return;
    default:
        break;
    }
    if (plain) {
        put(k, "[object Object]");
        return;
    }
    if (ref == YJS__TYPE_ARRAY) {
        put(k, "[");
        (void)push_frame(k, type, YJS__RENDER_ARRAY, false);
    } else {
        put(k, "{");
        (void)push_frame(k, type, YJS__RENDER_MAP, false);
    }
}

/* ---------------------------------------------------------------- elements */

/* Units of text are strings of their own. */
static void print_units(struct yjs__render *k, struct yjs__render_frame *f,
                        struct yjs__slice s)
{
    struct yjs__units u = {s.ptr, s.ptr + s.len, false, 0};
    uint32_t unit;

    while (yjs__units_next(&u, &unit)) {
        yjs__render_comma(k, f);
        put(k, "\"");
        yjs__print_unit(&k->out, unit);
        put(k, "\"");
    }
}

static void print_json(struct yjs__render *k, struct yjs__slice text)
{
    if (text.len == 9 && memcmp(text.ptr, "undefined", 9) == 0)
        put(k, "null");
    else
        yjs__write_bytes(&k->out, text.ptr, text.len);
}

void yjs__render_value(struct yjs__render *k, enum yjs__kind kind,
                       struct yjs__reader *r)
{
    switch (kind) {
    case YJS__ANY:
        yjs__render_fail(k, yjs__print_any(&k->canon, &k->out, r));
        return;
    case YJS__JSON:
    case YJS__EMBED:
        print_json(k, yjs__read_var_bytes(r));
        return;
    case YJS__BINARY:
        yjs__print_bytes(&k->out, yjs__read_var_bytes(r));
        return;
    default: /* a subdocument that is not loaded */
        put(k, "{}");
        return;
    }
}

bool yjs__array_step(struct yjs__render *k, struct yjs__render_frame *f)
{
    const struct yjs__item *it;
    struct yjs__slice s;
    struct yjs__reader r;
    uint32_t i;

    if (f->item == 0)
        return false;
    it = yjs__item(k->doc, f->item);
    f->item = it->right;
    if (yjs__item_deleted(it) || !yjs__item_countable(it))
        return true;
    s = yjs__content(it);
    if (it->kind == YJS__TYPE) {
        yjs__render_comma(k, f);
        yjs__render_type(k, it->u.type, it->u.type->ref, false);
        return true;
    }
    if (it->kind == YJS__STRING) {
        print_units(k, f, s);
        return true;
    }
    yjs__reader_init(&r, s.ptr, s.len);
    for (i = 0; i < it->len && k->err == YJS_OK; i++) {
        yjs__render_comma(k, f);
        yjs__render_value(k, it->kind, &r);
    }
    return true;
}

/* ----------------------------------------------------------------- entries */

/* Stand before the last unit; false when there is nothing to print. */
static bool find_last(struct yjs__render *k, const struct yjs__item *it,
                      struct yjs__reader *r)
{
    struct yjs__slice s = yjs__content(it), tail = s;
    bool inside;

    if (it->kind == YJS__FORMAT)
        return false;
    if ((it->kind == YJS__ANY || it->kind == YJS__JSON) && it->len > 1)
        yjs__render_fail(k, yjs__content_tail(&k->canon, it->kind, s, it->len,
                                        it->len - 1, &tail, &inside));
    yjs__reader_init(r, tail.ptr, tail.len);
    if (it->kind == YJS__ANY)
        return !yjs__print_is_undefined(r);
    if (it->kind == YJS__JSON)
        return tail.len != 10 || memcmp(tail.ptr, "\11undefined", 10) != 0;
    return true;
}

static void print_last_unit(struct yjs__render *k, struct yjs__slice s)
{
    struct yjs__units u = {s.ptr, s.ptr + s.len, false, 0};
    uint32_t unit = 0;

    while (yjs__units_next(&u, &unit))
        ;
    put(k, "\"");
    yjs__print_unit(&k->out, unit);
    put(k, "\"");
}

/* The next entry to print, 0 at the end. */
static uint32_t next_entry(const struct yjs__render *k,
                           struct yjs__render_frame *f)
{
    const struct yjs__indexed *e = f->indexes.data;
    const struct yjs__list *list;
    uint32_t h;

    if (f->next_index < f->indexes.len)
        return e[f->next_index++].list;
    while ((h = f->entry) != 0) {
        list = yjs__list(k->doc, h);
        f->entry = list->next;
        if (yjs__array_index(list->key->data, list->key->len) == UINT64_MAX)
            break;
    }
    return h;
}

bool yjs__map_step(struct yjs__render *k, struct yjs__render_frame *f)
{
    const struct yjs__list *list;
    const struct yjs__item *it;
    struct yjs__reader r;
    uint32_t h = next_entry(k, f);

    if (h == 0)
        return false;
    list = yjs__list(k->doc, h);
    if (list->last == 0 ||
        yjs__render_is_proto(list->key->data, list->key->len))
        return true;
    it = yjs__item(k->doc, list->last);
    if (yjs__item_deleted(it) || !find_last(k, it, &r))
        return true;
    yjs__render_comma(k, f);
    put(k, "\"");
    yjs__print_text(&k->out,
                    (struct yjs__slice){list->key->data, list->key->len});
    put(k, "\":");
    if (it->kind == YJS__TYPE)
        yjs__render_type(k, it->u.type, it->u.type->ref, false);
    else if (it->kind == YJS__STRING)
        print_last_unit(k, yjs__content(it));
    else
        yjs__render_value(k, it->kind, &r);
    return true;
}

void yjs__xml_value(struct yjs__render *k, const struct yjs__item *it)
{
    struct yjs__reader r;

    if (it->kind == YJS__STRING) {
        struct yjs__slice s = yjs__content(it);
        struct yjs__units u = {s.ptr, s.ptr + s.len, false, 0};
        uint32_t unit = 0;

        while (yjs__units_next(&u, &unit))
            ;
        yjs__print_unit(&k->out, unit);
    } else if (!find_last(k, it, &r)) {
        put(k, "undefined");
    } else if (it->kind == YJS__ANY) {
        yjs__render_fail(k, yjs__print_any_plain(&k->canon, &k->out, &r));
    } else if (it->kind == YJS__JSON || it->kind == YJS__EMBED) {
        yjs__print_json_plain(&k->out, yjs__read_var_bytes(&r));
    } else if (it->kind == YJS__BINARY) {
        yjs__print_bytes_plain(&k->out, yjs__read_var_bytes(&r));
    } else {
        put(k, "[object Object]");
    }
}
