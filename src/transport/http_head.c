/* SPDX-License-Identifier: MIT */
/* HTTP request heads: see http_head.h. Must never read behind `len`, allocate
 * for a head, or let a shape pass that the libraries behind could read in
 * another way than we do. */
#include "transport/http_head.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"

static bool is_token_char(unsigned char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
        (c >= '0' && c <= '9'))
        return true;
    return c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static bool all_token(struct http_span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_token_char((unsigned char)s.p[i]))
            return false;
    return s.len > 0;
}

static bool all_digits(struct http_span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.len > 0 && s.len <= 18; /* fits an int64 */
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static struct http_span trim(struct http_span s)
{
    while (s.len && is_space(*s.p)) {
        s.p++;
        s.len--;
    }
    while (s.len && is_space(s.p[s.len - 1]))
        s.len--;
    return s;
}

bool http_span_is(struct http_span span, const char *text)
{
    return span.p && span.len == strlen(text) &&
           memcmp(span.p, text, span.len) == 0;
}

bool http_span_is_nocase(struct http_span span, const char *text)
{
    return span.p && span.len == strlen(text) &&
           strncasecmp(span.p, text, span.len) == 0;
}

size_t http_head_end(const char *buf, size_t len, size_t seen)
{
    size_t from = seen > 3 ? seen - 3 : 0;
    if (len < 4 || from >= len)
        return HTTP_HEAD_NO_END;
    const char *at = memmem(buf + from, len - from, "\r\n\r\n", 4);
    return at ? (size_t)(at - buf) + 4 : HTTP_HEAD_NO_END;
}

bool http_target_split(struct http_span target, struct http_span *path,
                       struct http_span *query)
{
    const char *p = target.p, *end = target.p + target.len;
    bool absolute = false;
    if (http_span_is(target, "*")) {
        *path = target;
        *query = (struct http_span){NULL, 0};
        return true;
    }
    if (target.len >= 7 && strncasecmp(p, "http://", 7) == 0) {
        p += 7;
        absolute = true;
    } else if (target.len >= 8 && strncasecmp(p, "https://", 8) == 0) {
        p += 8;
        absolute = true;
    }
    if (absolute) /* RFC 9112 3.2.2: proxies may send it; the host is moot */
        while (p < end && *p != '/' && *p != '?')
            p++;
    if (p == end || *p != '/')
        return false;
    const char *mark = memchr(p, '?', (size_t)(end - p));
    const char *path_end = mark ? mark : end;
    *path = (struct http_span){p, (size_t)(path_end - p)};
    *query = mark ? (struct http_span){mark + 1, (size_t)(end - mark - 1)}
                  : (struct http_span){NULL, 0};
    return true;
}

/* METHOD SP TARGET SP HTTP/1.x, nothing else. */
static int parse_request_line(struct http_head *head, struct http_span line)
{
    const char *end = line.p + line.len;
    const char *sp1 = memchr(line.p, ' ', line.len);
    if (!sp1)
        return HTTP_HEAD_BAD;
    const char *sp2 = memchr(sp1 + 1, ' ', (size_t)(end - sp1 - 1));
    if (!sp2)
        return HTTP_HEAD_BAD;
    head->method = (struct http_span){line.p, (size_t)(sp1 - line.p)};
    head->target = (struct http_span){sp1 + 1, (size_t)(sp2 - sp1 - 1)};
    struct http_span version = {sp2 + 1, (size_t)(end - sp2 - 1)};
    if (!all_token(head->method) || head->method.len > HTTP_METHOD_MAX)
        return HTTP_HEAD_BAD;
    for (size_t i = 0; i < head->target.len; i++) {
        unsigned char c = (unsigned char)head->target.p[i];
        if (c <= 0x20 || c >= 0x7f || c == '#')
            return HTTP_HEAD_BAD;
    }
    if (!http_target_split(head->target, &head->path, &head->query))
        return HTTP_HEAD_BAD;
    if (version.len != 8 || memcmp(version.p, "HTTP/", 5) != 0)
        return HTTP_HEAD_BAD;
    if (version.p[5] != '1' || version.p[6] != '.')
        return HTTP_HEAD_VERSION;
    if (version.p[7] != '0' && version.p[7] != '1')
        return HTTP_HEAD_VERSION;
    head->minor = version.p[7] - '0';
    return HTTP_HEAD_OK;
}

static int check_header(const struct http_header *header)
{
    if (!all_token(header->name))
        return HTTP_HEAD_BAD;
    for (size_t i = 0; i < header->value.len; i++) {
        unsigned char c = (unsigned char)header->value.p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return HTTP_HEAD_BAD;
    }
    return HTTP_HEAD_OK;
}

static int parse_header_line(struct http_header *header, struct http_span line)
{
    const char *colon = memchr(line.p, ':', line.len);
    if (!colon) /* also catches folded lines: a name cannot hold a space */
        return HTTP_HEAD_BAD;
    header->name = (struct http_span){line.p, (size_t)(colon - line.p)};
    header->value = trim((struct http_span){
        colon + 1, (size_t)(line.p + line.len - colon - 1)});
    return check_header(header);
}

int http_head_charset(const struct http_head *head)
{
    if (!all_token(head->method))
        return HTTP_HEAD_BAD;
    for (size_t i = 0; i < head->count; i++)
        if (check_header(&head->headers[i]) != HTTP_HEAD_OK)
            return HTTP_HEAD_BAD;
    return HTTP_HEAD_OK;
}

size_t http_head_plain_size(const struct http_head *head)
{
    size_t size = head->method.len + head->target.len +
                  strlen("  HTTP/1.1\r\n\r\n");
    for (size_t i = 0; i < head->count; i++)
        size += head->headers[i].name.len + head->headers[i].value.len +
                strlen(": \r\n");
    return size;
}

static size_t count_headers(const struct http_head *head, const char *name)
{
    size_t n = 0;
    for (size_t i = 0; i < head->count; i++)
        n += http_span_is_nocase(head->headers[i].name, name);
    return n;
}

/* The shapes of request smuggling (RFC 9112 6.3, 11.2; RFC 9110 7.2). */
int http_head_framing(const struct http_head *head)
{
    size_t lengths = count_headers(head, "content-length");
    size_t codings = count_headers(head, "transfer-encoding");
    size_t hosts = count_headers(head, "host");
    if (hosts > 1 || (head->minor == 1 && hosts == 0))
        return HTTP_HEAD_BAD;
    if (lengths > 1 || codings > 1 || (lengths && codings))
        return HTTP_HEAD_BAD;
    if (lengths && !all_digits(http_head_get(head, "content-length")))
        return HTTP_HEAD_BAD;
    if (codings &&
        (head->minor == 0 ||
         !http_span_is_nocase(http_head_get(head, "transfer-encoding"),
                              "chunked")))
        return HTTP_HEAD_BAD;
    return HTTP_HEAD_OK;
}

/* One line up to CRLF; a CR or LF by itself is refused. */
static bool take_line(const char **at, const char *end, struct http_span *out)
{
    const char *lf = memchr(*at, '\n', (size_t)(end - *at));
    if (!lf || lf == *at || lf[-1] != '\r')
        return false;
    *out = (struct http_span){*at, (size_t)(lf - 1 - *at)};
    *at = lf + 1;
    return memchr(out->p, '\r', out->len) == NULL;
}

int http_head_parse(struct http_head *head, const char *buf, size_t len)
{
    const char *at = buf, *end = buf + len;
    struct http_span line;
    head->count = 0;
    if (!take_line(&at, end, &line))
        return HTTP_HEAD_BAD;
    int err = parse_request_line(head, line);
    while (!err) {
        if (!take_line(&at, end, &line))
            return HTTP_HEAD_BAD;
        if (line.len == 0)
            break;
        if (head->count == HTTP_HEADERS_MAX)
            return HTTP_HEAD_LARGE;
        err = parse_header_line(&head->headers[head->count], line);
        head->count++;
    }
    if (err)
        return err;
    return at == end ? http_head_framing(head) : HTTP_HEAD_BAD;
}

struct http_span http_head_get(const struct http_head *head, const char *name)
{
    for (size_t i = 0; i < head->count; i++)
        if (http_span_is_nocase(head->headers[i].name, name))
            return head->headers[i].value;
    return (struct http_span){NULL, 0};
}

bool http_list_next(struct http_span *rest, struct http_span *out)
{
    while (rest->len) {
        const char *comma = memchr(rest->p, ',', rest->len);
        size_t n = comma ? (size_t)(comma - rest->p) : rest->len;
        *out = trim((struct http_span){rest->p, n});
        size_t used = comma ? n + 1 : n;
        rest->p += used;
        rest->len -= used;
        if (out->len)
            return true;
    }
    return false;
}

bool http_head_has_token(const struct http_head *head, const char *name,
                         const char *token)
{
    for (size_t i = 0; i < head->count; i++) {
        struct http_span rest = head->headers[i].value, element;
        if (!http_span_is_nocase(head->headers[i].name, name))
            continue;
        while (http_list_next(&rest, &element))
            if (http_span_is_nocase(element, token))
                return true;
    }
    return false;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool http_percent_decode(struct http_span src, bool plus_is_space,
                         struct buf *out)
{
    for (size_t i = 0; i < src.len; i++) {
        size_t from = i;
        while (i < src.len && src.p[i] != '%' && src.p[i] != '+')
            i++;
        if (i > from)
            buf_append(out, src.p + from, i - from);
        if (i == src.len)
            break;
        char c = src.p[i];
        if (c == '+' && plus_is_space)
            c = ' ';
        if (c == '%') {
            if (src.len - i < 3)
                return false;
            int high = hex_digit(src.p[i + 1]), low = hex_digit(src.p[i + 2]);
            if (high < 0 || low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        }
        buf_putc(out, c);
    }
    return !out->overflow;
}

/* Does the still encoded `key` spell `name`? */
static bool key_is(struct http_span key, const char *name)
{
    struct buf decoded;
    size_t len = strlen(name);
    if (key.len == len && memcmp(key.p, name, len) == 0)
        return true; /* names have neither '%' nor '+' */
    if (key.len > 3 * len || !memchr(key.p, '%', key.len))
        return false; /* it could only spell it with escapes */
    buf_init(&decoded, 64);
    bool same = http_percent_decode(key, true, &decoded) &&
                decoded.len == len && memcmp(decoded.data, name, len) == 0;
    buf_deinit(&decoded);
    return same;
}

int http_query_get(struct http_span query, const char *name, struct buf *out)
{
    struct http_span found = {NULL, 0};
    const char *at = query.p, *end = query.p ? query.p + query.len : NULL;
    while (at && at < end) {
        const char *amp = memchr(at, '&', (size_t)(end - at));
        const char *stop = amp ? amp : end;
        const char *eq = memchr(at, '=', (size_t)(stop - at));
        struct http_span key = {at, (size_t)((eq ? eq : stop) - at)};
        if (key.len && key_is(key, name))
            found = (struct http_span){eq ? eq + 1 : stop,
                                       eq ? (size_t)(stop - eq - 1) : 0};
        at = stop + 1;
    }
    if (!found.p)
        return 0;
    return http_percent_decode(found, true, out) ? 1 : -1;
}

/* "q=0", "q=0.0" and so on: not wanted. */
static bool refused_by_weight(struct http_span element)
{
    const char *q = memchr(element.p, ';', element.len);
    if (!q)
        return false;
    const char *end = element.p + element.len;
    for (q++; q < end && (*q == ' ' || *q == '\t'); q++)
        ;
    if (end - q < 3 || (q[0] != 'q' && q[0] != 'Q') || q[1] != '=')
        return false;
    for (q += 2; q < end; q++)
        if (*q != '0' && *q != '.')
            return false;
    return true;
}

bool http_coding_accepted(struct http_span accept_encoding, const char *coding)
{
    struct http_span rest = accept_encoding, element;
    bool others = false;
    while (rest.p && http_list_next(&rest, &element)) {
        size_t len = 0;
        while (len < element.len && element.p[len] != ';' &&
               element.p[len] != ' ' && element.p[len] != '\t')
            len++;
        struct http_span name = {element.p, len};
        if (http_span_is_nocase(name, coding))
            return !refused_by_weight(element);
        if (http_span_is(name, "*"))
            others = !refused_by_weight(element);
    }
    return others;
}
