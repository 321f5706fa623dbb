/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: the state vector of a sync step 1, against a document that has
 * a bit of everything. Input: a byte of flags, then the state vector. What is
 * answered must be an update that a document takes.
 */
#include "fuzz.h"

#include "seed.h"

#include "yjs.h"

static void apply(yjs_doc *doc, const uint8_t *update, size_t len)
{
    FUZZ_ASSERT(yjs_apply_update(doc, update, len, NULL) == YJS_OK);
}

static yjs_doc *open_doc(bool keep_deleted)
{
    struct yjs_doc_options opt = {.client_id = 77777,
                                  .keep_deleted = keep_deleted};
    yjs_doc *doc = NULL;

    FUZZ_ASSERT(yjs_doc_new(&opt, &doc) == YJS_OK);
    return doc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    uint8_t flags = fuzz_byte(&in);
    yjs_doc *doc = open_doc((flags & 1) != 0);
    yjs_doc *peer = open_doc((flags & 1) != 0);
    struct yjs_bytes diff = {0};

    apply(doc, fuzz_seed, sizeof(fuzz_seed));
    if ((flags & 2) == 0)
        apply(doc, fuzz_seed_pending, sizeof(fuzz_seed_pending));
    if (yjs_encode_state_as_update(doc, in.p, in.left, &diff) == YJS_OK) {
        apply(peer, diff.data, diff.len);
        yjs_bytes_free(&diff);
    }
    yjs_doc_free(doc);
    yjs_doc_free(peer);
    return 0;
}
