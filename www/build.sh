#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the web side: client/dist (the npm package roomd-client) and dist (what
# roomd serves: the pages, and that package as roomd-client.tgz; committed, so
# that nobody needs npm to run it).
#
#   build.sh            fetch the packages of package-lock.json if need be, build
#   build.sh --test     fetch likewise, run the tests (with ROOMD, the path of
#                       the daemon, those that need one too), then as --check
#   build.sh --check    say where dist is not what the sources build; exit code
#                       1 then, 77 where the packages are not installed
#
# Needs node 18 or later, and npm. The same sources give the same files.
set -eu
cd "$(dirname "$0")"
mode=${1-}

for program in node npm; do
    command -v "$program" >/dev/null 2>&1 && continue
    echo "$program is not installed"
    [ "$mode" != --check ] || exit 77
    exit 1
done

# npm leaves a copy of the lock file behind; an older one means a new list.
stamp=node_modules/.package-lock.json
if [ ! -e "$stamp" ] && [ "$mode" = --check ]; then
    echo "the packages of www/package-lock.json are not installed"
    exit 77
fi
if [ ! -e "$stamp" ] || [ -n "$(find package-lock.json -newer "$stamp")" ]
then
    npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
    touch "$stamp"
fi

made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
bin=node_modules/.bin
"$bin/tsc" --noEmit -p tsconfig.json
[ "$mode" != --test ] || "$bin/vitest" run
ROOMD_WWW_OUT="$made/pages" "$bin/vite" build --config pages/vite.config.js \
    --logLevel warn
"$bin/tsc" -p client/tsconfig.json --outDir "$made/client"
node pack.js "$made/client" "$made/pages/roomd-client.tar"
if [ -n "$mode" ]; then
    node deliver.js --check "$made/pages" dist
    exit
fi
rm -rf client/dist
cp -R "$made/client" client/dist
node deliver.js "$made/pages" dist
