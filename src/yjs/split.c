/* SPDX-License-Identifier: MIT */
/*
 * split.c: one update as several small ones.
 *
 * A peer that applies them one after the other must never have to wait: no
 * piece may build on a later one. In an update the clients stand one behind
 * the other, so cutting it from front to back would leave most of it pending
 * at the peer, which merges what is pending anew for each piece. So the
 * structs are given in the order in which a peer would integrate them: each
 * client has a cursor; before a struct is passed, the cursors of those it
 * refers to are moved past what it refers to, and so on down a stack.
 *
 *     client 9   ..........|=====|.........      === this piece: of each
 *     client 5   ....|========|............          client one run of bytes,
 *     client 2   ..................||......          copied as they stand
 *
 * What refers to itself in a circle, which no editor makes, is passed as it
 * comes. The delete set goes with the last piece.
 *
 * Must never give a struct twice, or none; costs 100 bytes for each client.
 */
#include "yjs/deletes.h"
#include "yjs/update.h"

struct cursor {
    uint64_t client;
    uint64_t clock; /* of the struct at `pos` */
    uint64_t first; /* of the client's first struct */
    uint64_t end;   /* behind its last */
    uint64_t structs;
    const uint8_t *pos;
    const uint8_t *run; /* where this piece begins */
    uint64_t run_clock;
    uint64_t run_structs;
    uint64_t until; /* on the stack: to be moved past this clock */
    size_t below;   /* on the stack: the cursor under it, or NOWHERE */
    bool stacked;
};

#define NOWHERE SIZE_MAX

struct split {
    struct yjs__update_op *op;
    struct yjs__slice update;
    struct yjs__slice deletes; /* as they stand */
    struct yjs__vec cursors;
    size_t piece_bytes, bytes;
    size_t top; /* of the stack */
    struct yjs__writer out;
    int (*fn)(void *ctx, struct yjs_span piece);
    void *ctx;
};

static struct cursor *cursors(struct split *s)
{
    return s->cursors.data;
}

/* ---------------------------------------------------------------- cursors */

/* The header of the block that `w` would open next. */
static bool next_block(const struct yjs__walk *w, struct cursor *out)
{
    struct yjs__reader r = w->r;
    uint64_t blocks = w->blocks;

    *out = (struct cursor){.below = NOWHERE};
    while (out->structs == 0 && blocks > 0 && r.err == YJS_OK) {
        blocks--;
        out->structs = yjs__read_varuint(&r);
        out->client = yjs__read_varuint(&r);
        out->clock = yjs__read_varuint(&r);
    }
    out->pos = out->run = r.pos;
    out->first = out->run_clock = out->clock;
    return out->structs > 0 && r.err == YJS_OK;
}

/* A cursor for each block; false if one does not stand behind a higher one. */
static bool open_cursors(struct split *s, struct yjs__walk *w)
{
    bool sorted = true;

    for (;;) {
        struct cursor c, *added;

        if (w->structs == 0 && next_block(w, &c)) {
            if (s->cursors.len > 0 &&
                cursors(s)[s->cursors.len - 1].client <= c.client)
                sorted = false;
            added = yjs__vec_add(&s->op->mem, &s->cursors, sizeof(c));
            if (added == NULL) {
                yjs__read_fail(&w->r, s->op->mem.err);
                return false;
            }
            *added = c;
        }
        if (!yjs__walk_next(w))
            return sorted;
        cursors(s)[s->cursors.len - 1].end = w->next_clock;
    }
}

/* The cursor that has yet to pass this clock; NOWHERE when none has. */
static size_t waits_for(struct split *s, uint64_t client, uint64_t clock)
{
    size_t low = 0, high = s->cursors.len;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct cursor *c = &cursors(s)[mid];

        if (c->client == client)
            return clock >= c->clock && clock < c->end && !c->stacked
                       ? mid
                       : NOWHERE;
        if (c->client > client)
            low = mid + 1;
        else
            high = mid;
    }
    return NOWHERE;
}

static size_t missing(struct split *s, const struct yjs__view *v,
                      struct yjs__wire_id *out)
{
    const struct yjs__wire_id none = {0, 0};
    const struct yjs__wire_id ids[] = {
        v->info & YJS__INFO_ORIGIN ? v->origin : none,
        v->info & YJS__INFO_RIGHT ? v->right : none,
        yjs__view_has_parent(v) && !v->root ? v->parent : none};
    const bool has[] = {(v->info & YJS__INFO_ORIGIN) != 0,
                        (v->info & YJS__INFO_RIGHT) != 0,
                        yjs__view_has_parent(v) && !v->root};
    size_t i, found;

    for (i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
        if (!has[i] || ids[i].client == v->client)
            continue;
        found = waits_for(s, ids[i].client, ids[i].clock);
        if (found != NOWHERE) {
            *out = ids[i];
            return found;
        }
    }
    return NOWHERE;
}

/* ----------------------------------------------------------------- pieces */

