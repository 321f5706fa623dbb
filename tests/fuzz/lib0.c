/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: lib0's values. Input: a byte that says what, then the value.
 * What is read and written again must be stable, and the engine's two JSON
 * readers must agree on what is JSON.
 */
#include "fuzz.h"

#include "yjs/canon.h"
#include "yjs/jsoncheck.h"
#include "yjs/utf.h"

enum { DEPTH = 64 };

static void take_any(struct yjs__canon *c, struct yjs__slice in, bool *ok,
                     size_t *used)
{
    struct yjs__reader r;

    yjs__reader_init(&r, in.ptr, in.len);
    c->out.len = 0;
    yjs__canon_any(c, &r);
    *ok = r.err == YJS_OK;
    *used = in.len - yjs__read_left(&r);
}

static void fuzz_any(struct yjs__mem *mem, struct yjs__slice in)
{
    struct yjs__canon a, b;
    struct yjs__reader r;
    size_t used;
    bool ok;

    yjs__canon_init(&a, mem, DEPTH);
    yjs__canon_init(&b, mem, DEPTH);
    take_any(&a, in, &ok, &used);
    if (ok) {
        struct yjs__slice once = {a.out.data, a.out.len};

        take_any(&b, once, &ok, &used);
        FUZZ_ASSERT(ok && used == once.len);
        FUZZ_ASSERT(b.out.len == once.len &&
                    memcmp(b.out.data, once.ptr, once.len) == 0);
        yjs__reader_init(&r, once.ptr, once.len);
        FUZZ_ASSERT(yjs__canon_any_skip(&b, &r) == YJS_OK);
        FUZZ_ASSERT(r.err == YJS_OK && yjs__read_left(&r) == 0);
        yjs__reader_init(&r, once.ptr, once.len);
        if (yjs__canon_any_plain(&r))
            FUZZ_ASSERT(yjs__read_left(&r) == 0);
    }
    yjs__canon_trim(&a);
    yjs__canon_trim(&b);
}

static void fuzz_json(struct yjs__mem *mem, struct yjs__slice in)
{
    struct yjs__canon a, b;
    size_t units;
    bool is_null;
    int check = yjs__json_check(in.ptr, in.len, DEPTH, &is_null);

    if (!yjs__utf8_check(in.ptr, in.len, &units)) {
        FUZZ_ASSERT(check == YJS_ERR_MALFORMED);
        return;
    }
    yjs__canon_init(&a, mem, DEPTH);
    yjs__canon_init(&b, mem, DEPTH);
    FUZZ_ASSERT((yjs__canon_json(&a, in) == YJS_OK) == (check == YJS_OK));
    if (check == YJS_OK) {
        struct yjs__slice once = {a.out.data, a.out.len};

        FUZZ_ASSERT(is_null ==
                    (once.len == 4 && memcmp(once.ptr, "null", 4) == 0 &&
                     memchr(in.ptr, 'n', in.len) != NULL));
        FUZZ_ASSERT(yjs__canon_json(&b, once) == YJS_OK);
        FUZZ_ASSERT(b.out.len == once.len &&
                    memcmp(b.out.data, once.ptr, once.len) == 0);
        if (yjs__canon_json_plain(in))
            FUZZ_ASSERT(once.len == in.len &&
                        memcmp(once.ptr, in.ptr, in.len) == 0);
    }
    yjs__canon_trim(&a);
    yjs__canon_trim(&b);
}

static void fuzz_number(struct yjs__mem *mem, struct yjs__slice in, bool sign)
{
    struct yjs__reader r;
    struct yjs__writer w;
    bool negative = false, back_negative = false;
    uint64_t v, back;

    yjs__reader_init(&r, in.ptr, in.len);
    v = sign ? yjs__read_varint(&r, &negative) : yjs__read_varuint(&r);
    if (r.err != YJS_OK)
        return;
    FUZZ_ASSERT(v <= YJS__MAX_INT);
    yjs__writer_init(&w, mem, 0);
    if (sign)
        yjs__write_varint(&w, v, negative);
    else
        yjs__write_varuint(&w, v);
    FUZZ_ASSERT(w.err == YJS_OK && w.len <= in.len);
    yjs__reader_init(&r, w.data, w.len);
    back = sign ? yjs__read_varint(&r, &back_negative) : yjs__read_varuint(&r);
    FUZZ_ASSERT(back == v && back_negative == negative);
    FUZZ_ASSERT(yjs__read_left(&r) == 0);
    yjs__writer_deinit(&w);
}

/* Every cut of a text, against counting from its begin. */
static void fuzz_utf8(struct yjs__slice in)
{
    size_t units, unit = 0, byte = 0;

    if (!yjs__utf8_check(in.ptr, in.len, &units) || in.len > 500)
        return;
    while (byte < in.len) {
        uint8_t lead = in.ptr[byte];
        size_t n = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        struct yjs__utf8_cut cut = yjs__utf8_find(in.ptr, in.len, units, unit);

        FUZZ_ASSERT(cut.byte == byte && !cut.inside);
        if (n == 4) {
            cut = yjs__utf8_find(in.ptr, in.len, units, unit + 1);
            FUZZ_ASSERT(cut.byte == byte && cut.inside);
        }
        byte += n;
        unit += n == 4 ? 2 : 1;
    }
    FUZZ_ASSERT(byte == in.len && unit == units);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct yjs__slice in = {data + 1, size - 1};
    struct yjs__mem mem;

    if (size < 1)
        return 0;
    yjs__mem_init(&mem, NULL, 0);
    switch (data[0] % 5) {
    case 0:
        fuzz_any(&mem, in);
        break;
    case 1:
        fuzz_number(&mem, in, false);
        break;
    case 2:
        fuzz_number(&mem, in, true);
        break;
    case 3:
        fuzz_json(&mem, in);
        break;
    default:
        fuzz_utf8(in);
        break;
    }
    FUZZ_ASSERT(mem.used == 0);
    return 0;
}
