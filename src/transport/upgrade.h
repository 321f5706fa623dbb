/* SPDX-License-Identifier: MIT */
/**
 * @file upgrade.h
 * Decides about a request to connect: what Phoenix's socket parameters say,
 * whether the origin may, and for a WebSocket whether the handshake is one.
 * Also writes the small head that libwebsockets is given in place of the
 * client's: it answers a handshake correctly, but drops one with a
 * Sec-WebSocket-Protocol over 128 bytes (an auth token is longer) or a
 * Connection header over 127 bytes without any answer.
 */
#ifndef TRANSPORT_UPGRADE_H
#define TRANSPORT_UPGRADE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"
#include "base/buf.h"
#include "room/message.h"
#include "transport/flap.h"
#include "transport/http_head.h"

struct transport_env;

enum {
    UPGRADE_HEAD_MAX = 512,
    UPGRADE_ACCEPT_CHARS = 28,
    UPGRADE_USER_ID_MAX = 255,
    UPGRADE_AUTH_TOKEN_MAX = 8192
};

/** Why a client may not connect; names the counter and the log line. */
enum connect_refusal {
    CONNECT_OK,
    CONNECT_BAD_VSN,
    CONNECT_BAD_PARAMS,
    CONNECT_BAD_ORIGIN,
    CONNECT_BAD_HANDSHAKE,
    CONNECT_FLAPPING
};

/** What a client said of itself. Owns its buffers. */
struct connect_params {
    enum wire_form form;
    struct buf user_id;    /**< limit UPGRADE_USER_ID_MAX */
    bool has_user_id;
    struct buf auth_token; /**< limit UPGRADE_AUTH_TOKEN_MAX */
    bool has_auth_token;
    bool offers_phoenix;   /**< among the subprotocols */
    struct http_span key;  /**< borrowed: Sec-WebSocket-Key */
    struct http_span forwarded; /**< borrowed, for the log: the first client
                                     that X-Forwarded-For names */
    struct flap_client flapper;       /**< whom flap.h takes it for */
    char cookie[FLAP_COOKIE_MAX];     /**< to be set with the answer, or "" */
    uint64_t retry_after;             /**< seconds; with CONNECT_FLAPPING */
    struct address client; /**< as resolved through trusted proxies: what
                                logs name and limits count by */
};

void connect_params_init(struct connect_params *params);
void connect_params_deinit(struct connect_params *params);

/** The path of the WebSocket transport? */
bool upgrade_path(struct http_span path);
/** Does this head ask for an upgrade to a WebSocket at all? */
bool upgrade_wanted(const struct http_head *head);

/** For a WebSocket. Counts and logs a refusal. */
enum connect_refusal upgrade_check(struct transport_env *env,
                                   const struct http_head *head,
                                   struct connect_params *out);

/** For a new long-poll session: version, parameters, token header. */
enum connect_refusal connect_check_longpoll(struct transport_env *env,
                                            const struct http_head *head,
                                            struct connect_params *out);

/** The Origin header against check_origin. Counts and logs a refusal. */
bool connect_origin_ok(struct transport_env *env, const struct http_head *head,
                       const struct address *client);

/** The HTTP status that a refused WebSocket is answered with. */
int connect_refusal_status(enum connect_refusal refusal);

/** The Sec-WebSocket-Accept for a key (RFC 6455 4.2.2), NUL-terminated. */
void upgrade_accept(struct http_span key, char out[UPGRADE_ACCEPT_CHARS + 1]);

/** The head for libwebsockets. Returns the length written to `out`. */
size_t upgrade_head(const struct connect_params *params,
                    char out[UPGRADE_HEAD_MAX]);

#endif
