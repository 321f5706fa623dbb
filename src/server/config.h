/* SPDX-License-Identifier: MIT */
/**
 * @file config.h
 * The settings: one table of keys (config_keys.h) from which the configuration
 * file, its check, --help, --dump-config and the environment all come.
 * Later beats earlier: built-in default, file, environment, command line.
 */
#ifndef SERVER_CONFIG_H
#define SERVER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { CONFIG_ERROR_MAX = 512, CONFIG_SECRET_MIN = 64 };

/** Values in the units of the table: bytes, milliseconds, counts. */
struct config {
#define CONFIG_FIELD_string char *
#define CONFIG_FIELD_choice char *
#define CONFIG_FIELD_count uint64_t
#define CONFIG_FIELD_bytes uint64_t
#define CONFIG_FIELD_time uint64_t
#define CONFIG_KEY(kind, name, standard, min, max, reload, help)               \
    CONFIG_FIELD_##kind name;
#define CONFIG_SECTION(name)
#include "server/config_keys.h"
#undef CONFIG_KEY
#undef CONFIG_SECTION
    bool production; /**< MIX_ENV=prod */
};

/** One setting that beats the file: from the command line. */
struct config_override {
    const char *name, *value;
    const char *origin; /**< what to call it in a message */
};

/** All defaults. */
void config_init(struct config *config);
void config_deinit(struct config *config);

/**
 * Defaults, then `file` (NULL: none), the environment, the overrides; then
 * what has to hold between keys. False with a message that names the place
 * (file, line and key; variable; option) in `error`; `config` is untouched
 * then.
 */
bool config_load(struct config *config, const char *file,
                 const struct config_override *overrides, size_t count,
                 char error[CONFIG_ERROR_MAX]);

/** Is there such a key? */
bool config_has_key(const char *name);

/** Take over from `fresh` what can change under way; `restart` is called with
 *  each key that differs and cannot, `changed` with each that was taken. */
void config_reload(struct config *config, const struct config *fresh,
                   void (*changed)(const char *key),
                   void (*restart)(const char *key));

/** The file with every key at its default, as conf/roomd.conf holds it. */
void config_dump(FILE *out);

#endif
