/* SPDX-License-Identifier: MIT */
/* TCP_INFO and friends: see tcp.h. Must never be asked per message: each
 * answer is a system call. Apart from the rest since <linux/tcp.h>, whose
 * struct is longer than glibc's, cannot stand beside <netinet/tcp.h>. */
#include "transport/tcp.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/address.h"

/* TCP_ESTABLISHED and so on of <netinet/tcp.h> */
enum {
    STATE_ESTABLISHED = 1,
    STATE_FIN_WAIT1 = 4,
    STATE_FIN_WAIT2 = 5,
    STATE_CLOSED = 7,
    STATE_CLOSE_WAIT = 8
};

/* True when at least `need` bytes of the struct were filled in. */
static bool get_info(int fd, struct tcp_info *info, size_t need)
{
    socklen_t len = sizeof *info;
    memset(info, 0, sizeof *info);
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &len) == 0 &&
           len >= need;
}

void tcp_peer(int fd, struct address *out)
{
    struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof peer;
    getpeername(fd, (struct sockaddr *)&peer, &len);
    address_from_socket(out, (struct sockaddr *)&peer);
}

bool tcp_consumed(int fd, uint64_t *out)
{
    struct tcp_info info;
    int waiting = 0;
    if (!get_info(fd, &info,
                  offsetof(struct tcp_info, tcpi_bytes_received) +
                      sizeof info.tcpi_bytes_received) ||
        ioctl(fd, SIOCINQ, &waiting) != 0)
        return false;
    *out = info.tcpi_bytes_received - (uint64_t)waiting;
    return true;
}

bool tcp_was_reset(int fd)
{
    struct tcp_info info;
    return get_info(fd, &info, 1) && info.tcpi_state == STATE_CLOSED;
}

bool tcp_lost(int fd)
{
    int unacknowledged = 0;
    if (tcp_was_reset(fd))
        return true;
    return ioctl(fd, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged > 0;
}

bool tcp_peer_there(int fd)
{
    struct tcp_info info;
    return get_info(fd, &info, 1) &&
           (info.tcpi_state == STATE_ESTABLISHED ||
            info.tcpi_state == STATE_FIN_WAIT1 ||
            info.tcpi_state == STATE_FIN_WAIT2);
}

bool tcp_peer_ended(int fd)
{
    struct tcp_info info;
    return get_info(fd, &info, 1) && info.tcpi_state == STATE_CLOSE_WAIT;
}

uint64_t tcp_quiet_ms(int fd)
{
    struct tcp_info info;
    if (!get_info(fd, &info,
                  offsetof(struct tcp_info, tcpi_last_data_recv) +
                      sizeof info.tcpi_last_data_recv))
        return UINT64_MAX;
    return info.tcpi_last_data_recv;
}

void tcp_low_mark(int fd, int bytes)
{
    setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
}

void tcp_bound_unsent(int fd, int bytes)
{
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof bytes);
}
