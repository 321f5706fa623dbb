/* SPDX-License-Identifier: MIT */
/*
 * Replays the golden vectors of tests/vectors (see generate.mjs there for the
 * directives, writes.mjs for those of edits): what npm yjs and y-protocols
 * did, byte for byte. Each file is one test. Every call is made with memory
 * ending at its first allocation, its second, and so on, before it gets
 * through: that must not leave a trace.
 */
#include <check.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vector_script.h"

#include "yjs.h"
#include "yjs/doc.h"

enum { MAX_FILES = 256 };

static char *files[MAX_FILES];
static int n_files;

/* ------------------------------------------------------ document directives */

static void do_doc(struct script *s, char *rest)
{
    struct yjs_doc_options opt = {
        .client_id = 999999937,
        .keep_deleted = strcmp(rest, "keep") == 0,
        .alloc = fail_alloc_hook(&s->fa),
    };

    yjs_doc_free(s->doc);
    s->doc = NULL;
    TRY_OK(s, false, NULL, yjs_doc_new(&opt, &s->doc));
}

static void do_update(struct script *s, char *rest)
{
    struct blob update = next_hex(s, &rest);
    struct yjs_apply_result result = {false, false, 0};

    TRY_OK(s, true, NULL,
           yjs_apply_update(s->doc, update.data, update.len, &result));
    if (result.pending != (strcmp(rest, "pending") == 0))
        FAIL(s, "pending is %d", result.pending);
    assert_rc(s, yjs__doc_check(s->doc), YJS_OK);
    free(update.data);
}

static void do_reject(struct script *s, char *rest)
{
    struct blob bad = next_hex(s, &rest);
    struct yjs_bytes state = {0};
    struct yjs_bytes now = {0};
    struct blob before;
    int rc;

    assert_rc(s, yjs_encode_state_as_update(s->doc, NULL, 0, &state), YJS_OK);
    TRY(s, true, rc, NULL, yjs_apply_update(s->doc, bad.data, bad.len, NULL));
    if (rc >= 0)
        FAIL(s, "accepted");
    before = (struct blob){malloc(state.len), state.len};
    ck_assert_ptr_nonnull(before.data);
    memcpy(before.data, state.data, state.len);
    assert_rc(s, yjs_encode_state_as_update(s->doc, NULL, 0, &now), YJS_OK);
    assert_same(s, &before, &now);
    yjs_bytes_free(&state);
    free(bad.data);
}

static void do_state(struct script *s, char *rest)
{
    struct blob want = next_hex(s, &rest);
    struct yjs_bytes got = {0};

    TRY_OK(s, false, &got, yjs_encode_state_as_update(s->doc, NULL, 0, &got));
    assert_same(s, &want, &got);
}

static void do_vector(struct script *s, char *rest)
{
    struct blob want = next_hex(s, &rest);
    struct yjs_bytes got = {0};

    TRY_OK(s, false, &got, yjs_encode_state_vector(s->doc, &got));
    assert_same(s, &want, &got);
}

static void do_diff(struct script *s, char *rest)
{
    struct blob sv = next_hex(s, &rest);
    struct blob want = next_hex(s, &rest);
    struct yjs_bytes got = {0};

    TRY_OK(s, false, &got,
           yjs_encode_state_as_update(s->doc, sv.data, sv.len, &got));
    assert_same(s, &want, &got);
    free(sv.data);
}

static void do_json(struct script *s, char *rest)
{
    const char *spec = next_word(&rest);
    struct yjs_bytes got = {0};

    TRY_OK(s, false, &got, yjs_doc_to_json(s->doc, spec, &got));
    if (got.len != strlen(rest) || memcmp(got.data, rest, got.len) != 0)
        FAIL(s, "want %s\ngot  %.*s", rest, (int)got.len,
             (const char *)got.data);
    yjs_bytes_free(&got);
}

/* ----------------------------------------------------- awareness directives */

