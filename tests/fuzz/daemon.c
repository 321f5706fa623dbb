/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: the whole daemon but its main(), with libwebsockets and
 * libmicrohttpd, on a real port. Input: what five clients do to it on TCP
 * connections (see `step`): requests, upgrades, frames, messages that make
 * sense and bytes that do not, in pieces, in any order, left unread, cut at
 * any point, while time moves on.
 *
 *   byte 0   how the daemon is set (see `settings`)
 *   script   steps of: operation, then client and argument, then the
 *            operation's own; pieces are a 16-bit length and as many bytes
 *
 * Nothing may crash, leak or spin; whatever is sent must be readable (see
 * peer.h); and when all have left and time has passed, nothing is left: no
 * connection, no session, no room, no descriptor.
 *
 * The daemon lives on from one input to the next, as it does for its clients
 * (a libwebsockets context costs more than an input), unless the input ends it
 * with all its connections open. The clock and the random numbers are ours:
 * these functions of libc and libuv are found here before they are found
 * there.
 */
#include "peer.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/random.h>
#include <sys/syscall.h>

#include <uv.h>

#include "base/counters.h"
#include "base/log.h"
#include "base/wheel.h"
#include "channel/session.h"
#include "room/registry.h"
#include "transport/base64.h"
#include "transport/env.h"
#include "transport/flap.h"
#include "transport/http.h"
#include "transport/listen.h"
#include "transport/poller.h"
#include "transport/ws.h"

enum {
    PEERS = 5,
    STEPS_MAX = 200,
    TURNS = 16,
    ROUNDS_MAX = 5000, /* more is a spin */
    LEAVING_S = 3600,  /* likewise, of our own time */
    DESCRIPTORS = 64
};

static struct world {
    uv_loop_t loop;
    struct counters counters;
    struct wheel wheel;
    struct session_env sessions;
    struct transport_env env;
    struct poller *poller;
    struct ws *ws;
    struct http *http;
    struct listener *listener;
    bool open, ends; /* with this input */
} world;

static struct peer peers[PEERS];
static uint64_t now = 1000, randomness;
static uint32_t address = 0x7f000101; /* 127.0.1.1 */
static uint8_t clocks[PEERS];

/* what is not left to the system */

uint64_t uv_now(const uv_loop_t *loop)
{
    (void)loop;
    return now;
}

ssize_t getrandom(void *out, size_t len, unsigned flags)
{
    uint8_t *bytes = out;
    (void)flags;
    for (size_t i = 0; i < len; i++) {
        randomness = randomness * 6364136223846793005u + 1442695040888963407u;
        bytes[i] = (uint8_t)(randomness >> 56);
    }
    return (ssize_t)len;
}

/* Since when a connection is quiet, by our clock. */
static uint32_t quiet(int fd)
{
    struct sockaddr_in from = {0};
    socklen_t len = sizeof from;
    if (getpeername(fd, (struct sockaddr *)&from, &len) != 0)
        return 0;
    for (int i = 0; i < PEERS; i++)
        if (peers[i].fd >= 0 && peers[i].port == ntohs(from.sin_port))
            return (uint32_t)(now - peers[i].spoke);
    return 0;
}

int getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    int result = (int)syscall(SYS_getsockopt, fd, level, name, value, len);
    if (result == 0 && level == IPPROTO_TCP && name == TCP_INFO &&
        *len >= offsetof(struct tcp_info, tcpi_last_ack_recv))
        ((struct tcp_info *)value)->tcpi_last_data_recv = quiet(fd);
    return result;
}

/* the daemon, as server.c has it */

static void on_websocket(void *arg, int fd, const struct connect_params *params)
{
    (void)arg;
    ws_adopt(world.ws, fd, params);
}

static void on_http(void *arg, int fd, const struct listener_request *request)
{
    (void)arg;
    http_adopt(world.http, fd, request);
}

static void on_parted(void *arg, void *keep, bool reset)
{
    (void)arg;
    http_parted(world.http, keep, reset);
}

static const struct listener_ops listener_callbacks = {on_websocket, on_http,
                                                       on_parted};

