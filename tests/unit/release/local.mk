# SPDX-License-Identifier: GPL-2.0-or-later
if HAVE_CMOCKA
scene = tests/unit/release/scene.c tests/unit/release/scene.h $(owner_fixture)
steps_fixture = tests/unit/release/steps-fixture.c tests/unit/release/steps-fixture.h $(owner_fixture)
release_tests = \
	tests/unit/release/test-release \
	tests/unit/release/test-release-cgroup \
	tests/unit/release/test-release-heirs \
	tests/unit/release/test-release-hook \
	tests/unit/release/test-release-limits \
	tests/unit/release/test-release-process \
	tests/unit/release/test-release-reach \
	tests/unit/release/test-release-steps
check_PROGRAMS += $(release_tests)
TESTS += $(release_tests)
tests_unit_release_test_release_SOURCES = tests/unit/release/test-release.c $(scene)
tests_unit_release_test_release_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_release_test_release_cgroup_SOURCES = tests/unit/release/test-release-cgroup.c $(steps_fixture)
tests_unit_release_test_release_cgroup_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_release_test_release_heirs_SOURCES = tests/unit/release/test-release-heirs.c $(steps_fixture)
tests_unit_release_test_release_heirs_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_release_test_release_hook_SOURCES = tests/unit/release/test-release-hook.c $(steps_fixture)
tests_unit_release_test_release_hook_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_release_test_release_hook_LDFLAGS = -Wl,--wrap=action_hook -Wl,--wrap=action_free
tests_unit_release_test_release_limits_SOURCES = tests/unit/release/test-release-limits.c $(scene)
tests_unit_release_test_release_limits_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_release_test_release_process_SOURCES = tests/unit/release/test-release-process.c $(steps_fixture)
tests_unit_release_test_release_process_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_release_test_release_reach_SOURCES = tests/unit/release/test-release-reach.c $(steps_fixture)
tests_unit_release_test_release_reach_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_release_test_release_steps_SOURCES = tests/unit/release/test-release-steps.c $(steps_fixture)
tests_unit_release_test_release_steps_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
endif
