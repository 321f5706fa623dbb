#!/bin/sh
# SPDX-License-Identifier: MIT
# The pages that are served are those that the sources build; and where nobody
# has fetched the packages of www/, what can be seen without them.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

said=$(sh www/build.sh --check 2>&1)
case $? in
0) check "www/dist is what its sources build" "" ;;
77) skip "www/dist is what its sources build" "$said" ;;
*) check "www/dist is what its sources build" "${said:-build.sh failed}" ;;
esac
check "the pages ask for nothing from elsewhere" "$(
    find www/dist \( -name '*.html' -o -name '*.css' \) -exec grep -noE \
        '(src|href|url)[=(]"?(https?:)?//[^") ]*' /dev/null {} +)"
check "the pages have nothing inline, so the content policy may forbid it" "$(
    find www/dist -name '*.html' -exec grep -noE \
        '<style|<script[^>]*>[^<]| style="| on[a-z]+="' /dev/null {} +)"
check "every file of www/dist that should be is there compressed" "$(
    find www/dist -type f -size +1 \( -name '*.html' -o -name '*.js' \
        -o -name '*.css' \) | while read -r file; do
        [ -e "$file.br" ] && [ -e "$file.gz" ] || echo "$file"
    done)"
finish
