/* SPDX-License-Identifier: MIT */
/* Fuzz target: messages of the socket protocol. The first byte chooses the
 * reader; what it reads must lie where it says, must come out of every encoder
 * as valid JSON, and must read back as the same. */
#include "fuzz.h"

#include "base/blob.h"
#include "channel/frame.h"
#include "channel/ints.h"
#include "channel/json.h"

static void check_token(const struct token *t, const struct frame *f,
                        const uint8_t *data, size_t size)
{
    const char *in = (const char *)data;
    bool inside = t->text >= in && t->text + t->len <= in + size;
    bool scratch =
        t->text >= f->scratch && t->text + t->len <= f->scratch + FRAME_SCRATCH;
    if (t->kind == TOKEN_NULL)
        return;
    FUZZ_ASSERT(inside || scratch);
    FUZZ_ASSERT(json_utf8_valid(t->text, t->len));
}

static bool valid_json(const uint8_t *data, size_t len)
{
    struct json_cursor c = json_cursor(data, len, JSON_DEPTH_MAX);
    return json_skip_value(&c) && c.at == c.end;
}

/* Without the header of the WebSocket frame. */
static const uint8_t *text_of(const struct blob *b, size_t *len)
{
    size_t skip = b->data[1] < 126 ? 2 : b->data[1] == 126 ? 4 : 10;
    FUZZ_ASSERT(b->data[0] == 0x81 && b->len >= skip);
    *len = b->len - skip;
    return b->data + skip;
}

static void check_round_trip(const struct frame *f)
{
    struct frame_reply to = {f->join_ref, f->ref, f->topic};
    struct frame back;
    size_t len;
    struct blob *b = frame_reply_ok(WIRE_WS_V2, &to);
    const uint8_t *text = text_of(b, &len);
    FUZZ_ASSERT(frame_decode_v2(text, len, 2 * JSON_DEPTH_MAX, &back) ==
                FRAME_OK);
    FUZZ_ASSERT(token_equal(&back.join_ref, &f->join_ref));
    FUZZ_ASSERT(token_equal(&back.ref, &f->ref));
    if (f->topic.len < FRAME_SCRATCH / 2)
        FUZZ_ASSERT(token_equal(&back.topic, &f->topic));
    FUZZ_ASSERT(token_is(&back.event, "phx_reply"));
    blob_unref(b);
    b = frame_reply_error(WIRE_WS_V1, &to, "reason");
    text = text_of(b, &len);
    FUZZ_ASSERT(valid_json(text, len));
    blob_unref(b);
    b = frame_close(WIRE_LP_V2, &f->join_ref, &f->topic);
    FUZZ_ASSERT(valid_json(b->data, b->len));
    blob_unref(b);
}

static void check_broadcast(const struct frame *f)
{
    struct message m = {
        .topic = "t",
        .topic_len = 1,
        .event = "e",
        .event_len = 1,
        .payload = f->payload,
        .payload_len = f->payload_len,
        .kind = f->binary ? MESSAGE_BYTES : MESSAGE_JSON,
    };
    for (int form = 0; form < WIRE_FORMS; form++) {
        struct blob *b = frame_broadcast((enum wire_form)form, &m);
        size_t len = b->len;
        const uint8_t *text = b->data;
        if (form == WIRE_WS_V1 || (form == WIRE_WS_V2 && !f->binary))
            text = text_of(b, &len);
        if (form != WIRE_WS_V2 || !f->binary)
            FUZZ_ASSERT(valid_json(text, len));
        blob_unref(b);
    }
}

static void check_ints(const uint8_t *data, size_t size)
{
    size_t n, room = INTS_ROOM(size);
    uint8_t *bytes = malloc(room), *again;
    if (bytes == NULL)
        abort();
    if (ints_decode(data, size, bytes, &n)) {
        FUZZ_ASSERT(n <= room);
        FUZZ_ASSERT(valid_json(data, size));
        again = malloc(ints_length(bytes, n) + 1);
        if (again == NULL)
            abort();
        ints_write(again, bytes, n);
        FUZZ_ASSERT(ints_length(bytes, n) + 2 <= size);
        free(again);
    }
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct frame f;
    enum frame_error error = FRAME_UNREADABLE;
    if (size == 0)
        return 0;
    uint8_t what = data[0] % 4;
    data++;
    size--;
    if (what == 0)
        error = frame_decode_v2(data, size, 64, &f);
    else if (what == 1)
        error = frame_decode_v1(data, size, 64, &f);
    else if (what == 2)
        error = frame_decode_binary(data, size, &f);
    else
        check_ints(data, size);
    if (error)
        return 0;
    check_token(&f.join_ref, &f, data, size);
    check_token(&f.ref, &f, data, size);
    check_token(&f.topic, &f, data, size);
    check_token(&f.event, &f, data, size);
    FUZZ_ASSERT(f.payload >= data && f.payload + f.payload_len <= data + size);
    FUZZ_ASSERT(f.binary || valid_json(f.payload, f.payload_len));
    if (!f.binary) {
        struct json_slice payload = {f.payload, f.payload_len}, member;
        if (json_member(payload, "data", &member))
            FUZZ_ASSERT(valid_json(member.data, member.len));
    }
    check_round_trip(&f);
    check_broadcast(&f);
    return 0;
}
