/* SPDX-License-Identifier: MIT */
/*
 * tool_update.c: commands on updates alone: dump, merge, diff, sv, convert.
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
    (void)ctx;
    return puts(text) == EOF ? TOOL_IO : 0;
}

int tool_dump(struct tool *t)
{
    struct tool_file file;
    struct yjs_update_options opt;
    struct yjs_update_error err = {0, 0};
    int code = tool_read_update(t, t->files[0], &file), rc;

    if (code != TOOL_OK)
        return code;
    opt = tool_options(file.format);
    rc = yjs_update_dump(span_of(&file), &opt, 0, print_line, NULL, &err);
    if (rc < 0)
        code = tool_fail_at(file.name, err.offset, rc);
    else if (rc != 0 || fflush(stdout) != 0)
        code = tool_fail("stdout", TOOL_IO, "cannot write");
    tool_file_free(&file);
    return code;
}

/* -------------------------------------------------------------------- merge */

struct inputs {
    struct tool_file *files;
    size_t n_files;
    struct yjs_span *spans;
    const struct tool_file **owner; /* of each span */
    size_t n, cap;
};

static bool add_span(struct inputs *in, struct yjs_span span,
                     const struct tool_file *owner)
{
    if (in->n == in->cap) {
        size_t cap = in->cap == 0 ? 64 : in->cap * 2;
        struct yjs_span *spans = realloc(in->spans, cap * sizeof(*spans));
        const struct tool_file **owners;

        if (spans == NULL)
            return false;
        in->spans = spans;
        owners = realloc(in->owner, cap * sizeof(*owners));
        if (owners == NULL)
            return false;
        in->owner = owners;
        in->cap = cap;
    }
    in->owner[in->n] = owner;
    in->spans[in->n++] = span;
    return true;
}

static int add_log(struct inputs *in, const struct tool_file *file)
{
    struct yjs_span span;
    size_t at = 0;
    int code = TOOL_OK;

    while (tool_log_next(file, &at, &span, &code))
        if (!add_span(in, span, file))
            return tool_fail(file->name, TOOL_LIMIT, "out of memory");
    return code;
}

static int read_inputs(struct tool *t, struct inputs *in,
                       enum yjs_format *format)
{
    int code = TOOL_OK;
    size_t i;

    in->files = calloc(t->n_files, sizeof(*in->files));
    if (in->files == NULL)
        return tool_fail("merge", TOOL_LIMIT, "out of memory");
    for (i = 0; i < t->n_files && code == TOOL_OK; i++) {
        struct tool_file *file = &in->files[i];

        code = t->as_log ? tool_read(t->files[i], file)
                         : tool_read_update(t, t->files[i], file);
        if (code != TOOL_OK)
            break;
        in->n_files++;
        if (t->as_log) {
            code = add_log(in, file);
            continue;
        }
        if (i > 0 && file->format != *format)
            return tool_fail(file->name, TOOL_BAD_DATA,
                             "is of another format than those before it");
        *format = file->format;
        if (!add_span(in, span_of(file), file))
            code = tool_fail(file->name, TOOL_LIMIT, "out of memory");
    }
    return code;
}

/* "byte N" of the file that the update is in. */
static int fail_in(const struct inputs *in, struct yjs_update_error err, int rc)
{
    const struct tool_file *file;

    if (in->n == 0 || err.index >= in->n)
        return tool_fail_at("merge", err.offset, rc);
    file = in->owner[err.index];
    return tool_fail_at(
        file->name,
        (size_t)(in->spans[err.index].data - file->data) + err.offset, rc);
}

int tool_merge(struct tool *t)
{
    struct inputs in = {NULL, 0, NULL, NULL, 0, 0};
    enum yjs_format format = t->format != 0 ? t->format : YJS_FORMAT_V1;
    struct yjs_update_options opt;
    struct yjs_update_error err = {0, 0};
    struct yjs_bytes out = {NULL, 0, {NULL, NULL}};
    int code = read_inputs(t, &in, &format), rc;
    size_t i;

    if (code == TOOL_OK) {
        opt = tool_options(format);
        rc = yjs_update_merge(in.spans, in.n, &opt, &err, &out);
        code = rc != YJS_OK ? fail_in(&in, err, rc)
                            : tool_write_bytes(t, &out);
    }
    for (i = 0; i < in.n_files; i++)
        tool_file_free(&in.files[i]);
    free(in.files);
    free(in.spans);
    free(in.owner);
    return code;
}

/* -------------------------------------------------------- diff, sv, convert */

int tool_diff(struct tool *t)
{
    struct tool_file file, sv = {NULL, NULL, 0, YJS_FORMAT_V1};
    struct yjs_update_options opt;
    struct yjs_update_error err = {0, 0};
    struct yjs_bytes out = {NULL, 0, {NULL, NULL}};
    int code, rc;

    if (t->sv == NULL)
        return tool_fail("diff", TOOL_USAGE, "--sv=FILE is missing");
    code = tool_read_update(t, t->files[0], &file);
    if (code != TOOL_OK)
        return code;
    code = tool_read(t->sv, &sv);
    if (code == TOOL_OK) {
        opt = tool_options(file.format);
        rc = yjs_update_diff(span_of(&file), span_of(&sv), &opt, &err, &out);
        code = rc != YJS_OK
                   ? tool_fail_at(err.index == 1 ? sv.name : file.name,
                                  err.offset, rc)
                   : tool_write_bytes(t, &out);
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
    rc = yjs_update_compact(span_of(&file), &opt, &err, &out);
    code = rc != YJS_OK ? tool_fail_at(file.name, err.offset, rc)
                        : tool_write_bytes(t, &out);
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
static int print_sv(const struct yjs_bytes *sv)
{
    const uint8_t *p = sv->data;
    uint64_t n = next_number(&p), i;

    printf("{");
    for (i = 0; i < n; i++) {
        uint64_t client = next_number(&p);

        printf("%s\"%" PRIu64 "\":%" PRIu64, i > 0 ? "," : "", client,
               next_number(&p));
    }
    printf("}\n");
    return fflush(stdout) == 0 ? TOOL_OK
                               : tool_fail("stdout", TOOL_IO, "cannot write");
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
    rc = yjs_update_state_vector(span_of(&file), &opt, &err, &out);
    if (rc != YJS_OK)
        code = tool_fail_at(file.name, err.offset, rc);
    else if (t->json)
        code = print_sv(&out);
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
    rc = yjs_update_convert(span_of(&file), t->to, &opt, &err, &out);
    code = rc != YJS_OK ? tool_fail_at(file.name, err.offset, rc)
                        : tool_write_bytes(t, &out);
    tool_file_free(&file);
    return code;
}
