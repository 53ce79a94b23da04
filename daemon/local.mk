# SPDX-License-Identifier: GPL-2.0-or-later
# From the bottom up; main.c apart, so that tests can link the rest.
include daemon/base/local.mk
include daemon/model/local.mk
include daemon/kernel/local.mk
include daemon/cgroup/local.mk
include daemon/devices/local.mk
include daemon/varlink/local.mk
include daemon/ladder/local.mk
include daemon/offline/local.mk
include daemon/release/local.mk
include daemon/triggers/local.mk
include daemon/manager/local.mk

CLEANFILES += $(idl_sources)
$(idl_sources): daemon/local.mk
	$(AM_V_at)$(MKDIR_P) $(@D)
	$(AM_V_GEN)for file in $(filter %.varlink,$^); do \
		echo "const char idl_$$(basename "$$file" .varlink | tr . _)[] ="; \
		sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/"&\\n"/' "$$file" || exit; \
		echo ';'; \
	done > $@.tmp && mv $@.tmp $@

sbin_PROGRAMS += pinguard
pinguard_SOURCES = daemon/main.c
pinguard_LDADD = daemon/libcore.la
