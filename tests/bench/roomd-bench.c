/* SPDX-License-Identifier: MIT */
/*
 * A load on a running server, measured from outside: any server that speaks
 * Phoenix's socket protocol, or nchan. Opens connections in rooms, sends real
 * Yjs updates, and tells what became of each of them.
 *
 * How it keeps itself honest:
 *   - Each delivery is counted against what was sent, room by room; missing
 *     ones are reported, never averaged away.
 *   - The server's memory and CPU time are the kernel's numbers for --pid.
 *   - It says how much CPU it used itself: near the wall time it was the
 *     bottleneck, and rates are its own. The server's CPU time still counts.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>

struct bench bench = {
    .opt = {.host = "127.0.0.1",
            .port = 4000,
            .topic = "room:bench-",
            .connections = 100,
            .room_size = 10,
            .channels = 1,
            .rate = 100,
            .seconds = 5,
            .bytes = 100},
};

static void usage(void)
{
    puts("usage: roomd-bench [options]\n"
         "  --host ADDRESS     IPv4, default 127.0.0.1\n"
         "  --port N           default 4000\n"
         "  --pid N[,N]        the server, for its memory and CPU time\n"
         "  --wire FORM        yjs (V2, binary; default), update (V2, JSON),\n"
         "                     v1 (V1, JSON), nchan (raw; /ws/N, /lp/N, /pub/N)\n"
         "  --longpoll         by HTTP long-poll instead of WebSockets\n"
         "  --connections N    default 100\n"
         "  --room-size N      members of each room, default 10\n"
         "  --channels N       topics joined by each connection, default 1\n"
         "  --topic PREFIX     default room:bench-\n"
         "  --connect-rate N   connections a second; default: 128 in flight\n"
         "  --rate N           updates a second of all rooms; 0: none\n"
         "  --window N         instead: N updates under way in each room\n"
         "  --senders N        members of a room that send; default: all\n"
         "  --seconds N        default 5\n"
         "  --bytes N          text in one update, 23 to 4000, default 100\n"
         "  --document MB      fills the one room before the others join\n"
         "  --touch            one update in each room first\n"
         "  --wait SECONDS     do nothing before the next\n"
         "  --idle SECONDS     watch the server do nothing\n"
         "  --leave            close all at the end, look at memory until 95 %\n"
         "                     of its growth is gone, 24 s at most\n"
         "  --json             the result as one line of JSON, nothing else");
}

static void set_wire(const char *value)
{
    static const char *const names[] = {"yjs", "update", "v1", "nchan"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(value, names[i]) == 0) {
            bench.opt.wire = (enum wire)i;
            return;
        }
    }
    die("--wire wants yjs, update, v1 or nchan");
}

static bool set_flag(const char *name)
{
    struct options *o = &bench.opt;
    const struct {
        const char *name;
        bool *value;
    } flags[] = {{"--longpoll", &o->longpoll},
                 {"--leave", &o->leave},
                 {"--touch", &o->touch},
                 {"--json", &o->json}};

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (strcmp(name, flags[i].name) == 0)
            return *flags[i].value = true;
    }
    return false;
}

static bool set_value(const char *name, const char *value)
{
    struct options *o = &bench.opt;
    const struct {
        const char *name;
        int *whole;
        double *real;
        const char **text;
    } all[] = {{"--host", .text = &o->host},
               {"--pid", .text = &o->pids},
               {"--topic", .text = &o->topic},
               {"--port", .whole = &o->port},
               {"--connections", .whole = &o->connections},
               {"--room-size", .whole = &o->room_size},
               {"--channels", .whole = &o->channels},
               {"--senders", .whole = &o->senders},
               {"--window", .whole = &o->window},
               {"--bytes", .whole = &o->bytes},
               {"--connect-rate", .whole = &o->connect_rate},
               {"--rate", .real = &o->rate},
               {"--seconds", .real = &o->seconds},
               {"--document", .real = &o->document},
               {"--wait", .real = &o->wait},
               {"--idle", .real = &o->idle}};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (strcmp(name, all[i].name) != 0)
            continue;
        if (all[i].whole)
            *all[i].whole = (int)strtol(value, NULL, 10);
        else if (all[i].real)
            *all[i].real = strtod(value, NULL);
        else
            *all[i].text = value;
        return true;
    }
    return false;
}

static void parse(int argc, char **argv)
{
    struct options *o = &bench.opt;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            usage();
            exit(0);
        }
        if (set_flag(argv[i]))
            continue;
        if (i + 1 == argc)
            die("%s: unknown, or its value is missing; see --help", argv[i]);
        if (strcmp(argv[i], "--wire") == 0)
            set_wire(argv[i + 1]);
        else if (!set_value(argv[i], argv[i + 1]))
            die("unknown option %s", argv[i]);
        i++;
    }
    if (o->connections < 1 || o->room_size < 1 || o->channels < 1 ||
        o->connections % o->room_size != 0 || o->senders > o->room_size)
        die("--connections must be a multiple of --room-size, and senders "
            "members");
    if (o->bytes < STAMP_BYTES || o->bytes > 4000)
        die("--bytes: 23 to 4000");
    if (o->wire == WIRE_NCHAN && o->channels != 1)
        die("nchan has one room a connection");
    if (o->longpoll && o->wire == WIRE_YJS)
        o->wire = WIRE_UPDATE;
}

static void prepare(void)
{
    struct options *o = &bench.opt;
    struct rlimit files;

    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    bench.epoll = epoll_create1(EPOLL_CLOEXEC);
    bench.room_count =
        (uint32_t)(o->connections / o->room_size * o->channels);
    bench.fan = (uint32_t)o->room_size - (o->wire == WIRE_NCHAN ? 0 : 1);
    bench.conns = zalloc((size_t)o->connections, sizeof *bench.conns);
    bench.rooms = zalloc(bench.room_count, sizeof *bench.rooms);
}

/* ---- the report ---- */

