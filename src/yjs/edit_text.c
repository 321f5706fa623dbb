/* SPDX-License-Identifier: MIT */
/*
 * edit_text.c: text with formats, edited as Yjs edits it.
 *
 * A format is an item of no length, { key: value }, in force until the next of
 * its key; null ends it. To insert "x" with bold before plain text is to
 * insert three items:
 *
 *     ... {bold: true} x {bold: null} ...
 *
 * Formats that are there already are used: the place moves over those that
 * set what is wanted anyway ("minimize"), and what has to be set back behind
 * the text ("negated") is not set where a format that follows does it. What a
 * deletion leaves without effect is deleted too.
 *
 * In a text without formats a place is found through markers (marker.h). With
 * formats the text is walked from its start, as Yjs does then: only so is it
 * known what is in force.
 */
#include "yjs/edit_text.h"

#include "yjs/any.h"
#include "yjs/marker.h"
#include "yjs/utf.h"

/* ------------------------------------------------------------------- places */

static struct yjs__item *item(const struct yjs__place *p, uint32_t h)
{
    return yjs__item(p->txn->doc, h);
}

static bool is_format(const struct yjs__item *it)
{
    return it->kind == YJS__FORMAT;
}

/* Over the item at the right, which there is. */
static int forward(struct yjs__place *p)
{
    const struct yjs__item *it = item(p, p->right);
    int rc = YJS_OK;

    if (!yjs__item_deleted(it)) {
        if (is_format(it))
            rc = yjs__attrs_apply(&p->txn->current, it);
        else
            p->index += it->len;
    }
    p->left = p->right;
    p->right = it->right;
    return rc;
}

int yjs__text_start(yjs_txn *txn, struct yjs__type *type,
                    struct yjs__place *place)
{
    int rc;

    *place = (struct yjs__place){.txn = txn, .type = type};
    yjs__attrs_clear(&txn->current);
    rc = yjs__edit_sequence(txn, type, &place->list);
    if (rc == YJS_OK)
        place->right = yjs__list(txn->doc, place->list)->first;
    return rc;
}

/* From the start on, over formats. */
static int walk(struct yjs__place *p, uint64_t count)
{
    int rc = YJS_OK;

    while (rc == YJS_OK && p->right != 0 && count > 0) {
        const struct yjs__item *it = item(p, p->right);

        if (!yjs__item_deleted(it) && !is_format(it)) {
            if (count < it->len)
                rc = yjs__edit_cut(p->txn, p->right, count);
            count -= it->len;
        }
        if (rc == YJS_OK)
            rc = forward(p);
    }
    return rc;
}

int yjs__text_seek(struct yjs__place *p, uint64_t index)
{
    int rc;

    if (p->type->formats)
        return walk(p, index);
    rc = yjs__edit_place(p->txn, p->list, index, &p->left, &p->right);
    p->index = index;
    return rc;
}

/* Insert at the place, and move over it. */
static int insert(struct yjs__place *p, const struct yjs__fresh *content)
{
    int rc = yjs__edit_insert(p->txn, p->list, p->left, p->right, content,
                              &p->right);

    return rc == YJS_OK ? forward(p) : rc;
}

/* ------------------------------------------------------------------ formats */

static const struct yjs__attr_value *
value_or_null(const struct yjs__attrs *a, struct yjs__slice key)
{
    const struct yjs__attr *e = yjs__attrs_get(a, key);

    return e == NULL ? &yjs__attrs_null : &e->value;
}

static int insert_format(struct yjs__place *p, struct yjs__slice key,
                         const struct yjs__attr_value *value)
{
    struct yjs__writer *w = &p->txn->bytes;
    struct yjs__fresh content = {.kind = YJS__FORMAT, .len = 1};
    int rc;

    w->len = 0;
    yjs__write_var_bytes(w, key.ptr, key.len);
    yjs__write_var_bytes(w, value->json.ptr, value->json.len);
    if (w->err != YJS_OK)
        return w->err;
    content.bytes = (struct yjs__slice){w->data, w->len};
    rc = yjs__edit_insert(p->txn, p->list, p->left, p->right, &content,
                          &p->right);
    if (rc == YJS_OK)
        rc = yjs__attrs_share(p->txn->doc, p->right, value);
    return rc == YJS_OK ? forward(p) : rc;
}

/* Move over what is deleted, and formats that set what is given. */
static int minimize(struct yjs__place *p)
{
    struct yjs__attr_value value;
    struct yjs__slice key;
    int rc = YJS_OK;

    while (rc == YJS_OK && p->right != 0) {
        const struct yjs__item *it = item(p, p->right);

        if (!yjs__item_deleted(it)) {
            if (!is_format(it))
                break;
            yjs__attrs_of_format(it, &key, &value);
            if (!yjs__attrs_equal(p->txn->doc,
                                  value_or_null(&p->txn->given, key),
                                  &value))
                break;
        }
        rc = forward(p);
    }
    return rc;
}

