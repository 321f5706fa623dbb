/* SPDX-License-Identifier: MIT */
/*
 * content.c: the bytes of items.
 *
 * Eight bytes or fewer live in the item itself: a key press is no allocation,
 * and most words are none. More live in a block. A split copies the smaller
 * half into memory of its own and leaves the larger where it is, moving only
 * the block's `off` or `len`: n splits of one text cost n log n, from whichever
 * end they come. The old bytes stay where they were in the block, so that the
 * split can be undone without memory until yjs__content_tidy.
 *
 *      block   off          len
 *      |....dead....|..the content..|...room....|table|
 *
 * Where an element of a long JSON or ANY lies can only be found by reading from
 * the front. So the first split of one leaves a table at the end of the block,
 * with the place of every 32nd element, which the larger half takes along:
 *
 *      table   place of element 32, 64, ... | base | number of places
 *
 * Places count from the start of the data, elements from where they began when
 * the table was made; `base` is the number of the element that is first now.
 * The table is forgotten when the block grows. `inline_len` of an item with a
 * block tells whether there is one.
 */
#include "yjs/content.h"

#include "yjs/list.h"
#include "yjs/seek.h"
#include "yjs/utf.h"

#define INLINE_MAX 8u

static size_t block_size(uint32_t cap)
{
    return sizeof(struct yjs__block) + cap;
}

static bool has_bytes(enum yjs__kind kind)
{
    return kind != YJS__GC && kind != YJS__DELETED && kind != YJS__SKIP;
}

static bool is_sequence(enum yjs__kind kind)
{
    return kind == YJS__STRING || kind == YJS__JSON || kind == YJS__ANY;
}

/* ------------------------------------------------------------------ blocks */

static struct yjs__block *new_block(yjs_doc *doc, uint32_t cap)
{
    struct yjs__block *b = yjs__mem_alloc(&doc->mem, block_size(cap));

    if (b != NULL)
        *b = (struct yjs__block){.cap = cap};
    return b;
}

static void free_block(yjs_doc *doc, struct yjs__block *b)
{
    yjs__seek_forget(doc, b);
    yjs__mem_free(&doc->mem, b, block_size(b->cap));
}

/* Content of `it` becomes room for `len` bytes; NULL on failure. */
static uint8_t *make_room(yjs_doc *doc, struct yjs__item *it, uint32_t len)
{
    struct yjs__block *b;

    if (len <= INLINE_MAX) {
        it->where = YJS__W_INLINE;
        it->inline_len = (uint8_t)len;
        return it->u.bytes;
    }
    b = new_block(doc, len);
    if (b == NULL)
        return NULL;
    b->len = len;
    it->where = YJS__W_BLOCK;
    it->inline_len = 0;
    it->u.block = b;
    return b->data;
}

/* ------------------------------------------------------------------ tables */

#define TABLE_STEP 32u

static uint32_t load_u32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

static void store_u32(uint8_t *p, uint32_t v)
{
    memcpy(p, &v, sizeof(v));
}

static bool has_table(const struct yjs__item *it)
{
    return it->where == YJS__W_BLOCK && it->inline_len != 0;
}

/* The number that the first element of the block has in the table. */
static void shift_base(struct yjs__block *b, int64_t by)
{
    uint8_t *p = b->data + b->cap - 8;

    store_u32(p, (uint32_t)((int32_t)load_u32(p) + (int32_t)by));
}

static int skip_elements(struct yjs__canon *canon, enum yjs__kind kind,
                         struct yjs__reader *r, uint64_t n);

