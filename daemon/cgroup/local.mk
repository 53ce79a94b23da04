# SPDX-License-Identifier: GPL-2.0-or-later
# cgroup2, quotas and policies.
daemon_libcore_la_SOURCES += \
	daemon/cgroup/cgroup.h \
	daemon/cgroup/cgroups.c daemon/cgroup/cgroups.h \
	daemon/cgroup/cgroups-internal.h \
	daemon/cgroup/cgroups-declared.c \
	daemon/cgroup/cgroups-noted.c \
	daemon/cgroup/cgroupfs.c daemon/cgroup/cgroupfs.h \
	daemon/cgroup/cgroupfs-files.c \
	daemon/cgroup/cgroupfs-internal.h \
	daemon/cgroup/cgroupfs-misc.c \
	daemon/cgroup/cgroupfs-walk.c \
	daemon/cgroup/declarations.c daemon/cgroup/declarations.h \
	daemon/cgroup/declarations-match.c \
	daemon/cgroup/policies.c daemon/cgroup/policies.h \
	daemon/cgroup/policies-declared.c \
	daemon/cgroup/policies-internal.h \
	daemon/cgroup/quota-store.c daemon/cgroup/quota-store.h \
	daemon/cgroup/quotas.c daemon/cgroup/quotas.h \
	daemon/cgroup/quotas-declared.c \
	daemon/cgroup/quotas-high.c \
	daemon/cgroup/quotas-internal.h \
	daemon/cgroup/quotas-misc.c \
	daemon/cgroup/rdma.c daemon/cgroup/rdma.h \
	daemon/cgroup/tree.c daemon/cgroup/tree.h
