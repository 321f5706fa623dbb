# SPDX-License-Identifier: MIT
# yjs, the command-line tool on top of libyjs.
bin_PROGRAMS += yjs
yjs_SOURCES = \
	src/tools/tool.h \
	src/tools/tool_bench.c \
	src/tools/tool_doc.c \
	src/tools/tool_error.c \
	src/tools/tool_file.c \
	src/tools/tool_format.c \
	src/tools/tool_info.c \
	src/tools/tool_out.c \
	src/tools/tool_progress.c \
	src/tools/tool_read.c \
	src/tools/tool_update.c \
	src/tools/yjs.c
yjs_CPPFLAGS = $(AM_CPPFLAGS) -DTOOL_VERSION='"$(VERSION)"'
yjs_LDADD = libyjs.a
