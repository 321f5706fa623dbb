# SPDX-License-Identifier: MIT
noinst_LIBRARIES += libtransport.a
libtransport_a_SOURCES = \
	src/transport/base64.c src/transport/base64.h \
	src/transport/client.c src/transport/client.h \
	src/transport/env.c src/transport/env.h \
	src/transport/flap.c src/transport/flap.h \
	src/transport/gzip.c src/transport/gzip.h \
	src/transport/http.c src/transport/http.h \
	src/transport/http_conn.c \
	src/transport/http_drip.c \
	src/transport/http_head.c src/transport/http_head.h \
	src/transport/http_request.c src/transport/http_request.h \
	src/transport/http_wait.c \
	src/transport/inherit.c src/transport/inherit.h \
	src/transport/listen.c src/transport/listen.h \
	src/transport/longpoll.c src/transport/longpoll.h \
	src/transport/lp_stream.c src/transport/lp_stream.h \
	src/transport/origin.c src/transport/origin.h \
	src/transport/outq.c src/transport/outq.h \
	src/transport/poller.c src/transport/poller.h \
	src/transport/proxy_header.c src/transport/proxy_header.h \
	src/transport/static.c src/transport/static.h \
	src/transport/tcp.c src/transport/tcp.h \
	src/transport/token.c src/transport/token.h \
	src/transport/upgrade.c src/transport/upgrade.h \
	src/transport/visitors.c src/transport/visitors.h \
	src/transport/ws.c src/transport/ws.h \
	src/transport/ws_conn.h \
	src/transport/ws_write.c
