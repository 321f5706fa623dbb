/* SPDX-License-Identifier: MIT */
/*
 * update.c: updates without a document, in either format.
 *
 * Everything is done in v1 (merge.c, walk.c); v2 is converted on the way in
 * and out. Its structs, and so the results, are the same.
 */
#include "yjs/update.h"

#include "yjs/deletes.h"
#include "yjs/doc.h"
#include "yjs/merge.h"
#include "yjs/prune.h"
#include "yjs/sort.h"
#include "yjs/txn.h"
#include "yjs/update_write.h"
#include "yjs/v2.h"

/* --------------------------------------------------------------- operations */

void yjs__update_op_init(struct yjs__update_op *op,
                         const struct yjs_update_options *opt)
{
    static const struct yjs_update_options defaults;

    if (opt == NULL)
        opt = &defaults;
    *op = (struct yjs__update_op){.limits = opt->limits,
                                  .v2 = opt->format == YJS_FORMAT_V2};
    if (opt->format != 0 && opt->format != YJS_FORMAT_V1 && !op->v2)
        op->rc = YJS_ERR_RANGE;
    yjs__limits_fill(&op->limits);
    yjs__mem_init(&op->mem, &opt->alloc, 0);
    yjs__canon_init(&op->canon, &op->mem, op->limits.depth);
    op->arena.mem = &op->mem;
    op->ctx = (struct yjs__view_ctx){&op->canon, &op->arena};
    yjs__writer_init(&op->v1, &op->mem, 0);
    yjs__writer_init(&op->out, &op->mem, 0);
}

static void free_op(struct yjs__update_op *op)
{
    yjs__canon_trim(&op->canon);
    yjs__arena_free(&op->arena);
    yjs__writer_deinit(&op->v1);
    yjs__writer_deinit(&op->out);
}

int yjs__update_op_end(struct yjs__update_op *op, struct yjs_update_error *err)
{
    free_op(op);
    if (op->rc < 0 && err != NULL)
        *err = op->error;
    return op->rc;
}

/* The same with `op->out` for result, as v2 if that is asked for. */
static int end_with_update(struct yjs__update_op *op, bool v2,
                           struct yjs_update_error *err, struct yjs_bytes *out)
{
    struct yjs__writer *w = &op->out, converted;
    size_t offset;

    yjs__writer_init(&converted, &op->mem, 0);
    if (op->rc == YJS_OK && w->len > op->limits.update_bytes && !v2)
        op->rc = YJS_ERR_LIMIT;
    if (op->rc == YJS_OK && v2) {
        struct yjs_limits limits = op->limits;

        limits.structs = limits.update_bytes = SIZE_MAX;
        op->rc = yjs__v1_to_v2(&op->mem, (struct yjs__slice){w->data, w->len},
                               &limits, true, &converted, &offset);
        w = &converted;
        if (op->rc == YJS_OK && w->len > op->limits.update_bytes)
            op->rc = YJS_ERR_LIMIT;
    }
    if (op->rc == YJS_OK)
        op->rc = yjs__writer_take(w, out);
    yjs__writer_deinit(&converted);
    return yjs__update_op_end(op, err);
}

/* Only the engine's own slices: NULL is no place to count from. */
static struct yjs__slice slice_of(struct yjs_span span)
{
    static const uint8_t nothing[1];

    if (span.len == 0)
        return (struct yjs__slice){nothing, 0};
    return (struct yjs__slice){span.data, span.len};
}

struct yjs__slice yjs__update_op_v1(struct yjs__update_op *op,
                                    struct yjs_span update)
{
    struct yjs__slice s = slice_of(update);

    if (op->rc == YJS_OK && s.len > op->limits.update_bytes)
        op->rc = YJS_ERR_LIMIT;
    if (op->rc != YJS_OK || !op->v2)
        return s;
    op->rc = yjs__v2_to_v1(&op->mem, s, &op->limits, true, &op->v1,
                           &op->read);
    if (op->rc != YJS_OK)
        op->error.offset = op->read;
    return (struct yjs__slice){op->v1.data, op->v1.len};
}

/* Where the input was wrong. As v1 that came from v2 it is sound. */
void yjs__update_op_fail(struct yjs__update_op *op,
                         const struct yjs__reader *r)
{
    op->rc = r->err;
    if (!op->v2)
        op->error.offset = yjs__read_offset(r);
}

/* ------------------------------------------------------------------ formats */

