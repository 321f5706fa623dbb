/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: updates into a document. Input: a byte of flags, a byte that
 * says which allocation fails (0: none), then pieces (see fuzz.h), each an
 * update. After each the store's invariants hold; a refused update leaves the
 * state as it was; what is encoded at the end can be loaded.
 */
#include "fuzz.h"

#include "seed.h"

#include "yjs.h"
#include "yjs/doc.h"

enum { KEEP_DELETED = 1, SEEDED = 2 };

struct heap {
    size_t blocks;
    size_t fail_in;
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

static yjs_doc *open_doc(struct heap *heap, uint8_t flags)
{
    struct yjs_doc_options opt = {
        .client_id = 77777,
        .keep_deleted = (flags & KEEP_DELETED) != 0,
        .limits = {.doc_bytes = 64 << 20, .pending_bytes = 1 << 20},
        .alloc = {heap_realloc, heap},
    };
    yjs_doc *doc = NULL;

    FUZZ_ASSERT(yjs_doc_new(&opt, &doc) == YJS_OK);
    if (flags & SEEDED) {
        FUZZ_ASSERT(yjs_apply_update(doc, fuzz_seed, sizeof(fuzz_seed), NULL) ==
                    YJS_OK);
        FUZZ_ASSERT(yjs_apply_update(doc, fuzz_seed_pending,
                                     sizeof(fuzz_seed_pending),
                                     NULL) == YJS_OK);
    }
    return doc;
}

static struct yjs_bytes state_of(yjs_doc *doc)
{
    struct yjs_bytes out = {0};

    FUZZ_ASSERT(yjs_encode_state_as_update(doc, NULL, 0, &out) == YJS_OK);
    return out;
}

static void apply(yjs_doc *doc, struct heap *heap, uint8_t fail_in,
                  const uint8_t *update, size_t len)
{
    struct yjs_bytes before = state_of(doc);
    struct yjs_apply_result result = {false, false, 0};
    int rc;

    heap->fail_in = fail_in;
    rc = yjs_apply_update(doc, update, len, &result);
    heap->fail_in = 0;
    FUZZ_ASSERT(yjs__doc_check(doc) == YJS_OK);
    if (rc != YJS_OK) {
        struct yjs_bytes after = state_of(doc);

        FUZZ_ASSERT(rc < 0 && result.error_offset <= len);
        FUZZ_ASSERT(rc != YJS_ERR_NOMEM || fail_in > 0);
        FUZZ_ASSERT(after.len == before.len &&
                    memcmp(after.data, before.data, after.len) == 0);
        yjs_bytes_free(&after);
    }
    yjs_bytes_free(&before);
}

static void read_out(yjs_doc *doc)
{
    struct yjs_bytes out = {0};

    FUZZ_ASSERT(yjs_doc_to_json(doc, "text:text,map:map,array:array,xml:xml,"
                                     "t:text",
                                &out) == YJS_OK);
    yjs_bytes_free(&out);
    FUZZ_ASSERT(yjs_encode_state_vector(doc, &out) == YJS_OK);
    FUZZ_ASSERT(out.len > 0);
    yjs_bytes_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    struct heap heap = {0, 0}, copy_heap = {0, 0};
    uint8_t flags = fuzz_byte(&in);
    uint8_t fail_in = fuzz_byte(&in);
    yjs_doc *doc = open_doc(&heap, flags);
    yjs_doc *copy = open_doc(&copy_heap, flags & KEEP_DELETED);
    struct yjs_bytes all;

    while (in.left > 0) {
        size_t len;
        uint8_t *update = fuzz_piece(&in, &len);

        apply(doc, &heap, fail_in, update, len);
        free(update);
    }
    read_out(doc);
    all = state_of(doc);
    apply(copy, &copy_heap, 0, all.data, all.len);
    FUZZ_ASSERT(yjs_doc_is_empty(doc) == yjs_doc_is_empty(copy));
    read_out(copy);
    yjs_bytes_free(&all);
    yjs_doc_free(doc);
    yjs_doc_free(copy);
    FUZZ_ASSERT(heap.blocks == 0 && copy_heap.blocks == 0);
    return 0;
}
