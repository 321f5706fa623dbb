/* SPDX-License-Identifier: MIT */
/*
 * two-editors: two documents that are edited apart and keep in step, first by
 * the sync protocol, as on a new connection, then update by update.
 *
 *   cc two-editors.c -o two-editors $(pkg-config --cflags --libs yjs)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yjs.h>

static struct yjs_span str(const char *s)
{
    return (struct yjs_span){(const uint8_t *)s, strlen(s)};
}

static void must(int rc)
{
    if (rc != YJS_OK) {
        fprintf(stderr, "two-editors: %s\n", yjs_strerror(rc));
        exit(1);
    }
}

struct editor {
    const char *name;
    yjs_doc *doc;
    struct yjs_type text;
    struct editor *peer; /* gets each update, once they are connected */
};

/* Our own edits go to the peer; what came from it does not go back. */
static void on_update(void *ctx, const struct yjs_update_event *event)
{
    struct editor *e = ctx;

    if (e->peer == NULL || !event->local)
        return;
    must(event->err);
    printf("%s sends %zu bytes\n", e->name, event->v1.len);
    must(yjs_apply_update(e->peer->doc, event->v1.data, event->v1.len, NULL));
}

static void open_editor(struct editor *e, const char *name, uint64_t client)
{
    struct yjs_doc_options opt = {.client_id = client};

    *e = (struct editor){.name = name};
    must(yjs_doc_new(&opt, &e->doc));
    must(yjs_doc_root(e->doc, str("notes"), YJS_TYPE_TEXT, &e->text));
    yjs_doc_on_update(e->doc, YJS_FORMAT_V1, on_update, e);
}

static void insert(struct editor *e, uint64_t at, const char *what)
{
    const struct yjs_span no_attributes = {NULL, 0};
    yjs_txn *txn;

    must(yjs_txn_begin(e->doc, NULL, &txn));
    must(yjs_text_insert(txn, e->text, at, str(what), no_attributes));
    must(yjs_txn_commit(txn));
}

static void show(struct editor *e)
{
    struct yjs_bytes text;

    must(yjs_type_to_string(e->doc, e->text, &text));
    printf("%s: %.*s\n", e->name, (int)text.len, (const char *)text.data);
    yjs_bytes_free(&text);
}

/* What `from` lacks of `to`: step 1 goes out, step 2 comes back. */
static void sync(struct editor *from, struct editor *to)
{
    struct yjs_message step1 = {YJS_MESSAGE_SYNC, YJS_SYNC_STEP1, NULL, 0};
    struct yjs_message step2 = {YJS_MESSAGE_SYNC, YJS_SYNC_STEP2, NULL, 0};
    struct yjs_message got;
    struct yjs_bytes sv, diff, wire;

    must(yjs_encode_state_vector(from->doc, &sv));
    step1.body = sv.data;
    step1.body_len = sv.len;
    must(yjs_message_encode(&step1, NULL, &wire));
    yjs_bytes_free(&sv);

    must(yjs_message_decode(wire.data, wire.len, &got));
    must(yjs_encode_state_as_update(to->doc, got.body, got.body_len, &diff));
    yjs_bytes_free(&wire);
    step2.body = diff.data;
    step2.body_len = diff.len;
    must(yjs_message_encode(&step2, NULL, &wire));
    yjs_bytes_free(&diff);

    must(yjs_message_decode(wire.data, wire.len, &got));
    must(yjs_apply_update(from->doc, got.body, got.body_len, NULL));
    yjs_bytes_free(&wire);
}

int main(void)
{
    struct editor ann, bob;

    open_editor(&ann, "ann", 1);
    open_editor(&bob, "bob", 2);
    insert(&ann, 0, "Hello, ");
    insert(&bob, 0, "world");
    sync(&ann, &bob);
    sync(&bob, &ann);
    ann.peer = &bob;
    bob.peer = &ann;
    insert(&bob, 12, "!");
    show(&ann);
    show(&bob);
    yjs_doc_free(ann.doc);
    yjs_doc_free(bob.doc);
    return 0;
}