static void give(struct split *s, bool last)
{
    size_t i, runs = 0;
    struct cursor *all = cursors(s);

    for (i = 0; i < s->cursors.len; i++)
        runs += all[i].run_structs > 0;
    s->out.len = 0;
    yjs__write_varuint(&s->out, runs);
    for (i = 0; i < s->cursors.len; i++) {
        struct cursor *c = &all[i];

        if (c->run_structs == 0)
            continue;
        yjs__write_varuint(&s->out, c->run_structs);
        yjs__write_varuint(&s->out, c->client);
        yjs__write_varuint(&s->out, c->run_clock);
        yjs__write_bytes(&s->out, c->run, (size_t)(c->pos - c->run));
        c->run = c->pos;
        c->run_clock = c->clock;
        c->run_structs = 0;
    }
    if (last)
        yjs__write_bytes(&s->out, s->deletes.ptr, s->deletes.len);
    else
        yjs__write_varuint(&s->out, 0);
    s->bytes = 0;
    if (s->out.err != YJS_OK)
        s->op->rc = s->out.err;
    else
        s->op->rc =
            s->fn(s->ctx, (struct yjs_span){s->out.data, s->out.len});
}

static void push(struct split *s, size_t cursor, uint64_t until)
{
    struct cursor *c = &cursors(s)[cursor];

    c->stacked = true;
    c->until = until;
    c->below = s->top;
    s->top = cursor;
}

static void pop(struct split *s)
{
    struct cursor *c = &cursors(s)[s->top];

    c->stacked = false;
    s->top = c->below;
}

/* Pass the struct on top of the stack, or put there what it waits for. */
static void step(struct split *s)
{
    struct cursor *c = &cursors(s)[s->top];
    struct yjs__view v = {.client = c->client, .clock = c->clock};
    struct yjs__wire_id id;
    struct yjs__reader r;
    size_t other;

    r = (struct yjs__reader){.pos = c->pos,
                             .end = s->update.ptr + s->update.len,
                             .begin = c->pos};
    yjs__view_read(&r, &s->op->ctx, &v);
    if (r.err != YJS_OK) { /* it was read before: memory */
        s->op->rc = r.err;
        return;
    }
    other = missing(s, &v, &id);
    if (other != NOWHERE) {
        push(s, other, id.clock);
        return;
    }
    s->bytes += (size_t)(r.pos - c->pos);
    c->pos = r.pos;
    c->clock += v.len;
    c->structs--;
    c->run_structs++;
    if (c->structs == 0 || c->clock > c->until)
        pop(s);
    if (s->bytes >= s->piece_bytes)
        give(s, false);
}

static void run(struct split *s)
{
    size_t i;

    for (i = 0; i < s->cursors.len && s->op->rc == YJS_OK; i++) {
        if (cursors(s)[i].structs > 0)
            push(s, i, UINT64_MAX);
        while (s->top != NOWHERE && s->op->rc == YJS_OK)
            step(s);
    }
    if (s->op->rc == YJS_OK)
        give(s, true);
}

static void pass_deletes(struct yjs__update_op *op, struct yjs__reader *r)
{
    struct yjs__vec ds = {NULL, 0, 0};

    yjs__deletes_read(&op->mem, r, false, &ds);
    yjs__vec_trim(&op->mem, &ds, sizeof(struct yjs__range), 0);
    op->rc = r->err;
    op->error.offset = yjs__read_offset(r);
}

int yjs_update_split(struct yjs_span update, size_t piece_bytes,
                     const struct yjs_update_options *opt,
                     int (*piece)(void *ctx, struct yjs_span piece), void *ctx,
                     struct yjs_update_error *err)
{
    struct yjs__update_op op;
    struct split s = {.op = &op,
                      .piece_bytes = piece_bytes > 0 ? piece_bytes : 1,
                      .top = NOWHERE,
                      .fn = piece,
                      .ctx = ctx};
    struct yjs__walk w;
    bool sorted;

    yjs__update_op_init(&op, opt);
    yjs__writer_init(&s.out, &op.mem, 0);
    s.update = yjs__update_op_v1(&op, update);
    if (op.rc == YJS_OK) {
        yjs__walk_init(&w, s.update, &op.ctx, op.limits.structs);
        sorted = open_cursors(&s, &w);
        op.rc = w.r.err;
        op.error.offset = yjs__read_offset(&w.r);
        s.deletes.ptr = w.r.pos;
        if (op.rc == YJS_OK)
            pass_deletes(&op, &w.r);
        s.deletes.len = (size_t)(w.r.pos - s.deletes.ptr);
        if (op.rc == YJS_OK && sorted)
            run(&s);
        else if (op.rc == YJS_OK) /* nobody writes such: whole */
            op.rc = piece(ctx, (struct yjs_span){s.update.ptr, s.update.len});
    }
    yjs__vec_trim(&op.mem, &s.cursors, sizeof(struct cursor), 0);
    yjs__writer_deinit(&s.out);
    return yjs__update_op_end(&op, err);
}
