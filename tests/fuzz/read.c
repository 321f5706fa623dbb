/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: reading a document that peers filled with what they liked.
 * Input: a byte of flags, then an update, which goes into a document that has
 * a bit of everything. Its roots are taken for a kind that the flags choose,
 * and everything is read in every way there is. All ways agree on how much
 * there is.
 */
#include "fuzz.h"

#include "seed.h"

#include "yjs.h"

enum { DEPTH = 64, TYPES = 512 };

struct walk {
    yjs_doc *doc;
    struct yjs_type types[TYPES];
    size_t n;
};

static void add(struct walk *w, const struct yjs_value *value)
{
    if (value->kind == YJS_VALUE_TYPE && w->n < TYPES)
        w->types[w->n++] = value->type;
}

static bool may_fail(int rc)
{
    return rc == YJS_OK || rc == YJS_ERR_LIMIT || rc == YJS_ERR_TYPE;
}

static void read_value(struct walk *w, const struct yjs_value *value)
{
    struct yjs_bytes json = {0};
    int rc = yjs_value_to_json(w->doc, value, &json);

    FUZZ_ASSERT(may_fail(rc));
    yjs_bytes_free(&json);
    add(w, value);
}

static uint64_t units_of(const struct yjs_value *value)
{
    uint64_t n = 0;

    if (value->kind != YJS_VALUE_STRING)
        return 1;
    for (size_t i = 0; i < value->bytes.len; i++) {
        uint8_t c = value->bytes.data[i];

        n += (c & 0xc0) != 0x80;
        n += c >= 0xf0;
    }
    return n;
}

static void read_sequence(struct walk *w, struct yjs_type type)
{
    struct yjs_value value, same;
    struct yjs_iter iter;
    uint64_t length = 0, n = 0, at = 0;
    bool text;
    enum yjs_type_kind kind;

    FUZZ_ASSERT(yjs_type_length(w->doc, type, &length) == YJS_OK);
    if (yjs_iter_sequence(w->doc, type, &iter) != YJS_OK)
        return;
    FUZZ_ASSERT(yjs_type_kind(w->doc, type, &kind) == YJS_OK);
    text = kind == YJS_TYPE_TEXT || kind == YJS_TYPE_XML_TEXT;
    while (yjs_iter_next(&iter, NULL, &value)) {
        read_value(w, &value);
        n += text ? units_of(&value) : 1;
        /* a document of JSON strings has more units than stretches */
        if (!text && at < 16) {
            FUZZ_ASSERT(yjs_array_get(w->doc, type, at++, &same) == YJS_OK);
            FUZZ_ASSERT(same.kind == value.kind);
        }
    }
    FUZZ_ASSERT(iter.err == YJS_OK);
    if (!text)
        FUZZ_ASSERT(n == length &&
                    yjs_array_get(w->doc, type, n, &same) != YJS_OK);
}

static void read_entries(struct walk *w, struct yjs_type type)
{
    struct yjs_value value, same;
    struct yjs_span key;
    struct yjs_iter iter;
    uint64_t size = 0, n = 0;

    if (yjs_iter_entries(w->doc, type, &iter) != YJS_OK)
        return;
    while (yjs_iter_next(&iter, &key, &value)) {
        FUZZ_ASSERT(yjs_map_get(w->doc, type, key, &same) == YJS_OK);
        FUZZ_ASSERT(same.kind == value.kind);
        read_value(w, &value);
        n++;
    }
    FUZZ_ASSERT(iter.err == YJS_OK);
    FUZZ_ASSERT(yjs_map_size(w->doc, type, &size) == YJS_OK && size == n);
}

static void read_type(struct walk *w, struct yjs_type type)
{
    struct yjs_bytes out = {0};
    struct yjs_type parent;
    struct yjs_span name;

    FUZZ_ASSERT(may_fail(yjs_type_to_json(w->doc, type, &out)));
    yjs_bytes_free(&out);
    FUZZ_ASSERT(may_fail(yjs_type_to_string(w->doc, type, &out)));
    yjs_bytes_free(&out);
    FUZZ_ASSERT(may_fail(yjs_text_to_delta(w->doc, type, &out)));
    yjs_bytes_free(&out);
    FUZZ_ASSERT(may_fail(yjs_type_name(w->doc, type, &name)));
    if (type.root == NULL)
        FUZZ_ASSERT(yjs_type_parent(w->doc, type, &parent, &name) == YJS_OK);
    read_sequence(w, type);
    read_entries(w, type);
}

struct roots {
    struct walk *walk;
    enum yjs_type_kind kind;
    struct {
        uint8_t name[DEPTH];
        size_t len;
    } names[DEPTH];
    size_t n;
};

static int on_root(void *ctx, struct yjs_span name, const char *type)
{
    struct roots *r = ctx;

    FUZZ_ASSERT(type != NULL);
    if (r->n < DEPTH && name.len <= DEPTH) {
        memcpy(r->names[r->n].name, name.data, name.len);
        r->names[r->n++].len = name.len;
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    uint8_t flags = fuzz_byte(&in);
    struct yjs_doc_options opt = {
        .client_id = 77777,
        .keep_deleted = (flags & 8) != 0,
        .limits = {.update_bytes = 1 << 16, .text_bytes = 1 << 16}};
    static struct walk walk;
    static struct roots roots;
    size_t i;

    walk = (struct walk){.n = 0};
    roots = (struct roots){.walk = &walk,
                           .kind = (enum yjs_type_kind)((flags & 7) % 7)};
    FUZZ_ASSERT(yjs_doc_new(&opt, &walk.doc) == YJS_OK);
    FUZZ_ASSERT(yjs_apply_update(walk.doc, fuzz_seed, sizeof(fuzz_seed),
                                 NULL) == YJS_OK);
    (void)!yjs_apply_update(walk.doc, in.p, in.left, NULL);
    FUZZ_ASSERT(yjs_doc_visit_roots(walk.doc, on_root, &roots) == 0);
    for (i = 0; i < roots.n; i++) {
        struct yjs_span name = {roots.names[i].name, roots.names[i].len};

        FUZZ_ASSERT(yjs_doc_root(walk.doc, name, roots.kind,
                                 &walk.types[walk.n]) == YJS_OK);
        walk.n++;
    }
    for (i = 0; i < walk.n; i++)
        read_type(&walk, walk.types[i]);
    FUZZ_ASSERT(yjs_doc_verify(walk.doc) == YJS_OK);
    yjs_doc_free(walk.doc);
    return 0;
}
