/* SPDX-License-Identifier: MIT */
/* The PROXY protocol: see proxy_header.h. Must never read behind `len`, wait
 * for bytes that could not make a header any more, or take half a header for
 * a whole one. */
#include "transport/proxy_header.h"

#include <stdbool.h>
#include <string.h>

enum {
    V1_MAX = 107, /* the line with its CRLF, as the specification has it */
    V1_FIELDS = 4,
    V2_HEAD = 16,
    V2_VERSION = 0x20,
    COMMAND_LOCAL = 0,
    COMMAND_PROXY = 1,
    FAMILY_V4 = 0x10,
    FAMILY_V6 = 0x20,
    FAMILY_UNIX = 0x30,
    BYTES_V4 = 12,
    BYTES_V6 = 36,
    BYTES_UNIX = 216,
    TLV_HEAD = 3,
    TLV_CRC32C = 3
};

static const uint8_t signature[12] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                      0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
static const char word[] = "PROXY ";

/* Do the first bytes agree, as many as there are? */
static bool begins(const uint8_t *data, size_t len, const void *with,
                   size_t with_len)
{
    return memcmp(data, with, len < with_len ? len : with_len) == 0;
}

/* version 1 */

/* A field of the line: characters up to the next space. */
struct field {
    const char *p;
    size_t len;
};

/* Exactly V1_FIELDS, with one space between. */
static bool split(const char *at, const char *end, struct field *out)
{
    for (int i = 0; i < V1_FIELDS; i++) {
        const char *space = memchr(at, ' ', (size_t)(end - at));
        const char *stop = space ? space : end;
        bool last = i == V1_FIELDS - 1;
        if (stop == at || (space != NULL) == last)
            return false;
        out[i] = (struct field){at, (size_t)(stop - at)};
        at = last ? end : stop + 1;
    }
    return true;
}

static bool is_port(struct field field)
{
    unsigned value = 0;
    if (field.len > 5 || (field.len > 1 && field.p[0] == '0'))
        return false;
    for (size_t i = 0; i < field.len; i++) {
        if (field.p[i] < '0' || field.p[i] > '9')
            return false;
        value = value * 10 + (unsigned)(field.p[i] - '0');
    }
    return value <= 65535;
}

static bool is_address(struct field field, bool v6, struct address *out)
{
    return (memchr(field.p, ':', field.len) != NULL) == v6 &&
           !memchr(field.p, '[', field.len) &&
           address_parse(out, field.p, field.len);
}

static int read_line(const char *line, size_t len, struct address *out)
{
    const char *at = line + strlen(word), *end = line + len - 2;
    struct field fields[V1_FIELDS];
    struct address from, to;
    size_t left = (size_t)(end - at);
    if (left >= 7 && memcmp(at, "UNKNOWN", 7) == 0 &&
        (left == 7 || at[7] == ' ')) {
        *out = (struct address){{0}};
        return (int)len;
    }
    if (left < 5 || memcmp(at, "TCP", 3) != 0 || at[4] != ' ' ||
        (at[3] != '4' && at[3] != '6'))
        return PROXY_HEADER_BAD;
    bool v6 = at[3] == '6';
    if (!split(at + 5, end, fields) || !is_address(fields[0], v6, &from) ||
        !is_address(fields[1], v6, &to) || !is_port(fields[2]) ||
        !is_port(fields[3]))
        return PROXY_HEADER_BAD;
    *out = from;
    return (int)len;
}

static int read_v1(const uint8_t *data, size_t len, struct address *out)
{
    size_t most = len < V1_MAX ? len : V1_MAX;
    const uint8_t *cr = memchr(data, '\r', most);
    if (!cr)
        return len < V1_MAX ? PROXY_HEADER_MORE : PROXY_HEADER_BAD;
    size_t at = (size_t)(cr - data);
    if (at + 1 == len)
        return PROXY_HEADER_MORE;
    if (cr[1] != '\n' || at + 2 > V1_MAX || at < strlen(word))
        return PROXY_HEADER_BAD;
    return read_line((const char *)data, at + 2, out);
}