static void do_awareness(struct script *s, char *rest)
{
    struct yjs_awareness_options opt = {.alloc = fail_alloc_hook(&s->fa)};

    (void)rest;
    yjs_awareness_free(s->aw);
    s->aw = NULL;
    TRY_OK(s, false, NULL, yjs_awareness_new(&opt, &s->aw));
}

static void hear(void *ctx, const struct yjs_awareness_change *change)
{
    char *text = ctx;
    size_t used = strlen(text);

    snprintf(text + used, 256 - used, "%s%c%" PRIu64, used > 0 ? "," : "",
             "+=-"[change->kind], change -> client);
}

static void do_aw_apply(struct script *s, char *rest)
{
    struct blob update = next_hex(s, &rest);
    char heard[256] = "";

    TRY_OK(s, false, NULL,
           yjs_awareness_apply(s->aw, update.data, update.len, 0, hear, heard));
    if (strcmp(heard[0] != '\0' ? heard : "-", rest) != 0)
        FAIL(s, "want %s, got %s", rest, heard);
    free(update.data);
}

static void do_aw_reject(struct script *s, char *rest)
{
    struct blob bad = next_hex(s, &rest);
    char heard[256] = "";

    if (yjs_awareness_apply(s->aw, bad.data, bad.len, 0, hear, heard) >= 0)
        FAIL(s, "accepted");
    ck_assert_str_eq(heard, "");
    free(bad.data);
}

static void do_aw_encode(struct script *s, char *rest)
{
    char *ids = next_word(&rest);
    struct blob want = next_hex(s, &rest);
    struct yjs_bytes got = {0};
    uint64_t clients[16];
    size_t n = 0;

    while (*ids >= '0' && *ids <= '9' && n < 16) {
        clients[n++] = strtoull(ids, &ids, 10);
        ids += *ids == ',';
    }
    TRY_OK(s, false, &got, yjs_awareness_encode(s->aw, clients, n, &got));
    assert_same(s, &want, &got);
}

/* ------------------------------------------------------- message directives */

static void do_message(struct script *s, char *rest)
{
    struct yjs_message msg = {
        .type = (enum yjs_message_type)atoi(next_word(&rest))};
    struct yjs_message back;
    struct yjs_allocator alloc = fail_alloc_hook(&s->fa);
    struct yjs_bytes got = {0};
    struct blob body, want;

    msg.sync = (enum yjs_sync_type)atoi(next_word(&rest));
    body = next_hex(s, &rest);
    want = next_hex(s, &rest);
    msg.body = body.data;
    msg.body_len = body.len;
    assert_rc(s, yjs_message_decode(want.data, want.len, &back), YJS_OK);
    if (back.type != msg.type || back.body_len != body.len ||
        (msg.type == YJS_MESSAGE_SYNC && back.sync != msg.sync) ||
        (body.len > 0 && memcmp(back.body, body.data, body.len) != 0))
        FAIL(s, "decoded to something else");
    TRY_OK(s, false, &got, yjs_message_encode(&msg, &alloc, &got));
    assert_same(s, &want, &got);
    free(body.data);
}

static void do_message_reject(struct script *s, char *rest)
{
    struct blob bad = next_hex(s, &rest);
    struct yjs_message msg;

    if (yjs_message_decode(bad.data, bad.len, &msg) >= 0)
        FAIL(s, "accepted");
    free(bad.data);
}

/* -------------------------------------------------- format v2, bare updates */

static struct yjs_update_options options_of(struct script *s, char **rest)
{
    return (struct yjs_update_options){
        .format = (enum yjs_format)(next_word(rest)[0] - '0'),
        .alloc = fail_alloc_hook(&s->fa)};
}

static struct yjs_span span_of(const struct blob *b)
{
    return (struct yjs_span){b->data, b->len};
}

