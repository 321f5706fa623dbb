/* SPDX-License-Identifier: MIT */
/* Who may see the status, and what the pages are told. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/counters.h"
#include "room/registry.h"
#include "server/metrics.h"
#include "server/status.h"
#include "suite.h"
#include "transport/http_head.h"

static enum status_access ask(const char *key, const char *query,
                              const char *authorization)
{
    char text[512];
    struct http_head head;
    snprintf(text, sizeof text,
             "GET /metrics.json%s HTTP/1.1\r\nHost: x\r\n%s%s%s\r\n", query,
             authorization ? "Authorization: " : "",
             authorization ? authorization : "", authorization ? "\r\n" : "");
    ck_assert_int_eq(http_head_parse(&head, text, strlen(text)), HTTP_HEAD_OK);
    return status_access(key, &head);
}

START_TEST(the_key)
{
    ck_assert_int_eq(ask("", "", NULL), STATUS_OFF);
    ck_assert_int_eq(ask("", "?key=", "Bearer "), STATUS_OFF);
    ck_assert_int_eq(ask("public", "", NULL), STATUS_ALLOWED);
    ck_assert_int_eq(ask("s3cret", "", NULL), STATUS_REFUSED);
    ck_assert_int_eq(ask("s3cret", "", "Bearer s3cret"), STATUS_ALLOWED);
    ck_assert_int_eq(ask("s3cret", "", "bearer s3cret"), STATUS_ALLOWED);
    ck_assert_int_eq(ask("s3cret", "", "Bearer s3cre"), STATUS_REFUSED);
    ck_assert_int_eq(ask("s3cret", "", "Bearer s3crets"), STATUS_REFUSED);
    ck_assert_int_eq(ask("s3cret", "", "Basic s3cret"), STATUS_REFUSED);
    ck_assert_int_eq(ask("s3cret", "?key=s3cret", NULL), STATUS_ALLOWED);
    ck_assert_int_eq(ask("s3cret", "?key=s3%63ret&x=1", NULL),
                     STATUS_ALLOWED);
    ck_assert_int_eq(ask("s3cret", "?key=", NULL), STATUS_REFUSED);
    ck_assert_int_eq(ask("s3cret", "?key=%zz", NULL), STATUS_REFUSED);
}
END_TEST

START_TEST(the_numbers)
{
    struct counters counters = {{0}};
    struct lag_histogram lag = {{0}, 0};
    struct registry_options options = {.counters = &counters};
    struct metrics_state state = {
        .counters = &counters, .lag = &lag, .uptime_ms = 61500};
    struct buf out, text;
    buf_init(&out, 1 << 20);
    buf_init(&text, 1 << 20);
    room_limits_default(&options.limits);
    struct registry *registry = registry_new(&options);
    counter_add(&counters, COUNTER_CONNECTIONS_WS, 2);
    counter_add(&counters, COUNTER_CONNECTIONS_LP, 3);
    status_stats(&state, &out);
    buf_putc(&out, '\0');
    ck_assert_ptr_nonnull(strstr(out.data, "\"connections\":5,"));
    ck_assert_ptr_nonnull(strstr(out.data, "\"uptime_s\":61,"));
    buf_reset(&out);
    status_render(&state, registry, &out);
    buf_putc(&out, '\0');
    ck_assert_ptr_nonnull(strstr(
        out.data, "\"roomd_connections{transport=\\\"websocket\\\"}\":2,\n"));
    ck_assert_ptr_nonnull(strstr(out.data, "\"rooms\":[]}"));
    /* As many samples as the text has lines that are none of comment. */
    metrics_render(&state, &text);
    buf_putc(&text, '\0');
    size_t lines = 0, members = 0;
    for (const char *at = text.data; *at; at = strchr(at, '\n') + 1)
        lines += *at != '#';
    for (const char *at = out.data; (at = strstr(at, "\n\"")); at++)
        members++;
    ck_assert_uint_eq(members, lines + 2); /* and two lists of rooms */
    buf_deinit(&out);
    buf_deinit(&text);
    registry_free(registry);
}
END_TEST

SUITE_MAIN("status", the_key, the_numbers)
