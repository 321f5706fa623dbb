/* SPDX-License-Identifier: MIT */
/*
 * attrs.c: small ordered maps, and when attributes are equal.
 */
#include "yjs/attrs.h"

#include "yjs/content.h"
#include "yjs/print.h"
#include "yjs/sort.h"

#define LINEAR 16u /* up to so many there is no index */

const struct yjs__attr_value yjs__attrs_null = {
    {(const uint8_t *)"null", 4}, {0, YJS__NONE}};

bool yjs__attrs_is_null(struct yjs__slice json)
{
    return json.len == 4 && memcmp(json.ptr, "null", 4) == 0;
}

void yjs__attrs_init(struct yjs__attrs *a, yjs_doc *doc)
{
    *a = (struct yjs__attrs){.doc = doc};
}

void yjs__attrs_clear(struct yjs__attrs *a)
{
    a->list.len = 0;
    a->count = 0;
    yjs__index_free(&a->doc->mem, &a->index);
}

void yjs__attrs_trim(struct yjs__attrs *a, size_t keep)
{
    yjs__attrs_clear(a);
    yjs__vec_trim(&a->doc->mem, &a->list, sizeof(struct yjs__attr), keep);
}

static struct yjs__attr *at(const struct yjs__attrs *a, size_t i)
{
    return (struct yjs__attr *)a->list.data + i;
}

