# SPDX-License-Identifier: MIT
noinst_LIBRARIES += libserver.a
libserver_a_SOURCES = \
	src/server/config.c src/server/config.h src/server/config_keys.h \
	src/server/doctor.c src/server/doctor.h \
	src/server/drain.c src/server/drain.h \
	src/server/health.c src/server/health.h \
	src/server/metrics.c src/server/metrics.h \
	src/server/options.c src/server/options.h \
	src/server/pressure.c src/server/pressure.h \
	src/server/privileges.c src/server/privileges.h \
	src/server/secret_env.c src/server/secret_env.h \
	src/server/server.c src/server/server.h \
	src/server/status.c src/server/status.h

bin_PROGRAMS += roomd
roomd_SOURCES = src/main.c
roomd_LDADD = \
	libserver.a \
	libtransport.a \
	libchannel.a \
	libroom.a \
	libyjs.a \
	libbase.a \
	$(DAEMON_LIBS)
