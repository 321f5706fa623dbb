/* SPDX-License-Identifier: MIT */
/* Connecting: handshakes, versions, parameters, tokens, and the head that
 * libwebsockets is given. */
#include <string.h>

#include "base/counters.h"
#include "base/log.h"
#include "suite.h"
#include "transport/env.h"
#include "transport/gzip.h"
#include "transport/upgrade.h"

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define TOP(path) "GET " path " HTTP/1.1\r\nHost: a.example\r\n"
#define WS                                                                     \
    "Upgrade: websocket\r\nConnection: Upgrade\r\n"                            \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " KEY "\r\n"
#define PATH "/socket/websocket?vsn=2.0.0"

static struct counters counters;
static struct transport_env env;

static enum connect_refusal check(const char *text, struct connect_params *out)
{
    struct http_head head;
    log_set_fd(-1);
    env.counters = &counters;
    env.origin.mode = ORIGIN_CONN;
    connect_params_init(out);
    ck_assert_msg(http_head_parse(&head, text, strlen(text)) == 0, "%s", text);
    return upgrade_check(&env, &head, out);
}

static enum connect_refusal refused(const char *text)
{
    struct connect_params params;
    enum connect_refusal why = check(text, &params);
    connect_params_deinit(&params);
    return why;
}

START_TEST(a_good_handshake)
{
    struct connect_params params;
    char accept[UPGRADE_ACCEPT_CHARS + 1], head[UPGRADE_HEAD_MAX];
    ck_assert_int_eq(check(TOP(PATH "&user_id=J%C3%BCrgen+1") WS
                           "Origin: http://a.example\r\n\r\n",
                           &params),
                     CONNECT_OK);
    ck_assert_int_eq(params.form, WIRE_WS_V2);
    ck_assert(params.has_user_id && !params.has_auth_token);
    ck_assert_uint_eq(params.user_id.len, 9);
    ck_assert_mem_eq(params.user_id.data, "J\xc3\xbcrgen 1", 9);
    upgrade_accept(params.key, accept); /* RFC 6455, 1.3 */
    ck_assert_str_eq(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    size_t len = upgrade_head(&params, head);
    struct http_head again;
    ck_assert_int_eq(http_head_parse(&again, head, len), HTTP_HEAD_OK);
    ck_assert(upgrade_wanted(&again) && upgrade_path(again.path));
    ck_assert_ptr_null(http_head_get(&again, "sec-websocket-protocol").p);
    connect_params_deinit(&params);
    ck_assert_int_eq(check(TOP("/socket/websocket") WS "\r\n", &params),
                     CONNECT_OK);
    ck_assert_int_eq(params.form, WIRE_WS_V1);
    ck_assert(!params.has_user_id);
    connect_params_deinit(&params);
}
END_TEST

START_TEST(handshakes_that_are_none)
{
    static const char *const bad[] = {
        TOP(PATH) "\r\n",
        TOP(PATH) "Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
        "POST " PATH " HTTP/1.1\r\nHost: a\r\n" WS "\r\n",
        "GET " PATH " HTTP/1.0\r\nHost: a\r\n" WS "\r\n",
        TOP(PATH) WS "Content-Length: 5\r\n\r\n",
        TOP(PATH) WS "Transfer-Encoding: chunked\r\n\r\n",
        TOP(PATH) "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: " KEY
                  "\r\n\r\n",
        TOP(PATH) "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Version: 13\r\n\r\n",
        TOP(PATH) "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Version: 13\r\n"
                  "Sec-WebSocket-Key: short\r\n\r\n",
        TOP(PATH) "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Version: 13\r\n"
                  "Sec-WebSocket-Key: !!!!IHNhbXBsZSBub25jZQ==\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(refused(bad[i]) == CONNECT_BAD_HANDSHAKE, "%s", bad[i]);
    ck_assert_int_eq(connect_refusal_status(CONNECT_BAD_HANDSHAKE), 400);
}
END_TEST

START_TEST(origins_versions_and_parameters)
{
    ck_assert_int_eq(refused(TOP(PATH) WS "Origin: http://b.example\r\n\r\n"),
                     CONNECT_BAD_ORIGIN);
    ck_assert_int_eq(refused(TOP("/socket/websocket?vsn=3.0.0") WS "\r\n"),
                     CONNECT_BAD_VSN);
    ck_assert_int_eq(refused(TOP("/socket/websocket?vsn=") WS "\r\n"),
                     CONNECT_BAD_VSN);
    ck_assert_int_eq(refused(TOP("/socket/websocket?vsn=%zz") WS "\r\n"),
                     CONNECT_BAD_VSN);
    ck_assert_int_eq(refused(TOP(PATH "&user_id=%") WS "\r\n"),
                     CONNECT_BAD_PARAMS);
    ck_assert_int_eq(connect_refusal_status(CONNECT_BAD_ORIGIN), 403);
    ck_assert_int_eq(connect_refusal_status(CONNECT_BAD_VSN), 403);
}
END_TEST

START_TEST(the_auth_token_of_phoenix)
{
    struct connect_params params;
    char head[UPGRADE_HEAD_MAX];
    ck_assert_int_eq(
        check(TOP(PATH) WS "Sec-WebSocket-Protocol: phoenix, "
                           "base64url.bearer.phx.c2VjcmV0Kw\r\n\r\n",
              &params),
        CONNECT_OK);
    ck_assert(params.offers_phoenix && params.has_auth_token);
    ck_assert_uint_eq(params.auth_token.len, 7);
    ck_assert_mem_eq(params.auth_token.data, "secret+", 7);
    size_t len = upgrade_head(&params, head);
    ck_assert_ptr_nonnull(
        memmem(head, len, "Sec-WebSocket-Protocol: phoenix\r\n", 33));
    ck_assert_ptr_null(memmem(head, len, "bearer", 6));
    connect_params_deinit(&params);
    /* not base64: no token, but no refusal either */
    ck_assert_int_eq(
        check(TOP(PATH) WS "Sec-WebSocket-Protocol: x, "
                           "base64url.bearer.phx.***\r\n\r\n",
              &params),
        CONNECT_OK);
    ck_assert(!params.offers_phoenix && !params.has_auth_token);
    connect_params_deinit(&params);
}
END_TEST

START_TEST(longpoll_connects)
{
    struct connect_params params;
    struct http_head head = {.count = 1};
    const char *query = "vsn=2.0.0&lp_binary=base64";
    head.query = (struct http_span){query, strlen(query)};
    head.headers[0] =
        (struct http_header){{"X-Phoenix-AuthToken", 19}, {"t0k", 3}};
    env.counters = &counters;
    connect_params_init(&params);
    ck_assert_int_eq(connect_check_longpoll(&env, &head, &params), CONNECT_OK);
    ck_assert_int_eq(params.form, WIRE_LP_V2_B64);
    ck_assert(params.has_auth_token);
    ck_assert_mem_eq(params.auth_token.data, "t0k", 3);
    connect_params_deinit(&params);
    static const struct {
        const char *query;
        enum wire_form form;
    } forms[] = {{"vsn=2.0.0", WIRE_LP_V2},
                 {"vsn=1.0.0&lp_binary=base64", WIRE_LP_V1},
                 {"vsn=2.0.0&lp_binary=hex", WIRE_LP_V2},
                 {"", WIRE_LP_V1}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        head.query =
            (struct http_span){forms[i].query, strlen(forms[i].query)};
        connect_params_init(&params);
        ck_assert_int_eq(connect_check_longpoll(&env, &head, &params),
                         CONNECT_OK);
        ck_assert_int_eq(params.form, forms[i].form);
        connect_params_deinit(&params);
    }
}
END_TEST

static bool gzip_ok(const char *value)
{
    return gzip_accepted(
        (struct http_span){value, value ? strlen(value) : 0});
}

START_TEST(accept_encoding)
{
    ck_assert(gzip_ok("gzip"));
    ck_assert(gzip_ok("deflate, GZIP;q=0.5, br"));
    ck_assert(gzip_ok("*"));
    ck_assert(gzip_ok("gzip ; q=1.0"));
    ck_assert(!gzip_ok(NULL));
    ck_assert(!gzip_ok(""));
    ck_assert(!gzip_ok("identity"));
    ck_assert(!gzip_ok("gzip;q=0"));
    ck_assert(!gzip_ok("gzip; q=0.000"));
    ck_assert(!gzip_ok("xgzip"));
}
END_TEST

SUITE_MAIN("upgrade", a_good_handshake, handshakes_that_are_none,
           origins_versions_and_parameters, the_auth_token_of_phoenix,
           longpoll_connects, accept_encoding)
