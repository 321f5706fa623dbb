# SPDX-License-Identifier: MIT
# A load for a running daemon; measured by hand, not by make check:
#   tests/bench/roomd-bench --port 4000 --pid $(pidof roomd) --connections 1000
EXTRA_PROGRAMS += tests/bench/roomd-bench
tests_bench_roomd_bench_SOURCES = tests/bench/roomd-bench.c
CLEANFILES += tests/bench/roomd-bench
