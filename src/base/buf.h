/* SPDX-License-Identifier: MIT */
/**
 * @file buf.h
 * A growing byte buffer that cannot exist without its limit. Appending past
 * the limit fails, sets `overflow` and leaves the content as it was; all later
 * appends fail too, so that a chain of appends is checked once at its end.
 * So does growing past 64 KiB when there is no memory.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    char *data; /**< NULL until the first append */
    size_t len, cap, limit;
    bool overflow;
};

void buf_init(struct buf *b, size_t limit);
void buf_deinit(struct buf *b);
/** Forget the content and the overflow, keep the memory. */
void buf_reset(struct buf *b);
/** Like reset, and give memory above `keep` bytes back. */
void buf_shrink(struct buf *b, size_t keep);

bool buf_append(struct buf *b, const void *src, size_t len);
bool buf_puts(struct buf *b, const char *str);
bool buf_putc(struct buf *b, char c);
bool buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
bool buf_put_u64(struct buf *b, uint64_t value);
/** `src` as the inside of a JSON string (no quotes around it). UTF-8 passes
 *  through; quote, backslash and control characters are escaped. */
bool buf_put_json_escaped(struct buf *b, const char *src, size_t len);
/** Room for `len` more bytes at the end; NULL on overflow. Add to b->len what
 *  was written. */
char *buf_reserve(struct buf *b, size_t len);
/** Drop the first `len` bytes. O(rest). */
void buf_consume(struct buf *b, size_t len);

#endif
