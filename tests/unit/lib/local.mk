# SPDX-License-Identifier: GPL-2.0-or-later
if HAVE_CMOCKA
lib_tests = \
	tests/unit/lib/test-cgroup-path \
	tests/unit/lib/test-escape \
	tests/unit/lib/test-file \
	tests/unit/lib/test-format \
	tests/unit/lib/test-parse \
	tests/unit/lib/test-varlink
check_PROGRAMS += $(lib_tests)
TESTS += $(lib_tests)
tests_unit_lib_test_cgroup_path_LDADD = lib/libutil.la $(CMOCKA_LIBS)
tests_unit_lib_test_escape_LDADD = lib/libutil.la $(CMOCKA_LIBS)
tests_unit_lib_test_file_LDADD = lib/libutil.la $(CMOCKA_LIBS)
tests_unit_lib_test_format_LDADD = lib/libutil.la $(CMOCKA_LIBS)
tests_unit_lib_test_parse_LDADD = lib/libutil.la $(CMOCKA_LIBS)
tests_unit_lib_test_varlink_LDADD = lib/libutil.la $(CMOCKA_LIBS)
endif
