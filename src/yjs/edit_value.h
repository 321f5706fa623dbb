/* SPDX-License-Identifier: MIT */
/**
 * @file edit_value.h
 * Values as a caller gives them, made into the content of items.
 */
#ifndef YJS_EDIT_VALUE_H
#define YJS_EDIT_VALUE_H

#include "yjs/edit.h"

/** Can it be an element of a list (Yjs takes less there than in a map)? */
bool yjs__value_in_list(const struct yjs_value *value);

/** Does it go into a struct together with its neighbours of this sort? */
bool yjs__value_is_any(const struct yjs_value *value);

/** Append it to txn->bytes as an Any. */
YJS_MUST_USE int yjs__value_any(yjs_txn *txn, const struct yjs_value *value);

/** Any other: the content points into txn->bytes or the arena. */
YJS_MUST_USE int yjs__value_content(yjs_txn *txn,
                                    const struct yjs_value *value,
                                    struct yjs__fresh *out);

/** Is every value one that can be written? Changes nothing. */
YJS_MUST_USE int yjs__value_check(yjs_txn *txn, const struct yjs_value *value);

/** Canonical JSON of a JSON text, in the arena. */
YJS_MUST_USE int yjs__value_json(yjs_txn *txn, struct yjs_span text,
                                 struct yjs__slice *out);

/** UTF-8 with its length in UTF-16; YJS_ERR_MALFORMED. */
YJS_MUST_USE int yjs__value_text(struct yjs__mem *mem, struct yjs_span utf8,
                                 struct yjs__slice *out, uint32_t *units);

#endif
