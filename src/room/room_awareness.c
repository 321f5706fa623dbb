/* SPDX-License-Identifier: MIT */
/* Who owns which awareness state, and when it ends.
 *
 *   a state is accepted    its writer owns it (the LATEST writer, not the
 *                          first: a client that reconnects takes its own state
 *                          over before the old connection is found dead)
 *   its owner leaves       grace, awareness_grace_ms: a client that comes back
 *                          and repeats its state, even at the known clock,
 *                          owns it again and nobody saw it blink
 *   the grace ends         null at the known clock, to everybody
 *   30 s without renewal   likewise
 *
 * A client that comes back after that at the same clock is rejected by the
 * rules of y-protocols, here and by every peer. It is sent its own null at the
 * known clock, which makes it raise its clock, and a query, which makes it
 * say so. Relayed is only what was accepted: clients of y-phoenix-channel echo
 * every state they hear of, and an echo changes nothing.
 *
 * The same rule hides the others from a client that comes back: it dropped
 * their states when its channel failed, but not their clocks, and refuses them
 * until each is renewed, 15 s later. So their owners are asked in the same way
 * to raise their clocks, in rooms of up to ROOM_SMALL members. After a restart
 * of the server the one that comes back is asked itself as well.
 *
 *   y-protocols awareness update
 *     varuint n, then n times: varuint client, varuint clock, string JSON
 *
 * Must never relay what the engine did not accept, nor answer an echo with
 * anything a client would echo again. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "room/internal.h"

enum {
    CHECKS_PER_TIMEOUT = 10,
    /* A new client has set a few fields: its clock is below. One that was
     * connected for long has moved its cursor or renewed its state. */
    RETURNING_CLOCK = 8
};

/* An owned awareness id: in `by_client`, and in the `owned` list of its writer
 * or, on its grace, in `orphans`. */
struct owned {
    uint64_t client;
    struct list node;
    struct room_member *owner; /* NULL: on its grace */
    uint64_t remove_at;
};

struct room_awareness {
    yjs_awareness *states;
    struct dict by_client;
    struct list orphans; /* by remove_at */
    uint64_t check_at;   /* next look for states not renewed */
    uint64_t raise_at;   /* when to ask all to raise their clocks; 0: never */
};

/* ----------------------------------------------------------- wire records */

/* An update in the making. */
struct records {
    struct buf bytes;
    uint64_t count;
};

static void put_varuint(struct buf *b, uint64_t value)
{
    uint8_t bytes[10];
    size_t n = 0;
    for (; value > 0x7f; value >>= 7)
        bytes[n++] = (uint8_t)(value | 0x80);
    bytes[n++] = (uint8_t)value;
    buf_append(b, bytes, n);
}

static void records_init(struct records *r)
{
    buf_init(&r->bytes, SIZE_MAX / 2);
    r->count = 0;
}

static void records_put(struct records *r, uint64_t client, uint64_t clock,
                        const char *json, size_t len)
{
    put_varuint(&r->bytes, client);
    put_varuint(&r->bytes, clock);
    put_varuint(&r->bytes, len);
    buf_append(&r->bytes, json, len);
    r->count++;
}

/* The whole update: the count, then the records. */
static void records_finish(const struct records *r, struct buf *out)
{
    buf_init(out, SIZE_MAX / 2);
    put_varuint(out, r->count);
    buf_append(out, r->bytes.data, r->bytes.len);
}

/* For input that the engine has decoded: values fit. */
static uint64_t get_varuint(const uint8_t **p, const uint8_t *end)
{
    uint64_t value = 0;
    for (unsigned shift = 0; *p < end && shift < 64; shift += 7) {
        uint8_t byte = *(*p)++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            break;
    }
    return value;
}

static void push_records(struct room_member *to, const struct records *r)
{
    struct buf body;
    records_finish(r, &body);
    fanout_y_push(to, YJS_MESSAGE_AWARENESS, YJS_SYNC_STEP1,
                  (const uint8_t *)body.data, body.len);
    buf_deinit(&body);
}

