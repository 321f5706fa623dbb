/* SPDX-License-Identifier: MIT */
/*
 * WebSockets: see ws.h. Must never write while libwebsockets holds unwritten
 * bytes of the same socket, write anything behind a Close frame, free a
 * connection under one of its callbacks, or let an exit go without a code.
 *
 * A connection's life:
 *
 *   ws_adopt -> OPEN --- ws_end(code) ---> ENDING --- queue written,
 *                 |                             |     Close written ---> SHUT
 *                 | peer's Close                | close_timeout           |
 *                 +---------> SHUT              v                  peer's Close
 *                               |       killed by the library            or
 *                               v               |                 close_timeout
 *                             DEAD <------------+-------------------------+
 *               reaped by ws_turn, session_close there
 *
 * Library behaviour that this file relies on [read in its source, 4.1.6]:
 *  - A write of kind LWS_WRITE_HTTP on a WebSocket goes out raw. What the
 *    kernel does not take is copied and sent first of all later; until then
 *    lws_partial_buffered is true and SERVER_WRITEABLE does not come.
 *  - Pongs and the Close are written from inside its POLLOUT handling, between
 *    our writes: hence we hand over no half frame, see ws_write.c.
 *  - Its own way to close (lws_close_reason, then -1 from a callback) sends no
 *    Close in Debian's build: with _DEBUG and libuv it closes a second time at
 *    once, as a self-test, and takes that for "the polite way was tried".
 *    [measured: FIN without Close]. So the Close is a frame of ours.
 *  - Its validity timers cost O(n) per handshake: an all-zero policy turns
 *    them off. permessage-deflate is broken in this version: not offered.
 */
#include "transport/ws.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libwebsockets.h>

#include "base/counters.h"
#include "base/log.h"
#include "base/mem.h"
#include "channel/session.h"
#include "transport/env.h"
#include "transport/tcp.h"
#include "transport/upgrade.h"
#include "transport/ws_conn.h"

/* What one read takes from a socket, and 800 bytes less per connection than
 * with 1024: a typical message is far smaller. */
enum { READ_BYTES = 512, WRITE_BYTES = 65536, HANDSHAKE_SECONDS = 5 };

struct ws {
    struct transport_env *env;
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct list open, ending, dead; /* ws_conn.node */
    struct list dirty;              /* ws_conn.dirty */
    struct ws_conn *adopting;
    const struct connect_params *adopting_params;
    size_t count;
    bool shedding; /* logged that we are over the limit */
    unsigned char scratch[WS_SCRATCH_BYTES];
};

static void ws_end(struct ws_conn *conn, int code, const char *reason);

static uint64_t now_of(const struct ws_conn *conn)
{
    return env_now(conn->ws->env);
}

static void mark_dirty(struct ws_conn *conn)
{
    if (list_empty(&conn->dirty))
        list_push(&conn->ws->dirty, &conn->dirty);
}

/* session_ops */

static void on_session_send(void *carrier, struct blob *blob,
                            enum message_class klass)
{
    struct ws_conn *conn = carrier;
    struct counters *c = conn->ws->env->counters;
    uint64_t dropped = 0;
    if (conn->state != WS_OPEN)
        return;
    enum outq_result result = outq_push(&conn->queue, blob, klass, &dropped);
    counter_add(c, COUNTER_DROPPED_AWARENESS, dropped);
    if (result == OUTQ_OVERFLOW && session_lag(conn->session)) {
        counter_inc(c, COUNTER_LIMIT_QUEUE);
        outq_drop_bulk(&conn->queue);
        if (klass != MESSAGE_DOCUMENT && klass != MESSAGE_AWARENESS)
            result = outq_push(&conn->queue, blob, klass, &dropped);
        else
            result = OUTQ_DROPPED;
    }
    if (result == OUTQ_OVERFLOW) {
        /* A client that misses one update must start again from a full
         * sync; what is still queued would be of no use to it. */
        counter_inc(c, COUNTER_LIMIT_QUEUE);
        outq_clear(&conn->queue);
        ws_end(conn, 1013, "queue full");
        return;
    }
    mark_dirty(conn);
}

