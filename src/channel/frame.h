/* SPDX-License-Identifier: MIT */
/**
 * @file frame.h
 * Wire messages of Phoenix's socket protocol <-> structs. Knows the three
 * shapes on the way in (V2 text, V1 text, V2 binary) and the wire forms of
 * room/message.h on the way out; knows nothing of sessions or rooms.
 */
#ifndef CHANNEL_FRAME_H
#define CHANNEL_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "room/message.h"

struct blob;

/** A topic, event or ref. Peers may send any JSON value where a string
 *  belongs; it is echoed as it came. */
enum token_kind {
    TOKEN_NULL,
    TOKEN_STRING, /**< text: the content as UTF-8 */
    TOKEN_JSON    /**< text: another JSON value, verbatim */
};

struct token {
    const char *text;
    size_t len;
    enum token_kind kind;
};

#define TOKEN_LITERAL(s)                                                       \
    ((struct token){.text = (s), .len = sizeof(s) - 1, .kind = TOKEN_STRING})

bool token_equal(const struct token *a, const struct token *b);
bool token_is(const struct token *t, const char *text);

enum {
    FRAME_FIELD_MAX = 255, /**< a ref's bytes; binary frames hold no more */
    FRAME_SCRATCH = 1024,  /**< for fields that came with escapes */
    /** From so many bytes on a shared payload is not copied: the message is a
     *  joint blob. Transports rely on small blobs being in one piece. */
    FRAME_SHARED_MIN = 128 * 1024
};

/** A message from a client. Everything points into the input or, for fields
 *  that had escapes, into `scratch`. */
struct frame {
    struct token join_ref, ref, topic, event;
    const uint8_t *payload; /**< validated JSON text, or bytes */
    size_t payload_len;
    bool binary; /**< the payload is bytes */
    char scratch[FRAME_SCRATCH];
};

enum frame_error {
    FRAME_OK = 0,
    FRAME_UNREADABLE, /**< ends the connection */
    FRAME_TOO_DEEP    /**< unreadable because of the nesting limit */
};

/** `[join_ref, ref, topic, event, payload, ...]` */
enum frame_error frame_decode_v2(const uint8_t *data, size_t len,
                                 unsigned depth, struct frame *out);
/** `{"topic":..,"event":..,"payload":..,"ref":..}`, join_ref optional. */
enum frame_error frame_decode_v1(const uint8_t *data, size_t len,
                                 unsigned depth, struct frame *out);
/** Kind 0: four lengths, join_ref, ref, topic, event, payload. */
enum frame_error frame_decode_binary(const uint8_t *data, size_t len,
                                     struct frame *out);

/* All encoders return a blob with one reference. `message->topic` and the
 * tokens are at most FRAME_FIELD_MAX bytes where a binary frame needs them. */

/** Without refs: what a fan-out sends to everybody. */
struct blob *frame_broadcast(enum wire_form form,
                             const struct message *message);
/** On one member's join_ref. NULL when there is no memory for a shared
 *  payload. */
struct blob *frame_push(enum wire_form form, const struct token *join_ref,
                        const struct message *message);

/** What a reply answers. */
struct frame_reply {
    struct token join_ref, ref, topic;
};

/** Status ok, `{}`. */
struct blob *frame_reply_ok(enum wire_form form, const struct frame_reply *to);
/** Status error, `{"reason": reason}`; the reason needs no escaping. */
struct blob *frame_reply_error(enum wire_form form,
                               const struct frame_reply *to,
                               const char *reason);
/** Status ok, `{"state":[ints]}`; NULL when there is no memory for them. */
/** Status ok, `{...}`: a payload in JSON, as it came. */
struct blob *frame_reply_echo(enum wire_form form,
                              const struct frame_reply *to,
                              const uint8_t *payload, size_t len);
struct blob *frame_reply_state(enum wire_form form,
                               const struct frame_reply *to,
                               struct payload *state);
/** phx_close and phx_error: both carry the join_ref as their ref as well. */
struct blob *frame_close(enum wire_form form, const struct token *join_ref,
                         const struct token *topic);
struct blob *frame_error(enum wire_form form, const struct token *join_ref,
                         const struct token *topic);

#endif
