/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: request heads. Input: what a connection sends first. A head
 * that is accepted must lie wholly inside its bytes, hold nothing that another
 * reader could take for the end of a line, and lead, when it asks for a
 * WebSocket, to a head that we accept ourselves.
 */
#include "fuzz.h"

#include "base/buf.h"
#include "base/counters.h"
#include "base/log.h"
#include "base/wheel.h"
#include "transport/env.h"
#include "transport/gzip.h"
#include "transport/http_head.h"
#include "transport/static.h"
#include "transport/upgrade.h"

static struct counters counters;

static void check_span(struct http_span s, const char *data, size_t size)
{
    if (s.p == NULL)
        return;
    FUZZ_ASSERT(s.p >= data && s.p + s.len <= data + size);
    for (size_t i = 0; i < s.len; i++)
        FUZZ_ASSERT(s.p[i] != '\r' && s.p[i] != '\n' && s.p[i] != '\0');
}

static void check_values(const struct http_head *head)
{
    static const char *const names[] = {"vsn", "token", "user_id", ""};
    struct buf out;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        buf_init(&out, 32);
        FUZZ_ASSERT(http_query_get(head->query, names[i], &out) >= -1);
        FUZZ_ASSERT(out.len <= 32);
        buf_deinit(&out);
    }
    for (size_t i = 0; i < head->count; i++) {
        struct http_span rest = head->headers[i].value, item;
        size_t turns = 0;

        while (http_list_next(&rest, &item))
            FUZZ_ASSERT(item.len > 0 && ++turns <= head->headers[i].value.len);
        gzip_accepted(head->headers[i].value);
        static_etag_matches(head->headers[i].value, "\"a-b\"");
    }
}

/* Every way to say who may connect. */
static void check_connect(const struct http_head *head, enum origin_mode mode)
{
    struct transport_env env = {.counters = &counters};
    struct connect_params params;
    struct http_head again;
    char text[UPGRADE_HEAD_MAX], accept[UPGRADE_ACCEPT_CHARS + 1];
    size_t len;

    if (mode == ORIGIN_LIST)
        FUZZ_ASSERT(origin_policy_init(
            &env.origin, "https://a.example //*.b.example:80", "a.example"));
    env.origin.mode = mode;
    connect_params_init(&params);
    if (upgrade_check(&env, head, &params) == CONNECT_OK) {
        len = upgrade_head(&params, text);
        FUZZ_ASSERT(len < UPGRADE_HEAD_MAX);
        FUZZ_ASSERT(http_head_end(text, len, 0) == len);
        FUZZ_ASSERT(http_head_parse(&again, text, len) == HTTP_HEAD_OK);
        FUZZ_ASSERT(upgrade_wanted(&again) && upgrade_path(again.path));
        upgrade_accept(params.key, accept);
    }
    connect_params_deinit(&params);
    connect_params_init(&params);
    connect_check_longpoll(&env, head, &params);
    connect_params_deinit(&params);
    origin_policy_deinit(&env.origin);
}

/* Who it is from, behind proxies or not, and whether it is known. */
static void check_client(const struct http_head *head)
{
    static const char token[] = "t";
    struct wheel wheel;
    struct transport_env env = {.counters = &counters, .wheel = &wheel};
    struct buf value = {.data = (char *)(uintptr_t)token, .len = 1};
    struct address peer, client;
    char text[FLAP_COOKIE_MAX];

    wheel_init(&wheel, 0);
    env.limits.flap_deaths = env.limits.flap_clients = 1;
    env.limits.flap_life_ms = 10;
    address_from_v4(&peer, (const uint8_t[4]){10, 0, 0, 1});
    FUZZ_ASSERT(address_list_init(&env.clients.trusted, "private"));
    for (int header = 0; header < 2; header++) {
        env.clients.header = header ? CLIENT_FORWARDED
                                    : CLIENT_X_FORWARDED_FOR;
        client_address(&env.clients, &peer, head, &client);
        FUZZ_ASSERT(address_known(&client));
    }
    env.flap = flap_new(&env);
    struct flap_traits traits = {head, &value, NULL, &client};
    struct flap_client who = flap_identify(env.flap, &traits);
    FUZZ_ASSERT(who.by != FLAP_NOBODY);
    flap_ended(env.flap, who, 0, 1, &client, 0);
    FUZZ_ASSERT(counters.value[COUNTER_FLAPPING] == 1);
    flap_cookie(env.flap, head, text);
    FUZZ_ASSERT(strlen(text) < FLAP_COOKIE_MAX && !strpbrk(text, "\r\n"));
    flap_free(env.flap);
    FUZZ_ASSERT(counters.value[COUNTER_FLAPPING] == 0);
    address_list_deinit(&env.clients.trusted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct http_head head;
    size_t end = http_head_end(text, size, 0), stepped = 0;

    log_set_fd(-1);
    for (size_t have = 1; have <= size && !stepped; have++)
        stepped = http_head_end(text, have, have - 1);
    FUZZ_ASSERT(stepped == end);
    if (end == HTTP_HEAD_NO_END)
        end = size;
    char *copy = malloc(end + (end == 0)); /* its own size, for a sanitizer */
    if (copy == NULL)
        abort();
    memcpy(copy, text, end);
    if (http_head_parse(&head, copy, end) == HTTP_HEAD_OK) {
        FUZZ_ASSERT(head.count <= HTTP_HEADERS_MAX);
        check_span(head.method, copy, end);
        check_span(head.target, copy, end);
        check_span(head.path, copy, end);
        check_span(head.query, copy, end);
        for (size_t i = 0; i < head.count; i++) {
            check_span(head.headers[i].name, copy, end);
            check_span(head.headers[i].value, copy, end);
        }
        check_values(&head);
        check_connect(&head, ORIGIN_CONN);
        check_connect(&head, ORIGIN_LIST);
        check_connect(&head, ORIGIN_ANY);
        check_client(&head);
    }
    free(copy);
    return 0;
}
