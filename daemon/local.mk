# SPDX-License-Identifier: GPL-2.0-or-later

# Registry, sources and the loop; main.c apart, so that tests can link the rest.
noinst_LTLIBRARIES += daemon/libcore.la
daemon_libcore_la_SOURCES = \
	daemon/genl.c daemon/genl.h \
	daemon/nlio.c daemon/nlio.h \
	daemon/pin.h \
	daemon/pinmsg.c daemon/pinmsg.h \
	daemon/registry.c daemon/registry.h
daemon_libcore_la_LIBADD = lib/libutil.la $(NL_LIBS) $(SYSTEMD_LIBS) $(JANSSON_LIBS)
