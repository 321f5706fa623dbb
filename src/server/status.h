/* SPDX-License-Identifier: MIT */
/**
 * @file status.h
 * What the pages ask for: /stats.json, the first page's counter, and
 * /metrics.json, the same samples as /metrics with the largest rooms, for the
 * status page. The format is described in www/pages/STATUS-JSON.md.
 */
#ifndef SERVER_STATUS_H
#define SERVER_STATUS_H

#include <stdbool.h>

struct buf;
struct http_head;
struct metrics_state;
struct registry;

/** Public: how many connections, rooms and members. */
void status_stats(const struct metrics_state *state, struct buf *out);
/** Everything. */
void status_render(const struct metrics_state *state,
                   const struct registry *rooms, struct buf *out);

enum status_access { STATUS_OFF, STATUS_REFUSED, STATUS_ALLOWED };
/**
 * May this request see it? `key` as configured: "" is off, "public" needs
 * none; else it comes as `Authorization: Bearer` or as the parameter `key`.
 */
enum status_access status_access(const char *key, const struct http_head *head);

#endif
