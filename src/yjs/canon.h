/* SPDX-License-Identifier: MIT */
/**
 * @file canon.h
 * Values in the one form in which Yjs would write them back.
 *
 * Yjs decodes a value to a JavaScript value and encodes that again; so a
 * number may change its tag, an object its order, a JSON text its spaces. The
 * engine keeps values as bytes: it brings them into the form that Yjs would
 * write, once, when they are read, and copies them ever after.
 *
 *   Any   tag, then
 *         127 undefined   126 null   121 false   120 true
 *         125 varint            integers of at most 31 bits
 *         124 float32           other numbers that a float holds exactly
 *         123 float64           the rest, NaN
 *         122 int64 big-endian  119 string   116 bytes
 *         118 varuint n, n (string, any)     117 varuint n, n any
 *   JSON  as JSON.stringify(JSON.parse(text))
 *
 * Objects are in JavaScript's order of properties: array indexes ascending,
 * then names as they first came; of equal names the last value counts. In an
 * Any, `__proto__` is no property at all.
 */
#ifndef YJS_CANON_H
#define YJS_CANON_H

#include "yjs/lib0.h"

struct yjs__item;

/** Scratch of the canonicaliser, kept by whoever reads many values. */
struct yjs__canon {
    struct yjs__mem *mem;
    uint32_t depth;          /**< greatest nesting taken */
    bool via_any;            /**< JSON: as if it had been an Any meanwhile */
    bool exact;              /**< JSON: keep -0 and infinities */
    bool bigint;             /**< an int64 was read; the caller resets it */
    struct yjs__writer out;  /**< what was written; the caller may reset len */
    struct yjs__vec frames;
    struct yjs__vec members;
    /** An item that grew at its end, and where it did (content.c). */
    const struct yjs__item *mark;
    uint32_t mark_units, mark_bytes;
};

/** How deep values may nest from now on. */
static inline void yjs__canon_nesting(struct yjs__canon *c, size_t depth)
{
    c->depth = depth < UINT32_MAX ? (uint32_t)depth : UINT32_MAX;
}

void yjs__canon_init(struct yjs__canon *c, struct yjs__mem *mem, size_t depth);
/** Free the scratch; the struct stays usable. */
void yjs__canon_trim(struct yjs__canon *c);

/**
 * Read one Any from `r` and append its canonical form to c->out. Errors stick
 * to `r`, those of memory as well.
 */
void yjs__canon_any(struct yjs__canon *c, struct yjs__reader *r);

/** Append a number as an Any. */
void yjs__canon_number(struct yjs__writer *w, double v);

/** True, and `r` behind it, if a canonical value without parts comes next. */
bool yjs__canon_any_plain(struct yjs__reader *r);

/** Skip one Any that is known to be canonical. */
YJS_MUST_USE int yjs__canon_any_skip(struct yjs__canon *c,
                                     struct yjs__reader *r);

/**
 * Append the canonical form of a JSON text. With `via_any` it loses what an
 * Any cannot hold: halves of surrogate pairs become U+FFFD, properties of the
 * name __proto__ go.
 */
YJS_MUST_USE int yjs__canon_json(struct yjs__canon *c, struct yjs__slice text);

/** True if `text` is for sure canonical JSON: a look at simple values. */
bool yjs__canon_json_plain(struct yjs__slice text);

/** The number that a name is if JavaScript orders it as an array index, else
 *  UINT64_MAX. */
uint64_t yjs__array_index(const uint8_t *s, size_t len);

/* For the two halves of the canonicaliser only. */

struct yjs__canon_frame {
    uint64_t left;    /**< parts still to come (Any) */
    size_t start;     /**< in out: where the count (Any) or `{` stands */
    size_t body;      /**< in out: where the first part begins */
    size_t members;   /**< objects: first of its members */
    bool object;
};

/** One property: bytes of `out`, name included. */
struct yjs__canon_member {
    size_t from, to;
    size_t name_from, name_to; /**< the name's own characters */
    uint64_t index;            /**< array index, or UINT64_MAX */
    size_t order;              /**< as it came */
};

/**
 * Put the members from `first` on into JavaScript's order. *changed tells
 * whether that differs from how they came; their number may shrink.
 */
YJS_MUST_USE int yjs__canon_arrange(struct yjs__canon *c, size_t first,
                                    bool drop_proto, bool *changed);

#endif
