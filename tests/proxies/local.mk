# SPDX-License-Identifier: MIT
# roomd behind nginx, haproxy, Apache httpd, Caddy and Squid. make check runs
# what needs no waiting; make check-proxies all of it.
dist_check_SCRIPTS += tests/proxies/check.sh
TESTS += tests/proxies/check.sh

check-proxies: all
	PROXIES_ALL=1 $(MAKE) check TESTS=tests/proxies/check.sh
.PHONY: check-proxies

# A restart under load, larger than in make check.
CLIENTS = 2000
check-rolling: all
	+@status=0; CLIENTS=$(CLIENTS); export CLIENTS; \
	$(MAKE) check TESTS=tests/proxies/rolling.sh || status=$$?; \
	grep '^#' tests/proxies/rolling.log; exit $$status
.PHONY: check-rolling
EXTRA_DIST += tests/proxies/rolling.sh
CLEANFILES += tests/proxies/rolling.log tests/proxies/rolling.trs

proxy_examples = \
	conf/proxies/Caddyfile \
	conf/proxies/apache.conf \
	conf/proxies/haproxy-filter.cfg \
	conf/proxies/haproxy-rolling.cfg \
	conf/proxies/haproxy.cfg \
	conf/proxies/nginx-filter.conf \
	conf/proxies/nginx-plain.conf \
	conf/proxies/nginx.conf \
	conf/proxies/squid-forward.conf \
	conf/proxies/squid-reverse.conf

EXTRA_DIST += \
	$(proxy_examples) \
	docs/PROXIES.md \
	tests/proxies/address.test.mjs \
	tests/proxies/browser.test.mjs \
	tests/proxies/matrix.test.mjs \
	tests/proxies/program.mjs \
	tests/proxies/rolling.test.mjs \
	tests/proxies/table.mjs
