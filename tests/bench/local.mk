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
EXTRA_DIST += \
	tests/bench/budget.mjs \
	tests/bench/flame.mjs \
	tests/bench/notes.md \
	tests/bench/plot.mjs \
	tests/bench/report.mjs \
	tests/bench/run.mjs \
	tests/bench/scenarios.mjs \
	tests/bench/servers.mjs
CLEANFILES += tests/bench/results.json

# All of it, in a quarter of an hour: docs/PERFORMANCE.md. BENCH=quick takes
# three minutes; bench-report writes the document again without measuring.
bench_binaries = tests/bench/roomd-bench$(EXEEXT) \
	tests/bench/floor$(EXEEXT) tests/bench/micro$(EXEEXT)
bench_run = srcdir='$(abs_top_srcdir)' builddir='$(abs_top_builddir)' \
	node '$(srcdir)/tests/bench/run.mjs'
bench: all
	$(top_srcdir)/autogen.sh --bench-only $${NO_INSTALL:+--no-install}
	$(MAKE) $(bench_binaries)
	$(bench_run) $(ARGS)
bench-report:
	$(bench_run) --report $(ARGS)
.PHONY: bench bench-report

# libyjs beside npm yjs, and what hostile input costs. With WRITE=1 the tables
# of docs/PERFORMANCE-YJS.md are written anew.
#   make bench-yjs [BENCH='--updates 50000 --runs 5']
#   make bench-hostile
EXTRA_PROGRAMS += tests/bench/yjs-bench
tests_bench_yjs_bench_SOURCES = tests/bench/yjs-bench.c
tests_bench_yjs_bench_LDADD = libyjs.a
CLEANFILES += tests/bench/yjs-bench
clean-local:
	rm -rf tests/bench/scratch
EXTRA_DIST += \
	tests/bench/bench-yjs.mjs \
	tests/bench/measure.mjs \
	tests/bench/section.mjs \
	tests/bench/trace.mjs \
	tests/bench/workloads.mjs
bench_doc = $(top_srcdir)/docs/PERFORMANCE-YJS.md
bench-yjs: yjs$(EXEEXT) tests/bench/yjs-bench$(EXEEXT) tests/.node-stamp
	ROOMD_NODE_MODULES='$(NODE_MODULES)' \
	node --expose-gc $(top_srcdir)/tests/bench/bench-yjs.mjs \
	    --yjs ./yjs$(EXEEXT) --edits tests/bench/yjs-bench$(EXEEXT) \
	    --dir tests/bench/scratch $(BENCH) $(WRITE:1=--write $(bench_doc))
.PHONY: bench-yjs
