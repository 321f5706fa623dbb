/* SPDX-License-Identifier: MIT */
/* Several sessions in one room with a real document: both protocols, late
 * joiners, refusals, awareness, a room that fails. The updates were made by
 * npm yjs 13.6.33: client 1 writes "hello" and then " world" into the text
 * "notes"; client 2, who knows only "hello", writes "X" in front of it. */
#include "fake_carrier.h"

#include "suite.h"
#include "yjs.h"

static const uint8_t hello[] = {1,   1,   1, 0,   4,   1,   5,   110, 111, 116,
                                101, 115, 5, 104, 101, 108, 108, 111, 0};
static const uint8_t world_[] = {1,  1,   1,   5,   132, 1,   4, 6,
                                 32, 119, 111, 114, 108, 100, 0};
static const uint8_t x[] = {1, 1, 2, 0, 68, 1, 0, 1, 88, 0};
static const uint8_t all[] = {2,   1,   2,   0,   68,  1,   0,   1,   88,
                              1,   1,   0,   4,   1,   5,   110, 111, 116,
                              101, 115, 11,  104, 101, 108, 108, 111, 32,
                              119, 111, 114, 108, 100, 0};

#define HELLO "[1,1,1,0,4,1,5,110,111,116,101,115,5,104,101,108,108,111,0]"
#define WORLD "[1,1,1,5,132,1,4,6,32,119,111,114,108,100,0]"
#define X     "[1,1,2,0,68,1,0,1,88,0]"
#define ALL                                                                    \
    "[2,1,2,0,68,1,0,1,88,1,1,0,4,1,5,110,111,116,101,115,11,104,101,108,108," \
    "111,32,119,111,114,108,100,0]"
#define ROOM          "room:a"
#define UPDATE(ints)                                                           \
    "[\"1\",\"2\",\"" ROOM "\",\"update\",{\"data\":" ints "}]"
#define UPDATED(ints) "[null,null,\"" ROOM "\",\"update\",{\"data\":" ints "}]"
#define REFUSED(ref, reason)                                                   \
    "[\"1\",\"" ref "\",\"" ROOM "\",\"phx_reply\",{\"status\":\"error\","     \
    "\"response\":{\"reason\":\"" reason "\"}}]"

/* A y-message: head bytes, length, body (all short). */
static int say_y(struct fake *f, const char *event, int type, int sync,
                 const uint8_t *body, size_t len)
{
    uint8_t m[512];
    size_t at = 0;
    ck_assert_uint_lt(len, 128);
    m[at++] = (uint8_t)type;
    if (type == 0)
        m[at++] = (uint8_t)sync;
    m[at++] = (uint8_t)len;
    memcpy(m + at, body, len);
    return say_binary(f, "1", "9", ROOM, event, m, at + len);
}

static void hears_y(struct fake *f, bool push, int type, int sync,
                    const uint8_t *body, size_t len)
{
    uint8_t m[512];
    size_t at = 0;
    ck_assert_uint_lt(len, 128);
    m[at++] = (uint8_t)type;
    if (type == 0)
        m[at++] = (uint8_t)sync;
    m[at++] = (uint8_t)len;
    memcpy(m + at, body, len);
    hears_yjs(f, push ? "1" : NULL, ROOM, m, at + len);
}

#define SYNC(f, sync, bytes)                                                   \
    ck_assert_int_eq(say_y(f, "yjs_sync", 0, sync, bytes, sizeof bytes), 0)

static const uint8_t nothing_known[] = {0};

/* A member that speaks y-protocols, with all it was sent forgotten. */
static struct fake *provider(const char *user)
{
    struct fake *f = fake_open(user);
    joined(f, ROOM);
    SYNC(f, 0, nothing_known);
    forget(f);
    return f;
}

static struct fake *app(const char *user)
{
    struct fake *f = fake_open(user);
    joined(f, ROOM);
    return f;
}

