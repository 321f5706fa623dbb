/* SPDX-License-Identifier: MIT */
/*
 * edit_delta.c: the public edits of texts, and deltas.
 *
 * A delta is JSON: [{"insert": "x", "attributes": {...}}, {"retain": 3},
 * {"delete": 1}, ...]. It is brought into canonical form and checked as a
 * whole before anything changes.
 */
#include "yjs/any.h"
#include "yjs/edit_text.h"
#include "yjs/edit_value.h"
#include "yjs/handle.h"
#include "yjs/number.h"
#include "yjs/print.h"
#include "yjs/utf.h"

/* --------------------------------------------------------- JSON, canonical */

int yjs__text_unquote(yjs_txn *txn, struct yjs__slice json,
                      struct yjs__slice *out)
{
    yjs_doc *doc = txn->doc;
    struct yjs__writer *w = &doc->txn.canon.out;
    struct yjs__reader r;
    uint8_t *copy;
    int rc;

    if (memchr(json.ptr, '\\', json.len) == NULL) {
        *out = (struct yjs__slice){json.ptr + 1, json.len - 2};
        return YJS_OK;
    }
    w->len = 0;
    rc = yjs__any_from_json(&doc->txn.canon, w, json);
    if (rc != YJS_OK)
        return rc;
    yjs__reader_init(&r, w->data + 1, w->len - 1);
    *out = yjs__read_var_bytes(&r);
    copy = yjs__arena_alloc(&doc->txn.arena, out->len + 1);
    if (copy == NULL)
        return doc->mem.err;
    memcpy(copy, out->ptr, out->len);
    out->ptr = copy;
    return YJS_OK;
}

/* A way through the members of an object, or the elements of an array. */
struct members {
    const uint8_t *p, *end;
    bool object;
};

static struct members members_of(struct yjs__slice json)
{
    return (struct members){json.ptr + 1, json.ptr + json.len - 1,
                            json.ptr[0] == '{'};
}

/* `name` with its quotes. */
static bool next_member(struct members *m, struct yjs__slice *name,
                        struct yjs__slice *value)
{
    const uint8_t *start;

    if (m->p >= m->end)
        return false;
    if (m->object) {
        start = m->p;
        m->p = yjs__print_json_end(m->p, m->end);
        *name = (struct yjs__slice){start, (size_t)(m->p++ - start)};
    }
    start = m->p;
    m->p = yjs__print_json_end(m->p, m->end);
    *value = (struct yjs__slice){start, (size_t)(m->p - start)};
    m->p += m->p < m->end;
    return true;
}

int yjs__text_give(yjs_txn *txn, struct yjs__slice json)
{
    struct members m = members_of(json);
    struct yjs__slice name, value, key;
    int rc = YJS_OK;

    yjs__attrs_clear(&txn->given);
    while (rc == YJS_OK && next_member(&m, &name, &value)) {
        rc = yjs__text_unquote(txn, name, &key);
        if (rc == YJS_OK)
            rc = yjs__attrs_set(
                &txn->given, key,
                (struct yjs__attr_value){value, {0, YJS__NONE}});
    }
    return rc;
}

/* What the caller gave, if it is an object. */
static int read_attributes(yjs_txn *txn, struct yjs_span attributes)
{
    struct yjs__slice json;
    int rc = yjs__value_json(txn, attributes, &json);

    if (rc == YJS_OK && json.ptr[0] != '{')
        rc = YJS_ERR_MALFORMED;
    return rc == YJS_OK ? yjs__text_give(txn, json) : rc;
}

/* ------------------------------------------------------------ text, embeds */

static int text_content(yjs_txn *txn, struct yjs_span utf8,
                        struct yjs__fresh *out)
{
    out->kind = YJS__STRING;
    return yjs__value_text(&txn->doc->mem, utf8, &out->bytes, &out->len);
}

