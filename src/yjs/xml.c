/* SPDX-License-Identifier: MIT */
/*
 * xml.c: XML types as toString() gives them, inside a JSON string.
 *
 *   element   <name attribute="value" ...>children</name>, attributes by key
 *   text      runs of text between tags named after the formats in force, by
 *             key; the properties of a format's value are the tag's attributes
 *
 * As in Yjs nothing is escaped for XML. Names of elements are lowercased; of
 * letters beyond Latin-1, Greek and Cyrillic the case is left alone.
 */
#include "yjs/render.h"

#include "yjs/content.h"
#include "yjs/sort.h"

static void put(struct yjs__render *k, const char *s)
{
    yjs__render_put(k, s);
}

/* ----------------------------------------------------------------- elements */

static uint32_t lower(uint32_t c)
{
    if ((c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7) ||
        (c >= 0x391 && c <= 0x3a9 && c != 0x3a2) ||
        (c >= 0x410 && c <= 0x42f))
        return c + 32;
    if (c >= 0x400 && c <= 0x40f)
        return c + 80;
    return c;
}

static void put_name(struct yjs__render *k, const struct yjs__type *type)
{
    const uint8_t *end = type->name + type->name_len;
    struct yjs__units u = {type->name, end, false, 0};
    const uint8_t *from = u.p;
    uint32_t unit;

    /* Characters of two units are copied as they are. */
    while (from = u.p, yjs__units_next(&u, &unit)) {
        if (u.low == 0)
            yjs__print_unit(&k->out, lower(unit));
        else
            yjs__write_bytes(&k->out, from, (size_t)(u.p - from));
        u.low = 0;
    }
}

static struct yjs__units units_of(struct yjs__slice s, bool escaped)
{
    return (struct yjs__units){s.ptr, s.ptr + s.len, escaped, 0};
}

static int compare_attributes(const void *ctx, const void *a, const void *b)
{
    const struct yjs__attribute *x = a, *y = b;

    (void)ctx;
    return yjs__units_compare(
        units_of((struct yjs__slice){x->key->data, x->key->len}, false),
        units_of((struct yjs__slice){y->key->data, y->key->len}, false));
}

static int list_attributes(struct yjs__render *k, const struct yjs__type *type,
                           struct yjs__vec *found)
{
    struct yjs__attribute *a;
    uint32_t h;

    for (h = type->entries; h != 0; h = yjs__list(k->doc, h)->next) {
        const struct yjs__list *list = yjs__list(k->doc, h);

        if (list->last == 0 || yjs__render_is_proto(list->key->data,
                                                    list->key->len) ||
            yjs__item_deleted(yjs__item(k->doc, list->last)))
            continue;
        a = yjs__vec_add(&k->mem, found, sizeof(*a));
        if (a == NULL)
            return k->mem.err;
        *a = (struct yjs__attribute){list->key, yjs__item(k->doc, list->last)};
    }
    return YJS_OK;
}

void yjs__xml_open(struct yjs__render *k, struct yjs__render_frame *f)
{
    yjs__render_fail(k, list_attributes(k, f->type, &f->tags));
    yjs__sort(f->tags.data, f->tags.len, sizeof(struct yjs__attribute),
              compare_attributes, NULL);
    put(k, "<");
    put_name(k, f->type);
    f->opening = true;
}

/*
 * One attribute of an element, then what ends its first tag. A value that is
 * a type may hold elements of its own: the way leads there and back.
 */
static void attribute_step(struct yjs__render *k, struct yjs__render_frame *f)
{
    const struct yjs__attribute *a;

    if (f->tagged)
        put(k, "\\\"");
    f->tagged = false;
    if (f->next_attribute == f->tags.len) {
        put(k, ">");
        f->opening = false;
        return;
    }
    a = (struct yjs__attribute *)f->tags.data + f->next_attribute++;
    put(k, " ");
    yjs__print_text(&k->out, (struct yjs__slice){a->key->data, a->key->len});
    put(k, "=\\\"");
    f->tagged = true;
    if (a->value->kind == YJS__TYPE)
        yjs__render_type(k, a->value->u.type, a->value->u.type->ref, true);
    else
        yjs__xml_value(k, a->value);
}

void yjs__xml_close(struct yjs__render *k, const struct yjs__type *type)
{
    put(k, "</");
    put_name(k, type);
    put(k, ">");
}

/* -------------------------------------------------- a mark's value as a tag */

struct property {
    struct yjs__slice key, value; /* inside of the quotes; a JSON value */
};

static int compare_properties(const void *ctx, const void *a, const void *b)
{
    const struct property *x = a, *y = b;

    (void)ctx;
    return yjs__units_compare(units_of(x->key, true), units_of(y->key, true));
}

