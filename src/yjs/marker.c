/* SPDX-License-Identifier: MIT */
/*
 * marker.c: an index into sequences by position.
 *
 * Must never: fail, or be needed for a result.
 */
#include "yjs/marker.h"

#define STEP 24u   /* items between two markers */
#define TABLES 16u /* sequences that have markers at one time */

struct yjs__marks {
    struct yjs__marks *next;
    uint32_t list;
    uint32_t len, cap;
    uint32_t hint;   /* where something was forgotten last */
    uint32_t *item;  /* cap of these, then cap of the following, one block */
    uint32_t *index;
};

static struct yjs__item *item_at(const yjs_doc *doc, uint32_t h)
{
    return yjs__item(doc, h);
}

static bool visible(const struct yjs__item *it)
{
    return !yjs__item_deleted(it) && yjs__item_countable(it);
}

static size_t block_size(uint32_t cap)
{
    return 2 * sizeof(uint32_t) * (size_t)cap;
}

/* ------------------------------------------------------------------ tables */

/* `*at` is the table: unlink and free it, clear the flags. */
static void free_table(yjs_doc *doc, struct yjs__marks **at)
{
    struct yjs__marks *m = *at;
    uint32_t i;

    for (i = 0; i < m->len; i++)
        item_at(doc, m->item[i])->flags &= (uint8_t)~YJS__F_MARKED;
    yjs__list(doc, m->list)->type->marked = false;
    *at = m->next;
    yjs__mem_free(&doc->mem, m->item, block_size(m->cap));
    yjs__mem_free(&doc->mem, m, sizeof(*m));
}

/* The table of a list, moved to the front; NULL: there is none. */
static struct yjs__marks *find_table(yjs_doc *doc, uint32_t list)
{
    struct yjs__marks **at = &doc->marks, *m;

    if (!yjs__list(doc, list)->type->marked)
        return NULL;
    while ((*at)->list != list)
        at = &(*at)->next;
    m = *at;
    *at = m->next;
    m->next = doc->marks;
    return doc->marks = m;
}

static struct yjs__marks *new_table(yjs_doc *doc, uint32_t list)
{
    struct yjs__marks *m, **at = &doc->marks;
    uint32_t n = 0;

    for (; *at != NULL; n++)
        if (n + 1 == TABLES)
            free_table(doc, at);
        else
            at = &(*at)->next;
    m = yjs__mem_alloc(&doc->mem, sizeof(*m));
    if (m == NULL)
        return NULL;
    *m = (struct yjs__marks){.next = doc->marks, .list = list};
    yjs__list(doc, list)->type->marked = true;
    return doc->marks = m;
}

void yjs__marks_drop(yjs_doc *doc, struct yjs__type *type)
{
    if (find_table(doc, type->seq) != NULL)
        free_table(doc, &doc->marks);
}

void yjs__marks_drop_all(yjs_doc *doc)
{
    while (doc->marks != NULL)
        free_table(doc, &doc->marks);
}

/* ----------------------------------------------------------------- markers */

