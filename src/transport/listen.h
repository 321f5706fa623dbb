/* SPDX-License-Identifier: MIT */
/**
 * @file listen.h
 * The one port: accepts, looks at a request without taking it from the socket,
 * and gives the socket away: WebSocket handshakes to `websocket`, everything
 * else to `http`. When that has answered, the connection comes back for its
 * next request: a proxy's carries requests of many clients, and an upgrade
 * may be among them.
 */
#ifndef TRANSPORT_LISTEN_H
#define TRANSPORT_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

struct connect_params;
struct http_head;
struct listener;
struct poller;
struct transport_env;

/** A request that is about to be handed over. */
struct listener_request {
    const struct http_head *head;
    size_t head_len;
    bool more;         /**< bytes of a next request are there already, or
                            cannot be told from those of this one */
    bool first;        /**< of its connection */
    uint64_t consumed; /**< bytes of the connection before this request */
    struct address peer; /**< of the connection; what a PROXY header said */
    void *keep;        /**< what listener_return was given, or NULL */
};

/** Who takes the sockets. Both take the descriptor, also on failure. */
struct listener_ops {
    /** The head has been read from the socket; what follows it has not. */
    void (*websocket)(void *arg, int fd, const struct connect_params *params);
    /** The socket still holds all the bytes of the request. */
    void (*http)(void *arg, int fd, const struct listener_request *request);
    /** `keep` will not come back: the connection is no longer HTTP, or over;
     *  by a reset of the peer's, or not. */
    void (*parted)(void *arg, void *keep, bool reset);
};

/**
 * Bind and listen. `bind_to` is an address ("::" also takes IPv4, and becomes
 * "0.0.0.0" where there is no IPv6). A socket that we were started with (see
 * inherit.h) goes before both. NULL with errno set on failure.
 */
struct listener *listener_new(struct transport_env *env,
                              struct poller *poller, const char *bind_to,
                              uint16_t port, const struct listener_ops *ops,
                              void *arg);
/** The port that was bound. */
uint16_t listener_port(const struct listener *listener);
/** A connection whose request is answered waits here for the next one.
 *  Takes `fd`; `consumed` counts all its bytes so far. */
void listener_return(struct listener *listener, int fd, uint64_t consumed,
                     const struct address *peer, void *keep);
/** Peers that were accepted, or began a further request, within the last
 *  second and have no answer yet: who is to end waits so long for them. */
size_t listener_awaited(const struct listener *listener);
/** Accept no more; connections in the head state go on. */
void listener_stop(struct listener *listener);
/** Closes what is still in the head state. NULL is accepted. */
void listener_free(struct listener *listener);

#endif
