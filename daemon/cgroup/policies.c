/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "daemon/base/base.h"
#include "daemon/cgroup/policies-internal.h"
#include "daemon/model/model.h"
#include "lib/clock.h"
#include "lib/escape.h"
#include "lib/json.h"
#include "lib/log.h"

static struct policy_entry *entry_new(const char *path, uint32_t policy, uint32_t count)
{
	struct policy_entry *e = calloc(1, sizeof(*e));

	if (e)
		e->path = strdup(path);
	if (!e || !e->path) {
		free(e);
		return NULL;
	}
	e->policy = policy;
	e->count = count;
	return e;
}

static void entry_free(struct policy_entry *e)
{
	if (e)
		free(e->path);
	free(e);
}

static void clear_list(struct policies *p)
{
	struct policy_entry *e, *next;

	DL_FOREACH_SAFE(p->list, e, next) {
		DL_DELETE(p->list, e);
		entry_free(e);
	}
}

static int load_one(const char *path, const json_t *item, void *userdata)
{
	struct policies *p = userdata;
	struct policy_entry *e;
	uint32_t policy, count;

	if (render_parse_policy(json_get_string(item, "policy", ""), &policy) < 0 ||
	    render_parse_count(json_get_string(item, "count", "each"), &count) < 0 ||
	    policies_find(p, path))
		return -EBADMSG;
	e = entry_new(path, policy, count);
	if (!e)
		return -ENOMEM;
	DL_APPEND(p->list, e);
	return 0;
}

static int load(struct policies *p)
{
	_cleanup_(freep) char *aside = NULL;
	const char *reason;
	int r;

	r = store_load(p->dir_fd, POLICIES_FILE, "policies", load_one, p, &reason);
	if (r != -EBADMSG)
		return r;
	clear_list(p);
	r = store_set_aside(p->dir_fd, POLICIES_FILE, clock_usec(CLOCK_REALTIME), &aside);
	if (r < 0)
		return r;
	log_event(LOG_ERR, MESSAGE_POLICIES_CORRUPT, NULL,
		  "the stored policies cannot be read (%s); the file is kept as %s, and there "
		  "are no policies now", reason, aside);
	return 0;
}

static int save(struct policies *p)
{
	_cleanup_json_ json_t *array = json_array();
	const struct policy_entry *e;

	if (p->dir_fd < 0)
		return 0;
	if (!array)
		return -ENOMEM;
	DL_FOREACH(p->list, e) {
		if (e->runtime)
			continue;
		if (json_array_append_new(array, json_pack("{s:o, s:s, s:s}", "cgroup",
				json_escaped(e->path, strlen(e->path)), "policy",
				render_policy(e->policy), "count",
				render_count(e->count))) < 0)
			return -ENOMEM;
	}
	return store_save(p->dir_fd, POLICIES_FILE, "policies", json_incref(array));
}

