/* SPDX-License-Identifier: MIT */
/**
 * @file listen.h
 * The one port: accepts, looks at the first request without taking it from
 * the socket, and gives the socket away: WebSocket handshakes to `websocket`,
 * everything else to `http`.
 */
#ifndef TRANSPORT_LISTEN_H
#define TRANSPORT_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct connect_params;
struct http_head;
struct listener;
struct poller;
struct transport_env;

/** Who takes the sockets. Both take the descriptor, also on failure. */
struct listener_ops {
    /** The head has been read from the socket; what follows it has not. */
    void (*websocket)(void *arg, int fd, const struct connect_params *params);
    /** The socket still holds all its bytes; `first` is its first head. */
    void (*http)(void *arg, int fd, const struct http_head *first,
                 const struct sockaddr *peer, socklen_t peer_len);
};

/**
 * Bind and listen. `bind_to` is an address ("::" also takes IPv4, and becomes
 * "0.0.0.0" where there is no IPv6). NULL with errno set on failure.
 */
struct listener *listener_new(struct transport_env *env,
                              struct poller *poller, const char *bind_to,
                              uint16_t port, const struct listener_ops *ops,
                              void *arg);
/** The port that was bound. */
uint16_t listener_port(const struct listener *listener);
/** Accept no more; connections in the head state go on. */
void listener_stop(struct listener *listener);
/** Closes what is still in the head state. NULL is accepted. */
void listener_free(struct listener *listener);

#endif
