# SPDX-License-Identifier: GPL-2.0-or-later
# Devices that have memory.
daemon_libcore_la_SOURCES += \
	daemon/devices/devices.c daemon/devices/devices.h \
	daemon/devices/devices-internal.h \
	daemon/devices/devname.c daemon/devices/devname.h \
	daemon/devices/devname-numbers.c \
	daemon/devices/inventory.c daemon/devices/inventory.h \
	daemon/devices/inventory-blocks.c \
	daemon/devices/inventory-dax.c \
	daemon/devices/inventory-devices.c \
	daemon/devices/inventory-internal.h \
	daemon/devices/inventory-nd.c \
	daemon/devices/inventory-numbers.c \
	daemon/devices/inventory-pci.c \
	daemon/devices/inventory-place.c \
	daemon/devices/inventory-sysfs.c \
	daemon/devices/inventory-watch.c \
	daemon/devices/renames.c daemon/devices/renames.h \
	daemon/devices/target.c daemon/devices/target.h
