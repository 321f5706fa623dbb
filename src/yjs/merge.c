/* SPDX-License-Identifier: MIT */
/*
 * merge.c: merging updates struct by struct.
 *
 * The inputs are read side by side, each in the order it was written: clients
 * from the highest id, clocks ascending. The struct with the highest client,
 * and of that the lowest clock, is next (queue.c says whose it is); what is
 * known already is passed or cut; what is missing between two structs of a
 * client becomes a Skip.
 *
 * This follows Y.mergeUpdates case by case, odd ones included (a Skip may be
 * stretched over structs that come later, and is cut again by them): what it
 * writes can be seen in every encoding of a document with pending structs.
 *
 * A struct is decoded when its turn comes, and at most once more: an input
 * costs 40 bytes until then. An input that ends gives its delete set at once.
 */
#include "yjs/merge.h"

#include "yjs/deletes.h"
#include "yjs/queue.h"
#include "yjs/sink.h"
#include "yjs/update_write.h"
#include "yjs/walk.h"

/* ---------------------------------------------------------------- merging */

struct merge {
    struct yjs__mem *mem;
    const struct yjs__slice *updates;
    struct yjs__merge_error *error;
    struct yjs__view_ctx ctx;
    struct yjs__queue queue;
    struct yjs__sink sink;
    struct yjs__vec deletes;
    struct yjs__view held; /* read, not yet written: may still be cut */
    bool holding;
    struct yjs__view view; /* the next struct of `viewed` */
    const struct yjs__source *viewed;
    const uint8_t *behind; /* where that struct ends */
    uint64_t structs;
    uint64_t limit; /* of those */
    int err;
};

static void fail(struct merge *m, uint32_t update, const uint8_t *at, int err)
{
    if (m->err != YJS_OK)
        return;
    m->err = err;
    m->error->index = update;
    m->error->offset = at == NULL ? 0 : (size_t)(at - m->updates[update].ptr);
}

static struct yjs__reader reader_at(const struct merge *m,
                                    const struct yjs__source *s)
{
    struct yjs__slice update = m->updates[s->update];

    return (struct yjs__reader){.pos = s->pos,
                                .end = update.ptr + update.len,
                                .begin = s->pos};
}

static void read_deletes(struct merge *m, const struct yjs__source *s,
                         struct yjs__reader *r)
{
    yjs__deletes_read(m->mem, r, false, &m->deletes);
    if (r->err != YJS_OK)
        fail(m, s->update, r->err_pos, r->err);
}

/*
 * Pass the ends of blocks, and Skips, up to a struct. Where there is none the
 * delete set follows: it is read, and the source is through.
 */
static void settle(struct merge *m, struct yjs__source *s)
{
    struct yjs__reader r = reader_at(m, s);

    s->has = false;
    m->viewed = NULL;
    for (;;) {
        while (s->structs == 0 && s->blocks > 0 && r.err == YJS_OK) {
            s->blocks--;
            s->structs = yjs__read_varuint(&r);
            s->client = yjs__read_varuint(&r);
            s->clock = yjs__read_varuint(&r);
        }
        if (r.err != YJS_OK)
            break;
        if (s->structs == 0) {
            read_deletes(m, s, &r);
            return;
        }
        s->pos = r.pos;
        if (yjs__read_left(&r) > 0 &&
            (*r.pos & YJS__INFO_KIND) != YJS__SKIP) {
            s->has = true;
            s->gc = (*r.pos & YJS__INFO_KIND) == YJS__GC;
            return;
        }
        (void)yjs__read_u8(&r);
        s->clock += yjs__read_varuint(&r);
        if (s->clock > YJS__MAX_INT)
            yjs__read_fail(&r, YJS_ERR_MALFORMED);
        s->structs--;
    }
    fail(m, s->update, r.err_pos, r.err);
}

/* The struct that the source stands at; of length 0 after an error. */
static const struct yjs__view *view_of(struct merge *m,
                                       const struct yjs__source *s)
{
    struct yjs__reader r;

    if (m->viewed == s)
        return &m->view;
    r = reader_at(m, s);
    m->view = (struct yjs__view){.client = s->client, .clock = s->clock};
    yjs__view_read(&r, &m->ctx, &m->view);
    if (r.err != YJS_OK) {
        fail(m, s->update, r.err_pos, r.err);
        m->view.len = 0;
    }
    m->viewed = s;
    m->behind = r.pos;
    return &m->view;
}

static void next(struct merge *m, struct yjs__source *s)
{
    s->clock += view_of(m, s)->len;
    s->pos = m->behind;
    s->structs--;
    s->has = false;
    if (++m->structs > m->limit)
        fail(m, s->update, s->pos, YJS_ERR_LIMIT);
    if (m->err == YJS_OK)
        settle(m, s);
}

