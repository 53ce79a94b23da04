# SPDX-License-Identifier: GPL-2.0-or-later
# Ladders and what they do beyond asking.
daemon_libcore_la_SOURCES += \
	daemon/ladder/action.c daemon/ladder/action.h \
	daemon/ladder/aim.c \
	daemon/ladder/bus.c \
	daemon/ladder/hook.c \
	daemon/ladder/internal.h \
	daemon/ladder/kill.c \
	daemon/ladder/ladder.h \
	daemon/ladder/ladders.c daemon/ladder/ladders.h \
	daemon/ladder/parse.c daemon/ladder/parse.h \
	daemon/ladder/reach.c daemon/ladder/reach.h \
	daemon/ladder/stop.c \
	daemon/ladder/units.c daemon/ladder/units.h
