/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: updates of the kind that src/yjs/typing.c has a short way for,
 * and nearly of that kind. Two documents get the same, but one of them always
 * with a deletion of nothing added, which sends it the long way. After each
 * update both have answered the same, have told the same and are the same.
 *
 * Input: a byte of flags, then the updates, a few bytes each.
 */
#include "fuzz.h"

#include "yjs/doc.h"
#include "yjs/store.h"

#define CLIENTS   3u
#define BYTES_MAX 128u

/* A client id, and a place in what that client wrote. */
struct place {
    uint64_t client, clock;
};

struct told {
    uint8_t bytes[2 * BYTES_MAX];
    size_t len;
    int n;
};

struct pair {
    yjs_doc *quick, *slow;
    uint64_t id;
    struct told by_quick, by_slow;
    struct place right[CLIENTS]; /* right origin of what each is typing */
    bool has_right[CLIENTS];
    struct place cursor; /* where somebody deletes */
};

/* One byte and several; the last is beyond 32 bits. */
static const uint64_t ids[CLIENTS] = {1, 70000, 0x123456789abcu};

static const char *const texts[] = {"a",
                                    "bc",
                                    "\xc3\xa9",
                                    "\xf0\x9f\x98\x80",
                                    "x\xf0\x9f\x98\x80",
                                    "a longer piece of text",
                                    "\xff",
                                    ""};
#define TEXTS (sizeof(texts) / sizeof(texts[0]))

static uint64_t state_of(const struct pair *p, uint64_t id)
{
    uint32_t c = yjs__store_find_client(p->slow, id);

    return c == YJS__NONE ? 0 : yjs__client(p->slow, c)->state;
}

/* ------------------------------------------------------------------ updates */

struct writer {
    uint8_t bytes[BYTES_MAX];
    size_t len;
};

static void put(struct writer *w, uint64_t v)
{
    FUZZ_ASSERT(w->len + 10 <= sizeof(w->bytes));
    for (; v > 0x7f; v >>= 7)
        w->bytes[w->len++] = (uint8_t)(v | 0x80);
    w->bytes[w->len++] = (uint8_t)v;
}

static void put_byte(struct writer *w, uint8_t v)
{
    FUZZ_ASSERT(w->len < sizeof(w->bytes));
    w->bytes[w->len++] = v;
}

static void put_place(struct writer *w, const struct place *place)
{
    put(w, place->client);
    put(w, place->clock);
}

static void put_text(struct writer *w, const char *text)
{
    size_t len = strlen(text);

    put(w, len);
    FUZZ_ASSERT(w->len + len <= sizeof(w->bytes));
    memcpy(w->bytes + w->len, text, len);
    w->len += len;
}

static struct place any_place(struct fuzz_input *in, const struct pair *p)
{
    uint8_t which = fuzz_byte(in);
    struct place place = {ids[which % CLIENTS], which / CLIENTS};
    uint64_t state = state_of(p, place.client);

    /* mostly near the end of what there is */
    if ((which & 64) != 0 && state > place.clock % 16)
        place.clock = state - 1 - place.clock % 16;
    return place;
}

/* The first that a client writes: in a root, or as the value of a key. */
static void put_first(struct writer *w, uint8_t op)
{
    bool keyed = (op & 64) != 0;

    put_byte(w, keyed ? 0x24 : 0x04);
    put(w, 1);
    put_text(w, keyed ? "m" : "t");
    if (keyed)
        put_text(w, "k");
}

static void put_behind(struct writer *w, const struct place *origin,
                       const struct place *right, uint8_t op)
{
    static const uint8_t kinds[4] = {4, 4, 4, 6};
    uint8_t kind = kinds[op >> 6];

    put_byte(w, (uint8_t)(kind | 0x80 | (right != NULL ? 0x40 : 0)));
    put_place(w, origin);
    if (right != NULL)
        put_place(w, right);
    if (kind == 6)
        put_text(w, "b");
}

/* A letter: going on, at a new place, or claiming to be elsewhere. */
static void write_letter(struct writer *w, struct fuzz_input *in,
                         struct pair *p, uint8_t op)
{
    uint8_t which = fuzz_byte(in);
    size_t k = which % CLIENTS;
    struct place id = {ids[k], state_of(p, ids[k])};
    struct place origin = {id.client, id.clock - 1};
    const char *text = texts[which / CLIENTS % TEXTS];

    put(w, 1);
    put(w, 1);
    if ((op & 16) != 0)
        id.clock -= id.clock > 0;
    put_place(w, &id);
    if ((op & 32) != 0 || id.clock == 0) {
        origin = any_place(in, p);
        p->has_right[k] = (op & 8) != 0;
        p->right[k] = any_place(in, p);
    }
    if (id.clock == 0 && (op & 4) == 0)
        put_first(w, op);
    else
        put_behind(w, &origin, p->has_right[k] ? &p->right[k] : NULL, op);
    put_text(w, (op >> 6) == 3 && id.clock > 0 ? "true" : text);
}

