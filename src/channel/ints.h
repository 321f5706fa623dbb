/* SPDX-License-Identifier: MIT */
/**
 * @file ints.h
 * Bytes as the elements of a JSON array of integers, "1,255,0": how
 * Array.from(new Uint8Array(..)) travels in JSON, in both directions.
 */
#ifndef CHANNEL_INTS_H
#define CHANNEL_INTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Characters that `len` bytes take, without brackets. */
size_t ints_length(const uint8_t *bytes, size_t len);
/** Write exactly ints_length characters. */
void ints_write(uint8_t *dst, const uint8_t *bytes, size_t len);

/** Enough room for what `json_len` characters of an array can hold. */
#define INTS_ROOM(json_len) ((json_len) / 2 + 1)
/**
 * A whole JSON array, brackets included, of integers 0..255 and nothing else.
 * Strict: no fraction, exponent, sign or leading zero; space is allowed.
 * `out` has INTS_ROOM(len) bytes. False when it is anything else.
 */
bool ints_decode(const uint8_t *json, size_t len, uint8_t *out,
                 size_t *out_len);

#endif
