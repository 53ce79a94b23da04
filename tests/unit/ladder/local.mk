# SPDX-License-Identifier: GPL-2.0-or-later
if HAVE_CMOCKA
action_fixture = \
	tests/unit/ladder/action-fixture.c tests/unit/ladder/action-fixture.h \
	tests/unit/ladder/systemd-fixture.c tests/unit/ladder/systemd-fixture.h
ladder_tests = \
	tests/unit/ladder/test-action \
	tests/unit/ladder/test-action-process \
	tests/unit/ladder/test-ladder \
	tests/unit/ladder/test-reach
check_PROGRAMS += $(ladder_tests)
TESTS += $(ladder_tests)
tests_unit_ladder_test_action_SOURCES = tests/unit/ladder/test-action.c $(action_fixture)
tests_unit_ladder_test_action_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_ladder_test_action_process_SOURCES = tests/unit/ladder/test-action-process.c $(action_fixture)
tests_unit_ladder_test_action_process_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_ladder_test_ladder_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_ladder_test_reach_SOURCES = tests/unit/ladder/test-reach.c $(action_fixture)
tests_unit_ladder_test_reach_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
endif
