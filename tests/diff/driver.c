/* SPDX-License-Identifier: MIT */
/*
 * The engine's side of the differential test: answers requests on stdin with
 * replies on stdout, so that one process serves thousands of histories. It
 * judges nothing; tests/diff/check.mjs compares.
 *
 *   request   u32 length of the rest | u8 op | u8 slot | arguments
 *   reply     u32 length of the rest | i32 status | data     (little endian)
 *
 *   1 open    u8 keep_deleted, u64 client id
 *   2 close   also fails when the document's memory does not all come back
 *   3 apply   the update; data: u8 changed, u8 pending, or u32 error offset
 *   4 state   a state vector or nothing; data: the update
 *   5 vector  data: the state vector
 *   6 json    the type specification; data: JSON
 *   7 check   the store's invariants, and the account of its memory
 *   8 apply   like 3, first with the allocator failing at call 1, 2, 3, ...:
 *             each such attempt must leave the document as it was
 *   9 heap    data: u64 bytes
 *  10 apply2, 11 state2   like 3 and 4 in format v2
 *
 * Without a document; the slot does not matter, `fmt` is 1 or 2:
 *
 *  12 convert u8 fmt from, u8 fmt to, the update
 *  13 merge   u8 fmt, per update: u32 length, bytes
 *  14 diff    u8 fmt, u32 length of the state vector, it, the update
 *  15 update vector   u8 fmt, the update
 *  16 meta    u8 fmt, the update; data: per client u64 client, from, to
 *
 * Edits (calls.h). The client id that an update takes from us becomes the
 * next higher one.
 *
 *  17 edit    u8 flags, calls; data: u32 calls refused. Flags: 1: abort; 2:
 *             first with the allocator failing at call 1, 2, 3, ..., aborting;
 *             4: the same, but what gets through is committed and not told
 *  18 watch   from now on keep the updates that the document tells of
 *  19 told    data: these, and forget them
 *
 * Each of the operations without a document first runs with the allocator
 * failing at call 1, 2, 3, ... when bit 7 of (the first) fmt is set: nothing
 * may leak or come out.
 *
 * 40 and up read a document: see driver_read.h. With bit 7 of the op set, they
 * first run with the allocator failing at call 1, 2, 3, ...
 *
 * End of input ends the process; so does a request that is not understood.
 */
#include "driver_read.h"
#include "yjs.h"

#include "calls.h"
#include "yjs/doc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum op {
    OP_OPEN = 1,
    OP_CLOSE,
    OP_APPLY,
    OP_STATE,
    OP_VECTOR,
    OP_JSON,
    OP_CHECK,
    OP_APPLY_OOM,
    OP_HEAP,
    OP_APPLY_V2,
    OP_STATE_V2,
    OP_CONVERT,
    OP_MERGE,
    OP_DIFF,
    OP_UPDATE_VECTOR,
    OP_META,
    OP_EDIT,
    OP_WATCH,
    OP_TOLD,
    OP_COMPACT = 30
};

/* Statuses beyond enum yjs_err. */
enum {
    STATUS_NO_DOC = -100,
    STATUS_LEAK = -101,
    STATUS_TORN = -102,
    STATUS_HEAP = -103
};

enum { SLOTS = 4, REQUEST_MAX = 1 << 28 };

/* ------------------------------------------------- an allocator to distrust */

struct heap {
    size_t blocks;
    size_t bytes;
    size_t fail_in; /* 0: never; n: the n-th call from now fails */
};

/* The size of a block stands before it, with room for any alignment. */
enum { HEAD = 16 };

static void *heap_realloc(void *ctx, void *ptr, size_t size)
{
    struct heap *heap = ctx;
    uint8_t *old = ptr != NULL ? (uint8_t *)ptr - HEAD : NULL;
    size_t old_size = 0;
    uint8_t *p;

    if (old != NULL)
        memcpy(&old_size, old, sizeof(old_size));
    if (size > 0 && heap->fail_in > 0 && --heap->fail_in == 0)
        return NULL;
    if (size == 0) {
        free(old);
        p = NULL;
    } else {
        p = realloc(old, size + HEAD);
        if (p == NULL)
            return NULL;
        memcpy(p, &size, sizeof(size));
    }
    heap->blocks += (size_t)(p != NULL) - (size_t)(old != NULL);
    heap->bytes += size - old_size;
    return p != NULL ? p + HEAD : NULL;
}

