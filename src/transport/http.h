/* SPDX-License-Identifier: MIT */
/**
 * @file http.h
 * Plain HTTP: libmicrohttpd under our loop, in front of the long-poll
 * sessions, the static files and the server's own pages.
 */
#ifndef TRANSPORT_HTTP_H
#define TRANSPORT_HTTP_H

#include <stdbool.h>
#include <stddef.h>

struct address;
struct buf;
struct http;
struct http_head;
struct listener;
struct listener_request;
struct poller;
struct static_files;
struct transport_env;
struct ws;

/** Who asks for a page; borrowed. */
struct http_asker {
    const struct http_head *head;
    const struct address *peer;   /**< of the connection */
    const struct address *client; /**< as resolved through trusted proxies */
};

/** A page of the server's: writes its body, returns the HTTP status. */
struct http_page {
    const char *path;
    const char *type; /**< Content-Type */
    int (*render)(void *arg, const struct http_asker *asker, struct buf *out);
};

/** Beside the pages: five lines, one each 300 ms, by which a browser sees
 *  whether somebody on the way holds responses back. */
#define HTTP_DRIP_PATH "/doctor/drip"

struct http_options {
    struct transport_env *env;
    struct poller *poller;
    struct ws *ws;                    /**< takes late upgrades */
    const struct static_files *files; /**< NULL: none */
    const char *policy; /**< their Content-Security-Policy, or "" */
    const struct http_page *pages;    /**< ends with a NULL path */
    void *pages_arg;
};

/** False when libmicrohttpd cannot start; `*out` is to be stopped and freed
 *  in any case, since it may have handles on the loop. */
bool http_new(const struct http_options *options, struct http **out);
/** Where answered connections go. Before the first http_adopt. */
void http_set_listener(struct http *http, struct listener *listener);
/** Takes `fd`, also on failure; the request is still in the socket. */
void http_adopt(struct http *http, int fd,
                const struct listener_request *request);
/** listener_ops.parted */
void http_parted(struct http *http, void *keep, bool reset);
/** Let the library do what is due; true when something was. */
bool http_turn(struct http *http);

/** End up to `most` long-poll sessions; returns how many are left. */
size_t http_end_sessions(struct http *http, size_t most);
/** Requests that are being answered. */
size_t http_requests(const struct http *http);

/** Ends every connection and session at once; handles go back to the loop,
 *  which must then run until it is empty. */
void http_stop(struct http *http);
/** After that. NULL is accepted. */
void http_free(struct http *http);

/** As ws_shed, for long-poll sessions. */
size_t http_shed(struct http *http);

#endif
