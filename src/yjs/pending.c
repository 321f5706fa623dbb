/* SPDX-License-Identifier: MIT */
/*
 * pending.c: merging what waits, late and all at once.
 *
 * Yjs merges each update that has to wait into those that wait already, which
 * is quadratic when many do. Here, once there are more than a few, they are
 * kept as they came, and merged when somebody looks (what they wait for may
 * have come, or the document is encoded) and each time they have doubled, so
 * that what comes twice does not stay twice.
 *
 * For updates that do not overlap it makes no difference. Where they do, the
 * order of merging can show: in where an item was cut, and in what stands for
 * an item that one has collected and another has not (queue.c). So they are
 * merged one by one, as Yjs does, while that is little work, and only more at
 * once; then an item and its collected form may come out the other way round.
 */
#include "yjs/pending.h"

#include "yjs/merge.h"

enum {
    SMALL = 512,   /* bytes */
    FEW = 32,      /* updates */
    WORK = 1 << 20 /* bytes to go through when merged one by one */
};

bool yjs__pending_may_grow(const yjs_doc *doc, size_t more)
{
    const struct yjs__pending *p = &doc->pending;
    size_t parts = p->parts_len + more;

    return p->len + parts > SMALL && parts < p->len &&
           p->len + parts <= doc->limits.pending_bytes;
}

/* data + parts + more, as slices. */
static size_t gather(const yjs_doc *doc, struct yjs__slice more,
                     struct yjs__slice *out)
{
    const struct yjs__pending *p = &doc->pending;
    size_t n = 0;

    if (p->data != NULL)
        out[n++] = (struct yjs__slice){p->data, p->len};
    if (p->parts.len > 0)
        memcpy(out + n, p->parts.data, p->parts.len * sizeof(*out));
    n += p->parts.len;
    if (more.len > 0)
        out[n++] = more;
    return n;
}

static int merge_one_by_one(yjs_doc *doc, const struct yjs__slice *s, size_t n,
                            struct yjs__writer *out)
{
    struct yjs__writer step;
    struct yjs__slice pair[2] = {s[0], {NULL, 0}};
    size_t i;
    int rc = YJS_OK;

    for (i = 1; i < n && rc == YJS_OK; i++) {
        yjs__writer_init(&step, &doc->mem, 0);
        pair[1] = s[i];
        rc = yjs__merge(&doc->mem, pair, 2, &step);
        yjs__writer_deinit(out);
        *out = step;
        pair[0] = (struct yjs__slice){step.data, step.len};
    }
    return rc;
}

int yjs__pending_merge(yjs_doc *doc, struct yjs__slice more,
                       struct yjs__writer *out)
{
    size_t cap = doc->pending.parts.len + 2, n;
    struct yjs__slice *s = yjs__mem_alloc(&doc->mem, cap * sizeof(*s));
    size_t total = doc->pending.len + doc->pending.parts_len + more.len;
    int rc;

    if (s == NULL)
        return doc->mem.err;
    n = gather(doc, more, s);
    if (n == 1)
        yjs__write_bytes(out, s[0].ptr, s[0].len);
    if (n == 1)
        rc = out->err;
    else if (n < FEW || (n - 1) * total <= WORK)
        rc = merge_one_by_one(doc, s, n, out);
    else
        rc = yjs__merge(&doc->mem, s, n, out);
    yjs__mem_free(&doc->mem, s, cap * sizeof(*s));
    return rc;
}

static void free_parts(yjs_doc *doc)
{
    struct yjs__vec *parts = &doc->pending.parts;
    struct yjs__slice *s = parts->data;
    size_t i;

    for (i = 0; i < parts->len; i++)
        yjs__mem_free(&doc->mem, (void *)(uintptr_t)s[i].ptr, s[i].len);
    yjs__vec_trim(&doc->mem, parts, sizeof(*s), 0);
    doc->pending.parts_len = 0;
}

int yjs__pending_settle(yjs_doc *doc)
{
    struct yjs__writer w;
    uint8_t *data = NULL;
    size_t limit = doc->mem.limit;
    int rc;

    if (doc->pending.parts.len == 0)
        return YJS_OK;
    doc->mem.limit = 0; /* it takes twice the room, and then no more */
    yjs__writer_init(&w, &doc->mem, 0);
    rc = yjs__pending_merge(doc, (struct yjs__slice){NULL, 0}, &w);
    if (rc == YJS_OK) {
        data = yjs__mem_resize(&doc->mem, w.data, w.cap, w.len);
        rc = data == NULL ? doc->mem.err : YJS_OK;
    }
    doc->mem.limit = limit;
    if (rc != YJS_OK) {
        yjs__writer_deinit(&w);
        return rc;
    }
    yjs__pending_set(doc, data, w.len);
    return YJS_OK;
}

void yjs__pending_set(yjs_doc *doc, uint8_t *data, size_t len)
{
    free_parts(doc);
    yjs__mem_free(&doc->mem, doc->pending.data, doc->pending.len);
    doc->pending.data = data;
    doc->pending.len = len;
}

void yjs__pending_add(yjs_doc *doc, uint8_t *data, size_t len)
{
    struct yjs__vec *parts = &doc->pending.parts;

    ((struct yjs__slice *)parts->data)[parts->len++] =
        (struct yjs__slice){data, len};
    doc->pending.parts_len += len;
}
