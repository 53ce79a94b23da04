# SPDX-License-Identifier: GPL-2.0-or-later
# What the program does without being the service.
daemon_libcore_la_SOURCES += \
	daemon/offline/apply.c \
	daemon/offline/check.c \
	daemon/offline/drop-ins.c \
	daemon/offline/internal.h \
	daemon/offline/offline.h \
	daemon/offline/overlaps.c
