/* SPDX-License-Identifier: MIT */
/* Shared immutable bytes: see blob.h. Must never change content that a second
 * holder can see. */
#include "base/blob.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* In the data of a joint blob; the bytes are the head, then the tail. */
struct joint {
    struct blob *body;
    uint32_t head;
    uint32_t tail;
    uint8_t own[];
};

static uint64_t total;

static const struct joint *joint_of(const struct blob *b)
{
    return (const struct joint *)(const void *)b->data;
}

static struct blob *begin(struct blob *b, size_t len)
{
    b->refs = 1;
    b->joint = 0;
    b->len = (uint32_t)len;
    total += len;
    return b;
}

struct blob *blob_alloc(size_t len)
{
    if (len > UINT32_MAX)
        abort(); /* every limit is far below */
    return begin(mem_alloc(sizeof(struct blob) + len), len);
}

struct blob *blob_try_alloc(size_t len)
{
    if (len > UINT32_MAX)
        return NULL;
    struct blob *b = mem_try_realloc(NULL, sizeof *b + len);
    return b ? begin(b, len) : NULL;
}

struct blob *blob_new(const void *src, size_t len)
{
    struct blob *b = blob_alloc(len);
    if (len)
        memcpy(b->data, src, len);
    return b;
}

struct blob *blob_join(const void *head, size_t head_len, struct blob *body,
                       const void *tail, size_t tail_len)
{
    size_t own = sizeof(struct joint) + head_len + tail_len;
    struct blob *b = blob_alloc(own);
    struct joint *joint = (struct joint *)(void *)b->data;
    joint->body = blob_ref(body);
    joint->head = (uint32_t)head_len;
    joint->tail = (uint32_t)tail_len;
    memcpy(joint->own, head, head_len);
    memcpy(joint->own + head_len, tail, tail_len);
    b->joint = 1;
    b->len = (uint32_t)(head_len + body->len + tail_len);
    return b;
}

struct blob_run blob_run(const struct blob *b, size_t from)
{
    if (!b->joint)
        return (struct blob_run){b->data + from, b->len - from};
    const struct joint *joint = joint_of(b);
    if (from < joint->head)
        return (struct blob_run){joint->own + from, joint->head - from};
    from -= joint->head;
    if (from < joint->body->len)
        return (struct blob_run){joint->body->data + from,
                                 joint->body->len - from};
    from -= joint->body->len;
    return (struct blob_run){joint->own + joint->head + from,
                             joint->tail - from};
}

void blob_unref(struct blob *b)
{
    if (!b || --b->refs > 0)
        return;
    if (b->joint) {
        const struct joint *joint = joint_of(b);
        total -= sizeof *joint + joint->head + joint->tail;
        blob_unref(joint->body);
    } else {
        total -= b->len;
    }
    free(b);
}

uint64_t blob_total(void)
{
    return total;
}
