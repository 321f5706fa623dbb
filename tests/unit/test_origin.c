/* SPDX-License-Identifier: MIT */
/* check_origin. */
#include <string.h>

#include "suite.h"
#include "transport/origin.h"

static bool allowed(const char *setting, const char *origin, const char *host)
{
    struct origin_policy policy = {0};
    struct http_span o = {origin, origin ? strlen(origin) : 0};
    struct http_span h = {host, host ? strlen(host) : 0};
    ck_assert_msg(origin_policy_init(&policy, setting, "www.Example.com"),
                  "%s", setting);
    bool ok = origin_allowed(&policy, o, h);
    origin_policy_deinit(&policy);
    return ok;
}

START_TEST(without_an_origin_everyone_may)
{
    ck_assert(allowed("true", NULL, "x"));
    ck_assert(allowed("conn", NULL, NULL));
    ck_assert(allowed("https://a.example", NULL, "x"));
}
END_TEST

START_TEST(true_compares_the_host)
{
    ck_assert(allowed("true", "http://www.example.com", NULL));
    ck_assert(allowed("true", "https://WWW.example.COM:8443", NULL));
    ck_assert(!allowed("true", "http://example.com", NULL));
    ck_assert(!allowed("true", "http://www.example.com.evil.com", NULL));
    ck_assert(!allowed("true", "http://evil.com/www.example.com", NULL));
    ck_assert(!allowed("true", "http://www.example.com@evil.com", NULL));
}
END_TEST

START_TEST(conn_compares_with_the_host_header)
{
    ck_assert(allowed("conn", "http://a:4000", "a:4000"));
    ck_assert(allowed("conn", "http://A", "a"));
    ck_assert(allowed("conn", "https://a", "a"));
    ck_assert(allowed("conn", "http://[::1]:80", "[::1]"));
    ck_assert(!allowed("conn", "http://a:4001", "a:4000"));
    ck_assert(!allowed("conn", "http://a", "a:4000"));
    ck_assert(!allowed("conn", "http://b", "a"));
    ck_assert(!allowed("conn", "http://a", NULL));
}
END_TEST

START_TEST(false_allows_all)
{
    ck_assert(allowed("false", "null", NULL));
    ck_assert(allowed("false", "gibberish", NULL));
}
END_TEST

START_TEST(entries_fix_what_they_name)
{
    const char *list = "https://a.example, //b.example:8080 //*.c.example";
    ck_assert(allowed(list, "https://a.example", NULL));
    ck_assert(allowed(list, "https://a.example:443", NULL));
    ck_assert(!allowed(list, "http://a.example", NULL));
    ck_assert(!allowed(list, "https://evil.a.example", NULL));
    ck_assert(!allowed(list, "http://x.b.example:8080", NULL));
    ck_assert(!allowed(list, "https://a.example:444", NULL));
    ck_assert(allowed(list, "http://b.example:8080", NULL));
    ck_assert(allowed(list, "https://b.example:8080", NULL));
    ck_assert(!allowed(list, "https://b.example", NULL));
    ck_assert(allowed(list, "https://c.example", NULL));
    ck_assert(allowed(list, "http://x.c.example:99", NULL));
    ck_assert(allowed(list, "http://x.y.c.example", NULL));
    ck_assert(!allowed(list, "http://xc.example", NULL));
    ck_assert(!allowed(list, "http://c.example.com", NULL));
    ck_assert(allowed("http://[::1]:4000", "http://[::1]:4000", NULL));
}
END_TEST

START_TEST(origins_that_cannot_be_read_are_refused)
{
    static const char *const bad[] = {
        "", "null", "//www.example.com", "http://", "www.example.com",
        "http:/www.example.com", "http://www.example.com:",
        "http://www.example.com:0", "http://www.example.com:99999",
        "http://www.example.com:8x", "://www.example.com", "http://[::1",
        "http://[::1]x", "http://www.example.com/",
        "http://www.example.com:99999999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!allowed("true", bad[i], NULL), "%s", bad[i]);
}
END_TEST

START_TEST(settings_that_cannot_be_read_are_refused)
{
    static const char *const bad[] = {"", " ", ",", "a.example", "*",
                                      "//*", "https://a.example b",
                                      "//a.*.example", "https://"};
    struct origin_policy policy = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!origin_policy_init(&policy, bad[i], "h"), "%s", bad[i]);
    ck_assert(!origin_policy_init(&policy, "true", ""));
    ck_assert_ptr_null(policy.hostname);
}
END_TEST

SUITE_MAIN("origin", without_an_origin_everyone_may, true_compares_the_host,
           conn_compares_with_the_host_header, false_allows_all,
           entries_fix_what_they_name, origins_that_cannot_be_read_are_refused,
           settings_that_cannot_be_read_are_refused)
