/* SPDX-License-Identifier: MIT */
/* check_origin: see origin.h. Must never let an Origin pass that it cannot
 * read ("null" included), unless the check is off. */
#include "transport/origin.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

/* An origin taken apart; scheme.p NULL and port 0 mean "any". */
struct origin_parts {
    struct http_span scheme, host;
    long port;
};

struct origin_entry {
    char *text; /* what the spans point into */
    struct origin_parts parts;
    bool wildcard; /* host is the part behind "*." */
};

static long default_port(struct http_span scheme)
{
    if (http_span_is_nocase(scheme, "https") ||
        http_span_is_nocase(scheme, "wss"))
        return 443;
    return scheme.p ? 80 : 0;
}

/* host[:port] or [v6]:port into `parts`; false when it is neither. */
static bool parse_authority(struct http_span text, struct origin_parts *parts)
{
    const char *end = text.p + text.len, *colon;
    if (text.len && text.p[0] == '[') {
        const char *close = memchr(text.p, ']', text.len);
        if (!close)
            return false;
        colon = close + 1;
        if (colon < end && *colon != ':')
            return false;
    } else {
        colon = memchr(text.p, ':', text.len);
        if (!colon)
            colon = end;
    }
    parts->host = (struct http_span){text.p, (size_t)(colon - text.p)};
    parts->port = 0;
    for (const char *p = colon + 1; p < end; p++) {
        if (*p < '0' || *p > '9' || parts->port > 65535)
            return false;
        parts->port = parts->port * 10 + (*p - '0');
    }
    if (colon < end && (parts->port == 0 || parts->port > 65535))
        return false;
    for (size_t i = 0; i < parts->host.len; i++)
        if (strchr("/?#@ \\", parts->host.p[i]))
            return false;
    return parts->host.len > 0;
}

/* scheme://authority, or //authority where `any_scheme` allows it. */
static bool parse_origin(struct http_span text, bool any_scheme,
                         struct origin_parts *parts)
{
    const char *slashes = memmem(text.p, text.len, "//", 2);
    if (!slashes)
        return false;
    *parts = (struct origin_parts){0};
    if (slashes == text.p) {
        if (!any_scheme)
            return false;
    } else {
        if (slashes[-1] != ':' || slashes - text.p < 2)
            return false;
        parts->scheme =
            (struct http_span){text.p, (size_t)(slashes - text.p - 1)};
    }
    struct http_span authority = {
        slashes + 2, (size_t)(text.p + text.len - slashes - 2)};
    if (!parse_authority(authority, parts))
        return false;
    if (!parts->port)
        parts->port = default_port(parts->scheme);
    return true;
}

static bool parse_entry(struct origin_entry *entry, const char *text,
                        size_t len)
{
    *entry = (struct origin_entry){.text = mem_dup(text, len)};
    struct http_span span = {entry->text, len};
    if (!parse_origin(span, true, &entry->parts))
        return false;
    struct http_span *host = &entry->parts.host;
    if (host->len > 2 && memcmp(host->p, "*.", 2) == 0) {
        entry->wildcard = true;
        host->p += 2;
        host->len -= 2;
    }
    return memchr(host->p, '*', host->len) == NULL;
}

void origin_policy_deinit(struct origin_policy *policy)
{
    for (size_t i = 0; i < policy->count; i++)
        free(policy->entries[i].text);
    free(policy->entries);
    free(policy->hostname);
    *policy = (struct origin_policy){0};
}

static bool parse_list(struct origin_policy *policy, const char *setting)
{
    const char *separators = ", \t";
    const char *at = setting + strspn(setting, separators);
    while (*at) {
        size_t len = strcspn(at, separators);
        policy->entries =
            mem_realloc(policy->entries,
                        (policy->count + 1) * sizeof *policy->entries);
        if (!parse_entry(&policy->entries[policy->count++], at, len))
            return false;
        at += len;
        at += strspn(at, separators);
    }
    return policy->count > 0;
}

bool origin_policy_init(struct origin_policy *policy, const char *setting,
                        const char *hostname)
{
    struct origin_policy made = {.hostname = mem_strdup(hostname)};
    bool ok = true;
    if (strcmp(setting, "false") == 0) {
        made.mode = ORIGIN_ANY;
    } else if (strcmp(setting, "true") == 0) {
        made.mode = ORIGIN_HOST;
        ok = hostname[0] != '\0';
    } else if (strcmp(setting, "conn") == 0) {
        made.mode = ORIGIN_CONN;
    } else {
        made.mode = ORIGIN_LIST;
        ok = parse_list(&made, setting);
    }
    if (!ok) {
        origin_policy_deinit(&made);
        return false;
    }
    *policy = made;
    return true;
}

static bool same_host(struct http_span a, struct http_span b)
{
    return a.len == b.len && strncasecmp(a.p, b.p, a.len) == 0;
}

static bool entry_matches(const struct origin_entry *entry,
                          const struct origin_parts *origin)
{
    const struct origin_parts *want = &entry->parts;
    if (want->scheme.p && !same_host(want->scheme, origin->scheme))
        return false;
    if (want->port && want->port != origin->port)
        return false;
    if (same_host(want->host, origin->host))
        return true;
    if (!entry->wildcard || origin->host.len <= want->host.len)
        return false;
    size_t extra = origin->host.len - want->host.len;
    struct http_span tail = {origin->host.p + extra, want->host.len};
    return origin->host.p[extra - 1] == '.' && same_host(want->host, tail);
}

static bool matches_host_header(const struct origin_parts *origin,
                                struct http_span host)
{
    struct origin_parts own = {0};
    if (!host.p || !parse_authority(host, &own))
        return false;
    long port = own.port ? own.port : default_port(origin->scheme);
    return same_host(own.host, origin->host) && port == origin->port;
}

bool origin_allowed(const struct origin_policy *policy,
                    struct http_span origin, struct http_span host)
{
    struct origin_parts parts;
    if (!origin.p || policy->mode == ORIGIN_ANY)
        return true;
    if (!parse_origin(origin, false, &parts))
        return false;
    switch (policy->mode) {
    case ORIGIN_HOST:
        return http_span_is_nocase(parts.host, policy->hostname);
    case ORIGIN_CONN:
        return matches_host_header(&parts, host);
    case ORIGIN_LIST:
        for (size_t i = 0; i < policy->count; i++)
            if (entry_matches(&policy->entries[i], &parts))
                return true;
        return false;
    case ORIGIN_ANY:
        break;
    }
    return true;
}
