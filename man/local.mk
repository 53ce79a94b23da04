# SPDX-License-Identifier: GPL-2.0-or-later
dist_man_MANS += \
	man/libpinguard.3 \
	man/org.pinguard.Manager.7 \
	man/org.pinguard.Owner.7 \
	man/pinctl.1 \
	man/pinguard.8 \
	man/pinguard-probe.8 \
	man/pinguard.conf.5 \
	man/pinguard.quota.5 \
	man/pinguard.release.5
EXTRA_DIST += \
	CONTRIBUTING.md \
	LICENSES/GPL-2.0-or-later.txt \
	LICENSES/LGPL-2.1-or-later.txt \
	README.md \
	docs/architecture.md \
	docs/kernel.md \
	docs/performance.md
