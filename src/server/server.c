/* SPDX-License-Identifier: MIT */
/*
 * The daemon: see server.h. Must never keep a second loop or a thread, or let
 * the loop sleep while something is still to be written.
 *
 * One turn of the loop:
 *
 *   timers      tick: the wheel's deadlines, rooms, awareness
 *   prepare     on_turn: MHD runs, queues are written, ends are reaped; again
 *               until nothing is left, since each may make work for the other
 *   poll        sockets, which only queue
 *
 * Order of the end [what the libraries ask for]: no new connections; every
 * suspended request resumed, MHD run and stopped; libwebsockets destroyed;
 * rooms; our own handles; then the loop runs until it is empty.
 */
#include "server/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <uv.h>

#include "base/buf.h"
#include "base/counters.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/wheel.h"
#include "channel/session.h"
#include "room/registry.h"
#include "server/config.h"
#include "server/doctor.h"
#include "server/drain.h"
#include "server/metrics.h"
#include "server/pressure.h"
#include "server/privileges.h"
#include "server/status.h"
#include "transport/env.h"
#include "transport/flap.h"
#include "transport/http.h"
#include "transport/listen.h"
#include "transport/poller.h"
#include "transport/static.h"
#include "transport/upgrade.h"
#include "transport/ws.h"

enum {
    TICK_MS = 50,
    ROUNDS_PER_TURN = 16,
    SHED_PER_TICK = 16,
    MEMORY_RESERVE = 1 << 20,
    SECOND_SIGNAL_MS = 500,
    OTHER_DESCRIPTORS = 128, /* files, epolls, log, reserve; who is told no */
    RANDOM_SECRET_BYTES = 64
};

enum { SIGNALS = 3 };

struct server {
    uv_loop_t loop;
    uv_timer_t tick;
    uv_prepare_t turn;
    uv_idle_t again;
    uv_signal_t signals[SIGNALS];
    struct server_options options;
    struct config config;
    struct counters counters;
    struct wheel wheel;
    struct registry *registry;
    struct session_env sessions;
    struct transport_env env;
    struct poller *poller;
    struct static_files *files;
    struct ws *ws;
    struct http *http;
    struct listener *listener;
    struct drain drain;
    struct pressure pressure;
    struct lag_histogram lag;
    uint64_t started_ms, tick_due_us;
    int front_status; /* of the front page, to who may open it */
    bool stopping;
};

/* settings */

static uint64_t descriptors(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 1024;
}

static size_t connections_possible(const struct config *c)
{
    uint64_t most = descriptors();
    most = most > 2 * OTHER_DESCRIPTORS ? most - OTHER_DESCRIPTORS : most / 2;
    most = most / 9 * 8; /* listen.c accepts an eighth more, to say no */
    if (c->connections <= most)
        return c->connections;
    log_info("connections lowered to what descriptors allow",
             LOG_INT("connections", most),
             LOG_INT("descriptors", descriptors()));
    return most;
}

static enum visitors_scope scope_of(const char *word)
{
    return strcmp(word, "all") == 0   ? VISITORS_ALL
           : strcmp(word, "off") == 0 ? VISITORS_OFF
                                      : VISITORS_REMOTE;
}

static void apply_transport(struct server *s)
{
    const struct config *c = &s->config;
    s->env.limits = (struct transport_limits){
        .connections = connections_possible(c),
        .longpoll_sessions = c->longpoll_sessions,
        .head_bytes = c->head_bytes,
        .frame_bytes = c->frame_bytes,
        .body_bytes = c->body_bytes,
        .line_bytes = c->line_bytes,
        .poll_bytes = c->poll_bytes,
        .queue_bytes = c->queue_bytes,
        .gzip_bytes = c->gzip_bytes,
        .gzip_max_bytes = c->gzip_max_bytes,
        .head_ms = c->head_timeout,
        .request_ms = c->request_timeout,
        .response_ms = c->response_timeout,
        .keepalive_ms = c->keepalive_timeout,
        .idle_ms = c->idle_timeout,
        .message_ms = c->message_timeout,
        .close_ms = c->close_timeout,
        .window_ms = c->longpoll_window,
        .session_ms = c->longpoll_session,
        .flap_deaths = c->flap_deaths,
        .flap_life_ms = c->flap_life,
        .flap_window_ms = c->flap_window,
        .flap_memory_ms = c->flap_memory,
        .flap_clients = c->flap_clients,
        .address = {.scope = scope_of(c->address_limits),
                    .connections = c->address_connections,
                    .opens = {c->address_opens, c->address_opens_burst}},
    };
    pressure_set(&s->pressure, c->memory_bytes);
    counter_set(&s->counters, COUNTER_MEMORY_CEILING, s->pressure.ceiling);
    address_list_deinit(&s->env.clients.trusted);
    if (!address_list_init(&s->env.clients.trusted, c->trusted_proxies))
        abort(); /* config_load has tried it */
    s->env.clients.header = strcmp(c->forwarded_header, "forwarded") == 0
                                ? CLIENT_FORWARDED
                                : CLIENT_X_FORWARDED_FOR;
    s->env.doctor = strcmp(c->doctor, "on") == 0;
    s->env.clients.proxy_protocol = strcmp(c->proxy_protocol, "on") == 0;
    origin_policy_deinit(&s->env.origin);
    if (!origin_policy_init(&s->env.origin, c->check_origin, c->hostname))
        abort(); /* config_load has tried it */
}

