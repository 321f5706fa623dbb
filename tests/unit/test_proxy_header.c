/* SPDX-License-Identifier: MIT */
/* The PROXY protocol: whole headers, pieces of them, and lies. */
#include <string.h>

#include "suite.h"
#include "transport/proxy_header.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

static struct address found;
static char text[ADDRESS_TEXT_MAX];

/* Reads from a block of its own size, for a sanitizer. */
static int read_bytes(const void *data, size_t len)
{
    uint8_t *block = malloc(len ? len : 1);
    memcpy(block, data, len);
    memset(&found, 0xee, sizeof found);
    int n = proxy_header_read(block, len, &found);
    free(block);
    text[0] = '\0';
    if (n > 0)
        address_text(&found, text);
    else
        for (size_t i = 0; i < sizeof found.bytes; i++)
            ck_assert_uint_eq(found.bytes[i], 0xee); /* untouched */
    return n;
}

static int read_text(const char *line)
{
    return read_bytes(line, strlen(line));
}

START_TEST(version_1)
{
    ck_assert_int_eq(read_text("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443"
                               "\r\nGET / HTTP/1.1\r\n"), 45);
    ck_assert_str_eq(text, "192.0.2.1");
    ck_assert_int_gt(read_text("PROXY TCP6 2001:db8::1 ::1 0 65535\r\n"), 0);
    ck_assert_str_eq(text, "2001:db8::1");
    ck_assert_int_eq(read_text("PROXY UNKNOWN\r\n"), 15);
    ck_assert_str_eq(text, "");
    ck_assert_int_gt(
        read_text("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n"), 0);
    ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(version_1_lies)
{
    static const char *const lines[] = {
        "PROXY TCP4 192.0.2.1 198.51.100.1 56324\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 9\r\n",
        "PROXY TCP4 192.0.2.1  198.51.100.1 56324 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 \r\n",
        "PROXY TCP4 2001:db8::1 ::1 1 2\r\n",
        "PROXY TCP6 192.0.2.1 198.51.100.1 1 2\r\n",
        "PROXY TCP4 192.0.2.1:80 198.51.100.1 1 2\r\n",
        "PROXY TCP6 [2001:db8::1] ::1 1 2\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.1 65536 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.1 -1 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.1 007 443\r\n",
        "PROXY TCP5 192.0.2.1 198.51.100.1 1 2\r\n",
        "PROXY UDP4 192.0.2.1 198.51.100.1 1 2\r\n",
        "PROXY tcp4 192.0.2.1 198.51.100.1 1 2\r\n",
        "PROXY \r\n", "PROXY\r\n", "PROXY UNKNOWNX\r\n", "PROXY TCP4\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.1 1 2\n\r\n\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.1 1 2\rX", "PROXYTCP4 ",
        "proxy TCP4 ", "GET / HTTP/1.1\r\n", "\x16\x03\x01"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        ck_assert_msg(read_text(lines[i]) == PROXY_HEADER_BAD, "%s", lines[i]);
}
END_TEST

START_TEST(version_1_is_waited_for_no_longer_than_it_may_be)
{
    char line[200] = "PROXY UNKNOWN ";
    memset(line + 14, 'x', sizeof line - 14);
    for (size_t len = 0; len < 107; len++)
        ck_assert_int_eq(read_bytes(line, len), PROXY_HEADER_MORE);
    ck_assert_int_eq(read_bytes(line, 107), PROXY_HEADER_BAD);
    memcpy(line + 105, "\r\n", 2);
    ck_assert_int_eq(read_bytes(line, 106), PROXY_HEADER_MORE);
    ck_assert_int_eq(read_bytes(line, 107), 107);
    memcpy(line + 105, "x\r\n", 3);
    ck_assert_int_eq(read_bytes(line, 108), PROXY_HEADER_BAD);
}
END_TEST

static const uint8_t v4[] = SIGNATURE "\x21\x11\x00\x0c"
                            "\xc0\x00\x02\x01\xc6\x33\x64\x01\xdc\x04\x01\xbb"
                            "GET";
static const uint8_t v6[] =
    SIGNATURE "\x21\x21\x00\x24"
              "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"
              "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\xdc\x04\x01\xbb";

START_TEST(version_2)
{
    ck_assert_int_eq(read_bytes(v4, sizeof v4 - 1), 28);
    ck_assert_str_eq(text, "192.0.2.1");
    ck_assert_int_eq(read_bytes(v6, sizeof v6 - 1), 52);
    ck_assert_str_eq(text, "2001:db8::7");
    /* LOCAL: whatever it holds is skipped */
    ck_assert_int_eq(read_bytes(SIGNATURE "\x20\x00\x00\x00", 16), 16);
    ck_assert_str_eq(text, "");
    ck_assert_int_eq(read_bytes(SIGNATURE "\x20\x11\x00\x03xyz", 19), 19);
    ck_assert_str_eq(text, "");
    /* unspecified, and datagrams: no address of ours */
    ck_assert_int_eq(read_bytes(SIGNATURE "\x21\x00\x00\x02hm", 18), 18);
    ck_assert_str_eq(text, "");
    uint8_t udp[sizeof v4];
    memcpy(udp, v4, sizeof v4);
    udp[13] = 0x12;
    ck_assert_int_eq(read_bytes(udp, sizeof udp - 1), 28);
    ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(every_piece_is_waited_for)
{
    for (size_t len = 0; len < 28; len++)
        ck_assert_int_eq(read_bytes(v4, len), PROXY_HEADER_MORE);
    for (size_t len = 0; len < 52; len++)
        ck_assert_int_eq(read_bytes(v6, len), PROXY_HEADER_MORE);
    static const char line[] = "PROXY TCP4 192.0.2.1 198.51.100.1 1 2\r\n";
    for (size_t len = 0; len < strlen(line); len++)
        ck_assert_int_eq(read_bytes(line, len), PROXY_HEADER_MORE);
}
END_TEST

/* v4 with one byte changed */
static int changed(size_t at, uint8_t to)
{
    uint8_t copy[sizeof v4];
    memcpy(copy, v4, sizeof v4);
    copy[at] = to;
    return read_bytes(copy, sizeof v4 - 1);
}

START_TEST(version_2_lies)
{
    ck_assert_int_eq(changed(12, 0x11), PROXY_HEADER_BAD); /* version */
    ck_assert_int_eq(changed(12, 0x31), PROXY_HEADER_BAD);
    ck_assert_int_eq(changed(12, 0x22), PROXY_HEADER_BAD); /* command */
    ck_assert_int_eq(changed(13, 0x41), PROXY_HEADER_BAD); /* family */
    ck_assert_int_eq(changed(13, 0x13), PROXY_HEADER_BAD);
    ck_assert_int_eq(changed(15, 11), PROXY_HEADER_BAD); /* too short for it */
    ck_assert_int_eq(changed(14, 0x10), PROXY_HEADER_BAD); /* 4,108 bytes */
    ck_assert_int_eq(changed(14, 0x0f), PROXY_HEADER_MORE);
    for (size_t at = 0; at < 12; at++)
        ck_assert_int_eq(changed(at, 0x99), PROXY_HEADER_BAD);
}
END_TEST

/* v4 with TLVs behind it */
static int with_tlvs(const char *tlvs, size_t len)
{
    uint8_t all[256];
    memcpy(all, v4, 28);
    memcpy(all + 28, tlvs, len);
    all[15] = (uint8_t)(12 + len);
    return read_bytes(all, 28 + len);
}

START_TEST(tlvs)
{
    ck_assert_int_eq(with_tlvs("\x04\x00\x00", 3), 31);
    ck_assert_int_eq(with_tlvs("\x01\x00\x02h2\x04\x00\x01 ", 9), 37);
    ck_assert_int_eq(with_tlvs("\x01\x00\x03h2", 5), PROXY_HEADER_BAD);
    ck_assert_int_eq(with_tlvs("\x01\xff\xffh2", 5), PROXY_HEADER_BAD);
    ck_assert_int_eq(with_tlvs("\x01\x00", 2), PROXY_HEADER_BAD);
    ck_assert_int_eq(with_tlvs("\x01", 1), PROXY_HEADER_BAD);
    ck_assert_int_eq(with_tlvs("\x03\x00\x03xyz", 6), PROXY_HEADER_BAD);
    ck_assert_int_eq(with_tlvs("\x03\x00\x04\0\0\0\0", 7), PROXY_HEADER_BAD);
}
END_TEST

/* The CRC32c of "123456789" is e3069283 (RFC 3720); this one was computed
 * with another program, over the header with four zeros in its place. */
START_TEST(a_checksum_is_checked)
{
    ck_assert_int_eq(with_tlvs("\x03\x00\x04\x73\x7e\xe9\x19", 7), 35);
    ck_assert_str_eq(text, "192.0.2.1");
    ck_assert_int_eq(with_tlvs("\x03\x00\x04\x73\x7e\xe9\x18", 7),
                     PROXY_HEADER_BAD);
}
END_TEST

SUITE_MAIN("proxy_header", version_1, version_1_lies,
           version_1_is_waited_for_no_longer_than_it_may_be, version_2,
           every_piece_is_waited_for, version_2_lies, tlvs,
           a_checksum_is_checked)
