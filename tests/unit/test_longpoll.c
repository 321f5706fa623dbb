/* SPDX-License-Identifier: MIT */
/* Long-poll sessions in front of real rooms, behind a carrier without
 * sockets, under a clock of the test's own. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/counters.h"
#include "base/log.h"
#include "base/wheel.h"
#include "channel/session.h"
#include "room/registry.h"
#include "transport/env.h"
#include "transport/longpoll.h"

static struct counters counters;
static struct wheel wheel;
static struct session_env sessions;
static struct transport_env env;
static struct longpoll *lp;
static uint64_t now;
static const struct address nobody;

/* A poll as a carrier holds it, and the connection it came on: static in each
 * test, for sessions know of it until they end. */
struct poll {
    struct lp_request request;
    struct lp_link link;
    bool parked, woken, reset;
    char body[4096];
};

static void on_wake(struct lp_request *request)
{
    struct poll *p = LIST_ENTRY(request, struct poll, request);
    ck_assert(p->parked && !p->woken);
    p->woken = true;
}

static bool on_lost(struct lp_link *link)
{
    return LIST_ENTRY(link, struct poll, link)->reset;
}

static const struct longpoll_ops ops = {.wake = on_wake, .lost = on_lost};

static void set_up(void)
{
    struct registry_options options = {.counters = &counters};
    log_set_fd(-1);
    memset(&counters, 0, sizeof counters);
    now = 1000000;
    options.now_ms = now;
    room_limits_default(&options.limits);
    wheel_init(&wheel, now);
    sessions = (struct session_env){.rooms = registry_new(&options),
                                    .counters = &counters,
                                    .limits = {.channels = 100,
                                               .topic_bytes = 255,
                                               .json_depth = 64}};
    env = (struct transport_env){.wheel = &wheel,
                                 .counters = &counters,
                                 .sessions = &sessions,
                                 .limits = {.longpoll_sessions = 10,
                                            .line_bytes = 1000,
                                            .poll_bytes = 1000,
                                            .queue_bytes = 100000,
                                            .window_ms = 10000,
                                            .session_ms = 20000}};
    const uint8_t instance[TOKEN_INSTANCE_BYTES] = {1};
    token_key_init(&env.token, "secret", 6, TRANSPORT_MOUNT, instance);
    ck_assert(origin_policy_init(&env.origin, "//good.example", ""));
    lp = longpoll_new(&env, &ops);
}

static void tear_down(void)
{
    longpoll_free(lp, now);
    registry_free(sessions.rooms);
    origin_policy_deinit(&env.origin);
    ck_assert_uint_eq(counters.value[COUNTER_CONNECTIONS_LP], 0);
    ck_assert_uint_eq(counters.value[COUNTER_POLLS_PARKED], 0);
}

static void pass(uint64_t ms)
{
    for (uint64_t end = now + ms; now < end;) {
        now += 50;
        wheel_advance(&wheel, now);
        registry_tick(sessions.rooms, now);
        longpoll_turn(lp, now);
    }
}

/* requests */

static struct http_head make_head(const char *query, const char *origin,
                                  const char *type)
{
    struct http_head head = {.method = {"GET", 3}, .minor = 1};
    head.query = (struct http_span){query, strlen(query)};
    if (origin)
        head.headers[head.count++] =
            (struct http_header){{"Origin", 6}, {origin, strlen(origin)}};
    if (type)
        head.headers[head.count++] =
            (struct http_header){{"Content-Type", 12}, {type, strlen(type)}};
    return head;
}

static void begin_poll(struct poll *p, const char *query)
{
    struct http_head head = make_head(query, NULL, NULL);
    longpoll_settle(&p->link, false); /* as http.c does */
    memset(&p->request, 0, sizeof p->request);
    p->woken = p->reset = false;
    p->parked = longpoll_poll(lp, &p->request, &head, now);
}

/* Writes the answer, as far as the end of the request. */
static const char *write_poll(struct poll *p)
{
    struct buf out;
    ck_assert(!p->parked || p->woken);
    buf_init(&out, sizeof p->body - 1);
    longpoll_take(lp, &p->request);
    longpoll_body(lp, &p->request, &out);
    ck_assert(!out.overflow);
    memcpy(p->body, out.data, out.len);
    p->body[out.len] = '\0';
    buf_deinit(&out);
    return p->body;
}