/* Read an update of v1 to its end. */
static void check_v1(struct yjs__update_op *op, struct yjs__slice update)
{
    struct yjs__vec ds = {NULL, 0, 0};
    struct yjs__walk w;

    yjs__walk_init(&w, update, &op->ctx, op->limits.structs);
    while (yjs__walk_next(&w))
        ;
    yjs__deletes_read(&op->mem, &w.r, false, &ds);
    yjs__vec_trim(&op->mem, &ds, sizeof(struct yjs__range), 0);
    if (w.r.err != YJS_OK)
        yjs__update_op_fail(op, &w.r);
}

static void copy_update(struct yjs__update_op *op, struct yjs_span update)
{
    struct yjs__slice v1 = yjs__update_op_v1(op, update);

    if (op->rc == YJS_OK && !op->v2)
        check_v1(op, v1);
    if (op->rc == YJS_OK)
        yjs__write_bytes(&op->out, update.data, update.len);
}

int yjs_update_convert(struct yjs_span update, enum yjs_format to,
                       const struct yjs_update_options *opt,
                       struct yjs_update_error *err, struct yjs_bytes *out)
{
    struct yjs__update_op op;
    struct yjs__slice s = slice_of(update);
    bool to_v2 = to == YJS_FORMAT_V2;

    yjs__update_op_init(&op, opt);
    if (to != YJS_FORMAT_V1 && !to_v2)
        op.rc = YJS_ERR_RANGE;
    if (op.rc == YJS_OK && op.v2 == to_v2)
        copy_update(&op, update);
    else if (op.rc == YJS_OK && to_v2)
        op.rc = yjs__v1_to_v2(&op.mem, s, &op.limits, false, &op.out,
                              &op.error.offset);
    else if (op.rc == YJS_OK)
        op.rc = yjs__v2_to_v1(&op.mem, s, &op.limits, false, &op.out,
                              &op.error.offset);
    return end_with_update(&op, false, err, out);
}

static int apply_v2(yjs_doc *doc, struct yjs_span update, void *origin,
                    struct yjs_apply_result *result)
{
    struct yjs__writer v1;
    struct yjs__mem mem;
    size_t offset = 0;
    int rc;

    yjs__mem_init(&mem, &doc->mem.alloc, 0);
    yjs__writer_init(&v1, &mem, 0);
    rc = yjs__v2_to_v1(&mem, slice_of(update), &doc->limits, false, &v1,
                       &offset);
    if (rc == YJS_OK) {
        rc = yjs__apply(doc, (struct yjs__slice){v1.data, v1.len}, origin,
                        result);
        offset = update.len;
    } else {
        doc->mem.fired = mem.fired;
    }
    if (rc != YJS_OK && result != NULL)
        result->error_offset = offset;
    yjs__writer_deinit(&v1);
    return rc;
}

int yjs_apply_update_v2(yjs_doc *doc, const uint8_t *update, size_t len,
                        struct yjs_apply_result *result)
{
    return apply_v2(doc, (struct yjs_span){update, len}, NULL, result);
}

int yjs_apply_update_from(yjs_doc *doc, struct yjs_span update,
                          enum yjs_format format, void *origin,
                          struct yjs_apply_result *result)
{
    if (format == YJS_FORMAT_V1)
        return yjs__apply(doc, slice_of(update), origin, result);
    if (format == YJS_FORMAT_V2)
        return apply_v2(doc, update, origin, result);
    if (result != NULL)
        result->error_offset = 0;
    return YJS_ERR_RANGE;
}

int yjs_encode_state_as_update_v2(yjs_doc *doc, const uint8_t *sv,
                                  size_t sv_len, struct yjs_bytes *out)
{
    struct yjs__update_op op;
    struct yjs_update_options opt = {.alloc = doc->mem.alloc};
    struct yjs_bytes v1 = {NULL, 0, {NULL, NULL}};
    int rc = yjs_encode_state_as_update(doc, sv, sv_len, &v1);

    if (rc != YJS_OK)
        return rc;
    yjs__update_op_init(&op, &opt);
    op.limits = (struct yjs_limits){.update_bytes = SIZE_MAX,
                                    .structs = SIZE_MAX,
                                    .depth = SIZE_MAX};
    op.rc = yjs__v1_to_v2(&op.mem, (struct yjs__slice){v1.data, v1.len},
                          &op.limits, true, &op.out, &op.error.offset);
    yjs_bytes_free(&v1);
    return end_with_update(&op, false, NULL, out);
}

/* -------------------------------------------------------------- merge, diff */

