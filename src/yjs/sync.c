/* SPDX-License-Identifier: MIT */
/*
 * sync.c: the envelope of y-protocols 1.0.7, one message at a time.
 *
 *   varuint 0  sync       varuint 0 step1   bytes: a state vector
 *                                 1 step2   bytes: an update
 *                                 2 update  bytes: an update
 *   varuint 1  awareness  bytes: an awareness update
 *   varuint 2  auth       varuint 0         string: why permission is denied
 *   varuint 3  query awareness, nothing follows
 *
 * Must never: look into a body, copy one while decoding, or take a message
 * with bytes left over (two messages in one frame are one too many).
 */
#include "yjs/lib0.h"

enum { AUTH_DENIED = 0 };

static int read_sync(struct yjs__reader *r, struct yjs_message *msg)
{
    uint64_t type = yjs__read_varuint(r);

    if (r->err == YJS_OK && type > YJS_SYNC_UPDATE)
        return YJS_ERR_UNSUPPORTED;
    msg->sync = (enum yjs_sync_type)type;
    return YJS_OK;
}

static int read_auth(struct yjs__reader *r)
{
    uint64_t type = yjs__read_varuint(r);

    return r->err == YJS_OK && type != AUTH_DENIED ? YJS_ERR_UNSUPPORTED
                                                   : YJS_OK;
}

int yjs_message_decode(const uint8_t *data, size_t len,
                       struct yjs_message *out)
{
    struct yjs_message msg = {YJS_MESSAGE_SYNC, YJS_SYNC_STEP1, NULL, 0};
    struct yjs__slice body = {NULL, 0};
    struct yjs__reader r;
    uint64_t type;
    int rc = YJS_OK;

    yjs__reader_init(&r, data, len);
    type = yjs__read_varuint(&r);
    if (r.err == YJS_OK && type > YJS_MESSAGE_QUERY_AWARENESS)
        return YJS_ERR_UNSUPPORTED;
    msg.type = (enum yjs_message_type)type;
    if (msg.type == YJS_MESSAGE_SYNC)
        rc = read_sync(&r, &msg);
    else if (msg.type == YJS_MESSAGE_AUTH)
        rc = read_auth(&r);
    if (rc != YJS_OK)
        return rc;
    if (msg.type == YJS_MESSAGE_AUTH)
        body = yjs__read_var_string(&r);
    else if (msg.type != YJS_MESSAGE_QUERY_AWARENESS)
        body = yjs__read_var_bytes(&r);
    if (r.err != YJS_OK)
        return r.err;
    if (yjs__read_left(&r) > 0)
        return YJS_ERR_MALFORMED;
    msg.body = body.ptr;
    msg.body_len = body.len;
    *out = msg;
    return YJS_OK;
}

int yjs_message_encode(const struct yjs_message *message,
                       const struct yjs_allocator *alloc, struct yjs_bytes *out)
{
    struct yjs__mem mem;
    struct yjs__writer w;

    if ((unsigned int)message->type > YJS_MESSAGE_QUERY_AWARENESS ||
        (message->type == YJS_MESSAGE_SYNC &&
         (unsigned int)message->sync > YJS_SYNC_UPDATE))
        return YJS_ERR_RANGE;
    yjs__mem_init(&mem, alloc, 0);
    yjs__writer_init(&w, &mem, 0);
    /* all in one allocation: type and subtype, length, body */
    if (message->body_len <= SIZE_MAX / 4)
        (void)yjs__write_reserve(&w, message->body_len + 30);
    yjs__write_varuint(&w, (uint64_t)message->type);
    if (message->type == YJS_MESSAGE_SYNC)
        yjs__write_varuint(&w, (uint64_t)message->sync);
    else if (message->type == YJS_MESSAGE_AUTH)
        yjs__write_varuint(&w, AUTH_DENIED);
    if (message->type != YJS_MESSAGE_QUERY_AWARENESS)
        yjs__write_var_bytes(&w, message->body, message->body_len);
    return yjs__writer_take(&w, out);
}
