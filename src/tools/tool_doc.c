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

    if (yjs_doc_verify(doc) != YJS_OK)
        return tool_fail(name, TOOL_BAD_DATA, "breaks an invariant");
    rc = yjs_encode_state_as_update(doc, NULL, 0, &state);
    if (rc == YJS_OK)
        rc = yjs_doc_new(&opt, &copy);
    if (rc == YJS_OK)
        rc = yjs_apply_update(copy, state.data, state.len, NULL);
    if (rc == YJS_OK)
        rc = yjs_encode_state_as_update(copy, NULL, 0, &again);
    if (rc != YJS_OK)
        code = tool_fail_at(name, 0, rc);
    else if (yjs_doc_verify(copy) != YJS_OK || !same(&state, &again))
        code = tool_fail(name, TOOL_BAD_DATA, "does not survive a reload");
    yjs_bytes_free(&state);
    yjs_bytes_free(&again);
    yjs_doc_free(copy);
    return code;
}

int tool_verify(struct tool *t)
{
    int worst = TOOL_OK;
    size_t i;

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
            printf("%s: ok, v%d, %zu bytes%s\n", file.name, (int)file.format,
                   file.len,
                   result.pending ? ", waits for structs it lacks" : "");
        yjs_doc_free(doc);
        tool_file_free(&file);
        if (code > worst)
            worst = code;
    }
    return worst;
}

/* ---------------------------------------------------------------------- log */

static int apply_log(struct tool *t, const struct tool_file *log,
                     yjs_doc *doc)
{
    struct yjs_apply_result result = {false, false, 0};
    struct yjs_span update;
    size_t at = 0, n = 0;
    int code = TOOL_OK, rc;

    while (tool_log_next(log, &at, &update, &code)) {
        rc = t->format == YJS_FORMAT_V2
                 ? yjs_apply_update_v2(doc, update.data, update.len, &result)
                 : yjs_apply_update(doc, update.data, update.len, &result);
        if (rc != YJS_OK) {
            tool_progress_end(t);
            fprintf(stderr, "yjs: %s: update %zu:\n", log->name, n);
            return tool_fail_at(log->name,
                                (size_t)(update.data - log->data) +
                                    result.error_offset,
                                rc);
        }
        tool_progress(t, "bytes", at, log->len);
        n++;
    }
    tool_progress_end(t);
    return code;
}

int tool_log(struct tool *t)
{
    struct yjs_doc_options opt = tool_doc_options();
    struct yjs_bytes out = {NULL, 0, {NULL, NULL}};
    struct tool_file log;
    yjs_doc *doc = NULL;
    int code = tool_read(t->files[0], &log), rc;

    if (code != TOOL_OK)
        return code;
    rc = yjs_doc_new(&opt, &doc);
    code = rc != YJS_OK ? tool_fail_at(log.name, 0, rc)
                        : apply_log(t, &log, doc);
    if (code == TOOL_OK) {
        rc = t->to == YJS_FORMAT_V2
                 ? yjs_encode_state_as_update_v2(doc, NULL, 0, &out)
                 : yjs_encode_state_as_update(doc, NULL, 0, &out);
        code = rc != YJS_OK ? tool_fail_at(log.name, 0, rc)
                            : tool_write_bytes(t, &out);
    }
    yjs_doc_free(doc);
    tool_file_free(&log);
    return code;
}
