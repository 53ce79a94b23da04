# SPDX-License-Identifier: GPL-2.0-or-later
# What is known of pins and memory, without I/O.
daemon_libcore_la_SOURCES += \
	daemon/model/model.h \
	daemon/model/event-filter.c daemon/model/event-filter.h \
	daemon/model/events.c daemon/model/events.h \
	daemon/model/explain.c daemon/model/explain.h \
	daemon/model/explain-json.c \
	daemon/model/failure.c daemon/model/failure.h \
	daemon/model/failure-internal.h \
	daemon/model/failure-json.c \
	daemon/model/pin.h \
	daemon/model/place.c daemon/model/place.h \
	daemon/model/place-json.c \
	daemon/model/policy.c daemon/model/policy.h \
	daemon/model/origin.c daemon/model/origin.h \
	daemon/model/remedy.c \
	daemon/model/registry.c daemon/model/registry.h \
	daemon/model/sums.c daemon/model/sums.h \
	daemon/model/render.c daemon/model/render.h \
	daemon/model/render-names.c daemon/model/render-pin.c \
	daemon/model/revoke.c daemon/model/revoke.h
