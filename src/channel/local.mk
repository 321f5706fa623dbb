# SPDX-License-Identifier: MIT
noinst_LIBRARIES += libchannel.a
libchannel_a_SOURCES = \
	src/channel/channel.c src/channel/channel.h \
	src/channel/frame.h \
	src/channel/frame_decode.c \
	src/channel/frame_encode.c \
	src/channel/ints.c src/channel/ints.h \
	src/channel/json.c src/channel/json.h \
	src/channel/session.c src/channel/session.h
