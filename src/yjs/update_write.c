/* SPDX-License-Identifier: MIT */
/*
 * update_write.c: a document as an update.
 *
 * Clients from the highest id: it spares the reader conflicts (integrate.c).
 * The delete set always covers the whole document, whatever the state vector
 * says: deletions have no clock of their own. Both are gathered in one pass.
 */
#include "yjs/update_write.h"

#include "yjs/content.h"
#include "yjs/idset.h"
#include "yjs/merge.h"
#include "yjs/pending.h"
#include "yjs/sort.h"
#include "yjs/store.h"
#include "yjs/update_read.h"

/* ------------------------------------------------------------ state vectors */

static int compare_sv(const void *ctx, const void *a, const void *b)
{
    const struct yjs__sv_entry *x = a, *y = b;

    (void)ctx;
    return x->client < y->client ? -1 : x->client > y->client;
}

/* Of equal clients the last one counts; sorting would lose which that is. */
static void drop_repeated(struct yjs__vec *sv)
{
    struct yjs__sv_entry *e = sv->data;
    size_t i, n = 0;

    for (i = 0; i < sv->len; i++) {
        if (n > 0 && e[n - 1].client == e[i].client)
            n--;
        e[n++] = e[i];
    }
    sv->len = n;
}

struct sv_in_order {
    struct yjs__sv_entry entry;
    size_t order;
};

static int compare_in_order(const void *ctx, const void *a, const void *b)
{
    const struct sv_in_order *x = a, *y = b;
    int rc = compare_sv(ctx, &x->entry, &y->entry);

    if (rc != 0)
        return rc;
    return x->order < y->order ? -1 : x->order > y->order;
}

static int sort_sv(struct yjs__mem *mem, struct yjs__vec *sv)
{
    struct yjs__sv_entry *e = sv->data;
    struct sv_in_order *tmp;
    size_t i;

    for (i = 1; i < sv->len && compare_sv(NULL, e + i - 1, e + i) < 0; i++)
        ;
    if (i >= sv->len)
        return YJS_OK;
    tmp = yjs__mem_alloc(mem, sv->len * sizeof(*tmp));
    if (tmp == NULL)
        return mem->err;
    for (i = 0; i < sv->len; i++)
        tmp[i] = (struct sv_in_order){e[i], i};
    yjs__sort(tmp, sv->len, sizeof(*tmp), compare_in_order, NULL);
    for (i = 0; i < sv->len; i++)
        e[i] = tmp[i].entry;
    yjs__mem_free(mem, tmp, sv->len * sizeof(*tmp));
    drop_repeated(sv);
    return YJS_OK;
}

void yjs__sv_read_at(struct yjs__mem *mem, struct yjs__reader *r,
                     struct yjs__vec *sv)
{
    struct yjs__sv_entry *e;
    uint64_t n;
    int rc;

    for (n = yjs__read_varuint(r); n > 0 && r->err == YJS_OK; n--) {
        e = yjs__vec_add(mem, sv, sizeof(*e));
        if (e == NULL) {
            yjs__read_fail(r, mem->err);
            return;
        }
        e->client = yjs__read_varuint(r);
        e->clock = yjs__read_varuint(r);
    }
    rc = r->err == YJS_OK ? sort_sv(mem, sv) : r->err;
    if (rc != YJS_OK)
        yjs__read_fail(r, rc);
}

int yjs__sv_read(struct yjs__mem *mem, const uint8_t *data, size_t len,
                 struct yjs__vec *sv)
{
    struct yjs__reader r;

    if (len == 0)
        return YJS_OK;
    yjs__reader_init(&r, data, len);
    yjs__sv_read_at(mem, &r, sv);
    return r.err;
}

uint64_t yjs__sv_clock(const struct yjs__vec *sv, uint64_t client,
                       bool *present)
{
    const struct yjs__sv_entry *e = sv->data;
    size_t low = 0, high = sv->len;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (e[mid].client < client)
            low = mid + 1;
        else
            high = mid;
    }
    *present = low < sv->len && e[low].client == client;
    return *present ? e[low].clock : 0;
}

/* ----------------------------------------------------------------- one item */

static uint8_t *put_id(const yjs_doc *doc, uint8_t *p, uint32_t client,
                       uint64_t clock)
{
    p = yjs__put_varuint(p, yjs__client(doc, client)->id);
    return yjs__put_varuint(p, clock);
}

