/* SPDX-License-Identifier: MIT */
/*
 * What the directives of a golden vector share (test_vectors.c): where in its
 * file a script is and what it has made, words and bytes of a line, and calls
 * that are made again until memory suffices.
 */
#ifndef TESTS_UNIT_VECTOR_SCRIPT_H
#define TESTS_UNIT_VECTOR_SCRIPT_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../diff/calls.h"
#include "fail_alloc.h"

#include "yjs.h"
#include "yjs/doc.h"

/* ---------------------------------------------------------------- a script */

struct script {
    const char *file;
    int line;
    struct fail_alloc fa; /* of all that the script makes */
    yjs_doc *doc;
    yjs_awareness *aw;
    struct told told; /* by a document that is edited */
    size_t told_at;
};

#define FAIL(s, ...)                                                           \
    do {                                                                       \
        fprintf(stderr, "%s:%d: ", (s)->file, (s)->line);                      \
        fprintf(stderr, __VA_ARGS__);                                          \
        fputc('\n', stderr);                                                   \
        ck_abort_msg("%s:%d", (s)->file, (s)->line);                           \
    } while (0)

struct blob {
    uint8_t *data;
    size_t len;
};

static char *next_word(char **rest)
{
    char *word = *rest;
    char *space;

    if (word == NULL)
        return NULL;
    space = strchr(word, ' ');
    *rest = space != NULL ? space + 1 : NULL;
    if (space != NULL)
        *space = '\0';
    return word;
}

static unsigned int nibble(const struct script *s, char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned int)(c - '0');
    if (c < 'a' || c > 'f')
        FAIL(s, "bad hex");
    return (unsigned int)(c - 'a') + 10;
}

/* The next word as bytes, in a block of exactly that size. */
static struct blob next_hex(const struct script *s, char **rest)
{
    const char *text = next_word(rest);
    struct blob b = {NULL, 0};

    if (text == NULL)
        FAIL(s, "a word is missing");
    if (strcmp(text, "-") == 0)
        text = "";
    b.len = strlen(text) / 2;
    b.data = malloc(b.len + (b.len == 0));
    ck_assert_ptr_nonnull(b.data);
    for (size_t i = 0; i < b.len; i++)
        b.data[i] =
            (uint8_t)(nibble(s, text[2 * i]) << 4 | nibble(s, text[2 * i + 1]));
    return b;
}

static void print_hex(const char *what, const uint8_t *data, size_t len)
{
    fprintf(stderr, "%s ", what);
    for (size_t i = 0; i < len; i++)
        fprintf(stderr, "%02x", data[i]);
    fputc('\n', stderr);
}

/* Compares and frees both. */
static void assert_same(const struct script *s, struct blob *want,
                        struct yjs_bytes *got)
{
    if (want->len != got->len || memcmp(want->data, got->data, got->len) != 0) {
        print_hex("want", want->data, want->len);
        print_hex("got ", got->data, got->len);
        FAIL(s, "bytes differ");
    }
    free(want->data);
    yjs_bytes_free(got);
}

static void assert_rc(const struct script *s, int rc, int want)
{
    if (rc != want)
        FAIL(s, "%s", yjs_strerror(rc));
}

/* ------------------------------------------------------------ memory ending */

struct trial {
    size_t n;
    size_t blocks;
    struct yjs_bytes before; /* the document's state, if that may not change */
};

static struct yjs_bytes state_of(const struct script *s)
{
    struct yjs_bytes state = {0};

    assert_rc(s, yjs_encode_state_as_update(s->doc, NULL, 0, &state), YJS_OK);
    return state;
}

static struct trial trial_begin(struct script *s, bool changes)
{
    struct trial t = {1, s->fa.blocks, {0}};

    if (changes)
        t.before = state_of(s);
    s->fa.fail_in = 1;
    return t;
}

/* True when the call is to be made again, with memory ending later. Documents
 * keep some working memory, never more than a few blocks. */
static bool trial_again(struct script *s, struct trial *t, int rc,
                        const struct yjs_bytes *out)
{
    bool again = s->fa.fail_in == 0 && rc == YJS_ERR_NOMEM;

    s->fa.fail_in = 0;
    if (again) {
        if (out != NULL && out->data != NULL)
            FAIL(s, "failed, with a result");
        if (s->fa.blocks > t->blocks + 64)
            FAIL(s, "failed, and kept memory");
    }
    if (again && t->before.data != NULL) {
        struct yjs_bytes now = state_of(s);

        if (now.len != t->before.len ||
            memcmp(now.data, t->before.data, now.len) != 0)
            FAIL(s, "failed at allocation %zu, with traces", t->n);
        yjs_bytes_free(&now);
        assert_rc(s, yjs__doc_check(s->doc), YJS_OK);
    }
    if (!again)
        yjs_bytes_free(&t->before);
    t->n += 1 + t->n / 16;
    if (again)
        s->fa.fail_in = t->n;
    return again;
}

/* Make a call until it gets through; `changes`: the document, if it does. */
#define TRY(s, changes, rc, out, call)                                         \
    do {                                                                       \
        struct trial trial_ = trial_begin(s, changes);                         \
        do                                                                     \
            (rc) = (call);                                                     \
        while (trial_again(s, &trial_, rc, out));                              \
    } while (0)

#define TRY_OK(s, changes, out, call)                                          \
    do {                                                                       \
        int rc_;                                                               \
        TRY(s, changes, rc_, out, call);                                       \
        assert_rc(s, rc_, YJS_OK);                                             \
    } while (0)

#endif
