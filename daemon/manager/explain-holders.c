/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who uses up a limit: the pins that count for it, by process, kind and device. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/manager/answers.h"
#include "daemon/manager/explain.h"
#include "lib/cgroup-path.h"
#include "lib/json.h"

static bool is_below(const struct cgroup_node *node, const char *path)
{
	return node && node->path && cgroup_path_is_in(node->path, path);
}

/* Whether pins of an origin take of a limit. */
static bool takes(const struct explaining *x, const struct pin_check *c,
		  const struct pin_origin *origin)
{
	const struct explain_process *p = &x->facts.process;

	switch (c->type) {
	case CHECK_LIMIT:
		return c->cgroup && is_below(origin->charged, c->cgroup);
	case CHECK_RDMA_OBJECTS:
		return origin->kind == PINGUARD_KIND_RDMA && c->cgroup &&
		       is_below(origin->cgroup, c->cgroup) &&
		       (!c->device || strcmp(c->device, origin->device) == 0);
	case CHECK_DMA_ENTRIES:
		return origin->kind == PINGUARD_KIND_VFIO && p->pid && origin->tgid == p->pid;
	case CHECK_RLIMIT:
		if (!p->pid || !explain_counts_for(origin->kind, c->counter))
			return false;
		return c->counter == COUNTER_USER ? origin->uid == p->uid : origin->tgid == p->pid;
	default:
		return false;
	}
}

struct holder_sum {
	const struct pin_origin *origin; /* one of those that are summed up */
	uint64_t pins, bytes;
};

static bool is_same(const struct pin_origin *a, const struct pin_origin *b)
{
	return a->tgid == b->tgid && a->kind == b->kind && strcmp(a->device, b->device) == 0;
}

static int by_name(const void *a, const void *b)
{
	const struct pin_origin *p = ((const struct holder_sum *)a)->origin;
	const struct pin_origin *q = ((const struct holder_sum *)b)->origin;

	if (p->tgid != q->tgid)
		return p->tgid < q->tgid ? -1 : 1;
	if (p->kind != q->kind)
		return p->kind < q->kind ? -1 : 1;
	return strcmp(p->device, q->device);
}

static int larger_first(const void *a, const void *b)
{
	const struct holder_sum *p = a, *q = b;

	if (p->bytes != q->bytes)
		return p->bytes > q->bytes ? -1 : 1;
	return by_name(a, b);
}

/* Those of one process, for one device, become one; *n is how many there are then. */
static void merge(struct holder_sum *sums, size_t *n)
{
	size_t last = 0;

	if (*n == 0)
		return;
	qsort(sums, *n, sizeof(*sums), by_name);
	for (size_t i = 1; i < *n; i++) {
		if (is_same(sums[last].origin, sums[i].origin)) {
			sums[last].pins += sums[i].pins;
			sums[last].bytes += sums[i].bytes;
		} else {
			sums[++last] = sums[i];
		}
	}
	*n = last + 1;
	qsort(sums, *n, sizeof(*sums), larger_first);
}

static int collect(struct explaining *x, const struct pin_check *c, struct holder_sum **ret, size_t *ret_n)
{
	struct pin_origin *origin = NULL;
	size_t size = 0;

	while ((origin = registry_origin_next(x->m->registry, origin))) {
		if (!takes(x, c, origin) || !may_see_pin(x->m, x->call, origin->uid, origin->cgroup))
			continue;
		if (*ret_n == size) {
			struct holder_sum *more =
				reallocarray(*ret, size = 2 * size ?: 64, sizeof(*more));

			if (!more)
				return -ENOMEM;
			*ret = more;
		}
		(*ret)[(*ret_n)++] = (struct holder_sum){
			origin, origin->pins,
			c->type == CHECK_LIMIT ? origin->charged_bytes : origin->bytes,
		};
	}
	return 0;
}

static json_t *holder_json(const struct holder_sum *sum)
{
	const struct pin_origin *o = sum->origin;

	return json_pack("{s:I, s:o, s:o, s:o, s:s, s:o, s:I, s:o}",
			 "pid", (json_int_t)o->tgid,
			 "comm", json_escaped(o->comm, o->comm_len),
			 "uid", json_bytes_or_null(o->uid, o->uid != PIN_UID_NONE),
			 "cgroup", render_path(o->cgroup),
			 "kind", render_kind(o->kind),
			 "device", render_device(o),
			 "pins", (json_int_t)sum->pins,
			 "bytes", json_bytes(sum->bytes));
}

json_t *explain_holders_json(struct explaining *x, const struct pin_check *c)
{
	_cleanup_(freep) struct holder_sum *sums = NULL;
	_cleanup_json_ json_t *array = json_array();
	size_t n = 0;

	if (!array || (c->first && collect(x, c, &sums, &n) < 0))
		return NULL;
	merge(sums, &n);
	for (size_t i = 0; i < MIN(n, (size_t)EXPLAIN_HOLDERS_MAX); i++)
		if (json_array_append_new(array, holder_json(&sums[i])) < 0)
			return NULL;
	return TAKE_PTR(array);
}

/* The first that lives; cgroup.procs of a threaded cgroup cannot be read. */
static pid_t first_process(struct manager *m, const char *path)
{
	_cleanup_(closep) int fd = cgroupfs_open(cgroups_fs(m->cgroups), path);
	struct explain_process process;
	char text[EXPLAIN_PIDS_MAX * 12];
	unsigned int n = 0;
	char *at, *line;
	int r = fd < 0 ? fd : cgroupfs_read(fd, "cgroup.procs", text, sizeof(text));

	if (r < 0 && r != -EFBIG)
		return 0;
	/* Of more than fit the last one may be cut. */
	text[sizeof(text) - 1] = '\0';
	if (r == -EFBIG && strrchr(text, '\n'))
		*strrchr(text, '\n') = '\0';
	for (at = text; n < EXPLAIN_PIDS_MAX && (line = strsep(&at, "\n")); n++) {
		const pid_t pid = atoi(line);

		if (pid < 1 || explain_read_process(m, pid, &process) < 0)
			continue;
		free(process.cgroup);
		return process.pid;
	}
	return 0;
}

pid_t explain_pick_process(struct manager *m, const char *path)
{
	const struct pin_origin *most = NULL;
	struct pin_origin *origin = NULL;

	while ((origin = registry_origin_next(m->registry, origin)))
		if (origin->tgid && is_below(origin->cgroup, path) &&
		    (!most || origin->bytes > most->bytes))
			most = origin;
	return most ? (pid_t)most->tgid : first_process(m, path);
}
