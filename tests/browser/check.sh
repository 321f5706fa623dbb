#!/bin/sh
# SPDX-License-Identifier: MIT
# The pages in headless Chromium, as `make check` runs it. From the
# environment: ROOMD, srcdir, ROOMD_NODE_MODULES, ROOMD_TEST_SLOW, CHROMIUM
# (default: chromium in PATH), SCREENSHOTS (a folder; default: none are made).
set -eu
dir=${srcdir:-$(dirname "$0")/../..}/tests
command -v node >/dev/null 2>&1 || { echo "node is not installed"; exit 77; }
CHROMIUM=${CHROMIUM:-$(command -v chromium || true)}
[ -n "$CHROMIUM" ] || { echo "chromium is not installed"; exit 77; }
ROOMD=${ROOMD:-./roomd}
export CHROMIUM ROOMD
[ -x "$ROOMD" ] || { echo "no roomd at $ROOMD"; exit 1; }
case " $* " in
*.test.mjs*) ;;
*) set -- "$@" "$dir"/browser/*.test.mjs ;;
esac
exec node "$dir/support/run.mjs" -j 1 "$@"
