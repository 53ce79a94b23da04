# SPDX-License-Identifier: GPL-2.0-or-later
if HAVE_CMOCKA
if HAVE_BPF
check_PROGRAMS += tests/unit/probe/test-before tests/unit/probe/test-prototype
TESTS += tests/unit/probe/test-before tests/unit/probe/test-prototype
tests_unit_probe_test_before_SOURCES = tests/unit/probe/test-before.c \
	probe/before.c probe/hooks.c
tests_unit_probe_test_before_CFLAGS = $(AM_CFLAGS) $(BPF_CFLAGS)
tests_unit_probe_test_before_LDADD = $(BPF_LIBS) $(CMOCKA_LIBS)
tests_unit_probe_test_prototype_SOURCES = tests/unit/probe/test-prototype.c \
	probe/failure-words.c probe/hooks.c probe/prototype.c
tests_unit_probe_test_prototype_CFLAGS = $(AM_CFLAGS) $(BPF_CFLAGS)
tests_unit_probe_test_prototype_LDADD = $(BPF_LIBS) $(CMOCKA_LIBS)
endif
endif
