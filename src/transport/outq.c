/* SPDX-License-Identifier: MIT */
/* Outgoing queue: see outq.h. Must never drop a document update or a control
 * message without saying so. */
#include "transport/outq.h"

#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/mem.h"

enum { FIRST_CAP = 16 };

void outq_init(struct outq *q, size_t limit)
{
    *q = (struct outq){.cap = OUTQ_FEW, .limit = limit};
}

/* Where the entries are. Most turns of the loop queue a message or two for a
 * client: those need no memory of their own. */
static struct outq_entry *entries(struct outq *q)
{
    return q->many ? q->many : q->few;
}

static const struct outq_entry *entries_of(const struct outq *q)
{
    return q->many ? q->many : q->few;
}

static size_t charge(const struct outq *q, const struct blob *blob)
{
    size_t most = q->limit / 4;
    return blob->len < most ? blob->len : most;
}

/* Nothing is in it any more. */
static void release(struct outq *q)
{
    if (q->many) {
        free(q->many);
        q->many = NULL;
        q->cap = OUTQ_FEW;
    }
    q->first = q->end = q->urgent = q->droppable = 0;
    q->head_begun = false;
    q->charged = 0;
}

static void release_if_empty(struct outq *q)
{
    if (q->first == q->end)
        release(q);
}

void outq_clear(struct outq *q)
{
    for (uint32_t i = q->first; i < q->end; i++)
        blob_unref(entries(q)[i].blob);
    q->first = q->end;
    release_if_empty(q);
}

/* Room for one more entry at the end. */
static void make_room(struct outq *q)
{
    if (q->end < q->cap)
        return;
    if (q->first > q->cap / 2) {
        memmove(entries(q), entries(q) + q->first,
                (q->end - q->first) * sizeof *q->many);
        q->end -= q->first;
        q->first = 0;
        return;
    }
    uint32_t cap = q->many ? q->cap * 4 : FIRST_CAP;
    struct outq_entry *many = mem_realloc(q->many, cap * sizeof *many);
    if (!q->many)
        memcpy(many, q->few, sizeof q->few);
    q->many = many;
    q->cap = cap;
}

static void insert_at(struct outq *q, uint32_t offset, struct blob *blob,
                      enum message_class klass)
{
    make_room(q);
    struct outq_entry *at = entries(q) + q->first + offset;
    if (q->first + offset < q->end)
        memmove(at + 1, at, (q->end - q->first - offset) * sizeof *at);
    *at = (struct outq_entry){blob, klass};
    q->end++;
    q->charged += charge(q, blob);
    if (klass == MESSAGE_AWARENESS)
        q->droppable++;
}

/* Forget the accounting of an entry that leaves. */
static void forget(struct outq *q, const struct outq_entry *entry)
{
    q->charged -= charge(q, entry->blob);
    if (entry->klass == MESSAGE_AWARENESS)
        q->droppable--;
}

static void drop_awareness(struct outq *q, size_t need, uint64_t *out_dropped)
{
    uint32_t i = q->first + (q->head_begun ? 1 : 0);
    for (; i < q->end && q->droppable && q->charged + need > q->limit; i++) {
        struct outq_entry *entry = &entries(q)[i];
        if (!entry->blob || entry->klass != MESSAGE_AWARENESS)
            continue;
        forget(q, entry);
        blob_unref(entry->blob);
        entry->blob = NULL;
        ++*out_dropped;
    }
}

uint32_t outq_drop_bulk(struct outq *q)
{
    uint32_t dropped = 0;
    for (uint32_t i = q->first + (q->head_begun ? 1 : 0); i < q->end; i++) {
        struct outq_entry *entry = &entries(q)[i];
        if (!entry->blob || (entry->klass != MESSAGE_DOCUMENT &&
                             entry->klass != MESSAGE_AWARENESS))
            continue;
        forget(q, entry);
        blob_unref(entry->blob);
        entry->blob = NULL;
        dropped++;
    }
    return dropped;
}

enum outq_result outq_push(struct outq *q, struct blob *blob,
                           enum message_class klass, uint64_t *out_dropped)
{
    size_t need = charge(q, blob);
    if (q->charged + need > q->limit)
        drop_awareness(q, need, out_dropped);
    if (q->charged + need > q->limit) {
        if (klass != MESSAGE_AWARENESS)
            return OUTQ_OVERFLOW;
        ++*out_dropped;
        return OUTQ_DROPPED;
    }
    uint32_t count = q->end - q->first, offset = count;
    if (klass == MESSAGE_URGENT) {
        /* The urgent ones lead, but nothing goes before what has begun. */
        offset = q->urgent;
        if (q->head_begun && entries(q)[q->first].klass != MESSAGE_URGENT)
            offset++;
        if (offset > count)
            offset = count;
        q->urgent++;
    }
    insert_at(q, offset, blob_ref(blob), klass);
    return OUTQ_QUEUED;
}

static void skip_holes(struct outq *q)
{
    while (q->first < q->end && !entries(q)[q->first].blob)
        q->first++;
    release_if_empty(q);
}

const struct outq_entry *outq_at(const struct outq *q, uint32_t i)
{
    return entries_of(q) + i;
}

struct blob *outq_peek(struct outq *q)
{
    skip_holes(q);
    return q->first < q->end ? entries(q)[q->first].blob : NULL;
}

struct blob *outq_take(struct outq *q, enum message_class *out_klass)
{
    skip_holes(q);
    if (q->first == q->end)
        return NULL;
    struct outq_entry entry = entries(q)[q->first];
    forget(q, &entry);
    q->first++;
    if (entry.klass == MESSAGE_URGENT && q->urgent)
        q->urgent--;
    q->head_begun = false;
    if (out_klass)
        *out_klass = entry.klass;
    release_if_empty(q);
    return entry.blob;
}

void outq_put_back(struct outq *q, struct blob *blob, enum message_class klass)
{
    if (klass == MESSAGE_URGENT)
        q->urgent++;
    if (q->first == 0) {
        insert_at(q, 0, blob, klass);
        return;
    }
    entries(q)[--q->first] = (struct outq_entry){blob, klass};
    q->charged += charge(q, blob);
    if (klass == MESSAGE_AWARENESS)
        q->droppable++;
}

void outq_put_back_all(struct outq *q, struct outq *from)
{
    while (from->end > from->first) {
        struct outq_entry *last = entries(from) + --from->end;
        if (last->blob)
            outq_put_back(q, last->blob, last->klass);
    }
    release(from);
}

size_t outq_held(const struct outq *q)
{
    size_t held = q->cap * sizeof *q->many;
    for (uint32_t i = q->first; i < q->end; i++) {
        const struct blob *b = entries_of(q)[i].blob;
        if (b && !b->joint)
            held += b->len / b->refs;
    }
    return held;
}

bool outq_empty(const struct outq *q)
{
    for (uint32_t i = q->first; i < q->end; i++)
        if (entries_of(q)[i].blob)
            return false;
    return true;
}
