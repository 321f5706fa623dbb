/* SPDX-License-Identifier: MIT */
/**
 * @file meter.h
 * A token bucket in eight bytes. What is used is not asked for but noted: a
 * message has arrived before anybody can count it. Who has used more than the
 * burst is in debt, and is to be left alone until time has paid for it.
 *
 *   rate   what flows back in a second
 *   burst  how much may be used at once
 *
 * Kept is the moment at which the bucket will be full again; a zeroed meter
 * is full. Times are in milliseconds, kept in microseconds.
 */
#ifndef BASE_METER_H
#define BASE_METER_H

#include <stdint.h>

struct meter {
    uint64_t full_at_us;
};

/** 0 is no limit. */
struct meter_rate {
    uint64_t rate, burst;
};

/** Use `n`; at most what the rate gives in a day. */
static inline void meter_use(struct meter *m, const struct meter_rate *r,
                             uint64_t n, uint64_t now_ms)
{
    uint64_t now = now_ms * 1000;
    if (!r->rate)
        return;
    if (m->full_at_us < now)
        m->full_at_us = now;
    m->full_at_us += n * 1000000 / r->rate;
}

/** How long until the debt is paid; 0 for none. */
static inline uint64_t meter_debt_ms(const struct meter *m,
                                     const struct meter_rate *r,
                                     uint64_t now_ms)
{
    if (!r->rate)
        return 0;
    uint64_t free_at = now_ms * 1000 + r->burst * 1000000 / r->rate;
    return m->full_at_us > free_at ? (m->full_at_us - free_at) / 1000 + 1 : 0;
}

/** Nothing left to remember? */
static inline int meter_full(const struct meter *m, uint64_t now_ms)
{
    return m->full_at_us <= now_ms * 1000;
}

#endif
