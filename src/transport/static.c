/* SPDX-License-Identifier: MIT */
/* Static files: see static.h. Must never open anything outside its directory,
 * follow a peer's path component by component where the kernel can confine the
 * walk as a whole, or block on what is no regular file. */
#include "transport/static.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

struct static_files {
    int dir;
};

struct static_files *static_new(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    struct static_files *files = mem_zalloc(sizeof *files);
    files->dir = fd;
    return files;
}

void static_free(struct static_files *files)
{
    if (!files)
        return;
    close(files->dir);
    free(files);
}

static const char *type_of(const char *path)
{
    static const struct {
        const char *ext, *type;
    } types[] = {
        {"html", "text/html; charset=utf-8"},
        {"css", "text/css; charset=utf-8"},
        {"js", "text/javascript; charset=utf-8"},
        {"mjs", "text/javascript; charset=utf-8"},
        {"json", "application/json"},
        {"map", "application/json"},
        {"webmanifest", "application/manifest+json"},
        {"txt", "text/plain; charset=utf-8"},
        {"md", "text/plain; charset=utf-8"},
        {"svg", "image/svg+xml"},
        {"png", "image/png"},
        {"jpg", "image/jpeg"},
        {"jpeg", "image/jpeg"},
        {"webp", "image/webp"},
        {"gif", "image/gif"},
        {"ico", "image/x-icon"},
        {"woff2", "font/woff2"},
        {"wasm", "application/wasm"},
        {"tgz", "application/gzip"},
    };
    const char *slash = strrchr(path, '/');
    const char *dot = strrchr(slash ? slash : path, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
        if (strcasecmp(dot + 1, types[i].ext) == 0)
            return types[i].type;
    return "application/octet-stream";
}

/* The decoded path without its first slash, NUL-terminated; false for what
 * must not be asked for: a component that is empty or starts with a dot, a
 * backslash, a control character. */
static bool clean_path(struct http_span raw, struct buf *out)
{
    if (raw.len == 0 || raw.p[0] != '/')
        return false;
    struct http_span rest = {raw.p + 1, raw.len - 1};
    if (!http_percent_decode(rest, false, out))
        return false;
    bool start = true;
    for (size_t i = 0; i < out->len; i++) {
        unsigned char c = (unsigned char)out->data[i];
        if (c < 0x20 || c == 0x7f || c == '\\')
            return false;
        if (start && (c == '.' || c == '/'))
            return false;
        start = c == '/';
    }
    if (start) /* the root or a directory */
        buf_puts(out, "index.html");
    return buf_putc(out, '\0');
}

static int open_beneath(int dir, const char *path)
{
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    long fd = syscall(SYS_openat2, dir, path, &how, sizeof how);
    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        /* An old kernel, or a sandbox that does not know the call: the path
         * has no dots; only symbolic links in the middle could lead out. */
        fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    return (int)fd;
}

/* In the order of our preference. */
static const struct coding {
    const char *name, *suffix;
} codings[] = {{"br", ".br"}, {"gzip", ".gz"}};
enum { CODINGS = sizeof codings / sizeof *codings };

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static bool is_compressed_name(const char *path)
{
    for (int i = 0; i < CODINGS; i++)
        if (ends_with(path, codings[i].suffix))
            return true;
    return false;
}

static void describe(struct static_file *file, int fd, const struct stat *st,
                     const char *suffix)
{
    file->fd = fd;
    file->size = (uint64_t)st->st_size;
    snprintf(file->etag, sizeof file->etag, "\"%" PRIx64 "-%" PRIx64 "%s\"",
             (uint64_t)st->st_size,
             (uint64_t)st->st_mtim.tv_sec * 1000000000u +
                 (uint64_t)st->st_mtim.tv_nsec,
             suffix);
}

/* A compressed file that is older than the file is not its content any more.
 * But tools that copy a tree write its files in any order. */
enum { COPYING_S = 60 };

/* Puts the best accepted sibling of `path` in its place. */
static void prefer_compressed(const struct static_files *files,
                              const char *path, const struct stat *plain,
                              struct http_span accept, struct static_file *file)
{
    char name[STATIC_PATH_MAX + 8];
    struct stat st;
    for (int i = 0; i < CODINGS; i++) {
        snprintf(name, sizeof name, "%s%s", path, codings[i].suffix);
        int fd = open_beneath(files->dir, name);
        if (fd < 0)
            continue;
        if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
            st.st_mtim.tv_sec + COPYING_S >= plain->st_mtim.tv_sec) {
            file->varies = true;
            if (!file->coding &&
                http_coding_accepted(accept, codings[i].name)) {
                close(file->fd);
                describe(file, fd, &st, codings[i].suffix);
                file->coding = codings[i].name;
                continue;
            }
        }
        close(fd);
    }
}

int static_open(const struct static_files *files, struct http_span path,
                struct http_span accept, struct static_file *out)
{
    struct buf clean;
    struct stat st;
    int status = 404, fd = -1;
    buf_init(&clean, STATIC_PATH_MAX);
    if (!files || !clean_path(path, &clean) || is_compressed_name(clean.data))
        goto out;
    fd = open_beneath(files->dir, clean.data);
    if (fd < 0 || fstat(fd, &st) != 0)
        goto out;
    if (S_ISDIR(st.st_mode))
        status = 301;
    if (!S_ISREG(st.st_mode))
        goto out;
    status = 200;
    *out = (struct static_file){
        .type = type_of(clean.data),
        .immutable = strncmp(clean.data, "assets/", 7) == 0};
    describe(out, fd, &st, "");
    fd = -1;
    prefer_compressed(files, clean.data, &st, accept, out);
out:
    if (fd >= 0)
        close(fd);
    buf_deinit(&clean);
    return status;
}

bool static_etag_matches(struct http_span if_none_match, const char *etag)
{
    struct http_span rest = if_none_match, element;
    while (rest.p && http_list_next(&rest, &element)) {
        if (element.len > 2 && memcmp(element.p, "W/", 2) == 0) {
            element.p += 2;
            element.len -= 2;
        }
        if (http_span_is(element, "*") || http_span_is(element, etag))
            return true;
    }
    return false;
}
