/* SPDX-License-Identifier: MIT */
/*
 * store.c: clients and their structs by clock.
 *
 * Must never: interpret content, or leave a half-made change when memory ends:
 * what can fail is asked for before anything moves.
 */
#include "yjs/store.h"

#include "yjs/sort.h"

/* ----------------------------------------------------------------- clients */

uint32_t yjs__store_find_client(const yjs_doc *doc, uint64_t id)
{
    uint32_t hash = yjs__hash_u64(doc->seed, id);
    uint32_t at = yjs__index_first(&doc->client_index, hash);
    uint32_t v;

    while ((v = yjs__index_probe(&doc->client_index, &at, hash)) != 0) {
        if (doc->clients[v - 1].id == id)
            return v - 1;
        at = yjs__index_next(&doc->client_index, at);
    }
    return YJS__NONE;
}

uint32_t yjs__store_add_client(yjs_doc *doc, uint64_t id)
{
    uint32_t i = yjs__store_find_client(doc, id);
    void *clients = doc->clients;
    int rc;

    if (i != YJS__NONE)
        return i;
    i = doc->client_count;
    if (i >= doc->limits.clients) {
        doc->mem.err = yjs__mem_over(&doc->mem, YJS_LIMIT_CLIENTS);
        return YJS__NONE;
    }
    rc = yjs__mem_grow(&doc->mem, &clients, &doc->client_cap, (size_t)i + 1,
                       sizeof(*doc->clients));
    doc->clients = clients;
    if (rc == YJS_OK)
        rc = yjs__index_reserve(&doc->mem, &doc->client_index);
    if (rc != YJS_OK)
        return YJS__NONE;
    doc->clients[i] = (struct yjs__client){.id = id, .missing = UINT64_MAX};
    yjs__index_insert(&doc->client_index, yjs__hash_u64(doc->seed, id), i + 1);
    doc->client_count++;
    doc->sorted_valid = false;
    return i;
}

uint64_t yjs__store_new_id(const yjs_doc *doc, uint64_t old)
{
    uint64_t id = old;

    do {
        id = id * 6364136223846793005u + 1442695040888963407u;
        /* 32 bits, as Yjs draws them */
        old = yjs__hash_u64(doc->seed, id);
    } while (old == 0 || yjs__store_find_client(doc, old) != YJS__NONE);
    return old;
}

static void free_chunks(yjs_doc *doc, struct yjs__client *c)
{
    uint32_t i;

    for (i = 0; i < c->len; i++)
        yjs__mem_free(&doc->mem, c->chunks[i].slots,
                      c->chunks[i].cap * sizeof(struct yjs__slot));
    yjs__mem_free(&doc->mem, c->chunks, c->cap * sizeof(*c->chunks));
    c->chunks = NULL;
    c->len = c->cap = 0;
}

void yjs__store_drop_client(yjs_doc *doc)
{
    struct yjs__client *c = &doc->clients[doc->client_count - 1];

    free_chunks(doc, c);
    yjs__index_remove(&doc->client_index, yjs__hash_u64(doc->seed, c->id),
                      doc->client_count);
    doc->client_count--;
    doc->sorted_valid = false;
}

static int compare_ids(const void *ctx, const void *a, const void *b)
{
    const yjs_doc *doc = ctx;
    uint64_t x = doc->clients[*(const uint32_t *)a].id;
    uint64_t y = doc->clients[*(const uint32_t *)b].id;

    return x > y ? -1 : x < y;
}

const uint32_t *yjs__store_sorted(yjs_doc *doc)
{
    void *sorted = doc->sorted;
    uint32_t i;
    int rc;

    if (doc->sorted_valid)
        return doc->sorted;
    /* One more than needed: NULL must not mean an empty document. */
    rc = yjs__mem_grow(&doc->mem, &sorted, &doc->sorted_cap,
                       (size_t)doc->client_count + 1, sizeof(*doc->sorted));
    doc->sorted = sorted;
    if (rc < 0)
        return NULL;
    for (i = 0; i < doc->client_count; i++)
        doc->sorted[i] = i;
    yjs__sort(doc->sorted, doc->client_count, sizeof(uint32_t), compare_ids,
              doc);
    doc->sorted_valid = true;
    return doc->sorted;
}

