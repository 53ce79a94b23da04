# SPDX-License-Identifier: GPL-2.0-or-later
# What starts requests by itself.
daemon_libcore_la_SOURCES += \
	daemon/triggers/excess-pins.c \
	daemon/triggers/excess.c \
	daemon/triggers/failures-ask.c \
	daemon/triggers/failures-check.c \
	daemon/triggers/failures-held.c \
	daemon/triggers/failures-history.c \
	daemon/triggers/failures-internal.h \
	daemon/triggers/failures-log.c daemon/triggers/failures-log.h \
	daemon/triggers/failures-tell.c \
	daemon/triggers/failures.c \
	daemon/triggers/internal.h \
	daemon/triggers/pressure.c \
	daemon/triggers/revokes.c \
	daemon/triggers/triggers.c daemon/triggers/triggers.h
