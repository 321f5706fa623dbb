/* SPDX-License-Identifier: MIT */
/* Bytes <-> JSON integers: see ints.h. Must never read past its input nor
 * write past INTS_ROOM. This is the inner loop of every JSON update, so both
 * ways take whole elements without a branch on their length. */
#include "channel/ints.h"

#include <string.h>

/* "N," for every byte N. */
#define C1(o)                                                                  \
    {                                                                          \
        '0' + (o), ',', 0, 0                                                   \
    }
#define C2(t, o)                                                               \
    {                                                                          \
        '0' + (t), '0' + (o), ',', 0                                           \
    }
#define C3(h, t, o)                                                            \
    {                                                                          \
        '0' + (h), '0' + (t), '0' + (o), ','                                   \
    }
#define C1_TEN                                                                 \
    C1(0), C1(1), C1(2), C1(3), C1(4), C1(5), C1(6), C1(7), C1(8), C1(9)
#define C2_TEN(t)                                                              \
    C2(t, 0), C2(t, 1), C2(t, 2), C2(t, 3), C2(t, 4), C2(t, 5), C2(t, 6),      \
        C2(t, 7), C2(t, 8), C2(t, 9)
#define C3_SIX(h, t)                                                           \
    C3(h, t, 0), C3(h, t, 1), C3(h, t, 2), C3(h, t, 3), C3(h, t, 4), C3(h, t, 5)
#define C3_TEN(h, t)                                                           \
    C3_SIX(h, t), C3(h, t, 6), C3(h, t, 7), C3(h, t, 8), C3(h, t, 9)

static const uint8_t text[256][4] = {
    C1_TEN,       C2_TEN(1),    C2_TEN(2),    C2_TEN(3),    C2_TEN(4),
    C2_TEN(5),    C2_TEN(6),    C2_TEN(7),    C2_TEN(8),    C2_TEN(9),
    C3_TEN(1, 0), C3_TEN(1, 1), C3_TEN(1, 2), C3_TEN(1, 3), C3_TEN(1, 4),
    C3_TEN(1, 5), C3_TEN(1, 6), C3_TEN(1, 7), C3_TEN(1, 8), C3_TEN(1, 9),
    C3_TEN(2, 0), C3_TEN(2, 1), C3_TEN(2, 2), C3_TEN(2, 3), C3_TEN(2, 4),
    C3_SIX(2, 5)};

static size_t text_len(uint8_t byte)
{
    return 2 + (size_t)(byte >= 10) + (size_t)(byte >= 100);
}

/* How many of the eight bytes of `w` are at least `least` (1 to 127). */
static size_t count_from(uint64_t w, uint64_t least)
{
    const uint64_t ones = 0x0101010101010101, high = 0x80 * ones;
    uint64_t reach = (w & ~high) + (0x80 - least) * ones;
    return (size_t)(((reach | w) & high) / 0x80 * ones >> 56);
}

size_t ints_length(const uint8_t *bytes, size_t len)
{
    size_t total = len ? 2 * len - 1 : 0, i = 0;
    for (; i + 8 <= len; i += 8) {
        uint64_t w;
        memcpy(&w, bytes + i, sizeof w);
        total += count_from(w, 10) + count_from(w, 100);
    }
    for (; i < len; i++)
        total += (size_t)(bytes[i] >= 10) + (size_t)(bytes[i] >= 100);
    return total;
}

void ints_write(uint8_t *dst, const uint8_t *bytes, size_t len)
{
    size_t i = 0;
    /* Four bytes are stored for each element; what is too much is overwritten
     * by the next two, which take three characters at least. */
    for (; i + 2 < len; i++) {
        memcpy(dst, text[bytes[i]], 4);
        dst += text_len(bytes[i]);
    }
    for (; i < len; i++) {
        size_t n = text_len(bytes[i]) - (i + 1 == len); /* no last comma */
        memcpy(dst, text[bytes[i]], n);
        dst += n;
    }
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/* One to three digits, as their values in the low bytes of x: `bits` is eight
 * for each. *bad collects what is no byte value, or has a zero before it. */
static uint8_t digits_value(uint32_t x, unsigned bits, uint32_t *bad)
{
    uint32_t t = x << (24 - bits); /* right-aligned in three bytes */
    uint32_t value = (t & 0xff) * 100 + (t >> 8 & 0xff) * 10 + (t >> 16 & 0xff);
    *bad |= (uint32_t)(value > 255) |
            ((uint32_t)(bits > 8) & (uint32_t)((x & 0xff) == 0));
    return (uint8_t)value;
}
#endif

/* As many complete "N," elements as lie at p with eight bytes in reach, two at
 * a time: where the second begins does not wait for what the first is worth.
 * Returns the first byte not consumed. */
static const uint8_t *decode_run(const uint8_t *p, const uint8_t *end,
                                 uint8_t **out, uint32_t *bad)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    const uint64_t ones = 0x0101010101010101;
    uint8_t *o = *out;
    while (end - p >= 8) {
        uint64_t w;
        memcpy(&w, p, sizeof w);
        uint64_t x = w ^ '0' * ones; /* digits become 0 to 9 */
        uint64_t other = (((x & 0x7f * ones) + 0x76 * ones) | x) & 0x80 * ones;
        uint64_t second = other & (other - 1);
        if (!second)
            break;
        unsigned at1 = (unsigned)__builtin_ctzll(other) & ~7u;
        unsigned at2 = (unsigned)__builtin_ctzll(second) & ~7u;
        unsigned bits2 = at2 - at1 - 8; /* 8 for each digit of the second */
        if (at1 - 8 > 16 || bits2 - 8 > 16 || (w >> at1 & 0xff) != ',' ||
            (w >> at2 & 0xff) != ',')
            break;
        o[0] = digits_value((uint32_t)x, at1, bad);
        o[1] = digits_value((uint32_t)(x >> at1 >> 8), bits2, bad);
        o += 2;
        p += at2 / 8 + 1;
    }
    *out = o;
#else
    (void)end;
    (void)out;
    (void)bad;
#endif
    return p;
}

static const uint8_t *skip_space(const uint8_t *p, const uint8_t *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
        p++;
    return p;
}

/* One number, plainly. NULL when it is none of 0..255. */
static const uint8_t *decode_one(const uint8_t *p, const uint8_t *end,
                                 uint8_t *out)
{
    const uint8_t *from = p;
    unsigned value = 0;
    while (p < end && *p >= '0' && *p <= '9' && p - from < 4)
        value = value * 10 + (unsigned)(*p++ - '0');
    if (p == from || value > 255 || (*from == '0' && p - from > 1))
        return NULL;
    *out = (uint8_t)value;
    return p;
}

bool ints_decode(const uint8_t *json, size_t len, uint8_t *out, size_t *out_len)
{
    const uint8_t *p = json, *end = json + len;
    uint8_t *o = out;
    uint32_t bad = 0;
    if (p == end || *p++ != '[')
        return false;
    p = skip_space(p, end);
    if (p < end && *p == ']') {
        *out_len = 0;
        return p + 1 == end;
    }
    for (;;) {
        p = skip_space(decode_run(p, end, &o, &bad), end);
        p = decode_one(p, end, o);
        if (!p || bad)
            return false;
        o++;
        p = skip_space(p, end);
        if (p == end)
            return false;
        if (*p == ']')
            break;
        if (*p++ != ',')
            return false;
        p = skip_space(p, end);
    }
    *out_len = (size_t)(o - out);
    return p + 1 == end;
}
