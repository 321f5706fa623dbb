#!/bin/sh
# SPDX-License-Identifier: MIT
# Nothing lies about unbuilt, untested or bound to one machine.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

fragments=$(own_files -name local.mk)
# shellcheck disable=SC2086  # a list of file names
check "every source of src/ is in a local.mk" "$(
    own_files -name '*.[ch]' -path './src/*' | while read -r file; do
        grep -qF "$file" $fragments Makefile.am || echo "$file"
    done)"
check "every local.mk is part of the build" "$(
    for fragment in $fragments; do
        grep -qxF "include $fragment" Makefile.am || echo "$fragment"
    done)"
check "every unit test is in tests/unit/local.mk" "$(
    own_files -path './tests/unit/test_*.c' | while read -r file; do
        grep -qwF "${file%.c}" tests/unit/local.mk || echo "$file"
    done)"
check "every end-to-end and browser test file is run" "$(
    own_files -path './tests/e2e/*.test.mjs' -o \
        -path './tests/browser/*.test.mjs' | while read -r file; do
        grep -qF "$(dirname "$file")" Makefile.am tests/local.mk \
            tests/suite/*.sh || echo "$file"
    done)"
check "package-lock.json names no registry" "$(
    grep -n '"resolved"' tests/package-lock.json www/package-lock.json)"
check "every npm package is pinned exactly" "$(
    sed -n '/ependencies"/,/}/p' tests/package.json www/package.json |
        grep -E '": *"' | grep -vE '": "[0-9]+\.[0-9]+\.[0-9]+(-[0-9]+)?",?$')"

if [ -e .git ] && command -v git >/dev/null 2>&1; then
    check "no path of somebody's machine in the tree" "$(
        git grep -nIE '(^|[^a-zA-Z0-9_.])/(home|root|work)/[a-z]' -- \
            ':!tests/lint/tree.sh' ':!Dockerfile' ':!*/corpus/*')"
fi
finish
