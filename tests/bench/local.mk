# SPDX-License-Identifier: MIT
# Load and measurement; never part of make check. `make bench` runs all of it.
EXTRA_PROGRAMS += tests/bench/roomd-bench tests/bench/floor tests/bench/micro
tests_bench_roomd_bench_SOURCES = \
	tests/bench/bench.h \
	tests/bench/load.c \
	tests/bench/net.c \
	tests/bench/phoenix.c \
	tests/bench/poll.c \
	tests/bench/roomd-bench.c \
	tests/bench/util.c \
	tests/bench/websocket.c
tests_bench_floor_SOURCES = tests/bench/floor.c
tests_bench_micro_SOURCES = tests/bench/micro.c
tests_bench_micro_LDADD = libchannel.a libroom.a libyjs.a libbase.a
CLEANFILES += tests/bench/roomd-bench tests/bench/floor tests/bench/micro
