#!/bin/sh
# SPDX-License-Identifier: MIT
# The rolling restart alone, with CLIENTS clients: see check.sh, whose
# variables it takes, and `make check-rolling`.
set -eu
dir=$(dirname "$0")
exec sh "$dir/check.sh" "$dir/rolling.test.mjs" "$@"
