/* SPDX-License-Identifier: MIT */
/**
 * @file outq.h
 * What waits to be written to one client: a bounded queue of shared blobs. An
 * empty queue, and one of two messages, owns no memory. Moved by assignment.
 *
 * The bound, and what a full queue does:
 *  - Each message is charged its length, but at most a quarter of the limit:
 *    a document larger than the limit can still be sent to a client that keeps
 *    up, while one that does not keep up is found after four of them.
 *  - What does not fit drops the oldest awareness first (the newest wins).
 *  - Then awareness is dropped itself; anything else overflows, and the owner
 *    ends the connection: never a gap.
 */
#ifndef TRANSPORT_OUTQ_H
#define TRANSPORT_OUTQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "room/message.h"

struct blob;

struct outq_entry {
    struct blob *blob; /**< NULL: dropped, to be skipped */
    enum message_class klass;
};

enum { OUTQ_FEW = 2 };

struct outq {
    struct outq_entry *many; /**< NULL: `few` is enough */
    struct outq_entry few[OUTQ_FEW];
    uint32_t first, end, cap; /**< in use: [first, end) */
    uint32_t urgent;    /**< how many urgent ones lead the queue */
    uint32_t droppable; /**< awareness messages in it */
    bool head_begun;    /**< the first message is partly written: nothing may
                             go before it */
    size_t charged, limit;
};

enum outq_result { OUTQ_QUEUED, OUTQ_DROPPED, OUTQ_OVERFLOW };

void outq_init(struct outq *q, size_t limit);
/** Drops everything; the queue is empty and usable. */
void outq_clear(struct outq *q);

/** Takes its own reference when it queues. `*out_dropped` grows by the number
 *  of messages dropped, this one included. */
enum outq_result outq_push(struct outq *q, struct blob *blob,
                           enum message_class klass, uint64_t *out_dropped);

/** Drop documents and awareness, but what is partly written. Returns how many
 *  messages that were. */
uint32_t outq_drop_bulk(struct outq *q);
/** What stands at `i`, first <= i < end: to walk without taking out. */
const struct outq_entry *outq_at(const struct outq *q, uint32_t i);
/** The first message, or NULL. */
struct blob *outq_peek(struct outq *q);
/** Take the first message out; the caller owns its reference. */
struct blob *outq_take(struct outq *q, enum message_class *out_klass);
/** Put back in front what outq_take gave, last one first. Takes the
 *  reference; is never refused. */
void outq_put_back(struct outq *q, struct blob *blob,
                   enum message_class klass);
/** All of `from`, which is empty then, in front of `q`. */
void outq_put_back_all(struct outq *q, struct outq *from);
/** Memory that would be free without it: what others hold as well counts by
 *  its share. O(messages). */
size_t outq_held(const struct outq *q);
bool outq_empty(const struct outq *q);

#endif
