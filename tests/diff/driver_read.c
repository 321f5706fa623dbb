/* SPDX-License-Identifier: MIT */
/*
 * What a document reads like, line by line: all types that the roots lead to,
 * each after the one it is in, its entries before its sequence.
 *
 *   T kind length    a type; then, as far as its kind has them:
 *   N name           of an element or hook
 *   P kind key       its parent's kind, its key or -
 *   J json           S text, as JSON       D delta
 *   E key value      an entry              C count of them
 *   V value          of the sequence       G index value, by index
 *   R index assoc position, in hexadecimal
 */
#include "driver_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(struct answer *a, const void *data, size_t len)
{
    if (len > a->cap - a->len) {
        a->cap = 2 * (a->cap + len);
        a->data = realloc(a->data, a->cap);
        if (a->data == NULL)
            abort();
    }
    if (len > 0)
        memcpy(a->data + a->len, data, len);
    a->len += len;
}

static void say(struct answer *a, const char *text)
{
    add(a, text, strlen(text));
}

static void say_number(struct answer *a, int64_t n)
{
    char text[32];

    snprintf(text, sizeof(text), "%lld", (long long)n);
    say(a, text);
}

static void say_hex(struct answer *a, const uint8_t *data, size_t len)
{
    char text[3];

    for (size_t i = 0; i < len; i++) {
        snprintf(text, sizeof(text), "%02x", (unsigned int)data[i]);
        say(a, text);
    }
}

/* Add what the engine gave, and free it. */
static void take(struct answer *a, struct yjs_bytes *bytes)
{
    add(a, bytes->data, bytes->len);
    yjs_bytes_free(bytes);
}

/* --------------------------------------------------------------------- walk */

struct walk {
    yjs_doc *doc;
    struct answer *out;
    struct yjs_type *types;
    size_t n, cap;
    unsigned int positions;
    uint32_t seed;
    const struct yjs_allocator *alloc;
};

static void push(struct walk *w, struct yjs_type type)
{
    if (w->n == w->cap) {
        w->cap = 2 * w->cap + 16;
        w->types = realloc(w->types, w->cap * sizeof(*w->types));
        if (w->types == NULL)
            abort();
    }
    w->types[w->n++] = type;
}

static int say_value(struct walk *w, const struct yjs_value *value)
{
    struct yjs_bytes json = {0};
    int rc = yjs_value_to_json(w->doc, value, &json);

    if (rc == YJS_OK)
        take(w->out, &json);
    return rc;
}

static int say_text(struct walk *w, struct yjs_span text)
{
    struct yjs_value value = {.kind = YJS_VALUE_STRING, .bytes = text};

    return say_value(w, &value);
}

static int say_entries(struct walk *w, struct yjs_type type)
{
    struct yjs_value value, again;
    struct yjs_span key;
    struct yjs_iter iter;
    uint64_t size = 0, n = 0;
    int rc = yjs_iter_entries(w->doc, type, &iter);

    while (rc == YJS_OK && yjs_iter_next(&iter, &key, &value)) {
        n++;
        say(w->out, "E ");
        rc = say_text(w, key);
        say(w->out, " ");
        if (rc == YJS_OK)
            rc = say_value(w, &value);
        say(w->out, "\n");
        if (rc == YJS_OK)
            rc = yjs_map_get(w->doc, type, key, &again);
        if (rc == YJS_OK && again.kind != value.kind)
            say(w->out, "map_get differs\n");
        if (value.kind == YJS_VALUE_TYPE)
            push(w, value.type);
    }
    if (rc == YJS_OK)
        rc = iter.err;
    if (rc == YJS_OK)
        rc = yjs_map_size(w->doc, type, &size);
    say(w->out, "C ");
    say_number(w->out, (int64_t)size);
    say(w->out, size == n ? "\n" : " is not the size\n");
    return rc;
}

static int say_sequence(struct walk *w, struct yjs_type type)
{
    struct yjs_value value;
    struct yjs_iter iter;
    int rc = yjs_iter_sequence(w->doc, type, &iter);

    while (rc == YJS_OK && yjs_iter_next(&iter, NULL, &value)) {
        say(w->out, "V ");
        rc = say_value(w, &value);
        say(w->out, "\n");
        if (value.kind == YJS_VALUE_TYPE)
            push(w, value.type);
    }
    return rc == YJS_OK ? iter.err : rc;
}

