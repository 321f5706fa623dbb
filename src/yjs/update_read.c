/* SPDX-License-Identifier: MIT */
/*
 * update_read.c: one struct of an update, to and from a view.
 *
 * A canonical content is borrowed from the input; another is rewritten into
 * the arena. An empty content is refused (no encoder writes one, and a struct
 * of length 0 has no place among clocks), and so is whatever would bring a
 * clock over 2^53 - 1.
 *
 * Must never: allocate by a count read from the input.
 */
#include "yjs/update_read.h"

#include "yjs/content.h"
#include "yjs/utf.h"

#define TYPE_REFS 7u

struct yjs__slice yjs__view_settle(struct yjs__reader *r,
                                   const struct yjs__view_ctx *ctx,
                                   struct yjs__slice source)
{
    struct yjs__writer *w = &ctx->canon->out;
    uint8_t *copy;

    if (w->err != YJS_OK)
        yjs__read_fail(r, w->err);
    if (r->err != YJS_OK)
        return (struct yjs__slice){r->pos, 0};
    if (w->len == source.len && memcmp(w->data, source.ptr, w->len) == 0)
        return source;
    copy = yjs__arena_alloc(ctx->arena, w->len + 1);
    if (copy == NULL) {
        yjs__read_fail(r, ctx->arena->mem->err);
        return (struct yjs__slice){r->pos, 0};
    }
    memcpy(copy, w->data, w->len);
    return (struct yjs__slice){copy, w->len};
}

static struct yjs__slice since(const struct yjs__reader *r,
                               const uint8_t *start)
{
    return (struct yjs__slice){start, (size_t)(r->pos - start)};
}

/* ---------------------------------------------------------------- contents */

/*
 * n elements: nothing is written as long as they are plain; from the first
 * that is not, everything is, and compared at the end.
 */
void yjs__view_read_any(struct yjs__reader *r, const struct yjs__view_ctx *ctx,
                        struct yjs__view *v)
{
    struct yjs__writer *w = &ctx->canon->out;
    const uint8_t *start = r->pos;
    bool writing = false;
    uint64_t i;

    w->len = 0;
    for (i = 0; i < v->len && r->err == YJS_OK; i++) {
        const uint8_t *at = r->pos;

        if (yjs__canon_any_plain(r)) {
            if (writing)
                yjs__write_bytes(w, at, (size_t)(r->pos - at));
            continue;
        }
        if (!writing)
            yjs__write_bytes(w, start, (size_t)(at - start));
        writing = true;
        yjs__canon_any(ctx->canon, r);
    }
    v->content = since(r, start);
    if (writing)
        v->content = yjs__view_settle(r, ctx, v->content);
}

/* Write a JSON text with its length before it. */
static void canon_json_string(struct yjs__reader *r,
                              const struct yjs__view_ctx *ctx,
                              struct yjs__slice text)
{
    struct yjs__writer *w = &ctx->canon->out;
    size_t from = w->len, len;
    uint8_t head[10];
    size_t n;
    int rc = yjs__canon_json(ctx->canon, text);

    if (rc != YJS_OK) {
        r->pos = text.ptr;
        yjs__read_fail(r, rc);
        return;
    }
    len = w->len - from;
    n = (size_t)(yjs__put_varuint(head, len) - head);
    if (!yjs__write_reserve(w, n))
        return;
    memmove(w->data + from + n, w->data + from, len);
    memcpy(w->data + from, head, n);
    w->len += n;
}

static bool is_undefined(struct yjs__slice text)
{
    return text.len == 9 && memcmp(text.ptr, "undefined", 9) == 0;
}

/* Length prefix and all, was it written as we would? */
static bool is_shortest(const struct yjs__reader *r, const uint8_t *start,
                        struct yjs__slice s)
{
    return (size_t)(r->pos - start) == yjs__varuint_size(s.len) + s.len;
}

static void read_json_list(struct yjs__reader *r,
                           const struct yjs__view_ctx *ctx,
                           struct yjs__view *v)
{
    struct yjs__writer *w = &ctx->canon->out;
    const uint8_t *start = r->pos;
    bool writing = false, exact = ctx->canon->exact;
    uint64_t i;