struct slot {
    yjs_doc *doc;
    struct heap heap;
    struct told told;
};

static struct slot slots[SLOTS];

/* ---------------------------------------------------------------- replies */

static uint64_t load_le(const uint8_t *p, size_t n)
{
    uint64_t v = 0;

    while (n-- > 0)
        v = v << 8 | p[n];
    return v;
}

static void store_le(uint8_t *p, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++, v >>= 8)
        p[i] = (uint8_t)v;
}

static void reply(int status, const void *data, size_t len)
{
    uint8_t head[8];

    store_le(head, len + 4, 4);
    store_le(head + 4, (uint32_t)status, 4);
    if (fwrite(head, 1, sizeof(head), stdout) != sizeof(head) ||
        (len > 0 && fwrite(data, 1, len, stdout) != len)) {
        perror("driver: write");
        exit(1);
    }
}

static void reply_bytes(int status, struct yjs_bytes *bytes)
{
    reply(status, bytes->data, bytes->len);
    yjs_bytes_free(bytes);
}

/* --------------------------------------------------------------- requests */

static int do_close(struct slot *slot)
{
    yjs_doc_free(slot->doc);
    slot->doc = NULL;
    return slot->heap.blocks == 0 ? YJS_OK : STATUS_LEAK;
}

static uint64_t next_id(void *ctx, uint64_t old)
{
    (void)ctx;
    return old + 1;
}

static int do_open(struct slot *slot, const uint8_t *arg, size_t len)
{
    struct yjs_doc_options opt;

    if (len != 9)
        return YJS_ERR_RANGE;
    if (slot->doc != NULL)
        (void)do_close(slot);
    memset(&opt, 0, sizeof(opt));
    memset(&slot->heap, 0, sizeof(slot->heap));
    slot->told.len = 0; /* what the document before had told */
    slot->told.failed = false;
    opt.keep_deleted = arg[0] != 0;
    opt.client_id = load_le(arg + 1, 8);
    opt.new_client_id = next_id;
    opt.alloc.realloc_fn = heap_realloc;
    opt.alloc.ctx = &slot->heap;
    return yjs_doc_new(&opt, &slot->doc);
}

static void do_apply(struct slot *slot, enum op op, const uint8_t *arg,
                     size_t len)
{
    struct yjs_apply_result result = {false, false, 0};
    uint8_t data[4];
    int rc = op == OP_APPLY
                 ? yjs_apply_update(slot->doc, arg, len, &result)
                 : yjs_apply_update_v2(slot->doc, arg, len, &result);

    if (rc < 0) {
        store_le(data, result.error_offset, 4);
        reply(rc, data, 4);
        return;
    }
    data[0] = result.changed;
    data[1] = result.pending;
    reply(rc, data, 2);
}

static bool same_state(yjs_doc *doc, const struct yjs_bytes *before)
{
    struct yjs_bytes now = {0};
    bool same = yjs_encode_state_as_update(doc, NULL, 0, &now) == YJS_OK &&
                now.len == before->len &&
                memcmp(now.data, before->data, now.len) == 0;

    yjs_bytes_free(&now);
    return same && yjs__doc_check(doc) == YJS_OK;
}

static int fail_until_applied(struct slot *slot, const uint8_t *arg, size_t len,
                              const struct yjs_bytes *before,
                              struct yjs_apply_result *result)
{
    size_t blocks = slot->heap.blocks;
    int rc;

    for (size_t n = 1;; n += 1 + n / 64) {
        slot->heap.fail_in = n;
        rc = yjs_apply_update(slot->doc, arg, len, result);
        if (slot->heap.fail_in > 0 || rc != YJS_ERR_NOMEM)
            break;
        if (slot->heap.blocks > blocks + 64 || !same_state(slot->doc, before))
            return STATUS_TORN;
    }
    slot->heap.fail_in = 0;
    return rc;
}

static void do_apply_oom(struct slot *slot, const uint8_t *arg, size_t len)
{
    struct yjs_apply_result result = {false, false, 0};
    struct yjs_bytes before = {0};
    uint8_t data[2];
    int rc = yjs_encode_state_as_update(slot->doc, NULL, 0, &before);

    if (rc == YJS_OK)
        rc = fail_until_applied(slot, arg, len, &before, &result);
    yjs_bytes_free(&before);
    data[0] = result.changed;
    data[1] = result.pending;
    reply(rc, data, 2);
}

