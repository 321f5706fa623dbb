/* SPDX-License-Identifier: MIT */
/**
 * @file visitors.h
 * What each address has open here, and how often it opens something. IPv6
 * addresses count by their network of 64 bits, which is what one customer
 * gets. Addresses of our own machine and of trusted proxies are nobody's: they
 * are not counted unless `address_limits = all`.
 */
#ifndef TRANSPORT_VISITORS_H
#define TRANSPORT_VISITORS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/meter.h"

struct address;
struct client_policy;
struct counters;
struct visitor;
struct visitors;
struct wheel;

enum visitors_scope { VISITORS_REMOTE, VISITORS_ALL, VISITORS_OFF };

/** 0: no limit. */
struct visitor_limits {
    enum visitors_scope scope;
    uint64_t connections;    /**< sockets and long-poll sessions at once */
    struct meter_rate opens; /**< sockets and sessions that speak Phoenix */
};

/** `limits` and `policy` are read at each call; all are borrowed. */
struct visitors *visitors_new(const struct visitor_limits *limits,
                              const struct client_policy *policy,
                              struct counters *counters, struct wheel *wheel);
/** Everybody must have left. NULL is accepted. */
void visitors_free(struct visitors *visitors);

/** One connection more. NULL: an address that is not counted; so is every one
 *  without `visitors`. */
struct visitor *visitors_enter(struct visitors *visitors,
                               const struct address *address, uint64_t now_ms);
/** And one less. NULL is accepted. */
void visitors_leave(struct visitor *visitor, uint64_t now_ms);

/** Has it more connections than it may? NULL: no. */
bool visitor_over(const struct visitor *visitor);
/** Far more: not even worth a polite answer. */
bool visitor_far_over(const struct visitor *visitor);
/** It opens a Phoenix socket. False: too many, or too often; counted. */
bool visitor_may_open(struct visitor *visitor, uint64_t now_ms);

#endif
