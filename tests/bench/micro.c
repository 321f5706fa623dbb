/* SPDX-License-Identifier: MIT */
/*
 * The inner loops of JSON updates, alone: megabytes of JSON text a second for
 * [ints] -> bytes, bytes -> [ints], and a whole update frame as it comes off
 * the wire (scanned, validated, decoded). Bytes as Yjs updates have them: half
 * text, half small numbers. Prints JSON; times are this thread's CPU time.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "channel/frame.h"
#include "channel/ints.h"

enum { BYTES = 4096, ROUNDS = 5, FRAME_BYTES = 120, FRAME_MAX = 1024 };

static double cpu_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* MB/s of `job`, which handles `text` characters a call: the median. */
static double speed(void (*job)(void), size_t text)
{
    double rounds[ROUNDS];

    for (int r = 0; r < ROUNDS; r++) {
        double began = cpu_s(), took;
        uint64_t calls = 0;
        do {
            for (int i = 0; i < 200; i++)
                job();
            calls += 200;
            took = cpu_s() - began;
        } while (took < 0.1);
        rounds[r] = (double)(calls * text) / took / 1e6;
    }
    qsort(rounds, ROUNDS, sizeof *rounds, by_value);
    return rounds[ROUNDS / 2];
}

static uint8_t bytes[BYTES], out[BYTES * 4];
static char json[BYTES * 4 + 2];
static size_t json_len;
static char text[FRAME_MAX];
static size_t text_len;
static volatile size_t sink;

static void decode(void)
{
    size_t n;

    if (!ints_decode((const uint8_t *)json, json_len, out, &n) || n != BYTES)
        abort();
    sink += out[n / 2];
}

static void encode(void)
{
    size_t n = ints_length(bytes, BYTES);

    ints_write(out, bytes, BYTES);
    sink += out[n / 2];
}

static void frame(void)
{
    struct frame f;
    size_t n;

    if (frame_decode_v2((const uint8_t *)text, text_len, 64, &f) != FRAME_OK ||
        !ints_decode(f.payload + 8, f.payload_len - 9, out, &n) ||
        n != FRAME_BYTES)
        abort();
    sink += out[n / 2];
}

int main(void)
{
    uint32_t state = 1;

    for (size_t i = 0; i < BYTES; i++) {
        state = state * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(state >> 31 ? 'a' + (state >> 16) % 26
                                         : (state >> 16) % 160);
    }
    json[0] = '[';
    size_t n = ints_length(bytes, BYTES);
    ints_write((uint8_t *)json + 1, bytes, BYTES);
    json[1 + n] = ']';
    json_len = n + 2;

    static const char head[] =
        "[\"4\",\"17\",\"room:tasks\",\"update\",{\"data\":[";
    memcpy(text, head, sizeof head - 1);
    text_len = sizeof head - 1;
    n = ints_length(bytes, FRAME_BYTES);
    ints_write((uint8_t *)text + text_len, bytes, FRAME_BYTES);
    memcpy(text + text_len + n, "]}]", 3);
    text_len += n + 3;

    double decoded = speed(decode, json_len);
    double encoded = speed(encode, json_len);
    double framed = speed(frame, text_len);
    printf("{\"decode_mb_s\":%.0f,\"encode_mb_s\":%.0f,\"frame_mb_s\":%.0f,"
           "\"frames_per_cpu_s\":%.0f}\n",
           decoded, encoded, framed, framed * 1e6 / (double)text_len);
    return 0;
}