static int on_page(void *arg, const struct http_asker *asker, struct buf *out)
{
    (void)arg;
    (void)asker;
    buf_puts(out, "{\"status\":\"ok\"}\n");
    return 200;
}

static const struct http_page pages[] = {
    {"/health", "application/json", on_page},
    {NULL, NULL, NULL},
};

static void open_rooms(void)
{
    struct registry_options options = {.counters = &world.counters,
                                       .now_ms = now};
    struct room_limits *l = &options.limits;
    room_limits_default(l);
    l->members = 6;
    l->document_bytes = 1 << 17;
    l->update_bytes = 1 << 14;
    l->pending_bytes = 1 << 12;
    l->awareness_bytes = 1 << 10;
    l->awareness_clients = 8;
    l->awareness_tombstones = 4;
    l->empty_ms = 2000;
    l->rest_ms = 500;
    l->awareness_timeout_ms = 1000;
    l->awareness_grace_ms = 100;
    world.sessions = (struct session_env){
        .rooms = registry_new(&options),
        .counters = &world.counters,
        .limits = {.channels = 3, .topic_bytes = 100, .json_depth = 16},
    };
}

static void open_world(void)
{
    static const uint8_t instance[TOKEN_INSTANCE_BYTES] = {1};
    memset(&world, 0, sizeof world);
    log_set_fd(getenv("FUZZ_LOG") ? 2 : -1);
    FUZZ_ASSERT(uv_loop_init(&world.loop) == 0);
    wheel_init(&world.wheel, now);
    open_rooms();
    world.env = (struct transport_env){.loop = &world.loop,
                                       .wheel = &world.wheel,
                                       .counters = &world.counters,
                                       .sessions = &world.sessions,
                                       .doctor = true};
    FUZZ_ASSERT(address_list_init(&world.env.clients.trusted, "loopback"));
    token_key_init(&world.env.token, "secret", 6, TRANSPORT_MOUNT, instance);
    world.env.visitors = visitors_new(&world.env.limits.address,
                                      &world.env.clients, &world.counters,
                                      &world.wheel);
    world.env.flap = flap_new(&world.env);
    world.poller = poller_new(&world.loop);
    world.ws = ws_new(&world.env);
    FUZZ_ASSERT(world.poller && world.ws);
    struct http_options options = {.env = &world.env,
                                   .poller = world.poller,
                                   .ws = world.ws,
                                   .policy = "",
                                   .pages = pages};
    FUZZ_ASSERT(http_new(&options, &world.http));
    world.listener = listener_new(&world.env, world.poller, "127.0.0.1", 0,
                                  &listener_callbacks, NULL);
    FUZZ_ASSERT(world.listener);
    http_set_listener(world.http, world.listener);
    world.open = true;
}

/* The order of server.c, whatever is still going on. */
static void close_world(void)
{
    listener_free(world.listener);
    http_stop(world.http);
    ws_stop(world.ws);
    poller_close(world.poller);
    uv_run(&world.loop, UV_RUN_DEFAULT);
    http_free(world.http);
    ws_free(world.ws);
    registry_free(world.sessions.rooms);
    visitors_free(world.env.visitors);
    origin_policy_deinit(&world.env.origin);
    flap_free(world.env.flap);
    address_list_deinit(&world.env.clients.trusted);
    FUZZ_ASSERT(uv_loop_close(&world.loop) == 0);
    world.open = false;
}

enum setting {
    SET_PROXY = 1,
    SET_ORIGIN = 2,
    SET_ADDRESS = 4,
    SET_FLAP = 8,
    SET_RATES = 16,
    SET_QUEUES = 32,
    SET_BUSY = 64,
    SET_ENDS = 128 + SET_BUSY /* the daemon ends with the input */
};

