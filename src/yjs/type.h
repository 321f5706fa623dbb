/* SPDX-License-Identifier: MIT */
/**
 * @file type.h
 * Types by what can be done with them, and their entries.
 */
#ifndef YJS_TYPE_H
#define YJS_TYPE_H

#include "yjs/doc.h"

/** Sets of enum yjs__type_ref: those that the calls of yjs.h work on. */
enum yjs__types {
    YJS__TYPES_TEXT = 1 << YJS__TYPE_TEXT | 1 << YJS__TYPE_XML_TEXT,
    YJS__TYPES_ARRAY = 1 << YJS__TYPE_ARRAY | 1 << YJS__TYPE_XML_FRAGMENT |
                       1 << YJS__TYPE_XML_ELEMENT,
    YJS__TYPES_STRING = YJS__TYPES_TEXT | 1 << YJS__TYPE_XML_FRAGMENT |
                        1 << YJS__TYPE_XML_ELEMENT,
    YJS__TYPES_ALL = (1 << YJS__TYPE_ROOT) - 1, /**< whose kind is known */
    YJS__TYPES_MAP = 1 << YJS__TYPE_MAP | 1 << YJS__TYPE_XML_ELEMENT |
                     1 << YJS__TYPE_XML_HOOK | YJS__TYPES_TEXT
};

/** YJS_ERR_TYPE if it is none of these kinds. */
YJS_MUST_USE int yjs__type_of_kinds(const yjs_doc *doc, struct yjs_type handle,
                                    unsigned int kinds,
                                    struct yjs__type **out);

/** The list itself or the first behind it that has a value; 0: none. */
uint32_t yjs__type_next_entry(const yjs_doc *doc, uint32_t list);
/** The value of the list of an entry, undefined for list 0. */
YJS_MUST_USE int yjs__type_entry(const yjs_doc *doc, uint32_t list,
                                 struct yjs_value *out);

#endif
