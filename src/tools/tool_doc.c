/* SPDX-License-Identifier: MIT */
/*
 * tool_doc.c: commands that load a document: json, text, verify, log.
 */
#include "tools/tool.h"

#include <stdlib.h>
#include <string.h>

/* -------------------------------------------------------------------- roots */

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

static char *spec_of(const struct tool *t, const yjs_doc *doc,
                     const char *name)
{
    struct specs specs = {NULL, 0, false, false};
    char *spec = NULL;

    if (t->n_roots > 0)
        return join((const char *const *)t->roots, t->n_roots, false);
    (void)yjs_doc_visit_roots(doc, add_root, &specs);
    if (!specs.failed)
        spec = join((const char *const *)specs.list, specs.n, true);
    if (specs.left_out)
        fprintf(stderr, "yjs: %s: a root with a comma in its name is left "
                        "out\n",
                name);
    free_specs(&specs);
    return spec;
}

/* --------------------------------------------------------------- json, text */

static int to_json(const char *name, yjs_doc *doc, const char *spec,
                   struct yjs_bytes *out)
{
    int rc = spec == NULL ? YJS_ERR_NOMEM : yjs_doc_to_json(doc, spec, out);

    if (rc == YJS_ERR_RANGE)
        return tool_fail(name, TOOL_USAGE,
                         "--root wants NAME:TYPE, a type of text, array, map, "
                         "xml");
    return rc == YJS_OK ? TOOL_OK : tool_fail_at(name, 0, rc);
}

int tool_json(struct tool *t)
{
    struct yjs_bytes out = {NULL, 0, {NULL, NULL}};
    struct yjs_apply_result result;
    struct tool_file file;
    yjs_doc *doc = NULL;
    char *spec = NULL;
    int code = tool_read_update(t, t->files[0], &file);

    if (code != TOOL_OK)
        return code;
    code = tool_load(&file, &doc, &result);
    if (code == TOOL_OK) {
        spec = spec_of(t, doc, file.name);
        code = to_json(file.name, doc, spec, &out);
    }
    if (code == TOOL_OK) {
        code = tool_write(t, out.data, out.len, false);
        if (code == TOOL_OK && t->output == NULL)
            putchar('\n');
    }
    yjs_bytes_free(&out);
    free(spec);
    yjs_doc_free(doc);
    tool_file_free(&file);
    return code;
}

static unsigned int hex_value(uint8_t c)
{
    return c <= '9' ? c - (unsigned int)'0' : (c | 0x20u) - 'a' + 10;
}

static char plain_escape(uint8_t c)
{
    static const char from[] = "bfnrt";
    static const char to[] = "\b\f\n\r\t";
    const char *found = strchr(from, c);

    return found != NULL ? to[found - from] : (char)c;
}

/*
 * The string that `json`, {"name":"string"}, has for a value, unescaped in
 * place. Only controls have a \u escape: a text is valid UTF-8.
 */
static size_t take_string(uint8_t *json, size_t len, size_t name_len)
{
    uint8_t *p = json + name_len, *out = json;
    uint8_t *end = json + len - 2; /* the quote and the brace */

    while (p < end) {
        if (*p != '\\') {
            *out++ = *p++;
        } else if (p[1] == 'u') {
            *out++ = (uint8_t)(hex_value(p[4]) << 4 | hex_value(p[5]));
            p += 6;
        } else {
            *out++ = (uint8_t)plain_escape(p[1]);
            p += 2;
        }
    }
    return (size_t)(out - json);
}

/* Where the value begins in {"name":"value"}: the name may be escaped. */
static size_t value_at(const uint8_t *json)
{
    size_t i = 2;

    for (; json[i] != '"'; i++)
        if (json[i] == '\\')
            i++;
    return i + 3;
}

struct only {
    size_t n; /* text roots */
    char *spec;
};

static int look_for_text(void *ctx, struct yjs_span name, const char *type)
{
    struct only *only = ctx;
    struct specs one = {NULL, 0, false, false};

    if (strcmp(type, "text") != 0)
        return 0;
    if (only->n++ == 0 && add_root(&one, name, type) == 0 && one.n == 1)
        only->spec = one.list[0];
    free(one.list);
    return 0;
}

/* "NAME:text" of the root that was named, or of the only one there is. */
static int text_spec(const struct tool *t, const yjs_doc *doc,
                     const char *name, char **out)
{
    static const char suffix[] = ":text";
    const char *root = t->n_roots > 0 ? t->roots[0] : NULL;
    struct only only = {0, NULL};
    size_t len, want;

    if (root == NULL) {
        (void)yjs_doc_visit_roots(doc, look_for_text, &only);
        *out = only.spec;
        if (only.n == 1 && only.spec != NULL)
            return TOOL_OK;
        fprintf(stderr, "yjs: %s: has %zu texts: name one with --root=NAME\n",
                name, only.n);
        return TOOL_USAGE;
    }
    len = strlen(root);
    want = len > 5 && strcmp(root + len - 5, suffix) == 0 ? len : len + 5;
    *out = malloc(want + 1);
    if (*out == NULL)
        return tool_fail(name, TOOL_LIMIT, "out of memory");
    memcpy(*out, root, len);
    if (want > len)
        memcpy(*out + len, suffix, 5);
    (*out)[want] = '\0';
    return TOOL_OK;
}

int tool_text(struct tool *t)
{
    struct yjs_bytes json = {NULL, 0, {NULL, NULL}};
    struct yjs_apply_result result;
    struct tool_file file;
    yjs_doc *doc = NULL;
    char *spec = NULL;
    int code = tool_read_update(t, t->files[0], &file);

    if (code != TOOL_OK)
        return code;
    code = tool_load(&file, &doc, &result);
    if (code == TOOL_OK)
        code = text_spec(t, doc, file.name, &spec);
    if (code == TOOL_OK)
        code = to_json(file.name, doc, spec, &json);
    if (code == TOOL_OK) {
        size_t len = take_string(json.data, json.len, value_at(json.data));

        code = tool_write(t, json.data, len, false);
    }
    yjs_bytes_free(&json);
    free(spec);
    yjs_doc_free(doc);
    tool_file_free(&file);
    return code;
}

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
            code = tool_load(&file, &doc, &result);
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
