/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/pinguard.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/macros.h"
#include "probe/limits.h"
#include "probe/load-internal.h"

#define LSM_LIST "/sys/kernel/security/lsm"

static const struct hook task[] = {
	{ "task_over", NULL, "exit_files", { "", "task_struct" } },
};

/* Until Linux 6.7 32-bit programs have no hook of their own. */
static const struct hook ioctl_hooks[] = {
	{ "limit_ioctl", NULL, "bpf_lsm_file_ioctl", { "", "file", "", "" } },
	{ "limit_ioctl_compat", NULL, "bpf_lsm_file_ioctl_compat", { "", "file", "", "" }, true },
};

static const struct hook capable[] = {
	{ "limit_capable", NULL, "bpf_lsm_capable", { "", "cred", "user_namespace", "", "" } },
};

static const struct hook vfio[] = {
	{ "vfio_file_over", "vfio", "vfio_fops_unl_ioctl", { "", "file", "", "" } },
};

static const struct hook rdma[] = {
	{ "rdma_call_over", PROBE_MODULE_RDMA, "ib_uverbs_ioctl", { "", "file", "", "" } },
	{ "rdma_asks", PROBE_MODULE_RDMA, "ib_umem_get", { "ib_umem", "ib_device", "", "", "" } },
	{ "limit_write", NULL, "bpf_lsm_file_permission", { "", "file", "" } },
};

static const struct hook xdp[] = {
	{ "xdp_call_over", NULL, "xsk_setsockopt", { "", "socket", "", "", "", "" } },
	{ "limit_setsockopt", NULL, "bpf_lsm_socket_setsockopt", { "", "socket", "", "" } },
};

enum { SET_TASK, SET_IOCTL, SET_CAPABLE, SET_VFIO, SET_RDMA, SET_XDP, SETS };

static const struct hook_set sets[SETS] = {
	[SET_TASK] = { task, ARRAY_SIZE(task) },
	[SET_IOCTL] = { ioctl_hooks, ARRAY_SIZE(ioctl_hooks) },
	[SET_CAPABLE] = { capable, ARRAY_SIZE(capable) },
	[SET_VFIO] = { vfio, ARRAY_SIZE(vfio) },
	[SET_RDMA] = { rdma, ARRAY_SIZE(rdma) },
	[SET_XDP] = { xdp, ARRAY_SIZE(xdp) },
};

/* What ends a call is there before what allows one. */
static const struct limit {
	uint32_t kind, enforced;
	unsigned int needs[SETS]; /* how many */
	size_t n;
} limits[] = {
	{ PINGUARD_KIND_RDMA, PROBE_ENFORCED_LSM,
	  { SET_TASK, SET_RDMA, SET_CAPABLE, SET_IOCTL }, 4 },
	{ PINGUARD_KIND_VFIO, PROBE_ENFORCED_LSM, { SET_TASK, SET_VFIO, SET_IOCTL }, 3 },
	{ PINGUARD_KIND_IO_URING, PROBE_ENFORCED_RLIMIT, { SET_CAPABLE }, 1 },
	{ PINGUARD_KIND_XDP, PROBE_ENFORCED_LSM, { SET_TASK, SET_XDP }, 2 },
};

/* Programs for a security module that is off are taken, and never asked. */
static const char *why_no_lsm(void)
{
	_cleanup_(closep) int fd = open(LSM_LIST, O_RDONLY | O_CLOEXEC);
	char text[256], *word, *save;
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

	if (n < 0)
		return "cannot read " LSM_LIST;
	text[n] = '\0';
	for (word = strtok_r(text, ",\n", &save); word; word = strtok_r(NULL, ",\n", &save))
		if (strcmp(word, "bpf") == 0)
			return NULL;
	return "bpf is not in the kernel's list of security modules (lsm= on its command line)";
}

static bool is_attached(const struct hook_set *set)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), LOAD_DIR "/link_%s", set->hooks[0].program);
	return access(path, F_OK) == 0;
}

static int attach_all(struct loader *l, const struct limit *limit)
{
	int r = 0;

	for (size_t i = 0; i < limit->n && r >= 0; i++)
		if (!is_attached(&sets[limit->needs[i]]))
			r = loader_attach(l, &sets[limit->needs[i]]);
	return r;
}

static int set_enforced(struct loader *l, uint32_t kind, uint32_t enforced, const char *reason)
{
	struct probe_kind entry;
	int r = bpf_map_lookup_elem(l->kinds_fd, &kind, &entry);

	if (r < 0)
		return r;
	entry.enforced = enforced;
	snprintf(entry.limit_reason, sizeof(entry.limit_reason), "%s", reason);
	return bpf_map_update_elem(l->kinds_fd, &kind, &entry, BPF_ANY);
}

static bool is_watched(const struct loader *l, uint32_t kind)
{
	struct probe_kind entry;

	return bpf_map_lookup_elem(l->kinds_fd, &kind, &entry) == 0 && entry.since_nsec;
}

static int keep(struct loader *l, const struct limit *limit, const char *no_lsm)
{
	char reason[PROBE_REASON_MAX] = "";
	int r;

	if (!is_watched(l, limit->kind))
		return set_enforced(l, limit->kind, PROBE_ENFORCED_NOTHING, "it is not watched");
	if (no_lsm)
		return set_enforced(l, limit->kind, PROBE_ENFORCED_NOTHING, no_lsm);
	l->reason = reason;
	r = attach_all(l, limit);
	l->reason = NULL;
	return set_enforced(l, limit->kind, r < 0 ? PROBE_ENFORCED_NOTHING : limit->enforced,
			    reason);
}

/* What allows goes before what ends the call. */
static void end_all(void)
{
	for (size_t i = SETS; i > 0; i--)
		loader_detach(&sets[i - 1]);
}

int limits_apply(struct loader *l, enum probe_wish wish)
{
	const char *no_lsm = wish == PROBE_WISH_LIMIT ? why_no_lsm() : NULL;
	int r = 0;

	if (wish == PROBE_WISH_AS_IT_IS)
		return 0;
	if (wish == PROBE_WISH_WATCH)
		end_all();
	for (uint32_t kind = 0; kind < PROBE_KINDS_MAX && r >= 0; kind++)
		r = set_enforced(l, kind, PROBE_ENFORCED_NOTHING,
				 wish == PROBE_WISH_LIMIT ? "no program can refuse it" : "");
	for (size_t i = 0; i < ARRAY_SIZE(limits) && wish == PROBE_WISH_LIMIT && r >= 0; i++)
		r = keep(l, &limits[i], no_lsm);
	return r;
}
