/* SPDX-License-Identifier: MIT */
/*
 * A load on a running roomd, measured from outside: WebSockets in rooms, real
 * Yjs updates at a fixed rate, and what became of each of them. It shares no
 * code with the daemon, so that a mistake cannot cancel itself out.
 *
 * How it keeps itself honest:
 *   - Updates are sent by the clock, not when the last one has arrived, and
 *     carry the time they were DUE: a stalled server shows as latency.
 *   - Each delivery is counted against what was sent; missing ones are
 *     reported, never averaged away.
 *   - The server's memory and CPU time are the kernel's numbers for --pid.
 * It is one process and speaks no long-poll. When its own CPU time nears the
 * wall time, the figures are its own, and it says so.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { IN_FLIGHT = 128, STAMP = 17, HEARTBEAT_S = 25, QUIET_MS = 400 };
enum state { CONNECTING, HANDSHAKE, JOINING, JOINED, DEAD };

struct options {
    const char *host;
    int port;
    int connections;
    int room_size;
    int rate; /* updates a second, all rooms together */
    int seconds;
    int bytes; /* of text in one update */
    bool binary;
    int pid;
};

static struct options opt = {
    .host = "127.0.0.1",
    .port = 4000,
    .connections = 100,
    .room_size = 10,
    .rate = 100,
    .seconds = 10,
    .bytes = 40,
    .binary = true,
};

struct conn {
    int fd;
    enum state state;
    uint32_t client; /* Yjs client id */
    uint32_t clock;
    uint32_t room;
    uint8_t *in; /* an incomplete frame */
    size_t in_len, in_cap;
    uint8_t *out;
    size_t out_len, out_cap;
    bool want_write;
};

static struct conn *conns;
static int epoll_fd;
static int joined, dead;
static uint64_t sent, delivered, bytes_in;
static uint64_t last_in_ns;
static bool measuring;

/* ---- time, memory, errors ---- */

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

