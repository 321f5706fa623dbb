/* SPDX-License-Identifier: MIT */
/**
 * @file channel.h
 * One joined topic of one session, and the session as its channels see it.
 * Internal to channel/; transports include session.h.
 *
 * The session owns its channels. A channel that its room ended is unlinked at
 * once and freed when no function of its session is on the stack.
 */
#ifndef CHANNEL_CHANNEL_H
#define CHANNEL_CHANNEL_H

#include "base/list.h"
#include "channel/frame.h"
#include "channel/session.h"
#include "room/room.h"

struct session {
    struct session_env *env;
    const struct session_ops *ops;
    void *carrier;
    struct room_identity who; /* user: in `text` */
    struct list channels;     /* most recently used first */
    struct list dead;         /* ended by their rooms, to be freed */
    struct meter messages, bytes; /* what the client sends */
    uint32_t count;           /* of channels */
    uint16_t auth_token_len;  /* behind the user in `text` */
    uint8_t form;             /* enum wire_form */
    bool hungry;              /* room_hungry of a channel, perhaps */
    uint8_t busy;             /* session_receive is on the stack */
    char text[];
};

struct channel {
    struct room_member member;
    struct list node;
    struct session *session;
    uint8_t ref_kind; /* of what its pushes carry: the join_ref, else the ref */
    uint8_t ref_len;
    bool has_join_ref; /* false: it joined with none; any join_ref fits then */
    char ref[];
};

/** Count, send, drop the reference. */
void session_send(struct session *s, struct blob *blob,
                  enum message_class klass);

/** In the session's list, in no room yet. */
struct channel *channel_new(struct session *s, const struct frame *join);
/** Unlinked and freed; must have left its room. NULL is accepted. */
void channel_free(struct channel *ch);
/** Out of the session's list and count, not freed. */
void channel_unlink(struct channel *ch);
/** The join_ref of its pushes. */
struct token channel_ref(const struct channel *ch);
/** The join_ref of its end: null when it joined with none. */
struct token channel_end_ref(const struct channel *ch);
/** A message on this channel that is neither join nor leave. */
void channel_receive(struct channel *ch, const struct frame *f,
                     uint64_t now_ms);

#endif
