/* SPDX-License-Identifier: MIT */
/*
 * dump.c: an update for reading eyes, struct by struct.
 */
#include "yjs/update.h"

#include "yjs/deletes.h"
#include "yjs/print.h"

#include <inttypes.h>
#include <stdio.h>

/* -------------------------------------------------------------------- visit */

static struct yjs_span span_of(struct yjs__slice s)
{
    return (struct yjs_span){s.ptr, s.len};
}

static struct yjs_id id_of(struct yjs__wire_id id)
{
    return (struct yjs_id){id.client, id.clock};
}

static struct yjs_struct struct_of(const struct yjs__view *v)
{
    struct yjs_struct s = {.id = {v->client, v->clock},
                           .len = v->len,
                           .kind = (enum yjs_kind)yjs__view_kind(v),
                           .content = span_of(v->content)};
    bool parent = yjs__view_has_parent(v);

    s.has_origin = (v->info & YJS__INFO_ORIGIN) != 0;
    s.has_right = (v->info & YJS__INFO_RIGHT) != 0;
    s.has_root = parent && v->root;
    s.has_parent = parent && !v->root;
    s.has_key = parent && (v->info & YJS__INFO_SUB) != 0;
    if (s.has_origin)
        s.origin = id_of(v->origin);
    if (s.has_right)
        s.right = id_of(v->right);
    if (s.has_root)
        s.root = span_of(v->name);
    if (s.has_parent)
        s.parent = id_of(v->parent);
    if (s.has_key)
        s.key = span_of(v->sub);
    return s;
}

static int visit_deletes(struct yjs__update_op *op, struct yjs__walk *w,
                         const struct yjs_update_visitor *visitor)
{
    struct yjs__vec ds = {NULL, 0, 0};
    size_t i;
    int rc = YJS_OK;

    yjs__deletes_read(&op->mem, &w->r, false, &ds);
    for (i = 0; i < ds.len && w->r.err == YJS_OK && rc == 0; i++) {
        const struct yjs__range *r = yjs__idset_at(&ds, i);

        if (visitor->on_delete != NULL)
            rc = visitor->on_delete(visitor->ctx,
                                    (struct yjs_id){r->client, r->clock},
                                    r->len);
    }
    yjs__vec_trim(&op->mem, &ds, sizeof(struct yjs__range), 0);
    return rc;
}

int yjs_update_visit(struct yjs_span update,
                     const struct yjs_update_options *opt,
                     const struct yjs_update_visitor *visitor,
                     struct yjs_update_error *err, size_t *out_read)
{
    struct yjs__update_op op;
    struct yjs__slice v1;
    struct yjs__walk w;

    yjs__update_op_init(&op, opt);
    v1 = yjs__update_op_v1(&op, update);
    if (op.rc != YJS_OK)
        return yjs__update_op_end(&op, err);
    yjs__walk_init(&w, v1, &op.ctx, op.limits.structs);
    while (op.rc == YJS_OK && yjs__walk_next(&w)) {
        struct yjs_struct s = struct_of(&w.view);

        if (visitor->on_struct != NULL)
            op.rc = visitor->on_struct(visitor->ctx, &s);
        if (op.arena.blocks != NULL)
            yjs__arena_free(&op.arena);
    }
    if (op.rc == YJS_OK)
        op.rc = visit_deletes(&op, &w, visitor);
    if (op.rc == YJS_OK && w.r.err != YJS_OK) {
        op.rc = w.r.err;
        op.error.offset = yjs__read_offset(&w.r);
    }
    if (op.rc == YJS_OK && out_read != NULL)
        *out_read = op.v2 ? op.read : yjs__read_offset(&w.r);
    return yjs__update_op_end(&op, err);
}

/* -------------------------------------------------------------------- lines */

struct dump {
    struct yjs__mem mem;
    struct yjs__canon canon;
    struct yjs__writer line;
    size_t max; /* bytes of a value */
    int (*fn)(void *ctx, const char *text);
    void *ctx;
};

static void put(struct dump *d, const char *text)
{
    yjs__write_bytes(&d->line, text, strlen(text));
}

static void put_id(struct dump *d, const char *before, struct yjs_id id)
{
    char text[64];

    snprintf(text, sizeof(text), "%s%" PRIu64 "@%" PRIu64, before, id.client,
             id.clock);
    put(d, text);
}

static void put_len(struct dump *d, uint64_t len)
{
    char text[32];

    snprintf(text, sizeof(text), " len %" PRIu64, len);
    put(d, text);
}

static void put_quoted(struct dump *d, const char *before, struct yjs_span s)
{
    bool cut = s.len > d->max;

    if (cut)
        for (s.len = d->max; s.len > 0 && (s.data[s.len] & 0xc0) == 0x80;)
            s.len--;
    put(d, before);
    put(d, "\"");
    yjs__print_text(&d->line, (struct yjs__slice){s.data, s.len});
    put(d, cut ? "\"..." : "\"");
}

/* Shorten what was written since `from`. */
static void cut_value(struct dump *d, size_t from)
{
    struct yjs__writer *w = &d->line;
    size_t len = from + d->max;

    if (w->err != YJS_OK || w->len <= len)
        return;
    while (len > from && (w->data[len] & 0xc0) == 0x80)
        len--;
    w->len = len;
    put(d, "...");
}

