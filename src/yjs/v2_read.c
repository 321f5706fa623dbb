/* SPDX-License-Identifier: MIT */
/*
 * v2_read.c: format v2 as format v1.
 *
 * A few bytes of columns can stand for millions of structs. So an update is
 * decoded twice: once to check and measure it, in memory that its own size
 * bounds, then, when no limit was met, into a buffer of the size now known.
 *
 * Each content is put together as v1 would have it and goes through the reader
 * of v1, so that there is one opinion on what is acceptable and canonical.
 *
 * Must never: take memory by a count that the input claims.
 */
#include "yjs/v2.h"

#include "yjs/column.h"
#include "yjs/deletes.h"
#include "yjs/print.h"
#include "yjs/update_read.h"
#include "yjs/utf.h"

enum { KEY_CLOCK, CLIENT, LEFT, RIGHT, INFO, PARENT, TYPE_REF, LEN, COLUMNS };

/*
 * Keys by number. Empty ones cost the input nothing, so a run of them is one
 * entry: keys[i] holds for all numbers from `first` to the next entry's.
 */
struct key {
    uint32_t first;
    uint32_t at;  /* in the update */
    uint32_t len; /* and, in the upper bits, the halves around it */
};

#define KEY_LOW 0x80000000u
#define KEY_HIGH 0x40000000u
#define KEY_LEN 0x3fffffffu

struct in {
    struct yjs__mem *mem;
    const struct yjs_limits *limits;
    const uint8_t *begin;
    struct yjs__slice source[COLUMNS], string_source, rest_source;
    struct yjs__column col[COLUMNS];
    struct yjs__strings strings;
    struct yjs__reader rest;
    struct yjs__vec keys;
    uint32_t key_count;
    struct yjs__canon canon;
    struct yjs__arena arena; /* for one struct */
    struct yjs__view_ctx ctx;
    struct yjs__writer raw;  /* a content in v1 */
    struct yjs__writer text; /* a JSON text */
    uint64_t blocks;         /* those that are not empty */
    uint64_t structs;
    uint64_t bytes;          /* of v1, blocks alone */
};

/* ----------------------------------------------------------------- columns */

static void open_update(struct in *in, struct yjs__slice update)
{
    static const uint8_t order[] = {KEY_CLOCK, CLIENT, LEFT, RIGHT, INFO,
                                    COLUMNS,   PARENT, TYPE_REF, LEN};
    struct yjs__reader *r = &in->rest;
    size_t i;

    yjs__reader_init(r, update.ptr, update.len);
    in->begin = r->begin;
    (void)yjs__read_varuint(r); /* feature flags: none yet */
    for (i = 0; i < sizeof(order); i++) {
        struct yjs__slice s = yjs__read_var_bytes(r);

        if (order[i] == COLUMNS)
            in->string_source = s;
        else
            in->source[order[i]] = s;
    }
    in->rest_source = (struct yjs__slice){r->pos, yjs__read_left(r)};
}

static void rewind_update(struct in *in)
{
    size_t i;

    for (i = 0; i < COLUMNS; i++)
        yjs__column_init(&in->col[i], in->source[i]);
    yjs__strings_init(&in->strings, in->string_source);
    in->rest.pos = in->rest_source.ptr;
    in->keys.len = 0;
    in->key_count = 0;
    in->blocks = in->structs = in->bytes = 0;
}

/* The columns first: a missing value makes the rest wrong, not vice versa. */
static const struct yjs__reader *failed(const struct in *in)
{
    size_t i;

    if (in->strings.lens.r.err != YJS_OK)
        return &in->strings.lens.r;
    for (i = 0; i < COLUMNS; i++)
        if (in->col[i].r.err != YJS_OK)
            return &in->col[i].r;
    return in->rest.err != YJS_OK ? &in->rest : NULL;
}

/* A string of the column, as one slice. */
static struct yjs__slice join(struct in *in, struct yjs__cut cut)
{
    size_t low = cut.low ? 3 : 0, high = cut.high ? 3 : 0;
    uint8_t *copy;

