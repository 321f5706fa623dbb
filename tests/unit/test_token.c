/* SPDX-License-Identifier: MIT */
/* Session tokens, and the base64 they and the clients use. */
#include <string.h>

#include "suite.h"
#include "transport/base64.h"
#include "transport/token.h"

static const uint8_t here[TOKEN_INSTANCE_BYTES] = {1, 2, 3, 4};
static const uint8_t there[TOKEN_INSTANCE_BYTES] = {1, 2, 3, 5};
static const uint8_t id[TOKEN_ID_BYTES] = "0123456789abcde";

START_TEST(a_token_names_its_session)
{
    struct token_key key;
    char token[TOKEN_CHARS + 1];
    uint8_t out[TOKEN_ID_BYTES];
    token_key_init(&key, "secret", 6, "/socket", here);
    token_sign(&key, id, token);
    ck_assert_uint_eq(strlen(token), TOKEN_CHARS);
    ck_assert_uint_eq(strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkl"
                                    "mnopqrstuvwxyz0123456789-_"),
                      TOKEN_CHARS);
    ck_assert(token_verify(&key, token, TOKEN_CHARS, out));
    ck_assert_mem_eq(out, id, sizeof id);
}
END_TEST

START_TEST(every_changed_character_is_noticed)
{
    struct token_key key;
    char token[TOKEN_CHARS + 1];
    uint8_t out[TOKEN_ID_BYTES];
    token_key_init(&key, "secret", 6, "/socket", here);
    token_sign(&key, id, token);
    for (size_t i = 0; i < TOKEN_CHARS; i++) {
        char was = token[i];
        for (const char *c = "ABab01-_+/=\n"; *c; c++) {
            token[i] = *c;
            ck_assert(*c == was || !token_verify(&key, token, TOKEN_CHARS,
                                                 out));
        }
        token[i] = was;
    }
    for (size_t len = 0; len < TOKEN_CHARS; len++)
        ck_assert(!token_verify(&key, token, len, out));
    ck_assert(!token_verify(&key, token, TOKEN_CHARS + 1, out));
}
END_TEST

START_TEST(another_secret_mount_or_instance_is_not_ours)
{
    struct token_key key, secret, mount, instance;
    char token[TOKEN_CHARS + 1];
    uint8_t out[TOKEN_ID_BYTES];
    token_key_init(&key, "secret", 6, "/socket", here);
    token_key_init(&secret, "Secret", 6, "/socket", here);
    token_key_init(&mount, "secret", 6, "/socket2", here);
    token_key_init(&instance, "secret", 6, "/socket", there);
    token_sign(&key, id, token);
    ck_assert(!token_verify(&secret, token, TOKEN_CHARS, out));
    ck_assert(!token_verify(&mount, token, TOKEN_CHARS, out));
    ck_assert(!token_verify(&instance, token, TOKEN_CHARS, out));
}
END_TEST

static bool decodes(enum base64_kind kind, const char *text, const char *want)
{
    uint8_t out[64];
    size_t len, want_len = strlen(want);
    ck_assert_uint_le(base64_decoded_max(strlen(text)), sizeof out);
    return base64_decode(kind, text, strlen(text), out, &len) &&
           len == want_len && memcmp(out, want, len) == 0;
}

static bool refuses(enum base64_kind kind, const char *text)
{
    uint8_t out[64];
    size_t len;
    return !base64_decode(kind, text, strlen(text), out, &len);
}

START_TEST(base64_of_rfc_4648)
{
    ck_assert(decodes(BASE64_PADDED, "", ""));
    ck_assert(decodes(BASE64_PADDED, "Zg==", "f"));
    ck_assert(decodes(BASE64_PADDED, "Zm8=", "fo"));
    ck_assert(decodes(BASE64_PADDED, "Zm9v", "foo"));
    ck_assert(decodes(BASE64_PADDED, "Zm9vYmFy", "foobar"));
    ck_assert(decodes(BASE64_LOOSE, "Zg", "f"));
    ck_assert(decodes(BASE64_LOOSE, "Zg==", "f"));
    ck_assert(decodes(BASE64_LOOSE, "+/+/", "\xfb\xff\xbf"));
    ck_assert(decodes(BASE64_URL, "-_-_", "\xfb\xff\xbf"));
    ck_assert(decodes(BASE64_URL, "Zm8", "fo"));
}
END_TEST

START_TEST(base64_that_is_refused)
{
    static const char *const bad[] = {"Z",    "Zg",    "Zg=",  "Zm9v=",
                                      "Zh==", "Zm9=",  "Z===", "====",
                                      "Zg==Zg==", "Zm 9", "Zm9v\n", "Zm-_"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(refuses(BASE64_PADDED, bad[i]), "%s", bad[i]);
    ck_assert(refuses(BASE64_LOOSE, "Z"));
    ck_assert(refuses(BASE64_LOOSE, "Zm8=="));
    ck_assert(refuses(BASE64_LOOSE, "Zh"));
    ck_assert(refuses(BASE64_URL, "Zg=="));
    ck_assert(refuses(BASE64_URL, "+/+/"));
}
END_TEST

START_TEST(base64_there_and_back_in_place)
{
    uint8_t bytes[48];
    char text[65];
    size_t len;
    for (size_t n = 0; n <= sizeof bytes; n++) {
        for (size_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)(i * 37 + n);
        size_t chars = base64_encode_url(bytes, n, text);
        ck_assert_uint_eq(chars, strlen(text));
        ck_assert(base64_decode(BASE64_URL, text, chars, (uint8_t *)text,
                                &len));
        ck_assert_uint_eq(len, n);
        ck_assert(n == 0 || memcmp(text, bytes, n) == 0);
    }
}
END_TEST

SUITE_MAIN("token", a_token_names_its_session,
           every_changed_character_is_noticed,
           another_secret_mount_or_instance_is_not_ours, base64_of_rfc_4648,
           base64_that_is_refused, base64_there_and_back_in_place)
