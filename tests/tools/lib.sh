#!/bin/sh
# SPDX-License-Identifier: MIT
# What the tests of the tool `yjs` share; each works in a folder of its own.
set -u
yjs=${builddir:-.}/yjs
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
yjs=$(cd "$(dirname "$yjs")" && pwd)/yjs
cd "$dir" || exit 99
number=0 failed=0

# is NAME WANT GOT
is() {
    number=$((number + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
        printf '# want %s\n# got  %s\n' "$2" "$3"
        failed=$((failed + 1))
    fi
}

# hex HEX: those bytes.
hex() {
    rest=$1
    while [ -n "$rest" ]; do
        tail=${rest#??}
        # shellcheck disable=SC2059  # the format is the byte
        printf "\\$(printf '%03o' "0x${rest%"$tail"}")"
        rest=$tail
    done
}

same() { # NAME A B
    is "$1" "$(od -An -tx1 "$2" | tr -d ' \n')" \
        "$(od -An -tx1 "$3" | tr -d ' \n')"
}

code() { # NAME CODE COMMAND...
    name=$1 want=$2
    shift 2
    "$@" >out 2>err </dev/null
    is "$name: exit code" "$want" "$?"
}

finish() {
    echo "1..$number"
    exit "$((failed > 0))"
}
