# SPDX-License-Identifier: GPL-2.0-or-later
# All but main(), for the tests.
noinst_LTLIBRARIES += client/libpinctl.la
client_libpinctl_la_SOURCES = \
	client/call.c \
	client/classify.c \
	client/drain.c \
	client/events-release.c \
	client/events.c \
	client/events.h \
	client/failures.c \
	client/list.c \
	client/options.c \
	client/owners.c \
	client/pinctl.h \
	client/pins.c \
	client/place.c \
	client/place.h \
	client/policy.c \
	client/progress.c \
	client/quota.c \
	client/release.c \
	client/remove-nd.c \
	client/remove-run.c \
	client/remove.c \
	client/remove.h \
	client/request-show.c \
	client/request.c \
	client/request.h \
	client/selector.c \
	client/status.c \
	client/table.c \
	client/who.c
client_libpinctl_la_CPPFLAGS = \
	$(AM_CPPFLAGS) $(SMARTCOLS_CFLAGS) $(NDCTL_CFLAGS) $(DAXCTL_CFLAGS)
client_libpinctl_la_LIBADD = lib/libutil.la $(JANSSON_LIBS) $(SMARTCOLS_LIBS) \
	$(NDCTL_LIBS) $(DAXCTL_LIBS)

bin_PROGRAMS += pinctl
pinctl_SOURCES = client/main.c
pinctl_CPPFLAGS = $(AM_CPPFLAGS) $(SMARTCOLS_CFLAGS)
pinctl_LDADD = client/libpinctl.la
