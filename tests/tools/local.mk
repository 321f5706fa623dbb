# SPDX-License-Identifier: MIT
# The command-line tool, from outside.
dist_check_SCRIPTS += tests/tools/check.sh
TESTS += tests/tools/check.sh