void yjs__store_deinit(yjs_doc *doc)
{
    uint32_t i;

    for (i = 0; i < doc->client_count; i++)
        free_chunks(doc, &doc->clients[i]);
    yjs__mem_free(&doc->mem, doc->clients,
                  doc->client_cap * sizeof(*doc->clients));
    yjs__mem_free(&doc->mem, doc->sorted,
                  doc->sorted_cap * sizeof(*doc->sorted));
    yjs__index_free(&doc->mem, &doc->client_index);
}

/* ------------------------------------------------------------------ search */

static uint32_t find_chunk(const struct yjs__client *c, uint64_t clock)
{
    uint32_t low = 0, high = c->len;

    /* The last chunk whose first clock is not beyond. */
    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;

        if (c->chunks[mid].clock <= clock)
            low = mid;
        else
            high = mid;
    }
    return low;
}

/* The last slot that does not begin behind the clock. */
static uint32_t find_in_chunk(const struct yjs__chunk *k, uint64_t clock)
{
    const struct yjs__slot *slot = k->slots;
    uint64_t wide = clock - k->clock;
    uint32_t offset = wide > UINT32_MAX ? UINT32_MAX : (uint32_t)wide;
    uint32_t n = k->len, half;

    for (; n > 1; n -= half) {
        half = n / 2;
        if (slot[half].offset <= offset)
            slot += half;
    }
    return (uint32_t)(slot - k->slots);
}

/* Where the struct at `s` ends, by what follows it. */
static uint64_t spot_end(const struct yjs__client *c, struct yjs__spot s)
{
    const struct yjs__chunk *k = &c->chunks[s.chunk];

    if (s.at + 1 < k->len)
        return k->clock + k->slots[s.at + 1].offset;
    return s.chunk + 1 < c->len ? k[1].clock : c->state;
}

static uint64_t spot_clock(const struct yjs__client *c, struct yjs__spot s)
{
    const struct yjs__chunk *k = &c->chunks[s.chunk];

    return k->clock + k->slots[s.at].offset;
}

struct yjs__spot yjs__store_find(struct yjs__client *c, uint64_t clock)
{
    struct yjs__spot s = {c->hint_chunk, c->hint_at};

    /* Edits come in runs: look where the last search ended, and behind. */
    if (s.chunk < c->len && s.at < c->chunks[s.chunk].len &&
        spot_clock(c, s) <= clock) {
        if (clock < spot_end(c, s))
            return s;
        if (yjs__spot_next(c, &s) && clock < spot_end(c, s))
            goto found;
    }
    s = yjs__store_last(c);
    if (spot_clock(c, s) <= clock)
        goto found;
    s.chunk = find_chunk(c, clock);
    s.at = find_in_chunk(&c->chunks[s.chunk], clock);
found:
    c->hint_chunk = s.chunk;
    c->hint_at = s.at;
    return s;
}

/* ----------------------------------------------------------------- changes */

static int grow_chunk(yjs_doc *doc, struct yjs__chunk *k)
{
    uint32_t cap = k->cap == 0 ? 2 : k->cap * 2u;
    struct yjs__slot *slots;

    slots = yjs__mem_resize(&doc->mem, k->slots, k->cap * sizeof(*slots),
                            cap * sizeof(*slots));
    if (slots == NULL)
        return doc->mem.err;
    k->slots = slots;
    k->cap = (uint16_t)cap;
    return YJS_OK;
}

