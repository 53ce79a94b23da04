# SPDX-License-Identifier: GPL-2.0-or-later
EXTRA_DIST += tests/unit/kernel/genl-fixture.h tests/unit/kernel/openers-fixture.h \
	tests/unit/kernel/probe-fixture.h
if HAVE_CMOCKA
kernel_tests = \
	tests/unit/kernel/test-busy \
	tests/unit/kernel/test-holders \
	tests/unit/kernel/test-iomem \
	tests/unit/kernel/test-makers \
	tests/unit/kernel/test-nlio \
	tests/unit/kernel/test-observe \
	tests/unit/kernel/test-observe-netlink \
	tests/unit/kernel/test-openers \
	tests/unit/kernel/test-openers-scan \
	tests/unit/kernel/test-pinlimits \
	tests/unit/kernel/test-pinmsg \
	tests/unit/kernel/test-probe \
	tests/unit/kernel/test-probe-failures \
	tests/unit/kernel/test-probe-limits \
	tests/unit/kernel/test-probe-loader \
	tests/unit/kernel/test-procfs \
	tests/unit/kernel/test-support \
	tests/unit/kernel/test-walk \
	tests/unit/kernel/test-walks
check_PROGRAMS += $(kernel_tests)
TESTS += $(kernel_tests)
tests_unit_kernel_test_busy_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_kernel_test_holders_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_kernel_test_iomem_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_kernel_test_makers_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_kernel_test_makers_LDFLAGS = -Wl,--wrap=genl_get_pin
tests_unit_kernel_test_nlio_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_kernel_test_observe_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_kernel_test_observe_netlink_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_kernel_test_observe_netlink_LDFLAGS = \
	-Wl,--wrap=nlio_socket -Wl,--wrap=nlio_send -Wl,--wrap=nlio_recv
tests_unit_kernel_test_openers_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_kernel_test_openers_scan_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_kernel_test_pinlimits_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_kernel_test_pinmsg_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_kernel_test_probe_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_kernel_test_probe_LDFLAGS = -Wl,--wrap=probe_maps_open
tests_unit_kernel_test_probe_limits_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_kernel_test_probe_limits_LDFLAGS = -Wl,--wrap=probe_maps_open
tests_unit_kernel_test_probe_failures_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_kernel_test_probe_failures_LDFLAGS = -Wl,--wrap=probe_maps_open
tests_unit_kernel_test_probe_loader_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_kernel_test_probe_loader_LDFLAGS = -Wl,--wrap=probe_maps_open
tests_unit_kernel_test_procfs_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_kernel_test_support_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_kernel_test_walk_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_kernel_test_walks_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_kernel_test_walks_LDFLAGS = -Wl,--wrap=source_probe -Wl,--wrap=probe_boot_usec
endif