static uint32_t next_random(struct walk *w)
{
    w->seed = w->seed * 1664525u + 1013904223u;
    return w->seed >> 8;
}

static int say_by_index(struct walk *w, struct yjs_type type, uint64_t length)
{
    struct yjs_value value;
    uint64_t index;
    int rc = YJS_OK;

    for (int i = 0; i < 3 && length > 0 && rc == YJS_OK; i++) {
        index = next_random(w) % length;
        rc = yjs_array_get(w->doc, type, index, &value);
        say(w->out, "G ");
        say_number(w->out, (int64_t)index);
        say(w->out, " ");
        if (rc == YJS_OK)
            rc = say_value(w, &value);
        say(w->out, "\n");
    }
    if (rc == YJS_OK &&
        yjs_array_get(w->doc, type, length, &value) != YJS_ERR_RANGE)
        say(w->out, "there is something at the end\n");
    return rc;
}

static int say_positions(struct walk *w, struct yjs_type type, uint64_t length)
{
    struct yjs_position pos;
    struct yjs_bytes bytes = {0};
    int rc = YJS_OK;

    for (unsigned int i = 0; i < w->positions && rc == YJS_OK; i++) {
        uint64_t index = next_random(w) % (length + 2);
        int64_t assoc = (int64_t)(next_random(w) % 4) - 2;

        rc = yjs_position_at(w->doc, type, index, assoc, &pos);
        if (rc == YJS_OK)
            rc = yjs_position_encode(&pos, w->alloc, &bytes);
        if (rc != YJS_OK)
            break;
        say(w->out, "R ");
        say_number(w->out, (int64_t)index);
        say(w->out, " ");
        say_number(w->out, assoc);
        say(w->out, " ");
        say_hex(w->out, bytes.data, bytes.len);
        say(w->out, "\n");
        yjs_bytes_free(&bytes);
    }
    return rc;
}

static int say_parent(struct walk *w, struct yjs_type type)
{
    enum yjs_type_kind kind = YJS_TYPE_ARRAY;
    struct yjs_type parent;
    struct yjs_span key;
    int rc = yjs_type_parent(w->doc, type, &parent, &key);

    if (rc == YJS_ERR_RANGE)
        return YJS_OK;
    if (rc == YJS_OK)
        rc = yjs_type_kind(w->doc, parent, &kind);
    if (rc != YJS_OK)
        return rc;
    say(w->out, "P ");
    say_number(w->out, kind);
    say(w->out, " ");
    if (key.data != NULL)
        rc = say_text(w, key);
    else
        say(w->out, "-");
    say(w->out, "\n");
    return rc;
}

/* One of the renderings, after its letter; `quoted`: as JSON. */
static int say_form(struct walk *w, struct yjs_type type, const char *letter,
                    int (*fn)(yjs_doc *, struct yjs_type, struct yjs_bytes *),
                    bool quoted)
{
    struct yjs_bytes bytes = {0};
    int rc = fn(w->doc, type, &bytes);

    if (rc != YJS_OK)
        return rc == YJS_ERR_TYPE ? YJS_OK : rc;
    say(w->out, letter);
    if (quoted)
        rc = say_text(w, (struct yjs_span){bytes.data, bytes.len});
    else
        add(w->out, bytes.data, bytes.len);
    yjs_bytes_free(&bytes);
    say(w->out, "\n");
    return rc;
}

static bool is_one_of(enum yjs_type_kind kind, unsigned int kinds)
{
    return (1u << kind & kinds) != 0;
}

enum {
    TEXTS = 1 << YJS_TYPE_TEXT | 1 << YJS_TYPE_XML_TEXT,
    ARRAYS = 1 << YJS_TYPE_ARRAY | 1 << YJS_TYPE_XML_FRAGMENT |
             1 << YJS_TYPE_XML_ELEMENT,
    MAPS = 1 << YJS_TYPE_MAP | 1 << YJS_TYPE_XML_ELEMENT |
           1 << YJS_TYPE_XML_HOOK | TEXTS,
    NAMED = 1 << YJS_TYPE_XML_ELEMENT | 1 << YJS_TYPE_XML_HOOK
};

