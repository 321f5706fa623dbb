/* SPDX-License-Identifier: MIT */
/* Fuzz target: bytes become what five clients, one of each wire form, do in a
 * few rooms. Nothing may crash or leak; whatever is sent must be a frame its
 * client can read; when all have left and time has passed, nothing is left.
 *
 *   script   steps of: client and operation, then the operation's bytes
 *            (see `step`); pieces are a 16-bit length and as many bytes */
#include "fuzz.h"

#include "base/blob.h"
#include "base/counters.h"
#include "base/log.h"
#include "channel/json.h"
#include "channel/session.h"
#include "room/registry.h"

enum { CLIENTS = 5, STEPS_MAX = 400 };

static struct counters counters;
static struct session_env env;
static uint64_t now;

struct client {
    struct session *session;
    enum wire_form form;
};

static struct client clients[CLIENTS];

static size_t frame_head(const struct blob *b)
{
    FUZZ_ASSERT(b->len >= 2 && b->data[1] < 128);
    size_t head = b->data[1] < 126 ? 2 : b->data[1] == 126 ? 4 : 10;
    FUZZ_ASSERT(b->len >= head);
    FUZZ_ASSERT(head > 2 || b->data[1] == b->len - 2);
    return head;
}

static void on_send(void *carrier, struct blob *b, enum message_class klass)
{
    const struct client *c = carrier;
    struct json_cursor cursor;
    (void)klass;
    FUZZ_ASSERT(c->session != NULL);
    size_t head = 0;
    if (c->form == WIRE_WS_V2 || c->form == WIRE_WS_V1) {
        head = frame_head(b);
        if (b->data[0] == 0x82) {
            FUZZ_ASSERT(c->form == WIRE_WS_V2);
            FUZZ_ASSERT(b->data[head] == 0 || b->data[head] == 2);
            return;
        }
        FUZZ_ASSERT(b->data[0] == 0x81);
    }
    cursor = json_cursor(b->data + head, b->len - head, JSON_DEPTH_MAX);
    FUZZ_ASSERT(json_skip_value(&cursor) && cursor.at == cursor.end);
}

static void on_close(void *carrier, int code)
{
    (void)carrier;
    FUZZ_ASSERT(code != 1000);
}

static const struct session_ops ops = {on_send, on_close};

static void reopen(struct client *c)
{
    struct session *old = c->session;
    struct session_params params = {
        .form = c->form,
        .connection = (uint64_t)(c - clients) + 1,
        .user_id = c == clients ? NULL : "u",
        .user_id_len = c == clients ? 0 : 1,
    };
    c->session = NULL;
    session_close(old, now);
    c->session = session_open(&env, &params, &ops, c, now);
}

static void text(struct client *c, const char *event, const char *topic,
                 const uint8_t *payload, size_t len)
{
    bool v1 = c->form == WIRE_WS_V1 || c->form == WIRE_LP_V1;
    char *message = NULL;
    int n = v1 ? asprintf(&message,
                          "{\"topic\":\"%s\",\"event\":\"%s\",\"ref\":\"1\","
                          "\"join_ref\":\"1\",\"payload\":%.*s}",
                          topic, event, (int)len, (const char *)payload)
               : asprintf(&message, "[\"1\",\"1\",\"%s\",\"%s\",%.*s]", topic,
                          event, (int)len, (const char *)payload);
    if (n < 0)
        abort();
    (void)session_receive_text(c->session, (uint8_t *)message, (size_t)n, now);
    free(message);
}

static void binary(struct client *c, const char *event, const char *topic,
                   const uint8_t *payload, size_t len)
{
    size_t t = strlen(topic), e = strlen(event);
    uint8_t *frame = malloc(7 + t + e + len);
    if (frame == NULL)
        abort();
    const uint8_t head[] = {0, 1, 1, (uint8_t)t, (uint8_t)e, '1', '1'};
    memcpy(frame, head, 7);
    memcpy(frame + 7, topic, t);
    memcpy(frame + 7 + t, event, e);
    if (len)
        memcpy(frame + 7 + t + e, payload, len);
    (void)session_receive_binary(c->session, frame, 7 + t + e + len, now);
    free(frame);
}