/* What a late joiner of the application's protocol is given. */
static void state_is(const char *ints)
{
    struct fake *f = fake_open("late");
    char text[600];
    say(f, "[\"7\",\"7\",\"" ROOM "\",\"phx_join\",{}]");
    snprintf(text, sizeof text,
             "[\"7\",\"7\",\"" ROOM "\",\"phx_reply\",{\"status\":\"ok\","
             "\"response\":{\"state\":%s}}]",
             ints);
    hears(f, text);
    fake_gone(f);
}

/* -------------------------------------------------------------- documents */

START_TEST(updates_are_merged_and_relayed)
{
    world_open();
    struct fake *a = app("ada"), *b = app("bob"), *y = provider("yan");
    forget(a);
    forget(b);
    say(a, UPDATE(HELLO));
    hears_nothing(a); /* no reply, no echo */
    hears(b, UPDATED(HELLO));
    hears_class(b, MESSAGE_DOCUMENT);
    hears_y(y, false, 0, 2, hello, sizeof hello);
    hears_class(y, MESSAGE_DOCUMENT);
    say_y(y, "yjs", 0, 2, x, sizeof x);
    hears(a, UPDATED(X));
    hears(b, UPDATED(X));
    say(b, "[null,null,\"" ROOM "\",\"update\", {\"x\":1, \"data\" : [1, 1,1,"
           "5,132,1,4,6,32,119,111,114,108,100,0 ] }]");
    hears(a, UPDATED(WORLD)); /* the bytes, not the spelling */
    hears_y(y, false, 0, 2, world_, sizeof world_);
    state_is(ALL);
    forget(a);
    forget(b);
    forget(y);
    say(a, UPDATE(X)); /* known: not relayed */
    hears_nothing(a);
    hears_nothing(b);
    hears_nothing(y);
    ck_assert_uint_eq(counted(COUNTER_UPDATES_APPLIED), 3);
    ck_assert_uint_eq(counted(COUNTER_UPDATES_UNCHANGED), 1);
    ck_assert_uint_gt(counted(COUNTER_DOCUMENT_BYTES), 0);
    fake_gone(a);
    fake_gone(b);
    fake_gone(y);
    state_is(ALL); /* and after everybody left */
    world_close();
}
END_TEST

START_TEST(step1_is_answered_in_order)
{
    static const uint8_t nothing[] = {0, 0}, known_hello[] = {1, 1, 5};
    static const uint8_t everything[] = {2, 2, 1, 1, 11};
    static const uint8_t ada[] = {1,   7,  1,  14, 123, 34,  110, 97, 109,
                                  101, 34, 58, 34, 97,  100, 97,  34, 125};
    static const uint8_t none[] = {0};
    world_open();
    struct fake *a = app("ada"), *y = app("yan"), *z = provider("zoe");
    forget(y);
    SYNC(y, 0, nothing_known); /* empty: step2 all the same, no awareness */
    hears_y(y, true, 0, 1, nothing, sizeof nothing);
    hears_y(y, true, 0, 0, none, sizeof none);
    hears_nothing(y);
    say(a, UPDATE(HELLO));
    say(a, UPDATE(WORLD));
    say(a, UPDATE(X));
    say_y(z, "yjs", 1, 0, ada, sizeof ada);
    forget(y);
    SYNC(y, 0, known_hello);
    static const uint8_t rest[] = {2,  1,   2,   0,   68,  1,   0, 1,
                                   88, 1,   1,   5,   132, 1,   4, 6,
                                   32, 119, 111, 114, 108, 100, 0};
    hears_y(y, true, 0, 1, rest, sizeof rest);
    hears_class(y, MESSAGE_DOCUMENT);
    hears_y(y, true, 0, 0, everything, sizeof everything);
    hears_y(y, true, 1, 0, ada, sizeof ada);
    hears_class(y, MESSAGE_CONTROL);
    hears_nothing(y);
    SYNC(y, 0, everything); /* up to date */
    hears_y(y, true, 0, 1, nothing, sizeof nothing);
    forget(y);
    SYNC(y, 0, nothing_known);
    hears_y(y, true, 0, 1, all, sizeof all);
    forget(y);
    SAY_YJS(y, "1", "3", ROOM, "yjs", 3); /* query */
    hears_y(y, true, 1, 0, ada, sizeof ada);
    hears_nothing(y);
    fake_gone(a);
    fake_gone(y);
    fake_gone(z);
    world_close();
}
END_TEST

