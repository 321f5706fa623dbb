/* SPDX-License-Identifier: MIT */
/**
 * @file yjs.h
 * libyjs: Yjs documents in C. Bytes in, bytes out, libc only.
 *
 * The engine integrates Yjs updates (format v1 of yjs 13.x) into a document
 * and encodes what it knows exactly as npm yjs would. It never logs, exits or
 * asserts on input; it has no globals. One document may be used by one thread
 * at a time; different documents are independent.
 *
 * Conventions
 *  - Every function that can fail returns 0 or a negative `enum yjs_err`.
 *    `out` parameters come last and are untouched on failure.
 *  - Pointer arguments are borrowed for the duration of the call.
 *  - Lengths of text are UTF-16 code units, as in Yjs; lengths of buffers are
 *    bytes; clocks count from 0; times are milliseconds of any monotonic
 *    clock that the caller chooses.
 *  - Client ids and clocks are at most 2^53 - 1 (what JavaScript can hold).
 *  - n below is the number of structs in the document or the update, m that of
 *    structs in the type; "log n" without more is a few binary searches.
 *
 * Sources of the formats and the algorithm: the yjs 13.6 sources (update
 * format, YATA integration), lib0 (variable-length encoding), y-protocols
 * 1.0.7 (sync, awareness).
 */
#ifndef YJS_H
#define YJS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define YJS_API __attribute__((visibility("default")))
#define YJS_MUST_USE __attribute__((warn_unused_result))
#else
#define YJS_API
#define YJS_MUST_USE
#endif

/** What can go wrong. All values but YJS_OK are negative. */
enum yjs_err {
    YJS_OK = 0,
    YJS_ERR_NOMEM = -1,     /**< the allocator returned NULL */
    YJS_ERR_TRUNCATED = -2, /**< the input ends inside a value */
    YJS_ERR_MALFORMED = -3, /**< the input cannot be what it claims to be */
    YJS_ERR_LIMIT = -4,     /**< a limit of the caller's was reached */
    YJS_ERR_RANGE = -5,     /**< an argument is outside its range */
    YJS_ERR_UNSUPPORTED = -6, /**< valid input that this build cannot do */
    YJS_ERR_DELETED = -7, /**< the type of this handle was deleted */
    YJS_ERR_TYPE = -8,    /**< this type has no such thing */
    YJS_ERR_STATE = -9    /**< not now: a transaction is open, or gc took it */
};

/** One short English phrase, never NULL. */
YJS_API const char *yjs_strerror(int err);

/**
 * Allocator hook. `realloc_fn(ctx, NULL, n)` allocates, `(ctx, p, n)` resizes,
 * `(ctx, p, 0)` frees and returns NULL. NULL hook = libc.
 */
struct yjs_allocator {
    void *(*realloc_fn)(void *ctx, void *ptr, size_t size);
    void *ctx;
};

/** Bytes that the engine allocated and the caller owns. */
struct yjs_bytes {
    uint8_t *data;
    size_t len;
    struct yjs_allocator alloc; /**< what frees them */
};

/** Borrowed bytes; `data` may be NULL when `len` is 0. */
struct yjs_span {
    const uint8_t *data;
    size_t len;
};

/** What an item is called: who made it, and as its how manieth unit. */
struct yjs_id {
    uint64_t client;
    uint64_t clock;
};

/** Free and reset; accepts a zeroed struct. */
YJS_API void yjs_bytes_free(struct yjs_bytes *bytes);
/* ------------------------------------------------------------ documents */

typedef struct yjs_doc yjs_doc;

/** 0 means the built-in default named beside each. */
struct yjs_limits {
    size_t update_bytes;  /**< one update; default 64 MiB */
    size_t structs;       /**< structs in one update; default 8 Mi */
    size_t clients;       /**< distinct clients in a document; default 1 Mi */
    size_t depth;         /**< nesting of an Any value; default 64 */
    size_t pending_bytes; /**< pending structs + delete sets; default 16 MiB */
    size_t doc_bytes;     /**< heap of a document; default unlimited */
    size_t text_bytes;    /**< one JSON, XML or delta text; default 1 GiB */
    size_t conflicts;     /**< comparisons of an update's structs with others
                               inserted at the same place; default 16 Mi */
};

