# SPDX-License-Identifier: MIT
# The differential test against npm yjs. The driver is built by `make check`;
# the comparison itself needs node and the packages of tests/package.json:
#   node tests/diff/run.mjs --driver tests/diff/driver --seeds 1000
check_PROGRAMS += tests/diff/driver
tests_diff_driver_SOURCES = tests/diff/driver.c \
	tests/diff/calls.c tests/diff/calls.h \
	tests/diff/driver_read.c tests/diff/driver_read.h
tests_diff_driver_LDADD = libyjs.a

dist_check_SCRIPTS += tests/diff/check.sh
TESTS += tests/diff/check.sh

# The long run: make check-diff SEEDS=20000 [START=1] [JOBS=2] [DIFF=--flags]
# A seed is one history of each profile. Goes on where a run was stopped with
# the START it named.
SEEDS = 2000
START = 1
check-diff: tests/diff/driver$(EXEEXT) tests/.node-stamp
	ROOMD_NODE_MODULES='$(NODE_MODULES)' node '$(srcdir)/tests/diff/long.mjs' \
	    --driver tests/diff/driver$(EXEEXT) --seeds '$(SEEDS)' \
	    --start '$(START)' $(if $(JOBS),--jobs $(JOBS)) $(DIFF)
.PHONY: check-diff

EXTRA_DIST += \
	tests/diff/calls.mjs \
	tests/diff/check.mjs \
	tests/diff/compact.mjs \
	tests/diff/driver.mjs \
	tests/diff/edits.mjs \
	tests/diff/history.mjs \
	tests/diff/hostile.mjs \
	tests/diff/long.mjs \
	tests/diff/npm.mjs \
	tests/diff/prng.mjs \
	tests/diff/reads.mjs \
	tests/diff/run.mjs \
	tests/diff/selftest.mjs \
	tests/diff/shrink.mjs \
	tests/diff/typing.mjs \
	tests/diff/update.mjs \
	tests/diff/updates.mjs \
	tests/diff/values.mjs \
	tests/diff/writes.mjs
