/* SPDX-License-Identifier: MIT */
/* Allocation that cannot fail: see mem.h. Must never be called with a size
 * that a peer chose and no limit checked. */
#include "base/mem.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    void *block;
    size_t size;
    bool was_short;
} reserve;

static bool give_up_reserve(void)
{
    bool had = reserve.block != NULL;
    free(reserve.block);
    reserve.block = NULL;
    reserve.was_short = true;
    return had;
}

void mem_reserve(size_t size)
{
    free(reserve.block);
    reserve.size = size;
    reserve.block = size ? malloc(size) : NULL;
}

bool mem_was_short(void)
{
    bool was = reserve.was_short;
    reserve.was_short = false;
    if (was && !reserve.block && reserve.size)
        reserve.block = malloc(reserve.size);
    return was;
}

static void *checked(void *ptr, size_t size)
{
    if (ptr)
        return ptr;
    fprintf(stderr, "critical out of memory size=%zu\n", size);
    abort();
}

void *mem_alloc(size_t size)
{
    void *ptr = malloc(size ? size : 1);
    if (!ptr && give_up_reserve())
        ptr = malloc(size ? size : 1);
    return checked(ptr, size);
}

void *mem_zalloc(size_t size)
{
    void *ptr = calloc(1, size ? size : 1);
    if (!ptr && give_up_reserve())
        ptr = calloc(1, size ? size : 1);
    return checked(ptr, size);
}

void *mem_array(size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        return checked(NULL, SIZE_MAX);
    return mem_zalloc(count * size);
}

void *mem_realloc(void *ptr, size_t size)
{
    void *moved = realloc(ptr, size ? size : 1);
    if (!moved && give_up_reserve())
        moved = realloc(ptr, size ? size : 1);
    return checked(moved, size);
}

void *mem_try_realloc(void *ptr, size_t size)
{
    void *moved = realloc(ptr, size ? size : 1);
    if (!moved)
        reserve.was_short = true;
    return moved;
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
