# SPDX-License-Identifier: MIT
noinst_LIBRARIES += libroom.a
libroom_a_SOURCES = \
	src/room/document.c \
	src/room/fanout.c \
	src/room/internal.h \
	src/room/message.c src/room/message.h \
	src/room/presence.c \
	src/room/registry.c src/room/registry.h \
	src/room/room.c src/room/room.h \
	src/room/room_awareness.c \
	src/room/room_sync.c \
	src/room/snapshot.c
