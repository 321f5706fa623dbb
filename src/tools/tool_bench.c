/* SPDX-License-Identifier: MIT */
/*
 * tool_bench.c: how long the library takes, as one JSON object.
 *
 * Every number is the median of some runs, in milliseconds of processor time,
 * which other programs on the machine hardly change; making and freeing what a
 * run needs is not counted.
 */
#include "tools/tool.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct bench {
    struct tool *t;
    FILE *out;
    struct tool_log log;
    struct tool_file doc;
    double *times;
    const char *comma;
    int code;
};

static double now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static int compare_times(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void report(struct bench *b, const char *name)
{
    unsigned int n = b->t->runs;

    tool_phase_end();
    qsort(b->times, n, sizeof(*b->times), compare_times);
    fprintf(b->out, "%s\"%s\":%.4f", b->comma, name,
            (b->times[(n - 1) / 2] + b->times[n / 2]) / 2);
    b->comma = ",";
}

static yjs_doc *new_doc(struct bench *b)
{
    struct yjs_doc_options opt = tool_doc_options();
    yjs_doc *doc = NULL;
    int rc = yjs_doc_new(&opt, &doc);

    if (rc != YJS_OK)
        b->code = tool_fail_doc("bench", NULL, rc);
    return doc;
}

static int apply(yjs_doc *doc, struct yjs_span u, enum yjs_format format)
{
    return format == YJS_FORMAT_V2
               ? yjs_apply_update_v2(doc, u.data, u.len, NULL)
               : yjs_apply_update(doc, u.data, u.len, NULL);
}

static void run_apply_doc(struct bench *b)
{
    struct yjs_span update = {b->doc.data, b->doc.len};
    unsigned int i;

    tool_phase(b->doc.name, "apply_doc of", b->t->runs);
    for (i = 0; i < b->t->runs && b->code == TOOL_OK; i++) {
        yjs_doc *doc = new_doc(b);
        double from = now_ms();
        int rc = doc == NULL ? YJS_OK : apply(doc, update, b->doc.format);

        b->times[i] = now_ms() - from;
        tool_phase_at(i);
        if (rc != YJS_OK)
            b->code = tool_fail_doc(b->doc.name, doc, rc);
        yjs_doc_free(doc);
    }
    if (b->code == TOOL_OK)
        report(b, "apply_doc");
}

static int apply_updates(struct bench *b, yjs_doc *doc)
{
    enum yjs_format format = b->log.file.format;
    size_t i;
    int rc = YJS_OK;

    for (i = 0; i < b->log.n && rc == YJS_OK; i++)
        rc = apply(doc, b->log.updates[i], format);
    return rc;
}

static void run_apply_log(struct bench *b)
{
    unsigned int i;

    tool_phase(b->log.file.name, "apply_log of", b->t->runs);
    for (i = 0; i < b->t->runs && b->code == TOOL_OK; i++) {
        yjs_doc *doc = new_doc(b);
        double from = now_ms();
        int rc = doc == NULL ? YJS_OK : apply_updates(b, doc);

        b->times[i] = now_ms() - from;
        tool_phase_at(i);
        if (rc != YJS_OK)
            b->code = tool_fail_doc(b->log.file.name, doc, rc);
        yjs_doc_free(doc);
    }
    if (b->code == TOOL_OK)
        report(b, "apply_log");
}

static void run_merge_log(struct bench *b)
{
    struct yjs_update_options opt = tool_options(b->log.file.format);
    unsigned int i;

    tool_phase(b->log.file.name, "merge_log of", b->t->runs);
    for (i = 0; i < b->t->runs && b->code == TOOL_OK; i++) {
        struct yjs_bytes out = {NULL, 0, {NULL, NULL}};
        double from = now_ms();
        int rc = yjs_update_merge(b->log.updates, b->log.n, &opt, NULL, &out);

        b->times[i] = now_ms() - from;
        tool_phase_at(i);
        yjs_bytes_free(&out);
        if (rc != YJS_OK)
            b->code = tool_fail_doc(b->log.file.name, NULL, rc);
    }
    if (b->code == TOOL_OK)
        report(b, "merge_log");
}

static void put_number(struct yjs_bytes *out, uint64_t v)
{
    for (; v > 0x7f; v >>= 7)
        out->data[out->len++] = (uint8_t)(v | 0x80);
    out->data[out->len++] = (uint8_t)v;
}

/* `diff` asks for what a peer misses that has half of every client. */
static int half_vector(yjs_doc *doc, struct yjs_bytes *out)
{
    struct yjs_bytes state = {NULL, 0, {NULL, NULL}};
    struct yjs_update_meta meta = {NULL, 0, {NULL, NULL}};
    struct yjs_update_options opt = tool_options(YJS_FORMAT_V1);
    size_t i;
    int rc = yjs_encode_state_as_update(doc, NULL, 0, &state);

    if (rc == YJS_OK)
        rc = yjs_update_meta_read((struct yjs_span){state.data, state.len},
                                  &opt, NULL, &meta);
    yjs_bytes_free(&state);
    out->data = rc == YJS_OK ? malloc(20 * meta.n + 10) : NULL;
    if (rc == YJS_OK && out->data == NULL)
        rc = YJS_ERR_NOMEM;
    if (rc == YJS_OK)
        put_number(out, meta.n);
    for (i = 0; rc == YJS_OK && i < meta.n; i++) {
        put_number(out, meta.ranges[i].client);
        put_number(out, meta.ranges[i].to / 2);
    }
    yjs_update_meta_free(&meta);
    return rc;
}

static void run_encode(struct bench *b, yjs_doc *doc, const char *name,
                       const struct yjs_bytes *sv)
{
    unsigned int i;

    tool_phase("a document", name, b->t->runs);
    for (i = 0; i < b->t->runs && b->code == TOOL_OK; i++) {
        struct yjs_bytes out = {NULL, 0, {NULL, NULL}};
        double from = now_ms();
        int rc = strcmp(name, "state_vector") == 0
                     ? yjs_encode_state_vector(doc, &out)
                     : yjs_encode_state_as_update(doc, sv ? sv->data : NULL,
                                                  sv ? sv->len : 0, &out);

        b->times[i] = now_ms() - from;
        tool_phase_at(i);
        yjs_bytes_free(&out);
        if (rc != YJS_OK)
            b->code = tool_fail_doc("bench", doc, rc);
    }
    if (b->code == TOOL_OK)
        report(b, name);
}

static int count_struct(void *ctx, const struct yjs_struct *s)
{
    (void)s;
    ++*(size_t *)ctx;
    return 0;
}

static void report_size(struct bench *b, yjs_doc *doc)
{
    struct yjs_bytes state = {NULL, 0, {NULL, NULL}};
    size_t structs = 0;
    struct yjs_update_visitor visitor = {count_struct, NULL, &structs};
    struct yjs_update_options opt = tool_options(YJS_FORMAT_V1);
    int rc = yjs_encode_state_as_update(doc, NULL, 0, &state);

    if (rc == YJS_OK)
        rc = yjs_update_visit((struct yjs_span){state.data, state.len}, &opt,
                              &visitor, NULL, NULL);
    if (rc != YJS_OK)
        b->code = tool_fail_doc("bench", doc, rc);
    else
        fprintf(b->out,
                "%s\"bytes_per_doc\":%zu,\"structs\":%zu,\"update_bytes\":%zu",
                b->comma, yjs_doc_heap(doc), structs, state.len);
    yjs_bytes_free(&state);
}

/* What is asked of a document: that of --doc, else what the log makes. */
static void run_doc(struct bench *b)
{
    struct yjs_bytes half = {NULL, 0, {NULL, NULL}};
    yjs_doc *doc = new_doc(b);
    size_t empty;
    int rc;

    if (doc == NULL)
        return;
    empty = yjs_doc_heap(doc);
    rc = b->doc.data != NULL
             ? apply(doc, (struct yjs_span){b->doc.data, b->doc.len},
                     b->doc.format)
             : apply_updates(b, doc);
    if (rc == YJS_OK)
        rc = half_vector(doc, &half);
    if (rc != YJS_OK)
        b->code = tool_fail_doc("bench", doc, rc);
    run_encode(b, doc, "encode", NULL);
    run_encode(b, doc, "diff", &half);
    run_encode(b, doc, "state_vector", NULL);
    if (b->code == TOOL_OK)
        report_size(b, doc);
    if (b->code == TOOL_OK)
        fprintf(b->out, ",\"bytes_empty\":%zu", empty);
    free(half.data);
    yjs_doc_free(doc);
}

int tool_bench(struct tool *t)
{
    struct bench b = {.t = t, .comma = "{"};

    if (t->log == NULL && t->doc == NULL)
        return tool_fail("bench", TOOL_USAGE,
                         "--log=FILE or --doc=FILE is missing");
    b.times = calloc(t->runs, sizeof(*b.times));
    if (b.times == NULL)
        return tool_fail("bench", TOOL_LIMIT, "out of memory");
    if (t->doc != NULL)
        b.code = tool_read_update(t, t->doc, &b.doc);
    if (t->log != NULL && b.code == TOOL_OK)
        b.code = tool_read_log(t, t->log, &b.log);
    if (b.code == TOOL_OK) {
        b.out = tool_out(t);
        b.code = b.out != NULL ? TOOL_OK : TOOL_IO;
    }
    if (t->doc != NULL && b.code == TOOL_OK)
        run_apply_doc(&b);
    if (t->log != NULL && b.code == TOOL_OK)
        run_apply_log(&b);
    if (t->log != NULL && b.code == TOOL_OK)
        run_merge_log(&b);
    if (b.code == TOOL_OK)
        run_doc(&b);
    if (b.code == TOOL_OK)
        fprintf(b.out, ",\"updates\":%zu,\"runs\":%u}\n", b.log.n, t->runs);
    free(b.times);
    tool_log_free(&b.log);
    tool_file_free(&b.doc);
    return b.code;
}
