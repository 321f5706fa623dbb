/* SPDX-License-Identifier: MIT */
/* Log lines: see log.h. Must never wait for a reader (a full pipe, a stopped
 * terminal: lines are then dropped, counted, and the count told when it flows
 * again), never allocate without a bound, never pass a peer's control
 * characters to a terminal. */
#include "base/log.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

/* A pipe that poll(2) calls writable takes PIPE_BUF = 4,096 bytes at once. */
enum { END_BYTES = 2, LINE_MAX_BYTES = 4096 - END_BYTES };

static struct {
    enum log_level least;
    enum log_format format;
    int fd;
    uint64_t dropped, dropped_untold;
} sink = {.least = LOG_INFO, .format = LOG_TEXT, .fd = 2};

void log_setup(enum log_level least, enum log_format format)
{
    sink.least = least;
    sink.format = format;
}

void log_set_fd(int fd)
{
    sink.fd = fd;
}

bool log_enabled(enum log_level level)
{
    return sink.fd >= 0 && level >= sink.least;
}

static void put_time(struct buf *line)
{
    struct timespec now;
    struct tm utc;
    char text[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    buf_printf(line, "%s.%03ldZ", text, now.tv_nsec / 1000000);
}

/* Bytes outside printable ASCII become \u00XX: a log is read with any tool. */
static void put_quoted(struct buf *line, const char *str, size_t len)
{
    size_t shown = len > LOG_STR_MAX ? LOG_STR_MAX : len;
    buf_putc(line, '"');
    for (size_t i = 0; i < shown; i++) {
        unsigned char c = (unsigned char)str[i];
        if (c == '"' || c == '\\')
            buf_printf(line, "\\%c", c);
        else if (c >= 0x20 && c < 0x7f)
            buf_putc(line, (char)c);
        else
            buf_printf(line, "\\u%04x", c);
    }
    if (shown < len)
        buf_puts(line, "...");
    buf_putc(line, '"');
}

/* In text, a harmless word goes without quotes. */
static bool plain_word(const char *str, size_t len)
{
    if (len == 0 || len > LOG_STR_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)str[i] <= 0x20 || (unsigned char)str[i] >= 0x7f ||
            strchr("\"\\=", str[i]))
            return false;
    return true;
}

static void put_field(struct buf *line, const struct log_field *f)
{
    size_t before = line->len;
    bool json = sink.format == LOG_JSON;
    buf_printf(line, json ? ",\"%s\":" : " %s=", f->key);
    if (!f->str) {
        buf_printf(line, "%lld", (long long)f->num);
    } else {
        size_t len = f->len == SIZE_MAX ? strlen(f->str) : f->len;
        if (!json && plain_word(f->str, len))
            buf_append(line, f->str, len);
        else
            put_quoted(line, f->str, len);
    }
    if (line->overflow)
        line->len = before; /* a field is there whole or not at all */
}

uint64_t log_dropped(void)
{
    return sink.dropped;
}

static bool takes_a_line(void)
{
    struct pollfd p = {.fd = sink.fd, .events = POLLOUT};
    return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT);
}

static void emit(enum log_level level, const char *event,
                 const struct log_field *fields)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    struct buf line;
    buf_init(&line, LINE_MAX_BYTES);
    if (sink.format == LOG_JSON) {
        buf_puts(&line, "{\"time\":\"");
        put_time(&line);
        buf_printf(&line, "\",\"level\":\"%s\",\"event\":\"%s\"", names[level],
                   event);
    } else {
        put_time(&line);
        buf_printf(&line, " %-7s %s", names[level], event);
    }
    for (; fields->key; fields++)
        put_field(&line, fields);
    line.overflow = false;
    line.limit += END_BYTES; /* always fits */
    buf_puts(&line, sink.format == LOG_JSON ? "}\n" : "\n");
    ssize_t written = write(sink.fd, line.data, line.len);
    (void)written; /* nowhere to report it */
    buf_deinit(&line);
}

void log_write(enum log_level level, const char *event,
               const struct log_field *fields)
{
    if (!log_enabled(level))
        return;
    if (!takes_a_line()) {
        sink.dropped++;
        sink.dropped_untold++;
        return;
    }
    if (sink.dropped_untold) {
        struct log_field told[] = {LOG_INT("lines", sink.dropped_untold), {0}};
        sink.dropped_untold = 0;
        emit(LOG_WARNING, "log lines dropped, nobody read them", told);
        if (!takes_a_line()) {
            sink.dropped++;
            sink.dropped_untold++;
            return;
        }
    }
    emit(level, event, fields);
}
