/* SPDX-License-Identifier: MIT */
/*
 * tool_file.c: files in and out, errors, progress.
 */
#include "tools/tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Offsets into an update are below this in the library. */
#define MAX_BYTES ((size_t)1 << 30)
#define MAX_STRUCTS ((size_t)1 << 28)
#define MAX_DEPTH 1024u

/* ------------------------------------------------------------------- errors */

int tool_fail(const char *name, int code, const char *message)
{
    fprintf(stderr, "yjs: %s: %s\n", name, message);
    return code;
}

int tool_fail_at(const char *name, size_t offset, int err)
{
    fprintf(stderr, "yjs: %s: byte %zu: %s\n", name, offset,
            yjs_strerror(err));
    return err == YJS_ERR_NOMEM || err == YJS_ERR_LIMIT ? TOOL_LIMIT
                                                        : TOOL_BAD_DATA;
}

/* -------------------------------------------------------------------- input */

/* Read to the end, in a block that grows. */
static int read_all(FILE *in, struct tool_file *out)
{
    size_t cap = 0, n;

    do {
        uint8_t *p;

        cap = cap == 0 ? 65536 : cap * 2;
        p = realloc(out->data, cap);
        if (p == NULL)
            return tool_fail(out->name, TOOL_LIMIT, strerror(ENOMEM));
        out->data = p;
        n = fread(p + out->len, 1, cap - out->len, in);
        out->len += n;
    } while (out->len == cap);
    if (ferror(in))
        return tool_fail(out->name, TOOL_IO, strerror(errno));
    return TOOL_OK;
}

int tool_read(const char *name, struct tool_file *out)
{
    bool is_stdin = strcmp(name, "-") == 0;
    FILE *in = is_stdin ? stdin : fopen(name, "rb");
    int code;

    *out = (struct tool_file){.name = is_stdin ? "stdin" : name};
    if (in == NULL)
        return tool_fail(name, TOOL_IO, strerror(errno));
    code = read_all(in, out);
    if (!is_stdin)
        fclose(in);
    if (code != TOOL_OK)
        tool_file_free(out);
    return code;
}

void tool_file_free(struct tool_file *file)
{
    free(file->data);
    file->data = NULL;
    file->len = 0;
}

/* Does the update end where the file does? */
static bool fits(const struct tool_file *file, enum yjs_format format)
{
    static const struct yjs_update_visitor nothing;
    struct yjs_update_options opt = tool_options(format);
    size_t read = 0;

    return yjs_update_visit((struct yjs_span){file->data, file->len}, &opt,
                            &nothing, NULL, &read) == YJS_OK &&
           read == file->len;
}

int tool_read_update(const struct tool *t, const char *name,
                     struct tool_file *out)
{
    int code = tool_read(name, out);

    if (code != TOOL_OK)
        return code;
    out->format = t->format;
    if (out->format != 0)
        return TOOL_OK;
    /* v2 begins with 0; a v1 update that does has no structs. */
    out->format = YJS_FORMAT_V1;
    if (out->len > 0 && out->data[0] == 0 && !fits(out, YJS_FORMAT_V1) &&
        fits(out, YJS_FORMAT_V2))
        out->format = YJS_FORMAT_V2;
    return TOOL_OK;
}

struct yjs_update_options tool_options(enum yjs_format format)
{
    return (struct yjs_update_options){.format = format,
                                       .limits = {.update_bytes = MAX_BYTES,
                                                  .structs = MAX_STRUCTS,
                                                  .depth = MAX_DEPTH}};
}

struct yjs_doc_options tool_doc_options(void)
{
    return (struct yjs_doc_options){.limits = {.update_bytes = MAX_BYTES,
                                               .structs = MAX_STRUCTS,
                                               .clients = MAX_STRUCTS,
                                               .pending_bytes = MAX_BYTES,
                                               .depth = MAX_DEPTH}};
}

int tool_load(const struct tool_file *file, bool keep_deleted, yjs_doc **out,
              struct yjs_apply_result *result)
{
    struct yjs_doc_options opt = tool_doc_options();
    int rc;

    opt.keep_deleted = keep_deleted;
    rc = yjs_doc_new(&opt, out);
    if (rc != YJS_OK)
        return tool_fail_at(file->name, 0, rc);
    *result = (struct yjs_apply_result){false, false, 0};
    rc = file->format == YJS_FORMAT_V2
             ? yjs_apply_update_v2(*out, file->data, file->len, result)
             : yjs_apply_update(*out, file->data, file->len, result);
    if (rc == YJS_OK)
        return TOOL_OK;
    yjs_doc_free(*out);
    *out = NULL;
    return tool_fail_at(file->name, result->error_offset, rc);
}

bool tool_log_next(const struct tool_file *log, size_t *at,
                   struct yjs_span *out, int *code)
{
    const uint8_t *p = log->data + *at;
    size_t left = log->len - *at, len;

    if (left == 0)
        return false;
    if (left < 4) {
        *code = tool_fail_at(log->name, *at, YJS_ERR_TRUNCATED);
        return false;
    }
    len = p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
    if (len > left - 4) {
        *code = tool_fail_at(log->name, *at, YJS_ERR_TRUNCATED);
        return false;
    }
    *out = (struct yjs_span){p + 4, len};
    *at += 4 + len;
    return true;
}

/* ------------------------------------------------------------------- output */

int tool_write(const struct tool *t, const void *data, size_t len, bool binary)
{
    FILE *out = stdout;
    const char *name = t->output != NULL ? t->output : "stdout";
    bool ok;

    if (t->output == NULL && binary && isatty(STDOUT_FILENO))
        return tool_fail(name, TOOL_USAGE,
                         "a terminal: use --output=FILE for binary data");
    if (t->output != NULL)
        out = fopen(t->output, "wb");
    if (out == NULL)
        return tool_fail(name, TOOL_IO, strerror(errno));
    ok = len == 0 || fwrite(data, 1, len, out) == len;
    ok = (t->output != NULL ? fclose(out) : fflush(out)) == 0 && ok;
    return ok ? TOOL_OK : tool_fail(name, TOOL_IO, strerror(errno));
}

int tool_write_bytes(const struct tool *t, struct yjs_bytes *bytes)
{
    int code = tool_write(t, bytes->data, bytes->len, true);

    yjs_bytes_free(bytes);
    return code;
}

/* ----------------------------------------------------------------- progress */

static bool shows_progress(const struct tool *t)
{
    return t->progress || isatty(STDERR_FILENO);
}

void tool_progress(struct tool *t, const char *what, size_t done, size_t all)
{
    struct timespec now;
    int64_t ms;

    if (++t->steps % 256 != 0 || !shows_progress(t))
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    if (t->shown_ms != 0 && ms - t->shown_ms < 200)
        return;
    if (t->shown_ms != 0)
        fprintf(stderr, "\r%s: %zu of %zu (%.0f%%)", what, done, all,
                all > 0 ? 100.0 * (double)done / (double)all : 100.0);
    t->shown_ms = ms;
}

void tool_progress_end(struct tool *t)
{
    if (t->shown_ms != 0)
        fputs(isatty(STDERR_FILENO) ? "\r\033[K" : "\n", stderr);
    t->shown_ms = 0;
}
