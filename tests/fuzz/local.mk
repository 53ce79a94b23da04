# SPDX-License-Identifier: GPL-2.0-or-later
# Fuzz targets. "make check" replays the corpus through each; for libFuzzer
# configure with CC=clang and "make fuzz", then run tests/fuzz/libfuzzer-NAME CORPUS.
fuzz_targets = \
	tests/fuzz/fuzz-escape \
	tests/fuzz/fuzz-owner \
	tests/fuzz/fuzz-parse \
	tests/fuzz/fuzz-scan \
	tests/fuzz/fuzz-varlink
check_PROGRAMS += $(fuzz_targets)
TESTS += $(fuzz_targets)
AM_TESTS_ENVIRONMENT = FUZZ_CORPUS='$(abs_top_srcdir)/tests/fuzz/corpus'; export FUZZ_CORPUS;
EXTRA_DIST += tests/fuzz/corpus

fuzz_common = tests/fuzz/fuzz.h tests/fuzz/replay.c
tests_fuzz_fuzz_escape_SOURCES = tests/fuzz/fuzz-escape.c $(fuzz_common)
tests_fuzz_fuzz_escape_LDADD = lib/libutil.la $(JANSSON_LIBS)
tests_fuzz_fuzz_owner_SOURCES = tests/fuzz/fuzz-owner.c $(fuzz_common)
tests_fuzz_fuzz_owner_LDADD = libpinguard/libowner.la lib/libutil.la $(JANSSON_LIBS)
tests_fuzz_fuzz_parse_SOURCES = tests/fuzz/fuzz-parse.c $(fuzz_common)
tests_fuzz_fuzz_parse_LDADD = lib/libutil.la
tests_fuzz_fuzz_scan_SOURCES = tests/fuzz/fuzz-scan.c $(fuzz_common)
tests_fuzz_fuzz_scan_LDADD = lib/libutil.la $(JANSSON_LIBS)
tests_fuzz_fuzz_varlink_SOURCES = tests/fuzz/fuzz-varlink.c $(fuzz_common)
tests_fuzz_fuzz_varlink_LDADD = lib/libutil.la $(JANSSON_LIBS)

# Compiled in one go, so that lib/ and libpinguard/ are instrumented too.
FUZZ_FLAGS = -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
fuzz:
	$(MKDIR_P) tests/fuzz
	for target in $(fuzz_targets:tests/fuzz/fuzz-%=%); do \
		$(CC) $(DEFS) $(DEFAULT_INCLUDES) $(AM_CPPFLAGS) $(AM_CFLAGS) $(FUZZ_FLAGS) \
			-o tests/fuzz/libfuzzer-$$target $(srcdir)/tests/fuzz/fuzz-$$target.c \
			$(srcdir)/lib/*.c $(srcdir)/libpinguard/*.c $(SYSTEMD_LIBS) $(JANSSON_LIBS) || exit 1; \
	done
CLEANFILES += $(fuzz_targets:tests/fuzz/fuzz-%=tests/fuzz/libfuzzer-%)
.PHONY: fuzz