/* Make a table; not to have the memory is no failure. */
static int make_table(yjs_doc *doc, struct yjs__item *it)
{
    struct yjs__block *b = it->u.block;
    uint32_t n = (it->len - 1) / TABLE_STEP, i;
    uint32_t cap = b->cap, size = 8 + 4 * n;
    struct yjs__reader r;
    uint8_t *at;
    int rc;

    /* Behind all there is: unsplit may want what is behind the content. */
    yjs__seek_forget(doc, b);
    b = yjs__mem_resize(&doc->mem, b, block_size(cap), block_size(cap + size));
    if (b == NULL)
        return YJS_OK;
    b->cap = cap + size;
    it->u.block = b;
    at = b->data + cap;
    yjs__reader_init(&r, b->data + b->off, b->len);
    for (i = 0; i < n; i++, at += 4) {
        rc = skip_elements(&doc->txn.canon, it->kind, &r, TABLE_STEP);
        if (rc != YJS_OK)
            return rc;
        store_u32(at, b->off + (uint32_t)yjs__read_offset(&r));
    }
    store_u32(at, 0);
    store_u32(at + 4, n);
    it->inline_len = 1;
    return YJS_OK;
}

/* The byte in the content at which element `unit` begins. */
static int find_element(yjs_doc *doc, struct yjs__item *it, uint32_t unit,
                        size_t *at)
{
    struct yjs__slice s = yjs__content(it);
    const struct yjs__block *b;
    struct yjs__reader r;
    int64_t place;
    uint32_t n;
    int rc;

    if (it->where == YJS__W_BLOCK && !has_table(it) &&
        unit > 2 * TABLE_STEP) {
        rc = make_table(doc, it);
        if (rc != YJS_OK)
            return rc;
        s = yjs__content(it);
    }
    yjs__reader_init(&r, s.ptr, s.len);
    if (has_table(it)) {
        b = it->u.block;
        n = load_u32(b->data + b->cap - 4);
        place = (int64_t)(int32_t)load_u32(b->data + b->cap - 8) + unit;
        if (place / TABLE_STEP > 0 && unit >= TABLE_STEP) {
            uint32_t i = (uint32_t)(place / TABLE_STEP);

            r.pos = b->data + load_u32(b->data + b->cap - 8 - 4 * (n + 1 - i));
            unit = (uint32_t)(place % TABLE_STEP);
        }
    }
    rc = skip_elements(&doc->txn.canon, it->kind, &r, unit);
    *at = yjs__read_offset(&r);
    return rc;
}

/* ------------------------------------------------------------------ owning */

static int own_bytes(yjs_doc *doc, struct yjs__item *it, struct yjs__slice s,
                     bool inside)
{
    uint32_t extra = inside ? sizeof(yjs__utf8_replacement) : 0;
    uint8_t *p;

    if (s.len > UINT32_MAX / 2)
        return yjs__mem_over(&doc->mem, YJS_LIMIT_DOC_BYTES);
    p = make_room(doc, it, (uint32_t)s.len + extra);
    if (p == NULL)
        return doc->mem.err;
    if (inside)
        memcpy(p, yjs__utf8_replacement, extra);
    memcpy(p + extra, s.ptr, s.len);
    doc->content_bytes += s.len + extra;
    return YJS_OK;
}

int yjs__content_own(yjs_doc *doc, uint32_t h, uint64_t offset)
{
    struct yjs__item *it = yjs__item(doc, h);
    struct yjs__slice s = yjs__content(it);
    uint64_t len = yjs__item_len(it);
    bool inside = false;
    int rc = YJS_OK;

    if (!has_bytes(it->kind)) {
        yjs__item_set_len(it, len - offset);
        return YJS_OK;
    }
    if (it->kind == YJS__TYPE)
        return yjs__type_own(doc, h);
    if (offset > 0)
        rc = yjs__content_tail(&doc->txn.canon, it->kind, s, len, offset, &s,
                               &inside);
    if (rc == YJS_OK)
        rc = own_bytes(doc, it, s, inside);
    if (rc == YJS_OK)
        it->len -= (uint32_t)offset;
    return rc;
}

void yjs__content_free(yjs_doc *doc, struct yjs__item *it)
{
    if (it->where == YJS__W_BLOCK) {
        doc->content_bytes -= it->u.block->len;
        free_block(doc, it->u.block);
    } else if (it->where == YJS__W_INLINE) {
        doc->content_bytes -= it->inline_len;
    }
    it->where = YJS__W_NONE;
}

