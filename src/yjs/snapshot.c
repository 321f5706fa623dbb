/* SPDX-License-Identifier: MIT */
/*
 * snapshot.c: what could be seen at a moment, and documents as they were then.
 *
 *   snapshot   delete set (deletes.h, in v1 or v2), state vector
 *
 * A document that keeps what was deleted has all that a snapshot of it needs:
 * the structs up to the clocks of the snapshot, less what was deleted then.
 * They are written as an update for a new document. Yjs splits the structs of
 * the old one for that; here the halves are only written down.
 *
 * Must never: change the document that a snapshot is of.
 */
#include "yjs/update.h"

#include "yjs/content.h"
#include "yjs/deletes.h"
#include "yjs/store.h"
#include "yjs/update_write.h"
#include "yjs/utf.h"
#include "yjs/v2.h"

/* ----------------------------------------------------------------- encoding */

static int gather_deleted(const yjs_doc *doc, struct yjs__mem *mem,
                          const struct yjs__client *c, struct yjs__vec *set)
{
    struct yjs__spot s = {0, 0};
    int rc = YJS_OK;

    if (c->state == 0)
        return YJS_OK;
    do {
        const struct yjs__item *it = yjs__item(doc, yjs__spot_item(c, s));

        if (yjs__item_deleted(it))
            rc = yjs__idset_add(mem, set, c->id, it->clock,
                                yjs__item_len(it));
    } while (rc == YJS_OK && yjs__spot_next(c, &s));
    return rc;
}

int yjs_snapshot_encode(yjs_doc *doc, enum yjs_format format,
                        struct yjs_bytes *out)
{
    const uint32_t *sorted = yjs__store_sorted(doc);
    struct yjs__vec set = {NULL, 0, 0};
    struct yjs__writer w;
    struct yjs__mem mem;
    uint32_t i;
    int rc = YJS_OK;

    if (sorted == NULL)
        return doc->mem.err;
    if (format != YJS_FORMAT_V1 && format != YJS_FORMAT_V2)
        return YJS_ERR_RANGE;
    yjs__mem_init(&mem, &doc->mem.alloc, 0);
    yjs__writer_init(&w, &mem, 0);
    for (i = 0; i < doc->client_count && rc == YJS_OK; i++)
        rc = gather_deleted(doc, &mem, yjs__client(doc, sorted[i]), &set);
    if (rc == YJS_OK) {
        yjs__deletes_write(&w, &set, format == YJS_FORMAT_V2);
        rc = yjs__write_state_vector(doc, &w);
    }
    yjs__vec_trim(&mem, &set, sizeof(struct yjs__range), 0);
    if (rc == YJS_OK)
        return yjs__writer_take(&w, out);
    yjs__writer_deinit(&w);
    return rc;
}

/* ----------------------------------------------------------------- decoding */

struct snapshot {
    struct yjs__vec ds; /* struct yjs__range, highest client first */
    struct yjs__vec sv; /* struct yjs__sv_entry, lowest client first */
};

static void free_snapshot(struct yjs__mem *mem, struct snapshot *s)
{
    yjs__vec_trim(mem, &s->ds, sizeof(struct yjs__range), 0);
    yjs__vec_trim(mem, &s->sv, sizeof(struct yjs__sv_entry), 0);
}

static const struct yjs__sv_entry *clock_at(const struct snapshot *s, size_t i)
{
    return (const struct yjs__sv_entry *)s->sv.data + i;
}

/* *offset: where it stopped; on failure there is nothing to free. */
static int read_snapshot(struct yjs__mem *mem, struct yjs_span bytes, bool v2,
                         struct snapshot *s, size_t *offset)
{
    struct yjs__reader r;
    int rc;

    *s = (struct snapshot){{NULL, 0, 0}, {NULL, 0, 0}};
    yjs__reader_init(&r, bytes.data, bytes.len);
    yjs__deletes_read(mem, &r, v2, &s->ds);
    yjs__sv_read_at(mem, &r, &s->sv);
    rc = r.err;
    *offset = yjs__read_offset(&r);
    if (rc == YJS_OK)
        rc = yjs__deletes_group(mem, &s->ds);
    if (rc != YJS_OK)
        free_snapshot(mem, s);
    return rc;
}

static int tell(const struct snapshot *s,
                const struct yjs_snapshot_visitor *visitor)
{
    size_t i;
    int rc = 0;

    for (i = s->sv.len; i > 0 && rc == 0 && visitor->on_clock != NULL; i--)
        rc = visitor->on_clock(visitor->ctx, clock_at(s, i - 1)->client,
                               clock_at(s, i - 1)->clock);
    for (i = 0; i < s->ds.len && rc == 0 && visitor->on_delete != NULL; i++) {
        const struct yjs__range *r = yjs__idset_at(&s->ds, i);

        rc = visitor->on_delete(visitor->ctx,
                                (struct yjs_id){r->client, r->clock}, r->len);
    }
    return rc;
}

