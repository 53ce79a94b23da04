# SPDX-License-Identifier: GPL-2.0-or-later
# The varlink server: transport alone, so that tests can link it without the service.
noinst_LTLIBRARIES += daemon/libserver.la
daemon_libserver_la_SOURCES = \
	daemon/base/turn.c daemon/base/turn.h \
	daemon/varlink/call.c \
	daemon/varlink/connection.c \
	daemon/varlink/internal.h \
	daemon/varlink/peer.c daemon/varlink/peer.h \
	daemon/varlink/server.c daemon/varlink/server.h \
	daemon/varlink/service.c
nodist_daemon_libserver_la_SOURCES = daemon/varlink/idl.c
daemon_libserver_la_LIBADD = lib/libutil.la $(SYSTEMD_LIBS) $(JANSSON_LIBS)

# server_idl_NAME, with the dots of an interface's name as underscores
server_idl = \
	daemon/manager/org.pinguard.Manager.varlink \
	daemon/manager/org.pinguard.Owner.varlink \
	daemon/varlink/org.varlink.service.varlink
EXTRA_DIST += $(server_idl)
CLEANFILES += daemon/varlink/idl.c
daemon/varlink/idl.c: $(server_idl) daemon/varlink/local.mk
	$(AM_V_at)$(MKDIR_P) $(@D)
	$(AM_V_GEN)( echo '#include "daemon/varlink/server.h"'; \
	for name in $(server_idl); do \
		file=$$name; test -f "$$file" || file="$(srcdir)/$$name"; \
		echo "const char server_idl_$$(basename "$$name" .varlink | tr . _)[] ="; \
		sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/"&\\n"/' "$$file"; \
		echo ';'; \
	done ) > $@.tmp && mv $@.tmp $@
