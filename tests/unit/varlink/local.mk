# SPDX-License-Identifier: GPL-2.0-or-later
if HAVE_CMOCKA
varlink_tests = \
	tests/unit/varlink/test-server \
	tests/unit/varlink/test-server-limits
check_PROGRAMS += $(varlink_tests)
TESTS += $(varlink_tests)
tests_unit_varlink_test_server_SOURCES = tests/unit/varlink/test-server.c tests/unit/varlink/server-fixture.c tests/unit/varlink/server-fixture.h
tests_unit_varlink_test_server_LDADD = daemon/libserver.la $(CMOCKA_LIBS)
tests_unit_varlink_test_server_limits_SOURCES = tests/unit/varlink/test-server-limits.c tests/unit/varlink/server-fixture.c
tests_unit_varlink_test_server_limits_LDADD = daemon/libserver.la $(CMOCKA_LIBS)
endif
