/* SPDX-License-Identifier: MIT */
/* The document as those who join get it, encoded once for all of them.
 *
 * A small document is encoded anew when it has changed. Of a large one that
 * would cost its whole size for each pair of an edit and a join, in time and,
 * while receivers are slow, in memory as well: thirty joins to a document of
 * 3 MB by sockets that did not read once held 330 MB. So its snapshot stays
 * while the document moves on, and who joins gets the snapshot and then what
 * came after it:
 *
 *     snapshot 100 %                    delta
 *     |-------------------------------|------|  now
 *
 * Only when the delta has grown to a quarter of the snapshot is there a new
 * one. So all snapshots that slow receivers may still hold grow like a
 * geometric series: a document costs a few times its size, however many join.
 *
 * Must never give out a snapshot without what came after it. */
#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/mem.h"
#include "room/internal.h"

enum {
    /* Bytes of a piece: from FRAME_SHARED_MIN on it is not copied, and as
     * integers it fits into one poll. */
    PIECE = 130 * 1024,
    DELTA_PART = 4,     /* a larger part of the snapshot asks for a new one */
    IDLE_MAX_MS = 60000,
    IDLE_BYTES_PER_MS = 1024 /* what took longer to make is kept longer */
};

static struct payload nothing; /* the state of an empty document */

void snapshot_unref(struct snapshot *snapshot)
{
    if (!snapshot || --snapshot->refs > 0)
        return;
    payload_deinit(&snapshot->whole);
    payload_deinit(&snapshot->later);
    for (size_t i = 0; i < snapshot->piece_count; i++)
        payload_deinit(&snapshot->pieces[i]);
    free(snapshot->pieces);
    yjs_bytes_free(&snapshot->update);
    yjs_bytes_free(&snapshot->vector);
    yjs_bytes_free(&snapshot->delta);
    free(snapshot);
}

uint64_t snapshot_idle_ms(const struct snapshot *snapshot)
{
    uint64_t ms = snapshot ? snapshot->update.len / IDLE_BYTES_PER_MS : 0;
    return ms < IDLE_MAX_MS ? ms : IDLE_MAX_MS;
}

static bool large(const struct snapshot *snapshot)
{
    return snapshot->update.len >= SNAPSHOT_LARGE;
}

static void drop(struct room *room)
{
    snapshot_unref(room->cache->snapshot);
    room->cache->snapshot = NULL;
}

void snapshot_changed(struct room *room)
{
    room->version++;
    if (room->cache && room->cache->snapshot &&
        !large(room->cache->snapshot))
        drop(room);
}

/* Both are the engine's word on its own document: only memory can fail. */
static int make(struct room *room, struct snapshot **out)
{
    struct snapshot *s = mem_zalloc(sizeof *s);
    s->refs = 1;
    s->version = room->version;
    int err = yjs_encode_state_as_update(room->doc, NULL, 0, &s->update);
    if (!err && large(s))
        err = yjs_encode_state_vector(room->doc, &s->vector);
    s->whole =
        (struct payload){.data = s->update.data, .len = s->update.len};
    if (err) {
        snapshot_unref(s);
        return err;
    }
    *out = s;
    return YJS_OK;
}

/* What came after the snapshot. */
static int make_delta(struct room *room, struct snapshot *s)
{
    struct yjs_bytes delta = {0};
    if (s->delta_version == room->version)
        return YJS_OK;
    int err = yjs_encode_state_as_update(room->doc, s->vector.data,
                                         s->vector.len, &delta);
    if (err)
        return err;
    payload_deinit(&s->later);
    yjs_bytes_free(&s->delta);
    s->delta = delta;
    s->delta_version = room->version;
    s->later = (struct payload){.data = delta.data, .len = delta.len};
    return YJS_OK;
}

/* The room's snapshot, with a delta when it is older than the document. */
static int get(struct room *room, struct snapshot **out)
{
    struct room_cache *cache = room_cache(room);
    struct snapshot *s = cache->snapshot;
    int err = YJS_OK;
    if (s && s->version != room->version) {
        err = make_delta(room, s);
        if (err || s->delta.len > s->update.len / DELTA_PART) {
            drop(room);
            s = NULL;
        }
    }
    if (!s && !err) {
        err = make(room, &cache->snapshot);
        s = cache->snapshot;
    }
    *out = s;
    return err;
}

bool room_state(struct room_member *member, struct payload **state)
{
    struct room *room = member->room;
    struct snapshot *s;
    *state = &nothing;
    if (!document_exists(room))
        return true;
    int err = document_open(room);
    if (!err && yjs_doc_is_empty(room->doc))
        return true;
    if (!err)
        err = get(room, &s);
    if (err) {
        room_fail(room, "encoding the document", err);
        return false;
    }
    member->behind = s->version != room->version;
    *state = &s->whole;
    return true;
}

void snapshot_catch_up(struct room_member *member)
{
    struct room *room = member->room;
    struct snapshot *s;
    if (!member->behind)
        return;
    member->behind = false;
    int err = get(room, &s);
    if (err) {
        room_fail(room, "encoding what is new", err);
        return;
    }
    struct payload *later =
        s->version == room->version ? &s->whole : &s->later;
    struct message m = fanout_message(room, "update", MESSAGE_DATA,
                                      MESSAGE_DOCUMENT, later->data,
                                      later->len);
    m.shared = later;
    member->ops->push(member, &m);
    message_deinit(&m);
}

/* ----------------------------------------------------------------- pieces */

static int add_piece(void *arg, struct yjs_span piece)
{
    struct snapshot *s = arg;
    struct yjs_message y = {YJS_MESSAGE_SYNC, YJS_SYNC_UPDATE, piece.data,
                            piece.len};
    struct yjs_bytes bytes = {0};
    int err = yjs_message_encode(&y, NULL, &bytes);
    if (err)
        return err;
    struct blob *blob = blob_try_alloc(bytes.len);
    if (blob) {
        memcpy(blob->data, bytes.data, bytes.len);
        s->pieces = mem_realloc(s->pieces,
                                (s->piece_count + 1) * sizeof *s->pieces);
        s->pieces[s->piece_count++] =
            (struct payload){
                .data = blob->data, .len = blob->len, .bytes = blob};
    }
    yjs_bytes_free(&bytes);
    return blob ? YJS_OK : YJS_ERR_NOMEM;
}

static int cut(struct snapshot *s)
{
    struct yjs_span update = {s->update.data, s->update.len};
    struct yjs_update_options options = {
        .limits = {.update_bytes = SIZE_MAX, .structs = SIZE_MAX}};
    if (s->pieces)
        return YJS_OK;
    return yjs_update_split(update, PIECE, &options, add_piece, s, NULL);
}

int snapshot_pieces(struct room *room, struct yjs_bytes *own,
                    struct snapshot **out)
{
    struct snapshot *s;
    int err = get(room, &s);
    if (!err && own->data && own->len < s->update.len / 2) {
        s = mem_zalloc(sizeof *s);
        s->version = room->version;
        s->update = *own;
        *own = (struct yjs_bytes){0};
        err = yjs_encode_state_vector(room->doc, &s->vector);
    }
    yjs_bytes_free(own);
    if (err)
        return err;
    s->refs++;
    if (!s->vector.data) /* not large enough to be kept */
        err = yjs_encode_state_vector(room->doc, &s->vector);
    if (!err)
        err = cut(s);
    if (err) {
        snapshot_unref(s);
        return err;
    }
    *out = s;
    return YJS_OK;
}