/* Append one v2 input to op->v1; its limit is what the others left. */
static void append_as_v1(struct yjs__update_op *op, struct yjs__slice *s)
{
    struct yjs_limits left = op->limits;
    size_t from = op->v1.len;

    left.update_bytes -= from;
    op->rc = yjs__v2_to_v1(&op->mem, *s, &left, true, &op->v1,
                           &op->error.offset);
    *s = (struct yjs__slice){NULL, op->v1.len - from};
}

/* All inputs as v1, one behind the other in op->v1 if they were not. */
static struct yjs__slice *all_as_v1(struct yjs__update_op *op,
                                    const struct yjs_span *updates, size_t n)
{
    struct yjs__slice *s;
    size_t i;

    if (n > SIZE_MAX / sizeof(*s)) {
        op->rc = YJS_ERR_LIMIT;
        return NULL;
    }
    s = yjs__arena_alloc(&op->arena, n * sizeof(*s));
    if (s == NULL) {
        op->rc = op->mem.err;
        return NULL;
    }
    for (i = 0; i < n && op->rc == YJS_OK; i++) {
        s[i] = slice_of(updates[i]);
        op->error.index = i;
        if (s[i].len > op->limits.update_bytes)
            op->rc = YJS_ERR_LIMIT;
        else if (op->v2)
            append_as_v1(op, &s[i]);
    }
    for (i = 0, n = op->rc == YJS_OK ? n : 0; op->v2 && i < n; i++)
        s[i].ptr = i == 0 ? op->v1.data : s[i - 1].ptr + s[i - 1].len;
    return s;
}

int yjs_update_merge(const struct yjs_span *updates, size_t n,
                     const struct yjs_update_options *opt,
                     struct yjs_update_error *err, struct yjs_bytes *out)
{
    struct yjs__update_op op;
    struct yjs__merge_error where;
    struct yjs__slice *s;

    yjs__update_op_init(&op, opt);
    if (n == 1) {
        copy_update(&op, updates[0]);
        return end_with_update(&op, false, err, out);
    }
    s = op.rc == YJS_OK ? all_as_v1(&op, updates, n) : NULL;
    if (op.rc == YJS_OK) {
        op.rc = yjs__merge_many(&op.mem, s, n, &op.limits, op.v2, &where,
                                &op.out);
        op.error.index = where.index;
        op.error.offset = op.v2 ? 0 : where.offset;
    }
    return end_with_update(&op, op.v2, err, out);
}

int yjs_update_compact(struct yjs_span update,
                       const struct yjs_update_options *opt,
                       struct yjs_update_error *err, struct yjs_bytes *out)
{
    struct yjs__update_op op;
    struct yjs__slice v1;
    size_t offset = 0;

    yjs__update_op_init(&op, opt);
    v1 = yjs__update_op_v1(&op, update);
    if (op.rc == YJS_OK) {
        op.rc = yjs__prune(&op.mem, v1, &op.limits, op.v2, &op.out, &offset);
        op.error.offset = op.v2 ? 0 : offset;
    }
    return end_with_update(&op, op.v2, err, out);
}

static void read_sv(struct yjs__update_op *op, struct yjs_span sv,
                    struct yjs__vec *out)
{
    if (op->rc != YJS_OK)
        return;
    op->rc = yjs__sv_read(&op->mem, sv.data, sv.len, out);
    if (op->rc != YJS_OK)
        op->error = (struct yjs_update_error){1, 0};
}

int yjs_update_diff(struct yjs_span update, struct yjs_span sv,
                    const struct yjs_update_options *opt,
                    struct yjs_update_error *err, struct yjs_bytes *out)
{
    struct yjs__update_op op;
    struct yjs__slice v1;
    struct yjs__vec state = {NULL, 0, 0};
    size_t offset = 0;

    yjs__update_op_init(&op, opt);
    v1 = yjs__update_op_v1(&op, update);
    read_sv(&op, sv, &state);
    if (op.rc == YJS_OK) {
        op.rc = yjs__diff_limited(&op.mem, v1, &state, &op.limits, op.v2,
                                  &op.out, &offset);
        op.error.offset = op.v2 ? 0 : offset;
    }
    yjs__vec_trim(&op.mem, &state, sizeof(struct yjs__sv_entry), 0);
    return end_with_update(&op, op.v2, err, out);
}

/* ----------------------------------------------------------- state and meta */

/*
 * Yjs counts a client from clock 0 to the first Skip. Of the very first struct
 * it does not ask whether it is a Skip.
 */
