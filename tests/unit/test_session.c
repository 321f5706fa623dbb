/* SPDX-License-Identifier: MIT */
/* One client's conversation: every rule of the socket protocol that does not
 * need a document. */
#include "fake_carrier.h"

#include "suite.h"

#define DIFF_JOIN(user)                                                        \
    "{\"joins\":{\"" user "\":{\"metas\":[{\"online_at\":\"1700000000\","      \
    "\"phx_ref\":\"*\"}]}},\"leaves\":{}}"
#define DIFF_LEAVE(user)                                                       \
    "{\"joins\":{},\"leaves\":{\"" user                                        \
    "\":{\"metas\":[{\"online_at\":\"1700000000\",\"phx_ref\":\"*\"}]}}}"
#define STATE(user)                                                            \
    "{\"" user "\":{\"metas\":[{\"online_at\":\"1700000000\",\"phx_ref\":"     \
    "\"*\"}]}}"
#define OK "\"phx_reply\",{\"status\":\"ok\",\"response\":{}}]"
#define ERROR(reason)                                                          \
    "\"phx_reply\",{\"status\":\"error\",\"response\":{\"reason\":\"" reason   \
    "\"}}]"

START_TEST(heartbeats_are_answered_first)
{
    world_open();
    struct fake *f = fake_open("ada");
    say(f, "[null,\"9\",\"phoenix\",\"heartbeat\",{}]");
    hears(f, "[null,\"9\",\"phoenix\"," OK);
    hears_class(f, MESSAGE_URGENT);
    say(f, "[\"5\",10,\"phoenix\",\"heartbeat\",{}]");
    hears(f, "[null,10,\"phoenix\"," OK);
    say_binary(f, "", "11", "phoenix", "heartbeat", "", 0);
    hears(f, "[null,\"11\",\"phoenix\"," OK);
    say(f, "[null,\"12\",\"phoenix\",\"other\",{}]");
    hears(f, "[null,\"12\",\"phoenix\"," ERROR("unmatched topic"));
    say(f, "[\"1\",\"13\",\"phoenix\",\"phx_join\",{}]");
    hears(f, "[null,\"13\",\"phoenix\"," ERROR("unmatched topic"));
    hears_nothing(f);
    fake_gone(f);
    world_close();
}
END_TEST

START_TEST(a_join_is_answered_then_announced)
{
    world_open();
    struct fake *f = fake_open("ada");
    say(f, "[\"3\",\"3\",\"room:a\",\"phx_join\",{}]");
    hears(f, "[\"3\",\"3\",\"room:a\",\"phx_reply\",{\"status\":\"ok\","
             "\"response\":{\"state\":[]}}]");
    hears(f, "[null,null,\"room:a\",\"presence_diff\"," DIFF_JOIN("ada") "]");
    hears(f, "[\"3\",null,\"room:a\",\"presence_state\"," STATE("ada") "]");
    hears_class(f, MESSAGE_CONTROL);
    hears_nothing(f);
    ck_assert_uint_eq(session_channels(f->session), 1);
    fake_gone(f);
    world_close();
}
END_TEST

START_TEST(other_topics_join_with_an_empty_reply)
{
    world_open();
    struct fake *f = fake_open("ada");
    say(f, "[\"3\",\"3\",\"y_doc_room:a\",\"phx_join\",{\"x\":1}]");
    hears(f, "[\"3\",\"3\",\"y_doc_room:a\"," OK);
    fake_gone(f);
    world_close();
}
END_TEST

