# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of what an address is, and which devices are behind it.
EXTRA_DIST += tests/unit/machine.h tests/unit/tree.h
if HAVE_CMOCKA
place_tests = \
	tests/unit/test-devname \
	tests/unit/test-inventory \
	tests/unit/test-inventory-watch \
	tests/unit/test-iomem \
	tests/unit/test-place \
	tests/unit/test-who
check_PROGRAMS += $(place_tests)
TESTS += $(place_tests)
tests_unit_test_devname_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_inventory_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_inventory_watch_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_inventory_watch_LDFLAGS = \
	-Wl,--wrap=udev_monitor_receive_device -Wl,--wrap=udev_monitor_get_fd \
	-Wl,--wrap=udev_device_unref -Wl,--wrap=udev_device_get_action \
	-Wl,--wrap=udev_device_get_subsystem -Wl,--wrap=udev_device_get_sysname
tests_unit_test_iomem_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_place_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_who_SOURCES = tests/unit/test-who.c tests/unit/owner-fixture.c tests/unit/idl.c
tests_unit_test_who_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_who_LDFLAGS = \
	-Wl,--wrap=genl_state -Wl,--wrap=genl_features -Wl,--wrap=genl_get_frame \
	-Wl,--wrap=genl_query_range -Wl,--wrap=range_query_free
endif

place_fuzz = tests/fuzz/fuzz-iomem tests/fuzz/fuzz-place
check_PROGRAMS += $(place_fuzz)
TESTS += $(place_fuzz)
tests_fuzz_fuzz_iomem_SOURCES = tests/fuzz/fuzz-iomem.c tests/fuzz/fuzz.h tests/fuzz/replay.c
tests_fuzz_fuzz_iomem_LDADD = daemon/libcore.la
tests_fuzz_fuzz_place_SOURCES = tests/fuzz/fuzz-place.c tests/fuzz/fuzz.h tests/fuzz/replay.c
tests_fuzz_fuzz_place_LDADD = daemon/libcore.la
