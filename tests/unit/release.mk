# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of requests to release pins, and of owners.
EXTRA_DIST += tests/unit/idl.h tests/unit/owner-fixture.h
if HAVE_CMOCKA
release_tests = \
	tests/unit/test-owner \
	tests/unit/test-policy \
	tests/unit/test-release \
	tests/unit/test-release-steps
check_PROGRAMS += $(release_tests)
TESTS += $(release_tests)
tests_unit_test_policy_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
owner_fixture = tests/unit/owner-fixture.c tests/unit/idl.c
tests_unit_test_owner_SOURCES = tests/unit/test-owner.c $(owner_fixture)
tests_unit_test_owner_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_release_SOURCES = tests/unit/test-release.c $(owner_fixture)
tests_unit_test_release_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_release_steps_SOURCES = tests/unit/test-release-steps.c $(owner_fixture)
tests_unit_test_release_steps_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
endif
