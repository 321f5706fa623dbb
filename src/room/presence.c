/* SPDX-License-Identifier: MIT */
/* Presence as Phoenix.Presence shows it: a map of user -> metas, one meta per
 * member, told by presence_diff (broadcast) and presence_state (push).
 *
 *   {"joins":{"ada":{"metas":[{"online_at":"1700000000","phx_ref":"Ab.."}]}},
 *    "leaves":{}}
 *
 * A user's members form a ring in join order; the first of it stands for the
 * user. Small rooms find a user by walking their members, larger ones by hash.
 *
 * The state of a large room is kept as text while people come, for every join
 * is answered with all of it:
 *
 *     ,"ada":{"metas":[..]}            ,"bob":{"metas":[..,..]}
 *     ^ cached_at, cached_len  (blanks) ^
 *
 * A user who changes is blanked out with spaces, which JSON allows between its
 * tokens, and appended again. Sent is what follows the first comma. When
 * blanks outweigh the rest, the text is built anew.
 *
 * Must never put a key into JSON unescaped, nor number two metas alike. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "room/internal.h"

enum { REF_CHARS = 16, TEXT_LIMIT = 1 << 30, KEEP_BLANK = 4096 };

#define RING_ENTRY(node) LIST_ENTRY(node, struct room_member, same_user)

/* ------------------------------------------------------------------ users */

static struct room_member *find_user(const struct room *room,
                                     const struct room_identity *who)
{
    struct list *node, *next;
    if (room->users)
        return dict_find(room->users, who->user, who->user_len);
    LIST_FOREACH(node, next, &room->members)
    {
        struct room_member *m = LIST_ENTRY(node, struct room_member, node);
        if (m->first_of_user && m->who->user_len == who->user_len &&
            memcmp(m->who->user, who->user, who->user_len) == 0)
            return m;
    }
    return NULL;
}

static void index_users(struct room *room)
{
    struct list *node, *next;
    room->users = mem_alloc(sizeof *room->users);
    dict_init(room->users, room->registry->seed);
    LIST_FOREACH(node, next, &room->members)
    {
        struct room_member *m = LIST_ENTRY(node, struct room_member, node);
        if (m->first_of_user)
            dict_put(room->users, m->who->user, m->who->user_len, m);
    }
}

static void drop_index(struct room *room)
{
    if (!room->users)
        return;
    dict_deinit(room->users);
    free(room->users);
    room->users = NULL;
}

/* ------------------------------------------------------------------- text */

/* Unique in this process, and in all likelihood across restarts: clients tell
 * metas apart by it when they rejoin. 12 bytes in base64url, as Phoenix's. */
static void put_ref(struct buf *b, const struct registry *registry,
                    uint64_t ref)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno"
                                   "pqrstuvwxyz0123456789-_";
    uint64_t salt =
        dict_siphash(registry->rooms.k0, registry->rooms.k1, "phx_ref", 7);
    char text[REF_CHARS];
    for (int i = 0; i < REF_CHARS / 2; i++) {
        text[i] = alphabet[salt >> (6 * i) & 63];
        text[REF_CHARS - 1 - i] = alphabet[ref >> (6 * i) & 63];
    }
    buf_append(b, text, sizeof text);
}

static void put_meta(struct buf *b, const struct registry *registry,
                     const struct room_member *m)
{
    buf_puts(b, "{\"online_at\":\"");
    buf_put_u64(b, m->online_at);
    buf_puts(b, "\",\"phx_ref\":\"");
    put_ref(b, registry, m->phx_ref);
    buf_puts(b, "\"}");
}

static void put_key(struct buf *b, const struct room_member *m)
{
    buf_putc(b, '"');
    buf_put_json_escaped(b, m->who->user, m->who->user_len);
    buf_puts(b, "\":{\"metas\":[");
}

/* `,"user":{"metas":[...]}` for the ring that begins with `first`. */
static void put_user(struct buf *b, const struct registry *registry,
                     const struct room_member *first)
{
    const struct room_member *m = first;
    buf_putc(b, ',');
    put_key(b, first);
    for (;;) {
        put_meta(b, registry, m);
        m = RING_ENTRY(m->same_user.next);
        if (m == first)
            break;
        buf_putc(b, ',');
    }
    buf_puts(b, "]}");
}

/* ------------------------------------------------------------------ cache */

static void cache_append(struct room_cache *cache,
                         const struct registry *registry,
                         struct room_member *first)
{
    first->cached_at = (uint32_t)cache->presence.len;
    put_user(&cache->presence, registry, first);
    first->cached_len = (uint32_t)cache->presence.len - first->cached_at;
}

static void cache_blank(struct room_cache *cache,
                        const struct room_member *first)
{
    memset(cache->presence.data + first->cached_at, ' ', first->cached_len);
    cache->blank += first->cached_len;
}