static void settings(uint8_t set)
{
    bool tight = set & SET_QUEUES;
    world.env.limits = (struct transport_limits){
        .connections = set & SET_BUSY ? 3 : 100,
        .longpoll_sessions = set & SET_BUSY ? 2 : 100,
        .head_bytes = 4096,
        .frame_bytes = 1 << 15,
        .body_bytes = 1 << 16,
        .line_bytes = 1 << 15,
        .poll_bytes = tight ? 256 : 1 << 15,
        .queue_bytes = tight ? 4096 : 1 << 18,
        .gzip_bytes = 64,
        .gzip_max_bytes = tight ? 512 : 1 << 15,
        .head_ms = 1000,
        .request_ms = 1000,
        .response_ms = 2000,
        .keepalive_ms = 2000,
        .idle_ms = 3000,
        .message_ms = 2000,
        .close_ms = 500,
        .window_ms = 1000,
        .session_ms = 3000,
        .flap_deaths = set & SET_FLAP ? 2 : 0,
        .flap_life_ms = 500,
        .flap_window_ms = 2000,
        .flap_memory_ms = 2000,
        .flap_clients = 2,
        .address = {.scope = set & SET_ADDRESS ? VISITORS_ALL : VISITORS_OFF,
                    .connections = 3,
                    .opens = {10, 2}},
    };
    if (set & SET_RATES) {
        world.sessions.limits.messages = (struct meter_rate){20, 4};
        world.sessions.limits.bytes = (struct meter_rate){2000, 500};
    } else {
        world.sessions.limits.messages = (struct meter_rate){0, 0};
        world.sessions.limits.bytes = (struct meter_rate){0, 0};
    }
    world.ends = (set & SET_ENDS) == SET_ENDS;
    world.env.clients.proxy_protocol = set & SET_PROXY;
    world.env.draining = world.env.shedding = false;
    origin_policy_deinit(&world.env.origin);
    memset(&world.env.origin, 0, sizeof world.env.origin);
    FUZZ_ASSERT(origin_policy_init(
        &world.env.origin, set & SET_ORIGIN ? "//a.example" : "false", ""));
}

/* One turn of the loop; false when nothing happened and nothing will. */
static bool turn(void)
{
    struct pollfd backend = {.fd = uv_backend_fd(&world.loop),
                             .events = POLLIN};
    bool busy = true, any = false;
    for (int i = 0; busy && i < TURNS; i++) {
        busy = http_turn(world.http);
        busy |= ws_turn(world.ws);
        any |= busy;
    }
    uv_run(&world.loop, UV_RUN_NOWAIT);
    return any || uv_backend_timeout(&world.loop) == 0 ||
           poll(&backend, 1, 0) > 0;
}

static void settle(void)
{
    int rounds = 0;
    /* What the loop did last is seen by the next turn. */
    for (int idle = 0; idle < 2; idle++) {
        bool busy = turn();
        for (int i = 0; i < PEERS && !busy; i++)
            busy |= peers[i].reading && peer_hear(&peers[i], SIZE_MAX);
        if (busy)
            idle = -1;
        FUZZ_ASSERT(++rounds < ROUNDS_MAX);
    }
}

static void advance(uint64_t ms)
{
    now += ms;
    wheel_advance(&world.wheel, now);
    registry_tick(world.sessions.rooms, now);
    settle();
}

/* the script */

static void say(struct peer *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(struct peer *p, const char *format, ...)
{
    va_list args;
    char *text = NULL;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0)
        abort();
    peer_say(p, text, (size_t)n);
    free(text);
}

/* Could it be taken for the end of a head? */
static void mind(struct peer *p, const uint8_t *piece, size_t len)
{
    if (len && !p->ws && (memchr(piece, '\n', len) || memchr(piece, '\r', len)))
        p->loose = true;
}

static const char *const versions[] = {"vsn=2.0.0", "vsn=1.0.0", "",
                                       "vsn=2.0.0&client_id=c&user_id=u"};

static void upgrade(struct peer *p, uint8_t arg, const uint8_t *piece,
                    size_t len)
{
    /* asked twice, nobody knows which one was heard */
    p->v1 = !p->asked && (arg % 4 == 1 || arg % 4 == 2);
    p->asked = true;
    mind(p, piece, len);
    say(p,
        "GET /socket/websocket?%s%.*s HTTP/1.1\r\nhost: a.example\r\n"
        "connection: %s\r\nupgrade: websocket\r\n%s"
        "sec-websocket-version: 13\r\n"
        "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        versions[arg % 4], (int)len, (const char *)piece,
        arg & 4 ? "keep-alive, Upgrade" : "upgrade",
        arg & 8 ? "origin: http://a.example\r\n" : "");
}

