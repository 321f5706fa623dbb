#!/bin/sh
# SPDX-License-Identifier: MIT
# What `make check` runs of the differential test: the self-test, then a few
# hundred histories with fixed seeds. DIFF_SEEDS and DIFF_START change them.
set -eu
dir=${srcdir:-.}/tests/diff

command -v node >/dev/null 2>&1 || { echo "node is not installed"; exit 77; }
node "$dir/run.mjs" --self-test
node "$dir/updates.mjs" --driver "${builddir:-.}/tests/diff/driver" \
    --seeds "${DIFF_UPDATE_SEEDS:-8}" --start "${DIFF_START:-1}"
node "$dir/reads.mjs" --driver "${builddir:-.}/tests/diff/driver" \
    --seeds "${DIFF_READ_SEEDS:-6}" --start "${DIFF_START:-1}"
node "$dir/compact.mjs" --driver "${builddir:-.}/tests/diff/driver" \
    --seeds "${DIFF_UPDATE_SEEDS:-8}" --start "${DIFF_START:-1}"
exec node "$dir/run.mjs" --driver "${builddir:-.}/tests/diff/driver" \
    --seeds "${DIFF_SEEDS:-40}" --start "${DIFF_START:-1}" --oom 0.02