static void room_limits(const struct config *c, struct room_limits *out)
{
    room_limits_default(out);
    out->rooms = c->rooms;
    out->members = c->members_per_room;
    out->presence_rate = c->presence_rate;
    out->document_bytes = c->document_bytes;
    out->update_bytes = c->update_bytes;
    out->pending_bytes = c->pending_bytes;
    out->update_conflicts = c->update_conflicts;
    out->awareness_bytes = c->awareness_bytes;
    out->awareness_state_bytes = c->awareness_state_bytes;
    out->awareness_clients = c->awareness_clients;
    out->awareness_tombstones = c->awareness_tombstones;
    out->rest_ms = (uint32_t)c->document_rest;
    out->rest_bytes = c->document_rest_bytes;
    out->empty_ms = (uint32_t)c->room_empty;
    out->awareness_timeout_ms = (uint32_t)c->awareness_timeout;
    out->awareness_grace_ms = (uint32_t)c->awareness_grace;
}

static void apply_log(const struct config *c)
{
    static const char *const levels[] = {"debug", "info", "warning", "error"};
    int level = 0;
    while (strcmp(levels[level], c->log_level) != 0)
        level++;
    log_setup((enum log_level)level,
              strcmp(c->log_format, "json") == 0 ? LOG_JSON : LOG_TEXT);
}

static void apply_sessions(struct server *s)
{
    s->sessions.limits = (struct session_limits){
        .channels = s->config.channels_per_socket,
        .topic_bytes = s->config.topic_bytes,
        .json_depth = s->config.json_depth,
        .messages = {s->config.client_messages,
                     s->config.client_messages_burst},
        .bytes = {s->config.client_bytes, s->config.client_bytes_burst},
    };
}

static void on_changed(const char *key)
{
    log_info("setting changed", LOG_Z("key", key));
}

static void on_needs_restart(const char *key)
{
    log_warning("setting needs a restart", LOG_Z("key", key));
}

static void reload(struct server *s)
{
    struct config fresh;
    struct room_limits limits;
    char error[CONFIG_ERROR_MAX];
    if (!config_load(&fresh, s->options.config_file, s->options.overrides,
                     s->options.override_count, error)) {
        log_error("reload failed", LOG_Z("error", error));
        return;
    }
    config_reload(&s->config, &fresh, on_changed, on_needs_restart);
    config_deinit(&fresh);
    apply_log(&s->config);
    apply_transport(s);
    apply_sessions(s);
    room_limits(&s->config, &limits);
    registry_set_limits(s->registry, &limits);
    counter_inc(&s->counters, COUNTER_RELOADS);
    log_info("reloaded");
}

static void make_token_key(struct server *s)
{
    uint8_t instance[TOKEN_INSTANCE_BYTES];
    uint8_t random[RANDOM_SECRET_BYTES];
    const char *secret = s->config.secret_key_base;
    env_random(instance, sizeof instance);
    if (secret[0]) {
        token_key_init(&s->env.token, secret, strlen(secret), TRANSPORT_MOUNT,
                       instance);
        return;
    }
    log_warning("SECRET_KEY_BASE is not set, a random one is used");
    env_random(random, sizeof random);
    token_key_init(&s->env.token, random, sizeof random, TRANSPORT_MOUNT,
                   instance);
    explicit_bzero(random, sizeof random);
}

