/* SPDX-License-Identifier: MIT */
/*
 * Long-poll sessions: see longpoll.h. Must never lose a message that was not
 * written, reorder two, answer a poll with a status that wedges phoenix.js, or
 * call a session from within one of its own callbacks.
 *
 * A session has one queue, and at most two requests at a time:
 *
 *              send                 longpoll_body
 *   session ----------> queue --------------------> in_flight
 *                         ^    poll: parked or ready    | longpoll_finish
 *                         |                             |
 *                         +------- not written ---------+
 *                         |                             | written
 *                         |                             v
 *                         +------- lost ----------- unsettled ---> forgotten
 *
 *  - `poll` waits for messages. A newer one takes its place and the older is
 *    answered 204.
 *  - `writing` carries messages that may still come back. While it is under
 *    way no other poll is given any: if they came back, they would be late.
 *
 *  - `unsettled` is what the kernel took, but perhaps not the client. TCP tells
 *    them apart: closing over unread bytes sends a reset, an end does not. The
 *    client's next poll settles it; a client that breaks a poll off and polls
 *    again gets the messages again. (Rather twice than never: updates may be
 *    applied twice, and phoenix.js drops the second reply.)
 *
 * One timer: the window while there is a poll, the session's death otherwise.
 */
#include "transport/longpoll.h"

#include <stdlib.h>
#include <string.h>

#include <nettle/memops.h>

#include "base/blob.h"
#include "base/buf.h"
#include "base/counters.h"
#include "base/dict.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/wheel.h"
#include "channel/session.h"
#include "transport/base64.h"
#include "transport/env.h"
#include "transport/upgrade.h"

enum {
    PAUSE_MAX_MS = 10000,    /* phoenix.js gives a POST up after 20 s */
    LINES_PER_TURN = 128     /* of one POST: others want to be heard as well */
};

struct longpoll {
    struct transport_env *env;
    const struct longpoll_ops *ops;
    struct dict by_id;
    struct list live, ended;
};

struct lp_session {
    struct longpoll *lp;
    struct list node;
    struct session *session;
    struct lp_request *poll, *writing;
    struct outq queue, unsettled;
    struct lp_link *link; /* of what is unsettled */
    struct wheel_timer timer;
    uint64_t connection;
    struct address client;
    struct visitor *visitor; /* of that address, or NULL */
    bool ended;
    uint8_t id[TOKEN_ID_BYTES];
    char token[TOKEN_CHARS + 1]; /* signed once, told in every answer */
};

static void on_window(struct wheel_timer *timer, uint64_t now);
static void on_death(struct wheel_timer *timer, uint64_t now);

static void leave_park(struct lp_session *s, struct lp_request *r)
{
    if (r->state != LP_PARKED)
        return;
    counter_dec(s->lp->env->counters, COUNTER_POLLS_PARKED);
    r->state = LP_READY;
}

/* Let the session's poll be answered: with this status, or with what the
 * queue holds when it is 0. */
static void release_poll(struct lp_session *s, int status)
{
    struct lp_request *r = s->poll;
    bool parked = r->state == LP_PARKED;
    leave_park(s, r);
    if (status) {
        r->status = status;
        r->session = NULL;
        s->poll = NULL;
    }
    if (parked)
        s->lp->ops->wake(r);
}

static bool has_answer(const struct lp_session *s)
{
    return !s->writing &&
           (!outq_empty(&s->queue) || session_hungry(s->session));
}

/* session_ops */

/* Ended: polls get 410, and longpoll_turn does the rest. */
static void end_session(struct lp_session *s)
{
    if (s->ended)
        return;
    s->ended = true;
    list_remove(&s->node);
    list_push(&s->lp->ended, &s->node);
    wheel_cancel(s->lp->env->wheel, &s->timer);
    if (s->poll)
        release_poll(s, LP_OPEN_OR_GONE);
}