__attribute__((format(printf, 1, 2), noreturn)) static void die(const char *f,
                                                                ...)
{
    va_list args;

    va_start(args, f);
    vfprintf(stderr, f, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

static void append(uint8_t **buf, size_t *len, size_t *cap, const void *data,
                   size_t n)
{
    if (n > *cap - *len) {
        *cap = (*len + n) * 2;
        *buf = realloc(*buf, *cap);
        if (!*buf)
            die("out of memory");
    }
    memcpy(*buf + *len, data, n);
    *len += n;
}

/* ---- latencies: 32 steps for each doubling of microseconds ---- */

enum { STEPS = 32, CELLS = STEPS * 40 };
static uint64_t cells[CELLS];
static uint64_t latency_max_us;

static void latency_add(uint64_t us)
{
    unsigned shift = 0;
    uint64_t v = us;

    if (us > latency_max_us)
        latency_max_us = us;
    while (v >= 2 * STEPS) {
        v >>= 1;
        shift++;
    }
    size_t cell = v < STEPS ? v : STEPS * (size_t)(shift + 1) + (v - STEPS);
    cells[cell < CELLS ? cell : CELLS - 1]++;
}

static double latency_ms(double quantile)
{
    uint64_t total = 0, seen = 0;

    for (size_t i = 0; i < CELLS; i++)
        total += cells[i];
    for (size_t i = 0; i < CELLS; i++) {
        seen += cells[i];
        if (total > 0 && (double)seen >= quantile * (double)total) {
            if (i < STEPS)
                return (double)i / 1000;
            return (double)((STEPS + i % STEPS) << (i / STEPS - 1)) / 1000;
        }
    }
    return 0;
}

/* ---- the server, as the kernel sees it ---- */

static long status_kib(const char *key)
{
    char path[64], line[256];
    long kib = -1;

    snprintf(path, sizeof path, "/proc/%d/status", opt.pid);
    FILE *f = fopen(path, "r");
    if (!f)
        return -1;
    while (fgets(line, sizeof line, f)) {
        if (strncmp(line, key, strlen(key)) == 0)
            kib = strtol(line + strlen(key) + 1, NULL, 10);
    }
    fclose(f);
    return kib;
}

static double server_cpu_s(void)
{
    char path[64], line[1024];

    snprintf(path, sizeof path, "/proc/%d/stat", opt.pid);
    FILE *f = fopen(path, "r");
    if (!f)
        return -1;
    char *at = fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL;
    fclose(f);
    for (int field = 2; at && field < 14; field++)
        at = strchr(at + 1, ' ');
    if (!at)
        return -1;
    unsigned long user = strtoul(at, &at, 10);
    unsigned long sys = strtoul(at, &at, 10);
    return (double)(user + sys) / (double)sysconf(_SC_CLK_TCK);
}

static double own_cpu_s(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* ---- writing ---- */

static void watch(struct conn *c, bool write)
{
    struct epoll_event e = {.events = EPOLLIN | (write ? EPOLLOUT : 0u),
                            .data.ptr = c};

    if (c->want_write != write)
        epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &e);
    c->want_write = write;
}

static void kill_conn(struct conn *c)
{
    if (c->state == DEAD)
        return;
    if (c->state == JOINED)
        joined--;
    c->state = DEAD;
    dead++;
    close(c->fd);
}

static void flush_out(struct conn *c)
{
    while (c->out_len > 0) {
        ssize_t n = send(c->fd, c->out, c->out_len, MSG_NOSIGNAL);
        if (n < 0) {
            if (errno != EAGAIN)
                kill_conn(c);
            break;
        }
        c->out_len -= (size_t)n;
        memmove(c->out, c->out + n, c->out_len);
    }
    if (c->state != DEAD)
        watch(c, c->out_len > 0);
}

/* One frame; its mask is zero, which costs the server as much as any other. */
static void send_frame(struct conn *c, uint8_t opcode, const void *data,
                       size_t n)
{
    uint8_t head[14] = {(uint8_t)(0x80 | opcode)};
    size_t len = 2;

    if (n < 126) {
        head[1] = (uint8_t)(0x80 | n);
    } else if (n < 65536) {
        head[1] = 0x80 | 126;
        head[2] = (uint8_t)(n >> 8);
        head[3] = (uint8_t)n;
        len = 4;
    } else {
        die("a frame of %zu bytes is more than this program sends", n);
    }
    append(&c->out, &c->out_len, &c->out_cap, head, len + 4);
    append(&c->out, &c->out_len, &c->out_cap, data, n);
    flush_out(c);
}

static size_t put_varuint(uint8_t *out, uint32_t v)
{
    size_t n = 0;

    while (v > 127) {
        out[n++] = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    out[n++] = (uint8_t)v;
    return n;
}

/*
 * A Yjs v1 update: one item of text behind this client's last one.
 *   1 client, 1 struct, client, clock, info, [origin | parent], text, 0 deletes
 * The text begins with '@' and 16 hex digits: when the update was due.
 */
static size_t make_update(struct conn *c, uint64_t due_ns, uint8_t *out)
{
    char stamp[STAMP + 1];
    size_t n = 0;

    out[n++] = 1;
    out[n++] = 1;
    n += put_varuint(out + n, c->client);
    n += put_varuint(out + n, c->clock);
    if (c->clock == 0) {
        out[n++] = 4;
        memcpy(out + n, "\1\5bench", 7);
        n += 7;
    } else {
        out[n++] = 4 | 0x80;
        n += put_varuint(out + n, c->client);
        n += put_varuint(out + n, c->clock - 1);
    }
    n += put_varuint(out + n, (uint32_t)opt.bytes);
    snprintf(stamp, sizeof stamp, "@%016" PRIx64, due_ns);
    memcpy(out + n, stamp, STAMP);
    memset(out + n + STAMP, 'x', (size_t)opt.bytes - STAMP);
    n += (size_t)opt.bytes;
    out[n++] = 0;
    c->clock += (uint32_t)opt.bytes;
    return n;
}

/* A push frame of Phoenix up to its payload: four lengths, four fields. */
static size_t binary_head(struct conn *c, const char *event, uint8_t *out)
{
    char topic[32];
    int t = snprintf(topic, sizeof topic, "room:bench-%u", c->room);
    size_t e = strlen(event), n = 5;

    out[0] = 0;
    out[1] = out[2] = 1;
    out[3] = (uint8_t)t;
    out[4] = (uint8_t)e;
    out[n++] = '1';
    out[n++] = '1';
    memcpy(out + n, topic, (size_t)t);
    n += (size_t)t;
    memcpy(out + n, event, e);
    return n + e;
}

static size_t json_update(struct conn *c, const uint8_t *update, size_t len,
                          char *out, size_t cap)
{
    size_t n = (size_t)snprintf(out, cap,
                                "[\"1\",\"2\",\"room:bench-%u\",\"update\","
                                "{\"data\":[",
                                c->room);

    for (size_t i = 0; i < len; i++)
        n +=
            (size_t)snprintf(out + n, cap - n, "%s%u", i ? "," : "", update[i]);
    return n + (size_t)snprintf(out + n, cap - n, "]}]");
}

static void send_update(struct conn *c, uint64_t due_ns)
{
    static uint8_t update[8192], frame[65536];
    size_t u = make_update(c, due_ns, update), n;

    if (opt.binary) {
        n = binary_head(c, "yjs", frame);
        frame[n++] = 0;
        frame[n++] = 2;
        n += put_varuint(frame + n, (uint32_t)u);
        memcpy(frame + n, update, u);
        send_frame(c, 2, frame, n + u);
    } else {
        n = json_update(c, update, u, (char *)frame, sizeof frame);
        send_frame(c, 1, frame, n);
    }
    sent++;
}

/* ---- reading ---- */

static void on_joined(struct conn *c)
{
    uint8_t frame[64];

    c->state = JOINED;
    joined++;
    if (opt.binary) { /* step 1, so that the server speaks yjs to us */
        size_t n = binary_head(c, "yjs_sync", frame);
        memcpy(frame + n, "\0\0\1\0", 4);
        send_frame(c, 2, frame, n + 4);
    }
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static void on_delivery(const char *digits)
{
    char hex[STAMP] = {0};
    uint64_t now = now_ns();
    memcpy(hex, digits, STAMP - 1);
    uint64_t due = strtoull(hex, NULL, 16);
    delivered++;
    if (measuring && due <= now)
        latency_add((now - due) / 1000);
}

/* The stamp in an update: '@' with 16 hex digits behind it. */
static bool find_in_bytes(const uint8_t *p, size_t n, char *digits)
{
    const uint8_t *end = p + n;

    while ((p = memchr(p, '@', (size_t)(end - p))) && end - ++p >= STAMP - 1) {
        int i = 0;
        while (i < STAMP - 1 && is_hex((char)p[i]))
            i++;
        if (i == STAMP - 1) {
            memcpy(digits, p, STAMP - 1);
            return true;
        }
    }
    return false;
}

/* The same in a JSON array of byte values. */
static bool find_in_json(const uint8_t *p, size_t n, char *digits)
{
    const uint8_t *end = p + n;
    uint8_t bytes[8192];
    size_t count = 0;

    p = memchr(p, '{', n);
    p = p ? memchr(p, '[', (size_t)(end - p)) : NULL;
    while (p && ++p < end && count < sizeof bytes) {
        unsigned v = 0;
        while (p < end && *p >= '0' && *p <= '9')
            v = v * 10 + (unsigned)(*p++ - '0');
        bytes[count++] = (uint8_t)v;
        if (p < end && *p == ']')
            break;
    }
    return find_in_bytes(bytes, count, digits);
}

static void on_message(struct conn *c, uint8_t opcode, const uint8_t *p,
                       size_t n)
{
    char digits[STAMP];

    if (opcode == 8) {
        if (n >= 2)
            fprintf(stderr, "closed by the server with %u\n",
                    (unsigned)p[0] << 8 | p[1]);
        kill_conn(c);
    } else if (opcode == 9) {
        send_frame(c, 10, p, n);
    } else if (opcode == 1 && c->state == JOINING) {
        if (memmem(p, n, "\"phx_reply\"", 11)) {
            if (!memmem(p, n, "\"status\":\"ok\"", 13))
                die("join refused: %.*s", (int)n, (const char *)p);
            on_joined(c);
        }
    } else if (opcode == 2) {
        if (find_in_bytes(p, n, digits))
            on_delivery(digits);
    } else if (opcode == 1 && memmem(p, n < 80 ? n : 80, "\"update\"", 8)) {
        if (find_in_json(p, n, digits))
            on_delivery(digits);
    } else if (opcode == 1 && memmem(p, n, "\"error\"", 7)) {
        die("the server refused an update: %.*s", (int)n, (const char *)p);
    }
}

/* Whole frames of p; returns the bytes used up. */
static size_t on_frames(struct conn *c, const uint8_t *p, size_t n)
{
    size_t used = 0;

    while (c->state != DEAD && n - used >= 2) {
        const uint8_t *f = p + used;
        size_t have = n - used, head = 2, len = f[1] & 0x7f;
        if (len == 126) {
            if (have < 4)
                break;
            len = (size_t)f[2] << 8 | f[3];
            head = 4;
        } else if (len == 127) {
            if (have < 10)
                break;
            len = 0;
            for (int i = 2; i < 10; i++)
                len = len << 8 | f[i];
            head = 10;
        }
        if (have - head < len || have < head)
            break;
        on_message(c, f[0] & 15, f + head, len);
        used += head + len;
    }
    return used;
}

static size_t on_handshake(struct conn *c, const uint8_t *p, size_t n)
{
    char join[96];
    const uint8_t *end = memmem(p, n, "\r\n\r\n", 4);

    if (!end)
        return 0;
    if (memcmp(p, "HTTP/1.1 101", 12) != 0)
        die("handshake refused: %.40s", (const char *)p);
    c->state = JOINING;
    int len =
        snprintf(join, sizeof join,
                 "[\"1\",\"1\",\"room:bench-%u\",\"phx_join\",{}]", c->room);
    send_frame(c, 1, join, (size_t)len);
    return (size_t)(end + 4 - p);
}

static void on_bytes(struct conn *c, const uint8_t *p, size_t n)
{
    size_t used = 0;

    if (c->in_len > 0) { /* an old piece first */
        append(&c->in, &c->in_len, &c->in_cap, p, n);
        p = c->in;
        n = c->in_len;
    }
    if (c->state == HANDSHAKE)
        used = on_handshake(c, p, n);
    if (c->state != HANDSHAKE && c->state != DEAD)
        used += on_frames(c, p + used, n - used);
    if (p == c->in) {
        c->in_len = n - used;
        memmove(c->in, c->in + used, c->in_len);
    } else if (used < n) {
        append(&c->in, &c->in_len, &c->in_cap, p + used, n - used);
    }
    if (c->in_len == 0) {
        free(c->in);
        c->in = NULL;
        c->in_cap = 0;
    }
}

static void on_readable(struct conn *c)
{
    static uint8_t buf[262144];
    ssize_t n = recv(c->fd, buf, sizeof buf, 0);

    if (n > 0) {
        bytes_in += (uint64_t)n;
        last_in_ns = now_ns();
        on_bytes(c, buf, (size_t)n);
    } else if (n == 0 || errno != EAGAIN) {
        kill_conn(c);
    }
}

static void on_connected(struct conn *c)
{
    char text[512];
    int error = 0, n;
    socklen_t len = sizeof error;

    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error)
        die("connect: %s", strerror(error));
    n = snprintf(text, sizeof text,
                 "GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\n"
                 "Host: %s:%d\r\nConnection: Upgrade\r\n"
                 "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Key: cm9vbWQtYmVuY2gtMDAwMA==\r\n\r\n",
                 opt.host, opt.port);
    c->state = HANDSHAKE;
    append(&c->out, &c->out_len, &c->out_cap, text, (size_t)n);
    c->want_write = true;
    flush_out(c);
}

static void turn(int timeout_ms)
{
    struct epoll_event events[512];
    int n = epoll_wait(epoll_fd, events, 512, timeout_ms);

    for (int i = 0; i < n; i++) {
        struct conn *c = events[i].data.ptr;
        if (c->state == CONNECTING)
            on_connected(c);
        else if (c->state != DEAD && (events[i].events & EPOLLOUT))
            flush_out(c);
        if (c->state != DEAD && (events[i].events & (EPOLLIN | EPOLLHUP)))
            on_readable(c);
    }
}

/* ---- the run ---- */

/* Loopback has 28,000 ports for a pair of addresses: 20,000 from each. */
static void open_conn(struct conn *c, int index)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)opt.port)};
    struct sockaddr_in from = {.sin_family = AF_INET};
    int one = 1;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        die("socket: %s (ulimit -n?)", strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (inet_pton(AF_INET, opt.host, &to.sin_addr) != 1)
        die("--host wants an IPv4 address");
    if (strncmp(opt.host, "127.", 4) == 0 && index >= 20000) {
        from.sin_addr.s_addr = htonl(0x7f000001u + (uint32_t)(index / 20000));
        setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one,
                   sizeof one);
        if (bind(c->fd, (struct sockaddr *)&from, sizeof from))
            die("bind: %s", strerror(errno));
    }
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) &&
        errno != EINPROGRESS)
        die("connect: %s", strerror(errno));
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &e);
}