/* pages */

static int status_page(struct buf *out, bool ok, const char *status)
{
    buf_printf(out, "{\"status\":\"%s\"}\n", status);
    return ok ? 200 : 503;
}

static int on_health(void *arg, const struct http_asker *asker,
                     struct buf *out)
{
    (void)arg;
    (void)asker;
    return status_page(out, true, "ok");
}

static int on_ready(void *arg, const struct http_asker *asker,
                     struct buf *out)
{
    const struct server *s = arg;
    (void)asker;
    return status_page(out, !s->drain.begun,
                       s->drain.begun ? "draining" : "ok");
}

static struct metrics_state metrics_state(const struct server *s)
{
    return (struct metrics_state){
        .counters = &s->counters,
        .lag = &s->lag,
        .uptime_ms = uv_now(&s->loop) - s->started_ms,
        .draining = s->drain.begun,
    };
}

static int on_metrics(void *arg, const struct http_asker *asker,
                     struct buf *out)
{
    struct metrics_state state = metrics_state(arg);
    (void)asker;
    metrics_render(&state, out);
    return 200;
}

static int on_stats(void *arg, const struct http_asker *asker,
                     struct buf *out)
{
    struct metrics_state state = metrics_state(arg);
    (void)asker;
    status_stats(&state, out);
    return 200;
}

static int on_status(void *arg, const struct http_asker *asker,
                     struct buf *out)
{
    const struct server *s = arg;
    struct metrics_state state = metrics_state(s);
    switch (status_access(s->config.status_key, asker->head)) {
    case STATUS_ALLOWED:
        status_render(&state, s->registry, out);
        return 200;
    case STATUS_REFUSED:
        buf_puts(out, "{\"error\":\"key required\"}\n");
        return 403;
    case STATUS_OFF:
    default:
        buf_puts(out, "{\"error\":\"off\"}\n");
        return 404;
    }
}

static int on_doctor(void *arg, const struct http_asker *asker,
                     struct buf *out)
{
    const struct server *s = arg;
    doctor_render(&s->env, asker, out);
    return 200;
}

static const struct http_page pages[] = {
    {"/doctor.json", "application/json", on_doctor},
    {"/health", "application/json", on_health},
    {"/ready", "application/json", on_ready},
    {"/metrics", METRICS_TYPE, on_metrics},
    {"/metrics.json", "application/json", on_status},
    {"/stats.json", "application/json", on_stats},
    {NULL, NULL, NULL},
};

/* turns and ticks */

static void stop(struct server *s);

static void on_again(uv_idle_t *handle)
{
    (void)handle; /* its being active keeps the loop from sleeping */
}

static void on_turn(uv_prepare_t *handle)
{
    struct server *s = handle->data;
    bool busy = true;
    for (int i = 0; busy && i < ROUNDS_PER_TURN; i++) {
        busy = http_turn(s->http);
        busy |= ws_turn(s->ws);
    }
    if (busy)
        uv_idle_start(&s->again, on_again);
    else
        uv_idle_stop(&s->again);
}

static void step_drain(struct server *s, uint64_t now)
{
    size_t some = drain_step(&s->drain, now, ws_count(s->ws));
    if (some) {
        if (!s->env.draining)
            registry_drain(s->registry);
        s->env.draining = true;
        size_t sockets = ws_close_some(s->ws, some, 1012);
        size_t sessions = http_end_sessions(s->http, some);
        if (sockets + sessions == 0)
            listener_stop(s->listener);
    }
    if (drain_over(&s->drain, now,
                   ws_count(s->ws) + http_requests(s->http) +
                       listener_awaited(s->listener)))
        stop(s);
}