    if (low + high == 0)
        return cut.text;
    copy = yjs__arena_alloc(&in->arena, low + cut.text.len + high);
    if (copy == NULL) {
        yjs__read_fail(&in->rest, in->mem->err);
        return (struct yjs__slice){cut.text.ptr, 0};
    }
    memcpy(copy, yjs__utf8_replacement, low);
    memcpy(copy + low, cut.text.ptr, cut.text.len);
    memcpy(copy + low + cut.text.len, yjs__utf8_replacement, high);
    return (struct yjs__slice){copy, low + cut.text.len + high};
}

static struct yjs__slice read_string(struct in *in)
{
    return join(in, yjs__strings_next(&in->strings));
}

static void add_key(struct in *in, struct yjs__cut cut)
{
    struct key *k = in->keys.data;
    bool same = cut.units == 0 && in->keys.len > 0 &&
                k[in->keys.len - 1].len == 0;

    if (in->key_count == UINT32_MAX) {
        yjs__read_fail(&in->rest, yjs__mem_over(in->mem, YJS_LIMIT_STRUCTS));
        return;
    }
    if (!same) {
        k = yjs__vec_add(in->mem, &in->keys, sizeof(*k));
        if (k == NULL) {
            yjs__read_fail(&in->rest, in->mem->err);
            return;
        }
        *k = (struct key){in->key_count, (uint32_t)(cut.text.ptr - in->begin),
                          (uint32_t)cut.text.len};
        k->len |= (cut.low ? KEY_LOW : 0) | (cut.high ? KEY_HIGH : 0);
    }
    in->key_count++;
}

static struct yjs__cut find_key(const struct in *in, uint64_t number)
{
    const struct key *k = in->keys.data;
    size_t low = 0, high = in->keys.len;

    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;

        if (k[mid].first <= number)
            low = mid;
        else
            high = mid;
    }
    return (struct yjs__cut){
        .text = {in->begin + k[low].at, k[low].len & KEY_LEN},
        .low = (k[low].len & KEY_LOW) != 0,
        .high = (k[low].len & KEY_HIGH) != 0};
}

static struct yjs__slice read_key(struct in *in)
{
    uint64_t number = yjs__column_diff(&in->col[KEY_CLOCK]);
    struct yjs__cut cut;

    if (number < in->key_count)
        return join(in, find_key(in, number));
    cut = yjs__strings_next(&in->strings);
    add_key(in, cut);
    return join(in, cut);
}

/* ---------------------------------------------------------------- contents */

static void write_string(struct in *in, struct yjs__slice s)
{
    yjs__write_var_bytes(&in->raw, s.ptr, s.len);
}

static void raw_json_list(struct in *in)
{
    uint64_t n = yjs__column_uint(&in->col[LEN]);

    yjs__write_varuint(&in->raw, n);
    for (; n > 0 && failed(in) == NULL; n--) {
        struct yjs__slice s = read_string(in);

        if (s.len == 0) /* no JSON, and costs nothing to repeat */
            yjs__read_fail(&in->rest, YJS_ERR_MALFORMED);
        write_string(in, s);
    }
}

/* An Any of the rest as a JSON string. */
static void raw_json_value(struct in *in)
{
    struct yjs__canon *c = &in->canon;
    struct yjs__reader r;
    int rc;

    c->out.len = 0;
    c->bigint = false;
    yjs__canon_any(c, &in->rest);
    if (in->rest.err != YJS_OK)
        return;
    yjs__reader_init(&r, c->out.data, c->out.len);
    /* JSON.stringify throws on the one and has no text for the other. */
    if (c->bigint || yjs__print_is_undefined(&r)) {
        yjs__read_fail(&in->rest, YJS_ERR_UNSUPPORTED);
        return;
    }
    in->text.len = 0;
    rc = yjs__print_any(c, &in->text, &r);
    if (rc != YJS_OK)
        yjs__read_fail(&in->rest, rc);
    yjs__write_var_bytes(&in->raw, in->text.data, in->text.len);
}

static void raw_type(struct in *in)
{
    uint64_t ref = yjs__column_uint(&in->col[TYPE_REF]);

    yjs__write_varuint(&in->raw, ref);
    if (ref == YJS__TYPE_XML_ELEMENT || ref == YJS__TYPE_XML_HOOK)
        write_string(in, read_key(in));
}

static void raw_doc(struct in *in)
{
    write_string(in, read_string(in));
    in->canon.out.len = 0;
    yjs__canon_any(&in->canon, &in->rest);
    yjs__write_bytes(&in->raw, in->canon.out.data, in->canon.out.len);
}

