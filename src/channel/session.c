/* SPDX-License-Identifier: MIT */
/* One client's conversation: see session.h. The order of what goes out is the
 * contract of unmodified clients:
 *
 *   join      reply | phx_close of an old channel on that topic | presence
 *   leave     reply ok | phx_close
 *   unjoined  phx_leave: reply ok; anything else: error "unmatched topic"
 *   stale     a join_ref that is not the channel's: nothing at all
 *   phoenix   heartbeat: reply ok, ahead of what is queued
 *
 * A channel that joined without a join_ref accepts any, and a message without
 * one fits any channel (version 1 sends none).
 *
 * Must never free a channel that a function further up the stack still holds,
 * nor call the carrier after session_close. */
#include "channel/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/buf.h"
#include "base/counters.h"
#include "base/log.h"
#include "base/mem.h"
#include "channel/channel.h"
#include "channel/json.h"
#include "room/registry.h"

enum { CLOSE_UNREADABLE = 1011, USER_MAX = 255, TOKEN_MAX = 16384 };

/* ------------------------------------------------------------------- life */

/* A presence key is shown to everybody: it has to be text. */
static bool usable_user(const char *user, size_t len)
{
    if (!user || !len || len > USER_MAX || !json_utf8_valid(user, len))
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)user[i] < 0x20 || user[i] == 0x7f)
            return false;
    return true;
}

struct session *session_open(struct session_env *env,
                             const struct session_params *params,
                             const struct session_ops *ops, void *carrier,
                             uint64_t now_ms)
{
    char anonymous[32] = "anon-";
    const char *user = params->user_id;
    size_t user_len = params->user_id_len;
    size_t token_len = params->auth_token ? params->auth_token_len : 0;
    (void)now_ms;
    if (!usable_user(user, user_len)) {
        struct buf b;
        buf_init(&b, sizeof anonymous);
        buf_puts(&b, anonymous);
        buf_put_u64(&b, registry_next_anonymous(env->rooms));
        memcpy(anonymous, b.data, b.len);
        user = anonymous;
        user_len = b.len;
        buf_deinit(&b);
    }
    if (token_len > TOKEN_MAX)
        token_len = 0;
    struct session *s = mem_zalloc(sizeof *s + user_len + token_len);
    s->env = env;
    s->ops = ops;
    s->carrier = carrier;
    s->form = (uint8_t)params->form;
    memcpy(s->text, user, user_len);
    if (token_len)
        memcpy(s->text + user_len, params->auth_token, token_len);
    s->auth_token_len = (uint16_t)token_len;
    s->who =
        (struct room_identity){s->text, (uint32_t)user_len, params->connection};
    list_init(&s->channels);
    list_init(&s->dead);
    return s;
}

static void free_dead(struct session *s)
{
    struct list *node;
    while ((node = list_pop(&s->dead)))
        channel_free(LIST_ENTRY(node, struct channel, node));
}

void session_close(struct session *s, uint64_t now_ms)
{
    struct list *node;
    if (!s)
        return;
    while ((node = s->channels.next) != &s->channels) {
        struct channel *ch = LIST_ENTRY(node, struct channel, node);
        channel_unlink(ch);
        room_leave(&ch->member, now_ms);
        channel_free(ch);
    }
    free_dead(s);
    free(s);
}

size_t session_channels(const struct session *s)
{
    return s->count;
}

/* --------------------------------------------------------------- outgoing */

void session_send(struct session *s, struct blob *blob,
                  enum message_class klass)
{
    counter_inc(s->env->counters, COUNTER_MESSAGES_OUT);
    s->ops->send(s->carrier, blob, klass);
    blob_unref(blob);
}

static enum wire_form form_of(const struct session *s)
{
    return (enum wire_form)s->form;
}

static void reply_ok(struct session *s, const struct frame_reply *to,
                     enum message_class klass)
{
    session_send(s, frame_reply_ok(form_of(s), to), klass);
}

