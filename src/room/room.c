/* SPDX-License-Identifier: MIT */
/* The life of a room, and what its members say to its document.
 *
 *   created by the first join -> members come and go -> empty for empty_ms
 *   -> shut down. Or: the engine fails -> every member is ended, the room is
 *   taken out of the registry at once and freed by the next tick.
 *
 * A document update is decoded and applied whole or not at all (the engine's
 * promise); then it is relayed as it came to the members that do not have it:
 * those who speak y-protocols get it as binary `yjs`, the others as `update`.
 *
 * Never a gap. An update may be refused: the document is full, or the client
 * sends faster than what it refers to. The client keeps the edit, and what it
 * sends next builds on it, so that the next one accepted is left pending. A
 * client that speaks y-protocols is then asked (step1) for all we lack, which
 * brings the refused edit again. A client of the application's own protocol
 * cannot be asked: it learns of the refusal by the error reply.
 *
 * Must never relay what the document did not take, nor touch a member after
 * room_fail. */
#include "room/room.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "room/internal.h"

/* ------------------------------------------------------------------- life */

static void on_timer(struct wheel_timer *timer, uint64_t now_ms);

static void advance_clock(struct registry *registry, uint64_t now_ms)
{
    if (now_ms > registry->now_ms)
        registry->now_ms = now_ms;
}

static struct room *room_new(struct registry *registry, const char *topic,
                             size_t len)
{
    struct room *room = mem_zalloc(sizeof *room + len);
    room->registry = registry;
    list_init(&room->members);
    list_init(&room->node);
    room->topic_len = (uint32_t)len;
    memcpy(room->topic, topic, len);
    dict_put(&registry->rooms, room->topic, len, room);
    counter_inc(registry->counters, COUNTER_ROOMS);
    counter_inc(registry->counters, COUNTER_ROOMS_CREATED);
    log_info("room created", LOG_STR("room", topic, len));
    return room;
}

void room_free(struct room *room)
{
    document_free(room);
    awareness_free(room);
    presence_forget(room);
    room_cache_drop(room);
    if (room->users) {
        dict_deinit(room->users);
        free(room->users);
    }
    free(room);
}

struct room_cache *room_cache(struct room *room)
{
    if (!room->cache) {
        room->cache = mem_zalloc(sizeof *room->cache);
        list_push(&room->registry->cached, &room->node);
    }
    room->cache->used_ms = room->registry->now_ms;
    return room->cache;
}

void room_cache_drop(struct room *room)
{
    if (!room->cache)
        return;
    snapshot_unref(room->cache->snapshot);
    buf_deinit(&room->cache->presence);
    free(room->cache);
    room->cache = NULL;
    list_remove(&room->node);
}

void room_schedule(struct room *room)
{
    struct registry *registry = room->registry;
    uint64_t due = awareness_due(room), rest = document_due(room);
    uint64_t tell = presence_due(room);
    if (rest < due)
        due = rest;
    if (tell < due)
        due = tell;
    if (!room->count && room->empty_at < due)
        due = room->empty_at;
    if (due == UINT64_MAX)
        wheel_cancel(&registry->wheel, &room->timer);
    else
        wheel_set(&registry->wheel, &room->timer, due, on_timer);
}

static void shut_down(struct room *room)
{
    struct registry *registry = room->registry;
    log_info("shutting down empty room",
             LOG_STR("room", room->topic, room->topic_len));
    registry_forget(registry, room);
    counter_inc(registry->counters, COUNTER_ROOMS_ENDED);
    room_free(room);
}

static void on_timer(struct wheel_timer *timer, uint64_t now_ms)
{
    struct room *room = LIST_ENTRY(timer, struct room, timer);
    advance_clock(room->registry, now_ms);
    if (!room->count && room->registry->now_ms >= room->empty_at) {
        shut_down(room);
        return;
    }
    presence_tick(room);
    document_tick(room);
    awareness_tick(room);
    if (!room->failed)
        room_schedule(room);
}

static void detach(struct room_member *member)
{
    struct room *room = member->room;
    sync_forget(member);
    list_remove(&member->node);
    room->count--;
    counter_dec(room->registry->counters, COUNTER_MEMBERS);
    member->room = NULL;
}

