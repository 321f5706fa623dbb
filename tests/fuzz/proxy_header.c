/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: the PROXY protocol. Input: what a connection sends first. A
 * header must be found when its last byte is there and not before, whatever
 * stands behind it; what is refused was never half of something good.
 */
#include "fuzz.h"

#include "transport/proxy_header.h"

/* In a block of its own size, for a sanitizer. */
static int read_prefix(const uint8_t *data, size_t len, struct address *out)
{
    uint8_t *copy = malloc(len + (len == 0));
    if (copy == NULL)
        abort();
    memcpy(copy, data, len);
    int n = proxy_header_read(copy, len, out);
    free(copy);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct address address, again;
    char text[ADDRESS_TEXT_MAX];
    size_t most = size < 2 * PROXY_HEADER_MAX ? size : 2 * PROXY_HEADER_MAX;
    int n = read_prefix(data, most, &address);

    FUZZ_ASSERT(n == PROXY_HEADER_BAD || n == PROXY_HEADER_MORE ||
                (n > 0 && (size_t)n <= most && n <= PROXY_HEADER_MAX));
    FUZZ_ASSERT(n != PROXY_HEADER_MORE || most < PROXY_HEADER_MAX);
    size_t step = most > 512 ? most / 64 : 1;
    for (size_t len = 0; len < most; len += step) {
        int early = read_prefix(data, len, &again);
        if (n > 0)
            FUZZ_ASSERT(early == (len < (size_t)n ? PROXY_HEADER_MORE : n));
        else if (n == PROXY_HEADER_MORE)
            FUZZ_ASSERT(early == PROXY_HEADER_MORE);
        else
            FUZZ_ASSERT(early <= 0);
    }
    if (n > 0) {
        FUZZ_ASSERT(read_prefix(data, (size_t)n, &again) == n);
        FUZZ_ASSERT(address_same(&address, &again));
        address_text(&address, text);
        FUZZ_ASSERT((text[0] != '\0') == address_known(&address));
        if (address_known(&address)) {
            FUZZ_ASSERT(address_parse(&again, text, strlen(text)));
            FUZZ_ASSERT(address_same(&address, &again));
        }
    }
    return 0;
}
