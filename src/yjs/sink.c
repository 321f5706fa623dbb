/* SPDX-License-Identifier: MIT */
/*
 * sink.c: blocks and their counts.
 */
#include "yjs/sink.h"

#include "yjs/deletes.h"

void yjs__sink_init(struct yjs__sink *k, struct yjs__mem *mem,
                    struct yjs__writer *body)
{
    *k = (struct yjs__sink){.body = body};
    yjs__writer_init(&k->block, mem, 0);
}

void yjs__sink_deinit(struct yjs__sink *k)
{
    yjs__writer_deinit(&k->block);
}

void yjs__sink_flush(struct yjs__sink *k)
{
    if (k->structs == 0)
        return;
    yjs__write_varuint(k->body, k->structs);
    yjs__write_bytes(k->body, k->block.data, k->block.len);
    k->block.len = 0;
    k->structs = 0;
    k->blocks++;
}

void yjs__sink_write(struct yjs__sink *k, const struct yjs__view *v)
{
    if (k->client != v->client)
        yjs__sink_flush(k);
    if (k->structs == 0) {
        k->client = v->client;
        yjs__write_varuint(&k->block, v->client);
        yjs__write_varuint(&k->block, v->clock);
    }
    yjs__view_write(&k->block, v);
    k->structs++;
}

int yjs__sink_finish(struct yjs__sink *k, struct yjs__vec *ds,
                     struct yjs__writer *out)
{
    yjs__sink_flush(k);
    yjs__write_varuint(out, k->blocks);
    yjs__write_bytes(out, k->body->data, k->body->len);
    yjs__deletes_write(out, ds, false);
    if (k->block.err != YJS_OK)
        return k->block.err;
    return k->body->err != YJS_OK ? k->body->err : out->err;
}
