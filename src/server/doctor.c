/* SPDX-License-Identifier: MIT */
/* What arrived: see doctor.h. Must never show what the asker did not send. */
#include "server/doctor.h"

#include <time.h>

#include "base/address.h"
#include "base/buf.h"
#include "transport/env.h"
#include "transport/http.h"
#include "transport/http_head.h"

/* What proxies add, change and drop. */
static const char *const shown[] = {
    "host",           "origin",          "user-agent",        "via",
    "forwarded",      "x-forwarded-for", "x-forwarded-proto", "x-real-ip",
    "x-forwarded-by", "connection",      "accept-encoding",   "cache-control",
};

/* A header may hold any byte; JSON may not. */
static void put_text(struct http_span text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = (unsigned char)text.p[i] < 0x80 ? text.p[i] : '?';
        buf_put_json_escaped(out, &c, 1);
    }
}

static void put_headers(const struct http_head *head, struct buf *out)
{
    const char *comma = "";
    buf_puts(out, "\"headers\":{");
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        struct http_span value = http_head_get(head, shown[i]);
        if (!value.p)
            continue;
        buf_printf(out, "%s\"%s\":\"", comma, shown[i]);
        put_text(value, out);
        buf_puts(out, "\"");
        comma = ",";
    }
    buf_puts(out, "}");
}

static unsigned long long unix_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (unsigned long long)now.tv_sec * 1000 +
           (unsigned long long)now.tv_nsec / 1000000;
}

void doctor_render(const struct transport_env *env,
                   const struct http_asker *asker, struct buf *out)
{
    const struct transport_limits *limits = &env->limits;
    char client[ADDRESS_TEXT_MAX], peer[ADDRESS_TEXT_MAX];
    address_text(asker->client, client);
    address_text(asker->peer, peer);
    buf_printf(out,
               "{\"version\":\"%s\",\"now_ms\":%llu,\"draining\":%s,\n"
               "\"client\":\"%s\",\"peer\":\"%s\",\"http\":\"1.%d\",\n",
               PACKAGE_VERSION, unix_ms(), env->draining ? "true" : "false",
               client, peer, asker->head->minor);
    put_headers(asker->head, out);
    buf_printf(out,
               ",\n\"idle_timeout_ms\":%llu,\"longpoll_window_ms\":%llu,"
               "\"frame_bytes\":%zu,\"body_bytes\":%zu,\"head_bytes\":%zu}\n",
               (unsigned long long)limits->idle_ms,
               (unsigned long long)limits->window_ms, limits->frame_bytes,
               limits->body_bytes, limits->head_bytes);
}