static void connect_all(void)
{
    int opened = 0;

    conns = calloc((size_t)opt.connections, sizeof *conns);
    if (!conns)
        die("out of memory");
    while (joined + dead < opt.connections) {
        while (opened < opt.connections && opened - joined - dead < IN_FLIGHT) {
            struct conn *c = &conns[opened];
            c->client = 1000000u + (uint32_t)opened;
            c->room = (uint32_t)(opened / opt.room_size);
            open_conn(c, opened++);
        }
        turn(1000);
    }
}

/* Until the presence messages of the joins have come. */
static void settle(void)
{
    while (now_ns() - last_in_ns < QUIET_MS * 1000000ull)
        turn(QUIET_MS / 4);
}

static void heartbeats(uint64_t now)
{
    static uint64_t next;
    static const char beat[] = "[null,\"h\",\"phoenix\",\"heartbeat\",{}]";

    if (next == 0)
        next = now + HEARTBEAT_S * 1000000000ull;
    if (now < next)
        return;
    next += HEARTBEAT_S * 1000000000ull;
    for (int i = 0; i < opt.connections; i++) {
        if (conns[i].state == JOINED)
            send_frame(&conns[i], 1, beat, sizeof beat - 1);
    }
}

/* Senders take turns: each room, and each member of a room, equally often. */
static void send_due(uint64_t due)
{
    static uint64_t turn_no;
    uint64_t rooms =
        (uint64_t)((opt.connections + opt.room_size - 1) / opt.room_size);
    uint64_t room = turn_no % rooms;
    uint64_t member = turn_no / rooms % (uint64_t)opt.room_size;
    uint64_t index = room * (uint64_t)opt.room_size + member;

    turn_no++;
    if (index < (uint64_t)opt.connections && conns[index].state == JOINED)
        send_update(&conns[index], due);
}

