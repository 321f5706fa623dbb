/* SPDX-License-Identifier: MIT */
/**
 * @file counters.h
 * Everything the daemon counts, in one list: name, kind, help. The server's
 * metrics page is rendered from this list, so a counter that exists is a
 * counter that shows. `gauge` may go down, `counter` may not. Names get the
 * prefix `roomd_`; a label set in braces is part of the name.
 */
#ifndef BASE_COUNTERS_H
#define BASE_COUNTERS_H

#include <stdint.h>

/* X(identifier, kind, "name{labels}", "help") ; keep one family together. */
#define COUNTERS(X)                                                            \
    X(CONNECTIONS_WS, gauge, "connections{transport=\"websocket\"}",           \
      "Open connections or sessions by transport")                             \
    X(CONNECTIONS_LP, gauge, "connections{transport=\"longpoll\"}", "")        \
    X(CONNECTIONS_HTTP, gauge, "connections{transport=\"http\"}", "")          \
    X(CONNECTIONS_HEAD, gauge, "connections{transport=\"head\"}", "")          \
    X(OPENED_WS, counter, "connections_opened_total{transport=\"websocket\"}", \
      "Connections or sessions opened by transport")                           \
    X(OPENED_LP, counter, "connections_opened_total{transport=\"longpoll\"}",  \
      "")                                                                      \
    X(OPENED_HTTP, counter, "connections_opened_total{transport=\"http\"}",    \
      "")                                                                      \
    X(ADDRESSES, gauge, "addresses",                                           \
      "Client addresses that are counted (see address_limits)")                \
    X(MEMORY_CEILING, gauge, "memory_ceiling_bytes",                           \
      "Resident memory from which on load is shed; 0: none")                   \
    X(POLLS_PARKED, gauge, "longpoll_parked", "Polls waiting for messages")    \
    X(ROOMS, gauge, "rooms", "Rooms in memory")                                \
    X(ROOMS_CREATED, counter, "rooms_created_total", "Rooms created")          \
    X(ROOMS_ENDED, counter, "rooms_ended_total", "Rooms that ended empty")     \
    X(ROOMS_FAILED, counter, "rooms_failed_total",                             \
      "Rooms ended by an internal failure")                                    \
    X(MEMBERS, gauge, "members", "Joined channels in all rooms")               \
    X(PRESENCE_TOGETHER, counter, "presence_together_total",                   \
      "Joins and leaves that were told together with others")                  \
    X(DOCUMENTS_RESTING, gauge, "documents_resting",                           \
      "Documents kept as bytes while nobody uses them")                        \
    X(DOCUMENTS_RESTED, counter, "documents_rested_total",                     \
      "Times that a document went to rest")                                    \
    X(DOCUMENT_BYTES, gauge, "document_bytes",                                 \
      "Heap held by all documents, in bytes")                                  \
    X(MESSAGES_IN, counter, "messages_received_total",                         \
      "Channel messages received")                                             \
    X(MESSAGES_OUT, counter, "messages_sent_total",                            \
      "Channel messages queued to clients")                                    \
    X(BYTES_IN, counter, "received_bytes_total",                               \
      "Payload bytes received from clients (frames and bodies)")               \
    X(BYTES_OUT, counter, "sent_bytes_total",                                  \
      "Bytes of frames and bodies written to clients")                         \
    X(UPDATES_APPLIED, counter, "updates_total{result=\"applied\"}",           \
      "Document updates by result")                                            \
    X(UPDATES_UNCHANGED, counter, "updates_total{result=\"unchanged\"}", "")   \
    X(UPDATES_REJECTED, counter, "updates_total{result=\"rejected\"}", "")     \
    X(AWARENESS_APPLIED, counter, "awareness_total{result=\"applied\"}",       \
      "Awareness updates by result")                                           \
    X(AWARENESS_REJECTED, counter, "awareness_total{result=\"rejected\"}", "") \
    X(RESYNCS, counter, "resyncs_total",                                       \
      "Members that did not keep up and were made to join again")              \
    X(DROPPED_AWARENESS, counter, "queue_dropped_total{class=\"awareness\"}",  \
      "Messages dropped from full queues by class")                            \
    X(CLOSED_1000, counter, "closed_total{code=\"1000\"}",                     \
      "WebSockets closed by the server or by the peer, by code")               \
    X(CLOSED_1001, counter, "closed_total{code=\"1001\"}", "")                 \
    X(CLOSED_1002, counter, "closed_total{code=\"1002\"}", "")                 \
    X(CLOSED_1006, counter, "closed_total{code=\"1006\"}", "")                 \
    X(CLOSED_1009, counter, "closed_total{code=\"1009\"}", "")                 \
    X(CLOSED_1011, counter, "closed_total{code=\"1011\"}", "")                 \
    X(CLOSED_1012, counter, "closed_total{code=\"1012\"}", "")                 \
    X(CLOSED_1013, counter, "closed_total{code=\"1013\"}", "")                 \
    X(CLOSED_OTHER, counter, "closed_total{code=\"other\"}", "")               \
    X(LP_EXPIRED, counter, "longpoll_expired_total",                           \
      "Long-poll sessions that ended for want of polls")                       \
    X(HTTP_REQUESTS, counter, "http_requests_total", "HTTP requests answered") \
    X(LIMIT_QUEUE, counter, "limit_total{limit=\"queue_bytes\"}",              \
      "Times a limit answered, by limit")                                      \
    X(LIMIT_FRAME, counter, "limit_total{limit=\"frame_bytes\"}", "")          \
    X(LIMIT_BODY, counter, "limit_total{limit=\"body_bytes\"}", "")            \
    X(LIMIT_LINE, counter, "limit_total{limit=\"line_bytes\"}", "")            \
    X(LIMIT_GZIP, counter, "limit_total{limit=\"gzip_max_bytes\"}", "")        \
    X(LIMIT_HEAD, counter, "limit_total{limit=\"head_bytes\"}", "")            \
    X(LIMIT_HEAD_TIME, counter, "limit_total{limit=\"head_timeout\"}", "")     \
    X(LIMIT_BODY_TIME, counter, "limit_total{limit=\"request_timeout\"}", "")  \
    X(LIMIT_IDLE, counter, "limit_total{limit=\"idle_timeout\"}", "")          \
    X(LIMIT_CONNECTIONS, counter, "limit_total{limit=\"connections\"}", "")    \
    X(LIMIT_MEMORY, counter, "limit_total{limit=\"memory_bytes\"}", "")        \
    X(LIMIT_RATE, counter, "limit_total{limit=\"client_rate\"}", "")           \
    X(LIMIT_ADDRESS_CONNECTIONS, counter,                                      \
      "limit_total{limit=\"address_connections\"}", "")                        \
    X(LIMIT_ADDRESS_OPENS, counter,                                            \
      "limit_total{limit=\"address_opens\"}", "")                              \
    X(LIMIT_MESSAGE_TIME, counter, "limit_total{limit=\"message_timeout\"}",   \
      "")                                                                      \
    X(LIMIT_SESSIONS, counter, "limit_total{limit=\"longpoll_sessions\"}", "") \
    X(LIMIT_ROOMS, counter, "limit_total{limit=\"rooms\"}", "")                \
    X(LIMIT_MEMBERS, counter, "limit_total{limit=\"members_per_room\"}", "")   \
    X(LIMIT_CHANNELS, counter, "limit_total{limit=\"channels_per_socket\"}",   \
      "")                                                                      \
    X(LIMIT_DEPTH, counter, "limit_total{limit=\"json_depth\"}", "")           \
    X(LIMIT_TOPIC, counter, "limit_total{limit=\"topic_bytes\"}", "")          \
    X(LIMIT_DOCUMENT, counter, "limit_total{limit=\"document_bytes\"}", "")    \
    X(LIMIT_UPDATE, counter, "limit_total{limit=\"update_bytes\"}", "")        \
    X(LIMIT_PENDING, counter, "limit_total{limit=\"pending_bytes\"}", "")      \
    X(LIMIT_CONFLICTS, counter, "limit_total{limit=\"update_conflicts\"}", "") \
    X(LIMIT_AWARENESS, counter, "limit_total{limit=\"awareness_bytes\"}", "")  \
    X(LIMIT_FDS, counter, "limit_total{limit=\"descriptors\"}", "")            \
    X(LIMIT_KEEPALIVE, counter, "limit_total{limit=\"keepalive_timeout\"}",    \
      "")                                                                      \
    X(LIMIT_RESPONSE_TIME, counter, "limit_total{limit=\"response_timeout\"}", \
      "")                                                                      \
    X(LIMIT_CLOSE_TIME, counter, "limit_total{limit=\"close_timeout\"}", "")   \
    X(LIMIT_FLAP, counter, "limit_total{limit=\"flap_clients\"}", "")          \
    X(REFUSED_ORIGIN, counter, "refused_total{reason=\"origin\"}",             \
      "Connects refused by reason")                                            \
    X(REFUSED_VSN, counter, "refused_total{reason=\"vsn\"}", "")               \
    X(REFUSED_TOKEN, counter, "refused_total{reason=\"token\"}", "")           \
    X(REFUSED_PARAMS, counter, "refused_total{reason=\"params\"}", "")         \
    X(REFUSED_HANDSHAKE, counter, "refused_total{reason=\"handshake\"}", "")   \
    X(REFUSED_HEAD, counter, "refused_total{reason=\"head\"}", "")             \
    X(REFUSED_PROXY, counter, "refused_total{reason=\"proxy_header\"}", "")    \
    X(REFUSED_FLAPPING, counter, "refused_total{reason=\"flapping\"}", "")     \
    X(DIED_YOUNG, counter, "websockets_died_young_total{client=\"known\"}",    \
      "WebSockets cut within flap_life, by whether their client is known")     \
    X(DIED_YOUNG_UNKNOWN, counter,                                             \
      "websockets_died_young_total{client=\"unknown\"}", "")                   \
    X(FLAPPED, counter, "flapping_total",                                      \
      "Clients sent to long-poll since their WebSockets died young")           \
    X(FLAPPING, gauge, "flapping_clients", "Those that are remembered now")    \
    X(UNREADABLE, counter, "unreadable_messages_total",                        \
      "Messages that could not be read")                                       \
    X(RELOADS, counter, "reloads_total", "Configuration reloads")

enum counter_id {
#define COUNTER_ENUM(id, kind, name, help) COUNTER_##id,
    COUNTERS(COUNTER_ENUM)
#undef COUNTER_ENUM
        COUNTER_COUNT
};

/** One set per process, owned by the server, passed to those who count. */
struct counters {
    uint64_t value[COUNTER_COUNT];
};

static inline void counter_add(struct counters *c, enum counter_id id,
                               uint64_t n)
{
    c->value[id] += n;
}

static inline void counter_inc(struct counters *c, enum counter_id id)
{
    c->value[id]++;
}

static inline void counter_dec(struct counters *c, enum counter_id id)
{
    c->value[id]--;
}

static inline void counter_set(struct counters *c, enum counter_id id,
                               uint64_t value)
{
    c->value[id] = value;
}

#endif
