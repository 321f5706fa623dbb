/* SPDX-License-Identifier: MIT */
/*
 * What the fuzz targets share: the entry point's prototype, an assertion that
 * holds in every build, and a cursor that cuts an input into pieces.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_ASSERT(cond)                                                      \
    do {                                                                       \
        if (!(cond)) {                                                         \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);         \
            abort();                                                           \
        }                                                                      \
    } while (0)

struct fuzz_input {
    const uint8_t *p;
    size_t left;
};

/** The next byte, 0 at the end. */
static inline uint8_t fuzz_byte(struct fuzz_input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->p++;
}

/**
 * The next piece: a 16-bit little-endian length and as many bytes, or what is
 * left. The piece gets a block of its own, which the caller frees.
 */
static inline uint8_t *fuzz_piece(struct fuzz_input *in, size_t *len)
{
    size_t n = fuzz_byte(in);
    uint8_t *copy;

    n |= (size_t)fuzz_byte(in) << 8;
    if (n > in->left)
        n = in->left;
    copy = malloc(n + (n == 0));
    if (copy == NULL)
        abort();
    memcpy(copy, in->p, n);
    in->p += n;
    in->left -= n;
    *len = n;
    return copy;
}

#endif
