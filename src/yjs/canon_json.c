/* SPDX-License-Identifier: MIT */
/*
 * canon_json.c: JSON.stringify(JSON.parse(text)) without a value in between.
 *
 * The grammar is ECMA-404 as JSON.parse has it: strict, any value at the top,
 * no bound on numbers (1e999 is Infinity and prints as null). Strings keep
 * their characters; only what JSON.stringify escapes is escaped: quote,
 * backslash, controls, and halves of surrogate pairs, which can only come
 * from escapes.
 */
#include "yjs/canon.h"

#include "yjs/number.h"

struct json_in {
    const uint8_t *p, *end;
    struct yjs__canon *c;
    int err;
};

static void fail(struct json_in *in, int err)
{
    if (in->err == YJS_OK)
        in->err = err;
    in->p = in->end;
}

static void skip_space(struct json_in *in)
{
    while (in->p < in->end && (*in->p == ' ' || *in->p == '\n' ||
                               *in->p == '\r' || *in->p == '\t'))
        in->p++;
}

static bool take(struct json_in *in, char c)
{
    if (in->p == in->end || *in->p != (uint8_t)c)
        return false;
    in->p++;
    return true;
}

static void expect(struct json_in *in, char c)
{
    if (!take(in, c))
        fail(in, YJS_ERR_MALFORMED);
}

/* ----------------------------------------------------------------- numbers */

static bool digits(struct json_in *in)
{
    const uint8_t *start = in->p;

    while (in->p < in->end && *in->p >= '0' && *in->p <= '9')
        in->p++;
    return in->p > start;
}

static bool scan_number(struct json_in *in)
{
    (void)take(in, '-');
    if (!take(in, '0') && !digits(in))
        return false;
    if (take(in, '.') && !digits(in))
        return false;
    if (take(in, 'e') || take(in, 'E')) {
        if (!take(in, '+'))
            (void)take(in, '-');
        return digits(in);
    }
    return true;
}

/* What JSON.stringify does not give back: infinities and -0. */
static void put_odd(struct yjs__writer *w, double v)
{
    const char *text = v == 0 ? "-0" : v > 0 ? "1e999" : "-1e999";

    yjs__write_bytes(w, text, strlen(text));
}

static void read_number(struct json_in *in)
{
    const uint8_t *start = in->p;
    char text[YJS__NUMBER_SIZE];
    double v;

    if (!scan_number(in)) {
        fail(in, YJS_ERR_MALFORMED);
        return;
    }
    v = yjs__number_parse(start, (size_t)(in->p - start));
    if (in->c->exact && (v - v != 0 || (v == 0 && *start == '-')))
        put_odd(&in->c->out, v);
    else if (v - v != 0)
        yjs__write_bytes(&in->c->out, "null", 4);
    else
        yjs__write_bytes(&in->c->out, text, yjs__number_format(v, text));
}

/* ----------------------------------------------------------------- strings */

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits of \uXXXX; `in` stands behind the u. -1: malformed. */
static int32_t read_hex(struct json_in *in)
{
    int32_t v = 0;
    int i;

    if (in->end - in->p < 4)
        return -1;
    for (i = 0; i < 4; i++) {
        int d = hex_digit(*in->p++);

        if (d < 0)
            return -1;
        v = v << 4 | d;
    }
    return v;
}

