/* SPDX-License-Identifier: MIT */
/*
 * lib0.c: the cold halves of the read cursor and the writer.
 *
 * What lib0 0.2 accepts is accepted: a varuint may be padded with zero groups.
 * What JavaScript could not hold exactly is refused: anything over 2^53 - 1.
 *
 * Must never: read past `end`, or allocate by a length read from the input
 * before that many bytes are known to be there.
 */
#include "yjs/lib0.h"

#include "yjs/utf.h"

/* ----------------------------------------------------------------- reader */

void yjs__read_fail(struct yjs__reader *r, int err)
{
    if (r->err != YJS_OK)
        return;
    r->err = err;
    r->err_pos = r->pos;
    r->pos = r->end;
}

/*
 * The groups after the first `shift` bits of a number. Zero groups beyond 53
 * bits are padding. lib0 multiplies in floating point, and 0 times its
 * overflowed multiplier is NaN from the 147th byte on: refused here.
 */
static uint64_t read_groups(struct yjs__reader *r, uint64_t num,
                            unsigned int shift)
{
    const uint8_t *p = r->pos;

    for (; p < r->end && shift < 1024; shift += 7) {
        uint64_t bits = *p & 0x7f;

        if (bits != 0) {
            if (shift > 52 || bits > YJS__MAX_INT >> shift)
                break;
            num += bits << shift;
        }
        if (num > YJS__MAX_INT)
            break;
        if (*p++ < 0x80) {
            r->pos = p;
            return num;
        }
    }
    yjs__read_fail(r, p == r->end ? YJS_ERR_TRUNCATED : YJS_ERR_MALFORMED);
    return 0;
}

uint64_t yjs__read_varuint_slow(struct yjs__reader *r)
{
    const uint8_t *p = r->pos;
    uint64_t v;

    /* Client ids: five bytes, most of them. */
    if (yjs__read_left(r) < 6)
        return read_groups(r, 0, 0);
    v = (uint64_t)(p[0] & 0x7f) | (uint64_t)(p[1] & 0x7f) << 7;
    if (p[1] < 0x80) {
        r->pos += 2;
        return v;
    }
    v |= (uint64_t)(p[2] & 0x7f) << 14;
    if (p[2] < 0x80) {
        r->pos += 3;
        return v;
    }
    v |= (uint64_t)(p[3] & 0x7f) << 21;
    if (p[3] < 0x80) {
        r->pos += 4;
        return v;
    }
    v |= (uint64_t)(p[4] & 0x7f) << 28;
    if (p[4] < 0x80) {
        r->pos += 5;
        return v;
    }
    return read_groups(r, 0, 0);
}

uint64_t yjs__read_varint(struct yjs__reader *r, bool *negative)
{
    uint8_t first = yjs__read_u8(r);

    *negative = (first & 0x40) != 0;
    if ((first & 0x80) == 0)
        return first & 0x3f;
    return read_groups(r, first & 0x3f, 6);
}

struct yjs__slice yjs__read_bytes(struct yjs__reader *r, size_t n)
{
    struct yjs__slice s = {r->pos, n};

    if (n > yjs__read_left(r)) {
        yjs__read_fail(r, YJS_ERR_TRUNCATED);
        return (struct yjs__slice){r->pos, 0};
    }
    r->pos += n;
    return s;
}

struct yjs__slice yjs__read_var_bytes(struct yjs__reader *r)
{
    uint64_t n = yjs__read_varuint(r);

    if (n > yjs__read_left(r)) {
        yjs__read_fail(r, YJS_ERR_TRUNCATED);
        n = 0;
    }
    return yjs__read_bytes(r, (size_t)n);
}

struct yjs__slice yjs__read_var_string(struct yjs__reader *r)
{
    struct yjs__slice s = yjs__read_var_bytes(r);
    size_t units;

    if (!yjs__utf8_check(s.ptr, s.len, &units)) {
        r->pos = s.ptr;
        yjs__read_fail(r, YJS_ERR_MALFORMED);
        s.len = 0;
    }
    return s;
}

static uint64_t read_be(struct yjs__reader *r, size_t n)
{
    struct yjs__slice s = yjs__read_bytes(r, n);
    uint64_t v = 0;
    size_t i;

    for (i = 0; i < s.len; i++)
        v = v << 8 | s.ptr[i];
    return v;
}