static void put_object(struct yjs__render *k, struct yjs__slice json)
{
    const uint8_t *p = json.ptr + 1, *end = json.ptr + json.len - 1, *next;
    struct yjs__vec found = {NULL, 0, 0};
    struct property *a;
    size_t i;

    while (p < end) {
        a = yjs__vec_add(&k->mem, &found, sizeof(*a));
        if (a == NULL) {
            k->err = k->mem.err;
            break;
        }
        next = yjs__print_json_end(p, end);
        a->key = (struct yjs__slice){p + 1, (size_t)(next - p) - 2};
        p = next + 1;
        next = yjs__print_json_end(p, end);
        a->value = (struct yjs__slice){p, (size_t)(next - p)};
        p = next + (next < end);
    }
    yjs__sort(found.data, found.len, sizeof(*a), compare_properties, NULL);
    for (i = 0; i < found.len; i++) {
        a = (struct property *)found.data + i;
        put(k, " ");
        yjs__write_bytes(&k->out, a->key.ptr, a->key.len);
        put(k, "=\\\"");
        yjs__print_json_plain(&k->out, a->value);
        put(k, "\\\"");
    }
    yjs__vec_trim(&k->mem, &found, sizeof(*a), 0);
}

/*
 * Indexes 0 to n - 1 in the order of their decimals as text: 0, 1, 10, 11, 2.
 */
static size_t next_index(size_t at, size_t n)
{
    if (at == 0)
        return 1;
    if (at * 10 < n)
        return at * 10;
    while (at % 10 == 9 || at + 1 >= n) {
        at /= 10;
        if (at == 0)
            return n;
    }
    return at + 1;
}

static void put_index(struct yjs__render *k, size_t i)
{
    put(k, " ");
    yjs__print_uint(&k->out, i);
    put(k, "=\\\"");
}

/* The properties of a string are its units by index. */
static void put_string(struct yjs__render *k, struct yjs__slice json)
{
    struct yjs__slice inside = {json.ptr + 1, json.len - 2};
    struct yjs__units u = units_of(inside, true);
    uint32_t *units, unit;
    size_t n = 0, i;

    while (yjs__units_next(&u, &unit))
        n++;
    if (n == 0)
        return;
    units = yjs__mem_alloc(&k->mem, n * sizeof(*units));
    if (units == NULL) {
        k->err = k->mem.err;
        return;
    }
    u = units_of(inside, true);
    for (i = 0; yjs__units_next(&u, &units[i]); i++)
        if (i + 1 == n)
            break;
    for (i = 0; i < n; i = next_index(i, n)) {
        put_index(k, i);
        yjs__print_unit(&k->out, units[i]);
        put(k, "\\\"");
    }
    yjs__mem_free(&k->mem, units, n * sizeof(*units));
}

static void put_array(struct yjs__render *k, struct yjs__slice json)
{
    const uint8_t *p = json.ptr + 1, *end = json.ptr + json.len - 1, *next;
    struct yjs__vec found = {NULL, 0, 0};
    struct yjs__slice *s;
    size_t i;

    while (p < end) {
        s = yjs__vec_add(&k->mem, &found, sizeof(*s));
        if (s == NULL) {
            k->err = k->mem.err;
            break;
        }
        next = yjs__print_json_end(p, end);
        *s = (struct yjs__slice){p, (size_t)(next - p)};
        p = next + (next < end);
    }
    for (i = 0; i < found.len; i = next_index(i, found.len)) {
        put_index(k, i);
        yjs__print_json_plain(&k->out, ((struct yjs__slice *)found.data)[i]);
        put(k, "\\\"");
    }
    yjs__vec_trim(&k->mem, &found, sizeof(*s), 0);
}

static int compare_tags(const void *ctx, const void *a, const void *b)
{
    const struct yjs__attr *x = *(const struct yjs__attr *const *)a;
    const struct yjs__attr *y = *(const struct yjs__attr *const *)b;

    (void)ctx;
    return yjs__units_compare(units_of(x->key, false),
                              units_of(y->key, false));
}

/* The attributes in force, by key. */
static int list_tags(struct yjs__render *k, struct yjs__render_frame *f)
{
    struct yjs__attr **slot, *a;
    size_t at = 0;

    f->tags.len = 0;
    while ((a = yjs__attrs_next(&f->attrs, &at)) != NULL) {
        if (yjs__render_is_proto(a->key.ptr, a->key.len))
            continue;
        slot = yjs__vec_add(&k->mem, &f->tags, sizeof(*slot));
        if (slot == NULL)
            return k->mem.err;
        *slot = a;
    }
    yjs__sort(f->tags.data, f->tags.len, sizeof(*slot), compare_tags, NULL);
    return YJS_OK;
}

