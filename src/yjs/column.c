/* SPDX-License-Identifier: MIT */
/*
 * column.c: the run-length codecs of update format v2.
 *
 * The writers begin as lib0's do: as if a value 0 (a step of 0) had been seen
 * zero times, so that a column that begins with zeros is one run.
 *
 * Must never: allocate by a count read from the input.
 */
#include "yjs/column.h"

#include "yjs/utf.h"

/* ----------------------------------------------------------------- reading */

/* varuint n: n + `more` times, this time included. */
static void read_count(struct yjs__column *c, uint64_t more)
{
    c->count = yjs__read_varuint(&c->r) + more;
}

uint8_t yjs__column_rle(struct yjs__column *c)
{
    if (c->count == 0) {
        c->value = yjs__read_u8(&c->r);
        if (yjs__read_left(&c->r) > 0)
            read_count(c, 1);
        else
            c->count = c->r.err == YJS_OK ? UINT64_MAX : 1;
    }
    c->count--;
    return (uint8_t)c->value;
}

uint64_t yjs__column_uint(struct yjs__column *c)
{
    bool negative;

    if (c->count == 0) {
        c->value = yjs__read_varint(&c->r, &negative);
        c->count = 1;
        if (negative)
            read_count(c, 2);
        if (c->r.err != YJS_OK)
            c->value = 0;
    }
    c->count--;
    return c->value;
}

/* v = 2 d + c for a d of any sign: d is rounded down. */
static void split_step(struct yjs__column *c, uint64_t v, bool negative)
{
    c->down = negative;
    c->step = negative ? (v + 1) / 2 : v / 2;
}

uint64_t yjs__column_diff(struct yjs__column *c)
{
    const uint8_t *at = c->r.pos;
    bool negative;
    uint64_t v;

    if (c->count == 0) {
        v = yjs__read_varint(&c->r, &negative);
        split_step(c, v, negative);
        c->count = 1;
        if (v & 1)
            read_count(c, 2);
    }
    c->count--;
    if (c->r.err == YJS_OK && c->step > (c->down ? c->value
                                                 : YJS__MAX_INT - c->value)) {
        c->r.pos = at;
        yjs__read_fail(&c->r, YJS_ERR_MALFORMED);
    }
    if (c->r.err != YJS_OK)
        return 0;
    c->value = c->down ? c->value - c->step : c->value + c->step;
    return c->value;
}

void yjs__strings_init(struct yjs__strings *s, struct yjs__slice column)
{
    size_t units = 0;
    struct yjs__reader *r = &s->lens.r;

    yjs__column_init(&s->lens, column);
    s->left = yjs__read_var_bytes(r);
    s->half = false;
    if (!yjs__utf8_check(s->left.ptr, s->left.len, &units)) {
        r->pos = s->left.ptr;
        yjs__read_fail(r, YJS_ERR_MALFORMED);
    }
    s->units = units;
}

struct yjs__cut yjs__strings_next(struct yjs__strings *s)
{
    uint64_t n = yjs__column_uint(&s->lens);
    struct yjs__cut cut = {.text = {s->left.ptr, 0}, .units = n};
    struct yjs__utf8_cut end;

    /* Yjs would give what is there, with a length that nobody wrote. */
    if (n > s->units) {
        yjs__read_fail(&s->lens.r, YJS_ERR_TRUNCATED);
        n = cut.units = 0;
    }
    if (n == 0)
        return cut;
    if (s->half) {
        cut.low = true;
        s->half = false;
        s->left.ptr += 4;
        s->left.len -= 4;
        s->units--;
        n--;
    }
    end = yjs__utf8_find(s->left.ptr, s->left.len, (size_t)s->units,
                         (size_t)n);
    cut.text = (struct yjs__slice){s->left.ptr, end.byte};
    cut.high = s->half = end.inside;
    s->left.ptr += end.byte;
    s->left.len -= end.byte;
    s->units -= n;
    return cut;
}

/* ----------------------------------------------------------------- writing */

void yjs__column_put_rle(struct yjs__column_out *c, uint8_t v)
{
    if (c->count > 0 && c->value == v) {
        c->count++;
        return;
    }
    if (c->count > 0)
        yjs__write_varuint(&c->w, c->count - 1);
    yjs__write_u8(&c->w, v);
    c->value = v;
    c->count = 1;
}

void yjs__column_end_uint(struct yjs__column_out *c)
{
    if (c->count == 0)
        return;
    yjs__write_varint(&c->w, c->value, c->count > 1);
    if (c->count > 1)
        yjs__write_varuint(&c->w, c->count - 2);
}

void yjs__column_put_uint(struct yjs__column_out *c, uint64_t v)
{
    if (c->value == v) {
        c->count++;
        return;
    }
    yjs__column_end_uint(c);
    c->value = v;
    c->count = 1;
}

void yjs__column_end_diff(struct yjs__column_out *c)
{
    uint64_t v = 2 * c->step;

    if (c->count == 0)
        return;
    /* 2 d + 1 is nearer to zero than 2 d if d is negative */
    if (c->count > 1)
        v = c->down ? v - 1 : v + 1;
    /* What no reader could take back: clocks over 2^52 side by side. */
    if (v > YJS__MAX_INT && c->w.err == YJS_OK)
        c->w.err = YJS_ERR_UNSUPPORTED;
    yjs__write_varint(&c->w, v, c->down);
    if (c->count > 1)
        yjs__write_varuint(&c->w, c->count - 2);
}

void yjs__column_put_diff(struct yjs__column_out *c, uint64_t v)
{
    bool down = v < c->value;
    uint64_t step = down ? c->value - v : v - c->value;

    c->value = v;
    if (c->step == step && c->down == down) {
        c->count++;
        return;
    }
    yjs__column_end_diff(c);
    c->step = step;
    c->down = down;
    c->count = 1;
}
