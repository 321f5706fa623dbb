/* SPDX-License-Identifier: MIT */
/**
 * @file yjs-protocols.h
 * What travels around updates: y-protocols 1.0.7, sync and awareness. Part of
 * yjs.h, whose conventions hold here; it includes this file.
 *
 * All of it is pure: no clock is read, no document is touched. Every call
 * costs what it reads or writes; awareness finds a client by binary search.
 */
#ifndef YJS_PROTOCOLS_H
#define YJS_PROTOCOLS_H

#include "yjs.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --------------------------------------------------- y-protocols messages */

enum yjs_message_type {
    YJS_MESSAGE_SYNC = 0,
    YJS_MESSAGE_AWARENESS = 1,
    YJS_MESSAGE_AUTH = 2,
    YJS_MESSAGE_QUERY_AWARENESS = 3
};

enum yjs_sync_type {
    YJS_SYNC_STEP1 = 0, /**< body: an encoded state vector */
    YJS_SYNC_STEP2 = 1, /**< body: an update */
    YJS_SYNC_UPDATE = 2 /**< body: an update */
};

/** One decoded message; `body` points into the caller's input. */
struct yjs_message {
    enum yjs_message_type type;
    enum yjs_sync_type sync; /**< for YJS_MESSAGE_SYNC */
    const uint8_t *body;     /**< sync and awareness: the inner byte array */
    size_t body_len;
};

/** Trailing bytes are YJS_ERR_MALFORMED, unknown types YJS_ERR_UNSUPPORTED. */
YJS_MUST_USE YJS_API int yjs_message_decode(const uint8_t *data, size_t len,
                                            struct yjs_message *out);

/** Frame `body` as a y-protocols message. `alloc` may be NULL. */
YJS_MUST_USE YJS_API int yjs_message_encode(const struct yjs_message *message,
                                            const struct yjs_allocator *alloc,
                                            struct yjs_bytes *out);

/* -------------------------------------------------------------- awareness */

typedef struct yjs_awareness yjs_awareness;

/** 0 means the built-in default named beside each. */
struct yjs_awareness_options {
    size_t clients;     /**< live states; default 16,384 */
    size_t tombstones;  /**< remembered removed clients; default 1,024,
                             oldest forgotten first */
    size_t state_bytes; /**< JSON bytes of one state; default 64 KiB */
    size_t total_bytes; /**< JSON bytes of all states; default 16 MiB */
    struct yjs_allocator alloc;
};

enum yjs_awareness_kind {
    YJS_AWARENESS_ADDED,
    YJS_AWARENESS_UPDATED, /**< also a renewal with equal content */
    YJS_AWARENESS_REMOVED
};

/** One change; `json` is the new state, or NULL when removed. */
struct yjs_awareness_change {
    uint64_t client;
    uint64_t clock;
    enum yjs_awareness_kind kind;
    const char *json;
    size_t json_len;
};

/** Called once per accepted change, in order; must not touch the awareness. */
typedef void (*yjs_awareness_fn)(void *ctx,
                                 const struct yjs_awareness_change *change);

YJS_MUST_USE YJS_API int
yjs_awareness_new(const struct yjs_awareness_options *opt, yjs_awareness **out);
YJS_API void yjs_awareness_free(yjs_awareness *awareness);
/**
 * Apply an encoded awareness update as y-protocols does: accepted when its
 * clock is greater than the known one, or equal with a null state while a
 * state is known. Decoded completely first; a rejected one changes nothing.
 */
YJS_MUST_USE YJS_API int
yjs_awareness_apply(yjs_awareness *awareness, const uint8_t *update, size_t len,
                    uint64_t now_ms, yjs_awareness_fn fn, void *ctx);

/** Encode the named clients (`clients` NULL: all live ones). Unknown ids are
 *  left out; removed ones are encoded as null at their known clock. */
YJS_MUST_USE YJS_API int yjs_awareness_encode(yjs_awareness *awareness,
                                              const uint64_t *clients, size_t n,
                                              struct yjs_bytes *out);
/** Remove one client at its known clock (as the peers' own rule then accepts:
 *  equal clock with null). Returns true when it was live. */
YJS_API bool yjs_awareness_remove(yjs_awareness *awareness, uint64_t client,
                                  uint64_t now_ms);
/** Remove what was not renewed for `timeout_ms`; `fn` hears of each. */
YJS_API size_t yjs_awareness_expire(yjs_awareness *awareness, uint64_t now_ms,
                                    uint64_t timeout_ms, yjs_awareness_fn fn,
                                    void *ctx);
/** The clock known for a client, live or removed; false when unknown. */
YJS_API bool yjs_awareness_clock(const yjs_awareness *awareness,
                                 uint64_t client, uint64_t *out_clock,
                                 bool *out_live);
/** How many are live. */
YJS_API size_t yjs_awareness_count(const yjs_awareness *awareness);

/**
 * setLocalState: the client's next clock with this state, JSON; without data,
 * the client leaves. Tell the peers with yjs_awareness_encode. Unlike in
 * y-protocols the first clock is 1, as nobody accepts 0. YJS_ERR_MALFORMED:
 * not JSON.
 */
YJS_MUST_USE YJS_API int
yjs_awareness_set(yjs_awareness *awareness, uint64_t client,
                  struct yjs_span json, uint64_t now_ms, yjs_awareness_fn fn,
                  void *ctx);
/** The state of a live client, JSON as it came; borrowed until the awareness
 *  changes. False: it is not live. */
YJS_API bool yjs_awareness_state(const yjs_awareness *awareness,
                                 uint64_t client, struct yjs_span *out_json);
/** getStates(): `fn` hears of each live client, the one renewed longest ago
 *  first, as ADDED. */
YJS_API void yjs_awareness_visit(const yjs_awareness *awareness,
                                 yjs_awareness_fn fn, void *ctx);

#ifdef __cplusplus
}
#endif
#endif