/* Formats for what is given and not in force; what was is then negated. */
static int insert_given(struct yjs__place *p)
{
    yjs_txn *txn = p->txn;
    const struct yjs__attr *e;
    size_t at = 0;
    int rc = YJS_OK;

    yjs__attrs_clear(&txn->negated);
    while (rc == YJS_OK && (e = yjs__attrs_next(&txn->given, &at)) != NULL) {
        const struct yjs__attr_value *now =
            value_or_null(&txn->current, e->key);

        if (yjs__attrs_equal(txn->doc, now, &e->value))
            continue;
        rc = yjs__attrs_set(&txn->negated, e->key, *now);
        if (rc == YJS_OK)
            rc = insert_format(p, e->key, &e->value);
    }
    return rc;
}

static int insert_negated(struct yjs__place *p)
{
    struct yjs__attrs *negated = &p->txn->negated;
    struct yjs__attr_value value;
    struct yjs__slice key;
    const struct yjs__attr *e;
    size_t at = 0;
    int rc = YJS_OK;

    while (rc == YJS_OK && p->right != 0) {
        const struct yjs__item *it = item(p, p->right);

        if (!yjs__item_deleted(it)) {
            if (!is_format(it))
                break;
            yjs__attrs_of_format(it, &key, &value);
            e = yjs__attrs_get(negated, key);
            if (e == NULL ||
                !yjs__attrs_equal(p->txn->doc, &e->value, &value))
                break;
            yjs__attrs_remove(negated, key);
        }
        rc = forward(p);
    }
    while (rc == YJS_OK && (e = yjs__attrs_next(negated, &at)) != NULL)
        rc = insert_format(p, e->key, &e->value);
    return rc;
}

/* ---------------------------------------------------------------- inserting */

int yjs__text_put(struct yjs__place *p, const struct yjs__fresh *content)
{
    struct yjs__attrs *given = &p->txn->given;
    const struct yjs__attr *e;
    uint64_t index;
    size_t at = 0;
    int rc = YJS_OK;

    while (rc == YJS_OK &&
           (e = yjs__attrs_next(&p->txn->current, &at)) != NULL)
        if (yjs__attrs_get(given, e->key) == NULL)
            rc = yjs__attrs_set(given, e->key, yjs__attrs_null);
    if (rc == YJS_OK)
        rc = yjs__attrs_arrange(given);
    if (rc == YJS_OK)
        rc = minimize(p);
    if (rc == YJS_OK)
        rc = insert_given(p);
    index = p->index;
    if (rc == YJS_OK)
        rc = insert(p, content);
    if (rc == YJS_OK)
        yjs__marks_insert(p->txn->doc, p->list, index, content->len);
    return rc == YJS_OK ? insert_negated(p) : rc;
}

/* --------------------------------------------------------------- formatting */

/* One format on the way; *over: nothing behind it matters. */
static int mark_format(struct yjs__place *p, uint64_t len, bool *over)
{
    yjs_txn *txn = p->txn;
    struct yjs__attr_value value;
    struct yjs__slice key;
    const struct yjs__attr *attr;
    int rc;

    yjs__attrs_of_format(item(p, p->right), &key, &value);
    attr = yjs__attrs_get(&txn->given, key);
    if (attr == NULL)
        return yjs__attrs_set(&txn->current, key, value);
    if (yjs__attrs_equal(txn->doc, &attr->value, &value)) {
        yjs__attrs_remove(&txn->negated, key);
    } else if (len == 0) {
        *over = true;
        return YJS_OK;
    } else {
        rc = yjs__attrs_set(&txn->negated, key, value);
        if (rc != YJS_OK)
            return rc;
    }
    return yjs__txn_delete(txn->doc, p->right);
}

static bool goes_on(const struct yjs__place *p, uint64_t len)
{
    const struct yjs__item *it;

    if (p->right == 0 || len > 0)
        return p->right != 0;
    it = item(p, p->right);
    return p->txn->negated.count > 0 &&
           (yjs__item_deleted(it) || is_format(it));
}

/* Quill takes it that a text ends with a line end that is not there. */
static int add_lines(struct yjs__place *p, uint64_t n)
{
    struct yjs__fresh content = {.kind = YJS__STRING};
    struct yjs__writer *w = &p->txn->bytes;
    uint64_t index = p->index;
    int rc;

    if (n > UINT32_MAX / 4)
        return yjs__mem_over(&p->txn->doc->mem, YJS_LIMIT_DOC_BYTES);
    w->len = 0;
    if (!yjs__write_reserve(w, (size_t)n))
        return w->err;
    memset(w->data, '\n', (size_t)n);
    w->len = (size_t)n;
    content.len = (uint32_t)n;
    content.bytes = (struct yjs__slice){w->data, w->len};
    rc = insert(p, &content);
    if (rc == YJS_OK)
        yjs__marks_insert(p->txn->doc, p->list, index, n);
    return rc;
}

