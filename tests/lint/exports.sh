#!/bin/sh
# SPDX-License-Identifier: MIT
# libyjs pollutes nobody's name space, has no writable globals, and needs
# nothing but libc: it lifts out with cp -r.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
lib=$build/libyjs.a
if [ ! -e "$lib" ]; then
    check "libyjs.a exists" "$lib is missing"
    finish
fi

# Sanitizer builds add symbols of their own.
own='^(__)?(asan|ubsan|odr)|^__odr_asan|^_GLOBAL__'
check "every global symbol begins with yjs_" "$(
    nm -g --defined-only "$lib" | awk 'NF == 3 { print $3 }' |
        grep -vE '^yjs_' | grep -vE "$own")"
if nm "$lib" | grep -q asan; then
    skip "no writable data" "sanitizer build"
else
    # .data.rel.ro holds constant pointers: read-only once it is loaded.
    check "no writable data" "$(
        readelf -SW "$lib" | awk '/^File: / { file = $2 }
            { sub(/^ *\[ *[0-9]+\] */, "") }
            $1 ~ /^\.(t?data|t?bss|data\.rel|data\.rel\.local)$/ &&
                $5 !~ /^0+$/ { print file, $1, $5 }')"
fi

check "the public headers declare every exported function" "$(
    nm -g --defined-only "$lib" |
        awk 'NF == 3 && $2 == "T" { print $3 }' | grep -vE '^yjs__' |
        grep -vE "$own" | while read -r name; do
        grep -qw "$name" include/yjs.h include/yjs-protocols.h || echo "$name"
    done)"

check "every function of the public headers exists" "$(
    nm -g --defined-only "$lib" | awk 'NF == 3 { print $3 }' >"$build/.have"
    cat include/yjs.h include/yjs-protocols.h | tr "\n" " " | sed 's/;/;\n/g' |
        grep -o 'YJS_API[^;]*(' | sed -E 's/ *\(.*//; s/.*[ *]//' |
        sort -u | grep '^yjs_' | grep -vxFf "$build/.have"
    rm -f "$build/.have")"

# Lifted out: the folder and its header, no flag but a warning level.
lifted=$(mktemp -d)
trap 'rm -rf "$lifted"' EXIT
cp -R src/yjs "$lifted/yjs"
cp include/*.h "$lifted/"
check "src/yjs compiles elsewhere with cc -std=c11 and nothing else" "$(
    cd "$lifted" && for file in yjs/*.c; do
        ${CC:-cc} -std=c11 -I. -fsyntax-only "$file" 2>&1
    done)"
finish
