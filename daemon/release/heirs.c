/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pins of a process that has ended are held by others that have the file: by those
 * that have the device open now. Before each step they are looked for, and the step
 * is taken on one of whom it is sure enough.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "daemon/kernel/kernel.h"
#include "daemon/release/internal.h"
#include "lib/cgroup-path.h"
#include "lib/clock.h"
#include "lib/escape.h"
#include "lib/json.h"
#include "lib/log.h"

#define PINS_LOOKED 1024 /* of one owner, for the names of their devices */
#define DEVICES_MAX 16 /* of them that are looked for */

/* A dry run has left its own. */
static struct releases *engine(const struct release_owner *o)
{
	return o->release->releases ?: o->release->foresees;
}

struct device_names {
	struct {
		const char *name; /* "" for any that pins of the kind are for */
		uint32_t kind;
	} all[DEVICES_MAX];
	size_t n;
};

static void add_name(struct device_names *names, const struct pin_origin *origin)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->all[i].name, origin->device) == 0 &&
		    (*origin->device || names->all[i].kind == origin->kind))
			return;
	if (names->n == DEVICES_MAX)
		return;
	names->all[names->n].name = origin->device;
	names->all[names->n++].kind = origin->kind;
}

/* Those of the owner's pins that are left; good until the registry changes. */
static void find_names(const struct release_owner *o, struct device_names *names)
{
	const struct release *release = o->release;
	const uint32_t end = o->first + o->n;

	names->n = 0;
	for (uint32_t i = o->position; i < end && i < o->position + PINS_LOOKED; i++) {
		const struct asked_pin *asked = &release->asked[release->order[i]];
		const struct pin *pin = asked->left ?
			registry_find(engine(o)->config.registry, asked->id) : NULL;

		if (pin)
			add_name(names, pin->origin);
	}
}

/* A device that has gone may have pins that others hold: that nobody is seen is said then. */
static bool has_files(const struct release_owner *o)
{
	const struct releases_config *config = &engine(o)->config;
	_cleanup_(freep) struct device_numbers *numbers = malloc(sizeof(*numbers));
	struct device_names names;

	find_names(o, &names);
	for (size_t i = 0; i < names.n; i++)
		if (*names.all[i].name || (numbers &&
		    config->numbers("", names.all[i].kind, numbers, config->userdata) >= 0))
			return true;
	return false;
}

void release_owner_inherit(struct release_owner *o)
{
	const struct releases_config *config = &o->release->releases->config;

	o->inherited = config->openers && config->numbers && has_files(o);
	if (!o->inherited)
		release_owner_set_reason(o, "its process has ended, and its pins name no device by "
					 "which those that hold them could be found");
}

/* The files of all its devices; those that are not known by name now are left out. */
static void find_numbers(const struct release_owner *o, struct device_numbers *all)
{
	const struct releases_config *config = &engine(o)->config;
	_cleanup_(freep) struct device_numbers *one = malloc(sizeof(*one));
	struct device_names names;

	all->n = 0;
	find_names(o, &names);
	for (size_t i = 0; one && i < names.n; i++) {
		if (config->numbers(names.all[i].name, names.all[i].kind, one,
				    config->userdata) < 0)
			continue;
		for (size_t j = 0; j < one->n && all->n < OPENERS_NUMBERS_MAX; j++)
			all->all[all->n++] = one->all[j];
	}
}

/* The cgroup itself, and not another one that was given its name since. */
static bool is_there(const struct release_owner *o)
{
	const char *mount = engine(o)->config.cgroup_mount;
	_cleanup_(freep) char *path = NULL;
	struct stat st;

	if (!mount)
		return true;
	if (asprintf(&path, "%s%s", mount, o->cgroup->path) < 0) {
		path = NULL;
		return false;
	}
	/* the id of a cgroup is the number of its directory */
	return lstat(path, &st) == 0 && st.st_ino == o->cgroup->id;
}

/* The pins' cgroup, or below it; where all are below it that says nothing. */
static bool is_of_cgroup(const struct release_owner *o, const char *path)
{
	const char *own = o->cgroup ? o->cgroup->path : NULL;

	return own && strcmp(own, "/") != 0 && cgroup_path_is_in(path, own) && is_there(o);
}

/*
 * A process with a file that it alone can have open holds the pins; of others it
 * is known as far as they are where the pins are. What root turned on for the
 * cgroup of the pins is to be on for the process's, too, and a user's request
 * reaches nobody outside of the cgroup.
 */
static bool may_act_on(const struct release_owner *o, const json_t *user, const char *path,
		       int step)
{
	const struct release *release = o->release;

	if (release_path_protected(engine(o), path))
		return false;
	if (!is_of_cgroup(o, path) && !(json_get_bool(user, "exact", false) && release->admin))
		return false;
	return release->ladders && ladders_match(release->ladders, path)->on[step];
}

/* Its pidfd, or -1: the process that was seen, and no other that has its number since. */
static int open_heir(const struct release_owner *o, const json_t *user, int step)
{
	const int proc_fd = engine(o)->proc_fd;
	const pid_t pid = json_get_int(user, "pid", 0);
	_cleanup_(freep) char *path = NULL;
	_cleanup_(closep) int fd = -1;
	uint64_t born_usec;

	if (pid <= 1 || pid == getpid() ||
	    strcmp(json_get_string(user, "how", ""), "mounted") == 0)
		return -1;
	fd = syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0 || procfs_read_start(proc_fd, pid, &born_usec) < 0 ||
	    procfs_read_cgroup(proc_fd, pid, &path) < 0 || pidfd_has_exited(fd) ||
	    born_usec > o->look_usec)
		return -1;
	return may_act_on(o, user, path, step) ? TAKE_FD(fd) : -1;
}