int yjs__text_mark(struct yjs__place *p, uint64_t len)
{
    bool over = false;
    int rc = minimize(p);

    if (rc == YJS_OK)
        rc = insert_given(p);
    while (rc == YJS_OK && goes_on(p, len)) {
        const struct yjs__item *it = item(p, p->right);

        if (yjs__item_deleted(it)) {
            ;
        } else if (is_format(it)) {
            rc = mark_format(p, len, &over);
            if (over)
                break;
        } else {
            if (len < it->len)
                rc = yjs__edit_cut(p->txn, p->right, len);
            len -= it->len;
        }
        if (rc == YJS_OK)
            rc = forward(p);
    }
    if (rc == YJS_OK && len > 0)
        rc = add_lines(p, len);
    return rc == YJS_OK ? insert_negated(p) : rc;
}

/* ----------------------------------------------------------------- deleting */

static bool in_gap(const struct yjs__item *it)
{
    return yjs__item_deleted(it) || !yjs__item_countable(it);
}

/* The end of the gap that begins at h; the last format of each key in it. */
static int gap_end(struct yjs__place *p, uint32_t h, struct yjs__attrs *last,
                   uint32_t *end)
{
    struct yjs__attr_value value;
    struct yjs__slice key;
    int rc = YJS_OK;

    for (; h != 0 && in_gap(item(p, h)) && rc == YJS_OK;
         h = item(p, h)->right) {
        if (!is_format(item(p, h)) || yjs__item_deleted(item(p, h)))
            continue;
        yjs__attrs_of_format(item(p, h), &key, &value);
        rc = yjs__attrs_set(last, key, value);
    }
    *end = h;
    return rc;
}

/*
 * One live format of the gap. `start` is what was in force before the gap,
 * txn->current what is at the place, which `passed` tells is before `h`.
 */
static int clean_format(struct yjs__place *p, uint32_t h, bool passed,
                        const struct yjs__attrs *start,
                        const struct yjs__attrs *last)
{
    struct yjs__attrs *current = &p->txn->current;
    const struct yjs__attr_value *before;
    struct yjs__attr_value value;
    struct yjs__slice key;
    int rc = YJS_OK;

    yjs__attrs_of_format(item(p, h), &key, &value);
    before = value_or_null(start, key);
    if (yjs__attrs_get(last, key)->value.json.ptr == value.json.ptr &&
        !yjs__attrs_same(before, &value))
        return passed ? YJS_OK : yjs__attrs_apply(current, item(p, h));
    rc = yjs__txn_delete(p->txn->doc, h);
    if (rc != YJS_OK || passed || yjs__attrs_same(before, &value) ||
        !yjs__attrs_same(value_or_null(current, key), &value))
        return rc;
    if (!yjs__attrs_is_null(before->json))
        return yjs__attrs_set(current, key, *before);
    yjs__attrs_remove(current, key);
    return YJS_OK;
}

/* Formats in the gap from `h` on that have no effect. */
static int clean_gap(struct yjs__place *p, uint32_t h,
                     const struct yjs__attrs *start)
{
    struct yjs__attrs *last = &p->txn->seen;
    bool passed = false;
    uint32_t end;
    int rc;

    yjs__attrs_clear(last);
    rc = gap_end(p, h, last, &end);
    for (; rc == YJS_OK && h != end; h = item(p, h)->right) {
        passed = passed || h == p->right;
        if (is_format(item(p, h)) && !yjs__item_deleted(item(p, h)))
            rc = clean_format(p, h, passed, start, last);
    }
    return rc;
}

static bool can_go(const struct yjs__item *it)
{
    return it->kind == YJS__STRING || it->kind == YJS__EMBED ||
           it->kind == YJS__TYPE;
}

static int copy_attrs(struct yjs__attrs *to, const struct yjs__attrs *from)
{
    const struct yjs__attr *e;
    size_t at = 0;
    int rc = YJS_OK;

    yjs__attrs_clear(to);
    while (rc == YJS_OK && (e = yjs__attrs_next(from, &at)) != NULL)
        rc = yjs__attrs_set(to, e->key, e->value);
    return rc;
}

int yjs__text_cut(struct yjs__place *p, uint64_t len)
{
    struct yjs__attrs *before = &p->txn->negated; /* not in use here */
    uint32_t start = p->right;
    uint64_t wanted = len, index = p->index;
    int rc = copy_attrs(before, &p->txn->current);

    while (rc == YJS_OK && len > 0 && p->right != 0) {
        const struct yjs__item *it = item(p, p->right);

        if (!yjs__item_deleted(it) && can_go(it)) {
            if (len < it->len)
                rc = yjs__edit_cut(p->txn, p->right, len);
            len -= it->len;
            if (rc == YJS_OK)
                rc = yjs__txn_delete(p->txn->doc, p->right);
        }
        if (rc == YJS_OK)
            rc = forward(p);
    }
    if (rc == YJS_OK && start != 0 && p->type->formats)
        rc = clean_gap(p, start, before);
    if (rc != YJS_OK || !p->type->marked)
        return rc;
    if (p->index == index)
        yjs__marks_delete(p->txn->doc, p->list, index, wanted - len);
    else
        yjs__marks_drop(p->txn->doc, p->type); /* something stayed */
    return YJS_OK;
}
