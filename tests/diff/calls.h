/* SPDX-License-Identifier: MIT */
/*
 * Edits as the differential test asks for them, and the updates that the
 * document tells of.
 *
 *   call      u8 number (enum in calls.c) | arguments
 *   string    u32 length | bytes
 *   type      u8 1 | string name | u8 kind        a root
 *             u8 0 | u64 client | u64 clock       a nested type
 *   value     u8 kind | bool u8, number f64, bigint u64, string, bytes, JSON,
 *             Any: a string; type: u8 kind, string name; doc: string guid,
 *             string options
 *   optional  u8 0, or u8 1 | string
 */
#ifndef TESTS_DIFF_CALLS_H
#define TESTS_DIFF_CALLS_H

#include "yjs.h"

#include <stdbool.h>

/** What the callback was told: per update u8 local, string v1, string v2. */
struct told {
    uint8_t *data;
    size_t len;
    size_t cap;
    bool failed; /* one could not be encoded */
};

void told_add(void *ctx, const struct yjs_update_event *event);

/**
 * One transaction of the calls in [data, end), committed or, at the end,
 * aborted. What each call answered is in *refused: how many were refused for
 * their arguments. Returns what the commit answered, or the memory error that
 * broke it.
 */
int calls_run(yjs_doc *doc, const uint8_t *data, const uint8_t *end,
              bool commit, uint32_t *refused);

#endif