struct yjs_doc_options {
    uint64_t client_id; /**< id of local edits, below 2^53; 0: chosen at the
                             first edit, not at random: set one if you edit */
    bool keep_deleted;  /**< true: `gc: false` of Yjs */
    /** A new client id when somebody else is seen to use ours, as Yjs picks
     *  one; bits from the 53rd on are dropped. NULL: derived from the old. */
    uint64_t (*new_client_id)(void *ctx, uint64_t old);
    void *new_client_id_ctx;
    struct yjs_limits limits;
    struct yjs_allocator alloc;
};

/** `opt` may be NULL. The caller owns *out. */
YJS_MUST_USE YJS_API int yjs_doc_new(const struct yjs_doc_options *opt,
                                     yjs_doc **out);
/** NULL is accepted. */
YJS_API void yjs_doc_free(yjs_doc *doc);

/** What one applied update did. */
struct yjs_apply_result {
    bool changed;        /**< a struct was integrated or something deleted */
    bool pending;        /**< parts wait for structs not yet known */
    size_t error_offset; /**< on failure: byte offset where decoding stopped */
};

/**
 * Decode a v1 update completely, then integrate it. A rejected update leaves
 * the document untouched, also when memory ends. `result` may be NULL; only
 * its error_offset is written on failure.
 */
YJS_MUST_USE YJS_API int yjs_apply_update(yjs_doc *doc, const uint8_t *update,
                                          size_t len,
                                          struct yjs_apply_result *result);

/**
 * Everything that a peer with the encoded state vector `sv` misses, as one v1
 * update (`sv` NULL or empty: everything), including what is pending.
 */
YJS_MUST_USE YJS_API int
yjs_encode_state_as_update(yjs_doc *doc, const uint8_t *sv, size_t sv_len,
                           struct yjs_bytes *out);
YJS_MUST_USE YJS_API int yjs_encode_state_vector(yjs_doc *doc,
                                                 struct yjs_bytes *out);

/** Which of `struct yjs_limits` a YJS_ERR_LIMIT came from. */
enum yjs_limit {
    YJS_LIMIT_NONE, YJS_LIMIT_UPDATE_BYTES, YJS_LIMIT_STRUCTS,
    YJS_LIMIT_CLIENTS, YJS_LIMIT_DEPTH, YJS_LIMIT_PENDING_BYTES,
    YJS_LIMIT_DOC_BYTES, /**< or what 32-bit handles can count */
    YJS_LIMIT_TEXT_BYTES, YJS_LIMIT_CONFLICTS
};

/** That of the last call on this document that gave YJS_ERR_LIMIT. */
YJS_API enum yjs_limit yjs_doc_limit(const yjs_doc *doc);
/** Bytes of heap that the document holds now (as asked of the allocator). */
YJS_API size_t yjs_doc_heap(const yjs_doc *doc);
/**
 * Check every invariant of the document: YJS_ERR_MALFORMED if one is broken,
 * which is a bug in the engine and never a matter of input. Linear.
 */
YJS_MUST_USE YJS_API int yjs_doc_verify(const yjs_doc *doc);
/** True when nothing was ever integrated and nothing is pending. */
YJS_API bool yjs_doc_is_empty(const yjs_doc *doc);
/**
 * The document's root types as one JSON object in UTF-8, in the style of
 * `doc.toJSON()`: roots are read as `type_spec` says, a list such as
 * "tasks:array,notes:text,meta:map,page:xml"; roots it does not name are left
 * out. For tools and tests.
 */
YJS_MUST_USE YJS_API int yjs_doc_to_json(yjs_doc *doc, const char *type_spec,
                                         struct yjs_bytes *out);

/** `type` is "text", "array", "map" or "xml". Nonzero ends the visit. */
typedef int (*yjs_root_fn)(void *ctx, struct yjs_span name, const char *type);

/**
 * The names of all root types and, guessed from what is in them, their types
 * (Yjs does not write those down): what yjs_doc_to_json can be asked for.
 * Newest first. Returns 0 or what `fn` returned.
 */
