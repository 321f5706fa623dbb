/* SPDX-License-Identifier: MIT */
/**
 * @file origin.h
 * Which web pages may connect: the `check_origin` setting against a request's
 * Origin header. Programs that are no browsers send none and are let in.
 */
#ifndef TRANSPORT_ORIGIN_H
#define TRANSPORT_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "transport/http_head.h"

enum origin_mode {
    ORIGIN_ANY,  /**< no check */
    ORIGIN_HOST, /**< the origin's host is our `hostname` */
    ORIGIN_CONN, /**< the origin's host and port are those of the Host header */
    ORIGIN_LIST  /**< one of the entries */
};

struct origin_entry;

struct origin_policy {
    enum origin_mode mode;
    char *hostname;
    struct origin_entry *entries;
    size_t count;
};

/**
 * `setting`: `true`, `false`, `conn`, or entries separated by commas or spaces:
 * `https://a.example`, `//a.example` (any scheme), or a host that starts with
 * `*.` (then the domain itself matches too), with or without a port. False when
 * an entry cannot be read; `policy` is untouched then.
 */
bool origin_policy_init(struct origin_policy *policy, const char *setting,
                        const char *hostname);
/** Zeroed is accepted. */
void origin_policy_deinit(struct origin_policy *policy);

/** `origin`, `host`: header values, p NULL when absent. */
bool origin_allowed(const struct origin_policy *policy,
                    struct http_span origin, struct http_span host);

#endif
