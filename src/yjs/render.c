/* SPDX-License-Identifier: MIT */
/*
 * render.c: what is asked for as JSON, XML, text or delta, and the stack.
 *
 * Must never: change the document. Reading a root as a text does not make it
 * one, as it would in Yjs.
 */
#include "yjs/render.h"

#include "yjs/any.h"
#include "yjs/content.h"
#include "yjs/list.h"
#include "yjs/type.h"
#include "yjs/utf.h"

static void put(struct yjs__render *k, const char *s)
{
    yjs__render_put(k, s);
}

/* ---------------------------------------------------------------- the stack */

static void close_frame(struct yjs__render *k)
{
    struct yjs__render_frame *f =
        (struct yjs__render_frame *)k->frames.data + --k->frames.len;

    if (f->mode == YJS__RENDER_ARRAY || f->mode == YJS__RENDER_DELTA)
        put(k, "]");
    else if (f->mode == YJS__RENDER_MAP)
        put(k, "}");
    else if (f->mode == YJS__RENDER_XML &&
             f->type->ref == YJS__TYPE_XML_ELEMENT)
        yjs__xml_close(k, f->type);
    if (f->string)
        put(k, "\"");
    if (f->mode == YJS__RENDER_MAP) {
        yjs__vec_trim(&k->mem, &f->indexes, sizeof(struct yjs__indexed), 0);
        return;
    }
    yjs__attrs_trim(&f->attrs, 0);
    yjs__vec_trim(&k->mem, &f->tags,
                  f->mode == YJS__RENDER_XML ? sizeof(struct yjs__attribute)
                                             : sizeof(struct yjs__attr *),
                  0);
}

int yjs__render_all(struct yjs__render *k)
{
    struct yjs__render_frame *f;
    bool more;

    while (k->frames.len > 0) {
        f = (struct yjs__render_frame *)k->frames.data + k->frames.len - 1;
        if (f->mode == YJS__RENDER_ARRAY)
            more = yjs__array_step(k, f);
        else if (f->mode == YJS__RENDER_MAP)
            more = yjs__map_step(k, f);
        else if (f->mode == YJS__RENDER_DELTA)
            more = yjs__delta_step(k, f);
        else
            more = yjs__xml_step(k, f);
        if (!more || k->err != YJS_OK || k->out.err != YJS_OK)
            close_frame(k);
    }
    return k->err;
}

struct kind_name {
    const char *name;
    uint8_t ref;
    const char *empty;
};

static const struct kind_name kind_names[] = {
    {"array", YJS__TYPE_ARRAY, "[]"},
    {"map", YJS__TYPE_MAP, "{}"},
    {"text", YJS__TYPE_TEXT, "\"\""},
    {"xml", YJS__TYPE_XML_FRAGMENT, "\"\""},
    {"xmltext", YJS__TYPE_XML_TEXT, "\"\""},
};

static const struct kind_name *find_kind(const char *s, size_t len)
{
    size_t i;

    for (i = 0; i < sizeof(kind_names) / sizeof(kind_names[0]); i++)
        if (strlen(kind_names[i].name) == len &&
            memcmp(kind_names[i].name, s, len) == 0)
            return &kind_names[i];
    return NULL;
}

/* One NAME:KIND of the specification; the kind follows the last colon. */
static int render_root(struct yjs__render *k, const char *s, size_t len,
                       bool first)
{
    const struct kind_name *kind;
    struct yjs__slice name;
    size_t colon = len;
    uint32_t list;

    while (colon > 0 && s[colon - 1] != ':')
        colon--;
    if (colon == 0)
        return YJS_ERR_RANGE;
    kind = find_kind(s + colon, len - colon);
    if (kind == NULL)
        return YJS_ERR_RANGE;
    name = (struct yjs__slice){(const uint8_t *)s, colon - 1};
    put(k, first ? "\"" : ",\"");
    yjs__print_text(&k->out, name);
    put(k, "\":");
    list = yjs__root_find(k->doc, name);
    if (list == 0)
        put(k, kind->empty);
    else
        yjs__render_type(k, yjs__list(k->doc, list)->type, kind->ref, false);
    return yjs__render_all(k);
}

static int render_spec(struct yjs__render *k, const char *spec)
{
    bool first = true;
    int rc = YJS_OK;

    put(k, "{");
    while (*spec != '\0' && rc == YJS_OK) {
        size_t len = strcspn(spec, ",");

        rc = render_root(k, spec, len, first);
        first = false;
        spec += len + (spec[len] == ',');
    }
    put(k, "}");
    return rc;
}

