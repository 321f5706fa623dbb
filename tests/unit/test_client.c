/* SPDX-License-Identifier: MIT */
/* Whose request it is: what headers of proxies say, and who may say it. */
#include <stdio.h>
#include <string.h>

#include "suite.h"
#include "transport/client.h"
#include "transport/http_head.h"

static enum client_header header;

/* The client of a request with these header lines. */
static const char *client(const char *trusted, const char *peer,
                          const char *lines)
{
    static char out[ADDRESS_TEXT_MAX];
    struct client_policy policy = {.header = header};
    struct http_head head;
    struct address address;
    char text[1024];
    int n = snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: x\r\n%s\r\n",
                     lines);
    ck_assert_int_eq(http_head_parse(&head, text, (size_t)n), HTTP_HEAD_OK);
    ck_assert(address_list_init(&policy.trusted, trusted));
    ck_assert(address_parse(&address, peer, strlen(peer)));
    client_address(&policy, &address, &head, &address);
    address_text(&address, out);
    address_list_deinit(&policy.trusted);
    return out;
}

START_TEST(nobody_is_believed_by_default)
{
    header = CLIENT_X_FORWARDED_FOR;
    ck_assert_str_eq(client("", "198.51.100.1",
                            "X-Forwarded-For: 192.0.2.1\r\n"),
                     "198.51.100.1");
    ck_assert_str_eq(client("10.0.0.0/8", "198.51.100.1",
                            "X-Forwarded-For: 192.0.2.1\r\n"),
                     "198.51.100.1");
}
END_TEST

START_TEST(a_trusted_proxy_names_the_client)
{
    header = CLIENT_X_FORWARDED_FOR;
    ck_assert_str_eq(client("10.0.0.1", "10.0.0.1",
                            "x-forwarded-for: 192.0.2.1\r\n"),
                     "192.0.2.1");
    ck_assert_str_eq(client("10.0.0.1", "10.0.0.1",
                            "X-Forwarded-For: [2001:db8::7]:99\r\n"),
                     "2001:db8::7");
    ck_assert_str_eq(client("10.0.0.1", "10.0.0.1", ""), "10.0.0.1");
}
END_TEST

/* Who is "::" would be nobody, and counted by no limit of an address. */
START_TEST(the_unspecified_address_names_nobody)
{
    header = CLIENT_X_FORWARDED_FOR;
    ck_assert_str_eq(client("10.0.0.0/8", "10.0.0.1",
                            "X-Forwarded-For: ::, 10.0.0.9\r\n"),
                     "10.0.0.9");
    ck_assert_str_eq(client("10.0.0.1", "10.0.0.1",
                            "X-Forwarded-For: [::]:80\r\n"),
                     "10.0.0.1");
}
END_TEST

START_TEST(what_the_client_claims_stands_left_and_is_not_believed)
{
    header = CLIENT_X_FORWARDED_FOR;
    ck_assert_str_eq(client("10.0.0.1", "10.0.0.1",
                            "X-Forwarded-For: 127.0.0.1, 8.8.8.8, "
                            "192.0.2.1\r\n"),
                     "192.0.2.1");
    ck_assert_str_eq(client("10.0.0.1", "10.0.0.1",
                            "X-Forwarded-For: 8.8.8.8\r\n"
                            "X-Forwarded-For: 192.0.2.1\r\n"),
                     "192.0.2.1");
    /* a claim of a trusted address does not hide the one behind it */
    ck_assert_str_eq(client("10.0.0.0/8", "10.0.0.1",
                            "X-Forwarded-For: 8.8.8.8, 192.0.2.1, "
                            "10.9.9.9\r\n"),
                     "192.0.2.1");
}
END_TEST

START_TEST(through_a_chain_of_trusted_proxies)
{
    header = CLIENT_X_FORWARDED_FOR;
    ck_assert_str_eq(client("10.0.0.0/8", "10.0.0.1",
                            "X-Forwarded-For: 192.0.2.1\r\n"
                            "X-Forwarded-For: 10.0.0.3, 10.0.0.2\r\n"),
                     "192.0.2.1");
    /* nothing but proxies: the outermost */
    ck_assert_str_eq(client("10.0.0.0/8", "10.0.0.1",
                            "X-Forwarded-For: 10.0.0.3, 10.0.0.2\r\n"),
                     "10.0.0.3");
}
END_TEST

START_TEST(what_cannot_be_read_ends_the_walk)
{
    header = CLIENT_X_FORWARDED_FOR;
    ck_assert_str_eq(client("10.0.0.0/8", "10.0.0.1",
                            "X-Forwarded-For: 192.0.2.1, unknown\r\n"),
                     "10.0.0.1");
    ck_assert_str_eq(client("10.0.0.0/8", "10.0.0.1",
                            "X-Forwarded-For: 192.0.2.1, garbage, "
                            "10.0.0.2\r\n"),
                     "10.0.0.2");
    ck_assert_str_eq(client("10.0.0.0/8", "10.0.0.1",
                            "X-Forwarded-For: , ,\r\n"),
                     "10.0.0.1");
    ck_assert_str_eq(client("10.0.0.0/8", "10.0.0.1", "X-Forwarded-For:\r\n"),
                     "10.0.0.1");
}
END_TEST

START_TEST(forwarded)
{
    header = CLIENT_FORWARDED;
    ck_assert_str_eq(client("10.0.0.1", "10.0.0.1",
                            "Forwarded: for=8.8.8.8, proto=https;"
                            "FOR=192.0.2.60;by=203.0.113.43\r\n"),
                     "192.0.2.60");
    ck_assert_str_eq(client("10.0.0.1", "10.0.0.1",
                            "Forwarded: for=\"[2001:db8:cafe::17]:4711\"\r\n"),
                     "2001:db8:cafe::17");
    ck_assert_str_eq(client("10.0.0.1", "10.0.0.1",
                            "Forwarded: by=192.0.2.1; for=192.0.2.2\r\n"),
                     "192.0.2.2");
    ck_assert_str_eq(client("10.0.0.1", "10.0.0.1",
                            "Forwarded: for=192.0.2.1, for=_secret\r\n"),
                     "10.0.0.1");
    ck_assert_str_eq(client("10.0.0.1", "10.0.0.1",
                            "Forwarded: for=192.0.2.1, proto=https\r\n"),
                     "10.0.0.1");
    ck_assert_str_eq(client("10.0.0.1", "10.0.0.1",
                            "Forwarded: for=\"\r\n"), "10.0.0.1");
}
END_TEST

START_TEST(only_the_header_that_was_chosen)
{
    static const char both[] = "Forwarded: for=192.0.2.1\r\n"
                               "X-Forwarded-For: 192.0.2.2\r\n";
    header = CLIENT_FORWARDED;
    ck_assert_str_eq(client("10.0.0.1", "10.0.0.1", both), "192.0.2.1");
    header = CLIENT_X_FORWARDED_FOR;
    ck_assert_str_eq(client("10.0.0.1", "10.0.0.1", both), "192.0.2.2");
}
END_TEST

SUITE_MAIN("client", nobody_is_believed_by_default,
           a_trusted_proxy_names_the_client,
           the_unspecified_address_names_nobody,
           what_the_client_claims_stands_left_and_is_not_believed,
           through_a_chain_of_trusted_proxies,
           what_cannot_be_read_ends_the_walk, forwarded,
           only_the_header_that_was_chosen)
