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

/* What the engine encodes for a document that nobody has written to. */
static const uint8_t empty_update[] = {0, 0}, empty_vector[] = {0};

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

/* The gauge follows the document's heap. */
static void count_heap(struct room *room)
{
    struct counters *c = room->registry->counters;
    size_t now = room->doc ? yjs_doc_heap(room->doc) : 0;
    c->value[COUNTER_DOCUMENT_BYTES] += now - room->doc_heap;
    room->doc_heap = now;
}

void room_free(struct room *room)
{
    yjs_doc_free(room->doc);
    room->doc = NULL;
    count_heap(room);
    awareness_free(room);
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

static void drop_state(struct room *room)
{
    if (!room->cache || !room->cache->has_state)
        return;
    yjs_bytes_free(&room->cache->state);
    room->cache->has_state = false;
}

void room_cache_drop(struct room *room)
{
    if (!room->cache)
        return;
    drop_state(room);
    buf_deinit(&room->cache->presence);
    free(room->cache);
    room->cache = NULL;
    list_remove(&room->node);
}

void room_schedule(struct room *room)
{
    struct registry *registry = room->registry;
    uint64_t due = awareness_due(room);
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
    awareness_tick(room);
    if (!room->failed)
        room_schedule(room);
}

static void detach(struct room_member *member)
{
    struct room *room = member->room;
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
    member->first_of_user = false;
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
    presence_tell_join(member);
    presence_push_state(member);
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
    presence_tell_leave(room, member);
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

/* Peers see the id in nothing; it is ours for edits of the server's own. */
static uint64_t own_client_id(const struct room *room)
{
    uint64_t id =
        dict_siphash(room->registry->rooms.k1, room->registry->rooms.k0,
                     room->topic, room->topic_len);
    return (id & UINT32_MAX) ? (id & UINT32_MAX) : 1;
}

static int open_document(struct room *room)
{
    const struct room_limits *limits = &room->registry->limits;
    struct yjs_doc_options options = {
        .client_id = own_client_id(room),
        .limits = {.update_bytes = limits->update_bytes,
                   .pending_bytes = limits->pending_bytes,
                   .doc_bytes = limits->document_bytes},
        .alloc = room->registry->alloc,
    };
    if (room->doc)
        return YJS_OK;
    return yjs_doc_new(&options, &room->doc);
}

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
    case YJS_LIMIT_CONFLICTS:
        counter_inc(c, COUNTER_LIMIT_UPDATE);
        return "update too large";
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
    count_heap(room);
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
    } else {
        err = open_document(room);
        heap = err ? 0 : yjs_doc_heap(room->doc);
        if (!err)
            err = yjs_apply_update(room->doc, update, len, &result);
    }
    if (err == YJS_ERR_NOMEM) {
        room_fail(room, "applying an update", err);
        return "room failed";
    }
    if (err == YJS_ERR_LIMIT)
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
    drop_state(member->room);
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

bool room_state(struct room *room, const uint8_t **state, size_t *len)
{
    struct room_cache *cache;
    *len = 0;
    if (!room->doc || yjs_doc_is_empty(room->doc))
        return true;
    cache = room_cache(room);
    if (!cache->has_state) {
        int err = yjs_encode_state_as_update(room->doc, NULL, 0, &cache->state);
        if (err) {
            room_fail(room, "encoding the document", err);
            return false;
        }
        cache->has_state = true;
    }
    *state = cache->state.data;
    *len = cache->state.len;
    return true;
}

/* ------------------------------------------------------------ y-protocols */

/* Ask the member for everything we lack. */
static void push_step1(struct room_member *member)
{
    struct room *room = member->room;
    struct yjs_bytes vector = {0};
    if (!room->doc) {
        fanout_y_push(member, YJS_MESSAGE_SYNC, YJS_SYNC_STEP1, empty_vector,
                      sizeof empty_vector);
        return;
    }
    int err = yjs_encode_state_vector(room->doc, &vector);
    if (err)
        room_fail(room, "encoding the state vector", err);
    else
        fanout_y_push(member, YJS_MESSAGE_SYNC, YJS_SYNC_STEP1, vector.data,
                      vector.len);
    yjs_bytes_free(&vector);
}

static room_refusal push_step2(struct room_member *member,
                               const uint8_t *vector, size_t len)
{
    struct room *room = member->room;
    struct yjs_bytes update = {0};
    if (!room->doc) {
        fanout_y_push(member, YJS_MESSAGE_SYNC, YJS_SYNC_STEP2, empty_update,
                      sizeof empty_update);
        return NULL;
    }
    int err = yjs_encode_state_as_update(room->doc, vector, len, &update);
    if (err == YJS_ERR_NOMEM) {
        room_fail(room, "encoding an answer", err);
        return "room failed";
    }
    if (err)
        return refuse_message(member, "malformed message", len);
    fanout_y_push(member, YJS_MESSAGE_SYNC, YJS_SYNC_STEP2, update.data,
                  update.len);
    yjs_bytes_free(&update);
    return NULL;
}

/* step2 (always: only it sets `synced`), our step1, all awareness. */
static room_refusal answer_step1(struct room_member *member,
                                 const uint8_t *vector, size_t len)
{
    room_refusal refusal = push_step2(member, vector, len);
    if (!refusal && member->room)
        push_step1(member);
    if (!refusal && member->room)
        awareness_push_all(member);
    return refusal;
}

static room_refusal receive_sync(struct room_member *member,
                                 const struct yjs_message *y)
{
    bool waits = false;
    if (y->sync == YJS_SYNC_STEP1)
        return answer_step1(member, y->body, y->body_len);
    room_refusal refusal = receive_update(member, y->body, y->body_len, &waits);
    if (refusal || !member->room || !waits || y->sync != YJS_SYNC_UPDATE)
        return refusal;
    /* Only an update asks: a step2 that has to wait is all they have. */
    uint32_t now = (uint32_t)(member->room->registry->now_ms / 1000) + 1;
    if (!member->asked_step1 || now - member->asked_step1 >= ASK_AGAIN_S) {
        member->asked_step1 = now;
        push_step1(member);
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
