/* SPDX-License-Identifier: MIT */
/* Shared by all transports: see env.h. Must never grow logic of its own. */
#include "transport/env.h"

#include <stdlib.h>
#include <sys/random.h>

#include <uv.h>

#include "base/counters.h"

uint64_t env_now(const struct transport_env *env)
{
    return uv_now(env->loop);
}

uint64_t env_connections(const struct transport_env *env)
{
    const uint64_t *value = env->counters->value;
    return value[COUNTER_CONNECTIONS_HEAD] + value[COUNTER_CONNECTIONS_HTTP] +
           value[COUNTER_CONNECTIONS_WS];
}

void env_random(void *out, size_t len)
{
    /* Below 256 bytes getrandom is neither cut short nor interrupted. */
    if (len > 256 || getrandom(out, len, 0) != (ssize_t)len)
        abort();
}
