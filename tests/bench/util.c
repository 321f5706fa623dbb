/* SPDX-License-Identifier: MIT */
/* Time, memory, latencies, and the server as the kernel sees it. */
#include "bench.h"

#include <stdarg.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void die(const char *f, ...)
{
    va_list args;

    va_start(args, f);
    fputs("roomd-bench: ", stderr);
    vfprintf(stderr, f, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

void *zalloc(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size);

    if (!p)
        die("out of memory");
    return p;
}

void bytes_add(struct bytes *b, const void *data, size_t n)
{
    if (n > b->cap - b->len) {
        b->cap = (b->len + n) * 2;
        b->data = realloc(b->data, b->cap);
        if (!b->data)
            die("out of memory");
    }
    memcpy(b->data + b->len, data, n);
    b->len += n;
}

void bytes_free(struct bytes *b)
{
    free(b->data);
    *b = (struct bytes){0};
}

/* Buffers are needed for moments only: an idle connection owns none. */
void bytes_drop(struct bytes *b, size_t n)
{
    b->len -= n;
    if (b->len == 0)
        bytes_free(b);
    else if (n > 0)
        memmove(b->data, b->data + n, b->len);
}

char *copy_text(const char *from, size_t n)
{
    char *to = zalloc(n + 1, 1);

    memcpy(to, from, n);
    return to;
}

/* ---- latencies: 32 steps for each doubling of microseconds ---- */

enum { STEPS = 32, CELLS = STEPS * 40 };

void histogram_add(struct histogram *h, uint64_t us)
{
    unsigned shift = 0;
    uint64_t v = us;

    if (us > h->max_us)
        h->max_us = us;
    while (v >= 2 * STEPS) {
        v >>= 1;
        shift++;
    }
    size_t cell = v < STEPS ? v : STEPS * (size_t)(shift + 1) + (v - STEPS);
    h->cells[cell < CELLS ? cell : CELLS - 1]++;
    h->count++;
}

double histogram_at(const struct histogram *h, double quantile)
{
    uint64_t seen = 0;

    for (size_t i = 0; h->count && i < CELLS; i++) {
        seen += h->cells[i];
        if ((double)seen < quantile * (double)h->count)
            continue;
        if (i < STEPS)
            return (double)i / 1000;
        return (double)((STEPS + i % STEPS) << (i / STEPS - 1)) / 1000;
    }
    return 0;
}

/* ---- the server ---- */

/* The first number behind `key` in a file of /proc. */
static double proc_number(const char *path, const char *key)
{
    char line[512];
    double value = 0;
    FILE *f = fopen(path, "r");

    while (f && fgets(line, sizeof line, f)) {
        if (strncmp(line, key, strlen(key)) == 0) {
            value = strtod(line + strlen(key), NULL);
            break;
        }
    }
    if (f)
        fclose(f);
    return value;
}

/* Nanoseconds on a CPU of every thread: /proc/PID/stat counts in hundredths of
 * a second, too coarse for short runs. */
static double cpu_of(long pid)
{
    char path[320];
    double ns = 0;
    snprintf(path, sizeof path, "/proc/%ld/task", pid);
    DIR *dir = opendir(path);
    struct dirent *entry;

    if (!dir)
        die("no process %ld", pid);
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%ld/task/%s/schedstat", pid,
                 entry->d_name);
        ns += proc_number(path, "");
    }
    closedir(dir);
    return ns / 1e9;
}

struct usage usage_now(bool memory)
{
    struct usage u = {0};
    const char *at = bench.opt.pids;

    while (at && *at) {
        char path[64], *end;
        long pid = strtol(at, &end, 10);
        if (end == at)
            die("--pid wants numbers with commas between");
        u.cpu_s += cpu_of(pid);
        if (memory) {
            snprintf(path, sizeof path, "/proc/%ld/smaps_rollup", pid);
            u.pss_kib += proc_number(path, "Pss:");
            u.rss_kib += proc_number(path, "Rss:");
        }
        at = *end ? end + 1 : end;
    }
    return u;
}

double own_cpu_s(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}