YJS_API int yjs_doc_visit_roots(const yjs_doc *doc, yjs_root_fn fn, void *ctx);

/* ----------------------------------------------------------- update formats */

/**
 * Yjs has two encodings of an update. v2 keeps the fields of all structs in
 * columns and compresses runs, so it is smaller, and a few bytes of it can
 * stand for millions of structs: `limits.structs` and `limits.update_bytes`
 * (of the update as v1) are checked before memory beyond a small multiple of
 * the input is taken.
 *
 * The engine thinks in v1. What only v2 can say is not kept: halves of
 * surrogate pairs become U+FFFD, NaN in embeds and formats null; so do, in a
 * document, infinities, and -0 becomes 0. bigint and undefined in embeds and
 * formats are YJS_ERR_UNSUPPORTED (Yjs throws when it writes them as v1).
 */
enum yjs_format { YJS_FORMAT_V1 = 1, YJS_FORMAT_V2 = 2 };

/** Like yjs_apply_update. An error_offset is a place in the v2 update, or its
 *  length when it decodes but cannot belong to a document. */
YJS_MUST_USE YJS_API int yjs_apply_update_v2(yjs_doc *doc,
                                             const uint8_t *update, size_t len,
                                             struct yjs_apply_result *result);

/** Like yjs_encode_state_as_update; state vectors have one format only. */
YJS_MUST_USE YJS_API int
yjs_encode_state_as_update_v2(yjs_doc *doc, const uint8_t *sv, size_t sv_len,
                              struct yjs_bytes *out);

/* -------------------------------------------------- updates without a document
 *
 * Updates are decoded completely; a malformed one is an error and gives no
 * output. `opt` may be NULL (format v1, default limits, libc), `err` as well.
 * Results are those of npm yjs byte by byte. Time is n log n in the structs of
 * all inputs, memory a small multiple of the input.
 */

struct yjs_update_options {
    enum yjs_format format;   /**< of updates given and made; 0: v1 */
    struct yjs_limits limits; /**< update_bytes: each input, the output, and
                                   v2 inputs all together as v1;
                                   structs: of all inputs; depth */
    struct yjs_allocator alloc;
};

/** Which input was wrong and where; written on failure only. */
struct yjs_update_error {
    size_t index;  /**< of several inputs; 0 for one */
    size_t offset; /**< byte in it at which decoding stopped */
};

/** Y.convertUpdateFormatV1ToV2 or V2ToV1: from opt->format to `to`. To the same
 *  format: a copy of what was found sound. */
YJS_MUST_USE YJS_API int
yjs_update_convert(struct yjs_span update, enum yjs_format to,
                   const struct yjs_update_options *opt,
                   struct yjs_update_error *err, struct yjs_bytes *out);

/**
 * Y.mergeUpdates: one update with all structs and deletes of the n given; a
 * gap between structs of a client becomes a Skip. One update comes back as it
 * is. With 64 updates or more, where an item of one and its collected form of
 * another meet, Yjs takes either, by the whims of a sort; so does this, not
 * always the same.
 */
YJS_MUST_USE YJS_API int
yjs_update_merge(const struct yjs_span *updates, size_t n,
                 const struct yjs_update_options *opt,
                 struct yjs_update_error *err, struct yjs_bytes *out);

/** Y.diffUpdate: what a peer with the state vector `sv` misses of it, and all
 *  deletes. A wrong `sv` has index 1 in `err`. */
YJS_MUST_USE YJS_API int
yjs_update_diff(struct yjs_span update, struct yjs_span sv,
                const struct yjs_update_options *opt,
                struct yjs_update_error *err, struct yjs_bytes *out);

/** The update without the content that it deletes itself, as a collecting Yjs
 *  keeps it: deleted items become DELETED, those in deleted types GC; formats
 *  stay. Applied, it makes the same document, maybe sooner: a GC waits for
 *  nothing. Not for documents that keep_deleted. */
YJS_MUST_USE YJS_API int
yjs_update_compact(struct yjs_span update, const struct yjs_update_options *opt,
                   struct yjs_update_error *err, struct yjs_bytes *out);