static void on_session_send(void *carrier, struct blob *blob,
                            enum message_class klass)
{
    struct lp_session *s = carrier;
    struct counters *c = s->lp->env->counters;
    uint64_t dropped = 0;
    if (s->ended)
        return;
    enum outq_result result = outq_push(&s->queue, blob, klass, &dropped);
    counter_add(c, COUNTER_DROPPED_AWARENESS, dropped);
    if (result == OUTQ_OVERFLOW && session_lag(s->session)) {
        counter_inc(c, COUNTER_LIMIT_QUEUE);
        outq_drop_bulk(&s->queue);
        if (klass != MESSAGE_DOCUMENT && klass != MESSAGE_AWARENESS)
            result = outq_push(&s->queue, blob, klass, &dropped);
        else
            result = OUTQ_DROPPED;
    }
    if (result == OUTQ_OVERFLOW) {
        counter_inc(c, COUNTER_LIMIT_QUEUE);
        log_info("longpoll queue full", LOG_INT("connection", s->connection));
        end_session(s);
        return;
    }
    if (s->poll && s->poll->state == LP_PARKED && has_answer(s))
        release_poll(s, 0);
}

static void on_session_close(void *carrier, int code)
{
    struct lp_session *s = carrier;
    if (!s->ended)
        log_info("longpoll closed", LOG_INT("connection", s->connection),
                 LOG_INT("code", code));
    end_session(s);
}

static const struct session_ops session_callbacks = {
    .send = on_session_send,
    .close = on_session_close,
};

/* time */

static void rearm(struct lp_session *s, uint64_t now)
{
    const struct transport_limits *limits = &s->lp->env->limits;
    if (s->ended)
        return;
    if (s->poll)
        wheel_set(s->lp->env->wheel, &s->timer, now + limits->window_ms,
                  on_window);
    else
        wheel_set(s->lp->env->wheel, &s->timer, now + limits->session_ms,
                  on_death);
}

static void on_window(struct wheel_timer *timer, uint64_t now)
{
    struct lp_session *s = LIST_ENTRY(timer, struct lp_session, timer);
    if (s->poll && s->poll->state == LP_PARKED)
        release_poll(s, LP_NOTHING);
    rearm(s, now);
}

static void on_death(struct wheel_timer *timer, uint64_t now)
{
    struct lp_session *s = LIST_ENTRY(timer, struct lp_session, timer);
    if (s->writing) { /* its response has a deadline of its own */
        rearm(s, now);
        return;
    }
    counter_inc(s->lp->env->counters, COUNTER_LP_EXPIRED);
    log_info("longpoll expired", LOG_INT("connection", s->connection));
    end_session(s);
}

/* opening and finding */

static struct lp_session *session_new(struct longpoll *lp,
                                      const struct connect_params *params,
                                      uint64_t now)
{
    struct transport_env *env = lp->env;
    struct lp_session *s = mem_zalloc(sizeof *s);
    char peer[ADDRESS_TEXT_MAX];
    address_text(&params->client, peer);
    s->lp = lp;
    s->connection = ++env->connections_made;
    s->client = params->client;
    env_random(s->id, sizeof s->id);
    token_sign(&env->token, s->id, s->token);
    outq_init(&s->queue, env->limits.queue_bytes);
    outq_init(&s->unsettled, SIZE_MAX);
    list_push(&lp->live, &s->node);
    dict_put(&lp->by_id, s->id, sizeof s->id, s);
    struct session_params session = {
        .form = params->form,
        .connection = s->connection,
        .user_id = params->has_user_id ? params->user_id.data : NULL,
        .user_id_len = params->user_id.len,
        .auth_token = params->has_auth_token ? params->auth_token.data : NULL,
        .auth_token_len = params->auth_token.len,
    };
    s->session =
        session_open(env->sessions, &session, &session_callbacks, s, now);
    counter_inc(env->counters, COUNTER_CONNECTIONS_LP);
    counter_inc(env->counters, COUNTER_OPENED_LP);
    log_info("longpoll opened", LOG_INT("connection", s->connection),
             LOG_Z("peer", peer),
             LOG_STR("forwarded", params->forwarded.p, params->forwarded.len));
    rearm(s, now);
    return s;
}

