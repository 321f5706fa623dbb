/* SPDX-License-Identifier: MIT */
/**
 * @file internal.h
 * What the files of room/ share; nobody else includes it. One owner each: the
 * registry owns its rooms, a room its document, awareness and caches. Members
 * belong to the channels that embed them.
 */
#ifndef ROOM_INTERNAL_H
#define ROOM_INTERNAL_H

#include "base/buf.h"
#include "base/counters.h"
#include "base/dict.h"
#include "base/list.h"
#include "base/wheel.h"
#include "room/message.h"
#include "room/registry.h"
#include "room/room.h"
#include "yjs.h"

enum {
    /* From so many members on, a room keeps its users in a hash table and its
     * presence_state as text; below, walking the members is as quick. */
    ROOM_SMALL = 32,
    CACHE_IDLE_MS = 1000, /* caches unused for so long are given back */
    SNAPSHOT_LARGE = 256 * 1024, /* see snapshot.c */
    GIVE_BACK_MS = 5000,  /* between two looks at freed memory */
    GIVE_BACK_LATE_MS = 60000, /* and where nothing large seems to be freed */
    GIVE_BACK_WORTH = 512 * 1024,
    ASK_AGAIN_S = 2       /* between two questions of a kind to one client */
};

struct presence_news;

struct registry {
    struct dict rooms; /* topic -> struct room */
    struct wheel wheel;
    struct room_limits limits;
    struct counters *counters;
    uint8_t seed[16];
    struct yjs_allocator alloc;
    uint64_t now_ms, unix_offset_ms;
    uint64_t next_ref, next_anonymous;
    struct list cached; /* rooms that hold caches */
    struct list dead;   /* failed rooms: freed at the next tick */
    uint64_t sweep_at;
    uint64_t give_back_at; /* when to look at freed memory again */
    uint64_t give_back_late_at;
    uint64_t used_most;    /* bytes, by estimate, since the last look */
    bool look_again;
    size_t wasted;         /* see mem_give_back */
    uint64_t warn_until; /* window of the bound on warnings */
    uint32_t warned, unwarned;
    bool draining;
    bool pressed, full; /* see registry_press */
};

/*
 * The document at one moment, as those who come get it. Held by the room's
 * cache, which replaces it, and by members that are being given it.
 */
struct snapshot {
    uint32_t refs;
    uint64_t version;        /* of the document, see struct room */
    struct yjs_bytes update; /* all of it, v1 */
    struct yjs_bytes vector; /* the state it ends with; of a large one only */
    struct payload whole;    /* `update`, as it is sent */
    uint64_t delta_version;  /* what `delta` leads to; 0: there is none */
    struct yjs_bytes delta;  /* from there to a later moment */
    struct payload later;    /* `delta`, as it is sent */
    struct payload *pieces;  /* `update` as y-protocols updates; or NULL */
    size_t piece_count;
};

/* What is kept only while people come. The presence is an exact copy of what
 * it stands for; the snapshot may be older than the document, see
 * snapshot.c. */
struct room_cache {
    struct snapshot *snapshot; /* or NULL */
    bool has_presence;
    struct buf presence; /* see presence.c */
    size_t blank;        /* bytes of it that are blanked out */
    uint64_t used_ms;
};

struct room {
    struct registry *registry;
    struct list members; /* in join order */
    struct list node;    /* registry: cached or dead */
    struct wheel_timer timer;
    yjs_doc *doc;                     /* NULL: none yet, or at rest */
    struct room_awareness *awareness; /* NULL until the first state */
    struct dict *users; /* user -> first member; NULL: small room */
    struct room_cache *cache;
    struct presence_news *news; /* not yet told: see presence.c; or NULL */
    uint64_t stirred_ms; /* somebody came or went, last */
    uint64_t version;  /* counts changes of the document */
    uint64_t empty_at; /* while empty: when it ends */
    uint8_t *resting;  /* instead of `doc`: see document.c */
    uint32_t resting_len;
    uint64_t used_ms;  /* the document, last */
    uint64_t rest_at;  /* when it may rest; 0: nothing to expect */
    size_t doc_heap;   /* as counted in the gauge */
    uint32_t count;
    uint32_t topic_len;
    bool pending; /* the document holds what waits for other updates */
    bool failed;  /* members are gone, memory goes at the next tick */
    char topic[];
};

