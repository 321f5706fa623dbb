/* SPDX-License-Identifier: MIT */
/* Allocation that cannot fail: see mem.h. Must never be called with a size
 * that a peer chose and no limit checked. */
#include "base/mem.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

#if defined(__GLIBC__)
/* Our own pages in memory: the resident ones but those of files. */
static size_t own_pages(void)
{
    char text[128], *at = text;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    strtoul(at, &at, 10);
    size_t resident = strtoul(at, &at, 10), files = strtoul(at, &at, 10);
    return resident > files ? resident - files : 0;
}

/* The C library's count of free bytes does not tell which of them have pages,
 * and those it has given back lose them again to the next that are allocated:
 * what counts is what the process has and does not use. */
static size_t wasted(void)
{
    struct mallinfo2 info = mallinfo2();
    size_t have = own_pages() * (size_t)sysconf(_SC_PAGESIZE);
    size_t used = info.uordblks + info.hblkhd;
    return have > used ? have - used : 0;
}

/* Trimming takes time with the size of the heap: an eighth of a small one. */
static size_t worth_it(void)
{
    enum { LEAST = 1 << 20, MOST = 8 << 20 };
    size_t eighth = own_pages() * (size_t)sysconf(_SC_PAGESIZE) / 8;
    return eighth < LEAST ? LEAST : eighth > MOST ? MOST : eighth;
}
#endif

size_t mem_give_back(size_t left)
{
#if defined(__GLIBC__)
    size_t now = wasted();
    if (now < left)
        return now;
    if (now - left < worth_it())
        return left;
    malloc_trim(0);
    return wasted();
#else
    return left;
#endif
}
