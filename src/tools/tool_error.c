/* SPDX-License-Identifier: MIT */
/*
 * tool_error.c: what went wrong, in words, and the limits of the tool.
 */
#include "tools/tool.h"

#define MAX_STRUCTS ((size_t)1 << 28)
#define MAX_DEPTH   1024u

struct yjs_update_options tool_options(enum yjs_format format)
{
    return (struct yjs_update_options){
        .format = format,
        .limits = {.update_bytes = TOOL_MAX_BYTES,
                   .structs = MAX_STRUCTS,
                   .depth = MAX_DEPTH}};
}

struct yjs_doc_options tool_doc_options(void)
{
    return (struct yjs_doc_options){.limits = {.update_bytes = TOOL_MAX_BYTES,
                                               .structs = MAX_STRUCTS,
                                               .clients = MAX_STRUCTS,
                                               .pending_bytes = TOOL_MAX_BYTES,
                                               .depth = MAX_DEPTH}};
}

/* The values are those above, and the library's own where it has none. */
static const char *limit_name(enum yjs_limit limit)
{
    switch (limit) {
    case YJS_LIMIT_UPDATE_BYTES:
        return "limit reached: an update has at most 1 GiB";
    case YJS_LIMIT_STRUCTS:
        return "limit reached: an update has at most 268435456 structs";
    case YJS_LIMIT_CLIENTS:
        return "limit reached: a document has at most 268435456 clients";
    case YJS_LIMIT_DEPTH:
        return "limit reached: values nest at most 1024 deep";
    case YJS_LIMIT_PENDING_BYTES:
        return "limit reached: at most 1 GiB waits for what is missing";
    case YJS_LIMIT_DOC_BYTES:
        return "limit reached: a document has at most what 32 bits can count";
    case YJS_LIMIT_TEXT_BYTES:
        return "limit reached: a document as text has at most 1 GiB";
    case YJS_LIMIT_CONFLICTS:
        return "limit reached: an update may ask for 16777216 comparisons of "
               "what was inserted at the same place";
    default:
        return "limit reached: an update has at most 1 GiB and 268435456 "
               "structs, values nest at most 1024 deep";
    }
}

const char *tool_reason(int err, enum yjs_limit limit)
{
    return err == YJS_ERR_LIMIT ? limit_name(limit) : yjs_strerror(err);
}

int tool_code(int err)
{
    return err == YJS_ERR_NOMEM || err == YJS_ERR_LIMIT ? TOOL_LIMIT
                                                        : TOOL_BAD_DATA;
}

int tool_fail(const char *name, int code, const char *message)
{
    tool_phase_end();
    fprintf(stderr, "yjs: %s: %s\n", name, message);
    return code;
}

int tool_fail_limit(const char *name, size_t offset, int err,
                    enum yjs_limit limit)
{
    tool_phase_end();
    fprintf(stderr, "yjs: %s: byte %zu: %s\n", name, offset,
            tool_reason(err, limit));
    return tool_code(err);
}

int tool_fail_at(const char *name, size_t offset, int err)
{
    return tool_fail_limit(name, offset, err, YJS_LIMIT_NONE);
}

int tool_fail_doc(const char *name, const yjs_doc *doc, int err)
{
    return tool_fail(
        name, tool_code(err),
        tool_reason(err, doc != NULL ? yjs_doc_limit(doc) : YJS_LIMIT_NONE));
}
