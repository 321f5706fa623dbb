/* SPDX-License-Identifier: MIT */
/**
 * @file proxy_header.h
 * The PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt): a
 * few bytes ahead of a connection's own, by which a proxy that forwards bytes
 * says whose they are.
 *
 *   1  "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"
 *   2  signature[12]  version|command  family|transport  length[2]
 *      source, destination, ports, TLVs: length bytes in all
 */
#ifndef TRANSPORT_PROXY_HEADER_H
#define TRANSPORT_PROXY_HEADER_H

#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

enum {
    /** Longer headers are refused: some TLVs (a certificate's name) fit. */
    PROXY_HEADER_MAX = 4096,
    PROXY_HEADER_MORE = 0, /**< it is not all there yet */
    PROXY_HEADER_BAD = -1  /**< it is none */
};

/**
 * The length of the header that `data` begins with, or one of the above. Then
 * `out` is the client's address; it is unknown when the proxy speaks for
 * itself (a health check) or does not tell.
 */
int proxy_header_read(const uint8_t *data, size_t len, struct address *out);

#endif