static void broadcast_records(struct room *room,
                              const struct room_member *except,
                              const struct records *r)
{
    struct yjs_bytes y;
    struct buf body;
    records_finish(r, &body);
    bool framed = fanout_y_frame(room, YJS_MESSAGE_AWARENESS, YJS_SYNC_STEP1,
                                 (const uint8_t *)body.data, body.len, &y);
    buf_deinit(&body);
    if (!framed)
        return;
    struct message m = fanout_message(room, "yjs", MESSAGE_BYTES,
                                      MESSAGE_AWARENESS, y.data, y.len);
    fanout(room, except, FANOUT_YJS, &m);
    yjs_bytes_free(&y);
}

/* -------------------------------------------------------------- ownership */

static struct owned *find_owned(const struct room_awareness *a, uint64_t client)
{
    return dict_find(&a->by_client, &client, sizeof client);
}

static void own(struct room_awareness *a, struct room_member *member,
                uint64_t client)
{
    struct owned *o = find_owned(a, client);
    if (o && o->owner == member)
        return;
    if (o) {
        list_remove(&o->node);
    } else {
        o = mem_zalloc(sizeof *o);
        o->client = client;
        dict_put(&a->by_client, &o->client, sizeof o->client, o);
    }
    o->owner = member;
    list_push(&member->owned, &o->node);
}

static void disown(struct room_awareness *a, uint64_t client)
{
    struct owned *o = dict_remove(&a->by_client, &client, sizeof client);
    if (!o)
        return;
    list_remove(&o->node);
    free(o);
}

void awareness_orphan(struct room_member *member)
{
    struct room *room = member->room;
    struct list *node;
    while ((node = list_pop(&member->owned))) {
        struct owned *o = LIST_ENTRY(node, struct owned, node);
        o->owner = NULL;
        o->remove_at =
            room->registry->now_ms + room->registry->limits.awareness_grace_ms;
        list_push(&room->awareness->orphans, &o->node);
    }
}

/* --------------------------------------------------------------- lifetime */

static int open_awareness(struct room *room)
{
    struct registry *registry = room->registry;
    const struct room_limits *limits = &registry->limits;
    struct yjs_awareness_options options = {
        .clients = limits->awareness_clients,
        .tombstones = limits->awareness_tombstones,
        .state_bytes = limits->awareness_state_bytes,
        .total_bytes = limits->awareness_bytes,
        .alloc = registry->alloc,
    };
    yjs_awareness *states;
    if (room->awareness)
        return YJS_OK;
    int err = yjs_awareness_new(&options, &states);
    if (err)
        return err;
    struct room_awareness *a = mem_zalloc(sizeof *a);
    a->states = states;
    dict_init(&a->by_client, registry->seed);
    list_init(&a->orphans);
    room->awareness = a;
    return YJS_OK;
}

void awareness_free(struct room *room)
{
    struct room_awareness *a = room->awareness;
    struct owned *o;
    size_t cursor = 0;
    if (!a)
        return;
    while ((o = dict_next(&a->by_client, &cursor))) {
        list_remove(&o->node);
        free(o);
    }
    dict_deinit(&a->by_client);
    yjs_awareness_free(a->states);
    free(a);
    room->awareness = NULL;
}

/* ---------------------------------------------------------------- receive */

struct accepted {
    struct room_member *member;
    struct records records;
    bool known_elsewhere; /* a state that is new here, but not new */
    bool taken_over;      /* a state on its grace has an owner again */
};

static void on_accepted(void *ctx, const struct yjs_awareness_change *change)
{
    struct accepted *acc = ctx;
    struct room_awareness *a = acc->member->room->awareness;
    if (change->kind == YJS_AWARENESS_REMOVED) {
        disown(a, change->client);
        records_put(&acc->records, change->client, change->clock, "null", 4);
    } else {
        own(a, acc->member, change->client);
        if (change->kind == YJS_AWARENESS_ADDED &&
            change->clock >= RETURNING_CLOCK)
            acc->known_elsewhere = true;
        records_put(&acc->records, change->client, change->clock, change->json,
                    change->json_len);
    }
}

/* What an update said that was not accepted: a state repeated while its owner
 * is gone (take it over), or one of a client that was removed (collect the
 * null that revives it). */
