/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/macros.h"
#include "probe/before.h"
#include "probe/failure-words.h"
#include "probe/hooks.h"
#include "probe/limits.h"
#include "probe/load-internal.h"
#include "probe/loaded.h"
#include "probe/pins.skel.h"
#include "probe/prototype.h"

#define BPF_FS		0xcafe4a11
#define LIVE_TRIES	100
#define LIVE_PAUSE_MSEC 20 /* a module that has just come may not be used yet */

/* In the order of PROBE_FDS; the service writes into the last alone. */
static const char *const map_names[PROBE_FDS] = { "head",   "pins",	"kinds", "groups",
						  "limits", "failures", "ring" };

DEFINE_CLEANUP(struct pins *, pins__destroy);
DEFINE_CLEANUP(struct btf *, btf__free);

static void link_path(char path[PATH_MAX], const char *program)
{
	snprintf(path, PATH_MAX, LOAD_DIR "/link_%s", program);
}

/* Another build of the programs has other maps, too. */
static __u64 this_build(void)
{
	__u64 hash = 0xcbf29ce484222325;
	const unsigned char *bytes;
	size_t n;

	bytes = pins__elf_bytes(&n);
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3;
	return hash;
}

static void wait_live(const char *module)
{
	const struct timespec pause = { .tv_nsec = LIVE_PAUSE_MSEC * 1000000L };
	char path[PATH_MAX], state[16];

	snprintf(path, sizeof(path), "/sys/module/%s/initstate", module);
	for (unsigned int i = 0; i < LIVE_TRIES; i++) {
		_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd >= 0 ? read(fd, state, sizeof(state)) : -1;

		if (n < 0 || strncmp(state, "coming", MIN(n, 6)) != 0)
			return;
		nanosleep(&pause, NULL);
	}
}

static void say_why_not(struct loader *l, const struct hook *hook, int error)
{
	const bool is_tracepoint = prototype_is_tracepoint(hook);
	const char *name = hook->function + (is_tracepoint ? strlen(HOOK_TRACEPOINT) : 0);

	if (error == -ENOENT)
		snprintf(l->reason, PROBE_REASON_MAX, "kernel has no %s %s",
			 is_tracepoint ? "tracepoint" : "function", name);
	else
		snprintf(l->reason, PROBE_REASON_MAX, "kernel's %s is another one", name);
}

/* 0; or a negative errno and why the function cannot be watched */
static int check_hook(struct loader *l, const struct hook *hook)
{
	_cleanup_(btf__freep) struct btf *module = NULL;
	int r = prototype_check(l->kernel, hook);

	if (r == -ENOENT && hook->module) {
		wait_live(hook->module);
		module = btf__load_module_btf(hook->module, l->kernel);
		if (!module) {
			snprintf(l->reason, PROBE_REASON_MAX, "module %s is not loaded",
				 hook->module);
			return -ENODEV;
		}
		r = prototype_check(module, hook);
	}
	if (r == -ENOENT && hook->optional)
		return 0;
	if (r < 0)
		say_why_not(l, hook, r);
	return r;
}

/* Whether the kernel has the function; of a module it has been checked. */
static bool is_there(const struct loader *l, const struct hook *hook)
{
	return !hook->optional || prototype_check(l->kernel, hook) != -ENOENT;
}

static int check_set(struct loader *l, const struct hook_set *set)
{
	int r = 0;

	for (size_t i = 0; i < set->n && r >= 0; i++)
		r = check_hook(l, &set->hooks[i]);
	return r;
}

static bool has_program(const struct loader *l, const struct hook_set *set, const char *name)
{
	for (size_t i = 0; i < set->n; i++)
		if (strcmp(set->hooks[i].program, name) == 0)
			return is_there(l, &set->hooks[i]);
	return false;
}

/* Maps that are there already are used; internal ones, and that of files, are each load's own. */
static int set_paths(struct bpf_object *object)
{
	char path[PATH_MAX];
	struct bpf_map *map;
	int r = 0;

	bpf_object__for_each_map(map, object) {
		if (bpf_map__is_internal(map) || strcmp(bpf_map__name(map), "file_kinds") == 0)
			continue;
		loaded_path(path, bpf_map__name(map));
		r = bpf_map__set_pin_path(map, path);
		if (r < 0)
			return r;
	}
	return r;
}

/* The programs of a set; without one the maps alone. before: of that kind, too. */
static int open_programs(const struct loader *l, const struct hook_set *set,
			 const struct hook_kind *before, struct pins **ret)
{
	_cleanup_(pins__destroyp) struct pins *pins = pins__open();
	struct bpf_program *program;
	const char *name;
	int r;

	if (!pins)
		return -errno;
	pins->rodata->page_bytes = sysconf(_SC_PAGESIZE);
	failure_words_find(l->kernel, (struct failure_words *)&pins->rodata->failure_words);
	bpf_object__for_each_program(program, pins->obj) {
		name = bpf_program__name(program);
		bpf_program__set_autoload(program, (set && has_program(l, set, name)) ||
						   (before && before_has_program(before, name)));
	}
	r = set_paths(pins->obj);
	if (r >= 0)
		r = pins__load(pins);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(pins);
	return 0;
}

