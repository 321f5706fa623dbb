/* SPDX-License-Identifier: MIT */
/**
 * @file jsoncheck.h
 * Is this text JSON, exactly as JSON.parse of a browser takes it?
 */
#ifndef YJS_JSONCHECK_H
#define YJS_JSONCHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * YJS_OK when the bytes are one JSON value in strict UTF-8 whose arrays and
 * objects nest at most `depth` (1 to 64) deep; YJS_ERR_LIMIT when they nest
 * deeper, else YJS_ERR_MALFORMED. *is_null: the value is null. Allocates
 * nothing.
 */
int yjs__json_check(const uint8_t *text, size_t len, unsigned int depth,
                    bool *is_null);

#endif
