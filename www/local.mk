# SPDX-License-Identifier: MIT
# The demo page. vendor/*.mjs are made by vendor/build.mjs, which needs npm;
# they are committed, so nothing else does.
nobase_dist_pkgdata_DATA = \
	www/app.js \
	www/favicon.svg \
	www/index.html \
	www/room.js \
	www/style.css \
	www/tasks.js \
	www/vendor/LICENSES.txt \
	www/vendor/phoenix.mjs \
	www/vendor/yjs.mjs

EXTRA_DIST += \
	www/vendor/build.mjs \
	www/vendor/package-lock.json \
	www/vendor/package.json
