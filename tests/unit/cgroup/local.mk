# SPDX-License-Identifier: GPL-2.0-or-later
EXTRA_DIST += tests/unit/cgroup/policies-fixture.h
if HAVE_CMOCKA
cgroup_tests = \
	tests/unit/cgroup/test-cgroup \
	tests/unit/cgroup/test-cgroups-declared \
	tests/unit/cgroup/test-declarations \
	tests/unit/cgroup/test-declared \
	tests/unit/cgroup/test-policies \
	tests/unit/cgroup/test-policies-declared \
	tests/unit/cgroup/test-quota \
	tests/unit/cgroup/test-quota-store \
	tests/unit/cgroup/test-rdma \
	tests/unit/cgroup/test-tree
check_PROGRAMS += $(cgroup_tests)
TESTS += $(cgroup_tests)
tests_unit_cgroup_test_cgroup_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_cgroup_test_cgroups_declared_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_cgroup_test_declarations_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_cgroup_test_declared_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_cgroup_test_policies_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_cgroup_test_policies_declared_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_cgroup_test_quota_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_cgroup_test_rdma_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_cgroup_test_quota_store_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
tests_unit_cgroup_test_tree_LDADD = daemon/libcore.la $(CMOCKA_LIBS)
endif
