/* SPDX-License-Identifier: MIT */
/* The pace of the drain: see drain.h. Must never take longer than it was
 * given, however many connections there are. */
#include "server/drain.h"

enum { BATCH_MIN = 50 };

void drain_begin(struct drain *drain, uint64_t now, uint64_t delay_ms,
                 uint64_t timeout_ms)
{
    drain->begun = true;
    drain->begun_at = now;
    drain->close_at = now + delay_ms;
    drain->end_at = drain->close_at + timeout_ms;
    drain->batch = 0;
}

size_t drain_step(struct drain *drain, uint64_t now, size_t open)
{
    if (!drain->begun || now < drain->close_at)
        return 0;
    if (drain->batch == 0) {
        /* Tell all in the first half; the rest is for their answers. */
        uint64_t steps =
            (drain->end_at - drain->close_at) / 2 / DRAIN_STEP_MS + 1;
        drain->batch = open / steps + 1;
        if (drain->batch < BATCH_MIN)
            drain->batch = BATCH_MIN;
    }
    return drain->batch;
}

bool drain_over(const struct drain *drain, uint64_t now, size_t left)
{
    if (!drain->begun || now < drain->close_at)
        return false;
    return left == 0 || now >= drain->end_at;
}