static const char *finish_poll(struct poll *p, bool written)
{
    write_poll(p);
    longpoll_finish(lp, &p->request, written, &p->link, now);
    return p->body;
}

static int status_of(const char *body)
{
    int status = 0;
    ck_assert_msg(strncmp(body, "{\"status\":", 10) == 0, "%s", body);
    for (const char *p = body + 10; *p >= '0' && *p <= '9'; p++)
        status = status * 10 + (*p - '0');
    return status;
}

/* A whole poll that must not park. */
static const char *poll_now(struct poll *p, const char *query)
{
    begin_poll(p, query);
    ck_assert(!p->parked);
    return finish_poll(p, true);
}

static char *open_with(const char *params, char query[256])
{
    static struct poll p;
    const char *body = poll_now(&p, params);
    ck_assert_int_eq(status_of(body), 410);
    const char *token = strstr(body, "\"token\":\"");
    ck_assert_ptr_nonnull(token);
    snprintf(query, 256, "%s&token=%.*s", params, TOKEN_CHARS, token + 9);
    return query;
}

static char *open_session(char query[256])
{
    return open_with("vsn=2.0.0", query);
}

static int post_as(const char *query, const char *type, const char *text)
{
    struct http_head head = make_head(query, NULL, type);
    size_t len = strlen(text);
    uint8_t *body = malloc(len + (len == 0));
    memcpy(body, text, len);
    uint64_t pause;
    int status = 0;
    size_t done = 0;
    do
        status = longpoll_post(lp, &head, body, len, &done, &nobody, now,
                               &pause);
    while (status == LP_MORE);
    free(body);
    return status;
}

static int post(const char *query, const char *text)
{
    return post_as(query, "application/x-ndjson", text);
}

#define HEARTBEAT(ref) "[null,\"" ref "\",\"phoenix\",\"heartbeat\",{}]"
/* An answer that is no URGENT one, so that order shows. */
#define ASK(ref) "[null,\"" ref "\",\"no:topic\",\"x\",{}]"

static size_t count(const char *body, const char *what)
{
    size_t n = 0;
    for (const char *p = body; (p = strstr(p, what)); p++)
        n++;
    return n;
}

/* Are these refs answered, in this order, and nothing else? */
static bool answers(const char *body, const char *const *refs, size_t n)
{
    const char *at = body;
    char what[64];
    for (size_t i = 0; i < n; i++) {
        snprintf(what, sizeof what, "[null,\\\"%s\\\",\\\"no:topic\\\"",
                 refs[i]);
        at = strstr(at, what);
        if (!at)
            return false;
    }
    return count(body, "no:topic") == n;
}

