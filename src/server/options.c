/* SPDX-License-Identifier: MIT */
/* The command line: see options.h. One table gives the parser and --help. */
#include "server/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

/* `key`: the setting that the option stands for; NULL: an action or --config,
 * --set. */
static const struct row {
    const char *name, *argument, *key, *help;
    enum action action;
} rows[] = {
    {"--config", "FILE", NULL, "read settings from FILE", ACTION_SERVE},
    {"--port", "PORT", "port", "listen on PORT; 0 picks one and prints it",
     ACTION_SERVE},
    {"--bind", "ADDRESS", "bind", "listen on ADDRESS (default ::)",
     ACTION_SERVE},
    {"--www", "DIR", "www", "serve static files from DIR", ACTION_SERVE},
    {"--log-level", "LEVEL", "log_level", "debug, info, warning or error",
     ACTION_SERVE},
    {"--log-format", "FORM", "log_format", "text or json", ACTION_SERVE},
    {"--set", "KEY=VALUE", NULL, "any setting of roomd.conf", ACTION_SERVE},
    {"--check-config", NULL, NULL, "check the settings and exit",
     ACTION_CHECK_CONFIG},
    {"--dump-config", NULL, NULL, "print all settings with their defaults",
     ACTION_DUMP_CONFIG},
    {"--health-check", NULL, NULL, "ask the running roomd for /health",
     ACTION_HEALTH_CHECK},
    {"--version", NULL, NULL, "print the version", ACTION_VERSION},
    {"--help", NULL, NULL, "print this", ACTION_HELP},
};
enum { ROWS = sizeof rows / sizeof *rows };

void options_help(void)
{
    puts("roomd: Yjs rooms for Phoenix channel clients, over WebSocket and "
         "long-poll.\n"
         "\n"
         "usage: roomd [options]\n");
    for (size_t i = 0; i < ROWS; i++) {
        char left[40];
        snprintf(left, sizeof left, "%s%s%s", rows[i].name,
                 rows[i].argument ? "=" : "",
                 rows[i].argument ? rows[i].argument : "");
        printf("  %-20s %s\n", left, rows[i].help);
    }
    puts("\nEnvironment: PORT, BIND, PHX_HOST, SECRET_KEY_BASE, MIX_ENV, and "
         "ROOMD_<KEY>\nfor every setting. Signals: SIGTERM and SIGINT drain "
         "and exit, SIGHUP reloads.");
}

static void mistake(struct options *options, const char *what,
                    const char *value)
{
    fprintf(stderr, "roomd: %s%s\n", what, value);
    options->action = ACTION_MISTAKE;
}

static void override(struct options *options, const char *name,
                     const char *value, const char *origin)
{
    if (options->override_count == OPTIONS_OVERRIDES_MAX) {
        mistake(options, "too many options", "");
        return;
    }
    options->overrides[options->override_count++] =
        (struct config_override){name, value, origin};
}

static void take(struct options *options, const struct row *row, char *value)
{
    if (row->key) {
        override(options, row->key, value, row->name);
    } else if (strcmp(row->name, "--config") == 0) {
        options->config_file = value;
    } else if (strcmp(row->name, "--set") == 0) {
        char *eq = strchr(value, '=');
        if (!eq) {
            mistake(options, "--set needs KEY=VALUE, not ", value);
            return;
        }
        *eq = '\0';
        override(options, value, eq + 1, row->name);
    } else {
        options->action = row->action;
    }
}

void options_parse(struct options *options, int argc, char **argv)
{
    struct option table[ROWS + 1] = {0};
    int index, found;
    *options = (struct options){.action = ACTION_SERVE};
    for (size_t i = 0; i < ROWS; i++)
        table[i] = (struct option){
            rows[i].name + strlen("--"),
            rows[i].argument ? required_argument : no_argument, NULL, 1};
    /* getopt_long names an unknown option itself. */
    while ((found = getopt_long(argc, argv, "", table, &index)) != -1) {
        if (found != 1)
            options->action = ACTION_MISTAKE;
        else
            take(options, &rows[index], optarg);
        if (options->action == ACTION_MISTAKE)
            return;
    }
    if (optind < argc)
        mistake(options, "unexpected argument ", argv[optind]);
}
