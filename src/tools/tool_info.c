/* SPDX-License-Identifier: MIT */
/*
 * tool_info.c: what is in an update, in numbers.
 */
#include "tools/tool.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { KINDS = 11 };

static const char *const kind_names[KINDS] = {
    "gc",     "deleted", "json", "binary", "string", "embed",
    "format", "type",    "any",  "doc",    "skip"};

struct info {
    uint64_t structs[KINDS];
    uint64_t clocks[KINDS];
    uint64_t all_structs, all_clocks;
    uint64_t ranges, deleted; /* of the delete set */
    uint64_t content;         /* bytes */
    struct yjs_update_meta clients;
    bool pending;
    /* of a document that holds it */
    size_t heap;
    uint64_t doc_clocks, doc_deleted;
};

static int count_struct(void *ctx, const struct yjs_struct *s)
{
    struct info *info = ctx;

    info->structs[s->kind]++;
    info->clocks[s->kind] += s->len;
    info->all_structs++;
    if (s->kind != YJS_KIND_SKIP)
        info->all_clocks += s->len;
    info->content += s->content.len;
    return 0;
}

static int count_delete(void *ctx, struct yjs_id first, uint64_t len)
{
    struct info *info = ctx;

    (void)first;
    info->ranges++;
    info->deleted += len;
    return 0;
}

static int count_doc_struct(void *ctx, const struct yjs_struct *s)
{
    struct info *info = ctx;

    if (s->kind != YJS_KIND_SKIP)
        info->doc_clocks += s->len;
    return 0;
}

static int count_doc_delete(void *ctx, struct yjs_id first, uint64_t len)
{
    struct info *info = ctx;

    (void)first;
    info->doc_deleted += len;
    return 0;
}

/* What becomes of it in a document: deleted share, pending, heap. */
static int look_inside(const struct tool_file *file, struct info *info)
{
    struct yjs_update_visitor visitor = {count_doc_struct, count_doc_delete,
                                         info};
    struct yjs_update_options opt = tool_options(YJS_FORMAT_V1);
    struct yjs_apply_result result;
    struct yjs_bytes state = {NULL, 0, {NULL, NULL}};
    yjs_doc *doc = NULL;
    int code = tool_load(file, false, &doc, &result), rc;

    if (code != TOOL_OK)
        return code;
    info->pending = result.pending;
    info->heap = yjs_doc_heap(doc);
    tool_phase(file->name, "counting", 0);
    rc = yjs_encode_state_as_update(doc, NULL, 0, &state);
    if (rc == YJS_OK)
        rc = yjs_update_visit((struct yjs_span){state.data, state.len}, &opt,
                              &visitor, NULL, NULL);
    tool_phase_end();
    if (rc != YJS_OK)
        code = tool_fail_doc(file->name, doc, rc);
    yjs_bytes_free(&state);
    yjs_doc_free(doc);
    return code;
}

static double share(const struct info *info)
{
    return info->doc_clocks == 0
               ? 0.0
               : (double)info->doc_deleted / (double)info->doc_clocks;
}

static void print_text(FILE *out, const struct tool_file *file,
                       const struct info *info)
{
    size_t i;

    fprintf(out, "format    v%d\nbytes     %zu\nstructs   %" PRIu64 "\n",
            (int)file->format, file->len, info->all_structs);
    for (i = 0; i < KINDS; i++)
        if (info->structs[i] > 0)
            fprintf(out, "  %-8s%" PRIu64 ", %" PRIu64 " clocks\n",
                    kind_names[i], info->structs[i], info->clocks[i]);
    fprintf(out, "content   %" PRIu64 " bytes\n", info->content);
    fprintf(out, "deletes   %" PRIu64 " ranges, %" PRIu64 " clocks\n",
            info->ranges, info->deleted);
    fprintf(out, "deleted   %.1f%% of %" PRIu64 " clocks\n",
            100.0 * share(info), info->doc_clocks);
    fprintf(out, "pending   %s\nheap      %zu bytes\nclients   %zu\n",
            info->pending ? "yes" : "no", info->heap, info->clients.n);
    for (i = 0; i < info->clients.n; i++)
        fprintf(out, "  %" PRIu64 " from %" PRIu64 " to %" PRIu64 "\n",
                info->clients.ranges[i].client, info->clients.ranges[i].from,
                info->clients.ranges[i].to);
}

static void print_json(FILE *out, const struct tool_file *file,
                       const struct info *info)
{
    const char *comma = "";
    size_t i;

    fprintf(out,
            "{\"format\":\"v%d\",\"bytes\":%zu,\"structs\":%" PRIu64
            ",\"kinds\":{",
            (int)file->format, file->len, info->all_structs);
    for (i = 0; i < KINDS; i++) {
        if (info->structs[i] == 0)
            continue;
        fprintf(out,
                "%s\"%s\":{\"structs\":%" PRIu64 ",\"clocks\":%" PRIu64 "}",
                comma, kind_names[i], info->structs[i], info->clocks[i]);
        comma = ",";
    }
    fprintf(out,
            "},\"content\":%" PRIu64 ",\"deletes\":{\"ranges\":%" PRIu64
            ",\"clocks\":%" PRIu64 "},\"deleted\":%.4f,\"pending\":%s,"
            "\"heap\":%zu,\"clients\":{",
            info->content, info->ranges, info->deleted, share(info),
            info->pending ? "true" : "false", info->heap);
    for (i = 0; i < info->clients.n; i++)
        fprintf(out, "%s\"%" PRIu64 "\":[%" PRIu64 ",%" PRIu64 "]",
                i > 0 ? "," : "", info->clients.ranges[i].client,
                info->clients.ranges[i].from, info->clients.ranges[i].to);
    fprintf(out, "}}\n");
}

static int gather(const struct tool_file *file, struct info *info)
{
    struct yjs_span update = {file->data, file->len};
    struct yjs_update_visitor visitor = {count_struct, count_delete, info};
    struct yjs_update_options opt = tool_options(file->format);
    struct yjs_update_error err = {0, 0};
    int rc;

    tool_phase(file->name, "counting", 0);
    rc = yjs_update_visit(update, &opt, &visitor, &err, NULL);
    if (rc == YJS_OK)
        rc = yjs_update_meta_read(update, &opt, &err, &info->clients);
    tool_phase_end();
    if (rc != YJS_OK)
        return tool_fail_at(file->name, err.offset, rc);
    return look_inside(file, info);
}

int tool_info(struct tool *t)
{
    struct tool_file file;
    struct info info = {.pending = false};
    FILE *out = NULL;
    int code = tool_read_update(t, t->files[0], &file);

    if (code != TOOL_OK)
        return code;
    code = gather(&file, &info);
    if (code == TOOL_OK) {
        out = tool_out(t);
        if (out == NULL)
            code = TOOL_IO;
        else if (t->json)
            print_json(out, &file, &info);
        else
            print_text(out, &file, &info);
    }
    yjs_update_meta_free(&info.clients);
    tool_file_free(&file);
    return code;
}
