/* SPDX-License-Identifier: MIT */
/**
 * @file bench.h
 * What the files of roomd-bench share. The program measures a server from
 * outside, by its protocol alone: it includes nothing of src/, so that a
 * mistake of the daemon cannot cancel itself out.
 *
 * One process, one thread, one epoll. `bench` is the run; everything else is
 * reached from it.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What is spoken. */
enum wire {
    WIRE_YJS,    /**< V2, binary y-protocols messages */
    WIRE_UPDATE, /**< V2, JSON with arrays of integers */
    WIRE_V1,     /**< V1, JSON objects */
    WIRE_NCHAN   /**< no protocol: nchan's publish and subscribe */
};

struct options {
    const char *host;
    int port;
    const char *pids; /**< the server's processes, comma separated */
    const char *topic;
    enum wire wire;
    bool longpoll;
    int connections;
    int room_size;
    int channels;     /**< topics joined by each connection */
    int senders;      /**< of each room; 0: all */
    double rate;      /**< updates a second of all rooms; 0: none */
    int window;       /**< instead of a rate: updates in flight a room */
    double seconds;
    int bytes;        /**< of text in one update */
    int connect_rate; /**< connections a second; 0: 128 in flight */
    double document;  /**< MB that each room holds before its others join */
    double wait;      /**< seconds before that */
    double idle;      /**< seconds to watch the server do nothing */
    bool leave;       /**< close all at the end, watch the memory */
    bool touch;       /**< one update in each room before anything else */
    bool json;        /**< the JSON line alone */
};

enum { STAMP_BYTES = 23 };

enum state { CONNECTING, HANDSHAKE, JOINING, JOINED, DEAD };
enum role { SOCKET, POLLER, POSTER };

struct bytes {
    uint8_t *data;
    size_t len, cap;
};

struct conn {
    int fd;
    enum state state;
    enum role role;
    bool want_write, busy; /**< busy: an HTTP request is under way */
    uint8_t opcode;        /**< of the message that comes in fragments */
    uint32_t index;
    uint32_t joined;       /**< how many of its topics */
    uint64_t message_len;  /**< of the fragments so far */
    uint64_t due_ns, join_ns;
    uint32_t *clocks;      /**< one for each topic */
    struct bytes in, out;
    struct bytes waiting;  /**< a poster's next body */
    struct conn *poster;   /**< of a poller that sends */
    char *token;           /**< long-poll: the session's; nchan: the etag */
    char *since;           /**< nchan: Last-Modified */
};

struct room {
    uint64_t sent, delivered;
    uint32_t next_sender;
};

struct histogram {
    uint64_t cells[32 * 40];
    uint64_t count, max_us;
};

struct usage {
    double cpu_s;
    double pss_kib, rss_kib;
};

struct bench {
    struct options opt;
    int epoll;
    struct conn *conns;
    struct room *rooms;
    uint32_t room_count;
    uint32_t fan; /**< deliveries of one update */
    uint64_t joined, dead, asked_close;
    uint64_t sent, delivered, strays, bytes_in;
    uint64_t last_in_ns;
    bool measuring, flat_out;
    struct histogram latency, join, join_due;
};

extern struct bench bench;

/* util.c */
uint64_t now_ns(void);
__attribute__((format(printf, 1, 2), noreturn)) void die(const char *f, ...);
void *zalloc(size_t count, size_t size);
void bytes_add(struct bytes *b, const void *data, size_t n);
void bytes_drop(struct bytes *b, size_t n);
void bytes_free(struct bytes *b);
char *copy_text(const char *from, size_t n);
void histogram_add(struct histogram *h, uint64_t us);
/** In milliseconds. */
double histogram_at(const struct histogram *h, double quantile);
/** All of --pid, as the kernel has it. CPU to the nanosecond; memory only when
 *  asked, since the kernel walks the page tables for it. */
struct usage usage_now(bool memory);
double own_cpu_s(void);

/* net.c */
struct conn *conn_open(struct conn *c, enum role role, uint32_t index);
void conn_kill(struct conn *c);
void conn_flush(struct conn *c);
void conn_send(struct conn *c, const void *data, size_t n);
/** Handle what is ready, waiting up to `timeout_us` for it. */
void net_turn(int64_t timeout_us);

/* websocket.c */
void ws_hello(struct conn *c);
void ws_send(struct conn *c, uint8_t opcode, const void *data, size_t n);
size_t ws_read(struct conn *c, const uint8_t *p, size_t n);

/* poll.c: HTTP long-poll, Phoenix's and nchan's */
void poll_hello(struct conn *c);
void poll_post(struct conn *c, const void *body, size_t n);
size_t poll_read(struct conn *c, const uint8_t *p, size_t n);

/* phoenix.c: messages, and what comes of them */
uint32_t room_of(const struct conn *c, uint32_t channel);
void topic_of(uint32_t room, char out[64]);
void send_join(struct conn *c);
size_t put_join(struct conn *c, uint32_t channel, char *out, size_t cap);
void send_update(struct conn *c, uint32_t channel, uint64_t due_ns);
void send_document(struct conn *c, uint32_t channel, size_t bytes);
void send_leave(struct conn *c, uint32_t channel);
void send_heartbeat(struct conn *c);
/** A whole message of the server's. */
void on_message(struct conn *c, uint8_t opcode, const uint8_t *p, size_t n);
/** Everything that a poll brought. */
void on_poll_body(struct conn *c, const uint8_t *p, size_t n);
void on_joined(struct conn *c, uint32_t count);

/* load.c: connect, run, idle, leave */
void load_connect(void);
void load_settle(double quiet_s);
/** Seconds it took; until then `*out_in_time` deliveries had come. */
double load_run(uint64_t *out_in_time, struct usage *out_at_end);
void load_idle(double seconds);
void load_touch(void);
uint64_t load_expected(void);
void load_leave(void);

#endif
