/* SPDX-License-Identifier: MIT */
/*
 * canon.c: the order of properties, and the Any half of the canonicaliser.
 *
 * The stack is explicit: nesting is bounded by `depth`, never by the C stack.
 *
 * Must never: take memory by a count that the input claims. A count is only
 * believed as far as the bytes that are left.
 */
#include "yjs/canon.h"

#include "yjs/sort.h"

#include <float.h>

#define INT_MAX_MAGNITUDE 0x7fffffffu

void yjs__canon_init(struct yjs__canon *c, struct yjs__mem *mem, size_t depth)
{
    *c = (struct yjs__canon){.mem = mem};
    yjs__canon_nesting(c, depth);
    yjs__writer_init(&c->out, mem, 0);
}

void yjs__canon_trim(struct yjs__canon *c)
{
    yjs__writer_deinit(&c->out);
    yjs__writer_init(&c->out, c->mem, 0);
    yjs__vec_trim(c->mem, &c->frames, sizeof(struct yjs__canon_frame), 0);
    yjs__vec_trim(c->mem, &c->members, sizeof(struct yjs__canon_member), 0);
}

/* -------------------------------------------------- the order of properties */

uint64_t yjs__array_index(const uint8_t *s, size_t len)
{
    uint64_t v = 0;
    size_t i;

    if (len == 0 || len > 10 || (s[0] == '0' && len > 1))
        return UINT64_MAX;
    for (i = 0; i < len; i++) {
        if (s[i] < '0' || s[i] > '9')
            return UINT64_MAX;
        v = v * 10 + (uint64_t)(s[i] - '0');
    }
    return v > 4294967294u ? UINT64_MAX : v;
}

static int compare_bytes(const uint8_t *a, size_t a_len, const uint8_t *b,
                         size_t b_len)
{
    int rc = memcmp(a, b, a_len < b_len ? a_len : b_len);

    if (rc != 0)
        return rc;
    return a_len < b_len ? -1 : a_len > b_len;
}

static int compare_names(const void *ctx, const void *a, const void *b)
{
    const struct yjs__canon_member *x = a, *y = b;
    const uint8_t *out = ctx;
    int rc = compare_bytes(out + x->name_from, x->name_to - x->name_from,
                           out + y->name_from, y->name_to - y->name_from);

    if (rc != 0)
        return rc;
    return x->order < y->order ? -1 : x->order > y->order;
}