/** Y.encodeStateVectorFromUpdate: what a document has that saw only this. A
 *  client counts from clock 0 up to its first gap. */
YJS_MUST_USE YJS_API int
yjs_update_state_vector(struct yjs_span update,
                        const struct yjs_update_options *opt,
                        struct yjs_update_error *err, struct yjs_bytes *out);

/**
 * One update as several that together say the same, each of about
 * `piece_bytes` (one struct is never cut), for a peer that shall get a large
 * document bit by bit: none of them has to wait for a later one. `piece` gets
 * them in order, in v1; its bytes are valid during the call, and a nonzero
 * return ends it all and becomes the result.
 */
YJS_MUST_USE YJS_API int
yjs_update_split(struct yjs_span update, size_t piece_bytes,
                 const struct yjs_update_options *opt,
                 int (*piece)(void *ctx, struct yjs_span piece), void *ctx,
                 struct yjs_update_error *err);

/** The clocks of one client in an update: [from, to). */
struct yjs_update_range {
    uint64_t client;
    uint64_t from;
    uint64_t to;
};

/** Y.parseUpdateMeta, by ascending client. */
struct yjs_update_meta {
    struct yjs_update_range *ranges;
    size_t n;
    struct yjs_allocator alloc; /**< what frees them */
};

YJS_MUST_USE YJS_API int
yjs_update_meta_read(struct yjs_span update,
                     const struct yjs_update_options *opt,
                     struct yjs_update_error *err, struct yjs_update_meta *out);
/** Free and reset; accepts a zeroed struct. */
YJS_API void yjs_update_meta_free(struct yjs_update_meta *meta);

/** What a struct holds; the values are those of the format. */
enum yjs_kind {
    YJS_KIND_GC = 0,      /**< collected: nothing but its length is known */
    YJS_KIND_DELETED = 1, /**< deleted, its place is kept */
    YJS_KIND_JSON = 2,
    YJS_KIND_BINARY = 3,
    YJS_KIND_STRING = 4,
    YJS_KIND_EMBED = 5,
    YJS_KIND_FORMAT = 6,
    YJS_KIND_TYPE = 7,
    YJS_KIND_ANY = 8,
    YJS_KIND_DOC = 9,
    YJS_KIND_SKIP = 10 /**< a gap */
};

/** One struct of an update; spans are valid during the call they come in. */
struct yjs_struct {
    struct yjs_id id;
    uint64_t len; /**< clocks it takes: UTF-16 units, elements, else 1 */
    enum yjs_kind kind;
    bool has_origin, has_right;  /**< else `origin`, `right` mean nothing */
    struct yjs_id origin, right; /**< what it was inserted behind and before */
    bool has_root, has_parent;   /**< stated without origins only */
    struct yjs_span root;        /**< name of the root type it is in */
    struct yjs_id parent;        /**< item that holds the type it is in */
    bool has_key;
    struct yjs_span key;         /**< under which it is in there */
    struct yjs_span content;     /**< as in v1; of a STRING its UTF-8 */
};

/** A nonzero return ends the visit and becomes its result. */
struct yjs_update_visitor {
    int (*on_struct)(void *ctx, const struct yjs_struct *s);
    int (*on_delete)(void *ctx, struct yjs_id first, uint64_t len);
    void *ctx;
};

/**
 * Give all structs, then all deleted ranges, in the order of the update; NULL
 * functions are left out. What was given before an error was met stands.
 * `out_read` (may be NULL): bytes of the update up to the end of its delete
 * set; Yjs, and so the engine, ignores what may follow.
 */
YJS_MUST_USE YJS_API int
yjs_update_visit(struct yjs_span update, const struct yjs_update_options *opt,
                 const struct yjs_update_visitor *visitor,
                 struct yjs_update_error *err, size_t *out_read);

/**
 * A readable line for each struct and deleted range, without line end, such as
 *   17@4 len 3 string "abc" after 17@3 before 9@0
 * Values over `value_bytes` (0: 80) are cut. The text is valid during the call.
 */
YJS_MUST_USE YJS_API int
yjs_update_dump(struct yjs_span update, const struct yjs_update_options *opt,
                size_t value_bytes, int (*line)(void *ctx, const char *text),
                void *ctx, struct yjs_update_error *err);

