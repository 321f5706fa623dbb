/* SPDX-License-Identifier: MIT */
/*
 * tool_progress.c: long work shows what it is at.
 *
 * Most of it is one call of the library, in which nobody looks at a clock: a
 * timer's signal interrupts it and writes the line. Not a thread: with a
 * second one malloc takes locks, and `bench` would measure them. So here is
 * only what may run in a signal handler: no stdio, no allocation.
 */
#include "tools/tool.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Quiet this long, where nobody asked for more. */
#define PATIENCE_MS 1000

static struct {
    bool wanted;   /* somebody reads it */
    bool asked;    /* and wants to see each phase */
    bool terminal; /* where a line can be written over */
    int64_t begun_ms;
    const char *name;
    atomic_size_t done, all;
    const char *_Atomic what;    /* NULL: between phases */
    volatile sig_atomic_t shown; /* a line stands on the terminal */
} p;

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ------------------------------------------------------------------ a line */

struct line {
    char text[256];
    size_t len;
};

static void put(struct line *l, const char *s)
{
    while (*s != '\0' && l->len < sizeof(l->text))
        l->text[l->len++] = *s++;
}

static void put_number(struct line *l, uint64_t n)
{
    char digits[21];
    size_t i = sizeof(digits) - 1;

    digits[i] = '\0';
    do
        digits[--i] = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    put(l, &digits[i]);
}

static void show(const char *what)
{
    size_t done = atomic_load(&p.done), all = atomic_load(&p.all);
    struct line l = {.len = 0};
    ssize_t written;

    put(&l, p.terminal ? "\r\033[Kyjs: " : "yjs: ");
    put(&l, what);
    put(&l, " ");
    put(&l, p.name);
    l.len = l.len > 200 ? 200 : l.len; /* of a long name the beginning */
    if (all > 0) {
        put(&l, ", ");
        put_number(&l, (uint64_t)(100.0 * (double)(done < all ? done : all) /
                                  (double)all));
        put(&l, "%");
    }
    put(&l, ", ");
    put_number(&l, (uint64_t)(now_ms() - p.begun_ms) / 1000);
    put(&l, " s");
    if (!p.terminal)
        put(&l, "\n");
    p.shown = p.terminal;
    written = write(STDERR_FILENO, l.text, l.len);
    (void)written; /* there is nowhere to say so */
}

static void on_tick(int signal)
{
    const char *what = atomic_load(&p.what);
    int saved = errno;

    (void)signal;
    if (what != NULL && (p.asked || now_ms() - p.begun_ms >= PATIENCE_MS))
        show(what);
    errno = saved;
}

/* ------------------------------------------------------------------ phases */

void tool_progress_start(bool asked)
{
    struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
    struct itimerval every = {.it_interval = {.tv_sec = 1}};

    p.terminal = isatty(STDERR_FILENO);
    p.asked = asked;
    p.wanted = asked || p.terminal;
    p.begun_ms = now_ms();
    if (!p.wanted)
        return;
    if (p.terminal)
        every.it_interval = (struct timeval){.tv_usec = 200000};
    every.it_value = every.it_interval;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
}

void tool_progress_stop(void)
{
    static const struct itimerval never;

    if (p.wanted)
        setitimer(ITIMER_REAL, &never, NULL);
    tool_phase_end();
}

void tool_phase(const char *name, const char *what, size_t all)
{
    if (!p.wanted)
        return;
    tool_phase_end();
    p.name = name;
    atomic_store(&p.done, 0);
    atomic_store(&p.all, all);
    if (p.asked)
        show(what);
    atomic_store(&p.what, what);
}

void tool_phase_at(size_t done)
{
    atomic_store(&p.done, done);
}

void tool_phase_end(void)
{
    static const char erase[] = "\r\033[K";
    ssize_t written;

    atomic_store(&p.what, NULL);
    if (p.shown) {
        p.shown = 0;
        written = write(STDERR_FILENO, erase, sizeof(erase) - 1);
        (void)written;
    }
}
