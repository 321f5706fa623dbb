/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: everything that reads. Input: a byte of flags, a byte that says
 * which allocation of each output fails (0: none), then pieces (see fuzz.h),
 * each an update for the document. Then all of it is read in every way: what
 * comes out is JSON, the ways agree with each other, and positions stay put.
 */
#include "fuzz.h"

#include "seed.h"

#include "yjs.h"
#include "yjs/jsoncheck.h"
#include "yjs/utf.h"

enum { KEEP_DELETED = 1, SEEDED = 2, V2 = 4, TYPES_MAX = 400, PLACES_MAX = 40 };

struct heap {
    size_t blocks;
    size_t fail_in;
};

struct reading {
    yjs_doc *doc;
    struct heap *heap;
    uint8_t fail_in;
    uint8_t kinds; /* what roots without a kind are taken for */
    struct yjs_type types[TYPES_MAX];
    size_t n;
};

static void *heap_realloc(void *ctx, void *ptr, size_t size)
{
    struct heap *heap = ctx;
    void *p;

    if (size == 0) {
        heap->blocks -= ptr != NULL;
        free(ptr);
        return NULL;
    }
    if (heap->fail_in > 0 && --heap->fail_in == 0)
        return NULL;
    p = realloc(ptr, size);
    heap->blocks += p != NULL && ptr == NULL;
    return p;
}

/* ------------------------------------------------------------------ outputs */

typedef int (*output_fn)(yjs_doc *doc, const void *what, struct yjs_bytes *out);

static int type_json(yjs_doc *doc, const void *what, struct yjs_bytes *out)
{
    return yjs_type_to_json(doc, *(const struct yjs_type *)what, out);
}

static int type_string(yjs_doc *doc, const void *what, struct yjs_bytes *out)
{
    return yjs_type_to_string(doc, *(const struct yjs_type *)what, out);
}

static int text_delta(yjs_doc *doc, const void *what, struct yjs_bytes *out)
{
    return yjs_text_to_delta(doc, *(const struct yjs_type *)what, out);
}

static int value_json(yjs_doc *doc, const void *what, struct yjs_bytes *out)
{
    return yjs_value_to_json(doc, what, out);
}

static int doc_json(yjs_doc *doc, const void *what, struct yjs_bytes *out)
{
    return yjs_doc_to_json(doc, what, out);
}

/* First with a failing allocator: nothing comes out and nothing is lost. */
static int output(struct reading *rd, output_fn fn, const void *what,
                  struct yjs_bytes *out)
{
    size_t blocks = rd->heap->blocks;
    int rc;

    memset(out, 0, sizeof(*out));
    if (rd->fail_in > 0) {
        rd->heap->fail_in = rd->fail_in;
        rc = fn(rd->doc, what, out);
        rd->heap->fail_in = 0;
        FUZZ_ASSERT((out->data != NULL) == (rc == YJS_OK) || out->len == 0);
        yjs_bytes_free(out);
        FUZZ_ASSERT(rd->heap->blocks == blocks);
    }
    return fn(rd->doc, what, out);
}

static void must_be_json(const struct yjs_bytes *out)
{
    bool is_null;
    size_t units;
    int rc = yjs__json_check(out->data, out->len, 64, &is_null);

    FUZZ_ASSERT(rc == YJS_OK || rc == YJS_ERR_LIMIT);
    FUZZ_ASSERT(yjs__utf8_check(out->data, out->len, &units));
}

static void json_of(struct reading *rd, output_fn fn, const void *what)
{
    struct yjs_bytes out;
    int rc = output(rd, fn, what, &out);

    FUZZ_ASSERT(rc == YJS_OK || rc == YJS_ERR_LIMIT);
    if (rc == YJS_OK)
        must_be_json(&out);
    yjs_bytes_free(&out);
}

/* -------------------------------------------------------------------- types */

static bool same_type(struct yjs_type a, struct yjs_type b)
{
    return a.root == b.root && (a.root != NULL || (a.id.client == b.id.client &&
                                                   a.id.clock == b.id.clock));
}

static void found(struct reading *rd, struct yjs_type parent,
                  const struct yjs_span *key, const struct yjs_value *value)
{
    struct yjs_type up;
    struct yjs_span up_key;

    if (value->kind == YJS_VALUE_TYPE) {
        FUZZ_ASSERT(yjs_type_parent(rd->doc, value->type, &up, &up_key) ==
                    YJS_OK);
        FUZZ_ASSERT(same_type(up, parent));
        FUZZ_ASSERT(key == NULL ||
                    (up_key.len == key->len &&
                     memcmp(up_key.data, key->data, key->len) == 0));
        if (rd->n < TYPES_MAX)
            rd->types[rd->n++] = value->type;
    }
    if (value->kind != YJS_VALUE_UNDEFINED)
        json_of(rd, value_json, value);
}

static void sequence(struct reading *rd, struct yjs_type type, bool text)
{
    uint64_t length, n = 0;
    struct yjs_iter iter;
    struct yjs_value value, again;

    FUZZ_ASSERT(yjs_type_length(rd->doc, type, &length) == YJS_OK);
    FUZZ_ASSERT(yjs_iter_sequence(rd->doc, type, &iter) == YJS_OK);
    while (yjs_iter_next(&iter, NULL, &value)) {
        if (!text && n < PLACES_MAX)
            FUZZ_ASSERT(yjs_array_get(rd->doc, type, n, &again) == YJS_OK &&
                        again.kind == value.kind);
        n++;
        found(rd, type, NULL, &value);
    }
    /* a string among a text's embeds counts as one, and looks like text */
    FUZZ_ASSERT(iter.err == YJS_OK && (text ? n <= length : n == length));
    FUZZ_ASSERT(text || yjs_array_get(rd->doc, type, length, &again) < 0);
}

