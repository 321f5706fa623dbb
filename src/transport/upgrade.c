/* SPDX-License-Identifier: MIT */
/* Connect and upgrade decisions: see upgrade.h. Must never log a token. */
#include "transport/upgrade.h"

#include <stdio.h>
#include <string.h>

#include <nettle/base64.h>
#include <nettle/sha1.h>

#include "base/counters.h"
#include "base/log.h"
#include "channel/session.h"
#include "transport/base64.h"
#include "transport/env.h"

enum { KEY_CHARS = 24, KEY_BYTES = 16 };

void connect_params_init(struct connect_params *params)
{
    *params = (struct connect_params){.form = WIRE_WS_V1};
    buf_init(&params->user_id, UPGRADE_USER_ID_MAX);
    buf_init(&params->auth_token, UPGRADE_AUTH_TOKEN_MAX);
}

void connect_params_deinit(struct connect_params *params)
{
    buf_deinit(&params->user_id);
    buf_deinit(&params->auth_token);
}

bool upgrade_path(struct http_span path)
{
    return http_span_is(path, TRANSPORT_MOUNT "/websocket");
}

bool upgrade_wanted(const struct http_head *head)
{
    return http_head_has_token(head, "connection", "upgrade") &&
           http_head_has_token(head, "upgrade", "websocket");
}

static struct http_span first_forwarded(const struct http_head *head)
{
    struct http_span rest = http_head_get(head, "x-forwarded-for");
    struct http_span first = {"", 0};
    if (rest.p)
        http_list_next(&rest, &first);
    return first;
}

static enum connect_refusal refuse(struct transport_env *env,
                                   const struct http_head *head,
                                   const struct address *client,
                                   enum connect_refusal why,
                                   enum counter_id counter, const char *text,
                                   struct http_span detail)
{
    struct http_span forwarded = first_forwarded(head);
    char peer[ADDRESS_TEXT_MAX];
    address_text(client, peer);
    counter_inc(env->counters, counter);
    log_info("connect refused", LOG_Z("reason", text),
             LOG_STR("value", detail.p ? detail.p : "", detail.len),
             LOG_Z("peer", peer),
             LOG_STR("forwarded", forwarded.p, forwarded.len));
    return why;
}

bool connect_origin_ok(struct transport_env *env, const struct http_head *head,
                       const struct address *client)
{
    struct http_span origin = http_head_get(head, "origin");
    if (origin_allowed(&env->origin, origin, http_head_get(head, "host")))
        return true;
    refuse(env, head, client, CONNECT_BAD_ORIGIN, COUNTER_REFUSED_ORIGIN,
           "origin", origin);
    return false;
}

/* 1 or 2, or 0 for a version we do not speak. */
static int wire_version(struct http_span query, struct buf *text)
{
    int found = http_query_get(query, "vsn", text);
    if (found < 0)
        return 0;
    return session_version(found ? (text->data ? text->data : "") : NULL,
                           text->len);
}

static enum connect_refusal check_version(struct transport_env *env,
                                          const struct http_head *head,
                                          bool longpoll,
                                          struct connect_params *out)
{
    struct buf text;
    buf_init(&text, 64);
    int version = wire_version(head->query, &text);
    struct http_span shown = {text.data, text.len};
    enum connect_refusal why = CONNECT_OK;
    if (version == 0)
        why = refuse(env, head, &out->client, CONNECT_BAD_VSN,
                     COUNTER_REFUSED_VSN, "vsn", shown);
    else if (longpoll)
        out->form = version == 2 ? WIRE_LP_V2 : WIRE_LP_V1;
    else
        out->form = version == 2 ? WIRE_WS_V2 : WIRE_WS_V1;
    buf_deinit(&text);
    return why;
}

static enum connect_refusal check_params(struct transport_env *env,
                                         const struct http_head *head,
                                         struct connect_params *out)
{
    int found = http_query_get(head->query, "user_id", &out->user_id);
    if (found < 0)
        return refuse(env, head, &out->client, CONNECT_BAD_PARAMS,
                      COUNTER_REFUSED_PARAMS, "user_id",
                      (struct http_span){NULL, 0});
    out->has_user_id = found == 1;
    return CONNECT_OK;
}

static void check_binary(struct http_span query, struct connect_params *out)
{
    struct buf text;
    buf_init(&text, 16);
    if (http_query_get(query, "lp_binary", &text) == 1 &&
        http_span_is((struct http_span){text.data, text.len}, "base64") &&
        out->form == WIRE_LP_V2)
        out->form = WIRE_LP_V2_B64;
    buf_deinit(&text);
}

/* Sec-WebSocket-Protocol: phoenix, base64url.bearer.phx.<b64> */
static void read_protocols(const struct http_head *head,
                           struct connect_params *out)
{
    static const char prefix[] = "base64url.bearer.phx.";
    size_t prefix_len = sizeof prefix - 1;
    for (size_t i = 0; i < head->count; i++) {
        struct http_span rest = head->headers[i].value, item;
        if (!http_span_is_nocase(head->headers[i].name,
                                 "sec-websocket-protocol"))
            continue;
        while (http_list_next(&rest, &item)) {
            if (http_span_is(item, "phoenix"))
                out->offers_phoenix = true;
            if (out->has_auth_token || item.len <= prefix_len ||
                memcmp(item.p, prefix, prefix_len) != 0)
                continue;
            size_t len = item.len - prefix_len, decoded;
            char *room =
                buf_reserve(&out->auth_token, base64_decoded_max(len));
            if (!room)
                continue;
            if (base64_decode(BASE64_LOOSE, item.p + prefix_len, len,
                              (uint8_t *)room, &decoded)) {
                out->auth_token.len = decoded;
                out->has_auth_token = true;
            }
        }
    }
}

