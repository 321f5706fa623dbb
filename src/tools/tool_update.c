/* SPDX-License-Identifier: MIT */
/*
 * tool_update.c: commands on updates alone: dump, merge, diff, sv, convert,
 * compact.
 */
#include "tools/tool.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static struct yjs_span span_of(const struct tool_file *file)
{
    return (struct yjs_span){file->data, file->len};
}

/* --------------------------------------------------------------------- dump */

static int print_line(void *ctx, const char *text)
{
    return fprintf(ctx, "%s\n", text) < 0 ? TOOL_IO : 0;
}

int tool_dump(struct tool *t)
{
    struct tool_file file;
    struct yjs_update_options opt;
    struct yjs_update_error err = {0, 0};
    FILE *out = NULL;
    int code = tool_read_update(t, t->files[0], &file), rc;

    if (code != TOOL_OK)
        return code;
    opt = tool_options(file.format);
    out = tool_out(t);
    if (out == NULL) {
        code = TOOL_IO;
    } else {
        rc = yjs_update_dump(span_of(&file), &opt, 0, print_line, out, &err);
        if (rc < 0)
            code = tool_fail_at(file.name, err.offset, rc);
    }
    tool_file_free(&file);
    return code;
}

/* -------------------------------------------------------------------- merge */

struct inputs {
    struct tool_log *logs; /* of a file that is one update, a log of that */
    size_t n_logs;
    struct yjs_span *updates;
    size_t n;
};

static int read_input(struct tool *t, const char *name, struct tool_log *log)
{
    int code;

    if (t->as_log)
        return tool_read_log(t, name, log);
    code = tool_read_update(t, name, &log->file);
    if (code != TOOL_OK)
        return code;
    log->updates = malloc(sizeof(*log->updates));
    if (log->updates == NULL)
        return tool_fail(name, TOOL_LIMIT, "out of memory");
    log->updates[0] = span_of(&log->file);
    log->n = 1;
    return TOOL_OK;
}

static int read_inputs(struct tool *t, struct inputs *in)
{
    int code = TOOL_OK;
    size_t i, n = 0;

    in->logs = calloc(t->n_files, sizeof(*in->logs));
    if (in->logs == NULL)
        return tool_fail("merge", TOOL_LIMIT, "out of memory");
    for (i = 0; i < t->n_files && code == TOOL_OK; i++) {
        struct tool_log *log = &in->logs[in->n_logs++];

        code = read_input(t, t->files[i], log);
        in->n += log->n;
        if (code == TOOL_OK && log->file.format != in->logs[0].file.format)
            code = tool_fail(log->file.name, TOOL_BAD_DATA,
                             "is of another format than those before it");
    }
    if (code != TOOL_OK)
        return code;
    in->updates = malloc((in->n + 1) * sizeof(*in->updates));
    if (in->updates == NULL)
        return tool_fail("merge", TOOL_LIMIT, "out of memory");
    for (i = 0; i < in->n_logs; n += in->logs[i].n, i++)
        if (in->logs[i].n > 0)
            memcpy(in->updates + n, in->logs[i].updates,
                   in->logs[i].n * sizeof(*in->updates));
    return TOOL_OK;
}

/* "byte N" of the file that the update is in. */
static int fail_in(const struct inputs *in, struct yjs_update_error err, int rc)
{
    size_t i, index = err.index;

    for (i = 0; i < in->n_logs; index -= in->logs[i].n, i++) {
        const struct tool_log *log = &in->logs[i];

        if (index < log->n)
            return tool_fail_at(
                log->file.name,
                (size_t)(log->updates[index].data - log->file.data) +
                    err.offset,
                rc);
    }
    return tool_fail_at("merge", err.offset, rc);
}

int tool_merge(struct tool *t)
{
    struct inputs in = {NULL, 0, NULL, 0};
    struct yjs_update_options opt;
    struct yjs_update_error err = {0, 0};
    struct yjs_bytes out = {NULL, 0, {NULL, NULL}};
    int code = read_inputs(t, &in), rc;
    size_t i;

    if (code == TOOL_OK) {
        opt = tool_options(in.logs[0].file.format);
        tool_phase(in.logs[0].file.name, "merging", 0);
        rc = yjs_update_merge(in.updates, in.n, &opt, &err, &out);
        tool_phase_end();
        code = rc != YJS_OK ? fail_in(&in, err, rc)
                            : tool_write_update(t, &out, opt.format);
    }
    for (i = 0; i < in.n_logs; i++)
        tool_log_free(&in.logs[i]);
    free(in.logs);
    free(in.updates);
    return code;
}

