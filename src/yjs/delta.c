/* SPDX-License-Identifier: MIT */
/*
 * delta.c: texts with their formats, as JSON.stringify prints toDelta().
 *
 *   [{"insert":"text"},{"insert":"bold","attributes":{"bold":true}},
 *    {"insert":{"image":"x.png"}}]
 *
 * A new operation begins at every format, even one without an effect, and at
 * every embed. A nested type is an embed, printed as its toJSON().
 */
#include "yjs/render.h"

#include "yjs/content.h"

static void put(struct yjs__render *k, const char *s)
{
    yjs__render_put(k, s);
}

static void put_attributes(struct yjs__render *k, struct yjs__render_frame *f)
{
    const struct yjs__attr *a;
    bool first = true;
    size_t at = 0;

    if (f->attrs.count == 0)
        return;
    yjs__render_fail(k, yjs__attrs_arrange(&f->attrs));
    put(k, ",\"attributes\":{");
    while (k->err == YJS_OK && (a = yjs__attrs_next(&f->attrs, &at)) != NULL) {
        if (yjs__render_is_proto(a->key.ptr, a->key.len))
            continue;
        put(k, first ? "\"" : ",\"");
        yjs__print_text(&k->out, a->key);
        put(k, "\":");
        yjs__write_bytes(&k->out, a->value.json.ptr, a->value.json.len);
        first = false;
    }
    put(k, "}");
}

static void end_operation(struct yjs__render *k, struct yjs__render_frame *f)
{
    if (!f->tagged && !f->embed)
        return;
    if (f->tagged)
        put(k, "\"");
    put_attributes(k, f);
    put(k, "}");
    f->tagged = f->embed = false;
}

static void put_string(struct yjs__render *k, struct yjs__render_frame *f,
                       struct yjs__slice text)
{
    if (!f->tagged) {
        yjs__render_drop_ychange(f);
        yjs__render_comma(k, f);
        put(k, "{\"insert\":\"");
        f->tagged = true;
    }
    yjs__print_text(&k->out, text);
}

static void put_embed(struct yjs__render *k, struct yjs__render_frame *f,
                      const struct yjs__item *it)
{
    struct yjs__slice s = yjs__content(it);
    struct yjs__reader r;

    yjs__render_comma(k, f);
    put(k, "{\"insert\":");
    f->embed = true;
    if (it->kind == YJS__TYPE) {
        /* The operation ends when the way leads back here. */
        yjs__render_type(k, it->u.type, it->u.type->ref, false);
        return;
    }
    yjs__reader_init(&r, s.ptr, s.len);
    yjs__render_value(k, it->kind, &r);
}

bool yjs__delta_step(struct yjs__render *k, struct yjs__render_frame *f)
{
    const struct yjs__item *it;

    if (f->embed)
        end_operation(k, f);
    if (f->item == 0) {
        end_operation(k, f);
        return false;
    }
    it = yjs__item(k->doc, f->item);
    f->item = it->right;
    if (yjs__item_deleted(it))
        return true;
    if (it->kind == YJS__STRING) {
        put_string(k, f, yjs__content(it));
    } else if (it->kind == YJS__FORMAT) {
        end_operation(k, f);
        yjs__render_format(k, f, it);
    } else if (it->kind == YJS__TYPE || it->kind == YJS__EMBED) {
        end_operation(k, f);
        put_embed(k, f, it);
    }
    return true;
}
