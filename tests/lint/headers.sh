#!/bin/sh
# SPDX-License-Identifier: MIT
# Every header compiles alone; the installed one also as C++.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2086  # a list of flags
for header in $(own_files -name '*.h' -path '*/src/*') include/yjs.h \
    include/yjs-protocols.h; do
    # A table of macros that is included several times has no meaning alone.
    grep -qF 'ncluded several times' "$header" && continue
    said=$(printf '#include "%s"\n' "${header#src/}" |
        sed 's,"include/,",' |
        ${CC:-cc} -std=c11 -D_GNU_SOURCE -Iinclude -Isrc -I"$build" \
            ${DAEMON_CFLAGS:-} -Wall -Wextra -Wpedantic -Werror \
            -fsyntax-only -x c - 2>&1)
    check "$header compiles alone" "$said"
done
if command -v g++ >/dev/null 2>&1; then
    check "include/yjs.h is C++ too" "$(
        g++ -std=c++11 -Wall -Wextra -Werror -fsyntax-only -x c++ \
            include/yjs.h 2>&1 | grep -v 'pragma once')"
fi
finish
