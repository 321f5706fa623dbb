/* SPDX-License-Identifier: MIT */
/**
 * @file base64.h
 * Base64 (RFC 4648): decoding of what clients send, encoding of our tokens.
 * Strict: no white space, no stray bits behind the last byte.
 */
#ifndef TRANSPORT_BASE64_H
#define TRANSPORT_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum base64_kind {
    BASE64_PADDED, /**< standard alphabet, padding required */
    BASE64_LOOSE,  /**< standard alphabet, padding allowed, not required */
    BASE64_URL     /**< URL-safe alphabet, no padding */
};

/** Bytes that decoding `len` characters can give at most. */
static inline size_t base64_decoded_max(size_t len)
{
    return len / 4 * 3 + 3;
}

/** False when malformed; `out` has base64_decoded_max(len) bytes and may be
 *  partly written then. `out` may be `src` itself. */
bool base64_decode(enum base64_kind kind, const char *src, size_t len,
                   uint8_t *out, size_t *out_len);

/** URL-safe, unpadded, NUL-terminated; `out` has (len * 4 + 2) / 3 + 1 bytes.
 *  Returns the length without the NUL. */
size_t base64_encode_url(const uint8_t *src, size_t len, char *out);

#endif
