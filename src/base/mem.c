/* SPDX-License-Identifier: MIT */
/* Allocation that cannot fail: see mem.h. Must never be called with a size
 * that a peer chose and no limit checked. */
#include "base/mem.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *ptr, size_t size)
{
    if (ptr)
        return ptr;
    fprintf(stderr, "critical out of memory size=%zu\n", size);
    abort();
}

void *mem_alloc(size_t size)
{
    return checked(malloc(size ? size : 1), size);
}

void *mem_zalloc(size_t size)
{
    return checked(calloc(1, size ? size : 1), size);
}

void *mem_array(size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        return checked(NULL, SIZE_MAX);
    return mem_zalloc(count * size);
}

void *mem_realloc(void *ptr, size_t size)
{
    return checked(realloc(ptr, size ? size : 1), size);
}

void *mem_dup(const void *src, size_t len)
{
    if (len == SIZE_MAX)
        return checked(NULL, len);
    char *copy = mem_alloc(len + 1);
    if (len)
        memcpy(copy, src, len);
    copy[len] = '\0';
    return copy;
}

char *mem_strdup(const char *src)
{
    return mem_dup(src, strlen(src));
}

size_t mem_give_back(size_t idle)
{
    enum { WORTH_IT = 8 << 20 };
#if defined(__GLIBC__)
    size_t now = mallinfo2().fordblks;
    if (now < idle)
        return now;
    if (now - idle < WORTH_IT)
        return idle;
    malloc_trim(0);
    return mallinfo2().fordblks;
#else
    return idle;
#endif
}
