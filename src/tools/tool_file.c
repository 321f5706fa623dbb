/* SPDX-License-Identifier: MIT */
/*
 * tool_file.c: files into memory, never more of one than --max-bytes, and
 * updates into documents.
 */
#include "tools/tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int too_long(const struct tool *t, const char *name)
{
    tool_phase_end();
    fprintf(stderr,
            "yjs: %s: has more than %zu bytes, the limit of what is read of a "
            "file; --max-bytes=SIZE sets another\n",
            name, t->max_bytes);
    return TOOL_LIMIT;
}

/* Read to the end, in a block that grows, and one byte beyond the limit. */
static int read_all(const struct tool *t, FILE *in, struct tool_file *out)
{
    size_t cap = 0, n;

    do {
        uint8_t *p;

        cap = cap == 0 ? 65536 : cap * 2;
        if (cap > t->max_bytes)
            cap = t->max_bytes + 1;
        p = realloc(out->data, cap);
        if (p == NULL)
            return tool_fail(out->name, TOOL_LIMIT, strerror(ENOMEM));
        out->data = p;
        do {
            n = cap - out->len < 65536 ? cap - out->len : 65536;
            n = fread(p + out->len, 1, n, in);
            out->len += n;
            tool_phase_at(out->len);
        } while (n > 0 && out->len < cap);
        if (out->len > t->max_bytes)
            return too_long(t, out->name);
    } while (out->len == cap);
    if (ferror(in))
        return tool_fail(out->name, TOOL_IO, strerror(errno));
    return TOOL_OK;
}

int tool_read(const struct tool *t, const char *name, struct tool_file *out)
{
    bool is_stdin = strcmp(name, "-") == 0;
    FILE *in = is_stdin ? stdin : fopen(name, "rb");
    struct stat st = {.st_size = 0};
    int code = TOOL_OK;

    *out = (struct tool_file){.name = is_stdin ? "stdin" : name};
    if (in == NULL)
        return tool_fail(name, TOOL_IO, strerror(errno));
    if (fstat(fileno(in), &st) != 0 || !S_ISREG(st.st_mode))
        st.st_size = 0;
    tool_phase(out->name, "reading", (size_t)st.st_size);
    if ((uintmax_t)st.st_size > t->max_bytes)
        code = too_long(t, out->name);
    else
        code = read_all(t, in, out);
    tool_phase_end();
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

/* ------------------------------------------------ state vectors, snapshots */

struct numbers {
    const uint8_t *p, *end;
    bool cut; /* they end within one */
};

/* Large ones wrap around; the library then says what it thinks of them. */
static uint64_t next_number(struct numbers *in)
{
    uint64_t v = 0;
    unsigned int shift = 0;

    for (; in->p < in->end; shift += 7) {
        uint8_t byte = *in->p++;

        if (shift < 64)
            v |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            return v;
    }
    in->cut = true;
    return 0;
}

static void skip_numbers(struct numbers *in, uint64_t n)
{
    for (; n > 0 && !in->cut; n--)
        (void)next_number(in);
}

/* n, n (client, m, m (clock, length)). */
static void skip_deletes(struct numbers *in)
{
    uint64_t n = next_number(in);

    for (; n > 0 && !in->cut; n--) {
        (void)next_number(in);
        for (uint64_t m = next_number(in); m > 0 && !in->cut; m--)
            skip_numbers(in, 2);
    }
}

static int ends_with_file(const struct tool_file *file, const char *what,
                          bool deletes)
{
    struct numbers in = {file->data, file->data + file->len, false};
    uint64_t n;

    if (deletes)
        skip_deletes(&in);
    for (n = next_number(&in); n > 0 && !in.cut; n--)
        skip_numbers(&in, 2);
    if (in.cut || in.p == in.end)
        return TOOL_OK;
    fprintf(stderr, "yjs: %s: byte %zu: %zu bytes follow the end of the %s\n",
            file->name, (size_t)(in.p - file->data), (size_t)(in.end - in.p),
            what);
    return TOOL_BAD_DATA;
}

int tool_read_sv(const struct tool *t, const char *name, struct tool_file *out)
{
    int code = tool_read(t, name, out);

    if (code == TOOL_OK && out->len > 0)
        code = ends_with_file(out, "state vector", false);
    return code;
}

int tool_read_snapshot(const struct tool *t, const char *name,
                       struct tool_file *out)
{
    int code = tool_read(t, name, out);

    if (code == TOOL_OK && out->len > 0)
        code = ends_with_file(out, "snapshot", true);
    return code;
}

/* -------------------------------------------------------------- documents */

int tool_load(const struct tool_file *file, bool keep_deleted, yjs_doc **out,
              struct yjs_apply_result *result)
{
    struct yjs_doc_options opt = tool_doc_options();
    int code, rc;

    opt.keep_deleted = keep_deleted;
    rc = yjs_doc_new(&opt, out);
    if (rc != YJS_OK)
        return tool_fail_doc(file->name, NULL, rc);
    *result = (struct yjs_apply_result){false, false, 0};
    tool_phase(file->name, "integrating", 0);
    rc = file->format == YJS_FORMAT_V2
             ? yjs_apply_update_v2(*out, file->data, file->len, result)
             : yjs_apply_update(*out, file->data, file->len, result);
    tool_phase_end();
    if (rc == YJS_OK)
        return TOOL_OK;
    code = tool_fail_limit(file->name, result->error_offset, rc,
                           yjs_doc_limit(*out));
    yjs_doc_free(*out);
    *out = NULL;
    return code;
}