void loader_detach(const struct hook_set *set)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < set->n; i++) {
		link_path(path, set->hooks[i].program);
		(void)unlink(path);
	}
}

/* In the order of the table: what is given back is seen before what is pinned. */
static int attach(const struct loader *l, struct pins *pins, const struct hook_set *set)
{
	char path[PATH_MAX];
	int r = 0;

	for (size_t i = 0; i < set->n && r >= 0; i++) {
		struct bpf_program *program =
			bpf_object__find_program_by_name(pins->obj, set->hooks[i].program);
		struct bpf_link *link;

		if (!is_there(l, &set->hooks[i]))
			continue;
		link = program ? bpf_program__attach(program) : NULL;
		if (!link)
			return -errno;
		link_path(path, set->hooks[i].program);
		r = bpf_link__pin(link, path);
		/* What is pinned stays. */
		bpf_link__destroy(link);
	}
	return r;
}

/* What finds pins from before is left out where the kernel refuses it. */
static int open_kind(struct loader *l, const struct hook_set *set, struct pins **ret)
{
	int r = open_programs(l, set, l->kind, ret), without;

	if (r >= 0 || !l->kind || !l->kind->before[0])
		return r;
	without = open_programs(l, set, NULL, ret);
	if (without >= 0)
		snprintf(l->before, PROBE_REASON_MAX,
			 "kernel refuses the programs that find them: %s", strerror(-r));
	return without;
}

static void find_before(struct loader *l, struct pins *pins)
{
	int r;

	if (!l->kind || *l->before)
		return;
	if (!l->kind->before[0]) {
		snprintf(l->before, PROBE_REASON_MAX, "there is no program that finds them");
		return;
	}
	r = before_find(pins->obj, l->kind, &pins->bss->undecided);
	if (r < 0)
		snprintf(l->before, PROBE_REASON_MAX, "the programs that find them do not run: %s",
			 strerror(-r));
	else if (pins->bss->undecided)
		snprintf(l->before, PROBE_REASON_MAX,
			 "some changed whenever they were looked at, or are too many");
}

int loader_attach(struct loader *l, const struct hook_set *set)
{
	_cleanup_(pins__destroyp) struct pins *pins = NULL;
	int r = check_set(l, set);

	if (r < 0)
		return r;
	loader_detach(set);
	r = open_kind(l, set, &pins);
	if (r >= 0)
		r = attach(l, pins, set);
	if (r >= 0) {
		find_before(l, pins);
		return 0;
	}
	loader_detach(set);
	if (l->kind)
		*l->before = '\0';
	snprintf(l->reason, PROBE_REASON_MAX, "kernel refuses the programs: %s", strerror(-r));
	return r;
}

static int watch_kind(struct loader *l, const struct hook_kind *kind)
{
	struct probe_kind entry = {};
	int r;

	r = bpf_map_lookup_elem(l->kinds_fd, &kind->kind, &entry);
	if (r < 0)
		return r;
	if (entry.since_nsec)
		return 0;
	l->kind = kind;
	l->reason = entry.reason;
	l->before = entry.before;
	memset(entry.before, 0, sizeof(entry.before));
	if (kind->never)
		snprintf(entry.reason, sizeof(entry.reason), "%s", kind->never);
	/* Of a set that is for another kernel no more is told if the next one fits. */
	r = -ENOENT;
	for (size_t i = 0; r == -ENOENT || r == -EPROTO; i++) {
		if (i == ARRAY_SIZE(kind->sets) || !kind->sets[i].n)
			break;
		r = loader_attach(l, &kind->sets[i]);
	}
	l->kind = NULL;
	if (r >= 0) {
		entry.since_nsec = clock_usec(CLOCK_BOOTTIME) * 1000;
		memset(entry.reason, 0, sizeof(entry.reason));
	}
	return bpf_map_update_elem(l->kinds_fd, &kind->kind, &entry, BPF_ANY);
}

static int open_maps(int fds[PROBE_FDS])
{
	char path[PATH_MAX];
	int i;

	for (i = 0; i < PROBE_FDS; i++) {
		loaded_path(path, map_names[i]);
		/* One that cannot be written cannot be mapped shared, not even to read. */
		fds[i] = bpf_obj_get(path);
		if (fds[i] < 0)
			break;
	}
	if (i == PROBE_FDS)
		return 0;
	while (i > 0)
		close(fds[--i]);
	return -errno;
}

/* The maps, of this build. A kernel that makes none is told in the reason. */
static int make_maps(const struct loader *l)
{
	_cleanup_(pins__destroyp) struct pins *pins = NULL;
	struct probe_head head = {};
	const __u32 first = 0;
	int r, fd;

	if (mkdir(LOAD_DIR, 0700) < 0 && errno != EEXIST)
		return -errno;
	r = open_programs(l, NULL, NULL, &pins);
	if (r < 0)
		return r;
	fd = bpf_map__fd(pins->maps.head);
	r = bpf_map_lookup_elem(fd, &first, &head);
	if (r < 0 || head.build)
		return r;
	head.build = this_build();
	head.made_nsec = clock_usec(CLOCK_BOOTTIME) * 1000;
	return bpf_map_update_elem(fd, &first, &head, BPF_ANY);
}

