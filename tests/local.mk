# SPDX-License-Identifier: GPL-2.0-or-later
include tests/vm/local.mk
include tests/bench/local.mk
include tests/unit/base.mk
include tests/fuzz/local.mk
include tests/unit/daemon.mk
include tests/unit/kernel.mk
include tests/unit/failure.mk
include tests/unit/release.mk
include tests/unit/action.mk
include tests/unit/libpinguard.mk
include tests/unit/place.mk