/* Clients that hold much are ended until what is over the ceiling is gone. */
static void relieve(struct server *s, uint64_t now)
{
    enum pressure_level level =
        pressure_measure(&s->pressure, now, mem_was_short());
    uint64_t excess = pressure_excess(&s->pressure);
    if (level == PRESSURE_NONE && !s->env.shedding)
        return;
    s->env.shedding = level != PRESSURE_NONE;
    registry_press(s->registry, level != PRESSURE_NONE,
                   level == PRESSURE_FULL);
    for (int i = 0; i < SHED_PER_TICK && excess > 0; i++) {
        uint64_t freed = ws_shed(s->ws);
        freed += http_shed(s->http);
        if (!freed)
            return;
        excess -= freed < excess ? freed : excess;
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct server *s = timer->data;
    uint64_t now = uv_now(&s->loop), at_us = uv_hrtime() / 1000;
    lag_add(&s->lag, at_us > s->tick_due_us ? at_us - s->tick_due_us : 0);
    s->tick_due_us = at_us + TICK_MS * 1000;
    wheel_advance(&s->wheel, now);
    registry_tick(s->registry, now);
    relieve(s, now);
    if (s->drain.begun)
        step_drain(s, now);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct server *s = handle->data;
    if (number == SIGHUP) {
        reload(s);
        return;
    }
    /* One intent may come as two signals: to us, and to our group. */
    if (s->drain.begun &&
        uv_now(&s->loop) - s->drain.begun_at < SECOND_SIGNAL_MS)
        return;
    if (s->drain.begun) {
        log_warning("ended by a second signal", LOG_INT("signal", number));
        _exit(128 + number);
    }
    log_info("draining", LOG_INT("signal", number),
             LOG_INT("websockets", ws_count(s->ws)));
    drain_begin(&s->drain, uv_now(&s->loop), s->config.drain_delay,
                s->config.drain_timeout);
}

/* sockets */

static void on_websocket(void *arg, int fd, const struct connect_params *params)
{
    struct server *s = arg;
    ws_adopt(s->ws, fd, params);
}

static void on_http(void *arg, int fd, const struct listener_request *request)
{
    struct server *s = arg;
    http_adopt(s->http, fd, request);
}

static void on_parted(void *arg, void *keep, bool reset)
{
    struct server *s = arg;
    http_parted(s->http, keep, reset);
}

static const struct listener_ops listener_callbacks = {
    .websocket = on_websocket,
    .http = on_http,
    .parted = on_parted,
};

/* the start */

static struct static_files *open_files(const struct config *c)
{
    static const char *const usual[] = {ROOMD_WWW_DIR, "./www/dist"};
    struct static_files *files;
    if (c->www[0]) {
        files = static_new(c->www);
        if (!files)
            log_error("www cannot be opened", LOG_Z("path", c->www),
                      LOG_Z("error", strerror(errno)));
        return files;
    }
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        files = static_new(usual[i]);
        if (files)
            return files;
    }
    log_warning("no static files", LOG_Z("path", ROOMD_WWW_DIR));
    return NULL;
}

static uint64_t unix_offset(uint64_t now)
{
    struct timespec real;
    clock_gettime(CLOCK_REALTIME, &real);
    return (uint64_t)real.tv_sec * 1000 +
           (uint64_t)real.tv_nsec / 1000000 - now;
}

static void start_rooms(struct server *s)
{
    uint64_t now = uv_now(&s->loop);
    struct registry_options options = {
        .counters = &s->counters,
        .now_ms = now,
        .unix_offset_ms = unix_offset(now),
    };
    env_random(options.seed, sizeof options.seed);
    room_limits(&s->config, &options.limits);
    s->registry = registry_new(&options);
    s->sessions.rooms = s->registry;
    s->sessions.counters = &s->counters;
    apply_sessions(s);
}

static bool start_transports(struct server *s)
{
    const struct config *c = &s->config;
    s->env.loop = &s->loop;
    s->env.wheel = &s->wheel;
    s->env.counters = &s->counters;
    s->env.sessions = &s->sessions;
    apply_transport(s);
    s->env.visitors = visitors_new(&s->env.limits.address, &s->env.clients,
                                   &s->counters, &s->wheel);
    make_token_key(s);
    s->env.flap = flap_new(&s->env);
    s->files = open_files(c);
    if (c->www[0] && !s->files)
        return false;
    s->poller = poller_new(&s->loop);
    s->ws = s->poller ? ws_new(&s->env) : NULL;
    if (!s->ws) {
        log_error("libwebsockets cannot start");
        return false;
    }
    struct http_options options = {.env = &s->env,
                                   .poller = s->poller,
                                   .ws = s->ws,
                                   .files = s->files,
                                   .policy = c->www_policy,
                                   .pages = pages,
                                   .pages_arg = s};
    if (!http_new(&options, &s->http)) {
        log_error("libmicrohttpd cannot start");
        return false;
    }
    s->listener = listener_new(&s->env, s->poller, c->bind, (uint16_t)c->port,
                               &listener_callbacks, s);
    if (s->listener) {
        http_set_listener(s->http, s->listener);
        return true;
    }
    log_error("cannot listen", LOG_Z("bind", c->bind),
              LOG_INT("port", c->port), LOG_Z("error", strerror(errno)));
    return false;
}

