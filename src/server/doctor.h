/* SPDX-License-Identifier: MIT */
/**
 * @file doctor.h
 * /doctor.json: what a request looks like when it arrives here, after all
 * that stands between. For the page /doctor, which runs the checks in the
 * user's browser, and for whoever helps that user. Shows nothing but the
 * request's own, and settings that any client can find out by waiting.
 */
#ifndef SERVER_DOCTOR_H
#define SERVER_DOCTOR_H

struct buf;
struct http_asker;
struct transport_env;

void doctor_render(const struct transport_env *env,
                   const struct http_asker *asker, struct buf *out);

#endif