int yjs__text_embed(yjs_txn *txn, struct yjs__slice json,
                    struct yjs__fresh *out)
{
    struct yjs__writer *w = &txn->bytes;
    struct yjs__slice text;
    size_t units;
    int rc;

    if (json.ptr[0] == '"') {
        rc = yjs__text_unquote(txn, json, &text);
        if (rc != YJS_OK)
            return rc;
        (void)yjs__utf8_check(text.ptr, text.len, &units);
        *out = (struct yjs__fresh){YJS__STRING, (uint32_t)units, text};
        return YJS_OK;
    }
    w->len = 0;
    yjs__write_var_bytes(w, json.ptr, json.len);
    *out = (struct yjs__fresh){YJS__EMBED, 1, {w->data, w->len}};
    return w->err;
}

/* A value that is not JSON yet as JSON; what Yjs can embed. */
static int embed_content(yjs_txn *txn, const struct yjs_value *value,
                         struct yjs__fresh *out)
{
    struct yjs__canon *canon = &txn->doc->txn.canon;
    struct yjs__slice json;
    struct yjs__reader r;
    int rc;

    switch (value->kind) {
    case YJS_VALUE_TYPE:
        return yjs__value_content(txn, value, out);
    case YJS_VALUE_STRING:
        return text_content(txn, value->bytes, out);
    case YJS_VALUE_JSON:
        rc = yjs__value_json(txn, value->bytes, &json);
        if (rc == YJS_OK && yjs__attrs_is_null(json))
            rc = YJS_ERR_TYPE;
        return rc == YJS_OK ? yjs__text_embed(txn, json, out) : rc;
    case YJS_VALUE_BOOL:
    case YJS_VALUE_NUMBER:
    case YJS_VALUE_ANY:
        break;
    default:
        return YJS_ERR_TYPE;
    }
    txn->bytes.len = txn->delta.len = 0;
    rc = yjs__value_any(txn, value);
    if (rc != YJS_OK)
        return rc;
    yjs__reader_init(&r, txn->bytes.data, txn->bytes.len);
    rc = yjs__print_any(canon, &txn->delta, &r);
    if (rc != YJS_OK)
        return rc;
    json = (struct yjs__slice){txn->delta.data, txn->delta.len};
    return yjs__attrs_is_null(json) ? YJS_ERR_TYPE
                                    : yjs__text_embed(txn, json, out);
}

/* Without attributes given: those in force at the place. */
static int inherit(yjs_txn *txn)
{
    const struct yjs__attr *e;
    size_t at = 0;
    int rc = YJS_OK;

    yjs__attrs_clear(&txn->given);
    while (rc == YJS_OK && (e = yjs__attrs_next(&txn->current, &at)) != NULL)
        rc = yjs__attrs_set(&txn->given, e->key, e->value);
    return rc;
}

static int put_at(yjs_txn *txn, struct yjs__type *type, uint64_t index,
                  const struct yjs__fresh *content, bool inherits)
{
    struct yjs__place place;
    int rc = yjs__text_start(txn, type, &place);

    if (rc == YJS_OK)
        rc = yjs__text_seek(&place, index);
    if (rc == YJS_OK && inherits)
        rc = inherit(txn);
    return rc == YJS_OK ? yjs__text_put(&place, content) : rc;
}

int yjs_text_insert(yjs_txn *txn, struct yjs_type text, uint64_t index,
                    struct yjs_span utf8, struct yjs_span attributes)
{
    struct yjs__fresh content;
    struct yjs__type *type;
    int rc = yjs__edit_type(txn, text, YJS__TEXTS, &type);

    if (rc == YJS_OK && index > type->length)
        rc = YJS_ERR_RANGE;
    if (rc == YJS_OK)
        rc = text_content(txn, utf8, &content);
    if (rc == YJS_OK && attributes.data != NULL)
        rc = read_attributes(txn, attributes);
    if (rc == YJS_OK && content.len > 0)
        rc = put_at(txn, type, index, &content, attributes.data == NULL);
    return yjs__edit_end(txn, rc);
}

