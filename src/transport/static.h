/* SPDX-License-Identifier: MIT */
/**
 * @file static.h
 * Files of one directory tree, by request path. Opened anew for each request:
 * what is on disk is what is served. Beside NAME may lie NAME.br and NAME.gz,
 * the same compressed: they are served in its place to clients that accept
 * them, and never by their own names. What lies in the folder `assets` has its
 * content's hash in its name: it never changes.
 */
#ifndef TRANSPORT_STATIC_H
#define TRANSPORT_STATIC_H

#include <stdbool.h>
#include <stdint.h>

#include "transport/http_head.h"

enum { STATIC_ETAG_MAX = 40, STATIC_PATH_MAX = 1024 };

struct static_files;

struct static_file {
    int fd; /**< the caller closes it */
    uint64_t size;
    const char *type;   /**< Content-Type; static storage */
    const char *coding; /**< Content-Encoding; NULL: as it is */
    bool varies;        /**< there are other codings of it */
    bool immutable;
    char etag[STATIC_ETAG_MAX]; /**< with its quotes */
};

/** NULL with errno set when it is no directory. */
struct static_files *static_new(const char *dir);
/** NULL is accepted. */
void static_free(struct static_files *files);

/**
 * Returns 200 and fills `out`; or 301 for a directory asked for without its
 * slash; or 404, also for every path that leaves the tree, names a dotfile or
 * is badly encoded. `accept` is the Accept-Encoding value.
 */
int static_open(const struct static_files *files, struct http_span path,
                struct http_span accept, struct static_file *out);

/** Does an If-None-Match value cover this ETag? */
bool static_etag_matches(struct http_span if_none_match, const char *etag);

#endif
