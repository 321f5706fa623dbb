/* SPDX-License-Identifier: MIT */
/**
 * @file mem.h
 * Allocation for the daemon: succeeds or ends the process with one line on
 * stderr. What peers may make us allocate is bounded by named limits before
 * it gets here. The engine (src/yjs) does not use this.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size);
void *mem_zalloc(size_t size);
/** `count * size` with an overflow check. */
void *mem_array(size_t count, size_t size);
void *mem_realloc(void *ptr, size_t size);
/** A copy of `len` bytes with a terminating NUL behind them. */
void *mem_dup(const void *src, size_t len);
char *mem_strdup(const char *src);

#endif
