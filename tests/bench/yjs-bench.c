/* SPDX-License-Identifier: MIT */
/*
 * Local edits by libyjs: the operations of one workload, as bench-yjs.mjs
 * writes them, on two documents that exchange their updates.
 *
 *   yjs-bench --ops FILE [--setup UPDATE] --clients A,B --runs N --out FILE
 *
 * The first line of the operations is "live" (document 0 edits, each update
 * goes to document 1 at once) or "late" (both edit, then exchange). The others:
 *   t DOC AT STRING      d DOC AT LENGTH      a DOC AT N NUMBER...
 * Prints {"ms": M}, the median of the runs in processor time, and writes the
 * state of document 0 to --out, for the caller to compare.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "yjs.h"

struct op {
    char kind;
    int doc;
    uint64_t at, len;          /* len: of a deletion, or of values */
    struct yjs_span text;
    struct yjs_value *values;
};

struct log {
    struct yjs_bytes *updates;
    size_t n, cap;
};

struct bench {
    char *text;
    size_t text_len;
    struct op *ops;
    size_t n_ops;
    int late;
    char *setup;
    size_t setup_len;
    uint64_t clients[2];
    yjs_doc *docs[2];
    struct yjs_type texts[2], arrays[2];
    struct log logs[2];
};

static void die(const char *what, int err)
{
    fprintf(stderr, "yjs-bench: %s: %s\n", what,
            err == 0 ? "failed" : yjs_strerror(err));
    exit(1);
}

static void must(const char *what, int rc)
{
    if (rc != YJS_OK)
        die(what, rc);
}

static void *get(void *p)
{
    if (p == NULL)
        die("memory", YJS_ERR_NOMEM);
    return p;
}

static char *read_file(const char *name, size_t *len)
{
    FILE *f = fopen(name, "rb");
    char *data;
    long size = 0;

    if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0)
        die(name, 0);
    rewind(f);
    data = get(malloc((size_t)size + 1));
    *len = fread(data, 1, (size_t)size, f);
    data[*len] = '\0';
    fclose(f);
    return data;
}

/* ------------------------------------------------------------- operations */

static uint64_t number(char **at)
{
    return strtoull(*at, at, 10);
}

static void parse_op(struct op *op, char *line)
{
    char *at = line + 1;
    uint64_t i;

    op->kind = *line;
    op->doc = (int)number(&at) & 1;
    op->at = number(&at);
    if (op->kind == 't') {
        op->text = (struct yjs_span){(uint8_t *)at + 1, strlen(at + 1)};
        return;
    }
    op->len = number(&at);
    if (op->kind != 'a')
        return;
    op->values = get(calloc(op->len, sizeof(*op->values)));
    for (i = 0; i < op->len; i++) {
        op->values[i].kind = YJS_VALUE_NUMBER;
        op->values[i].number = (double)number(&at);
    }
}

static void parse(struct bench *b)
{
    char *save = NULL, *line = strtok_r(b->text, "\n", &save);
    size_t cap = 0;

    b->late = line != NULL && strcmp(line, "late") == 0;
    while ((line = strtok_r(NULL, "\n", &save)) != NULL) {
        if (b->n_ops == cap) {
            cap = cap == 0 ? 1024 : 2 * cap;
            b->ops = get(realloc(b->ops, cap * sizeof(*b->ops)));
        }
        b->ops[b->n_ops] = (struct op){.kind = 0};
        parse_op(&b->ops[b->n_ops++], line);
    }
}

/* ------------------------------------------------------------------- edits */

static void on_update(void *ctx, const struct yjs_update_event *event)
{
    struct log *log = ctx;
    struct yjs_bytes *u;

    if (!event->local)
        return;
    if (log->n == log->cap) {
        log->cap = log->cap == 0 ? 1024 : 2 * log->cap;
        log->updates = get(realloc(log->updates,
                                   log->cap * sizeof(*log->updates)));
    }
    u = &log->updates[log->n++];
    *u = (struct yjs_bytes){get(malloc(event->v1.len)), event->v1.len,
                            {NULL, NULL}};
    memcpy(u->data, event->v1.data, event->v1.len);
}

static void edit(struct bench *b, const struct op *op)
{
    yjs_txn *txn = NULL;
    struct yjs_span none = {NULL, 0};

    must("begin", yjs_txn_begin(b->docs[op->doc], NULL, &txn));
    if (op->kind == 't')
        must("insert", yjs_text_insert(txn, b->texts[op->doc], op->at,
                                       op->text, none));
    else if (op->kind == 'd')
        must("delete", yjs_text_delete(txn, b->texts[op->doc], op->at,
                                       op->len));
    else
        must("insert", yjs_array_insert(txn, b->arrays[op->doc], op->at,
                                        op->values, op->len));
    must("commit", yjs_txn_commit(txn));
}