static int compare_places(const void *ctx, const void *a, const void *b)
{
    const struct yjs__canon_member *x = a, *y = b;

    (void)ctx;
    if (x->index != y->index)
        return x->index < y->index ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static bool is_proto(const uint8_t *out, const struct yjs__canon_member *m)
{
    return m->name_to - m->name_from == 9 &&
           memcmp(out + m->name_from, "__proto__", 9) == 0;
}

/* A few plain names that all differ need no work. */
static bool is_simple(const uint8_t *out, const struct yjs__canon_member *m,
                      size_t n, bool drop_proto)
{
    size_t i, j;

    if (n > 8)
        return false;
    for (i = 0; i < n; i++) {
        if ((n > 1 && m[i].index != UINT64_MAX) ||
            (drop_proto && is_proto(out, &m[i])))
            return false;
        for (j = 0; j < i; j++) {
            size_t len = m[i].name_to - m[i].name_from;

            if (len == m[j].name_to - m[j].name_from &&
                memcmp(out + m[i].name_from, out + m[j].name_from, len) == 0)
                return false;
        }
    }
    return true;
}

int yjs__canon_arrange(struct yjs__canon *c, size_t first, bool drop_proto,
                       bool *changed)
{
    const uint8_t *out = c->out.data;
    struct yjs__canon_member *m = c->members.data;
    size_t n = c->members.len - first;
    size_t i, kept = 0;

    *changed = false;
    if (n == 0)
        return YJS_OK;
    m += first;
    for (i = 0; i < n; i++) {
        m[i].order = i;
        m[i].index = yjs__array_index(out + m[i].name_from,
                                 m[i].name_to - m[i].name_from);
    }
    if (is_simple(out, m, n, drop_proto))
        return YJS_OK;
    yjs__sort(m, n, sizeof(*m), compare_names, out);
    for (i = 0; i < n; i++) {
        size_t order = m[i].order;

        /* The first one's place, the last one's value. */
        while (i + 1 < n &&
               compare_bytes(out + m[i].name_from,
                             m[i].name_to - m[i].name_from,
                             out + m[i + 1].name_from,
                             m[i + 1].name_to - m[i + 1].name_from) == 0)
            i++;
        if (drop_proto && is_proto(out, &m[i]))
            continue;
        m[kept] = m[i];
        m[kept++].order = order;
    }
    c->members.len = first + kept;
    yjs__sort(m, kept, sizeof(*m), compare_places, NULL);
    *changed = kept != n;
    for (i = 0; i + 1 < kept && !*changed; i++)
        *changed = m[i].from > m[i + 1].from;
    return YJS_OK;
}

/* --------------------------------------------------------------------- any */

static bool is_int(double v)
{
    return v >= -(double)INT_MAX_MAGNITUDE && v <= (double)INT_MAX_MAGNITUDE &&
           (double)(int64_t)v == v;
}

static bool is_f32(double v)
{
    /* Converting what a float cannot hold at all is undefined in C. */
    if (v > (double)FLT_MAX || v < -(double)FLT_MAX)
        return v - v != 0; /* an infinity */
    return (double)(float)v == v;
}

void yjs__canon_number(struct yjs__writer *w, double v)
{
    if (is_int(v)) {
        uint64_t bits;

        memcpy(&bits, &v, sizeof(bits));
        yjs__write_u8(w, ANY_INT);
        yjs__write_varint(w, (uint64_t)(v < 0 ? -v : v), bits >> 63 != 0);
    } else if (is_f32(v)) {
        yjs__write_u8(w, ANY_F32);
        yjs__write_f32(w, (float)v);
    } else {
        yjs__write_u8(w, ANY_F64);
        if (v == v)
            yjs__write_f64(w, v);
        else
            yjs__write_u64(w, 0x7ff8000000000000u);
    }
}

static void write_int(struct yjs__writer *w, uint64_t magnitude, bool negative)
{
    if (magnitude <= INT_MAX_MAGNITUDE) {
        yjs__write_u8(w, ANY_INT);
        yjs__write_varint(w, magnitude, negative);
    } else {
        yjs__canon_number(w, negative ? -(double)magnitude : (double)magnitude);
    }
}

static void open_frame(struct yjs__canon *c, struct yjs__reader *r, bool object)
{
    uint64_t n = yjs__read_varuint(r);
    struct yjs__canon_frame *f;
    size_t start = c->out.len;

    if (n > yjs__read_left(r) / (object ? 2 : 1))
        yjs__read_fail(r, YJS_ERR_TRUNCATED);
    if (c->frames.len >= c->depth)
        yjs__read_fail(r, yjs__mem_over(c->mem, YJS_LIMIT_DEPTH));
    if (r->err != YJS_OK)
        return;
    f = yjs__vec_add(c->mem, &c->frames, sizeof(*f));
    if (f == NULL) {
        yjs__read_fail(r, c->mem->err);
        return;
    }
    yjs__write_varuint(&c->out, n);
    *f = (struct yjs__canon_frame){n, start, c->out.len, c->members.len,
                                   object};
}

static void copy_string(struct yjs__canon *c, struct yjs__reader *r)
{
    struct yjs__slice s = yjs__read_var_string(r);

    yjs__write_var_bytes(&c->out, s.ptr, s.len);
}

/* One value without its parts; opens a frame for those. */
static void read_value(struct yjs__canon *c, struct yjs__reader *r)
{
    struct yjs__writer *w = &c->out;
    uint8_t tag = yjs__read_u8(r);
    struct yjs__slice bytes;
    uint64_t magnitude;
    bool negative;

    switch (tag) {
    case ANY_TRUE:
    case ANY_FALSE:
    case ANY_NULL:
    case ANY_UNDEFINED:
        yjs__write_u8(w, tag);
        return;
    case ANY_INT:
        magnitude = yjs__read_varint(r, &negative);
        write_int(w, magnitude, negative);
        return;
    case ANY_F32:
        yjs__canon_number(w, (double)yjs__read_f32(r));
        return;
    case ANY_F64:
        yjs__canon_number(w, yjs__read_f64(r));
        return;
    case ANY_BIGINT:
        c->bigint = true;
        yjs__write_u8(w, tag);
        yjs__write_u64(w, yjs__read_u64(r));
        return;
    case ANY_STRING:
        yjs__write_u8(w, tag);
        copy_string(c, r);
        return;
    case ANY_BYTES:
        bytes = yjs__read_var_bytes(r);
        yjs__write_u8(w, tag);
        yjs__write_var_bytes(w, bytes.ptr, bytes.len);
        return;
    case ANY_ARRAY:
    case ANY_OBJECT:
        yjs__write_u8(w, tag);
        open_frame(c, r, tag == ANY_OBJECT);
        return;
    default:
        yjs__read_fail(r, YJS_ERR_MALFORMED);
    }
}

static void close_member(struct yjs__canon *c, const struct yjs__canon_frame *f)
{
    struct yjs__canon_member *m = c->members.data;

    if (f->object && c->members.len > f->members)
        m[c->members.len - 1].to = c->out.len;
}

/* Write the object again with its members as they are now in `members`. */
static int rewrite_object(struct yjs__canon *c,
                          const struct yjs__canon_frame *f)
{
    const struct yjs__canon_member *m = c->members.data;
    size_t size = c->out.len - f->body;
    uint8_t *old = NULL;
    size_t i;

    if (size > 0) {
        old = yjs__mem_alloc(c->mem, size);
        if (old == NULL)
            return c->mem->err;
        memcpy(old, c->out.data + f->body, size);
    }
    c->out.len = f->start;
    yjs__write_varuint(&c->out, c->members.len - f->members);
    for (i = f->members; i < c->members.len; i++)
        yjs__write_bytes(&c->out, old + (m[i].from - f->body),
                         m[i].to - m[i].from);
    yjs__mem_free(c->mem, old, size);
    return c->out.err;
}

static int close_frame(struct yjs__canon *c)
{
    struct yjs__canon_frame *f =
        (struct yjs__canon_frame *)c->frames.data + c->frames.len - 1;
    bool changed = false;
    int rc = YJS_OK;

    close_member(c, f);
    if (f->object) {
        rc = yjs__canon_arrange(c, f->members, true, &changed);
        if (rc == YJS_OK && changed)
            rc = rewrite_object(c, f);
        c->members.len = f->members;
    }
    c->frames.len--;
    return rc;
}

static void read_name(struct yjs__canon *c, struct yjs__reader *r)
{
    struct yjs__canon_member *m =
        yjs__vec_add(c->mem, &c->members, sizeof(*m));
    size_t from = c->out.len;

    if (m == NULL) {
        yjs__read_fail(r, c->mem->err);
        return;
    }
    copy_string(c, r);
    *m = (struct yjs__canon_member){.from = from, .name_to = c->out.len};
    for (m->name_from = from; c->out.err == YJS_OK &&
                              (c->out.data[m->name_from] & 0x80) != 0;)
        m->name_from++;
    m->name_from++;
}

void yjs__canon_any(struct yjs__canon *c, struct yjs__reader *r)
{
    struct yjs__canon_frame *f;
    int rc = YJS_OK;

    c->frames.len = c->members.len = 0;
    for (;;) {
        read_value(c, r);
        for (;;) {
            if (c->out.err != YJS_OK)
                rc = c->out.err;
            if (rc != YJS_OK)
                yjs__read_fail(r, rc);
            if (r->err != YJS_OK || c->frames.len == 0)
                return;
            f = (struct yjs__canon_frame *)c->frames.data + c->frames.len - 1;
            if (f->left > 0)
                break;
            rc = close_frame(c);
        }
        f->left--;
        if (f->object) {
            close_member(c, f);
            read_name(c, r);
        }
    }
}

bool yjs__canon_any_plain(struct yjs__reader *r)
{
    const uint8_t *p = r->pos, *start = p;
    struct yjs__slice s;
    size_t left = yjs__read_left(r);

    if (left == 0)
        return false;
    switch (*p) {
    case ANY_TRUE:
    case ANY_FALSE:
    case ANY_NULL:
    case ANY_UNDEFINED:
        r->pos++;
        return true;
    case ANY_INT:
        if (left > 1 && p[1] < 0x80) {
            r->pos += 2;
            return true;
        }
        if (left > 2 && p[2] > 0 && p[2] < 0x80) {
            r->pos += 3;
            return true;
        }
        return false;
    case ANY_STRING:
        if (left < 2 || p[1] > 0x7f)
            return false;
        r->pos++;
        s = yjs__read_var_string(r);
        (void)s;
        if (r->err == YJS_OK)
            return true;
        r->pos = start; /* the slow way reports it */
        r->err = YJS_OK;
        return false;
    default:
        return false;
    }
}

/* One value of canonical bytes; the parts that follow it in *n, *object. */
static void skip_value(struct yjs__reader *r, uint64_t *n, bool *object)
{
    bool negative;
    uint8_t tag = yjs__read_u8(r);

    *n = 0;
    *object = tag == ANY_OBJECT;
    switch (tag) {
    case ANY_INT:
        (void)yjs__read_varint(r, &negative);
        break;
    case ANY_F32:
        (void)yjs__read_bytes(r, 4);
        break;
    case ANY_F64:
    case ANY_BIGINT:
        (void)yjs__read_bytes(r, 8);
        break;
    case ANY_STRING:
    case ANY_BYTES:
        (void)yjs__read_var_bytes(r);
        break;
    case ANY_ARRAY:
    case ANY_OBJECT:
        *n = yjs__read_varuint(r);
        break;
    default:
        break;
    }
}

int yjs__canon_any_skip(struct yjs__canon *c, struct yjs__reader *r)
{
    struct yjs__canon_frame *f;
    uint64_t n;
    bool object;

    c->frames.len = 0;
    for (;;) {
        skip_value(r, &n, &object);
        if (n > 0) {
            f = yjs__vec_add(c->mem, &c->frames, sizeof(*f));
            if (f == NULL)
                return c->mem->err;
            *f = (struct yjs__canon_frame){.left = n, .object = object};
        }
        for (;;) {
            if (r->err != YJS_OK || c->frames.len == 0)
                return r->err;
            f = (struct yjs__canon_frame *)c->frames.data + c->frames.len - 1;
            if (f->left > 0)
                break;
            c->frames.len--;
        }
        f->left--;
        if (f->object)
            (void)yjs__read_var_bytes(r);
    }
}
