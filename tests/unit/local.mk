# SPDX-License-Identifier: MIT
# A new unit test is tests/unit/test_NAME.c and one word in the list of the
# lowest layer it needs: that decides what it is linked with, so that a test of
# the engine proves that the engine stands alone. The words are programs:
# tests/unit/test_NAME, without .c.
unit_base = \
	tests/unit/test_address \
	tests/unit/test_base

unit_yjs = \
	tests/unit/test_vectors \
	tests/unit/test_yjs_awareness \
	tests/unit/test_yjs_canon \
	tests/unit/test_yjs_compact \
	tests/unit/test_yjs_doc \
	tests/unit/test_yjs_edit \
	tests/unit/test_yjs_events \
	tests/unit/test_yjs_lib0 \
	tests/unit/test_yjs_pending \
	tests/unit/test_yjs_read \
	tests/unit/test_yjs_store \
	tests/unit/test_yjs_sync \
	tests/unit/test_yjs_typing \
	tests/unit/test_yjs_update

unit_room = \
	tests/unit/test_frame \
	tests/unit/test_json \
	tests/unit/test_presence \
	tests/unit/test_rest \
	tests/unit/test_room \
	tests/unit/test_session \
	tests/unit/test_sync

unit_transport = \
	tests/unit/test_client \
	tests/unit/test_flap \
	tests/unit/test_http_head \
	tests/unit/test_longpoll \
	tests/unit/test_origin \
	tests/unit/test_outq \
	tests/unit/test_proxy_header \
	tests/unit/test_static \
	tests/unit/test_token \
	tests/unit/test_upgrade

unit_server = \
	tests/unit/test_config \
	tests/unit/test_status

unit_tests = $(unit_base) $(unit_yjs) $(unit_room) $(unit_transport) \
	$(unit_server)
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)

LDADD =
base_libs = libbase.a
yjs_libs = libyjs.a
room_libs = libchannel.a libroom.a libyjs.a libbase.a
transport_libs = libtransport.a $(room_libs)
server_libs = libserver.a $(transport_libs)

$(unit_base): LDADD = $(base_libs) $(CHECK_LIBS)
$(unit_base): $(base_libs)
$(unit_yjs): LDADD = $(yjs_libs) $(CHECK_LIBS)
$(unit_yjs): $(yjs_libs)
$(unit_room): LDADD = $(room_libs) $(CHECK_LIBS) $(DAEMON_LIBS)
$(unit_room): $(room_libs)
$(unit_transport): LDADD = $(transport_libs) $(CHECK_LIBS) $(DAEMON_LIBS)
$(unit_transport): $(transport_libs)
$(unit_server): LDADD = $(server_libs) $(CHECK_LIBS) $(DAEMON_LIBS)
$(unit_server): $(server_libs)

tests_unit_test_vectors_SOURCES = tests/unit/test_vectors.c \
	tests/unit/vector_script.h tests/diff/calls.c tests/diff/calls.h

EXTRA_DIST += \
	tests/unit/fail_alloc.h tests/unit/same_docs.h \
	tests/unit/fake_carrier.h \
	tests/unit/suite.h
