/* SPDX-License-Identifier: MIT */
/**
 * @file gzip.h
 * Compression of long-poll bodies, with one stream kept and reused.
 */
#ifndef TRANSPORT_GZIP_H
#define TRANSPORT_GZIP_H

#include <stdbool.h>
#include <stddef.h>

#include "transport/http_head.h"

struct buf;
struct gzip;

struct gzip *gzip_new(void);
/** NULL is accepted. */
void gzip_free(struct gzip *gzip);

/** Append `src` compressed to `out`; false (and `out` as it was) when the
 *  result is not smaller, or past the limit of `out`. */
bool gzip_compress(struct gzip *gzip, const void *src, size_t len,
                   struct buf *out);

/** Does an Accept-Encoding value allow gzip? */
bool gzip_accepted(struct http_span accept_encoding);

#endif
