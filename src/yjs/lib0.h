/* SPDX-License-Identifier: MIT */
/**
 * @file lib0.h
 * lib0's binary encoding: a bounded read cursor and a bounded, growing writer.
 *
 *   varuint   7 bits a byte, least significant first, bit 7 = more follows
 *   varint    first byte: bit 7 = more, bit 6 = negative, 6 bits; then as above
 *   string    varuint byte length, UTF-8
 *   bytes     varuint length, bytes
 *   float     big-endian IEEE 754
 *   any       a tag 116..127, then by tag (see any.h)
 *
 * Errors stick. A failed reader or writer ignores all further calls (reads
 * give 0 or an empty slice), so a caller may read a whole record and look at
 * `err` once. Nothing here recurses and nothing allocates by a length that
 * the input merely claims.
 */
#ifndef YJS_LIB0_H
#define YJS_LIB0_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "yjs.h"
#include "yjs/mem.h"

/** The largest integer that JavaScript holds exactly. */
#define YJS__MAX_INT ((uint64_t)9007199254740991u)

/** Borrowed bytes. */
struct yjs__slice {
    const uint8_t *ptr;
    size_t len;
};

/* ----------------------------------------------------------------- reader */

struct yjs__reader {
    const uint8_t *pos;
    const uint8_t *end;
    const uint8_t *begin;
    const uint8_t *err_pos; /**< where the first error was met */
    int err;                /**< YJS_OK or the first yjs_err */
};

static inline void yjs__reader_init(struct yjs__reader *r, const uint8_t *data,
                                    size_t len)
{
    static const uint8_t nothing[1] = {0};

    if (data == NULL || len == 0) {
        data = nothing;
        len = 0;
    }
    *r = (struct yjs__reader){.pos = data, .end = data + len, .begin = data};
}

/** Record the first error; later reads then yield nothing. */
void yjs__read_fail(struct yjs__reader *r, int err);

static inline size_t yjs__read_left(const struct yjs__reader *r)
{
    return (size_t)(r->end - r->pos);
}

/** Byte offset for error messages. */
static inline size_t yjs__read_offset(const struct yjs__reader *r)
{
    return (size_t)((r->err ? r->err_pos : r->pos) - r->begin);
}

uint64_t yjs__read_varuint_slow(struct yjs__reader *r);

/** At most 2^53 - 1, otherwise YJS_ERR_MALFORMED. */
static inline uint64_t yjs__read_varuint(struct yjs__reader *r)
{
    if (r->pos < r->end && *r->pos < 0x80)
        return *r->pos++;
    return yjs__read_varuint_slow(r);
}

/** Magnitude at most 2^53 - 1; *negative tells -0 from 0. */
uint64_t yjs__read_varint(struct yjs__reader *r, bool *negative);

static inline uint8_t yjs__read_u8(struct yjs__reader *r)
{
    if (r->pos < r->end)
        return *r->pos++;
    yjs__read_fail(r, YJS_ERR_TRUNCATED);
    return 0;
}

/** Exactly `n` bytes. */
struct yjs__slice yjs__read_bytes(struct yjs__reader *r, size_t n);
/** A length, then that many bytes. */
struct yjs__slice yjs__read_var_bytes(struct yjs__reader *r);
/** As bytes, but must be strict UTF-8 (no surrogates, shortest form). */
struct yjs__slice yjs__read_var_string(struct yjs__reader *r);
float yjs__read_f32(struct yjs__reader *r);
double yjs__read_f64(struct yjs__reader *r);
/** 8 bytes, big-endian. */
uint64_t yjs__read_u64(struct yjs__reader *r);

/* ----------------------------------------------------------------- writer */

struct yjs__writer {
    uint8_t *data;
    size_t len;
    size_t cap;
    size_t limit; /**< of len; 0: none */
    struct yjs__mem *mem;
    int err; /**< YJS_OK or the first yjs_err */
};

/** No memory is taken before the first write. `limit` 0: unbounded. */
static inline void yjs__writer_init(struct yjs__writer *w, struct yjs__mem *mem,
                                    size_t limit)
{
    *w = (struct yjs__writer){.mem = mem, .limit = limit};
}

/** Free what was written; accepts a zeroed writer. */
void yjs__writer_deinit(struct yjs__writer *w);

/**
 * Hand the written bytes to `out`, with the writer's allocator; they leave the
 * memory account. Up to an eighth of the block may be room to spare. Returns
 * the sticky error, and frees, if there was one.
 */
YJS_MUST_USE int yjs__writer_take(struct yjs__writer *w,
                                  struct yjs_bytes *out);

bool yjs__write_reserve_slow(struct yjs__writer *w, size_t n);

/** Room for n more bytes at data + len; false on (sticky) failure. */
static inline bool yjs__write_reserve(struct yjs__writer *w, size_t n)
{
    if (n <= w->cap - w->len && w->err == YJS_OK)
        return true;
    return yjs__write_reserve_slow(w, n);
}

/** Store a varuint at `p`, which has room for 10 bytes; returns its end. */
static inline uint8_t *yjs__put_varuint(uint8_t *p, uint64_t v)
{
    while (v > 0x7f) {
        *p++ = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    *p++ = (uint8_t)v;
    return p;
}

static inline void yjs__write_u8(struct yjs__writer *w, uint8_t v)
{
    if (yjs__write_reserve(w, 1))
        w->data[w->len++] = v;
}

static inline void yjs__write_varuint(struct yjs__writer *w, uint64_t v)
{
    if (yjs__write_reserve(w, 10))
        w->len = (size_t)(yjs__put_varuint(w->data + w->len, v) - w->data);
}

void yjs__write_varint(struct yjs__writer *w, uint64_t magnitude,
                       bool negative);
void yjs__write_bytes(struct yjs__writer *w, const void *data, size_t len);
/** A length, then the bytes (strings as well). */
void yjs__write_var_bytes(struct yjs__writer *w, const void *data, size_t len);
void yjs__write_f32(struct yjs__writer *w, float v);
void yjs__write_f64(struct yjs__writer *w, double v);
void yjs__write_u64(struct yjs__writer *w, uint64_t v);

/** Bytes that a varuint takes. */
static inline size_t yjs__varuint_size(uint64_t v)
{
    size_t n = 1;

    for (; v > 0x7f; v >>= 7)
        n++;
    return n;
}

/** The tags of an Any value. */
enum yjs__any_tag {
    ANY_BYTES = 116,
    ANY_ARRAY = 117,
    ANY_OBJECT = 118,
    ANY_STRING = 119,
    ANY_TRUE = 120,
    ANY_FALSE = 121,
    ANY_BIGINT = 122,
    ANY_F64 = 123,
    ANY_F32 = 124,
    ANY_INT = 125,
    ANY_NULL = 126,
    ANY_UNDEFINED = 127
};

#endif
