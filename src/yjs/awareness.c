/* SPDX-License-Identifier: MIT */
/*
 * awareness.c: who is here and what each last said of itself, by the rules of
 * y-protocols 1.0.7, without a clock or a document of its own.
 *
 *   update   varuint n, then n times: varuint client, varuint clock,
 *            string JSON ("null": this client is gone)
 *
 * An entry is unknown, live (has a state) or a tombstone (only its clock is
 * left). A record is accepted when
 *
 *     clock > known clock (0 for an unknown client), or
 *     clock = known clock, the state is null and the client is live.
 *
 * So clock 0 is never accepted, and whoever removes a client at its known
 * clock is believed by everyone. Tombstones keep the late copies of old states
 * from bringing a client back; JavaScript never forgets one, we keep the
 * newest `tombstones`.
 *
 * An update is applied in three steps, so that a refused one changes nothing:
 * decode all records; stage (find or make each entry, judge each record
 * against what the records before it leave, copy the states, count against
 * the limits); commit, which only moves pointers. A new entry is not `known`
 * until it is committed, and what is not known is swept out at the end.
 *
 * Entries are found by binary search in an array of pointers sorted by client.
 * Clients choose their ids, so a hash table without a secret seed could be
 * made to collide; the array costs a memmove per new client instead, and rooms
 * hold dozens of them.
 *
 * Must never: read a clock, interpret a state beyond "is it JSON", or pass on
 * a state that JSON.parse would refuse.
 */
#include "yjs/jsoncheck.h"
#include "yjs/lib0.h"

enum {
    DEFAULT_CLIENTS = 16384,
    DEFAULT_TOMBSTONES = 1024,
    DEFAULT_STATE_BYTES = 64 << 10,
    DEFAULT_TOTAL_BYTES = 16 << 20,
    JSON_DEPTH = 64
};

struct entry {
    uint64_t client;
    uint64_t clock;
    uint64_t updated_ms;
    uint8_t *json; /* NULL: not live */
    size_t json_len;
    size_t staged; /* 1 + index of the last accepted record; 0: none */
    bool known;    /* false: made for a record that is not committed */
    struct entry *prev, *next; /* in `live` or `dead`, oldest first */
};

struct list {
    struct entry *first, *last;
    size_t n;
};

struct yjs_awareness {
    struct yjs__mem mem;
    struct yjs_awareness_options opt;
    struct entry **sorted; /* by client; owns the entries */
    size_t n, cap;
    struct list live; /* by last renewal */
    struct list dead; /* by removal */
    size_t json_bytes;
};

/* One decoded record of an update; `text` points into the caller's input. */
struct record {
    uint64_t client;
    uint64_t clock;
    struct yjs__slice text;
    bool is_null;
    bool accepted;
    bool was_live;
    bool was_known;
    uint8_t *copy; /* the state, until the entry takes it */
    struct entry *entry;
};

struct batch {
    struct record *list;
    size_t n, cap;
};

/* ------------------------------------------------------------------ entries */

