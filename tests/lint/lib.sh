# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What the lint scripts share. Each runs at the top of the source tree, prints
# TAP, and finds the build by $builddir or its first argument.
set -u
: "${srcdir:=.}"
# shellcheck disable=SC2034  # used by those who read this
build=$(cd "${builddir:-${1:-.}}" && pwd)
cd "$srcdir" || exit 99
number=0 failed=0

# check NAME PROBLEMS: passed when there are none.
check() {
    number=$((number + 1))
    if [ -z "$2" ]; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
        echo "$2" | sed 's/^/  # /'
        failed=$((failed + 1))
    fi
}

skip() {
    number=$((number + 1))
    echo "ok $number - $1 # SKIP $2"
}

# The project's own files, whether this is a checkout or a tarball.
own_files() { # FIND EXPRESSION...
    find . \( -name node_modules -o -name .git -o -name build-aux \
        -o -name autom4te.cache -o -name 'roomd-[0-9]*' -o -name corpus \
        -o -path ./www/dist \) -prune \
        -o -type f \( "$@" \) -print | sed 's,^\./,,' | LC_ALL=C sort
}

finish() {
    [ "$number" -gt 0 ] || failed=1
    [ "$failed" -eq 0 ] || exit 1
    exit 0
}
