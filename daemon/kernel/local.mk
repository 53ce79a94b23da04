# SPDX-License-Identifier: GPL-2.0-or-later
# Where pins come from.
daemon_libcore_la_SOURCES += \
	daemon/kernel/kernel.h \
	daemon/kernel/busy.c daemon/kernel/busy.h \
	daemon/kernel/child.c daemon/kernel/child.h \
	daemon/kernel/genl.c daemon/kernel/genl.h \
	daemon/kernel/genl-internal.h \
	daemon/kernel/genl-query.c \
	daemon/kernel/genl-request.c \
	daemon/kernel/holders.c daemon/kernel/holders.h \
	daemon/kernel/iomem.c daemon/kernel/iomem.h \
	daemon/kernel/listener.h \
	daemon/kernel/makers.c daemon/kernel/makers.h \
	daemon/kernel/nlio.c daemon/kernel/nlio.h \
	daemon/kernel/observe.c daemon/kernel/observe.h \
	daemon/kernel/observe-ask.c \
	daemon/kernel/observe-internal.h \
	daemon/kernel/observe-rdma.c \
	daemon/kernel/observe-xdp.c \
	daemon/kernel/openers.c daemon/kernel/openers.h \
	daemon/kernel/openers-scan.c \
	daemon/kernel/openers-users.c \
	daemon/kernel/openers-users.h \
	daemon/kernel/pinlimits.c daemon/kernel/pinlimits.h \
	daemon/kernel/pinmsg.c daemon/kernel/pinmsg.h \
	daemon/kernel/pinmsg-internal.h \
	daemon/kernel/pinmsg-record.c \
	daemon/kernel/probe.c daemon/kernel/probe.h \
	daemon/kernel/probe-failures.c daemon/kernel/probe-failures.h \
	daemon/kernel/probe-groups.c daemon/kernel/probe-groups.h \
	daemon/kernel/probe-hello.c daemon/kernel/probe-hello.h \
	daemon/kernel/probe-maps.c daemon/kernel/probe-maps.h \
	daemon/kernel/probe-modules.c daemon/kernel/probe-modules.h \
	daemon/kernel/procfs.c daemon/kernel/procfs.h \
	daemon/kernel/rdmamsg.c daemon/kernel/rdmamsg.h \
	daemon/kernel/source.c daemon/kernel/source.h \
	daemon/kernel/source-internal.h \
	daemon/kernel/support.c daemon/kernel/support.h \
	daemon/kernel/walk.c daemon/kernel/walk.h \
	daemon/kernel/walks.c daemon/kernel/walks.h \
	daemon/kernel/xdpmsg.c daemon/kernel/xdpmsg.h
