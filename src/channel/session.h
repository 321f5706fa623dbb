/* SPDX-License-Identifier: MIT */
/**
 * @file session.h
 * One client's conversation in Phoenix's socket protocol, without sockets: a
 * transport feeds it messages and carries away what it sends. Versions 1 and 2
 * of the wire protocol; heartbeats, joins, pushes, leaves on any number of
 * topics.
 *
 * Lifetime: the transport (the carrier) owns the session, from session_open to
 * session_close. Neither session_receive nor any ops call frees anything: when
 * the session wants to end it says so (ops->close, or the return value), the
 * carrier marks itself closing and calls session_close later, never from
 * within an ops call. After session_close no ops call is made.
 *
 * Everything happens on the one loop; ops->send may be called for any session
 * while any other session receives (fan-out).
 */
#ifndef CHANNEL_SESSION_H
#define CHANNEL_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/meter.h"
#include "room/message.h"

struct blob;
struct counters;
struct registry;
struct session;

/** Filled by each transport. `carrier` is what session_open was given. */
struct session_ops {
    /** Queue one blob for the client, in order within its class (URGENT goes
     *  ahead of what is queued). The carrier takes its own reference. It never
     *  fails: a full queue drops awareness, and for the rest marks the carrier
     *  closing. */
    void (*send)(void *carrier, struct blob *blob, enum message_class klass);
    /** Ask the carrier to end: a WebSocket close code (1011, 1013, ...; never
     *  1000). Long-poll carriers answer 410 to the next poll. Idempotent. */
    void (*close)(void *carrier, int code);
};

/** Peer-shaped sizes; each has its key in roomd.conf and its counter. */
struct session_limits {
    size_t channels;    /**< joined topics per session; default 100 */
    size_t topic_bytes; /**< longest topic; default 255 */
    size_t json_depth;  /**< nesting of a payload; default 64 */
    struct meter_rate messages; /**< of one session, in a second */
    struct meter_rate bytes;    /**< likewise */
};

/** What all sessions share; owned by the server, outlives every session. */
struct session_env {
    struct registry *rooms;
    struct counters *counters;
    struct session_limits limits;
};

/** What the transport learned while connecting; borrowed for the call. */
struct session_params {
    enum wire_form form;  /**< fixes version, transport and binary encoding */
    uint64_t connection;  /**< number that logs name this connection by */
    const char *user_id;  /**< socket parameter `user_id`; NULL: anonymous */
    size_t user_id_len;
    const char *auth_token; /**< as carried by the client; NULL: none. Kept */
    size_t auth_token_len;  /**< for the permission check to come; not logged */
};

enum { SESSION_OK = 0 };

struct session *session_open(struct session_env *env,
                             const struct session_params *params,
                             const struct session_ops *ops, void *carrier,
                             uint64_t now_ms);

/**
 * One whole message. Returns SESSION_OK, or the close code that the message
 * earned (1011 for what cannot be read): a WebSocket carrier then closes, a
 * long-poll carrier answers the POST with an error status and lives on. The
 * bytes are borrowed for the call.
 */
int session_receive_text(struct session *s, const uint8_t *data, size_t len,
                         uint64_t now_ms);
int session_receive_binary(struct session *s, const uint8_t *data, size_t len,
                           uint64_t now_ms);

/**
 * For how many milliseconds the carrier should read nothing more from this
 * client, which has sent more than its rates allow; 0: go on. What it has sent
 * was handled: nothing is lost, the client is only slowed down.
 */
uint64_t session_pause_ms(const struct session *s, uint64_t now_ms);

/** Is there more for this client, once it has taken what it was sent? */
bool session_hungry(const struct session *s);
/** Send some of it; a carrier calls this while little is queued, never from
 *  within an ops call. */
void session_feed(struct session *s);
/**
 * The carrier's queue for this client is full. True: it may drop all documents
 * and awareness from it, and this message if it is such; the client will be
 * made to join again. May be called from within ops->send.
 */
bool session_lag(struct session *s);

/** The client is gone: leave every channel, free. Must not be called from
 *  within session_receive or ops. */
void session_close(struct session *s, uint64_t now_ms);

/** Joined channels, for logs and limits. */
size_t session_channels(const struct session *s);

/**
 * The wire version for a `vsn` parameter (NULL: absent, version 1): 1 or 2, or
 * 0 when the client must be refused. Strict semver against ~>1.0.0 / ~>2.0.0.
 */
int session_version(const char *vsn, size_t len);

#endif
