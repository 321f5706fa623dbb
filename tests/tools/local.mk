# SPDX-License-Identifier: MIT
# The command-line tool, from outside.
tool_tests = \
	tests/tools/check.sh \
	tests/tools/formats.sh \
	tests/tools/options.sh
dist_check_SCRIPTS += $(tool_tests)
EXTRA_DIST += tests/tools/lib.sh
TESTS += $(tool_tests)
