/* SPDX-License-Identifier: MIT */
/* Base64: see base64.h. Must never accept two spellings of the same bytes:
 * the bits behind the last byte have to be zero. */
#include "transport/base64.h"

/* 0..63, or 255 for what is not in the alphabet. */
static const uint8_t *table(enum base64_kind kind)
{
    static uint8_t standard[256], url[256];
    static bool ready;
    if (!ready) {
        for (int i = 0; i < 256; i++)
            standard[i] = url[i] = 255;
        for (uint8_t i = 0; i < 26; i++) {
            standard['A' + i] = url['A' + i] = i;
            standard['a' + i] = url['a' + i] = (uint8_t)(26 + i);
        }
        for (uint8_t i = 0; i < 10; i++)
            standard['0' + i] = url['0' + i] = (uint8_t)(52 + i);
        standard['+'] = url['-'] = 62;
        standard['/'] = url['_'] = 63;
        ready = true;
    }
    return kind == BASE64_URL ? url : standard;
}

/* Take the padding off `*len`; false where it is wrong for the kind. */
static bool strip_padding(enum base64_kind kind, const char *src, size_t *len)
{
    size_t n = *len, pad = 0;
    if (kind == BASE64_URL)
        return n % 4 != 1;
    if (kind == BASE64_PADDED && n % 4)
        return false;
    while (pad < 2 && n > 0 && src[n - 1] == '=') {
        n--;
        pad++;
    }
    if (pad && (n + pad) % 4)
        return false;
    *len = n;
    return n % 4 != 1;
}

bool base64_decode(enum base64_kind kind, const char *src, size_t len,
                   uint8_t *out, size_t *out_len)
{
    const uint8_t *value = table(kind);
    size_t at = 0;
    uint32_t bits = 0;
    int have = 0;
    size_t i = 0;
    if (!strip_padding(kind, src, &len))
        return false;
    for (; len - i >= 4; i += 4) {
        uint32_t a = value[(uint8_t)src[i]], b = value[(uint8_t)src[i + 1]];
        uint32_t c = value[(uint8_t)src[i + 2]], d = value[(uint8_t)src[i + 3]];
        if ((a | b | c | d) == 255)
            return false;
        out[at++] = (uint8_t)(a << 2 | b >> 4);
        out[at++] = (uint8_t)(b << 4 | c >> 2);
        out[at++] = (uint8_t)(c << 6 | d);
    }
    for (; i < len; i++) {
        uint8_t v = value[(uint8_t)src[i]];
        if (v == 255)
            return false;
        bits = (bits << 6 | v) & 0xffffff;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[at++] = (uint8_t)(bits >> have);
        }
    }
    if (bits & ((1u << have) - 1))
        return false;
    *out_len = at;
    return true;
}

size_t base64_encode_url(const uint8_t *src, size_t len, char *out)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t at = 0;
    uint32_t bits = 0;
    int have = 0;
    for (size_t i = 0; i < len; i++) {
        bits = (bits << 8 | src[i]) & 0xffffff;
        for (have += 8; have >= 6; have -= 6)
            out[at++] = alphabet[bits >> (have - 6) & 63];
    }
    if (have)
        out[at++] = alphabet[bits << (6 - have) & 63];
    out[at] = '\0';
    return at;
}
