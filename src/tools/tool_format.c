/* SPDX-License-Identifier: MIT */
/*
 * tool_format.c: v1 or v2, and does it end where it should.
 *
 * Nothing in an update names its format. v2 begins with a 0, and so does a v1
 * update without structs; the library, as Yjs, ignores what follows an update,
 * so that two zeros make any file a good and empty v1 update. What tells the
 * formats apart is the end: an update is of the format in which it takes all
 * of the file. If it does so in neither, it is looked at as that in which it
 * gets further, and a file that says nothing in that one is none.
 */
#include "tools/tool.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------- one update */

/* What bytes are, read as one format. */
struct verdict {
    enum yjs_format format; /* 0: was not tried */
    int rc;
    enum yjs_limit limit;
    size_t at;  /* its end, or where reading it stopped */
    bool empty; /* without structs and deletes */
};

static int on_struct(void *ctx, const struct yjs_struct *s)
{
    (void)s;
    *(bool *)ctx = false;
    return 0;
}

static int on_delete(void *ctx, struct yjs_id first, uint64_t len)
{
    (void)first;
    (void)len;
    *(bool *)ctx = false;
    return 0;
}

static int visit(struct yjs_span bytes, const struct yjs_update_options *opt,
                 struct verdict *v)
{
    struct yjs_update_visitor visitor = {on_struct, on_delete, &v->empty};
    struct yjs_update_error err = {0, 0};
    int rc;

    v->empty = true;
    rc = yjs_update_visit(bytes, opt, &visitor, &err, &v->at);
    if (rc != YJS_OK)
        v->at = err.offset;
    return rc;
}

/* The library does not say which limit it was: it is that without which the
 * update is read, or a later thing is found. */
static enum yjs_limit limit_of(struct yjs_span bytes, enum yjs_format format)
{
    struct yjs_update_options opt = tool_options(format);
    struct verdict v;

    if (bytes.len > opt.limits.update_bytes)
        return YJS_LIMIT_UPDATE_BYTES;
    opt.limits.depth = bytes.len + 1;
    if (visit(bytes, &opt, &v) != YJS_ERR_LIMIT)
        return YJS_LIMIT_DEPTH;
    /* v2 may also be too long as v1. */
    return format == YJS_FORMAT_V1 ? YJS_LIMIT_STRUCTS : YJS_LIMIT_NONE;
}

static struct verdict judge(struct yjs_span bytes, enum yjs_format format)
{
    struct yjs_update_options opt = tool_options(format);
    struct verdict v = {.format = format};

    v.rc = visit(bytes, &opt, &v);
    if (v.rc == YJS_ERR_LIMIT)
        v.limit = limit_of(bytes, format);
    return v;
}

static bool is_exact(const struct verdict *v, size_t len)
{
    return v->rc == YJS_OK && v->at == len;
}

/* Could it be v2 as well as v1? */
static bool may_be_v2(struct yjs_span bytes)
{
    return bytes.len > 0 && bytes.data[0] == 0;
}

/* What it most likely is; *other is what else it might be, if in doubt. */
static struct verdict decide(struct yjs_span bytes, enum yjs_format forced,
                             struct verdict *other)
{
    struct verdict v1 = judge(bytes, forced != 0 ? forced : YJS_FORMAT_V1), v2;

    *other = (struct verdict){.format = 0};
    if (forced != 0 || is_exact(&v1, bytes.len) || !may_be_v2(bytes))
        return v1;
    v2 = judge(bytes, YJS_FORMAT_V2);
    if (is_exact(&v2, bytes.len))
        return v2;
    *other = v2.at > v1.at ? v1 : v2;
    return v2.at > v1.at ? v2 : v1;
}

/* ------------------------------------------------------------------ errors */

/* "as v1 it ends at byte 2", "as v2 byte 30: the input ends ...". */
static void describe(const struct verdict *v)
{
    if (v->rc == YJS_OK)
        fprintf(stderr, "as v%d it %sends at byte %zu", (int)v->format,
                v->empty ? "is empty and " : "", v->at);
    else
        fprintf(stderr, "as v%d byte %zu: %s", (int)v->format, v->at,
                tool_reason(v->rc, v->limit));
}

/* In parentheses, where there is a doubt: how it was read, and how not. */
static void describe_doubt(const struct verdict *v, const struct verdict *other)
{
    if (other->format != 0) {
        fprintf(stderr, " (read as v%d; ", (int)v->format);
        describe(other);
        fputs(")", stderr);
    }
}

static void describe_end(const struct verdict *v, size_t from, size_t len)
{
    if (v->rc == YJS_OK)
        fprintf(stderr, "byte %zu: %zu bytes follow the end of the update",
                from + v->at, len - v->at);
    else
        fprintf(stderr, "byte %zu: %s", from + v->at,
                tool_reason(v->rc, v->limit));
}

