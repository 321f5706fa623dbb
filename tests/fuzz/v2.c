/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: format v2. The input is an update in v2; what can be read is
 * converted to v1 and back until nothing changes any more, which must be at
 * once, and goes into a document. The same bytes are tried as v1.
 */
#include "fuzz.h"

#include "yjs.h"

static const struct yjs_limits limits = {
    .update_bytes = 1 << 20, .structs = 1 << 14, .depth = 32};

static int convert(struct yjs_span from, enum yjs_format to,
                   struct yjs_bytes *out)
{
    struct yjs_update_options opt = {
        .format = to == YJS_FORMAT_V1 ? YJS_FORMAT_V2 : YJS_FORMAT_V1,
        .limits = limits};
    struct yjs_update_error err = {0, 0};
    int rc = yjs_update_convert(from, to, &opt, &err, out);

    FUZZ_ASSERT(rc == YJS_OK || (out->data == NULL && err.offset <= from.len));
    return rc;
}

static struct yjs_span span_of(const struct yjs_bytes *bytes)
{
    return (struct yjs_span){bytes->data, bytes->len};
}

/* v1 that was written here: converts, and settles after one round. */
static void settle(struct yjs_span v1)
{
    struct yjs_bytes v2 = {0}, back = {0}, again = {0};
    int rc = convert(v1, YJS_FORMAT_V2, &v2);

    if (rc == YJS_ERR_UNSUPPORTED || rc == YJS_ERR_LIMIT)
        return;
    FUZZ_ASSERT(rc == YJS_OK);
    rc = convert(span_of(&v2), YJS_FORMAT_V1, &back);
    FUZZ_ASSERT(rc == YJS_OK || rc == YJS_ERR_LIMIT);
    if (rc == YJS_OK) {
        FUZZ_ASSERT(convert(span_of(&back), YJS_FORMAT_V2, &again) == YJS_OK);
        FUZZ_ASSERT(again.len == v2.len &&
                    memcmp(again.data, v2.data, v2.len) == 0);
    }
    yjs_bytes_free(&v2);
    yjs_bytes_free(&back);
    yjs_bytes_free(&again);
}

static void apply(struct yjs_span update)
{
    struct yjs_doc_options opt = {.limits = limits};
    struct yjs_apply_result result = {false, false, 0};
    struct yjs_bytes out = {0};
    yjs_doc *doc = NULL;

    FUZZ_ASSERT(yjs_doc_new(&opt, &doc) == YJS_OK);
    if (yjs_apply_update_v2(doc, update.data, update.len, &result) == YJS_OK) {
        FUZZ_ASSERT(yjs_doc_verify(doc) == YJS_OK);
        if (yjs_encode_state_as_update_v2(doc, NULL, 0, &out) == YJS_OK)
            yjs_bytes_free(&out);
    } else {
        FUZZ_ASSERT(result.error_offset <= update.len);
        FUZZ_ASSERT(yjs_doc_is_empty(doc));
    }
    yjs_doc_free(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct yjs_span update = {data, size};
    struct yjs_bytes v1 = {0}, v2 = {0};

    if (convert(update, YJS_FORMAT_V1, &v1) == YJS_OK) {
        settle(span_of(&v1));
        yjs_bytes_free(&v1);
    }
    apply(update);
    if (convert(update, YJS_FORMAT_V2, &v2) == YJS_OK) {
        if (convert(span_of(&v2), YJS_FORMAT_V1, &v1) == YJS_OK)
            settle(span_of(&v1));
        yjs_bytes_free(&v1);
        yjs_bytes_free(&v2);
    }
    return 0;
}