/* ----------------------------------------------------------------- cutting */

/* Skip `n` elements. */
static int skip_elements(struct yjs__canon *canon, enum yjs__kind kind,
                         struct yjs__reader *r, uint64_t n)
{
    int rc = YJS_OK;

    while (n-- > 0 && rc == YJS_OK) {
        if (kind == YJS__JSON)
            (void)yjs__read_var_bytes(r);
        else
            rc = yjs__canon_any_skip(canon, r);
    }
    return rc == YJS_OK ? r->err : rc;
}

int yjs__content_tail(struct yjs__canon *canon, enum yjs__kind kind,
                      struct yjs__slice content, uint64_t len, uint64_t units,
                      struct yjs__slice *tail, bool *inside)
{
    struct yjs__utf8_cut cut;
    struct yjs__reader r;
    size_t at;
    int rc;

    *inside = false;
    if (kind == YJS__STRING) {
        cut = yjs__utf8_find(content.ptr, content.len, (size_t)len,
                             (size_t)units);
        *inside = cut.inside;
        at = cut.byte + (cut.inside ? 4 : 0);
    } else {
        yjs__reader_init(&r, content.ptr, content.len);
        rc = skip_elements(canon, kind, &r, units);
        if (rc != YJS_OK)
            return rc;
        at = yjs__read_offset(&r);
    }
    *tail = (struct yjs__slice){content.ptr + at, content.len - at};
    return YJS_OK;
}

/* The smaller half is `to`'s: a copy of `s`, with U+FFFD on the cut side. */
static int copy_half(yjs_doc *doc, struct yjs__item *to, struct yjs__slice s,
                     bool inside, bool is_left)
{
    uint32_t extra = inside ? sizeof(yjs__utf8_replacement) : 0;
    uint8_t *p = make_room(doc, to, (uint32_t)s.len + extra);

    if (p == NULL)
        return doc->mem.err;
    memcpy(p + (is_left ? 0 : extra), s.ptr, s.len);
    if (inside)
        memcpy(is_left ? p + s.len : p, yjs__utf8_replacement, extra);
    return YJS_OK;
}

/*
 * Cut `left` at byte `at`; `inside`: the 4 bytes there are a cut pair. The
 * half that keeps its place has U+FFFD written over the pair.
 */
static int split_bytes(yjs_doc *doc, struct yjs__item *left,
                       struct yjs__item *right, size_t at, bool inside)
{
    struct yjs__slice s = yjs__content(left);
    size_t behind = at + (inside ? 4 : 0);
    struct yjs__slice head = {s.ptr, at};
    struct yjs__slice tail = {s.ptr + behind, s.len - behind};
    struct yjs__item half = {.kind = left->kind};
    struct yjs__block *b;
    int rc;

    if (left->where == YJS__W_INLINE || tail.len <= head.len) {
        rc = copy_half(doc, right, tail, inside, false);
        if (rc != YJS_OK)
            return rc;
        if (left->where == YJS__W_INLINE) {
            if (inside)
                memcpy(left->u.bytes + at, yjs__utf8_replacement, 3);
            left->inline_len = (uint8_t)(at + (inside ? 3 : 0));
        } else {
            b = left->u.block;
            if (inside)
                memcpy(b->data + b->off + at, yjs__utf8_replacement, 3);
            b->len = (uint32_t)at + (inside ? 3 : 0);
        }
        return YJS_OK;
    }
    rc = copy_half(doc, &half, head, inside, true);
    if (rc != YJS_OK)
        return rc;
    b = left->u.block;
    if (inside)
        memcpy(b->data + b->off + at + 1, yjs__utf8_replacement, 3);
    b->off += (uint32_t)at + (inside ? 1 : 0);
    b->len -= (uint32_t)at + (inside ? 1 : 0);
    right->where = YJS__W_BLOCK;
    right->inline_len = left->inline_len;
    right->u = left->u;
    if (has_table(right))
        shift_base(b, left->len - right->len);
    left->where = half.where;
    left->inline_len = half.inline_len;
    left->u = half.u;
    return YJS_OK;
}