/* A step2 is relayed as an update: only our own answer may set `synced`. */
START_TEST(a_step2_is_taken_and_relayed_as_an_update)
{
    world_open();
    struct fake *y = provider("yan"), *z = provider("zoe"), *a = app("ada");
    forget(y);
    forget(z);
    SYNC(y, 1, hello);
    hears_nothing(y);
    hears_y(z, false, 0, 2, hello, sizeof hello);
    hears(a, UPDATED(HELLO));
    SYNC(z, 1, hello);
    hears_nothing(y);
    hears_nothing(z);
    fake_gone(y);
    fake_gone(z);
    fake_gone(a);
    world_close();
}
END_TEST

START_TEST(malformed_updates_change_nothing)
{
    world_open();
    struct fake *a = app("ada"), *b = app("bob"), *y = provider("yan");
    forget(a);
    forget(b);
    say(a, UPDATE(HELLO));
    forget(b);
    forget(y);
    say(a, UPDATE("[1,1,1]"));
    hears(a, REFUSED("2", "malformed update"));
    hears_class(a, MESSAGE_CONTROL);
    say(a, UPDATE("[]"));
    hears(a, REFUSED("2", "malformed update"));
    say(a, UPDATE("[256]"));
    hears(a, REFUSED("2", "bytes expected"));
    say(a, UPDATE("\"x\""));
    hears(a, REFUSED("2", "bytes expected"));
    say(a, "[\"1\",\"2\",\"" ROOM "\",\"update\",{}]");
    hears(a, REFUSED("2", "bytes expected"));
    say(a, "[\"1\",\"2\",\"" ROOM "\",\"update\",null]");
    hears(a, REFUSED("2", "bytes expected"));
    SAY_YJS(y, "1", "3", ROOM, "yjs", 0, 2, 3, 1, 1, 1);
    hears(y, REFUSED("3", "malformed update"));
    SAY_YJS(y, "1", "4", ROOM, "yjs", 0, 2, 30, 1, 1, 1);
    hears(y, REFUSED("4", "malformed message"));
    SAY_YJS(y, "1", "5", ROOM, "yjs", 0, 0, 2, 255, 255);
    hears(y, REFUSED("5", "malformed message"));
    SAY_YJS(y, "1", "6", ROOM, "yjs", 4);
    hears(y, REFUSED("6", "unsupported message"));
    SAY_YJS(y, "1", "7", ROOM, "yjs", 2, 0, 0);
    hears(y, REFUSED("7", "unsupported message"));
    SAY_YJS(y, "1", "8", ROOM, "yjs", 1, 2, 1, 7);
    hears(y, REFUSED("8", "malformed awareness"));
    hears_nothing(a);
    hears_nothing(b);
    hears_nothing(y);
    state_is(HELLO);
    ck_assert_uint_eq(counted(COUNTER_UPDATES_REJECTED), 7);
    ck_assert_uint_eq(counted(COUNTER_UNREADABLE), 4);
    ck_assert_uint_eq(counted(COUNTER_AWARENESS_REJECTED), 1);
    fake_gone(a);
    fake_gone(b);
    fake_gone(y);
    world_close();
}
END_TEST

/* What comes too early is relayed, kept, given to late joiners, and a member
 * that can be asked is asked for what is missing. */
START_TEST(early_updates_wait)
{
    static const uint8_t none[] = {0};
    world_open();
    struct fake *a = app("ada"), *b = app("bob"), *y = provider("yan");
    forget(a);
    forget(b);
    say_y(y, "yjs", 0, 2, world_, sizeof world_);
    hears(a, UPDATED(WORLD));
    hears_y(y, true, 0, 0, none, sizeof none); /* our step1 */
    hears_nothing(y);
    state_is(WORLD);
    forget(a);
    forget(b);
    forget(y);
    say_y(y, "yjs", 0, 2, world_, sizeof world_); /* known to wait */
    hears_nothing(a);
    hears_nothing(y);
    say_y(y, "yjs", 0, 2, x, sizeof x); /* early too, but asked just now */
    hears(a, UPDATED(X));
    hears_nothing(y);
    SYNC(y, 1, hello);
    hears_nothing(y);
    forget(b);
    state_is(ALL);
    fake_gone(a);
    fake_gone(b);
    fake_gone(y);
    world_close();
}
END_TEST