/** The id of local edits. It changes when an update shows that somebody else
 *  uses it (Yjs does the same): see new_client_id. */
YJS_API uint64_t yjs_doc_client_id(const yjs_doc *doc);
YJS_MUST_USE YJS_API int yjs_doc_set_client_id(yjs_doc *doc, uint64_t id);

/* ------------------------------------------------------------ shared types
 *
 * A sequence (elements of an array, text, children in XML) and entries by key
 * (of a map, attributes in XML and of a text): in Yjs every type has both.
 * So yjs_array_... work on arrays, XML fragments and elements, yjs_text_... on
 * texts and XML texts, yjs_map_... on maps, XML elements, hooks and texts.
 * Others are YJS_ERR_TYPE.
 */

/** The values are those of the format. */
enum yjs_type_kind {
    YJS_TYPE_ARRAY = 0,
    YJS_TYPE_MAP = 1,
    YJS_TYPE_TEXT = 2,
    YJS_TYPE_XML_ELEMENT = 3,
    YJS_TYPE_XML_FRAGMENT = 4,
    YJS_TYPE_XML_HOOK = 5,
    YJS_TYPE_XML_TEXT = 6
};

/**
 * A type of one document. A value: copy it, keep it, nobody frees it. Once a
 * nested type has been deleted, all calls answer YJS_ERR_DELETED; they do so to
 * a root of another document. One of a transaction taken back means nothing.
 */
struct yjs_type {
    const void *root;
    struct yjs_id id;
};

/**
 * doc.get(name, kind): a root, made if there is none. One of which only the
 * name was known, because updates put things into it, becomes of this kind;
 * one that was asked for as another kind before is YJS_ERR_TYPE. Never taken
 * back. A text cleans up formats only if some came since it was one.
 */
YJS_MUST_USE YJS_API int yjs_doc_root(yjs_doc *doc, struct yjs_span name,
                                      enum yjs_type_kind kind,
                                      struct yjs_type *out);

enum yjs_value_kind {
    YJS_VALUE_UNDEFINED, /**< also: there is no such entry */
    YJS_VALUE_NULL,
    YJS_VALUE_BOOL,
    YJS_VALUE_NUMBER,
    YJS_VALUE_BIGINT,
    YJS_VALUE_STRING, /**< `bytes`: UTF-8 */
    YJS_VALUE_BYTES,  /**< `bytes`: a Uint8Array */
    YJS_VALUE_JSON,   /**< `bytes`: a JSON text, for objects and arrays, and
                           for strings with escapes in it */
    YJS_VALUE_ANY,    /**< `bytes`: an object or array as lib0 encodes it */
    YJS_VALUE_TYPE,   /**< a nested type */
    YJS_VALUE_DOC     /**< a subdocument */
};

/**
 * Something in a type. When read, spans are borrowed from the document until
 * its next change; objects and arrays are ANY, or JSON from old content (see
 * yjs_value_to_json). When written, an object or array may be either.
 */
struct yjs_value {
    enum yjs_value_kind kind;
    bool boolean;
    double number;
    int64_t bigint;
    struct yjs_span bytes;
    enum yjs_type_kind type_kind; /**< TYPE */
    struct yjs_span name;  /**< TYPE: of an XML element or hook; DOC: guid */
    struct yjs_span options; /**< DOC: its options as lib0 Any; written: a JSON
                                  object, or nothing for none */
    struct yjs_type type;  /**< TYPE, read only: its handle */
};

/* ------------------------------------------------------------------ writing
 *
 * All edits stand in a transaction. They produce what Yjs would have produced
 * for the same calls with the same client id, byte by byte.
 *
 * Unlike in Yjs, a transaction can be taken back. An edit with an argument out
 * of range (YJS_ERR_RANGE, TYPE, DELETED, MALFORMED) does nothing, and the
 * transaction goes on. When memory or a limit ends (NOMEM, LIMIT), it is
 * broken: every further edit and the commit give the same error, and the
 * document is as it was before.
 */

typedef struct yjs_txn yjs_txn;

