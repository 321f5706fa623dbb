/* SPDX-License-Identifier: MIT */
/**
 * @file ws_conn.h
 * One WebSocket connection, shared by ws.c (its life) and ws_write.c (putting
 * its queue on the wire). Owned by ws.c.
 */
#ifndef TRANSPORT_WS_CONN_H
#define TRANSPORT_WS_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/buf.h"
#include "base/list.h"
#include "base/wheel.h"
#include "transport/flap.h"
#include "transport/outq.h"

struct counters;
struct lws;
struct session;
struct ws;

enum {
    /** Longer messages go out as several fragments of this size. */
    WS_FRAGMENT_BYTES = 16384,
    /** A frame header, and a whole fragment behind it. */
    WS_SCRATCH_BYTES = WS_FRAGMENT_BYTES + 16
};

enum ws_state { WS_OPENING, WS_OPEN, WS_ENDING, WS_SHUT, WS_DEAD };

struct ws_conn {
    struct ws *ws;
    const char *reason;      /**< why we ended it; static, or NULL */
    struct lws *wsi;         /**< NULL before adoption and after its end */
    struct session *session; /**< NULL when only opened to be closed */
    struct list node, dirty;
    struct wheel_timer timer; /**< idle or paused, then closing */
    struct visitor *visitor;  /**< of the client's address, or NULL */
    struct outq queue;
    struct buf received; /**< of a message that is not yet whole */
    uint64_t id;
    uint64_t opened_ms;
    struct flap_client flapper;
    struct address client; /**< as resolved through trusted proxies */
    uint64_t begun; /**< payload bytes of the first message in the queue that
                         went out as fragments */
    enum ws_state state;
    uint16_t code;
    bool paused;     /**< nothing is read until its debt is paid */
    uint32_t received_whole; /**< messages; wraps */
    uint32_t seen_whole;     /**< as of the last look at it */
    uint64_t mid_since; /**< in the middle of one message since (ms), or 0 */
    bool ours;       /**< we ended it */
    bool close_sent; /**< our Close is written, or with the library */
};

/**
 * Write as much of the queue as one turn may and the kernel takes; asks for
 * LWS_CALLBACK_SERVER_WRITEABLE when something is left. -1: the socket is
 * broken. `scratch` has WS_SCRATCH_BYTES.
 */
int ws_conn_write(struct ws_conn *conn, unsigned char *scratch,
                  struct counters *counters);

#endif
