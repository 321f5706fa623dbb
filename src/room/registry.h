/* SPDX-License-Identifier: MIT */
/**
 * @file registry.h
 * All rooms of this process by topic. Sans I/O: time comes in through the
 * calls and registry_tick.
 */
#ifndef ROOM_REGISTRY_H
#define ROOM_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct counters;
struct registry;
struct yjs_allocator;

/** Every limit of rooms; each has its key in roomd.conf and its counter. */
struct room_limits {
    size_t rooms;            /**< default 100,000 */
    size_t members;          /**< per room; default 20,000 */
    size_t presence_rate;    /**< presence messages a second that the coming
                                  and going in one large room may cause, see
                                  presence.c; 20,000; 0: any */
    size_t document_bytes;   /**< heap of one document; default 256 MiB */
    size_t update_bytes;     /**< one update; default 16 MiB */
    size_t pending_bytes;    /**< pending structs of one room; 16 MiB */
    size_t update_conflicts; /**< comparisons; default 16 million */
    size_t awareness_bytes;  /**< all states of one room; default 1 MiB */
    size_t awareness_state_bytes; /**< one state; default 64 KiB */
    size_t awareness_clients;     /**< live states of one room; 20,000 */
    size_t awareness_tombstones;  /**< remembered removals; default 1,024 */
    size_t rest_bytes;       /**< larger documents never rest; 64 KiB */
    uint32_t rest_ms;        /**< unused for so long, a document rests: see
                                  document.c; 5,000; 0: never */
    uint32_t empty_ms;       /**< a room ends so long after its last member
                                  left; default 60,000 */
    uint32_t awareness_timeout_ms; /**< unrenewed states; default 30,000 */
    uint32_t awareness_grace_ms;   /**< between a connection's end and the
                                        removal of its states; 3,000 */
};

struct registry_options {
    struct room_limits limits;
    struct counters *counters; /**< borrowed, outlives the registry */
    uint8_t seed[16];          /**< random: hash keys, phx_ref, client id */
    uint64_t now_ms;           /**< monotonic */
    uint64_t unix_offset_ms;   /**< add to now_ms: Unix time (online_at) */
    /** NULL: libc's. Documents and awareness; for tests of failing memory. */
    const struct yjs_allocator *alloc;
};

void room_limits_default(struct room_limits *limits);
struct registry *registry_new(const struct registry_options *options);
/** Every member must have left. NULL is accepted. */
void registry_free(struct registry *registry);
/** New limits for what happens from now on (reload). */
void registry_set_limits(struct registry *registry,
                         const struct room_limits *limits);
/** From now on nobody is told who leaves: when the whole server drains, a
 *  room of n would send n * n presence messages to clients that go as well. */
void registry_drain(struct registry *registry);
/** Memory is short: caches go, no room is made. `full`: nor does a document
 *  grow or anybody join. */
void registry_press(struct registry *registry, bool pressed, bool full);
/** A number no other client of this process has (anon-<n>). */
uint64_t registry_next_anonymous(struct registry *registry);
/** Expire rooms, awareness, graces. Call at least every 100 ms or so; costs
 *  nothing when nothing is due. */
void registry_tick(struct registry *registry, uint64_t now_ms);
size_t registry_rooms(const struct registry *registry);

enum { SURVEY_SIZES = 5, SURVEY_LARGEST = 20 };
/** The sizes' inclusive upper bounds; the last one has none. */
extern const size_t registry_sizes[SURVEY_SIZES - 1];

struct room_survey {
    size_t rooms[SURVEY_SIZES]; /**< by members */
    size_t count;               /**< of `largest` */
    struct {
        const char *topic; /**< valid until the next call of any room */
        size_t topic_len, members, document_bytes;
    } largest[SURVEY_LARGEST]; /**< by members, then by document */
};
/** Looks at every room: for operators' eyes, not for each message. */
void registry_survey(const struct registry *registry, struct room_survey *out);

#endif
