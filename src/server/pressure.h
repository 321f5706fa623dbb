/* SPDX-License-Identifier: MIT */
/**
 * @file pressure.h
 * How much memory the process has, and how much it may have. Over the ceiling
 * load is shed before the kernel kills the process, and every room with it.
 */
#ifndef SERVER_PRESSURE_H
#define SERVER_PRESSURE_H

#include <stdbool.h>
#include <stdint.h>

enum pressure_level {
    PRESSURE_NONE,
    PRESSURE_SHED, /**< nobody new, and the most expensive receivers go */
    PRESSURE_FULL  /**< nothing may grow: updates are refused as well */
};

struct pressure {
    uint64_t ceiling; /**< 0: none */
    uint64_t resident; /**< as last measured */
    enum pressure_level level;
    uint64_t wanted; /**< to be freed after a failed allocation */
    int statm;
    uint64_t short_until, trim_at;
};

void pressure_init(struct pressure *p);
void pressure_deinit(struct pressure *p);

/** `configured` bytes; 0: three quarters of what the machine has, or the
 *  control group we are in. */
void pressure_set(struct pressure *p, uint64_t configured);

/** Measure; a few microseconds. `out_of_memory`: an allocation has failed
 *  since the last time. */
enum pressure_level pressure_measure(struct pressure *p, uint64_t now_ms,
                                     bool out_of_memory);
/** Bytes that should go, as last measured. */
uint64_t pressure_excess(const struct pressure *p);

#endif
