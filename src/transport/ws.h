/* SPDX-License-Identifier: MIT */
/**
 * @file ws.h
 * The WebSocket transport: sockets adopted into libwebsockets, one session
 * each. What sessions send is queued and written once, by ws_turn at the end
 * of the loop turn.
 */
#ifndef TRANSPORT_WS_H
#define TRANSPORT_WS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct connect_params;
struct transport_env;
struct ws;

/** NULL when libwebsockets cannot start (its libuv plugin is missing, say). */
struct ws *ws_new(struct transport_env *env);

/** Take over a socket whose handshake was read and found good; answers it.
 *  Takes `fd`, also on failure. Over the connection limit, and while
 *  draining, the WebSocket is opened and closed at once (1013, 1012): a 4xx or
 *  5xx on the handshake would send the client to long-poll for good. */
void ws_adopt(struct ws *ws, int fd, const struct connect_params *params);

/** Likewise for a socket on which the 101 has been sent already. `early`: what
 *  the client sent behind its handshake and was read by somebody else. */
void ws_adopt_answered(struct ws *ws, int fd,
                       const struct connect_params *params, const void *early,
                       size_t early_len);

/** Write what is queued, close what is to be closed, free what is over. False
 *  when nothing was done. */
bool ws_turn(struct ws *ws);

/** Close up to `most` connections with this code; returns how many were not
 *  yet told. */
size_t ws_close_some(struct ws *ws, size_t most, int code);
/** Memory is short: end the connection that holds most of it. Returns how
 *  much that was; 0 when none is worth it. */
size_t ws_shed(struct ws *ws);
/** Connections that are not over yet. */
size_t ws_count(const struct ws *ws);

/** Ends every connection and session at once and gives the library's handles
 *  back to the loop, which must then run until it is empty. */
void ws_stop(struct ws *ws);
/** After that. NULL is accepted. */
void ws_free(struct ws *ws);

#endif
