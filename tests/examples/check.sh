#!/bin/sh
# SPDX-License-Identifier: MIT
# Install libyjs into a folder of its own, and use it from there as others do.
set -u
src=$(cd "${srcdir:-.}" && pwd)
build=$(cd "${builddir:-.}" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
number=0 failed=0

# check NAME PROBLEMS: passed when there are none.
check() {
    number=$((number + 1))
    if [ -z "$2" ]; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
        echo "$2" | head -n 40 | sed 's/^/# /'
        failed=$((failed + 1))
    fi
}

# A make of our own: that of make check must not hand us its jobs.
check "make install-yjs" "$(
    unset MAKEFLAGS MFLAGS MAKELEVEL
    make -C "$build" install-yjs DESTDIR="$dir" >"$dir/log" 2>&1 ||
        cat "$dir/log")"
pc=$(find "$dir" -name yjs.pc)
lib=$(dirname "$(dirname "${pc:-/none/none}")")
PKG_CONFIG_PATH=$lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$dir
LD_LIBRARY_PATH=$lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR LD_LIBRARY_PATH

check "pkg-config knows yjs" "$(pkg-config --exists --print-errors yjs 2>&1)"
check "the shared library has its name and links to it" "$(
    name=$(readelf -d "$lib/libyjs.so" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')
    [ -n "$name" ] && [ -e "$lib/$name" ] || echo "soname $name")"
check "it exports the functions of its headers and no other" "$(
    nm -D --defined-only "$lib/libyjs.so" |
        awk '$2 ~ /^[A-Z]$/ && $2 != "A" { sub(/@.*/, "", $3); print $3 }' |
        sort >"$dir/exported"
    cat "$src"/include/*.h | tr '\n' ' ' | sed 's/;/;\n/g' |
        grep -o 'YJS_API[^;]*(' | sed -E 's/ *\(.*//; s/.*[ *]//' |
        grep '^yjs_' | sort -u >"$dir/declared"
    diff "$dir/declared" "$dir/exported" | grep '^[<>]')"
check "it needs nothing but libc" "$(
    readelf -d "$lib/libyjs.so" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' |
        grep -vE '^(libc|libasan|libubsan|ld-linux.*)\.so')"

extra=
nm "$lib/libyjs.a" 2>/dev/null | grep -q __asan &&
    extra=-fsanitize=address,undefined

# build PROGRAM SOURCE: with the shared library, and PROGRAM-static.
build() {
    # shellcheck disable=SC2046,SC2086  # lists of flags
    check "$1 compiles, shared" "$(
        ${CC:-cc} -std=c11 -Wall -Wextra -Wpedantic -Werror $extra "$2" \
            -o "$dir/$1" $(pkg-config --cflags --libs yjs) 2>&1)"
    # shellcheck disable=SC2046,SC2086
    check "$1 compiles, static" "$(
        ${CC:-cc} -std=c11 -Wall -Wextra -Wpedantic -Werror $extra "$2" \
            -o "$dir/$1-static" $(pkg-config --cflags yjs) \
            "$lib/libyjs.a" 2>&1)"
}

# says NAME WANT COMMAND...
says() {
    name=$1 want=$2
    shift 2
    got=$("$@" 2>&1)
    [ "$got" = "$want" ] && got=
    check "$name" "$got"
}

build merge-updates "$src/src/examples/merge-updates.c"
printf '\001\001\050\000\004\001\004text\003abc\000' >"$dir/a"
printf '\001\001\050\003\204\050\002\001d\000' >"$dir/b"
for kind in merge-updates merge-updates-static; do
    says "$kind" '{"text":"abcd"}' "$dir/$kind" "$dir/m" "$dir/b" "$dir/a"
done
check "merge-updates writes an update" "$(
    "$build/yjs" text "$dir/m" | grep -vx abcd)"

build two-editors "$src/src/examples/two-editors.c"
for kind in two-editors two-editors-static; do
    says "$kind" "bob sends 10 bytes
ann: Hello, world!
bob: Hello, world!" "$dir/$kind"
done

awk '/^```c$/ { on = 1; next } /^```/ { on = 0 } on' "$src/docs/LIBYJS.md" \
    >"$dir/page.c"
build page "$dir/page.c"
want=$(awk '/^```text$/ { on = 1; next } /^```/ { on = 0 } on' \
    "$src/docs/LIBYJS.md")
says "the page's program prints what the page says" "$want" "$dir/page"

echo "1..$number"
[ "$failed" -eq 0 ]
