/* SPDX-License-Identifier: MIT */
/*
 * value.c: from contents to values, without a copy.
 *
 * Contents are canonical (canon.h): nothing is checked again.
 */
#include "yjs/value.h"

#include "yjs/content.h"
#include "yjs/handle.h"
#include "yjs/number.h"
#include "yjs/seek.h"
#include "yjs/utf.h"

static struct yjs_span span_of(struct yjs__slice s)
{
    return (struct yjs_span){s.ptr, s.len};
}

struct yjs_value yjs__value_string(struct yjs__slice text)
{
    return (struct yjs_value){.kind = YJS_VALUE_STRING,
                              .bytes = span_of(text)};
}

struct yjs_value yjs__value_unit(struct yjs__slice text, bool inside)
{
    uint8_t c = inside ? 0xf0 : text.ptr[0];
    size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : 3;

    if (c >= 0xf0)
        text.ptr = yjs__utf8_replacement;
    return yjs__value_string((struct yjs__slice){text.ptr, n});
}

/* --------------------------------------------------------------------- any */

static struct yjs_value number(double v)
{
    return (struct yjs_value){.kind = YJS_VALUE_NUMBER, .number = v};
}

static double read_int(struct yjs__reader *r)
{
    bool negative;
    uint64_t magnitude = yjs__read_varint(r, &negative);

    return negative ? -(double)magnitude : (double)magnitude;
}

static struct yjs_value read_bytes(struct yjs__reader *r,
                                   enum yjs_value_kind kind)
{
    return (struct yjs_value){.kind = kind,
                              .bytes = span_of(yjs__read_var_bytes(r))};
}

static int read_any(struct yjs__canon *canon, struct yjs__reader *r,
                    struct yjs_value *out)
{
    const uint8_t *start = r->pos;
    uint8_t tag = yjs__read_u8(r);

    switch (tag) {
    case ANY_NULL:
        *out = (struct yjs_value){.kind = YJS_VALUE_NULL};
        return YJS_OK;
    case ANY_TRUE:
    case ANY_FALSE:
        *out = (struct yjs_value){.kind = YJS_VALUE_BOOL,
                                  .boolean = tag == ANY_TRUE};
        return YJS_OK;
    case ANY_INT:
        *out = number(read_int(r));
        return YJS_OK;
    case ANY_F32:
        *out = number((double)yjs__read_f32(r));
        return YJS_OK;
    case ANY_F64:
        *out = number(yjs__read_f64(r));
        return YJS_OK;
    case ANY_BIGINT:
        *out = (struct yjs_value){.kind = YJS_VALUE_BIGINT,
                                  .bigint = (int64_t)yjs__read_u64(r)};
        return YJS_OK;
    case ANY_STRING:
        *out = read_bytes(r, YJS_VALUE_STRING);
        return YJS_OK;
    case ANY_BYTES:
        *out = read_bytes(r, YJS_VALUE_BYTES);
        return YJS_OK;
    case ANY_ARRAY:
    case ANY_OBJECT: {
        int rc;

        r->pos = start;
        rc = yjs__canon_any_skip(canon, r);
        if (rc == YJS_OK)
            *out = (struct yjs_value){
                .kind = YJS_VALUE_ANY,
                .bytes = {start, (size_t)(r->pos - start)}};
        return rc;
    }
    default:
        *out = (struct yjs_value){.kind = YJS_VALUE_UNDEFINED};
        return YJS_OK;
    }
}

/* -------------------------------------------------------------------- JSON */

static struct yjs_value json_value(struct yjs__slice text)
{
    struct yjs_value v = {.kind = YJS_VALUE_JSON, .bytes = span_of(text)};

