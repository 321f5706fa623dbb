/* SPDX-License-Identifier: MIT */
/*
 * number.c: decimal to double and back.
 *
 * libc rounds correctly; what it cannot do is ignore the locale and find the
 * shortest digits. So it is fed digits and an exponent without a point, and
 * the shortest is found by trying 15, 16 and 17 digits: 15 digits survive any
 * round trip, so a shorter form that fits is the 15-digit form with its zeros
 * cut off. Below the normal range that does not hold, and every length from 1
 * is tried.
 */
#include "yjs/number.h"

#include <float.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 767 digits decide any rounding; one more stands for the rest. */
#define PARSE_DIGITS 770u

struct decimal {
    char digits[PARSE_DIGITS + 2];
    size_t n;
    int64_t exponent; /* of the last digit */
    bool negative;
    bool lost; /* digits other than 0 did not fit */
};

static void add_digit(struct decimal *d, uint8_t c, bool fraction)
{
    if (d->n == 0 && c == '0') {
        d->exponent -= fraction;
        return;
    }
    if (d->n < PARSE_DIGITS) {
        d->digits[d->n++] = (char)c;
        d->exponent -= fraction;
        return;
    }
    d->exponent += !fraction;
    if (c != '0')
        d->lost = true;
}

static int64_t read_exponent(const uint8_t *s, size_t len)
{
    bool negative = len > 0 && s[0] == '-';
    int64_t e = 0;
    size_t i;

    for (i = 0; i < len; i++) {
        if (s[i] < '0' || s[i] > '9')
            continue;
        if (e < 1000000000)
            e = e * 10 + (s[i] - '0');
    }
    return negative ? -e : e;
}

double yjs__number_parse(const uint8_t *s, size_t len)
{
    struct decimal d = {.n = 0};
    char text[PARSE_DIGITS + 40];
    bool fraction = false;
    size_t i;
    double v;

    for (i = 0; i < len && s[i] != 'e' && s[i] != 'E'; i++) {
        if (s[i] == '-')
            d.negative = true;
        else if (s[i] == '.')
            fraction = true;
        else
            add_digit(&d, s[i], fraction);
    }
    if (i < len)
        d.exponent += read_exponent(s + i + 1, len - i - 1);
    if (d.n == 0)
        return d.negative ? -0.0 : 0.0;
    if (d.lost) {
        d.digits[d.n++] = '1';
        d.exponent--;
    }
    if (d.exponent > 99999)
        d.exponent = 99999;
    if (d.exponent < -99999)
        d.exponent = -99999;
    snprintf(text, sizeof(text), "%.*se%d", (int)d.n, d.digits,
             (int)d.exponent);
    v = strtod(text, NULL);
    return d.negative ? -v : v;
}

/* The shortest digits d[0..n) of v > 0, v = 0.d1d2... * 10^point. */
struct shortest {
    char d[24];
    int n;
    int point;
};

static double value_of(const struct shortest *s)
{
    char text[64];

    snprintf(text, sizeof(text), "%.*se%d", s->n, s->d, s->point - s->n);
    return strtod(text, NULL);
}

static void round_to(double v, int n, struct shortest *s)
{
    char text[64];
    const char *p = text;

    snprintf(text, sizeof(text), "%.*e", n - 1, v);
    for (s->n = 0; *p != 'e'; p++)
        if (*p >= '0' && *p <= '9')
            s->d[s->n++] = *p;
    s->point = (int)strtol(p + 1, NULL, 10) + 1;
}

/* One more in the last place. */
static void step_up(struct shortest *s)
{
    int i = s->n - 1;

    while (i >= 0 && s->d[i] == '9')
        s->d[i--] = '0';
    if (i >= 0) {
        s->d[i]++;
        return;
    }
    s->d[0] = '1';
    s->point++;
}

static bool try_digits(double v, int n, struct shortest *s)
{
    uint64_t bits;

    round_to(v, n, s);
    if (value_of(s) == v)
        return true;
    /* Below a power of two the numbers are twice as dense: the nearest n
     * digits may lie on the near side and miss while the far ones hit. */
    memcpy(&bits, &v, sizeof(bits));
    if (bits & 0xfffffffffffffu)
        return false;
    step_up(s);
    return value_of(s) == v;
}

static void find_shortest(double v, struct shortest *s)
{
    int n = v < DBL_MIN ? 1 : 15;

    while (n < 17 && !try_digits(v, n, s))
        n++;
    if (n == 17)
        round_to(v, 17, s);
    while (s->n > 1 && s->d[s->n - 1] == '0')
        s->n--;
}

static char *put(char *p, const char *s, int n)
{
    memcpy(p, s, (size_t)n);
    return p + n;
}

static char *put_zeros(char *p, int n)
{
    memset(p, '0', (size_t)n);
    return p + n;
}

static char *format_shortest(char *p, const struct shortest *s)
{
    int e = s->point - 1;

    if (s->n <= s->point && s->point <= 21) {
        p = put(p, s->d, s->n);
        return put_zeros(p, s->point - s->n);
    }
    if (0 < s->point && s->point <= 21) {
        p = put(p, s->d, s->point);
        *p++ = '.';
        return put(p, s->d + s->point, s->n - s->point);
    }
    if (-6 < s->point && s->point <= 0) {
        p = put(p, "0.", 2);
        p = put_zeros(p, -s->point);
        return put(p, s->d, s->n);
    }
    *p++ = s->d[0];
    if (s->n > 1) {
        *p++ = '.';
        p = put(p, s->d + 1, s->n - 1);
    }
    return p + snprintf(p, 8, "e%c%d", e < 0 ? '-' : '+', e < 0 ? -e : e);
}

size_t yjs__number_format(double v, char out[YJS__NUMBER_SIZE])
{
    struct shortest s;
    char *p = out;

    if (v == 0) {
        out[0] = '0';
        return 1;
    }
    if (v < 0) {
        *p++ = '-';
        v = -v;
    }
    if (v < 9007199254740992.0 && (double)(uint64_t)v == v)
        return (size_t)(p - out) +
               (size_t)snprintf(p, 24, "%llu", (unsigned long long)v);
    find_shortest(v, &s);
    return (size_t)(format_shortest(p, &s) - out);
}