/*
 * Edit until memory suffices; each time before that nothing may be left. With
 * `commit` the last attempt counts, and nobody is told.
 */
static int fail_until_edited(struct slot *slot, const uint8_t *arg, size_t len,
                             const struct yjs_bytes *before, bool commit,
                             uint32_t *refused)
{
    size_t n = 1, left;
    int rc;

    yjs_doc_on_update(slot->doc, 0, NULL, NULL);
    do {
        slot->heap.fail_in = n;
        rc = calls_run(slot->doc, arg + 1, arg + len, commit, refused);
        left = slot->heap.fail_in;
        slot->heap.fail_in = 0;
        if (rc != YJS_ERR_NOMEM && rc != YJS_OK)
            return rc;
        if ((!commit || rc != YJS_OK) && !same_state(slot->doc, before))
            return STATUS_TORN;
        n += 1 + n / 64;
    } while (left == 0 && !(commit && rc == YJS_OK));
    yjs_doc_on_update(slot->doc, YJS_FORMAT_V1 | YJS_FORMAT_V2, told_add,
                      &slot->told);
    return YJS_OK;
}

static int edit(struct slot *slot, const uint8_t *arg, size_t len,
                const struct yjs_bytes *before, uint32_t *refused)
{
    bool commit = (arg[0] & 1) == 0;
    int rc = YJS_OK;

    if (arg[0] & 2)
        rc = fail_until_edited(slot, arg, len, before, false, refused);
    if (rc == YJS_OK && (arg[0] & 4))
        return fail_until_edited(slot, arg, len, before, true, refused);
    if (rc == YJS_OK)
        rc = calls_run(slot->doc, arg + 1, arg + len, commit, refused);
    if (rc == YJS_OK && !commit && !same_state(slot->doc, before))
        rc = STATUS_TORN;
    return rc;
}

static void do_edit(struct slot *slot, const uint8_t *arg, size_t len)
{
    struct yjs_bytes before = {0};
    uint8_t data[4] = {0};
    uint32_t refused = 0;
    int rc = YJS_OK;

    if (arg[0] != 0)
        rc = yjs_encode_state_as_update(slot->doc, NULL, 0, &before);
    if (rc == YJS_OK)
        rc = edit(slot, arg, len, &before, &refused);
    if (slot->told.failed)
        rc = STATUS_TORN;
    yjs_bytes_free(&before);
    store_le(data, refused, 4);
    reply(rc, data, 4);
}

static void do_told(struct slot *slot)
{
    reply(YJS_OK, slot->told.data, slot->told.len);
    slot->told.len = 0;
}

static void do_json(struct slot *slot, const uint8_t *arg, size_t len)
{
    struct yjs_bytes out = {0};
    char *spec = strndup((const char *)arg, len);
    int rc;

    if (spec == NULL)
        abort();
    rc = yjs_doc_to_json(slot->doc, spec, &out);
    free(spec);
    reply_bytes(rc, &out);
}

static void do_encode(struct slot *slot, enum op op, const uint8_t *arg,
                      size_t len)
{
    struct yjs_bytes out = {0};
    int rc;

    if (op == OP_VECTOR)
        rc = yjs_encode_state_vector(slot->doc, &out);
    else if (op == OP_STATE_V2)
        rc = yjs_encode_state_as_update_v2(slot->doc, arg, len, &out);
    else
        rc = yjs_encode_state_as_update(slot->doc, arg, len, &out);
    reply_bytes(rc, &out);
}

static void do_heap(struct slot *slot)
{
    uint8_t data[8];

    store_le(data, yjs_doc_heap(slot->doc), 8);
    reply(YJS_OK, data, 8);
}

/* ----------------------------------------------- updates without a document */

static struct yjs_span rest_of(const uint8_t *p, const uint8_t *end)
{
    return (struct yjs_span){p, (size_t)(end - p)};
}

/* A u32 length, then as many bytes. */
static struct yjs_span next_span(const uint8_t **p, const uint8_t *end)
{
    struct yjs_span span = {NULL, 0};

