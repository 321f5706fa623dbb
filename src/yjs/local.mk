# SPDX-License-Identifier: MIT
# libyjs: libc only, installed with its header.
lib_LIBRARIES += libyjs.a
libyjs_a_CFLAGS = $(AM_CFLAGS) -Wconversion
libyjs_a_SOURCES = \
	include/yjs.h \
	src/yjs/any.c src/yjs/any.h \
	src/yjs/apply.c \
	src/yjs/awareness.c \
	src/yjs/canon.c src/yjs/canon.h \
	src/yjs/canon_json.c \
	src/yjs/check.c \
	src/yjs/cleanup.c \
	src/yjs/column.c src/yjs/column.h \
	src/yjs/compact.c \
	src/yjs/content.c src/yjs/content.h \
	src/yjs/deletes.c src/yjs/deletes.h \
	src/yjs/doc.c src/yjs/doc.h \
	src/yjs/dump.c \
	src/yjs/idset.c src/yjs/idset.h \
	src/yjs/index.c src/yjs/index.h \
	src/yjs/integrate.c \
	src/yjs/item.h \
	src/yjs/jsoncheck.c src/yjs/jsoncheck.h \
	src/yjs/json.c \
	src/yjs/lib0.c src/yjs/lib0.h \
	src/yjs/list.c src/yjs/list.h \
	src/yjs/mem.c src/yjs/mem.h \
	src/yjs/merge.c src/yjs/merge.h \
	src/yjs/number.c src/yjs/number.h \
	src/yjs/pool.c src/yjs/pool.h \
	src/yjs/print.c src/yjs/print.h \
	src/yjs/queue.c src/yjs/queue.h \
	src/yjs/render.h \
	src/yjs/roots.c \
	src/yjs/sort.c src/yjs/sort.h \
	src/yjs/split.c \
	src/yjs/stage.c \
	src/yjs/store.c src/yjs/store.h \
	src/yjs/subdoc.c \
	src/yjs/sync.c \
	src/yjs/txn.c src/yjs/txn.h \
	src/yjs/update.c src/yjs/update.h \
	src/yjs/update_read.c src/yjs/update_read.h \
	src/yjs/update_write.c src/yjs/update_write.h \
	src/yjs/utf.c src/yjs/utf.h \
	src/yjs/v2.h \
	src/yjs/v2_read.c \
	src/yjs/v2_write.c \
	src/yjs/walk.c src/yjs/walk.h \
	src/yjs/xml.c
