# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of ladders and actions.
EXTRA_DIST += tests/unit/action-fixture.h tests/unit/systemd-fixture.h tests/unit/hooks-test tests/unit/qmp-hook.py
TESTS += tests/unit/hooks-test
if HAVE_CMOCKA
action_tests = \
	tests/unit/test-action \
	tests/unit/test-action-process \
	tests/unit/test-ladder
check_PROGRAMS += $(action_tests)
TESTS += $(action_tests)
action_fixture = tests/unit/action-fixture.c tests/unit/systemd-fixture.c
tests_unit_test_action_SOURCES = tests/unit/test-action.c $(action_fixture)
tests_unit_test_action_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_action_process_SOURCES = tests/unit/test-action-process.c $(action_fixture)
tests_unit_test_action_process_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_ladder_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
endif

check_PROGRAMS += tests/fuzz/fuzz-ladder
TESTS += tests/fuzz/fuzz-ladder
tests_fuzz_fuzz_ladder_SOURCES = tests/fuzz/fuzz-ladder.c tests/fuzz/fuzz.h tests/fuzz/replay.c
tests_fuzz_fuzz_ladder_LDADD = daemon/libcore.la
