/* SPDX-License-Identifier: MIT */
/**
 * @file poller.h
 * Many descriptors behind one handle of the loop: an epoll set of our own
 * whose descriptor is watched by libuv. An item costs no memory besides what
 * its owner embeds (a uv_poll_t is 160 bytes and must be closed on a later
 * turn), and it is gone at once when deleted, so a socket can be handed to a
 * library in the same breath.
 */
#ifndef TRANSPORT_POLLER_H
#define TRANSPORT_POLLER_H

#include <stdbool.h>
#include <stdint.h>

struct poller;
struct uv_loop_s;

/** Embedded by its owner; zeroed = not watched. */
struct poller_item {
    /** `events` as epoll(7) gives them. The item may be deleted and freed in
     *  here, and so may any other item. */
    void (*fn)(struct poller_item *item, uint32_t events);
    int fd;
    bool watched;
};

/** NULL when the system refuses (descriptors). */
struct poller *poller_new(struct uv_loop_s *loop);
/** Ends later on the loop; every item must be deleted before. NULL is
 *  accepted. */
void poller_close(struct poller *poller);

/** Level-triggered. False when the system refuses. */
bool poller_add(struct poller *poller, struct poller_item *item, int fd,
                uint32_t events,
                void (*fn)(struct poller_item *item, uint32_t events));
/** Harmless when not watched. The descriptor stays open. */
void poller_delete(struct poller *poller, struct poller_item *item);

#endif