static void entries(struct reading *rd, struct yjs_type type)
{
    uint64_t size, n = 0;
    struct yjs_iter iter;
    struct yjs_value value, again;
    struct yjs_span key;

    FUZZ_ASSERT(yjs_iter_entries(rd->doc, type, &iter) == YJS_OK);
    while (yjs_iter_next(&iter, &key, &value)) {
        n++;
        FUZZ_ASSERT(yjs_map_get(rd->doc, type, key, &again) == YJS_OK &&
                    again.kind == value.kind);
        found(rd, type, &key, &value);
    }
    FUZZ_ASSERT(iter.err == YJS_OK);
    FUZZ_ASSERT(yjs_map_size(rd->doc, type, &size) == YJS_OK && size == n);
}

static void positions(struct reading *rd, struct yjs_type type)
{
    uint64_t length, index;

    FUZZ_ASSERT(yjs_type_length(rd->doc, type, &length) == YJS_OK);
    for (uint64_t i = 0; i <= length && i < PLACES_MAX; i++) {
        struct yjs_position at, back;
        struct yjs_bytes bytes = {0};
        struct yjs_type where;

        FUZZ_ASSERT(yjs_position_at(rd->doc, type, i, i % 3 == 0 ? -1 : 0,
                                    &at) == YJS_OK);
        FUZZ_ASSERT(yjs_position_encode(&at, NULL, &bytes) == YJS_OK);
        FUZZ_ASSERT(yjs_position_decode(bytes.data, bytes.len, &back) ==
                    YJS_OK);
        FUZZ_ASSERT(yjs_position_resolve(rd->doc, &back, &where, &index) ==
                    YJS_OK);
        FUZZ_ASSERT(same_type(where, type) && index == i);
        yjs_bytes_free(&bytes);
    }
}

static void read_type(struct reading *rd, struct yjs_type type)
{
    enum yjs_type_kind kind;
    struct yjs_bytes out;
    bool text, list;
    int rc;

    FUZZ_ASSERT(yjs_type_kind(rd->doc, type, &kind) == YJS_OK);
    text = kind == YJS_TYPE_TEXT || kind == YJS_TYPE_XML_TEXT;
    list = kind == YJS_TYPE_ARRAY || kind == YJS_TYPE_XML_ELEMENT ||
           kind == YJS_TYPE_XML_FRAGMENT;
    json_of(rd, type_json, &type);
    if (text)
        json_of(rd, text_delta, &type);
    if (text || kind == YJS_TYPE_XML_ELEMENT || kind == YJS_TYPE_XML_FRAGMENT) {
        rc = output(rd, type_string, &type, &out);
        FUZZ_ASSERT(rc == YJS_OK || rc == YJS_ERR_LIMIT);
        yjs_bytes_free(&out);
    }
    if (text || list) {
        sequence(rd, type, text);
        positions(rd, type);
    }
    if (kind != YJS_TYPE_ARRAY && kind != YJS_TYPE_XML_FRAGMENT)
        entries(rd, type);
}

static int on_root(void *ctx, struct yjs_span name, const char *guess)
{
    struct reading *rd = ctx;
    struct yjs_type type;
    unsigned int kind = rd->kinds == 0 ? 0 : (rd->kinds + rd->n) % 7;

    if (rd->kinds == 0)
        kind = guess[0] == 't'   ? YJS_TYPE_TEXT
               : guess[0] == 'm' ? YJS_TYPE_MAP
               : guess[0] == 'x' ? YJS_TYPE_XML_FRAGMENT
                                 : YJS_TYPE_ARRAY;
    FUZZ_ASSERT(yjs_doc_root(rd->doc, name, (enum yjs_type_kind)kind, &type) ==
                YJS_OK);
    if (rd->n < TYPES_MAX)
        rd->types[rd->n++] = type;
    return 0;
}

/* --------------------------------------------------------------------- main */

static yjs_doc *build(struct heap *heap, struct fuzz_input *in, uint8_t flags)
{
    struct yjs_doc_options opt = {
        .client_id = 77777,
        .keep_deleted = (flags & KEEP_DELETED) != 0,
        .limits = {.doc_bytes = 64 << 20, .pending_bytes = 1 << 20},
        .alloc = {heap_realloc, heap},
    };
    yjs_doc *doc = NULL;

    FUZZ_ASSERT(yjs_doc_new(&opt, &doc) == YJS_OK);
    if (flags & SEEDED)
        FUZZ_ASSERT(yjs_apply_update(doc, fuzz_seed, sizeof(fuzz_seed), NULL) ==
                    YJS_OK);
    while (in->left > 0) {
        size_t len;
        uint8_t *update = fuzz_piece(in, &len);
        int rc = flags & V2 ? yjs_apply_update_v2(doc, update, len, NULL)
                            : yjs_apply_update(doc, update, len, NULL);

        FUZZ_ASSERT(rc <= YJS_OK);
        free(update);
    }
    return doc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    struct heap heap = {0, 0};
    uint8_t flags = fuzz_byte(&in);
    struct reading rd = {
        .heap = &heap, .fail_in = fuzz_byte(&in), .kinds = flags / 8};

    rd.doc = build(&heap, &in, flags);
    json_of(&rd, doc_json, "text:text,map:map,array:array,xml:xml,t:text");
    FUZZ_ASSERT(yjs_doc_visit_roots(rd.doc, on_root, &rd) == 0);
    for (size_t i = 0; i < rd.n; i++)
        read_type(&rd, rd.types[i]);
    FUZZ_ASSERT(yjs_doc_verify(rd.doc) == YJS_OK);
    yjs_doc_free(rd.doc);
    FUZZ_ASSERT(heap.blocks == 0);
    return 0;
}