float yjs__read_f32(struct yjs__reader *r)
{
    uint32_t bits = (uint32_t)read_be(r, 4);
    float f;

    memcpy(&f, &bits, sizeof f);
    return f;
}

double yjs__read_f64(struct yjs__reader *r)
{
    uint64_t bits = read_be(r, 8);
    double d;

    memcpy(&d, &bits, sizeof d);
    return d;
}

uint64_t yjs__read_u64(struct yjs__reader *r)
{
    return read_be(r, 8);
}

/* ----------------------------------------------------------------- writer */

void yjs__writer_deinit(struct yjs__writer *w)
{
    if (w->data != NULL)
        yjs__mem_free(w->mem, w->data, w->cap);
    w->data = NULL;
    w->len = w->cap = 0;
}

int yjs__writer_take(struct yjs__writer *w, struct yjs_bytes *out)
{
    uint8_t *shrunk;

    if (w->err == YJS_OK && w->data == NULL)
        (void)yjs__write_reserve(w, 1);
    if (w->err != YJS_OK) {
        yjs__writer_deinit(w);
        return w->err;
    }
    /* Not for an eighth of the block: libc gives large blocks back to the
     * system for it, and asks for the next one again. A failed shrink keeps
     * the larger block: nothing is lost. */
    if (w->len != 0 && w->cap - w->len > w->cap / 8) {
        shrunk = yjs__mem_resize(w->mem, w->data, w->cap, w->len);
        if (shrunk != NULL) {
            w->data = shrunk;
            w->cap = w->len;
        }
    }
    w->mem->used -= w->cap;
    *out = (struct yjs_bytes){w->data, w->len, w->mem->alloc};
    w->data = NULL;
    w->len = w->cap = 0;
    return YJS_OK;
}

bool yjs__write_reserve_slow(struct yjs__writer *w, size_t n)
{
    size_t want;
    uint8_t *p;

    if (w->err != YJS_OK)
        return false;
    if (n <= w->cap - w->len)
        return true;
    /* A small request is an upper bound (a varuint): only what was really
     * written counts then, so the limit may be passed by 10 bytes. */
    if (n > SIZE_MAX / 4 - w->len ||
        (w->limit != 0 &&
         (w->len > w->limit || (n > 10 && n > w->limit - w->len)))) {
        w->err = YJS_ERR_LIMIT;
        return false;
    }
    want = w->cap + w->cap / 2;
    if (want < w->len + n)
        want = w->len + n;
    if (want < 64)
        want = 64;
    if (w->limit != 0 && want > w->limit && w->limit >= w->len + n)
        want = w->limit;
    p = yjs__mem_resize(w->mem, w->data, w->cap, want);
    if (p == NULL) {
        w->err = w->mem->err;
        return false;
    }
    w->data = p;
    w->cap = want;
    return true;
}

void yjs__write_varint(struct yjs__writer *w, uint64_t magnitude,
                       bool negative)
{
    uint64_t rest = magnitude >> 6;

    yjs__write_u8(w, (uint8_t)((rest ? 0x80 : 0) | (negative ? 0x40 : 0) |
                               (magnitude & 0x3f)));
    if (rest != 0)
        yjs__write_varuint(w, rest);
}

void yjs__write_bytes(struct yjs__writer *w, const void *data, size_t len)
{
    if (len == 0 || !yjs__write_reserve(w, len))
        return;
    memcpy(w->data + w->len, data, len);
    w->len += len;
}

void yjs__write_var_bytes(struct yjs__writer *w, const void *data, size_t len)
{
    yjs__write_varuint(w, len);
    yjs__write_bytes(w, data, len);
}

static void write_be(struct yjs__writer *w, uint64_t v, unsigned int n)
{
    if (!yjs__write_reserve(w, n))
        return;
    while (n-- > 0)
        w->data[w->len++] = (uint8_t)(v >> (8 * n));
}

void yjs__write_f32(struct yjs__writer *w, float v)
{
    uint32_t bits;

    memcpy(&bits, &v, sizeof bits);
    write_be(w, bits, 4);
}

void yjs__write_f64(struct yjs__writer *w, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof bits);
    write_be(w, bits, 8);
}

void yjs__write_u64(struct yjs__writer *w, uint64_t v)
{
    write_be(w, v, 8);
}