static void convert(struct script *s, const struct blob *from,
                    enum yjs_format to, struct blob *want)
{
    struct yjs_update_options opt = {
        .format = to == YJS_FORMAT_V1 ? YJS_FORMAT_V2 : YJS_FORMAT_V1,
        .alloc = fail_alloc_hook(&s->fa)};
    struct yjs_bytes got = {0};

    TRY_OK(s, false, &got,
           yjs_update_convert(span_of(from), to, &opt, NULL, &got));
    assert_same(s, want, &got);
}

static void do_convert(struct script *s, char *rest)
{
    struct blob v1 = next_hex(s, &rest);
    struct blob v2 = next_hex(s, &rest), input = v2;
    struct blob back = next_hex(s, &rest);

    input.data = malloc(v2.len);
    ck_assert_ptr_nonnull(input.data);
    memcpy(input.data, v2.data, v2.len);

    convert(s, &v1, YJS_FORMAT_V2, &v2);
    convert(s, &input, YJS_FORMAT_V1, &back);
    free(v1.data);
    free(input.data);
}

static void do_update2(struct script *s, char *rest)
{
    struct blob update = next_hex(s, &rest);
    struct yjs_apply_result result = {false, false, 0};

    TRY_OK(s, true, NULL,
           yjs_apply_update_v2(s->doc, update.data, update.len, &result));
    if (result.pending != (strcmp(rest, "pending") == 0))
        FAIL(s, "pending is %d", result.pending);
    assert_rc(s, yjs__doc_check(s->doc), YJS_OK);
    free(update.data);
}

static void do_state2(struct script *s, char *rest)
{
    struct blob sv = next_hex(s, &rest);
    struct blob want = next_hex(s, &rest);
    struct yjs_bytes got = {0};

    TRY_OK(s, false, &got,
           yjs_encode_state_as_update_v2(s->doc, sv.data, sv.len, &got));
    assert_same(s, &want, &got);
    free(sv.data);
}

static void do_merge(struct script *s, char *rest)
{
    struct yjs_update_options opt = options_of(s, &rest);
    struct blob want = next_hex(s, &rest), parts[64];
    struct yjs_span spans[64];
    struct yjs_bytes got = {0};
    size_t n = 0;

    for (; rest != NULL; n++) {
        ck_assert_uint_lt(n, 64);
        parts[n] = next_hex(s, &rest);
        spans[n] = span_of(&parts[n]);
    }
    TRY_OK(s, false, &got, yjs_update_merge(spans, n, &opt, NULL, &got));
    assert_same(s, &want, &got);
    while (n-- > 0)
        free(parts[n].data);
}

static void do_uvector(struct script *s, char *rest)
{
    struct yjs_update_options opt = options_of(s, &rest);
    struct blob update = next_hex(s, &rest);
    struct blob want = next_hex(s, &rest);
    struct yjs_bytes got = {0};

    TRY_OK(s, false, &got,
           yjs_update_state_vector(span_of(&update), &opt, NULL, &got));
    assert_same(s, &want, &got);
    free(update.data);
}

static void do_meta(struct script *s, char *rest)
{
    struct yjs_update_options opt = options_of(s, &rest);
    struct blob update = next_hex(s, &rest);
    struct yjs_update_meta meta = {0};
    char got[8192] = "";
    size_t used = 0;

    TRY_OK(s, false, NULL,
           yjs_update_meta_read(span_of(&update), &opt, NULL, &meta));
    for (size_t i = 0; i < meta.n; i++)
        used += (size_t)snprintf(got + used, sizeof(got) - used,
                                 "%s%" PRIu64 ":%" PRIu64 "-%" PRIu64,
                                 i > 0 ? "," : "", meta.ranges[i].client,
                                 meta.ranges[i].from, meta.ranges[i].to);
    if (strcmp(meta.n > 0 ? got : "-", rest) != 0)
        FAIL(s, "want %s, got %s", rest, got);
    yjs_update_meta_free(&meta);
    free(update.data);
}

