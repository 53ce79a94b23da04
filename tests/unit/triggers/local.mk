# SPDX-License-Identifier: GPL-2.0-or-later
if HAVE_CMOCKA
failure_fixture = \
	tests/unit/triggers/failure-fixture.c tests/unit/triggers/failure-fixture.h $(scene)
failure_ldflags = -Wl,--wrap=genl_list_failures -Wl,--wrap=genl_get_info
excess_fixture = \
	tests/unit/triggers/excess-fixture.c tests/unit/triggers/excess-fixture.h \
	tests/unit/kernel/genl-fixture.c $(owner_fixture)
triggers_tests = \
	tests/unit/triggers/test-excess \
	tests/unit/triggers/test-excess-marks \
	tests/unit/triggers/test-failure \
	tests/unit/triggers/test-failure-file \
	tests/unit/triggers/test-failure-log \
	tests/unit/triggers/test-failure-owners \
	tests/unit/triggers/test-failure-probe \
	tests/unit/triggers/test-failure-storm
check_PROGRAMS += $(triggers_tests)
TESTS += $(triggers_tests)
tests_unit_triggers_test_excess_SOURCES = tests/unit/triggers/test-excess.c $(excess_fixture)
tests_unit_triggers_test_excess_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_triggers_test_excess_LDFLAGS = $(genl_fixture_wrap)
tests_unit_triggers_test_excess_marks_SOURCES = tests/unit/triggers/test-excess-marks.c $(excess_fixture)
tests_unit_triggers_test_excess_marks_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_triggers_test_excess_marks_LDFLAGS = $(genl_fixture_wrap)
tests_unit_triggers_test_failure_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_triggers_test_failure_file_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_triggers_test_failure_file_LDFLAGS = \
	-Wl,--wrap=store_write -Wl,--wrap=genl_list_failures -Wl,--wrap=genl_get_info \
	-Wl,--wrap=genl_features -Wl,--wrap=genl_state -Wl,--wrap=genl_free
tests_unit_triggers_test_failure_log_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_triggers_test_failure_log_LDFLAGS = -Wl,--wrap=log_write
tests_unit_triggers_test_failure_owners_SOURCES = tests/unit/triggers/test-failure-owners.c $(failure_fixture)
tests_unit_triggers_test_failure_owners_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_triggers_test_failure_owners_LDFLAGS = $(failure_ldflags)
tests_unit_triggers_test_failure_probe_SOURCES = tests/unit/triggers/test-failure-probe.c $(failure_fixture)
tests_unit_triggers_test_failure_probe_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_triggers_test_failure_probe_LDFLAGS = $(failure_ldflags) -Wl,--wrap=source_probe \
	-Wl,--wrap=walks_find -Wl,--wrap=walks_query_free
tests_unit_triggers_test_failure_storm_SOURCES = tests/unit/triggers/test-failure-storm.c $(failure_fixture)
tests_unit_triggers_test_failure_storm_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_triggers_test_failure_storm_LDFLAGS = $(failure_ldflags)
endif