static void on_session_close(void *carrier, int code)
{
    ws_end(carrier, code, "session");
}

static const struct session_ops session_callbacks = {
    .send = on_session_send,
    .close = on_session_close,
};

/* ends */

static void kill_now(struct ws_conn *conn)
{
    conn->state = WS_SHUT;
    if (!conn->wsi)
        return;
    lws_set_timeout(conn->wsi, 1, LWS_TO_KILL_ASYNC);
    /* Outside of its callbacks nothing else would start its timer. */
    lws_cancel_service(conn->ws->context);
}

static void on_close_timeout(struct wheel_timer *timer, uint64_t now)
{
    struct ws_conn *conn = LIST_ENTRY(timer, struct ws_conn, timer);
    (void)now;
    counter_inc(conn->ws->env->counters, COUNTER_LIMIT_CLOSE_TIME);
    kill_now(conn);
}

/* Write what is queued, then close with this code. Idempotent. */
static void ws_end(struct ws_conn *conn, int code, const char *reason)
{
    struct transport_env *env = conn->ws->env;
    if (conn->state != WS_OPEN)
        return;
    conn->state = WS_ENDING;
    conn->code = (uint16_t)code;
    conn->reason = reason;
    conn->ours = true;
    list_remove(&conn->node);
    list_push(&conn->ws->ending, &conn->node);
    if (conn->paused) /* to see the peer's Close */
        lws_rx_flow_control(conn->wsi, 1);
    conn->paused = false;
    wheel_set(env->wheel, &conn->timer, env_now(env) + env->limits.close_ms,
              on_close_timeout);
    mark_dirty(conn);
}

static void count_close(struct counters *c, int code)
{
    static const struct {
        int code;
        enum counter_id id;
    } known[] = {{1000, COUNTER_CLOSED_1000}, {1001, COUNTER_CLOSED_1001},
                 {1002, COUNTER_CLOSED_1002}, {1006, COUNTER_CLOSED_1006},
                 {1009, COUNTER_CLOSED_1009}, {1011, COUNTER_CLOSED_1011},
                 {1012, COUNTER_CLOSED_1012}, {1013, COUNTER_CLOSED_1013}};
    enum counter_id id = COUNTER_CLOSED_OTHER;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].code == code)
            id = known[i].id;
    counter_inc(c, id);
}

/* The library is done with it. */
static void on_gone(struct ws_conn *conn)
{
    struct ws *ws = conn->ws;
    if (!conn->wsi)
        return;
    if (!conn->code && !conn->ours &&
        tcp_peer_there(lws_get_socket_fd(conn->wsi))) {
        /* The library did it: frames that are none. */
        conn->code = 1002;
        conn->reason = "protocol error";
        conn->ours = true;
    }
    /* Its destruction comes later, when we may be freed already. */
    lws_set_opaque_user_data(conn->wsi, NULL);
    conn->wsi = NULL;
    conn->state = WS_DEAD;
    wheel_cancel(ws->env->wheel, &conn->timer);
    list_remove(&conn->dirty);
    list_remove(&conn->node);
    list_push(&ws->dead, &conn->node);
    if (!conn->ours && !conn->code && conn->session && !ws->env->draining)
        flap_ended(ws->env->flap, conn->flapper,
                   now_of(conn) - conn->opened_ms, conn->id, &conn->client,
                   now_of(conn));
    int code = conn->code ? conn->code : 1006;
    count_close(ws->env->counters, code);
    log_info("websocket closed", LOG_INT("connection", conn->id),
             LOG_INT("code", code), LOG_Z("by", conn->ours ? "us" : "peer"),
             LOG_Z("reason", conn->reason ? conn->reason : "none"));
}