/* The parent of an item without origins; `w` has room for two numbers. */
static void write_parent(const yjs_doc *doc, struct yjs__writer *w,
                         const struct yjs__item *it)
{
    const struct yjs__list *list;
    const struct yjs__item *parent;

    if (it->flags & YJS__F_PARENT_ID) {
        yjs__write_u8(w, 0);
        yjs__write_varuint(w, yjs__client(doc, it->origin_client)->id);
        yjs__write_varuint(w, it->origin_clock);
        if (it->flags & YJS__F_PARENT_SUB)
            yjs__write_var_bytes(w, doc->txn.source + it->list, it->right);
        return;
    }
    list = yjs__list(doc, it->list);
    if (list->type->item == 0) {
        yjs__write_u8(w, 1);
        yjs__write_var_bytes(w, list->type->name, list->type->name_len);
    } else {
        parent = yjs__item(doc, list->type->item);
        yjs__write_u8(w, 0);
        yjs__write_varuint(w, yjs__client(doc, parent->client)->id);
        yjs__write_varuint(w, parent->clock);
    }
    if (list->key != NULL)
        yjs__write_var_bytes(w, list->key->data, list->key->len);
}

static uint8_t info_of(const yjs_doc *doc, const struct yjs__item *it)
{
    uint8_t info = it->kind;

    if (it->flags & YJS__F_PARENT_ID)
        return info | (it->flags & YJS__F_PARENT_SUB ? YJS__INFO_SUB : 0);
    if (it->list != 0 && yjs__list(doc, it->list)->key != NULL)
        info |= YJS__INFO_SUB;
    return info;
}

int yjs__write_item(const yjs_doc *doc, struct yjs__canon *canon,
                    struct yjs__writer *w, const struct yjs__item *it,
                    uint64_t offset)
{
    bool own = (it->flags & YJS__F_PARENT_ID) == 0;
    bool origin = offset > 0 || (own && it->origin_client != YJS__NONE);
    bool right = it->right_client != YJS__NONE;
    uint8_t *p, *info;

    if (it->kind == YJS__GC || it->kind == YJS__SKIP) {
        yjs__write_u8(w, it->kind);
        yjs__write_varuint(w, yjs__item_len(it) - offset);
        return w->err;
    }
    if (!yjs__write_reserve(w, 64))
        return w->err;
    p = w->data + w->len;
    info = p++;
    *info = info_of(doc, it);
    if (origin) {
        *info |= YJS__INFO_ORIGIN;
        p = offset > 0 ? put_id(doc, p, it->client, it->clock + offset - 1)
                       : put_id(doc, p, it->origin_client, it->origin_clock);
    }
    if (right) {
        *info |= YJS__INFO_RIGHT;
        p = put_id(doc, p, it->right_client, it->right_clock);
    }
    w->len = (size_t)(p - w->data);
    if (!origin && !right)
        write_parent(doc, w, it);
    return yjs__content_write(canon, w, it, offset);
}

/* A client id as it is written: most are five bytes, and every struct has two
 * of them. */
struct wire_id {
    uint8_t len;
    uint8_t bytes[15];
};

enum { WIRE_IDS = 1024 }; /* for documents of so many clients at most */

/* What write_whole works with. */
struct whole {
    const yjs_doc *doc;
    const struct wire_id *ids; /* by client, or NULL */
};

/* A clock: up to three bytes as a rule. `p` has room for 10 bytes. */
static inline uint8_t *put_clock(uint8_t *p, uint64_t v)
{
    if (v < 0x80) {
        *p = (uint8_t)v;
        return p + 1;
    }
    p[0] = (uint8_t)(v | 0x80);
    if (v < 0x4000) {
        p[1] = (uint8_t)(v >> 7);
        return p + 2;
    }
    p[1] = (uint8_t)(v >> 7 | 0x80);
    return yjs__put_varuint(p + 2, v >> 14);
}

/* `p` has room for 25 bytes. */
static inline uint8_t *put_known_id(const struct whole *k, uint8_t *p,
                                    uint32_t client, uint64_t clock)
{
    if (k->ids == NULL)
        return put_id(k->doc, p, client, clock);
    memcpy(p, k->ids[client].bytes, sizeof(k->ids[client].bytes));
    return put_clock(p + k->ids[client].len, clock);
}

/*
 * An item of the store from its start: the common case of it, with one
 * look at the room that is left.
 */
