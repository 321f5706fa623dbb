/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: an update against a state vector. Input: a byte (1: format v2),
 * a piece (fuzz.h) that is the state vector, then the update. What comes out
 * can be read, and has no struct that the vector covers.
 */
#include "fuzz.h"

#include "yjs.h"

static int count_struct(void *ctx, const struct yjs_struct *s)
{
    *(uint64_t *)ctx += s->kind != YJS_KIND_SKIP;
    return 0;
}

static int count(struct yjs_span update, const struct yjs_update_options *opt,
                 uint64_t *out)
{
    struct yjs_update_visitor visitor = {count_struct, NULL, out};

    *out = 0;
    return yjs_update_visit(update, opt, &visitor, NULL, NULL);
}

static int ignore_line(void *ctx, const char *text)
{
    *(size_t *)ctx += strlen(text);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    struct yjs_update_options opt = {
        .format = fuzz_byte(&in) & 1 ? YJS_FORMAT_V2 : YJS_FORMAT_V1,
        .limits = {.update_bytes = 1 << 20, .structs = 1 << 14}};
    struct yjs_span update, sv;
    struct yjs_update_error err = {0, 0};
    struct yjs_bytes out = {0};
    uint64_t before, after;
    size_t chars = 0;

    sv.data = fuzz_piece(&in, &sv.len);
    update = (struct yjs_span){in.p, in.left};
    if (yjs_update_diff(update, sv, &opt, &err, &out) == YJS_OK) {
        FUZZ_ASSERT(count(update, &opt, &before) == YJS_OK);
        if (count((struct yjs_span){out.data, out.len}, &opt, &after) == YJS_OK)
            FUZZ_ASSERT(after <= before);
        yjs_bytes_free(&out);
    } else {
        FUZZ_ASSERT(err.index == 1 || err.offset <= update.len);
    }
    if (yjs_update_dump(update, &opt, 20, ignore_line, &chars, NULL) == YJS_OK)
        FUZZ_ASSERT(count(update, &opt, &before) == YJS_OK);
    free((void *)(uintptr_t)sv.data);
    return 0;
}
