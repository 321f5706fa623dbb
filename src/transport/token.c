/* SPDX-License-Identifier: MIT */
/* Session tokens: see token.h. Must never put a secret or a whole token into
 * a log. */
#include "transport/token.h"

#include <string.h>

#include <nettle/hmac.h>
#include <nettle/memops.h>

#include "transport/base64.h"

static void mac(const void *key, size_t key_len, const void *data, size_t len,
                uint8_t out[TOKEN_MAC_BYTES])
{
    struct hmac_sha256_ctx ctx;
    hmac_sha256_set_key(&ctx, key_len, key);
    hmac_sha256_update(&ctx, len, data);
    hmac_sha256_digest(&ctx, TOKEN_MAC_BYTES, out);
    explicit_bzero(&ctx, sizeof ctx);
}

void token_key_init(struct token_key *key, const void *secret,
                    size_t secret_len, const char *mount,
                    const uint8_t instance[TOKEN_INSTANCE_BYTES])
{
    static const char purpose[] = "roomd long-poll token 1";
    uint8_t stage[TOKEN_MAC_BYTES];
    mac(secret, secret_len, purpose, sizeof purpose, stage);
    mac(stage, sizeof stage, mount, strlen(mount), key->key);
    explicit_bzero(stage, sizeof stage);
    memcpy(key->instance, instance, sizeof key->instance);
}

void token_sign(const struct token_key *key,
                const uint8_t id[TOKEN_ID_BYTES], char out[TOKEN_CHARS + 1])
{
    enum { SIGNED = TOKEN_INSTANCE_BYTES + TOKEN_ID_BYTES };
    uint8_t raw[TOKEN_BYTES];
    memcpy(raw, key->instance, TOKEN_INSTANCE_BYTES);
    memcpy(raw + TOKEN_INSTANCE_BYTES, id, TOKEN_ID_BYTES);
    mac(key->key, sizeof key->key, raw, SIGNED, raw + SIGNED);
    base64_encode_url(raw, sizeof raw, out);
}

bool token_id(const char *token, size_t len, uint8_t out_id[TOKEN_ID_BYTES])
{
    uint8_t raw[TOKEN_CHARS / 4 * 3 + 3];
    size_t raw_len;
    if (len != TOKEN_CHARS ||
        !base64_decode(BASE64_URL, token, len, raw, &raw_len) ||
        raw_len != TOKEN_BYTES)
        return false;
    memcpy(out_id, raw + TOKEN_INSTANCE_BYTES, TOKEN_ID_BYTES);
    return true;
}

bool token_verify(const struct token_key *key, const char *token, size_t len,
                  uint8_t out_id[TOKEN_ID_BYTES])
{
    enum { SIGNED = TOKEN_INSTANCE_BYTES + TOKEN_ID_BYTES };
    uint8_t raw[TOKEN_CHARS / 4 * 3 + 3], want[TOKEN_MAC_BYTES];
    size_t raw_len;
    if (len != TOKEN_CHARS ||
        !base64_decode(BASE64_URL, token, len, raw, &raw_len) ||
        raw_len != TOKEN_BYTES)
        return false;
    mac(key->key, sizeof key->key, raw, SIGNED, want);
    if (!memeql_sec(want, raw + SIGNED, sizeof want) ||
        !memeql_sec(raw, key->instance, sizeof key->instance))
        return false;
    memcpy(out_id, raw + TOKEN_INSTANCE_BYTES, TOKEN_ID_BYTES);
    return true;
}
