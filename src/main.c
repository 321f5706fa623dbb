/* SPDX-License-Identifier: MIT */
/* argv, signals, exit code; everything else is in server/. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "server/config.h"
#include "server/health.h"
#include "server/options.h"
#include "server/server.h"

enum { EXIT_USAGE = 2, DESCRIPTORS_MAX = 1 << 20 };

/* First of all: libwebsockets sizes its tables from it. Where a container
 * sets it to a billion, those tables would not fit. */
static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur =
        limit.rlim_max < DESCRIPTORS_MAX ? limit.rlim_max : DESCRIPTORS_MAX;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static int with_config(const struct options *options, const char *file)
{
    struct config config;
    char error[CONFIG_ERROR_MAX];
    if (!config_load(&config, file, options->overrides,
                     options->override_count, error)) {
        fprintf(stderr, "roomd: %s\n", error);
        return EXIT_USAGE;
    }
    if (options->action == ACTION_SERVE) {
        struct server_options server = {&config, file, options->overrides,
                                        options->override_count};
        return server_run(&server);
    }
    int code = EXIT_SUCCESS;
    if (options->action == ACTION_HEALTH_CHECK)
        code = health_check(config.bind, (uint16_t)config.port,
                            strcmp(config.proxy_protocol, "on") == 0
                                ? config.trusted_proxies
                                : "");
    else
        printf("roomd: the settings are fine, file %s\n",
               file ? file : "none");
    config_deinit(&config);
    return code;
}

int main(int argc, char **argv)
{
    struct options options;
    raise_descriptors();
    signal(SIGPIPE, SIG_IGN);
    options_parse(&options, argc, argv);
    switch (options.action) {
    case ACTION_HELP:
        options_help();
        return EXIT_SUCCESS;
    case ACTION_VERSION:
        puts("roomd " PACKAGE_VERSION);
        return EXIT_SUCCESS;
    case ACTION_DUMP_CONFIG:
        config_dump(stdout);
        return EXIT_SUCCESS;
    case ACTION_MISTAKE:
        fputs("roomd: --help names the options\n", stderr);
        return EXIT_USAGE;
    default:
        break;
    }
    const char *file = options.config_file;
    if (!file && access(ROOMD_CONF_FILE, F_OK) == 0)
        file = ROOMD_CONF_FILE;
    return with_config(&options, file);
}