    ctx->canon->exact = false; /* these stay texts in either format */
    w->len = 0;
    for (i = 0; i < v->len && r->err == YJS_OK; i++) {
        const uint8_t *at = r->pos;
        struct yjs__slice text = yjs__read_var_string(r);
        bool undefined = is_undefined(text);

        if (r->err != YJS_OK)
            break;
        if (!writing && is_shortest(r, at, text) &&
            (undefined || yjs__canon_json_plain(text)))
            continue;
        if (!writing)
            yjs__write_bytes(w, start, (size_t)(at - start));
        writing = true;
        if (undefined)
            yjs__write_var_bytes(w, text.ptr, text.len);
        else
            canon_json_string(r, ctx, text);
    }
    ctx->canon->exact = exact;
    v->content = since(r, start);
    if (writing)
        v->content = yjs__view_settle(r, ctx, v->content);
}

/* Embed and Format: a JSON text, before it a key if `keyed`. */
static void read_json_value(struct yjs__reader *r,
                            const struct yjs__view_ctx *ctx,
                            struct yjs__view *v, bool keyed)
{
    struct yjs__writer *w = &ctx->canon->out;
    const uint8_t *start = r->pos, *at;
    struct yjs__slice key = {NULL, 0}, text;
    bool shortest = true;

    if (keyed) {
        key = yjs__read_var_string(r);
        shortest = is_shortest(r, start, key);
    }
    at = r->pos;
    text = yjs__read_var_string(r);
    if (r->err != YJS_OK)
        return;
    v->content = since(r, start);
    if (shortest && is_shortest(r, at, text) && yjs__canon_json_plain(text))
        return;
    w->len = 0;
    if (keyed)
        yjs__write_var_bytes(w, key.ptr, key.len);
    canon_json_string(r, ctx, text);
    v->content = yjs__view_settle(r, ctx, v->content);
}

static void read_binary(struct yjs__reader *r, const struct yjs__view_ctx *ctx,
                        struct yjs__view *v)
{
    const uint8_t *start = r->pos;
    struct yjs__slice s = yjs__read_var_bytes(r);

    v->content = since(r, start);
    if (r->err != YJS_OK || is_shortest(r, start, s))
        return;
    ctx->canon->out.len = 0;
    yjs__write_var_bytes(&ctx->canon->out, s.ptr, s.len);
    v->content = yjs__view_settle(r, ctx, v->content);
}

static void read_type(struct yjs__reader *r, const struct yjs__view_ctx *ctx,
                      struct yjs__view *v)
{
    struct yjs__writer *w = &ctx->canon->out;
    const uint8_t *start = r->pos;
    uint64_t ref = yjs__read_varuint(r);
    struct yjs__slice name = {NULL, 0};
    bool named = ref == YJS__TYPE_XML_ELEMENT || ref == YJS__TYPE_XML_HOOK;

    if (ref >= TYPE_REFS)
        yjs__read_fail(r, YJS_ERR_MALFORMED);
    if (named)
        name = yjs__read_var_string(r);
    w->len = 0;
    yjs__write_varuint(w, ref);
    if (named)
        yjs__write_var_bytes(w, name.ptr, name.len);
    v->content = yjs__view_settle(r, ctx, since(r, start));
}

static void read_deleted(struct yjs__reader *r, struct yjs__view *v)
{
    v->len = yjs__read_varuint(r);
    v->content = (struct yjs__slice){r->pos, 0};
}

static void read_string(struct yjs__reader *r, struct yjs__view *v)
{
    struct yjs__slice s = yjs__read_var_bytes(r);
    size_t units = 0;

    if (!yjs__utf8_check(s.ptr, s.len, &units)) {
        r->pos = s.ptr;
        yjs__read_fail(r, YJS_ERR_MALFORMED);
    }
    v->content = s;
    v->len = units;
}

void yjs__view_read_content(struct yjs__reader *r,
                            const struct yjs__view_ctx *ctx,
                            struct yjs__view *v)
{
    v->len = 1;
    switch (yjs__view_kind(v)) {
    case YJS__DELETED:
        read_deleted(r, v);
        return;
    case YJS__JSON:
        v->len = yjs__read_varuint(r);
        read_json_list(r, ctx, v);
        return;
    case YJS__BINARY:
        read_binary(r, ctx, v);
        return;
    case YJS__STRING:
        read_string(r, v);
        return;
    case YJS__EMBED:
        read_json_value(r, ctx, v, false);
        return;
    case YJS__FORMAT:
        read_json_value(r, ctx, v, true);
        return;
    case YJS__TYPE:
        read_type(r, ctx, v);
        return;
    case YJS__ANY:
        v->len = yjs__read_varuint(r);
        yjs__view_read_any(r, ctx, v);
        return;
    case YJS__DOC:
        yjs__view_read_doc(r, ctx, v);
        return;
    default:
        yjs__read_fail(r, YJS_ERR_MALFORMED);
    }
}

