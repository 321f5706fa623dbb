/* SPDX-License-Identifier: MIT */
/**
 * @file longpoll.h
 * Long-poll sessions, without HTTP and without a clock: any carrier of
 * requests (MHD today, FastCGI perhaps) can stand in front of it. See
 * longpoll.c for the states.
 *
 * A carrier embeds one lp_request in each poll it holds. The order of calls
 * for it: longpoll_poll; if that parks it, ops->wake (once); longpoll_take;
 * longpoll_body, or longpoll_head and what is in flight; longpoll_finish. A
 * poll whose client went away skips to longpoll_finish.
 */
#ifndef TRANSPORT_LONGPOLL_H
#define TRANSPORT_LONGPOLL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "transport/http_head.h"
#include "transport/outq.h"

struct buf;
struct longpoll;
struct lp_session;
struct transport_env;

/** The statuses that phoenix.js survives in a poll. */
enum lp_status {
    LP_MORE = 0, /**< none yet */
    LP_MESSAGES = 200,
    LP_NOTHING = 204,
    LP_FORBIDDEN = 403,
    LP_OPEN_OR_GONE = 410,
    LP_TOO_LARGE = 413, /**< to a POST only */
    LP_ERROR = 500
};

enum lp_state {
    LP_NEW,
    LP_PARKED, /**< waits for ops->wake */
    LP_READY,  /**< longpoll_take may be called */
    LP_WRITING /**< the response is under way */
};

/**
 * Embedded in a carrier's connection, zeroed at first: ties the last response
 * it carried to the session, until it is known whether that arrived.
 */
struct lp_link {
    struct lp_session *session;
};

/** Embedded by the carrier; zero it before longpoll_poll. */
struct lp_request {
    struct lp_session *session; /**< NULL when the answer needs none */
    enum lp_state state;
    int status;            /**< 0: messages, if there are any */
    struct address client;
    bool tokened;          /**< `id` is to be told as the session's token */
    bool unread;           /**< the carrier's own mark */
    uint8_t id[16];
    size_t bytes;          /**< of the messages in flight */
    struct outq in_flight; /**< taken from the session, not yet known to be
                                written */
};

struct longpoll_ops {
    /** A parked request has an answer: call longpoll_take and so on soon, but
     *  not from in here. */
    void (*wake)(struct lp_request *request);
    /** Has the peer broken this connection off (a reset, not an end)? */
    bool (*lost)(struct lp_link *link);
};

struct longpoll *longpoll_new(struct transport_env *env,
                              const struct longpoll_ops *ops);
/** Every request must be finished. NULL is accepted. */
void longpoll_free(struct longpoll *lp, uint64_t now);

/** Would longpoll_poll park it? Nothing changes. */
bool longpoll_would_park(struct longpoll *lp, const struct http_head *head,
                         const struct address *client);
/** A GET. True: parked; false: LP_READY at once. */
bool longpoll_poll(struct longpoll *lp, struct lp_request *request,
                   const struct http_head *head, uint64_t now);
/** A poll that is parked or ready goes on as `to`, which is not in use. */
void longpoll_move(struct lp_request *from, struct lp_request *to);
/** Decide what a ready request is answered. Returns the bytes of its messages,
 *  which are in flight from now on. */
size_t longpoll_take(struct longpoll *lp, struct lp_request *request);
/** The JSON body of the answer. */
void longpoll_body(struct longpoll *lp, const struct lp_request *request,
                   struct buf *out);
/** What of it comes before the messages. */
void longpoll_head(struct longpoll *lp, const struct lp_request *request,
                   struct buf *out);
/** The request is over. Not `written`: its messages are put back. Else they
 *  are kept until `link` is settled, or the session's next poll arrives. */
void longpoll_finish(struct longpoll *lp, struct lp_request *request,
                     bool written, struct lp_link *link, uint64_t now);
/** What has become of the last response on this connection: it arrived (the
 *  client sends another request, or ends in peace), or it is `lost`. Harmless
 *  when nothing is open. */
void longpoll_settle(struct lp_link *link, bool lost);

/** A POST with its whole body, which is overwritten. Returns the status, to be
 *  told after `*out_pause` milliseconds; or LP_MORE: call again, in a later
 *  turn of the loop. `*done`, 0 at first, is how far it has come. */
int longpoll_post(struct longpoll *lp, const struct http_head *head,
                  uint8_t *body, size_t len, size_t *done,
                  const struct address *client, uint64_t now,
                  uint64_t *out_pause);
/** The body that goes with a status alone. */
void longpoll_status_body(int status, struct buf *out);

/** Free what has ended; true when there was something. */
bool longpoll_turn(struct longpoll *lp, uint64_t now);
/** End up to `most` sessions; returns how many are left. */
size_t longpoll_end_some(struct longpoll *lp, size_t most);
/** As ws_shed. */
size_t longpoll_shed(struct longpoll *lp);
size_t longpoll_count(const struct longpoll *lp);

#endif
