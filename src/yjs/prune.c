/* SPDX-License-Identifier: MIT */
/*
 * prune.c: what a collecting Yjs would keep of an update.
 *
 * An update may delete what it brings. Yjs integrates the content, deletes it
 * and collects it in one transaction; what stays is
 *
 *   item in the delete set                 Deleted, in the same place
 *   item in a type in the delete set       GC: its place is nobody's any more
 *   anything else                          as it was
 *
 * and that can be written at once. An item of which only a part is deleted is
 * split as Yjs splits it: each later part has the end of the one before as its
 * left origin. Deleted parts that follow one another become one again, if they
 * read as one that was split.
 *
 * Where an item is in is written down only if it has no origin; with one it is
 * where its origin is. For that, and only if the update deletes a type at all,
 * all items are put in order by id. What refers to something outside of the
 * update is left in its place.
 *
 * Only what is deleted for good may go: what the update itself does not
 * delete is never touched, whatever the type it is in. Formats stay as well:
 * that one was deleted is what Yjs cleans up the formats around it for.
 */
#include "yjs/prune.h"

#include "yjs/content.h"
#include "yjs/deletes.h"
#include "yjs/sink.h"
#include "yjs/sort.h"
#include "yjs/utf.h"
#include "yjs/walk.h"

enum where {
    IN_ROOT,  /* or unknown: it stays */
    IN_ITEM,  /* `ref` is the item that holds its type */
    AS_OTHER, /* where `ref` is */
    ASKED     /* being looked for */
};

/* Where an item is. */
struct home {
    uint64_t client, clock;
    struct yjs__wire_id ref;
    enum where where;
};

struct prune {
    struct yjs__mem *mem;
    struct yjs__view_ctx ctx;
    struct yjs__vec deletes; /* normalised */
    struct yjs__vec homes;   /* by id; empty if no type is deleted */
    struct yjs__sink sink;
    struct yjs__view held;   /* may still grow */
    bool holding;
    int err;
};

static bool is_item(const struct yjs__view *v)
{
    return yjs__view_kind(v) != YJS__GC && yjs__view_kind(v) != YJS__SKIP;
}

/* ---------------------------------------------------------- what is deleted */

/* The first range that ends behind the clock; of this client if there is. */
static const struct yjs__range *range_at(const struct prune *p,
                                         uint64_t client, uint64_t clock)
{
    size_t low = 0, high = p->deletes.len;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct yjs__range *r = yjs__idset_at(&p->deletes, mid);

        if (r->client < client ||
            (r->client == client && r->clock + r->len <= clock))
            low = mid + 1;
        else
            high = mid;
    }
    if (low == p->deletes.len ||
        yjs__idset_at(&p->deletes, low)->client != client)
        return NULL;
    return yjs__idset_at(&p->deletes, low);
}

static bool is_deleted(const struct prune *p, struct yjs__wire_id id)
{
    const struct yjs__range *r = range_at(p, id.client, id.clock);

    return r != NULL && r->clock <= id.clock;
}

/* --------------------------------------------------------- where an item is */

static int compare_homes(const void *ctx, const void *a, const void *b)
{
    const struct home *x = a, *y = b;

    (void)ctx;
    if (x->client != y->client)
        return x->client < y->client ? -1 : 1;
    return x->clock < y->clock ? -1 : x->clock > y->clock;
}

/* The item that holds the id, as far as one begins at or before it. */
static struct home *find_home(const struct prune *p, struct yjs__wire_id id)
{
    struct home *h = p->homes.data;
    size_t low = 0, high = p->homes.len;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (h[mid].client < id.client ||
            (h[mid].client == id.client && h[mid].clock <= id.clock))
            low = mid + 1;
        else
            high = mid;
    }
    return low > 0 && h[low - 1].client == id.client ? &h[low - 1] : NULL;
}

static void note_home(struct prune *p, const struct yjs__view *v)
{
    struct home *h = yjs__vec_add(p->mem, &p->homes, sizeof(*h));

    if (h == NULL) {
        p->err = p->mem->err;
        return;
    }
    *h = (struct home){.client = v->client, .clock = v->clock};
    if (!is_item(v))
        return; /* nowhere: who refers to it, neither */
    h->where = AS_OTHER;
    if (v->info & YJS__INFO_ORIGIN)
        h->ref = v->origin;
    else if (v->info & YJS__INFO_RIGHT)
        h->ref = v->right;
    else if (v->root)
        h->where = IN_ROOT;
    else {
        h->where = IN_ITEM;
        h->ref = v->parent;
    }
}

/* Follow references to where they end, then let all on the way know. A circle,
 * which only a liar writes, is nowhere. */
static struct home *resolve(const struct prune *p, struct home *from)
{
    struct home *h = from, *end, *next;

