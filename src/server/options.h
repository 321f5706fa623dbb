/* SPDX-License-Identifier: MIT */
/**
 * @file options.h
 * The command line.
 */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "server/config.h"

enum { OPTIONS_OVERRIDES_MAX = 64 };

enum action {
    ACTION_SERVE,
    ACTION_CHECK_CONFIG,
    ACTION_DUMP_CONFIG,
    ACTION_HEALTH_CHECK,
    ACTION_VERSION,
    ACTION_HELP,
    ACTION_MISTAKE /**< said on stderr */
};

struct options {
    enum action action;
    const char *config_file; /**< as given, or NULL */
    struct config_override overrides[OPTIONS_OVERRIDES_MAX];
    size_t override_count;
};

/** May change argv (cuts `key=value` in two). */
void options_parse(struct options *options, int argc, char **argv);
void options_help(void);

#endif
