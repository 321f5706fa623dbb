#!/bin/bash
# SPDX-License-Identifier: MIT
# Fuzzing for real, with clang's libFuzzer, ASan and UBSan:
#
#   tests/fuzz/fuzz.sh [-m MINUTES] [-n] [TARGET...]      (make fuzz)
#
# Each target runs for so many minutes of CPU (default 30), one after the
# other, begins with its corpus in the tree and what earlier runs left, and
# then gives the tree those of its inputs that reach new code (-n: it does
# not). A finding stays in the build tree, made small, until it is fixed and
# put into the corpus with a name that says what it was. The last lines say
# what each target did; the exit status is 1 when something was found.
set -eu
src=${srcdir:-.}
build=${builddir:-.}/fuzz-build
clang=${FUZZ_CC:-clang}
minutes=30
keep=yes

while getopts m:n opt; do
    case $opt in
    m) minutes=$OPTARG ;;
    n) keep=no ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
command -v "$clang" >/dev/null 2>&1 || { echo "$clang is not installed"; exit 77; }

all=
for file in "$src"/tests/fuzz/*.c; do
    name=$(basename "$file" .c)
    [ "$name" = replay ] || all="$all $name"
done
# shellcheck disable=SC2086  # words
[ $# -gt 0 ] || set -- $all

flags="-g -O1 -std=c11 -D_GNU_SOURCE -I$src/include -I$src/src
    -fno-omit-frame-pointer -fno-sanitize-recover=all ${DAEMON_CFLAGS:-}"

# The folders of sources that a target needs: those it includes from, the
# engine always, and what these need in turn.
sources() {
    echo "$src"/src/yjs/*.c
    if grep -q '#include "\(transport\|channel\|room\)/' "$1"; then
        echo "$src"/src/base/*.c "$src"/src/room/*.c "$src"/src/channel/*.c
    fi
    if grep -q '#include "transport/' "$1"; then
        echo "$src"/src/transport/*.c
    fi
}

# Objects are shared by the targets; clang is asked again only for what changed.
compile() {
    for c in $(sources "$src/tests/fuzz/$1.c"); do
        o=$build/obj/$(basename "$(dirname "$c")")_$(basename "$c" .c).o
        objects="$objects $o"
        [ ! -e "$o" ] || [ -n "$(find "$src/src" "$src/include" -name '*.[ch]' \
            -newer "$o" | head -n 1)" ] || continue
        # shellcheck disable=SC2086
        "$clang" $flags -fsanitize=fuzzer-no-link,address,undefined -c "$c" \
            -o "$o"
    done
}

link() {
    objects=
    compile "$1"
    # shellcheck disable=SC2086
    "$clang" $flags -fsanitize=fuzzer,address,undefined \
        "$src/tests/fuzz/$1.c" $objects ${DAEMON_LIBS:-} -o "$build/$1"
}

# "3 executions" of a log: libFuzzer's last word, or its last line of progress.
executions() {
    sed -n 's/^#\([0-9]*\).*/\1/p; s/^stat::number_of_executed_units: *//p' \
        "$1" | tail -n 1
}

minimise() {
    for crash in "$build/$1-"crash-* "$build/$1-"oom-* "$build/$1-"timeout-*; do
        [ -e "$crash" ] || continue
        case $crash in *.small) continue ;; esac
        "$build/$1" -minimize_crash=1 -runs=20000 -max_total_time=60 \
            -exact_artifact_path="$crash.small" "$crash" >/dev/null 2>&1 || :
        [ -e "$crash.small" ] || cp "$crash" "$crash.small"
        echo "$1: FOUND $crash.small ($(wc -c <"$crash.small") bytes)"
    done
}

# Only what reaches new edges: the corpus is replayed, with all its prefixes
# and mutations, by each make check.
take() {
    "$build/$1" -merge=1 -use_counters=0 -timeout=60 -rss_limit_mb=3000 \
        "$src/tests/fuzz/corpus/$1" "$build/corpus/$1" >/dev/null 2>&1 || :
    for file in "$src/tests/fuzz/corpus/$1"/*; do
        name=$(basename "$file")
        [ ${#name} -eq 40 ] || continue
        mv "$file" "$src/tests/fuzz/corpus/$1/found-$(echo "$name" | cut -c 1-10)"
    done
}

found=0
run() {
    mkdir -p "$build/corpus/$1" "$src/tests/fuzz/corpus/$1"
    rm -f "$build/$1-"crash-* "$build/$1-"oom-* "$build/$1-"timeout-*
    set +e
    { # and nothing from the shell about what became of its child
        (
            ulimit -S -t "$((minutes * 60))"
            exec "$build/$1" -artifact_prefix="$build/$1-" -rss_limit_mb=3000 \
                -timeout=60 -print_final_stats=1 -close_fd_mask=1 \
                "$build/corpus/$1" "$src/tests/fuzz/corpus/$1"
        ) >"$build/$1.log" 2>&1
        status=$?
    } 2>/dev/null
    set -e
    # 152: the time was up (SIGXCPU)
    if [ "$status" -ne 0 ] && [ "$status" -ne 152 ]; then
        found=1
        minimise "$1"
    fi
    [ "$keep" = no ] || take "$1"
    summary="$summary$1: $(executions "$build/$1.log") executions, $(
        if [ "$status" -eq 152 ]; then
            echo "$minutes minutes of CPU, nothing found"
        else
            echo "ended with $status, see $build/$1.log"
        fi), corpus $(find "$src/tests/fuzz/corpus/$1" -type f | wc -l) files
"
}

mkdir -p "$build/obj"
summary=
for target; do link "$target"; done
for target; do run "$target"; done
printf %s "$summary"
exit $found
