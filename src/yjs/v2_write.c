/* SPDX-License-Identifier: MIT */
/*
 * v2_write.c: format v1 as format v2.
 *
 * The structs are those that the reader of v1 gives, already canonical. The
 * rest is gathered apart, since the number of its blocks comes before it.
 */
#include "yjs/v2.h"

#include "yjs/any.h"
#include "yjs/column.h"
#include "yjs/deletes.h"
#include "yjs/utf.h"
#include "yjs/walk.h"

/* In the order in which they are written. */
enum {
    KEY_CLOCK,
    CLIENT,
    LEFT,
    RIGHT,
    INFO,
    LENS, /* of strings; the strings themselves come before it */
    PARENT,
    TYPE_REF,
    LEN,
    COLUMNS
};

struct v2_out {
    struct yjs__mem *mem;
    struct yjs__canon *canon;
    struct yjs__column_out col[COLUMNS];
    struct yjs__writer strings;
    struct yjs__writer rest;
    uint64_t keys;
    bool own; /* written here: keep all of info */
    int err;
};

static void put_string(struct v2_out *o, struct yjs__slice s, uint64_t units)
{
    yjs__write_bytes(&o->strings, s.ptr, s.len);
    yjs__column_put_uint(&o->col[LENS], units);
}

/* A string whose length in units is not known yet. */
static void put_text(struct v2_out *o, struct yjs__slice s)
{
    size_t units = 0;

    (void)yjs__utf8_check(s.ptr, s.len, &units);
    put_string(o, s, units);
}

/* Yjs numbers keys, and gives each use a number of its own. */
static void put_key(struct v2_out *o, struct yjs__slice s)
{
    yjs__column_put_diff(&o->col[KEY_CLOCK], o->keys++);
    put_text(o, s);
}

static void put_len(struct v2_out *o, uint64_t len)
{
    yjs__column_put_uint(&o->col[LEN], len);
}

static void put_id(struct v2_out *o, struct yjs__wire_id id, int clock)
{
    yjs__column_put_uint(&o->col[CLIENT], id.client);
    yjs__column_put_diff(&o->col[clock], id.clock);
}

static void put_json(struct v2_out *o, struct yjs__slice text)
{
    int rc = yjs__any_from_json(o->canon, &o->rest, text);

    if (rc != YJS_OK && o->err == YJS_OK)
        o->err = rc;
}

static void put_json_list(struct v2_out *o, const struct yjs__view *v)
{
    struct yjs__reader r;
    uint64_t i;

    put_len(o, v->len);
    yjs__reader_init(&r, v->content.ptr, v->content.len);
    for (i = 0; i < v->len; i++)
        put_text(o, yjs__read_var_bytes(&r));
}

static void put_type(struct v2_out *o, struct yjs__slice content)
{
    struct yjs__reader r;
    uint64_t ref;

    yjs__reader_init(&r, content.ptr, content.len);
    ref = yjs__read_varuint(&r);
    yjs__column_put_uint(&o->col[TYPE_REF], ref);
    if (ref == YJS__TYPE_XML_ELEMENT || ref == YJS__TYPE_XML_HOOK)
        put_key(o, yjs__read_var_bytes(&r));
}

static void put_content(struct v2_out *o, const struct yjs__view *v)
{
    struct yjs__reader r;

    yjs__reader_init(&r, v->content.ptr, v->content.len);
    switch (yjs__view_kind(v)) {
    case YJS__JSON:
        put_json_list(o, v);
        return;
    case YJS__STRING:
        put_string(o, v->content, v->len);
        return;
    case YJS__FORMAT:
        put_key(o, yjs__read_var_bytes(&r));
        put_json(o, yjs__read_var_bytes(&r));
        return;
    case YJS__EMBED:
        put_json(o, yjs__read_var_bytes(&r));
        return;
    case YJS__TYPE:
        put_type(o, v->content);
        return;
    case YJS__DOC:
        put_text(o, yjs__read_var_bytes(&r));
        yjs__write_bytes(&o->rest, r.pos, yjs__read_left(&r));
        return;
    case YJS__SKIP:
        yjs__write_varuint(&o->rest, v->len);
        return;
    case YJS__BINARY:
        break;
    default: /* GC, Deleted, Any */
        put_len(o, v->len);
    }
    yjs__write_bytes(&o->rest, v->content.ptr, v->content.len);
}

static void put_struct(struct v2_out *o, const struct yjs__walk *w)
{
    const struct yjs__view *v = &w->view;

    yjs__column_put_rle(&o->col[INFO], o->own ? w->info : v->info);
    if (v->info & YJS__INFO_ORIGIN)
        put_id(o, v->origin, LEFT);
    if (v->info & YJS__INFO_RIGHT)
        put_id(o, v->right, RIGHT);
    if (yjs__view_has_parent(v)) {
        yjs__column_put_rle(&o->col[PARENT], v->root);
        if (v->root)
            put_text(o, v->name);
        else
            put_id(o, v->parent, LEFT);
        if (v->info & YJS__INFO_SUB)
            put_text(o, v->sub);
    }
    put_content(o, v);
}

