/* SPDX-License-Identifier: MIT */
/*
 * What crafted input costs: each case at sizes n, 2n, 4n and 8n, the processor
 * time and the most heap it takes, per byte of input, and how the time grows
 * (1 is linear, 2 quadratic). Prints a table and exits with 1 if a case that
 * no limit stops grows worse than n log n, or takes over 40 bytes of heap for
 * a byte of input.
 *
 *   hostile [--only NAME] [--runs N] [--scale PERCENT]
 */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "yjs.h"

enum { STEPS = 4 };
/* n log n from n to 8n is 1.1 at these sizes; the rest is noise. */
static const double worst_growth = 1.4, worst_heap = 40;

/* ------------------------------------------------------------------- input */

struct input {
    uint8_t *data;
    size_t len, cap;
    size_t *ends; /* of the updates in it */
    size_t n, ends_cap;
};

static void die(const char *what)
{
    fprintf(stderr, "hostile: %s\n", what);
    exit(2);
}

static void put(struct input *in, unsigned int byte)
{
    if (in->len == in->cap) {
        in->cap = in->cap == 0 ? 4096 : 2 * in->cap;
        in->data = realloc(in->data, in->cap);
        if (in->data == NULL)
            die("out of memory");
    }
    in->data[in->len++] = (uint8_t)byte;
}

static void num(struct input *in, uint64_t v)
{
    for (; v > 0x7f; v >>= 7)
        put(in, (unsigned int)(v & 0x7f) | 0x80);
    put(in, (unsigned int)v);
}

static void id(struct input *in, uint64_t client, uint64_t clock)
{
    num(in, client);
    num(in, clock);
}

static void text(struct input *in, const char *s)
{
    num(in, strlen(s));
    while (*s != '\0')
        put(in, (unsigned char)*s++);
}

static void end(struct input *in)
{
    if (in->n == in->ends_cap) {
        in->ends_cap = in->ends_cap == 0 ? 64 : 2 * in->ends_cap;
        in->ends = realloc(in->ends, in->ends_cap * sizeof(*in->ends));
        if (in->ends == NULL)
            die("out of memory");
    }
    in->ends[in->n++] = in->len;
}

static void block(struct input *in, uint64_t structs, uint64_t client,
                  uint64_t clock)
{
    num(in, structs);
    id(in, client, clock);
}

static void in_root(struct input *in, unsigned int info, const char *root)
{
    put(in, info);
    put(in, 1);
    text(in, root);
}

static void no_deletes(struct input *in)
{
    put(in, 0);
    end(in);
}

/* ------------------------------------------------------------------- cases */

/* n clients insert one letter each at the start of a text. */
static void one_place(struct input *in, size_t n)
{
    num(in, n);
    for (size_t i = n; i > 0; i--) {
        block(in, 1, i, 0);
        in_root(in, 4, "t");
        text(in, "x");
    }
    no_deletes(in);
}

/* The same, one update each, highest id first. */
static void one_place_falling(struct input *in, size_t n)
{
    for (size_t i = n; i > 0; i--) {
        put(in, 1);
        block(in, 1, i, 0);
        in_root(in, 4, "t");
        text(in, "x");
        no_deletes(in);
    }
}

/* Lowest id first: each walks past all before it, in Yjs too. */
static void one_place_rising(struct input *in, size_t n)
{
    for (size_t i = 1; i <= n; i++) {
        put(in, 1);
        block(in, 1, i, 0);
        in_root(in, 4, "t");
        text(in, "x");
        no_deletes(in);
    }
}

/* The same in one update: each waits for the one below it, so that it is
 * integrated lowest first. */
static void one_place_forced(struct input *in, size_t n)
{
    num(in, n);
    for (size_t i = n; i > 0; i--) {
        block(in, 2, i, 0);
        if (i == 1) {
            in_root(in, 4, "u");
        } else {
            put(in, 0x84);
            id(in, i - 1, 1);
        }
        text(in, "y");
        in_root(in, 4, "t");
        text(in, "x");
    }
    no_deletes(in);
}

/* Maps in maps in maps. */
static void nested(struct input *in, size_t n)
{
    put(in, 1);
    block(in, n, 1, 0);
    in_root(in, 0x27, "m");
    text(in, "k");
    put(in, 1);
    for (size_t i = 1; i < n; i++) {
        put(in, 0x27);
        put(in, 0);
        id(in, 1, i - 1);
        text(in, "k");
        put(in, 1);
    }
    no_deletes(in);
}

