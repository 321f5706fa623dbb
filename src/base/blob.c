/* SPDX-License-Identifier: MIT */
/* Shared immutable bytes: see blob.h. Must never change content that a second
 * holder can see. */
#include "base/blob.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct blob *blob_alloc(size_t len)
{
    if (len > UINT32_MAX)
        abort(); /* every limit is far below */
    struct blob *b = mem_alloc(sizeof *b + len);
    b->refs = 1;
    b->len = (uint32_t)len;
    return b;
}

struct blob *blob_new(const void *src, size_t len)
{
    struct blob *b = blob_alloc(len);
    if (len)
        memcpy(b->data, src, len);
    return b;
}

void blob_unref(struct blob *b)
{
    if (b && --b->refs == 0)
        free(b);
}