static void reply_error(struct session *s, const struct frame_reply *to,
                        const char *reason)
{
    session_send(s, frame_reply_error(form_of(s), to, reason), MESSAGE_CONTROL);
}

static void send_close(struct session *s, const struct channel *ch,
                       const struct token *topic)
{
    struct token ref = channel_end_ref(ch);
    session_send(s, frame_close(form_of(s), &ref, topic), MESSAGE_CONTROL);
}

/* ---------------------------------------------------------------- joining */

static bool starts_with(const struct token *t, const char *prefix)
{
    size_t n = strlen(prefix);
    return t->len >= n && memcmp(t->text, prefix, n) == 0;
}

/* The application's own rooms answer with the document; elsewhere the client
 * asks for it by y-protocols. */
static room_refusal reply_joined(struct session *s, struct channel *ch,
                                 const struct frame_reply *to)
{
    struct payload *state;
    if (!starts_with(&to->topic, "room:")) {
        reply_ok(s, to, MESSAGE_CONTROL);
    } else if (room_state(&ch->member, &state)) {
        struct blob *reply = frame_reply_state(form_of(s), to, state);
        if (!reply)
            return "out of memory";
        session_send(s, reply, MESSAGE_CONTROL);
    }
    return NULL;
}

static void refuse_join(struct session *s, struct channel *ch,
                        const struct frame_reply *to, room_refusal refusal)
{
    reply_error(s, to, refusal);
    channel_unlink(ch);
    channel_free(ch);
}

static struct channel *try_join(struct session *s, const struct frame *f,
                                const struct frame_reply *to, uint64_t now_ms)
{
    if (s->count >= s->env->limits.channels) {
        counter_inc(s->env->counters, COUNTER_LIMIT_CHANNELS);
        reply_error(s, to, "too many channels joined");
        return NULL;
    }
    struct channel *ch = channel_new(s, f);
    room_refusal refusal = room_join(s->env->rooms, f->topic.text, f->topic.len,
                                     &ch->member, now_ms);
    if (refusal) {
        refuse_join(s, ch, to, refusal);
        return NULL;
    }
    refusal = reply_joined(s, ch, to);
    if (refusal) {
        room_leave(&ch->member, now_ms);
        refuse_join(s, ch, to, refusal);
        return NULL;
    }
    return ch->member.room ? ch : NULL;
}

static void reply_unmatched(struct session *s, const struct frame *f)
{
    struct frame_reply to = {{.kind = TOKEN_NULL}, f->ref, f->topic};
    reply_error(s, &to, "unmatched topic");
}

static void on_join(struct session *s, const struct frame *f,
                    struct channel *old, uint64_t now_ms)
{
    struct frame_reply to = {f->join_ref, f->ref, f->topic};
    size_t longest = s->env->limits.topic_bytes;
    if (longest > FRAME_FIELD_MAX)
        longest = FRAME_FIELD_MAX;
    if (f->topic.kind != TOKEN_STRING || !f->topic.len ||
        token_is(&f->topic, "phoenix")) {
        reply_unmatched(s, f);
        return;
    }
    if (f->topic.len > longest) {
        counter_inc(s->env->counters, COUNTER_LIMIT_TOPIC);
        reply_error(s, &to, "topic too long");
        return;
    }
    if (old) {
        channel_unlink(old);
        room_leave(&old->member, now_ms);
    }
    struct channel *ch = try_join(s, f, &to, now_ms);
    if (old)
        send_close(s, old, &f->topic);
    channel_free(old);
    if (ch)
        room_announce(&ch->member);
}

static void on_leave(struct session *s, const struct frame *f,
                     struct channel *ch, uint64_t now_ms)
{
    struct frame_reply to = {channel_ref(ch), f->ref, f->topic};
    reply_ok(s, &to, MESSAGE_CONTROL);
    send_close(s, ch, &f->topic);
    channel_unlink(ch);
    room_leave(&ch->member, now_ms);
    channel_free(ch);
}

