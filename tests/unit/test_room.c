/* SPDX-License-Identifier: MIT */
/* Rooms without their documents: presence, the application's awareness, the
 * life of a room, what operators read. */
#include <unistd.h>

#include "fake_carrier.h"

#include "suite.h"

#define META "{\"online_at\":\"1700000000\",\"phx_ref\":\"*\"}"
#define JOINED(topic, user)                                                    \
    "[null,null,\"" topic "\",\"presence_diff\",{\"joins\":{\"" user           \
    "\":{\"metas\":[" META "]}},\"leaves\":{}}]"
#define LEFT(topic, user)                                                      \
    "[null,null,\"" topic                                                      \
    "\",\"presence_diff\",{\"joins\":{},\"leaves\":{\"" user                   \
    "\":{\"metas\":[" META "]}}}]"

/* The presence_state that `f` gets on joining `topic` now. */
static char *state_of(struct fake *f, const char *topic)
{
    joined(f, topic);
    f->next = f->n - 1;
    return next_text(f);
}

START_TEST(everybody_hears_who_comes_and_goes)
{
    world_open();
    struct fake *a = fake_open("ada"), *b = fake_open("bob");
    joined(a, "t");
    joined(b, "t");
    hears(a, JOINED("t", "bob"));
    hears_nothing(a);
    fake_gone(b);
    hears(a, LEFT("t", "bob"));
    hears_nothing(a);
    fake_gone(a);
    world_close();
}
END_TEST

START_TEST(a_user_may_have_several_metas)
{
    world_open();
    struct fake *a = fake_open("ada"), *a2 = fake_open("ada");
    struct fake *b = fake_open("bob"), *a3 = fake_open("ada");
    joined(a, "t");
    joined(a2, "t");
    hears(a, JOINED("t", "ada")); /* only the new meta */
    char *state = state_of(b, "t");
    ck_assert_str_eq(state, "[\"1\",null,\"t\",\"presence_state\",{\"ada\":{"
                            "\"metas\":[" META "," META "]},\"bob\":{"
                            "\"metas\":[" META "]}}]");
    free(state);
    fake_gone(a); /* the first of the user's goes, the second stands in */
    hears(b, LEFT("t", "ada"));
    state = state_of(a3, "t");
    ck_assert_str_eq(state, "[\"1\",null,\"t\",\"presence_state\",{\"ada\":{"
                            "\"metas\":[" META "," META "]},\"bob\":{"
                            "\"metas\":[" META "]}}]");
    free(state);
    fake_gone(a2);
    fake_gone(a3);
    fake_gone(b);
    world_close();
}
END_TEST

/* The refs of a text, in order. */
static size_t refs_of(const struct fake *f, size_t from, size_t to,
                      char (*refs)[17], size_t max)
{
    size_t n = 0;
    for (size_t i = from; i < to; i++) {
        const char *p = (const char *)f->out[i]->data;
        const char *end = p + f->out[i]->len;
        while ((p = memmem(p, (size_t)(end - p), "phx_ref\":\"", 10))) {
            ck_assert_uint_lt(n, max);
            memcpy(refs[n], p + 10, 16);
            refs[n++][16] = '\0';
            p += 26;
        }
    }
    return n;
}

START_TEST(a_ref_names_one_meta_in_diff_state_and_leave)
{
    world_open();
    struct fake *a = fake_open("ada"), *b = fake_open("bob");
    char refs[8][17], left[2][17];
    joined(a, "t");
    ck_assert_uint_eq(refs_of(a, 0, a->n, refs, 8), 2);
    ck_assert_str_eq(refs[0], refs[1]);
    joined(b, "t");
    ck_assert_uint_eq(refs_of(b, 0, b->n, refs, 8), 3);
    ck_assert_str_eq(refs[0], refs[2]); /* own diff, ada, own state */
    ck_assert_str_ne(refs[0], refs[1]);
    fake_gone(b);
    ck_assert_uint_eq(refs_of(a, a->n - 1, a->n, left, 2), 1);
    ck_assert_str_eq(left[0], refs[0]);
    fake_gone(a);
    world_close();
}
END_TEST

/* ------------------------------------------------- large rooms: the cache */

/* The users of a presence_state with the number of their metas, as a string
 * that does not depend on the order: "u1:2 u7:1 ". Parsed naively. */