static uint64_t end_of(const struct yjs__view *v)
{
    return v->clock + v->len;
}

static void hold(struct merge *m, const struct yjs__view *v)
{
    m->held = *v;
    m->holding = true;
}

static void write_held(struct merge *m)
{
    yjs__sink_write(&m->sink, &m->held);
}

/* Same client, and the new struct does not begin behind the held one's end. */
static void meet(struct merge *m, struct yjs__source *s)
{
    struct yjs__view v = *view_of(m, s);
    uint64_t over = end_of(&m->held) - v.clock;
    bool skip = yjs__view_kind(&m->held) == YJS__SKIP;
    int rc = YJS_OK;

    if (skip && over > m->held.len) /* clocks that go backwards */
        rc = YJS_ERR_MALFORMED;
    else if (over > 0 && skip)
        m->held.len -= over;
    else if (over > 0)
        rc = yjs__view_cut(&m->ctx, &v, over);
    if (rc != YJS_OK)
        fail(m, s->update, s->pos, rc);
    if (yjs__view_kind(&m->held) == YJS__GC && yjs__view_kind(&v) == YJS__GC) {
        m->held.len += v.len;
        return;
    }
    write_held(m);
    hold(m, &v);
    next(m, s);
}

/* Same client, with a gap before the new struct. */
static void bridge(struct merge *m, const struct yjs__source *s)
{
    struct yjs__view skip = {.info = YJS__SKIP, .client = m->held.client};

    if (yjs__view_kind(&m->held) == YJS__SKIP) {
        m->held.len = end_of(view_of(m, s)) - m->held.clock;
        return;
    }
    write_held(m);
    skip.clock = end_of(&m->held);
    skip.len = s->clock - skip.clock;
    hold(m, &skip);
}

/* True if the source goes on being read right away. */
static bool take(struct merge *m, struct yjs__source *s)
{
    uint64_t client = s->client;
    bool passed = false;

    while (s->has && s->client >= m->held.client &&
           end_of(view_of(m, s)) <= end_of(&m->held) && m->err == YJS_OK) {
        next(m, s);
        passed = true;
    }
    if (m->err != YJS_OK || !s->has || s->client != client ||
        (passed && s->clock > end_of(&m->held)))
        return false;
    if (client != m->held.client) {
        write_held(m);
        hold(m, view_of(m, s));
        next(m, s);
    } else if (end_of(&m->held) < s->clock) {
        bridge(m, s);
    } else {
        meet(m, s);
    }
    return true;
}

static void merge_step(struct merge *m, struct yjs__source *s)
{
    uint64_t client = s->client;

    if (!m->holding) {
        hold(m, view_of(m, s));
        next(m, s);
    } else if (!take(m, s)) {
        return;
    }
    while (m->err == YJS_OK && s->has && s->client == client &&
           s->clock == end_of(&m->held)) {
        write_held(m);
        hold(m, view_of(m, s));
        next(m, s);
    }
}

/* Open one input; it joins the queue if it has structs. */
static void open_source(struct merge *m, uint32_t update)
{
    struct yjs__source s = {.update = update};
    struct yjs__reader r;

    yjs__reader_init(&r, m->updates[update].ptr, m->updates[update].len);
    s.blocks = yjs__read_varuint(&r);
    s.pos = r.pos;
    if (r.err != YJS_OK)
        fail(m, update, m->updates[update].len > 0 ? r.err_pos : NULL, r.err);
    else
        settle(m, &s);
    if (s.has && yjs__queue_add(m->mem, &m->queue, &s) != YJS_OK)
        fail(m, update, NULL, m->mem->err);
}

static int merge_sources(struct merge *m, size_t n, struct yjs__writer *out)
{
    struct yjs__source *s;
    size_t i;

    for (i = 0; i < n && m->err == YJS_OK; i++)
        open_source(m, (uint32_t)i);
    if (m->err == YJS_OK)
        m->err = yjs__queue_start(m->mem, &m->queue);
    while (m->err == YJS_OK && (s = yjs__queue_first(&m->queue)) != NULL)
        merge_step(m, s);
    if (m->err != YJS_OK)
        return m->err;
    if (m->holding)
        write_held(m);
    yjs__deletes_merge(&m->deletes);
    return yjs__sink_finish(&m->sink, &m->deletes, out);
}

/* Scratch of both operations. */
struct scratch {
    struct yjs__canon canon;
    struct yjs__arena arena;
    struct yjs__writer body;
    struct yjs__view_ctx ctx;
};

