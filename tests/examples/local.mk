# SPDX-License-Identifier: MIT
# libyjs as its users have it: installed, found by pkg-config, shared and
# static, with the programs of src/examples and the code of docs/LIBYJS.md.
dist_check_SCRIPTS += tests/examples/check.sh
TESTS += tests/examples/check.sh
