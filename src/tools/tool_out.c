/* SPDX-License-Identifier: MIT */
/*
 * tool_out.c: what a command says, to where it is wanted. That it arrived is
 * known when the file was closed, and not before.
 */
#include "tools/tool.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const char *out_name(const struct tool *t)
{
    return t->output != NULL ? t->output : "stdout";
}

FILE *tool_out(struct tool *t)
{
    if (t->out == NULL)
        t->out = t->output != NULL ? fopen(t->output, "wb") : stdout;
    if (t->out == NULL)
        (void)tool_fail(out_name(t), TOOL_IO, strerror(errno));
    return t->out;
}

int tool_out_end(struct tool *t, int code)
{
    FILE *out = t->out;
    bool failed;
    int why;

    if (out == NULL)
        return code;
    t->out = NULL;
    errno = 0;
    failed = ferror(out) != 0;
    failed = (out == stdout ? fflush(out) : fclose(out)) != 0 || failed;
    why = errno;
    if (!failed)
        return code;
    (void)tool_fail(out_name(t), TOOL_IO,
                    why != 0 ? strerror(why) : "cannot write all of it");
    return code == TOOL_OK ? TOOL_IO : code;
}

int tool_write(struct tool *t, const void *data, size_t len, bool binary)
{
    FILE *out;

    if (t->output == NULL && binary && isatty(STDOUT_FILENO))
        return tool_fail(out_name(t), TOOL_USAGE,
                         "a terminal: use --output=FILE for binary data");
    out = tool_out(t);
    if (out == NULL)
        return TOOL_IO;
    if (len > 0)
        (void)fwrite(data, 1, len, out);
    return TOOL_OK;
}

int tool_write_update(struct tool *t, struct yjs_bytes *bytes,
                      enum yjs_format from)
{
    struct yjs_update_options opt = tool_options(from);
    struct yjs_update_error err = {0, 0};
    struct yjs_bytes out = {NULL, 0, {NULL, NULL}};
    int code, rc = YJS_OK;

    if (t->to == 0 || t->to == from) {
        code = tool_write(t, bytes->data, bytes->len, true);
    } else {
        tool_phase(t->files[0], "converting", 0);
        rc = yjs_update_convert((struct yjs_span){bytes->data, bytes->len},
                                t->to, &opt, &err, &out);
        tool_phase_end();
        code = rc != YJS_OK ? tool_fail_at(t->files[0], err.offset, rc)
                            : tool_write(t, out.data, out.len, true);
    }
    yjs_bytes_free(bytes);
    yjs_bytes_free(&out);
    return code;
}