START_TEST(version_1_speaks_y_protocols_in_integers)
{
    world_open();
    struct fake *o = fake_open_as(WIRE_WS_V1, "old"), *a = app("ada");
    say(o, "{\"topic\":\"" ROOM "\",\"event\":\"phx_join\",\"payload\":{},"
           "\"ref\":\"1\"}");
    forget(a);
    forget(o);
    say(o, "{\"topic\":\"" ROOM "\",\"event\":\"yjs_sync\",\"payload\":"
           "[0,0,1,0],\"ref\":\"2\"}");
    hears(o, "{\"topic\":\"" ROOM "\",\"event\":\"yjs\",\"payload\":"
             "[0,1,2,0,0],\"ref\":null}");
    hears(o, "{\"topic\":\"" ROOM "\",\"event\":\"yjs\",\"payload\":"
             "[0,0,1,0],\"ref\":null}");
    say(a, UPDATE(X));
    hears(o, "{\"topic\":\"" ROOM "\",\"event\":\"yjs\",\"payload\":"
             "[0,2,10,1,1,2,0,68,1,0,1,88,0],\"ref\":null}");
    say(o, "{\"topic\":\"" ROOM "\",\"event\":\"yjs\",\"payload\":"
           "{\"data\":[0,2,10,1,1,2,0,68,1,0,1,88]},\"ref\":\"3\"}");
    hears(o, "{\"topic\":\"" ROOM "\",\"event\":\"phx_reply\",\"payload\":{"
             "\"status\":\"error\",\"response\":{\"reason\":\"malformed "
             "message\"}},\"ref\":\"3\"}");
    fake_gone(o);
    fake_gone(a);
    world_close();
}
END_TEST

START_TEST(long_poll_gets_bytes_it_can_read)
{
    world_open();
    struct fake *l = fake_open_as(WIRE_LP_V2, "lea"), *a = app("ada");
    struct fake *m = fake_open_as(WIRE_LP_V2_B64, "mia");
    joined(l, ROOM);
    joined(m, ROOM);
    SAY_YJS(l, "1", "2", ROOM, "yjs_sync", 0, 0, 1, 0);
    SAY_YJS(m, "1", "2", ROOM, "yjs_sync", 0, 0, 1, 0);
    l->next = l->n - 2;
    hears(l, "\"[\\\"1\\\",null,\\\"" ROOM "\\\",\\\"yjs\\\",[0,1,2,0,0]]\"");
    hears(l, "\"[\\\"1\\\",null,\\\"" ROOM "\\\",\\\"yjs\\\",[0,0,1,0]]\"");
    m->next = m->n - 1;
    hears(m, "\"AAEGAzFyb29tOmF5anMAAAEA\"");
    say(a, UPDATE(X));
    hears(l, "\"[null,null,\\\"" ROOM "\\\",\\\"yjs\\\","
             "[0,2,10,1,1,2,0,68,1,0,1,88,0]]\"");
    hears(m, "\"AgYDcm9vbTpheWpzAAIKAQECAEQBAAFYAA==\"");
    fake_gone(l);
    fake_gone(m);
    fake_gone(a);
    world_close();
}
END_TEST

START_TEST(one_message_is_encoded_once_per_form)
{
    world_open();
    struct fake *a = app("ada"), *b = app("bob"), *c = app("cay");
    forget(b);
    say(a, UPDATE(HELLO));
    ck_assert_ptr_eq(b->out[b->n - 1], c->out[c->n - 1]);
    ck_assert_uint_eq(b->out[b->n - 1]->refs, 2);
    fake_gone(a);
    fake_gone(b);
    fake_gone(c);
    world_close();
}
END_TEST

