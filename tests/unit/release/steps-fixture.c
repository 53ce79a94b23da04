/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <sys/stat.h>

#include "tests/unit/release/steps-fixture.h"

void set_ladders(struct manager *m, const struct ladder_file *files, size_t n)
{
	char dir[] = "/tmp/pinguard-ladder-XXXXXX", path[64];
	FILE *file;

	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s.conf", dir, files[i].name);
		file = fopen(path, "w");
		assert_non_null(file);
		fprintf(file, "[Match]\nCgroup=%s\n[Release]\n%s", files[i].cgroup,
			files[i].release);
		assert_int_equal(fclose(file), 0);
		assert_int_equal(chmod(path, 0644), 0);
	}
	releases_load_ladders(m->releases, dir);
	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s.conf", dir, files[i].name);
		unlink(path);
	}
	assert_int_equal(rmdir(dir), 0);
}

void set_ladder(struct manager *m, const char *release)
{
	const struct ladder_file file = { "a", "/t*", release };

	set_ladders(m, &file, 1);
}

int steps_setup(void **state)
{
	struct manager *m;

	owner_setup(state);
	m = *state;
	/* Owners have had the time to come back. */
	m->releases->started_usec = 0;
	return 0;
}

struct release *start_until(struct manager *m, const uint64_t *ids, size_t n, uint64_t timeout_usec)
{
	const struct release_config config = {
		.reason = RELEASE_DRAIN,
		.target = "mem\nory32",
		.timeout_usec = timeout_usec,
		.admin = true,
		.pin_ids = ids,
		.n_pins = n,
	};
	struct release *release;

	assert_int_equal(release_start(m->releases, &config, &release), 0);
	return release;
}

struct release *start(struct manager *m, const uint64_t *ids, size_t n)
{
	return start_until(m, ids, n, HOUR_USEC);
}

const struct release_owner *owner_of(struct release *release, pid_t pid)
{
	return release_owner_by_pid(release, pid);
}

void wait_until_dead(struct manager *m, const struct process *p)
{
	uint64_t end = now_usec() + 60 * SEC_USEC;

	while (process_lives(p)) {
		assert_true(now_usec() < end);
		assert_true(sd_event_run(m->event, 10000) >= 0);
	}
	pump(m);
}

void check_json(struct release *release, const char *state, const char *next)
{
	_cleanup_json_ json_t *json = release_json(release, 10);
	const json_t *owner = json_array_get(json_object_get(json, "owners"), 0);

	idl_check_type(idl_org_pinguard_Manager, "ReleaseRequest", json);
	assert_string_equal(json_get_string(owner, "state", ""), state);
	assert_string_equal(json_get_string(owner, "next", "(null)"), next);
	assert_string_equal(json_get_string(json, "target", ""), "mem\\x0aory32");
}
