# SPDX-License-Identifier: MIT
# Bad networks. make check runs the short form; MINUTES=10 make check-chaos ten
# minutes of faults, larger documents and storms, and prints the figures.
dist_check_SCRIPTS += tests/chaos/check.sh
TESTS += tests/chaos/check.sh

EXTRA_DIST += \
	tests/chaos/convergence.test.mjs \
	tests/chaos/slow.test.mjs \
	tests/chaos/storm.test.mjs \
	tests/support/chaos.mjs

check-chaos: all
	+@status=0; MINUTES=$(MINUTES); export MINUTES; \
	ROOMD_TEST_TIMEOUT=$$(($${MINUTES:-1} * 60 + 1200)) \
	    $(MAKE) check TESTS=tests/chaos/check.sh || status=$$?; \
	grep '^#' tests/chaos/check.log; exit $$status
.PHONY: check-chaos
