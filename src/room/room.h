/* SPDX-License-Identifier: MIT */
/**
 * @file room.h
 * A room: one Yjs document, its awareness, its presence and its members. The
 * channel layer embeds a struct room_member for each joined topic and reaches
 * the room through it only; the room reaches back through room_member_ops.
 * Sans I/O; times are what the caller passes.
 *
 * Reentrancy: no ops call may join, push or leave, nor free a member. The one
 * exception is `ended`: there the member has already left, and its memory is
 * the channel's again.
 */
#ifndef ROOM_ROOM_H
#define ROOM_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

struct message;
struct payload;
struct registry;
struct room;
struct snapshot;
struct room_member;

enum room_end {
    ROOM_END_CRASHED, /**< the room failed; a new join begins a new one */
    ROOM_END_LAGGED   /**< it did not keep up, and shall join again */
};

struct room_member_ops {
    /** A broadcast; the same message goes to many members. */
    void (*deliver)(struct room_member *member, struct message *message);
    /** A message for this member alone (it carries the join_ref). */
    void (*push)(struct room_member *member, struct message *message);
    /** The room ended this membership; `room` is there for the call only. */
    void (*ended)(struct room_member *member, const struct room *room,
                  enum room_end why);
};

/** Who stands behind a member; owned by the session, outlives its members. */
struct room_identity {
    const char *user; /**< presence key: UTF-8, no control characters */
    uint32_t user_len;
    uint64_t connection; /**< for logs */
};

/** Embedded by the channel; `ops` and `who` are set before room_join, the rest
 *  is the room's. */
struct room_member {
    const struct room_member_ops *ops;
    const struct room_identity *who;
    struct room *room; /**< NULL: not a member */
    struct list node;
    struct list same_user; /**< ring of one user's members, in join order */
    struct list owned;     /**< awareness ids last written by this member */
    uint64_t phx_ref;
    uint32_t online_at;   /**< Unix seconds */
    uint32_t cached_at;   /**< its user's text in the presence cache ... */
    uint32_t cached_len;  /**< ... for the first of the ring */
    uint32_t asked_step1; /**< when, in seconds: bounds questions to a client */
    uint32_t asked_query;
    bool first_of_user;
    bool told;   /**< the others know of it, and it of them */
    bool behind; /**< was given a snapshot older than the document */
    bool fed;    /**< gets no updates: it is given the document in pieces, or
                      is about to be ended */
    bool lagging; /**< and that for it did not keep up */
    uint32_t feed_at;      /**< the next piece ... */
    struct snapshot *feed; /**< ... of this; or NULL */
    bool yjs; /**< has spoken y-protocols: gets binary `yjs` */
};

/** Every refusal is a phrase for the error reply; NULL is success. */
typedef const char *room_refusal;

/** Become a member, silently: the caller answers the join, then announces. */
room_refusal room_join(struct registry *registry, const char *topic,
                       size_t topic_len, struct room_member *member,
                       uint64_t now_ms);
/** What room_state left out; presence_diff to all, then presence_state to the
 *  member: at once, or soon where many come and go (presence.c). */
void room_announce(struct room_member *member);
/** Tells the others; sends nothing to the member itself. Harmless for one that
 *  is no member. */
void room_leave(struct room_member *member, uint64_t now_ms);

/** Is there more for it, when it has read what it was given? */
bool room_hungry(const struct room_member *member);
/** Then: some more. Harmless otherwise. May end the room. */
void room_feed(struct room_member *member);
/** It does not keep up. True: what is queued for it of documents may be
 *  dropped; room_feed will end it, so that it joins again. False: it speaks no
 *  y-protocols, and nothing but its end helps. May be called from within an
 *  ops call. */
bool room_lag(struct room_member *member);

/** The room's topic; lives as long as the membership. */
const char *room_topic(const struct room *room, size_t *len);

/**
 * The whole document as one v1 update, for a member that has just joined;
 * empty for an empty document. Of a large one it may be the state of a moment
 * ago, which others were given as well: room_announce then sends the member
 * what came after it. Borrowed until the next call that can change the room.
 * False when the room failed over it: the member has been ended.
 */
bool room_state(struct room_member *member, struct payload **state);

/* What a member says. Anything may end the room, and with it the member
 * (member->room is NULL then): look before using either again. */

/** A v1 update (event `update`). */
room_refusal room_update(struct room_member *member, const uint8_t *update,
                         size_t len, uint64_t now_ms);
/** A push of event `update` whose payload is no bytes at all: counted and
 *  logged like any update that cannot be applied. */
room_refusal room_update_unreadable(struct room_member *member, size_t len,
                                    uint64_t now_ms);
/** A y-protocols message (events `yjs`, `yjs_sync`). */
room_refusal room_y_message(struct room_member *member, const uint8_t *data,
                            size_t len, uint64_t now_ms);
/** Any JSON (event `awareness`): relayed as it is to the other members. */
room_refusal room_relay_awareness(struct room_member *member,
                                  const uint8_t *json, size_t len,
                                  uint64_t now_ms);

#endif