/* Where to cut in bytes; `inside` as of yjs__content_tail. */
static int find_cut(yjs_doc *doc, struct yjs__item *it, uint32_t units,
                    size_t *at, bool *inside)
{
    struct yjs__slice s = yjs__content(it);
    struct yjs__utf8_cut cut;

    *inside = false;
    if (it->kind != YJS__STRING)
        return find_element(doc, it, units, at);
    cut = yjs__utf8_find(s.ptr, s.len, it->len, units);
    *at = cut.byte;
    *inside = cut.inside;
    return YJS_OK;
}

int yjs__content_split(yjs_doc *doc, struct yjs__item *left,
                       struct yjs__item *right, uint64_t units, uint32_t *lost)
{
    uint64_t len = yjs__item_len(left);
    bool inside;
    size_t at;
    int rc;

    *lost = 0;
    right->kind = left->kind;
    right->where = YJS__W_NONE;
    if (!is_sequence(left->kind)) {
        yjs__item_set_len(right, len - units);
        yjs__item_set_len(left, units);
        return YJS_OK;
    }
    rc = find_cut(doc, left, (uint32_t)units, &at, &inside);
    if (rc != YJS_OK)
        return rc;
    if (inside)
        memcpy(lost, yjs__content(left).ptr + at, 4);
    right->len = (uint32_t)(len - units);
    rc = split_bytes(doc, left, right, at, inside);
    if (rc != YJS_OK)
        return rc;
    left->len = (uint32_t)units;
    if (inside)
        doc->content_bytes += 2;
    return YJS_OK;
}

/* The right half kept the block: widen it to the left again. */
static void unsplit_to_left(yjs_doc *doc, struct yjs__item *left,
                            struct yjs__item *right, uint32_t lost)
{
    struct yjs__block *b = right->u.block;
    size_t head = yjs__content(left).len;

    if (lost != 0) {
        head -= sizeof(yjs__utf8_replacement);
        memcpy(b->data + b->off - 1, &lost, 4);
        b->off--;
        b->len++;
    }
    b->off -= (uint32_t)head;
    b->len += (uint32_t)head;
    if (has_table(right))
        shift_base(b, (int64_t)right->len - left->len);
    if (left->where == YJS__W_BLOCK)
        free_block(doc, left->u.block);
    left->where = YJS__W_BLOCK;
    left->inline_len = right->inline_len;
    left->u.block = b;
}

static void unsplit_to_right(yjs_doc *doc, struct yjs__item *left,
                             struct yjs__item *right, uint32_t lost)
{
    struct yjs__slice s = yjs__content(left);
    size_t tail = yjs__content(right).len;
    size_t len = s.len + tail;
    uint8_t *p = left->where == YJS__W_INLINE
                     ? left->u.bytes
                     : left->u.block->data + left->u.block->off;

    if (lost != 0) {
        len -= 2;
        memcpy(p + s.len - sizeof(yjs__utf8_replacement), &lost, 4);
    }
    if (left->where == YJS__W_INLINE)
        left->inline_len = (uint8_t)len;
    else
        left->u.block->len = (uint32_t)len;
    if (right->where == YJS__W_BLOCK)
        free_block(doc, right->u.block);
}

void yjs__content_unsplit(yjs_doc *doc, struct yjs__item *left,
                          struct yjs__item *right, uint32_t lost)
{
    uint64_t len = yjs__item_len(left) + yjs__item_len(right);
    struct yjs__slice l, r;

