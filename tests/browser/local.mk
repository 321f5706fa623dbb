# SPDX-License-Identifier: MIT
# The pages in headless Chromium.
dist_check_SCRIPTS += tests/browser/check.sh
TESTS += tests/browser/check.sh

EXTRA_DIST += \
	tests/browser/board.test.mjs \
	tests/browser/browser.mjs \
	tests/browser/doctor.test.mjs \
	tests/browser/editor.test.mjs \
	tests/browser/flapping.test.mjs \
	tests/browser/network.test.mjs \
	tests/browser/pages.test.mjs \
	tests/browser/picture.mjs \
	tests/browser/stock.mjs \
	tests/browser/tasks.test.mjs
