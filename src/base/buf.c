/* SPDX-License-Identifier: MIT */
/* Bounded growing buffer: see buf.h. Must never grow past its limit. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { LARGE = 65536 };

void buf_init(struct buf *b, size_t limit)
{
    *b = (struct buf){.limit = limit};
}

void buf_deinit(struct buf *b)
{
    free(b->data);
    *b = (struct buf){.limit = b->limit};
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->overflow = false;
}

void buf_shrink(struct buf *b, size_t keep)
{
    buf_reset(b);
    if (b->cap > keep) {
        free(b->data);
        b->data = NULL;
        b->cap = 0;
    }
}

char *buf_reserve(struct buf *b, size_t len)
{
    if (b->overflow || len > b->limit - b->len) {
        b->overflow = true;
        return NULL;
    }
    if (len > b->cap - b->len) {
        size_t cap = b->cap ? b->cap : 64;
        while (cap - b->len < len)
            cap = cap > b->limit / 2 ? b->limit : cap * 2;
        char *data = cap > LARGE ? mem_try_realloc(b->data, cap)
                                 : mem_realloc(b->data, cap);
        if (!data) {
            b->overflow = true;
            return NULL;
        }
        b->data = data;
        b->cap = cap;
    }
    return b->data + b->len;
}

bool buf_append(struct buf *b, const void *src, size_t len)
{
    if (!len)
        return !b->overflow;
    char *at = buf_reserve(b, len);
    if (!at)
        return false;
    memcpy(at, src, len);
    b->len += len;
    return true;
}

bool buf_puts(struct buf *b, const char *str)
{
    return buf_append(b, str, strlen(str));
}

bool buf_putc(struct buf *b, char c)
{
    return buf_append(b, &c, 1);
}

bool buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int need = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    bool ok = false;
    if (need >= 0) {
        /* vsnprintf writes a NUL behind the text: make room, count it not. */
        char *at = buf_reserve(b, (size_t)need + 1);
        if (at) {
            vsnprintf(at, (size_t)need + 1, fmt, again);
            b->len += (size_t)need;
            ok = true;
        }
    }
    va_end(again);
    return ok;
}

bool buf_put_u64(struct buf *b, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    return buf_append(b, digits + at, sizeof digits - at);
}

static bool put_escape(struct buf *b, unsigned char c)
{
    switch (c) {
    case '"':
        return buf_append(b, "\\\"", 2);
    case '\\':
        return buf_append(b, "\\\\", 2);
    case '\n':
        return buf_append(b, "\\n", 2);
    case '\r':
        return buf_append(b, "\\r", 2);
    case '\t':
        return buf_append(b, "\\t", 2);
    default:
        return buf_printf(b, "\\u%04x", c);
    }
}

bool buf_put_json_escaped(struct buf *b, const char *src, size_t len)
{
    size_t from = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)src[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_append(b, src + from, i - from);
        put_escape(b, c);
        from = i + 1;
    }
    return buf_append(b, src + from, len - from);
}

void buf_consume(struct buf *b, size_t len)
{
    if (len >= b->len) {
        b->len = 0;
        return;
    }
    memmove(b->data, b->data + len, b->len - len);
    b->len -= len;
}
