/* SPDX-License-Identifier: MIT */
/*
 * merge-updates: files of Yjs updates become one, without a document; then a
 * document is made of it to say what is in there.
 *
 *   cc merge-updates.c -o merge-updates $(pkg-config --cflags --libs yjs)
 *   ./merge-updates MERGED UPDATE...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yjs.h>

static int read_file(const char *name, struct yjs_span *out)
{
    FILE *f = fopen(name, "rb");
    size_t len = 0, cap = 0, n;
    uint8_t *data = NULL, *p;

    if (f == NULL)
        return -1;
    do {
        if (cap - len < 4096) {
            cap = 2 * cap + 8192;
            p = realloc(data, cap);
            if (p == NULL) {
                free(data);
                fclose(f);
                return -1;
            }
            data = p;
        }
        n = fread(data + len, 1, cap - len, f);
        len += n;
    } while (n > 0);
    fclose(f);
    *out = (struct yjs_span){data, len};
    return 0;
}

static int write_file(const char *name, const struct yjs_bytes *bytes)
{
    FILE *f = fopen(name, "wb");
    int rc;

    if (f == NULL)
        return -1;
    rc = fwrite(bytes->data, 1, bytes->len, f) == bytes->len ? 0 : -1;
    return fclose(f) == 0 ? rc : -1;
}

/* The names of the roots, as yjs_doc_to_json wants them: "a:text,b:map". */
struct spec {
    char text[1024];
    size_t len;
};

static int add_root(void *ctx, struct yjs_span name, const char *type)
{
    struct spec *spec = ctx;
    size_t left = sizeof(spec->text) - spec->len;
    int n = snprintf(spec->text + spec->len, left, "%s%.*s:%s",
                     spec->len > 0 ? "," : "", (int)name.len,
                     (const char *)name.data, type);

    if (n < 0 || (size_t)n >= left)
        return YJS_ERR_LIMIT;
    spec->len += (size_t)n;
    return 0;
}

/* Print the document that the update makes. */
static int show(const struct yjs_bytes *update)
{
    struct yjs_apply_result result;
    struct yjs_bytes json = {NULL, 0, {NULL, NULL}};
    struct spec spec = {"", 0};
    yjs_doc *doc = NULL;
    int rc = yjs_doc_new(NULL, &doc);

    if (rc == YJS_OK)
        rc = yjs_apply_update(doc, update->data, update->len, &result);
    if (rc == YJS_OK)
        rc = yjs_doc_visit_roots(doc, add_root, &spec);
    if (rc == YJS_OK)
        rc = yjs_doc_to_json(doc, spec.text, &json);
    if (rc == YJS_OK)
        printf("%.*s%s\n", (int)json.len, (const char *)json.data,
               result.pending ? " (more is pending)" : "");
    yjs_bytes_free(&json);
    yjs_doc_free(doc);
    return rc;
}

int main(int argc, char **argv)
{
    struct yjs_update_error where;
    struct yjs_bytes merged = {NULL, 0, {NULL, NULL}};
    struct yjs_span *updates;
    size_t n = 0;
    int rc, code = 1;

    if (argc < 3) {
        fprintf(stderr, "usage: merge-updates MERGED UPDATE...\n");
        return 2;
    }
    updates = calloc((size_t)argc, sizeof(*updates));
    if (updates == NULL)
        return 1;
    for (; n + 2 < (size_t)argc; n++) {
        if (read_file(argv[n + 2], &updates[n]) != 0) {
            perror(argv[n + 2]);
            goto out;
        }
    }
    rc = yjs_update_merge(updates, n, NULL, &where, &merged);
    if (rc != YJS_OK) {
        fprintf(stderr, "%s: byte %zu: %s\n", argv[where.index + 2],
                where.offset, yjs_strerror(rc));
        goto out;
    }
    rc = show(&merged);
    if (rc != YJS_OK)
        fprintf(stderr, "%s\n", yjs_strerror(rc));
    else if (write_file(argv[1], &merged) != 0)
        perror(argv[1]);
    else
        code = 0;
out:
    yjs_bytes_free(&merged);
    while (n > 0)
        free((void *)updates[--n].data);
    free(updates);
    return code;
}