void room_fail(struct room *room, const char *what, int err)
{
    struct registry *registry = room->registry;
    struct list *node;
    log_error("room failed", LOG_STR("room", room->topic, room->topic_len),
              LOG_Z("while", what), LOG_Z("error", yjs_strerror(err)),
              LOG_INT("members", room->count));
    room->failed = true;
    registry_forget(registry, room);
    list_push(&registry->dead, &room->node);
    counter_inc(registry->counters, COUNTER_ROOMS_FAILED);
    while ((node = room->members.next) != &room->members) {
        struct room_member *m = LIST_ENTRY(node, struct room_member, node);
        awareness_orphan(m);
        list_remove(&m->same_user);
        detach(m);
        m->ops->ended(m, room, ROOM_END_CRASHED);
    }
}

/* ---------------------------------------------------------------- members */

/* One event whose phrase names the topic, as operators grep for it: only what
 * is harmless in any log is let into the phrase. */
static void log_client_joined(const struct room *room,
                              const struct room_member *m)
{
    char event[sizeof "client joined " + 64] = "client joined ";
    size_t at = strlen(event);
    if (!log_enabled(LOG_INFO))
        return;
    for (size_t i = 0; i < room->topic_len && at < sizeof event - 1; i++) {
        char c = room->topic[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    (c >= '0' && c <= '9') || strchr(":_-.,@/", c);
        event[at++] = (char)(word && c ? c : '?');
    }
    event[at] = '\0';
    log_info(event, LOG_STR("room", room->topic, room->topic_len),
             LOG_INT("connection", m->who->connection));
}

static room_refusal find_or_create(struct registry *registry, const char *topic,
                                   size_t len, struct room **out)
{
    struct room *room = dict_find(&registry->rooms, topic, len);
    if (!room && registry->rooms.count >= registry->limits.rooms) {
        counter_inc(registry->counters, COUNTER_LIMIT_ROOMS);
        return "too many rooms";
    }
    if (room && room->count >= registry->limits.members) {
        counter_inc(registry->counters, COUNTER_LIMIT_MEMBERS);
        return "room is full";
    }
    if (registry->full || (!room && registry->pressed)) {
        counter_inc(registry->counters, COUNTER_LIMIT_MEMORY);
        return "server is full";
    }
    *out = room ? room : room_new(registry, topic, len);
    return NULL;
}

room_refusal room_join(struct registry *registry, const char *topic,
                       size_t topic_len, struct room_member *member,
                       uint64_t now_ms)
{
    struct room *room;
    advance_clock(registry, now_ms);
    room_refusal refusal = find_or_create(registry, topic, topic_len, &room);
    if (refusal)
        return refusal;
    member->room = room;
    member->yjs = false;
    member->first_of_user = member->told = false;
    member->behind = false;
    member->feed = NULL;
    member->fed = member->lagging = false;
    member->asked_step1 = member->asked_query = 0;
    list_init(&member->owned);
    list_push(&room->members, &member->node);
    room->count++;
    counter_inc(registry->counters, COUNTER_MEMBERS);
    presence_join(member);
    room_schedule(room);
    log_info("user joined", LOG_STR("room", room->topic, room->topic_len),
             LOG_STR("user", member->who->user, member->who->user_len),
             LOG_INT("count", room->count));
    log_client_joined(room, member);
    return NULL;
}

void room_announce(struct room_member *member)
{
    snapshot_catch_up(member);
    if (!member->room)
        return;
    presence_came(member);
    if (presence_due(member->room) != UINT64_MAX)
        room_schedule(member->room);
}

void room_leave(struct room_member *member, uint64_t now_ms)
{
    struct room *room = member->room;
    if (!room)
        return;
    advance_clock(room->registry, now_ms);
    awareness_orphan(member);
    presence_leave(member);
    detach(member);
    log_info("connection left", LOG_STR("room", room->topic, room->topic_len),
             LOG_STR("user", member->who->user, member->who->user_len),
             LOG_INT("connection", member->who->connection),
             LOG_INT("count", room->count));
    presence_went(room, member);
    if (!room->count) {
        room_cache_drop(room);
        room->empty_at =
            room->registry->now_ms + room->registry->limits.empty_ms;
    }
    room_schedule(room);
}

const char *room_topic(const struct room *room, size_t *len)
{
    *len = room->topic_len;
    return room->topic;
}

/* --------------------------------------------------------------- document */

/* Which of the engine's limits it was. */
static room_refusal over_limit(struct room *room)
{
    struct counters *c = room->registry->counters;
    switch (room->doc ? yjs_doc_limit(room->doc) : YJS_LIMIT_DOC_BYTES) {
    case YJS_LIMIT_PENDING_BYTES:
        counter_inc(c, COUNTER_LIMIT_PENDING);
        return "too much pending";
    case YJS_LIMIT_UPDATE_BYTES:
    case YJS_LIMIT_STRUCTS:
        counter_inc(c, COUNTER_LIMIT_UPDATE);
        return "update too large";
    case YJS_LIMIT_CONFLICTS:
        counter_inc(c, COUNTER_LIMIT_CONFLICTS);
        return "too many conflicts";
    case YJS_LIMIT_DEPTH:
        counter_inc(c, COUNTER_LIMIT_DEPTH);
        return "values nested too deep";
    default:
        counter_inc(c, COUNTER_LIMIT_DOCUMENT);
        return "document too large";
    }
}

static room_refusal refuse(struct room_member *member, const char *what,
                           room_refusal reason, size_t len, size_t offset)
{
    struct room *room = member->room;
    if (registry_may_warn(room->registry))
        log_warning(what, LOG_STR("room", room->topic, room->topic_len),
                    LOG_STR("user", member->who->user, member->who->user_len),
                    LOG_INT("connection", member->who->connection),
                    LOG_Z("reason", reason), LOG_INT("bytes", len),
                    LOG_INT("offset", offset));
    return reason;
}

static room_refusal refuse_message(struct room_member *member,
                                   room_refusal reason, size_t len)
{
    counter_inc(member->room->registry->counters, COUNTER_UNREADABLE);
    return refuse(member, "message rejected", reason, len, 0);
}

/* What an update did to the room's document. */
struct effect {
    bool changed;
    bool waits; /* parts of this very update wait for others */
};

/* The engine says whether anything at all is pending. An update added to that
 * if nothing was before, or if all it did was to make the document larger. */
static struct effect note_effect(struct room *room, size_t before,
                                 const struct yjs_apply_result *result)
{
    struct counters *c = room->registry->counters;
    struct effect effect = {.changed = result->changed};
    document_count(room);
    effect.waits =
        result->pending &&
        (!room->pending || (!result->changed && room->doc_heap > before));
    room->pending = result->pending;
    counter_inc(c, effect.changed || effect.waits ? COUNTER_UPDATES_APPLIED
                                                  : COUNTER_UPDATES_UNCHANGED);
    return effect;
}

static room_refusal apply(struct room_member *member, const uint8_t *update,
                          size_t len, struct effect *effect)
{
    struct room *room = member->room;
    struct registry *registry = room->registry;
    struct yjs_apply_result result = {0};
    room_refusal reason = NULL;
    size_t heap = 0;
    int err = YJS_OK;
    if (len > registry->limits.update_bytes) {
        counter_inc(registry->counters, COUNTER_LIMIT_UPDATE);
        reason = "update too large";
    } else if (registry->full) {
        counter_inc(registry->counters, COUNTER_LIMIT_MEMORY);
        reason = "server is full";
    } else {
        err = document_open(room);
        heap = err ? 0 : yjs_doc_heap(room->doc);
        if (!err)
            err = yjs_apply_update(room->doc, update, len, &result);
    }
    if (err == YJS_ERR_NOMEM) { /* the document is as it was */
        counter_inc(registry->counters, COUNTER_LIMIT_MEMORY);
        reason = "out of memory";
    } else if (err == YJS_ERR_LIMIT)
        reason = over_limit(room);
    else if (err)
        reason = "malformed update";
    if (reason) {
        counter_inc(registry->counters, COUNTER_UPDATES_REJECTED);
        return refuse(member, "update rejected", reason, len,
                      result.error_offset);
    }
    *effect = note_effect(room, heap, &result);
    return NULL;
}

static void relay(struct room_member *from, const uint8_t *update, size_t len)
{
    struct room *room = from->room;
    struct yjs_bytes y;
    if (room->count < 2)
        return;
    if (!fanout_y_frame(room, YJS_MESSAGE_SYNC, YJS_SYNC_UPDATE, update, len,
                        &y))
        return;
    struct message app = fanout_message(room, "update", MESSAGE_DATA,
                                        MESSAGE_DOCUMENT, update, len);
    struct message yjs = fanout_message(room, "yjs", MESSAGE_BYTES,
                                        MESSAGE_DOCUMENT, y.data, y.len);
    fanout(room, from, FANOUT_APP, &app);
    fanout(room, from, FANOUT_YJS, &yjs);
    yjs_bytes_free(&y);
}

static room_refusal receive_update(struct room_member *member,
                                   const uint8_t *update, size_t len,
                                   bool *waits)
{
    struct effect effect = {0};
    room_refusal refusal = apply(member, update, len, &effect);
    if (refusal)
        return refusal;
    *waits = effect.waits;
    if (!effect.changed && !effect.waits)
        return NULL;
    snapshot_changed(member->room);
    relay(member, update, len);
    return NULL;
}

room_refusal room_update(struct room_member *member, const uint8_t *update,
                         size_t len, uint64_t now_ms)
{
    bool waits = false;
    advance_clock(member->room->registry, now_ms);
    return receive_update(member, update, len, &waits);
}

room_refusal room_update_unreadable(struct room_member *member, size_t len,
                                    uint64_t now_ms)
{
    struct registry *registry = member->room->registry;
    advance_clock(registry, now_ms);
    counter_inc(registry->counters, COUNTER_UPDATES_REJECTED);
    return refuse(member, "update rejected", "bytes expected", len, 0);
}

/* ------------------------------------------------------------ y-protocols */

static room_refusal receive_sync(struct room_member *member,
                                 const struct yjs_message *y)
{
    bool waits = false;
    if (y->sync == YJS_SYNC_STEP1) {
        room_refusal why = sync_answer(member, y->body, y->body_len);
        return why && member->room ? refuse_message(member, why, y->body_len)
                                   : why;
    }
    room_refusal refusal = receive_update(member, y->body, y->body_len, &waits);
    if (refusal || !member->room || !waits || y->sync != YJS_SYNC_UPDATE)
        return refusal;
    /* Only an update asks: a step2 that has to wait is all they have. */
    uint32_t now = (uint32_t)(member->room->registry->now_ms / 1000) + 1;
    if (!member->asked_step1 || now - member->asked_step1 >= ASK_AGAIN_S) {
        member->asked_step1 = now;
        sync_ask(member);
    }
    return NULL;
}

room_refusal room_y_message(struct room_member *member, const uint8_t *data,
                            size_t len, uint64_t now_ms)
{
    struct yjs_message y;
    advance_clock(member->room->registry, now_ms);
    int err = yjs_message_decode(data, len, &y);
    if (err)
        return refuse_message(member,
                              err == YJS_ERR_UNSUPPORTED ? "unsupported message"
                                                         : "malformed message",
                              len);
    member->yjs = true;
    switch (y.type) {
    case YJS_MESSAGE_SYNC:
        return receive_sync(member, &y);
    case YJS_MESSAGE_AWARENESS:
        return awareness_receive(member, y.body, y.body_len);
    case YJS_MESSAGE_QUERY_AWARENESS:
        awareness_push_all(member);
        return NULL;
    default: /* permissions are the server's to give */
        return refuse_message(member, "unsupported message", len);
    }
}

room_refusal room_relay_awareness(struct room_member *member,
                                  const uint8_t *json, size_t len,
                                  uint64_t now_ms)
{
    struct room *room = member->room;
    struct registry *registry = room->registry;
    advance_clock(registry, now_ms);
    if (len > registry->limits.awareness_state_bytes) {
        counter_inc(registry->counters, COUNTER_LIMIT_AWARENESS);
        counter_inc(registry->counters, COUNTER_AWARENESS_REJECTED);
        return refuse(member, "awareness rejected", "awareness too large", len,
                      0);
    }
    counter_inc(registry->counters, COUNTER_AWARENESS_APPLIED);
    struct message m = fanout_message(room, "awareness", MESSAGE_JSON,
                                      MESSAGE_AWARENESS, json, len);
    fanout(room, member, FANOUT_ALL, &m);
    return NULL;
}