static uint64_t count_states(struct yjs__walk *w, struct yjs__writer *out)
{
    uint64_t client = 0, clock = 0, n = 0;
    bool counting = false, first = true;

    while (yjs__walk_next(w)) {
        const struct yjs__view *v = &w->view;

        if (first || v->client != client) {
            if (clock != 0) {
                yjs__write_varuint(out, client);
                yjs__write_varuint(out, clock);
                n++;
            }
            client = v->client;
            counting = v->clock == 0;
            clock = first && counting ? v->len : 0;
        }
        first = false;
        if (yjs__view_kind(v) == YJS__SKIP)
            counting = false;
        if (counting)
            clock = v->clock + v->len;
    }
    if (clock != 0) {
        yjs__write_varuint(out, client);
        yjs__write_varuint(out, clock);
        n++;
    }
    return n;
}

int yjs_update_state_vector(struct yjs_span update,
                            const struct yjs_update_options *opt,
                            struct yjs_update_error *err, struct yjs_bytes *out)
{
    struct yjs__update_op op;
    struct yjs__writer states;
    struct yjs__walk w;
    struct yjs__slice v1;

    yjs__update_op_init(&op, opt);
    yjs__writer_init(&states, &op.mem, 0);
    v1 = yjs__update_op_v1(&op, update);
    if (op.rc == YJS_OK)
        check_v1(&op, v1);
    if (op.rc == YJS_OK) {
        yjs__walk_init(&w, v1, &op.ctx, SIZE_MAX);
        yjs__write_varuint(&op.out, count_states(&w, &states));
        yjs__write_bytes(&op.out, states.data, states.len);
        op.rc = w.r.err != YJS_OK ? w.r.err : states.err;
    }
    yjs__writer_deinit(&states);
    return end_with_update(&op, false, err, out);
}

static int compare_ranges(const void *ctx, const void *a, const void *b)
{
    const struct yjs_update_range *x = a, *y = b;

    (void)ctx;
    if (x->client != y->client)
        return x->client < y->client ? -1 : 1;
    return x->from < y->from ? -1 : x->from > y->from;
}

static void gather_meta(struct yjs__update_op *op, struct yjs__slice v1,
                        struct yjs__vec *ranges)
{
    struct yjs_update_range *last = NULL;
    struct yjs__walk w;

    yjs__walk_init(&w, v1, &op->ctx, op->limits.structs);
    while (op->rc == YJS_OK && yjs__walk_next(&w)) {
        if (last == NULL || last->client != w.view.client) {
            last = yjs__vec_add(&op->mem, ranges, sizeof(*last));
            if (last == NULL) {
                op->rc = op->mem.err;
                return;
            }
            last->client = w.view.client;
            last->from = w.view.clock;
        }
        last->to = w.view.clock + w.view.len;
    }
}

/* Ascending; several blocks of a client, which nobody writes, as one range. */
static void arrange_meta(struct yjs__vec *ranges)
{
    struct yjs_update_range *r = ranges->data;
    size_t i, n = 0;

    yjs__sort(r, ranges->len, sizeof(*r), compare_ranges, NULL);
    for (i = 1; i < ranges->len; i++) {
        if (r[i].client != r[n].client)
            r[++n] = r[i];
        else if (r[i].to > r[n].to)
            r[n].to = r[i].to;
    }
    if (ranges->len > 0)
        ranges->len = n + 1;
}

int yjs_update_meta_read(struct yjs_span update,
                         const struct yjs_update_options *opt,
                         struct yjs_update_error *err,
                         struct yjs_update_meta *out)
{
    struct yjs__update_op op;
    struct yjs__vec ranges = {NULL, 0, 0};
    struct yjs__slice v1;

    yjs__update_op_init(&op, opt);
    v1 = yjs__update_op_v1(&op, update);
    if (op.rc == YJS_OK)
        check_v1(&op, v1);
    if (op.rc == YJS_OK)
        gather_meta(&op, v1, &ranges);
    if (op.rc == YJS_OK) {
        arrange_meta(&ranges);
        *out = (struct yjs_update_meta){ranges.data, ranges.len,
                                        op.mem.alloc};
    } else {
        yjs__vec_trim(&op.mem, &ranges, sizeof(struct yjs_update_range), 0);
    }
    return yjs__update_op_end(&op, err);
}

void yjs_update_meta_free(struct yjs_update_meta *meta)
{
    if (meta->ranges != NULL)
        meta->alloc.realloc_fn(meta->alloc.ctx, meta->ranges, 0);
    *meta = (struct yjs_update_meta){NULL, 0, {NULL, NULL}};
}
