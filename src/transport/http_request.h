/* SPDX-License-Identifier: MIT */
/**
 * @file http_request.h
 * Private to the HTTP transport: http.c (MHD and the loop), http_conn.c
 * (connections: deadlines, parking, coming and going) and http_request.c
 * (routes, answers).
 */
#ifndef TRANSPORT_HTTP_REQUEST_H
#define TRANSPORT_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/wheel.h"
#include "transport/gzip.h"
#include "transport/http.h"
#include "transport/listen.h"
#include "transport/longpoll.h"
#include "transport/poller.h"
#include "transport/tcp.h"

struct connect_params;
struct http_wait;
struct MHD_Connection;
struct MHD_Daemon;
struct MHD_Response;

enum { HTTP_POOLS = 3 };

/** One MHD daemon: all its connections have memory of one size. */
struct http_pool {
    struct http *http;
    struct MHD_Daemon *mhd;
    uv_poll_t poll;
    uv_timer_t timer;
    bool due; /**< MHD has something to do */
};

struct http {
    struct transport_env *env;
    struct poller *poller;
    struct ws *ws;
    const struct static_files *files;
    const char *policy;
    const struct http_page *pages;
    void *pages_arg;
    struct longpoll *longpoll;
    struct gzip *gzip;
    struct http_pool pools[HTTP_POOLS];
    struct listener *listener; /**< takes answered connections back */
    struct list arriving, answered, spent; /**< http_conn.node */
    struct wheel_timer spent_timer;
    int dead; /**< a descriptor that reads as ended, see http_conn.c */
    struct list parked, woken;  /**< http_request.node */
    struct list waiting, ready; /**< http_wait.node */
    size_t requests;
    bool stopping;
};

enum http_phase { HTTP_IDLE, HTTP_HEAD, HTTP_BODY, HTTP_WRITING, HTTP_PARKED };

/** What stays with a connection from one request to the next: the last poll
 *  it answered. Owned by http_conn, by the listener in between. */
struct http_keep {
    struct http *http;
    struct lp_link link;
    int fd;
};

/** A connection that MHD is to be given. */
struct http_arrival {
    int fd;
    struct address peer;
    uint64_t consumed; /**< as in http_conn */
    bool countless;    /**< likewise */
    bool first;        /**< request of its connection */
    struct http_keep *keep;
    struct http_wait *waited;
};

/** One stay of a connection with MHD: mostly for one request. */
struct http_conn {
    struct http *http;
    struct http_pool *pool;
    struct MHD_Connection *mhd; /**< NULL until it has arrived */
    struct list node;           /**< in arriving, answered or spent */
    struct wheel_timer deadline;
    struct http_keep *keep; /**< or NULL */
    struct http_wait *waited; /**< the poll that it comes with, or NULL */
    struct visitor *visitor; /**< of the peer, or NULL */
    struct address peer;
    uint64_t consumed; /**< bytes of the connection that its requests make up,
                            the current one included */
    int fd;
    enum http_phase phase;
    bool checked;   /**< the next request's head was read by listen.c */
    bool countless; /**< it cannot be told where the request ends */
    bool spent;     /**< MHD holds only a dead descriptor */
};

/** Lives from the request line to MHD's completion notice. */
struct http_request {
    struct http_conn *conn;
    struct MHD_Connection *mhd;
    struct list node;
    struct poller_item watch;
    struct lp_request lp;
    struct wheel_timer pause; /**< until the answer to a POST may go */
    int post_status;          /**< that answer; 0: there is none waiting */
    size_t post_done;         /**< of the body */
    struct buf body;
    struct connect_params *upgrade; /**< while it becomes a WebSocket */
    bool checked;   /**< its head was read by listen.c */
    bool started;   /**< the access handler was called */
    bool collects;  /**< the body is wanted */
    bool too_large; /**< and was more than allowed */
    bool polled;    /**< longpoll_poll was called */
    bool suspended;
    bool aborted; /**< the client left while parked */
    bool last;    /**< the connection ends with its response */
    bool gzip;
    struct address client; /**< as resolved through trusted proxies */
    size_t target_len;
    char target[]; /**< as the client sent it */
};

struct http_request *http_request_new(struct http_conn *conn,
                                      struct MHD_Connection *mhd,
                                      const char *target, size_t len);
/** `written`: the response went out whole. */
void http_request_free(struct http_request *r, bool written);
/** One call of MHD's access handler; false closes the connection. */
bool http_request_step(struct http_request *r, const char *method,
                       const char *version, const char *data, size_t *size);

/** http_drip.c: see HTTP_DRIP_PATH. NULL without memory. */
struct MHD_Response *http_drip_response(struct http_request *r);

/** http_conn.c's part: connections as MHD sees them. */
void http_conn_phase(struct http_conn *conn, enum http_phase phase);
void http_request_park(struct http_request *r);
/** Harmless when not parked. */
void http_request_wake(struct http_request *r);
/** A connection that MHD is given next; found again by its descriptor. */
struct http_conn *http_conn_new(struct http *http, struct http_pool *pool,
                                const struct http_arrival *arrival);
/** Give it to MHD, which may close it at once. */
void http_conn_start(struct http_conn *conn);
/** MHD has it. NULL when nobody knows it. */
struct http_conn *http_conn_arrived(struct http_pool *pool,
                                    struct MHD_Connection *mhd, int fd);
/** MHD is done with it, or never took it. */
void http_conn_free(struct http_conn *conn);
/** Its request is answered. */
void http_conn_answered(struct http_conn *conn);
/** Give answered connections back to the listener. */
void http_conn_return_answered(struct http *http);
/** Let MHD close what it holds of the returned ones. */
void http_conn_bury_spent(struct http *http);
/** Where the last response of a poll is tied to. */
struct lp_link *http_conn_link(struct http_conn *conn);
/** http_wait.c: polls without an answer, which MHD does not know of. False:
 *  the request is none, and still the caller's. */
bool http_wait_begin(struct http *http, struct http_pool *pool, int fd,
                     const struct listener_request *request);
/** There is an answer. */
void http_wait_wake(struct lp_request *lp);
/** Give MHD those that have one. */
void http_wait_deliver(struct http *http);
/** `into` is the poll from now on. */
void http_wait_take(struct http_wait *w, struct lp_request *into);
/** It will not be answered. NULL is accepted. */
void http_wait_drop(struct http_wait *w);

bool http_keep_lost(struct lp_link *link);
void http_keep_free(struct http_keep *keep, bool reset);

#endif
