/* SPDX-License-Identifier: MIT */
/**
 * @file mem.h
 * Allocation for the daemon: succeeds or ends the process with one line on
 * stderr; first a reserve is given up. What peers may make us allocate is
 * bounded by named limits before it gets here. The engine (src/yjs) does not
 * use this.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

void *mem_alloc(size_t size);
void *mem_zalloc(size_t size);
/** `count * size` with an overflow check. */
void *mem_array(size_t count, size_t size);
void *mem_realloc(void *ptr, size_t size);
/** A copy of `len` bytes with a terminating NUL behind them. */
void *mem_dup(const void *src, size_t len);
char *mem_strdup(const char *src);

/**
 * Give freed memory back to the system where enough has come together: the C
 * library keeps what is freed below anything that lives on. `left` is what the
 * last call returned (0 before the first): the bytes of memory that it could
 * not give back. Cheap unless they have grown by an eighth of all memory, by
 * 1 MiB at least and 8 MiB at most.
 */
size_t mem_give_back(size_t left);

/** Memory held back for the day when there is no more: the first allocation
 *  that fails gets it, so that the process lives on and can shed load. */
void mem_reserve(size_t size);
/** Was memory short since the last call? Refills the reserve if it can. */
bool mem_was_short(void);
/** Like realloc, for what a peer may make large: NULL, `ptr` untouched, when
 *  there is no memory. */
void *mem_try_realloc(void *ptr, size_t size);

#endif
