/* SPDX-License-Identifier: MIT */
/*
 * any.c: JSON texts as Any values.
 *
 * The text is canonical (canon.h), so nothing is checked again. How many parts
 * an array or object has is known at its end: one byte is left for it, and
 * what follows moves when that is too little.
 */
#include "yjs/any.h"

#include "yjs/number.h"
#include "yjs/print.h"

struct text {
    const uint8_t *p, *end;
    struct yjs__canon *c;
    struct yjs__writer *w;
};

static void write_utf8(struct yjs__writer *w, uint32_t c)
{
    uint8_t b[3];
    size_t n = 0;

    if (c < 0x80) {
        b[n++] = (uint8_t)c;
    } else if (c < 0x800) {
        b[n++] = (uint8_t)(0xc0 | c >> 6);
    } else {
        b[n++] = (uint8_t)(0xe0 | c >> 12);
        b[n++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    }
    if (c >= 0x80)
        b[n++] = (uint8_t)(0x80 | (c & 0x3f));
    yjs__write_bytes(w, b, n);
}

/* One escape: canonical JSON escapes no whole pair, only halves. */
static void put_escape(struct text *t)
{
    size_t n = t->p[1] == 'u' ? 6 : 2;
    struct yjs__units u = {t->p, t->p + n, true, 0};
    uint32_t unit = 0;

    (void)yjs__units_next(&u, &unit);
    write_utf8(t->w, unit >= 0xd800 && unit <= 0xdfff ? 0xfffd : unit);
    t->p += n;
}

/* Give the bytes from `at` on, of which the first is a place holder, the
 * length or count `n` in front. */
static void put_before(struct yjs__writer *w, size_t at, uint64_t n)
{
    size_t extra = yjs__varuint_size(n) - 1;

    if (!yjs__write_reserve(w, extra))
        return;
    if (extra > 0)
        memmove(w->data + at + 1 + extra, w->data + at + 1, w->len - at - 1);
    (void)yjs__put_varuint(w->data + at, n);
    w->len += extra;
}

/* `t` stands at the opening quote. */
static void put_string(struct text *t)
{
    const uint8_t *start = ++t->p;
    size_t at = t->w->len;

    while (*t->p != '"' && *t->p != '\\')
        t->p++;
    if (*t->p == '"') {
        yjs__write_var_bytes(t->w, start, (size_t)(t->p - start));
        t->p++;
        return;
    }
    yjs__write_u8(t->w, 0);
    for (;;) {
        yjs__write_bytes(t->w, start, (size_t)(t->p - start));
        if (*t->p == '"')
            break;
        put_escape(t);
        for (start = t->p; *t->p != '"' && *t->p != '\\';)
            t->p++;
    }
    t->p++;
    if (t->w->err == YJS_OK)
        put_before(t->w, at, t->w->len - at - 1);
}

static void put_number(struct text *t)
{
    const uint8_t *start = t->p;

    while (t->p < t->end && *t->p != ',' && *t->p != ']' && *t->p != '}')
        t->p++;
    yjs__canon_number(t->w, yjs__number_parse(start, (size_t)(t->p - start)));
}

static void put_word(struct text *t, uint8_t tag, size_t len)
{
    yjs__write_u8(t->w, tag);
    t->p += len;
}

static int open_frame(struct text *t)
{
    bool object = *t->p == '{';
    struct yjs__canon_frame *f =
        yjs__vec_add(t->c->mem, &t->c->frames, sizeof(*f));

    if (f == NULL)
        return t->c->mem->err;
    yjs__write_u8(t->w, object ? ANY_OBJECT : ANY_ARRAY);
    *f = (struct yjs__canon_frame){.start = t->w->len, .object = object};
    yjs__write_u8(t->w, 0);
    t->p++;
    return YJS_OK;
}

static int put_value(struct text *t)
{
    switch (*t->p) {
    case '{':
    case '[':
        return open_frame(t);
    case '"':
        yjs__write_u8(t->w, ANY_STRING);
        put_string(t);
        break;
    case 't':
        put_word(t, ANY_TRUE, 4);
        break;
    case 'f':
        put_word(t, ANY_FALSE, 5);
        break;
    case 'n':
        put_word(t, ANY_NULL, 4);
        break;
    default:
        put_number(t);
    }
    return YJS_OK;
}

/* Stand before the next value; false at the end of the text. */
static bool next_value(struct text *t)
{
    struct yjs__vec *frames = &t->c->frames;

    while (frames->len > 0 && t->w->err == YJS_OK) {
        struct yjs__canon_frame *f =
            (struct yjs__canon_frame *)frames->data + frames->len - 1;

        if (*t->p != ']' && *t->p != '}') {
            if (*t->p == ',')
                t->p++;
            f->left++;
            if (f->object) {
                put_string(t);
                t->p++; /* the colon */
            }
            return true;
        }
        t->p++;
        put_before(t->w, f->start, f->left);
        frames->len--;
    }
    return false;
}

int yjs__any_from_json(struct yjs__canon *c, struct yjs__writer *w,
                       struct yjs__slice text)
{
    struct text t = {text.ptr, text.ptr + text.len, c, w};
    int rc;

    c->frames.len = 0;
    do
        rc = put_value(&t);
    while (rc == YJS_OK && next_value(&t));
    return rc != YJS_OK ? rc : w->err;
}
