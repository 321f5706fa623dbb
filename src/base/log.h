/* SPDX-License-Identifier: MIT */
/**
 * @file log.h
 * One line an event on stderr: `time level event key=value ...`, or one JSON
 * object. Strings that a peer chose go through LOG_STR, which quotes them,
 * escapes what a terminal could obey and caps them at LOG_STR_MAX bytes. The
 * sink is the process's (level and format are set once by the server); a line
 * is one write(2), so lines of several processes do not mix. A line that would
 * have to wait for its reader is dropped and counted instead.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };
enum log_format { LOG_TEXT, LOG_JSON };
enum { LOG_STR_MAX = 128 };

struct log_field {
    const char *key;
    const char *str; /**< NULL: a number */
    size_t len;
    int64_t num;
};

#define LOG_STR(key, ptr, n) ((struct log_field){(key), (ptr), (n), 0})
#define LOG_Z(key, cstr) ((struct log_field){(key), (cstr), SIZE_MAX, 0})
#define LOG_INT(key, n) ((struct log_field){(key), NULL, 0, (int64_t)(n)})

/** log_info("room created", LOG_STR("room", t, n), LOG_INT("count", 3)); The
 *  event is a fixed phrase of ours; grep for it. */
#define LOG_AT(level, ...)                                                     \
    do {                                                                       \
        if (log_enabled(level))                                                \
            LOG_CALL(level, __VA_ARGS__, (struct log_field){0});               \
    } while (0)
#define LOG_CALL(level, event, ...)                                            \
    log_write(level, event, (struct log_field[]){__VA_ARGS__})

#define log_debug(...) LOG_AT(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) LOG_AT(LOG_INFO, __VA_ARGS__)
#define log_warning(...) LOG_AT(LOG_WARNING, __VA_ARGS__)
#define log_error(...) LOG_AT(LOG_ERROR, __VA_ARGS__)

void log_setup(enum log_level least, enum log_format format);
/** Where lines go; -1 is nowhere (unit tests). Default 2. */
void log_set_fd(int fd);
bool log_enabled(enum log_level level);
/** `fields` ends with an entry whose key is NULL. */
void log_write(enum log_level level, const char *event,
               const struct log_field *fields);

/** Lines that nobody took, since the start. */
uint64_t log_dropped(void);

#endif
