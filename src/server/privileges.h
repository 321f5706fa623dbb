/* SPDX-License-Identifier: MIT */
/**
 * @file privileges.h
 * What the process may do once it listens: no more than it needs.
 */
#ifndef SERVER_PRIVILEGES_H
#define SERVER_PRIVILEGES_H

#include <stdbool.h>

/** Can this process read all that it will want to? Asked in a child process
 *  that has become another user. */
typedef bool (*privileges_probe)(void *arg);

/**
 * Give up what only starting needed. As root with a `user` (a name): become
 * it, with its groups alone, for good. As root without one: become `roomd`, or
 * where there is none `nobody`, if the probe succeeds as that user; else go on
 * as root, with a warning that says so. In any case nothing that we might
 * execute can gain privileges any more. False, and logged, when it cannot be
 * done: then do not serve.
 */
bool privileges_drop(const char *user, privileges_probe probe, void *arg);

#endif
