# SPDX-License-Identifier: GPL-2.0-or-later
# Ladders and what they do beyond asking.
daemon_libcore_la_SOURCES += \
	daemon/action.c daemon/action.h daemon/action-internal.h \
	daemon/action-bus.c \
	daemon/action-hook.c \
	daemon/ladder.c daemon/ladder.h \
	daemon/ladder-parse.c
daemon_libcore_la_LIBADD += $(INIH_LIBS)