static void nested_deleted(struct input *in, size_t n)
{
    nested(in, n);
    in->n--;
    in->len--;
    put(in, 1);
    num(in, 1);
    num(in, 1);
    id(in, 0, n);
    end(in);
}

/* Deletes of what nobody knows. */
static void ranges_unknown(struct input *in, size_t n)
{
    put(in, 0);
    put(in, 1);
    num(in, 1);
    num(in, n);
    for (size_t i = 0; i < n; i++)
        id(in, 2 * i, 1);
    end(in);
}

/* One such update for each range. */
static void ranges_one_by_one(struct input *in, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        put(in, 0);
        put(in, 1);
        num(in, 1);
        num(in, 1);
        id(in, 2 * (n - i), 1);
        end(in);
    }
}

/* Every other letter of one text. */
static void ranges_known(struct input *in, size_t n)
{
    put(in, 1);
    block(in, 1, 1, 0);
    in_root(in, 4, "t");
    num(in, 2 * n);
    for (size_t i = 0; i < 2 * n; i++)
        put(in, 'x');
    put(in, 1);
    num(in, 1);
    num(in, n);
    for (size_t i = 0; i < n; i++)
        id(in, 2 * i, 1);
    end(in);
}

/* Half of each of n emoji. */
static void pairs_cut(struct input *in, size_t n)
{
    put(in, 1);
    block(in, 1, 1, 0);
    in_root(in, 4, "t");
    num(in, 4 * n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < 4; j++)
            put(in, "\360\237\230\200"[j] & 0xff);
    put(in, 1);
    num(in, 1);
    num(in, n);
    for (size_t i = 0; i < n; i++)
        id(in, 2 * i, 1);
    end(in);
}

#define HUGE 9007199254000000u

static void huge_ids(struct input *in, size_t n)
{
    num(in, n);
    for (size_t i = n; i > 0; i--) {
        block(in, 2, HUGE + i, 0);
        put(in, 0);
        num(in, HUGE);
        in_root(in, 1, "t");
        num(in, 1000);
    }
    no_deletes(in);
}

static void key_of(char *key, size_t i)
{
    snprintf(key, 24, "%zx", i);
}

static void many_keys(struct input *in, size_t n)
{
    char key[24];

    put(in, 1);
    block(in, n, 1, 0);
    for (size_t i = 0; i < n; i++) {
        in_root(in, 0x28, "m");
        key_of(key, i);
        text(in, key);
        put(in, 1);
        put(in, 126);
    }
    no_deletes(in);
}

static void one_key(struct input *in, size_t n)
{
    put(in, 1);
    block(in, n, 1, 0);
    for (size_t i = 0; i < n; i++) {
        if (i == 0) {
            in_root(in, 0x28, "m");
            text(in, "k");
        } else {
            put(in, 0xa8);
            id(in, 1, i - 1);
        }
        put(in, 1);
        put(in, 126);
    }
    no_deletes(in);
}

static void many_roots(struct input *in, size_t n)
{
    char name[24];

    put(in, 1);
    block(in, n, 1, 0);
    for (size_t i = 0; i < n; i++) {
        key_of(name, i);
        in_root(in, 4, name);
        text(in, "x");
    }
    no_deletes(in);
}

/* n formats begin, then a letter, then they end. */
static void formats(struct input *in, size_t n)
{
    char key[24];

    put(in, 1);
    block(in, 2 * n + 1, 1, 0);
    for (size_t i = 0; i <= 2 * n; i++) {
        if (i == 0) {
            in_root(in, 6, "t");
        } else {
            put(in, i == n ? 0x84 : 0x86);
            id(in, 1, i - 1);
        }
        if (i == n) {
            text(in, "x");
            continue;
        }
        key_of(key, i < n ? i : 2 * n - i);
        text(in, key);
        text(in, i < n ? "true" : "null");
    }
    no_deletes(in);
}

/* Formats that say nothing new: a second client's edit has them cleaned up. */
static void idle_formats(struct input *in, size_t n)
{
    put(in, 1);
    block(in, n, 1, 0);
    for (size_t i = 0; i < n; i++) {
        if (i == 0) {
            in_root(in, 6, "t");
        } else {
            put(in, 0x86);
            id(in, 1, i - 1);
        }
        text(in, "b");
        text(in, i % 2 ? "true" : "null");
    }
    no_deletes(in);
    put(in, 1);
    block(in, 1, 2, 0);
    put(in, 0x86);
    id(in, 1, n / 2);
    text(in, "b");
    text(in, "null");
    no_deletes(in);
}