static void examine_rejected(struct accepted *acc, const uint8_t *body,
                             size_t len, struct records *revive)
{
    struct room_member *member = acc->member;
    struct room_awareness *a = member->room->awareness;
    const uint8_t *p = body, *end = body + len;
    uint64_t left = get_varuint(&p, end);
    for (; left && p < end; left--) {
        uint64_t client = get_varuint(&p, end), known;
        uint64_t clock = get_varuint(&p, end);
        uint64_t n = get_varuint(&p, end);
        bool live, null = n == 4 && end - p >= 4 && memcmp(p, "null", 4) == 0;
        if (n > (uint64_t)(end - p))
            return;
        p += n;
        if (null || !yjs_awareness_clock(a->states, client, &known, &live) ||
            clock > known)
            continue;
        struct owned *o = find_owned(a, client);
        if (!live)
            records_put(revive, client, known, "null", 4);
        else if (clock == known && o && !o->owner) {
            own(a, member, client);
            acc->taken_over = true;
        }
    }
}

/* May this member be asked now? Then it counts as asked. */
static bool may_ask(struct room_member *member)
{
    uint32_t now = (uint32_t)(member->room->registry->now_ms / 1000) + 1;
    if (member->asked_query && now - member->asked_query < ASK_AGAIN_S)
        return false;
    member->asked_query = now;
    return true;
}

/* Null at the known clock, then a query; the query not at every echo. */
static void revive(struct room_member *member, const struct records *nulls)
{
    push_records(member, nulls);
    if (member->room && may_ask(member))
        fanout_y_push(member, YJS_MESSAGE_QUERY_AWARENESS, YJS_SYNC_STEP1,
                      NULL, 0);
}

/* Have a member raise the clocks of its states; not again at once, but then
 * all are asked later, so that those who come back together miss nobody. */
static void ask_to_raise(struct room_member *member)
{
    struct room_awareness *a = member->room->awareness;
    struct records nulls;
    struct list *node, *next;
    if (list_empty(&member->owned))
        return;
    if (!may_ask(member)) {
        a->raise_at = member->room->registry->now_ms + ASK_AGAIN_S * 1000;
        return;
    }
    records_init(&nulls);
    LIST_FOREACH(node, next, &member->owned)
    {
        const struct owned *o = LIST_ENTRY(node, struct owned, node);
        uint64_t clock;
        bool live;
        if (yjs_awareness_clock(a->states, o->client, &clock, &live) && live)
            records_put(&nulls, o->client, clock, "null", 4);
    }
    push_records(member, &nulls);
    buf_deinit(&nulls.bytes);
    if (member->room)
        fanout_y_push(member, YJS_MESSAGE_QUERY_AWARENESS, YJS_SYNC_STEP1,
                      NULL, 0);
}

static void ask_all_to_raise(struct room *room,
                             const struct room_member *except)
{
    struct list *node, *next;
    if (room->count < 2 || room->count > ROOM_SMALL)
        return;
    LIST_FOREACH(node, next, &room->members)
    {
        struct room_member *m = LIST_ENTRY(node, struct room_member, node);
        if (m != except)
            ask_to_raise(m);
        if (room->failed)
            return;
    }
}

/* Somebody came back who knows old clocks: see the top. */
static void welcome_back(const struct accepted *acc)
{
    struct room *room = acc->member->room;
    if (!acc->known_elsewhere && !acc->taken_over)
        return;
    ask_all_to_raise(room, acc->known_elsewhere ? NULL : acc->member);
    if (!room->failed)
        room_schedule(room);
}

static room_refusal reject(struct room_member *member, int err, size_t len)
{
    struct room *room = member->room;
    struct registry *registry = room->registry;
    room_refusal reason =
        err == YJS_ERR_LIMIT ? "awareness too large" : "malformed awareness";
    if (err == YJS_ERR_NOMEM) {
        room_fail(room, "applying awareness", err);
        return "room failed";
    }
    if (err == YJS_ERR_LIMIT)
        counter_inc(registry->counters, COUNTER_LIMIT_AWARENESS);
    counter_inc(registry->counters, COUNTER_AWARENESS_REJECTED);
    if (registry_may_warn(registry))
        log_warning("awareness rejected",
                    LOG_STR("room", room->topic, room->topic_len),
                    LOG_STR("user", member->who->user, member->who->user_len),
                    LOG_INT("connection", member->who->connection),
                    LOG_Z("reason", reason), LOG_INT("bytes", len));
    return reason;
}

