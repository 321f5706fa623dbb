/* SPDX-License-Identifier: MIT */
/*
 * walk.c: from struct to struct.
 */
#include "yjs/walk.h"

void yjs__walk_init(struct yjs__walk *w, struct yjs__slice update,
                    const struct yjs__view_ctx *ctx, uint64_t limit)
{
    *w = (struct yjs__walk){.ctx = *ctx, .limit = limit};
    yjs__reader_init(&w->r, update.ptr, update.len);
    w->blocks = yjs__read_varuint(&w->r);
}

bool yjs__walk_next(struct yjs__walk *w)
{
    while (w->structs == 0) {
        if (w->blocks == 0 || w->r.err != YJS_OK)
            return false;
        w->blocks--;
        w->structs = yjs__read_varuint(&w->r);
        w->view = (struct yjs__view){.client = yjs__read_varuint(&w->r)};
        w->next_clock = yjs__read_varuint(&w->r);
    }
    if (w->seen == w->limit)
        yjs__read_fail(&w->r, YJS_ERR_LIMIT);
    w->structs--;
    w->seen++;
    w->view.clock = w->next_clock;
    w->info = yjs__read_left(&w->r) > 0 ? *w->r.pos : 0;
    yjs__view_read(&w->r, &w->ctx, &w->view);
    if (w->r.err != YJS_OK)
        return false;
    w->next_clock += w->view.len;
    return true;
}
