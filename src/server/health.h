/* SPDX-License-Identifier: MIT */
/**
 * @file health.h
 * `roomd --health-check`: a client for our own /health, so that a container
 * needs no curl.
 */
#ifndef SERVER_HEALTH_H
#define SERVER_HEALTH_H

#include <stdint.h>

/** Asks the daemon at this address ("::" and "0.0.0.0": localhost). An exit
 *  code; a failure is told on stderr. `proxies`: whose connections begin with
 *  a PROXY header; "" for nobody's. */
int health_check(const char *bind_to, uint16_t port, const char *proxies);

#endif
