# SPDX-License-Identifier: GPL-2.0-or-later
# The owners' library. Of lib/ it takes the files without I/O or log alone, so
# that it needs nothing but jansson.
noinst_LTLIBRARIES += libpinguard/libowner.la
libpinguard_libowner_la_SOURCES = \
	libpinguard/answers.c \
	libpinguard/channel.c libpinguard/channel.h \
	libpinguard/message.c libpinguard/message.h \
	libpinguard/owner.c libpinguard/owner-internal.h \
	libpinguard/request.c
libpinguard_libowner_la_LIBADD = $(JANSSON_LIBS)

lib_LTLIBRARIES += libpinguard/libpinguard.la
libpinguard_libpinguard_la_SOURCES = \
	lib/clock.c lib/escape.c lib/json.c lib/parse.c lib/socket.c lib/varlink.c
libpinguard_libpinguard_la_LIBADD = libpinguard/libowner.la $(JANSSON_LIBS)
# CURRENT:REVISION:AGE; a new function raises CURRENT and AGE, and none goes
libpinguard_libpinguard_la_LDFLAGS = -version-info 0:0:0 \
	-Wl,--version-script=$(srcdir)/libpinguard/libpinguard.sym
EXTRA_libpinguard_libpinguard_la_DEPENDENCIES = libpinguard/libpinguard.sym
EXTRA_DIST += libpinguard/libpinguard.sym

pinguardincludedir = $(includedir)/pinguard
dist_pinguardinclude_HEADERS = include/pinguard/pinguard.h
pkgconfigdir = $(libdir)/pkgconfig
nodist_pkgconfig_DATA = libpinguard/libpinguard.pc

# a complete owner: built where libibverbs is, not installed
if HAVE_VERBS
check_PROGRAMS += docs/examples/rdma-owner
else
EXTRA_PROGRAMS += docs/examples/rdma-owner
endif
docs_examples_rdma_owner_LDADD = libpinguard/libpinguard.la -libverbs
# with no wrapper script, so that it can be copied into the guest
docs_examples_rdma_owner_LDFLAGS = -no-install
EXTRA_DIST += docs/examples/rdma-owner.py
