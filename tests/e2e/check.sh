#!/bin/sh
# SPDX-License-Identifier: MIT
# The end-to-end suite as `make check` runs it. From the environment: ROOMD
# (the binary; default ./roomd), srcdir, ROOMD_NODE_MODULES (where the npm
# packages are), ROOMD_TEST_SLOW (multiplies every limit), E2E_JOBS, SEED.
# Arguments are given on to run.mjs: -t TEXT, or files instead of all.
set -eu
dir=${srcdir:-$(dirname "$0")/../..}/tests
command -v node >/dev/null 2>&1 || { echo "node is not installed"; exit 77; }
ROOMD=${ROOMD:-./roomd}
export ROOMD
[ -x "$ROOMD" ] || { echo "no roomd at $ROOMD"; exit 1; }
case " $* " in
*.test.mjs*) ;;
*) set -- "$@" "$dir"/e2e/*.test.mjs ;;
esac
exec node "$dir/support/run.mjs" -j "${E2E_JOBS:-4}" "$@"
