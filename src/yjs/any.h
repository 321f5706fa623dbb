/* SPDX-License-Identifier: MIT */
/**
 * @file any.h
 * JSON texts as Any values. (print.h has the way back.)
 */
#ifndef YJS_ANY_H
#define YJS_ANY_H

#include "yjs/canon.h"

/**
 * Append the canonical JSON text as an Any, as lib0 writes what JSON.parse
 * gives: numbers by size, halves of surrogate pairs as U+FFFD. Uses the frames
 * of `c`, not its output.
 */
YJS_MUST_USE int yjs__any_from_json(struct yjs__canon *c,
                                    struct yjs__writer *w,
                                    struct yjs__slice text);

#endif
