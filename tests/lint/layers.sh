#!/bin/sh
# SPDX-License-Identifier: MIT
# The rule of the house: server -> transport -> channel -> room -> yjs, base
# serves all but yjs. The layers below transport do no I/O and read no clock.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

# includes FOLDER: FILE:LINE:NAME of everything included there, "own" or <lib>.
includes() {
    find "src/$1" -name '*.[ch]' -exec \
        grep -HnE '^[[:space:]]*#[[:space:]]*include' {} + |
        sed -E 's/:[[:space:]]*#[[:space:]]*include[[:space:]]*/:/; s/[[:space:]]*(\/\*.*)?$//'
}

# layer FOLDER ALLOWED...: own headers may come from these folders only.
layer() {
    folder=$1
    [ -d "src/$folder" ] || return 0
    shift
    allowed=$(echo "$*" | tr ' ' '|')
    check "src/$folder includes only: $*" "$(includes "$folder" |
        grep -F ':"' | grep -vE ":\"($allowed)/[a-z0-9_]+\.h\"" |
        if [ "$folder" = base ]; then cat; else grep -vF ':"yjs.h"'; fi)"
}

layer base base
layer yjs yjs
layer room room base
layer channel channel room base
layer transport transport channel room base
layer tools tools
layer server server transport channel room base

libc='assert|ctype|errno|float|inttypes|limits|math|stdalign|stdarg|stdbool'
libc="$libc|stddef|stdint|stdio|stdlib|string|yjs"
check "src/yjs includes nothing but the language's own headers" "$(
    includes yjs | grep -F ':<' | grep -vE ":<($libc)\.h>")"

carriers='uv|libwebsockets|microhttpd|zlib|nettle/[a-z0-9]+|ini'
check "uv, lws, MHD, zlib, nettle and inih stay in transport and server" "$(
    for folder in base yjs room channel; do includes "$folder"; done |
        grep -E ":[<\"]($carriers)\.h")"

check "no clock, socket, file or random source below transport" "$(
    for folder in yjs room channel; do includes "$folder"; done |
        grep -E ':<(sys/[a-z]+|time|unistd|fcntl|poll|netdb|netinet/.*|arpa/.*|pthread|threads|signal)\.h>')"

# The same by what the compiled code calls: an include proves less.
forbidden='time|gettimeofday|clock_gettime|clock|socket|connect|accept|send'
forbidden="$forbidden|recv|read|write|open|fopen|rand|random|getrandom|sleep"
forbidden="$forbidden|nanosleep|usleep|getenv|exit|pthread_.*|uv_.*|lws_.*|MHD_.*"
for name in yjs room channel; do
    archive=$build/lib$name.a
    [ -e "$archive" ] || continue
    check "lib$name.a calls no clock, I/O, randomness or exit" "$(
        nm -u "$archive" 2>/dev/null | awk '$1 == "U" { print $2 }' |
            grep -xE "$forbidden" | sort -u)"
done
finish
