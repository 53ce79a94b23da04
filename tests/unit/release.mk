# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of requests to release pins, and of owners.
EXTRA_DIST += tests/unit/genl-fixture.h tests/unit/idl.h tests/unit/owner-fixture.h \
	tests/unit/scene.h tests/unit/steps-fixture.h
if HAVE_CMOCKA
release_tests = \
	tests/unit/test-abi \
	tests/unit/test-excess \
	tests/unit/test-owner \
	tests/unit/test-policy \
	tests/unit/test-procfs \
	tests/unit/test-release \
	tests/unit/test-release-cgroup \
	tests/unit/test-release-hook \
	tests/unit/test-release-limits \
	tests/unit/test-release-process \
	tests/unit/test-release-steps
check_PROGRAMS += $(release_tests)
TESTS += $(release_tests)
tests_unit_test_policy_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
owner_fixture = tests/unit/owner-fixture.c tests/unit/idl.c
tests_unit_test_owner_SOURCES = tests/unit/test-owner.c $(owner_fixture)
tests_unit_test_owner_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_owner_LDFLAGS = -Wl,--wrap=getsockopt
genl_fixture_wrap = -Wl,--wrap=nlio_resolve -Wl,--wrap=nlio_join -Wl,--wrap=nlio_send \
	-Wl,--wrap=nlio_send_genl -Wl,--wrap=nlio_recv
tests_unit_test_abi_SOURCES = \
	tests/unit/test-abi.c tests/unit/genl-fixture.c $(owner_fixture)
tests_unit_test_abi_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_abi_LDFLAGS = $(genl_fixture_wrap)
tests_unit_test_excess_SOURCES = \
	tests/unit/test-excess.c tests/unit/genl-fixture.c $(owner_fixture)
tests_unit_test_excess_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_excess_LDFLAGS = $(genl_fixture_wrap)
tests_unit_test_procfs_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_release_SOURCES = \
	tests/unit/test-release.c tests/unit/scene.c $(owner_fixture)
tests_unit_test_release_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_release_cgroup_SOURCES = tests/unit/test-release-cgroup.c $(owner_fixture)
tests_unit_test_release_cgroup_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_release_hook_SOURCES = tests/unit/test-release-hook.c $(owner_fixture)
tests_unit_test_release_hook_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_release_hook_LDFLAGS = -Wl,--wrap=action_hook -Wl,--wrap=action_free
tests_unit_test_release_limits_SOURCES = \
	tests/unit/test-release-limits.c tests/unit/scene.c $(owner_fixture)
tests_unit_test_release_limits_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_release_process_SOURCES = \
	tests/unit/test-release-process.c tests/unit/steps-fixture.c $(owner_fixture)
tests_unit_test_release_process_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_release_steps_SOURCES = \
	tests/unit/test-release-steps.c tests/unit/steps-fixture.c $(owner_fixture)
tests_unit_test_release_steps_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
endif

check_PROGRAMS += tests/fuzz/fuzz-procfs
TESTS += tests/fuzz/fuzz-procfs
tests_fuzz_fuzz_procfs_SOURCES = tests/fuzz/fuzz-procfs.c tests/fuzz/fuzz.h tests/fuzz/replay.c
tests_fuzz_fuzz_procfs_LDADD = daemon/libcore.la
