/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: several awareness updates into one awareness with small limits.
 * Input: pieces (see fuzz.h), each an update. A refused one may change
 * nothing; what is encoded must bring a second awareness to the same states.
 */
#include "fuzz.h"

#include "yjs.h"

enum { CLIENTS = 8, TOMBSTONES = 4, STATE_BYTES = 64, TOTAL_BYTES = 256 };

struct tally {
    size_t live;
    size_t calls;
};

static void hear(void *ctx, const struct yjs_awareness_change *change)
{
    struct tally *t = ctx;

    t->calls++;
    FUZZ_ASSERT((change->json == NULL) ==
                (change->kind == YJS_AWARENESS_REMOVED));
    FUZZ_ASSERT(change->json_len <= STATE_BYTES);
    FUZZ_ASSERT(change->clock > 0 && change->clock < (uint64_t)1 << 53);
    if (change->kind == YJS_AWARENESS_ADDED)
        t->live++;
}

static struct yjs_bytes encode(yjs_awareness *aw)
{
    struct yjs_bytes out = {0};

    FUZZ_ASSERT(yjs_awareness_encode(aw, NULL, 0, &out) == YJS_OK);
    return out;
}

static void same(yjs_awareness *aw, struct yjs_bytes *want)
{
    struct yjs_bytes now = encode(aw);

    FUZZ_ASSERT(now.len == want->len &&
                memcmp(now.data, want->data, now.len) == 0);
    yjs_bytes_free(&now);
}

static yjs_awareness *fresh(void)
{
    struct yjs_awareness_options opt = {
        .clients = CLIENTS,
        .tombstones = TOMBSTONES,
        .state_bytes = STATE_BYTES,
        .total_bytes = TOTAL_BYTES,
    };
    yjs_awareness *aw = NULL;

    FUZZ_ASSERT(yjs_awareness_new(&opt, &aw) == YJS_OK);
    return aw;
}

static void apply(yjs_awareness *aw, const uint8_t *update, size_t len,
                  uint64_t now)
{
    struct yjs_bytes before = encode(aw);
    struct tally t = {0, 0};

    if (yjs_awareness_apply(aw, update, len, now, hear, &t) < 0) {
        FUZZ_ASSERT(t.calls == 0);
        same(aw, &before);
    }
    FUZZ_ASSERT(yjs_awareness_count(aw) <= CLIENTS);
    yjs_bytes_free(&before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    yjs_awareness *aw = fresh();
    yjs_awareness *copy = fresh();
    struct yjs_bytes all;
    uint64_t now = 1000;

    while (in.left > 0) {
        size_t len;
        uint8_t *update = fuzz_piece(&in, &len);

        apply(aw, update, len, now);
        if (len % 5 == 0)
            (void)yjs_awareness_remove(aw, len / 5, now);
        if (len % 7 == 0)
            (void)yjs_awareness_expire(aw, now, 3, hear, &(struct tally){0, 0});
        now++;
        free(update);
    }
    all = encode(aw);
    FUZZ_ASSERT(yjs_awareness_apply(copy, all.data, all.len, now, NULL,
                                    NULL) == YJS_OK);
    same(copy, &all);
    FUZZ_ASSERT(yjs_awareness_expire(aw, UINT64_MAX, 1, NULL, NULL) ==
                yjs_awareness_count(copy));
    yjs_bytes_free(&all);
    yjs_awareness_free(aw);
    yjs_awareness_free(copy);
    return 0;
}
