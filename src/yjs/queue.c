/* SPDX-License-Identifier: MIT */
/*
 * queue.c: the order of updates in a merge.
 *
 * Yjs sorts all its decoders again for every struct. What matters of that is
 * the order among equals: the sort is stable, and only the first decoder was
 * read from, so it stays before those it now equals.
 *
 * An item and a GC with the same id are equal to no order: Yjs's comparison
 * says of each that it is before the other. What then comes first depends on
 * how the JavaScript engine's sort asks, and it shows in what is written. Below
 * 64 elements that sort is simple, and this one is the same: the run at the
 * start, reversed if it descends, then binary insertion. As long as no such
 * pair is there, inserting the first one anew gives the same order for less.
 *
 * With 64 and more, a heap: n log n for all. There an item and a GC with the
 * same id count as equal, which is the one case where a merge can differ from
 * that of Yjs (either is right).
 */
#include "yjs/queue.h"

enum { FEW = 63 };

struct yjs__queue_entry {
    uint64_t client, clock;
    int64_t stamp; /* among equals the lowest first */
    struct yjs__source *source;
};

int yjs__queue_add(struct yjs__mem *mem, struct yjs__queue *q,
                   const struct yjs__source *s)
{
    struct yjs__source *place = yjs__vec_add(mem, &q->sources, sizeof(*place));

    if (place == NULL)
        return mem->err;
    *place = *s;
    return YJS_OK;
}

/* --------------------------------------------------------------------- few */

static bool same_id(const struct yjs__source *a, const struct yjs__source *b)
{
    return a->client == b->client && a->clock == b->clock;
}

/* As Yjs compares. */
static bool is_before(const struct yjs__source *a, const struct yjs__source *b)
{
    if (a->client != b->client)
        return a->client > b->client;
    if (a->clock != b->clock)
        return a->clock < b->clock;
    return a->gc != b->gc;
}

/* How many stand in order from the start; a falling run is turned round. */
static size_t first_run(struct yjs__source **order, size_t n)
{
    bool falling = n > 1 && is_before(order[1], order[0]);
    size_t run = n > 1 ? 2 : n, i;

    while (run < n && is_before(order[run], order[run - 1]) == falling)
        run++;
    for (i = 0; falling && i < run / 2; i++) {
        struct yjs__source *s = order[i];

        order[i] = order[run - 1 - i];
        order[run - 1 - i] = s;
    }
    return run;
}

/* Put `s` into the first `n`, behind all that it is not before. */
static void insert(struct yjs__source **order, size_t n,
                   struct yjs__source *s)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (is_before(s, order[mid]))
            high = mid;
        else
            low = mid + 1;
    }
    memmove(order + low + 1, order + low, (n - low) * sizeof(*order));
    order[low] = s;
}

static void sort_few(struct yjs__queue *q)
{
    size_t i;

    for (i = first_run(q->order, q->n); i < q->n; i++)
        insert(q->order, i, q->order[i]);
    q->mixed = false;
    for (i = 1; i < q->n; i++)
        if (same_id(q->order[i - 1], q->order[i]) &&
            q->order[i - 1]->gc != q->order[i]->gc)
            q->mixed = true;
}

static void drop_first(struct yjs__queue *q)
{
    q->n--;
    memmove(q->order, q->order + 1, q->n * sizeof(*q->order));
}

/* The first one moves behind those before it: before its equals. */
static bool move_first(struct yjs__queue *q)
{
    struct yjs__source *s = q->order[0];
    size_t low = 1, high = q->n;

    if (q->n == 1 || is_before(s, q->order[1]))
        return q->n == 1 || !same_id(s, q->order[1]);
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct yjs__source *o = q->order[mid];

        if (o->client > s->client ||
            (o->client == s->client && o->clock < s->clock))
            low = mid + 1;
        else
            high = mid;
    }
    for (high = low; high < q->n && same_id(s, q->order[high]); high++)
        if (s->gc != q->order[high]->gc)
            return false;
    memmove(q->order, q->order + 1, (low - 1) * sizeof(*q->order));
    q->order[low - 1] = s;
    return true;
}

