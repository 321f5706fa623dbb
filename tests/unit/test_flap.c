/* SPDX-License-Identifier: MIT */
/* Flapping WebSockets: who is recognised by what, and what is remembered for
 * how long, under a clock of the test's own. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/counters.h"
#include "base/log.h"
#include "base/wheel.h"
#include "suite.h"
#include "transport/env.h"
#include "transport/flap.h"
#include "transport/http_head.h"

static struct counters counters;
static struct wheel wheel;
static struct transport_env env;
static struct flap *flap;
static uint64_t now;
static const struct address nobody;

static void set_up(void)
{
    log_set_fd(-1);
    now = 1000;
    counters = (struct counters){{0}};
    wheel_init(&wheel, now);
    env = (struct transport_env){.wheel = &wheel, .counters = &counters};
    env.limits.flap_deaths = 3;
    env.limits.flap_life_ms = 5000;
    env.limits.flap_window_ms = 30000;
    env.limits.flap_memory_ms = 600000;
    env.limits.flap_clients = 100;
    flap = flap_new(&env);
}

static void tear_down(void)
{
    flap_free(flap);
    ck_assert_uint_eq(counters.value[COUNTER_FLAPPING], 0);
}

static void pass(uint64_t ms)
{
    now += ms;
    wheel_advance(&wheel, now);
}

static char text[4096];
static struct http_head head;

static void parse(const char *query, const char *lines)
{
    int n = snprintf(text, sizeof text,
                     "GET /socket/websocket%s HTTP/1.1\r\nHost: a.example\r\n"
                     "%s\r\n",
                     query, lines);
    ck_assert_int_eq(http_head_parse(&head, text, (size_t)n), HTTP_HEAD_OK);
}

static struct flap_client client_of(const char *query, const char *lines)
{
    parse(query, lines);
    struct flap_traits traits = {&head, NULL, NULL, &nobody};
    return flap_identify(flap, &traits);
}

static struct flap_client named(const char *name)
{
    char query[64];
    snprintf(query, sizeof query, "?client_id=%s", name);
    return client_of(query, "");
}

static void die(struct flap_client client, uint64_t lived)
{
    flap_ended(flap, client, lived, 1, &nobody, now);
}

START_TEST(the_best_trait_is_taken)
{
    static const char cookie[] = "Cookie: x=1; roomd_client=abc;y=2\r\n";
    struct buf token, user;
    set_up();
    buf_init(&token, 16);
    buf_init(&user, 16);
    buf_puts(&token, "abc");
    buf_puts(&user, "abc");
    parse("?client_id=abc", cookie);
    struct flap_traits traits = {&head, &token, &user, &nobody};
    struct flap_client a = flap_identify(flap, &traits);
    ck_assert_int_eq(a.by, FLAP_BY_CLIENT_ID);
    parse("", cookie);
    struct flap_client b = flap_identify(flap, &traits);
    ck_assert_int_eq(b.by, FLAP_BY_COOKIE);
    parse("", "");
    struct flap_client c = flap_identify(flap, &traits);
    ck_assert_int_eq(c.by, FLAP_BY_TOKEN);
    traits.token = NULL;
    struct flap_client d = flap_identify(flap, &traits);
    ck_assert_int_eq(d.by, FLAP_BY_USER);
    traits.user_id = NULL;
    ck_assert_int_eq(flap_identify(flap, &traits).by, FLAP_NOBODY);
    /* the same bytes are not the same client by another trait */
    ck_assert(a.id != b.id && b.id != c.id && c.id != d.id && a.id != c.id);
    struct flap_traits again = {&head, NULL, &user,
                                &(struct address){{[15] = 1}}};
    ck_assert(flap_identify(flap, &again).id != d.id);
    buf_deinit(&token);
    buf_deinit(&user);
    tear_down();
}
END_TEST

START_TEST(cookies_that_are_not_ours)
{
    static const char *const lines[] = {
        "Cookie: roomd_client=\r\n", "Cookie: xroomd_client=a\r\n",
        "Cookie: roomd_clien\r\n", "Cookie: a=roomd_client=b\r\n", "Cookie:\r\n",
        "Cookie: ;;; ;\r\n", "X-Cookie: roomd_client=a\r\n",
        ("Cookie: roomd_client=0123456789012345678901234567890123456789"
         "0123456789012345678901234567890123456789\r\n")};
    set_up();
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        ck_assert_msg(client_of("", lines[i]).by == FLAP_NOBODY, "%s",
                      lines[i]);
    struct flap_client one = client_of("", "Cookie: roomd_client=v\r\n");
    ck_assert_int_eq(one.by, FLAP_BY_COOKIE);
    ck_assert_uint_eq(
        one.id, client_of("", "Cookie: a=b\r\nCookie: c=d; roomd_client=v; "
                              "e=f\r\n").id);
    tear_down();
}
END_TEST

