/* SPDX-License-Identifier: MIT */
/* Presence of large rooms, where those who come and go closely one after
 * another are told of together. What clients make of it is checked by a naive
 * copy of what phoenix.js does, and of more than it asks for: nothing is told
 * twice, and nobody leaves who was not there. */
#include "fake_carrier.h"

#include "suite.h"

enum { CLIENTS = 160, USERS = 100, METAS = 400, PER_MESSAGE = 400 };

struct meta {
    int user;
    char ref[17];
};

/* What one client knows. */
struct view {
    bool synced; /* has its state */
    struct meta metas[METAS];
    size_t n;
    size_t diffs, states;
};

static struct fake *clients[CLIENTS];
static struct view views[CLIENTS];

/* -------------------------------------------------------------- phoenix.js */

/* The metas between two places of a text; no user has two keys. */
static size_t read_metas(const char *p, const char *end, struct meta *out)
{
    bool seen[USERS] = {false};
    size_t n = 0;
    int user = -1;
    for (; p < end; p++) {
        if (strncmp(p, "\"u", 2) == 0) {
            user = atoi(p + 2);
            ck_assert_int_lt(user, USERS);
            ck_assert_msg(!seen[user], "u%d has two keys", user);
            seen[user] = true;
        } else if (strncmp(p, "phx_ref\":\"", 10) == 0) {
            ck_assert_int_ge(user, 0);
            ck_assert_uint_lt(n, PER_MESSAGE);
            out[n].user = user;
            memcpy(out[n].ref, p + 10, 16);
            out[n++].ref[16] = '\0';
        }
    }
    return n;
}

static struct meta *find_meta(struct view *v, const struct meta *m)
{
    for (size_t i = 0; i < v->n; i++)
        if (v->metas[i].user == m->user &&
            strcmp(v->metas[i].ref, m->ref) == 0)
            return &v->metas[i];
    return NULL;
}

static void on_diff(struct view *v, const char *text)
{
    struct meta joins[PER_MESSAGE], leaves[PER_MESSAGE];
    const char *from = strstr(text, "\"leaves\":"), *end = strchr(text, '\0');
    ck_assert_ptr_nonnull(from);
    size_t came = read_metas(text, from, joins);
    size_t left = read_metas(from, end, leaves);
    ck_assert_uint_gt(came + left, 0);
    v->diffs++;
    if (!v->synced) { /* all it can be told is what the state tells as well */
        ck_assert_uint_eq(left, 0);
        return;
    }
    for (size_t i = 0; i < came; i++) {
        ck_assert_msg(!find_meta(v, &joins[i]), "came twice");
        ck_assert_uint_lt(v->n, METAS);
        v->metas[v->n++] = joins[i];
    }
    for (size_t i = 0; i < left; i++) {
        struct meta *m = find_meta(v, &leaves[i]);
        ck_assert_msg(m, "left without having been there");
        *m = v->metas[--v->n];
    }
}

static void listen(int c)
{
    struct fake *f = clients[c];
    struct view *v = &views[c];
    for (; f->next < f->n; f->next++) {
        char text[64 * 1024];
        size_t len;
        const uint8_t *data = unframed(f->out[f->next], 0x81, &len);
        ck_assert_uint_lt(len, sizeof text);
        memcpy(text, data, len);
        text[len] = '\0';
        if (strstr(text, "\"presence_diff\"")) {
            on_diff(v, text);
        } else if (strstr(text, "\"presence_state\"")) {
            ck_assert(!v->synced);
            ck_assert_uint_eq(v->diffs, 1); /* its own came before */
            v->n = read_metas(text, text + len, v->metas);
            v->synced = true;
            v->states++;
        }
    }
    while (f->n)
        blob_unref(f->out[--f->n]);
    f->next = 0;
}

static void listen_all(void)
{
    for (int c = 0; c < CLIENTS; c++)
        if (clients[c])
            listen(c);
}

static void come(int c, int user)
{
    char name[16];
    snprintf(name, sizeof name, "u%d", user);
    clients[c] = fake_open(name);
    views[c] = (struct view){0};
    say(clients[c], "[\"1\",\"1\",\"t\",\"phx_join\",{}]");
}

static void go(int c)
{
    fake_gone(clients[c]);
    clients[c] = NULL;
}

/* A room of so many, quiet, everybody of which knows everybody. */
static void crowd(int n)
{
    world_open();
    memset(clients, 0, sizeof clients);
    for (int c = 0; c < n; c++) {
        come(c, c);
        world_pass(200);
    }
    listen_all();
    for (int c = 0; c < n; c++) {
        ck_assert_uint_eq(views[c].n, (size_t)n);
        views[c].diffs = 0;
    }
}

static void disperse(void)
{
    for (int c = 0; c < CLIENTS; c++)
        if (clients[c])
            go(c);
    world_close();
}

/* ------------------------------------------------------------------- tests */

START_TEST(in_a_quiet_large_room_all_is_told_at_once)
{
    crowd(50);
    come(50, 50);
    listen_all();
    ck_assert_uint_eq(views[0].diffs, 1);
    ck_assert_uint_eq(views[50].n, 51);
    world_pass(200);
    go(50);
    listen_all();
    ck_assert_uint_eq(views[0].diffs, 2);
    ck_assert_uint_eq(views[0].n, 50);
    ck_assert_uint_eq(counted(COUNTER_PRESENCE_TOGETHER), 0);
    disperse();
}
END_TEST