/* 1 with `out` filled, 0 without a token, -1 when it is too long to be one. */
static int request_token(const struct http_head *head, struct buf *out)
{
    struct http_span header = http_head_get(head, "x-phoenix-longpoll-token");
    int found = 1;
    if (header.p) {
        if (!buf_append(out, header.p, header.len))
            return -1;
    } else {
        found = http_query_get(head->query, "token", out);
    }
    struct http_span text = {out->data ? out->data : "", out->len};
    if (found == 1 && (text.len == 0 || http_span_is(text, "null") ||
                       http_span_is(text, "undefined")))
        return 0; /* a client's way of having none yet */
    return found;
}

/* The session that a token names, whoever made the token. */
static struct lp_session *named(struct longpoll *lp, const struct buf *token)
{
    uint8_t id[TOKEN_ID_BYTES];
    const char *text = token->data ? token->data : "";
    return token_id(text, token->len, id)
               ? dict_find(&lp->by_id, id, sizeof id)
               : NULL;
}

/* The session of a token; NULL when there is none (any more). A live session
 * knows its token, and comparing costs a fiftieth of signing; the signature is
 * looked at only where there is nothing to compare with. */
static struct lp_session *find(struct longpoll *lp, const struct buf *token)
{
    uint8_t id[TOKEN_ID_BYTES];
    const char *text = token->data ? token->data : "";
    struct lp_session *s = named(lp, token);
    if (s && memeql_sec(s->token, text, TOKEN_CHARS))
        return s->ended ? NULL : s;
    if (s || !token_verify(&lp->env->token, text, token->len, id))
        counter_inc(lp->env->counters, COUNTER_REFUSED_TOKEN);
    return NULL;
}

bool longpoll_would_park(struct longpoll *lp, const struct http_head *head,
                         const struct address *client)
{
    struct buf token;
    buf_init(&token, TOKEN_CHARS + 1);
    struct lp_session *s =
        request_token(head, &token) == 1 ? named(lp, &token) : NULL;
    bool known = s && !s->ended && !has_answer(s) &&
                 memeql_sec(s->token, token.data, TOKEN_CHARS);
    buf_deinit(&token);
    return known && connect_origin_ok(lp->env, head, client);
}

static bool full(struct longpoll *lp)
{
    if (lp->by_id.count < lp->env->limits.longpoll_sessions)
        return false;
    counter_inc(lp->env->counters, COUNTER_LIMIT_SESSIONS);
    return true;
}

/* phoenix.js takes 500 for a failed connect: it tries again, backing off. */
static bool may_open(struct longpoll *lp, struct visitor *visitor,
                     uint64_t now)
{
    struct transport_env *env = lp->env;
    if (env->draining || full(lp))
        return false;
    if (env->shedding) {
        counter_inc(env->counters, COUNTER_LIMIT_MEMORY);
        return false;
    }
    return visitor_may_open(visitor, now);
}

static void open_session(struct longpoll *lp, struct lp_request *r,
                         const struct http_head *head, uint64_t now)
{
    struct visitor *visitor = visitors_enter(lp->env->visitors, &r->client,
                                             now);
    struct connect_params params;
    connect_params_init(&params);
    params.client = r->client;
    if (connect_check_longpoll(lp->env, head, &params) != CONNECT_OK) {
        r->status = LP_FORBIDDEN;
    } else if (!may_open(lp, visitor, now)) {
        r->status = LP_ERROR;
    } else {
        struct lp_session *s = session_new(lp, &params, now);
        s->visitor = visitor;
        visitor = NULL;
        memcpy(r->id, s->id, sizeof r->id);
        r->tokened = true;
        r->status = LP_OPEN_OR_GONE;
    }
    connect_params_deinit(&params);
    visitors_leave(visitor, now);
}

/* polls */

void longpoll_settle(struct lp_link *link, bool lost)
{
    struct lp_session *s = link->session;
    if (!s)
        return;
    if (lost && !s->ended)
        outq_put_back_all(&s->queue, &s->unsettled);
    outq_clear(&s->unsettled);
    s->link = NULL;
    link->session = NULL;
}

static void settle_by_asking(struct lp_session *s)
{
    if (s->link)
        longpoll_settle(s->link, s->lp->ops->lost(s->link));
}

