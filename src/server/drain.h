/* SPDX-License-Identifier: MIT */
/**
 * @file drain.h
 * The way out: after SIGTERM readiness fails, then connections are closed in
 * paced batches, so that their clients do not all knock at the next instance
 * in the same moment.
 */
#ifndef SERVER_DRAIN_H
#define SERVER_DRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DRAIN_STEP_MS = 50 };

/** Plain numbers: the server does what it says. */
struct drain {
    bool begun;       /**< /ready says 503 */
    uint64_t begun_at;
    uint64_t close_at; /**< when closing starts */
    uint64_t end_at;   /**< when we exit all the same */
    size_t batch;      /**< connections per step; 0 before closing started */
};

void drain_begin(struct drain *drain, uint64_t now, uint64_t delay_ms,
                 uint64_t timeout_ms);
/** How many of `open` connections and sessions to end in this step. */
size_t drain_step(struct drain *drain, uint64_t now, size_t open);
/** Is it time to exit, with so many left? */
bool drain_over(const struct drain *drain, uint64_t now, size_t left);

#endif
