# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of what the service does for memory that is wanted back.
if HAVE_CMOCKA
kernel_tests = \
	tests/unit/test-config \
	tests/unit/test-holders \
	tests/unit/test-nlio \
	tests/unit/test-policies \
	tests/unit/test-target
check_PROGRAMS += $(kernel_tests)
TESTS += $(kernel_tests)
tests_unit_test_config_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_holders_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_nlio_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_policies_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_target_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
endif

kernel_fuzz = tests/fuzz/fuzz-config tests/fuzz/fuzz-target
check_PROGRAMS += $(kernel_fuzz)
TESTS += $(kernel_fuzz)
tests_fuzz_fuzz_config_SOURCES = tests/fuzz/fuzz-config.c tests/fuzz/fuzz.h tests/fuzz/replay.c
tests_fuzz_fuzz_config_LDADD = daemon/libcore.la
tests_fuzz_fuzz_target_SOURCES = tests/fuzz/fuzz-target.c tests/fuzz/fuzz.h tests/fuzz/replay.c
tests_fuzz_fuzz_target_LDADD = daemon/libcore.la