static void reap(struct ws_conn *conn)
{
    struct ws *ws = conn->ws;
    list_remove(&conn->node);
    if (conn->session)
        session_close(conn->session, env_now(ws->env));
    outq_clear(&conn->queue);
    buf_deinit(&conn->received);
    counter_dec(ws->env->counters, COUNTER_CONNECTIONS_WS);
    visitors_leave(conn->visitor, env_now(ws->env));
    ws->count--;
    free(conn);
}

/* Is the message being received, with `more` bytes at hand, too long? */
static bool too_long(const struct ws_conn *conn, size_t more)
{
    uint64_t limit = conn->ws->env->limits.frame_bytes;
    uint64_t have = (uint64_t)conn->received.len + more;
    uint64_t rest = lws_remaining_packet_payload(conn->wsi);
    return have > limit || rest > limit - have;
}

/* Is a message under way, and the same one, since so long? Looked at from time
 * to time: a frame that trickles in makes no callback for each byte. */
static bool message_late(struct ws_conn *conn, uint64_t now)
{
    bool mid = conn->received.len > 0 ||
               lws_remaining_packet_payload(conn->wsi) > 0;
    if (!mid || conn->received_whole != conn->seen_whole || !conn->mid_since) {
        conn->seen_whole = conn->received_whole;
        conn->mid_since = mid ? now : 0;
        return false;
    }
    return now - conn->mid_since >= conn->ws->env->limits.message_ms;
}

static void on_idle_timer(struct wheel_timer *timer, uint64_t now);

/* Look again when it may have become idle, or its message late. */
static void watch(struct ws_conn *conn, uint64_t now, uint64_t quiet)
{
    const struct transport_limits *limits = &conn->ws->env->limits;
    uint64_t ms = limits->idle_ms - quiet, late = limits->message_ms / 2 + 1;
    wheel_set(conn->ws->env->wheel, &conn->timer,
              now + (ms < late ? ms : late), on_idle_timer);
}

/* Nothing was received for the idle time? The kernel knows, pings and all, so
 * that receiving costs no timer work. */
static void on_idle_timer(struct wheel_timer *timer, uint64_t now)
{
    struct ws_conn *conn = LIST_ENTRY(timer, struct ws_conn, timer);
    struct transport_env *env = conn->ws->env;
    uint64_t limit = env->limits.idle_ms;
    if (conn->state != WS_OPEN)
        return;
    if (message_late(conn, now)) {
        counter_inc(env->counters, COUNTER_LIMIT_MESSAGE_TIME);
        ws_end(conn, 1002, "message too slow");
        return;
    }
    uint64_t quiet = tcp_quiet_ms(lws_get_socket_fd(conn->wsi));
    if (quiet < limit) {
        watch(conn, now, quiet);
        return;
    }
    /* A frame that was announced and never came has made no callback. */
    bool announced = too_long(conn, 0);
    counter_inc(env->counters,
                announced ? COUNTER_LIMIT_FRAME : COUNTER_LIMIT_IDLE);
    ws_end(conn, announced ? 1009 : 1002,
           announced ? "message too long" : "idle");
}

/* receiving */

static void on_paid(struct wheel_timer *timer, uint64_t now)
{
    struct ws_conn *conn = LIST_ENTRY(timer, struct ws_conn, timer);
    conn->paused = false;
    lws_rx_flow_control(conn->wsi, 1);
    lws_cancel_service(conn->ws->context); /* it may hold some already */
    watch(conn, now, 0);
}

/* The client has sent more than its rates allow: TCP holds it back for a
 * while. Nothing is lost. */
static void pause_if_due(struct ws_conn *conn)
{
    struct transport_env *env = conn->ws->env;
    if (conn->paused || conn->state != WS_OPEN)
        return;
    uint64_t ms = session_pause_ms(conn->session, env_now(env));
    if (!ms)
        return;
    counter_inc(env->counters, COUNTER_LIMIT_RATE);
    conn->paused = true;
    lws_rx_flow_control(conn->wsi, 0);
    wheel_set(env->wheel, &conn->timer, env_now(env) + ms, on_paid);
}