int yjs_snapshot_visit(struct yjs_span snapshot,
                       const struct yjs_update_options *opt,
                       const struct yjs_snapshot_visitor *visitor,
                       struct yjs_update_error *err)
{
    struct yjs__update_op op;
    struct snapshot s;

    yjs__update_op_init(&op, opt);
    if (op.rc == YJS_OK && snapshot.len > op.limits.update_bytes)
        op.rc = YJS_ERR_LIMIT;
    if (op.rc == YJS_OK)
        op.rc = read_snapshot(&op.mem, snapshot, op.v2, &s, &op.error.offset);
    if (op.rc == YJS_OK) {
        op.rc = tell(&s, visitor);
        free_snapshot(&op.mem, &s);
    }
    return yjs__update_op_end(&op, err);
}

/* ----------------------------------------------- a document as it was then */

struct past {
    const yjs_doc *doc;
    struct yjs__mem *mem;
    struct yjs__canon canon;
    struct yjs__writer out;
};

static uint32_t structs_up_to(const struct yjs__client *c, struct yjs__spot s)
{
    uint32_t i, n = s.at + 1;

    for (i = 0; i < s.chunk; i++)
        n += c->chunks[i].len;
    return n;
}

/*
 * The first `units` of an item, as an item of its own whose content is
 * borrowed from it, or from `scratch` if the cut falls into a surrogate pair.
 */
static int cut_head(struct past *p, const struct yjs__item *it, uint64_t units,
                    struct yjs__writer *scratch, struct yjs__item *head)
{
    struct yjs__slice s = yjs__content(it), tail;
    bool inside;
    int rc;

    *head = *it;
    if (it->kind == YJS__DELETED) {
        yjs__item_set_len(head, units);
        return YJS_OK;
    }
    rc = yjs__content_tail(&p->canon, it->kind, s, it->len, units, &tail,
                           &inside);
    if (rc != YJS_OK)
        return rc;
    s.len -= tail.len + (inside ? 4 : 0);
    if (inside) {
        yjs__write_bytes(scratch, s.ptr, s.len);
        yjs__write_bytes(scratch, yjs__utf8_replacement,
                         sizeof(yjs__utf8_replacement));
        s = (struct yjs__slice){scratch->data, scratch->len};
    }
    head->where = YJS__W_BORROWED;
    head->u.borrowed = s.ptr;
    head->left = (uint32_t)s.len;
    head->len = (uint32_t)units;
    return scratch->err;
}

static int write_head(struct past *p, const struct yjs__item *it,
                      uint64_t units)
{
    struct yjs__writer scratch;
    struct yjs__item head;
    int rc;

    yjs__writer_init(&scratch, p->mem, 0);
    rc = cut_head(p, it, units, &scratch, &head);
    if (rc == YJS_OK)
        rc = yjs__write_item(p->doc, &p->canon, &p->out, &head, 0);
    yjs__writer_deinit(&scratch);
    return rc;
}

/* The structs of a client before `clock`, which is not 0. */
static int write_client(struct past *p, uint64_t id, uint64_t clock)
{
    uint32_t i = yjs__store_find_client(p->doc, id);
    struct yjs__client *c = i == YJS__NONE ? NULL : yjs__client(p->doc, i);
    struct yjs__spot s = {0, 0};
    int rc;

    if (c == NULL || c->state < clock)
        return YJS_ERR_RANGE;
    yjs__write_varuint(&p->out,
                       structs_up_to(c, yjs__store_find(c, clock - 1)));
    yjs__write_varuint(&p->out, id);
    yjs__write_varuint(&p->out, 0);
    do {
        const struct yjs__item *it = yjs__item(p->doc, yjs__spot_item(c, s));

        if (it->clock >= clock)
            break;
        /* A GC is never split. */
        rc = yjs__item_end(it) > clock && it->kind != YJS__GC
                 ? write_head(p, it, clock - it->clock)
                 : yjs__write_item(p->doc, &p->canon, &p->out, it, 0);
    } while (rc == YJS_OK && yjs__spot_next(c, &s));
    return rc;
}

/* All that the snapshot saw, as a v1 update. */
static int write_past(struct past *p, struct snapshot *s)
{
    uint64_t clients = 0;
    size_t i;
    int rc = YJS_OK;

    for (i = 0; i < s->sv.len; i++)
        clients += clock_at(s, i)->clock > 0;
    yjs__write_varuint(&p->out, clients);
    for (i = s->sv.len; i > 0 && rc == YJS_OK; i--)
        if (clock_at(s, i - 1)->clock > 0)
            rc = write_client(p, clock_at(s, i - 1)->client,
                              clock_at(s, i - 1)->clock);
    yjs__deletes_merge(&s->ds);
    yjs__deletes_write(&p->out, &s->ds, false);
    return rc == YJS_OK ? p->out.err : rc;
}

/*
 * The way is by v2 because it is in Yjs, where what an Any cannot hold is lost
 * from embeds and formats on it.
 */
