/* SPDX-License-Identifier: MIT */
/*
 * apply.c: one update, from bytes to the point of no return and over it.
 *
 * Round one takes the update. What waits for structs not known yet is put
 * behind what was waiting before (pending.c). If that wait is over for any
 * client, a second round takes all that is pending, and what remains of it is
 * what is pending from then on. Deletes that wait are tried again whenever
 * their client grew.
 *
 * The delete set is read twice: once to know that the update is sound, before
 * anything is integrated, and once to apply it.
 */
#include "yjs/txn.h"

#include "yjs/edit.h"
#include "yjs/event.h"
#include "yjs/pending.h"

struct apply {
    yjs_doc *doc;
    struct yjs__slice pending; /* as it will be; data owned if `fresh` */
    struct yjs__slice part;    /* owned: to be put behind it */
    bool fresh;
    bool settled;              /* the old pending structs were taken up */
    struct yjs__vec ds;        /* pending deletes as they will be */
    bool ds_changed;
};

/* -------------------------------------------------------------- delete sets */

/* Delete what there is of [clock, end) of a client; end <= its state. */
static int delete_range(yjs_doc *doc, uint32_t client, uint64_t clock,
                        uint64_t end)
{
    struct yjs__client *c = yjs__client(doc, client);
    struct yjs__spot s = yjs__store_find(c, clock);
    const struct yjs__item *it = yjs__item(doc, yjs__spot_item(c, s));
    int rc = YJS_OK;

    if (!yjs__item_deleted(it) && it->clock < clock) {
        rc = yjs__txn_split(doc, c, s, clock - it->clock);
        if (rc != YJS_OK)
            return rc;
        s = yjs__store_find(c, clock);
    }
    do {
        uint32_t h = yjs__spot_item(c, s);

        it = yjs__item(doc, h);
        if (it->clock >= end)
            break;
        if (yjs__item_deleted(it))
            continue;
        if (end < yjs__item_end(it)) {
            rc = yjs__txn_split(doc, c, s, end - it->clock);
            s = yjs__store_find(c, yjs__item(doc, h)->clock);
        }
        if (rc == YJS_OK)
            rc = yjs__txn_delete(doc, h);
    } while (rc == YJS_OK && yjs__spot_next(c, &s));
    return rc;
}

/* Delete what is known of a range; the rest goes to `later`. */
static int delete_known(yjs_doc *doc, uint64_t id, uint64_t clock,
                        uint64_t len, struct yjs__vec *later)
{
    uint32_t client = yjs__store_find_client(doc, id);
    uint64_t state = client == YJS__NONE ? 0 : yjs__client(doc, client)->state;
    uint64_t end = clock + len;
    int rc = YJS_OK;

    if (clock < state)
        rc = delete_range(doc, client, clock, end < state ? end : state);
    if (rc == YJS_OK && end > state && len > 0) {
        if (clock < state)
            clock = state;
        rc = yjs__idset_add(&doc->mem, later, id, clock, end - clock);
    }
    return rc;
}

/* Read a delete set, and apply it if `later` is given. */
static int read_deletes(yjs_doc *doc, struct yjs__reader *r,
                        struct yjs__vec *later)
{
    uint64_t clients = yjs__read_varuint(r);
    int rc = YJS_OK;

    for (; clients > 0 && r->err == YJS_OK && rc == YJS_OK; clients--) {
        uint64_t id = yjs__read_varuint(r);
        uint64_t n = yjs__read_varuint(r);

        for (; n > 0 && r->err == YJS_OK && rc == YJS_OK; n--) {
            uint64_t clock = yjs__read_varuint(r);
            uint64_t len = yjs__read_varuint(r);

            if (len > YJS__MAX_INT - clock)
                yjs__read_fail(r, YJS_ERR_MALFORMED);
            else if (later != NULL)
                rc = delete_known(doc, id, clock, len, later);
        }
    }
    return rc != YJS_OK ? rc : r->err;
}

