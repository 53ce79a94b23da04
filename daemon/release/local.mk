# SPDX-License-Identifier: GPL-2.0-or-later
# Requests to release pins, and owners.
daemon_libcore_la_SOURCES += \
	daemon/release/answer.c \
	daemon/release/completion.c \
	daemon/release/failed-parts.c \
	daemon/release/feed.c \
	daemon/release/find.c \
	daemon/release/heirs.c \
	daemon/release/internal.h \
	daemon/release/json.c \
	daemon/release/limits.c \
	daemon/release/log.c \
	daemon/release/marks.c daemon/release/marks.h \
	daemon/release/message.c \
	daemon/release/names.c \
	daemon/release/over.c \
	daemon/release/owners.c daemon/release/owners.h \
	daemon/release/process.c \
	daemon/release/queue.c \
	daemon/release/release.h \
	daemon/release/request.c daemon/release/request.h \
	daemon/release/select.c \
	daemon/release/step.c \
	daemon/release/watch.c