/** One at a time, and no update is applied meanwhile (YJS_ERR_STATE). `origin`
 *  is handed to the update callback. The document owns the transaction. */
YJS_MUST_USE YJS_API int yjs_txn_begin(yjs_doc *doc, void *origin,
                                       yjs_txn **out);
/** End it: collect garbage, merge neighbours, call the update callback. On
 *  failure everything is taken back. Linear in what was touched. Until the
 *  next begin, edits and a second commit are YJS_ERR_STATE. */
YJS_MUST_USE YJS_API int yjs_txn_commit(yjs_txn *txn);
/** End it and take everything back. NULL is accepted. */
YJS_API void yjs_txn_abort(yjs_txn *txn);

/** Insert values before `index`, which is at most the length. Neighbouring
 *  values that are not BYTES, TYPE or DOC become one struct. The position is
 *  found through an index kept while nobody else changes the type: about
 *  log m; O(m) for the first edit after a foreign change. */
YJS_MUST_USE YJS_API int
yjs_array_insert(yjs_txn *txn, struct yjs_type array, uint64_t index,
                 const struct yjs_value *values, size_t n);
/** array.push(): behind everything, also behind what was deleted there. */
YJS_MUST_USE YJS_API int yjs_array_push(yjs_txn *txn, struct yjs_type array,
                                        const struct yjs_value *values,
                                        size_t n);
YJS_MUST_USE YJS_API int yjs_array_delete(yjs_txn *txn, struct yjs_type array,
                                          uint64_t index, uint64_t len);

/**
 * text.insert(index, text, attributes). `attributes`: a JSON object such as
 * {"bold":true}; without data, the text takes those in force at `index`.
 * `index` and lengths are UTF-16 units.
 */
YJS_MUST_USE YJS_API int yjs_text_insert(yjs_txn *txn, struct yjs_type text,
                                         uint64_t index, struct yjs_span utf8,
                                         struct yjs_span attributes);
/** text.insertEmbed: JSON, TYPE, BOOL, NUMBER; a STRING becomes text. */
YJS_MUST_USE YJS_API int
yjs_text_insert_embed(yjs_txn *txn, struct yjs_type text, uint64_t index,
                      const struct yjs_value *embed,
                      struct yjs_span attributes);
YJS_MUST_USE YJS_API int yjs_text_delete(yjs_txn *txn, struct yjs_type text,
                                         uint64_t index, uint64_t len);
/** A null as value takes the format away. All edits of texts with formats walk
 *  from their start, as in Yjs: O(m). */
YJS_MUST_USE YJS_API int yjs_text_format(yjs_txn *txn, struct yjs_type text,
                                         uint64_t index, uint64_t len,
                                         struct yjs_span attributes);
/** text.applyDelta: a JSON array of {insert|retain|delete, attributes}. What
 *  is retained behind the end becomes line ends; deleting ends at the end. */
YJS_MUST_USE YJS_API int
yjs_text_apply_delta(yjs_txn *txn, struct yjs_type text, struct yjs_span delta);

YJS_MUST_USE YJS_API int yjs_map_set(yjs_txn *txn, struct yjs_type map,
                                     struct yjs_span key,
                                     const struct yjs_value *value);
/** Without an entry of that key: nothing happens. */
YJS_MUST_USE YJS_API int yjs_map_delete(yjs_txn *txn, struct yjs_type map,
                                        struct yjs_span key);
YJS_MUST_USE YJS_API int yjs_map_clear(yjs_txn *txn, struct yjs_type map);

/** What a transaction did, a local one or an applied update. */
struct yjs_update_event {
    void *origin;       /**< as given to begin or apply, else NULL */
    bool local;         /**< by yjs_txn_commit */
    struct yjs_span v1; /**< empty unless asked for; valid during the call */
    struct yjs_span v2;
    int err; /**< YJS_ERR_NOMEM: the change stands, but could not be encoded */
};

