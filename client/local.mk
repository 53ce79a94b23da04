# SPDX-License-Identifier: GPL-2.0-or-later
bin_PROGRAMS += pinctl
pinctl_SOURCES = \
	client/call.c \
	client/classify.c \
	client/drain.c \
	client/events-release.c \
	client/events.c \
	client/events.h \
	client/failures.c \
	client/list.c \
	client/main.c \
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
pinctl_CPPFLAGS = $(AM_CPPFLAGS) $(SMARTCOLS_CFLAGS) $(NDCTL_CFLAGS) $(DAXCTL_CFLAGS)
pinctl_LDADD = lib/libutil.la $(JANSSON_LIBS) $(SMARTCOLS_LIBS) \
	$(NDCTL_LIBS) $(DAXCTL_LIBS)