/* ------------------------------------------------------------ the questions */

static void init(struct yjs__render *k, yjs_doc *doc)
{
    *k = (struct yjs__render){.doc = doc};
    yjs__mem_init(&k->mem, &doc->mem.alloc, 0);
    yjs__canon_init(&k->canon, &k->mem, SIZE_MAX);
    yjs__writer_init(&k->out, &k->mem, doc->limits.text_bytes);
}

/* Hand out what was printed, unless `rc` says that something went wrong. */
static int finish(struct yjs__render *k, int rc, struct yjs_bytes *out)
{
    if (rc == YJS_OK)
        rc = yjs__render_all(k);
    yjs__vec_trim(&k->mem, &k->frames, sizeof(struct yjs__render_frame), 0);
    yjs__canon_trim(&k->canon);
    if (rc == YJS_OK)
        rc = yjs__writer_take(&k->out, out);
    else
        yjs__writer_deinit(&k->out);
    if (rc == YJS_ERR_LIMIT)
        k->doc->mem.fired = YJS_LIMIT_TEXT_BYTES;
    return rc;
}

int yjs_doc_to_json(yjs_doc *doc, const char *type_spec, struct yjs_bytes *out)
{
    struct yjs__render k;
    size_t units;
    int rc = YJS_ERR_RANGE;

    init(&k, doc);
    if (yjs__utf8_check((const uint8_t *)type_spec, strlen(type_spec), &units))
        rc = render_spec(&k, type_spec);
    return finish(&k, rc, out);
}

static int print_type_as(yjs_doc *doc, struct yjs_type handle,
                         unsigned int kinds,
                         void (*begin)(struct yjs__render *k,
                                       const struct yjs__type *type),
                         struct yjs_bytes *out)
{
    struct yjs__render k;
    struct yjs__type *type;
    int rc = yjs__type_of_kinds(doc, handle, kinds, &type);

    init(&k, doc);
    if (rc == YJS_OK)
        begin(&k, type);
    return finish(&k, rc, out);
}

static void begin_json(struct yjs__render *k, const struct yjs__type *type)
{
    yjs__render_type(k, type, type->ref, false);
}

int yjs_type_to_json(yjs_doc *doc, struct yjs_type handle,
                     struct yjs_bytes *out)
{
    return print_type_as(doc, handle, YJS__TYPES_ALL, begin_json, out);
}

int yjs_text_to_delta(yjs_doc *doc, struct yjs_type handle,
                      struct yjs_bytes *out)
{
    return print_type_as(doc, handle, YJS__TYPES_TEXT, yjs__render_delta, out);
}

/* A text as it is, without a way by JSON. */
static void print_plain(struct yjs__render *k, const struct yjs__type *type)
{
    uint32_t h = type->seq ? yjs__list(k->doc, type->seq)->first : 0;

    for (; h != 0; h = yjs__item(k->doc, h)->right) {
        const struct yjs__item *it = yjs__item(k->doc, h);
        struct yjs__slice s = yjs__content(it);

        if (it->kind == YJS__STRING && !yjs__item_deleted(it))
            yjs__write_bytes(&k->out, s.ptr, s.len);
    }
}

/* The JSON string that was printed becomes the text that it stands for. */
static int unquote(struct yjs__render *k)
{
    struct yjs__slice json = {k->out.data, k->out.len}, text;
    struct yjs__writer any;
    struct yjs__reader r;
    int rc;

    yjs__writer_init(&any, &k->mem, 0);
    rc = yjs__any_from_json(&k->canon, &any, json);
    if (rc == YJS_OK) {
        yjs__reader_init(&r, any.data, any.len);
        (void)yjs__read_u8(&r); /* the tag */
        text = yjs__read_var_bytes(&r);
        k->out.len = 0;
        yjs__write_bytes(&k->out, text.ptr, text.len);
    }
    yjs__writer_deinit(&any);
    return rc;
}

int yjs_type_to_string(yjs_doc *doc, struct yjs_type handle,
                       struct yjs_bytes *out)
{
    struct yjs__render k;
    struct yjs__type *type;
    int rc = yjs__type_of_kinds(doc, handle, YJS__TYPES_STRING, &type);