/* An empty chunk of `cap` at directory place `at`. */
static int add_chunk(yjs_doc *doc, struct yjs__client *c, uint32_t at,
                     uint32_t cap)
{
    uint32_t want = c->cap;
    struct yjs__chunk *chunks;
    struct yjs__slot *slots;

    if (c->len == c->cap) {
        want = c->cap == 0 ? 1 : c->cap + c->cap / 2 + 1;
        chunks = yjs__mem_resize(&doc->mem, c->chunks,
                                 c->cap * sizeof(*chunks),
                                 want * sizeof(*chunks));
        if (chunks == NULL)
            return doc->mem.err;
        c->chunks = chunks;
        c->cap = want;
    }
    slots = yjs__mem_alloc(&doc->mem, cap * sizeof(*slots));
    if (slots == NULL)
        return doc->mem.err;
    memmove(c->chunks + at + 1, c->chunks + at,
            (c->len - at) * sizeof(*c->chunks));
    c->chunks[at] = (struct yjs__chunk){0, slots, 0, (uint16_t)cap};
    c->len++;
    return YJS_OK;
}

int yjs__store_push(yjs_doc *doc, uint32_t h)
{
    struct yjs__item *it = yjs__item(doc, h);
    struct yjs__client *c = yjs__client(doc, it->client);
    struct yjs__chunk *k = c->len == 0 ? NULL : &c->chunks[c->len - 1];
    int rc = YJS_OK;

    if (k == NULL)
        rc = add_chunk(doc, c, 0, 2);
    else if (it->clock - k->clock > UINT32_MAX) /* huge clocks: few in each */
        rc = add_chunk(doc, c, c->len, 2);
    else if (k->len == YJS__CHUNK)
        rc = add_chunk(doc, c, c->len, YJS__CHUNK);
    else if (k->len == k->cap)
        rc = grow_chunk(doc, k);
    if (rc != YJS_OK)
        return rc;
    k = &c->chunks[c->len - 1];
    if (k->len == 0)
        k->clock = it->clock;
    k->slots[k->len++] =
        (struct yjs__slot){(uint32_t)(it->clock - k->clock), h};
    c->state = yjs__item_end(it);
    c->count++;
    it->flags |= YJS__F_LIVE;
    return YJS_OK;
}

static void drop_chunks(yjs_doc *doc, struct yjs__client *c, uint32_t from,
                        uint32_t n)
{
    uint32_t i;

    for (i = from; i < from + n; i++)
        yjs__mem_free(&doc->mem, c->chunks[i].slots,
                      c->chunks[i].cap * sizeof(struct yjs__slot));
    memmove(c->chunks + from, c->chunks + from + n,
            (c->len - from - n) * sizeof(*c->chunks));
    c->len -= n;
}

void yjs__store_pop(yjs_doc *doc, struct yjs__client *c)
{
    struct yjs__chunk *k = &c->chunks[c->len - 1];

    k->len--;
    c->count--;
    c->state = k->clock + k->slots[k->len].offset;
    if (k->len == 0)
        drop_chunks(doc, c, c->len - 1, 1);
}

/* Let the chunk begin at its first slot. */
static void rebase(struct yjs__chunk *k)
{
    uint32_t by = k->slots[0].offset, i;

    if (by == 0)
        return;
    k->clock += by;
    for (i = 0; i < k->len; i++)
        k->slots[i].offset -= by;
}

/* Chunk `at` is full: move its upper half to a chunk of its own. */
static int halve_chunk(yjs_doc *doc, struct yjs__client *c, uint32_t at)
{
    struct yjs__chunk *k, *right;
    int rc = add_chunk(doc, c, at + 1, YJS__CHUNK);

    if (rc != YJS_OK)
        return rc;
    k = &c->chunks[at];
    right = k + 1;
    right->len = (uint16_t)(k->len / 2);
    k->len = (uint16_t)(k->len - right->len);
    memcpy(right->slots, k->slots + k->len, right->len * sizeof(*k->slots));
    right->clock = k->clock;
    rebase(right);
    return YJS_OK;
}

/*
 * Too far from the first clock of its chunk: it begins one of its own. What
 * followed it in that chunk would be further still, so nothing did.
 */
