# SPDX-License-Identifier: GPL-2.0-or-later
# What all of the service stands on.
noinst_LTLIBRARIES += daemon/libcore.la
daemon_libcore_la_SOURCES = \
	daemon/base/base.h \
	daemon/base/callers.c daemon/base/callers.h \
	daemon/base/conf-files.c daemon/base/conf-files.h \
	daemon/base/config.c daemon/base/config.h \
	daemon/base/ini.c daemon/base/ini.h \
	daemon/base/messages.h \
	daemon/base/store.c daemon/base/store.h
daemon_libcore_la_LIBADD = daemon/libserver.la lib/libutil.la $(NL_LIBS) $(NDCTL_LIBS) $(UDEV_LIBS) \
	$(INIH_LIBS) $(SYSTEMD_LIBS) $(JANSSON_LIBS)