    init(&k, doc);
    if (rc == YJS_OK && type->ref == YJS__TYPE_TEXT) {
        print_plain(&k, type);
    } else if (rc == YJS_OK) {
        yjs__render_type(&k, type, type->ref, false);
        rc = yjs__render_all(&k);
        if (rc == YJS_OK)
            rc = k.out.err != YJS_OK ? k.out.err : unquote(&k);
    }
    return finish(&k, rc, out);
}

/* ------------------------------------------------------------------- values */

static int print_canonical(struct yjs__render *k, const struct yjs__writer *any)
{
    struct yjs__canon printer;
    struct yjs__reader r;
    int rc = any->err;

    yjs__canon_init(&printer, &k->mem, SIZE_MAX);
    yjs__reader_init(&r, any->data, any->len);
    if (rc == YJS_OK)
        rc = yjs__print_any(&printer, &k->out, &r);
    yjs__canon_trim(&printer);
    return rc;
}

/* It may be from anywhere. */
static int print_any(struct yjs__render *k, struct yjs_span any)
{
    struct yjs__reader r;

    yjs__reader_init(&r, any.data, any.len);
    yjs__canon_nesting(&k->canon, k->doc->limits.depth);
    yjs__canon_any(&k->canon, &r);
    if (r.err == YJS_OK && yjs__read_left(&r) > 0)
        yjs__read_fail(&r, YJS_ERR_MALFORMED);
    return r.err != YJS_OK ? r.err : print_canonical(k, &k->canon.out);
}

static int print_json(struct yjs__render *k, struct yjs_span json)
{
    int rc;

    yjs__canon_nesting(&k->canon, k->doc->limits.depth);
    rc = yjs__canon_json(&k->canon, (struct yjs__slice){json.data, json.len});
    if (rc == YJS_OK)
        yjs__write_bytes(&k->out, k->canon.out.data, k->canon.out.len);
    return rc;
}

static int print_string(struct yjs__render *k, struct yjs_span text)
{
    size_t units;

    if (!yjs__utf8_check(text.data, text.len, &units))
        return YJS_ERR_MALFORMED;
    put(k, "\"");
    yjs__print_text(&k->out, (struct yjs__slice){text.data, text.len});
    put(k, "\"");
    return YJS_OK;
}

/* Numbers are printed as the Any that they would be. */
static int print_number(struct yjs__render *k, const struct yjs_value *value)
{
    struct yjs__writer *w = &k->canon.out;

    if (value->kind == YJS_VALUE_BIGINT) {
        yjs__write_u8(w, ANY_BIGINT);
        yjs__write_u64(w, (uint64_t)value->bigint);
    } else {
        yjs__canon_number(w, value->number);
    }
    return print_canonical(k, w);
}

static int print_type(struct yjs__render *k, struct yjs_type handle)
{
    struct yjs__type *type;
    int rc = yjs__type_of_kinds(k->doc, handle, YJS__TYPES_ALL, &type);

    if (rc == YJS_OK)
        yjs__render_type(k, type, type->ref, false);
    return rc;
}

static int print_value(struct yjs__render *k, const struct yjs_value *value)
{
    struct yjs__slice bytes = {value->bytes.data, value->bytes.len};

    switch (value->kind) {
    case YJS_VALUE_UNDEFINED:
    case YJS_VALUE_NULL:
        put(k, "null");
        return YJS_OK;
    case YJS_VALUE_BOOL:
        put(k, value->boolean ? "true" : "false");
        return YJS_OK;
    case YJS_VALUE_NUMBER:
    case YJS_VALUE_BIGINT:
        return print_number(k, value);
    case YJS_VALUE_STRING:
        return print_string(k, value->bytes);
    case YJS_VALUE_BYTES:
        yjs__print_bytes(&k->out, bytes);
        return YJS_OK;
    case YJS_VALUE_JSON:
        return print_json(k, value->bytes);
    case YJS_VALUE_ANY:
        return print_any(k, value->bytes);
    case YJS_VALUE_TYPE:
        return print_type(k, value->type);
    case YJS_VALUE_DOC:
        put(k, "{}");
        return YJS_OK;
    default:
        return YJS_ERR_RANGE;
    }
}

int yjs_value_to_json(yjs_doc *doc, const struct yjs_value *value,
                      struct yjs_bytes *out)
{
    struct yjs__render k;

    init(&k, doc);
    return finish(&k, print_value(&k, value), out);
}
