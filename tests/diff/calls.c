/* SPDX-License-Identifier: MIT */
/*
 * Reads edits (calls.h) and makes them.
 */
#include "calls.h"

#include <stdlib.h>
#include <string.h>

enum call {
    ARRAY_INSERT = 1,
    ARRAY_PUSH,
    ARRAY_DELETE,
    TEXT_INSERT,
    TEXT_EMBED,
    TEXT_DELETE,
    TEXT_FORMAT,
    TEXT_DELTA,
    MAP_SET,
    MAP_DELETE,
    MAP_CLEAR
};

enum { VALUES_MAX = 1024 };

struct args {
    const uint8_t *p, *end;
};

/* --------------------------------------------------------------- arguments */

static uint64_t take(struct args *a, size_t n)
{
    uint64_t v = 0;

    if ((size_t)(a->end - a->p) < n)
        abort();
    for (size_t i = n; i > 0; i--)
        v = v << 8 | a->p[i - 1];
    a->p += n;
    return v;
}

static struct yjs_span take_string(struct args *a)
{
    size_t n = (size_t)take(a, 4);
    struct yjs_span s = {a->p, n};

    if ((size_t)(a->end - a->p) < n)
        abort();
    a->p += n;
    return s;
}

static struct yjs_span take_optional(struct args *a)
{
    if (take(a, 1) == 0)
        return (struct yjs_span){NULL, 0};
    return take_string(a);
}

static int take_type(yjs_doc *doc, struct args *a, struct yjs_type *out)
{
    struct yjs_span name;

    *out = (struct yjs_type){NULL, {0, 0}};
    if (take(a, 1) == 1) {
        name = take_string(a);
        return yjs_doc_root(doc, name, (enum yjs_type_kind)take(a, 1), out);
    }
    out->id.client = take(a, 8);
    out->id.clock = take(a, 8);
    return YJS_OK;
}

static void take_value(struct args *a, struct yjs_value *v)
{
    uint64_t bits;

    memset(v, 0, sizeof(*v));
    v->kind = (enum yjs_value_kind)take(a, 1);
    switch (v->kind) {
    case YJS_VALUE_UNDEFINED:
    case YJS_VALUE_NULL:
        break;
    case YJS_VALUE_BOOL:
        v->boolean = take(a, 1) != 0;
        break;
    case YJS_VALUE_NUMBER:
        bits = take(a, 8);
        memcpy(&v->number, &bits, sizeof(bits));
        break;
    case YJS_VALUE_BIGINT:
        v->bigint = (int64_t)take(a, 8);
        break;
    case YJS_VALUE_TYPE:
        v->type_kind = (enum yjs_type_kind)take(a, 1);
        v->name = take_string(a);
        break;
    case YJS_VALUE_DOC:
        v->name = take_string(a);
        v->options = take_string(a);
        break;
    default:
        v->bytes = take_string(a);
    }
}

/* ------------------------------------------------------------------- calls */

static int list_call(yjs_txn *txn, enum call call, struct yjs_type type,
                     struct args *a)
{
    static struct yjs_value values[VALUES_MAX];
    uint64_t index = call == ARRAY_INSERT ? take(a, 8) : 0;
    size_t n = (size_t)take(a, 2);

    if (n > VALUES_MAX)
        abort();
    for (size_t i = 0; i < n; i++)
        take_value(a, &values[i]);
    return call == ARRAY_INSERT
               ? yjs_array_insert(txn, type, index, values, n)
               : yjs_array_push(txn, type, values, n);
}

static int map_call(yjs_txn *txn, enum call call, struct yjs_type type,
                    struct args *a)
{
    struct yjs_span key;
    struct yjs_value value;

    if (call == MAP_CLEAR)
        return yjs_map_clear(txn, type);
    key = take_string(a);
    if (call == MAP_DELETE)
        return yjs_map_delete(txn, type, key);
    take_value(a, &value);
    return yjs_map_set(txn, type, key, &value);
}

static int text_call(yjs_txn *txn, enum call call, struct yjs_type type,
                     struct args *a)
{
    struct yjs_value value;
    struct yjs_span s;
    uint64_t index, len;

    if (call == TEXT_DELTA)
        return yjs_text_apply_delta(txn, type, take_string(a));
    index = take(a, 8);
    if (call == TEXT_INSERT) {
        s = take_string(a);
        return yjs_text_insert(txn, type, index, s, take_optional(a));
    }
    if (call == TEXT_EMBED) {
        take_value(a, &value);
        return yjs_text_insert_embed(txn, type, index, &value,
                                     take_optional(a));
    }
    len = take(a, 8);
    if (call == TEXT_DELETE)
        return yjs_text_delete(txn, type, index, len);
    return yjs_text_format(txn, type, index, len, take_string(a));
}

static int one_call(yjs_doc *doc, yjs_txn *txn, struct args *a)
{
    enum call call = (enum call)take(a, 1);
    struct yjs_type type;
    uint64_t index;
    int found = take_type(doc, a, &type), rc;

    switch (call) {
    case ARRAY_INSERT:
    case ARRAY_PUSH:
        rc = list_call(txn, call, type, a);
        break;
    case ARRAY_DELETE:
        index = take(a, 8);
        rc = yjs_array_delete(txn, type, index, take(a, 8));
        break;
    case MAP_SET:
    case MAP_DELETE:
    case MAP_CLEAR:
        rc = map_call(txn, call, type, a);
        break;
    default:
        if (call > TEXT_DELTA || call < TEXT_INSERT)
            abort();
        rc = text_call(txn, call, type, a);
    }
    return found == YJS_ERR_NOMEM ? found : rc;
}

int calls_run(yjs_doc *doc, const uint8_t *data, const uint8_t *end,
              bool commit, uint32_t *refused)
{
    struct args a = {data, end};
    yjs_txn *txn;
    int rc = yjs_txn_begin(doc, NULL, &txn);

    *refused = 0;
    if (rc < 0)
        return rc;
    while (a.p < end) {
        rc = one_call(doc, txn, &a);
        if (rc == YJS_ERR_NOMEM || rc == YJS_ERR_LIMIT) {
            yjs_txn_abort(txn);
            return rc;
        }
        *refused += rc < 0;
    }
    if (commit)
        return yjs_txn_commit(txn);
    yjs_txn_abort(txn);
    return YJS_OK;
}

/* ------------------------------------------------------------- the updates */

static void put(struct told *t, const void *data, size_t len)
{
    if (t->len + len > t->cap) {
        t->cap = 2 * (t->len + len);
        t->data = realloc(t->data, t->cap);
        if (t->data == NULL)
            abort();
    }
    if (len > 0)
        memcpy(t->data + t->len, data, len);
    t->len += len;
}

static void put_string(struct told *t, struct yjs_span s)
{
    uint8_t head[4] = {(uint8_t)s.len, (uint8_t)(s.len >> 8),
                       (uint8_t)(s.len >> 16), (uint8_t)(s.len >> 24)};

    put(t, head, sizeof(head));
    put(t, s.data, s.len);
}

void told_add(void *ctx, const struct yjs_update_event *event)
{
    struct told *t = ctx;
    uint8_t local = event->local;

    t->failed = t->failed || event->err != YJS_OK;
    put(t, &local, 1);
    put_string(t, event->v1);
    put_string(t, event->v2);
}
