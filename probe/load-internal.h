/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between what watches and what keeps limits. */
#ifndef PINGUARD_PROBE_LOAD_INTERNAL_H
#define PINGUARD_PROBE_LOAD_INTERNAL_H

#include <bpf/btf.h>

#include "probe/hooks.h"
#include "probe/load.h"

struct loader {
	struct btf *kernel;
	int kinds_fd;
	char *reason; /* of PROBE_REASON_MAX bytes, why a kind is not watched */
	const struct hook_kind *kind; /* whose pins from before are found as well, or NULL */
	char *before; /* then, as the reason: see struct probe_kind */
};

/* All programs of a set, which stay; or a negative errno with the reason in the loader. */
int loader_attach(struct loader *l, const struct hook_set *set);
void loader_detach(const struct hook_set *set);

#endif
