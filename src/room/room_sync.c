/* SPDX-License-Identifier: MIT */
/* What a member that speaks y-protocols is given of the document.
 *
 *   small          step2 | step1 | awareness
 *   large          update | update | ... | step2 | step1 | awareness
 *
 * Only step2 makes a provider say that it is synced: so it comes when all is
 * there, with what others wrote meanwhile. The updates before it are pieces of
 * a snapshot which those who join share; a piece is given when the member has
 * taken most of those before (room_feed), so that heartbeats and polls come
 * between, and a queue never holds a document. While a member is fed it gets
 * no updates of others: step2 has them.
 *
 * A member that does not keep up with a busy room syncs again in place
 * (room_lag): what is queued for it is dropped, it is not sent any more, and
 * when it has read what is under way its channel ends with phx_error. The
 * client joins again on the same socket and says in its step1 what it has.
 * (y-phoenix-channel 0.1.1 does not know `yjs_resync`, which would be less.)
 *
 * Must never leave a member without updates that has neither a feed nor is
 * about to be ended. */
#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/log.h"
#include "base/mem.h"
#include "room/internal.h"

/* What the engine encodes for a document that nobody has written to. */
static const uint8_t empty_update[] = {0, 0}, empty_vector[] = {0};

void sync_forget(struct room_member *member)
{
    snapshot_unref(member->feed);
    member->feed = NULL;
    member->fed = member->lagging = false;
}

bool room_hungry(const struct room_member *member)
{
    return member->feed || member->lagging;
}

void sync_ask(struct room_member *member)
{
    struct room *room = member->room;
    struct yjs_bytes vector = {0};
    if (!document_exists(room)) {
        fanout_y_push(member, YJS_MESSAGE_SYNC, YJS_SYNC_STEP1, empty_vector,
                      sizeof empty_vector);
        return;
    }
    int err = document_open(room);
    if (!err)
        err = yjs_encode_state_vector(room->doc, &vector);
    if (err)
        room_fail(room, "encoding the state vector", err);
    else
        fanout_y_push(member, YJS_MESSAGE_SYNC, YJS_SYNC_STEP1, vector.data,
                      vector.len);
    yjs_bytes_free(&vector);
}

/* step2, then what follows it always. */
static void give_step2(struct room_member *member, const uint8_t *update,
                       size_t len)
{
    fanout_y_push(member, YJS_MESSAGE_SYNC, YJS_SYNC_STEP2, update, len);
    if (member->room)
        sync_ask(member);
    if (member->room)
        awareness_push_all(member);
}

/* All pieces are given: the rest, and updates as they come from now on. */
static void finish(struct room_member *member)
{
    struct room *room = member->room;
    struct yjs_bytes update = {0};
    int err = yjs_encode_state_as_update(room->doc, member->feed->vector.data,
                                         member->feed->vector.len, &update);
    sync_forget(member);
    if (err)
        room_fail(room, "encoding what is new", err);
    else
        give_step2(member, update.data, update.len);
    yjs_bytes_free(&update);
}

static void give_piece(struct room_member *member)
{
    struct snapshot *feed = member->feed;
    struct payload *piece = &feed->pieces[member->feed_at++];
    feed->refs++; /* the member may be found lagging meanwhile */
    struct message m = fanout_message(member->room, "yjs", MESSAGE_BYTES,
                                      MESSAGE_DOCUMENT, piece->data,
                                      piece->len);
    m.shared = piece;
    member->ops->push(member, &m);
    message_deinit(&m);
    snapshot_unref(feed);
}

static void end_lagging(struct room_member *member)
{
    struct room *room = member->room;
    log_info("member lags", LOG_STR("room", room->topic, room->topic_len),
             LOG_INT("connection", member->who->connection));
    room_leave(member, room->registry->now_ms);
    member->ops->ended(member, room, ROOM_END_LAGGED);
}

void room_feed(struct room_member *member)
{
    if (!member->room)
        return;
    if (member->lagging)
        end_lagging(member);
    else if (member->feed && member->feed_at < member->feed->piece_count)
        give_piece(member);
    else if (member->feed)
        finish(member);
}

bool room_lag(struct room_member *member)
{
    if (!member->room || !member->yjs)
        return false;
    sync_forget(member);
    member->fed = member->lagging = true;
    counter_inc(member->room->registry->counters, COUNTER_RESYNCS);
    return true;
}

static room_refusal begin(struct room_member *member, struct snapshot *feed)
{
    sync_forget(member);
    member->feed = feed;
    member->feed_at = 0;
    member->fed = true;
    room_feed(member);
    return NULL;
}

static room_refusal fail(struct room *room, int err)
{
    room_fail(room, "encoding an answer", err);
    return "room failed";
}

static bool is_empty(const uint8_t *vector, size_t len)
{
    return len == 1 && vector[0] == 0;
}

/* A large answer: the shared snapshot, if most of it is news, else its own. */
static room_refusal answer_large(struct room_member *member,
                                 struct yjs_bytes *own)
{
    struct room *room = member->room;
    struct snapshot *feed = NULL;
    int err = snapshot_pieces(room, own, &feed);
    return err ? fail(room, err) : begin(member, feed);
}

room_refusal sync_answer(struct room_member *member, const uint8_t *vector,
                         size_t len)
{
    struct room *room = member->room;
    struct yjs_bytes update = {0};
    sync_forget(member);
    if (!document_exists(room)) {
        give_step2(member, empty_update, sizeof empty_update);
        return NULL;
    }
    int err = document_open(room);
    if (!err && is_empty(vector, len) &&
        yjs_doc_heap(room->doc) >= SNAPSHOT_LARGE)
        return answer_large(member, &update);
    if (!err)
        err = yjs_encode_state_as_update(room->doc, vector, len, &update);
    if (err == YJS_ERR_NOMEM)
        return fail(room, err);
    if (err)
        return "malformed message";
    if (update.len >= SNAPSHOT_LARGE)
        return answer_large(member, &update);
    give_step2(member, update.data, update.len);
    yjs_bytes_free(&update);
    return NULL;
}