static size_t find_place(const yjs_awareness *aw, uint64_t client)
{
    size_t lo = 0, hi = aw->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (aw->sorted[mid]->client < client)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static struct entry *find_entry(const yjs_awareness *aw, uint64_t client)
{
    size_t i = find_place(aw, client);

    return i < aw->n && aw->sorted[i]->client == client ? aw->sorted[i] : NULL;
}

static int find_or_make(yjs_awareness *aw, uint64_t client, struct entry **out)
{
    size_t i = find_place(aw, client);
    void *array = aw->sorted;
    struct entry *e;
    int rc;

    if (i < aw->n && aw->sorted[i]->client == client) {
        *out = aw->sorted[i];
        return YJS_OK;
    }
    rc = yjs__mem_grow(&aw->mem, &array, &aw->cap, aw->n + 1,
                       sizeof(*aw->sorted));
    if (rc != YJS_OK)
        return rc;
    aw->sorted = array;
    e = yjs__mem_alloc(&aw->mem, sizeof(*e));
    if (e == NULL)
        return aw->mem.err;
    *e = (struct entry){.client = client};
    memmove(aw->sorted + i + 1, aw->sorted + i,
            (aw->n - i) * sizeof(*aw->sorted));
    aw->sorted[i] = e;
    aw->n++;
    *out = e;
    return YJS_OK;
}

static void list_remove(struct list *list, struct entry *e)
{
    if (e->prev != NULL)
        e->prev->next = e->next;
    else
        list->first = e->next;
    if (e->next != NULL)
        e->next->prev = e->prev;
    else
        list->last = e->prev;
    e->prev = e->next = NULL;
    list->n--;
}

static void list_append(struct list *list, struct entry *e)
{
    e->prev = list->last;
    e->next = NULL;
    if (list->last != NULL)
        list->last->next = e;
    else
        list->first = e;
    list->last = e;
    list->n++;
}

static void drop_state(yjs_awareness *aw, struct entry *e)
{
    if (e->json == NULL)
        return;
    yjs__mem_free(&aw->mem, e->json, e->json_len);
    aw->json_bytes -= e->json_len;
    e->json = NULL;
    e->json_len = 0;
}

static void unlink_entry(yjs_awareness *aw, struct entry *e)
{
    if (e->known)
        list_remove(e->json != NULL ? &aw->live : &aw->dead, e);
}

/* Give `e` the state `json` (taken; NULL: none) at `clock`. Cannot fail. */
static void set_entry(yjs_awareness *aw, struct entry *e, uint64_t clock,
                      uint8_t *json, size_t json_len, uint64_t now_ms)
{
    unlink_entry(aw, e);
    drop_state(aw, e);
    e->known = true;
    e->clock = clock;
    e->updated_ms = now_ms;
    e->json = json;
    e->json_len = json_len;
    aw->json_bytes += json_len;
    list_append(json != NULL ? &aw->live : &aw->dead, e);
}

static void forget_old_tombstones(yjs_awareness *aw)
{
    while (aw->dead.n > aw->opt.tombstones) {
        struct entry *e = aw->dead.first;

        list_remove(&aw->dead, e);
        e->known = false;
    }
}

/* Free the entries that are not known (any more). */
static void sweep(yjs_awareness *aw)
{
    size_t i, kept = 0;

    if (aw->n == aw->live.n + aw->dead.n)
        return;
    for (i = 0; i < aw->n; i++) {
        struct entry *e = aw->sorted[i];

        if (e->known)
            aw->sorted[kept++] = e;
        else
            yjs__mem_free(&aw->mem, e, sizeof(*e));
    }
    aw->n = kept;
}

/* ----------------------------------------------------------------- lifetime */

static void set_default(size_t *value, size_t fallback)
{
    if (*value == 0)
        *value = fallback;
}

int yjs_awareness_new(const struct yjs_awareness_options *opt,
                      yjs_awareness **out)
{
    struct yjs__mem mem;
    yjs_awareness *aw;

    yjs__mem_init(&mem, opt != NULL ? &opt->alloc : NULL, 0);
    aw = yjs__mem_alloc(&mem, sizeof(*aw));
    if (aw == NULL)
        return mem.err;
    *aw = (yjs_awareness){.mem = mem};
    if (opt != NULL)
        aw->opt = *opt;
    set_default(&aw->opt.clients, DEFAULT_CLIENTS);
    set_default(&aw->opt.tombstones, DEFAULT_TOMBSTONES);
    set_default(&aw->opt.state_bytes, DEFAULT_STATE_BYTES);
    set_default(&aw->opt.total_bytes, DEFAULT_TOTAL_BYTES);
    *out = aw;
    return YJS_OK;
}

void yjs_awareness_free(yjs_awareness *awareness)
{
    struct yjs__mem mem;
    size_t i;

    if (awareness == NULL)
        return;
    for (i = 0; i < awareness->n; i++) {
        drop_state(awareness, awareness->sorted[i]);
        yjs__mem_free(&awareness->mem, awareness->sorted[i],
                      sizeof(*awareness->sorted[i]));
    }
    yjs__mem_free(&awareness->mem, awareness->sorted,
                  awareness->cap * sizeof(*awareness->sorted));
    mem = awareness->mem;
    yjs__mem_free(&mem, awareness, sizeof(*awareness));
}

/* ------------------------------------------------------------ apply: decode */

static int read_record(const yjs_awareness *aw, struct yjs__reader *r,
                       struct record *rec)
{
    *rec = (struct record){0};
    rec->client = yjs__read_varuint(r);
    rec->clock = yjs__read_varuint(r);
    rec->text = yjs__read_var_bytes(r);
    if (r->err != YJS_OK)
        return r->err;
    if (rec->text.len > aw->opt.state_bytes)
        return YJS_ERR_LIMIT;
    return yjs__json_check(rec->text.ptr, rec->text.len, JSON_DEPTH,
                           &rec->is_null);
}

static int decode_batch(yjs_awareness *aw, const uint8_t *update, size_t len,
                        struct batch *batch)
{
    struct yjs__reader r;
    uint64_t left;
    int rc;

    yjs__reader_init(&r, update, len);
    left = yjs__read_varuint(&r);
    if (r.err != YJS_OK)
        return r.err;
    /* An honest update has a client once. Compared without adding, which
     * generous limits could overflow. */
    if (left > aw->opt.clients && left - aw->opt.clients > aw->opt.tombstones)
        return YJS_ERR_LIMIT;
    for (; left > 0; left--) {
        void *list = batch->list;

        rc = yjs__mem_grow(&aw->mem, &list, &batch->cap, batch->n + 1,
                           sizeof(*batch->list));
        if (rc != YJS_OK)
            return rc;
        batch->list = list;
        rc = read_record(aw, &r, &batch->list[batch->n]);
        if (rc != YJS_OK)
            return rc;
        batch->n++;
    }
    return yjs__read_left(&r) > 0 ? YJS_ERR_MALFORMED : YJS_OK;
}

/* ------------------------------------------------------------- apply: stage */

/* What staging an update adds up to: checked against the limits at its end. */
struct totals {
    size_t live;
    size_t bytes;
};

/* Judge `rec` against its entry as the records before it leave it. */
static void judge(const struct batch *batch, struct record *rec,
                  struct totals *totals)
{
    const struct entry *e = rec->entry;
    uint64_t clock = e->clock;
    size_t bytes = e->json_len;

    rec->was_known = e->known;
    rec->was_live = e->json != NULL;
    if (e->staged > 0) {
        const struct record *last = &batch->list[e->staged - 1];

        clock = last->clock;
        rec->was_known = true;
        rec->was_live = !last->is_null;
        bytes = last->is_null ? 0 : last->text.len;
    }
    rec->accepted = rec->clock > clock || (rec->clock == clock &&
                                           rec->is_null && rec->was_live);
    if (!rec->accepted)
        return;
    totals->live -= rec->was_live;
    totals->bytes -= bytes;
    if (!rec->is_null) {
        totals->live++;
        totals->bytes += rec->text.len;
    }
}

static int stage(yjs_awareness *aw, struct batch *batch)
{
    struct totals totals = {aw->live.n, aw->json_bytes};
    size_t i;
    int rc;

    for (i = 0; i < batch->n; i++) {
        struct record *rec = &batch->list[i];

        rc = find_or_make(aw, rec->client, &rec->entry);
        if (rc != YJS_OK)
            return rc;
        judge(batch, rec, &totals);
        if (!rec->accepted)
            continue;
        rec->entry->staged = i + 1;
        if (rec->is_null)
            continue;
        rec->copy = yjs__mem_alloc(&aw->mem, rec->text.len);
        if (rec->copy == NULL)
            return aw->mem.err;
        memcpy(rec->copy, rec->text.ptr, rec->text.len);
    }
    if (totals.live > aw->opt.clients || totals.bytes > aw->opt.total_bytes)
        return YJS_ERR_LIMIT;
    return YJS_OK;
}

static void unstage(yjs_awareness *aw, struct batch *batch)
{
    size_t i;

    for (i = 0; i < batch->n; i++) {
        struct record *rec = &batch->list[i];

        if (rec->entry != NULL)
            rec->entry->staged = 0;
        yjs__mem_free(&aw->mem, rec->copy, rec->text.len);
    }
    yjs__mem_free(&aw->mem, batch->list, batch->cap * sizeof(*batch->list));
    sweep(aw);
}

/* ------------------------------------------------------------ apply: commit */

/*
 * Whoever was not live and has a state now is ADDED, also one that comes back
 * from a tombstone (JavaScript says "updated" of those). A null for a client
 * nobody knew is remembered, and not worth a word.
 */
static void commit(yjs_awareness *aw, struct record *rec, uint64_t now_ms,
                   yjs_awareness_fn fn, void *ctx)
{
    struct yjs_awareness_change change = {
        .client = rec->client,
        .clock = rec->clock,
        .kind = rec->is_null    ? YJS_AWARENESS_REMOVED
                : rec->was_live ? YJS_AWARENESS_UPDATED
                                : YJS_AWARENESS_ADDED,
    };
    struct entry *e = rec->entry;

    set_entry(aw, e, rec->clock, rec->copy, rec->is_null ? 0 : rec->text.len,
              now_ms);
    rec->copy = NULL;
    if (fn == NULL || (rec->is_null && !rec->was_known))
        return;
    change.json = (const char *)e->json;
    change.json_len = e->json_len;
    fn(ctx, &change);
}

int yjs_awareness_apply(yjs_awareness *awareness, const uint8_t *update,
                        size_t len, uint64_t now_ms, yjs_awareness_fn fn,
                        void *ctx)
{
    struct batch batch = {NULL, 0, 0};
    size_t i;
    int rc = decode_batch(awareness, update, len, &batch);

    if (rc == YJS_OK)
        rc = stage(awareness, &batch);
    for (i = 0; rc == YJS_OK && i < batch.n; i++)
        if (batch.list[i].accepted)
            commit(awareness, &batch.list[i], now_ms, fn, ctx);
    forget_old_tombstones(awareness);
    unstage(awareness, &batch);
    return rc;
}

/* ------------------------------------------------------------------- others */

bool yjs_awareness_remove(yjs_awareness *awareness, uint64_t client,
                          uint64_t now_ms)
{
    struct entry *e = find_entry(awareness, client);

    if (e == NULL || e->json == NULL)
        return false;
    set_entry(awareness, e, e->clock, NULL, 0, now_ms);
    forget_old_tombstones(awareness);
    sweep(awareness);
    return true;
}

size_t yjs_awareness_expire(yjs_awareness *awareness, uint64_t now_ms,
                            uint64_t timeout_ms, yjs_awareness_fn fn, void *ctx)
{
    struct entry *e;
    size_t n = 0;

    while ((e = awareness->live.first) != NULL && now_ms >= e->updated_ms &&
           now_ms - e->updated_ms >= timeout_ms) {
        struct yjs_awareness_change change = {
            .client = e->client,
            .clock = e->clock,
            .kind = YJS_AWARENESS_REMOVED,
        };

        set_entry(awareness, e, e->clock, NULL, 0, now_ms);
        if (fn != NULL)
            fn(ctx, &change);
        n++;
    }
    forget_old_tombstones(awareness);
    sweep(awareness);
    return n;
}

static void write_entry(struct yjs__writer *w, const struct entry *e)
{
    yjs__write_varuint(w, e->client);
    yjs__write_varuint(w, e->clock);
    if (e->json != NULL)
        yjs__write_var_bytes(w, e->json, e->json_len);
    else
        yjs__write_var_bytes(w, "null", 4);
}

static void write_live(const yjs_awareness *aw, struct yjs__writer *w)
{
    const struct entry *e;

    yjs__write_varuint(w, aw->live.n);
    for (e = aw->live.first; e != NULL; e = e->next)
        write_entry(w, e);
}

static void write_named(const yjs_awareness *aw, struct yjs__writer *w,
                        const uint64_t *clients, size_t n)
{
    size_t i, known = 0;

    for (i = 0; i < n; i++)
        known += find_entry(aw, clients[i]) != NULL;
    yjs__write_varuint(w, known);
    for (i = 0; i < n; i++) {
        const struct entry *e = find_entry(aw, clients[i]);

        if (e != NULL)
            write_entry(w, e);
    }
}

int yjs_awareness_encode(yjs_awareness *awareness, const uint64_t *clients,
                         size_t n, struct yjs_bytes *out)
{
    struct yjs__writer w;

    yjs__writer_init(&w, &awareness->mem, 0);
    if (clients == NULL)
        write_live(awareness, &w);
    else
        write_named(awareness, &w, clients, n);
    return yjs__writer_take(&w, out);
}

bool yjs_awareness_clock(const yjs_awareness *awareness, uint64_t client,
                         uint64_t *out_clock, bool *out_live)
{
    const struct entry *e = find_entry(awareness, client);

    if (e == NULL)
        return false;
    *out_clock = e->clock;
    *out_live = e->json != NULL;
    return true;
}

size_t yjs_awareness_count(const yjs_awareness *awareness)
{
    return awareness->live.n;
}

int yjs_awareness_set(yjs_awareness *awareness, uint64_t client,
                      struct yjs_span json, uint64_t now_ms,
                      yjs_awareness_fn fn, void *ctx)
{
    const struct entry *e = find_entry(awareness, client);
    uint64_t clock = e != NULL ? e->clock + 1 : 1;
    struct yjs__writer w;
    int rc;

    if (client > YJS__MAX_INT || clock > YJS__MAX_INT)
        return YJS_ERR_RANGE;
    if (json.data == NULL && (e == NULL || e->json == NULL))
        return YJS_OK;
    yjs__writer_init(&w, &awareness->mem, 0);
    yjs__write_varuint(&w, 1);
    yjs__write_varuint(&w, client);
    yjs__write_varuint(&w, clock);
    if (json.data != NULL)
        yjs__write_var_bytes(&w, json.data, json.len);
    else
        yjs__write_var_bytes(&w, "null", 4);
    rc = w.err;
    if (rc == YJS_OK)
        rc = yjs_awareness_apply(awareness, w.data, w.len, now_ms, fn, ctx);
    yjs__writer_deinit(&w);
    return rc;
}

bool yjs_awareness_state(const yjs_awareness *awareness, uint64_t client,
                         struct yjs_span *out_json)
{
    const struct entry *e = find_entry(awareness, client);

    if (e == NULL || e->json == NULL)
        return false;
    *out_json = (struct yjs_span){e->json, e->json_len};
    return true;
}

void yjs_awareness_visit(const yjs_awareness *awareness, yjs_awareness_fn fn,
                         void *ctx)
{
    const struct entry *e;

    for (e = awareness->live.first; e != NULL; e = e->next) {
        struct yjs_awareness_change change = {
            .client = e->client,
            .clock = e->clock,
            .kind = YJS_AWARENESS_ADDED,
            .json = (const char *)e->json,
            .json_len = e->json_len,
        };

        fn(ctx, &change);
    }
}