    switch (text.ptr[0]) {
    case '{':
    case '[':
        return v;
    case '"': /* with escapes it could not be borrowed */
        if (memchr(text.ptr, '\\', text.len) != NULL)
            return v;
        return yjs__value_string(
            (struct yjs__slice){text.ptr + 1, text.len - 2});
    case 'n':
        return (struct yjs_value){.kind = YJS_VALUE_NULL};
    case 'u':
        return (struct yjs_value){.kind = YJS_VALUE_UNDEFINED};
    case 't':
    case 'f':
        return (struct yjs_value){.kind = YJS_VALUE_BOOL,
                                  .boolean = text.ptr[0] == 't'};
    default:
        return number(yjs__number_parse(text.ptr, text.len));
    }
}

/* ------------------------------------------------------------ all the kinds */

static struct yjs_value type_value(const yjs_doc *doc,
                                   const struct yjs__type *type)
{
    return (struct yjs_value){.kind = YJS_VALUE_TYPE,
                              .type_kind = (enum yjs_type_kind)type->ref,
                              .name = {type->name, type->name_len},
                              .type = yjs__handle_of(doc, type)};
}

static struct yjs_value doc_value(struct yjs__reader *r)
{
    struct yjs_value v = {.kind = YJS_VALUE_DOC};

    v.name = span_of(yjs__read_var_bytes(r));
    v.options = (struct yjs_span){r->pos, yjs__read_left(r)};
    r->pos = r->end;
    return v;
}

int yjs__value_read(const yjs_doc *doc, struct yjs__canon *canon,
                    const struct yjs__item *it, struct yjs__reader *r,
                    struct yjs_value *out)
{
    switch (it->kind) {
    case YJS__ANY:
        return read_any(canon, r, out);
    case YJS__JSON:
    case YJS__EMBED:
        *out = json_value(yjs__read_var_bytes(r));
        return YJS_OK;
    case YJS__BINARY:
        *out = read_bytes(r, YJS_VALUE_BYTES);
        return YJS_OK;
    case YJS__DOC:
        *out = doc_value(r);
        return YJS_OK;
    case YJS__TYPE:
        *out = type_value(doc, it->u.type);
        return YJS_OK;
    default:
        *out = (struct yjs_value){.kind = YJS_VALUE_UNDEFINED};
        return YJS_OK;
    }
}

int yjs__value_get(yjs_doc *doc, uint32_t h, uint64_t at,
                   struct yjs_value *out)
{
    const struct yjs__item *it = yjs__item(doc, h);
    struct yjs__canon canon;
    struct yjs__slice s;
    struct yjs__reader r;
    struct yjs__mem mem;
    int rc;

    if (it->kind != YJS__ANY && it->kind != YJS__JSON)
        return yjs__value_at(doc, it, at, out);
    yjs__mem_init(&mem, &doc->mem.alloc, 0);
    yjs__canon_init(&canon, &mem, doc->limits.depth);
    rc = yjs__seek(doc, &canon, h, (uint32_t)at, &s);
    if (rc == YJS_OK) {
        yjs__reader_init(&r, s.ptr, s.len);
        rc = yjs__value_read(doc, &canon, it, &r, out);
    }
    yjs__canon_trim(&canon);
    return rc;
}

int yjs__value_at(const yjs_doc *doc, const struct yjs__item *it, uint64_t at,
                  struct yjs_value *out)
{
    struct yjs__slice s = yjs__content(it);
    struct yjs__canon canon;
    struct yjs__reader r;
    struct yjs__mem mem;
    bool inside = false;
    int rc = YJS_OK;

    yjs__mem_init(&mem, &doc->mem.alloc, 0);
    yjs__canon_init(&canon, &mem, doc->limits.depth);
    if (at > 0)
        rc = yjs__content_tail(&canon, it->kind, s, it->len, at, &s, &inside);
    yjs__reader_init(&r, s.ptr, s.len);
    if (rc == YJS_OK && it->kind == YJS__STRING)
        *out = yjs__value_unit(s, inside);
    else if (rc == YJS_OK)
        rc = yjs__value_read(doc, &canon, it, &r, out);
    yjs__canon_trim(&canon);
    return rc;
}
