/* SPDX-License-Identifier: MIT */
/*
 * merge.c: merging updates struct by struct.
 *
 * The inputs are read side by side, each in the order it was written: clients
 * from the highest id, clocks ascending. The struct with the highest client,
 * and of that the lowest clock, is next; what is known already is passed or
 * cut; what is missing between two structs of a client becomes a Skip.
 *
 * This follows Y.mergeUpdates case by case, odd ones included (a Skip may be
 * stretched over structs that come later, and is cut again by them): what it
 * writes can be seen in every encoding of a document with pending structs.
 */
#include "yjs/merge.h"

#include "yjs/idset.h"
#include "yjs/update_read.h"
#include "yjs/update_write.h"

/* ---------------------------------------------------------------- reading */

struct source {
    struct yjs__reader r;
    struct yjs__view_ctx ctx;
    uint64_t blocks, structs; /* left */
    struct yjs__view view;
    uint64_t next_clock;
    bool has;                 /* view is a struct */
    bool skips;               /* Skips are given as well */
};

/* Step to the next struct, or to the end of them. */
static void source_next(struct source *s)
{
    do {
        s->has = false;
        while (s->structs == 0) {
            if (s->blocks == 0 || s->r.err != YJS_OK)
                return;
            s->blocks--;
            s->structs = yjs__read_varuint(&s->r);
            s->view = (struct yjs__view){.client = yjs__read_varuint(&s->r)};
            s->next_clock = yjs__read_varuint(&s->r);
        }
        s->structs--;
        s->view.clock = s->next_clock;
        yjs__view_read(&s->r, &s->ctx, &s->view);
        if (s->r.err != YJS_OK)
            return;
        s->next_clock += s->view.len;
        s->has = true;
    } while (!s->skips && yjs__view_kind(&s->view) == YJS__SKIP);
}

static void source_open(struct source *s, struct yjs__slice update,
                        const struct yjs__view_ctx *ctx, bool skips)
{
    *s = (struct source){.ctx = *ctx, .skips = skips};
    yjs__reader_init(&s->r, update.ptr, update.len);
    s->blocks = yjs__read_varuint(&s->r);
    source_next(s);
}

/* ---------------------------------------------------------------- writing */

/* A block is preceded by its number of structs: it is gathered apart. */
struct sink {
    struct yjs__writer *body; /* finished blocks */
    struct yjs__writer block;
    uint64_t client, blocks, structs;
};

static void sink_flush(struct sink *k)
{
    if (k->structs == 0)
        return;
    yjs__write_varuint(k->body, k->structs);
    yjs__write_bytes(k->body, k->block.data, k->block.len);
    k->block.len = 0;
    k->structs = 0;
    k->blocks++;
}

static void sink_write(struct sink *k, const struct yjs__view *v)
{
    if (k->client != v->client)
        sink_flush(k);
    if (k->structs == 0) {
        k->client = v->client;
        yjs__write_varuint(&k->block, v->client);
        yjs__write_varuint(&k->block, v->clock);
    }
    yjs__view_write(&k->block, v);
    k->structs++;
}

/* All blocks, then the delete set. */
static int sink_finish(struct sink *k, struct yjs__vec *ds,
                       struct yjs__writer *out)
{
    sink_flush(k);
    yjs__write_varuint(out, k->blocks);
    yjs__write_bytes(out, k->body->data, k->body->len);
    yjs__idset_normalise(ds);
    yjs__idset_order(ds);
    yjs__idset_write(out, ds);
    if (k->block.err != YJS_OK)
        return k->block.err;
    return k->body->err != YJS_OK ? k->body->err : out->err;
}

/* ---------------------------------------------------------------- merging */

struct merge {
    struct yjs__mem *mem;
    struct yjs__view_ctx ctx;
    struct source *sources;
    struct source **order; /* those with structs left, best first */
    size_t n;
    struct sink sink;
    struct yjs__view held; /* read, not yet written: may still be cut */
    bool holding;
    int err;
};

/*
 * Is `a` before `b`? Of an item and a GC with the same id each is before the
 * other: which of them comes first depends on how the sort asks, and it shows
 * in what is written. So the sort, too, is the one of the JavaScript engine:
 * the run at the start, reversed if it descends, then binary insertion.
 */
