/* SPDX-License-Identifier: MIT */
/*
 * What the kernel alone takes to send: the same fan-out as the bench's, bytes
 * to many loopback TCP sockets, by a program that does nothing else. A child
 * reads with epoll, as the bench does. No server can deliver more messages one
 * by one in a CPU second than this.
 *
 *   floor SOCKETS BYTES SECONDS GROUP GAP_US FRAMES
 *
 * sends to GROUP sockets at a time, FRAMES messages in each send, then pauses
 * for GAP_US (0: never, which is the saturated case). Prints JSON: deliveries
 * per CPU second of the sender, by send() and by sendmsg().
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 8000, PIECE_MOST = 4096 };

static int sockets, group, gap_us, frames;
static size_t size;
static double seconds;
static int fds[MOST];
static char data[PIECE_MOST];

static double clock_s(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* Reads all there is until the sender closes; never blocks it. */
static void child(struct sockaddr_in *to)
{
    int epoll = epoll_create1(0), left = sockets;
    static char buf[262144];

    for (int i = 0; i < sockets; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
        if (connect(fd, (struct sockaddr *)to, sizeof *to))
            fail("connect");
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
    }
    while (left > 0) {
        struct epoll_event events[512];
        int n = epoll_wait(epoll, events, 512, 1000);
        for (int i = 0; i < n; i++) {
            if (recv(events[i].data.fd, buf, sizeof buf, MSG_DONTWAIT) == 0) {
                close(events[i].data.fd);
                left--;
            }
        }
    }
    exit(0);
}

static void accept_all(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;

    if (bind(listener, (struct sockaddr *)&at, sizeof at) ||
        listen(listener, 4096) ||
        getsockname(listener, (struct sockaddr *)&at, &len))
        fail("listen");
    if (fork() == 0)
        child(&at);
    for (int i = 0; i < sockets; i++) {
        fds[i] = accept(listener, NULL, NULL);
        if (fds[i] < 0)
            fail("accept");
        setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    close(listener);
}

static void send_one(int fd, int by_msg)
{
    struct iovec iov[64];
    struct msghdr m = {.msg_iov = iov, .msg_iovlen = (size_t)frames};

    if (!by_msg) {
        send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        return;
    }
    for (int i = 0; i < frames; i++)
        iov[i] = (struct iovec){data, size};
    sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static double measure(int by_msg)
{
    struct timespec gap = {0, gap_us * 1000L};
    double until = clock_s(CLOCK_MONOTONIC) + seconds;
    double cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    uint64_t sent = 0;
    int at = 0;

    while (clock_s(CLOCK_MONOTONIC) < until) {
        for (int i = 0; i < group; i++) {
            send_one(fds[at], by_msg);
            at = (at + 1) % sockets;
            sent += (uint64_t)frames;
        }
        if (gap_us)
            nanosleep(&gap, NULL);
    }
    return (double)sent / (clock_s(CLOCK_PROCESS_CPUTIME_ID) - cpu);
}

int main(int argc, char **argv)
{
    struct rlimit files;

    if (argc != 7)
        return 2;
    sockets = (int)strtol(argv[1], NULL, 10);
    size = strtoul(argv[2], NULL, 10);
    seconds = strtod(argv[3], NULL);
    group = (int)strtol(argv[4], NULL, 10);
    gap_us = (int)strtol(argv[5], NULL, 10);
    frames = (int)strtol(argv[6], NULL, 10);
    if (sockets < 1 || sockets > MOST || size > PIECE_MOST || frames < 1 ||
        frames > 64 || group < 1)
        return 2;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    accept_all();
    double by_msg = measure(1);
    printf("{\"sendmsg_per_cpu_s\":%.0f", by_msg);
    if (frames == 1)
        printf(",\"send_per_cpu_s\":%.0f", measure(0));
    puts("}");
    return 0;
}
