# SPDX-License-Identifier: GPL-2.0-or-later
# Programs that the guest's tests run; tests/vm/run builds them.
vm_programs = tests/vm/act tests/vm/again tests/vm/crowd tests/vm/eat-memory tests/vm/fail-nth tests/vm/hold tests/vm/mr tests/vm/vfio-map
EXTRA_PROGRAMS += $(vm_programs)
tests_vm_act_SOURCES = tests/vm/act.c tests/vm/pinners.c tests/vm/pinners.h
tests_vm_act_LDADD = -libverbs
tests_vm_again_SOURCES = tests/vm/again.c tests/vm/pinners.c tests/vm/pinners.h
tests_vm_again_LDADD = -libverbs
tests_vm_fail_nth_SOURCES = tests/vm/fail-nth.c tests/vm/pinners.c tests/vm/pinners.h
tests_vm_fail_nth_LDADD = -libverbs
tests_vm_hold_SOURCES = tests/vm/hold.c tests/vm/pinners.c tests/vm/pinners.h
tests_vm_hold_LDADD = libpinguard/libpinguard.la -libverbs
tests_vm_hold_LDFLAGS = -no-install
tests_vm_mr_SOURCES = tests/vm/mr.c tests/vm/pinners.c tests/vm/pinners.h
tests_vm_mr_LDADD = -libverbs
tests_vm_vfio_map_SOURCES = tests/vm/vfio-map.c tests/vm/pinners.c tests/vm/pinners.h
tests_vm_vfio_map_LDADD = -libverbs
tests_vm_crowd_LDADD = libpinguard/libpinguard.la -libverbs
# with no wrapper script, so that it can be copied into the guest
tests_vm_crowd_LDFLAGS = -no-install

.PHONY: check-programs vm-programs
check-programs: $(check_PROGRAMS)
vm-programs: $(vm_programs) docs/examples/rdma-owner

EXTRA_DIST += \
	kernel/config.fragment \
	kernel/pinguard.yaml \
	scripts/check \
	scripts/demo \
	scripts/demo-guest \
	scripts/install-deps \
	scripts/kernel-build \
	scripts/kernel-check \
	scripts/kernel-deb \
	scripts/kernel-lib.sh \
	scripts/kernel-selftests \
	scripts/kernel-tree \
	scripts/lib.sh \
	scripts/project-lib.sh \
	tests/layers \
	tests/vm/guest \
	tests/vm/guest.sh \
	tests/vm/images \
	tests/vm/rootfs \
	tests/vm/run \
	tests/vm/self-test \
	tests/vm/accounting.test \
	tests/vm/acts.test \
	tests/vm/class.test \
	tests/vm/containers.test \
	tests/vm/contention.test \
	tests/vm/delegation.test \
	tests/vm/drain.test \
	tests/vm/enforce.test \
	tests/vm/excess.test \
	tests/vm/explain.test \
	tests/vm/failure.test \
	tests/vm/failure-probe.test \
	tests/vm/faults.test \
	tests/vm/hold.test \
	tests/vm/hooks.test \
	tests/vm/hostile.test \
	tests/vm/hotplug.test \
	tests/vm/interface.test \
	tests/vm/kunit.test \
	tests/vm/libvirt.test \
	tests/vm/limits.test \
	tests/vm/many.test \
	tests/vm/nested.test \
	tests/vm/nvdimm.test \
	tests/vm/offline.test \
	tests/vm/once.test \
	tests/vm/owners.test \
	tests/vm/pinners.test \
	tests/vm/probe.test \
	tests/vm/probe-before.test \
	tests/vm/quotas.test \
	tests/vm/release.test \
	tests/vm/removal.test \
	tests/vm/resync.test \
	tests/vm/revoke.test \
	tests/vm/selftests.test \
	tests/vm/small.test \
	tests/vm/socket.test \
	tests/vm/stock.test \
	tests/vm/taken.test \
	tests/vm/unit.test \
	tests/vm/unseen.test
