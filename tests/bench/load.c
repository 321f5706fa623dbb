/* SPDX-License-Identifier: MIT */
/*
 * The phases of a run: connect, settle, send, idle, leave.
 *
 * With a rate, updates are sent by the clock, not when the last one has
 * arrived, and carry the time they were due: a stalled server shows as
 * latency. Flat out, each room has a window of updates under way and sends the
 * next when one has reached everybody: what then shows is throughput.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

enum { IN_FLIGHT = 128, HEARTBEAT_S = 25 };
static const uint64_t SECOND = 1000000000u;

static void heartbeats(void)
{
    static uint64_t next;
    uint64_t now = now_ns();

    if (next == 0)
        next = now + HEARTBEAT_S * SECOND;
    if (now < next)
        return;
    next = now + HEARTBEAT_S * SECOND;
    for (int i = 0; i < bench.opt.connections; i++) {
        if (bench.conns[i].state == JOINED)
            send_heartbeat(&bench.conns[i]);
    }
}

static void wait_until(uint64_t at)
{
    for (uint64_t now = now_ns(); now < at; now = now_ns()) {
        heartbeats();
        net_turn(at - now < SECOND ? (int64_t)((at - now) / 1000) : 1000000);
    }
}

/* ---- connect ---- */

static void open_one(uint32_t index, uint64_t due)
{
    struct conn *c = &bench.conns[index];

    c->clocks = zalloc((size_t)bench.opt.channels, sizeof *c->clocks);
    c->due_ns = due;
    conn_open(c, bench.opt.longpoll ? POLLER : SOCKET, index);
}

static void connect_up_to(uint32_t limit, uint32_t *opened)
{
    uint64_t began = now_ns();
    uint32_t first = *opened;
    int rate = bench.opt.connect_rate;

    while (bench.joined + bench.dead < limit) {
        while (*opened < limit) {
            uint64_t now = now_ns(), due = now;
            if (rate)
                due = began + (*opened - first) * SECOND / (uint64_t)rate;
            else if (*opened - bench.joined - bench.dead >= IN_FLIGHT)
                break;
            if (due > now)
                break;
            open_one((*opened)++, due);
        }
        net_turn(rate ? 200 : 100000);
        heartbeats();
    }
}

/* With documents: the first of each room comes first and fills it. */
void load_connect(void)
{
    uint32_t opened = 0;

    if (bench.opt.document > 0) {
        if (bench.room_count != 1 || bench.opt.wire != WIRE_YJS)
            die("--document wants one room and --wire yjs");
        connect_up_to(1, &opened);
        send_document(&bench.conns[0], 0,
                      (size_t)(bench.opt.document * 1e6));
        load_settle(1);
    }
    connect_up_to((uint32_t)bench.opt.connections, &opened);
}

/* Until what the last phase set off has come. */
void load_settle(double quiet_s)
{
    uint64_t quiet = (uint64_t)(quiet_s * 1e9);

    bench.last_in_ns = now_ns();
    while (now_ns() - bench.last_in_ns < quiet) {
        heartbeats();
        net_turn((int64_t)(quiet / 4000));
    }
}

/* ---- send ---- */

uint64_t load_expected(void)
{
    return bench.sent * bench.fan;
}

/* Senders take turns: each room, and each sender of a room, equally often. */
static void send_in_room(uint32_t room, uint64_t due)
{
    uint32_t size = (uint32_t)bench.opt.room_size;
    uint32_t channels = (uint32_t)bench.opt.channels;
    uint32_t senders = bench.opt.senders ? (uint32_t)bench.opt.senders : size;
    uint32_t member = bench.rooms[room].next_sender++ % senders;
    struct conn *c = &bench.conns[room / channels * size + member];

    if (c->state == JOINED)
        send_update(c, room % channels, due);
}

/* As many as the windows allow; the rooms in turn. */
static void fill_windows(void)
{
    for (uint32_t r = 0; r < bench.room_count; r++) {
        struct room *room = &bench.rooms[r];
        uint64_t most = (uint64_t)bench.opt.window * bench.fan;
        while (room->sent * bench.fan - room->delivered + bench.fan <= most) {
            uint64_t before = room->sent;
            send_in_room(r, now_ns());
            if (room->sent == before)
                break;
        }
    }
}

static void run_flat_out(uint64_t end)
{
    while (now_ns() < end) {
        fill_windows();
        net_turn(1000);
        heartbeats();
    }
}

static void run_at_rate(uint64_t began, uint64_t end)
{
    uint64_t count = 0, due = began;

    while (due < end) {
        uint64_t now = now_ns();
        while (due <= now && due < end) {
            send_in_room((uint32_t)(count % bench.room_count), due);
            due = began + (uint64_t)((double)++count * 1e9 / bench.opt.rate);
        }
        now = now_ns();
        net_turn(due > now ? (int64_t)((due - now) / 1000) : 0);
        heartbeats();
    }
}

double load_run(uint64_t *out_in_time, struct usage *out_at_end)
{
    uint64_t before = bench.delivered, began = now_ns();
    uint64_t end = began + (uint64_t)(bench.opt.seconds * 1e9);

    bench.measuring = true;
    if (bench.opt.window)
        run_flat_out(end);
    else
        run_at_rate(began, end);
    double took = (double)(now_ns() - began) / 1e9;
    *out_in_time = bench.delivered - before;
    *out_at_end = usage_now(false);
    uint64_t give_up = now_ns() + 10 * SECOND;
    while (bench.delivered < load_expected() && now_ns() < give_up)
        net_turn(100000);
    bench.measuring = false;
    return took;
}

/* One update in each room, so that each has a document; not all at once. */
void load_touch(void)
{
    enum { BATCH = 500 };

    for (uint32_t r = 0; r < bench.room_count; r++) {
        send_in_room(r, now_ns());
        if (r % BATCH == 0)
            net_turn(0);
    }
    uint64_t give_up = now_ns() + 20 * SECOND;
    while (bench.delivered < load_expected() && now_ns() < give_up)
        net_turn(100000);
}

/* ---- idle, leave ---- */

void load_idle(double seconds)
{
    wait_until(now_ns() + (uint64_t)(seconds * 1e9));
}

void load_leave(void)
{
    enum { BATCH = 200 };

    bench.asked_close = 1;
    for (int i = 0; i < bench.opt.connections; i++) {
        if (bench.conns[i].poster)
            conn_kill(bench.conns[i].poster);
        conn_kill(&bench.conns[i]);
        if (i % BATCH == 0)
            net_turn(0);
    }
}
