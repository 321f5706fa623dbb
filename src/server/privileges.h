/* SPDX-License-Identifier: MIT */
/**
 * @file privileges.h
 * What the process may do once it listens: no more than it needs.
 */
#ifndef SERVER_PRIVILEGES_H
#define SERVER_PRIVILEGES_H

#include <stdbool.h>

/**
 * Give up what only starting needed. As root with a `user` (a name): become
 * it, with its groups alone, for good. As root without one: a warning. In any
 * case nothing that we might execute can gain privileges any more. False, and
 * logged, when it cannot be done: then do not serve.
 */
bool privileges_drop(const char *user);

#endif