static int insert_far(yjs_doc *doc, struct yjs__client *c, struct yjs__spot s,
                      uint32_t h)
{
    struct yjs__chunk *right;
    int rc = add_chunk(doc, c, s.chunk + 1, 2);

    if (rc != YJS_OK)
        return rc;
    right = &c->chunks[s.chunk + 1];
    right->clock = yjs__item(doc, h)->clock;
    right->slots[0] = (struct yjs__slot){0, h};
    right->len = 1;
    c->count++;
    yjs__item(doc, h)->flags |= YJS__F_LIVE;
    return YJS_OK;
}

int yjs__store_insert(yjs_doc *doc, struct yjs__client *c, struct yjs__spot s,
                      uint32_t h)
{
    struct yjs__chunk *k = &c->chunks[s.chunk];
    int rc = YJS_OK;

    if (yjs__item(doc, h)->clock - k->clock > UINT32_MAX)
        return insert_far(doc, c, s, h);
    if (k->len == YJS__CHUNK) {
        rc = halve_chunk(doc, c, s.chunk);
        k = &c->chunks[s.chunk];
        if (rc == YJS_OK && s.at >= k->len) {
            s.at -= k->len;
            k++;
        }
    } else if (k->len == k->cap) {
        rc = grow_chunk(doc, k);
    }
    if (rc != YJS_OK)
        return rc;
    memmove(k->slots + s.at + 2, k->slots + s.at + 1,
            (k->len - s.at - 1) * sizeof(*k->slots));
    k->slots[s.at + 1] = (struct yjs__slot){
        (uint32_t)(yjs__item(doc, h)->clock - k->clock), h};
    k->len++;
    c->count++;
    yjs__item(doc, h)->flags |= YJS__F_LIVE;
    return YJS_OK;
}

/* Small neighbours become one; when memory ends they stay two. */
static void join_chunks(yjs_doc *doc, struct yjs__client *c, uint32_t at)
{
    struct yjs__chunk *k, *right;
    uint64_t by;
    uint32_t i;

    if (at + 1 >= c->len)
        return;
    k = &c->chunks[at];
    right = k + 1;
    by = right->clock - k->clock;
    if (k->len + right->len > YJS__CHUNK / 2 ||
        by + right->slots[right->len - 1].offset > UINT32_MAX)
        return;
    while (k->cap < k->len + right->len)
        if (grow_chunk(doc, k) != YJS_OK)
            return;
    for (i = 0; i < right->len; i++)
        k->slots[k->len++] =
            (struct yjs__slot){right->slots[i].offset + (uint32_t)by,
                               right->slots[i].item};
    drop_chunks(doc, c, at + 1, 1);
}

void yjs__store_remove(yjs_doc *doc, struct yjs__client *c, struct yjs__spot s,
                       uint32_t n)
{
    struct yjs__chunk *k = &c->chunks[s.chunk];
    uint32_t keep = s.at + 1 > n ? s.at + 1 - n : 0; /* before the run */
    uint32_t cut = s.at + 1 - keep;
    uint32_t empty_from = s.chunk + 1, empty = 0;

    c->count -= n;
    memmove(k->slots + keep, k->slots + s.at + 1,
            (k->len - s.at - 1) * sizeof(*k->slots));
    k->len = (uint16_t)(k->len - cut);
    n -= cut;
    if (k->len == 0) {
        empty_from = s.chunk;
        empty = 1;
    } else if (keep == 0) {
        rebase(k);
    }
    while (n > 0) {
        k--;
        cut = n < k->len ? n : k->len;
        k->len = (uint16_t)(k->len - cut);
        n -= cut;
        if (k->len == 0) {
            empty_from = (uint32_t)(k - c->chunks);
            empty++;
        }
    }
    if (empty > 0)
        drop_chunks(doc, c, empty_from, empty);
    if (empty_from > 0 && empty_from < c->len)
        join_chunks(doc, c, empty_from - 1);
}
