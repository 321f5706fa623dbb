/* SPDX-License-Identifier: MIT */
/* One message to many members. Must never encode: the channel layer does it,
 * once per wire form, into the message. Members neither come nor go while a
 * fan-out runs (room.h), so the list is walked as it is. */
#include <string.h>

#include "room/internal.h"

struct message fanout_message(const struct room *room, const char *event,
                              enum message_kind kind, enum message_class klass,
                              const void *payload, size_t len)
{
    return (struct message){
        .topic = room->topic,
        .topic_len = room->topic_len,
        .event = event,
        .event_len = strlen(event),
        .payload = payload,
        .payload_len = len,
        .kind = kind,
        .klass = klass,
    };
}

void fanout(struct room *room, const struct room_member *except,
            enum fanout_to to, struct message *message)
{
    struct list *node, *next;
    LIST_FOREACH(node, next, &room->members)
    {
        struct room_member *m = LIST_ENTRY(node, struct room_member, node);
        if (m == except || (to != FANOUT_ALL && m->yjs != (to == FANOUT_YJS)))
            continue;
        if (m->fed && message->klass == MESSAGE_DOCUMENT)
            continue; /* see room_sync.c */
        m->ops->deliver(m, message);
    }
    message_deinit(message);
}

bool fanout_y_frame(struct room *room, enum yjs_message_type type,
                    enum yjs_sync_type sync, const uint8_t *body, size_t len,
                    struct yjs_bytes *out)
{
    struct yjs_message y = {type, sync, body, len};
    int err = yjs_message_encode(&y, &room->registry->alloc, out);
    if (err)
        room_fail(room, "framing a message", err);
    return err == YJS_OK;
}

void fanout_y_push(struct room_member *member, enum yjs_message_type type,
                   enum yjs_sync_type sync, const uint8_t *body, size_t len)
{
    struct yjs_bytes bytes;
    struct room *room = member->room;
    if (!fanout_y_frame(room, type, sync, body, len, &bytes))
        return;
    struct message m = fanout_message(
        room, "yjs", MESSAGE_BYTES,
        type == YJS_MESSAGE_SYNC ? MESSAGE_DOCUMENT : MESSAGE_CONTROL,
        bytes.data, bytes.len);
    member->ops->push(member, &m);
    message_deinit(&m);
    yjs_bytes_free(&bytes);
}
