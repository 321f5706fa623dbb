/* SPDX-License-Identifier: MIT */
/**
 * @file update.h
 * What every operation on an update without a document begins and ends with.
 */
#ifndef YJS_UPDATE_H
#define YJS_UPDATE_H

#include "yjs/walk.h"

struct yjs__update_op {
    struct yjs__mem mem;
    struct yjs_limits limits;
    bool v2;     /**< format of the input */
    size_t read; /**< bytes of a v2 input up to the end of its deletes */
    struct yjs__canon canon;
    struct yjs__arena arena;
    struct yjs__view_ctx ctx;
    struct yjs__writer v1;  /**< the input as v1, if it was not */
    struct yjs__writer out;
    struct yjs_update_error error;
    int rc;
};

void yjs__update_op_init(struct yjs__update_op *op,
                         const struct yjs_update_options *opt);
/** The update as v1, borrowed from it or from `op`; look at op->rc. */
struct yjs__slice yjs__update_op_v1(struct yjs__update_op *op,
                                    struct yjs_span update);
/** Note where reading that v1 failed. */
void yjs__update_op_fail(struct yjs__update_op *op,
                         const struct yjs__reader *r);
/** Free; op->rc is returned, `err` (may be NULL) set on failure. */
YJS_MUST_USE int yjs__update_op_end(struct yjs__update_op *op,
                                    struct yjs_update_error *err);

#endif
