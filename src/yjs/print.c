/* SPDX-License-Identifier: MIT */
/*
 * print.c: values for people and tools.
 *
 * The values are canonical (canon.h): nothing is checked again.
 */
#include "yjs/print.h"

#include "yjs/number.h"

#include <stdio.h>

static const char hex[] = "0123456789abcdef";

static void put(struct yjs__writer *w, const char *s)
{
    yjs__write_bytes(w, s, strlen(s));
}

/* -------------------------------------------------------------------- text */

static void print_escape(struct yjs__writer *w, uint32_t c)
{
    char text[6] = {'\\', 'u', hex[c >> 12 & 15], hex[c >> 8 & 15],
                    hex[c >> 4 & 15], hex[c & 15]};

    if (c == '"' || c == '\\') {
        text[1] = (char)c;
        yjs__write_bytes(w, text, 2);
    } else if (c == '\n') {
        put(w, "\\n");
    } else {
        yjs__write_bytes(w, text, 6);
    }
}

static bool needs_escape(uint8_t c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

void yjs__print_text(struct yjs__writer *w, struct yjs__slice text)
{
    size_t i = 0, start;

    while (i < text.len) {
        start = i;
        while (i < text.len && !needs_escape(text.ptr[i]))
            i++;
        yjs__write_bytes(w, text.ptr + start, i - start);
        if (i < text.len)
            print_escape(w, text.ptr[i++]);
    }
}

void yjs__print_unit(struct yjs__writer *w, uint32_t unit)
{
    uint8_t b[3];

    if (unit < 0x80) {
        b[0] = (uint8_t)unit;
        yjs__print_text(w, (struct yjs__slice){b, 1});
    } else if (unit < 0x800) {
        b[0] = (uint8_t)(0xc0 | unit >> 6);
        b[1] = (uint8_t)(0x80 | (unit & 0x3f));
        yjs__write_bytes(w, b, 2);
    } else if (unit >= 0xd800 && unit <= 0xdfff) {
        print_escape(w, unit);
    } else {
        b[0] = (uint8_t)(0xe0 | unit >> 12);
        b[1] = (uint8_t)(0x80 | (unit >> 6 & 0x3f));
        b[2] = (uint8_t)(0x80 | (unit & 0x3f));
        yjs__write_bytes(w, b, 3);
    }
}

void yjs__print_uint(struct yjs__writer *w, uint64_t v)
{
    char text[24];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
    put(w, text);
}

/* ------------------------------------------------------------ UTF-16 units */

static uint32_t unescape(struct yjs__units *u)
{
    static const char from[] = "bfnrt";
    static const char to[] = "\b\f\n\r\t";
    uint8_t c = *u->p++;
    const char *found;
    uint32_t v = 0;
    int i;

    if (c == 'u') {
        for (i = 0; i < 4; i++) {
            c = *u->p++;
            v = v << 4 | (c <= '9' ? c - (uint32_t)'0'
                                   : (c | 0x20) - (uint32_t)'a' + 10);
        }
        return v;
    }
    found = strchr(from, c);
    return found != NULL ? (uint32_t)to[found - from] : c;
}

bool yjs__units_next(struct yjs__units *u, uint32_t *unit)
{
    uint32_t c;
    int more;

    if (u->low != 0) {
        *unit = u->low;
        u->low = 0;
        return true;
    }
    if (u->p == u->end)
        return false;
    c = *u->p++;
    if (c == '\\' && u->escaped) {
        *unit = unescape(u);
        return true;
    }
    more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    if (more > 0)
        c &= 0x3fu >> more;
    while (more-- > 0)
        c = c << 6 | (*u->p++ & 0x3f);
    if (c >= 0x10000) {
        u->low = 0xdc00 | (c & 0x3ff);
        c = 0xd800 + ((c - 0x10000) >> 10);
    }
    *unit = c;
    return true;
}

int yjs__units_compare(struct yjs__units a, struct yjs__units b)
{
    uint32_t x, y;

    for (;;) {
        bool more_a = yjs__units_next(&a, &x);
        bool more_b = yjs__units_next(&b, &y);

        if (!more_a || !more_b)
            return more_a - more_b;
        if (x != y)
            return x < y ? -1 : 1;
    }
}

/* --------------------------------------------------------------------- any */

static void print_number(struct yjs__writer *w, double v, bool plain)
{
    char text[YJS__NUMBER_SIZE];

    if (v - v == 0)
        yjs__write_bytes(w, text, yjs__number_format(v, text));
    else if (!plain)
        put(w, "null");
    else
        put(w, v != v ? "NaN" : v > 0 ? "Infinity" : "-Infinity");
}

static void print_int64(struct yjs__writer *w, uint64_t bits)
{
    if (bits >> 63 != 0) {
        put(w, "-");
        bits = ~bits + 1;
    }
    yjs__print_uint(w, bits);
}

void yjs__print_bytes(struct yjs__writer *w, struct yjs__slice bytes)
{
    size_t i;

    put(w, "{");
    for (i = 0; i < bytes.len; i++) {
        put(w, i > 0 ? ",\"" : "\"");
        yjs__print_uint(w, i);
        put(w, "\":");
        yjs__print_uint(w, bytes.ptr[i]);
    }
    put(w, "}");
}

void yjs__print_bytes_plain(struct yjs__writer *w, struct yjs__slice bytes)
{
    size_t i;

    for (i = 0; i < bytes.len; i++) {
        if (i > 0)
            put(w, ",");
        yjs__print_uint(w, bytes.ptr[i]);
    }
}

/* A value that has no parts. */
static void print_scalar(struct yjs__writer *w, struct yjs__reader *r,
                         uint8_t tag, bool plain)
{
    uint64_t magnitude;
    bool negative;

    switch (tag) {
    case ANY_TRUE:
        put(w, "true");
        break;
    case ANY_FALSE:
        put(w, "false");
        break;
    case ANY_BIGINT:
        print_int64(w, yjs__read_u64(r));
        break;
    case ANY_F64:
        print_number(w, yjs__read_f64(r), plain);
        break;
    case ANY_F32:
        print_number(w, (double)yjs__read_f32(r), plain);
        break;
    case ANY_INT:
        magnitude = yjs__read_varint(r, &negative);
        if (negative && magnitude > 0)
            put(w, "-");
        yjs__print_uint(w, magnitude);
        break;
    case ANY_STRING:
        if (!plain)
            put(w, "\"");
        yjs__print_text(w, yjs__read_var_bytes(r));
        if (!plain)
            put(w, "\"");
        break;
    case ANY_BYTES:
        if (plain)
            yjs__print_bytes_plain(w, yjs__read_var_bytes(r));
        else
            yjs__print_bytes(w, yjs__read_var_bytes(r));
        break;
    default:
        put(w, plain && tag == ANY_UNDEFINED ? "undefined" : "null");
        break;
    }
}

bool yjs__print_is_undefined(const struct yjs__reader *r)
{
    return yjs__read_left(r) > 0 && *r->pos == ANY_UNDEFINED;
}

static struct yjs__canon_frame *push(struct yjs__canon *c,
                                     struct yjs__reader *r, bool object)
{
    struct yjs__canon_frame *f =
        yjs__vec_add(c->mem, &c->frames, sizeof(*f));

    if (f != NULL)
        *f = (struct yjs__canon_frame){.left = yjs__read_varuint(r),
                                       .object = object};
    return f;
}

/* The next property that JSON.stringify prints; false: none is left. */
static bool next_property(struct yjs__writer *w, struct yjs__reader *r,
                          struct yjs__canon_frame *f)
{
    struct yjs__slice name;

    while (f->left > 0) {
        f->left--;
        name = yjs__read_var_bytes(r);
        if (yjs__print_is_undefined(r)) {
            (void)yjs__read_u8(r);
            continue;
        }
        put(w, f->start++ > 0 ? ",\"" : "\"");
        yjs__print_text(w, name);
        put(w, "\":");
        return true;
    }
    return false;
}

static bool next_element(struct yjs__writer *w, struct yjs__canon_frame *f)
{
    if (f->left == 0)
        return false;
    f->left--;
    if (f->start++ > 0)
        put(w, ",");
    return true;
}

/* With c->exact: -0 and infinities, in a spelling that JSON.parse takes. */
static bool print_odd(struct yjs__writer *w, struct yjs__reader *r, uint8_t tag)
{
    struct yjs__reader ahead = *r;
    double v;

    if (tag == ANY_INT) {
        if (yjs__read_left(r) == 0 || *r->pos != 0x40)
            return false;
        put(w, "-0");
        r->pos++;
        return true;
    }
    if (tag != ANY_F32)
        return false;
    v = (double)yjs__read_f32(&ahead);
    if (v - v == 0)
        return false;
    put(w, v > 0 ? "1e999" : "-1e999");
    *r = ahead;
    return true;
}

int yjs__print_any(struct yjs__canon *c, struct yjs__writer *w,
                   struct yjs__reader *r)
{
    struct yjs__canon_frame *f;

    c->frames.len = 0;
    for (;;) {
        uint8_t tag = yjs__read_u8(r);

        if (tag == ANY_ARRAY || tag == ANY_OBJECT) {
            put(w, tag == ANY_OBJECT ? "{" : "[");
            if (push(c, r, tag == ANY_OBJECT) == NULL)
                return c->mem->err;
        } else if (!c->exact || !print_odd(w, r, tag)) {
            print_scalar(w, r, tag, false);
        }
        for (; c->frames.len > 0; c->frames.len--) {
            f = (struct yjs__canon_frame *)c->frames.data + c->frames.len - 1;
            if (f->object ? next_property(w, r, f) : next_element(w, f))
                break;
            put(w, f->object ? "}" : "]");
        }
        if (c->frames.len == 0)
            return r->err != YJS_OK ? r->err : w->err;
    }
}

/* Skip the parts of an object whose tag was read. */
static int skip_object(struct yjs__canon *c, struct yjs__reader *r)
{
    struct yjs__canon skipper;
    int rc;

    /* The skipper needs frames of its own while `c` is in use. */
    yjs__canon_init(&skipper, c->mem, c->depth);
    r->pos--;
    rc = yjs__canon_any_skip(&skipper, r);
    yjs__canon_trim(&skipper);
    return rc;
}

int yjs__print_any_plain(struct yjs__canon *c, struct yjs__writer *w,
                         struct yjs__reader *r)
{
    int rc = YJS_OK;

    c->frames.len = 0;
    for (;;) {
        uint8_t tag = yjs__read_u8(r);
        bool inside = c->frames.len > 0;

        if (tag == ANY_ARRAY) {
            if (push(c, r, false) == NULL)
                return c->mem->err;
        } else if (tag == ANY_OBJECT) {
            put(w, "[object Object]");
            rc = skip_object(c, r);
        } else if (!inside || (tag != ANY_NULL && tag != ANY_UNDEFINED)) {
            print_scalar(w, r, tag, true);
        }
        for (; c->frames.len > 0; c->frames.len--)
            if (next_element(w, (struct yjs__canon_frame *)c->frames.data +
                                    c->frames.len - 1))
                break;
        if (rc != YJS_OK || c->frames.len == 0)
            return rc != YJS_OK ? rc : w->err;
    }
}

/* -------------------------------------------------------------------- JSON */

static const uint8_t *string_end(const uint8_t *p, const uint8_t *end)
{
    for (p++; p < end && *p != '"'; p++)
        if (*p == '\\')
            p++;
    return p < end ? p + 1 : end;
}

const uint8_t *yjs__print_json_end(const uint8_t *p, const uint8_t *end)
{
    size_t depth = 0;

    while (p < end) {
        if (*p == '"') {
            p = string_end(p, end);
        } else if (*p == '{' || *p == '[') {
            depth++;
            p++;
        } else if (*p == '}' || *p == ']') {
            if (depth == 0)
                return p;
            depth--;
            p++;
        } else if (depth == 0 && (*p == ',' || *p == ':')) {
            return p;
        } else {
            p++;
            continue;
        }
        if (depth == 0)
            return p;
    }
    return end;
}

/* Arrays join their elements with commas, nested ones too; null is empty. */
static void print_array_plain(struct yjs__writer *w, const uint8_t *p,
                              const uint8_t *end)
{
    while (p < end) {
        const uint8_t *next;

        if (*p == '[' || *p == ']') {
            p++;
            continue;
        }
        if (*p == ',') {
            put(w, ",");
            p++;
            continue;
        }
        next = yjs__print_json_end(p, end);
        if (*p != 'n')
            yjs__print_json_plain(
                w, (struct yjs__slice){p, (size_t)(next - p)});
        p = next;
    }
}

void yjs__print_json_plain(struct yjs__writer *w, struct yjs__slice json)
{
    if (json.ptr[0] == '"')
        yjs__write_bytes(w, json.ptr + 1, json.len - 2);
    else if (json.ptr[0] == '{')
        put(w, "[object Object]");
    else if (json.ptr[0] == '[')
        print_array_plain(w, json.ptr, json.ptr + json.len);
    else
        yjs__write_bytes(w, json.ptr, json.len);
}
