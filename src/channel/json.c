/* SPDX-License-Identifier: MIT */
/* The strict scanner: see json.h. Must never recurse, never allocate, never
 * accept what some JSON.parse would refuse: one such payload, relayed, breaks
 * every client of a room.
 *
 * Two loops decide its speed and are written eight bytes at a time: the plain
 * stretch of a string, and a run of small integers between commas, which is
 * what an update looks like ({"data":[1,255,...]}). */
#include "channel/json.h"

#include <string.h>

#define ONES  UINT64_C(0x0101010101010101)
#define HIGHS (ONES * 0x80)

struct json_cursor json_cursor(const void *data, size_t len, unsigned depth_max)
{
    return (struct json_cursor){
        .at = data,
        .end = len ? (const uint8_t *)data + len : data,
        .depth_max = depth_max < JSON_DEPTH_MAX ? depth_max : JSON_DEPTH_MAX,
    };
}

void json_skip_space(struct json_cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' ||
                              *c->at == '\t' || *c->at == '\r'))
        c->at++;
}

bool json_take(struct json_cursor *c, uint8_t byte)
{
    if (c->at == c->end || *c->at != byte)
        return false;
    c->at++;
    return true;
}

/* ------------------------------------------------------------------ UTF-8 */

static bool tail(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return false;
    return true;
}

/* Length of the well-formed multi-byte sequence at p, 0 if it is none
 * (Unicode, table 3-7: no overlong form, no surrogate, nothing above
 * U+10FFFF). */
static size_t utf8_sequence(const uint8_t *p, const uint8_t *end)
{
    size_t left = (size_t)(end - p);
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        return left >= 2 && tail(p + 1, 1) ? 2 : 0;
    if (p[0] >= 0xe0 && p[0] <= 0xef) {
        if (left < 3 || !tail(p + 1, 2))
            return 0;
        bool overlong = p[0] == 0xe0 && p[1] < 0xa0;
        bool surrogate = p[0] == 0xed && p[1] > 0x9f;
        return overlong || surrogate ? 0 : 3;
    }
    if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        if (left < 4 || !tail(p + 1, 3))
            return 0;
        bool overlong = p[0] == 0xf0 && p[1] < 0x90;
        bool beyond = p[0] == 0xf4 && p[1] > 0x8f;
        return overlong || beyond ? 0 : 4;
    }
    return 0;
}

bool json_utf8_valid(const void *data, size_t len)
{
    const uint8_t *p = data, *end = len ? p + len : p;
    while (p < end) {
        size_t n = *p < 0x80 ? 1 : utf8_sequence(p, end);
        if (!n)
            return false;
        p += n;
    }
    return true;
}

/* ---------------------------------------------------------------- scalars */

