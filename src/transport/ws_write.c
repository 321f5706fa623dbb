/* SPDX-License-Identifier: MIT */
/*
 * Putting a queue on the wire. The blobs are whole WebSocket frames, framed
 * once for all receivers; they go to the kernel from where they lie, many in
 * one sendmsg. Must never leave a frame half written without the library
 * knowing: it writes pongs and closes between our writes, and one inside a
 * frame would corrupt the stream [measured: at message 526].
 *
 * So: nothing is written while lws_partial_buffered; and when the kernel takes
 * a frame only in part, the rest of that frame is given to lws_write, which
 * keeps a copy and sends it before anything else. That copy is bounded: a
 * message longer than WS_FRAGMENT_BYTES is cut into fragments here,
 *
 *   blob    [FIN op|len] payload ............................
 *   wire    [op|16k] payload [cont|16k] payload [FIN cont|n] payload
 *
 * between which control frames may legally stand. A joint blob (blob.h) is cut
 * where its parts meet as well.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <libwebsockets.h>

#include "base/blob.h"
#include "base/counters.h"
#include "channel/frame.h"
#include "transport/ws_conn.h"

enum {
    PIECES = 64,               /* frames of one sendmsg */
    TURN_BYTES = 256 * 1024,   /* of one connection in one turn */
    HEADER_MAX = 10,
    FIN = 0x80
};

_Static_assert((int)FRAME_SHARED_MIN > (int)WS_FRAGMENT_BYTES,
               "what goes out as it lies must lie in one piece");

/* Something that must not be torn: a frame. */
struct piece {
    uint8_t header[HEADER_MAX]; /* of a fragment; else it is in the blob */
    uint8_t header_len;
    bool last; /* ends its message */
    const uint8_t *data;
    size_t len;
};

static size_t header_len(const uint8_t *frame)
{
    uint8_t len7 = frame[1] & 0x7f;
    return len7 < 126 ? 2 : len7 == 126 ? 4 : 10;
}

static uint8_t put_header(uint8_t *out, uint8_t first, size_t len)
{
    out[0] = first;
    if (len < 126) {
        out[1] = (uint8_t)len;
        return 2;
    }
    if (len < 65536) {
        out[1] = 126;
        out[2] = (uint8_t)(len >> 8);
        out[3] = (uint8_t)len;
        return 4;
    }
    out[1] = 127;
    for (int i = 0; i < 8; i++)
        out[2 + i] = (uint8_t)((uint64_t)len >> (56 - 8 * i));
    return 10;
}

/* The piece of `b` at payload offset `from`; returns the payload taken. */
static size_t cut(const struct blob *b, uint64_t from, struct piece *out)
{
    if (b->len <= WS_FRAGMENT_BYTES) {
        *out = (struct piece){.last = true, .data = b->data, .len = b->len};
        return b->len;
    }
    const uint8_t *head = blob_run(b, 0).data;
    size_t header = header_len(head);
    size_t rest = b->len - header - (size_t)from;
    struct blob_run run = blob_run(b, header + (size_t)from);
    size_t len = run.len < WS_FRAGMENT_BYTES ? run.len : WS_FRAGMENT_BYTES;
    uint8_t first = from ? 0 : head[0] & 0x0f;
    *out = (struct piece){
        .last = len == rest, .data = run.data, .len = len};
    if (out->last)
        first |= FIN;
    out->header_len = put_header(out->header, first, len);
    return len;
}

/* Pieces from the front of the queue; returns how many. */
static int gather(const struct ws_conn *conn, struct piece *pieces)
{
    const struct outq *q = &conn->queue;
    uint64_t from = conn->begun;
    size_t total = 0;
    int n = 0;
    for (uint32_t i = q->first; i < q->end && n < PIECES;) {
        const struct blob *b = outq_at(q, i)->blob;
        if (!b) {
            i++;
            continue;
        }
        if (total >= TURN_BYTES)
            break;
        size_t took = cut(b, from, &pieces[n]);
        total += pieces[n].header_len + pieces[n].len;
        from += took;
        if (pieces[n].last) {
            from = 0;
            i++;
        }
        n++;
    }
    return n;
}

static ssize_t send_pieces(int fd, const struct piece *pieces, int n)
{
    struct iovec iov[2 * PIECES];
    struct msghdr message = {.msg_iov = iov};
    if (n == 1 && !pieces->header_len)
        return send(fd, pieces->data, pieces->len,
                    MSG_NOSIGNAL | MSG_DONTWAIT);
    for (int i = 0; i < n; i++) {
        if (pieces[i].header_len)
            iov[message.msg_iovlen++] =
                (struct iovec){(void *)(uintptr_t)pieces[i].header,
                               pieces[i].header_len};
        iov[message.msg_iovlen++] = (struct iovec){
            (void *)(uintptr_t)pieces[i].data, pieces[i].len};
    }
    return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void consume(struct ws_conn *conn, const struct piece *piece)
{
    if (!piece->last) {
        conn->begun += piece->len;
        outq_peek(&conn->queue); /* the head is now what we are writing */
        conn->queue.head_begun = true;
        return;
    }
    conn->begun = 0;
    blob_unref(outq_take(&conn->queue, NULL));
}

/* Give the rest of a torn frame to the library; `done` bytes of it are out. */
static int give_rest(struct ws_conn *conn, const struct piece *piece,
                     size_t done, unsigned char *scratch)
{
    size_t header = piece->header_len > done ? piece->header_len - done : 0;
    size_t skip = done > piece->header_len ? done - piece->header_len : 0;
    size_t data = piece->len - skip;
    memcpy(scratch, piece->header + piece->header_len - header, header);
    memcpy(scratch + header, piece->data + skip, data);
    return lws_write(conn->wsi, scratch, header + data, LWS_WRITE_HTTP) < 0
               ? -1
               : 0;
}

/* Account for `sent` bytes of these pieces; what the last one lacks goes to
 * the library. */
static int settle(struct ws_conn *conn, const struct piece *pieces, int n,
                  size_t sent, unsigned char *scratch,
                  struct counters *counters)
{
    for (int i = 0; i < n && sent > 0; i++) {
        size_t size = pieces[i].header_len + pieces[i].len;
        int err = 0;
        counter_add(counters, COUNTER_BYTES_OUT, size);
        if (sent < size)
            err = give_rest(conn, &pieces[i], sent, scratch);
        sent -= sent < size ? sent : size;
        consume(conn, &pieces[i]);
        if (err)
            return -1;
    }
    return 0;
}

int ws_conn_write(struct ws_conn *conn, unsigned char *scratch,
                  struct counters *counters)
{
    struct piece pieces[PIECES];
    if (lws_partial_buffered(conn->wsi)) {
        lws_callback_on_writable(conn->wsi);
        return 0;
    }
    int n = gather(conn, pieces);
    if (n == 0)
        return 0;
    ssize_t sent = send_pieces(lws_get_socket_fd(conn->wsi), pieces, n);
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        return -1;
    if (sent > 0 &&
        settle(conn, pieces, n, (size_t)sent, scratch, counters) < 0)
        return -1;
    if (!outq_empty(&conn->queue) || sent < 0)
        lws_callback_on_writable(conn->wsi);
    return 0;
}
