/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

#include "tests/unit/kernel/genl-fixture.h"
#include "tests/unit/triggers/excess-fixture.h"

static char root[64];

/* A cgroup without a limit, in which nothing is charged. */
static void cgroup_make(const char *path, uid_t owner)
{
	static const char *const files[] = { "misc.current", "misc.max" };
	static const char *const texts[] = { "pinned 0\n", "pinned max\n" };
	char full[256];
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", root, path);
	assert_int_equal(mkdir(full, 0755), 0);
	assert_int_equal(chown(full, owner, owner), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(full, sizeof(full), "%s%s/%s", root, path, files[i]);
		file = fopen(full, "we");
		assert_non_null(file);
		fputs(texts[i], file);
		assert_int_equal(fclose(file), 0);
	}
}

void cgroup_charge(const char *path, unsigned int bytes)
{
	char full[256];
	FILE *file;

	snprintf(full, sizeof(full), "%s%s/misc.current", root, path);
	file = fopen(full, "we");
	assert_non_null(file);
	fprintf(file, "pinned %u\n", bytes);
	assert_int_equal(fclose(file), 0);
}

int excess_setup(void **state)
{
	struct manager *m;

	if (geteuid() != 0)
		return 0;
	assert_int_equal(owner_setup(state), 0);
	m = *state;
	strcpy(root, "/tmp/pinguard-excess-XXXXXX");
	assert_non_null(mkdtemp(root));
	assert_int_equal(chmod(root, 0755), 0);
	make_kernel(m, root);
	cgroup_charge("", 0);
	cgroup_make("/a", 0);
	cgroup_make("/a/b", 0);
	cgroup_make("/u", USER_UID);
	cgroup_make("/u/v", USER_UID);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

int excess_teardown(void **state)
{
	if (geteuid() != 0)
		return 0;
	owner_teardown(state);
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void say_pin_like(struct manager *m, const struct pin_info *pin, const char *path,
		  const char *charged)
{
	struct pin_event event = { .type = PIN_EVENT_PIN, .seq = registry_seq(m->registry) + 1,
				   .pin = *pin };
	struct cgroup_node *node;

	event.pin.kind = PINGUARD_KIND_RDMA;
	assert_int_equal(cgroupfs_resolve_path(cgroups_fs(m->cgroups), path, &node), 0);
	event.pin.cgroup_id = node->id;
	assert_int_equal(cgroupfs_resolve_path(cgroups_fs(m->cgroups), charged, &node), 0);
	event.pin.charged_cgroup_id = node->id;
	assert_true(manager_listener.event(&event, m) >= 0);
}

void say_pin(struct manager *m, uint64_t id, pid_t pid, uint64_t bytes, const char *path)
{
	const struct pin_info pin = { .id = id, .bytes = bytes, .tgid = pid,
				      .since_usec = realtime_usec() };

	process_set_cgroup(pid, path);
	say_pin_like(m, &pin, path, path);
}

void say_unpin(struct manager *m, uint64_t id)
{
	struct pin_event event = { .type = PIN_EVENT_UNPIN,
				   .seq = registry_seq(m->registry) + 1,
				   .pin = { .id = id } };
	struct pin *pin = registry_find(m->registry, id);

	event.pin.charged_cgroup_id = pin->origin->charged->id;
	assert_true(manager_listener.event(&event, m) >= 0);
}

json_t *set_quota(struct manager *m, const struct process *p, const char *cgroup,
			 int64_t max_bytes, int64_t high_bytes)
{
	_cleanup_json_ json_t *reply = NULL;
	struct client c;

	client_open(m, &c, p);
	client_send(&c, MANAGER("SetQuota"), false,
		    json_pack("{s:s, s:I, s:o}", "cgroup", cgroup, "max_bytes",
			      (json_int_t)max_bytes, "high_bytes",
			      high_bytes < 0 ? json_null() : json_integer(high_bytes)));
	reply = client_reply(m, &c, MANAGER("SetQuota"), false);
	client_close(m, &c);
	return json_incref(json_object_get(reply, "quota"));
}

void check_asked(struct manager *m, struct client *c, uint64_t bytes)
{
	_cleanup_json_ json_t *request = NULL;
	uint64_t sum = 0;
	json_t *pins;
	char token[64];

	request = owner_request(m, c, token);
	pins = json_object_get(request, "pins");
	for (size_t i = 0; i < json_array_size(pins); i++)
		sum += json_get_int(json_array_get(pins, i), "bytes", 0);
	assert_string_equal(json_get_string(request, "reason", ""), "quota");
	assert_int_equal(sum, bytes);
}

void set_looked(struct manager *m, const char *path, uint64_t usec)
{
	quotas_find(cgroups_quotas(m->cgroups), path)->looked_usec = usec;
}
