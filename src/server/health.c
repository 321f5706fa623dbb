/* SPDX-License-Identifier: MIT */
/* The health check: see health.h. Must never wait for longer than a few
 * seconds. */
#include "server/health.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/address.h"

enum { SECONDS = 3 };

static int connect_to(const char *host, uint16_t port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICSERV};
    struct addrinfo *all, *ai;
    struct timeval limit = {.tv_sec = SECONDS};
    char service[8];
    int fd = -1;
    snprintf(service, sizeof service, "%u", port);
    if (getaddrinfo(host, service, &hints, &all) != 0)
        return -1;
    for (ai = all; ai; ai = ai->ai_next) {
        fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
            continue;
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        if (connect(fd, ai->ai_addr, ai->ai_addrlen) == 0)
            break;
        close(fd);
        fd = -1;
    }
    freeaddrinfo(all);
    return fd;
}

/* Are we one of those whose connections begin with a PROXY header? */
static int is_proxy(int fd, const char *proxies)
{
    struct sockaddr_storage self = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof self;
    struct address_list list;
    struct address address;
    if (!address_list_init(&list, proxies))
        return 0;
    getsockname(fd, (struct sockaddr *)&self, &len);
    address_from_socket(&address, (struct sockaddr *)&self);
    int found = address_list_has(&list, &address);
    address_list_deinit(&list);
    return found;
}

int health_check(const char *bind_to, uint16_t port, const char *proxies)
{
    static const char hello[] = "PROXY UNKNOWN\r\n";
    static const char request[] = "GET /health HTTP/1.1\r\nHost: localhost\r\n"
                                  "Connection: close\r\n\r\n";
    static const char good[] = "HTTP/1.1 200 ";
    char answer[sizeof good];
    size_t have = 0;
    int any = strcmp(bind_to, "::") == 0 || strcmp(bind_to, "0.0.0.0") == 0;
    int fd = connect_to(any ? "localhost" : bind_to, port);
    if (fd < 0 && any)
        fd = connect_to("127.0.0.1", port);
    if (fd < 0) {
        fprintf(stderr, "roomd: nothing answers on port %u: %s\n", port,
                strerror(errno));
        return EXIT_FAILURE;
    }
    if (is_proxy(fd, proxies))
        send(fd, hello, sizeof hello - 1, MSG_NOSIGNAL);
    if (send(fd, request, sizeof request - 1, MSG_NOSIGNAL) > 0) {
        ssize_t n;
        while (have < sizeof good - 1 &&
               (n = recv(fd, answer + have, sizeof good - 1 - have, 0)) > 0)
            have += (size_t)n;
    }
    close(fd);
    if (have == sizeof good - 1 && memcmp(answer, good, have) == 0)
        return EXIT_SUCCESS;
    fprintf(stderr, "roomd: /health on port %u did not answer 200\n", port);
    return EXIT_FAILURE;
}