static void give(struct bench *b, int doc, const struct yjs_bytes *u)
{
    must("apply", yjs_apply_update(b->docs[doc], u->data, u->len, NULL));
}

static void carry_out(struct bench *b)
{
    size_t i;
    int doc;

    for (i = 0; i < b->n_ops; i++) {
        edit(b, &b->ops[i]);
        if (!b->late)
            give(b, 1, &b->logs[0].updates[b->logs[0].n - 1]);
    }
    for (doc = 0; b->late && doc < 2; doc++)
        for (i = 0; i < b->logs[doc].n; i++)
            give(b, 1 - doc, &b->logs[doc].updates[i]);
}

/* -------------------------------------------------------------------- runs */

static struct yjs_span name(const char *s)
{
    return (struct yjs_span){(const uint8_t *)s, strlen(s)};
}

static void open_docs(struct bench *b)
{
    int i;

    for (i = 0; i < 2; i++) {
        struct yjs_doc_options opt = {.client_id = b->clients[i]};

        must("document", yjs_doc_new(&opt, &b->docs[i]));
        if (b->setup != NULL)
            must("setup", yjs_apply_update(b->docs[i],
                                           (const uint8_t *)b->setup,
                                           b->setup_len, NULL));
        must("text", yjs_doc_root(b->docs[i], name("text"), YJS_TYPE_TEXT,
                                  &b->texts[i]));
        must("array", yjs_doc_root(b->docs[i], name("array"), YJS_TYPE_ARRAY,
                                   &b->arrays[i]));
        yjs_doc_on_update(b->docs[i], YJS_FORMAT_V1, on_update, &b->logs[i]);
    }
}

static void close_docs(struct bench *b)
{
    size_t i;
    int doc;

    for (doc = 0; doc < 2; doc++) {
        yjs_doc_free(b->docs[doc]);
        for (i = 0; i < b->logs[doc].n; i++)
            free(b->logs[doc].updates[i].data);
        b->logs[doc].n = 0;
    }
}

static void write_state(struct bench *b, const char *file)
{
    struct yjs_bytes state = {NULL, 0, {NULL, NULL}};
    FILE *f = fopen(file, "wb");

    must("encode", yjs_encode_state_as_update(b->docs[0], NULL, 0, &state));
    if (f == NULL || fwrite(state.data, 1, state.len, f) != state.len ||
        fclose(f) != 0)
        die(file, 0);
    yjs_bytes_free(&state);
}

static int compare_times(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void run_all(struct bench *b, size_t runs, const char *out)
{
    double *times = get(calloc(runs, sizeof(*times)));
    size_t i;

    for (i = 0; i < runs; i++) {
        open_docs(b);
        times[i] = now_ms();
        carry_out(b);
        times[i] = now_ms() - times[i];
        if (i + 1 == runs && out != NULL)
            write_state(b, out);
        close_docs(b);
    }
    qsort(times, runs, sizeof(*times), compare_times);
    printf("{\"ms\":%.4f}\n", (times[(runs - 1) / 2] + times[runs / 2]) / 2);
    free(times);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"ops", required_argument, NULL, 'o'},
        {"setup", required_argument, NULL, 's'},
        {"clients", required_argument, NULL, 'c'},
        {"runs", required_argument, NULL, 'n'},
        {"out", required_argument, NULL, 'w'},
        {NULL, 0, NULL, 0}};
    struct bench b = {.clients = {1, 2}};
    const char *out = NULL;
    size_t runs = 5, i;
    char *end;
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'o')
            b.text = read_file(optarg, &b.text_len);
        else if (c == 's')
            b.setup = read_file(optarg, &b.setup_len);
        else if (c == 'w')
            out = optarg;
        else if (c == 'n')
            runs = strtoull(optarg, NULL, 10);
        else if (c == 'c') {
            b.clients[0] = strtoull(optarg, &end, 10);
            b.clients[1] = strtoull(*end == ',' ? end + 1 : end, NULL, 10);
        } else
            return 2;
    }
    if (b.text == NULL || runs == 0)
        die("--ops", 0);
    parse(&b);
    run_all(&b, runs, out);
    for (i = 0; i < b.n_ops; i++)
        free(b.ops[i].values);
    for (i = 0; i < 2; i++)
        free(b.logs[i].updates);
    free(b.ops);
    free(b.text);
    free(b.setup);
    return 0;
}
