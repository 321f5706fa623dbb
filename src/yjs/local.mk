# SPDX-License-Identifier: MIT
# libyjs: libc only, installed with its header, static and shared.
lib_LIBRARIES += libyjs.a
libyjs_a_CFLAGS = $(AM_CFLAGS) -Wconversion $(PIC_CFLAGS)
libyjs_a_SOURCES = \
	include/yjs.h include/yjs-protocols.h \
	src/yjs/any.c src/yjs/any.h \
	src/yjs/apply.c \
	src/yjs/attrs.c src/yjs/attrs.h \
	src/yjs/awareness.c \
	src/yjs/canon.c src/yjs/canon.h \
	src/yjs/canon_json.c \
	src/yjs/check.c \
	src/yjs/cleanup.c \
	src/yjs/column.c src/yjs/column.h \
	src/yjs/compact.c \
	src/yjs/content.c src/yjs/content.h \
	src/yjs/deletes.c src/yjs/deletes.h \
	src/yjs/delta.c \
	src/yjs/doc.c src/yjs/doc.h \
	src/yjs/dump.c \
	src/yjs/edit.c src/yjs/edit.h \
	src/yjs/edit_delta.c \
	src/yjs/edit_list.c \
	src/yjs/edit_text.c src/yjs/edit_text.h \
	src/yjs/edit_value.c src/yjs/edit_value.h \
	src/yjs/event.c src/yjs/event.h \
	src/yjs/handle.c src/yjs/handle.h \
	src/yjs/idset.c src/yjs/idset.h \
	src/yjs/index.c src/yjs/index.h \
	src/yjs/integrate.c \
	src/yjs/item.h \
	src/yjs/jsoncheck.c src/yjs/jsoncheck.h \
	src/yjs/iter.c \
	src/yjs/json.c \
	src/yjs/lib0.c src/yjs/lib0.h \
	src/yjs/list.c src/yjs/list.h \
	src/yjs/marker.c src/yjs/marker.h \
	src/yjs/mem.c src/yjs/mem.h \
	src/yjs/merge.c src/yjs/merge.h \
	src/yjs/number.c src/yjs/number.h \
	src/yjs/pending.c src/yjs/pending.h \
	src/yjs/pool.c src/yjs/pool.h \
	src/yjs/position.c \
	src/yjs/print.c src/yjs/print.h \
	src/yjs/prune.c src/yjs/prune.h \
	src/yjs/queue.c src/yjs/queue.h \
	src/yjs/render.c src/yjs/render.h \
	src/yjs/roots.c \
	src/yjs/sink.c src/yjs/sink.h \
	src/yjs/seek.c src/yjs/seek.h \
	src/yjs/snapshot.c \
	src/yjs/sort.c src/yjs/sort.h \
	src/yjs/split.c \
	src/yjs/stage.c \
	src/yjs/store.c src/yjs/store.h \
	src/yjs/subdoc.c \
	src/yjs/sync.c \
	src/yjs/txn.c src/yjs/txn.h \
	src/yjs/type.c src/yjs/type.h \
	src/yjs/typing.c \
	src/yjs/update.c src/yjs/update.h \
	src/yjs/update_read.c src/yjs/update_read.h \
	src/yjs/update_write.c src/yjs/update_write.h \
	src/yjs/utf.c src/yjs/utf.h \
	src/yjs/v2.h \
	src/yjs/v2_read.c \
	src/yjs/v2_write.c \
	src/yjs/value.c src/yjs/value.h \
	src/yjs/walk.c src/yjs/walk.h \
	src/yjs/xml.c

# The shared library, of the same objects. YJS_ABI goes up when a program that
# was linked with the one before could break; then the name changes as well.
YJS_ABI = 0
libyjs_soname = libyjs.so.$(YJS_ABI)
libyjs_so = $(libyjs_soname).$(VERSION)
libyjs_map = src/yjs/libyjs.map
noinst_DATA += $(libyjs_so)
CLEANFILES += libyjs.so libyjs.so.*
EXTRA_DIST += $(libyjs_map)
$(libyjs_so): $(libyjs_a_OBJECTS) $(libyjs_map)
	$(AM_V_CCLD)$(CC) $(CFLAGS) $(SHARED_LDFLAGS) $(LDFLAGS) \
	    -Wl,-soname,$(libyjs_soname) \
	    -Wl,--version-script='$(srcdir)/$(libyjs_map)' \
	    -o $@ $(libyjs_a_OBJECTS)
	$(AM_V_at)ln -sf $@ $(libyjs_soname) && ln -sf $(libyjs_soname) libyjs.so
install-libyjs-so: $(libyjs_so)
	$(MKDIR_P) '$(DESTDIR)$(libdir)'
	$(INSTALL_PROGRAM) $(libyjs_so) '$(DESTDIR)$(libdir)/$(libyjs_so)'
	cd '$(DESTDIR)$(libdir)' && ln -sf $(libyjs_so) $(libyjs_soname) && \
	    ln -sf $(libyjs_soname) libyjs.so
install-exec-local: install-libyjs-so
uninstall-libyjs-so:
	cd '$(DESTDIR)$(libdir)' 2>/dev/null && \
	    rm -f libyjs.so $(libyjs_soname) $(libyjs_so) || :

# The library alone, for those who want no daemon.
install-yjs: install-libLIBRARIES install-libyjs-so install-includeHEADERS \
	install-pkgconfigDATA install-dist_examplesDATA
	$(MKDIR_P) '$(DESTDIR)$(docdir)'
	$(INSTALL_DATA) '$(srcdir)/docs/LIBYJS.md' '$(srcdir)/docs/ENGINE.md' \
	    '$(srcdir)/LICENSE' '$(DESTDIR)$(docdir)'
.PHONY: install-libyjs-so uninstall-libyjs-so install-yjs