struct result {
    struct usage start, connected, idle_from, idle_to, sent, left;
    double left_s;
    struct usage memory_joined, memory_end;
    double connect_s, run_s, own_s;
    uint64_t sent_in_run, in_time, delivered, expected;
};

static const char *sep = "{";

static void field(const char *name, double value)
{
    printf("%s\"%s\":%.10g", sep, name, value);
    sep = ",";
}

static void print_json(const struct result *r)
{
    const struct options *o = &bench.opt;
    double cpu = r->sent.cpu_s - r->idle_to.cpu_s;

    field("connections", o->connections);
    field("room_size", o->room_size);
    field("rooms", bench.room_count);
    field("joined", (double)bench.joined);
    field("failed", (double)bench.dead);
    field("connect_s", r->connect_s);
    field("connect_rate", o->connections / r->connect_s);
    field("connect_cpu_s", r->connected.cpu_s - r->start.cpu_s);
    field("join_p50_ms", histogram_at(&bench.join_due, 0.5));
    field("join_p99_ms", histogram_at(&bench.join_due, 0.99));
    field("join_max_ms", (double)bench.join_due.max_us / 1e3);
    field("pss_start_kib", r->start.pss_kib);
    field("pss_joined_kib", r->memory_joined.pss_kib);
    field("pss_end_kib", r->memory_end.pss_kib);
    field("rss_start_kib", r->start.rss_kib);
    field("bytes_per_connection",
          (r->memory_joined.pss_kib - r->start.pss_kib) * 1024 /
              o->connections);
    field("bytes_per_room",
          (r->memory_joined.pss_kib - r->start.pss_kib) * 1024 /
              bench.room_count);
    if (o->idle > 0)
        field("idle_cpu_percent",
              (r->idle_to.cpu_s - r->idle_from.cpu_s) / o->idle * 100);
    if (r->run_s > 0) {
        field("run_s", r->run_s);
        field("updates", (double)r->sent_in_run);
        field("delivered", (double)r->delivered);
        field("expected", (double)r->expected);
        field("lost", (double)r->expected - (double)r->delivered);
        field("strays", (double)bench.strays);
        field("deliveries_per_s", (double)r->in_time / r->run_s);
        field("mb_per_s", (double)bench.bytes_in / 1e6 / r->run_s);
        field("cpu_s", cpu);
        field("cpu_percent", cpu / r->run_s * 100);
        if (cpu > 0)
            field("deliveries_per_cpu_s", (double)r->in_time / cpu);
        if (cpu > 0)
            field("updates_per_cpu_s", (double)r->sent_in_run / cpu);
        field("p50_ms", histogram_at(&bench.latency, 0.5));
        field("p99_ms", histogram_at(&bench.latency, 0.99));
        field("p999_ms", histogram_at(&bench.latency, 0.999));
        field("max_ms", (double)bench.latency.max_us / 1e3);
        field("bench_cpu_percent", r->own_s / r->run_s * 100);
    }
    if (o->leave) {
        field("pss_left_kib", r->left.pss_kib);
        field("left_s", r->left_s);
    }
    puts("}");
}

