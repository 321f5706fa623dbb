/* SPDX-License-Identifier: MIT */
/*
 * roots.c: which root types a document has.
 *
 * Yjs does not write down what a root is: the application knows. What is in it
 * tells a reader most of the time.
 */
#include "yjs/doc.h"
#include "yjs/list.h"

/* What the sequence holds speaks for; NULL: nothing is alive in there. */
static const char *kind_of_item(const struct yjs__item *it)
{
    const struct yjs__type *type;

    switch (it->kind) {
    case YJS__STRING:
    case YJS__FORMAT:
    case YJS__EMBED:
        return "text";
    case YJS__TYPE:
        if (it->where != YJS__W_TYPE)
            return NULL;
        type = it->u.type;
        return type->ref == YJS__TYPE_XML_ELEMENT ||
                       type->ref == YJS__TYPE_XML_TEXT ||
                       type->ref == YJS__TYPE_XML_HOOK
                   ? "xml"
                   : "array";
    case YJS__JSON:
    case YJS__ANY:
    case YJS__BINARY:
    case YJS__DOC:
        return "array";
    default:
        return NULL;
    }
}

static const char *kind_of_root(const yjs_doc *doc,
                                const struct yjs__type *type)
{
    const char *kind, *guess = NULL;
    uint32_t h;

    for (h = yjs__list(doc, type->seq)->first; h != 0;
         h = yjs__item(doc, h)->right) {
        const struct yjs__item *it = yjs__item(doc, h);

        kind = kind_of_item(it);
        if (kind != NULL && !yjs__item_deleted(it))
            return kind;
        if (guess == NULL)
            guess = kind;
    }
    if (type->entries != 0)
        return "map";
    return guess != NULL ? guess : "array";
}

int yjs_doc_visit_roots(const yjs_doc *doc, yjs_root_fn fn, void *ctx)
{
    const struct yjs__type *type;
    int rc = 0;

    for (type = doc->roots; type != NULL && rc == 0; type = type->next)
        rc = fn(ctx, (struct yjs_span){type->name, type->name_len},
                kind_of_root(doc, type));
    return rc;
}
