/* SPDX-License-Identifier: MIT */
/*
 * edit_value.c: from struct yjs_value to bytes of the update format.
 */
#include "yjs/edit_value.h"

#include "yjs/any.h"
#include "yjs/print.h"
#include "yjs/update_read.h"
#include "yjs/utf.h"

int yjs__value_text(struct yjs__mem *mem, struct yjs_span utf8,
                    struct yjs__slice *out, uint32_t *units)
{
    size_t n;

    *out = (struct yjs__slice){utf8.data, utf8.len};
    if (utf8.len == 0)
        out->ptr = (const uint8_t *)"";
    if (utf8.len > UINT32_MAX / 4)
        return yjs__mem_over(mem, YJS_LIMIT_DOC_BYTES);
    if (!yjs__utf8_check(out->ptr, out->len, &n))
        return YJS_ERR_MALFORMED;
    *units = (uint32_t)n;
    return YJS_OK;
}

/* Canonical JSON in the canonicaliser's output. */
static int canonical(yjs_txn *txn, struct yjs_span text, bool exact)
{
    struct yjs__canon *canon = &txn->doc->txn.canon;
    struct yjs__slice s;
    uint32_t units;
    int rc = yjs__value_text(&txn->doc->mem, text, &s, &units);

    if (rc != YJS_OK)
        return rc;
    canon->out.len = 0;
    canon->exact = exact;
    rc = yjs__canon_json(canon, s);
    canon->exact = false;
    return rc;
}

int yjs__value_json(yjs_txn *txn, struct yjs_span text, struct yjs__slice *out)
{
    const struct yjs__writer *w = &txn->doc->txn.canon.out;
    int rc = canonical(txn, text, false);
    uint8_t *copy;

    if (rc != YJS_OK)
        return rc;
    copy = yjs__arena_alloc(&txn->doc->txn.arena, w->len);
    if (copy == NULL)
        return txn->doc->mem.err;
    memcpy(copy, w->data, w->len);
    *out = (struct yjs__slice){copy, w->len};
    return YJS_OK;
}

/* --------------------------------------------------------------------- Any */

bool yjs__value_is_any(const struct yjs_value *value)
{
    return value->kind != YJS_VALUE_BYTES && value->kind != YJS_VALUE_TYPE &&
           value->kind != YJS_VALUE_DOC;
}

bool yjs__value_in_list(const struct yjs_value *value)
{
    return value->kind != YJS_VALUE_UNDEFINED &&
           value->kind != YJS_VALUE_BIGINT;
}

static int put_string(struct yjs__writer *w, struct yjs_span utf8)
{
    struct yjs__slice s;
    uint32_t units;
    int rc = yjs__value_text(w->mem, utf8, &s, &units);

    if (rc != YJS_OK)
        return rc;
    yjs__write_u8(w, ANY_STRING);
    yjs__write_var_bytes(w, s.ptr, s.len);
    return w->err;
}

static int put_json(yjs_txn *txn, struct yjs__writer *w, struct yjs_span text)
{
    struct yjs__canon *canon = &txn->doc->txn.canon;
    int rc = canonical(txn, text, true);

    if (rc != YJS_OK)
        return rc;
    return yjs__any_from_json(
        canon, w, (struct yjs__slice){canon->out.data, canon->out.len});
}

static int put_any(yjs_txn *txn, struct yjs__writer *w, struct yjs_span any)
{
    struct yjs__canon *canon = &txn->doc->txn.canon;
    struct yjs__reader r;

    if (any.len == 0)
        return YJS_ERR_MALFORMED;
    yjs__reader_init(&r, any.data, any.len);
    canon->out.len = 0;
    yjs__canon_any(canon, &r);
    if (r.err != YJS_OK)
        return r.err;
    if (canon->out.err != YJS_OK)
        return canon->out.err;
    if (yjs__read_left(&r) > 0)
        return YJS_ERR_MALFORMED;
    yjs__write_bytes(w, canon->out.data, canon->out.len);
    return w->err;
}

