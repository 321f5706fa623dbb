/* SPDX-License-Identifier: MIT */
/*
 * position.c: relative positions.
 *
 *   varuint 0, varuint client, varuint clock   at an item
 *   varuint 1, string                          at an end of a root
 *   varuint 2, varuint client, varuint clock   at an end of the type in an item
 *   varint assoc                               may be missing: 0
 *
 * Yjs can follow what its undo manager brought back; which item stands for
 * which is known to the document that did the undoing alone, and written down
 * nowhere. There is no undo manager here, so there is nothing to follow, and
 * an answer is what Yjs gives with followUndoneDeletions off: the one that is
 * the same for everybody.
 */
#include "yjs/handle.h"

#include "yjs/list.h"
#include "yjs/marker.h"
#include "yjs/store.h"

/* ----------------------------------------------------------------- creating */

static struct yjs_position end_of(const yjs_doc *doc,
                                  const struct yjs__type *type, int64_t assoc)
{
    struct yjs_position pos = {.assoc = assoc};

    if (type->item != 0) {
        pos.has_type = true;
        pos.type = yjs__handle_of(doc, type).id;
    } else {
        pos.root = (struct yjs_span){type->name, type->name_len};
    }
    return pos;
}

static void set_item(const yjs_doc *doc, struct yjs_position *pos,
                     const struct yjs__item *it, uint64_t offset)
{
    pos->has_item = true;
    pos->item.client = yjs__client(doc, it->client)->id;
    pos->item.clock = it->clock + offset;
}

static bool counts(const struct yjs__item *it)
{
    return !yjs__item_deleted(it) && yjs__item_countable(it);
}

int yjs_position_at(yjs_doc *doc, struct yjs_type handle, uint64_t index,
                    int64_t assoc, struct yjs_position *out)
{
    struct yjs_position pos;
    struct yjs__type *type;
    uint64_t start;
    uint32_t h = 0;
    int rc = yjs__handle_type(doc, handle, &type);

    if (rc != YJS_OK)
        return rc;
    pos = end_of(doc, type, assoc);
    if (assoc < 0 && index-- == 0) {
        /* Nothing precedes it. */
    } else if (index < type->length) {
        h = yjs__marks_find(doc, type->seq, index, &start);
        set_item(doc, &pos, yjs__item(doc, h), index - start);
    } else if (assoc < 0 && type->seq != 0) {
        /* Behind everything: at the last item, be it deleted. */
        h = yjs__list(doc, type->seq)->last;
        if (h != 0)
            set_item(doc, &pos, yjs__item(doc, h),
                     yjs__item_len(yjs__item(doc, h)) - 1);
    }
    *out = pos;
    return YJS_OK;
}

/* ------------------------------------------------------------------- format */

static void write_id(struct yjs__writer *w, uint8_t what, struct yjs_id id)
{
    yjs__write_u8(w, what);
    yjs__write_varuint(w, id.client);
    yjs__write_varuint(w, id.clock);
}

int yjs_position_encode(const struct yjs_position *pos,
                        const struct yjs_allocator *alloc,
                        struct yjs_bytes *out)
{
    bool back = pos->assoc < 0;
    uint64_t magnitude =
        back ? ~(uint64_t)pos->assoc + 1 : (uint64_t)pos->assoc;
    struct yjs__writer w;
    struct yjs__mem mem;

    if (magnitude > YJS__MAX_INT)
        return YJS_ERR_RANGE;
    yjs__mem_init(&mem, alloc, 0);
    yjs__writer_init(&w, &mem, 0);
    if (pos->has_item) {
        write_id(&w, 0, pos->item);
    } else if (pos->has_type) {
        write_id(&w, 2, pos->type);
    } else {
        yjs__write_u8(&w, 1);
        yjs__write_var_bytes(&w, pos->root.data, pos->root.len);
    }
    yjs__write_varint(&w, magnitude, back);
    return yjs__writer_take(&w, out);
}

static struct yjs_id read_id(struct yjs__reader *r)
{
    struct yjs_id id;

    id.client = yjs__read_varuint(r);
    id.clock = yjs__read_varuint(r);
    return id;
}

