#!/bin/sh
# SPDX-License-Identifier: MIT
# node-modules.sh SRCDIR BUILDDIR: the npm packages that the tests compare
# with, at the exact versions of tests/package-lock.json, in
# BUILDDIR/tests/node_modules. The source tree may be read-only.
set -eu
src=$(cd "$1" && pwd)
mkdir -p "$2/tests"
build=$(cd "$2" && pwd)

if ! command -v npm >/dev/null 2>&1; then
    echo "npm is missing: the tests that need it are skipped" >&2
    exit 0
fi
if [ "$src" != "$build" ]; then
    for file in package.json package-lock.json; do
        rm -f "$build/tests/$file"
        cp "$src/tests/$file" "$build/tests/$file"
        chmod u+w "$build/tests/$file"
    done
fi
cd "$build/tests"
echo "npm ci in tests/"
npm ci --legacy-peer-deps --ignore-scripts --no-audit --no-fund \
    --loglevel=error </dev/null
