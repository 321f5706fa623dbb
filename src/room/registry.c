/* SPDX-License-Identifier: MIT */
/* All rooms of the process: see registry.h. Must never free a room while one
 * of its functions is on the stack: a room that fails is put on the dead list
 * and freed by the next tick. */
#include "room/registry.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "room/internal.h"

enum { WARN_WINDOW_MS = 1000, WARN_MAX = 50 };

void room_limits_default(struct room_limits *limits)
{
    *limits = (struct room_limits){
        .rooms = 100000,
        .members = 20000,
        .presence_rate = 20000,
        .document_bytes = (size_t)256 << 20,
        .update_bytes = (size_t)16 << 20,
        .pending_bytes = (size_t)16 << 20,
        .update_conflicts = 16000000,
        .awareness_bytes = (size_t)1 << 20,
        .awareness_state_bytes = (size_t)64 << 10,
        .awareness_clients = 20000,
        .awareness_tombstones = 1024,
        .rest_bytes = 64 * 1024,
        .rest_ms = 5000,
        .empty_ms = 60000,
        .awareness_timeout_ms = 30000,
        .awareness_grace_ms = 3000,
    };
}

struct registry *registry_new(const struct registry_options *options)
{
    struct registry *r = mem_zalloc(sizeof *r);
    dict_init(&r->rooms, options->seed);
    wheel_init(&r->wheel, options->now_ms);
    r->limits = options->limits;
    r->counters = options->counters;
    memcpy(r->seed, options->seed, sizeof r->seed);
    if (options->alloc)
        r->alloc = *options->alloc;
    r->now_ms = options->now_ms;
    r->unix_offset_ms = options->unix_offset_ms;
    list_init(&r->cached);
    list_init(&r->dead);
    return r;
}

static void free_dead(struct registry *r)
{
    struct list *node;
    while ((node = list_pop(&r->dead)))
        room_free(LIST_ENTRY(node, struct room, node));
}

void registry_free(struct registry *registry)
{
    struct room *room;
    size_t cursor = 0;
    if (!registry)
        return;
    while ((room = dict_next(&registry->rooms, &cursor))) {
        registry_forget(registry, room);
        room_free(room);
        cursor = 0;
    }
    free_dead(registry);
    dict_deinit(&registry->rooms);
    free(registry);
}

void registry_set_limits(struct registry *registry,
                         const struct room_limits *limits)
{
    registry->limits = *limits;
}

void registry_drain(struct registry *registry)
{
    registry->draining = true;
}

void registry_press(struct registry *registry, bool pressed, bool full)
{
    struct list *node, *next;
    registry->pressed = pressed;
    registry->full = full;
    if (!pressed)
        return;
    LIST_FOREACH(node, next, &registry->cached)
    {
        room_cache_drop(LIST_ENTRY(node, struct room, node));
    }
}

uint64_t registry_next_anonymous(struct registry *registry)
{
    return ++registry->next_anonymous;
}

size_t registry_rooms(const struct registry *registry)
{
    return registry->rooms.count;
}

void registry_forget(struct registry *registry, struct room *room)
{
    room_cache_drop(room);
    wheel_cancel(&registry->wheel, &room->timer);
    dict_remove(&registry->rooms, room->topic, room->topic_len);
    counter_dec(registry->counters, COUNTER_ROOMS);
}

/* A hostile client can earn a warning with every message; a log that fills a
 * disk is a worse outage than the client. */
bool registry_may_warn(struct registry *registry)
{
    if (registry->now_ms >= registry->warn_until) {
        registry->warn_until = registry->now_ms + WARN_WINDOW_MS;
        registry->warned = 0;
    }
    if (registry->warned < WARN_MAX) {
        registry->warned++;
        return true;
    }
    registry->unwarned++;
    return false;
}

static void report_unwarned(struct registry *r)
{
    if (!r->unwarned || r->now_ms < r->warn_until)
        return;
    log_warning("warnings left out", LOG_INT("count", r->unwarned));
    r->unwarned = 0;
}

static void sweep_caches(struct registry *r)
{
    struct list *node, *next;
    if (r->now_ms < r->sweep_at)
        return;
    r->sweep_at = r->now_ms + CACHE_IDLE_MS / 2;
    LIST_FOREACH(node, next, &r->cached)
    {
        struct room *room = LIST_ENTRY(node, struct room, node);
        if (r->now_ms - room->cache->used_ms >=
            CACHE_IDLE_MS + snapshot_idle_ms(room->cache->snapshot))
            room_cache_drop(room);
    }
}

/* What clients, rooms and documents take up, about. */
static uint64_t used(const struct registry *r)
{
    enum { CLIENT = 2048, ROOM = 1024 };
    const uint64_t *c = r->counters->value;
    return (c[COUNTER_CONNECTIONS_WS] + c[COUNTER_CONNECTIONS_LP]) * CLIENT +
           c[COUNTER_ROOMS] * ROOM + c[COUNTER_DOCUMENT_BYTES];
}

/* What ended rooms and connections leave behind goes back to the system. To
 * look for it takes a walk over all that is free, 20 ms with 50,000 rooms: so
 * only when the estimate says that something is, and once again for what was
 * freed late; or seldom, for what is in no estimate. */
static void give_back(struct registry *r)
{
    uint64_t now = used(r);
    if (now > r->used_most) /* at each tick: what came may go before a look */
        r->used_most = now;
    if (r->now_ms < r->give_back_at)
        return;
    r->give_back_at = r->now_ms + GIVE_BACK_MS;
    bool freed = r->used_most - now >= GIVE_BACK_WORTH;
    if (!freed && !r->look_again && r->now_ms < r->give_back_late_at)
        return;
    r->look_again = freed;
    r->used_most = now;
    r->give_back_late_at = r->now_ms + GIVE_BACK_LATE_MS;
    r->wasted = mem_give_back(r->wasted);
}

void registry_tick(struct registry *registry, uint64_t now_ms)
{
    if (now_ms > registry->now_ms)
        registry->now_ms = now_ms;
    wheel_advance(&registry->wheel, registry->now_ms);
    sweep_caches(registry);
    free_dead(registry);
    report_unwarned(registry);
    give_back(registry);
}

/* for operators */

const size_t registry_sizes[SURVEY_SIZES - 1] = {1, 5, 20, 100};

/* Keeps the largest seen so far in order; most rooms fall at the first look. */
static void survey_place(struct room_survey *s, const struct room *room)
{
    size_t at = s->count;
    while (at > 0 &&
           (s->largest[at - 1].members < room->count ||
            (s->largest[at - 1].members == room->count &&
             s->largest[at - 1].document_bytes < room->doc_heap)))
        at--;
    if (at == SURVEY_LARGEST)
        return;
    if (s->count < SURVEY_LARGEST)
        s->count++;
    memmove(&s->largest[at + 1], &s->largest[at],
            (s->count - 1 - at) * sizeof s->largest[0]);
    s->largest[at].topic = room->topic;
    s->largest[at].topic_len = room->topic_len;
    s->largest[at].members = room->count;
    s->largest[at].document_bytes = room->doc_heap;
}

void registry_survey(const struct registry *registry, struct room_survey *out)
{
    const struct room *room;
    size_t cursor = 0;
    memset(out, 0, sizeof *out);
    while ((room = dict_next(&registry->rooms, &cursor))) {
        size_t size = 0;
        while (size < SURVEY_SIZES - 1 && room->count > registry_sizes[size])
            size++;
        out->rooms[size]++;
        survey_place(out, room);
    }
}
