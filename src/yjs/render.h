/* SPDX-License-Identifier: MIT */
/**
 * @file render.h
 * Types as JSON, XML and deltas: what json.c, xml.c and delta.c share.
 *
 * Types nest as deep as peers like: the way down is a stack on the heap.
 */
#ifndef YJS_RENDER_H
#define YJS_RENDER_H

#include "yjs/attrs.h"
#include "yjs/print.h"

enum yjs__render_mode {
    YJS__RENDER_ARRAY,
    YJS__RENDER_MAP,
    YJS__RENDER_XML,     /**< children of a fragment or element */
    YJS__RENDER_XML_TEXT, /**< text with formats as tags */
    YJS__RENDER_DELTA     /**< text with formats as toDelta() has it */
};

/** An entry of a map whose key is an array index. */
struct yjs__indexed {
    uint64_t index;
    uint32_t list;
};

/** An attribute of an element. */
struct yjs__attribute {
    const struct yjs__key *key;
    const struct yjs__item *value;
};

/** One type on the way down. */
struct yjs__render_frame {
    const struct yjs__type *type;
    enum yjs__render_mode mode;
    bool first;   /**< nothing was printed in it yet */
    bool string;  /**< it began a JSON string */
    bool tagged;  /**< XML_TEXT: the tags of the attributes are open;
                       XML: an attribute's value is; DELTA: a string is */
    bool opening; /**< XML: attributes of the element are to come */
    bool embed;   /**< DELTA: an embed was printed, not its attributes */
    uint32_t item;  /**< next in the sequence */
    uint32_t entry; /**< MAP: next entry */
    union {
        struct { /* MAP */
            struct yjs__vec indexes; /**< struct yjs__indexed, ascending */
            size_t next_index;       /**< of those, next to print */
        };
        struct { /* the others */
            struct yjs__attrs attrs; /**< XML_TEXT, DELTA: those in force */
            struct yjs__vec tags;    /**< XML_TEXT: yjs__attr *, by key;
                                          XML: struct yjs__attribute */
            size_t next_attribute;   /**< of those of an element */
        };
    };
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

static inline void yjs__render_fail(struct yjs__render *k, int rc)
{
    if (k->err == YJS_OK)
        k->err = rc;
}

/** Begin a type, as `ref` says; `plain`: inside a string. */
void yjs__render_type(struct yjs__render *k, const struct yjs__type *type,
                      uint8_t ref, bool plain);
/** Begin a text as a delta. */
void yjs__render_delta(struct yjs__render *k, const struct yjs__type *type);
/** A value of one unit other than a type or text; `r` stands before it. */
void yjs__render_value(struct yjs__render *k, enum yjs__kind kind,
                       struct yjs__reader *r);
/** Go on until all that was begun is done; returns k->err. */
YJS_MUST_USE int yjs__render_all(struct yjs__render *k);

/** A comma, but not before the first element. */
static inline void yjs__render_comma(struct yjs__render *k,
                                     struct yjs__render_frame *f)
{
    if (!f->first)
        yjs__render_put(k, ",");
    f->first = false;
}

/** Let a FORMAT item take effect. */
static inline void yjs__render_format(struct yjs__render *k,
                                      struct yjs__render_frame *f,
                                      const struct yjs__item *it)
{
    yjs__render_fail(k, yjs__attrs_apply(&f->attrs, it));
}

/**
 * Where a string begins: Yjs uses the key `ychange` for itself, to show what
 * changed between snapshots, and drops whatever has that name.
 */
static inline void yjs__render_drop_ychange(struct yjs__render_frame *f)
{
    static const uint8_t name[] = {'y', 'c', 'h', 'a', 'n', 'g', 'e'};

    if (f->attrs.count > 0)
        yjs__attrs_remove(&f->attrs, (struct yjs__slice){name, sizeof(name)});
}

/** To set this property of a JavaScript object is to set nothing. */
static inline bool yjs__render_is_proto(const uint8_t *key, size_t len)
{
    return len == 9 && memcmp(key, "__proto__", 9) == 0;
}

/* json.c: one step of a frame of mode ARRAY or MAP; false at its end. */
bool yjs__array_step(struct yjs__render *k, struct yjs__render_frame *f);
bool yjs__map_step(struct yjs__render *k, struct yjs__render_frame *f);

/* xml.c */

/** Begin an element, whose attributes are the frame's first steps. */
void yjs__xml_open(struct yjs__render *k, struct yjs__render_frame *f);
/** What comes behind the children of an element. */
void yjs__xml_close(struct yjs__render *k, const struct yjs__type *type);
/** One step of a frame of mode XML or XML_TEXT; false at its end. */
bool yjs__xml_step(struct yjs__render *k, struct yjs__render_frame *f);

/** The last unit of a map value as String() gives it. */
void yjs__xml_value(struct yjs__render *k, const struct yjs__item *it);

/* delta.c */

/** One step of a frame of mode DELTA; false at its end. */
bool yjs__delta_step(struct yjs__render *k, struct yjs__render_frame *f);

#endif