static bool attach(struct lp_session *s, struct lp_request *r, uint64_t now)
{
    if (s->poll)
        release_poll(s, LP_NOTHING);
    settle_by_asking(s);
    s->poll = r;
    r->session = s;
    memcpy(r->id, s->id, sizeof r->id);
    r->tokened = true;
    rearm(s, now);
    if (has_answer(s))
        return false;
    r->state = LP_PARKED;
    counter_inc(s->lp->env->counters, COUNTER_POLLS_PARKED);
    return true;
}

bool longpoll_poll(struct longpoll *lp, struct lp_request *r,
                   const struct http_head *head, uint64_t now)
{
    struct buf token;
    bool parked = false;
    buf_init(&token, TOKEN_CHARS + 1);
    outq_init(&r->in_flight, SIZE_MAX);
    r->state = LP_READY;
    int found = request_token(head, &token);
    struct lp_session *s = found == 1 ? find(lp, &token) : NULL;
    if (!connect_origin_ok(lp->env, head, &r->client))
        r->status = LP_FORBIDDEN;
    else if (found == 0)
        open_session(lp, r, head, now);
    else if (!s)
        r->status = LP_OPEN_OR_GONE;
    else
        parked = attach(s, r, now);
    buf_deinit(&token);
    return parked;
}

static void put_head(const struct longpoll *lp, const struct lp_request *r,
                     int status, struct buf *out)
{
    char token[TOKEN_CHARS + 1];
    const struct lp_session *s =
        r->tokened ? dict_find(&lp->by_id, r->id, sizeof r->id) : NULL;
    if (r->tokened && !s)
        token_sign(&lp->env->token, r->id, token);
    buf_puts(out, "{\"status\":");
    buf_put_u64(out, (uint64_t)status);
    buf_puts(out, r->tokened ? ",\"token\":\"" : ",\"token\":null");
    if (r->tokened)
        buf_append(out, s ? s->token : token, TOKEN_CHARS);
    buf_puts(out, r->tokened ? "\",\"messages\":[" : ",\"messages\":[");
}

static void put_blob(struct buf *out, const struct blob *blob)
{
    for (size_t at = 0; at < blob->len;) {
        struct blob_run run = blob_run(blob, at);
        buf_append(out, run.data, run.len);
        at += run.len;
    }
}

void longpoll_move(struct lp_request *from, struct lp_request *to)
{
    struct lp_session *s = from->session;
    *to = *from;
    if (s && s->poll == from)
        s->poll = to;
    *from = (struct lp_request){.state = LP_NEW};
}

/* Move messages into the response: at least one, at most the byte limit. */
static void take_messages(struct lp_session *s, struct lp_request *r)
{
    size_t limit = s->lp->env->limits.poll_bytes, bytes = 0;
    struct blob *blob;
    while ((blob = outq_peek(&s->queue))) {
        enum message_class klass;
        uint64_t dropped = 0;
        if (bytes && bytes + blob->len > limit)
            break;
        blob = outq_take(&s->queue, &klass);
        bytes += blob->len;
        /* In the order taken, urgent or not: that is how they come back. */
        outq_push(&r->in_flight, blob,
                  klass == MESSAGE_URGENT ? MESSAGE_CONTROL : klass, &dropped);
        blob_unref(blob);
    }
    r->bytes = bytes;
}

size_t longpoll_take(struct longpoll *lp, struct lp_request *r)
{
    struct lp_session *s = r->session;
    (void)lp;
    r->state = LP_WRITING;
    if (s && s->poll == r) {
        s->poll = NULL;
        s->writing = r;
        while (session_hungry(s->session) && !s->ended &&
               s->queue.charged < s->lp->env->limits.poll_bytes)
            session_feed(s->session);
        r->status = outq_empty(&s->queue) ? LP_NOTHING : LP_MESSAGES;
    }
    if (r->status == LP_MESSAGES)
        take_messages(s, r);
    return r->bytes;
}

void longpoll_head(struct longpoll *lp, const struct lp_request *r,
                   struct buf *out)
{
    put_head(lp, r, r->status, out);
}

