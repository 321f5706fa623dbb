/* SPDX-License-Identifier: MIT */
/**
 * @file http_head.h
 * The head of one HTTP/1.x request, taken apart without copying or allocating.
 * Strict on purpose: two libraries read the same bytes after us, so whatever
 * two readers could understand in two ways (folded lines, bare LF, doubled
 * lengths, length beside chunking) is refused here.
 */
#ifndef TRANSPORT_HTTP_HEAD_H
#define TRANSPORT_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

enum {
    HTTP_HEADERS_MAX = 100,
    HTTP_METHOD_MAX = 20,
    /** Offset that http_head_end returns when there is no end yet. */
    HTTP_HEAD_NO_END = 0
};

/** Borrowed characters, not terminated; p is NULL for "absent". */
struct http_span {
    const char *p;
    size_t len;
};

struct http_header {
    struct http_span name, value; /**< value without the space around it */
};

struct http_head {
    struct http_span method, target;
    struct http_span path;  /**< raw: still percent-encoded, starts with '/',
                                 or is "*" */
    struct http_span query; /**< behind '?', p NULL without one */
    int minor;              /**< 0 or 1 */
    size_t count;
    struct http_header headers[HTTP_HEADERS_MAX];
};

/** What is wrong with a head; the value is the HTTP status to answer with. */
enum http_head_error {
    HTTP_HEAD_OK = 0,
    HTTP_HEAD_BAD = 400,
    HTTP_HEAD_LARGE = 431,
    HTTP_HEAD_VERSION = 505
};

/**
 * Length of the head in `buf` including its empty line, or HTTP_HEAD_NO_END.
 * `seen` bytes were searched before without success.
 */
size_t http_head_end(const char *buf, size_t len, size_t seen);

/** `buf` is one whole head as http_head_end found it; it is borrowed for as
 *  long as `head` is used. */
int http_head_parse(struct http_head *head, const char *buf, size_t len);

/** HTTP_HEAD_OK unless the lengths, codings or hosts of a head could be read
 *  in two ways. http_head_parse has checked this. */
int http_head_framing(const struct http_head *head);

/** HTTP_HEAD_OK unless a name is no token or a value holds what no header
 *  may: a head that was not read by http_head_parse. */
int http_head_charset(const struct http_head *head);

/** The length a head has when each line is written in the plain way, with one
 *  space behind the colon. */
size_t http_head_plain_size(const struct http_head *head);

/** Split a request target into path and query; false when it is no origin
 *  form, absolute form or "*". */
bool http_target_split(struct http_span target, struct http_span *path,
                       struct http_span *query);

/** The first header of that name (any case); p is NULL when absent. */
struct http_span http_head_get(const struct http_head *head, const char *name);
/** Does any header of that name hold this token in its comma list? */
bool http_head_has_token(const struct http_head *head, const char *name,
                         const char *token);

bool http_span_is(struct http_span span, const char *text);
bool http_span_is_nocase(struct http_span span, const char *text);
/** The next element of a comma list, trimmed; false at its end. */
bool http_list_next(struct http_span *rest, struct http_span *out);

/** Does an Accept-Encoding value (p NULL: none) allow this coding? */
bool http_coding_accepted(struct http_span accept_encoding, const char *coding);

/**
 * The last parameter `name` of a query string, decoded into `out` (its limit
 * bounds it). Returns 1 when found, 0 when absent, -1 when its encoding is bad
 * or it is longer than the limit of `out`.
 */
int http_query_get(struct http_span query, const char *name, struct buf *out);

/** Percent-decode in `out`; false when malformed or too long. */
bool http_percent_decode(struct http_span src, bool plus_is_space,
                         struct buf *out);

#endif
