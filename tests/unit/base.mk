# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of lib/, the server and pinctl.
EXTRA_DIST += tests/unit/pinctl-fixture.h tests/unit/server-fixture.h tests/unit/unit.h
if HAVE_CMOCKA
base_tests = \
	tests/unit/test-cgroup-path \
	tests/unit/test-escape \
	tests/unit/test-file \
	tests/unit/test-format \
	tests/unit/test-parse \
	tests/unit/test-pinctl \
	tests/unit/test-pinctl-failures \
	tests/unit/test-pinctl-release \
	tests/unit/test-pinctl-remove \
	tests/unit/test-server \
	tests/unit/test-server-limits \
	tests/unit/test-varlink
check_PROGRAMS += $(base_tests)
TESTS += $(base_tests)

tests_unit_test_cgroup_path_LDADD = lib/libutil.la $(CMOCKA_LIBS)
tests_unit_test_escape_LDADD = lib/libutil.la $(CMOCKA_LIBS)
tests_unit_test_file_LDADD = lib/libutil.la $(CMOCKA_LIBS)
tests_unit_test_format_LDADD = lib/libutil.la $(CMOCKA_LIBS)
tests_unit_test_parse_LDADD = lib/libutil.la $(CMOCKA_LIBS)
# these run ./pinctl
tests_unit_test_pinctl_SOURCES = tests/unit/test-pinctl.c tests/unit/pinctl-fixture.c
tests_unit_test_pinctl_LDADD = daemon/libserver.la $(CMOCKA_LIBS)
EXTRA_tests_unit_test_pinctl_DEPENDENCIES = pinctl
tests_unit_test_pinctl_failures_SOURCES = \
	tests/unit/test-pinctl-failures.c tests/unit/pinctl-fixture.c
tests_unit_test_pinctl_failures_LDADD = daemon/libserver.la $(CMOCKA_LIBS)
EXTRA_tests_unit_test_pinctl_failures_DEPENDENCIES = pinctl
tests_unit_test_pinctl_release_SOURCES = \
	tests/unit/test-pinctl-release.c tests/unit/pinctl-fixture.c
tests_unit_test_pinctl_release_LDADD = daemon/libserver.la $(CMOCKA_LIBS)
EXTRA_tests_unit_test_pinctl_release_DEPENDENCIES = pinctl
tests_unit_test_pinctl_remove_SOURCES = \
	tests/unit/test-pinctl-remove.c tests/unit/pinctl-fixture.c \
	client/call.c client/list.c client/options.c client/progress.c client/remove-nd.c client/remove-run.c \
	client/remove.c client/request-show.c client/table.c
tests_unit_test_pinctl_remove_CPPFLAGS = \
	$(AM_CPPFLAGS) $(SMARTCOLS_CFLAGS) $(NDCTL_CFLAGS) $(DAXCTL_CFLAGS)
tests_unit_test_pinctl_remove_LDADD = daemon/libserver.la $(CMOCKA_LIBS) $(JANSSON_LIBS) \
	$(SMARTCOLS_LIBS) $(NDCTL_LIBS) $(DAXCTL_LIBS)
tests_unit_test_varlink_LDADD = lib/libutil.la $(CMOCKA_LIBS)
tests_unit_test_server_SOURCES = tests/unit/test-server.c tests/unit/server-fixture.c
tests_unit_test_server_LDADD = daemon/libserver.la $(CMOCKA_LIBS)
tests_unit_test_server_limits_SOURCES = \
	tests/unit/test-server-limits.c tests/unit/server-fixture.c
tests_unit_test_server_limits_LDADD = daemon/libserver.la $(CMOCKA_LIBS)
endif
