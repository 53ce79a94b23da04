# SPDX-License-Identifier: GPL-2.0-or-later
if HAVE_CMOCKA
offline_tests = \
	tests/unit/offline/test-offline
check_PROGRAMS += $(offline_tests)
TESTS += $(offline_tests)
tests_unit_offline_test_offline_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
endif
