#!/bin/sh
# SPDX-License-Identifier: MIT
# Bad networks: clients behind a proxy that delays, throttles, cuts and falls
# silent; reconnect storms; slow receivers; large documents. From the
# environment: ROOMD, srcdir, ROOMD_NODE_MODULES, ROOMD_TEST_SLOW, SEED, and
# MINUTES of faults for the long form. Arguments: as of tests/e2e/check.sh.
set -eu
dir=${srcdir:-$(dirname "$0")/../..}/tests
command -v node >/dev/null 2>&1 || { echo "node is not installed"; exit 77; }
ROOMD=${ROOMD:-./roomd}
export ROOMD
[ -x "$ROOMD" ] || { echo "no roomd at $ROOMD"; exit 1; }
case " $* " in
*.test.mjs*) ;;
*) set -- "$@" "$dir"/chaos/*.test.mjs ;;
esac
exec node "$dir/support/run.mjs" -j 1 "$@"
