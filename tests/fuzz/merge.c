/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: merging. Input: a byte of flags, then pieces (fuzz.h), each an
 * update; MANY gives each of them several times, so that the other queue is
 * used. Sound pieces merge into something sound; a wrong one is named. The
 * document they make, split again, is the same when its parts are applied one
 * after the other, and none of them has to wait.
 */
#include "fuzz.h"

#include "yjs.h"

enum { V2 = 1, MANY = 2, PIECES = 32, TIMES = 5 };

static int on_struct(void *ctx, const struct yjs_struct *s)
{
    *(uint64_t *)ctx += s->len > 0;
    return 0;
}

static bool is_sound(struct yjs_span update,
                     const struct yjs_update_options *opt)
{
    uint64_t structs = 0;
    struct yjs_update_visitor visitor = {on_struct, NULL, &structs};
    size_t read = 0;
    int rc = yjs_update_visit(update, opt, &visitor, NULL, &read);

    FUZZ_ASSERT(rc != YJS_OK || read <= update.len);
    return rc == YJS_OK;
}

static void ask(struct yjs_span update, const struct yjs_update_options *opt)
{
    struct yjs_update_meta meta = {0};
    struct yjs_bytes sv = {0}, diff = {0};

    FUZZ_ASSERT(yjs_update_meta_read(update, opt, NULL, &meta) == YJS_OK);
    yjs_update_meta_free(&meta);
    FUZZ_ASSERT(yjs_update_state_vector(update, opt, NULL, &sv) == YJS_OK);
    if (yjs_update_diff(update, (struct yjs_span){sv.data, sv.len}, opt, NULL,
                        &diff) == YJS_OK)
        yjs_bytes_free(&diff);
    yjs_bytes_free(&sv);
}

static int on_piece(void *ctx, struct yjs_span piece)
{
    struct yjs_apply_result result = {0};

    FUZZ_ASSERT(yjs_apply_update(ctx, piece.data, piece.len, &result) ==
                YJS_OK);
    FUZZ_ASSERT(!result.pending);
    return 0;
}

static void check_split(struct yjs_span update)
{
    struct yjs_doc_options opt = {.limits = {.doc_bytes = 64 << 20}};
    struct yjs_apply_result result = {0};
    struct yjs_bytes all = {0}, again = {0};
    yjs_doc *whole = NULL, *parts = NULL;

    FUZZ_ASSERT(yjs_doc_new(&opt, &whole) == YJS_OK);
    FUZZ_ASSERT(yjs_doc_new(NULL, &parts) == YJS_OK);
    if (yjs_apply_update(whole, update.data, update.len, &result) == YJS_OK &&
        !result.pending &&
        yjs_encode_state_as_update(whole, NULL, 0, &all) == YJS_OK) {
        FUZZ_ASSERT(yjs_update_split((struct yjs_span){all.data, all.len}, 16,
                                     NULL, on_piece, parts, NULL) == YJS_OK);
        yjs_bytes_free(&all);
        /* Not the updates: who applies formats may clean up among them. */
        FUZZ_ASSERT(yjs_encode_state_vector(whole, &all) == YJS_OK);
        FUZZ_ASSERT(yjs_encode_state_vector(parts, &again) == YJS_OK);
        FUZZ_ASSERT(all.len == again.len &&
                    memcmp(all.data, again.data, all.len) == 0);
    }
    yjs_bytes_free(&all);
    yjs_bytes_free(&again);
    yjs_doc_free(whole);
    yjs_doc_free(parts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    uint8_t flags = fuzz_byte(&in);
    struct yjs_update_options opt = {
        .format = flags & V2 ? YJS_FORMAT_V2 : YJS_FORMAT_V1,
        .limits = {.update_bytes = 1 << 20, .structs = 1 << 14}};
    struct yjs_span list[PIECES * TIMES];
    struct yjs_update_error err = {0, 0};
    struct yjs_bytes out = {0};
    size_t n = 0, all;
    int rc;

    for (; n < PIECES && in.left > 0; n++)
        list[n].data = fuzz_piece(&in, &list[n].len);
    all = flags & MANY ? n * TIMES : n;
    for (size_t i = n; i < all; i++)
        list[i] = list[i % n];
    rc = yjs_update_merge(list, all, &opt, &err, &out);
    if (rc == YJS_OK) {
        if (is_sound((struct yjs_span){out.data, out.len}, &opt))
            ask((struct yjs_span){out.data, out.len}, &opt);
        if (!(flags & V2))
            check_split((struct yjs_span){out.data, out.len});
        yjs_bytes_free(&out);
    } else if (rc == YJS_ERR_TRUNCATED || rc == YJS_ERR_MALFORMED) {
        FUZZ_ASSERT(err.index < all && err.offset <= list[err.index].len);
    }
    while (n-- > 0)
        free((void *)(uintptr_t)list[n].data);
    return 0;
}
