/* SPDX-License-Identifier: MIT */
/**
 * @file json.h
 * A strict JSON scanner: it checks and measures, it never builds a tree and
 * never allocates. What it accepts, every JSON.parse accepts, so a validated
 * slice may be relayed to other clients as it is.
 *
 * Strict means RFC 8259: its number grammar, its escapes, no raw control
 * characters in strings, well-formed UTF-8, nesting up to a limit. Escapes of
 * lone surrogates ("\ud83d") are accepted, as JSON.parse accepts them: text
 * cut inside an emoji must not cost a client its connection.
 */
#ifndef CHANNEL_JSON_H
#define CHANNEL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_DEPTH_MAX = 1024 }; /* what any configured limit is cut to */

struct json_cursor {
    const uint8_t *at, *end;
    unsigned depth_max; /**< containers inside one another, per value */
    bool too_deep;      /**< set when that was why a skip failed */
};

/** A borrowed part of the input. */
struct json_slice {
    const uint8_t *data;
    size_t len;
};

struct json_cursor json_cursor(const void *data, size_t len,
                               unsigned depth_max);
void json_skip_space(struct json_cursor *c);
/** Consume `byte` if it is next. */
bool json_take(struct json_cursor *c, uint8_t byte);
/** Validate one value (no space before it) and stand behind it. Iterative.
 *  On failure the cursor stands anywhere. */
bool json_skip_value(struct json_cursor *c);
/** Likewise, and report the value's extent. */
bool json_take_value(struct json_cursor *c, struct json_slice *out);

/**
 * The content of a validated string token (quotes included in `token`) as
 * UTF-8. Without escapes *out points into the token; otherwise the text is
 * unescaped into scratch. False when it does not fit there, or holds a lone
 * surrogate, which UTF-8 cannot say.
 */
bool json_string(struct json_slice token, char *scratch, size_t cap,
                 const char **out, size_t *out_len);

/**
 * The value of `name` in a validated object (the last one wins, as with
 * JSON.parse). False when `object` is not an object or has no such member.
 */
bool json_member(struct json_slice object, const char *name,
                 struct json_slice *out);

bool json_utf8_valid(const void *data, size_t len);

#endif