static void collected(struct input *in, size_t n)
{
    put(in, 1);
    block(in, n, 1, 0);
    for (size_t i = 0; i < n; i++) {
        put(in, 0);
        put(in, 1);
    }
    no_deletes(in);
}

static void skips(struct input *in, size_t n)
{
    put(in, 1);
    block(in, 2 * n, 1, 0);
    for (size_t i = 0; i < n; i++) {
        put(in, 0);
        put(in, 1);
        put(in, 10);
        put(in, 1);
    }
    no_deletes(in);
}

static void letter(struct input *in, uint64_t client, uint64_t clock)
{
    put(in, 1);
    block(in, 1, client, clock);
    if (clock == 0) {
        in_root(in, 4, "t");
    } else {
        put(in, 0x84);
        id(in, client, clock - 1);
    }
    text(in, "x");
    no_deletes(in);
}

static void reverse(struct input *in, size_t n)
{
    for (size_t i = n; i-- > 0;)
        letter(in, 1, i);
}

static void in_order(struct input *in, size_t n)
{
    for (size_t i = 0; i < n; i++)
        letter(in, 1, i);
}

/* n clients wait, each for another letter of client 1; those come. */
static void waits_end_one_by_one(struct input *in, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        put(in, 1);
        block(in, 1, i + 2, 0);
        put(in, 0x84);
        id(in, 1, i);
        text(in, "y");
        no_deletes(in);
    }
    in_order(in, n);
}

static void deep_value(struct input *in, size_t n)
{
    put(in, 1);
    block(in, 1, 1, 0);
    in_root(in, 8, "a");
    put(in, 1);
    for (size_t i = 0; i < n; i++) {
        put(in, 117);
        put(in, 1);
    }
    put(in, 126);
    no_deletes(in);
}

/* In format v2: n Deleted structs of one client, all columns one run. */
static void v2_run(struct input *in, size_t n)
{
    /* column: varuint length, then its bytes */
    size_t len, i;

    put(in, 0);
    for (i = 0; i < 9; i++) {
        struct input col = {NULL, 0, 0, NULL, 0, 0};

        if (i == 1) { /* client: one, not repeated */
            num(&col, 1);
        } else if (i == 4) { /* info: GC, n times */
            put(&col, 0);
        } else if (i == 5) { /* strings: none */
            put(&col, 0);
        } else if (i == 8) { /* lengths: 1, n times */
            put(&col, 0x41);
            num(&col, n - 2);
        }
        num(in, col.len);
        for (len = 0; len < col.len; len++)
            put(in, col.data[len]);
        free(col.data);
    }
    num(in, 1); /* blocks */
    num(in, n); /* structs */
    num(in, 0); /* clock */
    no_deletes(in);
}

/* ---------------------------------------------------------------- measuring */

struct heap {
    size_t used, peak;
};

/* Each block has its size before it. */
static void *counted(void *ctx, void *ptr, size_t size)
{
    struct heap *h = ctx;
    size_t *block = ptr == NULL ? NULL : (size_t *)ptr - 2;
    size_t old = block == NULL ? 0 : *block;

    if (size == 0) {
        free(block);
        h->used -= old;
        return NULL;
    }
    block = realloc(block, size + 2 * sizeof(size_t));
    if (block == NULL)
        return NULL;
    *block = size;
    h->used += size - old;
    if (h->used > h->peak)
        h->peak = h->used;
    return block + 2;
}

enum how {
    APPLY,
    APPLY_V2,    /* the input is v2 */
    APPLY_AS_V2, /* it is made v2 first, and that not measured */
    JSON,
    MERGE,
    COMPACT
};

struct result {
    double ms;
    size_t bytes, peak;
    int rc;
    enum yjs_limit limit;
};

static double now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static struct yjs_span update_at(const struct input *in, size_t i)
{
    size_t from = i == 0 ? 0 : in->ends[i - 1];

    return (struct yjs_span){in->data + from, in->ends[i] - from};
}

static int run_doc(enum how how, const struct input *in, struct heap *heap,
                   enum yjs_limit *limit)
{
    struct yjs_doc_options opt = {.alloc = {counted, heap}};
    struct yjs_bytes out = {NULL, 0, {NULL, NULL}};
    yjs_doc *doc;
    int rc = yjs_doc_new(&opt, &doc);
    size_t i;

