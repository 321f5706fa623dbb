/* SPDX-License-Identifier: MIT */
/**
 * @file token.h
 * Signed names of long-poll sessions. A token says which instance holds the
 * session and which one it is; the signature's key is derived from the
 * server's secret and the mount, so that a token of another mount, or of a
 * server with another secret, is not one of ours.
 *
 *   base64url( instance[4] id[16] HMAC-SHA256(key, instance id)[32] )
 */
#ifndef TRANSPORT_TOKEN_H
#define TRANSPORT_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TOKEN_ID_BYTES = 16,
    TOKEN_INSTANCE_BYTES = 4,
    TOKEN_MAC_BYTES = 32,
    TOKEN_BYTES = TOKEN_ID_BYTES + TOKEN_INSTANCE_BYTES + TOKEN_MAC_BYTES,
    TOKEN_CHARS = (TOKEN_BYTES * 4 + 2) / 3
};

struct token_key {
    uint8_t key[32];
    uint8_t instance[TOKEN_INSTANCE_BYTES];
};

void token_key_init(struct token_key *key, const void *secret,
                    size_t secret_len, const char *mount,
                    const uint8_t instance[TOKEN_INSTANCE_BYTES]);

/** NUL-terminated. */
void token_sign(const struct token_key *key,
                const uint8_t id[TOKEN_ID_BYTES], char out[TOKEN_CHARS + 1]);

/** What a token names, whoever made it: only to look up what to compare it
 *  with. False when it is none. */
bool token_id(const char *token, size_t len, uint8_t out_id[TOKEN_ID_BYTES]);

/** True when signed with this key by this instance; the comparison takes the
 *  same time wherever the difference lies. */
bool token_verify(const struct token_key *key, const char *token, size_t len,
                  uint8_t out_id[TOKEN_ID_BYTES]);

#endif
