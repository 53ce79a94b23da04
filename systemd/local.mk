# SPDX-License-Identifier: GPL-2.0-or-later
dist_systemdsystemunit_DATA = systemd/pinguard.socket
nodist_systemdsystemunit_DATA = systemd/pinguard.service
nodist_systemdsystemgenerator_SCRIPTS = systemd/pinguard-quota-generator
if HAVE_BPF
dist_systemdsystemunit_DATA += systemd/pinguard-probe.socket
nodist_systemdsystemunit_DATA += systemd/pinguard-probe.service
else
EXTRA_DIST += systemd/pinguard-probe.socket
endif
EXTRA_DIST += systemd/pinguard.service.in systemd/pinguard-probe.service.in \
	systemd/pinguard-quota-generator.in systemd/pinguard.sysusers \
	systemd/pinguard.tmpfiles systemd/pinguard.catalog systemd/pinguard.conf
CLEANFILES += systemd/pinguard.service systemd/pinguard-probe.service systemd/pinguard-quota-generator

systemd/pinguard.service systemd/pinguard-probe.service: systemd/%.service: systemd/%.service.in Makefile
	$(AM_V_at)$(MKDIR_P) $(@D)
	$(AM_V_GEN)sed -e 's|@sbindir[@]|$(sbindir)|g' -e 's|@service_type[@]|$(service_type)|g' \
		$(service_reload) $< >$@.tmp && mv $@.tmp $@

systemd/pinguard-quota-generator: systemd/pinguard-quota-generator.in Makefile
	$(AM_V_at)$(MKDIR_P) $(@D)
	$(AM_V_GEN)sed -e 's|@sbindir[@]|$(sbindir)|g' $(srcdir)/systemd/pinguard-quota-generator.in \
		>$@.tmp && chmod +x $@.tmp && mv $@.tmp $@

# Their names in the repository are not those that systemd wants.
install-data-hook: install-systemd-data
install-systemd-data:
	$(MKDIR_P) $(DESTDIR)$(sysusersdir) $(DESTDIR)$(tmpfilesdir) $(DESTDIR)$(catalogdir)
	$(INSTALL_DATA) $(srcdir)/systemd/pinguard.sysusers $(DESTDIR)$(sysusersdir)/pinguard.conf
	$(INSTALL_DATA) $(srcdir)/systemd/pinguard.tmpfiles $(DESTDIR)$(tmpfilesdir)/pinguard.conf
	$(INSTALL_DATA) $(srcdir)/systemd/pinguard.catalog $(DESTDIR)$(catalogdir)/pinguard.catalog
	$(MKDIR_P) $(DESTDIR)$(sysconfdir)/pinguard
	test -e $(DESTDIR)$(sysconfdir)/pinguard/pinguard.conf || \
		$(INSTALL_DATA) $(srcdir)/systemd/pinguard.conf $(DESTDIR)$(sysconfdir)/pinguard/pinguard.conf
uninstall-hook: uninstall-systemd-data
uninstall-systemd-data:
	rm -f $(DESTDIR)$(sysusersdir)/pinguard.conf $(DESTDIR)$(tmpfilesdir)/pinguard.conf \
		$(DESTDIR)$(catalogdir)/pinguard.catalog
.PHONY: install-systemd-data uninstall-systemd-data
