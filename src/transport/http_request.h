/* SPDX-License-Identifier: MIT */
/**
 * @file http_request.h
 * One HTTP request on MHD: what it asks for and how it is answered. Private to
 * http.c (connections, the loop, parking) and http_request.c (routes,
 * answers).
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
#include "transport/longpoll.h"
#include "transport/poller.h"

struct connect_params;
struct MHD_Connection;
struct MHD_Daemon;

enum { HTTP_POOLS = 3 };

/** One MHD daemon: all its connections have pools of one size. */
struct http_pool {
    struct http *http;
    struct MHD_Daemon *mhd;
    uv_poll_t poll;
    uv_timer_t timer;
    bool due;       /**< MHD has something to do */
    bool one_shot;  /**< its connections end with their response */
};

struct http {
    struct transport_env *env;
    struct poller *poller;
    struct ws *ws;
    const struct static_files *files;
    const struct http_page *pages;
    void *pages_arg;
    struct longpoll *longpoll;
    struct gzip *gzip;
    struct http_pool pools[HTTP_POOLS];
    struct list parked, woken; /**< http_request.node */
    size_t requests;
    bool stopping;
};

enum http_phase { HTTP_IDLE, HTTP_HEAD, HTTP_BODY, HTTP_WRITING, HTTP_PARKED };

/** Lives from MHD's connection notice to the closing one. */
struct http_conn {
    struct http *http;
    struct http_pool *pool;
    struct wheel_timer deadline;
    struct lp_link link; /**< the last poll it answered */
    int fd;
    enum http_phase phase;
};

/** Lives from the request line to MHD's completion notice. */
struct http_request {
    struct http_conn *conn;
    struct MHD_Connection *mhd;
    struct list node;
    struct poller_item watch;
    struct lp_request lp;
    struct buf body;
    struct connect_params *upgrade; /**< while it becomes a WebSocket */
    bool started;   /**< the access handler was called */
    bool collects;  /**< the body is wanted */
    bool too_large; /**< and was more than allowed */
    bool polled;    /**< longpoll_poll was called */
    bool suspended;
    bool aborted; /**< the client left while parked */
    bool gzip;
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

/** http.c's part */
void http_conn_phase(struct http_conn *conn, enum http_phase phase);
void http_request_park(struct http_request *r);
/** Harmless when not parked. */
void http_request_wake(struct http_request *r);

#endif