static int say_head(struct walk *w, struct yjs_type type,
                    enum yjs_type_kind kind, uint64_t length)
{
    struct yjs_span name;
    int rc = YJS_OK;

    say(w->out, "T ");
    say_number(w->out, kind);
    say(w->out, " ");
    say_number(w->out, (int64_t)length);
    say(w->out, "\n");
    if (is_one_of(kind, NAMED)) {
        rc = yjs_type_name(w->doc, type, &name);
        say(w->out, "N ");
        if (rc == YJS_OK)
            rc = say_text(w, name);
        say(w->out, "\n");
    }
    return rc == YJS_OK ? say_parent(w, type) : rc;
}

static int say_type(struct walk *w, struct yjs_type type)
{
    enum yjs_type_kind kind = YJS_TYPE_ARRAY;
    uint64_t length = 0;
    int rc = yjs_type_kind(w->doc, type, &kind);

    if (rc == YJS_OK)
        rc = yjs_type_length(w->doc, type, &length);
    if (rc == YJS_OK)
        rc = say_head(w, type, kind, length);
    if (rc == YJS_OK)
        rc = say_form(w, type, "J ", yjs_type_to_json, false);
    if (rc == YJS_OK)
        rc = say_form(w, type, "S ", yjs_type_to_string, true);
    if (rc == YJS_OK)
        rc = say_form(w, type, "D ", yjs_text_to_delta, false);
    if (rc == YJS_OK && is_one_of(kind, MAPS))
        rc = say_entries(w, type);
    if (rc == YJS_OK && is_one_of(kind, ARRAYS | TEXTS))
        rc = say_sequence(w, type);
    if (rc == YJS_OK && is_one_of(kind, ARRAYS))
        rc = say_by_index(w, type, length);
    return rc == YJS_OK ? say_positions(w, type, length) : rc;
}

static const struct {
    const char *name;
    enum yjs_type_kind kind;
} kinds[] = {{"array", YJS_TYPE_ARRAY},
             {"map", YJS_TYPE_MAP},
             {"text", YJS_TYPE_TEXT},
             {"xml", YJS_TYPE_XML_FRAGMENT}};

static int open_root(struct walk *w, const char *s, size_t len)
{
    size_t colon = len;
    struct yjs_type type;
    int rc;

    while (colon > 0 && s[colon - 1] != ':')
        colon--;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strncmp(kinds[i].name, s + colon, len - colon) != 0)
            continue;
        rc = yjs_doc_root(w->doc,
                          (struct yjs_span){(const uint8_t *)s, colon - 1},
                          kinds[i].kind, &type);
        if (rc == YJS_OK)
            push(w, type);
        return rc;
    }
    return YJS_ERR_RANGE;
}

static int do_read(struct walk *w, const char *spec, size_t len)
{
    int rc = YJS_OK;

    for (size_t from = 0, to; from < len && rc == YJS_OK; from = to + 1) {
        for (to = from; to < len && spec[to] != ',';)
            to++;
        rc = open_root(w, spec + from, to - from);
    }
    for (size_t i = 0; i < w->n && rc == YJS_OK; i++)
        rc = say_type(w, w->types[i]);
    free(w->types);
    return rc;
}

/* ---------------------------------------------------------------- snapshots */

static int do_past(yjs_doc *doc, const uint8_t *arg, size_t len,
                   const struct yjs_allocator *alloc, struct answer *out)
{
    struct yjs_doc_options opt = {.keep_deleted = arg[1] != 0,
                                  .client_id = 5,
                                  .alloc = *alloc};
    struct yjs_bytes state = {0};
    yjs_doc *past = NULL;
    int rc = yjs_doc_at_snapshot(doc, (struct yjs_span){arg + 2, len - 2},
                                 (enum yjs_format)arg[0], &opt, &past);

    if (rc == YJS_OK)
        rc = yjs_doc_verify(past);
    if (rc == YJS_OK)
        rc = yjs_encode_state_as_update(past, NULL, 0, &state);
    if (rc == YJS_OK)
        take(out, &state);
    yjs_doc_free(past);
    return rc;
}