START_TEST(version_1_says_the_same_in_objects)
{
    world_open();
    struct fake *f = fake_open_as(WIRE_WS_V1, "ada");
    say(f, "{\"topic\":\"room:a\",\"event\":\"phx_join\",\"payload\":{},"
           "\"ref\":\"1\"}");
    hears(f, "{\"topic\":\"room:a\",\"event\":\"phx_reply\",\"payload\":{"
             "\"status\":\"ok\",\"response\":{\"state\":[]}},\"ref\":\"1\"}");
    hears(f, "{\"topic\":\"room:a\",\"event\":\"presence_diff\","
             "\"payload\":" DIFF_JOIN("ada") ",\"ref\":null}");
    hears(
        f,
        "{\"topic\":\"room:a\",\"event\":\"presence_state\",\"payload\":" STATE(
            "ada") ",\"ref\":null}");
    /* as a binary frame, and the end without a join_ref */
    static const char leave[] = "{\"topic\":\"room:a\",\"event\":\"phx_leave\","
                                "\"payload\":{},\"ref\":\"2\"}";
    ck_assert_int_eq(say_bytes(f, leave, strlen(leave)), SESSION_OK);
    hears(f, "{\"topic\":\"room:a\",\"event\":\"phx_reply\",\"payload\":{"
             "\"status\":\"ok\",\"response\":{}},\"ref\":\"2\"}");
    hears(f, "{\"topic\":\"room:a\",\"event\":\"phx_close\",\"payload\":{},"
             "\"ref\":null}");
    /* a join_ref is taken, and is the ref of the end */
    say(f, "{\"topic\":\"t\",\"event\":\"phx_join\",\"payload\":{},"
           "\"ref\":\"3\",\"join_ref\":\"9\"}");
    forget(f);
    say(f, "{\"topic\":\"t\",\"event\":\"phx_leave\",\"payload\":{},"
           "\"ref\":\"4\"}");
    hears(f, "{\"topic\":\"t\",\"event\":\"phx_reply\",\"payload\":{"
             "\"status\":\"ok\",\"response\":{}},\"ref\":\"4\"}");
    hears(f, "{\"topic\":\"t\",\"event\":\"phx_close\",\"payload\":{},"
             "\"ref\":\"9\"}");
    ck_assert_int_eq(say(f, "[null,\"1\",\"t\",\"e\",{}]"), 1011);
    ck_assert_int_eq(say_bytes(f, "\0\0\0\0\0", 5), 1011);
    hears_nothing(f);
    fake_gone(f);
    world_close();
}
END_TEST

START_TEST(unjoined_topics)
{
    world_open();
    struct fake *f = fake_open("ada");
    say(f, "[\"4\",\"5\",\"room:x\",\"update\",{}]");
    hears(f, "[null,\"5\",\"room:x\"," ERROR("unmatched topic"));
    say(f, "[\"4\",\"6\",\"room:x\",\"phx_leave\",{}]");
    hears(f, "[\"4\",\"6\",\"room:x\"," OK);
    say(f, "[null,7,5,\"phx_join\",{}]");
    hears(f, "[null,7,5," ERROR("unmatched topic"));
    say(f, "[null,null,{\"a\":[1]},\"e\",{}]");
    hears(f, "[null,null,{\"a\":[1]}," ERROR("unmatched topic"));
    say(f, "[null,\"8\",\"room:x\",17,{}]");
    hears(f, "[null,\"8\",\"room:x\"," ERROR("unmatched topic"));
    say(f, "[null,\"9\",\"\",\"phx_join\",{}]");
    hears(f, "[null,\"9\",\"\"," ERROR("unmatched topic"));
    say_binary(f, "", "10", "nowhere", "yjs", "\3", 1);
    hears(f, "[null,\"10\",\"nowhere\"," ERROR("unmatched topic"));
    say_binary(f, "", "11", "nowhere", "phx_leave", "", 0);
    hears(f, "[\"\",\"11\",\"nowhere\"," OK);
    hears_nothing(f);
    fake_gone(f);
    world_close();
}
END_TEST