    while (h != NULL && h->where == AS_OTHER) {
        h->where = ASKED;
        h = find_home(p, h->ref);
    }
    end = h;
    for (h = from; h != end && h != NULL && h->where == ASKED; h = next) {
        next = find_home(p, h->ref);
        h->where = end == NULL || end->where != IN_ITEM ? IN_ROOT : IN_ITEM;
        if (h->where == IN_ITEM)
            h->ref = end->ref;
    }
    if (end != NULL && end->where == ASKED)
        end->where = IN_ROOT;
    return from;
}

static bool is_in_deleted_type(const struct prune *p,
                               const struct yjs__view *v)
{
    struct yjs__wire_id id = {v->client, v->clock};
    struct home *h = p->homes.len > 0 ? find_home(p, id) : NULL;

    if (h == NULL)
        return false;
    h = resolve(p, h);
    return h->where == IN_ITEM && is_deleted(p, h->ref);
}

/* ------------------------------------------------------------------ writing */

static bool same_id(struct yjs__wire_id a, struct yjs__wire_id b)
{
    return a.client == b.client && a.clock == b.clock;
}

/* Does `v` read as the second part of `held`, split where they meet? */
static bool continues(const struct yjs__view *held, const struct yjs__view *v)
{
    uint8_t right = (held->info ^ v->info) & YJS__INFO_RIGHT;

    if (held->client != v->client || held->clock + held->len != v->clock ||
        yjs__view_kind(held) != yjs__view_kind(v))
        return false;
    if (yjs__view_kind(v) == YJS__GC)
        return true;
    return yjs__view_kind(v) == YJS__DELETED &&
           (v->info & YJS__INFO_ORIGIN) != 0 &&
           same_id(v->origin, (struct yjs__wire_id){v->client, v->clock - 1}) &&
           right == 0 &&
           ((v->info & YJS__INFO_RIGHT) == 0 ||
            same_id(held->right, v->right));
}

static void flush_held(struct prune *p)
{
    if (p->holding)
        yjs__sink_write(&p->sink, &p->held);
    p->holding = false;
}

static void put(struct prune *p, const struct yjs__view *v)
{
    if (p->holding && continues(&p->held, v)) {
        p->held.len += v->len;
        return;
    }
    if (p->holding && p->held.client == v->client &&
        p->held.clock + p->held.len != v->clock) {
        flush_held(p); /* a second block of the client, as it came */
        yjs__sink_flush(&p->sink);
    }
    flush_held(p);
    p->held = *v;
    p->holding = true;
}

static void put_deleted(struct prune *p, struct yjs__view v, bool collect)
{
    v.content = (struct yjs__slice){NULL, 0};
    if (collect)
        v.info = YJS__GC;
    else
        v.info = (uint8_t)((v.info & ~YJS__INFO_KIND) | YJS__DELETED);
    put(p, &v);
}

/* -------------------------------------------------------------------- parts */

/* What is left of a struct that is being split. */
struct rest {
    struct yjs__view v;
    bool half; /* it begins with the second half of a pair, not in v.content */
};

/* The bytes of a part, with U+FFFD for halves of pairs at its ends. */
static struct yjs__slice part_of(struct prune *p, struct yjs__slice s,
                                 bool before, bool behind)
{
    size_t n = sizeof(yjs__utf8_replacement);
    uint8_t *copy, *at;

    if (!before && !behind)
        return s;
    at = copy = yjs__arena_alloc(p->ctx.arena, s.len + 2 * n);
    if (copy == NULL) {
        p->err = p->mem->err;
        return (struct yjs__slice){NULL, 0};
    }
    if (before) {
        memcpy(at, yjs__utf8_replacement, n);
        at += n;
    }
    if (s.len > 0)
        memcpy(at, s.ptr, s.len);
    at += s.len;
    if (behind) {
        memcpy(at, yjs__utf8_replacement, n);
        at += n;
    }
    return (struct yjs__slice){copy, (size_t)(at - copy)};
}

/* Take the first `n` units, not all, off `rest`. */
static struct yjs__view take(struct prune *p, struct rest *rest, uint64_t n,
                             bool deleted)
{
    struct yjs__view v = rest->v;
    struct yjs__slice s = v.content, tail = {NULL, 0};
    enum yjs__kind kind = yjs__view_kind(&v);
    bool inside = false;

    v.len = n;
    if (kind == YJS__STRING || kind == YJS__JSON || kind == YJS__ANY) {
        int rc = yjs__content_tail(p->ctx.canon, kind, s,
                                   rest->v.len - rest->half, n - rest->half,
                                   &tail, &inside);

        if (rc != YJS_OK)
            p->err = rc;
        s.len -= tail.len + (inside ? 4 : 0);
        if (!deleted)
            v.content = part_of(p, s, rest->half, inside);
    }
    rest->v.content = tail;
    rest->v.clock += n;
    rest->v.len -= n;
    rest->v.info |= YJS__INFO_ORIGIN;
    rest->v.origin = (struct yjs__wire_id){v.client, rest->v.clock - 1};
    rest->half = inside;
    return v;
}