static void do_udiff(struct script *s, char *rest)
{
    struct yjs_update_options opt = options_of(s, &rest);
    struct blob sv = next_hex(s, &rest);
    struct blob update = next_hex(s, &rest);
    struct blob want = next_hex(s, &rest);
    struct yjs_bytes got = {0};

    TRY_OK(s, false, &got,
           yjs_update_diff(span_of(&update), span_of(&sv), &opt, NULL, &got));
    assert_same(s, &want, &got);
    free(sv.data);
    free(update.data);
}

/* ------------------------------------------------------ reading directives */

/* "KIND NAME" as a type of the document. */
static struct yjs_type next_root(struct script *s, char **rest)
{
    const char *kind = next_word(rest), *name = next_word(rest);
    enum yjs_type_kind k = kind[0] == 't'   ? YJS_TYPE_TEXT
                           : kind[0] == 'a' ? YJS_TYPE_ARRAY
                           : kind[0] == 'm' ? YJS_TYPE_MAP
                                            : YJS_TYPE_XML_FRAGMENT;
    struct yjs_type type;

    TRY_OK(s, false, NULL,
           yjs_doc_root(s->doc,
                        (struct yjs_span){(const uint8_t *)name, strlen(name)},
                        k, &type));
    return type;
}

static void do_delta(struct script *s, char *rest)
{
    struct yjs_type type = next_root(s, &rest);
    struct yjs_bytes got = {0};

    TRY_OK(s, false, &got, yjs_text_to_delta(s->doc, type, &got));
    if (got.len != strlen(rest) || memcmp(got.data, rest, got.len) != 0)
        FAIL(s, "got %.*s", (int)got.len, (const char *)got.data);
    yjs_bytes_free(&got);
}

static void do_string(struct script *s, char *rest)
{
    struct yjs_type type = next_root(s, &rest);
    struct blob want = next_hex(s, &rest);
    struct yjs_bytes got = {0};

    TRY_OK(s, false, &got, yjs_type_to_string(s->doc, type, &got));
    assert_same(s, &want, &got);
}

static enum yjs_format next_format(char **rest)
{
    return next_word(rest)[0] == '1' ? YJS_FORMAT_V1 : YJS_FORMAT_V2;
}

static void do_snapshot(struct script *s, char *rest)
{
    enum yjs_format format = next_format(&rest);
    struct blob want = next_hex(s, &rest);
    struct yjs_bytes got = {0};

    TRY_OK(s, false, &got, yjs_snapshot_encode(s->doc, format, &got));
    assert_same(s, &want, &got);
}

static void do_past(struct script *s, char *rest)
{
    enum yjs_format format = next_format(&rest);
    struct yjs_doc_options opt = {
        .keep_deleted = strcmp(next_word(&rest), "keep") == 0,
        .alloc = fail_alloc_hook(&s->fa)};
    struct blob snapshot = next_hex(s, &rest), want = next_hex(s, &rest);
    struct yjs_bytes got = {0};
    yjs_doc *past = NULL;

    TRY_OK(s, false, NULL,
           yjs_doc_at_snapshot(s->doc, span_of(&snapshot), format, &opt,
                               &past));
    assert_rc(s, yjs__doc_check(past), YJS_OK);
    assert_rc(s, yjs_encode_state_as_update(past, NULL, 0, &got), YJS_OK);
    assert_same(s, &want, &got);
    yjs_doc_free(past);
    free(snapshot.data);
}

static void do_contains(struct script *s, char *rest)
{
    struct yjs_update_options opt = {.alloc = fail_alloc_hook(&s->fa)};
    struct blob snapshot = next_hex(s, &rest), update = next_hex(s, &rest);
    bool got = false;

    TRY_OK(s, false, NULL,
           yjs_snapshot_contains(span_of(&snapshot), span_of(&update), &opt,
                                 NULL, &got));
    if (got != (rest[0] == '1'))
        FAIL(s, "contained is %d", got);
    free(snapshot.data);
    free(update.data);
}

