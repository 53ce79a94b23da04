# SPDX-License-Identifier: GPL-2.0-or-later
dist_check_SCRIPTS += tests/circles
TESTS += tests/circles

include tests/vm/local.mk
include tests/bench/local.mk
include tests/fuzz/local.mk
include tests/unit/lib/local.mk
include tests/unit/libpinguard/local.mk
include tests/unit/client/local.mk
include tests/unit/hooks/local.mk
include tests/unit/manager/local.mk
include tests/unit/base/local.mk
include tests/unit/model/local.mk
include tests/unit/kernel/local.mk
include tests/unit/probe/local.mk
include tests/unit/cgroup/local.mk
include tests/unit/devices/local.mk
include tests/unit/varlink/local.mk
include tests/unit/ladder/local.mk
include tests/unit/offline/local.mk
include tests/unit/release/local.mk
include tests/unit/triggers/local.mk
