/* SPDX-License-Identifier: MIT */
/**
 * @file tool.h
 * What the commands of `yjs` share: options, files, errors, output, progress.
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
    enum yjs_format to;      /**< 0: not said */
    const char *output;      /**< NULL: stdout */
    FILE *out;               /**< what tool_out opened */
    const char *sv, *log, *doc;
    const char *at;          /**< a snapshot, NULL: now */
    bool as_log, json, progress;
    bool strict;             /**< what follows an update makes it a bad one */
    unsigned int runs;
    size_t max_bytes;        /**< of one file */
};

/** A file in memory. */
struct tool_file {
    const char *name;
    uint8_t *data;
    size_t len;
    enum yjs_format format;
};

/** A log in memory: its updates, all of file.format and each a whole one. */
struct tool_log {
    struct tool_file file;
    struct yjs_span *updates; /**< they point into the file */
    size_t n;
};

struct tool_command {
    const char *name;
    int (*run)(struct tool *t);
    size_t min_files, max_files;
    const char *takes; /**< letters of its options, without those all take */
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

/* ------------------------------------------------------------ tool_error.c */

/** "yjs: NAME: MESSAGE"; returns `code`. */
int tool_fail(const char *name, int code, const char *message);
/** "yjs: NAME: byte N: REASON"; returns the exit code for `err`. */
int tool_fail_at(const char *name, size_t offset, int err);
/** Of a call on a document (may be NULL), which knows the limit reached. */
int tool_fail_doc(const char *name, const yjs_doc *doc, int err);
/** As tool_fail_at, where `limit` was reached if `err` is YJS_ERR_LIMIT; NONE:
 *  it is not known which. */
int tool_fail_limit(const char *name, size_t offset, int err,
                    enum yjs_limit limit);
/** What `err` is in words, with the limit if it is one. */
const char *tool_reason(int err, enum yjs_limit limit);
/** The exit code for an error of the library. */
int tool_code(int err);

/** Options for calls of the library, with the limits of the tool. */
struct yjs_update_options tool_options(enum yjs_format format);
struct yjs_doc_options tool_doc_options(void);

/* ------------------------------------------------------------- tool_file.c */

/** What is read of one file, if --max-bytes does not say: 1 GiB, more than
 *  which the library takes in no update. */
#define TOOL_MAX_BYTES ((size_t)1 << 30)

/** Read a file, "-" for stdin. */
int tool_read(const struct tool *t, const char *name, struct tool_file *out);
void tool_file_free(struct tool_file *file);
/** A state vector, and a snapshot, which end where the file ends. What is
 *  wrong within is left to the library. `out` is to be freed in any case. */
int tool_read_sv(const struct tool *t, const char *name,
                 struct tool_file *out);
int tool_read_snapshot(const struct tool *t, const char *name,
                       struct tool_file *out);

/** A document that holds the update; *result is set. */
int tool_load(const struct tool_file *file, bool keep_deleted, yjs_doc **out,
              struct yjs_apply_result *result);

/* ----------------------------------------------------------- tool_format.c */

/** Read an update, find out its format and whether it ends where the file
 *  does: what follows it is an error (t->strict) or is warned of and cut. */
int tool_read_update(const struct tool *t, const char *name,
                     struct tool_file *out);
/** Read a log. A record that is not an update and nothing else is an error. */
int tool_read_log(const struct tool *t, const char *name,
                  struct tool_log *out);
void tool_log_free(struct tool_log *log);

/* -------------------------------------------------------------- tool_out.c */

/** Where to write: --output, opened at the first call, or stdout. NULL if it
 *  cannot be opened, which was said then. */
FILE *tool_out(struct tool *t);
/** All bytes are where they belong, or the code says that they are not. */
int tool_out_end(struct tool *t, int code);
/** Bytes to there, which for `binary` must not be a terminal. */
int tool_write(struct tool *t, const void *data, size_t len, bool binary);
/** An update of the format `from`, in that of --to if one was asked for. Frees
 *  `bytes` as well. */
int tool_write_update(struct tool *t, struct yjs_bytes *bytes,
                      enum yjs_format from);

/* --------------------------------------------------------- tool_progress.c */

/**
 * Long work shows on stderr what it is at: where that is a terminal from the
 * first second on, five times a second; if asked for also elsewhere, at each
 * phase and every second. What cannot tell how far it got shows its seconds.
 */
void tool_progress_start(bool asked);
void tool_progress_stop(void);
/** From now on it is this; `all` 0: nobody knows how much there is. */
void tool_phase(const char *name, const char *what, size_t all);
void tool_phase_at(size_t done);
/** Between phases; also before anything else is written to stderr. */
void tool_phase_end(void);

#endif
