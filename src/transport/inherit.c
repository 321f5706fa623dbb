/* SPDX-License-Identifier: MIT */
/*
 * Socket activation: see inherit.h. Must never touch a descriptor that was not
 * meant for this very process: LISTEN_PID names it.
 */
#include "transport/inherit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FIRST = 3 };

/* The number in a variable, or -1. */
static long number(const char *name)
{
    const char *text = getenv(name);
    char *end;
    if (!text || *text < '0' || *text > '9')
        return -1;
    errno = 0;
    long value = strtol(text, &end, 10);
    return *end || errno ? -1 : value;
}

static int option(int fd, int name)
{
    int value = 0;
    socklen_t len = sizeof value;
    return getsockopt(fd, SOL_SOCKET, name, &value, &len) == 0 ? value : -1;
}

int inherit_listener(void)
{
    long pid = number("LISTEN_PID"), count = number("LISTEN_FDS");
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    if (pid != (long)getpid() || count < 1)
        return INHERIT_NONE;
    if (count > 1) {
        errno = E2BIG;
        return INHERIT_FAILED;
    }
    if (option(FIRST, SO_ACCEPTCONN) != 1 ||
        option(FIRST, SO_TYPE) != SOCK_STREAM) {
        errno = ENOTSOCK;
        return INHERIT_FAILED;
    }
    int flags = fcntl(FIRST, F_GETFL);
    if (flags < 0 || fcntl(FIRST, F_SETFL, flags | O_NONBLOCK) != 0 ||
        fcntl(FIRST, F_SETFD, FD_CLOEXEC) != 0)
        return INHERIT_FAILED;
    return FIRST;
}
