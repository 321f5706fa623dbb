# SPDX-License-Identifier: MIT
noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	src/base/address.c src/base/address.h \
	src/base/blob.c src/base/blob.h \
	src/base/buf.c src/base/buf.h \
	src/base/counters.h \
	src/base/dict.c src/base/dict.h \
	src/base/list.h \
	src/base/log.c src/base/log.h \
	src/base/mem.c src/base/mem.h \
	src/base/meter.h \
	src/base/wheel.c src/base/wheel.h
