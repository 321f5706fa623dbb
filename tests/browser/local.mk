# SPDX-License-Identifier: MIT
# The demo page in headless Chromium.
dist_check_SCRIPTS += tests/browser/check.sh
TESTS += tests/browser/check.sh

EXTRA_DIST += \
	tests/browser/browser.mjs \
	tests/browser/tasks.test.mjs