static double run(void)
{
    uint64_t began = now_ns(), due = began;
    uint64_t end = began + (uint64_t)opt.seconds * 1000000000u;
    uint64_t gap = 1000000000u / (uint64_t)opt.rate;

    measuring = true;
    while (due < end) {
        uint64_t now = now_ns();
        while (due <= now && due < end) {
            send_due(due);
            due += gap;
        }
        heartbeats(now);
        now = now_ns();
        turn(due > now ? (int)((due - now) / 1000000) : 0);
    }
    return (double)(now_ns() - began) / 1e9;
}

static uint64_t expected(void)
{
    return sent * (uint64_t)(opt.room_size - 1);
}

static void usage(void)
{
    puts("usage: roomd-bench [options]\n"
         "  --host ADDRESS     IPv4, default 127.0.0.1\n"
         "  --port N           default 4000\n"
         "  --connections N    WebSockets, default 100\n"
         "  --room-size N      members of each room, default 10\n"
         "  --rate N           updates a second in all, default 100\n"
         "  --seconds N        default 10\n"
         "  --bytes N          text in one update, 17 to 4000, default 40\n"
         "  --mode yjs|update  binary y-messages, or JSON; default yjs\n"
         "  --pid N            the server, for its memory and CPU time");
}

static void parse(int argc, char **argv)
{
    const struct {
        const char *name;
        int *value;
    } numbers[] = {{"--port", &opt.port},
                   {"--connections", &opt.connections},
                   {"--room-size", &opt.room_size},
                   {"--rate", &opt.rate},
                   {"--seconds", &opt.seconds},
                   {"--bytes", &opt.bytes},
                   {"--pid", &opt.pid}};

    for (int i = 1; i < argc; i += 2) {
        bool known = false;
        if (i + 1 == argc) {
            usage();
            exit(strcmp(argv[i], "--help") == 0 ? 0 : 2);
        }
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
            if (strcmp(argv[i], numbers[k].name) == 0) {
                *numbers[k].value = (int)strtol(argv[i + 1], NULL, 10);
                known = true;
            }
        }
        if (strcmp(argv[i], "--host") == 0)
            opt.host = argv[i + 1];
        else if (strcmp(argv[i], "--mode") == 0)
            opt.binary = strcmp(argv[i + 1], "update") != 0;
        else if (!known)
            die("unknown option %s", argv[i]);
    }
    if (opt.connections < 1 || opt.room_size < 2 || opt.rate <= 0 ||
        opt.bytes < STAMP || opt.bytes > 4000 ||
        opt.connections % opt.room_size != 0)
        die("--connections must be a multiple of --room-size (2 or more), "
            "--bytes 17 to 4000, --rate over 0");
}