/* -------------------------------------------------------- diff, sv, convert */

int tool_diff(struct tool *t)
{
    struct tool_file file, sv;
    struct yjs_update_options opt;
    struct yjs_update_error err = {0, 0};
    struct yjs_bytes out = {NULL, 0, {NULL, NULL}};
    int code, rc;

    if (t->sv == NULL)
        return tool_fail("diff", TOOL_USAGE, "--sv=FILE is missing");
    code = tool_read_update(t, t->files[0], &file);
    if (code != TOOL_OK)
        return code;
    code = tool_read_sv(t, t->sv, &sv);
    if (code == TOOL_OK) {
        opt = tool_options(file.format);
        tool_phase(file.name, "comparing", 0);
        rc = yjs_update_diff(span_of(&file), span_of(&sv), &opt, &err, &out);
        tool_phase_end();
        code = rc != YJS_OK ? tool_fail_at(err.index == 1 ? sv.name : file.name,
                                           err.offset, rc)
                            : tool_write_update(t, &out, file.format);
    }
    tool_file_free(&file);
    tool_file_free(&sv);
    return code;
}

int tool_compact(struct tool *t)
{
    struct tool_file file;
    struct yjs_update_options opt;
    struct yjs_update_error err = {0, 0};
    struct yjs_bytes out = {NULL, 0, {NULL, NULL}};
    int code = tool_read_update(t, t->files[0], &file), rc;

    if (code != TOOL_OK)
        return code;
    opt = tool_options(file.format);
    tool_phase(file.name, "compacting", 0);
    rc = yjs_update_compact(span_of(&file), &opt, &err, &out);
    tool_phase_end();
    code = rc != YJS_OK ? tool_fail_at(file.name, err.offset, rc)
                        : tool_write_update(t, &out, file.format);
    tool_file_free(&file);
    return code;
}

static uint64_t next_number(const uint8_t **p)
{
    uint64_t v = 0;
    unsigned int shift = 0;

    for (;; shift += 7) {
        v |= (uint64_t)(**p & 0x7f) << shift;
        if ((*(*p)++ & 0x80) == 0)
            return v;
    }
}

/* A state vector that the library made, as a JSON object. */
static int print_sv(struct tool *t, const struct yjs_bytes *sv)
{
    FILE *out = tool_out(t);
    const uint8_t *p = sv->data;
    uint64_t n = next_number(&p), i;

    if (out == NULL)
        return TOOL_IO;
    fprintf(out, "{");
    for (i = 0; i < n; i++) {
        uint64_t client = next_number(&p);

        fprintf(out, "%s\"%" PRIu64 "\":%" PRIu64, i > 0 ? "," : "", client,
                next_number(&p));
    }
    fprintf(out, "}\n");
    return TOOL_OK;
}

int tool_sv(struct tool *t)
{
    struct tool_file file;
    struct yjs_update_options opt;
    struct yjs_update_error err = {0, 0};
    struct yjs_bytes out = {NULL, 0, {NULL, NULL}};
    int code = tool_read_update(t, t->files[0], &file), rc;

    if (code != TOOL_OK)
        return code;
    opt = tool_options(file.format);
    tool_phase(file.name, "counting", 0);
    rc = yjs_update_state_vector(span_of(&file), &opt, &err, &out);
    tool_phase_end();
    if (rc != YJS_OK)
        code = tool_fail_at(file.name, err.offset, rc);
    else if (t->json)
        code = print_sv(t, &out);
    else
        code = tool_write(t, out.data, out.len, true);
    yjs_bytes_free(&out);
    tool_file_free(&file);
    return code;
}

int tool_convert(struct tool *t)
{
    struct tool_file file;
    struct yjs_update_options opt;
    struct yjs_update_error err = {0, 0};
    struct yjs_bytes out = {NULL, 0, {NULL, NULL}};
    int code, rc;

    if (t->to == 0)
        return tool_fail("convert", TOOL_USAGE,
                         "--to=v1 or --to=v2 is missing");
    code = tool_read_update(t, t->files[0], &file);
    if (code != TOOL_OK)
        return code;
    opt = tool_options(file.format);
    tool_phase(file.name, "converting", 0);
    rc = yjs_update_convert(span_of(&file), t->to, &opt, &err, &out);
    tool_phase_end();
    code = rc != YJS_OK ? tool_fail_at(file.name, err.offset, rc)
                        : tool_write_update(t, &out, t->to);
    tool_file_free(&file);
    return code;
}
