# SPDX-License-Identifier: GPL-2.0-or-later
# Memory that failed.
daemon_libcore_la_SOURCES += \
	daemon/failure.c daemon/failure.h daemon/failure-internal.h \
	daemon/failure-json.c \
	daemon/pinmsg-failure.c \
	daemon/release-failure.c
