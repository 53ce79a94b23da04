# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of what is done when memory fails.
EXTRA_DIST += tests/unit/failure-fixture.h
if HAVE_CMOCKA
failure_tests = \
	tests/unit/test-failure \
	tests/unit/test-failure-file \
	tests/unit/test-failure-history \
	tests/unit/test-failure-log \
	tests/unit/test-failure-owners \
	tests/unit/test-failure-storm
check_PROGRAMS += $(failure_tests)
TESTS += $(failure_tests)
tests_unit_test_failure_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_failure_file_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_failure_file_LDFLAGS = \
	-Wl,--wrap=store_write -Wl,--wrap=genl_list_failures -Wl,--wrap=genl_get_info \
	-Wl,--wrap=genl_features -Wl,--wrap=genl_state -Wl,--wrap=genl_free
tests_unit_test_failure_history_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_failure_log_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_failure_log_LDFLAGS = -Wl,--wrap=log_write
failure_fixture = tests/unit/failure-fixture.c tests/unit/scene.c $(owner_fixture)
failure_ldflags = -Wl,--wrap=genl_list_failures -Wl,--wrap=genl_get_info
tests_unit_test_failure_owners_SOURCES = tests/unit/test-failure-owners.c $(failure_fixture)
tests_unit_test_failure_owners_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_failure_owners_LDFLAGS = $(failure_ldflags)
tests_unit_test_failure_storm_SOURCES = tests/unit/test-failure-storm.c $(failure_fixture)
tests_unit_test_failure_storm_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_failure_storm_LDFLAGS = $(failure_ldflags)
endif

check_PROGRAMS += tests/fuzz/fuzz-failure
TESTS += tests/fuzz/fuzz-failure
tests_fuzz_fuzz_failure_SOURCES = tests/fuzz/fuzz-failure.c tests/fuzz/fuzz.h tests/fuzz/replay.c
tests_fuzz_fuzz_failure_LDADD = daemon/libcore.la