START_TEST(an_update_may_come_as_bytes)
{
    world_open();
    struct fake *a = app("ada"), *b = app("bob");
    forget(b);
    say_binary(a, "1", "2", ROOM, "update", hello, sizeof hello);
    hears(b, UPDATED(HELLO));
    fake_gone(a);
    fake_gone(b);
    world_close();
}
END_TEST

START_TEST(large_updates_and_documents_are_refused)
{
    world_open();
    world.options.limits.update_bytes = sizeof hello;
    world.options.limits.document_bytes = 20000;
    world_limits();
    struct fake *a = app("ada"), *b = app("bob"), *y = provider("yan");
    forget(a);
    forget(b);
    say(a, "[\"1\",\"2\",\"" ROOM "\",\"update\",{\"data\":[1,1,1,0,4,1,1,110,"
           "12,97,97,97,97,97,97,97,97,97,97,97,97,0]}]");
    hears(a, REFUSED("2", "update too large"));
    ck_assert_uint_eq(counted(COUNTER_LIMIT_UPDATE), 1);
    world.options.limits.update_bytes = 1 << 20;
    world_limits();
    say(a, UPDATE(HELLO));
    forget(b);
    forget(y);
    /* one insert of 60,000 characters: client 3, text "notes" */
    static const uint8_t start[] = {1,   1,   3,   0,   4,    1,    5, 110,
                                    111, 116, 101, 115, 0xe0, 0xd4, 3};
    size_t n = 60000;
    uint8_t *big = malloc(sizeof start + n + 1);
    memcpy(big, start, sizeof start);
    memset(big + sizeof start, 'z', n);
    big[sizeof start + n] = 0;
    say_binary(a, "1", "3", ROOM, "update", big, sizeof start + n + 1);
    free(big);
    hears(a, REFUSED("3", "document too large"));
    ck_assert_uint_eq(counted(COUNTER_LIMIT_DOCUMENT), 1);
    hears_nothing(b);
    hears_nothing(y);
    say(a, UPDATE(X)); /* what fits is taken */
    hears_nothing(a);
    hears(b, UPDATED(X));
    fake_gone(a);
    fake_gone(b);
    fake_gone(y);
    world_close();
}
END_TEST

START_TEST(a_document_survives_its_members_for_a_while)
{
    world_open();
    struct fake *a = app("ada");
    say(a, UPDATE(HELLO));
    fake_gone(a);
    world_pass(30000);
    state_is(HELLO);
    world_pass(59000);
    state_is(HELLO);
    world_pass(60100);
    ck_assert_uint_eq(registry_rooms(world.env.rooms), 0);
    ck_assert_uint_eq(counted(COUNTER_DOCUMENT_BYTES), 0);
    state_is("[]");
    world_close();
}
END_TEST

/* ---------------------------------------------------------------- failure */

static bool memory_ends;

static void *failing_realloc(void *ctx, void *ptr, size_t size)
{
    (void)ctx;
    if (!size) {
        free(ptr);
        return NULL;
    }
    return memory_ends ? NULL : realloc(ptr, size);
}