START_TEST(unreadable_messages_earn_1011)
{
    world_open();
    struct fake *f = fake_open("ada");
    ck_assert_int_eq(say(f, ""), 1011);
    ck_assert_int_eq(say(f, "{}"), 1011);
    ck_assert_int_eq(say(f, "[1,2,3,4]"), 1011);
    ck_assert_int_eq(say_bytes(f, "", 0), 1011);
    ck_assert_int_eq(say_bytes(f, "\1\0\0\0\0", 5), 1011);
    ck_assert_int_eq(say_bytes(f, "\0\0\0\2\0\xff\xff", 7), 1011);
    char deep[400] = "[null,null,\"t\",\"e\",";
    size_t at = strlen(deep);
    memset(deep + at, '[', 65);
    memset(deep + at + 65, ']', 66);
    deep[at + 131] = '\0';
    ck_assert_int_eq(say(f, deep), 1011);
    ck_assert_uint_eq(counted(COUNTER_LIMIT_DEPTH), 1);
    ck_assert_uint_eq(counted(COUNTER_UNREADABLE), 7);
    ck_assert_uint_eq(counted(COUNTER_MESSAGES_IN), 0);
    hears_nothing(f);
    /* a long-poll session lives on */
    say(f, "[null,\"9\",\"phoenix\",\"heartbeat\",{}]");
    hears(f, "[null,\"9\",\"phoenix\"," OK);
    fake_gone(f);
    world_close();
}
END_TEST

START_TEST(a_leave_is_answered_then_closed)
{
    world_open();
    struct fake *f = fake_open("ada"), *other = fake_open("bob");
    joined(other, "room:a");
    say(f, "[\"3\",\"3\",\"room:a\",\"phx_join\",{}]");
    forget(f);
    forget(other);
    say(f, "[\"3\",\"4\",\"room:a\",\"phx_leave\",{}]");
    hears(f, "[\"3\",\"4\",\"room:a\"," OK);
    hears(f, "[\"3\",\"3\",\"room:a\",\"phx_close\",{}]");
    hears_nothing(f);
    hears(other,
          "[null,null,\"room:a\",\"presence_diff\"," DIFF_LEAVE("ada") "]");
    hears_nothing(other);
    ck_assert_uint_eq(session_channels(f->session), 0);
    say(f, "[\"3\",\"5\",\"room:a\",\"update\",{}]");
    hears(f, "[null,\"5\",\"room:a\"," ERROR("unmatched topic"));
    fake_gone(f);
    fake_gone(other);
    world_close();
}
END_TEST

START_TEST(a_rejoin_ends_the_old_channel_first)
{
    world_open();
    struct fake *f = fake_open("ada"), *other = fake_open("bob");
    joined(other, "t");
    say(f, "[\"3\",\"3\",\"t\",\"phx_join\",{}]");
    forget(f);
    forget(other);
    say(f, "[\"8\",\"8\",\"t\",\"phx_join\",{}]");
    hears(f, "[\"8\",\"8\",\"t\"," OK);
    hears(f, "[\"3\",\"3\",\"t\",\"phx_close\",{}]");
    hears(f, "[null,null,\"t\",\"presence_diff\"," DIFF_JOIN("ada") "]");
    hears(f, "[\"8\",null,\"t\",\"presence_state\",{\"bob\":{\"metas\":[{"
             "\"online_at\":\"1700000000\",\"phx_ref\":\"*\"}]},\"ada\":{"
             "\"metas\":[{\"online_at\":\"1700000000\",\"phx_ref\":\"*\"}]}}"
             "]");
    hears_nothing(f); /* never its own leave */
    hears(other, "[null,null,\"t\",\"presence_diff\"," DIFF_LEAVE("ada") "]");
    hears(other, "[null,null,\"t\",\"presence_diff\"," DIFF_JOIN("ada") "]");
    hears_nothing(other);
    ck_assert_uint_eq(session_channels(f->session), 1);
    fake_gone(f);
    fake_gone(other);
    world_close();
}
END_TEST

START_TEST(stale_join_refs_are_dropped)
{
    world_open();
    struct fake *f = fake_open("ada");
    say(f, "[\"3\",\"3\",\"t\",\"phx_join\",{}]");
    forget(f);
    say(f, "[\"2\",\"4\",\"t\",\"nonsense\",{}]");
    say(f, "[\"2\",\"5\",\"t\",\"phx_leave\",{}]");
    say(f, "[3,\"5\",\"t\",\"phx_leave\",{}]");
    say_binary(f, "", "6", "t", "yjs", "\3", 1);
    hears_nothing(f);
    say(f, "[null,\"7\",\"t\",\"nonsense\",{}]");
    hears(f, "[\"3\",\"7\",\"t\"," ERROR("unknown event"));
    say(f, "[\"\\u0033\",\"8\",\"t\",5,{}]");
    hears(f, "[\"3\",\"8\",\"t\"," ERROR("unknown event"));
    say(f, "[null,\"9\",\"t\",\"phx_leave\",{}]");
    hears(f, "[\"3\",\"9\",\"t\"," OK);
    hears(f, "[\"3\",\"3\",\"t\",\"phx_close\",{}]");
    fake_gone(f);
    world_close();
}
END_TEST

