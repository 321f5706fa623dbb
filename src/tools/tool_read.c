/* SPDX-License-Identifier: MIT */
/*
 * tool_read.c: commands that show what is in a document, now or at a snapshot:
 * json, text, delta, snapshot.
 */
#include "tools/tool.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- documents */

/* The document as it was when the snapshot --at was taken. */
static int go_back(const struct tool *t, yjs_doc **doc)
{
    struct yjs_doc_options opt = tool_doc_options();
    struct tool_file at;
    yjs_doc *past = NULL;
    int code = tool_read_snapshot(t, t->at, &at), rc;

    if (code != TOOL_OK) {
        tool_file_free(&at);
        return code;
    }
    tool_phase(at.name, "going back to", 0);
    rc = yjs_doc_at_snapshot(*doc, (struct yjs_span){at.data, at.len},
                             t->format != 0 ? t->format : YJS_FORMAT_V1, &opt,
                             &past);
    tool_phase_end();
    if (rc == YJS_ERR_RANGE)
        code = tool_fail(at.name, TOOL_BAD_DATA,
                         "has seen more than the document");
    else if (rc != YJS_OK)
        code = tool_fail_at(at.name, 0, rc);
    tool_file_free(&at);
    if (code != TOOL_OK)
        return code;
    yjs_doc_free(*doc);
    *doc = past;
    return TOOL_OK;
}

/* The document that the file makes; on failure there is nothing to free. */
static int load(const struct tool *t, yjs_doc **out)
{
    struct yjs_apply_result result;
    struct tool_file file;
    int code = tool_read_update(t, t->files[0], &file);

    if (code != TOOL_OK)
        return code;
    code = tool_load(&file, t->at != NULL, out, &result);
    tool_file_free(&file);
    if (code == TOOL_OK && t->at != NULL) {
        code = go_back(t, out);
        if (code != TOOL_OK)
            yjs_doc_free(*out);
    }
    return code;
}

/* Text for people: a line, but in a file as it is. Frees `bytes`. */
static int write_line(struct tool *t, struct yjs_bytes *bytes)
{
    int code = tool_write(t, bytes->data, bytes->len, false);

    if (code == TOOL_OK && t->output == NULL)
        fputc('\n', t->out);
    yjs_bytes_free(bytes);
    return code;
}

/* -------------------------------------------------------------------- roots */

enum { ROOTS_NAMED = 20 };

/* A look for one root, and the list of all for who named another. */
struct search {
    struct yjs_span name;
    const char *type; /* NULL: there is none of that name */
    size_t n;
    FILE *list; /* NULL: only look */
};

static int look_at_root(void *ctx, struct yjs_span name, const char *type)
{
    struct search *s = ctx;
    size_t i;

    if (name.len == s->name.len &&
        memcmp(name.data, s->name.data, name.len) == 0)
        s->type = type;
    if (s->list == NULL || s->n++ >= ROOTS_NAMED)
        return 0;
    fputs(s->n == 1 ? "; it has " : ", ", s->list);
    for (i = 0; i < name.len; i++)
        fputc(name.data[i] < 0x20 || name.data[i] == 0x7f ? '?' : name.data[i],
              s->list);
    fprintf(s->list, ":%s", type);
    return 0;
}

/* The type that its content looks like, NULL if there is no such root. */
static const char *type_of_root(const yjs_doc *doc, struct yjs_span name)
{
    struct search s = {.name = name};

    if (name.len > 0)
        (void)yjs_doc_visit_roots(doc, look_at_root, &s);
    return s.type;
}

/* "yjs: FILE: has no root NAME; it has text:text, meta:map" */
static void name_roots(const struct tool *t, const yjs_doc *doc,
                       struct yjs_span name)
{
    struct search s = {.name = {NULL, 0}, .list = stderr};

    fprintf(stderr, "yjs: %s: has no root %.*s", t->files[0], (int)name.len,
            (const char *)name.data);
    (void)yjs_doc_visit_roots(doc, look_at_root, &s);
    if (s.n == 0)
        fputs("; it has none", stderr);
    if (s.n > ROOTS_NAMED)
        fprintf(stderr, " and %zu more", s.n - ROOTS_NAMED);
    fputs("\n", stderr);
}

/* What was asked for may be of a document to come: it is read, as empty. */
static void warn_of_missing(const struct tool *t, const yjs_doc *doc)
{
    size_t i;

    for (i = 0; i < t->n_roots; i++) {
        const char *colon = strrchr(t->roots[i], ':');
        struct yjs_span name = {(const uint8_t *)t->roots[i], 0};

        if (colon == NULL)
            continue; /* an error, told elsewhere */
        name.len = (size_t)(colon - t->roots[i]);
        if (name.len > 0 && type_of_root(doc, name) == NULL)
            name_roots(t, doc, name);
    }
}

