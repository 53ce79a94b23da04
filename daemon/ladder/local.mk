# SPDX-License-Identifier: GPL-2.0-or-later
# Ladders and what they do beyond asking.
daemon_libcore_la_SOURCES += \
	daemon/ladder/action.c daemon/ladder/action.h \
	daemon/ladder/action-bus.c \
	daemon/ladder/action-hook.c \
	daemon/ladder/action-internal.h \
	daemon/ladder/ladder.c daemon/ladder/ladder.h \
	daemon/ladder/ladder-parse.c
