/* SPDX-License-Identifier: MIT */
/* Documents at rest: nobody may notice but the memory. The updates are those
 * of test_sync.c. */
#include "fake_carrier.h"

#include "fail_alloc.h"
#include "suite.h"

#define HELLO "[1,1,1,0,4,1,5,110,111,116,101,115,5,104,101,108,108,111,0]"
#define WORLD "[1,1,1,5,132,1,4,6,32,119,111,114,108,100,0]"
#define X     "[1,1,2,0,68,1,0,1,88,0]"
#define ALL                                                                    \
    "[2,1,2,0,68,1,0,1,88,1,1,0,4,1,5,110,111,116,101,115,11,104,101,108,108," \
    "111,32,119,111,114,108,100,0]"
#define UPDATE(ints)  "[\"1\",\"2\",\"room:a\",\"update\",{\"data\":" ints "}]"
#define UPDATED(ints) "[null,null,\"room:a\",\"update\",{\"data\":" ints "}]"

enum { REST_MS = 5000, HELLO_BYTES = 19 };

static struct fake *app(const char *user)
{
    struct fake *f = fake_open(user);
    joined(f, "room:a");
    forget(f);
    return f;
}

static void state_is(const char *ints)
{
    struct fake *f = fake_open("late");
    char text[600];
    say(f, "[\"7\",\"7\",\"room:a\",\"phx_join\",{}]");
    snprintf(text, sizeof text,
             "[\"7\",\"7\",\"room:a\",\"phx_reply\",{\"status\":\"ok\","
             "\"response\":{\"state\":%s}}]",
             ints);
    hears(f, text);
    fake_gone(f);
}

static uint64_t resting(void)
{
    return counted(COUNTER_DOCUMENTS_RESTING);
}

START_TEST(a_quiet_document_rests_until_it_is_needed)
{
    world_open();
    struct fake *a = app("ada"), *b = app("bob");
    say(a, UPDATE(HELLO));
    uint64_t open = counted(COUNTER_DOCUMENT_BYTES);
    world_pass(REST_MS - 200);
    ck_assert_uint_eq(resting(), 0);
    world_pass(400);
    ck_assert_uint_eq(resting(), 1);
    ck_assert_uint_eq(counted(COUNTER_DOCUMENT_BYTES), HELLO_BYTES);
    ck_assert_uint_gt(open, 10 * HELLO_BYTES);

    forget(b);
    say(a, UPDATE(X)); /* it takes updates as if nothing had been */
    hears(b, UPDATED(X));
    ck_assert_uint_eq(resting(), 0);
    world_pass(REST_MS + 200);
    ck_assert_uint_eq(resting(), 1);
    forget(a);
    say(b, UPDATE(HELLO)); /* known: not relayed */
    hears_nothing(a);
    world_pass(REST_MS + 200);
    say(b, UPDATE(WORLD));
    world_pass(REST_MS + 200);
    ck_assert_uint_eq(resting(), 1);
    state_is(ALL); /* who joins is given it all */
    ck_assert_uint_eq(resting(), 0);
    world_pass(REST_MS + 200);
    ck_assert_uint_eq(resting(), 1);
    ck_assert_uint_eq(counted(COUNTER_DOCUMENTS_RESTED), 5);
    fake_gone(a);
    fake_gone(b);
    world_close();
    ck_assert_uint_eq(resting(), 0);
}
END_TEST

START_TEST(step1_wakes_a_document)
{
    static const uint8_t hello_known[] = {0, 1, 2, 0, 0};
    static const uint8_t step1[] = {0, 0, 3, 1, 1, 5};
    world_open();
    struct fake *a = app("ada"), *y = app("yan");
    say(a, UPDATE(HELLO));
    world_pass(REST_MS + 200);
    ck_assert_uint_eq(resting(), 1);
    forget(y);
    SAY_YJS(y, "1", "9", "room:a", "yjs", 0, 0, 3, 1, 1, 5);
    hears_yjs(y, "1", "room:a", hello_known, sizeof hello_known);
    hears_yjs(y, "1", "room:a", step1, sizeof step1);
    ck_assert_uint_eq(resting(), 0);
    fake_gone(a);
    fake_gone(y);
    world_close();
}
END_TEST