/* The token that long-poll requests carry, as query; perhaps a broken one. */
static const char *token(uint8_t arg)
{
    static char text[TOKEN_CHARS + 16];
    const char *known = peer_tokens[arg % PEER_TOKENS];
    if (!known[0])
        return "";
    snprintf(text, sizeof text, "&token=%s", known);
    if (arg / PEER_TOKENS % 8 == 7)
        text[7 + arg / 32] ^= 1;
    return text;
}

static void ask(struct peer *p, uint8_t arg)
{
    static const char *const lines[] = {
        "GET /health", "GET /nothing", "GET /doctor/drip",
        "OPTIONS /socket/longpoll", "PUT /socket/longpoll?vsn=2.0.0",
        "GET /socket/websocket", "HEAD /health", "POST /health"};
    p->loose = p->loose || arg % 8 == 6;
    say(p, "%s HTTP/1.%d\r\nhost: a.example\r\n%s%s%s\r\n", lines[arg % 8],
        arg & 8 ? 0 : 1, arg & 16 ? "origin: http://b.example\r\n" : "",
        arg & 32 ? "access-control-request-headers: x-a\r\n" : "",
        arg % 8 == 7 ? "content-length: 0\r\n" : "");
}

static void ask_poll(struct peer *p, uint8_t arg, uint8_t how)
{
    say(p,
        "GET /socket/longpoll?%s%s HTTP/1.1\r\nhost: a.example\r\n%s%s\r\n",
        versions[how % 4], how & 4 ? "" : token(arg),
        how & 8 ? "accept-encoding: gzip\r\n" : "",
        how & 16 ? "connection: close\r\n" : "");
}

static void post(struct peer *p, uint8_t arg, uint8_t how, const uint8_t *body,
                 size_t len)
{
    const char *type = how & 1 ? "application/x-ndjson" : "application/json";
    say(p,
        "POST /socket/longpoll?%s%s HTTP/1.1\r\nhost: a.example\r\n"
        "content-type: %s\r\n%s",
        versions[how / 2 % 4], token(arg), type,
        how & 8 ? "expect: 100-continue\r\n" : "");
    if (how & 16 && len > 1) {
        say(p, "transfer-encoding: chunked\r\n\r\n%zx\r\n", len / 2);
        peer_say(p, body, len / 2);
        say(p, "\r\n%zx\r\n", len - len / 2);
        peer_say(p, body + len / 2, len - len / 2);
        peer_puts(p, "\r\n0\r\n\r\n");
    } else {
        say(p, "content-length: %zu\r\n\r\n", len);
        peer_say(p, body, len);
    }
}

/* A message that makes sense up to its payload, on whatever `p` is. */
static void message(struct peer *p, uint8_t arg, const char *event,
                    const uint8_t *payload, size_t len)
{
    static const char *const topics[] = {"room:a", "room:b", "y_doc_room:a"};
    const char *topic =
        strcmp(event, "heartbeat") == 0 ? "phoenix" : topics[arg / 8 % 3];
    char *text = NULL;
    int n = p->v1 ? asprintf(&text,
                             "{\"topic\":\"%s\",\"event\":\"%s\",\"ref\":\"1\","
                             "\"join_ref\":\"1\",\"payload\":%.*s}",
                             topic, event, (int)len, (const char *)payload)
                  : asprintf(&text, "[\"1\",\"1\",\"%s\",\"%s\",%.*s]", topic,
                             event, (int)len, (const char *)payload);
    if (n < 0)
        abort();
    if (p->asked)
        peer_frame(p, 0x81, true, (uint8_t *)text, (size_t)n);
    else
        post(p, arg, arg / 8, (uint8_t *)text, (size_t)n);
    free(text);
}

