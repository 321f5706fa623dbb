/* SPDX-License-Identifier: MIT */
/*
 * idset.c: ranges of ids.
 */
#include "yjs/idset.h"

#include "yjs/sort.h"

int yjs__idset_add(struct yjs__mem *mem, struct yjs__vec *set, uint64_t client,
                   uint64_t clock, uint64_t len)
{
    struct yjs__range *r;

    if (set->len > 0) {
        r = yjs__idset_at(set, set->len - 1);
        if (r->client == client && r->clock + r->len == clock) {
            r->len += len;
            return YJS_OK;
        }
    }
    r = yjs__vec_add(mem, set, sizeof(*r));
    if (r == NULL)
        return mem->err;
    *r = (struct yjs__range){client, clock, len};
    return YJS_OK;
}

static int compare(const void *ctx, const void *a, const void *b)
{
    const struct yjs__range *x = a, *y = b;

    (void)ctx;
    if (x->client != y->client)
        return x->client < y->client ? -1 : 1;
    if (x->clock != y->clock)
        return x->clock < y->clock ? -1 : 1;
    return x->len < y->len ? -1 : x->len > y->len;
}

void yjs__idset_normalise_runs(struct yjs__mem *mem, struct yjs__vec *set)
{
    struct yjs__range *r = set->data;
    size_t i, n = 0;

    if (set->len < 2)
        return;
    yjs__sort_runs(mem, r, set->len, sizeof(*r), compare, NULL);
    for (i = 1; i < set->len; i++) {
        uint64_t end = r[n].clock + r[n].len;

        if (r[i].client == r[n].client && r[i].clock <= end) {
            if (r[i].clock + r[i].len > end)
                r[n].len = r[i].clock + r[i].len - r[n].clock;
        } else {
            r[++n] = r[i];
        }
    }
    set->len = n + 1;
}

void yjs__idset_normalise(struct yjs__vec *set)
{
    yjs__idset_normalise_runs(NULL, set);
}

size_t yjs__idset_find(const struct yjs__vec *set, uint64_t client)
{
    size_t low = 0, high = set->len;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (yjs__idset_at(set, mid)->client < client)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static int compare_down(const void *ctx, const void *a, const void *b)
{
    const struct yjs__range *x = a, *y = b;

    (void)ctx;
    if (x->client != y->client)
        return x->client > y->client ? -1 : 1;
    return x->clock < y->clock ? -1 : x->clock > y->clock;
}

void yjs__idset_order(struct yjs__vec *set)
{
    yjs__sort(set->data, set->len, sizeof(struct yjs__range), compare_down,
              NULL);
}

static size_t client_end(const struct yjs__vec *set, size_t i)
{
    uint64_t client = yjs__idset_at(set, i)->client;

    while (i < set->len && yjs__idset_at(set, i)->client == client)
        i++;
    return i;
}

void yjs__idset_write(struct yjs__writer *w, const struct yjs__vec *set)
{
    uint64_t clients = 0;
    size_t i, end;

    for (i = 0; i < set->len; i = client_end(set, i))
        clients++;
    yjs__write_varuint(w, clients);
    for (i = 0; i < set->len;) {
        end = client_end(set, i);
        yjs__write_varuint(w, yjs__idset_at(set, i)->client);
        yjs__write_varuint(w, end - i);
        for (; i < end; i++) {
            yjs__write_varuint(w, yjs__idset_at(set, i)->clock);
            yjs__write_varuint(w, yjs__idset_at(set, i)->len);
        }
    }
}

void yjs__idset_read(struct yjs__mem *mem, struct yjs__reader *r,
                     struct yjs__vec *set)
{
    uint64_t clients = yjs__read_varuint(r);

    for (; clients > 0 && r->err == YJS_OK; clients--) {
        uint64_t client = yjs__read_varuint(r);
        uint64_t n = yjs__read_varuint(r);

        for (; n > 0 && r->err == YJS_OK; n--) {
            uint64_t clock = yjs__read_varuint(r);
            uint64_t len = yjs__read_varuint(r);

            if (len > YJS__MAX_INT - clock)
                yjs__read_fail(r, YJS_ERR_MALFORMED);
            else if (r->err == YJS_OK && len > 0 &&
                     yjs__idset_add(mem, set, client, clock, len) != YJS_OK)
                yjs__read_fail(r, mem->err);
        }
    }
}