START_TEST(a_document_in_use_does_not_rest)
{
    world_open();
    struct fake *a = app("ada");
    for (int i = 0; i < 5; i++) {
        say(a, UPDATE(HELLO));
        world_pass(REST_MS - 1000);
    }
    ck_assert_uint_eq(counted(COUNTER_DOCUMENTS_RESTED), 0);
    fake_gone(a);
    world_close();
}
END_TEST

/* X refers to HELLO, which is not there. */
START_TEST(what_waits_for_updates_does_not_rest)
{
    world_open();
    struct fake *a = app("ada");
    say(a, UPDATE(X));
    world_pass(3 * REST_MS);
    ck_assert_uint_eq(resting(), 0);
    say(a, UPDATE(HELLO));
    world_pass(REST_MS + 200);
    ck_assert_uint_eq(resting(), 1);
    say(a, UPDATE(WORLD));
    state_is(ALL);
    fake_gone(a);
    world_close();
}
END_TEST

START_TEST(large_documents_never_rest)
{
    world_open();
    world.options.limits.rest_bytes = 100;
    world_limits();
    struct fake *a = app("ada");
    say(a, UPDATE(HELLO));
    world_pass(3 * REST_MS);
    ck_assert_uint_eq(counted(COUNTER_DOCUMENTS_RESTED), 0);
    world.options.limits.rest_bytes = 100000;
    world.options.limits.rest_ms = 0;
    world_limits();
    say(a, UPDATE(WORLD));
    world_pass(3 * REST_MS);
    ck_assert_uint_eq(counted(COUNTER_DOCUMENTS_RESTED), 0);
    fake_gone(a);
    world_close();
}
END_TEST

START_TEST(a_room_ends_with_its_document_at_rest)
{
    world_open();
    struct fake *a = app("ada");
    say(a, UPDATE(HELLO));
    fake_gone(a);
    world_pass(REST_MS + 200);
    ck_assert_uint_eq(resting(), 1);
    world_pass(61000);
    ck_assert_uint_eq(registry_rooms(world.env.rooms), 0);
    ck_assert_uint_eq(resting(), 0);
    world_close();
}
END_TEST

/* Memory ends while a document goes to rest, and while an update wakes it: the
 * update is refused, and the document is what it was. */
START_TEST(a_document_is_never_between_rest_and_use)
{
    struct fail_alloc fa = {0};
    struct yjs_allocator alloc = fail_alloc_hook(&fa);
    bool refused = true;
    for (size_t n = 1; refused; n++) {
        world_open();
        registry_free(world.env.rooms);
        world.options.alloc = &alloc;
        world.env.rooms = registry_new(&world.options);
        struct fake *a = app("ada");
        say(a, UPDATE(HELLO));
        fa.fail_in = n % 3 + 1;
        world_pass(REST_MS + 200);
        fa.fail_in = 0;
        say(a, UPDATE(HELLO));
        world_pass(REST_MS + 200);
        ck_assert_uint_eq(resting(), 1);
        fa.fail_in = n;
        say(a, UPDATE(WORLD));
        refused = fa.fail_in == 0;
        fa.fail_in = 0;
        ck_assert(!refused || n < 100);
        if (refused)
            say(a, UPDATE(WORLD));
        say(a, UPDATE(X));
        state_is(ALL);
        ck_assert_uint_eq(counted(COUNTER_ROOMS_FAILED), 0);
        fake_gone(a);
        world_close();
        ck_assert_uint_eq(fa.blocks, 0);
    }
}
END_TEST

SUITE_MAIN("rest", a_quiet_document_rests_until_it_is_needed,
           step1_wakes_a_document, a_document_in_use_does_not_rest,
           what_waits_for_updates_does_not_rest, large_documents_never_rest,
           a_room_ends_with_its_document_at_rest,
           a_document_is_never_between_rest_and_use)