/* What was gathered in `raw`, through the reader of v1. */
static void take_raw(struct in *in, struct yjs__view *v)
{
    struct yjs__reader r;

    if (in->raw.err != YJS_OK)
        yjs__read_fail(&in->rest, in->raw.err);
    if (failed(in) != NULL)
        return;
    yjs__reader_init(&r, in->raw.data, in->raw.len);
    yjs__view_read_content(&r, &in->ctx, v);
    if (r.err != YJS_OK)
        yjs__read_fail(&in->rest, r.err);
}

static void read_content(struct in *in, struct yjs__view *v)
{
    struct yjs__cut cut;

    in->raw.len = 0;
    switch (yjs__view_kind(v)) {
    case YJS__GC:
    case YJS__DELETED:
        v->len = yjs__column_uint(&in->col[LEN]);
        v->content = (struct yjs__slice){in->begin, 0};
        return;
    case YJS__SKIP:
        v->len = yjs__read_varuint(&in->rest);
        v->content = (struct yjs__slice){in->begin, 0};
        return;
    case YJS__STRING:
        cut = yjs__strings_next(&in->strings);
        v->len = cut.units;
        v->content = join(in, cut);
        return;
    case YJS__ANY:
        v->len = yjs__column_uint(&in->col[LEN]);
        yjs__view_read_any(&in->rest, &in->ctx, v);
        return;
    case YJS__BINARY:
        yjs__view_read_content(&in->rest, &in->ctx, v);
        return;
    case YJS__JSON:
        raw_json_list(in);
        break;
    case YJS__FORMAT:
        write_string(in, read_key(in));
        raw_json_value(in);
        break;
    case YJS__EMBED:
        raw_json_value(in);
        break;
    case YJS__TYPE:
        raw_type(in);
        break;
    case YJS__DOC:
        raw_doc(in);
        break;
    default:
        yjs__read_fail(&in->rest, YJS_ERR_MALFORMED);
        return;
    }
    take_raw(in, v);
}

/* ----------------------------------------------------------------- structs */

static struct yjs__wire_id read_id(struct in *in, int clock)
{
    struct yjs__wire_id id;

    id.client = yjs__column_uint(&in->col[CLIENT]);
    id.clock = yjs__column_diff(&in->col[clock]);
    return id;
}

static void read_parent(struct in *in, struct yjs__view *v, bool sub)
{
    v->root = yjs__column_rle(&in->col[PARENT]) == 1;
    if (v->root)
        v->name = read_string(in);
    else
        v->parent = read_id(in, LEFT);
    if (sub) {
        v->info |= YJS__INFO_SUB;
        v->sub = read_string(in);
    }
}

static void read_struct(struct in *in, struct yjs__view *v)
{
    uint8_t info = yjs__column_rle(&in->col[INFO]);
    uint8_t origins = info & (YJS__INFO_ORIGIN | YJS__INFO_RIGHT);

    v->info = info & YJS__INFO_KIND;
    v->len = 1;
    if (v->info != YJS__GC && v->info != YJS__SKIP) {
        v->info |= origins;
        if (origins & YJS__INFO_ORIGIN)
            v->origin = read_id(in, LEFT);
        if (origins & YJS__INFO_RIGHT)
            v->right = read_id(in, RIGHT);
        if (origins == 0)
            read_parent(in, v, (info & YJS__INFO_SUB) != 0);
    }
    read_content(in, v);
    if ((v->len == 0 && v->info != YJS__SKIP) ||
        v->len > YJS__MAX_INT - v->clock)
        yjs__read_fail(&in->rest, YJS_ERR_MALFORMED);
}

/* Count what was written; the first time round, forget it as well. */
static void account(struct in *in, struct yjs__writer *out, size_t from,
                    bool measuring)
{
    in->bytes += out->len - from;
    if (measuring)
        out->len = 0;
    if (out->err != YJS_OK)
        yjs__read_fail(&in->rest, out->err);
    else if (in->bytes > in->limits->update_bytes)
        yjs__read_fail(&in->rest,
                       yjs__mem_over(in->mem, YJS_LIMIT_UPDATE_BYTES));
}