static void prune_item(struct prune *p, const struct yjs__view *v)
{
    bool collect = is_in_deleted_type(p, v);
    struct rest rest = {*v, false};

    while (p->err == YJS_OK && rest.v.len > 0) {
        const struct yjs__range *r = range_at(p, v->client, rest.v.clock);
        bool deleted = r != NULL && r->clock <= rest.v.clock;
        uint64_t end = r == NULL ? UINT64_MAX
                                 : r->clock + (deleted ? r->len : 0);
        struct yjs__view part = rest.v;

        if (end - rest.v.clock < rest.v.len)
            part = take(p, &rest, end - rest.v.clock, deleted);
        else
            rest.v.len = 0;
        if (deleted) {
            put_deleted(p, part, collect);
            continue;
        }
        if (rest.v.len == 0)
            part.content = part_of(p, part.content, rest.half, false);
        put(p, &part);
    }
}

/* ------------------------------------------------------------------ passes */

/* The delete set, and whether it has a type in it. */
static int read_deletes(struct prune *p, struct yjs__slice update,
                        uint64_t limit, struct yjs__vec *written,
                        size_t *error_offset)
{
    struct yjs__walk w;
    size_t i;

    yjs__walk_init(&w, update, &p->ctx, limit);
    while (yjs__walk_next(&w))
        ;
    yjs__deletes_read(p->mem, &w.r, false, written);
    *error_offset = yjs__read_offset(&w.r);
    if (w.r.err != YJS_OK)
        return w.r.err;
    yjs__deletes_merge(written);
    for (i = 0; i < written->len; i++) {
        struct yjs__range *r = yjs__vec_add(p->mem, &p->deletes, sizeof(*r));

        if (r == NULL)
            return p->mem->err;
        *r = *yjs__idset_at(written, i);
    }
    yjs__idset_normalise(&p->deletes);
    return YJS_OK;
}

static int find_homes(struct prune *p, struct yjs__slice update)
{
    struct yjs__walk w;
    bool wanted = false;

    if (p->deletes.len == 0)
        return YJS_OK;
    yjs__walk_init(&w, update, &p->ctx, UINT64_MAX);
    while (!wanted && yjs__walk_next(&w)) {
        struct yjs__wire_id id = {w.view.client, w.view.clock};

        wanted = (yjs__view_kind(&w.view) == YJS__TYPE && is_deleted(p, id)) ||
                 (yjs__view_has_parent(&w.view) && !w.view.root &&
                  is_deleted(p, w.view.parent));
    }
    if (!wanted)
        return w.r.err;
    yjs__walk_init(&w, update, &p->ctx, UINT64_MAX);
    while (p->err == YJS_OK && yjs__walk_next(&w))
        note_home(p, &w.view);
    yjs__sort(p->homes.data, p->homes.len, sizeof(struct home), compare_homes,
              NULL);
    return p->err != YJS_OK ? p->err : w.r.err;
}

static int write_structs(struct prune *p, struct yjs__slice update)
{
    struct yjs__walk w;

    yjs__walk_init(&w, update, &p->ctx, UINT64_MAX);
    while (p->err == YJS_OK && yjs__walk_next(&w)) {
        if (is_item(&w.view) && yjs__view_kind(&w.view) != YJS__FORMAT)
            prune_item(p, &w.view);
        else
            put(p, &w.view);
    }
    flush_held(p);
    return p->err != YJS_OK ? p->err : w.r.err;
}

int yjs__prune(struct yjs__mem *mem, struct yjs__slice update,
               const struct yjs_limits *limits, bool exact,
               struct yjs__writer *out, size_t *error_offset)
{
    struct prune p = {.mem = mem};
    struct yjs__canon canon;
    struct yjs__arena arena = {.mem = mem};
    struct yjs__writer body;
    struct yjs__vec written = {NULL, 0, 0};
    int rc;

    yjs__canon_init(&canon, mem, limits->depth);
    canon.exact = exact;
    yjs__writer_init(&body, mem, 0);
    p.ctx = (struct yjs__view_ctx){&canon, &arena};
    yjs__sink_init(&p.sink, mem, &body);
    rc = read_deletes(&p, update, limits->structs, &written, error_offset);
    if (rc == YJS_OK)
        rc = find_homes(&p, update);
    if (rc == YJS_OK)
        rc = write_structs(&p, update);
    if (rc == YJS_OK)
        rc = yjs__sink_finish(&p.sink, &written, out);
    yjs__vec_trim(mem, &written, sizeof(struct yjs__range), 0);
    yjs__vec_trim(mem, &p.deletes, sizeof(struct yjs__range), 0);
    yjs__vec_trim(mem, &p.homes, sizeof(struct home), 0);
    yjs__sink_deinit(&p.sink);
    yjs__writer_deinit(&body);
    yjs__canon_trim(&canon);
    yjs__arena_free(&arena);
    return rc;
}