START_TEST(a_storm_is_told_together)
{
    crowd(50);
    for (int c = 50; c < 90; c++)
        come(c, c);
    listen_all();
    ck_assert_uint_eq(views[0].n, 51); /* the first of them, at once */
    ck_assert(views[50].synced);
    ck_assert(!views[51].synced);
    world_pass(100);
    listen_all();
    for (int c = 0; c < 90; c++) {
        ck_assert_uint_eq(views[c].n, 90);
        ck_assert_uint_eq(views[c].diffs, c > 50 ? 1 : 2);
    }
    ck_assert_uint_eq(counted(COUNTER_PRESENCE_TOGETHER), 39);
    for (int c = 50; c < 90; c++)
        go(c);
    world_pass(100);
    listen_all();
    ck_assert_uint_eq(views[0].n, 50);
    ck_assert_uint_le(views[0].diffs, 4);
    disperse();
}
END_TEST

START_TEST(who_comes_and_goes_within_a_window_was_never_there)
{
    crowd(50);
    come(50, 50);
    come(51, 51);
    go(51);
    world_pass(100);
    listen_all();
    ck_assert_uint_eq(views[0].diffs, 1); /* of the first */
    ck_assert_uint_eq(views[0].n, 51);
    disperse();
}
END_TEST

START_TEST(one_users_metas_are_told_under_one_key)
{
    crowd(50);
    come(50, 50);
    for (int c = 51; c < 60; c++)
        come(c, c % 2 ? 3 : 99); /* of one who is there, and of a new one */
    world_pass(100);
    listen_all();
    ck_assert_uint_eq(views[0].n, 60);
    ck_assert_uint_eq(views[55].n, 60);
    for (int c = 50; c < 60; c++)
        go(c);
    go(3);
    world_pass(100);
    listen_all();
    ck_assert_uint_eq(views[0].n, 49);
    disperse();
}
END_TEST

START_TEST(who_rejoins_in_a_storm_does_not_see_itself_leave)
{
    crowd(50);
    come(50, 50);
    listen_all();
    views[7].synced = false; /* a state is to come; see on_diff */
    views[7].diffs = 0;
    say(clients[7], "[\"2\",\"2\",\"t\",\"phx_join\",{}]");
    world_pass(100);
    listen_all();
    ck_assert_uint_eq(views[7].states, 2);
    ck_assert_uint_eq(views[7].n, 51);
    ck_assert_uint_eq(views[0].n, 51);
    disperse();
}
END_TEST

START_TEST(a_room_that_shrinks_or_ends_owes_nothing)
{
    crowd(50);
    come(50, 50);
    come(51, 51); /* untold */
    for (int c = 0; c < 45; c++)
        go(c);
    listen_all();
    ck_assert_uint_eq(views[50].n, 7);
    ck_assert_uint_eq(views[51].n, 7);
    disperse(); /* and nothing is left, see world_close */
}
END_TEST

START_TEST(a_rate_of_none_tells_all_at_once)
{
    crowd(50);
    world.options.limits.presence_rate = 0;
    world_limits();
    for (int c = 50; c < 60; c++)
        come(c, c);
    listen_all();
    ck_assert_uint_eq(views[0].diffs, 10);
    ck_assert_uint_eq(views[59].n, 60);
    disperse();
}
END_TEST

static void compare(const int *truth)
{
    for (int c = 0; c < CLIENTS; c++) {
        int seen[USERS] = {0};
        if (!clients[c])
            continue;
        ck_assert(views[c].synced);
        for (size_t i = 0; i < views[c].n; i++)
            seen[views[c].metas[i].user]++;
        ck_assert_mem_eq(seen, truth, sizeof seen);
    }
}

/* Random coming and going around the size from which on it is told together;
 * whenever it is quiet, everybody knows exactly who is there. */
START_TEST(everybody_knows_who_is_there)
{
    enum { STEPS = 6000 };
    int truth[USERS] = {0}, user_of[CLIENTS] = {0};
    uint32_t seed = 11;
    world_open();
    memset(clients, 0, sizeof clients);
    world.options.limits.presence_rate = 400;
    world_limits();
    for (int step = 0; step < STEPS; step++) {
        seed = seed * 1664525 + 1013904223;
        int c = (int)(seed >> 8) % CLIENTS;
        bool grow = (step / 700) % 2 == 0;
        if (clients[c] && (!grow || (seed >> 4 & 3) == 0)) {
            truth[user_of[c]]--;
            go(c);
        } else if (!clients[c] && (grow || (seed >> 4 & 3) == 0)) {
            user_of[c] = (int)(seed >> 16) % USERS;
            truth[user_of[c]]++;
            come(c, user_of[c]);
        }
        if (seed >> 28 == 0)
            world_pass(seed >> 20 & 127);
        if (step % 50 == 0)
            listen_all();
        if (step % 400 == 399) {
            world_pass(2000);
            listen_all();
            compare(truth);
        }
    }
    ck_assert_uint_gt(counted(COUNTER_PRESENCE_TOGETHER), STEPS / 4);
    disperse();
}
END_TEST

SUITE_MAIN("presence", in_a_quiet_large_room_all_is_told_at_once,
           a_storm_is_told_together,
           who_comes_and_goes_within_a_window_was_never_there,
           one_users_metas_are_told_under_one_key,
           who_rejoins_in_a_storm_does_not_see_itself_leave,
           a_room_that_shrinks_or_ends_owes_nothing,
           a_rate_of_none_tells_all_at_once, everybody_knows_who_is_there)