static void convert_block(struct in *in, struct yjs__writer *out,
                          uint64_t *last, bool measuring)
{
    uint64_t n = yjs__read_varuint(&in->rest);
    struct yjs__view v = {.client = yjs__column_uint(&in->col[CLIENT])};
    size_t from = out->len;

    v.clock = yjs__read_varuint(&in->rest);
    if (n == 0)
        return;
    /* Yjs would run the two together, whatever their clocks. */
    if (in->blocks++ > 0 && *last == v.client)
        yjs__read_fail(&in->rest, YJS_ERR_MALFORMED);
    *last = v.client;
    yjs__write_varuint(out, n);
    yjs__write_varuint(out, v.client);
    yjs__write_varuint(out, v.clock);
    for (; n > 0 && failed(in) == NULL; n--) {
        if (in->structs++ == in->limits->structs)
            yjs__read_fail(&in->rest,
                           yjs__mem_over(in->mem, YJS_LIMIT_STRUCTS));
        read_struct(in, &v);
        if (failed(in) != NULL)
            return;
        yjs__view_write(out, &v);
        account(in, out, from, measuring);
        from = out->len;
        v.clock += v.len;
        if (in->arena.blocks != NULL)
            yjs__arena_free(&in->arena);
    }
}

static void convert_blocks(struct in *in, struct yjs__writer *out,
                           bool measuring)
{
    uint64_t n, last = 0;

    rewind_update(in);
    n = yjs__read_varuint(&in->rest);
    for (; n > 0 && failed(in) == NULL; n--)
        convert_block(in, out, &last, measuring);
}

static void convert(struct in *in, struct yjs__writer *out,
                    struct yjs__vec *deletes)
{
    struct yjs__writer scratch;
    uint64_t blocks, bytes;
    const uint8_t *end;

    yjs__writer_init(&scratch, in->mem, 0);
    convert_blocks(in, &scratch, true);
    yjs__writer_deinit(&scratch);
    if (failed(in) == NULL)
        yjs__deletes_read(in->mem, &in->rest, true, deletes);
    if (failed(in) != NULL)
        return;
    end = in->rest.pos;
    blocks = in->blocks;
    bytes = in->bytes;
    (void)yjs__write_reserve(out, (size_t)bytes + deletes->len * 4 + 32);
    yjs__write_varuint(out, blocks);
    convert_blocks(in, out, false);
    in->rest.pos = end;
}

static void in_deinit(struct in *in)
{
    yjs__vec_trim(in->mem, &in->keys, sizeof(struct key), 0);
    yjs__writer_deinit(&in->raw);
    yjs__writer_deinit(&in->text);
    yjs__canon_trim(&in->canon);
    yjs__arena_free(&in->arena);
}

int yjs__v2_to_v1(struct yjs__mem *mem, struct yjs__slice update,
                  const struct yjs_limits *limits, bool exact,
                  struct yjs__writer *out, size_t *stopped)
{
    struct in in = {.mem = mem, .limits = limits};
    struct yjs__vec deletes = {NULL, 0, 0};
    const struct yjs__reader *bad;
    size_t from = out->len;
    int rc = YJS_OK;

    *stopped = 0;
    if (update.len > limits->update_bytes || update.len > KEY_LEN)
        return yjs__mem_over(mem, YJS_LIMIT_UPDATE_BYTES);
    yjs__canon_init(&in.canon, mem, limits->depth);
    in.canon.exact = exact;
    yjs__writer_init(&in.raw, mem, 0);
    yjs__writer_init(&in.text, mem, 0);
    in.arena.mem = mem;
    in.ctx = (struct yjs__view_ctx){&in.canon, &in.arena};
    open_update(&in, update);
    if (in.rest.err == YJS_OK)
        convert(&in, out, &deletes);
    bad = failed(&in);
    if (bad != NULL) {
        rc = bad->err;
        *stopped = (size_t)(bad->err_pos - in.begin);
    } else {
        *stopped = yjs__read_offset(&in.rest);
    }
    if (rc == YJS_OK)
        rc = yjs__deletes_group(mem, &deletes);
    if (rc == YJS_OK) {
        yjs__deletes_write(out, &deletes, false);
        rc = out->err;
    }
    if (rc == YJS_OK && out->len - from > limits->update_bytes)
        rc = yjs__mem_over(mem, YJS_LIMIT_UPDATE_BYTES);
    yjs__vec_trim(mem, &deletes, sizeof(struct yjs__range), 0);
    in_deinit(&in);
    return rc;
}