static bool is_before(const struct source *a, const struct source *b)
{
    if (a->view.client != b->view.client)
        return a->view.client > b->view.client;
    if (a->view.clock != b->view.clock)
        return a->view.clock < b->view.clock;
    return (yjs__view_kind(&a->view) == YJS__GC) !=
           (yjs__view_kind(&b->view) == YJS__GC);
}

/* How many stand in order from the start; a falling run is turned round. */
static size_t first_run(struct source **order, size_t n)
{
    bool falling = n > 1 && is_before(order[1], order[0]);
    size_t run = n > 1 ? 2 : n, i;

    while (run < n && is_before(order[run], order[run - 1]) == falling)
        run++;
    for (i = 0; falling && i < run / 2; i++) {
        struct source *s = order[i];

        order[i] = order[run - 1 - i];
        order[run - 1 - i] = s;
    }
    return run;
}

static void sort_sources(struct merge *m)
{
    size_t i, n = 0;

    for (i = 0; i < m->n; i++)
        if (m->order[i]->has)
            m->order[n++] = m->order[i];
    m->n = n;
    for (i = first_run(m->order, n); i < n; i++) {
        struct source *s = m->order[i];
        size_t low = 0, high = i;

        while (low < high) {
            size_t mid = low + (high - low) / 2;

            if (is_before(s, m->order[mid]))
                high = mid;
            else
                low = mid + 1;
        }
        memmove(m->order + low + 1, m->order + low,
                (i - low) * sizeof(struct source *));
        m->order[low] = s;
    }
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
    sink_write(&m->sink, &m->held);
}

/* Same client, and the new struct does not begin behind the held one's end. */
static void meet(struct merge *m, struct source *s)
{
    uint64_t over = end_of(&m->held) - s->view.clock;
    struct yjs__view v = s->view;
    bool skip = yjs__view_kind(&m->held) == YJS__SKIP;

    if (over > 0 && skip)
        m->held.len -= over;
    else if (over > 0)
        m->err = yjs__view_cut(&m->ctx, &v, over);
    if (yjs__view_kind(&m->held) == YJS__GC && yjs__view_kind(&v) == YJS__GC) {
        m->held.len += v.len;
        return;
    }
    write_held(m);
    hold(m, &v);
    source_next(s);
}

/* Same client, with a gap before the new struct. */
static void bridge(struct merge *m, const struct source *s)
{
    struct yjs__view skip = {.info = YJS__SKIP, .client = m->held.client};

    if (yjs__view_kind(&m->held) == YJS__SKIP) {
        m->held.len = end_of(&s->view) - m->held.clock;
        return;
    }
    write_held(m);
    skip.clock = end_of(&m->held);
    skip.len = s->view.clock - skip.clock;
    hold(m, &skip);
}

/* True if the source goes on being read right away. */
static bool take(struct merge *m, struct source *s)
{
    uint64_t client = s->view.client;
    bool passed = false;

    while (s->has && end_of(&s->view) <= end_of(&m->held) &&
           s->view.client >= m->held.client) {
        source_next(s);
        passed = true;
    }
    if (!s->has || s->view.client != client ||
        (passed && s->view.clock > end_of(&m->held)))
        return false;
    if (client != m->held.client) {
        write_held(m);
        hold(m, &s->view);
        source_next(s);
    } else if (end_of(&m->held) < s->view.clock) {
        bridge(m, s);
    } else {
        meet(m, s);
    }
    return true;
}

static void merge_step(struct merge *m)
{
    struct source *s = m->order[0];
    uint64_t client = s->view.client;

    if (!m->holding) {
        hold(m, &s->view);
        source_next(s);
    } else if (!take(m, s)) {
        return;
    }
    while (s->has && s->view.client == client &&
           s->view.clock == end_of(&m->held) &&
           yjs__view_kind(&s->view) != YJS__SKIP) {
        write_held(m);
        hold(m, &s->view);
        source_next(s);
    }
}

