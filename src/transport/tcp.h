/* SPDX-License-Identifier: MIT */
/**
 * @file tcp.h
 * What the kernel knows of a TCP connection.
 */
#ifndef TRANSPORT_TCP_H
#define TRANSPORT_TCP_H

#include <stdbool.h>
#include <stdint.h>

struct address;

/** The peer's address, without its port. */
void tcp_peer(int fd, struct address *out);
/** Bytes that were ever read from the socket (not those that wait in it, or
 *  were only peeked at). False when the kernel does not say. */
bool tcp_consumed(int fd, uint64_t *out);
/** Has the peer broken it off? (Closing over unread bytes sends a reset.) */
bool tcp_was_reset(int fd);
/** For a connection that is at its end: was it broken off, or not all of what
 *  we wrote acknowledged? (Before its end that says nothing: acknowledgements
 *  are delayed.) */
bool tcp_lost(int fd);
/** Has the peer neither ended its side nor broken it off? Whoever ends the
 *  connection now, it is not the peer. */
bool tcp_peer_there(int fd);
/** Has the peer sent its last byte? */
bool tcp_peer_ended(int fd);
/** Milliseconds since anything was received; UINT64_MAX when unknown. */
uint64_t tcp_quiet_ms(int fd);
/** Let no more than about so many bytes wait in the kernel for being sent the
 *  first time (TCP_NOTSENT_LOWAT): what a slow client has not got yet stays
 *  with us, where it is shared, counted, and overtaken by what is urgent. */
void tcp_bound_unsent(int fd, int bytes);
/** Readable only with at least so many bytes waiting (SO_RCVLOWAT). */
void tcp_low_mark(int fd, int bytes);

#endif
