/* SPDX-License-Identifier: MIT */
/**
 * @file flap.h
 * Clients whose WebSockets open and die again and again: behind some filtering
 * proxies the handshake succeeds, and the connection is cut a moment later.
 * phoenix.js then opens the next one, for ever: it falls back to long-poll
 * only on an error before a WebSocket opened. So the next upgrade of such a
 * client is refused with an HTTP error, and it falls back at once.
 *
 * A client is recognised by something of its own, never by an address alone,
 * behind which a thousand others may sit. See flap_identify.
 */
#ifndef TRANSPORT_FLAP_H
#define TRANSPORT_FLAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "transport/http_head.h"

struct buf;
struct flap;
struct transport_env;

#define FLAP_COOKIE "roomd_client"
enum { FLAP_COOKIE_MAX = 192, FLAP_CLIENT_ID_MAX = 128 };

/** By what a client is recognised, best first. */
enum flap_by {
    FLAP_NOBODY,
    FLAP_BY_CLIENT_ID, /**< socket parameter client_id */
    FLAP_BY_COOKIE,    /**< ours: browsers have it from their first upgrade */
    FLAP_BY_TOKEN,     /**< phoenix.js's authToken */
    FLAP_BY_USER       /**< user_id, together with the address */
};

struct flap_client {
    uint64_t id; /**< a keyed hash; nothing of the client's is kept */
    enum flap_by by;
};

/** What a request says of its client; borrowed. */
struct flap_traits {
    const struct http_head *head;
    const struct buf *token;   /**< or NULL */
    const struct buf *user_id; /**< or NULL */
    const struct address *address;
};

struct flap *flap_new(struct transport_env *env);
/** NULL is accepted. */
void flap_free(struct flap *flap);

/** `flap` may be NULL: then nobody is recognised. */
struct flap_client flap_identify(const struct flap *flap,
                                 const struct flap_traits *traits);

/** Is this client to be refused? Seconds for which it still is, or 0. */
uint64_t flap_refused(const struct flap *flap, struct flap_client client,
                      uint64_t now);

/** A WebSocket of this client ended without a Close, `lived_ms` after it was
 *  opened. Counts, logs and remembers what follows from that. */
void flap_ended(struct flap *flap, struct flap_client client,
                uint64_t lived_ms, uint64_t connection,
                const struct address *address, uint64_t now);

/**
 * The Set-Cookie value for the answer to an upgrade; "" when none is needed:
 * the client has one, is no browser (sends no Origin), or the watch is off.
 */
void flap_cookie(const struct flap *flap, const struct http_head *head,
                 char out[FLAP_COOKIE_MAX]);

#endif