/*
 * The content is made twice where formats come in between: they use the same
 * scratch. Only a copy in the arena lives on.
 */
static int keep_content(yjs_txn *txn, struct yjs__fresh *content)
{
    uint8_t *copy = yjs__arena_alloc(&txn->doc->txn.arena,
                                     content->bytes.len + 1);

    if (copy == NULL)
        return txn->doc->mem.err;
    memcpy(copy, content->bytes.ptr, content->bytes.len);
    content->bytes.ptr = copy;
    return YJS_OK;
}

int yjs_text_insert_embed(yjs_txn *txn, struct yjs_type text, uint64_t index,
                          const struct yjs_value *embed,
                          struct yjs_span attributes)
{
    struct yjs__fresh content;
    struct yjs__type *type;
    int rc = yjs__edit_type(txn, text, YJS__TEXTS, &type);

    if (rc == YJS_OK && index > type->length)
        rc = YJS_ERR_RANGE;
    if (rc == YJS_OK)
        rc = embed_content(txn, embed, &content);
    if (rc == YJS_OK && content.len == 0)
        rc = YJS_ERR_RANGE;
    if (rc == YJS_OK)
        rc = keep_content(txn, &content);
    yjs__attrs_clear(&txn->given);
    if (rc == YJS_OK && attributes.data != NULL)
        rc = read_attributes(txn, attributes);
    if (rc == YJS_OK)
        rc = put_at(txn, type, index, &content, false);
    return yjs__edit_end(txn, rc);
}

/* ------------------------------------------------------- delete and format */

static int find_range(yjs_txn *txn, struct yjs_type text, uint64_t index,
                      uint64_t len, struct yjs__type **type)
{
    int rc = yjs__edit_type(txn, text, YJS__TEXTS, type);

    if (rc == YJS_OK &&
        (index > (*type)->length || len > (*type)->length - index))
        rc = YJS_ERR_RANGE;
    return rc;
}

int yjs_text_delete(yjs_txn *txn, struct yjs_type text, uint64_t index,
                    uint64_t len)
{
    struct yjs__place place;
    struct yjs__type *type;
    int rc = find_range(txn, text, index, len, &type);

    if (rc != YJS_OK || len == 0)
        return yjs__edit_end(txn, rc);
    rc = yjs__text_start(txn, type, &place);
    if (rc == YJS_OK)
        rc = yjs__text_seek(&place, index);
    if (rc == YJS_OK)
        rc = yjs__text_cut(&place, len);
    return yjs__edit_end(txn, rc);
}

int yjs_text_format(yjs_txn *txn, struct yjs_type text, uint64_t index,
                    uint64_t len, struct yjs_span attributes)
{
    struct yjs__place place;
    struct yjs__type *type;
    int rc = find_range(txn, text, index, len, &type);

    if (rc == YJS_OK)
        rc = read_attributes(txn, attributes);
    if (rc != YJS_OK || len == 0)
        return yjs__edit_end(txn, rc);
    rc = yjs__text_start(txn, type, &place);
    if (rc == YJS_OK)
        rc = yjs__text_seek(&place, index);
    if (rc == YJS_OK)
        rc = yjs__text_mark(&place, len);
    return yjs__edit_end(txn, rc);
}

/* ------------------------------------------------------------------- deltas */

enum delta_kind { NOTHING, INSERT, RETAIN, DELETE };

struct delta_op {
    enum delta_kind kind;
    uint64_t count;
    struct yjs__slice insert; /* JSON */
    struct yjs__slice attributes;
};

static bool is_name(struct yjs__slice quoted, const char *name)
{
    return quoted.len == strlen(name) + 2 &&
           memcmp(quoted.ptr + 1, name, quoted.len - 2) == 0;
}

