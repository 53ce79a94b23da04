/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pins summed up, by one thing that they have in common. What each pin adds for
 * itself, its age and where it is, is noted pin by pin, in as many turns as that
 * takes; how many there are, and how large, is counted in the end, by origins, so
 * that it is of one moment.
 */
#ifndef PINGUARD_MODEL_SUMS_H
#define PINGUARD_MODEL_SUMS_H

#include <jansson.h>

#include "daemon/model/registry.h"

/* Sums in one answer, the largest; how many more there are is told. */
#define SUMS_MAX 8192
/* With more pins than that nobody sorts their addresses: how many bytes are distinct is not told. */
#define SUMS_DISTINCT_PINS_MAX 65536

enum sum_by {
	SUM_BY_PROCESS,
	SUM_BY_CGROUP, /* of its own pins alone */
	SUM_BY_DEVICE, /* and kind */
	SUM_BY_KIND,
};

struct sums;

int sums_parse_by(const char *name, enum sum_by *ret); /* -EINVAL for what is none */
struct sums *sums_new(enum sum_by by);
struct sums *sums_free(struct sums *s);
DEFINE_CLEANUP(struct sums *, sums_free);

/* Its age, and its addresses. 0 or -ENOMEM */
int sums_note(struct sums *s, const struct pin *pin);
/* So many pins of an origin, which have been noted. 0 or -ENOMEM */
int sums_count(struct sums *s, const struct pin_origin *origin, uint64_t pins, uint64_t bytes);

/* The parameters of SumPins' reply, the largest first; NULL when out of memory. */
json_t *sums_json(struct sums *s);

#endif