/* --------------------------------------------------------------------- json */

struct specs {
    char **list; /* "NAME:TYPE", the oldest at the end */
    size_t n;
    bool left_out;
    bool failed;
};

static int add_root(void *ctx, struct yjs_span name, const char *type)
{
    struct specs *s = ctx;
    char **list;

    /* A specification has no way to write such a name. */
    if (memchr(name.data, ',', name.len) != NULL ||
        memchr(name.data, 0, name.len) != NULL) {
        s->left_out = true;
        return 0;
    }
    list = realloc(s->list, (s->n + 1) * sizeof(*list));
    if (list == NULL) {
        s->failed = true;
        return 1;
    }
    s->list = list;
    s->list[s->n] = malloc(name.len + strlen(type) + 2);
    if (s->list[s->n] == NULL) {
        s->failed = true;
        return 1;
    }
    memcpy(s->list[s->n], name.data, name.len);
    s->list[s->n][name.len] = ':';
    memcpy(s->list[s->n] + name.len + 1, type, strlen(type) + 1);
    s->n++;
    return 0;
}

static void free_specs(struct specs *s)
{
    size_t i;

    for (i = 0; i < s->n; i++)
        free(s->list[i]);
    free(s->list);
}

/* What was asked for, or all there is: "a:text,b:map"; NULL on failure. */
static char *join(const char *const *list, size_t n, bool reversed)
{
    size_t len = 1, i;
    char *out, *p;

    for (i = 0; i < n; i++)
        len += strlen(list[i]) + 1;
    out = p = malloc(len);
    for (i = 0; i < n && out != NULL; i++) {
        const char *s = list[reversed ? n - 1 - i : i];

        if (i > 0)
            *p++ = ',';
        memcpy(p, s, strlen(s));
        p += strlen(s);
    }
    if (out != NULL)
        *p = '\0';
    return out;
}

static char *spec_of(const struct tool *t, const yjs_doc *doc)
{
    struct specs specs = {NULL, 0, false, false};
    char *spec = NULL;

    if (t->n_roots > 0)
        return join((const char *const *)t->roots, t->n_roots, false);
    (void)yjs_doc_visit_roots(doc, add_root, &specs);
    if (!specs.failed)
        spec = join((const char *const *)specs.list, specs.n, true);
    if (specs.left_out)
        fprintf(stderr,
                "yjs: %s: a root with a comma in its name is left "
                "out\n",
                t->files[0]);
    free_specs(&specs);
    return spec;
}

int tool_json(struct tool *t)
{
    struct yjs_bytes out = {NULL, 0, {NULL, NULL}};
    yjs_doc *doc = NULL;
    char *spec;
    int code = load(t, &doc), rc;

    if (code != TOOL_OK)
        return code;
    warn_of_missing(t, doc);
    spec = spec_of(t, doc);
    tool_phase(t->files[0], "writing", 0);
    rc = spec == NULL ? YJS_ERR_NOMEM : yjs_doc_to_json(doc, spec, &out);
    tool_phase_end();
    if (rc == YJS_ERR_RANGE)
        code = tool_fail(t->files[0], TOOL_USAGE,
                         "--root wants NAME:TYPE, a type of text, array, map, "
                         "xml");
    else
        code = rc == YJS_OK ? write_line(t, &out)
                            : tool_fail_doc(t->files[0], doc, rc);
    free(spec);
    yjs_doc_free(doc);
    return code;
}

/* -------------------------------------------------------------- text, delta */

struct only {
    size_t n; /* text roots */
    struct yjs_span name;
};

static int look_for_text(void *ctx, struct yjs_span name, const char *type)
{
    struct only *only = ctx;

    if (strcmp(type, "text") == 0 && only->n++ == 0)
        only->name = name;
    return 0;
}

/* The root that was named, as NAME or NAME:text, or the only text there is. */
static int find_text(const struct tool *t, yjs_doc *doc, struct yjs_type *out)
{
    static const char suffix[] = ":text";
    const char *root = t->n_roots > 0 ? t->roots[0] : NULL;
    const char *type;
    struct only only = {0, {NULL, 0}};
    int rc;

    if (t->n_roots > 1)
        return tool_fail(t->command, TOOL_USAGE, "shows one --root at a time");
    if (root != NULL) {
        only.name = (struct yjs_span){(const uint8_t *)root, strlen(root)};
        if (only.name.len > 5 && strcmp(root + only.name.len - 5, suffix) == 0)
            only.name.len -= 5;
        type = type_of_root(doc, only.name);
        if (type == NULL) {
            name_roots(t, doc, only.name);
            return TOOL_USAGE;
        }
        if (strcmp(type, "text") != 0)
            fprintf(stderr,
                    "yjs: %s: what is in root %.*s looks like type "
                    "%s\n",
                    t->files[0], (int)only.name.len, root, type);
    } else {
        (void)yjs_doc_visit_roots(doc, look_for_text, &only);
        if (only.n != 1) {
            fprintf(stderr,
                    "yjs: %s: has %zu texts: name one with --root=NAME\n",
                    t->files[0], only.n);
            return TOOL_USAGE;
        }
    }
    rc = yjs_doc_root(doc, only.name, YJS_TYPE_TEXT, out);
    return rc == YJS_OK ? TOOL_OK : tool_fail_doc("--root", doc, rc);
}

