# SPDX-License-Identifier: GPL-2.0-or-later
# Memory that failed.
daemon_libcore_la_SOURCES += \
	daemon/failure.c daemon/failure.h daemon/failure-internal.h \
	daemon/failure-json.c \
	daemon/failure-log.c daemon/failure-log.h \
	daemon/manager-failure.c daemon/manager-failure.h \
	daemon/manager-failure-ask.c \
	daemon/manager-failure-store.c \
	daemon/pinmsg-failure.c \
	daemon/release-failure.c
