/* SPDX-License-Identifier: MIT */
/**
 * @file message.h
 * One outgoing channel message in an abstract form, with room for its encoded
 * wire forms. The room makes it once; the channel layer encodes it at most
 * once per wire form and keeps the blob here, so that a fan-out costs one
 * reference and one queue entry per receiver.
 *
 * Lifetime: lives on the stack of whoever sends; message_deinit drops the
 * cached blobs (receivers hold their own references). Topic, event and payload
 * are borrowed until then.
 */
#ifndef ROOM_MESSAGE_H
#define ROOM_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

struct blob;

/**
 * Bytes that more than one message carries, a document above all. Each way to
 * write them is made at most once, by the channel layer, and kept here; then a
 * message costs only what is around them. Zeroed: nothing. Owned by whoever
 * makes the messages, which hold references of their own to the blobs.
 */
struct payload {
    const uint8_t *data; /**< borrowed */
    size_t len;
    struct blob *bytes; /**< as they are */
    struct blob *ints;  /**< as the elements of a JSON array */
    struct blob *quoted; /**< JSON text as it stands within a JSON string */
};

/** Drop what was made; `data` is not touched. */
void payload_deinit(struct payload *payload);

/** How a client reads bytes. WS forms are complete WebSocket frames (header
 *  included, unmasked). LP forms are one element of the `messages` array of a
 *  poll response: a JSON string, quotes and escapes included. */
enum wire_form {
    WIRE_WS_V2,     /**< text, or binary frame for binary payloads */
    WIRE_WS_V1,     /**< text only; binary payloads as arrays of integers */
    WIRE_LP_V2,     /**< binary payloads as arrays of integers */
    WIRE_LP_V1,     /**< likewise, V1 objects */
    WIRE_LP_V2_B64, /**< binary frames as base64 strings */
    WIRE_FORMS
};

enum message_kind {
    MESSAGE_JSON,  /**< payload: validated JSON text, relayed verbatim */
    MESSAGE_BYTES, /**< payload: bytes (a binary push to V2 clients) */
    /** payload: bytes, sent as the JSON object {"data":[ints]} */
    MESSAGE_DATA
};

/** What a full queue may do with it. */
enum message_class {
    MESSAGE_CONTROL,  /**< replies, presence, closes: never dropped */
    MESSAGE_URGENT,   /**< heartbeat replies: go ahead of bulk data */
    MESSAGE_DOCUMENT, /**< never dropped: the connection ends instead */
    MESSAGE_AWARENESS /**< may be dropped, newest wins */
};

struct message {
    const char *topic;
    size_t topic_len;
    const char *event;
    size_t event_len;
    const uint8_t *payload;
    size_t payload_len;
    struct payload *shared; /**< the same bytes, if others send them too */
    enum message_kind kind;
    enum message_class klass;
    struct blob *wire[WIRE_FORMS]; /**< filled lazily by the channel layer */
};

/** Drop the cached wire forms. */
void message_deinit(struct message *message);

#endif
