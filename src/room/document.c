/* SPDX-License-Identifier: MIT */
/*
 * The document of a room: opened by the first update, and at rest while nobody
 * needs it.
 *
 *        first update                 unused for rest_ms, small, whole
 *   none ------------> open (yjs_doc) ------------------> at rest (bytes)
 *                        ^                                   |
 *                        +------ update, join, step1 --------+
 *
 * A document is made to be written to: for a hundred bytes of text the engine
 * keeps some two kilobytes of lists, indexes and room to grow. Most rooms are
 * quiet most of the time, so a small one is kept as what it would be sent as,
 * one update, and becomes a document again when somebody needs it: some tens of
 * microseconds at the most, since large ones never rest. Nor does one that
 * waits for other updates.
 *
 * Nothing is done for each update but to note the time: the timer looks at it.
 *
 * Must never give up the document before its bytes are safe, nor the bytes
 * before the document is open.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "room/internal.h"

/* The gauge follows the document, open or at rest. */
void document_count(struct room *room)
{
    struct counters *c = room->registry->counters;
    size_t now = room->doc ? yjs_doc_heap(room->doc) : room->resting_len;
    c->value[COUNTER_DOCUMENT_BYTES] += now - room->doc_heap;
    room->doc_heap = now;
}

/* Peers see the id in nothing; it is ours for edits of the server's own. */
static uint64_t own_client_id(const struct room *room)
{
    uint64_t id =
        dict_siphash(room->registry->rooms.k1, room->registry->rooms.k0,
                     room->topic, room->topic_len);
    return (id & UINT32_MAX) ? (id & UINT32_MAX) : 1;
}

static void drop_bytes(struct room *room)
{
    if (!room->resting)
        return;
    free(room->resting);
    room->resting = NULL;
    room->resting_len = 0;
    counter_dec(room->registry->counters, COUNTER_DOCUMENTS_RESTING);
}

/* It is in use now: look again when it may have gone to rest. */
static void expect_rest(struct room *room)
{
    struct registry *registry = room->registry;
    room->used_ms = registry->now_ms;
    if (room->rest_at || !registry->limits.rest_ms)
        return;
    room->rest_at = registry->now_ms + registry->limits.rest_ms;
    room_schedule(room);
}

int document_open(struct room *room)
{
    const struct room_limits *limits = &room->registry->limits;
    struct yjs_doc_options options = {
        .client_id = own_client_id(room),
        .limits = {.update_bytes = limits->update_bytes,
                   .pending_bytes = limits->pending_bytes,
                   .conflicts = limits->update_conflicts,
                   .doc_bytes = limits->document_bytes},
        .alloc = room->registry->alloc,
    };
    yjs_doc *doc = NULL;
    int err = YJS_OK;
    if (!room->doc) {
        if (options.limits.update_bytes < room->resting_len)
            options.limits.update_bytes = room->resting_len;
        err = yjs_doc_new(&options, &doc);
        if (!err && room->resting)
            err = yjs_apply_update(doc, room->resting, room->resting_len,
                                   NULL);
        if (err) {
            yjs_doc_free(doc);
            return err;
        }
        room->doc = doc;
        drop_bytes(room);
        document_count(room);
    }
    expect_rest(room);
    return YJS_OK;
}

bool document_exists(const struct room *room)
{
    return room->doc || room->resting;
}

uint64_t document_due(const struct room *room)
{
    return room->rest_at ? room->rest_at : UINT64_MAX;
}

static bool may_rest(const struct room *room)
{
    const struct room_limits *limits = &room->registry->limits;
    size_t heap = yjs_doc_heap(room->doc);
    return heap <= limits->rest_bytes && heap <= limits->document_bytes / 4 &&
           !room->pending;
}

/* A copy that will outlive all around it. The C library would put it where a
 * piece of just that size was freed, into the middle of the last document that
 * went to rest, and each would keep a page from going back to the system. So it
 * is cut from a piece too large for the library's lists of such. */
static uint8_t *copy_apart(const uint8_t *data, size_t len)
{
    enum { APART = 2048 };
    uint8_t *copy = mem_alloc(len > APART ? len : APART);
    memcpy(copy, data, len);
    return mem_realloc(copy, len);
}

/* When memory is short it stays as it is. */
static void rest(struct room *room)
{
    struct yjs_bytes update = {0};
    if (yjs_encode_state_as_update(room->doc, NULL, 0, &update) != YJS_OK)
        return;
    room->resting = copy_apart(update.data, update.len);
    room->resting_len = (uint32_t)update.len;
    yjs_bytes_free(&update);
    yjs_doc_free(room->doc);
    room->doc = NULL;
    document_count(room);
    counter_inc(room->registry->counters, COUNTER_DOCUMENTS_RESTING);
    counter_inc(room->registry->counters, COUNTER_DOCUMENTS_RESTED);
}

void document_tick(struct room *room)
{
    const struct registry *registry = room->registry;
    uint64_t at = room->used_ms + registry->limits.rest_ms;
    if (!room->rest_at || registry->now_ms < room->rest_at)
        return;
    room->rest_at = 0;
    if (!room->doc || !registry->limits.rest_ms)
        return;
    if (registry->now_ms < at)
        room->rest_at = at;
    else if (may_rest(room))
        rest(room);
}

void document_free(struct room *room)
{
    yjs_doc_free(room->doc);
    room->doc = NULL;
    drop_bytes(room);
    document_count(room);
}