static void read_place(struct yjs__reader *r, struct yjs_position *pos)
{
    struct yjs__slice name;

    switch (yjs__read_varuint(r)) {
    case 0:
        pos->has_item = true;
        pos->item = read_id(r);
        break;
    case 1:
        name = yjs__read_var_string(r);
        pos->root = (struct yjs_span){name.ptr, name.len};
        break;
    case 2:
        pos->has_type = true;
        pos->type = read_id(r);
        break;
    default:
        yjs__read_fail(r, YJS_ERR_MALFORMED);
    }
}

int yjs_position_decode(const uint8_t *data, size_t len,
                        struct yjs_position *out)
{
    struct yjs_position pos = {.has_item = false};
    struct yjs__reader r;
    bool back;

    yjs__reader_init(&r, data, len);
    read_place(&r, &pos);
    if (r.err == YJS_OK && yjs__read_left(&r) > 0) {
        pos.assoc = (int64_t)yjs__read_varint(&r, &back);
        if (back)
            pos.assoc = -pos.assoc;
    }
    if (r.err == YJS_OK)
        *out = pos;
    return r.err;
}

/* ---------------------------------------------------------------- resolving */

/* The struct that has the id. */
static int find_struct(const yjs_doc *doc, struct yjs_id id, uint32_t *out)
{
    uint32_t client = yjs__store_find_client(doc, id.client);

    if (client == YJS__NONE || yjs__client(doc, client)->state <= id.clock)
        return YJS_ERR_RANGE;
    *out = yjs__store_item(doc, client, id.clock);
    return yjs__item(doc, *out)->kind == YJS__GC ? YJS_ERR_DELETED : YJS_OK;
}

static uint64_t units_before(const yjs_doc *doc, const struct yjs__item *it)
{
    uint64_t n = 0;
    uint32_t h;

    for (h = it->left; h != 0; h = yjs__item(doc, h)->left)
        if (counts(yjs__item(doc, h)))
            n += yjs__item(doc, h)->len;
    return n;
}

static int resolve_item(const yjs_doc *doc, const struct yjs_position *pos,
                        struct yjs_type *out_type, uint64_t *out_index)
{
    const struct yjs__type *type;
    const struct yjs__item *it;
    uint64_t index = 0;
    uint32_t h = 0;
    int rc = find_struct(doc, pos->item, &h);

    if (rc != YJS_OK)
        return rc;
    it = yjs__item(doc, h);
    type = yjs__list(doc, it->list)->type;
    if (type->item == 0 || !yjs__item_deleted(yjs__item(doc, type->item))) {
        if (counts(it))
            index = pos->item.clock - it->clock + (pos->assoc < 0);
        index += units_before(doc, it);
    }
    *out_type = yjs__handle_of(doc, type);
    *out_index = index;
    return YJS_OK;
}

/* The type that the position is at an end of. */
static int find_type(yjs_doc *doc, const struct yjs_position *pos,
                     const struct yjs__type **out)
{
    struct yjs__slice name = {pos->root.data, pos->root.len};
    uint32_t h = 0;
    int rc;

    if (pos->has_type) {
        rc = find_struct(doc, pos->type, &h);
        if (rc == YJS_OK && yjs__item(doc, h)->where != YJS__W_TYPE)
            rc = YJS_ERR_DELETED;
        if (rc == YJS_OK)
            *out = yjs__item(doc, h)->u.type;
        return rc;
    }
    rc = yjs__root_get(doc, name, &h);
    if (rc == YJS_OK)
        *out = yjs__list(doc, h)->type;
    return rc;
}

int yjs_position_resolve(yjs_doc *doc, const struct yjs_position *pos,
                         struct yjs_type *out_type, uint64_t *out_index)
{
    const struct yjs__type *type;
    int rc;

    if (pos->has_item)
        return resolve_item(doc, pos, out_type, out_index);
    rc = find_type(doc, pos, &type);
    if (rc != YJS_OK)
        return rc;
    *out_type = yjs__handle_of(doc, type);
    *out_index = pos->assoc >= 0 ? type->length : 0;
    return YJS_OK;
}
