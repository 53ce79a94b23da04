# SPDX-License-Identifier: GPL-2.0-or-later
# Memory that failed.
daemon_libcore_la_SOURCES += \
	daemon/pinmsg-failure.c