static void deliver(struct ws_conn *conn, const uint8_t *data, size_t len)
{
    int code;
    counter_add(conn->ws->env->counters, COUNTER_BYTES_IN, len);
    conn->received_whole++;
    if (!conn->session)
        return;
    if (lws_frame_is_binary(conn->wsi))
        code = session_receive_binary(conn->session, data, len, now_of(conn));
    else
        code = session_receive_text(conn->session, data, len, now_of(conn));
    if (code != SESSION_OK)
        ws_end(conn, code, "unreadable message");
    pause_if_due(conn);
}

/* A piece of a message. What a whole message will need at least is checked
 * before any of it is kept. */
static void on_receive(struct ws_conn *conn, const uint8_t *data, size_t len)
{
    struct transport_env *env = conn->ws->env;
    struct buf *have = &conn->received;
    if (conn->state != WS_OPEN)
        return;
    if (too_long(conn, len)) {
        counter_inc(env->counters, COUNTER_LIMIT_FRAME);
        ws_end(conn, 1009, "message too long");
        return;
    }
    bool final = lws_is_final_fragment(conn->wsi);
    if (final && have->len == 0) {
        deliver(conn, data ? data : (const uint8_t *)"", len);
        return;
    }
    have->limit = env->limits.frame_bytes;
    if (!buf_append(have, data, len)) {
        buf_deinit(have);
        ws_end(conn, 1013, "out of memory");
        return;
    }
    if (!final)
        return;
    deliver(conn, (const uint8_t *)have->data, have->len);
    buf_shrink(have, 0);
}

/* RFC 6455 7.4: what an endpoint may send. */
static bool close_code_ok(unsigned code)
{
    if (code >= 3000)
        return code <= 4999;
    return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 &&
           code != 1006;
}

/* Answered by a frame of ours: the library would send back what it got, be it
 * half a code. Then it may close. */
static void on_peer_close(struct ws_conn *conn, const uint8_t *reason,
                          size_t len)
{
    unsigned char frame[] = {0x88, 2, 0, 0};
    if (conn->close_sent)
        return;
    unsigned code = len >= 2 ? (unsigned)reason[0] << 8 | reason[1] : 1005;
    if (!conn->ours)
        conn->code = (uint16_t)code;
    if (len == 0)
        frame[1] = 0;
    else if (len == 1 || !close_code_ok(code))
        code = 1002;
    frame[2] = (unsigned char)(code >> 8);
    frame[3] = (unsigned char)code;
    conn->state = WS_SHUT;
    conn->close_sent = true;
    if (!lws_partial_buffered(conn->wsi))
        lws_write(conn->wsi, frame, 2u + frame[1], LWS_WRITE_HTTP);
}

/* writing */

/* Behind our Close comes nothing: say so, that the peer need not wait. */
static int finish_close(struct ws_conn *conn)
{
    if (lws_partial_buffered(conn->wsi))
        return 0; /* comes again when it is written */
    shutdown(lws_get_socket_fd(conn->wsi), SHUT_WR);
    return 0;
}

/* The queue is empty: the Close is the last thing we write. */
static int send_close(struct ws_conn *conn)
{
    unsigned char frame[] = {0x88, 2, (unsigned char)(conn->code >> 8),
                             (unsigned char)conn->code};
    conn->state = WS_SHUT;
    conn->close_sent = true;
    if (lws_write(conn->wsi, frame, sizeof frame, LWS_WRITE_HTTP) < 0)
        return -1;
    return finish_close(conn);
}