static void write_utf8(struct yjs__writer *w, uint32_t c)
{
    uint8_t b[4];
    size_t n = 0;

    if (c < 0x80) {
        b[n++] = (uint8_t)c;
    } else if (c < 0x800) {
        b[n++] = (uint8_t)(0xc0 | c >> 6);
    } else if (c < 0x10000) {
        b[n++] = (uint8_t)(0xe0 | c >> 12);
        b[n++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    } else {
        b[n++] = (uint8_t)(0xf0 | c >> 18);
        b[n++] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
        b[n++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    }
    if (c >= 0x80)
        b[n++] = (uint8_t)(0x80 | (c & 0x3f));
    yjs__write_bytes(w, b, n);
}

/* One UTF-16 unit or character as JSON.stringify prints it. */
static void write_char(struct yjs__canon *canon, uint32_t c)
{
    struct yjs__writer *w = &canon->out;
    static const char hex[] = "0123456789abcdef";
    static const char names[] = "btn\0fr"; /* of 8, 9, 10, (11), 12, 13 */
    char text[6] = {'\\', 'u', '0', '0', '0', '0'};

    if (canon->via_any && c >= 0xd800 && c <= 0xdfff)
        c = 0xfffd;
    if (c == '"' || c == '\\') {
        text[1] = (char)c;
        yjs__write_bytes(w, text, 2);
    } else if (c >= 8 && c <= 13 && c != 11) {
        text[1] = names[c - 8];
        yjs__write_bytes(w, text, 2);
    } else if (c < 0x20 || (c >= 0xd800 && c <= 0xdfff)) {
        text[2] = hex[c >> 12 & 15];
        text[3] = hex[c >> 8 & 15];
        text[4] = hex[c >> 4 & 15];
        text[5] = hex[c & 15];
        yjs__write_bytes(w, text, 6);
    } else {
        write_utf8(w, c);
    }
}

/* \uXXXX, and the second half of a pair if it follows. */
static int32_t read_unicode(struct json_in *in)
{
    int32_t c = read_hex(in);
    const uint8_t *mark = in->p;
    int32_t low;

    if (c < 0xd800 || c > 0xdbff || in->end - in->p < 6 || in->p[0] != '\\' ||
        in->p[1] != 'u')
        return c;
    in->p += 2;
    low = read_hex(in);
    if (low >= 0xdc00 && low <= 0xdfff)
        return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    in->p = mark;
    return low < 0 ? -1 : c;
}

static void read_escape(struct json_in *in)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    const char *found;
    int32_t c = -1;

    if (in->p == in->end) {
        fail(in, YJS_ERR_MALFORMED);
        return;
    }
    if (take(in, 'u')) {
        c = read_unicode(in);
    } else {
        found = *in->p == 0 ? NULL : strchr(from, *in->p++);
        if (found != NULL)
            c = to[found - from];
    }
    if (c < 0)
        fail(in, YJS_ERR_MALFORMED);
    else
        write_char(in->c, (uint32_t)c);
}

/* `in` stands behind the opening quote, which is written already. */
static void read_string(struct json_in *in)
{
    while (in->p < in->end) {
        const uint8_t *start = in->p;

        while (in->p < in->end && *in->p >= 0x20 && *in->p != '"' &&
               *in->p != '\\')
            in->p++;
        yjs__write_bytes(&in->c->out, start, (size_t)(in->p - start));
        if (take(in, '"')) {
            yjs__write_u8(&in->c->out, '"');
            return;
        }
        if (!take(in, '\\'))
            break;
        read_escape(in);
    }
    fail(in, YJS_ERR_MALFORMED);
}

/* ------------------------------------------------------------------ values */

static void read_word(struct json_in *in, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(in->end - in->p) < n || memcmp(in->p, word, n) != 0) {
        fail(in, YJS_ERR_MALFORMED);
        return;
    }
    in->p += n;
    yjs__write_bytes(&in->c->out, word, n);
}

static void open_frame(struct json_in *in, bool object)
{
    struct yjs__canon *c = in->c;
    struct yjs__canon_frame *f;
    size_t start = c->out.len;

    if (c->frames.len >= c->depth) {
        fail(in, yjs__mem_over(c->mem, YJS_LIMIT_DEPTH));
        return;
    }
    f = yjs__vec_add(c->mem, &c->frames, sizeof(*f));
    if (f == NULL) {
        fail(in, c->mem->err);
        return;
    }
    yjs__write_u8(&c->out, object ? '{' : '[');
    *f = (struct yjs__canon_frame){0, start, c->out.len, c->members.len,
                                   object};
}

/* A value without its parts; true if it opened a frame. */
static bool read_value(struct json_in *in)
{
    skip_space(in);
    if (in->p == in->end) {
        fail(in, YJS_ERR_MALFORMED);
        return false;
    }
    switch (*in->p) {
    case '{':
    case '[':
        open_frame(in, *in->p == '{');
        if (in->err == YJS_OK)
            in->p++;
        return in->err == YJS_OK;
    case '"':
        in->p++;
        yjs__write_u8(&in->c->out, '"');
        read_string(in);
        return false;
    case 't':
        read_word(in, "true");
        return false;
    case 'f':
        read_word(in, "false");
        return false;
    case 'n':
        read_word(in, "null");
        return false;
    default:
        read_number(in);
        return false;
    }
}