static int read_count(struct yjs__slice json, uint64_t *out)
{
    double v;

    if (json.ptr[0] < '0' || json.ptr[0] > '9')
        return YJS_ERR_MALFORMED;
    v = yjs__number_parse(json.ptr, json.len);
    if (!(v >= 0 && v <= (double)YJS__MAX_INT) || v != (double)(uint64_t)v)
        return YJS_ERR_MALFORMED;
    *out = (uint64_t)v;
    return YJS_OK;
}

/* Of several kinds in one operation Yjs takes the first in this order. */
static int take_member(struct delta_op *op, struct yjs__slice name,
                       struct yjs__slice value)
{
    if (is_name(name, "insert")) {
        if (yjs__attrs_is_null(value))
            return YJS_ERR_MALFORMED;
        op->kind = INSERT;
        op->insert = value;
    } else if (is_name(name, "retain") && op->kind != INSERT) {
        op->kind = RETAIN;
        return read_count(value, &op->count);
    } else if (is_name(name, "delete") && op->kind == NOTHING) {
        op->kind = DELETE;
        return read_count(value, &op->count);
    } else if (is_name(name, "attributes") && !yjs__attrs_is_null(value)) {
        if (value.ptr[0] != '{')
            return YJS_ERR_MALFORMED;
        op->attributes = value;
    }
    return YJS_OK;
}

static int read_op(struct yjs__slice json, struct delta_op *op)
{
    struct members m = members_of(json);
    struct yjs__slice name, value;
    int rc = YJS_OK;

    *op = (struct delta_op){.attributes = {(const uint8_t *)"{}", 2}};
    if (json.ptr[0] != '{')
        return YJS_ERR_MALFORMED;
    while (rc == YJS_OK && next_member(&m, &name, &value))
        rc = take_member(op, name, value);
    return rc;
}

static int insert_op(struct yjs__place *place, const struct delta_op *op)
{
    struct yjs__fresh content;
    int rc = yjs__text_embed(place->txn, op->insert, &content);

    if (rc != YJS_OK || content.len == 0)
        return rc;
    if (content.kind == YJS__EMBED)
        rc = keep_content(place->txn, &content);
    return rc == YJS_OK ? yjs__text_put(place, &content) : rc;
}

static int run_op(struct yjs__place *place, const struct delta_op *op)
{
    int rc;

    if (op->kind == NOTHING)
        return YJS_OK;
    if (op->kind == DELETE)
        return yjs__text_cut(place, op->count);
    rc = yjs__text_give(place->txn, op->attributes);
    if (rc != YJS_OK)
        return rc;
    return op->kind == RETAIN ? yjs__text_mark(place, op->count)
                              : insert_op(place, op);
}

/* Read all operations; with a place, also do what they say. */
static int run_delta(struct yjs__slice delta, struct yjs__place *place)
{
    struct members m = members_of(delta);
    struct yjs__slice name, value;
    struct delta_op op;
    int rc = delta.ptr[0] == '[' ? YJS_OK : YJS_ERR_MALFORMED;

    while (rc == YJS_OK && next_member(&m, &name, &value)) {
        rc = read_op(value, &op);
        if (rc == YJS_OK && place != NULL)
            rc = run_op(place, &op);
    }
    return rc;
}

int yjs_text_apply_delta(yjs_txn *txn, struct yjs_type text,
                         struct yjs_span delta)
{
    struct yjs__place place;
    struct yjs__slice json;
    struct yjs__type *type;
    int rc = yjs__edit_type(txn, text, YJS__TEXTS, &type);

    if (rc == YJS_OK)
        rc = yjs__value_json(txn, delta, &json);
    if (rc == YJS_OK)
        rc = run_delta(json, NULL);
    if (rc == YJS_OK)
        rc = yjs__text_start(txn, type, &place);
    if (rc == YJS_OK)
        rc = run_delta(json, &place);
    return yjs__edit_end(txn, rc);
}
