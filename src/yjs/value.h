/* SPDX-License-Identifier: MIT */
/**
 * @file value.h
 * Contents as the values of the public interface.
 */
#ifndef YJS_VALUE_H
#define YJS_VALUE_H

#include "yjs/canon.h"
#include "yjs/doc.h"

/**
 * The value that `r`, in the content of `it`, stands before: an element of
 * JSON or ANY, all of the other kinds; `r` moves behind it. Not for STRING.
 */
YJS_MUST_USE int yjs__value_read(const yjs_doc *doc, struct yjs__canon *canon,
                                 const struct yjs__item *it,
                                 struct yjs__reader *r, struct yjs_value *out);

/** UTF-8 as a value. */
struct yjs_value yjs__value_string(struct yjs__slice text);
/**
 * The UTF-16 unit that begins the text, which is not empty, as a value: half
 * of a pair is U+FFFD. `inside`: the half of one that was before the text.
 */
struct yjs_value yjs__value_unit(struct yjs__slice text, bool inside);

/** The unit of an item that is countable, `at` being less than its length. */
YJS_MUST_USE int yjs__value_at(const yjs_doc *doc, const struct yjs__item *it,
                               uint64_t at, struct yjs_value *out);
/** The same for readers that come again: the place is remembered (seek.h). */
YJS_MUST_USE int yjs__value_get(yjs_doc *doc, uint32_t h, uint64_t at,
                                struct yjs_value *out);

#endif
