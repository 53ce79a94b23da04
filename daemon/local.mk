# SPDX-License-Identifier: GPL-2.0-or-later
# From the bottom up; main.c apart, so that tests can link the rest.
include daemon/base/local.mk
include daemon/model/local.mk
include daemon/kernel/local.mk
include daemon/cgroup/local.mk
include daemon/devices/local.mk
include daemon/varlink/local.mk
include daemon/ladder/local.mk
include daemon/release/local.mk
include daemon/triggers/local.mk
include daemon/manager/local.mk

sbin_PROGRAMS += pinguard
pinguard_SOURCES = daemon/main.c
pinguard_LDADD = daemon/libcore.la
