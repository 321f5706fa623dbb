/* SPDX-License-Identifier: MIT */
/* Settings: precedence, units, and mistakes that are named. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/config.h"
#include "server/drain.h"
#include "suite.h"

static char file[] = "/tmp/test_config.XXXXXX";
static char error[CONFIG_ERROR_MAX];
static struct config config;

static void write_file(const char *text, size_t len)
{
    strcpy(file + sizeof file - 7, "XXXXXX");
    int fd = mkstemp(file);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, len), (ssize_t)len);
    close(fd);
}

static bool load_with(const char *text, const struct config_override *over,
                      size_t count)
{
    write_file(text, strlen(text));
    bool ok = config_load(&config, file, over, count, error);
    unlink(file);
    return ok;
}

static bool load(const char *text)
{
    bool ok = load_with(text, NULL, 0);
    if (ok)
        config_deinit(&config);
    return ok;
}

static void clean_env(void)
{
    static const char *const names[] = {"PORT", "BIND", "PHX_HOST", "MIX_ENV",
                                        "SECRET_KEY_BASE", "ROOMD_PORT",
                                        "ROOMD_ROOMS"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
}

START_TEST(later_beats_earlier)
{
    struct config_override over[] = {{"port", "4", "--port"}};
    clean_env();
    ck_assert(load_with("[server]\nport = 1\n[limits]\nrooms = 7\n", NULL, 0));
    ck_assert_uint_eq(config.port, 1);
    ck_assert_uint_eq(config.rooms, 7);
    ck_assert_uint_eq(config.connections, 20000);
    config_deinit(&config);
    setenv("PORT", "2", 1);
    ck_assert(load_with("[server]\nport = 1\n", NULL, 0));
    ck_assert_uint_eq(config.port, 2);
    config_deinit(&config);
    setenv("ROOMD_PORT", "3", 1);
    setenv("ROOMD_ROOMS", "9", 1);
    ck_assert(load_with("[server]\nport = 1\n", NULL, 0));
    ck_assert_uint_eq(config.port, 3);
    ck_assert_uint_eq(config.rooms, 9);
    config_deinit(&config);
    ck_assert(load_with("[server]\nport = 1\n", over, 1));
    ck_assert_uint_eq(config.port, 4);
    config_deinit(&config);
    clean_env();
}
END_TEST

START_TEST(units)
{
    clean_env();
    ck_assert(load_with("[timeouts]\nidle_timeout = 90s\n"
                        "room_empty = 2m\nhead_timeout = 500ms\n"
                        "request_timeout = 1500\n"
                        "[limits]\nframe_bytes = 2M\nbody_bytes = 64k\n"
                        "queue_bytes = 1G\npoll_bytes=5000\n",
                        NULL, 0));
    ck_assert_uint_eq(config.idle_timeout, 90000);
    ck_assert_uint_eq(config.room_empty, 120000);
    ck_assert_uint_eq(config.head_timeout, 500);
    ck_assert_uint_eq(config.request_timeout, 1500);
    ck_assert_uint_eq(config.frame_bytes, 2u << 20);
    ck_assert_uint_eq(config.body_bytes, 64u << 10);
    ck_assert_uint_eq(config.queue_bytes, 1u << 30);
    ck_assert_uint_eq(config.poll_bytes, 5000);
    config_deinit(&config);
}
END_TEST

START_TEST(mistakes_name_file_line_and_key)
{
    static const struct {
        const char *text, *line, *what;
    } bad[] = {
        {"[server]\n\nprot = 1\n", ":3:", "prot"},
        {"[limits]\nport = 1\n", ":2:", "port"},
        {"[nowhere]\nport = 1\n", ":2:", "nowhere"},
        {"port = 1\n", ":1:", "port"},
        {"[server]\nport = x\n", ":2:", "port"},
        {"[server]\nport = 65536\n", ":2:", "port"},
        {"[server]\nport = -1\n", ":2:", "port"},
        {"[server]\nport =\n", ":2:", "port"},
        {"[server]\nport = 1 2\n", ":2:", "port"},
        {"[server]\nport = 0x10\n", ":2:", "port"},
        {"[server]\nport = 4k\n", ":2:", "port"},
        {"[server]\nport = 99999999999999999999999\n", ":2:", "port"},
        {"[server]\nlog_level = loud\n", ":2:", "log_level"},
        {"[server]\nlog_level = inf\n", ":2:", "log_level"},
        {"[server]\nbind =\n", ":2:", "bind"},
        {"[timeouts]\nidle_timeout = 5x\n", ":2:", "idle_timeout"},
        {"[timeouts]\nidle_timeout = 5k\n", ":2:", "idle_timeout"},
        {"[timeouts]\nidle_timeout = 1\n", ":2:", "idle_timeout"},
        {"[limits]\nframe_bytes = 9s\n", ":2:", "frame_bytes"},
        {"[limits]\nframe_bytes = 20000000000G\n", ":2:", "frame_bytes"},
        {"[server]\nnonsense\n", ":2:", "key = value"},
        {"[server\nport = 1\n", ":1:", "section"},
        {"[server]\nport = 1\n  2\n", ":3:", "space"},
        {"[server]\nport = 1\nport = 2\n", ":3:", "port: was given in line 2"},
        {"[server]\n\nsecret_key_base = abc\n", ":3:", "secret_key_base"},
        {"[server]\n\ncheck_origin = example.com\n", ":3:", "check_origin"},
        {"[server]\ncheck_origin = true\n", ":2:", "hostname"},
        {"[timeouts]\nlongpoll_window = 20s\n", ":2:", "longpoll_window"},
        {"[timeouts]\nlongpoll_session = 1s\n", ":2:", "longpoll_window"},
    };
    clean_env();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_msg(!load(bad[i].text), "%s", bad[i].text);
        ck_assert_msg(strstr(error, file) && strstr(error, bad[i].line) &&
                          strstr(error, bad[i].what),
                      "%s says: %s", bad[i].text, error);
    }
    char longer[600];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    ck_assert(!load(longer));
    ck_assert_ptr_nonnull(strstr(error, ":1: the line is longer"));
    write_file("[server]\nport\0 = 1\n", 19);
    ck_assert(!config_load(&config, file, NULL, 0, error));
    ck_assert_ptr_nonnull(strstr(error, ":2: a NUL byte"));
    unlink(file);
    ck_assert(!config_load(&config, "/nonexistent", NULL, 0, error));
    ck_assert_ptr_nonnull(strstr(error, "/nonexistent"));
    ck_assert(!config_load(&config, "/", NULL, 0, error));
}
END_TEST

START_TEST(a_list_takes_several_lines)
{
    clean_env();
    ck_assert_msg(load_with("[server]\ncheck_origin = https://a.example\n"
                            "check_origin = //*.b.example\n",
                            NULL, 0),
                  "%s", error);
    ck_assert_str_eq(config.check_origin, "https://a.example //*.b.example");
    config_deinit(&config);
}
END_TEST

START_TEST(mistakes_elsewhere_name_the_place)
{
    struct config_override over[] = {{"nonsense", "1", "--set"}};
    struct config_override secret[] = {{"secret_key_base", "x", "--set"}};
    struct config_override port[] = {{"port", "99999", "--port"}};
    clean_env();
    setenv("PORT", "abc", 1);
    ck_assert(!load(""));
    ck_assert_ptr_nonnull(strstr(error, "PORT"));
    unsetenv("PORT");
    ck_assert(!load_with("", over, 1));
    ck_assert_ptr_nonnull(strstr(error, "--set"));
    ck_assert_ptr_nonnull(strstr(error, "nonsense"));
    ck_assert(!load_with("", secret, 1));
    ck_assert_ptr_nonnull(strstr(error, "--set: secret_key_base"));
    ck_assert(!load_with("", port, 1));
    ck_assert_ptr_nonnull(strstr(error, "--port: port"));
}
END_TEST

START_TEST(secrets)
{
    clean_env();
    setenv("SECRET_KEY_BASE", "sesame", 1);
    ck_assert(!load(""));
    ck_assert_ptr_nonnull(strstr(error, "SECRET_KEY_BASE"));
    ck_assert_ptr_null(strstr(error, "sesame"));
    unsetenv("SECRET_KEY_BASE");
    setenv("MIX_ENV", "prod", 1);
    ck_assert(!load(""));
    ck_assert_ptr_nonnull(strstr(error, "SECRET_KEY_BASE"));
    setenv("SECRET_KEY_BASE",
           "0123456789012345678901234567890123456789012345678901234567890123",
           1);
    ck_assert(load(""));
    clean_env();
}
END_TEST

static const char *origin_for(const char *text)
{
    static char settled[64];
    ck_assert_msg(load_with(text, NULL, 0), "%s", error);
    snprintf(settled, sizeof settled, "%s", config.check_origin);
    config_deinit(&config);
    return settled;
}

START_TEST(check_origin_settles)
{
    clean_env();
    ck_assert_str_eq(origin_for(""), "false");
    ck_assert_str_eq(origin_for("[server]\nhostname = a.example\n"), "true");
    ck_assert_str_eq(origin_for("[server]\ncheck_origin = conn\n"), "conn");
    setenv("MIX_ENV", "prod", 1);
    setenv("SECRET_KEY_BASE",
           "0123456789012345678901234567890123456789012345678901234567890123",
           1);
    ck_assert_str_eq(origin_for(""), "conn");
    setenv("PHX_HOST", "a.example", 1);
    ck_assert_str_eq(origin_for(""), "true");
    clean_env();
    ck_assert(!load("[server]\ncheck_origin = true\n"));
    ck_assert(!load("[server]\ncheck_origin = a.example\n"));
}
END_TEST

static char changed_keys[256], restart_keys[256];

static void on_changed(const char *key)
{
    strcat(strcat(changed_keys, key), " ");
}

static void on_restart(const char *key)
{
    strcat(strcat(restart_keys, key), " ");
}

START_TEST(reload_takes_what_it_can)
{
    struct config fresh;
    clean_env();
    ck_assert(load_with("", NULL, 0));
    const char *text =
        "[server]\nport = 5\nlog_level = debug\n[limits]\nrooms = 8\n";
    write_file(text, strlen(text));
    ck_assert_msg(config_load(&fresh, file, NULL, 0, error), "%s", error);
    unlink(file);
    config_reload(&config, &fresh, on_changed, on_restart);
    ck_assert_str_eq(changed_keys, "log_level rooms ");
    ck_assert_str_eq(restart_keys, "port ");
    ck_assert_uint_eq(config.rooms, 8);
    ck_assert_str_eq(config.log_level, "debug");
    ck_assert_uint_eq(config.port, 4000);
    config_deinit(&fresh);
    config_deinit(&config);
}
END_TEST

START_TEST(the_dump_is_the_shipped_file)
{
    const char *dir = getenv("srcdir");
    char path[512], *dumped = NULL, *shipped = NULL;
    size_t len = 0, cap = 0;
    FILE *out = open_memstream(&dumped, &len);
    config_dump(out);
    fclose(out);
    snprintf(path, sizeof path, "%s/conf/roomd.conf", dir ? dir : ".");
    FILE *in = fopen(path, "r");
    ck_assert_msg(in != NULL, "%s", path);
    ssize_t n = getdelim(&shipped, &cap, '\0', in);
    fclose(in);
    ck_assert_int_eq(n, (ssize_t)len);
    ck_assert_str_eq(shipped, dumped);
    free(shipped);
    clean_env();
    ck_assert_msg(load(dumped), "%s", error);
    free(dumped);
    ck_assert(config_has_key("rooms") && !config_has_key("limits"));
}
END_TEST

START_TEST(draining_keeps_its_time)
{
    struct drain d = {0};
    ck_assert(!drain_over(&d, 0, 0));
    drain_begin(&d, 1000, 500, 2000);
    ck_assert(d.begun);
    ck_assert_uint_eq(drain_step(&d, 1400, 100), 0);
    ck_assert(!drain_over(&d, 1400, 0));
    for (size_t open = 1; open < 2000000; open *= 7) {
        drain_begin(&d, 1000, 500, 2000);
        size_t left = open;
        uint64_t now = 1500;
        for (; left; now += DRAIN_STEP_MS) {
            size_t some = drain_step(&d, now, left);
            ck_assert_uint_gt(some, 0);
            left -= some < left ? some : left;
        }
        ck_assert_uint_le(now, 1500 + 1000 + 2 * DRAIN_STEP_MS);
    }
    ck_assert(!drain_over(&d, 3499, 1));
    ck_assert(drain_over(&d, 3500, 1));
    ck_assert(drain_over(&d, 1500, 0));
    drain_begin(&d, 0, 0, 0);
    ck_assert_uint_gt(drain_step(&d, 0, 1000), 0);
    ck_assert(drain_over(&d, 0, 1000));
}
END_TEST

SUITE_MAIN("config", later_beats_earlier, units,
           mistakes_name_file_line_and_key, a_list_takes_several_lines,
           mistakes_elsewhere_name_the_place,
           secrets, check_origin_settles, reload_takes_what_it_can,
           the_dump_is_the_shipped_file, draining_keeps_its_time)
