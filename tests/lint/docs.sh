#!/bin/sh
# SPDX-License-Identifier: MIT
# The documents tell the truth, as far as a script can see.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
roomd=${ROOMD:-$build/roomd}
if [ ! -x "$roomd" ]; then
    check "roomd is built" "$roomd is missing"
    finish
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
docs='README.md ARCHITECTURE.md CONTRIBUTING.md'

# Commands stand in ```sh blocks, and in `backticks` in the text.
# shellcheck disable=SC2086,SC2016  # a list of files; awk's fields
commands() {
    awk '/^```sh/ { on = 1; next } /^```/ { on = 0 } on' $docs
    grep -oh '`[^`]*`' $docs | tr -d '`'
}

check "every make target in the documents exists" "$(
    commands | grep -oE '(^|&& *)make +[a-z][a-z-]*' | awk '{ print $NF }' |
        sort -u | while read -r target; do
        grep -qE "^([a-z-]+ )*$target( [a-z-]+)*:" "$build/Makefile" ||
            echo "make $target"
    done)"
check "every option of autogen.sh in the documents exists" "$(
    { commands | grep -F 'autogen.sh' | grep -oE -- '--[a-z-]+' |
        grep -vE -- '--(enable|prefix|sysconfdir)'
      grep -oE 'autogen.sh --[a-z-]+' Dockerfile tests/*.mk .ci/run |
          grep -oE -- '--[a-z-]+' | grep -v -- --prefix; } | sort -u |
        while read -r option; do
            ./autogen.sh --help | grep -qF -- "$option" || echo "$option"
        done)"
check "every path in the documents exists" "$(
    { grep -ohE '\]\([^)#:]+\)' README.md ARCHITECTURE.md CONTRIBUTING.md |
        tr -d '()]'
      commands | grep -oE '(^|[ "])(src|tests|conf|include|www|man)/[A-Za-z0-9_./-]+' |
          tr -d ' "' | grep -vE 'NAME|\.log$|/test_[a-z]+$|/driver$'; } |
        sort -u | while read -r path; do
            [ -e "$path" ] || [ -e "$path.c" ] || [ -e "$path.h" ] ||
                echo "$path"
        done)"

check "docs/LIBYJS.md says what every call of libyjs costs" "$(
    grep -ohE '\byjs_[a-z0-9_]+\(' include/*.h | tr -d '(' | sort -u |
        while read -r name; do
            grep -E '^\|.*\|.*\| .+ \|$' docs/LIBYJS.md | cut -d '|' -f 2 |
                grep -qF "\`$name\`" || echo "$name"
        done)"

# long FILE: the long options that a text names, without their dashes.
long() {
    sed 's/\\-/-/g; s/\\f[BIRP]//g' "$1" |
        grep -oE '(^|[^a-zA-Z0-9-])--[a-z][a-z-]*' | sed 's/.*--//' | sort -u
}
# manual NAME: its page names every option of NAME --help, no other, and is
# clean.
manual() {
    "$build/$1" --help 2>&1 | long /dev/stdin >"$scratch/$1.flags"
    long "$build/man/$1.1" >"$scratch/$1.man"
    check "$1 --help names options" "$([ -s "$scratch/$1.flags" ] || echo none)"
    check "the manual page of $1 names every option of --help" "$(
        grep -vxFf "$scratch/$1.man" "$scratch/$1.flags")"
    check "no placeholder is left in the manual page of $1" "$(
        grep -n '@[A-Za-z_]*@' "$build/man/$1.1")"
    check "the manual page of $1 names no other option" "$(
        grep -vxFf "$scratch/$1.flags" "$scratch/$1.man")"
    if command -v mandoc >/dev/null 2>&1; then
        check "the manual page of $1 is clean" "$(
            mandoc -T lint -W warning "$build/man/$1.1" 2>&1)"
    else
        skip "the manual page of $1 is clean" "mandoc is not installed"
    fi
}
manual roomd
manual yjs
check "every option of roomd in the documents exists" "$(
    { commands; grep -h roomd Dockerfile; } | grep -E '(^|[ "])roomd ' |
        grep -oE -- '--[a-z][a-z-]*' | sed 's/^--//' | sort -u |
        grep -vxFf "$scratch/roomd.flags")"

"$roomd" --dump-config >"$scratch/conf" 2>&1
# Timeouts and limits are what an operator looks for under attack.
check "docs/SECURITY.md names every timeout and limit of conf/roomd.conf" "$(
    awk '/^\[/ { on = /timeouts|limits/ } on && /^[a-z_]+ =/ { print $1 }' \
        conf/roomd.conf | while read -r key; do
        grep -qF "\`$key\`" docs/SECURITY.md || echo "$key"
    done)"
check "conf/roomd.conf is what roomd --dump-config prints" "$(
    diff conf/roomd.conf "$scratch/conf")"
check "roomd accepts its own conf/roomd.conf" "$(
    env -u PORT -u SECRET_KEY_BASE "$roomd" --check-config \
        --config conf/roomd.conf >"$scratch/said" 2>&1 || cat "$scratch/said")"
finish