static void cache_build(struct room *room, struct room_cache *cache)
{
    struct list *node, *next;
    buf_reset(&cache->presence);
    cache->presence.limit = TEXT_LIMIT;
    cache->blank = 0;
    cache->has_presence = true;
    LIST_FOREACH(node, next, &room->members)
    {
        struct room_member *m = LIST_ENTRY(node, struct room_member, node);
        if (m->first_of_user)
            cache_append(cache, room->registry, m);
    }
}

static struct room_cache *presence_cache(struct room *room)
{
    return room->cache && room->cache->has_presence ? room->cache : NULL;
}

/* ---------------------------------------------------------------- members */

void presence_join(struct room_member *member)
{
    struct room *room = member->room;
    struct registry *registry = room->registry;
    struct room_cache *cache = presence_cache(room);
    struct room_member *first = find_user(room, member->who);
    member->phx_ref = ++registry->next_ref;
    member->online_at =
        (uint32_t)((registry->now_ms + registry->unix_offset_ms) / 1000);
    member->first_of_user = !first;
    list_init(&member->same_user);
    if (first)
        list_push(&first->same_user, &member->same_user);
    else if (room->users)
        dict_put(room->users, member->who->user, member->who->user_len, member);
    else if (room->count > ROOM_SMALL)
        index_users(room);
    if (cache) {
        if (first)
            cache_blank(cache, first);
        cache_append(cache, registry, first ? first : member);
    }
}

void presence_leave(struct room_member *member)
{
    struct room *room = member->room;
    struct room_cache *cache = presence_cache(room);
    const struct room_identity *who = member->who;
    struct room_member *first =
        member->first_of_user ? member : find_user(room, who);
    struct room_member *rest = NULL;
    if (cache)
        cache_blank(cache, first);
    if (!list_empty(&member->same_user))
        rest = first == member ? RING_ENTRY(member->same_user.next) : first;
    list_remove(&member->same_user);
    if (first == member && rest) {
        rest->first_of_user = true;
        if (room->users) /* the key belongs to the one who goes */
            dict_put(room->users, rest->who->user, rest->who->user_len, rest);
    } else if (first == member && room->users) {
        dict_remove(room->users, who->user, who->user_len);
    }
    member->first_of_user = false;
    if (cache && rest)
        cache_append(cache, room->registry, rest);
    if (room->count <= ROOM_SMALL / 2)
        drop_index(room);
}

/* --------------------------------------------------------------- messages */

static void tell(struct room *room, const struct room_member *m,
                 const char *head, const char *tail)
{
    struct buf b;
    buf_init(&b, TEXT_LIMIT);
    buf_puts(&b, head);
    put_key(&b, m);
    put_meta(&b, room->registry, m);
    buf_puts(&b, tail);
    struct message message = fanout_message(room, "presence_diff", MESSAGE_JSON,
                                            MESSAGE_CONTROL, b.data, b.len);
    fanout(room, NULL, FANOUT_ALL, &message);
    buf_deinit(&b);
}

void presence_tell_join(struct room_member *member)
{
    tell(member->room, member, "{\"joins\":{", "]}},\"leaves\":{}}");
}

void presence_tell_leave(struct room *room, const struct room_member *member)
{
    if (room->count && !room->registry->draining)
        tell(room, member, "{\"joins\":{},\"leaves\":{", "]}}}");
}

static void put_state(struct room *room, struct buf *b)
{
    struct list *node, *next;
    LIST_FOREACH(node, next, &room->members)
    {
        struct room_member *m = LIST_ENTRY(node, struct room_member, node);
        if (m->first_of_user)
            put_user(b, room->registry, m);
    }
}

/* The text between the braces of a large room's state. */
static struct buf *cached_state(struct room *room)
{
    struct room_cache *cache = room_cache(room);
    bool worn =
        cache->blank > KEEP_BLANK && cache->blank > cache->presence.len / 2;
    if (!cache->has_presence || worn)
        cache_build(room, cache);
    return &cache->presence;
}

/* The member itself is in the text, so there is a first comma: it becomes the
 * brace for as long as the message is made. */
static void push_text(struct room_member *member, struct buf *text)
{
    size_t at =
        (size_t)((char *)memchr(text->data, ',', text->len) - text->data);
    buf_putc(text, '}'); /* may move the text */
    text->data[at] = '{';
    struct message message =
        fanout_message(member->room, "presence_state", MESSAGE_JSON,
                       MESSAGE_CONTROL, text->data + at, text->len - at);
    member->ops->push(member, &message);
    message_deinit(&message);
    text->data[at] = ',';
    text->len--;
}

void presence_push_state(struct room_member *member)
{
    struct room *room = member->room;
    struct buf text;
    if (room->count > ROOM_SMALL) {
        push_text(member, cached_state(room));
        return;
    }
    buf_init(&text, TEXT_LIMIT);
    put_state(room, &text);
    push_text(member, &text);
    buf_deinit(&text);
}