static bool equal(struct yjs__slice a, struct yjs__slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static uint32_t hash_of(const struct yjs__attrs *a, struct yjs__slice key)
{
    return yjs__hash_bytes(a->doc->seed, NULL, key.ptr, key.len);
}

struct yjs__attr *yjs__attrs_get(const struct yjs__attrs *a,
                                 struct yjs__slice key)
{
    uint32_t hash, slot, v;
    size_t i;

    if (a->index.cap == 0) {
        for (i = 0; i < a->list.len; i++)
            if (!at(a, i)->gone && equal(at(a, i)->key, key))
                return at(a, i);
        return NULL;
    }
    hash = hash_of(a, key);
    slot = yjs__index_first(&a->index, hash);
    while ((v = yjs__index_probe(&a->index, &slot, hash)) != 0) {
        if (equal(at(a, v - 1)->key, key))
            return at(a, v - 1);
        slot = yjs__index_next(&a->index, slot);
    }
    return NULL;
}

static int add_index(struct yjs__attrs *a, size_t i)
{
    int rc = yjs__index_reserve(&a->doc->mem, &a->index);

    if (rc == YJS_OK)
        yjs__index_insert(&a->index, hash_of(a, at(a, i)->key),
                          (uint32_t)i + 1);
    return rc;
}

/* Close the gaps, and number what is left anew. */
static int rebuild(struct yjs__attrs *a)
{
    size_t i, n = 0;
    int rc = YJS_OK;

    for (i = 0; i < a->list.len; i++)
        if (!at(a, i)->gone)
            *at(a, n++) = *at(a, i);
    a->list.len = n;
    yjs__index_free(&a->doc->mem, &a->index);
    for (i = 0; n > LINEAR && i < n && rc == YJS_OK; i++)
        rc = add_index(a, i);
    return rc;
}

int yjs__attrs_set(struct yjs__attrs *a, struct yjs__slice key,
                   struct yjs__attr_value value)
{
    struct yjs__attr *e = yjs__attrs_get(a, key);

    if (e != NULL) {
        e->value = value;
        return YJS_OK;
    }
    e = yjs__vec_add(&a->doc->mem, &a->list, sizeof(*e));
    if (e == NULL)
        return a->doc->mem.err;
    *e = (struct yjs__attr){key, value, yjs__array_index(key.ptr, key.len),
                            false};
    a->count++;
    if (a->list.len > 2 * a->count + LINEAR ||
        (a->list.len > LINEAR && a->index.cap == 0))
        return rebuild(a);
    return a->index.cap == 0 ? YJS_OK : add_index(a, a->list.len - 1);
}

void yjs__attrs_remove(struct yjs__attrs *a, struct yjs__slice key)
{
    struct yjs__attr *e = yjs__attrs_get(a, key);

    if (e == NULL)
        return;
    if (a->index.cap != 0)
        yjs__index_remove(&a->index, hash_of(a, key),
                          (uint32_t)(e - at(a, 0)) + 1);
    e->gone = true;
    a->count--;
    if (a->count == 0)
        yjs__attrs_clear(a);
}

int yjs__attrs_apply(struct yjs__attrs *a, const struct yjs__item *format)
{
    struct yjs__attr_value value;
    struct yjs__slice key;

    yjs__attrs_of_format(format, &key, &value);
    if (!yjs__attrs_is_null(value.json))
        return yjs__attrs_set(a, key, value);
    yjs__attrs_remove(a, key);
    return YJS_OK;
}

static int compare(const void *ctx, const void *x, const void *y)
{
    const struct yjs__attr *a = x, *b = y;

    (void)ctx;
    return a->number < b->number ? -1 : a->number > b->number;
}

/* Array indexes ascending before all other names, which stay as they came. */
int yjs__attrs_arrange(struct yjs__attrs *a)
{
    struct yjs__attr *names;
    size_t i, n = 0, numbers = 0;

    for (i = 0; i < a->list.len; i++)
        numbers += !at(a, i)->gone && at(a, i)->number != UINT64_MAX;
    if (numbers == 0)
        return YJS_OK;
    names = yjs__mem_alloc(&a->doc->mem, a->list.len * sizeof(*names));
    if (names == NULL)
        return a->doc->mem.err;
    memcpy(names, a->list.data, a->list.len * sizeof(*names));
    for (i = 0; i < a->list.len; i++)
        if (!names[i].gone && names[i].number != UINT64_MAX)
            *at(a, n++) = names[i];
    yjs__sort(a->list.data, n, sizeof(*names), compare, NULL);
    for (i = 0; i < a->list.len; i++)
        if (!names[i].gone && names[i].number == UINT64_MAX)
            *at(a, n++) = names[i];
    yjs__mem_free(&a->doc->mem, names, a->list.len * sizeof(*names));
    a->list.len = n;
    return rebuild(a);
}

struct yjs__attr *yjs__attrs_next(const struct yjs__attrs *a, size_t *place)
{
    while (*place < a->list.len)
        if (!at(a, (*place)++)->gone)
            return at(a, *place - 1);
    return NULL;
}

/* ---------------------------------------------------------------- equality */

static bool is_object(struct yjs__slice json)
{
    return json.ptr[0] == '{' || json.ptr[0] == '[';
}

bool yjs__attrs_same(const struct yjs__attr_value *a,
                     const struct yjs__attr_value *b)
{
    if (!is_object(a->json))
        return equal(a->json, b->json);
    if (a->owner.client == YJS__NONE || b->owner.client == YJS__NONE)
        return a->json.ptr == b->json.ptr;
    return a->owner.client == b->owner.client &&
           a->owner.clock == b->owner.clock;
}

/*
 * A sum that does not depend on the order of the members, UINT64_MAX if one
 * of them is an object, which is never the same as one elsewhere.
 */
static uint64_t sum_members(const yjs_doc *doc, struct yjs__slice json,
                            size_t *n)
{
    const uint8_t *p = json.ptr + 1, *end = json.ptr + json.len - 1, *start;
    bool object = json.ptr[0] == '{';
    uint64_t sum = 0;
    size_t len;

    for (*n = 0; p < end; ++*n) {
        start = p;
        if (object)
            p = yjs__print_json_end(p, end) + 1;
        if (*p == '{' || *p == '[')
            return UINT64_MAX;
        p = yjs__print_json_end(p, end);
        len = (size_t)(p - start);
        sum += (uint64_t)yjs__hash_bytes(doc->seed, NULL, start, len) << 32 |
               yjs__hash_bytes(doc->seed, doc, start, len);
        p += p < end;
    }
    return sum;
}

bool yjs__attrs_equal(const yjs_doc *doc, const struct yjs__attr_value *x,
                      const struct yjs__attr_value *y)
{
    struct yjs__slice a = x->json, b = y->json;
    size_t n, m;
    uint64_t sum;

    if (yjs__attrs_same(x, y))
        return true;
    if (!is_object(a) || !is_object(b) || a.len != b.len ||
        a.ptr[0] != b.ptr[0])
        return false;
    sum = sum_members(doc, a, &n);
    if (sum == UINT64_MAX)
        return false;
    if (a.ptr[0] == '[')
        return equal(a, b);
    return sum_members(doc, b, &m) == sum && n == m;
}

void yjs__attrs_of_format(const struct yjs__item *it, struct yjs__slice *key,
                          struct yjs__attr_value *value)
{
    struct yjs__slice s = yjs__content(it);
    struct yjs__reader r;

    yjs__reader_init(&r, s.ptr, s.len);
    *key = yjs__read_var_bytes(&r);
    value->json = yjs__read_var_bytes(&r);
    if (!yjs__content_owner(it, &value->owner))
        value->owner = (struct yjs__id){it->clock, it->client};
}

int yjs__attrs_share(yjs_doc *doc, uint32_t format,
                     const struct yjs__attr_value *value)
{
    if (!is_object(value->json) || value->owner.client == YJS__NONE)
        return YJS_OK;
    return yjs__content_set_owner(doc, yjs__item(doc, format), &value->owner);
}