static void summarize(const char *state, int *metas, int users)
{
    memset(metas, 0, (size_t)users * sizeof *metas);
    for (const char *p = state; (p = strstr(p, "\"u")); p++) {
        int user = atoi(p + 2), n = 0;
        ck_assert_int_lt(user, users);
        ck_assert_int_eq(metas[user], 0); /* no user twice */
        const char *end = strstr(p, "]}");
        ck_assert_ptr_nonnull(end);
        for (const char *m = p; (m = strstr(m, "phx_ref")) && m < end; m++)
            n++;
        metas[user] = n;
    }
}

/* Random coming and going around the size at which a room begins to keep
 * text and index, against a count that tells the truth. */
START_TEST(the_kept_state_is_the_state)
{
    enum { CLIENTS = 120, USERS = 90, STEPS = 4000 };
    static struct fake *clients[CLIENTS];
    static int user_of[CLIENTS];
    int truth[USERS] = {0}, seen[USERS];
    uint32_t seed = 7;
    world_open();
    world.options.limits.presence_rate = 0; /* a state to each at once */
    world_limits();
    memset(clients, 0, sizeof clients);
    for (int step = 0; step < STEPS; step++) {
        seed = seed * 1664525 + 1013904223;
        int i = (int)(seed >> 8) % CLIENTS;
        bool grow = (step / 500) % 2 == 0 || (seed >> 4 & 7) == 0;
        if (clients[i]) {
            if (grow && (seed & 0x70000000))
                continue;
            truth[user_of[i]]--;
            fake_gone(clients[i]);
            clients[i] = NULL;
        } else if (grow) {
            char name[16];
            user_of[i] = (int)(seed >> 16) % USERS;
            snprintf(name, sizeof name, "u%d", user_of[i]);
            clients[i] = fake_open(name);
            truth[user_of[i]]++;
            char *state = state_of(clients[i], "t");
            summarize(state, seen, USERS);
            ck_assert_mem_eq(seen, truth, sizeof truth);
            struct fake *f = clients[i];
            size_t len;
            const uint8_t *text = unframed(f->out[f->n - 1], 0x81, &len);
            ck_assert(text[len - 1] == ']');
            free(state);
        }
        for (int c = 0; c < CLIENTS; c++)
            if (clients[c] && clients[c]->n > FAKE_OUT_MAX / 2)
                while (clients[c]->n)
                    blob_unref(clients[c]->out[--clients[c]->n]);
        if (step % 97 == 0)
            world_pass(step % 2 ? 2000 : 100); /* caches are given back */
    }
    for (int c = 0; c < CLIENTS; c++)
        if (clients[c])
            fake_gone(clients[c]);
    world_close();
}
END_TEST

/* ------------------------------------------------- the application's own */

START_TEST(json_awareness_is_relayed_as_it_is)
{
    world_open();
    struct fake *a = fake_open("ada"), *b = fake_open("bob");
    struct fake *c = fake_open_as(WIRE_WS_V1, "cay"), *y = fake_open("yan");
    joined(a, "t");
    joined(b, "t");
    say(c, "{\"topic\":\"t\",\"event\":\"phx_join\",\"payload\":{},\"ref\":"
           "\"1\"}");
    joined(y, "t");
    SAY_YJS(y, "1", "2", "t", "yjs", 3);
    forget(a);
    forget(b);
    forget(c);
    forget(y);
    say(a, "[\"1\",\"2\",\"t\",\"awareness\", { \"x\" : [1.50, \"\\ud83d\"] }"
           " ]");
    hears_nothing(a); /* no reply, no echo */
    hears(b, "[null,null,\"t\",\"awareness\",{ \"x\" : [1.50, \"\\ud83d\"] }"
             "]");
    hears_class(b, MESSAGE_AWARENESS);
    hears(c, "{\"topic\":\"t\",\"event\":\"awareness\",\"payload\":{ \"x\" : "
             "[1.50, \"\\ud83d\"] },\"ref\":null}");
    hears(y, "[null,null,\"t\",\"awareness\",{ \"x\" : [1.50, \"\\ud83d\"] }"
             "]"); /* y-protocols or not */
    world.options.limits.awareness_state_bytes = 10;
    world_limits();
    say(a, "[\"1\",\"3\",\"t\",\"awareness\",\"0123456789\"]");
    hears(a, "[\"1\",\"3\",\"t\",\"phx_reply\",{\"status\":\"error\","
             "\"response\":{\"reason\":\"awareness too large\"}}]");
    say_binary(a, "1", "4", "t", "awareness", "\1", 1);
    hears(a, "[\"1\",\"4\",\"t\",\"phx_reply\",{\"status\":\"error\","
             "\"response\":{\"reason\":\"JSON expected\"}}]");
    hears_nothing(b);
    fake_gone(a);
    fake_gone(b);
    fake_gone(c);
    fake_gone(y);
    world_close();
}
END_TEST

