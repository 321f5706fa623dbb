#!/bin/sh
# SPDX-License-Identifier: MIT
# What a reader should not have to look for.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

sources() { own_files -name '*.[ch]'; }

check "every source names its licence on the first line" "$(
    { sources; own_files -name '*.mjs'; } | while read -r file; do
        head -n 1 "$file" | grep -qF 'SPDX-License-Identifier: MIT' ||
            echo "$file"
    done)"
check "every script and build file names its licence" "$(
    own_files -name '*.sh' -o -name local.mk -o -name Makefile.am \
        -o -name configure.ac -o -name Dockerfile -o -path ./.ci/run |
        while read -r file; do
            head -n 2 "$file" | grep -qF 'SPDX-License-Identifier: MIT' ||
                echo "$file"
        done)"
check "no file over 800 lines" "$(
    own_files -name '*.[ch]' -o -name '*.mjs' -o -name '*.sh' |
        while read -r file; do
            lines=$(wc -l <"$file")
            [ "$lines" -le 800 ] || echo "$file: $lines"
        done)"
check "no line over 80 columns in C but a string" "$(
    sources | LC_ALL=C.UTF-8 xargs grep -nE '^.{81,}' /dev/null |
        grep -vE '^[^:]+:[0-9]+: *"')"
check "no tab and no blank at the end of a line in C" "$(
    sources | xargs grep -nE "$(printf '\t')|[[:space:]]\$" /dev/null)"

banned='strcpy|stpcpy|strcat|strncat|sprintf|vsprintf|gets|alloca|strtok'
banned="$banned|atoi|atol|scanf|sscanf|fscanf|tmpnam|mktemp|system|popen"
check "no banned function" "$(
    own_files -name '*.[ch]' -path './src/*' | xargs grep -nE \
        "(^|[^a-zA-Z0-9_])($banned)[[:space:]]*\(" /dev/null |
        grep -vE ':[0-9]+: *(/?\*|//)')"
check "no unfinished mark" "$(
    own_files -path './src/*' -o -path './include/*' -o -path './www/*' |
        grep -E '\.(c|h|js|mjs|ts|tsx|html|css)$' |
        xargs grep -nwE 'TODO|FIXME|XXX|HACK' /dev/null)"

# Braces at the margin open and close a function in this style.
check "no function over 100 lines outside tables" "$(
    own_files -name '*.c' -path './src/*' | xargs awk '
        FNR == 1 { open = 0 }
        /^\{/ { open = FNR }
        /^\}/ { if (open && FNR - open > 100)
                    print FILENAME ":" open ": " FNR - open; open = 0 }')"
finish
