# SPDX-License-Identifier: GPL-2.0-or-later

# Registry, sources and the loop; main.c apart, so that tests can link the rest.
noinst_LTLIBRARIES += daemon/libcore.la
daemon_libcore_la_SOURCES = \
	daemon/callers.c daemon/callers.h \
	daemon/cgroup.c daemon/cgroup.h \
	daemon/cgroup-files.c \
	daemon/cgroup-tree.c daemon/cgroup-tree.h \
	daemon/config.c daemon/config.h \
	daemon/devname.c daemon/devname.h \
	daemon/events.c daemon/events.h \
	daemon/genl.c daemon/genl.h daemon/genl-internal.h \
	daemon/genl-query.c \
	daemon/genl-request.c \
	daemon/holders.c daemon/holders.h \
	daemon/inventory.c daemon/inventory.h daemon/inventory-internal.h \
	daemon/inventory-nd.c \
	daemon/inventory-place.c \
	daemon/inventory-sysfs.c \
	daemon/inventory-watch.c \
	daemon/iomem.c daemon/iomem.h \
	daemon/manager.c daemon/manager.h daemon/manager-internal.h \
	daemon/manager-methods.c daemon/manager-methods.h \
	daemon/manager-drain.c \
	daemon/manager-excess.c \
	daemon/manager-follow.c \
	daemon/manager-inquiry.c daemon/manager-inquiry.h \
	daemon/manager-inventory.c \
	daemon/manager-kernel.c \
	daemon/manager-monitor.c \
	daemon/manager-owners.c \
	daemon/manager-pins.c \
	daemon/manager-policy.c \
	daemon/manager-quota.c \
	daemon/manager-release.c daemon/manager-release.h \
	daemon/manager-select.c \
	daemon/manager-revoke.c \
	daemon/manager-start.c \
	daemon/manager-status.c \
	daemon/manager-waiter.c \
	daemon/manager-who.c \
	daemon/messages.h \
	daemon/nlio.c daemon/nlio.h \
	daemon/observe.c daemon/observe.h \
	daemon/owner.c daemon/owner.h \
	daemon/pin.h \
	daemon/pinmsg.c daemon/pinmsg.h daemon/pinmsg-internal.h \
	daemon/pinmsg-frame.c \
	daemon/pinmsg-revoke.c \
	daemon/place.c daemon/place.h \
	daemon/place-json.c \
	daemon/policies.c daemon/policies.h \
	daemon/policy.c daemon/policy.h \
	daemon/procfs.c daemon/procfs.h \
	daemon/quota.c daemon/quota.h daemon/quota-internal.h \
	daemon/quota-high.c \
	daemon/quota-store.c daemon/quota-store.h \
	daemon/rdmamsg.c daemon/rdmamsg.h \
	daemon/registry.c daemon/registry.h \
	daemon/release.c daemon/release.h daemon/release-internal.h \
	daemon/release-cgroup.c daemon/release-cgroup.h \
	daemon/release-complete.c \
	daemon/release-excess.c \
	daemon/release-json.c \
	daemon/release-log.c \
	daemon/release-owner.c \
	daemon/release-registry.c \
	daemon/release-select.c \
	daemon/release-step.c \
	daemon/render.c daemon/render.h \
	daemon/revoke.c daemon/revoke.h \
	daemon/store.c daemon/store.h \
	daemon/support.c daemon/support.h \
	daemon/target.c daemon/target.h
daemon_libcore_la_LIBADD = daemon/libserver.la lib/libutil.la $(NL_LIBS) $(NDCTL_LIBS) $(UDEV_LIBS) $(SYSTEMD_LIBS) $(JANSSON_LIBS)

sbin_PROGRAMS += pinguard
pinguard_SOURCES = daemon/main.c
pinguard_LDADD = daemon/libcore.la