/* ----------------------------------------------------------------- structs */

static void read_parent(struct yjs__reader *r, struct yjs__view *v, bool sub)
{
    v->root = yjs__read_varuint(r) == 1;
    if (v->root)
        v->name = yjs__read_var_string(r);
    else
        v->parent = yjs__read_wire_id(r);
    if (sub) {
        v->info |= YJS__INFO_SUB;
        v->sub = yjs__read_var_string(r);
    }
}

void yjs__view_read(struct yjs__reader *r, const struct yjs__view_ctx *ctx,
                    struct yjs__view *v)
{
    const uint8_t *start = r->pos;
    uint8_t info = yjs__read_u8(r);
    uint8_t origins = info & (YJS__INFO_ORIGIN | YJS__INFO_RIGHT);

    v->info = info & YJS__INFO_KIND;
    if (v->info == YJS__GC || v->info == YJS__SKIP) {
        read_deleted(r, v);
    } else {
        v->info |= origins;
        if (origins & YJS__INFO_ORIGIN)
            v->origin = yjs__read_wire_id(r);
        if (origins & YJS__INFO_RIGHT)
            v->right = yjs__read_wire_id(r);
        if (origins == 0)
            read_parent(r, v, (info & YJS__INFO_SUB) != 0);
        yjs__view_read_content(r, ctx, v);
    }
    if ((v->len == 0 && v->info != YJS__SKIP) ||
        v->len > YJS__MAX_INT - v->clock) {
        r->pos = r->err == YJS_OK ? start : r->pos;
        yjs__read_fail(r, YJS_ERR_MALFORMED);
    }
}

static void write_id(struct yjs__writer *w, struct yjs__wire_id id)
{
    yjs__write_varuint(w, id.client);
    yjs__write_varuint(w, id.clock);
}

void yjs__view_write(struct yjs__writer *w, const struct yjs__view *v)
{
    enum yjs__kind kind = yjs__view_kind(v);

    yjs__write_u8(w, v->info);
    if (v->info & YJS__INFO_ORIGIN)
        write_id(w, v->origin);
    if (v->info & YJS__INFO_RIGHT)
        write_id(w, v->right);
    if (yjs__view_has_parent(v)) {
        yjs__write_u8(w, v->root);
        if (v->root)
            yjs__write_var_bytes(w, v->name.ptr, v->name.len);
        else
            write_id(w, v->parent);
        if (v->info & YJS__INFO_SUB)
            yjs__write_var_bytes(w, v->sub.ptr, v->sub.len);
    }
    if (kind == YJS__STRING)
        yjs__write_varuint(w, v->content.len);
    else if (kind == YJS__GC || kind == YJS__SKIP || kind == YJS__DELETED ||
             kind == YJS__JSON || kind == YJS__ANY)
        yjs__write_varuint(w, v->len);
    yjs__write_bytes(w, v->content.ptr, v->content.len);
}

static int cut_content(const struct yjs__view_ctx *ctx, struct yjs__view *v,
                       uint64_t diff)
{
    struct yjs__slice tail;
    uint8_t *copy;
    bool inside;
    int rc = yjs__content_tail(ctx->canon, yjs__view_kind(v), v->content,
                               v->len, diff, &tail, &inside);

    if (rc != YJS_OK)
        return rc;
    v->content = tail;
    if (!inside)
        return YJS_OK;
    copy = yjs__arena_alloc(ctx->arena, tail.len + 3);
    if (copy == NULL)
        return ctx->arena->mem->err;
    memcpy(copy, yjs__utf8_replacement, 3);
    memcpy(copy + 3, tail.ptr, tail.len);
    v->content = (struct yjs__slice){copy, tail.len + 3};
    return YJS_OK;
}

int yjs__view_cut(const struct yjs__view_ctx *ctx, struct yjs__view *v,
                  uint64_t diff)
{
    enum yjs__kind kind = yjs__view_kind(v);
    int rc = YJS_OK;

    if (kind == YJS__STRING || kind == YJS__JSON || kind == YJS__ANY)
        rc = cut_content(ctx, v, diff);
    if (rc != YJS_OK)
        return rc;
    v->clock += diff;
    v->len -= diff;
    if (kind != YJS__GC && kind != YJS__SKIP) {
        v->info |= YJS__INFO_ORIGIN;
        v->origin = (struct yjs__wire_id){v->client, v->clock - 1};
    }
    return YJS_OK;
}