static inline int write_whole(const struct whole *k, struct yjs__canon *canon,
                              struct yjs__writer *w,
                              const struct yjs__item *it)
{
    struct yjs__slice s;
    uint8_t *p, *info;

    if (it->list == 0 || it->kind == YJS__TYPE ||
        (it->origin_client == YJS__NONE && it->right_client == YJS__NONE))
        return yjs__write_item(k->doc, canon, w, it, 0);
    s = yjs__content(it);
    if (!yjs__write_reserve(w, 80 + s.len))
        return w->err;
    p = w->data + w->len;
    info = p++;
    *info = it->kind;
    if (yjs__list(k->doc, it->list)->key != NULL)
        *info |= YJS__INFO_SUB;
    if (it->origin_client != YJS__NONE) {
        *info |= YJS__INFO_ORIGIN;
        p = put_known_id(k, p, it->origin_client, it->origin_clock);
    }
    if (it->right_client != YJS__NONE) {
        *info |= YJS__INFO_RIGHT;
        p = put_known_id(k, p, it->right_client, it->right_clock);
    }
    if (it->kind == YJS__STRING)
        p = put_clock(p, s.len);
    else if (it->kind == YJS__DELETED || it->kind == YJS__JSON ||
             it->kind == YJS__ANY)
        p = put_clock(p, yjs__item_len(it));
    if (it->where == YJS__W_INLINE)
        memcpy(p, it->u.bytes, sizeof(it->u.bytes)); /* there is room */
    else if (s.len > 0)
        memcpy(p, s.ptr, s.len);
    w->len = (size_t)(p + s.len - w->data);
    return YJS_OK;
}

static bool contains(struct yjs__slice s, const char *what)
{
    size_t n = strlen(what), i;

    for (i = 0; i + n <= s.len; i++)
        if (memcmp(s.ptr + i, what, n) == 0)
            return true;
    return false;
}

/*
 * Yjs keeps pending structs in format v2, which has values of embeds and
 * formats as Any: what an Any cannot hold is lost on the way.
 */
static int lose_in_v2(yjs_doc *doc, struct yjs__item *it)
{
    struct yjs__canon *canon = &doc->txn.canon;
    struct yjs__slice s = yjs__content(it), key = {NULL, 0}, text;
    struct yjs__writer *w = &canon->out;
    struct yjs__reader r;
    uint8_t *copy, *p;
    int rc;

    if (!contains(s, "\\ud") && !contains(s, "__proto__"))
        return YJS_OK;
    yjs__reader_init(&r, s.ptr, s.len);
    if (it->kind == YJS__FORMAT)
        key = yjs__read_var_bytes(&r);
    text = yjs__read_var_bytes(&r);
    w->len = 0;
    canon->via_any = true;
    rc = yjs__canon_json(canon, text);
    canon->via_any = false;
    if (rc != YJS_OK)
        return rc;
    p = copy = yjs__arena_alloc(&doc->txn.arena, key.len + w->len + 20);
    if (copy == NULL)
        return doc->mem.err;
    if (it->kind == YJS__FORMAT) {
        p = yjs__put_varuint(p, key.len);
        memcpy(p, key.ptr, key.len);
        p += key.len;
    }
    p = yjs__put_varuint(p, w->len);
    memcpy(p, w->data, w->len);
    it->u.borrowed = copy;
    it->left = (uint32_t)((size_t)(p - copy) + w->len);
    return YJS_OK;
}

void yjs__write_staged(yjs_doc *doc, struct yjs__writer *w, uint32_t h)
{
    struct yjs__item *it = yjs__item(doc, h);
    int rc = YJS_OK;

    if (it->kind == YJS__EMBED || it->kind == YJS__FORMAT)
        rc = lose_in_v2(doc, it);
    if (rc == YJS_OK)
        rc = yjs__write_item(doc, &doc->txn.canon, w, it, 0);
    if (rc != YJS_OK && w->err == YJS_OK)
        w->err = rc;
}

/* ------------------------------------------------------------- the document */

struct encoder {
    yjs_doc *doc;
    struct yjs__mem mem;
    struct yjs__canon canon;
    struct yjs__writer out;
    struct yjs__vec sv;
    struct wire_id *ids;        /* of all clients, or NULL */
    struct yjs__writer deletes; /* delete set, without its count */
    struct yjs__writer ranges;  /* of the client at hand */
    uint64_t delete_clients, range_count;
    uint64_t del_clock, del_len; /* the range at hand, if any */
};

/* The first clock of the client to write; its state if there is nothing. */
static uint64_t first_clock(const struct encoder *e,
                            const struct yjs__client *c)
{
    bool present;
    uint64_t clock = yjs__sv_clock(&e->sv, c->id, &present);

    return present && clock < c->state ? clock
                                       : (present ? c->state : 0);
}

/* The range of deleted clocks that ended is written down. */
static void flush_range(struct encoder *e)
{
    if (e->del_len == 0)
        return;
    yjs__write_varuint(&e->ranges, e->del_clock);
    yjs__write_varuint(&e->ranges, e->del_len);
    e->range_count++;
    e->del_len = 0;
}