/* In an ordered set (highest client first), the first range of the client. */
static size_t find_ordered(const struct yjs__vec *set, uint64_t id)
{
    size_t low = 0, high = set->len;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (yjs__idset_at(set, mid)->client > id)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static const struct yjs__vec *pending_ds(const struct apply *a)
{
    return a->ds_changed ? &a->ds : &a->doc->pending_ds;
}

static bool deletes_are_due(const struct apply *a)
{
    const struct yjs__vec *set = pending_ds(a);
    const uint32_t *touched = a->doc->txn.touched.data;
    size_t i, at;

    if (set->len == 0)
        return false;
    if (a->doc->pending.grown)
        return true;
    for (i = 0; i < a->doc->txn.touched.len; i++) {
        const struct yjs__client *c = yjs__client(a->doc, touched[i]);

        at = find_ordered(set, c->id);
        if (at < set->len && yjs__idset_at(set, at)->client == c->id &&
            yjs__idset_at(set, at)->clock < c->state)
            return true;
    }
    return false;
}

/* Try all pending deletes again; `later` holds those of the update. */
static int retry_deletes(struct apply *a, struct yjs__vec *later)
{
    const struct yjs__vec *set = pending_ds(a);
    size_t i;
    int rc = YJS_OK;

    if (later->len == 0 && !deletes_are_due(a))
        return YJS_OK;
    for (i = 0; i < set->len && rc == YJS_OK; i++) {
        const struct yjs__range *r = yjs__idset_at(set, i);

        rc = delete_known(a->doc, r->client, r->clock, r->len, later);
    }
    if (rc != YJS_OK)
        return rc;
    yjs__idset_normalise(later);
    yjs__idset_order(later);
    yjs__vec_trim(&a->doc->mem, &a->ds, sizeof(struct yjs__range), 0);
    a->ds = *later;
    a->ds_changed = true;
    *later = (struct yjs__vec){NULL, 0, 0};
    return YJS_OK;
}

/*
 * Deletes that have to wait must be in order: Yjs keeps them as differences
 * and turns others into garbage. No encoder writes such.
 */
static int check_order(struct yjs__vec *later)
{
    size_t i, groups = later->len > 0, clients = groups;

    for (i = 1; i < later->len; i++) {
        const struct yjs__range *r = yjs__idset_at(later, i);

        groups += r[-1].client != r->client;
        if (r[-1].client == r->client && r[-1].clock + r[-1].len > r->clock)
            return YJS_ERR_MALFORMED;
    }
    yjs__idset_normalise(later);
    for (i = 1; i < later->len; i++) {
        const struct yjs__range *r = yjs__idset_at(later, i);

        clients += r[-1].client != r->client;
    }
    return groups == clients ? YJS_OK : YJS_ERR_MALFORMED;
}

static int apply_deletes(struct apply *a, struct yjs__reader *deletes)
{
    struct yjs__vec *later = &a->doc->txn.unapplied;
    int rc = YJS_OK;

    later->len = 0;
    if (deletes != NULL)
        rc = read_deletes(a->doc, deletes, later);
    if (rc != YJS_OK || (later->len == 0 && pending_ds(a)->len == 0))
        return rc;
    rc = check_order(later);
    return rc == YJS_OK ? retry_deletes(a, later) : rc;
}

/* ---------------------------------------------------------- pending structs */

/* Has a client come to what pending structs wait for? */
static bool structs_are_due(const yjs_doc *doc)
{
    const uint32_t *touched = doc->txn.touched.data;
    const uint32_t *waits = doc->pending.waits.data;
    size_t i;

    if (doc->pending.data == NULL)
        return false;
    for (i = 0; doc->pending.grown && i < doc->pending.waits.len; i++)
        if (yjs__client(doc, waits[i])->missing <
            yjs__client(doc, waits[i])->state)
            return true;
    for (i = 0; i < doc->txn.touched.len; i++)
        if (yjs__client(doc, touched[i])->missing <
            yjs__client(doc, touched[i])->state)
            return true;
    return doc->pending.due;
}

static void set_pending(struct apply *a, uint8_t *data, size_t len)
{
    if (a->fresh)
        yjs__mem_free(&a->doc->mem, (void *)(uintptr_t)a->pending.ptr,
                      a->pending.len);
    a->pending = (struct yjs__slice){data, len};
    a->fresh = data != NULL;
}

/* Take the writer's bytes as what is pending. */
static int take_pending(struct apply *a, struct yjs__writer *w)
{
    yjs_doc *doc = a->doc;
    uint8_t *data = yjs__mem_resize(&doc->mem, w->data, w->cap, w->len);

    if (data == NULL)
        return doc->mem.err;
    set_pending(a, data, w->len);
    *w = (struct yjs__writer){.mem = &doc->mem};
    return YJS_OK;
}

/* The writer's bytes go behind what is pending. */
static int take_part(struct apply *a, struct yjs__writer *w)
{
    yjs_doc *doc = a->doc;
    int rc = yjs__vec_reserve(&doc->mem, &doc->pending.parts, 1,
                              sizeof(struct yjs__slice));
    uint8_t *data;

    if (rc != YJS_OK)
        return rc;
    data = yjs__mem_resize(&doc->mem, w->data, w->cap, w->len);
    if (data == NULL)
        return doc->mem.err;
    a->part = (struct yjs__slice){data, w->len};
    *w = (struct yjs__writer){.mem = &doc->mem};
    return YJS_OK;
}

/* What round one left over joins what was left over before. If that is `due`,
 * or it is time to (pending.h), all of it becomes one update. */
static int add_rest(struct apply *a, bool due)
{
    yjs_doc *doc = a->doc;
    struct yjs__writer *rest = &doc->txn.rest, merged;
    int rc;

    if (rest->len == 0 && !(due && doc->pending.parts.len > 0))
        return YJS_OK;
    if (a->pending.ptr == NULL)
        return take_pending(a, rest);
    if (!due && yjs__pending_may_grow(doc, rest->len))
        return take_part(a, rest);
    yjs__writer_init(&merged, &doc->mem, 0);
    rc = yjs__pending_merge(doc, (struct yjs__slice){rest->data, rest->len},
                            &merged);
    if (rc == YJS_OK)
        rc = take_pending(a, &merged);
    yjs__writer_deinit(&merged);
    yjs__writer_deinit(rest);
    yjs__writer_init(rest, &doc->mem, 0);
    return rc;
}

/* Round two: all that is pending as an update of its own. */
static int integrate_pending(struct apply *a)
{
    yjs_doc *doc = a->doc;
    struct yjs__reader r;
    int rc;

    doc->txn.missing.len = 0;
    a->settled = true;
    yjs__reader_init(&r, a->pending.ptr, a->pending.len);
    rc = yjs__stage(doc, &r);
    if (rc == YJS_OK)
        rc = yjs__integrate(doc);
    if (rc == YJS_OK) {
        if (doc->txn.rest.len == 0)
            set_pending(a, NULL, 0);
        else
            rc = take_pending(a, &doc->txn.rest);
    }
    return rc == YJS_OK ? apply_deletes(a, NULL) : rc;
}

/* --------------------------------------------------------------- the update */

static int check_limits(const struct apply *a)
{
    const struct yjs__pending *p = &a->doc->pending;
    size_t parts = a->pending.ptr == p->data ? p->parts_len + a->part.len : 0;
    size_t held = a->pending.len + parts +
                  pending_ds(a)->len * sizeof(struct yjs__range);

    return held > a->doc->limits.pending_bytes
               ? yjs__mem_over(&a->doc->mem, YJS_LIMIT_PENDING_BYTES)
               : YJS_OK;
}

static int prepare(struct apply *a, struct yjs__reader *r)
{
    yjs_doc *doc = a->doc;
    struct yjs__reader deletes;
    bool due;
    int rc = yjs__stage(doc, r);

    if (rc != YJS_OK)
        return rc;
    deletes = *r;
    rc = read_deletes(doc, r, NULL);
    if (rc == YJS_OK)
        rc = yjs__integrate(doc);
    if (rc != YJS_OK)
        return rc;
    due = structs_are_due(doc);
    rc = add_rest(a, due);
    if (rc == YJS_OK)
        rc = apply_deletes(a, &deletes);
    if (rc == YJS_OK && due)
        rc = integrate_pending(a);
    if (rc == YJS_OK)
        rc = check_limits(a);
    if (rc == YJS_OK)
        rc = yjs__vec_reserve(&doc->mem, &doc->pending.waits,
                              doc->txn.missing.len, sizeof(uint32_t));
    return rc == YJS_OK ? yjs__cleanup_prepare(doc) : rc;
}

/* The clients that pending structs wait for, as `missing` of each. */
static void commit_waits(struct apply *a)
{
    yjs_doc *doc = a->doc;
    struct yjs__vec *waits = &doc->pending.waits;
    const struct yjs__id *missing = doc->txn.missing.data;
    size_t i;

    if (a->settled) {
        for (i = 0; i < waits->len; i++)
            yjs__client(doc, ((uint32_t *)waits->data)[i])->missing =
                UINT64_MAX;
        waits->len = 0;
        doc->pending.due = false;
    }
    for (i = 0; i < doc->txn.missing.len; i++) {
        struct yjs__client *c = yjs__client(doc, missing[i].client);

        if (c->missing == UINT64_MAX)
            ((uint32_t *)waits->data)[waits->len++] = missing[i].client;
        if (missing[i].clock < c->missing)
            c->missing = missing[i].clock;
        if (c->missing < c->state)
            doc->pending.due = true;
    }
    if (waits->len == 0)
        yjs__vec_trim(&doc->mem, waits, sizeof(uint32_t), 0);
}

/* Somebody else seems to use our id: take another one, as Yjs does. */
static void check_client_id(yjs_doc *doc)
{
    uint64_t id = doc->client_id;
    uint32_t c = id == 0 ? YJS__NONE : yjs__store_find_client(doc, id);

    if (c == YJS__NONE || !yjs__client(doc, c)->touched)
        return;
    if (doc->new_client_id != NULL)
        id = doc->new_client_id(doc->new_client_id_ctx, id) & YJS__MAX_INT;
    else
        id = yjs__store_new_id(doc, id);
    doc->client_id = id;
}

static void commit(struct apply *a, void *origin,
                   struct yjs_apply_result *result)
{
    yjs_doc *doc = a->doc;
    struct yjs__event event;

    check_client_id(doc);
    yjs__event_commit(doc, &event);
    if (result != NULL)
        result->changed = event.any;
    commit_waits(a);
    doc->pending.grown = false;
    if (a->pending.ptr != doc->pending.data)
        yjs__pending_set(doc, (uint8_t *)(uintptr_t)a->pending.ptr,
                         a->pending.len);
    else if (a->part.len > 0)
        yjs__pending_add(doc, (uint8_t *)(uintptr_t)a->part.ptr, a->part.len);
    if (a->ds_changed) {
        yjs__vec_trim(&doc->mem, &doc->pending_ds, sizeof(struct yjs__range),
                      0);
        doc->pending_ds = a->ds;
        if (doc->pending_ds.len == 0)
            yjs__vec_trim(&doc->mem, &doc->pending_ds,
                          sizeof(struct yjs__range), 0);
    }
    if (result != NULL)
        result->pending = doc->pending.data != NULL ||
                          doc->pending_ds.len > 0;
    yjs__txn_reset(doc);
    yjs__compact(doc);
    yjs__event_emit(doc, &event, origin, false);
}

static void give_up(struct apply *a)
{
    set_pending(a, NULL, 0);
    yjs__mem_free(&a->doc->mem, (void *)(uintptr_t)a->part.ptr, a->part.len);
    yjs__vec_trim(&a->doc->mem, &a->ds, sizeof(struct yjs__range), 0);
    yjs__txn_rollback(a->doc);
}

int yjs__apply(yjs_doc *doc, struct yjs__slice update, void *origin,
               struct yjs_apply_result *result)
{
    struct apply a = {.doc = doc};
    struct yjs__reader r;
    int rc;

    yjs__reader_init(&r, update.ptr, update.len);
    if (yjs__edit_is_open(doc)) {
        if (result != NULL)
            result->error_offset = 0;
        return YJS_ERR_STATE;
    }
    a.pending = (struct yjs__slice){doc->pending.data, doc->pending.len};
    if (update.len <= doc->limits.update_bytes && yjs__typing(doc, update)) {
        if (doc->on_update != NULL) {
            commit(&a, origin, result);
        } else if (result != NULL) {
            result->changed = true;
            result->pending = false;
        }
        return YJS_OK;
    }
    rc = update.len > doc->limits.update_bytes
             ? yjs__mem_over(&doc->mem, YJS_LIMIT_UPDATE_BYTES)
             : prepare(&a, &r);
    if (rc != YJS_OK) {
        if (result != NULL)
            result->error_offset = yjs__read_offset(&r);
        give_up(&a);
        return rc;
    }
    commit(&a, origin, result);
    return YJS_OK;
}

int yjs_apply_update(yjs_doc *doc, const uint8_t *update, size_t len,
                     struct yjs_apply_result *result)
{
    return yjs__apply(doc, (struct yjs__slice){update, len}, NULL, result);
}