    if (end - *p < 4)
        abort();
    span.len = (size_t)load_le(*p, 4);
    *p += 4;
    if (span.len > (size_t)(end - *p))
        abort();
    span.data = *p;
    *p += span.len;
    return span;
}

static int merge_all(const uint8_t *p, const uint8_t *end,
                     const struct yjs_update_options *opt,
                     struct yjs_bytes *out)
{
    struct yjs_span *list = malloc((size_t)(end - p) / 4 * sizeof(*list) + 1);
    size_t n = 0;
    int rc;

    if (list == NULL)
        abort();
    while (p < end)
        list[n++] = next_span(&p, end);
    rc = yjs_update_merge(list, n, opt, NULL, out);
    free(list);
    return rc;
}

static int meta_bytes(struct yjs_span update,
                      const struct yjs_update_options *opt,
                      struct yjs_bytes *out)
{
    struct yjs_update_meta meta = {NULL, 0, {NULL, NULL}};
    int rc = yjs_update_meta_read(update, opt, NULL, &meta);

    if (rc != YJS_OK)
        return rc;
    out->alloc = opt->alloc;
    out->len = meta.n * 24;
    out->data = opt->alloc.realloc_fn(opt->alloc.ctx, NULL, out->len + 1);
    for (size_t i = 0; i < meta.n && out->data != NULL; i++) {
        store_le(out->data + 24 * i, meta.ranges[i].client, 8);
        store_le(out->data + 24 * i + 8, meta.ranges[i].from, 8);
        store_le(out->data + 24 * i + 16, meta.ranges[i].to, 8);
    }
    yjs_update_meta_free(&meta);
    return out->data != NULL ? YJS_OK : YJS_ERR_NOMEM;
}

static int run_update(enum op op, const uint8_t *p, const uint8_t *end,
                      const struct yjs_update_options *opt,
                      struct yjs_bytes *out)
{
    struct yjs_span sv;

    switch (op) {
    case OP_CONVERT:
        return yjs_update_convert(rest_of(p + 1, end), (enum yjs_format)*p,
                                  opt, NULL, out);
    case OP_MERGE:
        return merge_all(p, end, opt, out);
    case OP_DIFF:
        sv = next_span(&p, end);
        return yjs_update_diff(rest_of(p, end), sv, opt, NULL, out);
    case OP_UPDATE_VECTOR:
        return yjs_update_state_vector(rest_of(p, end), opt, NULL, out);
    case OP_META:
        return meta_bytes(rest_of(p, end), opt, out);
    case OP_COMPACT:
        return yjs_update_compact(rest_of(p, end), opt, NULL, out);
    default:
        return YJS_ERR_RANGE;
    }
}

static bool do_update(enum op op, const uint8_t *arg, size_t len)
{
    struct heap heap = {0, 0, 0};
    struct yjs_update_options opt = {.alloc = {heap_realloc, &heap}};
    struct yjs_bytes out = {0};
    bool oom;
    int rc;

    if (len < 1u + (op == OP_CONVERT) ||
        (op > OP_META && op != OP_COMPACT))
        return false;
    opt.format = (enum yjs_format)(arg[0] & 127);
    oom = (arg[0] & 128) != 0;
    for (size_t n = 1; oom; n += 1 + n / 16) {
        heap.fail_in = n;
        rc = run_update(op, arg + 1, arg + len, &opt, &out);
        if (heap.fail_in > 0 || rc != YJS_ERR_NOMEM)
            break;
        if (heap.blocks != 0 || out.data != NULL) {
            reply(STATUS_LEAK, NULL, 0);
            return true;
        }
    }
    yjs_bytes_free(&out);
    heap.fail_in = 0;
    rc = run_update(op, arg + 1, arg + len, &opt, &out);
    if (heap.blocks > 1)
        rc = STATUS_LEAK;
    reply_bytes(rc, &out);
    return true;
}

static int do_check(struct slot *slot)
{
    if (yjs_doc_heap(slot->doc) != slot->heap.bytes)
        return STATUS_HEAP;
    return yjs__doc_check(slot->doc);
}

