# SPDX-License-Identifier: GPL-2.0-or-later
if HAVE_CMOCKA
model_tests = \
	tests/unit/model/test-event-filter \
	tests/unit/model/test-events \
	tests/unit/model/test-explain \
	tests/unit/model/test-failure-history \
	tests/unit/model/test-place \
	tests/unit/model/test-policy \
	tests/unit/model/test-registry \
	tests/unit/model/test-revoke \
	tests/unit/model/test-sums
check_PROGRAMS += $(model_tests)
TESTS += $(model_tests)
tests_unit_model_test_event_filter_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_model_test_events_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_model_test_explain_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_model_test_failure_history_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_model_test_place_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_model_test_policy_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_model_test_registry_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_model_test_revoke_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_model_test_sums_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
endif