/* What is deleted: beside what was deleted last, or anywhere; for the slow one
 * and nothing behind that. */
static void write_range(struct writer *quick, struct writer *slow,
                        struct fuzz_input *in, struct pair *p, uint8_t op)
{
    uint64_t len = 1 + (op >> 6);

    if ((op & 32) != 0)
        p->cursor = any_place(in, p);
    else if ((op & 16) == 0)
        p->cursor.clock -= p->cursor.clock > 0;
    put(quick, p->cursor.client);
    put(quick, 1);
    put(quick, p->cursor.clock);
    put(quick, len);
    put(slow, p->cursor.client);
    put(slow, 2);
    put(slow, p->cursor.clock);
    put(slow, len);
    put(slow, 0);
    put(slow, 0);
    if ((op & 16) != 0)
        p->cursor.clock += len;
}

/* ------------------------------------------------------------ both of them */

static void on_update(void *ctx, const struct yjs_update_event *event)
{
    struct told *told = ctx;

    FUZZ_ASSERT(event->err == YJS_OK && told->n < 2);
    FUZZ_ASSERT(told->len + event->v1.len <= sizeof(told->bytes));
    memcpy(told->bytes + told->len, event->v1.data, event->v1.len);
    told->len += event->v1.len;
    told->n++;
}

static void must_be_equal(struct pair *p)
{
    struct yjs_bytes a, b;

    FUZZ_ASSERT(yjs__doc_check(p->quick) == YJS_OK);
    FUZZ_ASSERT(yjs__doc_check(p->slow) == YJS_OK);
    FUZZ_ASSERT(yjs_encode_state_as_update(p->quick, NULL, 0, &a) == YJS_OK);
    FUZZ_ASSERT(yjs_encode_state_as_update(p->slow, NULL, 0, &b) == YJS_OK);
    FUZZ_ASSERT(a.len == b.len && memcmp(a.data, b.data, a.len) == 0);
    yjs_bytes_free(&a);
    yjs_bytes_free(&b);
    FUZZ_ASSERT((yjs_doc_client_id(p->quick) == p->id) ==
                (yjs_doc_client_id(p->slow) == p->id));
    FUZZ_ASSERT(p->by_quick.n == p->by_slow.n &&
                p->by_quick.len == p->by_slow.len);
    FUZZ_ASSERT(memcmp(p->by_quick.bytes, p->by_slow.bytes, p->by_quick.len) ==
                0);
}

static void apply(struct pair *p, const struct writer *quick,
                  const struct writer *slow)
{
    struct yjs_apply_result a = {0}, b = {0};
    int rc;

    p->by_quick.n = p->by_slow.n = 0;
    p->by_quick.len = p->by_slow.len = 0;
    rc = yjs_apply_update(p->slow, slow->bytes, slow->len, &b);
    FUZZ_ASSERT(yjs_apply_update(p->quick, quick->bytes, quick->len, &a) == rc);
    FUZZ_ASSERT(rc != YJS_OK ||
                (a.changed == b.changed && a.pending == b.pending));
    must_be_equal(p);
}

static void step(struct pair *p, struct fuzz_input *in)
{
    struct writer quick = {{0}, 0}, slow;
    uint8_t op = fuzz_byte(in);
    bool letter = (op & 1) == 0, range = !letter || (op & 2) != 0;

    if (letter)
        write_letter(&quick, in, p, op);
    else
        put(&quick, 0);
    slow = quick;
    put(&quick, range);
    put(&slow, 1);
    if (range) {
        write_range(&quick, &slow, in, p, op);
    } else {
        put(&slow, 1);
        put(&slow, 1);
        put(&slow, 0);
        put(&slow, 0);
    }
    apply(p, &quick, &slow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    uint8_t flags = fuzz_byte(&in);
    struct yjs_doc_options opt = {.client_id = (flags & 8) ? ids[1] : 77777,
                                  .keep_deleted = (flags & 1) != 0};
    struct pair p = {.id = opt.client_id, .cursor = {1, 0}};
    struct yjs_type text;
    struct yjs_span name = {(const uint8_t *)"t", 1};

    FUZZ_ASSERT(yjs_doc_new(&opt, &p.quick) == YJS_OK);
    FUZZ_ASSERT(yjs_doc_new(&opt, &p.slow) == YJS_OK);
    if ((flags & 2) != 0) {
        FUZZ_ASSERT(yjs_doc_root(p.quick, name, YJS_TYPE_TEXT, &text) ==
                    YJS_OK);
        FUZZ_ASSERT(yjs_doc_root(p.slow, name, YJS_TYPE_TEXT, &text) == YJS_OK);
    }
    if ((flags & 4) != 0) {
        yjs_doc_on_update(p.quick, YJS_FORMAT_V1, on_update, &p.by_quick);
        yjs_doc_on_update(p.slow, YJS_FORMAT_V1, on_update, &p.by_slow);
    }
    for (int i = 0; i < 300 && in.left > 0; i++)
        step(&p, &in);
    yjs_doc_free(p.quick);
    yjs_doc_free(p.slow);
    return 0;
}
