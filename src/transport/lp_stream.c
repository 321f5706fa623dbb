/* SPDX-License-Identifier: MIT */
/* A poll response piece by piece: see lp_stream.h. Must never copy a message,
 * or keep a compressor longer than the response lives.
 *
 *   part    0      1         2   3             2n-1      2n
 *           head | message | , | message | ... message | ]}
 */
#include "transport/lp_stream.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "base/blob.h"
#include "base/mem.h"
#include "transport/outq.h"

/* A window of 4 kB is enough for arrays of small integers; the usual 15 and 8
 * cost 268 kB for each response that is under way, these 40 kB. */
enum { LEVEL = 1, WINDOW = 12 + 16, MEMORY_LEVEL = 5 };

struct lp_stream {
    z_stream *zip; /* or NULL */
    struct blob *head;
    struct blob **messages;
    size_t count;    /* of messages */
    size_t part, at; /* what comes next, and from where on */
    size_t size;
};

static z_stream *zip_new(void)
{
    z_stream *zip = mem_zalloc(sizeof *zip);
    if (deflateInit2(zip, LEVEL, Z_DEFLATED, WINDOW, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) == Z_OK)
        return zip;
    free(zip); /* no memory: then it goes as it is */
    return NULL;
}

struct lp_stream *lp_stream_new(const char *head, size_t head_len,
                                const struct outq *messages, bool gzip)
{
    struct lp_stream *s = mem_zalloc(sizeof *s);
    s->messages =
        mem_array(messages->end - messages->first + 1, sizeof *s->messages);
    s->head = blob_new(head, head_len);
    s->size = head_len + 2;
    for (uint32_t i = messages->first; i < messages->end; i++) {
        struct blob *blob = outq_at(messages, i)->blob;
        if (!blob)
            continue;
        s->size += blob->len + (s->count > 0);
        s->messages[s->count++] = blob_ref(blob);
    }
    s->zip = gzip ? zip_new() : NULL;
    return s;
}

void lp_stream_free(struct lp_stream *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->count; i++)
        blob_unref(s->messages[i]);
    blob_unref(s->head);
    if (s->zip)
        deflateEnd(s->zip);
    free(s->zip);
    free(s->messages);
    free(s);
}

size_t lp_stream_size(const struct lp_stream *s)
{
    return s->zip ? 0 : s->size;
}

/* The message that is the next part; NULL when it is punctuation. */
static const struct blob *next_blob(const struct lp_stream *s)
{
    if (s->part == 0)
        return s->head;
    return s->part % 2 && s->part < 2 * s->count
               ? s->messages[s->part / 2]
               : NULL;
}

/* That punctuation; "" at the end. */
static const char *next_mark(const struct lp_stream *s)
{
    size_t last = s->count ? 2 * s->count : 1;
    return s->part < last ? "," : s->part == last ? "]}" : "";
}

/* What comes next, as far as it lies together; of length 0 at the end. */
static struct blob_run next_run(const struct lp_stream *s)
{
    const struct blob *blob = next_blob(s);
    const char *mark = next_mark(s);
    return blob ? blob_run(blob, s->at)
                : (struct blob_run){(const uint8_t *)mark + s->at,
                                    strlen(mark) - s->at};
}

static void advance(struct lp_stream *s, size_t n)
{
    const struct blob *blob = next_blob(s);
    s->at += n;
    if (s->at < (blob ? blob->len : strlen(next_mark(s))))
        return;
    s->at = 0;
    s->part++;
}

static size_t read_plain(struct lp_stream *s, char *dst, size_t max)
{
    size_t have = 0;
    while (have < max) {
        struct blob_run run = next_run(s);
        size_t n = run.len < max - have ? run.len : max - have;
        if (!n)
            break;
        memcpy(dst + have, run.data, n);
        advance(s, n);
        have += n;
    }
    return have;
}

static size_t read_zipped(struct lp_stream *s, char *dst, size_t max)
{
    z_stream *z = s->zip;
    int result = Z_OK;
    z->next_out = (Bytef *)dst;
    z->avail_out = (uInt)max;
    while (z->avail_out > 0 && result == Z_OK) {
        struct blob_run run = next_run(s);
        uInt n = run.len < LP_STREAM_PIECE ? (uInt)run.len : LP_STREAM_PIECE;
        z->next_in = (Bytef *)(uintptr_t)run.data; /* it only reads */
        z->avail_in = n;
        result = deflate(z, n ? Z_NO_FLUSH : Z_FINISH);
        if (n)
            advance(s, n - z->avail_in);
    }
    return max - z->avail_out;
}

size_t lp_stream_read(struct lp_stream *s, char *dst, size_t max)
{
    return s->zip ? read_zipped(s, dst, max) : read_plain(s, dst, max);
}
