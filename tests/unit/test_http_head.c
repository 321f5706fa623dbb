/* SPDX-License-Identifier: MIT */
/* Request heads: what is understood, and what is refused because two readers
 * could understand it in two ways. */
#include <string.h>

#include "base/buf.h"
#include "suite.h"
#include "transport/http_head.h"

/* In a block of its own size, so that a sanitizer sees a read past the end. */
static char *block;

static int parse_bytes(struct http_head *head, const char *text, size_t len)
{
    free(block);
    block = malloc(len ? len : 1);
    memcpy(block, text, len);
    return http_head_parse(head, block, len);
}

static int parse(struct http_head *head, const char *text)
{
    return parse_bytes(head, text, strlen(text));
}

static void forget(void)
{
    free(block);
    block = NULL;
}

START_TEST(takes_a_request_apart)
{
    struct http_head head;
    ck_assert_int_eq(
        parse(&head, "GET /socket/websocket?vsn=2.0.0&a=%20 HTTP/1.1\r\n"
                     "Host: example.com\r\n"
                     "X-Empty:\r\n"
                     "UPGRADE:  websocket \t\r\n"
                     "Connection: keep-alive, Upgrade\r\n\r\n"),
        HTTP_HEAD_OK);
    ck_assert(http_span_is(head.method, "GET"));
    ck_assert(http_span_is(head.path, "/socket/websocket"));
    ck_assert(http_span_is(head.query, "vsn=2.0.0&a=%20"));
    ck_assert_int_eq(head.minor, 1);
    ck_assert_uint_eq(head.count, 4);
    ck_assert(http_span_is(http_head_get(&head, "upgrade"), "websocket"));
    ck_assert(http_span_is(http_head_get(&head, "x-empty"), ""));
    ck_assert_ptr_null(http_head_get(&head, "x-absent").p);
    ck_assert(http_head_has_token(&head, "connection", "upgrade"));
    ck_assert(!http_head_has_token(&head, "connection", "grade"));
    forget();
}
END_TEST

START_TEST(finds_the_end_however_it_arrives)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\nbody";
    size_t want = strlen(text) - 4;
    for (size_t step = 1; step < sizeof text; step++) {
        size_t seen = 0, end = 0;
        for (size_t have = step; !end; have += step) {
            if (have > strlen(text))
                have = strlen(text);
            end = http_head_end(text, have, seen);
            seen = have;
        }
        ck_assert_uint_eq(end, want);
    }
    ck_assert_uint_eq(http_head_end(text, want - 1, 0), HTTP_HEAD_NO_END);
    ck_assert_uint_eq(http_head_end("", 0, 0), HTTP_HEAD_NO_END);
}
END_TEST

