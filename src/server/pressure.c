/* SPDX-License-Identifier: MIT */
/* Resident memory against its ceiling: see pressure.h. Must never allocate:
 * it is called when nothing can be had. */
#include "server/pressure.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

enum {
    SHORT_MS = 2000, /* after a failed allocation nobody new for so long */
    SHORTAGE = 8 << 20, /* and so much is to be freed */
    TRIM_MS = 1000   /* between two times of giving freed memory back */
};

void pressure_init(struct pressure *p)
{
    *p = (struct pressure){0};
    p->statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
}

void pressure_deinit(struct pressure *p)
{
    if (p->statm >= 0)
        close(p->statm);
    p->statm = -1;
}

/* A file that holds a number; UINT64_MAX for none ("max"). */
static uint64_t number_in(const char *path)
{
    char text[64];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    if (n <= 0 || text[0] < '0' || text[0] > '9')
        return UINT64_MAX;
    text[n] = '\0';
    return strtoull(text, NULL, 10);
}

static uint64_t available(void)
{
    static const char *const groups[] = {
        "/sys/fs/cgroup/memory.max",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes"};
    uint64_t most =
        (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        uint64_t limit = number_in(groups[i]);
        if (limit && limit < most)
            most = limit;
    }
    return most;
}

void pressure_set(struct pressure *p, uint64_t configured)
{
    p->ceiling = configured ? configured : available() / 4 * 3;
}

/* The second number of statm is the resident pages. */
static uint64_t resident(const struct pressure *p)
{
    char text[128];
    ssize_t n = pread(p->statm, text, sizeof text - 1, 0);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    const char *second = strchr(text, ' ');
    return second ? strtoull(second + 1, NULL, 10) *
                        (uint64_t)sysconf(_SC_PAGESIZE)
                  : 0;
}

/* Down again only some way below the ceiling, not to flutter. */
static enum pressure_level level_of(const struct pressure *p)
{
    uint64_t c = p->ceiling;
    if (!c || p->resident < c - c / 16)
        return PRESSURE_NONE;
    if (p->resident >= c + c / 8)
        return PRESSURE_FULL;
    if (p->resident >= c)
        return p->level > PRESSURE_SHED ? p->level : PRESSURE_SHED;
    return p->level == PRESSURE_NONE ? PRESSURE_NONE : PRESSURE_SHED;
}

static void give_back(struct pressure *p, uint64_t now_ms)
{
#if defined(__GLIBC__)
    if (now_ms < p->trim_at)
        return;
    p->trim_at = now_ms + TRIM_MS;
    malloc_trim(0);
#else
    (void)p;
    (void)now_ms;
#endif
}

enum pressure_level pressure_measure(struct pressure *p, uint64_t now_ms,
                                     bool out_of_memory)
{
    enum pressure_level before = p->level;
    p->resident = resident(p);
    p->level = level_of(p);
    if (out_of_memory)
        p->short_until = now_ms + SHORT_MS;
    p->wanted = out_of_memory ? SHORTAGE : 0;
    if (now_ms < p->short_until && p->level == PRESSURE_NONE)
        p->level = PRESSURE_SHED;
    if (p->level != PRESSURE_NONE)
        give_back(p, now_ms);
    if (p->level > before)
        log_warning(out_of_memory ? "out of memory" : "memory is short",
                    LOG_INT("resident", p->resident),
                    LOG_INT("memory_bytes", p->ceiling));
    else if (p->level == PRESSURE_NONE && before != PRESSURE_NONE)
        log_info("memory suffices again", LOG_INT("resident", p->resident));
    return p->level;
}

uint64_t pressure_excess(const struct pressure *p)
{
    uint64_t over =
        p->ceiling && p->resident > p->ceiling ? p->resident - p->ceiling : 0;
    return over > p->wanted ? over : p->wanted;
}