static int settle(const struct tool *t, struct tool_file *file,
                  const struct verdict *v, const struct verdict *other)
{
    bool none = other->format != 0 && v->rc == YJS_OK && v->empty;

    file->format = v->format;
    if (is_exact(v, file->len))
        return TOOL_OK;
    fprintf(stderr, "yjs: %s: ", file->name);
    if (none) {
        fputs("not an update: ", stderr);
        describe(v);
        fprintf(stderr, " of %zu, ", file->len);
        describe(other);
    } else {
        describe_end(v, 0, file->len);
        describe_doubt(v, other);
    }
    if (none || v->rc != YJS_OK || t->strict) {
        fputs("\n", stderr);
        return v->rc == YJS_OK ? TOOL_BAD_DATA : tool_code(v->rc);
    }
    fputs("; ignored\n", stderr);
    file->len = v->at;
    return TOOL_OK;
}

int tool_read_update(const struct tool *t, const char *name,
                     struct tool_file *out)
{
    struct verdict v, other;
    int code = tool_read(t, name, out);

    if (code != TOOL_OK)
        return code;
    tool_phase(out->name, "decoding", 0);
    v = decide((struct yjs_span){out->data, out->len}, t->format, &other);
    tool_phase_end();
    code = settle(t, out, &v, &other);
    if (code != TOOL_OK)
        tool_file_free(out);
    return code;
}

/* -------------------------------------------------------------------- logs */

static int fail_record(const struct tool_log *log, size_t at, int err)
{
    fprintf(stderr, "yjs: %s: record %zu: byte %zu: %s\n", log->file.name,
            log->n + 1, at, yjs_strerror(err));
    return tool_code(err);
}

static bool add_update(struct tool_log *log, size_t *cap, struct yjs_span u)
{
    if (log->n == *cap) {
        size_t more = *cap == 0 ? 1024 : 2 * *cap;
        struct yjs_span *p = realloc(log->updates, more * sizeof(*p));

        if (p == NULL)
            return false;
        log->updates = p;
        *cap = more;
    }
    log->updates[log->n++] = u;
    return true;
}

/* Each update after its length: four bytes, the lowest first. */
static int cut_records(struct tool_log *log)
{
    const struct tool_file *file = &log->file;
    size_t at = 0, cap = 0;

    while (at < file->len) {
        const uint8_t *p = file->data + at;
        size_t left = file->len - at, len;

        if (left < 4)
            return fail_record(log, at, YJS_ERR_TRUNCATED);
        len =
            p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
        if (len > left - 4)
            return fail_record(log, at, YJS_ERR_TRUNCATED);
        if (!add_update(log, &cap, (struct yjs_span){p + 4, len}))
            return tool_fail(file->name, TOOL_LIMIT, "out of memory");
        at += 4 + len;
    }
    return TOOL_OK;
}

static size_t place_of(const struct tool_log *log, size_t i)
{
    return (size_t)(log->updates[i].data - log->file.data);
}

/* The first record that is not an update and nothing else; n: all are. */
static size_t judge_log(const struct tool_log *log, enum yjs_format format,
                        struct verdict *v)
{
    size_t i;

    *v = (struct verdict){.format = format};
    tool_phase(log->file.name,
               format == YJS_FORMAT_V2 ? "decoding as v2" : "decoding as v1",
               log->file.len);
    for (i = 0; i < log->n; i++) {
        *v = judge(log->updates[i], format);
        if (!is_exact(v, log->updates[i].len))
            break;
        tool_phase_at(place_of(log, i));
    }
    tool_phase_end();
    return i;
}

static int judge_records(struct tool_log *log, enum yjs_format forced)
{
    struct verdict v, other = {.format = 0};
    size_t bad = judge_log(log, forced != 0 ? forced : YJS_FORMAT_V1, &v);
    size_t bad_other = 0;

    if (bad < log->n && forced == 0 && may_be_v2(log->updates[bad])) {
        struct verdict v1 = v;
        size_t bad_v1 = bad;

        bad = judge_log(log, YJS_FORMAT_V2, &v);
        other = v1;
        bad_other = bad_v1;
        if (bad < bad_v1 || (bad == bad_v1 && v.at <= v1.at)) {
            other = v;
            bad_other = bad;
            v = v1;
            bad = bad_v1;
        }
    }
    log->file.format = v.format;
    if (bad == log->n)
        return TOOL_OK;
    fprintf(stderr, "yjs: %s: record %zu: ", log->file.name, bad + 1);
    describe_end(&v, place_of(log, bad), log->updates[bad].len);
    if (other.format != 0)
        fprintf(stderr, " (read as v%d; as v%d record %zu is wrong)",
                (int)v.format, (int)other.format, bad_other + 1);
    fputs("\n", stderr);
    return v.rc == YJS_OK ? TOOL_BAD_DATA : tool_code(v.rc);
}

int tool_read_log(const struct tool *t, const char *name, struct tool_log *out)
{
    int code;

    *out = (struct tool_log){.n = 0};
    code = tool_read(t, name, &out->file);
    if (code == TOOL_OK)
        code = cut_records(out);
    if (code == TOOL_OK)
        code = judge_records(out, t->format);
    return code;
}

void tool_log_free(struct tool_log *log)
{
    free(log->updates);
    tool_file_free(&log->file);
    log->updates = NULL;
    log->n = 0;
}