int yjs__value_any(yjs_txn *txn, const struct yjs_value *value)
{
    struct yjs__writer *w = &txn->bytes;

    switch (value->kind) {
    case YJS_VALUE_UNDEFINED:
        yjs__write_u8(w, ANY_UNDEFINED);
        break;
    case YJS_VALUE_NULL:
        yjs__write_u8(w, ANY_NULL);
        break;
    case YJS_VALUE_BOOL:
        yjs__write_u8(w, value->boolean ? ANY_TRUE : ANY_FALSE);
        break;
    case YJS_VALUE_NUMBER:
        yjs__canon_number(w, value->number);
        break;
    case YJS_VALUE_BIGINT:
        yjs__write_u8(w, ANY_BIGINT);
        yjs__write_u64(w, (uint64_t)value->bigint);
        break;
    case YJS_VALUE_STRING:
        return put_string(w, value->bytes);
    case YJS_VALUE_JSON:
        return put_json(txn, w, value->bytes);
    case YJS_VALUE_ANY:
        return put_any(txn, w, value->bytes);
    default:
        return YJS_ERR_TYPE;
    }
    return w->err;
}

/* ------------------------------------------------------------------- others */

static int put_type(yjs_txn *txn, const struct yjs_value *value)
{
    struct yjs__writer *w = &txn->bytes;
    struct yjs__slice name;
    uint32_t units;
    int rc;

    if ((unsigned int)value->type_kind > YJS_TYPE_XML_TEXT)
        return YJS_ERR_RANGE;
    yjs__write_varuint(w, value->type_kind);
    if (value->type_kind == YJS_TYPE_XML_ELEMENT ||
        value->type_kind == YJS_TYPE_XML_HOOK) {
        rc = yjs__value_text(&txn->doc->mem, value->name, &name, &units);
        if (rc != YJS_OK)
            return rc;
        yjs__write_var_bytes(w, name.ptr, name.len);
    }
    return w->err;
}

/* Guid and options as they are told, then as Yjs would write them. */
static int put_doc(yjs_txn *txn, const struct yjs_value *value,
                   struct yjs__slice *out)
{
    static const struct yjs_span empty = {(const uint8_t *)"{}", 2};
    struct yjs__view_ctx ctx = {&txn->doc->txn.canon, &txn->doc->txn.arena};
    struct yjs__writer *w = &txn->bytes;
    struct yjs__view view = {0};
    struct yjs__slice guid;
    struct yjs__reader r;
    uint32_t units;
    size_t options;
    int rc = yjs__value_text(&txn->doc->mem, value->name, &guid, &units);

    if (rc != YJS_OK)
        return rc;
    yjs__write_var_bytes(w, guid.ptr, guid.len);
    options = w->len;
    rc = put_json(txn, w, value->options.len > 0 ? value->options : empty);
    if (rc == YJS_OK && w->data[options] != ANY_OBJECT)
        rc = YJS_ERR_MALFORMED;
    if (rc != YJS_OK)
        return rc;
    yjs__reader_init(&r, w->data, w->len);
    yjs__view_read_doc(&r, &ctx, &view);
    *out = view.content;
    return r.err;
}

int yjs__value_content(yjs_txn *txn, const struct yjs_value *value,
                       struct yjs__fresh *out)
{
    struct yjs__writer *w = &txn->bytes;
    struct yjs__slice doc;
    int rc;

    w->len = 0;
    out->len = 1;
    switch (value->kind) {
    case YJS_VALUE_BYTES:
        out->kind = YJS__BINARY;
        if (value->bytes.len > UINT32_MAX / 4)
            return yjs__mem_over(&txn->doc->mem, YJS_LIMIT_DOC_BYTES);
        yjs__write_var_bytes(w, value->bytes.data, value->bytes.len);
        rc = w->err;
        break;
    case YJS_VALUE_TYPE:
        out->kind = YJS__TYPE;
        rc = put_type(txn, value);
        break;
    case YJS_VALUE_DOC:
        out->kind = YJS__DOC;
        rc = put_doc(txn, value, &doc);
        if (rc == YJS_OK)
            out->bytes = doc;
        return rc;
    default:
        out->kind = YJS__ANY;
        rc = yjs__value_any(txn, value);
    }
    out->bytes = (struct yjs__slice){w->data, w->len};
    return rc;
}

int yjs__value_check(yjs_txn *txn, const struct yjs_value *value)
{
    struct yjs__fresh content;

    return yjs__value_content(txn, value, &content);
}
