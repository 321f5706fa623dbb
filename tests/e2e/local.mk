# SPDX-License-Identifier: MIT
# The end-to-end suite: the daemon with the real npm clients, and raw bytes.
dist_check_SCRIPTS += tests/e2e/check.sh
TESTS += tests/e2e/check.sh

EXTRA_DIST += \
	tests/README.md \
	tests/e2e/activation.test.mjs \
	tests/e2e/awareness.test.mjs \
	tests/e2e/client-address.test.mjs \
	tests/e2e/closing.test.mjs \
	tests/e2e/config.test.mjs \
	tests/e2e/connect.test.mjs \
	tests/e2e/doctor.test.mjs \
	tests/e2e/drain.test.mjs \
	tests/e2e/flapping.test.mjs \
	tests/e2e/flood.test.mjs \
	tests/e2e/http.test.mjs \
	tests/e2e/large.test.mjs \
	tests/e2e/limits.test.mjs \
	tests/e2e/longpoll-time.test.mjs \
	tests/e2e/longpoll.test.mjs \
	tests/e2e/phoenix.test.mjs \
	tests/e2e/provider.test.mjs \
	tests/e2e/rooms.test.mjs \
	tests/e2e/slow.test.mjs \
	tests/e2e/websocket.test.mjs \
	tests/support/clients.mjs \
	tests/support/harness.mjs \
	tests/support/longpoll.mjs \
	tests/support/modules.mjs \
	tests/support/net.mjs \
	tests/support/prometheus.mjs \
	tests/support/proxy.mjs \
	tests/support/roomd.mjs \
	tests/support/run.mjs \
	tests/support/updates.mjs