void longpoll_body(struct longpoll *lp, const struct lp_request *r,
                   struct buf *out)
{
    const struct outq *q = &r->in_flight;
    put_head(lp, r, r->status, out);
    for (uint32_t i = q->first; i < q->end; i++) {
        if (i > q->first)
            buf_putc(out, ',');
        put_blob(out, outq_at(q, i)->blob);
    }
    buf_puts(out, "]}");
}

/* The response is written, or it failed. */
static void leave_flight(struct lp_session *s, struct lp_request *r,
                         bool written, struct lp_link *link)
{
    if (s->ended || outq_empty(&r->in_flight))
        return;
    if (!written) {
        outq_put_back_all(&s->queue, &r->in_flight);
        return;
    }
    longpoll_settle(link, false); /* what it carried before */
    s->unsettled = r->in_flight;
    outq_init(&r->in_flight, SIZE_MAX);
    s->link = link;
    link->session = s;
    if (s->poll) /* it waits already: there is no later moment to ask */
        settle_by_asking(s);
}

void longpoll_finish(struct longpoll *lp, struct lp_request *r, bool written,
                     struct lp_link *link, uint64_t now)
{
    struct lp_session *s = r->session;
    if (s && r->state == LP_PARKED)
        counter_dec(lp->env->counters, COUNTER_POLLS_PARKED);
    if (s && s->poll == r)
        s->poll = NULL;
    if (s && s->writing == r) {
        s->writing = NULL;
        leave_flight(s, r, written, link);
    }
    outq_clear(&r->in_flight);
    r->session = NULL;
    r->state = LP_NEW;
    if (!s || s->ended)
        return;
    if (!s->poll)
        rearm(s, now);
    else if (s->poll->state == LP_PARKED && has_answer(s))
        release_poll(s, 0);
}

/* posts */

static int handle_message(struct lp_session *s, uint8_t *data, size_t len,
                          bool text, uint64_t now)
{
    int code;
    size_t decoded;
    if (text) {
        code = session_receive_text(s->session, data, len, now);
    } else {
        if (base64_decoded_max(len) > s->lp->env->limits.line_bytes + 3)
            return LP_TOO_LARGE;
        if (!base64_decode(BASE64_PADDED, (const char *)data, len, data,
                           &decoded)) {
            counter_inc(s->lp->env->counters, COUNTER_UNREADABLE);
            return LP_ERROR;
        }
        code = session_receive_binary(s->session, data, decoded, now);
    }
    if (s->ended)
        return LP_OPEN_OR_GONE;
    return code == SESSION_OK ? LP_MESSAGES : LP_ERROR;
}

/* Any number of lines; the first bad one ends it, those before it count. */
static int handle_lines(struct lp_session *s, uint8_t *body, size_t len,
                        size_t *done, uint64_t now)
{
    uint8_t *at = body + *done, *end = body + len;
    int status = LP_MESSAGES;
    for (int n = 0; at < end && status == LP_MESSAGES; n++) {
        if (n == LINES_PER_TURN) {
            *done = (size_t)(at - body);
            return LP_MORE;
        }
        uint8_t *lf = memchr(at, '\n', (size_t)(end - at));
        uint8_t *stop = lf ? lf : end, *next = lf ? lf + 1 : end;
        if (stop > at && stop[-1] == '\r')
            stop--;
        if (stop > at)
            status = handle_message(s, at, (size_t)(stop - at), *at == '[',
                                    now);
        at = next;
    }
    if (status == LP_TOO_LARGE)
        counter_inc(s->lp->env->counters, COUNTER_LIMIT_LINE);
    return status;
}

static bool is_ndjson(const struct http_head *head)
{
    return http_span_is(http_head_get(head, "content-type"),
                        "application/x-ndjson");
}

/* A client waits for the answer before it posts again, so a late answer slows
 * down who sends too much. Who does not wait is refused. */
