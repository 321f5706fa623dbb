# SPDX-License-Identifier: MIT
# A load for a running daemon; measured by hand, not by make check:
#   tests/bench/roomd-bench --port 4000 --pid $(pidof roomd) --connections 1000
EXTRA_PROGRAMS += tests/bench/roomd-bench
tests_bench_roomd_bench_SOURCES = tests/bench/roomd-bench.c
CLEANFILES += tests/bench/roomd-bench

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
