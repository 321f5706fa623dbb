# SPDX-License-Identifier: MIT
# A load for a running daemon; measured by hand, not by make check:
#   tests/bench/roomd-bench --port 4000 --pid $(pidof roomd) --connections 1000
EXTRA_PROGRAMS += tests/bench/roomd-bench
tests_bench_roomd_bench_SOURCES = tests/bench/roomd-bench.c
CLEANFILES += tests/bench/roomd-bench

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
