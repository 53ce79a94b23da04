# SPDX-License-Identifier: GPL-2.0-or-later
# These run ./pinctl.
if HAVE_CMOCKA
client_tests = \
	tests/unit/client/test-pinctl \
	tests/unit/client/test-pinctl-dax \
	tests/unit/client/test-pinctl-explain \
	tests/unit/client/test-pinctl-failures \
	tests/unit/client/test-pinctl-help \
	tests/unit/client/test-pinctl-pins \
	tests/unit/client/test-pinctl-release \
	tests/unit/client/test-pinctl-remove \
	tests/unit/client/test-pinctl-status \
	tests/unit/client/test-scan
check_PROGRAMS += $(client_tests)
TESTS += $(client_tests)
tests_unit_client_test_pinctl_SOURCES = tests/unit/client/test-pinctl.c tests/unit/client/pinctl-fixture.c tests/unit/client/pinctl-fixture.h
tests_unit_client_test_pinctl_LDADD = daemon/libserver.la $(CMOCKA_LIBS)
EXTRA_tests_unit_client_test_pinctl_DEPENDENCIES = pinctl
tests_unit_client_test_pinctl_dax_SOURCES = tests/unit/client/test-pinctl-dax.c tests/unit/client/pinctl-fixture.c
tests_unit_client_test_pinctl_dax_LDADD = client/libpinctl.la daemon/libserver.la $(CMOCKA_LIBS)
tests_unit_client_test_pinctl_explain_SOURCES = tests/unit/client/test-pinctl-explain.c tests/unit/client/pinctl-fixture.c
tests_unit_client_test_pinctl_explain_LDADD = daemon/libserver.la $(CMOCKA_LIBS)
EXTRA_tests_unit_client_test_pinctl_explain_DEPENDENCIES = pinctl
tests_unit_client_test_pinctl_failures_SOURCES = tests/unit/client/test-pinctl-failures.c tests/unit/client/pinctl-fixture.c
tests_unit_client_test_pinctl_failures_LDADD = daemon/libserver.la $(CMOCKA_LIBS)
EXTRA_tests_unit_client_test_pinctl_failures_DEPENDENCIES = pinctl
tests_unit_client_test_pinctl_help_SOURCES = tests/unit/client/test-pinctl-help.c tests/unit/client/pinctl-fixture.c
tests_unit_client_test_pinctl_help_LDADD = daemon/libserver.la $(CMOCKA_LIBS)
EXTRA_tests_unit_client_test_pinctl_help_DEPENDENCIES = pinctl
tests_unit_client_test_pinctl_pins_SOURCES = tests/unit/client/test-pinctl-pins.c tests/unit/client/pinctl-fixture.c
tests_unit_client_test_pinctl_pins_LDADD = daemon/libserver.la $(CMOCKA_LIBS)
EXTRA_tests_unit_client_test_pinctl_pins_DEPENDENCIES = pinctl
tests_unit_client_test_pinctl_release_SOURCES = tests/unit/client/test-pinctl-release.c tests/unit/client/pinctl-fixture.c
tests_unit_client_test_pinctl_release_LDADD = daemon/libserver.la $(CMOCKA_LIBS)
EXTRA_tests_unit_client_test_pinctl_release_DEPENDENCIES = pinctl
tests_unit_client_test_pinctl_remove_SOURCES = tests/unit/client/test-pinctl-remove.c tests/unit/client/pinctl-fixture.c
tests_unit_client_test_pinctl_remove_LDADD = client/libpinctl.la daemon/libserver.la $(CMOCKA_LIBS)
tests_unit_client_test_pinctl_status_SOURCES = tests/unit/client/test-pinctl-status.c tests/unit/client/pinctl-fixture.c
tests_unit_client_test_pinctl_status_LDADD = daemon/libserver.la $(CMOCKA_LIBS)
EXTRA_tests_unit_client_test_pinctl_status_DEPENDENCIES = pinctl
tests_unit_client_test_scan_LDADD = client/libpinctl.la $(CMOCKA_LIBS)
endif
