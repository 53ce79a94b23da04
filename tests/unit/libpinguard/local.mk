# SPDX-License-Identifier: GPL-2.0-or-later
if HAVE_CMOCKA
libpinguard_fixture = \
	tests/unit/libpinguard/libpinguard-fixture.c tests/unit/libpinguard/libpinguard-fixture.h
libpinguard_tests = \
	tests/unit/libpinguard/test-libpinguard \
	tests/unit/libpinguard/test-libpinguard-hostile \
	tests/unit/libpinguard/test-libpinguard-message
check_PROGRAMS += $(libpinguard_tests)
TESTS += $(libpinguard_tests)
tests_unit_libpinguard_test_libpinguard_SOURCES = tests/unit/libpinguard/test-libpinguard.c $(libpinguard_fixture)
tests_unit_libpinguard_test_libpinguard_LDADD = libpinguard/libowner.la lib/libutil.la $(CMOCKA_LIBS)
tests_unit_libpinguard_test_libpinguard_hostile_SOURCES = tests/unit/libpinguard/test-libpinguard-hostile.c $(libpinguard_fixture)
tests_unit_libpinguard_test_libpinguard_hostile_LDADD = libpinguard/libowner.la lib/libutil.la $(CMOCKA_LIBS)
tests_unit_libpinguard_test_libpinguard_message_LDADD = libpinguard/libowner.la lib/libutil.la $(CMOCKA_LIBS)
endif

# what the library exports, and that its header is C and C++
dist_check_SCRIPTS += tests/libpinguard-abi
TESTS += tests/libpinguard-abi
AM_TESTS_ENVIRONMENT += CC='$(CC)'; export CC;