/* All structs; the number of blocks written, those that are not empty. */
static uint64_t put_structs(struct v2_out *o, struct yjs__walk *w)
{
    uint64_t blocks = 0, last = 0;
    bool more = yjs__walk_next(w);

    while (more && o->err == YJS_OK) {
        uint64_t client = w->view.client;

        /* Yjs would run the two together, whatever their clocks. */
        if (blocks++ > 0 && client == last) {
            yjs__read_fail(&w->r, YJS_ERR_MALFORMED);
            break;
        }
        last = client;
        yjs__write_varuint(&o->rest, w->structs + 1);
        yjs__column_put_uint(&o->col[CLIENT], client);
        yjs__write_varuint(&o->rest, w->view.clock);
        do {
            bool ends = w->structs == 0;

            put_struct(o, w);
            more = yjs__walk_next(w);
            if (ends)
                break;
        } while (more && o->err == YJS_OK);
    }
    return blocks;
}

static void close_columns(struct v2_out *o)
{
    static const uint8_t diffs[] = {KEY_CLOCK, LEFT, RIGHT};
    static const uint8_t uints[] = {CLIENT, LENS, TYPE_REF, LEN};
    size_t i;

    for (i = 0; i < sizeof(diffs); i++)
        yjs__column_end_diff(&o->col[diffs[i]]);
    for (i = 0; i < sizeof(uints); i++)
        yjs__column_end_uint(&o->col[uints[i]]);
    for (i = 0; i < COLUMNS && o->err == YJS_OK; i++)
        o->err = o->col[i].w.err;
    if (o->err == YJS_OK)
        o->err = o->strings.err;
    if (o->err == YJS_OK)
        o->err = o->rest.err;
}

static void put_strings(struct v2_out *o, struct yjs__writer *out)
{
    const struct yjs__writer *lens = &o->col[LENS].w;
    size_t n = yjs__varuint_size(o->strings.len) + o->strings.len + lens->len;

    yjs__write_varuint(out, n);
    yjs__write_var_bytes(out, o->strings.data, o->strings.len);
    yjs__write_bytes(out, lens->data, lens->len);
}

static void assemble(struct v2_out *o, uint64_t blocks, struct yjs__writer *out)
{
    size_t i, size = o->strings.len + o->rest.len + 128;

    for (i = 0; i < COLUMNS; i++)
        size += o->col[i].w.len;
    (void)yjs__write_reserve(out, size);
    yjs__write_u8(out, 0);
    for (i = 0; i < COLUMNS; i++) {
        if (i == LENS)
            put_strings(o, out);
        else
            yjs__write_var_bytes(out, o->col[i].w.data, o->col[i].w.len);
    }
    yjs__write_varuint(out, blocks);
    yjs__write_bytes(out, o->rest.data, o->rest.len);
}

static int convert(struct v2_out *o, struct yjs__walk *w,
                   struct yjs__writer *out)
{
    struct yjs__vec deletes = {NULL, 0, 0};
    uint64_t blocks = put_structs(o, w);

    close_columns(o);
    if (o->err == YJS_OK)
        yjs__deletes_read(o->mem, &w->r, false, &deletes);
    if (o->err == YJS_OK)
        o->err = w->r.err;
    if (o->err == YJS_OK)
        o->err = yjs__deletes_group(o->mem, &deletes);
    if (o->err == YJS_OK) {
        assemble(o, blocks, out);
        yjs__deletes_write(out, &deletes, true);
        o->err = out->err;
    }
    yjs__vec_trim(o->mem, &deletes, sizeof(struct yjs__range), 0);
    return o->err;
}

int yjs__v1_to_v2(struct yjs__mem *mem, struct yjs__slice update,
                  const struct yjs_limits *limits, bool own,
                  struct yjs__writer *out, size_t *stopped)
{
    struct yjs__canon canon, values;
    struct yjs__arena arena = {mem, NULL};
    struct yjs__view_ctx ctx = {&canon, &arena};
    struct v2_out o = {.mem = mem, .canon = &values, .own = own};
    struct yjs__walk w;
    size_t i;
    int rc;

    *stopped = 0;
    if (update.len > limits->update_bytes)
        return YJS_ERR_LIMIT;
    yjs__canon_init(&canon, mem, limits->depth);
    yjs__canon_init(&values, mem, limits->depth);
    canon.exact = true; /* the value goes on, not its text */
    for (i = 0; i < COLUMNS; i++)
        yjs__writer_init(&o.col[i].w, mem, 0);
    yjs__writer_init(&o.strings, mem, 0);
    yjs__writer_init(&o.rest, mem, 0);
    yjs__walk_init(&w, update, &ctx, limits->structs);
    rc = convert(&o, &w, out);
    *stopped = yjs__read_offset(&w.r);
    if (rc == YJS_OK && out->len > limits->update_bytes)
        rc = YJS_ERR_LIMIT;
    for (i = 0; i < COLUMNS; i++)
        yjs__writer_deinit(&o.col[i].w);
    yjs__writer_deinit(&o.strings);
    yjs__writer_deinit(&o.rest);
    yjs__canon_trim(&canon);
    yjs__canon_trim(&values);
    yjs__arena_free(&arena);
    return rc;
}
