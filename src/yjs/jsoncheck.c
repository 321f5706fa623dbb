/* SPDX-License-Identifier: MIT */
/*
 * jsoncheck.c: a strict JSON scanner (RFC 8259, which is what JSON.parse
 * takes). One pass over bytes that are known to be valid UTF-8; the open
 * arrays and objects are bits of one word, so nesting costs no stack.
 *
 * Must never: accept what JSON.parse refuses. A state that passes here is
 * relayed to every peer as it is, and a peer that throws loses the message.
 */
#include "yjs/jsoncheck.h"

#include <string.h>

#include "yjs.h"
#include "yjs/utf.h"

enum { DEPTH_MAX = 64 };

/* What may come next. */
enum expect {
    EXPECT_VALUE,
    EXPECT_VALUE_OR_END, /* after '[' */
    EXPECT_KEY,
    EXPECT_KEY_OR_END, /* after '{' */
    EXPECT_COMMA_OR_END
};

struct scan {
    const uint8_t *p;
    const uint8_t *end;
    uint64_t objects; /* bit d: level d is an object, else an array */
    unsigned int level;
    unsigned int depth;
    enum expect expect;
};

static void skip_space(struct scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' ||
                             *s->p == '\r'))
        s->p++;
}

static bool take(struct scan *s, uint8_t c)
{
    if (s->p == s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

static bool scan_word(struct scan *s, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
        return false;
    s->p += n;
    return true;
}

static bool scan_digits(struct scan *s)
{
    const uint8_t *from = s->p;

    while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        s->p++;
    return s->p > from;
}

static bool scan_number(struct scan *s)
{
    (void)take(s, '-');
    if (!take(s, '0') && !scan_digits(s))
        return false;
    if (take(s, '.') && !scan_digits(s))
        return false;
    if (take(s, 'e') || take(s, 'E')) {
        if (!take(s, '+'))
            (void)take(s, '-');
        return scan_digits(s);
    }
    return true;
}

static bool is_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
           (c >= 'A' && c <= 'F');
}

/* After a backslash. A lone \ud800 is fine with JSON.parse. */
static bool scan_escape(struct scan *s)
{
    unsigned int i;
    uint8_t c;

    if (s->p == s->end)
        return false;
    c = *s->p++;
    if (c != 'u')
        return c != '\0' && strchr("\"\\/bfnrt", c) != NULL;
    for (i = 0; i < 4; i++)
        if (s->p == s->end || !is_hex(*s->p++))
            return false;
    return true;
}

static bool scan_string(struct scan *s)
{
    if (!take(s, '"'))
        return false;
    while (s->p < s->end) {
        uint8_t c = *s->p++;

        if (c == '"')
            return true;
        if (c < 0x20 || (c == '\\' && !scan_escape(s)))
            return false;
    }
    return false;
}

static bool in_object(const struct scan *s)
{
    return (s->objects >> (s->level - 1) & 1) != 0;
}

static int open_level(struct scan *s, bool object)
{
    s->p++;
    if (s->level == s->depth)
        return YJS_ERR_LIMIT;
    s->objects &= ~((uint64_t)1 << s->level);
    s->objects |= (uint64_t)object << s->level;
    s->level++;
    s->expect = object ? EXPECT_KEY_OR_END : EXPECT_VALUE_OR_END;
    return YJS_OK;
}

static int scan_value(struct scan *s)
{
    bool ok;

    s->expect = EXPECT_COMMA_OR_END;
    switch (*s->p) {
    case '{':
        return open_level(s, true);
    case '[':
        return open_level(s, false);
    case '"':
        ok = scan_string(s);
        break;
    case 't':
        ok = scan_word(s, "true");
        break;
    case 'f':
        ok = scan_word(s, "false");
        break;
    case 'n':
        ok = scan_word(s, "null");
        break;
    default:
        ok = scan_number(s);
        break;
    }
    return ok ? YJS_OK : YJS_ERR_MALFORMED;
}

static int scan_key(struct scan *s)
{
    if (!scan_string(s))
        return YJS_ERR_MALFORMED;
    skip_space(s);
    if (!take(s, ':'))
        return YJS_ERR_MALFORMED;
    s->expect = EXPECT_VALUE;
    return YJS_OK;
}

static bool close_level(struct scan *s)
{
    if (!take(s, in_object(s) ? '}' : ']'))
        return false;
    s->level--;
    s->expect = EXPECT_COMMA_OR_END;
    return true;
}

/* One token; s->p < s->end and stands on no white space. */
static int scan_token(struct scan *s)
{
    switch (s->expect) {
    case EXPECT_VALUE_OR_END:
        return close_level(s) ? YJS_OK : scan_value(s);
    case EXPECT_VALUE:
        return scan_value(s);
    case EXPECT_KEY_OR_END:
        return close_level(s) ? YJS_OK : scan_key(s);
    case EXPECT_KEY:
        return scan_key(s);
    case EXPECT_COMMA_OR_END:
        break;
    }
    if (s->level == 0)
        return YJS_ERR_MALFORMED; /* something after the value */
    if (close_level(s))
        return YJS_OK;
    if (!take(s, ','))
        return YJS_ERR_MALFORMED;
    s->expect = in_object(s) ? EXPECT_KEY : EXPECT_VALUE;
    return YJS_OK;
}

int yjs__json_check(const uint8_t *text, size_t len, unsigned int depth,
                    bool *is_null)
{
    struct scan s = {.depth = depth < DEPTH_MAX ? depth : DEPTH_MAX,
                     .expect = EXPECT_VALUE};
    size_t units;
    int rc;

    if (len == 0 || !yjs__utf8_check(text, len, &units))
        return YJS_ERR_MALFORMED;
    s.p = text;
    s.end = text + len;
    skip_space(&s);
    *is_null = s.p < s.end && *s.p == 'n';
    while (s.p < s.end) {
        rc = scan_token(&s);
        if (rc != YJS_OK)
            return rc;
        skip_space(&s);
    }
    return s.level == 0 && s.expect == EXPECT_COMMA_OR_END ? YJS_OK
                                                           : YJS_ERR_MALFORMED;
}
