/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: three documents that are edited at the same time. The input's
 * bytes are commands: edits of every kind in any type, transactions that are
 * committed, taken back, or broken by an allocator that fails; updates that
 * travel in any order, in either format, twice, or as a diff of states. After
 * each step every invariant of the store holds; what was taken back left no
 * trace; and when all has arrived everywhere, the documents are one.
 */
#include "fuzz.h"

#include "yjs.h"

enum { DOCS = 3, ROOTS = 5, UPDATES_MAX = 3000 };

struct heap {
    size_t blocks;
    size_t fail_in;
};

struct replica {
    yjs_doc *doc;
    yjs_txn *txn; /* open, or NULL */
    struct heap heap;
    struct yjs_type roots[ROOTS];
    struct yjs_bytes before; /* the state when the transaction began */
    uint8_t *got;            /* which updates have arrived */
};

/* What was emitted, in both formats, for as long as the input runs. */
struct update {
    struct yjs_bytes v1, v2;
};

static struct replica replicas[DOCS];
static struct update updates[UPDATES_MAX];
static size_t n_updates;

static void *heap_realloc(void *ctx, void *ptr, size_t size)
{
    struct heap *heap = ctx;
    void *p;

    if (size == 0) {
        heap->blocks -= ptr != NULL;
        free(ptr);
        return NULL;
    }
    if (heap->fail_in > 0 && --heap->fail_in == 0)
        return NULL;
    p = realloc(ptr, size);
    heap->blocks += p != NULL && ptr == NULL;
    return p;
}

static struct yjs_span span(const struct yjs_bytes *bytes)
{
    return (struct yjs_span){bytes->data, bytes->len};
}

static struct yjs_span text_span(const char *text)
{
    return (struct yjs_span){(const uint8_t *)text, strlen(text)};
}