typedef void (*yjs_update_fn)(void *ctx, const struct yjs_update_event *event);
/**
 * Call `fn` after each transaction that changed something, with its update in
 * the formats asked for: YJS_FORMAT_V1 | YJS_FORMAT_V2. There is one callback;
 * NULL takes it away. It may read the document; begin and apply answer
 * YJS_ERR_STATE. Formats that an update leaves without effect are deleted in a
 * second transaction, told as local and without origin, as in Yjs.
 */
YJS_API void yjs_doc_on_update(yjs_doc *doc, unsigned int formats,
                               yjs_update_fn fn, void *ctx);

/** yjs_apply_update or its v2 twin with an origin for the callback. */
YJS_MUST_USE YJS_API int
yjs_apply_update_from(yjs_doc *doc, struct yjs_span update,
                      enum yjs_format format, void *origin,
                      struct yjs_apply_result *result);

/* ------------------------------------------------------------------ reading
 *
 * Works inside a transaction too, and sees its edits.
 */

/** YJS_ERR_TYPE: a root of which only the name is known. */
YJS_MUST_USE YJS_API int yjs_type_kind(const yjs_doc *doc, struct yjs_type type,
                                       enum yjs_type_kind *out);
/** nodeName of an XML element, name of a hook or root; borrowed. Others:
 *  YJS_ERR_TYPE. */
YJS_MUST_USE YJS_API int yjs_type_name(const yjs_doc *doc, struct yjs_type type,
                                       struct yjs_span *out);
/** Where it is: the parent, and the key or, in a sequence, no data.
 *  YJS_ERR_RANGE for roots. */
YJS_MUST_USE YJS_API int
yjs_type_parent(const yjs_doc *doc, struct yjs_type type, struct yjs_type *out,
                struct yjs_span *out_key);
/** Elements, children, or UTF-16 units with each embed as one. */
YJS_MUST_USE YJS_API int yjs_type_length(const yjs_doc *doc,
                                         struct yjs_type type, uint64_t *out);

/** type.get(index): YJS_ERR_RANGE at and behind the end. Found as an insertion
 *  finds its place: about log m, O(m) after a change by a peer. Text in an
 *  array counts by its units: half of a surrogate pair is U+FFFD. */
YJS_MUST_USE YJS_API int yjs_array_get(yjs_doc *doc, struct yjs_type type,
                                       uint64_t index, struct yjs_value *out);
/** map.get(key), getAttribute: UNDEFINED if there is none. O(1). */
YJS_MUST_USE YJS_API int yjs_map_get(const yjs_doc *doc, struct yjs_type type,
                                     struct yjs_span key,
                                     struct yjs_value *out);
YJS_MUST_USE YJS_API int yjs_map_size(const yjs_doc *doc, struct yjs_type type,
                                      uint64_t *out);

/**
 * A way through a type, without a copy: the sequence (of a text: stretches of
 * STRING, and embeds), or the entries in the order of their keys' first
 * arrival. Ends with the document's next change; nothing to free.
 */
struct yjs_iter {
    const yjs_doc *doc;
    const void *type;
    struct yjs_span rest;
    uint64_t left;
    uint32_t at, next;
    bool entries, half;
    int err; /**< why it ended early, else 0 */
};

YJS_MUST_USE YJS_API int yjs_iter_sequence(const yjs_doc *doc,
                                           struct yjs_type type,
                                           struct yjs_iter *out);
YJS_MUST_USE YJS_API int yjs_iter_entries(const yjs_doc *doc,
                                          struct yjs_type type,
                                          struct yjs_iter *out);
/** False at the end. `key` may be NULL; of a sequence it has no data. */
YJS_MUST_USE YJS_API bool yjs_iter_next(struct yjs_iter *iter,
                                        struct yjs_span *key,
                                        struct yjs_value *value);

/** JSON.stringify of type.toJSON(), or of a value that was read. */
YJS_MUST_USE YJS_API int yjs_type_to_json(yjs_doc *doc, struct yjs_type type,
                                          struct yjs_bytes *out);
YJS_MUST_USE YJS_API int yjs_value_to_json(yjs_doc *doc,
                                           const struct yjs_value *value,
                                           struct yjs_bytes *out);
/** type.toString() of texts (without formats) and of XML, as UTF-8, in which
 *  half of a surrogate pair is U+FFFD. */