static void do_read(struct slot *slot, unsigned int op, const uint8_t *arg,
                    size_t len)
{
    struct yjs_allocator alloc = {heap_realloc, &slot->heap};
    bool oom = (op & 128) != 0;
    struct answer out = {NULL, 0, 0};
    int rc;

    op &= 127;
    for (size_t n = 1; oom; n += 1 + n / 16) {
        slot->heap.fail_in = n;
        rc = driver_read(slot->doc, op, arg, len, &alloc, &out);
        out.len = 0;
        if (slot->heap.fail_in > 0 || rc != YJS_ERR_NOMEM)
            break;
    }
    slot->heap.fail_in = 0;
    rc = driver_read(slot->doc, op, arg, len, &alloc, &out);
    reply(rc, out.data, rc == YJS_OK ? out.len : 0);
    free(out.data);
}

static bool dispatch(const uint8_t *req, size_t len)
{
    enum op op = (enum op)req[0];
    struct slot *slot = &slots[req[1] % SLOTS];
    const uint8_t *arg = req + 2;

    len -= 2;
    if ((op >= OP_CONVERT && op < OP_EDIT) || op == OP_COMPACT)
        return do_update(op, arg, len);
    if (op != OP_OPEN && slot->doc == NULL) {
        reply(STATUS_NO_DOC, NULL, 0);
        return true;
    }
    if ((req[0] & 127) >= OP_READ) {
        do_read(slot, req[0], arg, len);
        return true;
    }
    switch (op) {
    case OP_OPEN:
        reply(do_open(slot, arg, len), NULL, 0);
        return true;
    case OP_CLOSE:
        reply(do_close(slot), NULL, 0);
        return true;
    case OP_APPLY:
    case OP_APPLY_V2:
        do_apply(slot, op, arg, len);
        return true;
    case OP_STATE:
    case OP_STATE_V2:
    case OP_VECTOR:
        do_encode(slot, op, arg, len);
        return true;
    case OP_JSON:
        do_json(slot, arg, len);
        return true;
    case OP_CHECK:
        reply(do_check(slot), NULL, 0);
        return true;
    case OP_APPLY_OOM:
        do_apply_oom(slot, arg, len);
        return true;
    case OP_HEAP:
        do_heap(slot);
        return true;
    case OP_EDIT:
        if (len == 0)
            return false;
        do_edit(slot, arg, len);
        return true;
    case OP_WATCH:
        yjs_doc_on_update(slot->doc, YJS_FORMAT_V1 | YJS_FORMAT_V2, told_add,
                          &slot->told);
        reply(YJS_OK, NULL, 0);
        return true;
    case OP_TOLD:
        do_told(slot);
        return true;
    default:
        break;
    }
    return false;
}

/* ------------------------------------------------------------- the stream */

struct input {
    uint8_t *data;
    size_t at; /* where the next request begins */
    size_t len;
    size_t cap;
};

static void make_room(struct input *in, size_t need)
{
    memmove(in->data, in->data + in->at, in->len - in->at);
    in->len -= in->at;
    in->at = 0;
    if (need <= in->cap)
        return;
    in->cap = 2 * need;
    in->data = realloc(in->data, in->cap);
    if (in->data == NULL)
        abort();
}

/* Have `need` bytes at in->at; replies go out before the process waits. */
static bool fill(struct input *in, size_t need)
{
    if (in->len - in->at >= need)
        return true;
    make_room(in, need);
    while (in->len < need) {
        ssize_t n;

        if (fflush(stdout) != 0)
            return false;
        n = read(STDIN_FILENO, in->data + in->len, in->cap - in->len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        in->len += (size_t)n;
    }
    return true;
}

static bool serve_one(struct input *in, bool *ok)
{
    size_t need;

    if (!fill(in, 4))
        return false;
    need = (size_t)load_le(in->data + in->at, 4);
    if (need < 2 || need > REQUEST_MAX) {
        *ok = false;
        return false;
    }
    if (!fill(in, need + 4))
        return false;
    *ok = dispatch(in->data + in->at + 4, need);
    in->at += need + 4;
    return *ok;
}

int main(void)
{
    struct input in = {malloc(1 << 16), 0, 0, 1 << 16};
    bool ok = true;

    if (in.data == NULL)
        abort();
    while (serve_one(&in, &ok))
        ;
    if (fflush(stdout) != 0)
        ok = false;
    for (size_t i = 0; i < SLOTS; i++) {
        yjs_doc_free(slots[i].doc);
        free(slots[i].told.data);
    }
    free(in.data);
    return ok ? 0 : 1;
}
