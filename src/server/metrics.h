/* SPDX-License-Identifier: MIT */
/**
 * @file metrics.h
 * The /metrics page (Prometheus text format 0.0.4): everything in
 * base/counters.h, the loop's lag, and what the kernel says of the process.
 */
#ifndef SERVER_METRICS_H
#define SERVER_METRICS_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct counters;

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum { LAG_BUCKETS = 10 };

/** How late the loop came to a timer. */
struct lag_histogram {
    uint64_t count[LAG_BUCKETS + 1]; /**< the last one: beyond all bounds */
    uint64_t sum_us;
};

void lag_add(struct lag_histogram *lag, uint64_t microseconds);

struct metrics_state {
    const struct counters *counters;
    const struct lag_histogram *lag;
    uint64_t uptime_ms;
    bool draining;
};

void metrics_render(const struct metrics_state *state, struct buf *out);

#endif
