/* SPDX-License-Identifier: MIT */
/**
 * @file client.h
 * Whose request it is. Behind a proxy the connection's peer is the proxy; the
 * client is whom a header of the proxy names. Anybody can send that header, so
 * it is believed only of peers in `trusted_proxies`.
 */
#ifndef TRANSPORT_CLIENT_H
#define TRANSPORT_CLIENT_H

#include <stdbool.h>

#include "base/address.h"

struct http_head;

/** Which header names the client. One of the two: a proxy that writes one of
 *  them lets the other pass as the client sent it. */
enum client_header { CLIENT_X_FORWARDED_FOR, CLIENT_FORWARDED };

/** The settings; zeroed: nobody is trusted. */
struct client_policy {
    struct address_list trusted;
    enum client_header header;
    bool proxy_protocol; /**< connections of trusted peers begin with a PROXY
                              header */
};

/**
 * The client of a request on a connection from `peer`: read from right to
 * left, the first address in the header that is not a trusted proxy's; `peer`
 * when it is not trusted or the header names nobody.
 */
void client_address(const struct client_policy *policy,
                    const struct address *peer, const struct http_head *head,
                    struct address *out);

#endif
