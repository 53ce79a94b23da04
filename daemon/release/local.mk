# SPDX-License-Identifier: GPL-2.0-or-later
# Requests to release pins, and owners.
daemon_libcore_la_SOURCES += \
	daemon/release/failed-parts.c \
	daemon/release/feed.c \
	daemon/release/json.c \
	daemon/release/log.c \
	daemon/release/owners.c daemon/release/owners.h \
	daemon/release/process.c \
	daemon/release/request.c daemon/release/request.h \
	daemon/release/release-cgroup.c daemon/release/release-cgroup.h \
	daemon/release/completion.c \
	daemon/release/internal.h \
	daemon/release/select.c \
	daemon/release/step.c
