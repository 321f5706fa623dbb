/* SPDX-License-Identifier: MIT */
/* Per address: see visitors.h. Must never remember an address for longer than
 * it matters: one that has nothing open is forgotten once its bucket is full
 * again, which takes burst / rate seconds. */
#include "transport/visitors.h"

#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/counters.h"
#include "base/dict.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/wheel.h"
#include "transport/client.h"
#include "transport/env.h"

enum { V6_NETWORK_BYTES = 8, LOG_EVERY_MS = 10000 };

struct visitors {
    const struct visitor_limits *limits;
    const struct client_policy *policy;
    struct counters *counters;
    struct wheel *wheel;
    struct dict by_address;
    uint64_t logged_at; /* a flood fills no disk */
};

struct visitor {
    struct visitors *owner;
    struct address address;
    struct wheel_timer timer; /* forgets it, while nothing is open */
    struct meter opens;
    uint64_t connections;
};

struct visitors *visitors_new(const struct visitor_limits *limits,
                              const struct client_policy *policy,
                              struct counters *counters, struct wheel *wheel)
{
    struct visitors *v = mem_zalloc(sizeof *v);
    uint8_t key[16];
    env_random(key, sizeof key);
    dict_init(&v->by_address, key);
    v->limits = limits;
    v->policy = policy;
    v->counters = counters;
    v->wheel = wheel;
    return v;
}

static void forget(struct visitor *visitor)
{
    struct visitors *v = visitor->owner;
    wheel_cancel(v->wheel, &visitor->timer);
    dict_remove(&v->by_address, &visitor->address, sizeof visitor->address);
    counter_set(v->counters, COUNTER_ADDRESSES, v->by_address.count);
    free(visitor);
}

void visitors_free(struct visitors *v)
{
    struct visitor *visitor;
    size_t cursor = 0;
    if (!v)
        return;
    while ((visitor = dict_next(&v->by_address, &cursor))) {
        forget(visitor);
        cursor = 0;
    }
    dict_deinit(&v->by_address);
    free(v);
}

static bool is_v4(const struct address *a)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(a->bytes, mapped, sizeof mapped) == 0;
}

static bool is_own(const struct address *a)
{
    static const uint8_t v6[ADDRESS_BYTES] = {[15] = 1};
    return is_v4(a) ? a->bytes[12] == 127 : memcmp(a->bytes, v6, 16) == 0;
}

static bool counts(const struct visitors *v, const struct address *a)
{
    if (v->limits->scope == VISITORS_OFF || !address_known(a))
        return false;
    return v->limits->scope == VISITORS_ALL ||
           (!is_own(a) && !address_list_has(&v->policy->trusted, a));
}

static struct visitor *get(struct visitors *v, const struct address *address)
{
    struct address key = *address;
    if (!is_v4(&key))
        memset(key.bytes + V6_NETWORK_BYTES, 0,
               ADDRESS_BYTES - V6_NETWORK_BYTES);
    struct visitor *visitor = dict_find(&v->by_address, &key, sizeof key);
    if (visitor)
        return visitor;
    visitor = mem_zalloc(sizeof *visitor);
    visitor->owner = v;
    visitor->address = key;
    dict_put(&v->by_address, &visitor->address, sizeof visitor->address,
             visitor);
    counter_set(v->counters, COUNTER_ADDRESSES, v->by_address.count);
    return visitor;
}

struct visitor *visitors_enter(struct visitors *v,
                               const struct address *address, uint64_t now_ms)
{
    (void)now_ms;
    if (!v || !counts(v, address))
        return NULL;
    struct visitor *visitor = get(v, address);
    visitor->connections++;
    wheel_cancel(v->wheel, &visitor->timer);
    return visitor;
}

static void on_full(struct wheel_timer *timer, uint64_t now_ms)
{
    (void)now_ms;
    forget(LIST_ENTRY(timer, struct visitor, timer));
}

void visitors_leave(struct visitor *visitor, uint64_t now_ms)
{
    if (!visitor || --visitor->connections > 0)
        return;
    if (meter_full(&visitor->opens, now_ms))
        forget(visitor);
    else
        wheel_set(visitor->owner->wheel, &visitor->timer,
                  visitor->opens.full_at_us / 1000 + 1, on_full);
}

static void tell(struct visitor *visitor, const char *what, uint64_t now_ms)
{
    struct visitors *v = visitor->owner;
    char text[ADDRESS_TEXT_MAX];
    if (v->logged_at && now_ms - v->logged_at < LOG_EVERY_MS)
        return;
    v->logged_at = now_ms;
    address_text(&visitor->address, text);
    log_warning("address limited", LOG_Z("limit", what), LOG_Z("peer", text),
                LOG_INT("connections", visitor->connections));
}

bool visitor_over(const struct visitor *visitor)
{
    uint64_t most = visitor ? visitor->owner->limits->connections : 0;
    return most && visitor->connections > most;
}

bool visitor_far_over(const struct visitor *visitor)
{
    uint64_t most = visitor ? visitor->owner->limits->connections : 0;
    return most && visitor->connections > most + most / 8 + 4;
}

bool visitor_may_open(struct visitor *visitor, uint64_t now_ms)
{
    if (!visitor)
        return true;
    struct visitors *v = visitor->owner;
    if (visitor_over(visitor)) {
        counter_inc(v->counters, COUNTER_LIMIT_ADDRESS_CONNECTIONS);
        tell(visitor, "address_connections", now_ms);
        return false;
    }
    if (meter_debt_ms(&visitor->opens, &v->limits->opens, now_ms)) {
        counter_inc(v->counters, COUNTER_LIMIT_ADDRESS_OPENS);
        tell(visitor, "address_opens", now_ms);
        return false;
    }
    meter_use(&visitor->opens, &v->limits->opens, 1, now_ms);
    return true;
}
