/* SPDX-License-Identifier: MIT */
/* Timer wheel: see wheel.h.
 *
 *   level 0   64 slots of 1 tick          (16 ms .. 1 s)
 *   level 1   64 slots of 64 ticks        (1 s   .. 65 s)
 *   level 2   64 slots of 4,096 ticks     (65 s  .. 70 min)
 *   level 3   64 slots of 262,144 ticks   (70 min .. 74 h)
 *
 * Whenever level n wraps, the next slot of level n + 1 is dealt out again. A
 * timer beyond the last level waits in its furthest slot and is dealt out
 * again from there. */
#include "base/wheel.h"

#include <stddef.h>

enum { BITS = 6, MASK = WHEEL_SLOTS - 1 };

void wheel_init(struct wheel *w, uint64_t now_ms)
{
    for (int level = 0; level < WHEEL_LEVELS; level++)
        for (int slot = 0; slot < WHEEL_SLOTS; slot++)
            list_init(&w->slots[level][slot]);
    w->tick = now_ms / WHEEL_TICK_MS;
    w->count = 0;
}

static void place(struct wheel *w, struct wheel_timer *t)
{
    uint64_t due = t->due < w->tick ? w->tick : t->due;
    uint64_t ahead = due - w->tick;
    int level = 0;
    while (level < WHEEL_LEVELS - 1 &&
           ahead >= (uint64_t)1 << (BITS * (level + 1)))
        level++;
    uint64_t furthest = ((uint64_t)1 << (BITS * WHEEL_LEVELS)) -
                        ((uint64_t)1 << (BITS * (WHEEL_LEVELS - 1)));
    if (ahead > furthest)
        due = w->tick + furthest;
    list_push(&w->slots[level][(due >> (BITS * level)) & MASK], &t->node);
}

void wheel_set(struct wheel *w, struct wheel_timer *t, uint64_t at_ms,
               wheel_fn fn)
{
    wheel_cancel(w, t);
    t->due = at_ms / WHEEL_TICK_MS + (at_ms % WHEEL_TICK_MS != 0);
    t->fn = fn;
    place(w, t);
    w->count++;
}

void wheel_cancel(struct wheel *w, struct wheel_timer *t)
{
    if (wheel_armed(t)) {
        list_remove(&t->node);
        w->count--;
    }
}

static void deal_again(struct wheel *w, int level)
{
    struct list moved, *node;
    list_init(&moved);
    list_take(&moved,
              &w->slots[level][(w->tick >> (BITS * level)) & MASK]);
    while ((node = list_pop(&moved)))
        place(w, LIST_ENTRY(node, struct wheel_timer, node));
}

static void expire_tick(struct wheel *w, uint64_t now_ms)
{
    struct list due, *node;
    for (int level = 1; level < WHEEL_LEVELS; level++) {
        if (w->tick & (((uint64_t)1 << (BITS * level)) - 1))
            break;
        deal_again(w, level);
    }
    list_init(&due);
    list_take(&due, &w->slots[0][w->tick & MASK]);
    w->tick++;
    while ((node = list_pop(&due))) {
        struct wheel_timer *t = LIST_ENTRY(node, struct wheel_timer, node);
        w->count--;
        t->fn(t, now_ms);
    }
}

void wheel_advance(struct wheel *w, uint64_t now_ms)
{
    uint64_t now = now_ms / WHEEL_TICK_MS;
    while (w->tick <= now) {
        if (w->count == 0) {
            w->tick = now + 1;
            return;
        }
        expire_tick(w, now_ms);
    }
}
