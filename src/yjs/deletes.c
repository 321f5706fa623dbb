/* SPDX-License-Identifier: MIT */
/*
 * deletes.c: delete sets between formats.
 */
#include "yjs/deletes.h"

#include "yjs/sort.h"

static void read_range(struct yjs__mem *mem, struct yjs__reader *r,
                       struct yjs__vec *set, uint64_t client, uint64_t base)
{
    uint64_t clock = yjs__read_varuint(r);
    uint64_t len = yjs__read_varuint(r);
    struct yjs__range *range;

    if (base != UINT64_MAX) {
        clock += base;
        len++;
    }
    if (clock > YJS__MAX_INT || len > YJS__MAX_INT - clock)
        yjs__read_fail(r, YJS_ERR_MALFORMED);
    if (r->err != YJS_OK)
        return;
    range = yjs__vec_add(mem, set, sizeof(*range));
    if (range == NULL)
        yjs__read_fail(r, mem->err);
    else
        *range = (struct yjs__range){client, clock, len};
}

void yjs__deletes_read(struct yjs__mem *mem, struct yjs__reader *r, bool v2,
                       struct yjs__vec *set)
{
    uint64_t clients = yjs__read_varuint(r);

    for (; clients > 0 && r->err == YJS_OK; clients--) {
        uint64_t client = yjs__read_varuint(r);
        uint64_t n = yjs__read_varuint(r);
        uint64_t base = v2 ? 0 : UINT64_MAX;

        for (; n > 0 && r->err == YJS_OK; n--) {
            read_range(mem, r, set, client, base);
            if (v2 && r->err == YJS_OK) {
                const struct yjs__range *last =
                    yjs__idset_at(set, set->len - 1);

                base = last->clock + last->len;
            }
        }
    }
}

struct placed {
    struct yjs__range range;
    size_t order;
};

static int compare_placed(const void *ctx, const void *a, const void *b)
{
    const struct placed *x = a, *y = b;

    (void)ctx;
    if (x->range.client != y->range.client)
        return x->range.client > y->range.client ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

int yjs__deletes_group(struct yjs__mem *mem, struct yjs__vec *set)
{
    struct yjs__range *r = set->data;
    struct placed *tmp;
    size_t i;

    for (i = 1; i < set->len && r[i - 1].client >= r[i].client; i++)
        ;
    if (i >= set->len)
        return YJS_OK;
    tmp = yjs__mem_alloc(mem, set->len * sizeof(*tmp));
    if (tmp == NULL)
        return mem->err;
    for (i = 0; i < set->len; i++)
        tmp[i] = (struct placed){r[i], i};
    yjs__sort(tmp, set->len, sizeof(*tmp), compare_placed, NULL);
    for (i = 0; i < set->len; i++)
        r[i] = tmp[i].range;
    yjs__mem_free(mem, tmp, set->len * sizeof(*tmp));
    return YJS_OK;
}

void yjs__deletes_merge(struct yjs__vec *set)
{
    struct yjs__range *r = set->data;
    size_t i, n = 0;

    yjs__idset_order(set);
    for (i = 1; i < set->len; i++) {
        uint64_t end = r[n].clock + r[n].len;

        if (r[i].client != r[n].client || r[i].clock > end)
            r[++n] = r[i];
        else if (r[i].clock + r[i].len > end)
            r[n].len = r[i].clock + r[i].len - r[n].clock;
    }
    if (set->len > 0)
        set->len = n + 1;
}

static bool is_ascending(const struct yjs__vec *set)
{
    const struct yjs__range *r = set->data;
    size_t i;

    for (i = 0; i < set->len; i++)
        if (r[i].len == 0 || (i > 0 && r[i].client == r[i - 1].client &&
                              r[i].clock < r[i - 1].clock + r[i - 1].len))
            return false;
    return true;
}

static void make_ascending(struct yjs__vec *set)
{
    struct yjs__range *r = set->data;
    size_t i, n = 0;

    yjs__deletes_merge(set);
    for (i = 0; i < set->len; i++)
        if (r[i].len > 0)
            r[n++] = r[i];
    set->len = n;
}

void yjs__deletes_write(struct yjs__writer *w, struct yjs__vec *set, bool v2)
{
    const struct yjs__range *r = set->data;
    uint64_t clients = 0;
    size_t i, end;

    if (v2 && !is_ascending(set))
        make_ascending(set);
    for (i = 0; i < set->len; i++)
        clients += i == 0 || r[i].client != r[i - 1].client;
    yjs__write_varuint(w, clients);
    for (i = 0; i < set->len;) {
        uint64_t base = 0;

        for (end = i + 1; end < set->len && r[end].client == r[i].client;)
            end++;
        yjs__write_varuint(w, r[i].client);
        yjs__write_varuint(w, end - i);
        for (; i < end; i++) {
            yjs__write_varuint(w, r[i].clock - base);
            yjs__write_varuint(w, r[i].len - v2);
            if (v2)
                base = r[i].clock + r[i].len;
        }
    }
}