static void print_table(const struct result *r)
{
    const struct options *o = &bench.opt;
    double cpu = r->sent.cpu_s - r->idle_to.cpu_s;

    printf("connected   %llu of %d in %.2f s: %.0f/s, %.3f s of server CPU; "
           "join p50 %.2f p99 %.2f ms\n",
           (unsigned long long)bench.joined, o->connections, r->connect_s,
           o->connections / r->connect_s,
           r->connected.cpu_s - r->start.cpu_s,
           histogram_at(&bench.join_due, 0.5),
           histogram_at(&bench.join_due, 0.99));
    printf("memory      PSS %.0f -> %.0f KiB: %.0f bytes a connection, %.0f "
           "a room\n",
           r->start.pss_kib, r->memory_joined.pss_kib,
           (r->memory_joined.pss_kib - r->start.pss_kib) * 1024 /
               o->connections,
           (r->memory_joined.pss_kib - r->start.pss_kib) * 1024 /
               bench.room_count);
    if (o->idle > 0)
        printf("idle        %.3f %% of a core\n",
               (r->idle_to.cpu_s - r->idle_from.cpu_s) / o->idle * 100);
    if (r->run_s > 0) {
        printf("sent        %llu updates in %.2f s; %llu of %llu delivered, "
               "%llu astray\n",
               (unsigned long long)r->sent_in_run, r->run_s,
               (unsigned long long)r->delivered,
               (unsigned long long)r->expected,
               (unsigned long long)bench.strays);
        printf("deliveries  %.0f/s, %.0f per CPU second of the server "
               "(%.0f %% of a core; this program %.0f %%)\n",
               (double)r->in_time / r->run_s,
               cpu > 0 ? (double)r->in_time / cpu : 0, cpu / r->run_s * 100,
               r->own_s / r->run_s * 100);
        printf("server      %.3f CPU seconds, PSS %.0f KiB at the end\n", cpu,
               r->memory_end.pss_kib);
        printf("latency     p50 %.2f, p99 %.2f, p99.9 %.2f, max %.2f ms\n",
               histogram_at(&bench.latency, 0.5),
               histogram_at(&bench.latency, 0.99),
               histogram_at(&bench.latency, 0.999),
               (double)bench.latency.max_us / 1e3);
    }
    if (o->leave)
        printf("left        PSS %.0f KiB after %.0f s\n", r->left.pss_kib,
               r->left_s);
}

/* The server gives memory back in its own time: look until it has. */
static void leave(struct result *r)
{
    enum { MOST_S = 24, STEP_S = 2 };
    double grown = r->memory_joined.pss_kib - r->start.pss_kib;
    uint64_t joined = bench.joined, dead = bench.dead;

    load_leave();
    do {
        load_idle(STEP_S);
        r->left_s += STEP_S;
        r->left = usage_now(true);
    } while (r->left.pss_kib > r->start.pss_kib + grown / 20 &&
             r->left_s < MOST_S);
    bench.joined = joined;
    bench.dead = dead;
}

static void run(struct result *r)
{
    const struct options *o = &bench.opt;

    r->start = usage_now(true);
    uint64_t began = now_ns();
    load_connect();
    r->connect_s = (double)(now_ns() - began) / 1e9;
    r->connected = usage_now(false);
    load_settle(0.3);
    if (o->touch) {
        load_touch();
        load_settle(1.2); /* the server gives its caches back */
    }
    if (o->wait > 0)
        load_idle(o->wait);
    r->idle_from = usage_now(false);
    if (o->idle > 0)
        load_idle(o->idle);
    r->idle_to = usage_now(false);
    r->memory_joined = usage_now(true);
    r->sent = r->idle_to;
    if (o->rate > 0 || o->window) {
        uint64_t sent = bench.sent, delivered = bench.delivered;
        double own = own_cpu_s();
        bench.bytes_in = 0;
        r->run_s = load_run(&r->in_time, &r->sent);
        r->own_s = own_cpu_s() - own;
        r->sent_in_run = bench.sent - sent;
        r->delivered = bench.delivered - delivered;
        r->expected = load_expected() - delivered;
    }
    r->memory_end = usage_now(true);
    if (o->leave)
        leave(r);
}

int main(int argc, char **argv)
{
    struct result r = {0};

    parse(argc, argv);
    prepare();
    run(&r);
    if (!bench.opt.json)
        print_table(&r);
    print_json(&r);
    return r.delivered == r.expected && bench.dead == 0 && !bench.strays ? 0
                                                                         : 1;
}