static int load_past(struct past *p, const struct yjs_doc_options *opt,
                     yjs_doc **out)
{
    struct yjs_doc_options defaults = {.alloc = p->mem->alloc};
    struct yjs_limits limits = {.update_bytes = SIZE_MAX,
                                .structs = SIZE_MAX,
                                .depth = SIZE_MAX};
    struct yjs__writer v2;
    yjs_doc *doc = NULL;
    size_t offset;
    int rc;

    yjs__writer_init(&v2, p->mem, 0);
    rc = yjs__v1_to_v2(p->mem, (struct yjs__slice){p->out.data, p->out.len},
                       &limits, true, &v2, &offset);
    if (rc == YJS_OK)
        rc = yjs_doc_new(opt != NULL ? opt : &defaults, &doc);
    if (rc == YJS_OK)
        rc = yjs_apply_update_v2(doc, v2.data, v2.len, NULL);
    yjs__writer_deinit(&v2);
    if (rc == YJS_OK)
        *out = doc;
    else
        yjs_doc_free(doc);
    return rc;
}

int yjs_doc_at_snapshot(yjs_doc *doc, struct yjs_span snapshot,
                        enum yjs_format format,
                        const struct yjs_doc_options *opt, yjs_doc **out)
{
    struct past p = {.doc = doc};
    struct snapshot s;
    struct yjs__mem mem;
    size_t offset;
    int rc;

    if (!doc->keep_deleted)
        return YJS_ERR_STATE;
    if (format != YJS_FORMAT_V1 && format != YJS_FORMAT_V2)
        return YJS_ERR_RANGE;
    yjs__mem_init(&mem, &doc->mem.alloc, 0);
    rc = read_snapshot(&mem, snapshot, format == YJS_FORMAT_V2, &s, &offset);
    if (rc != YJS_OK)
        return rc;
    p.mem = &mem;
    yjs__canon_init(&p.canon, &mem, doc->limits.depth);
    yjs__writer_init(&p.out, &mem, 0);
    rc = write_past(&p, &s);
    if (rc == YJS_OK)
        rc = load_past(&p, opt, out);
    yjs__writer_deinit(&p.out);
    yjs__canon_trim(&p.canon);
    free_snapshot(&mem, &s);
    return rc;
}

/* --------------------------------------------------------------- containing */

static bool has_clocks(const struct snapshot *s, const struct yjs__view *v)
{
    bool present;

    return v->clock + v->len <= yjs__sv_clock(&s->sv, v->client, &present);
}

/* Would the deletes of the update change those of the snapshot? */
static bool has_deletes(struct yjs__update_op *op, const struct snapshot *s,
                        struct yjs__vec *ds)
{
    const struct yjs__range *have, *all;
    size_t i;

    op->rc = yjs__vec_reserve(&op->mem, ds, s->ds.len,
                              sizeof(struct yjs__range));
    if (op->rc != YJS_OK)
        return false;
    if (s->ds.len > 0)
        memcpy(yjs__idset_at(ds, ds->len), s->ds.data,
               s->ds.len * sizeof(struct yjs__range));
    ds->len += s->ds.len;
    yjs__deletes_merge(ds);
    if (ds->len != s->ds.len)
        return false;
    for (i = 0; i < ds->len; i++) {
        have = yjs__idset_at(&s->ds, i);
        all = yjs__idset_at(ds, i);
        if (have->client != all->client || have->clock != all->clock ||
            have->len != all->len)
            return false;
    }
    return true;
}

static bool contains(struct yjs__update_op *op, const struct snapshot *s,
                     struct yjs__slice v1)
{
    struct yjs__vec ds = {NULL, 0, 0};
    struct yjs__walk w;
    bool all = true;

    yjs__walk_init(&w, v1, &op->ctx, op->limits.structs);
    while (yjs__walk_next(&w))
        all = all && has_clocks(s, &w.view);
    yjs__deletes_read(&op->mem, &w.r, false, &ds);
    if (w.r.err != YJS_OK)
        yjs__update_op_fail(op, &w.r);
    else
        all = has_deletes(op, s, &ds) && all;
    yjs__vec_trim(&op->mem, &ds, sizeof(struct yjs__range), 0);
    return all;
}

int yjs_snapshot_contains(struct yjs_span snapshot, struct yjs_span update,
                          const struct yjs_update_options *opt,
                          struct yjs_update_error *err, bool *out)
{
    struct yjs__update_op op;
    struct yjs__slice v1;
    struct snapshot s;
    bool all;

    yjs__update_op_init(&op, opt);
    if (op.rc == YJS_OK && snapshot.len > op.limits.update_bytes)
        op.rc = YJS_ERR_LIMIT;
    if (op.rc == YJS_OK)
        op.rc = read_snapshot(&op.mem, snapshot, op.v2, &s, &op.error.offset);
    if (op.rc != YJS_OK)
        return yjs__update_op_end(&op, err);
    op.error = (struct yjs_update_error){1, 0};
    v1 = yjs__update_op_v1(&op, update);
    all = op.rc == YJS_OK && contains(&op, &s, v1);
    free_snapshot(&op.mem, &s);
    if (op.rc == YJS_OK)
        *out = all;
    return yjs__update_op_end(&op, err);
}
