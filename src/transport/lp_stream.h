/* SPDX-License-Identifier: MIT */
/**
 * @file lp_stream.h
 * The body of a large poll response, made while it is sent: the messages stay
 * where they lie, shared with whoever else gets them, and are compressed piece
 * by piece, so that neither memory nor the loop's time grows with the body.
 */
#ifndef TRANSPORT_LP_STREAM_H
#define TRANSPORT_LP_STREAM_H

#include <stdbool.h>
#include <stddef.h>

struct lp_stream;
struct outq;

enum { LP_STREAM_PIECE = 32 * 1024 /**< good size of one read */ };

/** `head`: what comes before the first message. Takes references of its own to
 *  the messages. */
struct lp_stream *lp_stream_new(const char *head, size_t head_len,
                                const struct outq *messages, bool gzip);
/** NULL is accepted. */
void lp_stream_free(struct lp_stream *stream);
/** Bytes of the whole body; when compressed nobody knows, and it is 0. */
size_t lp_stream_size(const struct lp_stream *stream);
/** The next bytes; 0 at the end. */
size_t lp_stream_read(struct lp_stream *stream, char *dst, size_t max);

#endif