static int rewrite_object(struct yjs__canon *c,
                          const struct yjs__canon_frame *f)
{
    const struct yjs__canon_member *m = c->members.data;
    size_t size = c->out.len - f->body;
    uint8_t *old;
    size_t i;

    old = yjs__mem_alloc(c->mem, size);
    if (old == NULL)
        return c->mem->err;
    memcpy(old, c->out.data + f->body, size);
    c->out.len = f->body;
    for (i = f->members; i < c->members.len; i++) {
        if (i > f->members)
            yjs__write_u8(&c->out, ',');
        yjs__write_bytes(&c->out, old + (m[i].from - f->body),
                         m[i].to - m[i].from);
    }
    yjs__mem_free(c->mem, old, size);
    return c->out.err;
}

static void close_frame(struct json_in *in)
{
    struct yjs__canon *c = in->c;
    struct yjs__canon_frame *f =
        (struct yjs__canon_frame *)c->frames.data + c->frames.len - 1;
    bool changed = false;
    int rc;

    if (f->object) {
        rc = yjs__canon_arrange(c, f->members, c->via_any, &changed);
        if (rc == YJS_OK && changed)
            rc = rewrite_object(c, f);
        if (rc != YJS_OK)
            fail(in, rc);
        c->members.len = f->members;
    }
    yjs__write_u8(&c->out, f->object ? '}' : ']');
    c->frames.len--;
}

static void read_name(struct json_in *in)
{
    struct yjs__canon *c = in->c;
    struct yjs__canon_member *m =
        yjs__vec_add(c->mem, &c->members, sizeof(*m));

    if (m == NULL) {
        fail(in, c->mem->err);
        return;
    }
    *m = (struct yjs__canon_member){.from = c->out.len,
                                    .name_from = c->out.len + 1};
    skip_space(in);
    expect(in, '"');
    yjs__write_u8(&c->out, '"');
    read_string(in);
    m->name_to = c->out.len - 1;
    skip_space(in);
    expect(in, ':');
    yjs__write_u8(&c->out, ':');
}

/*
 * After a value, or right inside a new frame: close what ends here and stand
 * before the next value. False when the text is complete or wrong.
 */
static bool next_value(struct json_in *in, bool opened)
{
    struct yjs__canon *c = in->c;

    while (in->err == YJS_OK && c->frames.len > 0) {
        struct yjs__canon_frame *f =
            (struct yjs__canon_frame *)c->frames.data + c->frames.len - 1;

        if (f->object && !opened)
            ((struct yjs__canon_member *)c->members.data)[c->members.len - 1]
                .to = c->out.len;
        skip_space(in);
        if (take(in, f->object ? '}' : ']')) {
            close_frame(in);
            opened = false;
            continue;
        }
        if (!opened) {
            expect(in, ',');
            yjs__write_u8(&c->out, ',');
        }
        if (f->object)
            read_name(in);
        return in->err == YJS_OK;
    }
    return false;
}

int yjs__canon_json(struct yjs__canon *c, struct yjs__slice text)
{
    struct json_in in = {text.ptr, text.ptr + text.len, c, YJS_OK};

    c->frames.len = c->members.len = 0;
    while (next_value(&in, read_value(&in)) && c->out.err == YJS_OK)
        ;
    skip_space(&in);
    if (in.err == YJS_OK && c->out.err == YJS_OK && in.p != in.end)
        in.err = YJS_ERR_MALFORMED;
    return in.err != YJS_OK ? in.err : c->out.err;
}

static bool is_word(struct yjs__slice text, const char *word)
{
    return text.len == strlen(word) && memcmp(text.ptr, word, text.len) == 0;
}

bool yjs__canon_json_plain(struct yjs__slice text)
{
    size_t i;

    if (text.len == 0)
        return false;
    if (text.ptr[0] == '"') {
        if (text.len < 2 || text.ptr[text.len - 1] != '"')
            return false;
        for (i = 1; i < text.len - 1; i++)
            if (text.ptr[i] < 0x20 || text.ptr[i] == '"' ||
                text.ptr[i] == '\\')
                return false;
        return true;
    }
    if (text.ptr[0] >= '1' && text.ptr[0] <= '9' && text.len <= 15) {
        for (i = 1; i < text.len; i++)
            if (text.ptr[i] < '0' || text.ptr[i] > '9')
                return false;
        return true;
    }
    return is_word(text, "true") || is_word(text, "null") ||
           is_word(text, "false") || is_word(text, "0");
}
