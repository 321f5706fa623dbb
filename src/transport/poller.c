/* SPDX-License-Identifier: MIT */
/* An epoll set under one uv_poll_t: see poller.h. Must never call an item that
 * was deleted earlier in the same batch. */
#include "transport/poller.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <uv.h>

#include "base/mem.h"

enum { BATCH = 128 };

struct poller {
    uv_poll_t handle;
    int epoll;
    struct epoll_event *events; /* of the batch being handled */
    int left;                   /* of it, events[0] first */
};

static void on_ready(uv_poll_t *handle, int status, int what)
{
    struct poller *poller = handle->data;
    struct epoll_event batch[BATCH];
    (void)status;
    (void)what;
    int n = epoll_wait(poller->epoll, batch, BATCH, 0);
    poller->events = batch;
    poller->left = n > 0 ? n : 0;
    while (poller->left > 0) {
        struct epoll_event *event = poller->events++;
        struct poller_item *item = event->data.ptr;
        poller->left--;
        if (item)
            item->fn(item, event->events);
    }
    poller->events = NULL;
}

struct poller *poller_new(struct uv_loop_s *loop)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0)
        return NULL;
    struct poller *poller = mem_zalloc(sizeof *poller);
    poller->epoll = epoll;
    poller->handle.data = poller;
    if (uv_poll_init(loop, &poller->handle, epoll) != 0) {
        close(epoll);
        free(poller);
        return NULL;
    }
    uv_poll_start(&poller->handle, UV_READABLE, on_ready);
    return poller;
}

static void on_closed(uv_handle_t *handle)
{
    struct poller *poller = handle->data;
    close(poller->epoll);
    free(poller);
}

void poller_close(struct poller *poller)
{
    if (poller)
        uv_close((uv_handle_t *)&poller->handle, on_closed);
}

bool poller_add(struct poller *poller, struct poller_item *item, int fd,
                uint32_t events,
                void (*fn)(struct poller_item *item, uint32_t events))
{
    struct epoll_event event = {.events = events, .data = {.ptr = item}};
    if (epoll_ctl(poller->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        return false;
    item->fn = fn;
    item->fd = fd;
    item->watched = true;
    return true;
}

void poller_delete(struct poller *poller, struct poller_item *item)
{
    if (!item->watched)
        return;
    epoll_ctl(poller->epoll, EPOLL_CTL_DEL, item->fd, NULL);
    item->watched = false;
    for (int i = 0; i < poller->left; i++)
        if (poller->events[i].data.ptr == item)
            poller->events[i].data.ptr = NULL;
}