static bool handshake_ok(const struct http_head *head,
                         struct connect_params *out)
{
    uint8_t raw[KEY_CHARS];
    size_t raw_len;
    struct http_span length = http_head_get(head, "content-length");
    out->key = http_head_get(head, "sec-websocket-key");
    if (!http_span_is(head->method, "GET") || head->minor != 1 ||
        !upgrade_wanted(head))
        return false;
    if (http_head_get(head, "transfer-encoding").p ||
        (length.p && !http_span_is(length, "0")))
        return false; /* a body would be read as frames */
    if (!http_span_is(http_head_get(head, "sec-websocket-version"), "13"))
        return false;
    return out->key.len == KEY_CHARS &&
           base64_decode(BASE64_PADDED, out->key.p, out->key.len, raw,
                         &raw_len) &&
           raw_len == KEY_BYTES;
}

/* Last of all: it must be said of nobody whose WebSocket would have been
 * refused for another reason. */
static enum connect_refusal check_flapping(struct transport_env *env,
                                           const struct http_head *head,
                                           struct connect_params *out)
{
    struct flap_traits traits = {head,
                                 out->has_auth_token ? &out->auth_token : NULL,
                                 out->has_user_id ? &out->user_id : NULL,
                                 &out->client};
    out->flapper = flap_identify(env->flap, &traits);
    out->retry_after = flap_refused(env->flap, out->flapper, env_now(env));
    if (out->retry_after)
        return refuse(env, head, &out->client, CONNECT_FLAPPING,
                      COUNTER_REFUSED_FLAPPING, "flapping",
                      (struct http_span){NULL, 0});
    flap_cookie(env->flap, head, out->cookie);
    return CONNECT_OK;
}

enum connect_refusal upgrade_check(struct transport_env *env,
                                   const struct http_head *head,
                                   struct connect_params *out)
{
    if (!handshake_ok(head, out))
        return refuse(env, head, &out->client, CONNECT_BAD_HANDSHAKE,
                      COUNTER_REFUSED_HANDSHAKE, "handshake",
                      (struct http_span){NULL, 0});
    if (!connect_origin_ok(env, head, &out->client))
        return CONNECT_BAD_ORIGIN;
    enum connect_refusal why = check_version(env, head, false, out);
    if (why == CONNECT_OK)
        why = check_params(env, head, out);
    if (why == CONNECT_OK)
        read_protocols(head, out);
    out->forwarded = first_forwarded(head);
    if (why == CONNECT_OK && env->flap)
        why = check_flapping(env, head, out);
    return why;
}

enum connect_refusal connect_check_longpoll(struct transport_env *env,
                                            const struct http_head *head,
                                            struct connect_params *out)
{
    enum connect_refusal why = check_version(env, head, true, out);
    if (why == CONNECT_OK)
        why = check_params(env, head, out);
    if (why != CONNECT_OK)
        return why;
    check_binary(head->query, out);
    out->forwarded = first_forwarded(head);
    struct http_span token = http_head_get(head, "x-phoenix-authtoken");
    if (token.p && buf_append(&out->auth_token, token.p, token.len))
        out->has_auth_token = true;
    return CONNECT_OK;
}

int connect_refusal_status(enum connect_refusal refusal)
{
    if (refusal == CONNECT_FLAPPING)
        return 429;
    return refusal == CONNECT_BAD_HANDSHAKE ? 400 : 403;
}

void upgrade_accept(struct http_span key, char out[UPGRADE_ACCEPT_CHARS + 1])
{
    static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char text[KEY_CHARS + sizeof magic];
    uint8_t digest[SHA1_DIGEST_SIZE];
    struct sha1_ctx sha1;
    int n = snprintf(text, sizeof text, "%.*s%s", KEY_CHARS, key.p, magic);
    sha1_init(&sha1);
    sha1_update(&sha1, (size_t)n, (const uint8_t *)text);
    sha1_digest(&sha1, sizeof digest, digest);
    base64_encode_raw(out, sizeof digest, digest);
    out[UPGRADE_ACCEPT_CHARS] = '\0';
}

size_t upgrade_head(const struct connect_params *params,
                    char out[UPGRADE_HEAD_MAX])
{
    int n = snprintf(out, UPGRADE_HEAD_MAX,
                     "GET " TRANSPORT_MOUNT "/websocket HTTP/1.1\r\n"
                     "Host: roomd\r\n"
                     "Upgrade: websocket\r\n"
                     "Connection: Upgrade\r\n"
                     "Sec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: %.*s\r\n"
                     "%s\r\n",
                     (int)params->key.len, params->key.p,
                     params->offers_phoenix
                         ? "Sec-WebSocket-Protocol: phoenix\r\n"
                         : "");
    return (size_t)n;
}
