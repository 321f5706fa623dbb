/* SPDX-License-Identifier: MIT */
/* Prometheus text: see metrics.h. Must never name a family twice or put a
 * peer's text into a label. */
#include "server/metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/counters.h"
#include "base/log.h"

static const struct {
    const char *kind, *name, *help;
} families[] = {
#define COUNTER_ROW(id, kind, name, help) {#kind, name, help},
    COUNTERS(COUNTER_ROW)
#undef COUNTER_ROW
};

static const struct {
    uint64_t microseconds;
    const char *le;
} bounds[LAG_BUCKETS] = {
    {1000, "0.001"},   {2500, "0.0025"},  {5000, "0.005"}, {10000, "0.01"},
    {25000, "0.025"},  {50000, "0.05"},   {100000, "0.1"}, {250000, "0.25"},
    {1000000, "1"},    {5000000, "5"},
};

void lag_add(struct lag_histogram *lag, uint64_t microseconds)
{
    int i = 0;
    while (i < LAG_BUCKETS && microseconds > bounds[i].microseconds)
        i++;
    lag->count[i]++;
    lag->sum_us += microseconds;
}

static void header(struct buf *out, const char *name, int name_len,
                   const char *kind, const char *help)
{
    buf_printf(out, "# HELP %.*s %s\n# TYPE %.*s %s\n", name_len, name, help,
               name_len, name, kind);
}

static void put(struct buf *out, const char *name, const char *kind,
                const char *help, double value)
{
    header(out, name, (int)strlen(name), kind, help);
    buf_printf(out, "%s %.15g\n", name, value);
}

static void put_counters(const struct counters *counters, struct buf *out)
{
    const char *last = "";
    size_t last_len = 0;
    for (size_t i = 0; i < COUNTER_COUNT; i++) {
        const char *name = families[i].name;
        size_t len = strcspn(name, "{");
        if (len != last_len || memcmp(name, last, len) != 0) {
            char full[96];
            int n = snprintf(full, sizeof full, "roomd_%.*s", (int)len, name);
            header(out, full, n, families[i].kind, families[i].help);
        }
        last = name;
        last_len = len;
        buf_printf(out, "roomd_%s %llu\n", name,
                   (unsigned long long)counters->value[i]);
    }
}

static void put_lag(const struct lag_histogram *lag, struct buf *out)
{
    static const char name[] = "roomd_loop_lag_seconds";
    uint64_t total = 0;
    header(out, name, (int)strlen(name), "histogram",
           "How late the event loop came to its timer");
    for (int i = 0; i < LAG_BUCKETS; i++) {
        total += lag->count[i];
        buf_printf(out, "%s_bucket{le=\"%s\"} %llu\n", name, bounds[i].le,
                   (unsigned long long)total);
    }
    total += lag->count[LAG_BUCKETS];
    buf_printf(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %.6f\n%s_count %llu\n",
               name, (unsigned long long)total, name,
               (double)lag->sum_us / 1e6, name, (unsigned long long)total);
}

/* Resident pages from /proc; 0 where there is none. */
static double resident_bytes(void)
{
    unsigned long long size = 0, resident = 0;
    char text[128];
    FILE *in = fopen("/proc/self/statm", "re");
    if (!in)
        return 0;
    size_t n = fread(text, 1, sizeof text - 1, in);
    fclose(in);
    text[n] = '\0';
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++)
        size = size * 10 + (unsigned)(*at - '0');
    for (at += *at == ' '; *at >= '0' && *at <= '9'; at++)
        resident = resident * 10 + (unsigned)(*at - '0');
    return size ? (double)resident * (double)sysconf(_SC_PAGESIZE) : 0;
}

/* Counting 20,000 names for each scrape would stall the loop: the lowest free
 * descriptor bounds it well enough, since the kernel fills gaps first. */
static double open_descriptors(void)
{
    int fd = dup(0);
    if (fd < 0)
        return 0;
    close(fd);
    return fd;
}

static void put_process(const struct metrics_state *state, struct buf *out)
{
    struct rusage usage;
    struct rlimit limit;
    getrusage(RUSAGE_SELF, &usage);
    getrlimit(RLIMIT_NOFILE, &limit);
    put(out, "process_resident_memory_bytes", "gauge", "Resident memory",
        resident_bytes());
    put(out, "process_open_fds", "gauge",
        "Open descriptors (the lowest free one)", open_descriptors());
    put(out, "process_max_fds", "gauge", "Descriptor limit",
        (double)limit.rlim_cur);
    put(out, "process_cpu_seconds_total", "counter",
        "User and system CPU time",
        (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
            (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    put(out, "process_start_time_seconds", "gauge",
        "Start of the process, Unix time",
        (double)time(NULL) - (double)state->uptime_ms / 1000);
}

void metrics_render(const struct metrics_state *state, struct buf *out)
{
    static const char info[] = "roomd_build_info";
    header(out, info, (int)strlen(info), "gauge", "Version of the program");
    buf_printf(out, "%s{version=\"%s\"} 1\n", info, PACKAGE_VERSION);
    put(out, "roomd_uptime_seconds", "gauge", "Since the start",
        (double)state->uptime_ms / 1000);
    put(out, "roomd_log_dropped_total", "counter",
        "Log lines that nobody read in time", (double)log_dropped());
    put(out, "roomd_draining", "gauge", "1 after SIGTERM", state->draining);
    put_counters(state->counters, out);
    put_lag(state->lag, out);
    put_process(state, out);
}
