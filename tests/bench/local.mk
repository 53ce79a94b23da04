# SPDX-License-Identifier: GPL-2.0-or-later
# Measurements, each a script for tests/vm/run; it builds their programs.
bench_programs = tests/bench/kernel-cost tests/bench/registry tests/bench/revoke-times
EXTRA_PROGRAMS += $(bench_programs)
tests_bench_kernel_cost_SOURCES = tests/bench/kernel-cost.c tests/vm/pinners.c tests/vm/pinners.h
tests_bench_kernel_cost_LDADD = -libverbs
tests_bench_registry_LDADD = daemon/libcore.la
tests_bench_registry_LDFLAGS = -no-install
tests_bench_revoke_times_LDADD = libpinguard/libpinguard.la -libverbs $(NL_LIBS)
# with no wrapper script, so that it can be copied into the guest
tests_bench_revoke_times_LDFLAGS = -no-install

vm-programs: $(bench_programs)

EXTRA_DIST += tests/bench/cost.sh tests/bench/kernel tests/bench/list tests/bench/probe tests/bench/revoke
