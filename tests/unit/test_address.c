/* SPDX-License-Identifier: MIT */
/* Addresses as proxies write them, and networks of them. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/address.h"
#include "suite.h"

static const char *parsed(const char *text)
{
    static char out[ADDRESS_TEXT_MAX];
    struct address address;
    size_t len = strlen(text);
    char *block = malloc(len ? len : 1); /* its own size, for a sanitizer */
    memcpy(block, text, len);
    bool ok = address_parse(&address, block, len);
    free(block);
    if (!ok)
        return "no";
    address_text(&address, out);
    return out;
}

START_TEST(reads_what_proxies_write)
{
    ck_assert_str_eq(parsed("192.0.2.1"), "192.0.2.1");
    ck_assert_str_eq(parsed("192.0.2.1:8080"), "192.0.2.1");
    ck_assert_str_eq(parsed("2001:db8::1"), "2001:db8::1");
    ck_assert_str_eq(parsed("[2001:db8::1]"), "2001:db8::1");
    ck_assert_str_eq(parsed("[2001:DB8::1]:65535"), "2001:db8::1");
    ck_assert_str_eq(parsed("::ffff:192.0.2.1"), "192.0.2.1");
    ck_assert_str_eq(parsed("::1"), "::1");
}
END_TEST

START_TEST(takes_nothing_else)
{
    static const char *const texts[] = {
        "",           "unknown",      "_hidden",   "192.0.2",
        "192.0.2.1.", "192.0.2.256",  "[::1",      "::1]",
        "[]",         "[]:1",         "[::1]x",    "[::1]:",
        "[::1]:1a",   "192.0.2.1:",   "192.0.2.1:x", "192.0.2.1:123456",
        "a:b",        " 192.0.2.1",   "192.0.2.1 ", "[192.0.2.1]",
        "01.2.3.4",   "192.0.2.1/24", ":", "[",
        "2001:db8::1%eth0",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ck_assert_msg(strcmp(parsed(texts[i]), "no") == 0, "\"%s\"", texts[i]);
    struct address address;
    ck_assert(!address_parse(&address, "::1\0", 4));
}
END_TEST

START_TEST(text_of_the_unknown_is_empty)
{
    struct address none = {{0}}, v4;
    char text[ADDRESS_TEXT_MAX];
    address_text(&none, text);
    ck_assert_str_eq(text, "");
    ck_assert(!address_known(&none));
    address_from_v4(&v4, (const uint8_t[4]){0, 0, 0, 0});
    ck_assert(address_known(&v4));
}
END_TEST

START_TEST(sockets_of_both_families)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr unix_socket = {.sa_family = AF_UNIX};
    struct address a, b;
    v4.sin_addr.s_addr = htonl(0xc0000201);
    inet_pton(AF_INET6, "::ffff:192.0.2.1", &v6.sin6_addr);
    address_from_socket(&a, (struct sockaddr *)&v4);
    address_from_socket(&b, (struct sockaddr *)&v6);
    ck_assert(address_same(&a, &b)); /* a dual-stack listener's peer */
    address_from_socket(&a, &unix_socket);
    ck_assert(!address_known(&a));
}
END_TEST

static bool has(const char *list_text, const char *text)
{
    struct address_list list;
    struct address address;
    ck_assert_msg(address_list_init(&list, list_text), "%s", list_text);
    ck_assert(address_parse(&address, text, strlen(text)));
    bool found = address_list_has(&list, &address);
    address_list_deinit(&list);
    return found;
}

START_TEST(networks)
{
    ck_assert(has("192.0.2.1", "192.0.2.1"));
    ck_assert(!has("192.0.2.1", "192.0.2.2"));
    ck_assert(has("10.0.0.0/8,fd00::/8", "10.255.0.1"));
    ck_assert(has("10.0.0.0/8 , fd00::/8", "fd12::1"));
    ck_assert(!has("10.0.0.0/8 fd00::/8", "11.0.0.1"));
    ck_assert(has("192.0.2.77/25", "192.0.2.1")); /* host bits do not count */
    ck_assert(!has("192.0.2.0/25", "192.0.2.128"));
    ck_assert(has("192.0.2.128/25", "192.0.2.255"));
    ck_assert(has("0.0.0.0/0", "203.0.113.9"));
    ck_assert(!has("0.0.0.0/0", "2001:db8::1"));
    ck_assert(has("::/0", "2001:db8::1"));
    ck_assert(has("2001:db8::/33", "2001:db8:7fff::1"));
    ck_assert(!has("2001:db8::/33", "2001:db8:8000::1"));
    ck_assert(has("::ffff:10.0.0.0/8", "10.1.1.1"));
    ck_assert(!has("", "10.0.0.1"));
    ck_assert(has("loopback", "127.8.8.8"));
    ck_assert(has("loopback", "::1"));
    ck_assert(!has("loopback", "10.0.0.1"));
    ck_assert(has("private loopback", "172.31.0.1"));
    ck_assert(!has("private", "172.32.0.1"));
    ck_assert(has("private", "fe80::1"));
}
END_TEST

START_TEST(lists_that_cannot_be_read)
{
    static const char *const texts[] = {
        "example.com", "10.0.0.0/33", "::/129", "10.0.0.0/", "/8",
        "10.0.0.0/8x", "10.0.0.0/-1", "10.0.0.1:80", "privat",
        "10.0.0.0/8 nonsense", "10.0.0.0/0008"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct address_list list = {NULL, 7};
        ck_assert_msg(!address_list_init(&list, texts[i]), "%s", texts[i]);
        ck_assert_uint_eq(list.count, 7); /* untouched */
    }
}
END_TEST

SUITE_MAIN("address", reads_what_proxies_write, takes_nothing_else,
           text_of_the_unknown_is_empty, sockets_of_both_families, networks,
           lists_that_cannot_be_read)