static int merge_sources(struct merge *m, size_t n, struct yjs__writer *out)
{
    struct yjs__vec ds = {NULL, 0, 0};
    size_t i;

    for (sort_sources(m); m->n > 0 && m->err == YJS_OK; sort_sources(m))
        merge_step(m);
    if (m->holding)
        write_held(m);
    for (i = 0; i < n && m->err == YJS_OK; i++) {
        yjs__idset_read(m->mem, &m->sources[i].r, &ds);
        m->err = m->sources[i].r.err;
    }
    if (m->err == YJS_OK)
        m->err = sink_finish(&m->sink, &ds, out);
    yjs__vec_trim(m->mem, &ds, sizeof(struct yjs__range), 0);
    return m->err;
}

/* Scratch of both operations. */
struct scratch {
    struct yjs__canon canon;
    struct yjs__arena arena;
    struct yjs__writer body;
    struct yjs__view_ctx ctx;
};

static void scratch_init(struct scratch *k, struct yjs__mem *mem)
{
    yjs__canon_init(&k->canon, mem, SIZE_MAX);
    k->arena = (struct yjs__arena){.mem = mem};
    yjs__writer_init(&k->body, mem, 0);
    k->ctx = (struct yjs__view_ctx){&k->canon, &k->arena};
}

static void scratch_deinit(struct scratch *k, struct sink *sink)
{
    yjs__writer_deinit(&sink->block);
    yjs__writer_deinit(&k->body);
    yjs__canon_trim(&k->canon);
    yjs__arena_free(&k->arena);
}

int yjs__merge(struct yjs__mem *mem, const struct yjs__slice *updates,
               size_t n, struct yjs__writer *out)
{
    struct merge m = {.mem = mem, .n = n};
    struct scratch k;
    size_t i;
    int rc;

    scratch_init(&k, mem);
    m.ctx = k.ctx;
    m.sink.body = &k.body;
    yjs__writer_init(&m.sink.block, mem, 0);
    m.sources = yjs__arena_alloc(&k.arena, n * sizeof(*m.sources));
    m.order = yjs__arena_alloc(&k.arena, n * sizeof(struct source *));
    if (m.sources == NULL || m.order == NULL) {
        rc = mem->err;
    } else {
        for (i = 0; i < n; i++) {
            source_open(&m.sources[i], updates[i], &m.ctx, false);
            m.order[i] = &m.sources[i];
        }
        rc = merge_sources(&m, n, out);
    }
    scratch_deinit(&k, &m.sink);
    return rc;
}

/* ---------------------------------------------------------------- diffing */

/* The structs of one client from clock `from` on, the first of them cut. */
static int diff_client(struct source *s, struct sink *k, uint64_t from)
{
    uint64_t client = s->view.client;
    struct yjs__view v = s->view;
    int rc = YJS_OK;

    if (from > v.clock)
        rc = yjs__view_cut(&s->ctx, &v, from - v.clock);
    if (rc == YJS_OK)
        sink_write(k, &v);
    for (source_next(s); s->has && s->view.client == client; source_next(s))
        sink_write(k, &s->view);
    return rc;
}

int yjs__diff(struct yjs__mem *mem, struct yjs__slice update,
              const struct yjs__vec *sv, struct yjs__writer *out)
{
    struct yjs__vec ds = {NULL, 0, 0};
    struct sink sink = {.body = NULL};
    struct scratch k;
    struct source s;
    int rc = YJS_OK;

    scratch_init(&k, mem);
    sink.body = &k.body;
    yjs__writer_init(&sink.block, mem, 0);
    source_open(&s, update, &k.ctx, true);
    while (s.has && rc == YJS_OK) {
        bool present;
        uint64_t from = yjs__sv_clock(sv, s.view.client, &present);

        /* The first struct written must not be a Skip. */
        if (yjs__view_kind(&s.view) == YJS__SKIP || end_of(&s.view) <= from)
            source_next(&s);
        else
            rc = diff_client(&s, &sink, from);
    }
    if (rc == YJS_OK) {
        yjs__idset_read(mem, &s.r, &ds);
        rc = s.r.err;
    }
    if (rc == YJS_OK)
        rc = sink_finish(&sink, &ds, out);
    yjs__vec_trim(mem, &ds, sizeof(struct yjs__range), 0);
    scratch_deinit(&k, &sink);
    return rc;
}