START_TEST(targets)
{
    struct http_head head;
    ck_assert_int_eq(parse(&head, "GET http://a.example:80/p?q HTTP/1.1\r\n"
                                  "Host: a\r\n\r\n"),
                     0);
    ck_assert(http_span_is(head.path, "/p"));
    ck_assert(http_span_is(head.query, "q"));
    ck_assert_int_eq(parse(&head, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
    ck_assert(http_span_is(head.path, "*"));
    ck_assert_int_eq(parse(&head, "GET /p? HTTP/1.0\r\n\r\n"), 0);
    ck_assert_ptr_nonnull(head.query.p);
    ck_assert_uint_eq(head.query.len, 0);
    ck_assert_int_eq(parse(&head, "GET /p HTTP/1.0\r\n\r\n"), 0);
    ck_assert_ptr_null(head.query.p);
    forget();
}
END_TEST

START_TEST(refuses_what_can_be_read_in_two_ways)
{
    static const char *const bad[] = {
        "\r\n\r\n",
        "GET\r\n\r\n",
        "GET /\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
        " GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET p HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://a HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /#f HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /\xc3\xbc HTTP/1.1\r\nHost: a\r\n\r\n",
        "G\tT / HTTP/1.1\r\nHost: a\r\n\r\n",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / http/1.1\r\nHost: a\r\n\r\n",
        /* headers */
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\tfolded: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nnocolon\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n: empty name\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\x01\r\n\r\n",
        "GET / HTTP/1.1\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n",
        /* hosts, lengths, codings */
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
        "Content-Length: 1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\n"
        "Content-Length: 99999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
        "Transfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n"
        "\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
        "Transfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \vchunked\r\n\r\n",
        /* something behind the end */
        "GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n",
    };
    struct http_head head;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(parse(&head, bad[i]) == HTTP_HEAD_BAD, "%s", bad[i]);
    ck_assert_int_eq(parse_bytes(&head, "GET /\0 HTTP/1.0\r\n\r\n", 19),
                     HTTP_HEAD_BAD);
    ck_assert_int_eq(parse(&head, "GET / HTTP/2.0\r\n\r\n"),
                     HTTP_HEAD_VERSION);
    ck_assert_int_eq(parse(&head, "GET / HTTP/1.2\r\n\r\n"),
                     HTTP_HEAD_VERSION);
    forget();
}
END_TEST

START_TEST(every_truncation_is_refused)
{
    static const char text[] =
        "POST /a?b=c HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
    struct http_head head;
    for (size_t len = 0; len < strlen(text); len++)
        ck_assert_int_ne(parse_bytes(&head, text, len), HTTP_HEAD_OK);
    ck_assert_int_eq(parse(&head, text), HTTP_HEAD_OK);
    forget();
}
END_TEST

START_TEST(header_count_is_bounded)
{
    struct http_head head;
    struct buf text;
    for (int n = HTTP_HEADERS_MAX - 1; n <= HTTP_HEADERS_MAX + 1; n++) {
        buf_init(&text, 1 << 20);
        buf_puts(&text, "GET / HTTP/1.1\r\n");
        for (int i = 1; i < n; i++)
            buf_puts(&text, "a:b\r\n");
        buf_puts(&text, "Host: x\r\n\r\n");
        ck_assert_int_eq(parse_bytes(&head, text.data, text.len),
                         n <= HTTP_HEADERS_MAX ? HTTP_HEAD_OK
                                               : HTTP_HEAD_LARGE);
        buf_deinit(&text);
    }
    forget();
}
END_TEST

/* What is asked of a head that another reader has read. */
START_TEST(plain_sizes_and_characters)
{
    static const char plain[] =
        "GET /a?b HTTP/1.1\r\nHost: x\r\nX-Y: z z\r\n\r\n";
    struct http_head head;
    ck_assert_int_eq(parse(&head, plain), HTTP_HEAD_OK);
    ck_assert_uint_eq(http_head_plain_size(&head), strlen(plain));
    ck_assert_int_eq(http_head_charset(&head), HTTP_HEAD_OK);
    head.headers[1].name = (struct http_span){"X-Y ", 4};
    ck_assert_int_eq(http_head_charset(&head), HTTP_HEAD_BAD);
    head.headers[1] = (struct http_header){{"X", 1}, {"a\0b", 3}};
    ck_assert_int_eq(http_head_charset(&head), HTTP_HEAD_BAD);
    head.headers[1].value = (struct http_span){"a\nb", 3};
    ck_assert_int_eq(http_head_charset(&head), HTTP_HEAD_BAD);
    forget();
}
END_TEST

static int query(const char *text, const char *name, const char *want)
{
    struct buf out;
    struct http_span span = {text, text ? strlen(text) : 0};
    buf_init(&out, 16);
    int found = http_query_get(span, name, &out);
    if (found == 1)
        ck_assert_msg(out.len == strlen(want) &&
                          (!out.len || !memcmp(out.data, want, out.len)),
                      "%s in %s", name, text);
    buf_deinit(&out);
    return found;
}

START_TEST(query_parameters)
{
    ck_assert_int_eq(query("vsn=2.0.0", "vsn", "2.0.0"), 1);
    ck_assert_int_eq(query("a=1&vsn=1&vsn=2", "vsn", "2"), 1);
    ck_assert_int_eq(query("vsn", "vsn", ""), 1);
    ck_assert_int_eq(query("vsn=", "vsn", ""), 1);
    ck_assert_int_eq(query("vsn=a=b", "vsn", "a=b"), 1);
    ck_assert_int_eq(query("%76s%6E=1", "vsn", "1"), 1);
    ck_assert_int_eq(query("user_id=a+b%2B%c3%bc", "user_id", "a b+\xc3\xbc"),
                     1);
    ck_assert_int_eq(query("&&=&vsn=x&", "vsn", "x"), 1);
    ck_assert_int_eq(query("vsn2=x&xvsn=y", "vsn", ""), 0);
    ck_assert_int_eq(query("", "vsn", ""), 0);
    ck_assert_int_eq(query(NULL, "vsn", ""), 0);
    ck_assert_int_eq(query("vsn=%", "vsn", ""), -1);
    ck_assert_int_eq(query("vsn=%2", "vsn", ""), -1);
    ck_assert_int_eq(query("vsn=%2g", "vsn", ""), -1);
    ck_assert_int_eq(query("vsn=12345678901234567", "vsn", ""), -1);
}
END_TEST

START_TEST(comma_lists)
{
    struct http_span rest = {" a, ,b ;q=0,,\tc\t", 16}, item;
    ck_assert(http_list_next(&rest, &item) && http_span_is(item, "a"));
    ck_assert(http_list_next(&rest, &item) && http_span_is(item, "b ;q=0"));
    ck_assert(http_list_next(&rest, &item) && http_span_is(item, "c"));
    ck_assert(!http_list_next(&rest, &item));
}
END_TEST

SUITE_MAIN("http_head", takes_a_request_apart,
           finds_the_end_however_it_arrives, targets,
           refuses_what_can_be_read_in_two_ways, every_truncation_is_refused,
           header_count_is_bounded, plain_sizes_and_characters,
           query_parameters, comma_lists)