static const struct yjs__attr *tag_at(const struct yjs__render_frame *f,
                                      size_t i)
{
    return ((struct yjs__attr *const *)f->tags.data)[i];
}

static void open_marks(struct yjs__render *k, struct yjs__render_frame *f)
{
    size_t i;

    yjs__render_fail(k, list_tags(k, f));
    for (i = 0; i < f->tags.len && k->err == YJS_OK; i++) {
        const struct yjs__attr *m = tag_at(f, i);

        put(k, "<");
        yjs__print_text(&k->out, m->key);
        if (m->value.json.ptr[0] == '{')
            put_object(k, m->value.json);
        else if (m->value.json.ptr[0] == '"')
            put_string(k, m->value.json);
        else if (m->value.json.ptr[0] == '[')
            put_array(k, m->value.json);
        put(k, ">");
    }
    f->tagged = true;
}

static void close_marks(struct yjs__render *k, struct yjs__render_frame *f)
{
    size_t i;

    if (!f->tagged)
        return;
    for (i = f->tags.len; i > 0; i--) {
        put(k, "</");
        yjs__print_text(&k->out, tag_at(f, i - 1)->key);
        put(k, ">");
    }
    f->tagged = false;
}

/* -------------------------------------------------------------------- steps */

static void put_embed(struct yjs__render *k, struct yjs__render_frame *f,
                      const struct yjs__item *it)
{
    struct yjs__slice s = yjs__content(it);
    struct yjs__reader r;

    close_marks(k, f);
    open_marks(k, f);
    if (it->kind == YJS__TYPE) {
        /* The tags are closed when the way leads back here. */
        yjs__render_type(k, it->u.type, it->u.type->ref, true);
        return;
    }
    yjs__reader_init(&r, s.ptr, s.len);
    yjs__print_json_plain(&k->out, yjs__read_var_bytes(&r));
    close_marks(k, f);
}

static bool text_step(struct yjs__render *k, struct yjs__render_frame *f)
{
    const struct yjs__item *it;

    if (f->item == 0) {
        close_marks(k, f);
        return false;
    }
    it = yjs__item(k->doc, f->item);
    f->item = it->right;
    /* Back from an embedded type. */
    if (!f->first)
        close_marks(k, f);
    f->first = true;
    if (yjs__item_deleted(it))
        return true;
    if (it->kind == YJS__STRING) {
        if (!f->tagged) {
            yjs__render_drop_ychange(f);
            open_marks(k, f);
        }
        yjs__print_text(&k->out, yjs__content(it));
    } else if (it->kind == YJS__FORMAT) {
        close_marks(k, f);
        yjs__render_format(k, f, it);
    } else if (it->kind == YJS__TYPE || it->kind == YJS__EMBED) {
        f->first = false;
        put_embed(k, f, it);
    }
    return true;
}

static void put_child(struct yjs__render *k, const struct yjs__item *it)
{
    struct yjs__slice s = yjs__content(it);
    struct yjs__reader r;
    uint32_t i;

    if (it->kind == YJS__STRING) {
        yjs__print_text(&k->out, s);
        return;
    }
    yjs__reader_init(&r, s.ptr, s.len);
    for (i = 0; i < it->len && k->err == YJS_OK; i++) {
        if (it->kind == YJS__ANY)
            k->err = yjs__print_any_plain(&k->canon, &k->out, &r);
        else if (it->kind == YJS__JSON || it->kind == YJS__EMBED)
            yjs__print_json_plain(&k->out, yjs__read_var_bytes(&r));
        else if (it->kind == YJS__BINARY)
            yjs__print_bytes_plain(&k->out, yjs__read_var_bytes(&r));
        else
            put(k, "[object Object]");
    }
}

static bool list_step(struct yjs__render *k, struct yjs__render_frame *f)
{
    const struct yjs__item *it;

    if (f->opening) {
        attribute_step(k, f);
        return true;
    }
    if (f->item == 0)
        return false;
    it = yjs__item(k->doc, f->item);
    f->item = it->right;
    if (yjs__item_deleted(it) || !yjs__item_countable(it))
        return true;
    if (it->kind == YJS__TYPE)
        yjs__render_type(k, it->u.type, it->u.type->ref, true);
    else
        put_child(k, it);
    return true;
}

bool yjs__xml_step(struct yjs__render *k, struct yjs__render_frame *f)
{
    return f->mode == YJS__RENDER_XML ? list_step(k, f) : text_step(k, f);
}