int policies_new(const struct policies_config *config, struct policies **ret)
{
	_cleanup_(policies_freep) struct policies *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	p->fs = config->fs;
	p->quotas = config->quotas;
	p->genl = config->genl;
	p->dir_fd = -1;
	if (config->state_dir) {
		p->dir_fd = open(config->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (p->dir_fd < 0)
			return -errno;
		r = load(p);
		if (r < 0)
			return r;
	}
	*ret = TAKE_PTR(p);
	return 0;
}

struct policies *policies_free(struct policies *p)
{
	if (!p)
		return NULL;
	clear_list(p);
	closep(&p->dir_fd);
	free(p);
	return NULL;
}

void policies_set_tree(struct policies *p, struct cgroup_tree *tree)
{
	p->tree = tree;
}

const char *policies_unsupported(const struct policies *p)
{
	if (!p->genl)
		return "the kernel has no policies for device memory";
	if (!(genl_features(p->genl) & PINGUARD_FEATURE_POLICY))
		return "this version of the kernel's patches has no policies for device memory";
	return NULL;
}

const struct policy_entry *policies_list(const struct policies *p)
{
	return p->list;
}

const struct policy_entry *policies_find(const struct policies *p, const char *path)
{
	const struct policy_entry *e;

	DL_FOREACH(p->list, e)
		if (strcmp(e->path, path) == 0)
			return e;
	return NULL;
}

/* -ENOENT: no such cgroup */
static int open_id(struct policies *p, const char *path, uint64_t *ret_id)
{
	_cleanup_(closep) int fd = cgroupfs_open(p->fs, path);

	if (fd < 0)
		return fd == -ENODEV ? -ENOENT : fd;
	return cgroupfs_id(fd, ret_id);
}

static char *why_not(struct policies *p, const char *path, int error)
{
	const char *refusal = genl_refusal(p->genl);
	char *reason = NULL;

	if (error == -EOPNOTSUPP && p->quotas)
		reason = quotas_why_not(p->quotas, path);
	return reason ?: strdup(refusal ?: strerror(-error));
}

/* As policies_unsupported(), of a way to count. */
static const char *count_unsupported(const struct policies *p, uint32_t count)
{
	if (count == PINGUARD_COUNT_ONCE && !(genl_features(p->genl) & PINGUARD_FEATURE_ONCE))
		return "this version of the kernel's patches counts memory for each pin";
	return NULL;
}

int policies_write(struct policies *p, const char *path, uint32_t policy, uint32_t count,
		   char **ret_reason)
{
	const char *unsupported = policies_unsupported(p) ?: count_unsupported(p, count);
	struct policy_info info = { .policy = policy, .count = count };
	int r;

	if (unsupported) {
		*ret_reason = strdup(unsupported);
		return -EOPNOTSUPP;
	}
	r = open_id(p, path, &info.cgroup_id);
	if (r < 0)
		return r;
	r = genl_set_policy(p->genl, &info);
	if (r < 0 && r != -ENOENT)
		*ret_reason = why_not(p, path, r);
	return r;
}

static void tell_failure(const char *path, int error, const char *reason)
{
	_cleanup_(freep) char *shown = escape_name(path);

	log_warning_errno(error, "cannot apply the policy of %s: %s", shown ?: "?",
			  reason ?: strerror(-error));
}

void policies_apply(struct policies *p, const char *path)
{
	size_t len = path ? strlen(path) : 0;
	const struct policy_entry *e;

	if (policies_unsupported(p))
		return;
	DL_FOREACH(p->list, e) {
		_cleanup_(freep) char *reason = NULL;
		int r;

		if (path && (strncmp(e->path, path, len) != 0 ||
			     (e->path[len] && e->path[len] != '/')))
			continue;
		if (p->tree)
			(void)cgroup_tree_watch_above(p->tree, e->path);
		r = policies_write(p, e->path, e->policy, e->count, &reason);
		if (r < 0 && r != -ENOENT)
			tell_failure(e->path, r, reason);
	}
}

/* allow, and each, where the kernel knows of none */
struct policy_info policies_of_kernel(struct policies *p, const char *path)
{
	struct policy_info policy;
	uint64_t id;

	if (policies_unsupported(p) || open_id(p, path, &id) < 0 ||
	    genl_get_policy(p->genl, id, &policy) < 0)
		return (struct policy_info){ .policy = PINGUARD_POLICY_ALLOW,
					     .count = PINGUARD_COUNT_EACH };
	return policy;
}

static struct policy_info effective_policy(struct policies *p, const char *path)
{
	struct policy_info policy = policies_of_kernel(p, "/");
	_cleanup_(freep) char *up = strdup(path);
	char *slash;

	while (up && up[0] && up[1]) {
		const struct policy_info own = policies_of_kernel(p, up);

		/*
		 * The strictest one counts, and once if one says so; the kernel numbers
		 * them in this order.
		 */
		policy.policy = MAX(policy.policy, own.policy);
		policy.count = MAX(policy.count, own.count);
		slash = strrchr(up, '/');
		if (!slash)
			break;
		*slash = '\0';
	}
	return policy;
}

/* Whether the kernel has what the entry says; now: what it has, in words */
static bool as_set(const struct policy_status *st, const struct policy_entry *entry,
		   const char **ret_now)
{
	*ret_now = st->own != entry->policy ? render_policy(st->own) : render_count(st->own_count);
	return st->own == entry->policy && st->own_count == entry->count;
}

void policies_status(struct policies *p, const char *path, const struct policy_entry *entry,
		     struct policy_status *ret)
{
	const char *unsupported = policies_unsupported(p), *now;
	const struct policy_info own = policies_of_kernel(p, path), effective = effective_policy(p, path);
	struct policy_status s = {
		.state = POLICY_APPLIED,
		.own = own.policy,
		.own_count = own.count,
		.effective = effective.policy,
		.effective_count = effective.count,
	};
	uint64_t id;
	int r;

	if (open_id(p, path, &s.cgroup_id) < 0)
		s.cgroup_id = 0;
	if (unsupported) {
		s.state = POLICY_FAILED;
		s.reason = strdup(unsupported);
	} else if (!s.cgroup_id) {
		s.state = POLICY_PENDING;
		s.reason = strdup("the cgroup does not exist now");
	} else if (entry && !as_set(&s, entry, &now)) {
		s.state = POLICY_FAILED;
		r = open_id(p, path, &id);
		if (r >= 0)
			r = genl_get_policy(p->genl, id, &(struct policy_info){ 0 });
		if (r < 0)
			s.reason = why_not(p, path, r);
		else if (count_unsupported(p, entry->count))
			s.reason = strdup(count_unsupported(p, entry->count));
		else if (asprintf(&s.reason, "somebody else has set it to %s",
				  now ?: "something unknown") < 0)
			s.reason = NULL;
	}
	*ret = s;
}

static unsigned int n_policies(const struct policies *p)
{
	const struct policy_entry *e;
	unsigned int n;

	DL_COUNT(p->list, e, n);
	return n;
}

/* Puts new in the place of old, either of which may be NULL, and writes it down. */
static int replace(struct policies *p, struct policy_entry *old, struct policy_entry *new)
{
	int r;

	if (old)
		DL_DELETE(p->list, old);
	if (new)
		DL_APPEND(p->list, new);
	if ((!old || old->runtime) && (!new || new->runtime))
		return 0;
	r = save(p);
	if (r < 0) {
		if (new)
			DL_DELETE(p->list, new);
		if (old)
			DL_APPEND(p->list, old);
	}
	return r;
}

int policies_set(struct policies *p, const char *path, uint32_t policy, uint32_t count,
		 bool runtime, char **ret_reason)
{
	struct policy_entry *old = (struct policy_entry *)policies_find(p, path), *new;
	struct policy_info now;
	uint64_t id;
	int r;

	r = open_id(p, path, &id);
	if (r < 0)
		return r;
	if (!old && n_policies(p) >= POLICIES_MAX)
		return -E2BIG;
	now = policies_of_kernel(p, path);
	if (old)
		now = (struct policy_info){ .policy = old->policy, .count = old->count };
	new = entry_new(path, policy ?: now.policy, count ?: now.count);
	if (!new)
		return -ENOMEM;
	new->runtime = runtime || p->dir_fd < 0;

	/* First on disk: what the kernel enforces is found there after a crash. */
	r = replace(p, old, new);
	if (r >= 0) {
		r = policies_write(p, path, new->policy, new->count, ret_reason);
		if (r < 0 && replace(p, new, old) < 0) {
			log_warning("a policy that could not be set stays on disk");
			return r;
		}
	}
	if (r < 0) {
		entry_free(new);
		return r;
	}
	entry_free(old);
	if (p->tree)
		(void)cgroup_tree_watch_above(p->tree, path);
	return 0;
}

int policies_forget(struct policies *p, const char *path)
{
	struct policy_entry *old = (struct policy_entry *)policies_find(p, path);
	int r;

	if (!old)
		return 0;
	r = replace(p, old, NULL);
	if (r < 0)
		return r;
	entry_free(old);
	return 1;
}
