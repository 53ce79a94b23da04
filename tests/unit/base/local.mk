# SPDX-License-Identifier: GPL-2.0-or-later
if HAVE_CMOCKA
base_tests = \
	tests/unit/base/test-config
check_PROGRAMS += $(base_tests)
TESTS += $(base_tests)
tests_unit_base_test_config_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
endif
