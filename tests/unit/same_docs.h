/* SPDX-License-Identifier: MIT */
/* Two documents of the engine's tests that have to be the same, and sound. */
#ifndef TESTS_SAME_DOCS_H
#define TESTS_SAME_DOCS_H

#include <check.h>

#include "yjs.h"

/** The whole document; the caller frees it. */
static inline struct yjs_bytes state(yjs_doc *doc)
{
    struct yjs_bytes bytes;

    ck_assert_int_eq(yjs_encode_state_as_update(doc, NULL, 0, &bytes), YJS_OK);
    ck_assert_int_eq(yjs_doc_verify(doc), YJS_OK);
    return bytes;
}

static inline void expect_equal(yjs_doc *a, yjs_doc *b)
{
    struct yjs_bytes x = state(a), y = state(b);

    ck_assert_uint_eq(x.len, y.len);
    ck_assert_mem_eq(x.data, y.data, x.len);
    yjs_bytes_free(&x);
    yjs_bytes_free(&y);
}

#endif
