/* SPDX-License-Identifier: MIT */
/*
 * The dripping response of HTTP_DRIP_PATH. Must never make MHD ask again and
 * again for what is not due yet, or leave a suspended request to its end.
 *
 * MHD asks for content; when none is due the connection is suspended, which
 * MHD allows in here, and joins the parked polls, so that http_stop resumes
 * it. The next piece's timer resumes it as a poll is.
 */
#include "transport/http_request.h"

#include <stdio.h>
#include <stdlib.h>

#include <microhttpd.h>

#include "base/mem.h"
#include "transport/env.h"

enum { PIECES = 5, EVERY_MS = 300, PIECE_MAX = 32 };

struct drip {
    struct http_request *r; /* gone before the response is */
    struct wheel *wheel;
    struct wheel_timer timer;
    uint64_t due;
    int sent;
};

static void on_due(struct wheel_timer *timer, uint64_t now)
{
    struct drip *drip = LIST_ENTRY(timer, struct drip, timer);
    (void)now;
    http_request_wake(drip->r);
}

static void wait_for_next(struct drip *drip)
{
    struct http_request *r = drip->r;
    struct http *http = r->conn->http;
    MHD_suspend_connection(r->mhd);
    r->suspended = true;
    list_push(&http->parked, &r->node);
    wheel_set(http->env->wheel, &drip->timer, drip->due, on_due);
}

static ssize_t on_content(void *arg, uint64_t at, char *out, size_t size)
{
    struct drip *drip = arg;
    struct http *http = drip->r->conn->http;
    (void)at;
    if (http->stopping)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (drip->sent == PIECES)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (env_now(http->env) < drip->due) {
        wait_for_next(drip);
        return 0;
    }
    drip->due = env_now(http->env) + EVERY_MS;
    return snprintf(out, size, "drop %d\n", ++drip->sent);
}

static void on_over(void *arg)
{
    struct drip *drip = arg;
    wheel_cancel(drip->wheel, &drip->timer);
    free(drip);
}

struct MHD_Response *http_drip_response(struct http_request *r)
{
    struct drip *drip = mem_zalloc(sizeof *drip);
    drip->r = r;
    drip->wheel = r->conn->http->env->wheel;
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, PIECE_MAX, on_content, drip, on_over);
    if (!response)
        free(drip);
    return response;
}