static void do_position(struct script *s, char *rest)
{
    struct yjs_allocator alloc = fail_alloc_hook(&s->fa);
    struct yjs_type type = next_root(s, &rest);
    uint64_t index = strtoull(next_word(&rest), NULL, 10);
    int64_t assoc = strtoll(next_word(&rest), NULL, 10);
    struct blob want = next_hex(s, &rest);
    struct yjs_position pos;
    struct yjs_bytes got = {0};

    TRY_OK(s, false, NULL, yjs_position_at(s->doc, type, index, assoc, &pos));
    TRY_OK(s, false, &got, yjs_position_encode(&pos, &alloc, &got));
    assert_same(s, &want, &got);
}

static void do_place(struct script *s, char *rest)
{
    struct blob bytes = next_hex(s, &rest);
    struct yjs_position pos;
    struct yjs_type type;
    uint64_t index = 0;
    int rc;

    assert_rc(s, yjs_position_decode(bytes.data, bytes.len, &pos), YJS_OK);
    TRY(s, false, rc, NULL, yjs_position_resolve(s->doc, &pos, &type, &index));
    if (strcmp(rest, "null") != 0) {
        assert_rc(s, rc, YJS_OK);
        if (index != strtoull(rest, NULL, 10))
            FAIL(s, "is at %" PRIu64, index);
    } else if (rc != YJS_ERR_RANGE && rc != YJS_ERR_DELETED) {
        FAIL(s, "is at %" PRIu64 ", %s", index, yjs_strerror(rc));
    }
    free(bytes.data);
}

/* -------------------------------------------------------------------- edits
 *
 * Memory that ends in the middle of them is for test_yjs_edit and tests/diff.
 */

static uint64_t next_id(void *ctx, uint64_t old)
{
    (void)ctx;
    return old + 1;
}

static void do_edits(struct script *s, char *rest)
{
    struct yjs_doc_options opt = {
        .client_id = strtoull(rest, NULL, 10),
        .new_client_id = next_id,
        .alloc = fail_alloc_hook(&s->fa),
    };

    yjs_doc_free(s->doc);
    s->doc = NULL;
    assert_rc(s, yjs_doc_new(&opt, &s->doc), YJS_OK);
    yjs_doc_on_update(s->doc, YJS_FORMAT_V1 | YJS_FORMAT_V2, told_add,
                      &s->told);
}

static void do_edit(struct script *s, char *rest)
{
    struct blob calls = next_hex(s, &rest);
    uint32_t refused = 0;

    assert_rc(s,
              calls_run(s->doc, calls.data + 1, calls.data + calls.len, true,
                        &refused),
              YJS_OK);
    assert_rc(s, yjs__doc_check(s->doc), YJS_OK);
    free(calls.data);
}

static void do_hear(struct script *s, char *rest)
{
    struct blob update = next_hex(s, &rest);

    assert_rc(s, yjs_apply_update(s->doc, update.data, update.len, NULL),
              YJS_OK);
    assert_rc(s, yjs__doc_check(s->doc), YJS_OK);
    free(update.data);
}

