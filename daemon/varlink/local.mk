# SPDX-License-Identifier: GPL-2.0-or-later
# The varlink server: transport alone, so that tests can link it without the service.
noinst_LTLIBRARIES += daemon/libserver.la
daemon_libserver_la_SOURCES = \
	daemon/base/turn.c daemon/base/turn.h \
	daemon/varlink/call.c \
	daemon/varlink/connection.c \
	daemon/varlink/dispatch.c \
	daemon/varlink/internal.h \
	daemon/varlink/peer.c daemon/varlink/peer.h \
	daemon/varlink/server.c daemon/varlink/server.h \
	daemon/varlink/service.c \
	daemon/varlink/users.c \
	daemon/varlink/varlink.h
nodist_daemon_libserver_la_SOURCES = daemon/varlink/idl.c
daemon_libserver_la_LIBADD = lib/libutil.la $(SYSTEMD_LIBS) $(JANSSON_LIBS)

# The texts of interfaces: idl_NAME, with the dots of the name as underscores. Each
# folder that has some adds its own; see daemon/manager/local.mk.
varlink_idl = daemon/varlink/org.varlink.service.varlink
idl_sources = daemon/varlink/idl.c
EXTRA_DIST += $(varlink_idl)
daemon/varlink/idl.c: $(varlink_idl)
