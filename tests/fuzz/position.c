/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: relative positions. Input: a byte of flags, a piece (fuzz.h)
 * that is the position, then an update. What can be decoded is encoded as it
 * was meant, and resolves, in a document that has a bit of everything and
 * after the update, to a place that there is, from which a position can be
 * made.
 */
#include "fuzz.h"

#include "seed.h"

#include "yjs.h"

static bool same(const struct yjs_position *a, const struct yjs_position *b)
{
    if (a->has_item != b->has_item || a->has_type != b->has_type ||
        a->assoc != b->assoc)
        return false;
    if (a->has_item)
        return a->item.client == b->item.client &&
               a->item.clock == b->item.clock;
    if (a->has_type)
        return a->type.client == b->type.client &&
               a->type.clock == b->type.clock;
    return a->root.len == b->root.len &&
           (a->root.len == 0 ||
            memcmp(a->root.data, b->root.data, a->root.len) == 0);
}

static void resolve(yjs_doc *doc, const struct yjs_position *pos)
{
    struct yjs_position again;
    struct yjs_type type;
    uint64_t index = 0, length = 0;

    if (yjs_position_resolve(doc, pos, &type, &index) != YJS_OK)
        return;
    /* of a kept type that was deleted there is no more than that */
    if (yjs_type_length(doc, type, &length) != YJS_OK) {
        FUZZ_ASSERT(index == 0);
        return;
    }
    FUZZ_ASSERT(pos->has_item || index == 0 || index == length);
    FUZZ_ASSERT(yjs_position_at(doc, type, index, pos->assoc, &again) ==
                YJS_OK);
    FUZZ_ASSERT(yjs_doc_verify(doc) == YJS_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    uint8_t flags = fuzz_byte(&in);
    struct yjs_doc_options opt = {.client_id = 77777,
                                  .keep_deleted = (flags & 1) != 0};
    struct yjs_position pos, again;
    struct yjs_bytes bytes = {0};
    yjs_doc *doc = NULL;
    size_t len;
    uint8_t *piece = fuzz_piece(&in, &len);

    if (yjs_position_decode(piece, len, &pos) == YJS_OK) {
        FUZZ_ASSERT(yjs_position_encode(&pos, NULL, &bytes) == YJS_OK);
        FUZZ_ASSERT(yjs_position_decode(bytes.data, bytes.len, &again) ==
                    YJS_OK);
        FUZZ_ASSERT(same(&pos, &again));
        yjs_bytes_free(&bytes);
        FUZZ_ASSERT(yjs_doc_new(&opt, &doc) == YJS_OK);
        resolve(doc, &pos);
        FUZZ_ASSERT(yjs_apply_update(doc, fuzz_seed, sizeof(fuzz_seed),
                                     NULL) == YJS_OK);
        resolve(doc, &pos);
        if (yjs_apply_update(doc, in.p, in.left, NULL) == YJS_OK)
            resolve(doc, &pos);
        yjs_doc_free(doc);
    }
    free(piece);
    return 0;
}