YJS_MUST_USE YJS_API int yjs_type_to_string(yjs_doc *doc, struct yjs_type type,
                                            struct yjs_bytes *out);
/** JSON.stringify of text.toDelta(). */
YJS_MUST_USE YJS_API int yjs_text_to_delta(yjs_doc *doc, struct yjs_type text,
                                           struct yjs_bytes *out);

/* ---------------------------------------------------------------- snapshots
 *
 * A state vector and a delete set: what could be seen at a moment. Documents
 * that keep_deleted can go back to it.
 */

/** Y.encodeSnapshot(Y.snapshot(doc)), or encodeSnapshotV2. */
YJS_MUST_USE YJS_API int yjs_snapshot_encode(yjs_doc *doc,
                                             enum yjs_format format,
                                             struct yjs_bytes *out);

/** A nonzero return ends the visit and becomes its result. */
struct yjs_snapshot_visitor {
    int (*on_clock)(void *ctx, uint64_t client, uint64_t clock);
    int (*on_delete)(void *ctx, struct yjs_id first, uint64_t len);
    void *ctx;
};

/** Decode it: all clocks, then all deleted ranges, of the highest client
 *  first; NULL functions are left out. */
YJS_MUST_USE YJS_API int
yjs_snapshot_visit(struct yjs_span snapshot,
                   const struct yjs_update_options *opt,
                   const struct yjs_snapshot_visitor *visitor,
                   struct yjs_update_error *err);
/** Y.createDocFromSnapshot: a new document with what there was (`opt` NULL: the
 *  allocator of `doc`). YJS_ERR_STATE if `doc` collects garbage, YJS_ERR_RANGE
 *  if it lacks a clock of it. Linear. */
YJS_MUST_USE YJS_API int
yjs_doc_at_snapshot(yjs_doc *doc, struct yjs_span snapshot,
                    enum yjs_format format, const struct yjs_doc_options *opt,
                    yjs_doc **out);
/** Y.snapshotContainsUpdate, both of the format in `opt`. A wrong update has
 *  index 1 in `err`. */
YJS_MUST_USE YJS_API int
yjs_snapshot_contains(struct yjs_span snapshot, struct yjs_span update,
                      const struct yjs_update_options *opt,
                      struct yjs_update_error *err, bool *out);

/* ------------------------------------------------------- relative positions
 *
 * A place that stays where it is while others edit: beside an item, or at an
 * end of a type. What cursors are made of.
 */

struct yjs_position {
    bool has_item;
    struct yjs_id item;    /**< the item it is at */
    bool has_type;
    struct yjs_id type;    /**< else the nested type it is at an end of */
    struct yjs_span root;  /**< else the root; borrowed */
    int64_t assoc;         /**< >= 0: with what follows; < 0: what precedes */
};

/** Y.createRelativePositionFromTypeIndex. An index behind the end is the end.
 *  As quick as yjs_array_get. */
YJS_MUST_USE YJS_API int yjs_position_at(yjs_doc *doc, struct yjs_type type,
                                         uint64_t index, int64_t assoc,
                                         struct yjs_position *out);
/** Y.encodeRelativePosition; `alloc` may be NULL. */
YJS_MUST_USE YJS_API int
yjs_position_encode(const struct yjs_position *position,
                    const struct yjs_allocator *alloc, struct yjs_bytes *out);
/** The root's name points into `data`. */
YJS_MUST_USE YJS_API int yjs_position_decode(const uint8_t *data, size_t len,
                                             struct yjs_position *out);
/**
 * Y.createAbsolutePositionFromRelativePosition. YJS_ERR_RANGE while what it
 * refers to is not known, YJS_ERR_DELETED when it was collected; with an item
 * deleted in a type that lives, the place where it was. A root that is not
 * there is made. What only a client that undid something knows is not
 * followed: followUndoneDeletions is false. O(m).
 */
YJS_MUST_USE YJS_API int
yjs_position_resolve(yjs_doc *doc, const struct yjs_position *pos,
                     struct yjs_type *out_type, uint64_t *out_index);

#ifdef __cplusplus
}
#endif

#include "yjs-protocols.h"

#endif
