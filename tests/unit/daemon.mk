# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of the service's own parts.
if HAVE_CMOCKA
daemon_tests = \
	tests/unit/test-cgroup \
	tests/unit/test-events \
	tests/unit/test-observe \
	tests/unit/test-pinmsg \
	tests/unit/test-quota \
	tests/unit/test-quota-store \
	tests/unit/test-registry \
	tests/unit/test-revoke \
	tests/unit/test-support
check_PROGRAMS += $(daemon_tests)
TESTS += $(daemon_tests)
tests_unit_test_cgroup_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_events_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_observe_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_pinmsg_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_quota_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_quota_store_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_registry_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_revoke_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_test_support_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
endif

check_PROGRAMS += tests/fuzz/fuzz-netlink tests/fuzz/fuzz-store
TESTS += tests/fuzz/fuzz-netlink tests/fuzz/fuzz-store
tests_fuzz_fuzz_netlink_SOURCES = tests/fuzz/fuzz-netlink.c tests/fuzz/fuzz.h tests/fuzz/replay.c
tests_fuzz_fuzz_netlink_LDADD = daemon/libcore.la
tests_fuzz_fuzz_store_SOURCES = tests/fuzz/fuzz-store.c tests/fuzz/fuzz.h tests/fuzz/replay.c
tests_fuzz_fuzz_store_LDADD = daemon/libcore.la
