# SPDX-License-Identifier: GPL-2.0-or-later
EXTRA_DIST += tests/unit/devices/machine.h tests/unit/tree.h
if HAVE_CMOCKA
devices_tests = \
	tests/unit/devices/test-devname \
	tests/unit/devices/test-inventory \
	tests/unit/devices/test-inventory-watch \
	tests/unit/devices/test-renames \
	tests/unit/devices/test-target
check_PROGRAMS += $(devices_tests)
TESTS += $(devices_tests)
tests_unit_devices_test_devname_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_devices_test_inventory_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_devices_test_inventory_watch_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_devices_test_inventory_watch_LDFLAGS = \
	-Wl,--wrap=udev_monitor_receive_device -Wl,--wrap=udev_monitor_get_fd \
	-Wl,--wrap=udev_device_unref -Wl,--wrap=udev_device_get_action \
	-Wl,--wrap=udev_device_get_subsystem -Wl,--wrap=udev_device_get_sysname \
	-Wl,--wrap=udev_device_get_property_value
tests_unit_devices_test_renames_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_devices_test_target_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
endif
