# SPDX-License-Identifier: GPL-2.0-or-later
# Programs that ladders run, and examples of ladders.
hooksdir = $(libexecdir)/pinguard/hooks
dist_hooks_SCRIPTS = hooks/libvirt-detach hooks/qemu-device-del hooks/stop-unit
examplesdir = $(docdir)/release.d
examples_DATA = hooks/libvirt.conf hooks/qemu.conf hooks/stop-unit.conf
EXTRA_DIST += $(examples_DATA:=.in) docs/hooks.md
CLEANFILES += $(examples_DATA)

hooks/%.conf: hooks/%.conf.in Makefile
	$(AM_V_at)$(MKDIR_P) $(@D)
	$(AM_V_GEN)sed -e 's|@hooksdir[@]|$(hooksdir)|g' $(srcdir)/hooks/$*.conf.in >$@.tmp && mv $@.tmp $@

# Where ladders are looked for; nothing is in force until somebody puts one there.
install-data-local: install-release-dir
install-release-dir:
	$(MKDIR_P) $(DESTDIR)$(sysconfdir)/pinguard/release.d
.PHONY: install-release-dir