/* A user hears of nobody outside of the cgroup. */
static bool may_tell(const struct release_owner *o, const json_t *user)
{
	_cleanup_(freep) char *path = NULL;

	if (o->release->admin)
		return true;
	return procfs_read_cgroup(engine(o)->proc_fd, json_get_int(user, "pid", 0), &path) >= 0 &&
	       is_of_cgroup(o, path);
}

static int keep_holders(struct release_owner *o, const json_t *users)
{
	json_t *user, *holders = json_array();
	size_t i;

	if (!holders)
		return -ENOMEM;
	json_decref(o->holders);
	o->holders = holders;
	json_array_foreach((json_t *)users, i, user)
		if (json_array_size(holders) < RELEASE_HOLDERS_MAX && may_tell(o, user) &&
		    json_array_append(holders, user) < 0)
			return -ENOMEM;
	return 0;
}

static void drop_heir(struct release_owner *o)
{
	closep(&o->heir_fd);
	o->heir_fd = -1;
	o->heir = 0;
}

/* heir: NULL for none */
static void explain(struct release_owner *o, size_t n, const json_t *heir, const char *unknown)
{
	char text[RELEASE_REASON_MAX];

	if (heir)
		snprintf(text, sizeof(text), "its process has ended, %s[%d] holds the pins",
			 json_get_string(heir, "comm", "?"), (int)o->heir);
	else if (n > 0)
		snprintf(text, sizeof(text), "its process has ended; of %zu with the device open "
			 "none is known to hold the pins, or may be acted on", n);
	else
		snprintf(text, sizeof(text), "its process has ended, and no process was seen to have "
			 "the device open: %s", unknown ?: "perhaps a socket's message or the kernel "
			 "has the file");
	release_owner_set_reason(o, text);
}

/* The first one that the step may be taken on; NULL for none. */
static const json_t *choose(struct release_owner *o, const json_t *users, int step)
{
	const json_t *user;
	size_t i;

	drop_heir(o);
	json_array_foreach(users, i, user) {
		o->heir_fd = open_heir(o, user, step);
		if (o->heir_fd < 0)
			continue;
		o->heir = json_get_int(user, "pid", 0);
		return user;
	}
	return NULL;
}

static void on_users(const json_t *users, const char *unknown, void *userdata)
{
	struct release_owner *o = userdata;
	const json_t *heir;

	o->release->releases->n_looks--;
	o->look = openers_query_free(o->look);
	if (keep_holders(o, users) < 0)
		log_warning("out of memory for who holds pins");
	heir = choose(o, users, o->look_step);
	/* Where it was taken on others nobody may be left. */
	if (heir || o->step != o->look_step)
		explain(o, json_array_size(users), heir, unknown);
	release_changed(o->release);
	o->heir_found(o, o->look_step);
}

static int look(struct release_owner *o, openers_done done)
{
	_cleanup_(freep) struct device_numbers *numbers = malloc(sizeof(*numbers));

	if (!numbers)
		return -ENOMEM;
	find_numbers(o, numbers);
	o->look_usec = clock_usec(CLOCK_BOOTTIME);
	return openers_find(engine(o)->config.openers, numbers, o->release->admin, done, o,
			    &o->look);
}

int release_owner_find_heir(struct release_owner *o, int step, release_heir_found found)
{
	const unsigned int max = o->release->admin ? RELEASE_LOOKS_MAX : RELEASE_LOOKS_MAX / 2;
	struct releases *releases = o->release->releases;
	int r;

	/* Once a step is begun it goes on. */
	if (o->step != step && releases->n_looks >= max)
		return -EAGAIN;
	o->look_step = step;
	o->heir_found = found;
	r = look(o, on_users);
	if (r >= 0)
		releases->n_looks++;
	return r;
}

void release_owner_drop_look(struct release_owner *o)
{
	if (!o->look)
		return;
	o->look = openers_query_free(o->look);
	o->release->releases->n_looks--;
}

/* --- a dry run --- */

static int foresee_next(struct release *release);

static void on_foreseen(const json_t *users, const char *unknown, void *userdata)
{
	struct release_owner *o = userdata;
	struct release *release = o->release;
	const json_t *heir = NULL;

	o->look = openers_query_free(o->look);
	if (keep_holders(o, users) < 0)
		log_warning("out of memory for who holds pins");
	if (o->next.type == DECISION_STEP || o->next.type == DECISION_WAIT)
		heir = o->next.step < N_STEPS ? choose(o, users, o->next.step) : NULL;
	explain(o, json_array_size(users), heir, unknown);
	drop_heir(o);
	if (foresee_next(release) == 0)
		release->foreseen(release->foreseen_userdata);
}

/* 1 where somebody is looked for */
static int foresee_next(struct release *release)
{
	const uint64_t end = release->started_usec + OPENERS_TIMEOUT_USEC;

	/* Somebody waits for the answer. */
	while (release->n_foreseen < release->n_owners &&
	       release->n_foreseen_looks < RELEASE_LOOKS_MAX && clock_usec(CLOCK_MONOTONIC) < end) {
		struct release_owner *o = &release->owners[release->n_foreseen++];

		if (!o->gone || !o->inherited)
			continue;
		release->n_foreseen_looks++;
		if (look(o, on_foreseen) >= 0)
			return 1;
	}
	release->foresees = NULL;
	return 0;
}

bool release_foresee_holders(struct release *release, void (*done)(void *userdata),
			     void *userdata)
{
	if (!release->dry_run || !release->foresees)
		return false;
	release->foreseen = done;
	release->foreseen_userdata = userdata;
	return foresee_next(release) > 0;
}