    if (!is_sequence(left->kind)) {
        yjs__item_set_len(left, len);
        return;
    }
    left->len = (uint32_t)len;
    if (lost != 0)
        doc->content_bytes -= 2;
    /* The half that was copied is the smaller, or the right one. */
    l = yjs__content(left);
    r = yjs__content(right);
    if (right->where == YJS__W_BLOCK && r.len > l.len &&
        right->u.block->off > 0)
        unsplit_to_left(doc, left, right, lost);
    else
        unsplit_to_right(doc, left, right, lost);
    right->where = YJS__W_NONE;
}

/* ----------------------------------------------------------------- joining */

int yjs__content_reserve(yjs_doc *doc, struct yjs__item *it, uint32_t bytes)
{
    struct yjs__block *b = it->where == YJS__W_BLOCK ? it->u.block : NULL;
    uint32_t need, cap;

    if (b == NULL) {
        if (bytes <= INLINE_MAX)
            return YJS_OK;
        b = new_block(doc, bytes);
        if (b == NULL)
            return doc->mem.err;
        /* All 8: unsplit may want what is behind the content. */
        b->len = it->inline_len;
        memcpy(b->data, it->u.bytes, INLINE_MAX);
        it->where = YJS__W_BLOCK;
        it->inline_len = 0;
        it->u.block = b;
        return YJS_OK;
    }
    it->inline_len = 0; /* the table is room now */
    need = b->off + bytes;
    if (need <= b->cap)
        return YJS_OK;
    cap = b->cap + b->cap / 2;
    if (cap < need)
        cap = need;
    yjs__seek_forget(doc, b);
    b = yjs__mem_resize(&doc->mem, b, block_size(b->cap), block_size(cap));
    if (b == NULL)
        return doc->mem.err;
    b->cap = cap;
    it->u.block = b;
    return YJS_OK;
}

bool yjs__content_has_room(const struct yjs__item *it, uint64_t bytes)
{
    if (it->where == YJS__W_BLOCK)
        return bytes <= it->u.block->cap - it->u.block->off;
    return bytes <= INLINE_MAX;
}

/*
 * Elements cannot be counted from the end. Where those begin that the running
 * transaction appended is noted once, for its update: without that, each
 * element added to a long array would cost a walk over all of it.
 */
static void note_end(struct yjs__canon *canon, const struct yjs__item *it)
{
    if (it->kind == YJS__STRING || canon->mark == it)
        return;
    canon->mark = it;
    canon->mark_units = it->len;
    canon->mark_bytes = (uint32_t)yjs__content(it).len;
}

void yjs__content_append(yjs_doc *doc, struct yjs__item *left,
                         const struct yjs__item *right)
{
    struct yjs__slice s = yjs__content(right);

    if (!is_sequence(left->kind)) {
        yjs__item_set_len(left, yjs__item_len(left) + yjs__item_len(right));
        return;
    }
    note_end(&doc->txn.canon, left);
    if (left->where == YJS__W_INLINE) {
        memcpy(left->u.bytes + left->inline_len, s.ptr, s.len);
        left->inline_len = (uint8_t)(left->inline_len + s.len);
    } else {
        struct yjs__block *b = left->u.block;

        left->inline_len = 0;
        memcpy(b->data + b->off + b->len, s.ptr, s.len);
        b->len += (uint32_t)s.len;
    }
    left->len += right->len;
    doc->content_bytes += s.len;
}

void yjs__content_keep(yjs_doc *doc, struct yjs__item *it, size_t from,
                       size_t to)
{
    struct yjs__slice s = yjs__content(it);

    doc->content_bytes -= s.len - (to - from);
    if (it->where == YJS__W_INLINE) {
        memmove(it->u.bytes, it->u.bytes + from, to - from);
        it->inline_len = (uint8_t)(to - from);
    } else {
        it->u.block->off += (uint32_t)from;
        it->u.block->len = (uint32_t)(to - from);
    }
}