START_TEST(a_room_that_fails_ends_alone)
{
    static const struct yjs_allocator alloc = {failing_realloc, NULL};
    world_open();
    registry_free(world.env.rooms);
    world.options.alloc = &alloc;
    world.env.rooms = registry_new(&world.options);
    struct fake *a = app("ada"), *b = app("bob"), *y = provider("yan");
    struct fake *v = fake_open_as(WIRE_WS_V1, "vic");
    say(v, "{\"topic\":\"" ROOM "\",\"event\":\"phx_join\",\"payload\":{},"
           "\"ref\":\"1\"}");
    joined(a, "room:other");
    say(b, UPDATE(HELLO));
    static const uint8_t state7[] = {1, 7, 1, 2, 123, 125};
    say_y(y, "yjs", 1, 0, state7, sizeof state7);
    forget(a);
    forget(b);
    forget(y);
    forget(v);
    memory_ends = true;
    say(a, UPDATE(X)); /* the document is as it was: only this is refused */
    hears(a, "[\"1\",\"2\",\"" ROOM "\",\"phx_reply\",{\"status\":\"error\","
             "\"response\":{\"reason\":\"out of memory\"}}]");
    ck_assert_uint_eq(counted(COUNTER_ROOMS_FAILED), 0);
    static const uint8_t step1[] = {0, 0, 1, 0};
    say_binary(y, "1", "2", ROOM, "yjs", step1, sizeof step1);
    memory_ends = false;
    static const char crash[] = "[\"1\",\"1\",\"" ROOM "\",\"phx_error\",{"
                                "\"reason\":\"channel_crash\"}]";
    hears(a, crash);
    hears(b, crash);
    hears(y, crash);
    hears(v, "{\"topic\":\"" ROOM "\",\"event\":\"phx_error\",\"payload\":{"
             "\"reason\":\"channel_crash\"},\"ref\":null}");
    hears_nothing(a);
    hears_nothing(b);
    hears_nothing(y);
    ck_assert_uint_eq(session_channels(a->session), 1);
    ck_assert_uint_eq(session_channels(b->session), 0);
    ck_assert_uint_eq(counted(COUNTER_ROOMS_FAILED), 1);
    ck_assert_uint_eq(registry_rooms(world.env.rooms), 1);
    joined(b, ROOM); /* a new room, before the old one is freed */
    say(b, UPDATE(HELLO));
    registry_tick(world.env.rooms, world.now);
    joined(a, ROOM);
    forget(b);
    say(a, UPDATE(X));
    hears(b, UPDATED(X));
    say(a, "[\"1\",\"2\",\"room:other\",\"nonsense\",{}]");
    forget(a);
    fake_gone(a);
    fake_gone(b);
    fake_gone(y);
    fake_gone(v);
    world_close();
}
END_TEST

/* Memory ends at the n-th allocation of a join and a sync: whatever fails, the
 * others live and nothing leaks. */
static long allocations_left;

static void *counting_realloc(void *ctx, void *ptr, size_t size)
{
    (void)ctx;
    if (!size) {
        free(ptr);
        return NULL;
    }
    return allocations_left-- > 0 ? realloc(ptr, size) : NULL;
}

START_TEST(memory_may_end_anywhere)
{
    static const struct yjs_allocator alloc = {counting_realloc, NULL};
    static const uint8_t state7[] = {1, 7, 1, 2, 123, 125};
    bool failed = true;
    for (long n = 0; failed; n++) {
        world_open();
        registry_free(world.env.rooms);
        world.options.alloc = &alloc;
        world.env.rooms = registry_new(&world.options);
        allocations_left = n;
        struct fake *a = app("ada"), *y = fake_open("yan");
        say(a, UPDATE(HELLO));
        joined(y, ROOM);
        SYNC(y, 0, nothing_known);
        say_y(y, "yjs", 1, 0, state7, sizeof state7);
        say(a, UPDATE(X));
        fake_gone(y);
        world_pass(5000);
        fake_gone(a);
        failed = counted(COUNTER_ROOMS_FAILED) > 0;
        ck_assert_msg(n > 0 || failed, "no allocation was asked for");
        world_close();
    }
}
END_TEST

/* -------------------------------------------------------------- awareness */

/* An update of one client: {1, client, clock, len, json}. */
static size_t state(uint8_t *out, int client, int clock, const char *json)
{
    size_t len = strlen(json);
    out[0] = 1;
    out[1] = (uint8_t)client;
    out[2] = (uint8_t)clock;
    out[3] = (uint8_t)len;
    memcpy(out + 4, json, len);
    return 4 + len;
}

static void say_state(struct fake *f, int client, int clock, const char *json)
{
    uint8_t body[100];
    size_t len = state(body, client, clock, json);
    ck_assert_int_eq(say_y(f, "yjs", 1, 0, body, len), SESSION_OK);
}

static void hears_state(struct fake *f, bool push, int client, int clock,
                        const char *json)
{
    uint8_t body[100];
    size_t len = state(body, client, clock, json);
    hears_y(f, push, 1, 0, body, len);
}

