/* SPDX-License-Identifier: MIT */
/*
 * Flapping WebSockets: see flap.h. Must never refuse a client for what others
 * behind its address did, keep more clients than the limit, or keep a token.
 *
 *   a WebSocket dies young      flap_deaths-th within flap_window
 *   ------------------> counted ------------------> refused
 *                          |                           | flap_memory
 *                          | flap_window without one   v
 *                          +--------------------> forgotten
 *
 * The cookie: browsers keep the Set-Cookie of a 101, and send it with the next
 * upgrade [tested in Chromium], be the page's JavaScript as old as it may. It
 * is random, holds nothing, and goes when the browser does. Without a Path it
 * belongs to the folder of the socket as the browser sees it, below a proxy's
 * prefix or not. A page of another site gets it as Partitioned, which needs
 * https; a browser that keeps none is recognised by the rest, or not at all.
 */
#include "transport/flap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/counters.h"
#include "base/dict.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/wheel.h"
#include "transport/base64.h"
#include "transport/env.h"

enum { COOKIE_BYTES = 16, COOKIE_MAX = 64, SECOND_MS = 1000 };

struct flap {
    struct transport_env *env;
    struct dict clients;
    struct list order; /* entry.node: longest untouched first */
    uint64_t k0, k1;
};

struct entry {
    struct flap *flap;
    struct list node;
    struct wheel_timer timer; /* when it is forgotten */
    uint64_t id, until;
    uint64_t deaths;
    bool refused;
};

static const char *const by_names[] = {
    [FLAP_NOBODY] = "nobody",   [FLAP_BY_CLIENT_ID] = "client_id",
    [FLAP_BY_COOKIE] = "cookie", [FLAP_BY_TOKEN] = "token",
    [FLAP_BY_USER] = "user_id",
};

static bool off(const struct flap *flap)
{
    return !flap || flap->env->limits.flap_deaths == 0;
}

/* who */

/* The value of our cookie; p NULL when there is none that could be ours. */
static struct http_span find_cookie(const struct http_head *head)
{
    static const char name[] = FLAP_COOKIE "=";
    size_t name_len = sizeof name - 1;
    for (size_t i = 0; i < head->count; i++) {
        struct http_span rest = head->headers[i].value;
        if (!http_span_is_nocase(head->headers[i].name, "cookie"))
            continue;
        while (rest.len) {
            const char *end = memchr(rest.p, ';', rest.len);
            size_t len = end ? (size_t)(end - rest.p) : rest.len;
            const char *at = rest.p;
            rest.p += end ? len + 1 : len;
            rest.len -= end ? len + 1 : len;
            for (; len && *at == ' '; len--)
                at++;
            if (len > name_len && len - name_len <= COOKIE_MAX &&
                memcmp(at, name, name_len) == 0)
                return (struct http_span){at + name_len, len - name_len};
        }
    }
    return (struct http_span){NULL, 0};
}

static struct flap_client make(const struct flap *flap, enum flap_by by,
                               const void *data, size_t len,
                               const struct address *address)
{
    /* Each kind has a key of its own, so that nobody is another by it. */
    uint64_t id = dict_siphash(flap->k0 ^ by, flap->k1, data, len);
    if (address)
        id = dict_siphash(id, flap->k1, address->bytes, ADDRESS_BYTES);
    return (struct flap_client){id, by};
}

struct flap_client flap_identify(const struct flap *flap,
                                 const struct flap_traits *traits)
{
    struct flap_client client = {0, FLAP_NOBODY};
    struct buf own;
    if (off(flap))
        return client;
    buf_init(&own, FLAP_CLIENT_ID_MAX);
    int found = http_query_get(traits->head->query, "client_id", &own);
    struct http_span cookie = find_cookie(traits->head);
    if (found == 1 && own.len)
        client = make(flap, FLAP_BY_CLIENT_ID, own.data, own.len, NULL);
    else if (cookie.p)
        client = make(flap, FLAP_BY_COOKIE, cookie.p, cookie.len, NULL);
    else if (traits->token && traits->token->len)
        client = make(flap, FLAP_BY_TOKEN, traits->token->data,
                      traits->token->len, NULL);
    else if (traits->user_id && traits->user_id->len)
        client = make(flap, FLAP_BY_USER, traits->user_id->data,
                      traits->user_id->len, traits->address);
    buf_deinit(&own);
    return client;
}

/* Does the page come from the host it connects to? */
static bool same_host(struct http_span origin, struct http_span host)
{
    const char *slashes = memmem(origin.p, origin.len, "//", 2);
    if (!slashes || !host.p)
        return false;
    const char *name = slashes + 2;
    size_t len = (size_t)(origin.p + origin.len - name);
    const char *port = memrchr(name, ':', len);
    const char *host_port = memrchr(host.p, ':', host.len);
    size_t name_len = port ? (size_t)(port - name) : len;
    size_t host_len = host_port ? (size_t)(host_port - host.p) : host.len;
    return name_len == host_len && memcmp(name, host.p, name_len) == 0;
}