static int print_text(struct tool *t,
                      int (*form)(yjs_doc *, struct yjs_type,
                                  struct yjs_bytes *),
                      struct yjs_bytes *out)
{
    struct yjs_type type;
    yjs_doc *doc = NULL;
    int code = load(t, &doc), rc;

    if (code != TOOL_OK)
        return code;
    code = find_text(t, doc, &type);
    if (code == TOOL_OK) {
        tool_phase(t->files[0], "writing", 0);
        rc = form(doc, type, out);
        tool_phase_end();
        if (rc != YJS_OK)
            code = tool_fail_doc(t->files[0], doc, rc);
    }
    yjs_doc_free(doc);
    return code;
}

int tool_text(struct tool *t)
{
    struct yjs_bytes out = {NULL, 0, {NULL, NULL}};
    int code = print_text(t, yjs_type_to_string, &out);

    if (code == TOOL_OK)
        code = tool_write(t, out.data, out.len, false);
    yjs_bytes_free(&out);
    return code;
}

int tool_delta(struct tool *t)
{
    struct yjs_bytes out = {NULL, 0, {NULL, NULL}};
    int code = print_text(t, yjs_text_to_delta, &out);

    return code == TOOL_OK ? write_line(t, &out) : code;
}

/* ----------------------------------------------------------------- snapshot */

struct listing {
    FILE *out;
    bool deletes;    /* the clocks are done */
    bool any;        /* of the object at hand */
    uint64_t client; /* whose ranges are being listed */
};

static int on_clock(void *ctx, uint64_t client, uint64_t clock)
{
    struct listing *l = ctx;

    fprintf(l->out, "%s\"%" PRIu64 "\":%" PRIu64, l->any ? "," : "", client,
            clock);
    l->any = true;
    return 0;
}

static int on_delete(void *ctx, struct yjs_id first, uint64_t len)
{
    struct listing *l = ctx;

    if (!l->deletes)
        fputs("},\"deletes\":{", l->out);
    if (l->deletes && l->client == first.client)
        fputs(",", l->out);
    else
        fprintf(l->out, "%s\"%" PRIu64 "\":[", l->deletes ? "]," : "",
                first.client);
    fprintf(l->out, "[%" PRIu64 ",%" PRIu64 "]", first.clock, len);
    l->deletes = true;
    l->client = first.client;
    return 0;
}

/* {"clocks":{"40":4},"deletes":{"40":[[1,1]]}} */
static int list_snapshot(struct tool *t, const struct yjs_bytes *bytes)
{
    struct yjs_update_options opt = tool_options(YJS_FORMAT_V1);
    char *text = NULL;
    size_t len = 0;
    struct listing l = {.out = open_memstream(&text, &len)};
    struct yjs_snapshot_visitor visitor = {on_clock, on_delete, &l};
    int code = TOOL_OK, rc;

    if (l.out == NULL)
        return tool_fail(t->files[0], TOOL_LIMIT, "out of memory");
    fputs("{\"clocks\":{", l.out);
    rc = yjs_snapshot_visit((struct yjs_span){bytes->data, bytes->len}, &opt,
                            &visitor, NULL);
    fputs(l.deletes ? "]}}\n" : "},\"deletes\":{}}\n", l.out);
    if (fclose(l.out) != 0)
        rc = YJS_ERR_NOMEM;
    code = rc == YJS_OK ? tool_write(t, text, len, false)
                        : tool_fail_at(t->files[0], 0, rc);
    free(text);
    return code;
}

int tool_snapshot(struct tool *t)
{
    struct yjs_bytes out = {NULL, 0, {NULL, NULL}};
    yjs_doc *doc = NULL;
    int code, rc;

    if (t->json && t->to != 0)
        return tool_fail("snapshot", TOOL_USAGE,
                         "--json prints the same whatever --to says");
    code = load(t, &doc);
    if (code != TOOL_OK)
        return code;
    rc = yjs_snapshot_encode(doc, t->to != 0 ? t->to : YJS_FORMAT_V1, &out);
    if (rc != YJS_OK)
        code = tool_fail_doc(t->files[0], doc, rc);
    else if (t->json)
        code = list_snapshot(t, &out);
    else
        code = tool_write(t, out.data, out.len, true);
    yjs_doc_free(doc);
    yjs_bytes_free(&out);
    return code;
}
