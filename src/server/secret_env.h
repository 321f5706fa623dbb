/* SPDX-License-Identifier: MIT */
/**
 * @file secret_env.h
 * Secrets from the environment. Whoever may look at the process may look at
 * the environment it was started with (/proc/PID/environ), and so may all that
 * it starts: a secret is taken out of it and kept by us.
 */
#ifndef SERVER_SECRET_ENV_H
#define SERVER_SECRET_ENV_H

/**
 * The variable's value; NULL when it is not set, or empty. The first call
 * overwrites it where it stands; later ones (a reload) find what that took.
 * Lives until the variable is set to another value, or unset. `variable` is
 * one of a few: each is remembered.
 */
const char *secret_env(const char *variable);

#endif
