# SPDX-License-Identifier: GPL-2.0-or-later
# The service as a whole, without a kernel; tests of other folders use it, too.
EXTRA_DIST += tests/unit/manager/kernel-fixture.h tests/unit/idl.h tests/unit/unit.h tests/unit/manager/who-fixture.h
owner_fixture = \
	tests/unit/manager/owner-fixture.c tests/unit/manager/owner-fixture.h tests/unit/idl.c
genl_fixture_wrap = -Wl,--wrap=nlio_resolve -Wl,--wrap=nlio_join -Wl,--wrap=nlio_send \
	-Wl,--wrap=nlio_send_genl -Wl,--wrap=nlio_recv
if HAVE_CMOCKA
manager_tests = \
	tests/unit/manager/test-apply \
	tests/unit/manager/test-explain \
	tests/unit/manager/test-parts \
	tests/unit/manager/test-figures \
	tests/unit/manager/test-observing \
	tests/unit/manager/test-monitor \
	tests/unit/manager/test-owner \
	tests/unit/manager/test-pins \
	tests/unit/manager/test-refusals \
	tests/unit/manager/test-turns \
	tests/unit/manager/test-view \
	tests/unit/manager/test-who \
	tests/unit/manager/test-who-devices
check_PROGRAMS += $(manager_tests)
TESTS += $(manager_tests)
tests_unit_manager_test_apply_SOURCES = tests/unit/manager/test-apply.c tests/unit/kernel/genl-fixture.c $(owner_fixture)
tests_unit_manager_test_apply_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_manager_test_apply_LDFLAGS = $(genl_fixture_wrap)
tests_unit_manager_test_parts_SOURCES = tests/unit/manager/test-parts.c tests/unit/kernel/genl-fixture.c $(owner_fixture)
tests_unit_manager_test_parts_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_manager_test_parts_LDFLAGS = $(genl_fixture_wrap)
tests_unit_manager_test_figures_SOURCES = tests/unit/manager/test-figures.c tests/unit/kernel/genl-fixture.c $(owner_fixture)
tests_unit_manager_test_figures_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_manager_test_figures_LDFLAGS = $(genl_fixture_wrap)
tests_unit_manager_test_turns_SOURCES = tests/unit/manager/test-turns.c tests/unit/kernel/genl-fixture.c $(owner_fixture)
tests_unit_manager_test_turns_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_manager_test_turns_LDFLAGS = $(genl_fixture_wrap)
tests_unit_manager_test_explain_SOURCES = tests/unit/manager/test-explain.c tests/unit/kernel/genl-fixture.c $(owner_fixture)
tests_unit_manager_test_explain_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_manager_test_explain_LDFLAGS = $(genl_fixture_wrap)
tests_unit_manager_test_view_SOURCES = tests/unit/manager/test-view.c tests/unit/kernel/genl-fixture.c $(owner_fixture)
tests_unit_manager_test_view_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_manager_test_view_LDFLAGS = $(genl_fixture_wrap)
tests_unit_manager_test_observing_SOURCES = tests/unit/manager/test-observing.c $(owner_fixture)
tests_unit_manager_test_observing_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_manager_test_monitor_SOURCES = tests/unit/manager/test-monitor.c $(owner_fixture)
tests_unit_manager_test_monitor_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_manager_test_owner_SOURCES = tests/unit/manager/test-owner.c $(owner_fixture)
tests_unit_manager_test_owner_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_manager_test_owner_LDFLAGS = -Wl,--wrap=getsockopt
tests_unit_manager_test_pins_SOURCES = tests/unit/manager/test-pins.c $(owner_fixture)
tests_unit_manager_test_pins_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_manager_test_refusals_SOURCES = tests/unit/manager/test-refusals.c $(owner_fixture)
tests_unit_manager_test_refusals_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_manager_test_refusals_LDFLAGS = -Wl,--wrap=genl_state -Wl,--wrap=genl_get_info
tests_unit_manager_test_who_SOURCES = tests/unit/manager/test-who.c $(owner_fixture)
tests_unit_manager_test_who_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_manager_test_who_LDFLAGS = \
	-Wl,--wrap=genl_state -Wl,--wrap=genl_features -Wl,--wrap=genl_get_frame \
	-Wl,--wrap=genl_query_range -Wl,--wrap=range_query_free
tests_unit_manager_test_who_devices_SOURCES = tests/unit/manager/test-who-devices.c $(owner_fixture)
tests_unit_manager_test_who_devices_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_manager_test_who_devices_LDFLAGS = \
	-Wl,--wrap=genl_state -Wl,--wrap=genl_features -Wl,--wrap=genl_get_frame \
	-Wl,--wrap=genl_query_range -Wl,--wrap=range_query_free
endif
