# SPDX-License-Identifier: GPL-2.0-or-later
# What ties the parts, and the methods.
daemon_libcore_la_SOURCES += \
	daemon/manager/access.c \
	daemon/manager/answers.h \
	daemon/manager/declared.c \
	daemon/manager/drain.c \
	daemon/manager/errors.c \
	daemon/manager/explain.c daemon/manager/explain.h \
	daemon/manager/explain-facts.c daemon/manager/explain-holders.c \
	daemon/manager/failures.c \
	daemon/manager/feed.c \
	daemon/manager/follow.c \
	daemon/manager/idl.h \
	daemon/manager/inquiry.c daemon/manager/inquiry.h \
	daemon/manager/internal.h \
	daemon/manager/left.c daemon/manager/left.h \
	daemon/manager/limits.c \
	daemon/manager/manager.c daemon/manager/manager.h \
	daemon/manager/methods.c daemon/manager/methods.h \
	daemon/manager/monitor.c \
	daemon/manager/owners.c \
	daemon/manager/pins.c \
	daemon/manager/policy.c \
	daemon/manager/quota.c \
	daemon/manager/release.c \
	daemon/manager/requests.c \
	daemon/manager/select.c \
	daemon/manager/status.c \
	daemon/manager/status-kernel.c \
	daemon/manager/status-line.c \
	daemon/manager/sum-pins.c \
	daemon/manager/unattributed.c daemon/manager/unattributed.h \
	daemon/manager/wait.c \
	daemon/manager/who.c
nodist_daemon_libcore_la_SOURCES = daemon/manager/idl.c

manager_idl = \
	daemon/manager/org.pinguard.Manager.varlink \
	daemon/manager/org.pinguard.Owner.varlink
idl_sources += daemon/manager/idl.c
EXTRA_DIST += $(manager_idl)
daemon/manager/idl.c: $(manager_idl)