static bool same(const struct yjs_bytes *a, const struct yjs_bytes *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

static struct yjs_bytes state_of(yjs_doc *doc)
{
    struct yjs_bytes out = {0};

    FUZZ_ASSERT(yjs_encode_state_as_update(doc, NULL, 0, &out) == YJS_OK);
    return out;
}

static struct yjs_bytes copy_of(struct yjs_span s)
{
    struct yjs_bytes out = {malloc(s.len + 1), s.len, {NULL, NULL}};

    if (out.data == NULL)
        abort();
    if (s.len > 0)
        memcpy(out.data, s.data, s.len);
    return out;
}

/* ---------------------------------------------------------------- documents */

static struct yjs_bytes convert(struct yjs_span update, enum yjs_format from)
{
    struct yjs_update_options opt = {.format = from};
    struct yjs_bytes out = {0};

    FUZZ_ASSERT(yjs_update_convert(update,
                                   from == YJS_FORMAT_V1 ? YJS_FORMAT_V2
                                                         : YJS_FORMAT_V1,
                                   &opt, NULL, &out) == YJS_OK);
    return out;
}

/* Both say the same. An update of our own has marks that are lost when it is
 * converted: so it is on both ways. */
static void must_be_twins(struct yjs_span v1, struct yjs_span v2)
{
    struct yjs_bytes a = convert(v1, YJS_FORMAT_V1);
    struct yjs_bytes b = convert(v2, YJS_FORMAT_V2);
    struct yjs_bytes c = convert(span(&b), YJS_FORMAT_V1);

    FUZZ_ASSERT(same(&a, &c));
    yjs_bytes_free(&a);
    yjs_bytes_free(&b);
    yjs_bytes_free(&c);
}

static void on_update(void *ctx, const struct yjs_update_event *event)
{
    struct replica *r = ctx;

    if (event->err != YJS_OK) { /* a real one would now send its state */
        FUZZ_ASSERT(event->err == YJS_ERR_NOMEM && r->heap.fail_in == 0);
        return;
    }
    must_be_twins(event->v1, event->v2);
    if (n_updates == UPDATES_MAX)
        return;
    updates[n_updates].v1 = copy_of(event->v1);
    updates[n_updates].v2 = copy_of(event->v2);
    r->got[n_updates] = 1;
    n_updates++;
}

static const struct {
    const char *name;
    enum yjs_type_kind kind;
} root_names[ROOTS] = {{"text", YJS_TYPE_TEXT},
                       {"array", YJS_TYPE_ARRAY},
                       {"map", YJS_TYPE_MAP},
                       {"xml", YJS_TYPE_XML_FRAGMENT},
                       {"rich", YJS_TYPE_XML_TEXT}};

static yjs_doc *new_doc(struct heap *heap, uint64_t client, bool keep_deleted)
{
    struct yjs_doc_options opt = {
        .client_id = client,
        .keep_deleted = keep_deleted,
        .limits = {.doc_bytes = 64 << 20, .pending_bytes = 4 << 20},
        .alloc = {heap_realloc, heap},
    };
    yjs_doc *doc = NULL;

    FUZZ_ASSERT(yjs_doc_new(&opt, &doc) == YJS_OK);
    return doc;
}

static void open_replica(struct replica *r, uint64_t client, bool keep_deleted)
{
    memset(r, 0, sizeof(*r));
    r->doc = new_doc(&r->heap, client, keep_deleted);
    r->got = calloc(UPDATES_MAX, 1);
    if (r->got == NULL)
        abort();
    yjs_doc_on_update(r->doc, YJS_FORMAT_V1 | YJS_FORMAT_V2, on_update, r);
    for (size_t i = 0; i < ROOTS; i++)
        FUZZ_ASSERT(yjs_doc_root(r->doc, text_span(root_names[i].name),
                                 root_names[i].kind, &r->roots[i]) == YJS_OK);
}

static void close_replica(struct replica *r)
{
    yjs_doc_free(r->doc);
    free(r->got);
    FUZZ_ASSERT(r->heap.blocks == 0);
}

/* ------------------------------------------------------------- transactions */

static void must_be_as_before(struct replica *r)
{
    struct yjs_bytes now = state_of(r->doc);

    FUZZ_ASSERT(same(&now, &r->before));
    yjs_bytes_free(&now);
}

static void end_txn(struct replica *r, bool commit)
{
    int rc = YJS_ERR_NOMEM;

    if (r->txn == NULL)
        return;
    if (commit)
        rc = yjs_txn_commit(r->txn);
    else
        yjs_txn_abort(r->txn);
    r->heap.fail_in = 0;
    r->txn = NULL;
    FUZZ_ASSERT(rc == YJS_OK || rc == YJS_ERR_NOMEM);
    if (rc != YJS_OK)
        must_be_as_before(r);
    yjs_bytes_free(&r->before);
}

static bool need_txn(struct replica *r)
{
    size_t fail_in = r->heap.fail_in;

    if (r->txn != NULL)
        return true;
    r->heap.fail_in = 0;
    r->before = state_of(r->doc);
    r->heap.fail_in = fail_in;
    if (yjs_txn_begin(r->doc, NULL, &r->txn) == YJS_OK)
        return true;
    r->heap.fail_in = 0;
    must_be_as_before(r);
    yjs_bytes_free(&r->before);
    return false;
}

/* -------------------------------------------------------------------- edits */

/* A root, or something nested in it, as far as the input says. */
static struct yjs_type pick_type(struct replica *r, struct fuzz_input *in)
{
    uint8_t how = fuzz_byte(in);
    struct yjs_type type = r->roots[how % ROOTS];
    size_t fail_in = r->heap.fail_in; /* not here */

    r->heap.fail_in = 0;
    for (unsigned int depth = how / 64; depth > 0; depth--) {
        uint8_t skip = fuzz_byte(in);
        struct yjs_type found = type;
        struct yjs_iter iter;
        struct yjs_value value;
        bool entries = (skip & 1) != 0;
        int rc;

        rc = entries ? yjs_iter_entries(r->doc, type, &iter)
                     : yjs_iter_sequence(r->doc, type, &iter);
        if (rc == YJS_ERR_TYPE) /* then it has the other */
            rc = entries ? yjs_iter_sequence(r->doc, type, &iter)
                         : yjs_iter_entries(r->doc, type, &iter);
        FUZZ_ASSERT(rc == YJS_OK);
        for (skip /= 8; yjs_iter_next(&iter, NULL, &value);) {
            if (value.kind != YJS_VALUE_TYPE)
                continue;
            found = value.type;
            if (skip-- == 0)
                break;
        }
        FUZZ_ASSERT(iter.err == YJS_OK);
        type = found;
    }
    r->heap.fail_in = fail_in;
    return type;
}

/* The last ones have surrogate pairs. To cut one, and not to insert anything
 * there in the end, makes two U+FFFD of it in the one document that did it,
 * in Yjs as here: see must_agree. */
static const char *const strings[] = {"a",
                                      "bc",
                                      "",
                                      "\xc3\xa9",
                                      "\n",
                                      "word ",
                                      "\xef\xbf\xbd",
                                      "long enough to leave the item",
                                      "\xf0\x9f\x98\x80",
                                      "x\xf0\x9f\x98\x80y",
                                      "\xef\xbf\xbd\xf0\x90\x80\x80"};
enum { STRINGS = 11, WITH_PAIRS = 3 };
static bool pairs;

static const char *const attributes[] = {"",
                                         "{}",
                                         "{\"b\":true}",
                                         "{\"b\":null}",
                                         "{\"i\":1,\"b\":true}",
                                         "{\"link\":{\"href\":\"x\"}}",
                                         "{\"link\":null,\"i\":null}",
                                         "{\"b\":false}",
                                         "{\"\":[1,\"\\ud83d\\ude00\"]}",
                                         "{\"b\":"};

static const char *const deltas[] = {
    "[{\"insert\":\"ab\"},{\"retain\":1},{\"delete\":1}]",
    "[{\"retain\":2,\"attributes\":{\"b\":true}},{\"insert\":\"c\"}]",
    "[{\"delete\":3},{\"insert\":{\"e\":1},\"attributes\":{\"i\":1}}]", "[]",
    "[{\"retain\":9}]"};

static const char *const keys[] = {"a", "b", "", "key", "\xc3\xbc", "b"};

#define PICK(list, byte) ((list)[(byte) % (sizeof(list) / sizeof((list)[0]))])

static struct yjs_span some_text(uint8_t which)
{
    return text_span(strings[which % (pairs ? STRINGS : STRINGS - WITH_PAIRS)]);
}

static struct yjs_value make_value(struct fuzz_input *in)
{
    static const double numbers[] = {0,   -1,  1.5,  1e300,  -0.0,
                                     1e9, 255, 1e16, 5e-324, 2147483648.0};
    uint8_t what = fuzz_byte(in);
    struct yjs_value value = {.kind = (enum yjs_value_kind)(what % 11)};

    switch (value.kind) {
    case YJS_VALUE_BOOL:
        value.boolean = (what & 128) != 0;
        break;
    case YJS_VALUE_NUMBER:
        value.number = PICK(numbers, what / 11);
        break;
    case YJS_VALUE_BIGINT:
        value.bigint = (what & 128) != 0 ? INT64_MIN : what;
        break;
    case YJS_VALUE_STRING:
    case YJS_VALUE_BYTES:
        value.bytes = some_text(what / 11);
        break;
    case YJS_VALUE_JSON:
        value.bytes = text_span(PICK(attributes, what / 11));
        break;
    case YJS_VALUE_ANY:
        value.bytes = text_span("\x75\x02\x7d\x01\x76\x01\x01k\x7e");
        break;
    case YJS_VALUE_TYPE:
        value.type_kind = (enum yjs_type_kind)(what / 11 % 8);
        value.name = text_span("p");
        break;
    case YJS_VALUE_DOC:
        value.name = text_span("guid");
        break;
    default:
        break;
    }
    return value;
}

static int edit_text(struct replica *r, struct yjs_type type, uint8_t what,
                     uint64_t length, struct fuzz_input *in)
{
    uint64_t at = fuzz_byte(in) % (length + 2);
    uint64_t n = fuzz_byte(in) % 16;
    uint8_t more = fuzz_byte(in);
    struct yjs_span attrs = text_span(PICK(attributes, more / 16));
    struct yjs_span none = {NULL, 0}; /* those in force */
    struct yjs_value value;

    switch (what % 6) {
    case 0:
        return yjs_text_insert(r->txn, type, at, some_text(more), attrs);
    case 1:
        return yjs_text_delete(r->txn, type, at, n);
    case 2:
        return yjs_text_format(r->txn, type, at, n, attrs);
    case 3:
        value = make_value(in);
        return yjs_text_insert_embed(r->txn, type, at, &value, attrs);
    case 4:
        return yjs_text_apply_delta(r->txn, type,
                                    text_span(PICK(deltas, more)));
    default:
        return yjs_text_insert(r->txn, type, at, some_text(more), none);
    }
}

static int edit_list(struct replica *r, struct yjs_type type, uint8_t what,
                     uint64_t length, struct fuzz_input *in)
{
    uint64_t at = fuzz_byte(in) % (length + 2);
    struct yjs_value values[4];
    size_t n = fuzz_byte(in) % 5;

    if (what % 3 == 0)
        return yjs_array_delete(r->txn, type, at, n);
    for (size_t i = 0; i < n; i++)
        values[i] = make_value(in);
    return what % 3 == 1 ? yjs_array_insert(r->txn, type, at, values, n)
                         : yjs_array_push(r->txn, type, values, n);
}

static int edit_entries(struct replica *r, struct yjs_type type, uint8_t what,
                        struct fuzz_input *in)
{
    struct yjs_span key = text_span(PICK(keys, fuzz_byte(in)));
    struct yjs_value value;

    if (what % 8 == 0)
        return yjs_map_clear(r->txn, type);
    if (what % 4 == 1)
        return yjs_map_delete(r->txn, type, key);
    value = make_value(in);
    return yjs_map_set(r->txn, type, key, &value);
}

static void edit(struct replica *r, struct fuzz_input *in)
{
    struct yjs_type type = pick_type(r, in);
    uint8_t what = fuzz_byte(in);
    enum yjs_type_kind kind;
    uint64_t length = 0;
    int rc;

    if (!need_txn(r))
        return;
    FUZZ_ASSERT(yjs_type_kind(r->doc, type, &kind) == YJS_OK);
    FUZZ_ASSERT(yjs_type_length(r->doc, type, &length) == YJS_OK);
    switch (what & 128 ? 0 : what % 3) {
    case 0: /* what fits the type most */
        if (kind == YJS_TYPE_TEXT || kind == YJS_TYPE_XML_TEXT)
            rc = edit_text(r, type, what / 3, length, in);
        else if (kind == YJS_TYPE_MAP || kind == YJS_TYPE_XML_HOOK)
            rc = edit_entries(r, type, what / 3, in);
        else
            rc = edit_list(r, type, what / 3, length, in);
        break;
    case 1:
        rc = edit_entries(r, type, what / 3, in);
        break;
    default:
        rc = edit_list(r, type, what / 3, length, in);
        break;
    }
    FUZZ_ASSERT(rc == YJS_OK || rc == YJS_ERR_RANGE || rc == YJS_ERR_TYPE ||
                rc == YJS_ERR_DELETED || rc == YJS_ERR_MALFORMED ||
                rc == YJS_ERR_UNSUPPORTED || rc == YJS_ERR_NOMEM);
    if (rc == YJS_ERR_NOMEM) { /* broken: it can only end */
        FUZZ_ASSERT(yjs_map_clear(r->txn, r->roots[2]) == YJS_ERR_NOMEM);
        end_txn(r, (what & 1) != 0);
    }
}

/* ----------------------------------------------------------------- delivery */

static void apply(struct replica *r, const struct update *u, bool v2)
{
    const struct yjs_bytes *bytes = v2 ? &u->v2 : &u->v1;
    struct yjs_bytes before = {0};
    size_t fail_in = r->heap.fail_in;
    int rc;

    r->heap.fail_in = 0;
    if (fail_in > 0)
        before = state_of(r->doc);
    r->heap.fail_in = fail_in;
    rc = yjs_apply_update_from(r->doc, span(bytes),
                               v2 ? YJS_FORMAT_V2 : YJS_FORMAT_V1, NULL, NULL);

    if (rc != YJS_OK) {
        struct yjs_bytes after;

        FUZZ_ASSERT(rc == YJS_ERR_NOMEM);
        r->heap.fail_in = 0;
        after = state_of(r->doc);
        FUZZ_ASSERT(same(&before, &after));
        yjs_bytes_free(&after);
    } else {
        r->got[u - updates] = 1;
    }
    r->heap.fail_in = 0;
    yjs_bytes_free(&before);
}

static void deliver(struct replica *r, struct fuzz_input *in)
{
    uint8_t which = fuzz_byte(in);

    end_txn(r, true);
    if (n_updates > 0)
        apply(r, &updates[n_updates - 1 - (which / 2) % n_updates],
              (which & 1) != 0);
}

/* What the one lacks of the other, as sync step 2 has it. */
static void sync(struct replica *to, struct replica *from)
{
    struct yjs_bytes sv = {0}, diff = {0};

    end_txn(to, true);
    end_txn(from, true);
    to->heap.fail_in = from->heap.fail_in = 0;
    FUZZ_ASSERT(yjs_encode_state_vector(to->doc, &sv) == YJS_OK);
    FUZZ_ASSERT(yjs_encode_state_as_update(from->doc, sv.data, sv.len, &diff) ==
                YJS_OK);
    FUZZ_ASSERT(yjs_apply_update(to->doc, diff.data, diff.len, NULL) == YJS_OK);
    yjs_bytes_free(&sv);
    yjs_bytes_free(&diff);
}

/* What has come so far, to everybody; true when there was anything. */
static bool deliver_known(void)
{
    bool any = false;

    for (size_t k = 0; k < DOCS; k++)
        for (size_t i = 0; i < n_updates; i++) /* each in an order of its own */
            if (!replicas[k].got[i]) {
                apply(&replicas[k], &updates[i], k == 1);
                any = true;
            }
    return any;
}

/* The clean-up of formats answers updates with deletions: until none comes.
 * Updates that memory was lacking for arrive with the states. */
static void deliver_all(void)
{
    size_t n;

    do {
        while (deliver_known())
            ;
        n = n_updates;
        for (size_t k = 0; k < 2 * DOCS; k++)
            sync(&replicas[k % DOCS], &replicas[(k + 1) % DOCS]);
    } while (n < n_updates);
}

/* A document read anew has all its neighbours merged that can be. */
static struct yjs_bytes plain_state(yjs_doc *doc, bool keep_deleted)
{
    struct heap heap = {0, 0};
    struct yjs_bytes state = state_of(doc), out;
    yjs_doc *fresh = new_doc(&heap, 99, keep_deleted);

    FUZZ_ASSERT(yjs_apply_update(fresh, state.data, state.len, NULL) == YJS_OK);
    FUZZ_ASSERT(yjs_doc_verify(fresh) == YJS_OK);
    out = state_of(fresh);
    yjs_bytes_free(&state);
    yjs_doc_free(fresh);
    return out;
}

static struct yjs_bytes vector_of(yjs_doc *doc)
{
    struct yjs_bytes out = {0};

    FUZZ_ASSERT(yjs_encode_state_vector(doc, &out) == YJS_OK);
    return out;
}

/* With pairs that may have been cut, all but the text itself. */
static void must_agree(bool keep_deleted)
{
    struct yjs_bytes first = plain_state(replicas[0].doc, keep_deleted);

    for (size_t k = 1; k < DOCS; k++) {
        struct yjs_bytes other = plain_state(replicas[k].doc, keep_deleted);
        struct yjs_bytes sv = vector_of(replicas[0].doc);
        struct yjs_bytes other_sv = vector_of(replicas[k].doc);

        FUZZ_ASSERT(pairs || same(&first, &other));
        FUZZ_ASSERT(same(&sv, &other_sv));
        yjs_bytes_free(&other);
        yjs_bytes_free(&sv);
        yjs_bytes_free(&other_sv);
    }
    yjs_bytes_free(&first);
}

static void step(struct fuzz_input *in)
{
    uint8_t op = fuzz_byte(in);
    struct replica *r = &replicas[op % DOCS];

    switch (op / DOCS % 16) {
    case 0:
        end_txn(r, true);
        break;
    case 1:
        end_txn(r, false);
        break;
    case 2:
        r->heap.fail_in = 1 + fuzz_byte(in);
        break;
    case 3:
        sync(r, &replicas[(op + 1) % DOCS]);
        break;
    case 4:
    case 5:
    case 6:
        deliver(r, in);
        break;
    default:
        edit(r, in);
        break;
    }
    FUZZ_ASSERT(r->txn != NULL || yjs_doc_verify(r->doc) == YJS_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    uint8_t flags = fuzz_byte(&in);
    bool keep_deleted = (flags & 1) != 0;

    pairs = (flags & 2) != 0;
    n_updates = 0;
    for (size_t k = 0; k < DOCS; k++)
        open_replica(&replicas[k], k + 1, keep_deleted);
    while (in.left > 0 && n_updates < UPDATES_MAX / 2)
        step(&in);
    for (size_t k = 0; k < DOCS; k++) {
        replicas[k].heap.fail_in = 0;
        end_txn(&replicas[k], true);
    }
    deliver_all();
    for (size_t k = 0; k < DOCS; k++)
        FUZZ_ASSERT(yjs_doc_verify(replicas[k].doc) == YJS_OK);
    must_agree(keep_deleted);
    for (size_t k = 0; k < DOCS; k++)
        close_replica(&replicas[k]);
    for (size_t i = 0; i < n_updates; i++) {
        free(updates[i].v1.data);
        free(updates[i].v2.data);
    }
    return 0;
}
