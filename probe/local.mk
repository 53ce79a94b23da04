# SPDX-License-Identifier: GPL-2.0-or-later
# eBPF programs for kernels without the patches, and what loads them.
bpf_sources = probe/pins.bpf.c probe/pin.bpf.h probe/group.bpf.h probe/limit.bpf.h \
	probe/failure.bpf.h probe/kernel-types.h probe/before.bpf.h probe/before-find.bpf.h \
	probe/before-types.h
EXTRA_DIST += $(bpf_sources)
if HAVE_BPF
sbin_PROGRAMS += pinguard-probe
pinguard_probe_SOURCES = \
	probe/main.c \
	probe/before.c probe/before.h \
	probe/hooks.c probe/hooks.h \
	probe/failure-words.c probe/failure-words.h \
	probe/limits.c probe/limits.h \
	probe/load.c probe/load.h probe/load-internal.h \
	probe/loaded.c probe/loaded.h \
	probe/prototype.c probe/prototype.h
nodist_pinguard_probe_SOURCES = probe/pins.skel.h
pinguard_probe_CFLAGS = $(AM_CFLAGS) $(BPF_CFLAGS)
pinguard_probe_LDADD = lib/libutil.la $(BPF_LIBS) $(SYSTEMD_LIBS)
BUILT_SOURCES += probe/pins.skel.h
CLEANFILES += probe/pins.skel.h probe/pins.bpf.o

# What it left in the kernel holds modules, and only it takes that away.
uninstall-local: uninstall-probe-programs
uninstall-probe-programs:
	test -n "$(DESTDIR)" || ! test -e /sys/fs/bpf/pinguard || ./pinguard-probe$(EXEEXT) --remove

# Where the kernel's structures have their members is looked up when they are loaded.
probe/pins.bpf.o: $(bpf_sources) probe/failure-words.h lib/probe-layout.h
	$(AM_V_at)$(MKDIR_P) $(@D)
	$(AM_V_GEN)$(CLANG) -target bpf -mcpu=v3 -O2 -g -std=gnu11 -Wall -Wextra \
		-Wno-unused-parameter -I$(top_srcdir) -I$(top_srcdir)/include/uapi \
		$(BPF_INCLUDES) -c $(srcdir)/probe/pins.bpf.c -o $@

probe/pins.skel.h: probe/pins.bpf.o
	$(AM_V_GEN)$(BPFTOOL) gen skeleton $< name pins >$@.tmp && mv $@.tmp $@
endif
.PHONY: uninstall-probe-programs
