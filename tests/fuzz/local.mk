# SPDX-License-Identifier: MIT
# Fuzz targets, replayed over their corpora (see tests/fuzz/replay.c). A new
# one is tests/fuzz/NAME.c, a folder tests/fuzz/corpus/NAME, and its word in
# the list of the lowest layer it needs.
fuzz_yjs = \
	tests/fuzz/replay_awareness \
	tests/fuzz/replay_converge \
	tests/fuzz/replay_diff \
	tests/fuzz/replay_json \
	tests/fuzz/replay_lib0 \
	tests/fuzz/replay_merge \
	tests/fuzz/replay_position \
	tests/fuzz/replay_read \
	tests/fuzz/replay_snapshot \
	tests/fuzz/replay_sync \
	tests/fuzz/replay_typing \
	tests/fuzz/replay_update \
	tests/fuzz/replay_v2 \
	tests/fuzz/replay_vector

fuzz_room = \
	tests/fuzz/replay_frame \
	tests/fuzz/replay_session

fuzz_transport = \
	tests/fuzz/replay_daemon \
	tests/fuzz/replay_http_head \
	tests/fuzz/replay_proxy_header

check_PROGRAMS += $(fuzz_yjs) $(fuzz_room) $(fuzz_transport)
TESTS += $(fuzz_yjs) $(fuzz_room) $(fuzz_transport)

fuzz_main = tests/fuzz/replay.c tests/fuzz/fuzz.h
tests_fuzz_replay_awareness_SOURCES = tests/fuzz/awareness.c $(fuzz_main)
tests_fuzz_replay_converge_SOURCES = tests/fuzz/converge.c $(fuzz_main)
tests_fuzz_replay_daemon_SOURCES = tests/fuzz/daemon.c tests/fuzz/peer.h \
	$(fuzz_main)
tests_fuzz_replay_daemon_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_PREFIXES=8 \
	-DREPLAY_MUTATIONS=4
tests_fuzz_replay_json_SOURCES = tests/fuzz/json.c tests/fuzz/seed.h \
	$(fuzz_main)
tests_fuzz_replay_diff_SOURCES = tests/fuzz/diff.c $(fuzz_main)
tests_fuzz_replay_merge_SOURCES = tests/fuzz/merge.c $(fuzz_main)
tests_fuzz_replay_v2_SOURCES = tests/fuzz/v2.c $(fuzz_main)
tests_fuzz_replay_frame_SOURCES = tests/fuzz/frame.c $(fuzz_main)
tests_fuzz_replay_http_head_SOURCES = tests/fuzz/http_head.c $(fuzz_main)
tests_fuzz_replay_lib0_SOURCES = tests/fuzz/lib0.c $(fuzz_main)
tests_fuzz_replay_proxy_header_SOURCES = tests/fuzz/proxy_header.c \
	$(fuzz_main)
tests_fuzz_replay_position_SOURCES = tests/fuzz/position.c tests/fuzz/seed.h \
	$(fuzz_main)
tests_fuzz_replay_read_SOURCES = tests/fuzz/read.c tests/fuzz/seed.h \
	$(fuzz_main)
tests_fuzz_replay_snapshot_SOURCES = tests/fuzz/snapshot.c tests/fuzz/seed.h \
	$(fuzz_main)
tests_fuzz_replay_session_SOURCES = tests/fuzz/session.c $(fuzz_main)
tests_fuzz_replay_sync_SOURCES = tests/fuzz/sync.c $(fuzz_main)
tests_fuzz_replay_typing_SOURCES = tests/fuzz/typing.c $(fuzz_main)
tests_fuzz_replay_update_SOURCES = tests/fuzz/update.c tests/fuzz/seed.h \
	$(fuzz_main)
tests_fuzz_replay_vector_SOURCES = tests/fuzz/vector.c tests/fuzz/seed.h \
	$(fuzz_main)

$(fuzz_yjs): LDADD = $(yjs_libs)
$(fuzz_yjs): $(yjs_libs)
$(fuzz_room): LDADD = $(room_libs)
$(fuzz_room): $(room_libs)
$(fuzz_transport): LDADD = $(transport_libs) $(DAEMON_LIBS)
$(fuzz_transport): $(transport_libs)

# The real thing: make fuzz [TARGETS='update json'] [MINUTES=30], minutes of
# CPU for each target; see tests/fuzz/fuzz.sh.
MINUTES = 30
fuzz:
	@srcdir='$(srcdir)' builddir=. DAEMON_CFLAGS='$(DAEMON_CFLAGS)' \
	    DAEMON_LIBS='$(DAEMON_LIBS)' \
	    $(SHELL) '$(srcdir)/tests/fuzz/fuzz.sh' -m '$(MINUTES)' $(TARGETS)
.PHONY: fuzz
clean-local: clean-fuzz
clean-fuzz:
	rm -rf fuzz-build
.PHONY: clean-fuzz

EXTRA_DIST += tests/fuzz/corpus tests/fuzz/corpus.mjs tests/fuzz/fuzz.sh