/* version 2 */

static uint32_t crc32c(uint32_t crc, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return crc;
}

/* The checksum is that of the header with zeros in its own place. */
static bool crc_ok(const uint8_t *header, size_t len, const uint8_t *sum)
{
    static const uint8_t zeros[4];
    size_t before = (size_t)(sum - header);
    uint32_t told = (uint32_t)sum[0] << 24 | (uint32_t)sum[1] << 16 |
                    (uint32_t)sum[2] << 8 | sum[3];
    uint32_t crc = crc32c(UINT32_MAX, header, before);
    crc = crc32c(crc, zeros, sizeof zeros);
    crc = crc32c(crc, sum + 4, len - before - 4);
    return ~crc == told;
}

static bool tlvs_ok(const uint8_t *header, size_t len, size_t at)
{
    while (at < len) {
        if (len - at < TLV_HEAD)
            return false;
        size_t size = (size_t)header[at + 1] << 8 | header[at + 2];
        const uint8_t *value = header + at + TLV_HEAD;
        if (size > len - at - TLV_HEAD)
            return false;
        if (header[at] == TLV_CRC32C &&
            (size != 4 || !crc_ok(header, len, value)))
            return false;
        at += TLV_HEAD + size;
    }
    return true;
}

/* The addresses' bytes of a family; 0 for "none, skip all". */
static size_t address_bytes(uint8_t family)
{
    switch (family & 0xf0) {
    case FAMILY_V4:
        return BYTES_V4;
    case FAMILY_V6:
        return BYTES_V6;
    case FAMILY_UNIX:
        return BYTES_UNIX;
    default:
        return 0;
    }
}

static int read_whole(const uint8_t *header, size_t len, struct address *out)
{
    const uint8_t *from = header + V2_HEAD;
    uint8_t family = header[13];
    size_t bytes = address_bytes(family);
    *out = (struct address){{0}};
    if ((header[12] & 0x0f) == COMMAND_LOCAL)
        return (int)len;
    if (len - V2_HEAD < bytes || (bytes && !tlvs_ok(header, len,
                                                    V2_HEAD + bytes)))
        return PROXY_HEADER_BAD;
    if ((family & 0x0f) != 1) /* no stream: nothing we could be given */
        return (int)len;
    if ((family & 0xf0) == FAMILY_V4)
        address_from_v4(out, from);
    else if ((family & 0xf0) == FAMILY_V6)
        memcpy(out->bytes, from, ADDRESS_BYTES);
    return (int)len;
}

static int read_v2(const uint8_t *data, size_t len, struct address *out)
{
    struct address found;
    if (len > 12 && ((data[12] & 0xf0) != V2_VERSION ||
                     (data[12] & 0x0f) > COMMAND_PROXY))
        return PROXY_HEADER_BAD;
    if (len > 13 && ((data[13] & 0xf0) > FAMILY_UNIX || (data[13] & 0x0f) > 2))
        return PROXY_HEADER_BAD;
    if (len < V2_HEAD)
        return PROXY_HEADER_MORE;
    size_t whole = V2_HEAD + ((size_t)data[14] << 8 | data[15]);
    if (whole > PROXY_HEADER_MAX)
        return PROXY_HEADER_BAD;
    if (len < whole)
        return PROXY_HEADER_MORE;
    int n = read_whole(data, whole, &found);
    if (n > 0)
        *out = found;
    return n;
}

int proxy_header_read(const uint8_t *data, size_t len, struct address *out)
{
    if (len == 0)
        return PROXY_HEADER_MORE;
    if (begins(data, len, signature, sizeof signature))
        return read_v2(data, len, out);
    if (!begins(data, len, word, strlen(word)))
        return PROXY_HEADER_BAD;
    return len < strlen(word) ? PROXY_HEADER_MORE : read_v1(data, len, out);
}
