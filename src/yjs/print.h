/* SPDX-License-Identifier: MIT */
/**
 * @file print.h
 * Stored values as JSON, or as the text that JavaScript makes of them.
 *
 * Everything is written into a JSON text; `plain` forms go between the quotes
 * of a string that the caller opened.
 */
#ifndef YJS_PRINT_H
#define YJS_PRINT_H

#include "yjs/canon.h"

/** UTF-8 as the inside of a JSON string. */
void yjs__print_text(struct yjs__writer *w, struct yjs__slice text);
/** One UTF-16 unit, which may be half a pair, as the inside of a string. */
void yjs__print_unit(struct yjs__writer *w, uint32_t unit);
/** A decimal number. */
void yjs__print_uint(struct yjs__writer *w, uint64_t v);

/** Is the Any at `r` undefined? */
bool yjs__print_is_undefined(const struct yjs__reader *r);
/** A canonical Any as JSON; undefined as null. */
YJS_MUST_USE int yjs__print_any(struct yjs__canon *c, struct yjs__writer *w,
                                struct yjs__reader *r);
/** String(value) of a canonical Any. */
YJS_MUST_USE int yjs__print_any_plain(struct yjs__canon *c,
                                      struct yjs__writer *w,
                                      struct yjs__reader *r);
/** Bytes as JSON prints a Uint8Array, or as String() does. */
void yjs__print_bytes(struct yjs__writer *w, struct yjs__slice bytes);
void yjs__print_bytes_plain(struct yjs__writer *w, struct yjs__slice bytes);

/** The canonical JSON value at `p`: its end. */
const uint8_t *yjs__print_json_end(const uint8_t *p, const uint8_t *end);
/** String(value) of a canonical JSON value. */
void yjs__print_json_plain(struct yjs__writer *w, struct yjs__slice json);

/** UTF-16 units one by one, of UTF-8 or of the inside of a JSON string. */
struct yjs__units {
    const uint8_t *p, *end;
    bool escaped;  /**< JSON escapes are resolved */
    uint32_t low;  /**< second half of a pair, still to come */
};

/** False at the end. */
bool yjs__units_next(struct yjs__units *u, uint32_t *unit);
/** As JavaScript compares strings. */
int yjs__units_compare(struct yjs__units a, struct yjs__units b);

#endif