static inline void note_deleted(struct encoder *e, const struct yjs__item *it)
{
    if (!yjs__item_deleted(it)) {
        flush_range(e);
        return;
    }
    if (e->del_len == 0)
        e->del_clock = it->clock;
    e->del_len += yjs__item_len(it);
}

/* The client's part of the delete set. */
static void flush_client(struct encoder *e, const struct yjs__client *c)
{
    flush_range(e);
    if (e->range_count == 0)
        return;
    yjs__write_varuint(&e->deletes, c->id);
    yjs__write_varuint(&e->deletes, e->range_count);
    yjs__write_bytes(&e->deletes, e->ranges.data, e->ranges.len);
    e->delete_clients++;
    e->range_count = 0;
    e->ranges.len = 0;
}

/* Counted from the end: what is new is there. */
static uint32_t structs_from(const struct yjs__client *c, struct yjs__spot s)
{
    uint32_t i, n = c->chunks[s.chunk].len - s.at;

    for (i = s.chunk + 1; i < c->len; i++)
        n += c->chunks[i].len;
    return n;
}

static void write_head(struct yjs__writer *w, const struct yjs__client *c,
                       struct yjs__spot start, uint64_t clock)
{
    yjs__write_varuint(w, structs_from(c, start));
    yjs__write_varuint(w, c->id);
    yjs__write_varuint(w, clock);
}

int yjs__write_from(yjs_doc *doc, struct yjs__writer *w,
                    struct yjs__client *c, uint64_t clock)
{
    struct yjs__spot s = yjs__store_find(c, clock);
    const struct yjs__item *it = yjs__item(doc, yjs__spot_item(c, s));
    struct whole k = {doc, NULL};
    int rc;

    write_head(w, c, s, clock);
    rc = yjs__write_item(doc, &doc->txn.canon, w, it, clock - it->clock);
    while (rc == YJS_OK && yjs__spot_next(c, &s))
        rc = write_whole(&k, &doc->txn.canon, w,
                         yjs__item(doc, yjs__spot_item(c, s)));
    return rc;
}

static int write_client(struct encoder *e, struct yjs__client *c)
{
    const yjs_doc *doc = e->doc;
    const struct whole whole = {doc, e->ids};
    uint64_t clock = first_clock(e, c);
    struct yjs__spot start, s = {0, 0};
    int rc = YJS_OK;

    if (clock < c->state) {
        start = yjs__store_find(c, clock);
        write_head(&e->out, c, start, clock);
    }
    do {
        const struct yjs__item *it = yjs__item(doc, yjs__spot_item(c, s));

        if (it->clock >= clock)
            rc = write_whole(&whole, &e->canon, &e->out, it);
        else if (yjs__item_end(it) > clock)
            rc = yjs__write_item(doc, &e->canon, &e->out, it,
                                 clock - it->clock);
        note_deleted(e, it);
    } while (rc == YJS_OK && yjs__spot_next(c, &s));
    flush_client(e, c);
    return rc;
}

/* Without memory for them, ids are written one by one. */
static void prepare_ids(struct encoder *e)
{
    uint32_t i, n = e->doc->client_count;

    if (n == 0 || n > WIRE_IDS)
        return;
    e->ids = yjs__mem_alloc(&e->mem, n * sizeof(*e->ids));
    for (i = 0; e->ids != NULL && i < n; i++) {
        struct wire_id *id = &e->ids[i];

        *id = (struct wire_id){.len = 0};
        id->len = (uint8_t)(yjs__put_varuint(id->bytes,
                                             yjs__client(e->doc, i)->id) -
                            id->bytes);
    }
}

static int write_all(struct encoder *e)
{
    yjs_doc *doc = e->doc;
    const uint32_t *sorted = yjs__store_sorted(doc);
    uint64_t blocks = 0;
    uint32_t i;
    int rc = YJS_OK;

    if (sorted == NULL)
        return doc->mem.err;
    for (i = 0; i < doc->client_count; i++)
        blocks += first_clock(e, yjs__client(doc, i)) <
                  yjs__client(doc, i)->state;
    prepare_ids(e);
    if (e->sv.len == 0)
        (void)yjs__write_reserve(&e->out, doc->content_bytes +
                                              (size_t)doc->items.used * 20 +
                                              16);
    yjs__write_varuint(&e->out, blocks);
    for (i = 0; i < doc->client_count && rc == YJS_OK; i++)
        if (yjs__client(doc, sorted[i])->state > 0)
            rc = write_client(e, yjs__client(doc, sorted[i]));
    yjs__write_varuint(&e->out, e->delete_clients);
    yjs__write_bytes(&e->out, e->deletes.data, e->deletes.len);
    if (rc == YJS_OK)
        rc = e->ranges.err != YJS_OK ? e->ranges.err : e->deletes.err;
    return rc == YJS_OK ? e->out.err : rc;
}