static int on_clock(void *ctx, uint64_t client, uint64_t clock)
{
    *(uint64_t *)ctx += client > 0 && clock > 0;
    return 0;
}

static int on_delete(void *ctx, struct yjs_id first, uint64_t len)
{
    *(uint64_t *)ctx += first.client > 0 && len > 0;
    return 0;
}

static size_t load_u32(const uint8_t *p)
{
    return p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
}

static int do_contains(const uint8_t *arg, size_t len,
                       const struct yjs_allocator *alloc, struct answer *out)
{
    struct yjs_update_options opt = {.format = (enum yjs_format)arg[0],
                                     .alloc = *alloc};
    struct yjs_span snapshot = {arg + 5, load_u32(arg + 1)};
    struct yjs_span update = {snapshot.data + snapshot.len,
                              len - 5 - snapshot.len};
    uint64_t seen = 0;
    struct yjs_snapshot_visitor visitor = {on_clock, on_delete, &seen};
    bool all = false;
    int rc = yjs_snapshot_visit(snapshot, &opt, &visitor, NULL);

    if (rc == YJS_OK)
        rc = yjs_snapshot_contains(snapshot, update, &opt, NULL, &all);
    if (rc == YJS_OK)
        say(out, all ? "1" : "0");
    return rc;
}

/* ---------------------------------------------------------------- positions */

static int say_place(yjs_doc *doc, const struct yjs_position *pos,
                     struct answer *out)
{
    struct yjs_type type;
    struct yjs_span name;
    uint64_t index = 0;
    int rc = yjs_position_resolve(doc, pos, &type, &index);

    if (rc == YJS_ERR_RANGE || rc == YJS_ERR_DELETED) {
        say(out, "null\n");
        return YJS_OK;
    }
    if (rc != YJS_OK)
        return rc;
    if (type.root != NULL) {
        rc = yjs_type_name(doc, type, &name);
        say(out, "root ");
        if (rc == YJS_OK)
            add(out, name.data, name.len);
    } else {
        say_number(out, (int64_t)type.id.client);
        say(out, " ");
        say_number(out, (int64_t)type.id.clock);
    }
    say(out, " at ");
    say_number(out, (int64_t)index);
    say(out, "\n");
    return rc;
}

static int do_resolve(yjs_doc *doc, const uint8_t *arg, size_t len,
                      const struct yjs_allocator *alloc, struct answer *out)
{
    struct yjs_position pos;
    struct yjs_bytes again = {0};
    int rc = YJS_OK;

    while (len > 4 && rc == YJS_OK) {
        size_t n = load_u32(arg);

        rc = yjs_position_decode(arg + 4, n, &pos);
        if (rc == YJS_OK)
            rc = yjs_position_encode(&pos, alloc, &again);
        if (rc != YJS_OK)
            break;
        if (again.len != n || memcmp(again.data, arg + 4, n) != 0)
            say(out, "encoded differently: ");
        yjs_bytes_free(&again);
        rc = say_place(doc, &pos, out);
        arg += n + 4;
        len -= n + 4;
    }
    return rc;
}

int driver_read(yjs_doc *doc, unsigned int op, const uint8_t *arg, size_t len,
                const struct yjs_allocator *alloc, struct answer *out)
{
    struct walk walk = {.doc = doc, .out = out, .alloc = alloc};
    struct yjs_bytes bytes = {0};
    int rc;

    switch (op) {
    case OP_READ:
        if (len < 5)
            return YJS_ERR_RANGE;
        walk.positions = arg[0];
        walk.seed = (uint32_t)load_u32(arg + 1);
        return do_read(&walk, (const char *)arg + 5, len - 5);
    case OP_SNAPSHOT:
        rc = yjs_snapshot_encode(doc, (enum yjs_format)arg[0], &bytes);
        if (rc == YJS_OK)
            take(out, &bytes);
        return rc;
    case OP_PAST:
        return do_past(doc, arg, len, alloc, out);
    case OP_CONTAINS:
        return do_contains(arg, len, alloc, out);
    case OP_RESOLVE:
        return do_resolve(doc, arg, len, alloc, out);
    default:
        return YJS_ERR_RANGE;
    }
}