static void start_handles(struct server *s)
{
    static const int numbers[SIGNALS] = {SIGTERM, SIGINT, SIGHUP};
    uv_timer_init(&s->loop, &s->tick);
    uv_prepare_init(&s->loop, &s->turn);
    uv_idle_init(&s->loop, &s->again);
    s->tick.data = s->turn.data = s;
    uv_timer_start(&s->tick, on_tick, TICK_MS, TICK_MS);
    uv_prepare_start(&s->turn, on_turn);
    for (int i = 0; i < SIGNALS; i++) {
        uv_signal_init(&s->loop, &s->signals[i]);
        s->signals[i].data = s;
        uv_signal_start(&s->signals[i], on_signal, numbers[i]);
    }
    s->tick_due_us = uv_hrtime() / 1000 + TICK_MS * 1000;
}

static int front_page(const struct server *s)
{
    struct static_file page;
    if (!s->files)
        return 0;
    int status = static_open(s->files, (struct http_span){"/", 1},
                             (struct http_span){"", 0}, &page);
    if (status == 200)
        close(page.fd);
    return status;
}

/* What is read again while we serve: by SIGHUP, and by who loads a page. */
static bool can_read(void *arg)
{
    const struct server *s = arg;
    const char *file = s->options.config_file;
    return (!file || access(file, R_OK) == 0) &&
           front_page(s) == s->front_status;
}

/* The port is open, the pages are. */
static bool give_up_privileges(struct server *s)
{
    s->front_status = front_page(s);
    return privileges_drop(s->config.user, can_read, s);
}

/* One line on stdout for scripts, one in the log. */
static void announce(struct server *s)
{
    uint16_t port = listener_port(s->listener);
    log_info("listening", LOG_Z("bind", s->config.bind),
             LOG_INT("port", port), LOG_Z("version", PACKAGE_VERSION));
    printf("listening on http://localhost:%u\n", port);
    fflush(stdout);
}

/* the end */

static void stop(struct server *s)
{
    if (s->stopping)
        return;
    s->stopping = true;
    log_info("stopping", LOG_INT("websockets", ws_count(s->ws)));
    uv_stop(&s->loop);
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void tear_down(struct server *s)
{
    listener_free(s->listener);
    http_stop(s->http);
    ws_stop(s->ws);
    poller_close(s->poller);
    if (s->tick.data) { /* start_handles was reached */
        close_handle((uv_handle_t *)&s->tick);
        close_handle((uv_handle_t *)&s->turn);
        close_handle((uv_handle_t *)&s->again);
        for (int i = 0; i < SIGNALS; i++)
            close_handle((uv_handle_t *)&s->signals[i]);
    }
    uv_run(&s->loop, UV_RUN_DEFAULT);
    http_free(s->http);
    ws_free(s->ws);
    registry_free(s->registry);
    visitors_free(s->env.visitors);
    pressure_deinit(&s->pressure);
    static_free(s->files);
    origin_policy_deinit(&s->env.origin);
    flap_free(s->env.flap);
    address_list_deinit(&s->env.clients.trusted);
    config_deinit(&s->config);
    explicit_bzero(&s->env.token, sizeof s->env.token);
    if (uv_loop_close(&s->loop) != 0)
        log_error("handles left on the loop");
}

int server_run(const struct server_options *options)
{
    struct server *s = mem_zalloc(sizeof *s);
    int code = EXIT_FAILURE;
    s->options = *options;
    s->config = *options->config;
    if (uv_loop_init(&s->loop) != 0)
        abort();
    s->started_ms = uv_now(&s->loop);
    apply_log(&s->config);
    wheel_init(&s->wheel, s->started_ms);
    pressure_init(&s->pressure);
    mem_reserve(MEMORY_RESERVE);
    start_rooms(s);
    if (start_transports(s) && give_up_privileges(s)) {
        start_handles(s);
        announce(s);
        uv_run(&s->loop, UV_RUN_DEFAULT);
        code = EXIT_SUCCESS;
    }
    tear_down(s);
    mem_reserve(0);
    free(s);
    if (code == EXIT_SUCCESS)
        log_info("stopped");
    return code;
}