/* --------------------------------------------------------------- incoming */

/* A client talks on few topics at a time: the last used is in front. */
static struct channel *find_channel(struct session *s,
                                    const struct token *topic)
{
    struct list *node, *next;
    if (topic->kind != TOKEN_STRING)
        return NULL;
    LIST_FOREACH(node, next, &s->channels)
    {
        struct channel *ch = LIST_ENTRY(node, struct channel, node);
        size_t len;
        const char *name = room_topic(ch->member.room, &len);
        if (len != topic->len || memcmp(name, topic->text, len) != 0)
            continue;
        list_remove(node);
        list_push_front(&s->channels, node);
        return ch;
    }
    return NULL;
}

static bool stale(const struct channel *ch, const struct frame *f)
{
    struct token ref = channel_ref(ch);
    return ch->has_join_ref && f->join_ref.kind != TOKEN_NULL &&
           !token_equal(&ref, &f->join_ref);
}

static void dispatch(struct session *s, const struct frame *f, uint64_t now_ms)
{
    struct frame_reply echo = {f->join_ref, f->ref, f->topic};
    counter_inc(s->env->counters, COUNTER_MESSAGES_IN);
    if (token_is(&f->topic, "phoenix") && token_is(&f->event, "heartbeat")) {
        echo.join_ref = (struct token){.kind = TOKEN_NULL};
        reply_ok(s, &echo, MESSAGE_URGENT);
        return;
    }
    /* For /doctor: does a message of this size get through, both ways? */
    if (token_is(&f->topic, "phoenix") && token_is(&f->event, "echo") &&
        !f->binary) {
        echo.join_ref = (struct token){.kind = TOKEN_NULL};
        session_send(s,
                     frame_reply_echo(form_of(s), &echo, f->payload,
                                      f->payload_len),
                     MESSAGE_CONTROL);
        return;
    }
    struct channel *ch = find_channel(s, &f->topic);
    if (token_is(&f->event, "phx_join"))
        on_join(s, f, ch, now_ms);
    else if (!ch && token_is(&f->event, "phx_leave"))
        reply_ok(s, &echo, MESSAGE_CONTROL);
    else if (!ch)
        reply_unmatched(s, f);
    else if (stale(ch, f))
        return;
    else if (token_is(&f->event, "phx_leave"))
        on_leave(s, f, ch, now_ms);
    else
        channel_receive(ch, f, now_ms);
}

static int receive(struct session *s, const struct frame *f,
                   enum frame_error error, size_t len, uint64_t now_ms)
{
    if (error) {
        counter_inc(s->env->counters, COUNTER_UNREADABLE);
        if (error == FRAME_TOO_DEEP)
            counter_inc(s->env->counters, COUNTER_LIMIT_DEPTH);
        log_debug("unreadable message",
                  LOG_INT("connection", s->who.connection),
                  LOG_INT("bytes", len));
        return CLOSE_UNREADABLE;
    }
    s->busy++;
    dispatch(s, f, now_ms);
    s->busy--;
    free_dead(s);
    return SESSION_OK;
}

static void note_use(struct session *s, size_t len, uint64_t now_ms)
{
    meter_use(&s->messages, &s->env->limits.messages, 1, now_ms);
    meter_use(&s->bytes, &s->env->limits.bytes, len, now_ms);
}

uint64_t session_pause_ms(const struct session *s, uint64_t now_ms)
{
    const struct session_limits *limits = &s->env->limits;
    uint64_t a = meter_debt_ms(&s->messages, &limits->messages, now_ms);
    uint64_t b = meter_debt_ms(&s->bytes, &limits->bytes, now_ms);
    return a > b ? a : b;
}

bool session_hungry(const struct session *s)
{
    return s->hungry;
}

