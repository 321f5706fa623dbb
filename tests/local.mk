# SPDX-License-Identifier: MIT
# How make check runs: every entry of TESTS through tests/support/driver.sh,
# which counts the single tests inside. Programs find their files by these
# variables, never by the current folder.
TEST_EXTENSIONS = .sh
LOG_DRIVER = $(SHELL) $(top_srcdir)/tests/support/driver.sh
SH_LOG_DRIVER = $(LOG_DRIVER)
SH_LOG_COMPILER = $(SHELL)
NODE_MODULES = $(abs_top_builddir)/tests/node_modules
AM_TESTS_ENVIRONMENT = \
	srcdir='$(abs_top_srcdir)'; export srcdir; \
	builddir='$(abs_top_builddir)'; export builddir; \
	ROOMD='$(abs_top_builddir)/roomd$(EXEEXT)'; export ROOMD; \
	ROOMD_NODE_MODULES='$(NODE_MODULES)'; export ROOMD_NODE_MODULES; \
	CC='$(CC)'; export CC; \
	DAEMON_CFLAGS='$(DAEMON_CFLAGS)'; export DAEMON_CFLAGS;
if SANITIZERS
AM_TESTS_ENVIRONMENT += ROOMD_TEST_SLOW=4; export ROOMD_TEST_SLOW; \
	ASAN_OPTIONS='detect_leaks=1:abort_on_error=0:exitcode=99'; \
	UBSAN_OPTIONS='print_stacktrace=1:halt_on_error=1'; \
	export ASAN_OPTIONS UBSAN_OPTIONS;
endif

# What only the tests need is fetched by the first make check: programs by
# autogen.sh (make check NO_INSTALL=1 leaves the machine alone and skips what
# cannot run), npm packages into the build tree.
check_DATA = tests/.node-stamp
CLEANFILES += tests/.node-stamp
tests/.node-stamp: tests/package.json tests/package-lock.json
	@$(MKDIR_P) tests
	$(top_srcdir)/autogen.sh --tests-only $${NO_INSTALL:+--no-install}
	$(SHELL) $(top_srcdir)/tests/support/node-modules.sh $(top_srcdir) .
	@touch $@
distclean-local:
	rm -rf tests/node_modules
	test '$(srcdir)' = . || rm -f tests/package.json tests/package-lock.json

LINT = \
	tests/lint/layers.sh \
	tests/lint/headers.sh \
	tests/lint/exports.sh \
	tests/lint/style.sh \
	tests/lint/tree.sh \
	tests/lint/docs.sh \
	tests/lint/shell.sh \
	tests/lint/www-fresh.sh
TESTS += $(LINT)
EXTRA_DIST += $(LINT) tests/lint/lib.sh \
	tests/package.json \
	tests/package-lock.json \
	tests/support/docker-steps.sh \
	tests/support/driver.sh \
	tests/support/node-modules.sh

# Parts of make check: the lint alone; all but lint and browser (what is worth
# running under the sanitizers); the pages in Chromium; the test programs and
# the load program, built and not run.
lint: all
	$(MAKE) check TESTS='$(LINT)' check_PROGRAMS= check_DATA=
check-core: all
	$(MAKE) check TESTS='$(filter-out tests/lint/% tests/browser/% tests/proxies/%,$(TESTS))'
check-browser: all
	$(MAKE) check TESTS=tests/browser/check.sh check_PROGRAMS= check_DATA=
check-programs: all
	$(MAKE) $(check_PROGRAMS) $(EXTRA_PROGRAMS)
.PHONY: lint check-core check-browser check-programs