    if (rc != YJS_OK)
        return rc;
    for (i = 0; i < in->n && rc == YJS_OK; i++) {
        struct yjs_span u = update_at(in, i);

        rc = how == APPLY_V2 || how == APPLY_AS_V2
                 ? yjs_apply_update_v2(doc, u.data, u.len, NULL)
                 : yjs_apply_update(doc, u.data, u.len, NULL);
    }
    if (rc == YJS_OK && how == JSON)
        rc = yjs_doc_to_json(doc, "t:text,m:map", &out);
    else if (rc == YJS_OK)
        rc = yjs_encode_state_as_update(doc, NULL, 0, &out);
    *limit = rc == YJS_ERR_LIMIT ? yjs_doc_limit(doc) : YJS_LIMIT_NONE;
    yjs_bytes_free(&out);
    yjs_doc_free(doc);
    return rc;
}

static int run_updates(enum how how, const struct input *in, struct heap *heap)
{
    struct yjs_update_options opt = {.alloc = {counted, heap}};
    struct yjs_bytes out = {NULL, 0, {NULL, NULL}};
    struct yjs_span *spans = calloc(in->n, sizeof(*spans));
    size_t i;
    int rc;

    if (spans == NULL)
        die("out of memory");
    for (i = 0; i < in->n; i++)
        spans[i] = update_at(in, i);
    rc = how == MERGE ? yjs_update_merge(spans, in->n, &opt, NULL, &out)
                      : yjs_update_compact(spans[0], &opt, NULL, &out);
    yjs_bytes_free(&out);
    free(spans);
    return rc;
}

static void make_v2(struct input *in)
{
    struct input v2 = {NULL, 0, 0, NULL, 0, 0};
    size_t i, k;

    for (i = 0; i < in->n; i++) {
        struct yjs_bytes u;

        if (yjs_update_convert(update_at(in, i), YJS_FORMAT_V2, NULL, NULL,
                               &u) != YJS_OK)
            die("no v2 of it");
        for (k = 0; k < u.len; k++)
            put(&v2, u.data[k]);
        end(&v2);
        yjs_bytes_free(&u);
    }
    free(in->data);
    free(in->ends);
    *in = v2;
}

static struct result measure(enum how how, void (*make)(struct input *, size_t),
                             size_t n, int runs)
{
    struct input in = {NULL, 0, 0, NULL, 0, 0};
    struct result r = {.ms = HUGE_VAL};
    int i;

    make(&in, n);
    if (how == APPLY_AS_V2)
        make_v2(&in);
    r.bytes = in.len;
    for (i = 0; i < runs; i++) {
        struct heap heap = {0, 0};
        double from = now_ms(), took;

        r.rc = how == MERGE || how == COMPACT
                   ? run_updates(how, &in, &heap)
                   : run_doc(how, &in, &heap, &r.limit);
        took = now_ms() - from;
        r.ms = took < r.ms ? took : r.ms;
        r.peak = heap.peak;
        if (heap.used != 0)
            die("a leak");
    }
    free(in.data);
    free(in.ends);
    return r;
}

/* ------------------------------------------------------------------- table */

static const struct hostile_case {
    const char *name;
    void (*make)(struct input *, size_t);
    size_t n;           /* the smallest size */
    enum how how;
    const char *forced; /* why it may be worse, and what stops it */
} cases[] = {
    {"n clients insert at one place, one update", one_place, 20000, APPLY, 0},
    {"... n updates, highest id first", one_place_falling, 20000, APPLY, 0},
    {"... n updates, lowest id first", one_place_rising, 1000, APPLY,
     "YATA's walk; `clients`"},
    {"... one update, lowest id forced first", one_place_forced, 1000, APPLY,
     "YATA's walk; `conflicts`"},
    {"... the same, 16 times as many", one_place_forced, 16000, APPLY,
     "YATA's walk; `conflicts`"},
    {"types nested n deep", nested, 20000, APPLY, 0},
    {"... read as JSON", nested, 20000, JSON, 0},
    {"... and deleted", nested_deleted, 20000, APPLY, 0},
    {"... and compacted", nested_deleted, 20000, COMPACT, 0},
    {"delete set of n unknown ranges", ranges_unknown, 125000, APPLY, 0},
    {"... one update each, from the end", ranges_one_by_one, 1000, APPLY,
     "kept in order; `pending_bytes`"},
    {"delete set of n known ranges", ranges_known, 50000, APPLY,
     "two structs a range; `doc_bytes`"},
    {"... in v2", ranges_known, 50000, APPLY_AS_V2,
     "the same; `doc_bytes`"},
    {"... and compacted", ranges_known, 50000, COMPACT, 0},
    {"n pairs cut in halves", pairs_cut, 5000, APPLY, 0},
    {"... and compacted", pairs_cut, 5000, COMPACT, 0},
    {"huge clocks and client ids", huge_ids, 20000, APPLY, 0},
    {"map with n keys", many_keys, 125000, APPLY, 0},
    {"... read as JSON", many_keys, 125000, JSON, 0},
    {"one key set n times", one_key, 50000, APPLY, 0},
    {"n root types", many_roots, 50000, APPLY, 0},
    {"n formats nested", formats, 2000, APPLY, 0},
    {"... read as plain text", formats, 2000, JSON, 0},
    {"n idle formats, cleaned up", idle_formats, 20000, APPLY, 0},
    {"n collected structs", collected, 100000, APPLY,
     "two bytes each; `structs`"},
    {"every other struct a skip", skips, 50000, APPLY,
     "two bytes each; `structs`"},
    {"n updates in reverse order", reverse, 20000, APPLY, 0},
    {"... merged without a document", reverse, 20000, MERGE, 0},
    {"n updates in order", in_order, 20000, APPLY, 0},
    {"n waits that end one by one", waits_end_one_by_one, 250, APPLY,
     "Yjs tries all again; `pending_bytes`"},
    {"value nested n deep", deep_value, 1000, APPLY, "`depth`"},
    {"v2: n structs in 20 bytes", v2_run, 10000, APPLY_V2,
     "that is v2; `structs`"},
    {"... more than there may be", v2_run, 9000000, APPLY_V2,
     "that is v2; `structs`"},
};

