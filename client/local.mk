# SPDX-License-Identifier: GPL-2.0-or-later
bin_PROGRAMS += pinctl
pinctl_SOURCES = \
	client/call.c \
	client/events.c \
	client/main.c \
	client/options.c \
	client/pinctl.h \
	client/pins.c \
	client/quota.c \
	client/status.c \
	client/table.c
pinctl_CPPFLAGS = $(AM_CPPFLAGS) $(SMARTCOLS_CFLAGS)
pinctl_LDADD = lib/libutil.la $(JANSSON_LIBS) $(SMARTCOLS_LIBS)
