/* SPDX-License-Identifier: MIT */
/* What a client says on a joined topic, and what the room says back.
 *
 *   update          {"data":[ints]}, or the bytes themselves: a v1 update
 *   awareness       any JSON: relayed
 *   yjs, yjs_sync   bytes of one y-protocols message; a V1 client, which has
 *                   no binary frames, sends them as integers like an update
 *   anything else   error reply "unknown event". In Phoenix the channel would
 *                   crash and the client rejoin for ever; a reply costs a
 *                   client that knows more events than we do nothing.
 *
 * Success is not answered, as the service this replaces does not.
 *
 * Must never touch the room after a call that may have ended it. */
#include "channel/channel.h"

#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/mem.h"
#include "channel/ints.h"
#include "channel/json.h"

enum { CLOSE_SHEDDING = 1013 };

#define CHANNEL_OF(m) LIST_ENTRY(m, struct channel, member)

static const struct room_member_ops member_ops;

/* ------------------------------------------------------------------- life */

struct channel *channel_new(struct session *s, const struct frame *join)
{
    bool has_join_ref = join->join_ref.kind != TOKEN_NULL;
    const struct token *ref = has_join_ref ? &join->join_ref : &join->ref;
    struct channel *ch = mem_zalloc(sizeof *ch + ref->len);
    ch->member.ops = &member_ops;
    ch->member.who = &s->who;
    ch->session = s;
    ch->has_join_ref = has_join_ref;
    ch->ref_kind = (uint8_t)ref->kind;
    ch->ref_len = (uint8_t)ref->len; /* at most FRAME_FIELD_MAX */
    if (ref->len)
        memcpy(ch->ref, ref->text, ref->len);
    list_push_front(&s->channels, &ch->node);
    s->count++;
    return ch;
}

void channel_unlink(struct channel *ch)
{
    list_remove(&ch->node);
    ch->session->count--;
}

void channel_free(struct channel *ch)
{
    if (!ch)
        return;
    list_remove(&ch->node);
    free(ch);
}

struct token channel_ref(const struct channel *ch)
{
    return (struct token){ch->ref, ch->ref_len, (enum token_kind)ch->ref_kind};
}

struct token channel_end_ref(const struct channel *ch)
{
    if (ch->has_join_ref)
        return channel_ref(ch);
    return (struct token){.kind = TOKEN_NULL};
}

/* --------------------------------------------------------------- outgoing */

static void on_deliver(struct room_member *member, struct message *message)
{
    struct session *s = CHANNEL_OF(member)->session;
    struct blob **wire = &message->wire[s->form];
    if (!*wire)
        *wire = frame_broadcast((enum wire_form)s->form, message);
    session_send(s, blob_ref(*wire), message->klass);
}

static void on_push(struct room_member *member, struct message *message)
{
    struct channel *ch = CHANNEL_OF(member);
    struct token ref = channel_ref(ch);
    struct session *s = ch->session;
    struct blob *blob = frame_push((enum wire_form)s->form, &ref, message);
    if (blob)
        session_send(s, blob, message->klass);
    else /* never a gap: it comes back and starts again */
        s->ops->close(s->carrier, CLOSE_SHEDDING);
}

/* The room is no more, or the member fell behind: tell the client, which then
 * rejoins. */
static void on_ended(struct room_member *member, const struct room *room,
                     enum room_end why)
{
    (void)why; /* the client does the same in both cases */
    struct channel *ch = CHANNEL_OF(member);
    struct session *s = ch->session;
    struct token ref = channel_end_ref(ch);
    struct token topic = {.kind = TOKEN_STRING};
    topic.text = room_topic(room, &topic.len);
    session_send(s, frame_error((enum wire_form)s->form, &ref, &topic),
                 MESSAGE_CONTROL);
    channel_unlink(ch);
    if (s->busy)
        list_push(&s->dead, &ch->node);
    else
        channel_free(ch);
}

static const struct room_member_ops member_ops = {
    .deliver = on_deliver,
    .push = on_push,
    .ended = on_ended,
};

/* --------------------------------------------------------------- incoming */

/* The bytes of a payload: as they are, or as [ints] or {"data":[ints]}. */
struct bytes {
    const uint8_t *data;
    size_t len;
    uint8_t *heap;
    uint8_t small[1024];
};

static bool is_data_object(const struct frame *f)
{
    static const char head[] = "{\"data\":[";
    size_t n = sizeof head - 1;
    return f->payload_len > n + 2 && memcmp(f->payload, head, n) == 0 &&
           memcmp(f->payload + f->payload_len - 2, "]}", 2) == 0;
}

static bool decode_ints(struct bytes *b, const uint8_t *json, size_t len)
{
    uint8_t *out = b->heap ? b->heap : b->small;
    b->data = out;
    return ints_decode(json, len, out, &b->len);
}

static bool bytes_open(struct bytes *b, const struct frame *f)
{
    struct json_slice slice = {f->payload, f->payload_len};
    b->heap = NULL;
    if (f->binary) {
        b->data = f->payload;
        b->len = f->payload_len;
        return true;
    }
    if (INTS_ROOM(f->payload_len) > sizeof b->small)
        b->heap = mem_alloc(INTS_ROOM(f->payload_len));
    /* What every phoenix.js sends. If all between the brackets is integers,
     * there is no second member; if not, look properly. */
    enum { BEFORE = sizeof "{\"data\":" - 1, AFTER = 1 };
    if (is_data_object(f) &&
        decode_ints(b, f->payload + BEFORE, f->payload_len - BEFORE - AFTER))
        return true;
    if (f->payload[0] == '{' && !json_member(slice, "data", &slice))
        return false;
    return decode_ints(b, slice.data, slice.len);
}

static void bytes_close(struct bytes *b)
{
    free(b->heap);
}

static room_refusal receive_bytes(struct channel *ch, const struct frame *f,
                                  bool update, uint64_t now_ms)
{
    struct bytes b;
    room_refusal refusal = "bytes expected";
    if (!bytes_open(&b, f)) {
        if (update)
            refusal =
                room_update_unreadable(&ch->member, f->payload_len, now_ms);
    } else {
        refusal = update ? room_update(&ch->member, b.data, b.len, now_ms)
                         : room_y_message(&ch->member, b.data, b.len, now_ms);
    }
    bytes_close(&b);
    if (ch->member.room && room_hungry(&ch->member))
        ch->session->hungry = true;
    return refusal;
}

void channel_receive(struct channel *ch, const struct frame *f, uint64_t now_ms)
{
    struct session *s = ch->session;
    room_refusal refusal = "unknown event";
    if (token_is(&f->event, "update"))
        refusal = receive_bytes(ch, f, true, now_ms);
    else if (token_is(&f->event, "yjs") || token_is(&f->event, "yjs_sync"))
        refusal = receive_bytes(ch, f, false, now_ms);
    else if (token_is(&f->event, "awareness"))
        refusal = f->binary ? "JSON expected"
                            : room_relay_awareness(&ch->member, f->payload,
                                                   f->payload_len, now_ms);
    if (!refusal || !ch->member.room) /* ended: it has its phx_error */
        return;
    struct frame_reply to = {channel_ref(ch), f->ref, f->topic};
    session_send(s, frame_reply_error((enum wire_form)s->form, &to, refusal),
                 MESSAGE_CONTROL);
}