static const char *limit_name(const struct result *r)
{
    static const char *const names[] = {
        "?",       "update_bytes", "structs",    "clients",  "depth",
        "pending_bytes", "doc_bytes",    "text_bytes", "conflicts"};

    if (r->rc == YJS_OK)
        return "";
    if (r->rc != YJS_ERR_LIMIT)
        return yjs_strerror(r->rc);
    return names[r->limit <= YJS_LIMIT_CONFLICTS ? r->limit : 0];
}

static void print_time(double ms)
{
    printf(" %*.*f |", 7, ms < 10 ? 2 : ms < 100 ? 1 : 0, ms);
}

/* One row; false if it is worse than it may be. */
static int row(const struct hostile_case *c, size_t n, int runs)
{
    struct result r[STEPS];
    double growth, heap;
    int i, bad;

    for (i = 0; i < STEPS; i++)
        r[i] = measure(c->how, c->make, n << i, runs);
    growth = log2(r[STEPS - 1].ms / r[0].ms) / (STEPS - 1);
    heap = (double)r[STEPS - 1].peak / (double)r[STEPS - 1].bytes;
    bad = growth > worst_growth || heap > worst_heap ||
          (r[STEPS - 1].rc != YJS_OK && r[STEPS - 1].rc != YJS_ERR_LIMIT);
    printf("| %-40s | %7zu |", c->name, n);
    for (i = 0; i < STEPS; i++)
        print_time(r[i].ms);
    printf(" %5.2f | %6.1f | %-13s | %-36s |\n", growth, heap,
           limit_name(&r[STEPS - 1]),
           bad && c->forced == NULL ? "**too much**"
           : c->forced != NULL     ? c->forced
                                   : "");
    fflush(stdout);
    return !bad || (c->forced != NULL &&
                    (r[STEPS - 1].rc == YJS_OK ||
                     r[STEPS - 1].rc == YJS_ERR_LIMIT));
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"only", required_argument, NULL, 'o'},
        {"runs", required_argument, NULL, 'n'},
        {"scale", required_argument, NULL, 's'},
        {NULL, 0, NULL, 0}};
    const char *only = NULL;
    size_t i, scale = 100;
    int c, runs = 3, bad = 0;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'o')
            only = optarg;
        else if (c == 'n')
            runs = (int)strtol(optarg, NULL, 10);
        else if (c == 's')
            scale = strtoul(optarg, NULL, 10);
        else
            return 2;
    }
    printf("| %-40s | %7s | %7s | %7s | %7s | %7s | %5s | %6s | %-13s | %-36s "
           "|\n",
           "input", "n", "n: ms", "2n: ms", "4n: ms", "8n: ms", "power",
           "heap/B", "stopped by", "forced by; bounded by");
    printf("|%s|--------:|--------:|--------:|--------:|--------:|------:|"
           "-------:|---------------|%s|\n",
           "------------------------------------------",
           "--------------------------------------");
    for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        size_t n = cases[i].n * scale / 100;

        if (only == NULL || strstr(cases[i].name, only) != NULL)
            bad += !row(&cases[i], n < 8 ? 8 : n, runs);
    }
    return bad > 0;
}