int main(int argc, char **argv)
{
    struct rlimit files;

    parse(argc, argv);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);

    long rss0 = opt.pid ? status_kib("VmRSS") : -1;
    double cpu0 = opt.pid ? server_cpu_s() : -1;
    uint64_t t0 = now_ns();
    connect_all();
    double connect_s = (double)(now_ns() - t0) / 1e9;
    settle();
    long rss1 = opt.pid ? status_kib("VmRSS") : -1;
    double cpu1 = opt.pid ? server_cpu_s() : -1;

    printf("connections %d in rooms of %d, %s, %d bytes of text\n",
           opt.connections, opt.room_size,
           opt.binary ? "binary yjs" : "JSON update", opt.bytes);
    printf("connect and join: %.2f s, %.0f/s, %d failed\n", connect_s,
           (double)joined / connect_s, dead);
    if (opt.pid) {
        printf("server: RSS %ld -> %ld KiB, %.0f bytes per connection; "
               "%.2f s CPU to connect\n",
               rss0, rss1,
               (double)(rss1 - rss0) * 1024 / (double)opt.connections,
               cpu1 - cpu0);
    }

    double own0 = own_cpu_s();
    delivered = bytes_in = 0;
    double run_s = run();
    uint64_t in_time = delivered;
    double cpu2 = opt.pid ? server_cpu_s() : -1, own = own_cpu_s() - own0;
    uint64_t give_up = now_ns() + 5000000000ull;
    while (delivered < expected() && now_ns() < give_up)
        turn(100);

    printf("run: %.2f s, %" PRIu64 " updates sent (%.0f/s), %" PRIu64
           " of %" PRIu64 " deliveries (%.0f/s), %.1f MB in\n",
           run_s, sent, (double)sent / run_s, delivered, expected(),
           (double)in_time / run_s, (double)bytes_in / 1e6);
    printf("latency ms: p50 %.2f, p90 %.2f, p99 %.2f, p99.9 %.2f, max %.2f\n",
           latency_ms(0.5), latency_ms(0.9), latency_ms(0.99),
           latency_ms(0.999), (double)latency_max_us / 1000);
    if (opt.pid) {
        printf("server: %.2f s CPU in the run (%.0f %% of a core), %.0f "
               "deliveries per CPU second, RSS %ld KiB\n",
               cpu2 - cpu1, (cpu2 - cpu1) / run_s * 100,
               (double)in_time / (cpu2 - cpu1), status_kib("VmRSS"));
    }
    printf("this program: %.2f s CPU%s\n", own,
           own > 0.85 * run_s ? "; IT WAS THE BOTTLENECK" : "");
    return delivered == expected() && dead == 0 ? 0 : 1;
}