/* A binary push: a frame, or a line of base64. */
static void binary(struct peer *p, uint8_t arg, const uint8_t *payload,
                   size_t len)
{
    const uint8_t head[] = {0, 1, 1, 6, 3, '1', '1', 'r', 'o', 'o', 'm', ':',
                            arg & 8 ? 'a' : 'b', 'y', 'j', 's'};
    uint8_t *frame = malloc(sizeof head + len);
    char *line = malloc((sizeof head + len) * 2);
    if (!frame || !line)
        abort();
    memcpy(frame, head, sizeof head);
    memcpy(frame + sizeof head, payload, len);
    if (p->asked) {
        peer_frame(p, 0x82, true, frame, sizeof head + len);
    } else {
        size_t n = base64_encode_url(frame, sizeof head + len, line);
        for (size_t i = 0; i < n; i++)
            line[i] = line[i] == '-' ? '+' : line[i] == '_' ? '/' : line[i];
        post(p, arg, 1, (uint8_t *)line, n);
    }
    free(line);
    free(frame);
}

/* Some typing: an update that every room takes. */
static void type(struct peer *p, uint8_t arg, uint8_t many)
{
    size_t who = (size_t)(p - peers), n = many % 100 + 1u;
    uint8_t update[128] = {0, 2, 0, 1, 1, (uint8_t)(who + 1), clocks[who],
                           4, 1, 1, 't', (uint8_t)n};
    char text[640] = "{\"data\":[";
    memset(update + 12, 'x', n);
    update[2] = (uint8_t)(n + 10);
    if (clocks[who] + n < 128)
        clocks[who] = (uint8_t)(clocks[who] + n);
    if (arg & 4) {
        binary(p, arg, update, 13 + n);
        return;
    }
    for (size_t i = 3; i < 13 + n; i++)
        snprintf(text + strlen(text), 8, i > 3 ? ",%d" : "%d", update[i]);
    strcat(text, "]}");
    message(p, arg, "update", (uint8_t *)text, strlen(text));
}

static void stop_or_go(struct peer *p, uint8_t arg)
{
    switch (arg % 6) {
    case 0:
        peer_close(p, false);
        break;
    case 1:
        peer_close(p, true);
        break;
    case 2:
        if (p->fd >= 0)
            shutdown(p->fd, SHUT_WR);
        break;
    case 3:
        p->reading = !p->reading;
        break;
    case 4:
        p->corked = !p->corked;
        break;
    default:
        peer_hear(p, arg);
        break;
    }
}

/* What an operator's signal, or a lack of memory, does. */
static void manage(uint8_t arg)
{
    switch (arg % 6) {
    case 0:
        world.env.draining = true;
        ws_close_some(world.ws, arg / 6, 1012);
        http_end_sessions(world.http, arg / 6);
        break;
    case 1:
        world.env.shedding = !world.env.shedding;
        break;
    case 2:
        ws_shed(world.ws);
        http_shed(world.http);
        break;
    case 3:
        if (world.ends) /* for good */
            registry_drain(world.sessions.rooms);
        break;
    case 4:
        registry_press(world.sessions.rooms, arg & 8, arg & 16);
        break;
    default:
        world.env.draining = false;
        break;
    }
}

/* The operations with a piece. */
static void piece_step(struct peer *p, uint8_t what, uint8_t arg,
                       const uint8_t *piece, size_t len)
{
    static const char *const events[] = {"update", "awareness", "yjs",
                                         "phx_join", "nonsense", "yjs_sync",
                                         "phx_leave", "heartbeat"};
    switch (what) {
    case 0:
        p->loose = p->loose || !p->ws;
        p->closed = true;
        peer_say(p, piece, len);
        break;
    case 1:
        upgrade(p, arg, piece, len);
        break;
    case 2:
        peer_frame(p, (uint8_t)(arg * 5), arg % 16 != 15, piece, len);
        break;
    case 3:
        message(p, arg, events[arg % 8], piece, len);
        break;
    case 4:
        binary(p, arg, piece, len);
        break;
    default:
        post(p, arg, arg / 4, piece, len);
        break;
    }
}