/* A y-message around a piece; kind 3 is awareness, below it a sync type. */
static void y_message(struct client *c, const char *topic, uint8_t kind,
                      const uint8_t *body, size_t len)
{
    uint8_t *m = malloc(5 + len);
    size_t at = 0;
    if (m == NULL)
        abort();
    m[at++] = kind == 3 ? 1 : 0;
    if (kind != 3)
        m[at++] = kind;
    for (size_t n = len;; n >>= 7) {
        m[at++] = (uint8_t)((n & 127) | (n > 127 ? 128 : 0));
        if (n <= 127)
            break;
    }
    memcpy(m + at, body, len);
    binary(c, "yjs", topic, m, at + len);
    free(m);
}

static void step(struct fuzz_input *in)
{
    static const char *const topics[] = {"room:a", "room:b", "y_doc_room:a"};
    static const char *const events[] = {"update", "awareness", "yjs",
                                         "nonsense"};
    uint8_t what = fuzz_byte(in), where = fuzz_byte(in);
    struct client *c = &clients[what % CLIENTS];
    const char *topic = topics[where % 3];
    size_t len = 0;
    uint8_t *piece = NULL;
    switch (what / CLIENTS % 9) {
    case 0:
        text(c, "phx_join", topic, (const uint8_t *)"{}", 2);
        return;
    case 1:
        text(c, "phx_leave", topic, (const uint8_t *)"{}", 2);
        return;
    case 2:
        now += (uint64_t)where * where / 16;
        registry_tick(env.rooms, now);
        return;
    case 3:
        reopen(c);
        return;
    default:
        break;
    }
    piece = fuzz_piece(in, &len);
    switch (what / CLIENTS % 9) {
    case 4:
        (void)session_receive_text(c->session, piece, len, now);
        break;
    case 5:
        (void)session_receive_binary(c->session, piece, len, now);
        break;
    case 6:
        text(c, events[where / 3 % 4], topic, piece, len);
        break;
    case 7:
        binary(c, events[where / 3 % 4], topic, piece, len);
        break;
    default:
        y_message(c, topic, where / 3 % 4, piece, len);
        break;
    }
    free(piece);
}

static void world_open(void)
{
    struct registry_options options = {.counters = &counters, .now_ms = 1000};
    log_set_fd(-1);
    now = options.now_ms;
    memset(&counters, 0, sizeof counters);
    room_limits_default(&options.limits);
    options.limits.members = 4;
    options.limits.document_bytes = 1 << 16;
    options.limits.update_bytes = 1 << 14;
    options.limits.pending_bytes = 1 << 12;
    options.limits.awareness_bytes = 1 << 10;
    options.limits.awareness_clients = 8;
    options.limits.awareness_tombstones = 4;
    options.limits.empty_ms = 2000;
    options.limits.awareness_timeout_ms = 1000;
    options.limits.awareness_grace_ms = 100;
    env = (struct session_env){
        .rooms = registry_new(&options),
        .counters = &counters,
        .limits = {.channels = 2, .topic_bytes = 100, .json_depth = 16},
    };
    for (int i = 0; i < CLIENTS; i++) {
        clients[i].form = (enum wire_form)i;
        reopen(&clients[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    world_open();
    for (int i = 0; in.left > 0 && i < STEPS_MAX; i++)
        step(&in);
    for (int i = 0; i < CLIENTS; i++) {
        struct session *s = clients[i].session;
        clients[i].session = NULL;
        session_close(s, now);
    }
    FUZZ_ASSERT(counters.value[COUNTER_MEMBERS] == 0);
    registry_tick(env.rooms, now += 1500);
    registry_tick(env.rooms, now += 2500);
    FUZZ_ASSERT(registry_rooms(env.rooms) == 0);
    FUZZ_ASSERT(counters.value[COUNTER_ROOMS] == 0);
    FUZZ_ASSERT(counters.value[COUNTER_DOCUMENT_BYTES] == 0);
    registry_free(env.rooms);
    return 0;
}
