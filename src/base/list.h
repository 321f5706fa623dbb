/* SPDX-License-Identifier: MIT */
/**
 * @file list.h
 * Intrusive doubly linked ring. The head is a node of its own; an unlinked
 * node points to itself, so removing twice is harmless.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev;
};

#define LIST_ENTRY(node, type, member)                                         \
    ((type *)(void *)((char *)(node)-offsetof(type, member)))

/** Walk; `it` may be removed from the list inside the body, others may not. */
#define LIST_FOREACH(it, tmp, head)                                            \
    for ((it) = (head)->next, (tmp) = (it)->next; (it) != (head);              \
         (it) = (tmp), (tmp) = (it)->next)

static inline void list_init(struct list *node)
{
    node->next = node->prev = node;
}

static inline bool list_empty(const struct list *head)
{
    return head->next == head;
}

static inline void list_add_before(struct list *at, struct list *node)
{
    node->prev = at->prev;
    node->next = at;
    at->prev->next = node;
    at->prev = node;
}

static inline void list_push(struct list *head, struct list *node)
{
    list_add_before(head, node);
}

static inline void list_push_front(struct list *head, struct list *node)
{
    list_add_before(head->next, node);
}

static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/** The first node, unlinked; NULL when empty. */
static inline struct list *list_pop(struct list *head)
{
    struct list *node = head->next;
    if (node == head)
        return NULL;
    list_remove(node);
    return node;
}

/** Move all nodes of `from` to the (initialised, empty) list `to`. */
static inline void list_take(struct list *to, struct list *from)
{
    if (list_empty(from))
        return;
    *to = *from;
    to->next->prev = to;
    to->prev->next = to;
    list_init(from);
}

#endif
