/* SPDX-License-Identifier: MIT */
/*
 * subdoc.c: the content of kind DOC, as Yjs would write it back.
 *
 * Yjs makes a Doc of the guid and the options, and later writes down what it
 * finds in that Doc: `gc: false` if collection is off, `autoLoad: true`, and
 * `meta` unless it is null, in this order. All other options are lost; one of
 * the name `guid` takes the place of the guid.
 */
#include "yjs/update_read.h"

struct options {
    struct yjs__slice guid, meta;
    bool gc_off, auto_load;
};

static bool is_truthy(struct yjs__slice value)
{
    static const uint8_t zeros[8] = {0};
    static const uint8_t nan[8] = {0x7f, 0xf8};

    switch (value.ptr[0]) {
    case 119: /* string */
        return value.ptr[1] != 0;
    case 121: /* false */
    case 126: /* null */
    case 127: /* undefined */
        return false;
    case 122: /* int64 */
        return memcmp(value.ptr + 1, zeros, 8) != 0;
    case 123: /* float64 */
        return memcmp(value.ptr + 1, nan, 8) != 0;
    case 125: /* varint */
        return value.len > 2 || (value.ptr[1] & 0x3f) != 0;
    default:
        return true;
    }
}

static bool is_name(struct yjs__slice s, const char *name)
{
    return s.len == strlen(name) && memcmp(s.ptr, name, s.len) == 0;
}

static int take_option(struct options *o, struct yjs__slice name,
                       struct yjs__slice value)
{
    uint8_t tag = value.ptr[0];
    struct yjs__reader r;

    if (is_name(name, "gc")) {
        o->gc_off = tag != 127 && !is_truthy(value);
    } else if (is_name(name, "autoLoad")) {
        o->auto_load = is_truthy(value);
    } else if (is_name(name, "meta")) {
        if (tag != 127 && tag != 126)
            o->meta = value;
    } else if (is_name(name, "guid")) {
        if (tag != 119)
            return YJS_ERR_MALFORMED; /* Yjs would make one up */
        yjs__reader_init(&r, value.ptr + 1, value.len - 1);
        o->guid = yjs__read_var_bytes(&r);
    }
    return YJS_OK;
}

/* `any` is canonical. */
static int read_options(struct yjs__canon *canon, struct yjs__slice any,
                        struct options *o)
{
    struct yjs__reader r;
    uint64_t n;
    int rc = YJS_OK;

    if (any.ptr[0] == 126 || any.ptr[0] == 127)
        return YJS_ERR_MALFORMED; /* Yjs reads a property of it: TypeError */
    if (any.ptr[0] != 118)
        return YJS_OK;
    yjs__reader_init(&r, any.ptr + 1, any.len - 1);
    for (n = yjs__read_varuint(&r); n > 0 && rc == YJS_OK; n--) {
        struct yjs__slice name = yjs__read_var_bytes(&r);
        const uint8_t *start = r.pos;

        rc = yjs__canon_any_skip(canon, &r);
        if (rc == YJS_OK)
            rc = take_option(
                o, name,
                (struct yjs__slice){start, (size_t)(r.pos - start)});
    }
    return rc;
}

static void write_options(struct yjs__writer *w, const struct options *o)
{
    static const char gc[] = "\2gc\171", auto_load[] = "\10autoLoad\170",
                      meta[] = "\4meta";

    yjs__write_var_bytes(w, o->guid.ptr, o->guid.len);
    yjs__write_u8(w, 118);
    yjs__write_u8(w, (uint8_t)(o->gc_off + o->auto_load +
                               (o->meta.ptr != NULL)));
    if (o->gc_off)
        yjs__write_bytes(w, gc, sizeof(gc) - 1);
    if (o->auto_load)
        yjs__write_bytes(w, auto_load, sizeof(auto_load) - 1);
    if (o->meta.ptr != NULL) {
        yjs__write_bytes(w, meta, sizeof(meta) - 1);
        yjs__write_bytes(w, o->meta.ptr, o->meta.len);
    }
}

void yjs__view_read_doc(struct yjs__reader *r, const struct yjs__view_ctx *ctx,
                        struct yjs__view *v)
{
    struct yjs__writer *w = &ctx->canon->out;
    const uint8_t *start = r->pos;
    struct options o = {.guid = yjs__read_var_string(r)};
    const uint8_t *options_at = r->pos;
    struct yjs__slice any;
    int rc;

    w->len = 0;
    yjs__canon_any(ctx->canon, r);
    /* The options must outlive the rewriting that follows. */
    any = yjs__view_settle(r, ctx,
                           (struct yjs__slice){options_at,
                                               (size_t)(r->pos - options_at)});
    if (r->err != YJS_OK)
        return;
    rc = read_options(ctx->canon, any, &o);
    if (rc != YJS_OK) {
        r->pos = options_at;
        yjs__read_fail(r, rc);
        return;
    }
    w->len = 0;
    write_options(w, &o);
    v->content = yjs__view_settle(
        r, ctx, (struct yjs__slice){start, (size_t)(r->pos - start)});
}
