/* SPDX-License-Identifier: MIT */
/**
 * @file update_write.h
 * Update format v1 (update_read.h has it as a table), written from a document.
 */
#ifndef YJS_UPDATE_WRITE_H
#define YJS_UPDATE_WRITE_H

#include "yjs/doc.h"

/** A state vector as it was sent: ids ascending, the last of equals counts. */
struct yjs__sv_entry {
    uint64_t client;
    uint64_t clock;
};

/** Bytes after the vector are ignored, as Yjs does. */
YJS_MUST_USE int yjs__sv_read(struct yjs__mem *mem, const uint8_t *data,
                              size_t len, struct yjs__vec *sv);
/** The same at a reader, which then stands behind it; errors stick to `r`. */
void yjs__sv_read_at(struct yjs__mem *mem, struct yjs__reader *r,
                     struct yjs__vec *sv);
/** 0 when it is not in there. */
uint64_t yjs__sv_clock(const struct yjs__vec *sv, uint64_t client,
                       bool *present);

/** Write the structs of a client from `clock` on, which is below its state. */
YJS_MUST_USE int yjs__write_from(yjs_doc *doc, struct yjs__writer *w,
                                 struct yjs__client *c, uint64_t clock);

/** All clients with their clocks, highest client first. */
YJS_MUST_USE int yjs__write_state_vector(yjs_doc *doc, struct yjs__writer *w);

/** A struct of the store, without its first `offset` units. */
YJS_MUST_USE int yjs__write_item(const yjs_doc *doc, struct yjs__canon *canon,
                                 struct yjs__writer *w,
                                 const struct yjs__item *it, uint64_t offset);
/** Write a staged struct into what is pending. */
void yjs__write_staged(yjs_doc *doc, struct yjs__writer *w, uint32_t h);

#endif