/* Is the client live in the room? By asking as a newcomer. */
static bool is_live(int client)
{
    struct fake *f = app("probe");
    SAY_YJS(f, "1", "2", ROOM, "yjs", 3);
    bool live = false;
    if (f->next < f->n) {
        size_t len;
        const uint8_t *m = unframed(f->out[f->n - 1], 0x82, &len);
        ck_assert_uint_eq(m[0], 0);
        for (size_t i = 14; i < len; i++)
            live = live || m[i] == client;
    }
    fake_gone(f);
    return live;
}

START_TEST(accepted_awareness_is_relayed_once)
{
    world_open();
    struct fake *a = provider("ada"), *b = provider("bob"), *p = app("pat");
    forget(a);
    forget(b);
    forget(p);
    say_state(a, 100, 1, "{\"n\":1}");
    hears_state(b, false, 100, 1, "{\"n\":1}");
    hears_class(b, MESSAGE_AWARENESS);
    hears_nothing(a);
    hears_nothing(p);
    say_state(b, 100, 1, "{\"n\":1}"); /* the echo */
    hears_nothing(a);
    hears_nothing(b);
    say_state(a, 100, 2, "{\"n\":1}"); /* a renewal is news */
    hears_state(b, false, 100, 2, "{\"n\":1}");
    say_state(b, 100, 2, "null"); /* somebody else's null, equal clock */
    hears_state(a, false, 100, 2, "null");
    hears_nothing(b);
    say_state(a, 100, 3, "{}"); /* the owner lives */
    hears_state(b, false, 100, 3, "{}");
    /* of two records only the accepted one goes on */
    static const uint8_t two[] = {2, 100, 3, 2, 123, 125, 101, 1, 1, 49};
    say_y(b, "yjs", 1, 0, two, sizeof two);
    hears_state(a, false, 101, 1, "1");
    fake_gone(a);
    fake_gone(b);
    fake_gone(p);
    world_close();
}
END_TEST

START_TEST(a_dead_connections_states_end_after_a_grace)
{
    world_open();
    struct fake *a = provider("ada"), *b = provider("bob");
    say_state(a, 100, 4, "{}");
    forget(b);
    fake_gone(a);
    forget(b); /* presence */
    world_pass(2900);
    hears_nothing(b);
    world_pass(200);
    hears_state(b, false, 100, 4, "null");
    hears_class(b, MESSAGE_AWARENESS);
    ck_assert(!is_live(100));
    fake_gone(b);
    world_close();
}
END_TEST

START_TEST(the_latest_writer_owns_a_state)
{
    world_open();
    struct fake *old = provider("ada"), *new = provider("ada");
    struct fake *b = provider("bob");
    say_state(old, 100, 4, "{}");
    say_state(new, 100, 5, "{}"); /* reconnected; the old one hangs */
    forget(b);
    fake_gone(old);
    world_pass(10000);
    ck_assert(is_live(100));
    fake_gone(new);
    world_pass(3100);
    ck_assert(!is_live(100));
    fake_gone(b);
    world_close();
}
END_TEST

/* The same connection's death is noticed first: the client comes back within
 * the grace with the clock it had, and nobody sees it blink. */
START_TEST(a_repeated_state_is_taken_over_in_the_grace)
{
    world_open();
    struct fake *a = provider("ada"), *b = provider("bob");
    say_state(a, 100, 4, "{}");
    fake_gone(a);
    world_pass(1000);
    a = provider("ada");
    say_state(a, 100, 4, "{}");
    forget(b);
    world_pass(10000);
    hears_nothing(b);
    ck_assert(is_live(100));
    fake_gone(a);
    world_pass(3100);
    ck_assert(!is_live(100));
    fake_gone(b);
    world_close();
}
END_TEST

START_TEST(a_removed_client_is_told_and_asked)
{
    world_open();
    struct fake *a = provider("ada"), *b = provider("bob");
    say_state(a, 100, 4, "{}");
    fake_gone(a);
    world_pass(4000);
    a = provider("ada");
    forget(b);
    say_state(a, 100, 4, "{}"); /* still at N */
    hears_state(a, true, 100, 4, "null");
    hears_yjs(a, "1", ROOM, "\3", 1);
    hears_nothing(a);
    hears_nothing(b);
    say_state(a, 100, 4, "{}"); /* an obstinate one is not asked for ever */
    hears_state(a, true, 100, 4, "null");
    hears_nothing(a);
    say_state(a, 100, 5, "{}");
    hears_state(b, false, 100, 5, "{}");
    ck_assert(is_live(100));
    fake_gone(a);
    fake_gone(b);
    world_close();
}
END_TEST

