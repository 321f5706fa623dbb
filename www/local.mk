# SPDX-License-Identifier: MIT
# The web side. www/dist is what roomd serves; it is committed, so that
# building and installing need no npm. `make www` makes it anew from
# www/pages and www/client; `make check-www` tests those and proves dist fresh.
dist_doc_DATA += docs/MIGRATION.md
www_dir = $(DESTDIR)$(pkgdatadir)/www
install-data-hook:
	@cd '$(srcdir)/www/dist' && find . -type d | while read -r dir; do \
	    $(MKDIR_P) "$(www_dir)/$$dir"; done && \
	find . -type f | while read -r file; do \
	    $(INSTALL_DATA) "$$file" "$(www_dir)/$$file"; done
uninstall-hook:
	rm -rf '$(www_dir)'

www:
	$(SHELL) '$(srcdir)/www/build.sh'
check-www: roomd$(EXEEXT)
	ROOMD='$(abs_builddir)/roomd' $(SHELL) '$(srcdir)/www/build.sh' --test
.PHONY: www check-www

EXTRA_DIST += \
	docs/tasks.png \
	www/build.sh \
	www/client/LICENSE \
	www/client/README.md \
	www/client/package.json \
	www/client/src \
	www/client/test \
	www/client/tsconfig.json \
	www/deliver.js \
	www/dist \
	www/pack.js \
	www/package-lock.json \
	www/package.json \
	www/pages \
	www/tsconfig.json \
	www/vitest.config.js