/* The first marker whose index is at least `index`. */
static uint32_t lower_bound(const struct yjs__marks *m, uint64_t index)
{
    uint32_t low = 0, high = m->len;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;

        if (m->index[mid] < index)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool grow(yjs_doc *doc, struct yjs__marks *m)
{
    uint32_t cap = m->cap + m->cap / 2 + 16;
    uint32_t *block = yjs__mem_alloc(&doc->mem, block_size(cap));

    if (block == NULL)
        return false;
    if (m->len > 0) {
        memcpy(block, m->item, m->len * sizeof(*block));
        memcpy(block + cap, m->index, m->len * sizeof(*block));
    }
    yjs__mem_free(&doc->mem, m->item, block_size(m->cap));
    m->item = block;
    m->index = block + cap;
    m->cap = cap;
    return true;
}

/* A marker of number `at`. */
static bool add(yjs_doc *doc, struct yjs__marks *m, uint32_t at, uint32_t h,
                uint64_t index)
{
    uint32_t n = m->len - at;

    if (index > UINT32_MAX || (m->len == m->cap && !grow(doc, m)))
        return false;
    memmove(m->item + at + 1, m->item + at, n * sizeof(*m->item));
    memmove(m->index + at + 1, m->index + at, n * sizeof(*m->index));
    m->item[at] = h;
    m->index[at] = (uint32_t)index;
    m->len++;
    item_at(doc, h)->flags |= YJS__F_MARKED;
    return true;
}

static void erase(struct yjs__marks *m, uint32_t from, uint32_t to)
{
    uint32_t n = m->len - to;

    memmove(m->item + from, m->item + to, n * sizeof(*m->item));
    memmove(m->index + from, m->index + to, n * sizeof(*m->index));
    m->len -= to - from;
}

/* ------------------------------------------------------------------ finding */

/* Typing at the end is the most frequent edit. */
static uint32_t find_last(const yjs_doc *doc, const struct yjs__list *l,
                          uint64_t index, uint64_t *start)
{
    const struct yjs__item *it = item_at(doc, l->last);

    if (!visible(it) || index < l->type->length - it->len)
        return 0;
    *start = l->type->length - it->len;
    return l->last;
}

/* Enough was passed without a marker: let this item have one. */
static void mark(yjs_doc *doc, uint32_t list, uint32_t *at, uint32_t h,
                 uint64_t index)
{
    struct yjs__marks *m = find_table(doc, list);

    if (m == NULL)
        m = new_table(doc, list);
    if (m != NULL && add(doc, m, *at, h, index))
        ++*at;
}

uint32_t yjs__marks_find(yjs_doc *doc, uint32_t list, uint64_t index,
                         uint64_t *start)
{
    struct yjs__list *l = yjs__list(doc, list);
    struct yjs__marks *m;
    uint32_t at = 0, steps = 0, h = find_last(doc, l, index, start);

    if (h != 0)
        return h;
    m = find_table(doc, list);
    h = l->first;
    *start = 0;
    if (m != NULL && (at = lower_bound(m, index + 1)) > 0) {
        h = m->item[at - 1];
        *start = m->index[at - 1];
    }
    for (;; h = item_at(doc, h)->right, steps++) {
        const struct yjs__item *it = item_at(doc, h);

        if (!visible(it))
            continue;
        if (steps > STEP && (it->flags & YJS__F_MARKED) == 0) {
            mark(doc, list, &at, h, *start);
            steps = 0;
        }
        if (index - *start < it->len)
            return h;
        *start += it->len;
    }
}

/* ------------------------------------------------------------------ changes */

void yjs__marks_insert(yjs_doc *doc, uint32_t list, uint64_t index,
                       uint64_t len)
{
    struct yjs__marks *m = find_table(doc, list);
    uint32_t i, n, by = (uint32_t)len;
    uint32_t *at;

    if (m == NULL)
        return;
    if (yjs__list(doc, list)->type->length > UINT32_MAX) {
        free_table(doc, &doc->marks);
        return;
    }
    i = lower_bound(m, index);
    at = m->index + i;
    for (i = 0, n = m->len - (uint32_t)(at - m->index); i < n; i++)
        at[i] += by;
}

void yjs__marks_delete(yjs_doc *doc, uint32_t list, uint64_t index,
                       uint64_t len)
{
    struct yjs__marks *m = find_table(doc, list);
    uint32_t from, to, i, by = (uint32_t)len;

    if (m == NULL)
        return;
    from = lower_bound(m, index);
    to = lower_bound(m, index + len);
    for (i = from; i < to; i++)
        item_at(doc, m->item[i])->flags &= (uint8_t)~YJS__F_MARKED;
    if (to > from)
        erase(m, from, to);
    for (i = from; i < m->len; i++)
        m->index[i] -= by;
}

/* Merges go from the right to the left: so does this. */
void yjs__marks_forget(yjs_doc *doc, uint32_t h)
{
    struct yjs__marks *m = find_table(doc, item_at(doc, h)->list);
    uint32_t i = m->hint < m->len ? m->hint : m->len;

    do
        i = i == 0 ? m->len - 1 : i - 1;
    while (m->item[i] != h);
    erase(m, i, i + 1);
    item_at(doc, h)->flags &= (uint8_t)~YJS__F_MARKED;
    m->hint = i;
}

/* ----------------------------------------------------------------- checking */

static bool check_table(const yjs_doc *doc, const struct yjs__marks *m)
{
    const struct yjs__list *l = yjs__list(doc, m->list);
    uint32_t h = l->first, i = 0;
    uint64_t index = 0;

    if (!l->type->marked || l->key != NULL || l->type->seq != m->list)
        return false;
    for (; h != 0; h = item_at(doc, h)->right) {
        const struct yjs__item *it = item_at(doc, h);

        if ((it->flags & YJS__F_MARKED) != 0 &&
            (i >= m->len || !visible(it) || m->item[i] != h ||
             m->index[i++] != index))
            return false;
        if (visible(it))
            index += it->len;
    }
    return i == m->len;
}

bool yjs__marks_check(const yjs_doc *doc)
{
    const struct yjs__marks *m;

    for (m = doc->marks; m != NULL; m = m->next)
        if (!check_table(doc, m))
            return false;
    return true;
}
