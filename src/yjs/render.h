/* SPDX-License-Identifier: MIT */
/**
 * @file render.h
 * Types as JSON and XML: what json.c and xml.c share.
 *
 * Types nest as deep as peers like: the way down is a stack on the heap.
 */
#ifndef YJS_RENDER_H
#define YJS_RENDER_H

#include "yjs/doc.h"
#include "yjs/print.h"

enum yjs__render_mode {
    YJS__RENDER_ARRAY,
    YJS__RENDER_MAP,
    YJS__RENDER_XML,     /**< children of a fragment or element */
    YJS__RENDER_XML_TEXT /**< text with formats as tags */
};

/** A format in force; slices of the document. */
struct yjs__mark {
    struct yjs__slice key, value;
};

/** An entry of a map whose key is an array index. */
struct yjs__indexed {
    uint64_t index;
    uint32_t list;
};

/** One type on the way down. */
struct yjs__render_frame {
    const struct yjs__type *type;
    enum yjs__render_mode mode;
    bool first;   /**< nothing was printed in it yet */
    bool string;  /**< it began a JSON string */
    bool tagged;  /**< XML_TEXT: the tags of the marks are open */
    uint32_t item;  /**< next in the sequence */
    uint32_t entry; /**< MAP: next entry */
    struct yjs__vec indexes; /**< MAP: struct yjs__indexed, ascending */
    size_t next_index;       /**< MAP: of those, next to print */
    struct yjs__vec marks; /**< struct yjs__mark, by key */
};

struct yjs__render {
    yjs_doc *doc;
    struct yjs__mem mem;
    struct yjs__canon canon;
    struct yjs__writer out;
    struct yjs__vec frames;
    int err;
};

static inline void yjs__render_put(struct yjs__render *k, const char *s)
{
    yjs__write_bytes(&k->out, s, strlen(s));
}

/** Begin a type, as `ref` says; `plain`: inside a string. */
void yjs__render_type(struct yjs__render *k, const struct yjs__type *type,
                      uint8_t ref, bool plain);

/* xml.c */

/** What comes before and behind the children of an element. */
void yjs__xml_open(struct yjs__render *k, const struct yjs__type *type);
void yjs__xml_close(struct yjs__render *k, const struct yjs__type *type);
/** One step of a frame of mode XML or XML_TEXT; false at its end. */
bool yjs__xml_step(struct yjs__render *k, struct yjs__render_frame *f);

/** The last unit of a map value as String() gives it. */
void yjs__xml_value(struct yjs__render *k, const struct yjs__item *it);

#endif