static int handle_body(struct lp_session *s, const struct http_head *head,
                       uint8_t *body, size_t len, size_t *done, uint64_t now,
                       uint64_t *out_pause)
{
    struct counters *c = s->lp->env->counters;
    if (*done == 0 && session_pause_ms(s->session, now) > PAUSE_MAX_MS) {
        counter_inc(c, COUNTER_LIMIT_RATE);
        return LP_ERROR;
    }
    int status = is_ndjson(head) ? handle_lines(s, body, len, done, now)
                                 : handle_message(s, body, len, true, now);
    if (status == LP_MORE)
        return status;
    uint64_t pause = session_pause_ms(s->session, now);
    if (pause)
        counter_inc(c, COUNTER_LIMIT_RATE);
    *out_pause = pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS;
    return status;
}

int longpoll_post(struct longpoll *lp, const struct http_head *head,
                  uint8_t *body, size_t len, size_t *done,
                  const struct address *client, uint64_t now,
                  uint64_t *out_pause)
{
    struct buf token;
    *out_pause = 0;
    int status = LP_OPEN_OR_GONE;
    buf_init(&token, TOKEN_CHARS + 1);
    int found = request_token(head, &token);
    struct lp_session *s = found == 1 ? find(lp, &token) : NULL;
    if (*done == 0)
        counter_add(lp->env->counters, COUNTER_BYTES_IN, len);
    if (!connect_origin_ok(lp->env, head, client))
        status = LP_FORBIDDEN;
    else if (s)
        status = handle_body(s, head, body, len, done, now, out_pause);
    buf_deinit(&token);
    return status;
}

void longpoll_status_body(int status, struct buf *out)
{
    buf_printf(out, "{\"status\":%d,\"token\":null,\"messages\":[]}", status);
}

/* ends */

static void reap(struct lp_session *s, uint64_t now)
{
    struct longpoll *lp = s->lp;
    list_remove(&s->node);
    dict_remove(&lp->by_id, s->id, sizeof s->id);
    if (s->writing)
        s->writing->session = NULL;
    session_close(s->session, now);
    if (s->link)
        s->link->session = NULL;
    outq_clear(&s->unsettled);
    outq_clear(&s->queue);
    counter_dec(lp->env->counters, COUNTER_CONNECTIONS_LP);
    visitors_leave(s->visitor, now);
    free(s);
}

bool longpoll_turn(struct longpoll *lp, uint64_t now)
{
    bool busy = false;
    while (!list_empty(&lp->ended)) {
        reap(LIST_ENTRY(lp->ended.next, struct lp_session, node), now);
        busy = true;
    }
    return busy;
}

size_t longpoll_end_some(struct longpoll *lp, size_t most)
{
    while (most && !list_empty(&lp->live)) {
        end_session(LIST_ENTRY(lp->live.next, struct lp_session, node));
        most--;
    }
    return lp->by_id.count;
}

size_t longpoll_shed(struct longpoll *lp)
{
    struct lp_session *most = NULL;
    struct list *node, *next;
    size_t held = ENV_WORTH_SHEDDING;
    LIST_FOREACH(node, next, &lp->live) {
        struct lp_session *s = LIST_ENTRY(node, struct lp_session, node);
        size_t one = outq_held(&s->queue) + outq_held(&s->unsettled);
        if (one <= held)
            continue;
        most = s;
        held = one;
    }
    if (!most)
        return 0;
    counter_inc(lp->env->counters, COUNTER_LIMIT_MEMORY);
    log_info("longpoll closed", LOG_INT("connection", most->connection),
             LOG_Z("reason", "memory"));
    end_session(most);
    return held;
}

size_t longpoll_count(const struct longpoll *lp)
{
    return lp->by_id.count;
}

struct longpoll *longpoll_new(struct transport_env *env,
                              const struct longpoll_ops *ops)
{
    struct longpoll *lp = mem_zalloc(sizeof *lp);
    uint8_t key[16];
    lp->env = env;
    lp->ops = ops;
    env_random(key, sizeof key);
    dict_init(&lp->by_id, key);
    list_init(&lp->live);
    list_init(&lp->ended);
    return lp;
}

void longpoll_free(struct longpoll *lp, uint64_t now)
{
    if (!lp)
        return;
    longpoll_end_some(lp, SIZE_MAX);
    longpoll_turn(lp, now);
    dict_deinit(&lp->by_id);
    free(lp);
}