room_refusal awareness_receive(struct room_member *member, const uint8_t *body,
                               size_t len)
{
    struct room *room = member->room;
    struct registry *registry = room->registry;
    struct accepted acc = {.member = member};
    struct records nulls;
    int err = open_awareness(room);
    if (err)
        return reject(member, err, len);
    records_init(&acc.records);
    err = yjs_awareness_apply(room->awareness->states, body, len,
                              registry->now_ms, on_accepted, &acc);
    if (err) {
        buf_deinit(&acc.records.bytes);
        return reject(member, err, len);
    }
    counter_inc(registry->counters, COUNTER_AWARENESS_APPLIED);
    records_init(&nulls);
    examine_rejected(&acc, body, len, &nulls);
    room_schedule(room);
    if (acc.records.count)
        broadcast_records(room, member, &acc.records);
    if (nulls.count && member->room)
        revive(member, &nulls);
    if (member->room)
        welcome_back(&acc);
    buf_deinit(&acc.records.bytes);
    buf_deinit(&nulls.bytes);
    return NULL;
}

void awareness_push_all(struct room_member *member)
{
    struct room *room = member->room;
    struct yjs_bytes update = {0};
    if (!room->awareness || !yjs_awareness_count(room->awareness->states))
        return;
    int err = yjs_awareness_encode(room->awareness->states, NULL, 0, &update);
    if (err)
        room_fail(room, "encoding awareness", err);
    else
        fanout_y_push(member, YJS_MESSAGE_AWARENESS, YJS_SYNC_STEP1,
                      update.data, update.len);
    yjs_bytes_free(&update);
}

/* ------------------------------------------------------------------- time */

static void on_expired(void *ctx, const struct yjs_awareness_change *change)
{
    records_put(ctx, change->client, change->clock, "null", 4);
}

/* States not renewed. Their ids are disowned from the records, for the
 * engine's callback must not lose what it walks. */
static void expire(struct room *room, struct records *gone)
{
    struct registry *registry = room->registry;
    struct room_awareness *a = room->awareness;
    uint64_t timeout = registry->limits.awareness_timeout_ms;
    if (registry->now_ms < a->check_at)
        return;
    a->check_at = registry->now_ms + timeout / CHECKS_PER_TIMEOUT;
    yjs_awareness_expire(a->states, registry->now_ms, timeout, on_expired,
                         gone);
    if (!gone->count)
        return;
    const uint8_t *p = (const uint8_t *)gone->bytes.data;
    const uint8_t *end = p + gone->bytes.len;
    for (uint64_t i = 0; i < gone->count; i++) {
        disown(a, get_varuint(&p, end));
        get_varuint(&p, end);
        p += get_varuint(&p, end);
    }
}

static void end_graces(struct room *room, struct records *gone)
{
    struct registry *registry = room->registry;
    struct room_awareness *a = room->awareness;
    while (!list_empty(&a->orphans)) {
        struct owned *o = LIST_ENTRY(a->orphans.next, struct owned, node);
        uint64_t clock, client = o->client;
        bool live;
        if (o->remove_at > registry->now_ms)
            break;
        if (yjs_awareness_clock(a->states, client, &clock, &live) && live &&
            yjs_awareness_remove(a->states, client, registry->now_ms))
            records_put(gone, client, clock, "null", 4);
        disown(a, client);
    }
}

uint64_t awareness_due(const struct room *room)
{
    const struct room_awareness *a = room->awareness;
    uint64_t due = UINT64_MAX;
    if (!a)
        return due;
    if (yjs_awareness_count(a->states))
        due = a->check_at;
    if (a->raise_at && a->raise_at < due)
        due = a->raise_at;
    if (!list_empty(&a->orphans)) {
        struct owned *o = LIST_ENTRY(a->orphans.next, struct owned, node);
        if (o->remove_at < due)
            due = o->remove_at;
    }
    return due;
}

void awareness_tick(struct room *room)
{
    struct records gone;
    if (!room->awareness)
        return;
    records_init(&gone);
    expire(room, &gone);
    end_graces(room, &gone);
    if (gone.count)
        broadcast_records(room, NULL, &gone);
    buf_deinit(&gone.bytes);
    struct room_awareness *a = room->awareness;
    if (a && a->raise_at && room->registry->now_ms >= a->raise_at) {
        a->raise_at = 0;
        ask_all_to_raise(room, NULL);
    }
    /* An empty room has nobody left who could need a tombstone. */
    if (room->awareness && !room->count &&
        !yjs_awareness_count(room->awareness->states))
        awareness_free(room);
}