#define ANSWERS(body, ...)                                                     \
    answers(body, (const char *const[]){__VA_ARGS__},                          \
            sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

START_TEST(opens_polls_and_answers)
{
    char query[256];
    static struct poll p;
    open_session(query);
    ck_assert_int_eq(post(query, ASK("1") "\n" ASK("2") "\n"), 200);
    const char *body = poll_now(&p, query);
    ck_assert_int_eq(status_of(body), 200);
    ck_assert(ANSWERS(body, "1", "2"));
    begin_poll(&p, query);
    ck_assert(p.parked);
    ck_assert_uint_eq(counters.value[COUNTER_POLLS_PARKED], 1);
    ck_assert_int_eq(post(query, ASK("3")), 200);
    ck_assert(p.woken);
    ck_assert_int_eq(post(query, ASK("4")), 200); /* rides along */
    ck_assert(ANSWERS(finish_poll(&p, true), "3", "4"));
}
END_TEST

START_TEST(the_window_ends_with_204)
{
    char query[256];
    static struct poll p;
    open_session(query);
    begin_poll(&p, query);
    pass(9900);
    ck_assert(!p.woken);
    pass(200);
    ck_assert(p.woken);
    ck_assert_int_eq(status_of(finish_poll(&p, true)), 204);
    ck_assert_uint_eq(count(p.body, "\"messages\":[]"), 1);
}
END_TEST

START_TEST(the_newer_of_two_polls_gets_the_messages)
{
    char query[256];
    static struct poll older, newer;
    open_session(query);
    begin_poll(&older, query);
    begin_poll(&newer, query);
    ck_assert(older.woken && newer.parked && !newer.woken);
    post(query, ASK("1"));
    ck_assert(newer.woken);
    ck_assert_int_eq(status_of(finish_poll(&older, true)), 204);
    ck_assert(ANSWERS(finish_poll(&newer, true), "1"));
    /* woken, but not yet answered, when the newer one comes */
    begin_poll(&older, query);
    post(query, ASK("2"));
    begin_poll(&newer, query);
    ck_assert_int_eq(status_of(finish_poll(&older, true)), 204);
    ck_assert(ANSWERS(finish_poll(&newer, true), "2"));
}
END_TEST

START_TEST(what_was_not_written_comes_again_in_order)
{
    char query[256];
    static struct poll p;
    open_session(query);
    post(query, ASK("1") "\n" ASK("2"));
    begin_poll(&p, query);
    write_poll(&p);
    post(query, ASK("3"));
    longpoll_finish(lp, &p.request, false, &p.link, now);
    ck_assert(ANSWERS(poll_now(&p, query), "1", "2", "3"));
}
END_TEST

START_TEST(while_one_answer_is_under_way_no_other_is_given)
{
    char query[256];
    static struct poll first, second;
    open_session(query);
    post(query, ASK("1"));
    begin_poll(&first, query);
    write_poll(&first);
    begin_poll(&second, query);
    post(query, ASK("2"));
    ck_assert(second.parked && !second.woken);
    longpoll_finish(lp, &first.request, false, &first.link, now);
    ck_assert(second.woken);
    ck_assert(ANSWERS(finish_poll(&second, true), "1", "2"));
}
END_TEST

START_TEST(a_reset_after_writing_brings_it_back)
{
    char query[256];
    static struct poll p, next;
    open_session(query);
    post(query, ASK("1"));
    begin_poll(&p, query);
    finish_poll(&p, true);
    p.reset = true;
    post(query, ASK("2"));
    ck_assert(ANSWERS(poll_now(&next, query), "1", "2"));
    /* told by the carrier, before the next poll */
    post(query, ASK("3"));
    begin_poll(&p, query);
    finish_poll(&p, true);
    longpoll_settle(&p.link, true);
    ck_assert(ANSWERS(poll_now(&next, query), "3"));
}
END_TEST

START_TEST(what_arrived_does_not_come_again)
{
    char query[256];
    static struct poll p, next;
    open_session(query);
    post(query, ASK("1"));
    begin_poll(&p, query);
    finish_poll(&p, true);
    longpoll_settle(&p.link, false);
    p.reset = true; /* too late to matter */
    begin_poll(&next, query);
    ck_assert(next.parked);
    longpoll_finish(lp, &next.request, false, &next.link, now);
    /* a link outlives its session */
    post(query, ASK("2"));
    begin_poll(&p, query);
    finish_poll(&p, true);
    longpoll_end_some(lp, 100);
    longpoll_turn(lp, now);
    longpoll_settle(&p.link, true);
}
END_TEST

START_TEST(an_aborted_poll_leaves_the_session_alone)
{
    char query[256];
    static struct poll p;
    open_session(query);
    begin_poll(&p, query);
    longpoll_finish(lp, &p.request, false, &p.link, now);
    ck_assert_uint_eq(counters.value[COUNTER_POLLS_PARKED], 0);
    post(query, ASK("1"));
    ck_assert(ANSWERS(poll_now(&p, query), "1"));
}
END_TEST

START_TEST(a_session_dies_without_polls_and_only_then)
{
    char query[256];
    static struct poll p;
    open_session(query);
    pass(19000);
    ck_assert_uint_eq(longpoll_count(lp), 1);
    for (int i = 0; i < 5; i++) {
        begin_poll(&p, query);
        pass(10100);
        ck_assert_int_eq(status_of(finish_poll(&p, true)), 204);
    }
    pass(19900);
    ck_assert_uint_eq(longpoll_count(lp), 1);
    pass(200);
    ck_assert_uint_eq(longpoll_count(lp), 0);
    ck_assert_uint_eq(counters.value[COUNTER_LP_EXPIRED], 1);
    ck_assert_int_eq(status_of(poll_now(&p, query)), 410);
    ck_assert_uint_eq(count(p.body, "\"token\":null"), 1);
    ck_assert_int_eq(post(query, ASK("1")), 410);
}
END_TEST

START_TEST(tokens_that_are_none)
{
    static const char *const bad[] = {
        "vsn=2.0.0&token=x",
        "vsn=2.0.0&token=%00",
        "vsn=2.0.0&token=%zz",
        "vsn=2.0.0&token=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAA",
        "vsn=2.0.0&token=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
    static struct poll p;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(status_of(poll_now(&p, bad[i])), 410);
        ck_assert_uint_eq(count(p.body, "\"token\":null"), 1);
        ck_assert_int_eq(post(bad[i], ASK("1")), 410);
    }
    ck_assert_int_eq(post("vsn=2.0.0", ASK("1")), 410);
    ck_assert_uint_eq(longpoll_count(lp), 0);
    /* what clients send that have none yet */
    poll_now(&p, "vsn=2.0.0&token=null");
    poll_now(&p, "vsn=2.0.0&token=");
    ck_assert_uint_eq(longpoll_count(lp), 2);
}
END_TEST

START_TEST(connects_that_are_refused)
{
    static struct poll p;
    ck_assert_int_eq(status_of(poll_now(&p, "vsn=9.0.0")), 403);
    struct http_head head = make_head("vsn=2.0.0", "http://evil.example", "");
    memset(&p, 0, sizeof p);
    ck_assert(!longpoll_poll(lp, &p.request, &head, now));
    ck_assert_int_eq(status_of(finish_poll(&p, true)), 403);
    uint64_t pause;
    size_t done = 0;
    ck_assert_int_eq(longpoll_post(lp, &head, (uint8_t *)(char[1]){0}, 0,
                                   &done, &nobody, now, &pause),
                     403);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(status_of(poll_now(&p, "vsn=2.0.0")), 410);
    ck_assert_int_eq(status_of(poll_now(&p, "vsn=2.0.0")), 500);
    ck_assert_uint_eq(counters.value[COUNTER_LIMIT_SESSIONS], 1);
    ck_assert_uint_eq(longpoll_count(lp), 10);
}
END_TEST

START_TEST(lines_of_every_kind)
{
    char query[256];
    static struct poll p;
    open_session(query);
    /* binary heartbeat: kind 0, lengths 0 1 7 9 */
    ck_assert_int_eq(post(query, "AAABBwk5cGhvZW5peGhlYXJ0YmVhdHt9\r\n"
                                 "\r\n\n" ASK("2") "\r\n"),
                     200);
    const char *body = poll_now(&p, query);
    ck_assert_uint_eq(count(body, "\\\"9\\\",\\\"phoenix\\\""), 1);
    ck_assert(ANSWERS(body, "2"));
    ck_assert_int_eq(post(query, ""), 200);
    ck_assert_int_eq(post(query, "\n\n\r\n"), 200);
    /* a whole body of another type is one message, new lines and all */
    ck_assert_int_eq(post_as(query, "application/json", "[null,\n\"5\",\n"
                             "\"no:topic\",\"x\",\n{}]"),
                     200);
    ck_assert(ANSWERS(poll_now(&p, query), "5"));
}
END_TEST

START_TEST(a_bad_line_ends_the_post_and_not_the_session)
{
    char query[256];
    static struct poll p;
    open_session(query);
    ck_assert_int_eq(post(query, ASK("1") "\n[nonsense\n" ASK("2")), 500);
    ck_assert_int_eq(post(query, ASK("3") "\n***\n" ASK("4")), 500);
    ck_assert_int_eq(post(query, ASK("5") "\nAAA\n" ASK("6")), 500);
    ck_assert(ANSWERS(poll_now(&p, query), "1", "3", "5"));
    ck_assert_int_eq(post(query, ASK("7")), 200);
    ck_assert(ANSWERS(poll_now(&p, query), "7"));
}
END_TEST

START_TEST(binary_lines_are_bounded)
{
    char query[256];
    char *line = malloc(3001);
    memset(line, 'A', 3000);
    line[3000] = '\0';
    open_session(query);
    ck_assert_int_eq(post(query, line), 413);
    ck_assert_uint_eq(counters.value[COUNTER_LIMIT_LINE], 1);
    free(line);
}
END_TEST

START_TEST(many_lines_are_all_handled)
{
    char query[256];
    struct buf text;
    static struct poll p;
    size_t got = 0;
    open_session(query);
    buf_init(&text, 1 << 20);
    for (int i = 0; i < 500; i++)
        buf_printf(&text, "[null,\"%d\",\"no:topic\",\"x\",{}]\n", i);
    buf_putc(&text, '\0');
    ck_assert_int_eq(post(query, text.data), 200);
    buf_deinit(&text);
    for (;;) {
        begin_poll(&p, query);
        if (p.parked)
            break;
        got += count(finish_poll(&p, true), "no:topic");
    }
    ck_assert_uint_eq(got, 500);
    longpoll_finish(lp, &p.request, false, &p.link, now);
}
END_TEST

START_TEST(bytes_of_one_answer_are_bounded)
{
    char query[256];
    static struct poll p;
    open_session(query);
    for (int i = 0; i < 20; i++)
        post(query, ASK("1"));
    const char *body = poll_now(&p, query);
    ck_assert_uint_lt(strlen(body), 1300);
    ck_assert_uint_gt(count(body, "no:topic"), 2);
    env.limits.poll_bytes = 1; /* but one always comes */
    ck_assert_uint_eq(count(poll_now(&p, query), "no:topic"), 1);
}
END_TEST

START_TEST(a_full_queue_ends_the_session)
{
    char query[256];
    static struct poll p;
    env.limits.queue_bytes = 1000;
    open_session(query);
    int status = 200;
    for (int i = 0; i < 100 && status == 200; i++)
        status = post(query, ASK("1"));
    ck_assert_int_eq(status, 410);
    ck_assert_uint_eq(counters.value[COUNTER_LIMIT_QUEUE], 1);
    ck_assert_int_eq(status_of(poll_now(&p, query)), 410);
    ck_assert(longpoll_turn(lp, now));
    ck_assert_uint_eq(longpoll_count(lp), 0);
}
END_TEST

START_TEST(ending_answers_every_poll_with_410)
{
    char query[4][256];
    static struct poll p[4];
    for (int i = 0; i < 4; i++) {
        open_session(query[i]);
        begin_poll(&p[i], query[i]);
    }
    ck_assert_uint_eq(longpoll_end_some(lp, 2), 4);
    longpoll_turn(lp, now);
    ck_assert_uint_eq(longpoll_end_some(lp, 0), 2);
    env.draining = true;
    longpoll_end_some(lp, 100);
    longpoll_turn(lp, now);
    ck_assert_uint_eq(longpoll_count(lp), 0);
    for (int i = 0; i < 4; i++) {
        ck_assert(p[i].woken);
        ck_assert_int_eq(status_of(finish_poll(&p[i], true)), 410);
    }
    ck_assert_int_eq(status_of(poll_now(&p[0], query[0])), 410);
    ck_assert_int_eq(status_of(poll_now(&p[0], "vsn=2.0.0")), 500);
}
END_TEST

START_TEST(two_clients_in_one_room)
{
    char a[256], b[256];
    static struct poll pa, pb;
    open_session(a);
    open_with("vsn=2.0.0&lp_binary=base64", b);
    post(a, "[\"1\",\"1\",\"y:1\",\"phx_join\",{}]");
    post(b, "[\"1\",\"1\",\"y:1\",\"phx_join\",{}]");
    poll_now(&pa, a);
    poll_now(&pb, b);
    begin_poll(&pb, b);
    ck_assert(pb.parked);
    /* a push of `awareness` by one is heard by the other */
    post(a, "[\"1\",\"2\",\"y:1\",\"awareness\",{\"x\":1}]");
    ck_assert(pb.woken);
    ck_assert_uint_eq(count(finish_poll(&pb, true), "awareness"), 1);
    begin_poll(&pa, a);
    ck_assert(pa.parked);
    /* one ends: the other hears of it */
    pass(20100);
    ck_assert(pa.woken);
    finish_poll(&pa, true);
}
END_TEST

static bool would_park(const char *query, const char *origin)
{
    struct http_head head = make_head(query, origin, NULL);
    return longpoll_would_park(lp, &head, &nobody);
}

/* A carrier may ask first. */
START_TEST(what_would_park_is_known)
{
    char query[256], other[256];
    static struct poll p;
    open_session(query);
    ck_assert(would_park(query, NULL));
    ck_assert(would_park(query, "https://good.example"));
    ck_assert(!would_park(query, "https://bad.example"));
    ck_assert(!would_park("vsn=2.0.0", NULL));
    ck_assert(!would_park("token=x", NULL));
    strcpy(other, query);
    other[strlen(other) - 5] ^= 1;
    ck_assert(!would_park(other, NULL));
    ck_assert_uint_eq(counters.value[COUNTER_REFUSED_TOKEN], 0);
    post(query, ASK("1"));
    ck_assert(!would_park(query, NULL));
    ck_assert(ANSWERS(poll_now(&p, query), "1"));
    ck_assert(would_park(query, NULL));
    begin_poll(&p, query);
    ck_assert(would_park(query, NULL)); /* in its place */
    pass(10100);
    finish_poll(&p, true);
    pass(20100); /* it dies */
    ck_assert(!would_park(query, NULL));
}
END_TEST

/* The carrier may find another place for it, at any time before the answer. */
START_TEST(a_poll_that_moves_is_the_same)
{
    char query[256];
    static struct poll first, second, third;
    open_session(query);
    begin_poll(&first, query);
    longpoll_move(&first.request, &second.request);
    second.parked = true;
    post(query, ASK("1"));
    ck_assert(second.woken && !first.woken);
    longpoll_move(&second.request, &third.request);
    ck_assert(ANSWERS(finish_poll(&third, true), "1"));
    longpoll_finish(lp, &first.request, false, NULL, now);
    longpoll_finish(lp, &second.request, false, NULL, now);
    /* decided, and then moved */
    begin_poll(&first, query);
    begin_poll(&second, query);
    ck_assert(first.woken);
    longpoll_move(&first.request, &third.request);
    ck_assert_int_eq(status_of(finish_poll(&third, true)), 204);
    post(query, ASK("2"));
    ck_assert(ANSWERS(finish_poll(&second, true), "2"));
}
END_TEST

START_TEST(a_poll_of_a_reaped_session_is_over)
{
    char query[256];
    static struct poll p;
    open_session(query);
    post(query, ASK("1"));
    begin_poll(&p, query);
    write_poll(&p);
    longpoll_end_some(lp, 1);
    longpoll_turn(lp, now); /* while the answer is under way */
    longpoll_finish(lp, &p.request, false, &p.link, now);
    ck_assert_ptr_null(p.link.session);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        opens_polls_and_answers,
        the_window_ends_with_204,
        the_newer_of_two_polls_gets_the_messages,
        what_was_not_written_comes_again_in_order,
        while_one_answer_is_under_way_no_other_is_given,
        a_reset_after_writing_brings_it_back,
        what_arrived_does_not_come_again,
        an_aborted_poll_leaves_the_session_alone,
        a_session_dies_without_polls_and_only_then,
        tokens_that_are_none,
        connects_that_are_refused,
        lines_of_every_kind,
        a_bad_line_ends_the_post_and_not_the_session,
        binary_lines_are_bounded,
        many_lines_are_all_handled,
        bytes_of_one_answer_are_bounded,
        a_full_queue_ends_the_session,
        ending_answers_every_poll_with_410,
        two_clients_in_one_room,
        what_would_park_is_known,
        a_poll_that_moves_is_the_same,
        a_poll_of_a_reaped_session_is_over,
    };
    Suite *suite = suite_create("longpoll");
    TCase *tcase = tcase_create("longpoll");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