START_TEST(states_expire_unless_renewed)
{
    world_open();
    struct fake *a = provider("ada"), *b = provider("bob");
    say_state(a, 100, 1, "{}");
    say_state(a, 101, 1, "{}");
    world_pass(20000);
    say_state(a, 101, 2, "{}");
    forget(a);
    forget(b);
    world_pass(9000);
    hears_nothing(b);
    world_pass(4500);
    hears_state(b, false, 100, 1, "null");
    hears_state(a, false, 100, 1, "null"); /* its writer too: it may live */
    hears_nothing(b);
    ck_assert(!is_live(100));
    ck_assert(is_live(101));
    fake_gone(a);
    fake_gone(b);
    world_close();
}
END_TEST

START_TEST(awareness_is_limited)
{
    world_open();
    world.options.limits.awareness_clients = 2;
    world.options.limits.awareness_bytes = 30;
    world.options.limits.awareness_state_bytes = 20;
    world_limits();
    struct fake *a = provider("ada");
    say_state(a, 1, 1, "\"0123456789abcdefghij\"");
    hears(a, REFUSED("9", "awareness too large"));
    say_state(a, 1, 1, "\"0123456789abcdef\"");
    say_state(a, 2, 1, "\"0123456789abcdef\"");
    hears(a, REFUSED("9", "awareness too large"));
    say_state(a, 2, 1, "1");
    say_state(a, 3, 1, "1");
    hears(a, REFUSED("9", "awareness too large"));
    hears_nothing(a);
    ck_assert_uint_eq(counted(COUNTER_LIMIT_AWARENESS), 3);
    ck_assert_uint_eq(counted(COUNTER_AWARENESS_APPLIED), 2);
    fake_gone(a);
    world_close();
}
END_TEST

/* More removals at once than tombstones are remembered: all are told. */
START_TEST(every_removal_is_told)
{
    world_open();
    world.options.limits.awareness_tombstones = 2;
    world_limits();
    struct fake *a = provider("ada"), *b = provider("bob");
    for (int i = 1; i <= 5; i++)
        say_state(a, i, 1, "1");
    fake_gone(a);
    forget(b);
    world_pass(3100);
    static const uint8_t gone[] = {5,   1,   1,   4,   'n', 'u', 'l', 'l', 2,
                                   1,   4,   'n', 'u', 'l', 'l', 3,   1,   4,
                                   'n', 'u', 'l', 'l', 4,   1,   4,   'n', 'u',
                                   'l', 'l', 5,   1,   4,   'n', 'u', 'l', 'l'};
    hears_y(b, false, 1, 0, gone, sizeof gone);
    hears_nothing(b);
    fake_gone(b);
    world_pass(59000); /* an empty room forgets its tombstones */
    world_close();
}
END_TEST

SUITE_MAIN(
    "sync", updates_are_merged_and_relayed, step1_is_answered_in_order,
    a_step2_is_taken_and_relayed_as_an_update, malformed_updates_change_nothing,
    early_updates_wait, version_1_speaks_y_protocols_in_integers,
    long_poll_gets_bytes_it_can_read, one_message_is_encoded_once_per_form,
    an_update_may_come_as_bytes, large_updates_and_documents_are_refused,
    a_document_survives_its_members_for_a_while, a_room_that_fails_ends_alone,
    memory_may_end_anywhere, accepted_awareness_is_relayed_once,
    a_dead_connections_states_end_after_a_grace, the_latest_writer_owns_a_state,
    a_repeated_state_is_taken_over_in_the_grace,
    a_removed_client_is_told_and_asked, states_expire_unless_renewed,
    awareness_is_limited, every_removal_is_told)
