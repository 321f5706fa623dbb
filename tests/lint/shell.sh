#!/bin/sh
# SPDX-License-Identifier: MIT
# Shell scripts parse, and shellcheck finds nothing in them.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
for file in $(own_files -name '*.sh' -o -path ./.ci/run); do
    shell="sh"
    head -n 1 "$file" | grep -q bash && shell="bash"
    check "$file parses" "$($shell -n "$file" 2>&1)"
    if command -v shellcheck >/dev/null 2>&1; then
        check "$file passes shellcheck" "$(
            shellcheck -x "$file" 2>&1)"
    else
        skip "$file passes shellcheck" "shellcheck is not installed"
    fi
done
finish
