/* SPDX-License-Identifier: MIT */
/**
 * @file address.h
 * IP addresses, and lists of networks. One form for both families: IPv4 is
 * kept mapped into IPv6 (::ffff:a.b.c.d), so an address is 16 bytes that can
 * be compared, hashed and counted by. All zero: unknown.
 */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sockaddr;

enum { ADDRESS_BYTES = 16, ADDRESS_TEXT_MAX = 46 };

struct address {
    uint8_t bytes[ADDRESS_BYTES];
};

/** Unknown for any other family. */
void address_from_socket(struct address *out, const struct sockaddr *from);
void address_from_v4(struct address *out, const uint8_t bytes[4]);

/** An address as proxies write it: 192.0.2.1, 192.0.2.1:80, 2001:db8::1,
 *  [2001:db8::1] or [2001:db8::1]:80. False, `out` untouched, for all else. */
bool address_parse(struct address *out, const char *text, size_t len);

/** NUL-terminated; "" when unknown. */
void address_text(const struct address *address, char out[ADDRESS_TEXT_MAX]);

bool address_known(const struct address *address);
bool address_same(const struct address *a, const struct address *b);

struct address_network;

/** Zeroed: holds no address. */
struct address_list {
    struct address_network *networks;
    size_t count;
};

/**
 * `text`: addresses and networks (192.0.2.1, 10.0.0.0/8, fd00::/8) and the
 * words `loopback` and `private`, separated by commas or spaces. False when
 * one cannot be read; `list` is untouched then.
 */
bool address_list_init(struct address_list *list, const char *text);
void address_list_deinit(struct address_list *list);
bool address_list_has(const struct address_list *list,
                      const struct address *address);

#endif
