# SPDX-License-Identifier: MIT
# Hostile clients: make check-abuse prints a row for each attack. Not part of
# make check: it takes minutes.
EXTRA_DIST += \
	docs/SECURITY.md \
	tests/abuse/check.sh \
	tests/abuse/http.test.mjs \
	tests/abuse/idle.mjs \
	tests/abuse/messages.test.mjs \
	tests/abuse/probe.mjs \
	tests/abuse/resources.test.mjs \
	tests/abuse/stage.mjs

check-abuse: all
	+@status=0; \
	$(MAKE) check TESTS=tests/abuse/check.sh || status=$$?; \
	sed -n 's/^# |/|/p' tests/abuse/check.log; exit $$status
.PHONY: check-abuse
CLEANFILES += tests/abuse/check.log tests/abuse/check.trs