static int write_some(struct ws_conn *conn)
{
    if (conn->close_sent)
        return finish_close(conn);
    if (lws_get_close_length(conn->wsi) > 0) {
        /* The library has sent a Close of its own, and waits for the peer's:
         * to frames that are none. */
        ws_end(conn, 1002, "protocol error");
        conn->state = WS_SHUT;
        return 0;
    }
    if (conn->state != WS_OPEN && conn->state != WS_ENDING)
        return 0;
    if (ws_conn_write(conn, conn->ws->scratch, conn->ws->env->counters) < 0)
        return -1;
    if (conn->state == WS_OPEN && conn->session &&
        session_hungry(conn->session) &&
        conn->queue.charged < conn->queue.limit / 8) {
        session_feed(conn->session);
        mark_dirty(conn); /* hungry still, perhaps */
    }
    if (conn->state == WS_ENDING && outq_empty(&conn->queue) &&
        !lws_partial_buffered(conn->wsi))
        return send_close(conn);
    return 0;
}

/* -1: the library shall close the socket. */
static int on_writeable(struct ws_conn *conn)
{
    if (write_some(conn) == 0)
        return 0;
    conn->state = WS_SHUT;
    return -1;
}

static void flush(struct ws_conn *conn)
{
    if (write_some(conn) < 0)
        kill_now(conn);
}

/* Why a connection is opened only to be closed: 0 for no reason. */
static int refusal_code(struct ws_conn *conn, const char **reason)
{
    struct ws *ws = conn->ws;
    struct transport_env *env = ws->env;
    *reason = "draining";
    if (env->draining)
        return 1012;
    *reason = "memory";
    if (env->shedding) {
        counter_inc(env->counters, COUNTER_LIMIT_MEMORY);
        return 1013;
    }
    *reason = "too many of one address";
    if (!visitor_may_open(conn->visitor, env_now(env)))
        return 1013;
    *reason = "too many";
    bool over = env_connections(env) > env->limits.connections;
    if (over)
        counter_inc(env->counters, COUNTER_LIMIT_CONNECTIONS);
    if (over && !ws->shedding)
        log_warning("connections shed",
                    LOG_INT("open", env_connections(env)),
                    LOG_INT("limit", env->limits.connections));
    ws->shedding = over;
    return over ? 1013 : 0;
}

static void open_session(struct ws_conn *conn,
                         const struct connect_params *params)
{
    struct transport_env *env = conn->ws->env;
    struct session_params session = {
        .form = params->form,
        .connection = conn->id,
        .user_id = params->has_user_id ? params->user_id.data : NULL,
        .user_id_len = params->user_id.len,
        .auth_token = params->has_auth_token ? params->auth_token.data : NULL,
        .auth_token_len = params->auth_token.len,
    };
    conn->session = session_open(env->sessions, &session, &session_callbacks,
                                 conn, env_now(env));
    watch(conn, env_now(env), 0);
    char peer[ADDRESS_TEXT_MAX];
    address_text(&conn->client, peer);
    log_info("websocket opened", LOG_INT("connection", conn->id),
             LOG_Z("peer", peer),
             LOG_STR("forwarded", params->forwarded.p, params->forwarded.len));
}

static void on_established(struct ws_conn *conn)
{
    struct ws *ws = conn->ws;
    const char *reason;
    int code = refusal_code(conn, &reason);
    if (!ws->adopting_params)
        return; /* too late: ws_adopt has given it up */
    conn->state = WS_OPEN;
    if (code)
        ws_end(conn, code, reason);
    else
        open_session(conn, ws->adopting_params);
}

/* The library writes its 101. */
static int add_cookie(const struct ws_conn *conn,
                      struct lws_process_html_args *args)
{
    const struct connect_params *params = conn->ws->adopting_params;
    unsigned char **at = (unsigned char **)(void *)&args->p;
    if (!params || !params->cookie[0])
        return 0;
    return lws_add_http_header_by_name(
        conn->wsi, (const unsigned char *)"set-cookie:",
        (const unsigned char *)params->cookie, (int)strlen(params->cookie),
        at, (unsigned char *)args->p + args->max_len);
}

