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
 * Every coming and going is told to all, so that n who come one by one cost
 * n * n messages. In a quiet room each is told at once. In a large one, those
 * that follow one another closely are told together:
 *
 *     come  come go  come            to all: one diff; then to each of those
 *     |-- window -----------|        who came: one state, with all of them
 *     untold: neither in a diff nor in a state that anybody has
 *
 * so who came and went in between has not been there for anybody, and who
 * came never hears of one who went before it knew of anyone.
 *
 * Must never put a key into JSON unescaped, number two metas alike, nor send a
 * state before the diff that leads to it. */
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
                     uint32_t online_at, uint64_t phx_ref)
{
    buf_puts(b, "{\"online_at\":\"");
    buf_put_u64(b, online_at);
    buf_puts(b, "\",\"phx_ref\":\"");
    put_ref(b, registry, phx_ref);
    buf_puts(b, "\"}");
}

static void put_key(struct buf *b, const char *user, uint32_t len)
{
    buf_putc(b, '"');
    buf_put_json_escaped(b, user, len);
    buf_puts(b, "\":{\"metas\":[");
}

/* `,"user":{"metas":[...]}` for `m` and those that follow in its ring. */
static void put_metas(struct buf *b, const struct registry *registry,
                      const struct room_member *m)
{
    buf_putc(b, ',');
    put_key(b, m->who->user, m->who->user_len);
    for (;;) {
        put_meta(b, registry, m->online_at, m->phx_ref);
        m = RING_ENTRY(m->same_user.next);
        if (m->first_of_user)
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
    put_metas(&cache->presence, registry, first);
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

/* ------------------------------------------------------------------- news */

/* One who went; the member is gone by the time it is told. */
struct left {
    char *user;
    uint32_t user_len;
    uint32_t online_at;
    uint64_t phx_ref;
};

/* What is to be told. Who came is not in it: these are the last members of the
 * room, and `untold`. */
struct presence_news {
    uint64_t tell_at;
    struct left *left;
    size_t left_count, left_cap;
};

static struct presence_news *news(struct room *room)
{
    if (!room->news) {
        room->news = mem_zalloc(sizeof *room->news);
        room->news->tell_at = UINT64_MAX;
    }
    return room->news;
}

void presence_forget(struct room *room)
{
    struct presence_news *n = room->news;
    if (!n)
        return;
    for (size_t i = 0; i < n->left_count; i++)
        free(n->left[i].user);
    free(n->left);
    free(n);
    room->news = NULL;
}

uint64_t presence_due(const struct room *room)
{
    return room->news ? room->news->tell_at : UINT64_MAX;
}

static void note_left(struct room *room, const struct room_member *member)
{
    struct presence_news *n = news(room);
    if (n->left_count == n->left_cap) {
        n->left_cap = n->left_cap ? 2 * n->left_cap : 1;
        n->left = mem_realloc(n->left, n->left_cap * sizeof *n->left);
    }
    n->left[n->left_count++] = (struct left){
        .user = mem_dup(member->who->user, member->who->user_len),
        .user_len = member->who->user_len,
        .online_at = member->online_at,
        .phx_ref = member->phx_ref,
    };
}

/* By user, and each user's in the order they came. */
static int compare_left(const void *a, const void *b)
{
    const struct left *x = a, *y = b;
    size_t shorter = x->user_len < y->user_len ? x->user_len : y->user_len;
    int order = memcmp(x->user, y->user, shorter);
    if (order == 0 && x->user_len != y->user_len)
        order = x->user_len < y->user_len ? -1 : 1;
    if (order == 0)
        order = x->phx_ref < y->phx_ref ? -1 : 1;
    return order;
}

/* --------------------------------------------------------------- messages */

/* What was appended since `from` begins with a comma: make it an object. */
static void put_braces(struct buf *b, size_t from)
{
    if (b->len == from)
        buf_putc(b, '{');
    else
        b->data[from] = '{';
    buf_putc(b, '}');
}

/* Those who came, with one key for all of a user's. In its ring, as in the
 * room, they are the last. */
static void put_joins(struct room *room, struct list *first, struct buf *b)
{
    size_t from = b->len;
    for (struct list *at = first; at != &room->members; at = at->next) {
        const struct room_member *m = LIST_ENTRY(at, struct room_member, node);
        if (!m->first_of_user && !RING_ENTRY(m->same_user.prev)->told)
            continue; /* is with the one before */
        put_metas(b, room->registry, m);
    }
    put_braces(b, from);
}

static void put_leaves(struct room *room, struct buf *b)
{
    struct presence_news *n = room->news;
    size_t from = b->len;
    if (n && n->left_count > 1)
        qsort(n->left, n->left_count, sizeof *n->left, compare_left);
    for (size_t i = 0; n && i < n->left_count; i++) {
        const struct left *l = &n->left[i];
        bool again = i > 0 && l[-1].user_len == l->user_len &&
                     memcmp(l[-1].user, l->user, l->user_len) == 0;
        if (again) {
            b->len -= 2; /* the brackets of the one before */
            buf_putc(b, ',');
        } else {
            buf_putc(b, ',');
            put_key(b, l->user, l->user_len);
        }
        put_meta(b, room->registry, l->online_at, l->phx_ref);
        buf_puts(b, "]}");
    }
    put_braces(b, from);
}

/* The first of those who came; the head of the list if nobody did. */
static struct list *first_untold(struct room *room)
{
    struct list *first = &room->members;
    while (first->prev != &room->members &&
           !LIST_ENTRY(first->prev, struct room_member, node)->told)
        first = first->prev;
    return first;
}

static void deliver(struct room *room, struct list *from, struct list *to,
                    const struct buf *text)
{
    struct message message =
        fanout_message(room, "presence_diff", MESSAGE_JSON, MESSAGE_CONTROL,
                       text->data, text->len);
    for (struct list *at = from; at != to; at = at->next) {
        struct room_member *m = LIST_ENTRY(at, struct room_member, node);
        m->ops->deliver(m, &message);
    }
    message_deinit(&message);
}

/* To those who were there, all of it; to those who came, only who came. */
static void tell_diff(struct room *room, struct list *first)
{
    bool left = room->news && room->news->left_count > 0;
    struct buf b;
    buf_init(&b, TEXT_LIMIT);
    buf_puts(&b, "{\"joins\":");
    put_joins(room, first, &b);
    buf_puts(&b, ",\"leaves\":");
    size_t joins = b.len;
    put_leaves(room, &b);
    buf_putc(&b, '}');
    deliver(room, room->members.next, left ? first : &room->members, &b);
    if (left && first != &room->members) {
        b.len = joins;
        buf_puts(&b, "{}}");
        deliver(room, first, &room->members, &b);
    }
    buf_deinit(&b);
}

static void put_state(struct room *room, struct buf *b)
{
    struct list *node, *next;
    LIST_FOREACH(node, next, &room->members)
    {
        struct room_member *m = LIST_ENTRY(node, struct room_member, node);
        if (m->first_of_user)
            put_metas(b, room->registry, m);
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

/* They themselves are in the text, so there is a first comma: it becomes the
 * brace for as long as the messages are made. */
static void push_text(struct room *room, struct list *first, struct buf *text)
{
    size_t at =
        (size_t)((char *)memchr(text->data, ',', text->len) - text->data);
    buf_putc(text, '}'); /* may move the text */
    text->data[at] = '{';
    struct payload state = {
        .data = (const uint8_t *)text->data + at,
        .len = text->len - at,
    };
    for (struct list *node = first; node != &room->members;
         node = node->next) {
        struct room_member *m = LIST_ENTRY(node, struct room_member, node);
        struct message message =
            fanout_message(room, "presence_state", MESSAGE_JSON,
                           MESSAGE_CONTROL, state.data, state.len);
        message.shared = &state;
        m->told = true;
        m->ops->push(m, &message);
        message_deinit(&message);
    }
    payload_deinit(&state);
    text->data[at] = ',';
    text->len--;
}

static void push_state(struct room *room, struct list *first)
{
    struct buf text;
    if (room->count > ROOM_SMALL) {
        push_text(room, first, cached_state(room));
        return;
    }
    buf_init(&text, TEXT_LIMIT);
    put_state(room, &text);
    push_text(room, first, &text);
    buf_deinit(&text);
}

/* ---------------------------------------------------------------- telling */

static void tell(struct room *room)
{
    struct list *first = first_untold(room);
    bool came = first != &room->members;
    if (came || (room->news && room->news->left_count))
        tell_diff(room, first);
    presence_forget(room);
    if (came)
        push_state(room, first);
}

/* So long that telling it all takes no more than presence_rate messages a
 * second of this room; small rooms need none. */
static uint64_t window_ms(const struct room *room)
{
    size_t rate = room->registry->limits.presence_rate;
    if (room->count <= ROOM_SMALL || !rate)
        return 0;
    return (uint64_t)room->count * 1000 / rate + 1;
}

/* At once when it has been quiet for a window; else when one has passed. */
static void tell_in_time(struct room *room)
{
    uint64_t now = room->registry->now_ms, window = window_ms(room);
    bool quiet = now >= room->stirred_ms + window;
    room->stirred_ms = now;
    if (window == 0 || (quiet && presence_due(room) == UINT64_MAX)) {
        tell(room);
        return;
    }
    counter_inc(room->registry->counters, COUNTER_PRESENCE_TOGETHER);
    if (presence_due(room) == UINT64_MAX)
        news(room)->tell_at = now + window;
}

void presence_came(struct room_member *member)
{
    tell_in_time(member->room);
}

void presence_went(struct room *room, const struct room_member *member)
{
    if (!room->count) {
        presence_forget(room);
        return;
    }
    if (!member->told || room->registry->draining)
        return;
    note_left(room, member);
    tell_in_time(room);
}

void presence_tick(struct room *room)
{
    if (room->registry->now_ms >= presence_due(room))
        tell(room);
}
