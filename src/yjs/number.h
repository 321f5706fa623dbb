/* SPDX-License-Identifier: MIT */
/**
 * @file number.h
 * Numbers as JavaScript reads and prints them, whatever the locale.
 */
#ifndef YJS_NUMBER_H
#define YJS_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#define YJS__NUMBER_SIZE 32u

/** `s` holds a number in JSON's grammar, of any length. */
double yjs__number_parse(const uint8_t *s, size_t len);

/** Number::toString of a finite number; no terminator. Returns the length. */
size_t yjs__number_format(double v, char out[YJS__NUMBER_SIZE]);

#endif
