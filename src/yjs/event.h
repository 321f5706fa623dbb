/* SPDX-License-Identifier: MIT */
/**
 * @file event.h
 * The end of a transaction, and what is told of it: the update that it was.
 *
 * The update is what Yjs would emit: all structs from the state before on, as
 * they stand once garbage is collected and neighbours are merged, and what was
 * deleted. The formatting clean-up after a change by a peer is a transaction
 * of its own, and told after the first.
 */
#ifndef YJS_EVENT_H
#define YJS_EVENT_H

#include "yjs/doc.h"

struct yjs__told {
    bool any; /**< there is something to tell */
    int err;
    struct yjs__writer v1, v2;
};

struct yjs__event {
    bool any;  /**< something changed */
    bool told; /**< somebody listens: the rest is in use */
    struct yjs__mem mem;
    struct yjs__told main, cleaned;
};

/** After yjs__cleanup_prepare; cannot fail: collect, merge, encode. */
void yjs__event_commit(yjs_doc *doc, struct yjs__event *event);
/** When the document is ready again: call the callback, free. */
void yjs__event_emit(yjs_doc *doc, struct yjs__event *event, void *origin,
                     bool local);

#endif
