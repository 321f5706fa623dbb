/* SPDX-License-Identifier: MIT */
/* Fuzz target: one y-protocols message. What is decoded must encode to
 * something that decodes to the same, and its body must lie in the input. */
#include "fuzz.h"

#include "yjs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct yjs_message msg, back;
    struct yjs_bytes out = {0};

    if (yjs_message_decode(data, size, &msg) < 0)
        return 0;
    FUZZ_ASSERT(msg.body_len <= size);
    FUZZ_ASSERT(msg.body_len == 0 ||
                (msg.body >= data && msg.body + msg.body_len == data + size));
    FUZZ_ASSERT(yjs_message_encode(&msg, NULL, &out) == YJS_OK);
    FUZZ_ASSERT(out.len <= size); /* we encode numbers in the shortest form */
    FUZZ_ASSERT(yjs_message_decode(out.data, out.len, &back) == YJS_OK);
    FUZZ_ASSERT(back.type == msg.type && back.sync == msg.sync);
    FUZZ_ASSERT(back.body_len == msg.body_len);
    FUZZ_ASSERT(back.body_len == 0 ||
                memcmp(back.body, msg.body, msg.body_len) == 0);
    yjs_bytes_free(&out);
    return 0;
}
