/* SPDX-License-Identifier: MIT */
/*
 * utf.c: checking and measuring text.
 *
 * Text lives as UTF-8 because that is what goes in and out; Yjs counts UTF-16
 * code units. One character of 1 to 3 bytes is one unit, one of 4 bytes is
 * two: so a string whose units equal its bytes is ASCII and a cut is found by
 * subtraction alone.
 *
 * Must never: be given text that yjs__utf8_check refused (but for the check).
 */
#include "yjs/utf.h"

#include <string.h>

const uint8_t yjs__utf8_replacement[3] = {0xef, 0xbf, 0xbd};

static size_t ascii_run(const uint8_t *s, size_t len)
{
    size_t i = 0;
    uint64_t word;

    for (; len - i >= 8; i += 8) {
        memcpy(&word, s + i, 8);
        if (word & 0x8080808080808080u)
            break;
    }
    while (i < len && s[i] < 0x80)
        i++;
    return i;
}

/* Bytes of the character that begins at s, 0 if it is not valid. */
static size_t char_check(const uint8_t *s, size_t left)
{
    uint8_t a = s[0];
    uint8_t low = 0x80, high = 0xbf;
    size_t n, i;

    if (a >= 0xc2 && a <= 0xdf) {
        n = 2;
    } else if (a >= 0xe0 && a <= 0xef) {
        n = 3;
        low = a == 0xe0 ? 0xa0 : 0x80;  /* shorter form exists */
        high = a == 0xed ? 0x9f : 0xbf; /* surrogates */
    } else if (a >= 0xf0 && a <= 0xf4) {
        n = 4;
        low = a == 0xf0 ? 0x90 : 0x80;
        high = a == 0xf4 ? 0x8f : 0xbf; /* over U+10FFFF */
    } else {
        return 0;
    }
    if (n > left || s[1] < low || s[1] > high)
        return 0;
    for (i = 2; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

bool yjs__utf8_check(const uint8_t *s, size_t len, size_t *units)
{
    size_t i = ascii_run(s, len);
    size_t count = i;

    while (i < len) {
        size_t n = char_check(s + i, len - i);

        if (n == 0)
            return false;
        i += n;
        count += n == 4 ? 2 : 1;
        if (i < len && s[i] < 0x80) {
            n = ascii_run(s + i, len - i);
            i += n;
            count += n;
        }
    }
    *units = count;
    return true;
}

static size_t char_size(uint8_t lead)
{
    if (lead < 0x80)
        return 1;
    if (lead < 0xe0)
        return 2;
    return lead < 0xf0 ? 3 : 4;
}

static struct yjs__utf8_cut find_forward(const uint8_t *s, size_t unit)
{
    struct yjs__utf8_cut cut = {0, false};

    while (unit > 0) {
        size_t n = char_size(s[cut.byte]);

        if (n == 4 && unit == 1) {
            cut.inside = true;
            break;
        }
        unit -= n == 4 ? 2 : 1;
        cut.byte += n;
    }
    return cut;
}

static struct yjs__utf8_cut find_backward(const uint8_t *s, size_t len,
                                          size_t units_after)
{
    struct yjs__utf8_cut cut = {len, false};

    while (units_after > 0) {
        size_t at = cut.byte;

        do {
            cut.byte--;
        } while ((s[cut.byte] & 0xc0) == 0x80);
        if (at - cut.byte == 4 && units_after == 1) {
            cut.inside = true;
            break;
        }
        units_after -= at - cut.byte == 4 ? 2 : 1;
    }
    return cut;
}

struct yjs__utf8_cut yjs__utf8_find(const uint8_t *s, size_t len, size_t units,
                                    size_t unit)
{
    if (len == units)
        return (struct yjs__utf8_cut){unit, false};
    if (unit <= units / 2)
        return find_forward(s, unit);
    return find_backward(s, len, units - unit);
}
