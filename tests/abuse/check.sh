#!/bin/sh
# SPDX-License-Identifier: MIT
# The abuse suite: hostile clients of every kind, and what a well-behaved one
# feels of it. From the environment: ROOMD, srcdir, ROOMD_NODE_MODULES,
# ROOMD_TEST_SLOW, ABUSE_SCALE (1: a minute or two; 10 and more: what a machine
# with enough descriptors takes). Arguments: as of tests/e2e/check.sh.
set -eu
dir=${srcdir:-$(dirname "$0")/../..}/tests
command -v node >/dev/null 2>&1 || { echo "node is not installed"; exit 77; }
ROOMD=${ROOMD:-./roomd}
export ROOMD
[ -x "$ROOMD" ] || { echo "no roomd at $ROOMD"; exit 1; }
case " $* " in
*.test.mjs*) ;;
*) set -- "$@" "$dir"/abuse/*.test.mjs ;;
esac
# One after the other: the latencies are worth something then.
exec node "$dir/support/run.mjs" -j 1 "$@"