static void expect_told(struct script *s, char **rest)
{
    struct blob want = next_hex(s, rest);
    const uint8_t *p = s->told.data + s->told_at;
    size_t len = s->told.len - s->told_at < 4
                     ? SIZE_MAX
                     : (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16;

    if (len != want.len || memcmp(p + 4, want.data, len) != 0) {
        print_hex("want", want.data, want.len);
        print_hex("told", p, s->told.len - s->told_at);
        FAIL(s, "another update was told of");
    }
    s->told_at += 4 + len;
    free(want.data);
}

static void do_told(struct script *s, char *rest)
{
    bool local = next_word(&rest)[0] == '1';

    if (s->told_at >= s->told.len)
        FAIL(s, "nothing was told");
    if (s->told.data[s->told_at++] != local)
        FAIL(s, "local is not %d", local);
    expect_told(s, &rest);
    expect_told(s, &rest);
}

static void do_done(struct script *s, char *rest)
{
    (void)rest;
    if (s->told.failed || s->told_at != s->told.len)
        FAIL(s, "more was told");
    s->told.len = s->told_at = 0;
}

/* --------------------------------------------------------------- the files */

static const struct {
    const char *name;
    void (*run)(struct script *s, char *rest);
} directives[] = {
    {"doc", do_doc},
    {"update", do_update},
    {"reject", do_reject},
    {"state", do_state},
    {"vector", do_vector},
    {"diff", do_diff},
    {"json", do_json},
    {"awareness", do_awareness},
    {"aw-apply", do_aw_apply},
    {"aw-reject", do_aw_reject},
    {"aw-encode", do_aw_encode},
    {"message", do_message},
    {"message-reject", do_message_reject},
    {"convert", do_convert},
    {"update2", do_update2},
    {"state2", do_state2},
    {"merge", do_merge},
    {"uvector", do_uvector},
    {"meta", do_meta},
    {"udiff", do_udiff},
    {"edits", do_edits},
    {"edit", do_edit},
    {"hear", do_hear},
    {"told", do_told},
    {"done", do_done},
    {"delta", do_delta},
    {"string", do_string},
    {"snapshot", do_snapshot},
    {"past", do_past},
    {"contains", do_contains},
    {"position", do_position},
    {"place", do_place},
};

static void run_line(struct script *s, char *line)
{
    char *rest = line;
    const char *name = next_word(&rest);
    size_t i;

    for (i = 0; i < sizeof(directives) / sizeof(directives[0]); i++) {
        if (strcmp(directives[i].name, name) == 0) {
            directives[i].run(s, rest);
            return;
        }
    }
    FAIL(s, "what is %s?", name);
}

START_TEST(test_file)
{
    struct script s = {.file = files[_i]};
    FILE *in = fopen(files[_i], "r");
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    int ran = 0;

    ck_assert_ptr_nonnull(in);
    while ((len = getline(&line, &cap, in)) > 0) {
        s.line++;
        if (line[len - 1] == '\n')
            line[len - 1] = '\0';
        if (line[0] == '#' || line[0] == '\0')
            continue;
        run_line(&s, line);
        ran++;
    }
    ck_assert_int_gt(ran, 0);
    yjs_doc_free(s.doc);
    yjs_awareness_free(s.aw);
    free(s.told.data);
    ck_assert_uint_eq(s.fa.blocks, 0);
    free(line);
    fclose(in);
}
END_TEST

static int is_vector(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);

    return n > 4 && strcmp(entry->d_name + n - 4, ".vec") == 0;
}

static void find_files(void)
{
    const char *srcdir = getenv("srcdir");
    struct dirent **entries = NULL;
    char dir[4096];
    int n;

    snprintf(dir, sizeof(dir), "%s/tests/vectors",
             srcdir != NULL ? srcdir : ".");
    n = scandir(dir, &entries, is_vector, alphasort);
    for (int i = 0; i < n; i++) {
        if (n_files < MAX_FILES &&
            asprintf(&files[n_files], "%s/%s", dir, entries[i]->d_name) >= 0)
            n_files++;
        free(entries[i]);
    }
    free(entries);
}

int main(void)
{
    Suite *suite = suite_create("vectors");
    TCase *tc = tcase_create("files");
    SRunner *runner;
    int failed;

    find_files();
    if (n_files < 40) {
        fprintf(stderr, "only %d vectors found: set srcdir\n", n_files);
        return 1;
    }
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, test_file, 0, n_files);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    for (int i = 0; i < n_files; i++)
        free(files[i]);
    return failed == 0 ? 0 : 1;
}
