/* SPDX-License-Identifier: MIT */
/**
 * @file inherit.h
 * A listening socket from whoever started us, as systemd hands it over
 * (sd_listen_fds(3) describes the variables). It stays open there while we
 * restart, so that connections wait for the next process and none is refused.
 */
#ifndef TRANSPORT_INHERIT_H
#define TRANSPORT_INHERIT_H

enum { INHERIT_NONE = -1, INHERIT_FAILED = -2 };

/**
 * The descriptor, which is the caller's from now on, nonblocking and closed on
 * exec; INHERIT_NONE if nobody handed one to this process; INHERIT_FAILED with
 * errno set if it was not exactly one listening stream socket. Removes the
 * variables from the environment: a second call finds nothing.
 */
int inherit_listener(void);

#endif
