# SPDX-License-Identifier: GPL-2.0-or-later
# The varlink server: transport alone, so that tests can link it without the service.
noinst_LTLIBRARIES += daemon/libserver.la
daemon_libserver_la_SOURCES = \
	daemon/peer.c daemon/peer.h \
	daemon/server.c daemon/server.h daemon/server-internal.h \
	daemon/server-call.c \
	daemon/server-connection.c \
	daemon/server-service.c \
	daemon/turn.c daemon/turn.h
nodist_daemon_libserver_la_SOURCES = daemon/server-idl.c
daemon_libserver_la_LIBADD = lib/libutil.la $(SYSTEMD_LIBS) $(JANSSON_LIBS)

# server_idl_NAME, with the dots of an interface's name as underscores
server_idl = \
	daemon/org.pinguard.Manager.varlink \
	daemon/org.pinguard.Owner.varlink \
	daemon/org.varlink.service.varlink
EXTRA_DIST += $(server_idl)
CLEANFILES += daemon/server-idl.c
daemon/server-idl.c: $(server_idl) daemon/server.mk
	$(AM_V_at)$(MKDIR_P) $(@D)
	$(AM_V_GEN)( echo '#include "daemon/server.h"'; \
	for name in $(server_idl); do \
		file=$$name; test -f "$$file" || file="$(srcdir)/$$name"; \
		echo "const char server_idl_$$(basename "$$name" .varlink | tr . _)[] ="; \
		sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/"&\\n"/' "$$file"; \
		echo ';'; \
	done ) > $@.tmp && mv $@.tmp $@
