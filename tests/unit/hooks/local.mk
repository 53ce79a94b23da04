# SPDX-License-Identifier: GPL-2.0-or-later
EXTRA_DIST += tests/unit/hooks/hooks-test tests/unit/hooks/qmp-hook.py
TESTS += tests/unit/hooks/hooks-test