void flap_cookie(const struct flap *flap, const struct http_head *head,
                 char out[FLAP_COOKIE_MAX])
{
    uint8_t random[COOKIE_BYTES];
    char text[2 * COOKIE_BYTES];
    struct http_span origin = http_head_get(head, "origin");
    out[0] = '\0';
    if (off(flap) || !origin.p || find_cookie(head).p)
        return;
    bool elsewhere = origin.len > 8 && memcmp(origin.p, "https://", 8) == 0 &&
                     !same_host(origin, http_head_get(head, "host"));
    env_random(random, sizeof random);
    text[base64_encode_url(random, sizeof random, text)] = '\0';
    snprintf(out, FLAP_COOKIE_MAX, "%s=%s; HttpOnly; SameSite=%s", FLAP_COOKIE,
             text, elsewhere ? "None; Secure; Partitioned" : "Lax");
}

/* memory */

static void forget(struct entry *entry)
{
    struct flap *flap = entry->flap;
    dict_remove(&flap->clients, &entry->id, sizeof entry->id);
    list_remove(&entry->node);
    wheel_cancel(flap->env->wheel, &entry->timer);
    if (entry->refused)
        counter_dec(flap->env->counters, COUNTER_FLAPPING);
    free(entry);
}

static void on_forget(struct wheel_timer *timer, uint64_t now)
{
    (void)now;
    forget(LIST_ENTRY(timer, struct entry, timer));
}

static struct entry *find(const struct flap *flap, struct flap_client client)
{
    return dict_find(&flap->clients, &client.id, sizeof client.id);
}

static struct entry *find_or_add(struct flap *flap, struct flap_client client)
{
    struct entry *entry = find(flap, client);
    if (entry) {
        list_remove(&entry->node);
    } else {
        if (flap->clients.count >= flap->env->limits.flap_clients) {
            counter_inc(flap->env->counters, COUNTER_LIMIT_FLAP);
            forget(LIST_ENTRY(flap->order.next, struct entry, node));
        }
        entry = mem_zalloc(sizeof *entry);
        entry->flap = flap;
        entry->id = client.id;
        dict_put(&flap->clients, &entry->id, sizeof entry->id, entry);
    }
    list_push(&flap->order, &entry->node);
    return entry;
}

uint64_t flap_refused(const struct flap *flap, struct flap_client client,
                      uint64_t now)
{
    if (off(flap) || client.by == FLAP_NOBODY)
        return 0;
    const struct entry *entry = find(flap, client);
    if (!entry || !entry->refused || entry->until <= now)
        return 0;
    return (entry->until - now + SECOND_MS - 1) / SECOND_MS;
}

static void refuse_from_now(struct entry *entry, struct flap_client client,
                            uint64_t connection,
                            const struct address *address, uint64_t now)
{
    struct transport_env *env = entry->flap->env;
    char peer[ADDRESS_TEXT_MAX];
    address_text(address, peer);
    entry->refused = true;
    entry->until = now + env->limits.flap_memory_ms;
    wheel_set(env->wheel, &entry->timer, entry->until, on_forget);
    counter_inc(env->counters, COUNTER_FLAPPING);
    counter_inc(env->counters, COUNTER_FLAPPED);
    log_warning("websockets of a client die young, it is sent to long-poll",
                LOG_INT("connection", connection), LOG_Z("peer", peer),
                LOG_Z("by", by_names[client.by]),
                LOG_INT("deaths", entry->deaths),
                LOG_INT("seconds", env->limits.flap_memory_ms / SECOND_MS));
}

void flap_ended(struct flap *flap, struct flap_client client,
                uint64_t lived_ms, uint64_t connection,
                const struct address *address, uint64_t now)
{
    if (off(flap) || lived_ms >= flap->env->limits.flap_life_ms)
        return;
    const struct transport_limits *limits = &flap->env->limits;
    bool known = client.by != FLAP_NOBODY;
    counter_inc(flap->env->counters, known ? COUNTER_DIED_YOUNG
                                           : COUNTER_DIED_YOUNG_UNKNOWN);
    if (!known)
        return;
    struct entry *entry = find_or_add(flap, client);
    if (entry->refused)
        return; /* one that was open already */
    if (++entry->deaths >= limits->flap_deaths)
        refuse_from_now(entry, client, connection, address, now);
    else
        wheel_set(flap->env->wheel, &entry->timer,
                  now + limits->flap_window_ms, on_forget);
}

struct flap *flap_new(struct transport_env *env)
{
    struct flap *flap = mem_zalloc(sizeof *flap);
    uint8_t key[16];
    flap->env = env;
    env_random(key, sizeof key);
    dict_init(&flap->clients, key);
    env_random(&flap->k0, sizeof flap->k0);
    env_random(&flap->k1, sizeof flap->k1);
    list_init(&flap->order);
    return flap;
}

void flap_free(struct flap *flap)
{
    if (!flap)
        return;
    while (!list_empty(&flap->order))
        forget(LIST_ENTRY(flap->order.next, struct entry, node));
    dict_deinit(&flap->clients);
    free(flap);
}