/* the library's callback */

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason,
                  void *user, void *in, size_t len)
{
    struct ws_conn *conn = lws_get_opaque_user_data(wsi);
    (void)user;
    if (!conn && reason == LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED) {
        struct ws *ws = lws_context_user(lws_get_context(wsi));
        lws_set_opaque_user_data(wsi, ws->adopting);
        if (ws->adopting)
            ws->adopting->wsi = wsi;
        return 0;
    }
    if (!conn)
        return 0;
    switch (reason) {
    case LWS_CALLBACK_ADD_HEADERS:
        return add_cookie(conn, in);
    case LWS_CALLBACK_ESTABLISHED:
        on_established(conn);
        break;
    case LWS_CALLBACK_RECEIVE:
        on_receive(conn, in, len);
        break;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return on_writeable(conn);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        on_peer_close(conn, in, len);
        return -1;
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_WSI_DESTROY:
        on_gone(conn);
        break;
    default:
        break;
    }
    return 0;
}

static const struct lws_protocols protocols[] = {
    /* The name is what a client that offers subprotocols is answered. */
    {.name = "phoenix",
     .callback = on_lws,
     .rx_buffer_size = READ_BYTES,
     .tx_packet_size = WRITE_BYTES},
    {0},
};

static const lws_retry_bo_t no_validity_timers;

static void on_lws_log(int level, const char *line)
{
    size_t len = strlen(line);
    while (len && (line[len - 1] == '\n' || line[len - 1] == '\r'))
        len--;
    if (level & (LLL_ERR | LLL_WARN))
        log_warning("libwebsockets", LOG_STR("message", line, len));
}

struct ws *ws_new(struct transport_env *env)
{
    struct ws *ws = mem_zalloc(sizeof *ws);
    void *loops[] = {env->loop};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_LIBUV |
                   LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME,
        .foreign_loops = loops,
        .user = ws,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
        .timeout_secs = HANDSHAKE_SECONDS,
        .retry_and_idle_policy = &no_validity_timers,
        .vhost_name = "roomd",
    };
    ws->env = env;
    list_init(&ws->open);
    list_init(&ws->ending);
    list_init(&ws->dead);
    list_init(&ws->dirty);
    lws_set_log_level(LLL_ERR | LLL_WARN, on_lws_log);
    ws->context = lws_create_context(&info);
    if (ws->context)
        ws->vhost = lws_get_vhost_by_name(ws->context, "roomd");
    /* It logs every adoption as an error, and peers' mistakes as warnings. */
    lws_set_log_level(0, on_lws_log);
    if (!ws->vhost) {
        free(ws);
        return NULL;
    }
    return ws;
}

static struct ws_conn *conn_new(struct ws *ws)
{
    struct ws_conn *conn = mem_zalloc(sizeof *conn);
    conn->ws = ws;
    conn->id = ++ws->env->connections_made;
    conn->state = WS_OPENING;
    list_init(&conn->dirty);
    list_push(&ws->open, &conn->node);
    outq_init(&conn->queue, ws->env->limits.queue_bytes);
    ws->count++;
    counter_inc(ws->env->counters, COUNTER_CONNECTIONS_WS);
    counter_inc(ws->env->counters, COUNTER_OPENED_WS);
    return conn;
}

/* The handshake is read from `head` (and what `early` holds after it), and
 * answered before this returns, since the head is whole. */
static struct ws_conn *adopt(struct ws *ws, int fd,
                             const struct connect_params *params,
                             const char *head, size_t len)
{
    struct ws_conn *conn = conn_new(ws);
    conn->client = params->client;
    conn->flapper = params->flapper;
    conn->opened_ms = env_now(ws->env);
    conn->visitor = visitors_enter(ws->env->visitors, &conn->client,
                                   env_now(ws->env));
    ws->adopting = conn;
    ws->adopting_params = params;
    lws_adopt_socket_vhost_readbuf(ws->vhost, fd, head, len);
    ws->adopting = NULL;
    ws->adopting_params = NULL;
    if (conn->state != WS_OPENING)
        return conn;
    if (conn->wsi) {
        kill_now(conn);
    } else { /* not even adopted */
        conn->state = WS_DEAD;
        list_remove(&conn->node);
        list_push(&ws->dead, &conn->node);
    }
    return conn;
}