static void scratch_init(struct scratch *k, struct yjs__mem *mem, size_t depth,
                         bool exact)
{
    yjs__canon_init(&k->canon, mem, depth);
    k->canon.exact = exact;
    k->arena = (struct yjs__arena){.mem = mem};
    yjs__writer_init(&k->body, mem, 0);
    k->ctx = (struct yjs__view_ctx){&k->canon, &k->arena};
}

static void scratch_deinit(struct scratch *k, struct yjs__sink *sink)
{
    yjs__sink_deinit(sink);
    yjs__writer_deinit(&k->body);
    yjs__canon_trim(&k->canon);
    yjs__arena_free(&k->arena);
}

int yjs__merge_many(struct yjs__mem *mem, const struct yjs__slice *updates,
                    size_t n, const struct yjs_limits *limits, bool exact,
                    struct yjs__merge_error *error, struct yjs__writer *out)
{
    struct merge m = {.mem = mem, .updates = updates, .error = error};
    struct scratch k;
    int rc;

    *error = (struct yjs__merge_error){0, 0};
    if (n > UINT32_MAX)
        return YJS_ERR_LIMIT;
    scratch_init(&k, mem, limits->depth, exact);
    m.limit = limits->structs;
    m.ctx = k.ctx;
    yjs__sink_init(&m.sink, mem, &k.body);
    rc = merge_sources(&m, n, out);
    yjs__vec_trim(mem, &m.deletes, sizeof(struct yjs__range), 0);
    yjs__queue_free(mem, &m.queue);
    scratch_deinit(&k, &m.sink);
    return rc;
}

int yjs__merge(struct yjs__mem *mem, const struct yjs__slice *updates,
               size_t n, struct yjs__writer *out)
{
    const struct yjs_limits limits = {.structs = SIZE_MAX, .depth = SIZE_MAX};
    struct yjs__merge_error error;

    return yjs__merge_many(mem, updates, n, &limits, false, &error, out);
}

/* ---------------------------------------------------------------- diffing */

/* The structs of one client from clock `from` on, the first of them cut. */
static bool diff_client(struct yjs__walk *w, struct yjs__sink *k, uint64_t from)
{
    uint64_t client = w->view.client;
    struct yjs__view v = w->view;
    bool more;
    int rc = YJS_OK;

    if (from > v.clock)
        rc = yjs__view_cut(&w->ctx, &v, from - v.clock);
    if (rc != YJS_OK)
        yjs__read_fail(&w->r, rc);
    else
        yjs__sink_write(k, &v);
    for (more = yjs__walk_next(w); more && w->view.client == client;
         more = yjs__walk_next(w))
        yjs__sink_write(k, &w->view);
    return more;
}

int yjs__diff_limited(struct yjs__mem *mem, struct yjs__slice update,
                      const struct yjs__vec *sv,
                      const struct yjs_limits *limits, bool exact,
                      struct yjs__writer *out, size_t *error_offset)
{
    struct yjs__vec ds = {NULL, 0, 0};
    struct yjs__sink sink;
    struct scratch k;
    struct yjs__walk w;
    bool more;
    int rc;

    scratch_init(&k, mem, limits->depth, exact);
    yjs__sink_init(&sink, mem, &k.body);
    yjs__walk_init(&w, update, &k.ctx, limits->structs);
    for (more = yjs__walk_next(&w); more;) {
        bool present;
        uint64_t from = yjs__sv_clock(sv, w.view.client, &present);

        /* The first struct written must not be a Skip. */
        if (yjs__view_kind(&w.view) == YJS__SKIP || end_of(&w.view) <= from)
            more = yjs__walk_next(&w);
        else
            more = diff_client(&w, &sink, from);
    }
    yjs__deletes_read(mem, &w.r, false, &ds);
    rc = w.r.err;
    if (rc == YJS_OK)
        rc = yjs__deletes_group(mem, &ds);
    if (rc == YJS_OK)
        rc = yjs__sink_finish(&sink, &ds, out);
    if (rc != YJS_OK)
        *error_offset = yjs__read_offset(&w.r);
    yjs__vec_trim(mem, &ds, sizeof(struct yjs__range), 0);
    scratch_deinit(&k, &sink);
    return rc;
}

int yjs__diff(struct yjs__mem *mem, struct yjs__slice update,
              const struct yjs__vec *sv, struct yjs__writer *out)
{
    const struct yjs_limits limits = {.structs = SIZE_MAX, .depth = SIZE_MAX};
    size_t offset;

    return yjs__diff_limited(mem, update, sv, &limits, false, out, &offset);
}
