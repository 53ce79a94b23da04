# SPDX-License-Identifier: GPL-2.0-or-later
# Programs that the guest's tests run; tests/vm/run builds them.
VM_PROGRAMS =
EXTRA_PROGRAMS = $(VM_PROGRAMS)
CLEANFILES += $(VM_PROGRAMS)

.PHONY: vm-programs
vm-programs: $(VM_PROGRAMS)

EXTRA_DIST += \
	kernel/config.fragment \
	kernel/pinguard.yaml \
	scripts/install-deps \
	scripts/kernel-build \
	scripts/kernel-lib.sh \
	scripts/lib.sh \
	tests/vm/guest \
	tests/vm/guest.sh \
	tests/vm/rootfs \
	tests/vm/run
