/* SPDX-License-Identifier: MIT */
/*
 * Clients behind proxies: see client.h. Must never believe an entry of which
 * nothing but untrusted entries stand to the right.
 *
 * Each proxy on the way appends the address it was called from:
 *
 *   X-Forwarded-For: <what the client claims>, client, proxy 1
 *                                     from there   from there   peer: proxy 2
 *
 * so only what stands to the right of the first untrusted address is true.
 */
#include "transport/client.h"

#include <string.h>

#include "transport/http_head.h"

/* `for=192.0.2.60`, `for="[2001:db8::1]:47011"` among the pairs of one element
 * of Forwarded (RFC 7239); p NULL when it names none. */
static struct http_span forwarded_for(struct http_span element)
{
    const char *at = element.p, *end = element.p + element.len;
    while (at < end) {
        const char *semicolon = memchr(at, ';', (size_t)(end - at));
        const char *stop = semicolon ? semicolon : end;
        while (at < stop && *at == ' ')
            at++;
        const char *equals = memchr(at, '=', (size_t)(stop - at));
        if (equals && http_span_is_nocase(
                          (struct http_span){at, (size_t)(equals - at)},
                          "for")) {
            struct http_span value = {equals + 1,
                                      (size_t)(stop - equals - 1)};
            if (value.len >= 2 && value.p[0] == '"' &&
                value.p[value.len - 1] == '"')
                return (struct http_span){value.p + 1, value.len - 2};
            return value;
        }
        at = stop + (semicolon != NULL);
    }
    return (struct http_span){NULL, 0};
}

/* The last element of a comma list, which is cut off from it. */
static bool take_last(struct http_span *rest, struct http_span *out)
{
    while (rest->len) {
        const char *comma = memrchr(rest->p, ',', rest->len);
        const char *begin = comma ? comma + 1 : rest->p;
        struct http_span tail = {begin,
                                 (size_t)(rest->p + rest->len - begin)};
        rest->len = comma ? (size_t)(comma - rest->p) : 0;
        if (http_list_next(&tail, out))
            return true;
    }
    return false;
}

/* One header line, right to left. True when it has led to the client, or to
 * an entry behind which nothing can be believed. */
static bool walk(const struct client_policy *policy, struct http_span value,
                 struct address *out)
{
    struct http_span element;
    struct address named;
    while (take_last(&value, &element)) {
        if (policy->header == CLIENT_FORWARDED)
            element = forwarded_for(element);
        if (!element.p || !address_parse(&named, element.p, element.len) ||
            !address_known(&named))
            return true; /* "unknown", "::", or a name of the proxy's own */
        *out = named;
        if (!address_list_has(&policy->trusted, out))
            return true;
    }
    return false;
}

void client_address(const struct client_policy *policy,
                    const struct address *peer, const struct http_head *head,
                    struct address *out)
{
    const char *name = policy->header == CLIENT_FORWARDED ? "forwarded"
                                                          : "x-forwarded-for";
    *out = *peer;
    if (!address_list_has(&policy->trusted, peer))
        return;
    for (size_t i = head->count; i > 0; i--)
        if (http_span_is_nocase(head->headers[i - 1].name, name) &&
            walk(policy, head->headers[i - 1].value, out))
            return;
}
