# SPDX-License-Identifier: MIT
# libyjs: libc only, installed with its header.
lib_LIBRARIES += libyjs.a
libyjs_a_CFLAGS = $(AM_CFLAGS) -Wconversion
libyjs_a_SOURCES = \
	include/yjs.h \
	src/yjs/lib0.c src/yjs/lib0.h \
	src/yjs/mem.c src/yjs/mem.h \
	src/yjs/utf.c src/yjs/utf.h

# y-protocols, above the engine
libyjs_a_SOURCES += \
	src/yjs/awareness.c \
	src/yjs/jsoncheck.c src/yjs/jsoncheck.h \
	src/yjs/sync.c
