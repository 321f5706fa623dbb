/* SPDX-License-Identifier: MIT */
/**
 * @file tool.h
 * What the commands of `yjs` share: options, files, errors, progress.
 *
 * A command returns an exit code. Whoever meets an error says so on stderr,
 * once, and returns the code for it.
 */
#ifndef YJS_TOOL_H
#define YJS_TOOL_H

#include <stdbool.h>
#include <stdio.h>

#include "yjs.h"

enum tool_exit {
    TOOL_OK = 0,
    TOOL_BAD_DATA = 1, /**< an input is not what it should be */
    TOOL_USAGE = 2,
    TOOL_IO = 3,
    TOOL_LIMIT = 4 /**< memory or a limit of the tool */
};

struct tool {
    const char *command;
    const char **files;
    size_t n_files;
    const char **roots;      /**< --root NAME:TYPE */
    size_t n_roots;
    enum yjs_format format;  /**< 0: find out */
    enum yjs_format to;
    const char *output;      /**< NULL: stdout */
    const char *sv, *log, *doc;
    const char *at;          /**< a snapshot, NULL: now */
    bool as_log, json, progress;
    unsigned int runs;
    size_t steps;            /**< of work whose progress may be shown */
    int64_t shown_ms;        /**< when it was last, 0: never */
};

/** A file in memory. */
struct tool_file {
    const char *name;
    uint8_t *data;
    size_t len;
    enum yjs_format format;
};

struct tool_command {
    const char *name;
    int (*run)(struct tool *t);
    size_t min_files, max_files;
    const char *usage;
    const char *about;
};

int tool_info(struct tool *t);
int tool_dump(struct tool *t);
int tool_merge(struct tool *t);
int tool_diff(struct tool *t);
int tool_sv(struct tool *t);
int tool_convert(struct tool *t);
int tool_compact(struct tool *t);
int tool_json(struct tool *t);
int tool_text(struct tool *t);
int tool_delta(struct tool *t);
int tool_snapshot(struct tool *t);
int tool_verify(struct tool *t);
int tool_log(struct tool *t);
int tool_bench(struct tool *t);

/* ------------------------------------------------------------- tool_file.c */

/** "yjs: NAME: byte N: REASON"; returns the exit code for `err`. */
int tool_fail_at(const char *name, size_t offset, int err);
/** "yjs: NAME: MESSAGE"; returns `code`. */
int tool_fail(const char *name, int code, const char *message);

/** Read a file, "-" for stdin. */
int tool_read(const char *name, struct tool_file *out);
/** Read an update and find out its format. */
int tool_read_update(const struct tool *t, const char *name,
                     struct tool_file *out);
void tool_file_free(struct tool_file *file);

/** Options for calls of the library, with the limits of the tool. */
struct yjs_update_options tool_options(enum yjs_format format);
struct yjs_doc_options tool_doc_options(void);

/** Bytes to --output or stdout, which for `binary` must not be a terminal. */
int tool_write(const struct tool *t, const void *data, size_t len,
               bool binary);
/** Frees `bytes` as well. */
int tool_write_bytes(const struct tool *t, struct yjs_bytes *bytes);

/** A document that holds the update; *result is set. */
int tool_load(const struct tool_file *file, bool keep_deleted, yjs_doc **out,
              struct yjs_apply_result *result);

/** The next update of a log at *at, which moves. False at the end, and after
 *  an error, which *code then tells. */
bool tool_log_next(const struct tool_file *log, size_t *at,
                   struct yjs_span *out, int *code);

/** Show how far it got, from time to time, on a terminal or if asked for. */
void tool_progress(struct tool *t, const char *what, size_t done, size_t all);
void tool_progress_end(struct tool *t);

#endif
