/* SPDX-License-Identifier: MIT */
/**
 * @file wheel.h
 * Hierarchical timer wheel (Varghese and Lauck): add, cancel and expire are
 * O(1). Time is given from outside in milliseconds; resolution is
 * WHEEL_TICK_MS, and a timer never fires early. An idle wheel costs nothing.
 */
#ifndef BASE_WHEEL_H
#define BASE_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

enum { WHEEL_TICK_MS = 16, WHEEL_LEVELS = 4, WHEEL_SLOTS = 64 };

struct wheel_timer;
/** The timer is already unlinked: it may be added again or freed. */
typedef void (*wheel_fn)(struct wheel_timer *timer, uint64_t now_ms);

/** Embedded by its owner. Zeroed = not armed. */
struct wheel_timer {
    struct list node;
    uint64_t due; /**< in ticks */
    wheel_fn fn;
};

struct wheel {
    struct list slots[WHEEL_LEVELS][WHEEL_SLOTS];
    uint64_t tick; /**< all earlier ticks have been expired */
    uint64_t count;
};

void wheel_init(struct wheel *w, uint64_t now_ms);
/** Arm, or arm anew, to fire in the first wheel_advance at or after `at_ms`. */
void wheel_set(struct wheel *w, struct wheel_timer *t, uint64_t at_ms,
               wheel_fn fn);
/** Harmless when not armed. */
void wheel_cancel(struct wheel *w, struct wheel_timer *t);
static inline bool wheel_armed(const struct wheel_timer *t)
{
    return t->node.next && t->node.next != &t->node;
}
/** Fire what is due. Callbacks may set and cancel any timer. */
void wheel_advance(struct wheel *w, uint64_t now_ms);

#endif
