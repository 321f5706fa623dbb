/* SPDX-License-Identifier: MIT */
/* The pages' JSON: see status.h. Must never show a room's name to whoever has
 * no key, or take longer for a key that is nearly right. */
#include "server/status.h"

#include <string.h>
#include <strings.h>

#include <nettle/memops.h>

#include "base/buf.h"
#include "base/counters.h"
#include "room/registry.h"
#include "server/metrics.h"
#include "transport/http_head.h"

enum { KEY_MAX = 256, TEXT_MAX = 256 * 1024 };

static unsigned long long count(const struct metrics_state *state,
                                enum counter_id id)
{
    return (unsigned long long)state->counters->value[id];
}

void status_stats(const struct metrics_state *state, struct buf *out)
{
    buf_printf(out,
               "{\"connections\":%llu,\"rooms\":%llu,\"members\":%llu,"
               "\"uptime_s\":%llu,\"version\":\"%s\"}\n",
               count(state, COUNTER_CONNECTIONS_WS) +
                   count(state, COUNTER_CONNECTIONS_LP),
               count(state, COUNTER_ROOMS), count(state, COUNTER_MEMBERS),
               (unsigned long long)state->uptime_ms / 1000, PACKAGE_VERSION);
}

/* One line of the text format, "name{labels} value", as a JSON member. */
static void put_sample(const char *line, size_t len, bool first,
                       struct buf *out)
{
    const char *space = memrchr(line, ' ', len);
    if (!space || line[0] == '#')
        return;
    buf_puts(out, first ? "\n\"" : ",\n\"");
    buf_put_json_escaped(out, line, (size_t)(space - line));
    buf_puts(out, "\":");
    buf_append(out, space + 1, len - (size_t)(space + 1 - line));
}

/* From the text itself: what is in the one is in the other. */
static void put_samples(const struct metrics_state *state, struct buf *out)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    metrics_render(state, &text);
    size_t before = out->len;
    const char *at = text.data, *end = text.data + text.len, *nl;
    while (at < end && (nl = memchr(at, '\n', (size_t)(end - at)))) {
        put_sample(at, (size_t)(nl - at), out->len == before, out);
        at = nl + 1;
    }
    buf_deinit(&text);
}

static void put_rooms(const struct registry *rooms, struct buf *out)
{
    struct room_survey survey;
    registry_survey(rooms, &survey);
    buf_puts(out, "\"rooms_by_members\":[");
    for (size_t i = 0; i < SURVEY_SIZES - 1; i++)
        buf_printf(out, "[%zu,%zu],", registry_sizes[i], survey.rooms[i]);
    buf_printf(out, "[null,%zu]],\n\"rooms\":[",
               survey.rooms[SURVEY_SIZES - 1]);
    for (size_t i = 0; i < survey.count; i++) {
        buf_puts(out, i ? ",\n{\"topic\":\"" : "\n{\"topic\":\"");
        buf_put_json_escaped(out, survey.largest[i].topic,
                             survey.largest[i].topic_len);
        buf_printf(out, "\",\"members\":%zu,\"document_bytes\":%zu}",
                   survey.largest[i].members,
                   survey.largest[i].document_bytes);
    }
    buf_puts(out, "]");
}

void status_render(const struct metrics_state *state,
                   const struct registry *rooms, struct buf *out)
{
    buf_printf(out, "{\"version\":\"%s\",\"uptime_s\":%.3f,\"samples\":{",
               PACKAGE_VERSION, (double)state->uptime_ms / 1000);
    put_samples(state, out);
    buf_puts(out, "},\n");
    put_rooms(rooms, out);
    buf_puts(out, "}\n");
}

static bool is_key(const char *key, const char *given, size_t len)
{
    return len == strlen(key) && memeql_sec(key, given, len);
}

enum status_access status_access(const char *key, const struct http_head *head)
{
    static const char scheme[] = "Bearer ";
    struct http_span value = http_head_get(head, "authorization");
    struct buf given;
    if (!key[0])
        return STATUS_OFF;
    if (strcmp(key, "public") == 0)
        return STATUS_ALLOWED;
    if (value.p && value.len >= sizeof scheme - 1 &&
        strncasecmp(value.p, scheme, sizeof scheme - 1) == 0)
        return is_key(key, value.p + sizeof scheme - 1,
                      value.len - (sizeof scheme - 1))
                   ? STATUS_ALLOWED
                   : STATUS_REFUSED;
    buf_init(&given, KEY_MAX);
    bool right = head->query.p &&
                 http_query_get(head->query, "key", &given) == 1 &&
                 is_key(key, given.data ? given.data : "", given.len);
    buf_deinit(&given);
    return right ? STATUS_ALLOWED : STATUS_REFUSED;
}
