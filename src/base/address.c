/* SPDX-License-Identifier: MIT */
/* IP addresses: see address.h. Must never take a name for an address, or half
 * an address for a whole one. */
#include "base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"

enum { V4_AT = 12, V4_BITS = 96, ALL_BITS = 128 };

struct address_network {
    struct address address;
    unsigned bits;
};

static const uint8_t mapped[V4_AT] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255};

void address_from_v4(struct address *out, const uint8_t bytes[4])
{
    memcpy(out->bytes, mapped, V4_AT);
    memcpy(out->bytes + V4_AT, bytes, 4);
}

void address_from_socket(struct address *out, const struct sockaddr *from)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    *out = (struct address){{0}};
    if (from->sa_family == AF_INET) {
        memcpy(&v4, from, sizeof v4);
        address_from_v4(out, (const uint8_t *)&v4.sin_addr);
    } else if (from->sa_family == AF_INET6) {
        memcpy(&v6, from, sizeof v6);
        memcpy(out->bytes, &v6.sin6_addr, ADDRESS_BYTES);
    }
}

bool address_known(const struct address *address)
{
    static const struct address unknown;
    return !address_same(address, &unknown);
}

bool address_same(const struct address *a, const struct address *b)
{
    return memcmp(a->bytes, b->bytes, ADDRESS_BYTES) == 0;
}

static bool is_v4(const struct address *address)
{
    return memcmp(address->bytes, mapped, V4_AT) == 0;
}

void address_text(const struct address *address, char out[ADDRESS_TEXT_MAX])
{
    bool v4 = is_v4(address);
    if (!address_known(address) ||
        !inet_ntop(v4 ? AF_INET : AF_INET6,
                   address->bytes + (v4 ? V4_AT : 0), out, ADDRESS_TEXT_MAX))
        out[0] = '\0';
}

/* The bare address, without brackets or port. */
static bool parse_bare(struct address *out, const char *text, size_t len)
{
    char copy[ADDRESS_TEXT_MAX];
    uint8_t bytes[ADDRESS_BYTES];
    if (len == 0 || len >= sizeof copy || memchr(text, '\0', len))
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (inet_pton(AF_INET, copy, bytes) == 1)
        address_from_v4(out, bytes);
    else if (inet_pton(AF_INET6, copy, bytes) == 1)
        memcpy(out->bytes, bytes, ADDRESS_BYTES);
    else
        return false;
    return true;
}

/* Nothing, or a colon and digits. */
static bool is_port(const char *text, size_t len)
{
    if (len == 0)
        return true;
    if (*text != ':' || len < 2 || len > 6)
        return false;
    for (size_t i = 1; i < len; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    return true;
}

bool address_parse(struct address *out, const char *text, size_t len)
{
    const char *colon = len ? memchr(text, ':', len) : NULL;
    if (len && text[0] == '[') {
        const char *close = memchr(text, ']', len);
        if (!close)
            return false;
        size_t inside = (size_t)(close - text) - 1;
        return is_port(close + 1, len - inside - 2) &&
               memchr(text + 1, ':', inside) &&
               parse_bare(out, text + 1, inside);
    }
    /* One colon is a port's; an IPv6 address has two at least. */
    if (colon && !memchr(colon + 1, ':', len - (size_t)(colon + 1 - text))) {
        size_t bare = (size_t)(colon - text);
        return is_port(colon, len - bare) && parse_bare(out, text, bare);
    }
    return parse_bare(out, text, len);
}

/* networks */

static bool in_network(const struct address_network *network,
                       const struct address *address)
{
    unsigned whole = network->bits / 8, rest = network->bits % 8;
    const uint8_t *a = network->address.bytes, *b = address->bytes;
    if (memcmp(a, b, whole) != 0)
        return false;
    return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

static bool parse_network(struct address_network *out, const char *text,
                          size_t len)
{
    const char *slash = memchr(text, '/', len);
    size_t bare = slash ? (size_t)(slash - text) : len;
    unsigned bits = 0;
    if (!parse_bare(&out->address, text, bare))
        return false;
    bool v4 = is_v4(&out->address);
    if (!slash)
        bits = v4 ? ALL_BITS - V4_BITS : ALL_BITS;
    else if (len - bare < 2 || len - bare > 4)
        return false;
    for (size_t i = bare + 1; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        bits = bits * 10 + (unsigned)(text[i] - '0');
    }
    out->bits = bits + (v4 ? V4_BITS : 0);
    return out->bits <= ALL_BITS;
}

static const struct {
    const char *word, *means;
} words[] = {
    {"loopback", "127.0.0.0/8 ::1"},
    {"private", "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 "
                "169.254.0.0/16 fc00::/7 fe80::/10"},
};

static bool add_all(struct address_list *list, const char *text);

static bool add_one(struct address_list *list, const char *text, size_t len)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i].word) == len &&
            memcmp(words[i].word, text, len) == 0)
            return add_all(list, words[i].means);
    struct address_network network;
    if (!parse_network(&network, text, len))
        return false;
    list->networks = mem_realloc(
        list->networks, (list->count + 1) * sizeof *list->networks);
    list->networks[list->count++] = network;
    return true;
}

static bool add_all(struct address_list *list, const char *text)
{
    static const char between[] = ", \t";
    for (text += strspn(text, between); *text;
         text += strspn(text, between)) {
        size_t len = strcspn(text, between);
        if (!add_one(list, text, len))
            return false;
        text += len;
    }
    return true;
}

bool address_list_init(struct address_list *list, const char *text)
{
    struct address_list made = {NULL, 0};
    if (!add_all(&made, text)) {
        address_list_deinit(&made);
        return false;
    }
    *list = made;
    return true;
}

void address_list_deinit(struct address_list *list)
{
    free(list->networks);
    *list = (struct address_list){NULL, 0};
}

bool address_list_has(const struct address_list *list,
                      const struct address *address)
{
    for (size_t i = 0; i < list->count; i++)
        if (in_network(&list->networks[i], address))
            return true;
    return false;
}
