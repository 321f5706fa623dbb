/* SPDX-License-Identifier: MIT */
/**
 * @file utf.h
 * UTF-8 as it is stored, measured in UTF-16 code units as Yjs counts.
 */
#ifndef YJS_UTF_H
#define YJS_UTF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Strict UTF-8, as a TextDecoder with `fatal` takes it: shortest form, no
 * surrogates, at most U+10FFFF. *units is the length in UTF-16.
 */
bool yjs__utf8_check(const uint8_t *s, size_t len, size_t *units);

/** Where a cut at `unit` falls in valid UTF-8 of `len` bytes, `units` long. */
struct yjs__utf8_cut {
    size_t byte; /**< where the character at (or around) the cut begins */
    bool inside; /**< the cut falls between the halves of a surrogate pair,
                      which is the 4 bytes at `byte` */
};

/** Costs the distance to the nearer end; nothing when all is ASCII. */
struct yjs__utf8_cut yjs__utf8_find(const uint8_t *s, size_t len, size_t units,
                                    size_t unit);

/** U+FFFD, what Yjs writes for half a surrogate pair. */
extern const uint8_t yjs__utf8_replacement[3];

#endif