START_TEST(a_join_without_a_join_ref)
{
    world_open();
    struct fake *f = fake_open("ada");
    say(f, "[null,\"3\",\"t\",\"phx_join\",{}]");
    hears(f, "[null,\"3\",\"t\"," OK);
    hears(f, "[null,null,\"t\",\"presence_diff\"," DIFF_JOIN("ada") "]");
    hears(f, "[\"3\",null,\"t\",\"presence_state\"," STATE("ada") "]");
    say(f, "[\"any\",\"4\",\"t\",\"nonsense\",{}]");
    hears(f, "[\"3\",\"4\",\"t\"," ERROR("unknown event"));
    say(f, "[null,\"5\",\"t\",\"phx_leave\",{}]");
    hears(f, "[\"3\",\"5\",\"t\"," OK);
    hears(f, "[null,null,\"t\",\"phx_close\",{}]");
    fake_gone(f);
    world_close();
}
END_TEST

START_TEST(integer_refs_are_echoed_as_integers)
{
    world_open();
    struct fake *f = fake_open("ada");
    say(f, "[3,4,\"t\",\"phx_join\",{}]");
    hears(f, "[3,4,\"t\"," OK);
    hears(f, "[null,null,\"t\",\"presence_diff\"," DIFF_JOIN("ada") "]");
    hears(f, "[3,null,\"t\",\"presence_state\"," STATE("ada") "]");
    say(f, "[3,5,\"t\",\"phx_leave\",{}]");
    hears(f, "[3,5,\"t\"," OK);
    hears(f, "[3,3,\"t\",\"phx_close\",{}]");
    fake_gone(f);
    world_close();
}
END_TEST

START_TEST(joins_and_leaves_may_be_binary)
{
    world_open();
    struct fake *f = fake_open("ada");
    say_binary(f, "3", "4", "t", "phx_join", "", 0);
    hears(f, "[\"3\",\"4\",\"t\"," OK);
    forget(f);
    say_binary(f, "3", "5", "t", "phx_leave", "", 0);
    hears(f, "[\"3\",\"5\",\"t\"," OK);
    hears(f, "[\"3\",\"3\",\"t\",\"phx_close\",{}]");
    /* an empty join_ref is one: "" */
    say_binary(f, "", "6", "t", "phx_join", "", 0);
    hears(f, "[\"\",\"6\",\"t\"," OK);
    fake_gone(f);
    world_close();
}
END_TEST

START_TEST(channels_per_socket_are_limited)
{
    world_open();
    world.env.limits.channels = 2;
    struct fake *f = fake_open("ada");
    joined(f, "a");
    joined(f, "b");
    say(f, "[\"3\",\"4\",\"c\",\"phx_join\",{}]");
    hears(f, "[\"3\",\"4\",\"c\"," ERROR("too many channels joined"));
    ck_assert_uint_eq(counted(COUNTER_LIMIT_CHANNELS), 1);
    ck_assert_uint_eq(registry_rooms(world.env.rooms), 2);
    /* the same topic again frees its slot first */
    say(f, "[\"5\",\"6\",\"a\",\"phx_join\",{}]");
    hears(f, "[\"5\",\"6\",\"a\"," OK);
    hears(f, "[\"1\",\"1\",\"a\",\"phx_close\",{}]");
    forget(f);
    say(f, "[\"5\",\"7\",\"a\",\"phx_leave\",{}]");
    forget(f);
    say(f, "[\"8\",\"8\",\"c\",\"phx_join\",{}]");
    hears(f, "[\"8\",\"8\",\"c\"," OK);
    fake_gone(f);
    world_close();
}
END_TEST