static void put_any(struct dump *d, struct yjs__reader *r)
{
    int rc;

    if (yjs__print_is_undefined(r)) {
        put(d, "undefined");
        r->pos++;
        return;
    }
    rc = yjs__print_any(&d->canon, &d->line, r);
    if (rc != YJS_OK && d->line.err == YJS_OK)
        d->line.err = rc;
}

/* Elements, as many as there is room to show. */
static void put_list(struct dump *d, const struct yjs_struct *s,
                     struct yjs__reader *r)
{
    size_t from = d->line.len;
    uint64_t i;

    put(d, " [");
    for (i = 0; i < s->len && d->line.len - from <= d->max; i++) {
        struct yjs__slice text;

        put(d, i > 0 ? "," : "");
        if (s->kind == YJS_KIND_ANY) {
            put_any(d, r);
        } else {
            text = yjs__read_var_bytes(r);
            yjs__write_bytes(&d->line, text.ptr, text.len);
        }
        if (d->line.err != YJS_OK)
            return;
    }
    put(d, "]");
    cut_value(d, from);
}

static void put_binary(struct dump *d, struct yjs__slice bytes)
{
    char text[32];
    size_t i;

    snprintf(text, sizeof(text), " %zu bytes ", bytes.len);
    put(d, text);
    for (i = 0; i < bytes.len && i < d->max / 2; i++) {
        snprintf(text, sizeof(text), "%02x", bytes.ptr[i]);
        put(d, text);
    }
    if (i < bytes.len)
        put(d, "...");
}

static void put_type(struct dump *d, struct yjs__reader *r)
{
    static const char *const names[] = {
        " array",       " map",     " text",    " xml element",
        " xml fragment", " xml hook", " xml text"};
    uint64_t ref = yjs__read_varuint(r);
    struct yjs__slice name;

    put(d, names[ref]);
    if (ref != YJS__TYPE_XML_ELEMENT && ref != YJS__TYPE_XML_HOOK)
        return;
    name = yjs__read_var_bytes(r);
    put_quoted(d, " ", span_of(name));
}

static void put_text(struct dump *d, struct yjs__slice text)
{
    size_t from = d->line.len + 1;

    put(d, " ");
    yjs__write_bytes(&d->line, text.ptr, text.len);
    cut_value(d, from);
}

static void put_content(struct dump *d, const struct yjs_struct *s)
{
    struct yjs__reader r;
    size_t from;

    yjs__reader_init(&r, s->content.data, s->content.len);
    switch (s->kind) {
    case YJS_KIND_STRING:
        put_quoted(d, " ", s->content);
        return;
    case YJS_KIND_JSON:
    case YJS_KIND_ANY:
        put_list(d, s, &r);
        return;
    case YJS_KIND_BINARY:
        put_binary(d, yjs__read_var_bytes(&r));
        return;
    case YJS_KIND_FORMAT:
        put_quoted(d, " ", span_of(yjs__read_var_bytes(&r)));
        put(d, " =");
        put_text(d, yjs__read_var_bytes(&r));
        return;
    case YJS_KIND_EMBED:
        put_text(d, yjs__read_var_bytes(&r));
        return;
    case YJS_KIND_TYPE:
        put_type(d, &r);
        return;
    case YJS_KIND_DOC:
        put_quoted(d, " ", span_of(yjs__read_var_bytes(&r)));
        put(d, " ");
        from = d->line.len;
        put_any(d, &r);
        cut_value(d, from);
        return;
    default:
        return;
    }
}

static int end_line(struct dump *d)
{
    yjs__write_u8(&d->line, 0);
    if (d->line.err != YJS_OK)
        return d->line.err;
    return d->fn(d->ctx, (const char *)d->line.data);
}

static int dump_struct(void *ctx, const struct yjs_struct *s)
{
    static const char *const kinds[] = {
        " gc",     " deleted", " json", " binary", " string", " embed",
        " format", " type",    " any",  " doc",    " skip"};
    struct dump *d = ctx;

    d->line.len = 0;
    put_id(d, "", s->id);
    put_len(d, s->len);
    put(d, kinds[s->kind]);
    put_content(d, s);
    if (s->has_origin)
        put_id(d, " after ", s->origin);
    if (s->has_right)
        put_id(d, " before ", s->right);
    if (s->has_root)
        put_quoted(d, " in root ", s->root);
    if (s->has_parent)
        put_id(d, " in ", s->parent);
    if (s->has_key)
        put_quoted(d, " key ", s->key);
    return end_line(d);
}

static int dump_delete(void *ctx, struct yjs_id first, uint64_t len)
{
    struct dump *d = ctx;

    d->line.len = 0;
    put_id(d, "delete ", first);
    put_len(d, len);
    return end_line(d);
}

int yjs_update_dump(struct yjs_span update,
                    const struct yjs_update_options *opt, size_t value_bytes,
                    int (*line)(void *ctx, const char *text), void *ctx,
                    struct yjs_update_error *err)
{
    struct dump d = {.fn = line, .ctx = ctx};
    struct yjs_update_visitor visitor = {dump_struct, dump_delete, &d};
    int rc;

    d.max = value_bytes > 0 ? value_bytes : 80;
    yjs__mem_init(&d.mem, opt != NULL ? &opt->alloc : NULL, 0);
    yjs__canon_init(&d.canon, &d.mem, SIZE_MAX);
    yjs__writer_init(&d.line, &d.mem, 0);
    rc = yjs_update_visit(update, opt, &visitor, err, NULL);
    yjs__canon_trim(&d.canon);
    yjs__writer_deinit(&d.line);
    return rc;
}
