# SPDX-License-Identifier: GPL-2.0-or-later
# Fuzz targets. "make check" replays the corpus through each; for libFuzzer
# configure with CC=clang and "make fuzz", then run tests/fuzz/libfuzzer-NAME CORPUS.
fuzz_targets = \
	tests/fuzz/fuzz-escape \
	tests/fuzz/fuzz-owner \
	tests/fuzz/fuzz-parse \
	tests/fuzz/fuzz-scan \
	tests/fuzz/fuzz-varlink
# Of the service: libFuzzer's form is of lib/ and libpinguard/ alone.
daemon_fuzz_targets = \
	tests/fuzz/fuzz-config \
	tests/fuzz/fuzz-declarations \
	tests/fuzz/fuzz-failure \
	tests/fuzz/fuzz-iomem \
	tests/fuzz/fuzz-ladder \
	tests/fuzz/fuzz-netlink \
	tests/fuzz/fuzz-place \
	tests/fuzz/fuzz-procfs \
	tests/fuzz/fuzz-store \
	tests/fuzz/fuzz-target
check_PROGRAMS += $(fuzz_targets) $(daemon_fuzz_targets)
TESTS += $(fuzz_targets) $(daemon_fuzz_targets)
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
tests_fuzz_fuzz_config_SOURCES = tests/fuzz/fuzz-config.c $(fuzz_common)
tests_fuzz_fuzz_config_LDADD = daemon/libcore.la
tests_fuzz_fuzz_declarations_SOURCES = tests/fuzz/fuzz-declarations.c $(fuzz_common)
tests_fuzz_fuzz_declarations_LDADD = daemon/libcore.la
tests_fuzz_fuzz_failure_SOURCES = tests/fuzz/fuzz-failure.c $(fuzz_common)
tests_fuzz_fuzz_failure_LDADD = daemon/libcore.la
tests_fuzz_fuzz_iomem_SOURCES = tests/fuzz/fuzz-iomem.c $(fuzz_common)
tests_fuzz_fuzz_iomem_LDADD = daemon/libcore.la
tests_fuzz_fuzz_ladder_SOURCES = tests/fuzz/fuzz-ladder.c $(fuzz_common)
tests_fuzz_fuzz_ladder_LDADD = daemon/libcore.la
tests_fuzz_fuzz_netlink_SOURCES = tests/fuzz/fuzz-netlink.c $(fuzz_common)
tests_fuzz_fuzz_netlink_LDADD = daemon/libcore.la
tests_fuzz_fuzz_place_SOURCES = tests/fuzz/fuzz-place.c $(fuzz_common)
tests_fuzz_fuzz_place_LDADD = daemon/libcore.la
tests_fuzz_fuzz_procfs_SOURCES = tests/fuzz/fuzz-procfs.c $(fuzz_common)
tests_fuzz_fuzz_procfs_LDADD = daemon/libcore.la
tests_fuzz_fuzz_store_SOURCES = tests/fuzz/fuzz-store.c $(fuzz_common)
tests_fuzz_fuzz_store_LDADD = daemon/libcore.la
tests_fuzz_fuzz_target_SOURCES = tests/fuzz/fuzz-target.c $(fuzz_common)
tests_fuzz_fuzz_target_LDADD = daemon/libcore.la

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
