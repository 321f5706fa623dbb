/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: snapshots. Input: a byte of flags, a piece (fuzz.h) that is the
 * snapshot, then an update. The snapshot is visited, asked whether it contains
 * the update, and a document that has a bit of everything is taken back to it:
 * what comes out is sound and knows no clock that the snapshot does not.
 */
#include "fuzz.h"

#include "seed.h"

#include "yjs.h"

enum { V2 = 1, KEEP = 2 };

static int on_clock(void *ctx, uint64_t client, uint64_t clock)
{
    *(uint64_t *)ctx += client + clock > 0;
    return 0;
}

static int on_delete(void *ctx, struct yjs_id first, uint64_t len)
{
    FUZZ_ASSERT(first.clock <= UINT64_MAX - len);
    *(uint64_t *)ctx += 1;
    return 0;
}

static void go_back(struct yjs_span snapshot, enum yjs_format format, bool keep)
{
    struct yjs_doc_options opt = {.client_id = 77777, .keep_deleted = true};
    struct yjs_bytes state = {0};
    struct yjs_update_options all = {.format = format};
    yjs_doc *doc = NULL, *past = NULL;
    bool contained = false;

    FUZZ_ASSERT(yjs_doc_new(&opt, &doc) == YJS_OK);
    FUZZ_ASSERT(yjs_apply_update(doc, fuzz_seed, sizeof(fuzz_seed), NULL) ==
                YJS_OK);
    opt.keep_deleted = keep;
    if (yjs_doc_at_snapshot(doc, snapshot, format, &opt, &past) == YJS_OK) {
        FUZZ_ASSERT(yjs_doc_verify(past) == YJS_OK);
        FUZZ_ASSERT((format == YJS_FORMAT_V1
                         ? yjs_encode_state_as_update(past, NULL, 0, &state)
                         : yjs_encode_state_as_update_v2(past, NULL, 0,
                                                         &state)) == YJS_OK);
        /* deletes that waited may be more than the snapshot has */
        FUZZ_ASSERT(yjs_snapshot_contains(
                        snapshot, (struct yjs_span){state.data, state.len},
                        &all, NULL, &contained) == YJS_OK);
        yjs_bytes_free(&state);
        yjs_doc_free(past);
    }
    yjs_doc_free(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    uint8_t flags = fuzz_byte(&in);
    struct yjs_update_options opt = {
        .format = flags & V2 ? YJS_FORMAT_V2 : YJS_FORMAT_V1,
        .limits = {.update_bytes = 1 << 20, .structs = 1 << 14}};
    struct yjs_update_error err = {0, 0};
    uint64_t seen = 0;
    struct yjs_snapshot_visitor visitor = {on_clock, on_delete, &seen};
    struct yjs_span snapshot, update;
    bool contained;

    snapshot.data = fuzz_piece(&in, &snapshot.len);
    update = (struct yjs_span){in.p, in.left};
    if (yjs_snapshot_visit(snapshot, &opt, &visitor, &err) == YJS_OK) {
        FUZZ_ASSERT(seen <= snapshot.len);
        go_back(snapshot, opt.format, (flags & KEEP) != 0);
    } else {
        FUZZ_ASSERT(seen == 0 && err.index == 0 &&
                    err.offset <= snapshot.len);
    }
    if (yjs_snapshot_contains(snapshot, update, &opt, &err, &contained) !=
        YJS_OK)
        FUZZ_ASSERT(err.index <= 1);
    free((void *)(uintptr_t)snapshot.data);
    return 0;
}