START_TEST(long_topics_are_refused)
{
    world_open();
    world.env.limits.topic_bytes = 1000; /* no binary frame could name it */
    struct fake *f = fake_open("ada");
    char topic[300], text[600];
    memset(topic, 'x', sizeof topic);
    snprintf(text, sizeof text, "[\"1\",\"1\",\"%.256s\",\"phx_join\",{}]",
             topic);
    say(f, text);
    snprintf(text, sizeof text,
             "[\"1\",\"1\",\"%.256s\"," ERROR("topic too long"), topic);
    hears(f, text);
    ck_assert_uint_eq(counted(COUNTER_LIMIT_TOPIC), 1);
    snprintf(text, sizeof text, "[\"1\",\"1\",\"%.255s\",\"phx_join\",{}]",
             topic);
    say(f, text);
    snprintf(text, sizeof text, "[\"1\",\"1\",\"%.255s\"," OK, topic);
    hears(f, text);
    fake_gone(f);
    world_close();
}
END_TEST

START_TEST(rooms_and_members_are_limited)
{
    world_open();
    world.options.limits.rooms = 2;
    world.options.limits.members = 1;
    world_limits();
    struct fake *f = fake_open("ada"), *g = fake_open("bob");
    joined(f, "a");
    joined(f, "b");
    say(f, "[\"3\",\"3\",\"c\",\"phx_join\",{}]");
    hears(f, "[\"3\",\"3\",\"c\"," ERROR("too many rooms"));
    say(g, "[\"3\",\"3\",\"a\",\"phx_join\",{}]");
    hears(g, "[\"3\",\"3\",\"a\"," ERROR("room is full"));
    say(f, "[\"4\",\"4\",\"a\",\"phx_join\",{}]");
    hears(f, "[\"4\",\"4\",\"a\"," OK);
    ck_assert_uint_eq(counted(COUNTER_LIMIT_ROOMS), 1);
    ck_assert_uint_eq(counted(COUNTER_LIMIT_MEMBERS), 1);
    ck_assert_uint_eq(session_channels(g->session), 0);
    fake_gone(f);
    fake_gone(g);
    world_close();
}
END_TEST

START_TEST(anonymous_clients_get_a_number)
{
    world_open();
    struct fake *f = fake_open(NULL), *g = fake_open("bad\xff");
    struct fake *h = fake_open("tab\there"), *i = fake_open("q\"\\\xc3\xa9");
    struct fake *const all[] = {f, g, h, i};
    static const char *const keys[] = {"anon-1", "anon-2", "anon-3",
                                       "q\\\"\\\\\xc3\xa9"};
    for (int n = 0; n < 4; n++) {
        char topic[16], text[300];
        snprintf(topic, sizeof topic, "t%d", n);
        snprintf(text, sizeof text, "[\"1\",\"1\",\"%s\",\"phx_join\",{}]",
                 topic);
        say(all[n], text);
        all[n]->next = all[n]->n - 1;
        snprintf(text, sizeof text,
                 "[\"1\",null,\"%s\",\"presence_state\",{\"%s\":{\"metas\":[{"
                 "\"online_at\":\"1700000000\",\"phx_ref\":\"*\"}]}}]",
                 topic, keys[n]);
        hears(all[n], text);
    }
    for (int n = 0; n < 4; n++)
        fake_gone(all[n]);
    world_close();
}
END_TEST

