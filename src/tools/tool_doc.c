/* SPDX-License-Identifier: MIT */
/*
 * tool_doc.c: commands that load documents to check or make them: verify, log.
 */
#include "tools/tool.h"

#include <string.h>

/* ------------------------------------------------------------------- verify */

static bool same(const struct yjs_bytes *a, const struct yjs_bytes *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/* The document is sound, and what it encodes makes an equal one. */
static int verify_doc(const char *name, yjs_doc *doc)
{
    struct yjs_bytes state = {NULL, 0, {NULL, NULL}}, again = state;
    struct yjs_doc_options opt = tool_doc_options();
    yjs_doc *copy = NULL;
    int code = TOOL_OK, rc;

    tool_phase(name, "checking", 0);
    if (yjs_doc_verify(doc) != YJS_OK)
        return tool_fail(name, TOOL_BAD_DATA, "breaks an invariant");
    tool_phase(name, "loading again", 0);
    rc = yjs_encode_state_as_update(doc, NULL, 0, &state);
    if (rc == YJS_OK)
        rc = yjs_doc_new(&opt, &copy);
    if (rc == YJS_OK)
        rc = yjs_apply_update(copy, state.data, state.len, NULL);
    if (rc == YJS_OK)
        rc = yjs_encode_state_as_update(copy, NULL, 0, &again);
    if (rc != YJS_OK)
        code = tool_fail_doc(name, copy, rc);
    else if (yjs_doc_verify(copy) != YJS_OK || !same(&state, &again))
        code = tool_fail(name, TOOL_BAD_DATA, "does not survive a reload");
    tool_phase_end();
    yjs_bytes_free(&state);
    yjs_bytes_free(&again);
    yjs_doc_free(copy);
    return code;
}

int tool_verify(struct tool *t)
{
    FILE *out = tool_out(t);
    int worst = TOOL_OK;
    size_t i;

    if (out == NULL)
        return TOOL_IO;
    t->strict = true;
    for (i = 0; i < t->n_files; i++) {
        struct yjs_apply_result result;
        struct tool_file file;
        yjs_doc *doc = NULL;
        int code = tool_read_update(t, t->files[i], &file);

        if (code == TOOL_OK)
            code = tool_load(&file, false, &doc, &result);
        if (code == TOOL_OK)
            code = verify_doc(file.name, doc);
        if (code == TOOL_OK)
            fprintf(out, "%s: ok, v%d, %zu bytes%s\n", file.name,
                    (int)file.format, file.len,
                    result.pending ? ", waits for structs it lacks" : "");
        yjs_doc_free(doc);
        tool_file_free(&file);
        if (code > worst)
            worst = code;
    }
    return worst;
}

/* ---------------------------------------------------------------------- log */

static int apply_log(const struct tool_log *log, yjs_doc *doc)
{
    const struct tool_file *file = &log->file;
    size_t i;

    tool_phase(file->name, "integrating", file->len);
    for (i = 0; i < log->n; i++) {
        struct yjs_apply_result result = {false, false, 0};
        struct yjs_span u = log->updates[i];
        size_t at = (size_t)(u.data - file->data);
        int rc = file->format == YJS_FORMAT_V2
                     ? yjs_apply_update_v2(doc, u.data, u.len, &result)
                     : yjs_apply_update(doc, u.data, u.len, &result);

        if (rc != YJS_OK) {
            tool_phase_end();
            fprintf(stderr, "yjs: %s: record %zu: byte %zu: %s\n", file->name,
                    i + 1, at + result.error_offset,
                    tool_reason(rc, yjs_doc_limit(doc)));
            return tool_code(rc);
        }
        tool_phase_at(at);
    }
    tool_phase_end();
    return TOOL_OK;
}

int tool_log(struct tool *t)
{
    struct yjs_doc_options opt = tool_doc_options();
    struct yjs_bytes out = {NULL, 0, {NULL, NULL}};
    enum yjs_format to = t->to != 0 ? t->to : YJS_FORMAT_V1;
    struct tool_log log;
    yjs_doc *doc = NULL;
    int code = tool_read_log(t, t->files[0], &log), rc = YJS_OK;

    if (code == TOOL_OK)
        rc = yjs_doc_new(&opt, &doc);
    if (code == TOOL_OK && rc == YJS_OK)
        code = apply_log(&log, doc);
    if (code == TOOL_OK && rc == YJS_OK) {
        tool_phase(log.file.name, "encoding", 0);
        rc = to == YJS_FORMAT_V2
                 ? yjs_encode_state_as_update_v2(doc, NULL, 0, &out)
                 : yjs_encode_state_as_update(doc, NULL, 0, &out);
        tool_phase_end();
    }
    if (rc != YJS_OK)
        code = tool_fail_doc(log.file.name, doc, rc);
    else if (code == TOOL_OK)
        code = tool_write_update(t, &out, to);
    yjs_doc_free(doc);
    tool_log_free(&log);
    return code;
}