void ws_adopt(struct ws *ws, int fd, const struct connect_params *params)
{
    char head[UPGRADE_HEAD_MAX];
    adopt(ws, fd, params, head, upgrade_head(params, head));
}

/* The library insists on sending a 101 itself. So it is given one end of a
 * socket pair, which swallows that; then the client's socket takes the place
 * of this end, under the same descriptor number. libuv has not told epoll of
 * the descriptor yet: it does so before it polls next [libuv: uv__io_start
 * only queues]. */
void ws_adopt_answered(struct ws *ws, int fd,
                       const struct connect_params *params, const void *early,
                       size_t early_len)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                   pair) != 0) {
        counter_inc(ws->env->counters, COUNTER_LIMIT_FDS);
        close(fd);
        return;
    }
    char *head = mem_alloc(UPGRADE_HEAD_MAX + early_len);
    size_t head_len = upgrade_head(params, head);
    if (early_len)
        memcpy(head + head_len, early, early_len);
    struct ws_conn *conn =
        adopt(ws, pair[0], params, head, head_len + early_len);
    free(head);
    if (conn->wsi && dup3(fd, pair[0], O_CLOEXEC) < 0)
        kill_now(conn);
    close(fd);
    close(pair[1]);
}

bool ws_turn(struct ws *ws)
{
    struct list batch, *node;
    bool busy = false;
    list_init(&batch);
    list_take(&batch, &ws->dirty);
    while ((node = list_pop(&batch))) {
        flush(LIST_ENTRY(node, struct ws_conn, dirty));
        busy = true;
    }
    /* session_close tells the others in its rooms: they become dirty. */
    while (!list_empty(&ws->dead)) {
        reap(LIST_ENTRY(ws->dead.next, struct ws_conn, node));
        busy = true;
    }
    return busy;
}

size_t ws_close_some(struct ws *ws, size_t most, int code)
{
    size_t left = 0;
    struct list *node, *next;
    LIST_FOREACH(node, next, &ws->open) {
        if (most == 0) {
            left++;
            continue;
        }
        ws_end(LIST_ENTRY(node, struct ws_conn, node), code, "draining");
        most--;
    }
    return left;
}

static size_t held_by(const struct ws_conn *conn)
{
    return outq_held(&conn->queue) + conn->received.cap;
}

size_t ws_shed(struct ws *ws)
{
    struct ws_conn *most = NULL;
    struct list *node, *next;
    size_t held = ENV_WORTH_SHEDDING;
    LIST_FOREACH(node, next, &ws->open) {
        struct ws_conn *conn = LIST_ENTRY(node, struct ws_conn, node);
        size_t one = held_by(conn);
        if (conn->state != WS_OPEN || one <= held)
            continue;
        most = conn;
        held = one;
    }
    if (!most)
        return 0;
    counter_inc(ws->env->counters, COUNTER_LIMIT_MEMORY);
    outq_clear(&most->queue);
    buf_deinit(&most->received);
    ws_end(most, 1013, "memory");
    return held;
}

size_t ws_count(const struct ws *ws)
{
    return ws->count;
}

void ws_stop(struct ws *ws)
{
    if (!ws)
        return;
    lws_context_destroy(ws->context); /* calls on_gone for every connection */
    while (ws_turn(ws))
        ;
}

/* With a loop of ours the library is destroyed in two steps: the first closes
 * its handles, the second, when the loop has run dry, frees. */
void ws_free(struct ws *ws)
{
    if (!ws)
        return;
    lws_context_destroy(ws->context);
    free(ws);
}