static uint64_t load8(const uint8_t *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

/* High bit of each byte of `w` that is zero; exact. */
static uint64_t zero_bytes(uint64_t w)
{
    return ~(((w & ~HIGHS) + ~HIGHS) | w) & HIGHS;
}

/* The first byte that is not plain inside a string: quote, backslash, control
 * character or not ASCII. */
static const uint8_t *skip_plain(const uint8_t *p, const uint8_t *end)
{
    while (end - p >= 8) {
        uint64_t w = load8(p);
        uint64_t control = (w - ONES * 0x20) & ~w;
        if (((control | w) & HIGHS) | zero_bytes(w ^ (ONES * '"')) |
            zero_bytes(w ^ (ONES * '\\')))
            break;
        p += 8;
    }
    while (p < end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\')
        p++;
    return p;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Behind the backslash. */
static bool skip_escape(struct json_cursor *c)
{
    if (c->at == c->end)
        return false;
    uint8_t ch = *c->at++;
    if (ch != 'u')
        return ch && strchr("\"\\/bfnrt", ch) != NULL;
    if (c->end - c->at < 4)
        return false;
    for (int i = 0; i < 4; i++)
        if (hex_digit(*c->at++) < 0)
            return false;
    return true;
}

static bool skip_string(struct json_cursor *c)
{
    if (!json_take(c, '"'))
        return false;
    for (;;) {
        c->at = skip_plain(c->at, c->end);
        if (c->at == c->end || *c->at < 0x20)
            return false;
        if (*c->at == '"') {
            c->at++;
            return true;
        }
        if (*c->at == '\\') {
            c->at++;
            if (!skip_escape(c))
                return false;
        } else {
            size_t n = utf8_sequence(c->at, c->end);
            if (!n)
                return false;
            c->at += n;
        }
    }
}

static bool digits(struct json_cursor *c)
{
    const uint8_t *from = c->at;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9')
        c->at++;
    return c->at > from;
}

static bool skip_number(struct json_cursor *c)
{
    json_take(c, '-');
    if (!json_take(c, '0') && !digits(c))
        return false;
    if (json_take(c, '.') && !digits(c))
        return false;
    if (json_take(c, 'e') || json_take(c, 'E')) {
        if (!json_take(c, '+'))
            json_take(c, '-');
        return digits(c);
    }
    return true;
}

static bool skip_word(struct json_cursor *c, const char *word, size_t len)
{
    if ((size_t)(c->end - c->at) < len || memcmp(c->at, word, len) != 0)
        return false;
    c->at += len;
    return true;
}

static bool skip_scalar(struct json_cursor *c)
{
    switch (*c->at) {
    case '"':
        return skip_string(c);
    case 't':
        return skip_word(c, "true", 4);
    case 'f':
        return skip_word(c, "false", 5);
    case 'n':
        return skip_word(c, "null", 4);
    default:
        return skip_number(c);
    }
}

/* From the first digit of a number in an array: over as many "ddd," as are
 * valid, to the first digit of a number again. Per block of eight bytes:
 *
 *     bytes     1  2  8  ,  0  ,  7  7
 *     digit     x  x  x  .  x  .  x  x     all bytes are digit or comma
 *     comma     .  .  .  x  .  x  .  .     no comma follows a comma
 *     lead      .  .  .  .  x  .  .  .     a zero that starts a number ...
 *     digit                    .           ... is not followed by a digit
 *
 * What this loop cannot judge is left to the ordinary one. */
static void skip_integer_run(struct json_cursor *c)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    const uint8_t *p = c->at;
    uint64_t after_comma = 0x80, after_lead = 0; /* of the byte before p */
    while (c->end - p >= 8) {
        uint64_t w = load8(p), x = w ^ (ONES * '0');
        uint64_t digit = ~(((x & ~HIGHS) + ONES * (0x80 - 10)) | x) & HIGHS;
        uint64_t comma = zero_bytes(w ^ (ONES * ','));
        uint64_t start = comma << 8 | after_comma;
        uint64_t lead = zero_bytes(x) & start;
        if ((digit | comma) != HIGHS || (comma & start) ||
            ((lead << 8 | after_lead) & digit))
            break;
        after_comma = comma >> 56;
        after_lead = lead >> 56;
        p += 8;
    }
    while (p > c->at && p[-1] != ',')
        p--;
    if (p < c->end && *p >= '0' && *p <= '9')
        c->at = p;
#else
    (void)c;
#endif
}

/* ------------------------------------------------------------- containers */

/* One bit per open container: set for objects. */
struct nesting {
    unsigned depth;
    uint64_t objects[JSON_DEPTH_MAX / 64];
};

static bool nesting_push(struct nesting *n, struct json_cursor *c, bool object)
{
    if (n->depth >= c->depth_max) {
        c->too_deep = true;
        return false;
    }
    uint64_t bit = UINT64_C(1) << (n->depth % 64);
    if (object)
        n->objects[n->depth / 64] |= bit;
    else
        n->objects[n->depth / 64] &= ~bit;
    n->depth++;
    return true;
}

static bool nesting_in_object(const struct nesting *n)
{
    unsigned at = n->depth - 1;
    return n->objects[at / 64] >> (at % 64) & 1;
}

/* `"name" :` and the space before the value. */
static bool skip_name(struct json_cursor *c)
{
    if (!skip_string(c))
        return false;
    json_skip_space(c);
    if (!json_take(c, ':'))
        return false;
    json_skip_space(c);
    return true;
}

/* A value ended: close what closes here and stand at the next value, or leave
 * depth 0 behind. */
static bool after_value(struct json_cursor *c, struct nesting *n)
{
    while (n->depth) {
        bool object = nesting_in_object(n);
        json_skip_space(c);
        if (json_take(c, ',')) {
            json_skip_space(c);
            return !object || skip_name(c);
        }
        if (!json_take(c, object ? '}' : ']'))
            return false;
        n->depth--;
    }
    return true;
}

/* Behind an opening bracket, to the first value inside. An empty container is
 * closed again at once (*empty). */
static bool enter(struct json_cursor *c, struct nesting *n, bool *empty)
{
    bool object = *c->at == '{';
    if (!nesting_push(n, c, object))
        return false;
    c->at++;
    json_skip_space(c);
    *empty = json_take(c, object ? '}' : ']');
    if (*empty) {
        n->depth--;
        return true;
    }
    return !object || skip_name(c);
}

bool json_skip_value(struct json_cursor *c)
{
    struct nesting n;
    n.depth = 0;
    do {
        if (c->at == c->end)
            return false;
        if (*c->at == '{' || *c->at == '[') {
            bool empty;
            if (!enter(c, &n, &empty))
                return false;
            if (!empty)
                continue;
        } else {
            if (n.depth && *c->at >= '0' && *c->at <= '9' &&
                !nesting_in_object(&n))
                skip_integer_run(c);
            if (!skip_scalar(c))
                return false;
        }
        if (!after_value(c, &n))
            return false;
    } while (n.depth);
    return true;
}

bool json_take_value(struct json_cursor *c, struct json_slice *out)
{
    const uint8_t *from = c->at;
    if (!json_skip_value(c))
        return false;
    *out = (struct json_slice){from, (size_t)(c->at - from)};
    return true;
}

/* ---------------------------------------------------------------- reading */

/* The four hex digits at p; the token was validated. */
static uint32_t hex4(const uint8_t *p)
{
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++)
        unit = unit << 4 | (uint32_t)hex_digit(p[i]);
    return unit;
}

static size_t put_utf8(uint8_t *dst, uint32_t cp)
{
    if (cp < 0x80) {
        dst[0] = (uint8_t)cp;
        return 1;
    }
    if (cp < 0x800) {
        dst[0] = (uint8_t)(0xc0 | cp >> 6);
        dst[1] = (uint8_t)(0x80 | (cp & 0x3f));
        return 2;
    }
    if (cp < 0x10000) {
        dst[0] = (uint8_t)(0xe0 | cp >> 12);
        dst[1] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
        dst[2] = (uint8_t)(0x80 | (cp & 0x3f));
        return 3;
    }
    dst[0] = (uint8_t)(0xf0 | cp >> 18);
    dst[1] = (uint8_t)(0x80 | (cp >> 12 & 0x3f));
    dst[2] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
    dst[3] = (uint8_t)(0x80 | (cp & 0x3f));
    return 4;
}

/* The escape whose backslash is at *p, as a code point; UINT32_MAX for a lone
 * surrogate. */
static uint32_t read_escape(const uint8_t **p, const uint8_t *end)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    uint8_t ch = (*p)[1];
    if (ch != 'u') {
        *p += 2;
        return (uint8_t)to[strchr(from, ch) - from];
    }
    uint32_t unit = hex4(*p + 2);
    *p += 6;
    if (unit < 0xd800 || unit > 0xdfff)
        return unit;
    if (unit > 0xdbff || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u')
        return UINT32_MAX;
    uint32_t low = hex4(*p + 2);
    if (low < 0xdc00 || low > 0xdfff)
        return UINT32_MAX;
    *p += 6;
    return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}

bool json_string(struct json_slice token, char *scratch, size_t cap,
                 const char **out, size_t *out_len)
{
    const uint8_t *p = token.data + 1, *end = token.data + token.len - 1;
    if (!memchr(p, '\\', (size_t)(end - p))) {
        *out = (const char *)p;
        *out_len = (size_t)(end - p);
        return true;
    }
    size_t used = 0;
    while (p < end) {
        uint8_t unit[4] = {*p};
        size_t n = 1;
        if (*p == '\\') {
            uint32_t cp = read_escape(&p, end);
            if (cp == UINT32_MAX)
                return false;
            n = put_utf8(unit, cp);
        } else {
            p++;
        }
        if (n > cap - used)
            return false;
        memcpy(scratch + used, unit, n);
        used += n;
    }
    *out = scratch;
    *out_len = used;
    return true;
}

bool json_member(struct json_slice object, const char *name,
                 struct json_slice *out)
{
    struct json_cursor c = json_cursor(object.data, object.len, JSON_DEPTH_MAX);
    bool found = false;
    if (!json_take(&c, '{'))
        return false;
    json_skip_space(&c);
    while (c.at < c.end && *c.at == '"') {
        struct json_slice key, value;
        const char *text;
        char scratch[32];
        size_t len;
        if (!json_take_value(&c, &key))
            return false;
        json_skip_space(&c);
        json_take(&c, ':');
        json_skip_space(&c);
        if (!json_take_value(&c, &value))
            return false;
        if (json_string(key, scratch, sizeof scratch, &text, &len) &&
            len == strlen(name) && memcmp(text, name, len) == 0) {
            *out = value;
            found = true;
        }
        json_skip_space(&c);
        json_take(&c, ',');
        json_skip_space(&c);
    }
    return found;
}