/* Pending deletes as an update without structs. */
static int write_pending_ds(struct encoder *e, struct yjs__writer *w)
{
    yjs__write_u8(w, 0);
    yjs__idset_write(w, &e->doc->pending_ds);
    return w->err;
}

/*
 * What is pending goes along, merged in as Y.mergeUpdates does: the result can
 * differ from a plain encoding in more than what was added.
 */
static int merge_pending(struct encoder *e)
{
    struct yjs__writer ds, structs, merged;
    struct yjs__slice parts[3];
    size_t n = 1;
    int rc = YJS_OK;

    yjs__writer_init(&ds, &e->mem, 0);
    yjs__writer_init(&structs, &e->mem, 0);
    yjs__writer_init(&merged, &e->mem, 0);
    parts[0] = (struct yjs__slice){e->out.data, e->out.len};
    if (e->doc->pending_ds.len > 0) {
        rc = write_pending_ds(e, &ds);
        parts[n++] = (struct yjs__slice){ds.data, ds.len};
    }
    if (rc == YJS_OK && e->doc->pending.data != NULL) {
        rc = yjs__diff(&e->mem,
                       (struct yjs__slice){e->doc->pending.data,
                                           e->doc->pending.len},
                       &e->sv, &structs);
        parts[n++] = (struct yjs__slice){structs.data, structs.len};
    }
    if (rc == YJS_OK)
        rc = yjs__merge(&e->mem, parts, n, &merged);
    yjs__writer_deinit(&ds);
    yjs__writer_deinit(&structs);
    yjs__writer_deinit(&e->out);
    e->out = merged;
    return rc;
}

int yjs_encode_state_as_update(yjs_doc *doc, const uint8_t *sv, size_t sv_len,
                               struct yjs_bytes *out)
{
    struct encoder e = {.doc = doc};
    int rc;

    yjs__mem_init(&e.mem, &doc->mem.alloc, 0);
    yjs__canon_init(&e.canon, &e.mem, doc->limits.depth);
    yjs__writer_init(&e.out, &e.mem, 0);
    yjs__writer_init(&e.deletes, &e.mem, 0);
    yjs__writer_init(&e.ranges, &e.mem, 0);
    rc = sv == NULL ? YJS_OK : yjs__sv_read(&e.mem, sv, sv_len, &e.sv);
    if (rc == YJS_OK)
        rc = write_all(&e);
    if (rc == YJS_OK)
        rc = yjs__pending_settle(doc);
    if (rc == YJS_OK && (doc->pending.data != NULL || doc->pending_ds.len > 0))
        rc = merge_pending(&e);
    yjs__vec_trim(&e.mem, &e.sv, sizeof(struct yjs__sv_entry), 0);
    yjs__mem_free(&e.mem, e.ids, doc->client_count * sizeof(*e.ids));
    yjs__writer_deinit(&e.deletes);
    yjs__writer_deinit(&e.ranges);
    yjs__canon_trim(&e.canon);
    if (rc == YJS_OK)
        return yjs__writer_take(&e.out, out);
    yjs__writer_deinit(&e.out);
    return rc;
}

int yjs__write_state_vector(yjs_doc *doc, struct yjs__writer *w)
{
    const uint32_t *sorted = yjs__store_sorted(doc);
    uint64_t n = 0;
    uint32_t i;

    if (sorted == NULL)
        return doc->mem.err;
    for (i = 0; i < doc->client_count; i++)
        n += yjs__client(doc, i)->state > 0;
    yjs__write_varuint(w, n);
    for (i = 0; i < doc->client_count; i++) {
        const struct yjs__client *c = yjs__client(doc, sorted[i]);

        if (c->state == 0)
            continue;
        yjs__write_varuint(w, c->id);
        yjs__write_varuint(w, c->state);
    }
    return w->err;
}

int yjs_encode_state_vector(yjs_doc *doc, struct yjs_bytes *out)
{
    struct yjs__writer w;
    struct yjs__mem mem;
    int rc;

    yjs__mem_init(&mem, &doc->mem.alloc, 0);
    yjs__writer_init(&w, &mem, 0);
    rc = yjs__write_state_vector(doc, &w);
    if (rc == YJS_OK)
        return yjs__writer_take(&w, out);
    yjs__writer_deinit(&w);
    return rc;
}