void yjs__content_tidy(yjs_doc *doc, struct yjs__item *it)
{
    struct yjs__item fresh = {.where = YJS__W_NONE};
    struct yjs__slice s;
    uint8_t *p;

    if (it->where != YJS__W_BLOCK || it->kind == YJS__FORMAT)
        return;
    s = yjs__content(it);
    if (s.len > INLINE_MAX && s.len + s.len / 2 + 16 >= it->u.block->cap)
        return;
    p = make_room(doc, &fresh, (uint32_t)s.len);
    if (p == NULL)
        return;
    memcpy(p, s.ptr, s.len);
    free_block(doc, it->u.block);
    it->where = fresh.where;
    it->inline_len = fresh.inline_len;
    it->u = fresh.u;
}

/* -------------------------------------------------------- owners of values */

#define OWNER_SIZE 12u

int yjs__content_set_owner(yjs_doc *doc, struct yjs__item *format,
                           const struct yjs__id *owner)
{
    struct yjs__slice s = yjs__content(format);
    struct yjs__block *b = new_block(doc, OWNER_SIZE + (uint32_t)s.len);

    if (b == NULL)
        return doc->mem.err;
    b->off = OWNER_SIZE;
    b->len = (uint32_t)s.len;
    memcpy(b->data, &owner->clock, 8);
    memcpy(b->data + 8, &owner->client, 4);
    memcpy(b->data + OWNER_SIZE, s.ptr, s.len);
    if (format->where == YJS__W_BLOCK)
        free_block(doc, format->u.block);
    format->where = YJS__W_BLOCK;
    format->inline_len = 1;
    format->u.block = b;
    return YJS_OK;
}

bool yjs__content_owner(const struct yjs__item *format, struct yjs__id *owner)
{
    if (format->where != YJS__W_BLOCK || format->inline_len == 0)
        return false;
    memcpy(&owner->clock, format->u.block->data, 8);
    memcpy(&owner->client, format->u.block->data + 8, 4);
    return true;
}

/* ----------------------------------------------------------------- writing */

static void write_type(struct yjs__writer *w, const struct yjs__type *type)
{
    yjs__write_varuint(w, type->ref);
    if (type->ref == YJS__TYPE_XML_ELEMENT || type->ref == YJS__TYPE_XML_HOOK)
        yjs__write_var_bytes(w, type->name, type->name_len);
}

static int write_sequence(struct yjs__canon *canon, struct yjs__writer *w,
                          const struct yjs__item *it, uint64_t offset)
{
    struct yjs__slice s = yjs__content(it);
    bool inside = false;
    size_t extra;
    int rc = YJS_OK;

    if (offset > 0 && canon->mark == it && canon->mark_units <= offset) {
        s.ptr += canon->mark_bytes;
        s.len -= canon->mark_bytes;
        rc = yjs__content_tail(canon, it->kind, s, it->len - canon->mark_units,
                               offset - canon->mark_units, &s, &inside);
    } else if (offset > 0) {
        rc = yjs__content_tail(canon, it->kind, s, it->len, offset, &s,
                               &inside);
    }
    if (rc != YJS_OK)
        return rc;
    extra = inside ? sizeof(yjs__utf8_replacement) : 0;
    yjs__write_varuint(w, it->kind == YJS__STRING ? s.len + extra
                                                  : it->len - offset);
    yjs__write_bytes(w, yjs__utf8_replacement, extra);
    yjs__write_bytes(w, s.ptr, s.len);
    return w->err;
}

int yjs__content_write(struct yjs__canon *canon, struct yjs__writer *w,
                       const struct yjs__item *it, uint64_t offset)
{
    struct yjs__slice s;

    if (is_sequence(it->kind))
        return write_sequence(canon, w, it, offset);
    if (!has_bytes(it->kind)) {
        yjs__write_varuint(w, yjs__item_len(it) - offset);
    } else if (it->where == YJS__W_TYPE) {
        write_type(w, it->u.type);
    } else {
        s = yjs__content(it);
        yjs__write_bytes(w, s.ptr, s.len);
    }
    return w->err;
}