static const char *why_not(int error)
{
	_cleanup_(closep) int fd = open("/sys/kernel/security/lockdown", O_RDONLY | O_CLOEXEC);
	char text[64] = "";

	if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && strstr(text, "[confidentiality]"))
		return "the kernel is locked down (lockdown=confidentiality)";
	if (error == -EPERM || error == -EACCES)
		return "not permitted to load eBPF programs (CAP_BPF, CAP_PERFMON and "
		       "CAP_SYS_ADMIN are needed)";
	return strerror(-error);
}

static int prepare(struct loader *l, bool may_replace, char *reason, size_t size)
{
	struct statfs fs;
	int r;

	if (statfs(LOAD_BPF_FS, &fs) < 0 || fs.f_type != BPF_FS) {
		snprintf(reason, size, "no BPF file system is mounted at " LOAD_BPF_FS);
		return -ENODEV;
	}
	l->kernel = btf__load_vmlinux_btf();
	if (!l->kernel) {
		r = -errno;
		snprintf(reason, size, "kernel has no BTF (CONFIG_DEBUG_INFO_BTF): %s", strerror(-r));
		return r;
	}
	if (loaded_is_another(this_build())) {
		if (!may_replace) {
			snprintf(reason, size, "the programs that are loaded are of another build, "
				 "and stay (--remove ends them)");
			return -EBUSY;
		}
		log_notice("the programs are of another build, starting anew: %u pins are forgotten",
			   loaded_count_pins());
		(void)loaded_remove();
	}
	r = make_maps(l);
	if (r < 0)
		snprintf(reason, size, "cannot make eBPF maps: %s", why_not(r));
	return r;
}

/* Failures are no kind of pins: where these alone are watched nothing is gained. */
static bool is_of_pins(const struct hook_kind *kind)
{
	return kind->kind != PROBE_KIND_FAILURE;
}

/* How many there are; the last reason why one is not that needs no module. */
static unsigned int watch_kinds(struct loader *l, char reason[PROBE_REASON_MAX])
{
	struct probe_kind entry;
	unsigned int n = 0;
	int r;

	for (size_t i = 0; i < n_hook_kinds; i++) {
		const struct hook_kind *kind = &hook_kinds[i];

		r = watch_kind(l, kind);
		if (r >= 0)
			r = bpf_map_lookup_elem(l->kinds_fd, &kind->kind, &entry);
		if (r < 0)
			snprintf(reason, PROBE_REASON_MAX, "%s", strerror(-r));
		else if (!is_of_pins(kind))
			continue;
		else if (entry.since_nsec)
			n++;
		else if (!kind->never && !kind->sets[0].hooks[0].module)
			snprintf(reason, PROBE_REASON_MAX, "%s", entry.reason);
	}
	return n;
}

static int watch(struct loader *l, enum probe_wish wish, char *reason, size_t size)
{
	char why[PROBE_REASON_MAX] = "", path[PATH_MAX];

	loaded_path(path, "kinds");
	l->kinds_fd = bpf_obj_get(path);
	if (l->kinds_fd < 0) {
		snprintf(reason, size, "cannot open the maps: %s", strerror(errno));
		return -errno;
	}
	if (watch_kinds(l, why) > 0)
		return limits_apply(l, wish);
	snprintf(reason, size, "no kind of pins can be watched: %s", why);
	(void)loaded_remove();
	return -EOPNOTSUPP;
}

/* One at a time: what another has half done would be taken away. */
static int take_lock(int *ret_fd)
{
	_cleanup_(closep) int fd = open(LOAD_BPF_FS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int load_all(bool may_replace, enum probe_wish wish, char reason[PROBE_REASON_MAX * 2],
	     int ret_fds[PROBE_FDS])
{
	_cleanup_(closep) int lock = -1;
	const size_t size = PROBE_REASON_MAX * 2;
	struct loader l = { .kinds_fd = -1 };
	int fds[PROBE_FDS], r;

	/* Where there is no such directory the reason follows. */
	(void)take_lock(&lock);
	r = prepare(&l, may_replace, reason, size);
	if (r >= 0)
		r = watch(&l, wish, reason, size);
	btf__free(l.kernel);
	closep(&l.kinds_fd);
	if (r < 0)
		return r;
	r = open_maps(fds);
	if (r < 0) {
		snprintf(reason, size, "cannot open the maps: %s", strerror(-r));
		return r;
	}
	memcpy(ret_fds, fds, sizeof(fds));
	return 0;
}

int load_remove(void)
{
	_cleanup_(closep) int lock = -1;
	int r = take_lock(&lock);

	return r < 0 ? r : loaded_remove();
}

int load_print(void)
{
	return loaded_print(this_build());
}
