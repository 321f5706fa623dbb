/* SPDX-License-Identifier: MIT */
/**
 * @file server.h
 * The daemon as a whole: owns the loop, the registry of rooms and the
 * transports; ticks, drains, reloads, stops.
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include <stddef.h>

struct config;
struct config_override;

struct server_options {
    struct config *config;   /**< loaded; taken over */
    const char *config_file; /**< NULL: none. For reload */
    const struct config_override *overrides; /**< for reload */
    size_t override_count;
};

/** Runs until it was told to end. The exit code. */
int server_run(const struct server_options *options);

#endif