START_TEST(long_poll_forms)
{
    world_open();
    struct fake *f = fake_open_as(WIRE_LP_V2, "ada");
    struct fake *g = fake_open_as(WIRE_LP_V1, "bob");
    say(f, "[\"1\",\"1\",\"room:a\",\"phx_join\",{}]");
    hears(f, "\"[\\\"1\\\",\\\"1\\\",\\\"room:a\\\",\\\"phx_reply\\\",{"
             "\\\"status\\\":\\\"ok\\\",\\\"response\\\":{\\\"state\\\":[]}}]"
             "\"");
    hears(f, "\"[null,null,\\\"room:a\\\",\\\"presence_diff\\\",{\\\"joins\\\":"
             "{\\\"ada\\\":{\\\"metas\\\":[{\\\"online_at\\\":"
             "\\\"1700000000\\\",\\\"phx_ref\\\":\\\"*\\\"}]}},\\\"leaves\\\":"
             "{}}]\"");
    say(g, "{\"topic\":\"phoenix\",\"event\":\"heartbeat\",\"payload\":{},"
           "\"ref\":\"1\"}");
    hears(g, "\"{\\\"topic\\\":\\\"phoenix\\\",\\\"event\\\":\\\"phx_reply\\\""
             ",\\\"payload\\\":{\\\"status\\\":\\\"ok\\\",\\\"response\\\":{}}"
             ",\\\"ref\\\":\\\"1\\\"}\"");
    fake_gone(f);
    fake_gone(g);
    world_close();
}
END_TEST

START_TEST(versions_are_strict_semver)
{
    static const struct {
        const char *vsn;
        int version;
    } cases[] = {
        {"1.0.0", 1},
        {"2.0.0", 2},
        {"1.0.9", 1},
        {"2.0.12", 2},
        {"2.0.1-rc.1", 2},
        {"2.0.0+b", 2},
        {"2.0.1-rc.1+b.2", 2},
        {"2.0.0-rc.1", 0},
        {"2", 0},
        {"2.0", 0},
        {"", 0},
        {"2.0.0.0", 0},
        {"3.0.0", 0},
        {"0.9.0", 0},
        {"2.1.0", 0},
        {"1.1.0", 0},
        {"02.0.0", 0},
        {"2.00.0", 0},
        {"2.0.01", 0},
        {"2.0.1-", 0},
        {"2.0.1-01", 0},
        {"2.0.1-0a", 2},
        {"2.0.1-a..b", 0},
        {"2.0.0+", 0},
        {"2.0.0+01", 2},
        {" 2.0.0", 0},
        {"2.0.0 ", 0},
        {"2.0.0\n", 0},
        {"v2.0.0", 0},
        {"2.0.99999999999999999999", 2},
        {"18446744073709551618.0.0", 0},
        {"2.0.-1", 0},
    };
    ck_assert_int_eq(session_version(NULL, 0), 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(session_version(cases[i].vsn, strlen(cases[i].vsn)) ==
                          cases[i].version,
                      "%s", cases[i].vsn);
}
END_TEST

/* The order of a session's channels changes with use; all are found. */
START_TEST(many_topics_at_once)
{
    world_open();
    struct fake *f = fake_open("ada");
    char text[100];
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 50; i++) {
            snprintf(text, sizeof text,
                     round ? "[\"1\",\"9\",\"t%d\",\"x\",{}]"
                           : "[\"1\",\"1\",\"t%d\",\"phx_join\",{}]",
                     round == 1 ? i : 49 - i);
            say(f, text);
            if (!round) {
                forget(f);
                continue;
            }
            snprintf(text, sizeof text,
                     "[\"1\",\"9\",\"t%d\"," ERROR("unknown event"),
                     round == 1 ? i : 49 - i);
            hears(f, text);
        }
    ck_assert_uint_eq(session_channels(f->session), 50);
    ck_assert_uint_eq(counted(COUNTER_MEMBERS), 50);
    fake_gone(f);
    ck_assert_uint_eq(counted(COUNTER_MEMBERS), 0);
    world_close();
}
END_TEST

SUITE_MAIN("session", heartbeats_are_answered_first,
           a_join_is_answered_then_announced,
           other_topics_join_with_an_empty_reply,
           version_1_says_the_same_in_objects, unjoined_topics,
           unreadable_messages_earn_1011, a_leave_is_answered_then_closed,
           a_rejoin_ends_the_old_channel_first, stale_join_refs_are_dropped,
           a_join_without_a_join_ref, integer_refs_are_echoed_as_integers,
           joins_and_leaves_may_be_binary, channels_per_socket_are_limited,
           long_topics_are_refused, rooms_and_members_are_limited,
           anonymous_clients_get_a_number, long_poll_forms,
           versions_are_strict_semver, many_topics_at_once)
