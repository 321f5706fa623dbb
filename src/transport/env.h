/* SPDX-License-Identifier: MIT */
/**
 * @file env.h
 * What all transports share. Owned and filled by the server, outlives every
 * transport; the limits may change under way (reload).
 */
#ifndef TRANSPORT_ENV_H
#define TRANSPORT_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transport/client.h"
#include "transport/origin.h"
#include "transport/token.h"
#include "transport/visitors.h"

struct counters;
struct flap;
struct session_env;
struct uv_loop_s;
struct wheel;

/** Where the sockets live; tokens are bound to it. */
#define TRANSPORT_MOUNT "/socket"

/** What a connection that is ended for want of memory has to hold. */
enum { ENV_WORTH_SHEDDING = 64 * 1024 };

/** Each has its key in roomd.conf and its counter. Sizes in bytes, times in
 *  milliseconds. */
struct transport_limits {
    size_t connections; /**< all sockets; more WebSockets are closed 1013 */
    size_t longpoll_sessions;
    size_t head_bytes;  /**< one HTTP request head */
    size_t frame_bytes; /**< one WebSocket message */
    size_t body_bytes;  /**< one long-poll POST */
    size_t line_bytes;  /**< one message of such a POST, decoded */
    size_t poll_bytes;  /**< messages of one poll response */
    size_t queue_bytes; /**< waiting for one client; see outq.h */
    size_t gzip_bytes;  /**< smaller poll responses go uncompressed */
    size_t gzip_max_bytes; /**< larger ones are made piece by piece */
    uint64_t head_ms;      /**< a request head, from first to last byte */
    uint64_t request_ms;   /**< a request body */
    uint64_t response_ms;  /**< a response, until the kernel has it all */
    uint64_t keepalive_ms; /**< between two requests of one connection */
    uint64_t idle_ms;      /**< a WebSocket without traffic */
    uint64_t message_ms;   /**< a WebSocket message, from its first byte */
    uint64_t close_ms;     /**< for the closing handshake */
    uint64_t window_ms;    /**< an empty poll is answered after this */
    uint64_t session_ms;   /**< a long-poll session without a poll */
    uint64_t flap_deaths;  /**< see flap.h; 0: no such watch */
    uint64_t flap_life_ms; /**< a WebSocket that lived longer is no flap */
    uint64_t flap_window_ms;
    uint64_t flap_memory_ms;
    size_t flap_clients;
    struct visitor_limits address;
};

struct transport_env {
    struct uv_loop_s *loop;
    struct wheel *wheel;
    struct counters *counters;
    struct session_env *sessions;
    struct flap *flap;
    struct transport_limits limits;
    struct origin_policy origin;
    struct client_policy clients;
    struct token_key token;
    struct visitors *visitors;
    bool draining;
    bool doctor;   /**< there is /doctor, and what it asks */
    bool shedding; /**< memory is short: nobody new, see pressure.h */
    uint64_t connections_made; /**< numbers that logs name connections by */
};

/** Milliseconds of the loop's monotonic clock, as of this turn. */
uint64_t env_now(const struct transport_env *env);
/** Sockets open in all states. */
uint64_t env_connections(const struct transport_env *env);
void env_random(void *out, size_t len);

#endif
