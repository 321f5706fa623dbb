/* SPDX-License-Identifier: MIT */
/* Static files: nothing outside, nothing hidden, nothing that blocks. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "suite.h"
#include "transport/static.h"

static char root[64];
static struct static_files *files;

static void put(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    FILE *out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    fputs(text, out);
    fclose(out);
}

static void in_root(char path[256], const char *name)
{
    snprintf(path, 256, "%s/%s", root, name);
}

static void make_tree(void)
{
    char path[256];
    snprintf(root, sizeof root, "/tmp/test_static.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    put("outside.txt", "outside");
    in_root(path, "www");
    mkdir(path, 0755);
    in_root(path, "www/sub");
    mkdir(path, 0755);
    put("www/index.html", "root");
    put("www/sub/index.html", "sub");
    put("www/a b.js", "js");
    put("www/.hidden", "hidden");
    put("www/noext", "x");
    in_root(path, "www/out");
    ck_assert_int_eq(symlink("../outside.txt", path), 0);
    in_root(path, "www/up");
    ck_assert_int_eq(symlink("..", path), 0);
    in_root(path, "www/fifo");
    ck_assert_int_eq(mkfifo(path, 0644), 0);
    in_root(path, "www");
    files = static_new(path);
    ck_assert_ptr_nonnull(files);
}

static void remove_tree(void)
{
    static const char *const names[] = {
        "www/fifo", "www/up", "www/out", "www/noext", "www/.hidden",
        "www/a b.js", "www/sub/index.html", "www/index.html", "www/sub",
        "www", "outside.txt", "."};
    char path[256];
    static_free(files);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        in_root(path, names[i]);
        if (unlink(path) != 0)
            rmdir(path);
    }
    rmdir(root);
}

static const char *accept_encoding;

static int open_path(const char *path, struct static_file *file)
{
    struct http_span span = {path, strlen(path)};
    struct http_span accept = {accept_encoding, 0};
    if (accept.p)
        accept.len = strlen(accept.p);
    return static_open(files, span, accept, file);
}

static bool serves(const char *path, const char *text, const char *type)
{
    struct static_file file;
    char content[64] = "";
    if (open_path(path, &file) != 200)
        return false;
    ssize_t n = read(file.fd, content, sizeof content - 1);
    close(file.fd);
    return n == (ssize_t)strlen(text) && file.size == strlen(text) &&
           strcmp(content, text) == 0 && strcmp(file.type, type) == 0 &&
           file.etag[0] == '"';
}

START_TEST(serves_what_is_there)
{
    make_tree();
    ck_assert(serves("/", "root", "text/html; charset=utf-8"));
    ck_assert(serves("/index.html", "root", "text/html; charset=utf-8"));
    ck_assert(serves("/sub/", "sub", "text/html; charset=utf-8"));
    ck_assert(serves("/a%20b.js", "js", "text/javascript; charset=utf-8"));
    ck_assert(serves("/noext", "x", "application/octet-stream"));
    struct static_file file;
    ck_assert_int_eq(open_path("/sub", &file), 301);
    ck_assert_int_eq(open_path("/none", &file), 404);
    remove_tree();
}
END_TEST

START_TEST(serves_nothing_else)
{
    static const char *const bad[] = {
        "", "*", "index.html", "/..", "/../outside.txt",
        "/sub/../../outside.txt", "/%2e%2e/outside.txt", "/..%2foutside.txt",
        "/sub/%2e%2e/%2e%2e/outside.txt", "//index.html", "/sub//index.html",
        "/./index.html", "/.hidden", "/%2ehidden", "/sub/.", "/out",
        "/up/outside.txt", "/up/www/index.html", "/fifo", "/index.html%00",
        "/%00", "/%", "/%zz", "/a\\b", "/..%5coutside.txt", "/%0a",
        "/index.html/", "/index.html/x"};
    struct static_file file;
    make_tree();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(open_path(bad[i], &file) == 404, "%s", bad[i]);
    char longer[STATIC_PATH_MAX * 2];
    memset(longer, 'a', sizeof longer);
    longer[0] = '/';
    longer[sizeof longer - 1] = '\0';
    ck_assert_int_eq(open_path(longer, &file), 404);
    struct http_span slash = {"/", 1}, none = {NULL, 0};
    ck_assert_int_eq(static_open(NULL, slash, none, &file), 404);
    remove_tree();
}
END_TEST

/* Which file answers, by its content. */
static const char *answer(const char *path, const char *accept,
                          struct static_file *file)
{
    static char content[64];
    accept_encoding = accept;
    int status = open_path(path, file);
    accept_encoding = NULL;
    if (status != 200)
        return NULL;
    ssize_t n = read(file->fd, content, sizeof content - 1);
    content[n > 0 ? n : 0] = '\0';
    close(file->fd);
    return content;
}