static struct yjs__source *first_of_few(struct yjs__queue *q)
{
    if (q->n > 0 && !q->order[0]->has)
        drop_first(q);
    else if (q->n > 0 && !q->mixed && !move_first(q))
        q->mixed = true;
    if (q->mixed)
        sort_few(q);
    return q->n > 0 ? q->order[0] : NULL;
}

/* -------------------------------------------------------------------- many */

static bool entry_before(const struct yjs__queue_entry *a,
                         const struct yjs__queue_entry *b)
{
    if (a->client != b->client)
        return a->client > b->client;
    if (a->clock != b->clock)
        return a->clock < b->clock;
    return a->stamp < b->stamp;
}

static void sift_down(struct yjs__queue_entry *heap, size_t n, size_t at)
{
    struct yjs__queue_entry e = heap[at];

    for (;;) {
        size_t child = 2 * at + 1;

        if (child >= n)
            break;
        if (child + 1 < n && entry_before(&heap[child + 1], &heap[child]))
            child++;
        if (!entry_before(&heap[child], &e))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = e;
}

static void drop_top(struct yjs__queue *q)
{
    q->heap[0] = q->heap[--q->n];
    if (q->n > 0)
        sift_down(q->heap, q->n, 0);
}

/* The heap gets small enough for the other way. */
static void become_few(struct yjs__queue *q)
{
    size_t i, n = q->n;

    for (i = 0; i < n; i++) {
        q->order[i] = q->heap[0].source;
        drop_top(q);
    }
    q->n = n;
    q->heap = NULL;
    sort_few(q);
}

static struct yjs__source *first_of_many(struct yjs__queue *q)
{
    struct yjs__queue_entry *top = &q->heap[0];
    const struct yjs__source *s = top->source;

    if (!s->has) {
        drop_top(q);
    } else if (s->client != top->client || s->clock != top->clock) {
        top->client = s->client;
        top->clock = s->clock;
        top->stamp = --q->stamp;
        sift_down(q->heap, q->n, 0);
    }
    if (q->n > FEW)
        return q->heap[0].source;
    become_few(q);
    return q->order[0];
}

/* -------------------------------------------------------------------- both */

static void fill_heap(struct yjs__queue *q)
{
    struct yjs__source *s = q->sources.data;
    size_t i;

    for (i = 0; i < q->n; i++)
        q->heap[i] = (struct yjs__queue_entry){s[i].client, s[i].clock,
                                               (int64_t)i, &s[i]};
    for (i = q->n / 2; i-- > 0;)
        sift_down(q->heap, q->n, i);
}

int yjs__queue_start(struct yjs__mem *mem, struct yjs__queue *q)
{
    struct yjs__source *s = q->sources.data;
    size_t i;

    q->n = q->sources.len;
    if (q->n == 0)
        return YJS_OK;
    q->order = yjs__mem_alloc(mem, FEW * sizeof(*q->order));
    if (q->order == NULL)
        return mem->err;
    if (q->n > FEW) {
        q->heap = yjs__mem_alloc(mem, q->n * sizeof(*q->heap));
        if (q->heap == NULL)
            return mem->err;
        q->heap_memory = q->heap;
        q->heap_cap = q->n;
        fill_heap(q);
        return YJS_OK;
    }
    for (i = 0; i < q->n; i++)
        q->order[i] = &s[i];
    sort_few(q);
    return YJS_OK;
}

struct yjs__source *yjs__queue_first(struct yjs__queue *q)
{
    if (q->n == 0)
        return NULL;
    if (!q->started) {
        q->started = true;
        return q->heap != NULL ? q->heap[0].source : q->order[0];
    }
    return q->heap != NULL ? first_of_many(q) : first_of_few(q);
}

void yjs__queue_free(struct yjs__mem *mem, struct yjs__queue *q)
{
    yjs__vec_trim(mem, &q->sources, sizeof(struct yjs__source), 0);
    yjs__mem_free(mem, q->heap_memory, q->heap_cap * sizeof(*q->heap));
    yjs__mem_free(mem, q->order, FEW * sizeof(*q->order));
    *q = (struct yjs__queue){.n = 0};
}