/* ------------------------------------------------------------------- life */

START_TEST(an_empty_room_ends_after_its_time)
{
    world_open();
    struct fake *a = fake_open("ada");
    joined(a, "t");
    world_pass(200000);
    ck_assert_uint_eq(registry_rooms(world.env.rooms), 1);
    say(a, "[\"1\",\"2\",\"t\",\"phx_leave\",{}]");
    world_pass(59900);
    ck_assert_uint_eq(registry_rooms(world.env.rooms), 1);
    joined(a, "t"); /* in time: kept */
    world_pass(100000);
    ck_assert_uint_eq(registry_rooms(world.env.rooms), 1);
    ck_assert_uint_eq(counted(COUNTER_ROOMS_CREATED), 1);
    fake_gone(a);
    world_pass(59900);
    ck_assert_uint_eq(registry_rooms(world.env.rooms), 1);
    world_pass(200);
    ck_assert_uint_eq(registry_rooms(world.env.rooms), 0);
    ck_assert_uint_eq(counted(COUNTER_ROOMS), 0);
    ck_assert_uint_eq(counted(COUNTER_ROOMS_ENDED), 1);
    world_close();
}
END_TEST

START_TEST(a_draining_server_tells_nobody_who_leaves)
{
    world_open();
    struct fake *a = fake_open("ada"), *b = fake_open("bob");
    joined(a, "t");
    joined(b, "t");
    forget(a);
    registry_drain(world.env.rooms);
    fake_gone(b);
    hears_nothing(a);
    fake_gone(a);
    world_close();
}
END_TEST

static char *read_log(FILE *file)
{
    static char text[16384];
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    return text;
}

START_TEST(operators_find_their_lines)
{
    FILE *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    world_open();
    world.options.limits.empty_ms = 100;
    world_limits();
    log_set_fd(fileno(file));
    struct fake *a = fake_open("ada"), *b = fake_open("bob");
    joined(a, "room:plan 9");
    joined(b, "room:plan 9");
    SAY_YJS(b, "1", "2", "room:plan 9", "yjs", 0, 2, 5, 1);
    fake_gone(a);
    fake_gone(b);
    world_pass(200);
    log_set_fd(-1);
    const char *log = read_log(file);
    ck_assert_ptr_nonnull(strstr(log, "info    room created room=\"room:plan "
                                      "9\"\n"));
    ck_assert_ptr_nonnull(strstr(log, "info    user joined room=\"room:plan 9\""
                                      " user=bob count=2\n"));
    ck_assert_ptr_nonnull(strstr(log, "info    client joined room:plan?9 room="
                                      "\"room:plan 9\" connection="));
    ck_assert_ptr_nonnull(strstr(log, "info    connection left room="
                                      "\"room:plan 9\" user=bob connection="));
    ck_assert_ptr_nonnull(strstr(log, "info    shutting down empty room room="
                                      "\"room:plan 9\"\n"));
    ck_assert_ptr_nonnull(strstr(log, "warning message rejected room="));
    fclose(file);
    world_close();
}
END_TEST

START_TEST(warnings_are_bounded)
{
    FILE *file = tmpfile();
    size_t lines = 0;
    world_open();
    struct fake *a = fake_open("ada");
    joined(a, "t");
    log_set_fd(fileno(file));
    for (int i = 0; i < 1000; i++) {
        SAY_YJS(a, "1", "2", "t", "yjs", 9);
        ck_assert_uint_eq(a->n - a->next, 1); /* each has its reply */
        forget(a);
    }
    world_pass(1500);
    log_set_fd(-1);
    const char *log = read_log(file);
    ck_assert_ptr_nonnull(strstr(log, "warnings left out count=950"));
    for (; (log = strchr(log, '\n')); log++)
        lines++;
    ck_assert_uint_eq(lines, 51);
    fclose(file);
    fake_gone(a);
    world_close();
}
END_TEST

SUITE_MAIN("room", everybody_hears_who_comes_and_goes,
           a_user_may_have_several_metas,
           a_ref_names_one_meta_in_diff_state_and_leave,
           the_kept_state_is_the_state, json_awareness_is_relayed_as_it_is,
           an_empty_room_ends_after_its_time,
           a_draining_server_tells_nobody_who_leaves,
           operators_find_their_lines, warnings_are_bounded)