START_TEST(compressed_files_in_place_of_the_plain)
{
    struct static_file file, plain;
    char path[256];
    make_tree();
    put("www/a b.js.br", "br");
    put("www/a b.js.gz", "gz");
    put("www/noext.gz", "old");
    ck_assert_str_eq(answer("/a%20b.js", NULL, &plain), "js");
    ck_assert(plain.varies && !plain.coding && !plain.immutable);
    ck_assert_str_eq(answer("/a%20b.js", "gzip, br", &file), "br");
    ck_assert_str_eq(file.coding, "br");
    ck_assert_str_eq(file.type, "text/javascript; charset=utf-8");
    ck_assert(file.varies && strcmp(file.etag, plain.etag) != 0);
    ck_assert_str_eq(answer("/a%20b.js", "gzip, br;q=0", &file), "gz");
    ck_assert_str_eq(file.coding, "gzip");
    ck_assert_str_eq(answer("/a%20b.js", "*", &file), "br");
    ck_assert_str_eq(answer("/a%20b.js", "identity", &file), "js");
    ck_assert_str_eq(answer("/index.html", "br", &file), "root");
    ck_assert(!file.varies);
    ck_assert_ptr_null(answer("/a%20b.js.br", "br", &file));
    ck_assert_ptr_null(answer("/a%20b.js.gz", "gzip", &file));
    /* Made long before the file was changed: not its content. */
    in_root(path, "www/noext.gz");
    struct timespec long_ago[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    ck_assert_int_eq(utimensat(AT_FDCWD, path, long_ago, 0), 0);
    ck_assert_str_eq(answer("/noext", "gzip", &file), "x");
    ck_assert(!file.coding);
    unlink(path);
    in_root(path, "www/a b.js.br");
    unlink(path);
    in_root(path, "www/a b.js.gz");
    unlink(path);
    remove_tree();
}
END_TEST

START_TEST(assets_never_change)
{
    struct static_file file;
    char path[256];
    make_tree();
    in_root(path, "www/assets");
    mkdir(path, 0755);
    put("www/assets/x-1.css", "a{}");
    ck_assert_str_eq(answer("/assets/x-1.css", NULL, &file), "a{}");
    ck_assert(file.immutable);
    in_root(path, "www/assets/x-1.css");
    unlink(path);
    in_root(path, "www/assets");
    rmdir(path);
    remove_tree();
}
END_TEST

START_TEST(etags_change_and_match)
{
    struct static_file one, two;
    make_tree();
    ck_assert_int_eq(open_path("/index.html", &one), 200);
    close(one.fd);
    ck_assert_int_eq(open_path("/index.html", &two), 200);
    close(two.fd);
    ck_assert_str_eq(one.etag, two.etag);
    put("www/index.html", "longer");
    ck_assert_int_eq(open_path("/index.html", &two), 200);
    close(two.fd);
    ck_assert_str_ne(one.etag, two.etag);
    struct http_span header = {"W/\"x\", \"1-2\" , \"y\"", 18};
    ck_assert(static_etag_matches(header, "\"1-2\""));
    ck_assert(static_etag_matches(header, "\"x\""));
    ck_assert(!static_etag_matches(header, "\"z\""));
    ck_assert(static_etag_matches((struct http_span){"*", 1}, "\"z\""));
    ck_assert(!static_etag_matches((struct http_span){NULL, 0}, "\"z\""));
    remove_tree();
}
END_TEST

START_TEST(a_missing_directory_is_an_error)
{
    ck_assert_ptr_null(static_new("/nonexistent/www"));
    ck_assert_ptr_null(static_new("/dev/null"));
}
END_TEST

SUITE_MAIN("static", serves_what_is_there, serves_nothing_else,
           compressed_files_in_place_of_the_plain, assets_never_change,
           etags_change_and_match, a_missing_directory_is_an_error)
