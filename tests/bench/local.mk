# SPDX-License-Identifier: MIT
# Load and measurement: `make bench` runs all of it, make check only looks
# whether the load and the daemon still understand each other.
check_PROGRAMS += tests/bench/roomd-bench
EXTRA_PROGRAMS += tests/bench/floor tests/bench/micro
dist_check_SCRIPTS += tests/bench/check.sh
TESTS += tests/bench/check.sh
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
CLEANFILES += tests/bench/floor tests/bench/micro
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
CLEANFILES += tests/bench/quick/PERFORMANCE.md tests/bench/quick/*.svg
EXTRA_DIST += \
	docs/PERFORMANCE.md \
	docs/cpu.svg \
	docs/flame-fanout.svg \
	docs/flame-rooms.svg \
	docs/latency.svg \
	docs/memory.svg

# All of it, in 25 minutes: docs/PERFORMANCE.md. BENCH=quick takes
# three minutes and writes into the build tree; bench-report writes the document
# again without measuring.
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

# libyjs beside npm yjs, and what crafted input costs it:
#   make bench-yjs [BENCH='--updates 50000 --runs 5']
#   make bench-hostile [HOSTILE='--only ranges']
# bench-doc runs both and writes their tables into docs/PERFORMANCE-YJS.md.
EXTRA_PROGRAMS += tests/bench/hostile tests/bench/yjs-bench
tests_bench_hostile_SOURCES = tests/bench/hostile.c
tests_bench_hostile_LDADD = libyjs.a -lm
tests_bench_yjs_bench_SOURCES = tests/bench/yjs-bench.c
tests_bench_yjs_bench_LDADD = libyjs.a
CLEANFILES += tests/bench/hostile tests/bench/yjs-bench
EXTRA_DIST += \
	tests/bench/bench-yjs.mjs \
	tests/bench/measure.mjs \
	tests/bench/section.mjs \
	tests/bench/trace.mjs \
	tests/bench/workloads.mjs
clean-local:
	rm -rf tests/bench/scratch

bench_doc = $(top_srcdir)/docs/PERFORMANCE-YJS.md
run_bench_yjs = ROOMD_NODE_MODULES='$(NODE_MODULES)' \
	node --expose-gc $(top_srcdir)/tests/bench/bench-yjs.mjs \
	--yjs ./yjs$(EXEEXT) --edits tests/bench/yjs-bench$(EXEEXT) \
	--dir tests/bench/scratch $(BENCH)
bench_yjs_needs = yjs$(EXEEXT) tests/bench/yjs-bench$(EXEEXT) \
	tests/.node-stamp
bench-yjs: $(bench_yjs_needs)
	$(run_bench_yjs)
bench-hostile: tests/bench/hostile$(EXEEXT)
	tests/bench/hostile$(EXEEXT) $(HOSTILE)
bench-doc: $(bench_yjs_needs) tests/bench/hostile$(EXEEXT)
	$(run_bench_yjs) --write $(bench_doc)
	tests/bench/hostile$(EXEEXT) >tests/bench/scratch/hostile.md
	node $(top_srcdir)/tests/bench/section.mjs $(bench_doc) bench-hostile \
	    <tests/bench/scratch/hostile.md
.PHONY: bench-yjs bench-hostile bench-doc