static void plain_step(struct peer *p, uint8_t what, uint8_t arg,
                       struct fuzz_input *in)
{
    switch (what) {
    case 6:
        peer_close(p, arg & 1);
        peer_open(p, listener_port(world.listener),
                  address + (arg & 2 ? 0 : (uint32_t)(p - peers)), arg & 4,
                  now);
        break;
    case 7:
        stop_or_go(p, arg);
        break;
    case 8:
        ask(p, arg + (fuzz_byte(in) & 48));
        break;
    case 9:
        ask_poll(p, arg, fuzz_byte(in));
        break;
    case 10:
        upgrade(p, arg, (const uint8_t *)"", 0);
        break;
    case 11:
        message(p, arg, "phx_join", (const uint8_t *)"{}", 2);
        break;
    case 12:
        type(p, arg, fuzz_byte(in));
        break;
    case 13:
        peer_flush(p, arg, now);
        break;
    case 14:
        manage(fuzz_byte(in));
        break;
    default:
        advance((uint64_t)arg * arg);
        break;
    }
}

static void step(struct fuzz_input *in)
{
    uint8_t what = fuzz_byte(in) % 16, where = fuzz_byte(in);
    struct peer *p = &peers[where % PEERS];
    uint8_t arg = where / PEERS;
    if (what < 6) {
        size_t len = 0;
        uint8_t *piece = fuzz_piece(in, &len);
        piece_step(p, what, arg, piece, len);
        free(piece);
    } else {
        plain_step(p, what, arg, in);
    }
    if (!p->corked)
        peer_flush(p, SIZE_MAX, now);
    settle();
}

/* the end */

static uint64_t gauge(enum counter_id id)
{
    return world.counters.value[id];
}

static void nothing_is_left(void)
{
    static const enum counter_id gauges[] = {
        COUNTER_CONNECTIONS_HEAD, COUNTER_CONNECTIONS_HTTP,
        COUNTER_CONNECTIONS_WS,   COUNTER_CONNECTIONS_LP,
        COUNTER_POLLS_PARKED,     COUNTER_MEMBERS,
        COUNTER_ROOMS,            COUNTER_DOCUMENT_BYTES,
        COUNTER_DOCUMENTS_RESTING, COUNTER_ADDRESSES,
        COUNTER_FLAPPING};
    for (size_t i = 0; i < sizeof gauges / sizeof *gauges; i++)
    {
        if (gauge(gauges[i]))
            fprintf(stderr, "gauge %d is %d\n", (int)gauges[i],
                    (int)gauge(gauges[i]));
        FUZZ_ASSERT(gauge(gauges[i]) == 0);
    }
    FUZZ_ASSERT(ws_count(world.ws) == 0 && http_requests(world.http) == 0);
    FUZZ_ASSERT(registry_rooms(world.sessions.rooms) == 0);
    FUZZ_ASSERT(world.wheel.count == 0);
}

/* One bit for each descriptor that is open. */
static uint64_t descriptors(void)
{
    uint64_t open = 0;
    for (int fd = 0; fd < DESCRIPTORS; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            open |= (uint64_t)1 << fd;
    return open;
}

static void leave(void)
{
    for (int i = 0; i < PEERS; i++)
        peer_close(&peers[i], i & 1);
    settle();
    world.env.draining = world.env.shedding = false;
    registry_press(world.sessions.rooms, false, false);
    /* What was sent before the end is read no faster than the rates allow. */
    for (int i = 0; gauge(COUNTER_MEMBERS) && i < LEAVING_S; i++)
        advance(1000);
    for (int i = 0; i < 12; i++)
        advance(1000);
    nothing_is_left();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    uint8_t set = fuzz_byte(&in);
    /* The fuzzer has some of its own, that come and go between inputs. */
    uint64_t before = world.open ? descriptors() : 0;
    randomness = 1;
    if (!world.open)
        open_world();
    settings(set);
    for (int i = 0; i < PEERS; i++)
        peer_init(&peers[i]);
    memset(peer_tokens, 0, sizeof peer_tokens);
    memset(clocks, 0, sizeof clocks);
    peer_tokens_seen = 0;
    address += 8;
    if (address >> 24 != 0x7f)
        address = 0x7f000101;
    for (int i = 0; in.left > 0 && i < STEPS_MAX; i++)
        step(&in);
    if (world.ends) {
        close_world();
        for (int i = 0; i < PEERS; i++)
            peer_close(&peers[i], false);
        return 0;
    }
    leave();
    if (before)
        FUZZ_ASSERT(descriptors() == before);
    return 0;
}