START_TEST(the_third_death_within_the_window_counts)
{
    set_up();
    struct flap_client a = named("a"), b = named("b");
    die(a, 10);
    die(a, 4999);
    die(a, 5000); /* old enough */
    die(b, 10);
    ck_assert_uint_eq(flap_refused(flap, a, now), 0);
    pass(29000);
    die(a, 10);
    ck_assert_uint_eq(flap_refused(flap, a, now), 600);
    ck_assert_uint_eq(flap_refused(flap, b, now), 0);
    ck_assert_uint_eq(counters.value[COUNTER_FLAPPING], 1);
    die(a, 10); /* one that was open already: nothing new */
    ck_assert_uint_eq(counters.value[COUNTER_FLAPPED], 1);
    pass(599000);
    ck_assert_uint_eq(flap_refused(flap, a, now), 1);
    pass(1100);
    ck_assert_uint_eq(flap_refused(flap, a, now), 0);
    ck_assert_uint_eq(counters.value[COUNTER_FLAPPING], 0);
    die(a, 10); /* and begins anew */
    ck_assert_uint_eq(flap_refused(flap, a, now), 0);
    tear_down();
}
END_TEST

START_TEST(deaths_far_apart_do_not_add_up)
{
    set_up();
    struct flap_client a = named("a");
    for (int i = 0; i < 10; i++) {
        die(a, 10);
        pass(30100);
    }
    ck_assert_uint_eq(flap_refused(flap, a, now), 0);
    tear_down();
}
END_TEST

START_TEST(the_unknown_and_the_watch_that_is_off)
{
    struct flap_client unknown = {0, FLAP_NOBODY};
    set_up();
    for (int i = 0; i < 10; i++)
        die(unknown, 10);
    ck_assert_uint_eq(flap_refused(flap, unknown, now), 0);
    ck_assert_uint_eq(counters.value[COUNTER_DIED_YOUNG_UNKNOWN], 10);
    struct flap_client a = named("a");
    for (int i = 0; i < 3; i++)
        die(a, 10);
    ck_assert_uint_ne(flap_refused(flap, a, now), 0);
    env.limits.flap_deaths = 0; /* as a reload may */
    ck_assert_uint_eq(flap_refused(flap, a, now), 0);
    ck_assert_int_eq(named("a").by, FLAP_NOBODY);
    tear_down();
}
END_TEST

START_TEST(no_more_than_so_many_are_remembered)
{
    char name[16];
    set_up();
    env.limits.flap_deaths = 1;
    for (int i = 0; i < 150; i++) {
        snprintf(name, sizeof name, "c%d", i);
        die(named(name), 10);
    }
    ck_assert_uint_eq(counters.value[COUNTER_FLAPPING], 100);
    ck_assert_uint_eq(counters.value[COUNTER_LIMIT_FLAP], 50);
    ck_assert_uint_eq(flap_refused(flap, named("c49"), now), 0);
    ck_assert_uint_ne(flap_refused(flap, named("c50"), now), 0);
    tear_down();
}
END_TEST

static const char *cookie_for(const char *lines)
{
    static char out[FLAP_COOKIE_MAX];
    parse("", lines);
    flap_cookie(flap, &head, out);
    return strchr(out, ';') ? strchr(out, ';') : out;
}

START_TEST(whom_a_cookie_is_set_for)
{
    set_up();
    ck_assert_str_eq(cookie_for(""), "");
    ck_assert_str_eq(cookie_for("Origin: https://a.example\r\n"),
                     "; HttpOnly; SameSite=Lax");
    ck_assert_str_eq(cookie_for("Origin: https://a.example:8443\r\n"),
                     "; HttpOnly; SameSite=Lax");
    ck_assert_str_eq(cookie_for("Origin: https://b.example\r\n"),
                     "; HttpOnly; SameSite=None; Secure; Partitioned");
    ck_assert_str_eq(cookie_for("Origin: https://sub.a.example\r\n"),
                     "; HttpOnly; SameSite=None; Secure; Partitioned");
    ck_assert_str_eq(cookie_for("Origin: http://b.example\r\n"),
                     "; HttpOnly; SameSite=Lax");
    ck_assert_str_eq(cookie_for("Origin: null\r\n"),
                     "; HttpOnly; SameSite=Lax");
    ck_assert_str_eq(cookie_for("Origin: https://b.example\r\n"
                                "Cookie: roomd_client=x\r\n"), "");
    tear_down();
}
END_TEST

SUITE_MAIN("flap", the_best_trait_is_taken, cookies_that_are_not_ours,
           the_third_death_within_the_window_counts,
           deaths_far_apart_do_not_add_up,
           the_unknown_and_the_watch_that_is_off,
           no_more_than_so_many_are_remembered, whom_a_cookie_is_set_for)