/* registry.c */
bool registry_may_warn(struct registry *registry);
/** Rooms of the `cached` and `dead` lists and the dict leave through here. */
void registry_forget(struct registry *registry, struct room *room);

/* room.c */
struct room_cache *room_cache(struct room *room);
void room_cache_drop(struct room *room);
/** (Re)arm the timer for whatever is due next. */
void room_schedule(struct room *room);
/** No members, nothing to remember: free it. */
void room_free(struct room *room);
/** The engine broke its word: every member is ended, the room is no more. */
void room_fail(struct room *room, const char *what, int err);

/* document.c */
/** There is one, open or at rest. */
bool document_exists(const struct room *room);
/** room->doc is there when this succeeds; an empty one if there was none. On
 *  failure nothing has changed. */
int document_open(struct room *room);
/** After what may have changed its size. */
void document_count(struct room *room);
/** When document_tick has something to do; UINT64_MAX: never. */
uint64_t document_due(const struct room *room);
void document_tick(struct room *room);
void document_free(struct room *room);

/* snapshot.c */
/** The document has changed. */
void snapshot_changed(struct room *room);
/** How long an unused one is kept. */
uint64_t snapshot_idle_ms(const struct snapshot *snapshot);
/** Give a member that joined by room_state what came after its snapshot. */
void snapshot_catch_up(struct room_member *member);
/** Take a reference of a snapshot in pieces: of the room's own, or of `own`
 *  (with a reference, and taken) if that is less than half of it. */
int snapshot_pieces(struct room *room, struct yjs_bytes *own,
                    struct snapshot **out);
/** NULL is accepted. */
void snapshot_unref(struct snapshot *snapshot);

/* room_sync.c */
/** Answer a step1 with this state vector. */
room_refusal sync_answer(struct room_member *member, const uint8_t *vector,
                         size_t len);
/** Ask the member for everything we lack. */
void sync_ask(struct room_member *member);
/** It is fed no more. */
void sync_forget(struct room_member *member);

/* fanout.c */
enum fanout_to { FANOUT_ALL, FANOUT_APP, FANOUT_YJS };
void fanout(struct room *room, const struct room_member *except,
            enum fanout_to to, struct message *message);
/** A message of this room. */
struct message fanout_message(const struct room *room, const char *event,
                              enum message_kind kind, enum message_class klass,
                              const void *payload, size_t len);
/** Frame as y-protocols; the caller frees *out. Fails the room when it must.*/
bool fanout_y_frame(struct room *room, enum yjs_message_type type,
                    enum yjs_sync_type sync, const uint8_t *body, size_t len,
                    struct yjs_bytes *out);
/** One y-message to one member. */
void fanout_y_push(struct room_member *member, enum yjs_message_type type,
                   enum yjs_sync_type sync, const uint8_t *body, size_t len);

/* presence.c */
void presence_join(struct room_member *member);
void presence_leave(struct room_member *member);
/** Tell everybody, now or soon, that the member came, and the member who is
 *  there; or that it went (it is out of the list). */
void presence_came(struct room_member *member);
void presence_went(struct room *room, const struct room_member *member);
/** When presence_tick has something to tell; UINT64_MAX: never. */
uint64_t presence_due(const struct room *room);
void presence_tick(struct room *room);
/** What is still to be told is not told any more. */
void presence_forget(struct room *room);

/* room_awareness.c */
room_refusal awareness_receive(struct room_member *member, const uint8_t *body,
                               size_t len);
/** All live states to one member. */
void awareness_push_all(struct room_member *member);
/** The member's states are on their grace from now on. */
void awareness_orphan(struct room_member *member);
/** When awareness_tick has something to do; UINT64_MAX: never. */
uint64_t awareness_due(const struct room *room);
/** Remove what is due and tell the members. May fail the room. */
void awareness_tick(struct room *room);
void awareness_free(struct room *room);

#endif
