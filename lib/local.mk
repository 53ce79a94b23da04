# SPDX-License-Identifier: GPL-2.0-or-later
# libutil: shared by the service and pinctl.
noinst_LTLIBRARIES += lib/libutil.la
lib_libutil_la_SOURCES = \
	lib/cgroup-path.c lib/cgroup-path.h \
	lib/clock.c lib/clock.h \
	lib/escape.c lib/escape.h \
	lib/file.c lib/file.h \
	lib/format.c lib/format.h \
	lib/json.c lib/json.h \
	lib/log.c lib/log.h \
	lib/macros.h \
	lib/parse.c lib/parse.h \
	lib/parse-time.c \
	lib/probe-layout.h \
	lib/socket.c lib/socket.h \
	lib/strv.c lib/strv.h \
	lib/varlink.c lib/varlink.h \
	lib/varlink-client.c
lib_libutil_la_LIBADD = $(SYSTEMD_LIBS) $(JANSSON_LIBS)