void session_feed(struct session *s)
{
    struct list *node, *next;
    bool more = false;
    s->busy++;
    LIST_FOREACH(node, next, &s->channels)
    {
        struct channel *ch = LIST_ENTRY(node, struct channel, node);
        if (!room_hungry(&ch->member))
            continue;
        room_feed(&ch->member);
        more |= ch->member.room && room_hungry(&ch->member);
    }
    s->hungry = more;
    s->busy--;
    if (!s->busy)
        free_dead(s);
}

bool session_lag(struct session *s)
{
    struct list *node, *next;
    LIST_FOREACH(node, next, &s->channels)
    {
        if (!LIST_ENTRY(node, struct channel, node)->member.yjs)
            return false;
    }
    LIST_FOREACH(node, next, &s->channels)
    {
        s->hungry |= room_lag(&LIST_ENTRY(node, struct channel, node)->member);
    }
    return s->hungry;
}

static unsigned depth_limit(const struct session *s)
{
    size_t depth = s->env->limits.json_depth;
    return depth < JSON_DEPTH_MAX ? (unsigned)depth : JSON_DEPTH_MAX;
}

int session_receive_text(struct session *s, const uint8_t *data, size_t len,
                         uint64_t now_ms)
{
    struct frame f;
    bool v1 = s->form == WIRE_WS_V1 || s->form == WIRE_LP_V1;
    note_use(s, len, now_ms);
    enum frame_error error =
        v1 ? frame_decode_v1(data, len, depth_limit(s), &f)
           : frame_decode_v2(data, len, depth_limit(s), &f);
    return receive(s, &f, error, len, now_ms);
}

/* Version 1 knows no binary frames: it reads any frame as text. */
int session_receive_binary(struct session *s, const uint8_t *data, size_t len,
                           uint64_t now_ms)
{
    struct frame f;
    if (s->form == WIRE_WS_V1 || s->form == WIRE_LP_V1)
        return session_receive_text(s, data, len, now_ms);
    note_use(s, len, now_ms);
    enum frame_error error = frame_decode_binary(data, len, &f);
    return receive(s, &f, error, len, now_ms);
}

/* --------------------------------------------------------------- versions */

static bool alphanumeric(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || c == '-';
}

/* A number without leading zeros; *value is cut off at 1000, which is all the
 * same here. */
static bool take_number(const char **p, const char *end, unsigned *value)
{
    const char *from = *p;
    *value = 0;
    while (*p < end && **p >= '0' && **p <= '9') {
        unsigned next = *value * 10 + (unsigned)(*(*p)++ - '0');
        *value = next > 1000 ? 1000 : next;
    }
    return *p > from && (*from != '0' || *p - from == 1);
}

/* Dot-separated identifiers; numeric ones without leading zeros if asked. */
static bool take_identifiers(const char **p, const char *end, bool strict)
{
    for (;;) {
        const char *from = *p;
        bool numeric = true;
        for (; *p < end && alphanumeric(**p); (*p)++)
            numeric = numeric && **p >= '0' && **p <= '9';
        if (*p == from || (strict && numeric && *from == '0' && *p - from > 1))
            return false;
        if (*p == end || **p != '.')
            return true;
        (*p)++;
    }
}

int session_version(const char *vsn, size_t len)
{
    unsigned part[3];
    bool pre = false;
    if (!vsn)
        return 1;
    const char *p = vsn, *end = vsn + len;
    for (int i = 0; i < 3; i++) {
        if (i && (p == end || *p++ != '.'))
            return 0;
        if (!take_number(&p, end, &part[i]))
            return 0;
    }
    if (p < end && *p == '-') {
        p++;
        pre = true;
        if (!take_identifiers(&p, end, true))
            return 0;
    }
    if (p < end && *p == '+') {
        p++;
        if (!take_identifiers(&p, end, false))
            return 0;
    }
    if (p != end || part[1] != 0 || (pre && part[2] == 0))
        return 0;
    return part[0] == 1 || part[0] == 2 ? (int)part[0] : 0;
}
