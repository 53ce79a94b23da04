/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Refused pins, as the kernel tells of them: which limit it was, and where they count. */
#include <sys/resource.h>

#include "tests/unit/manager/owner-fixture.h"

#include "daemon/manager/internal.h"

static struct pin_event refusal(struct manager *m, uint32_t reason, pid_t pid, const char *comm)
{
	struct pin_event e = {
		.type = PIN_EVENT_DENY,
		.seq = registry_seq(m->registry) + 1,
		.pin = { .cgroup_id = TEST_CGROUP, .charged_cgroup_id = TEST_CGROUP,
			 .tgid = pid, .bytes = 4096, .comm_len = strlen(comm) },
		.reason = reason,
		.max_bytes = UINT64_MAX,
	};

	memcpy(e.pin.comm, comm, e.pin.comm_len);
	return e;
}

/* What the history tells of the last one. */
static json_t *told(struct manager *m, const struct pin_event *e)
{
	json_t *json;

	assert_int_equal(manager_listener.event(e, m), 0);
	json = render_event(events_before(m->events, UINT64_MAX), true);
	idl_check_type(idl_org_pinguard_Manager, "Event", json);
	return json;
}

static void check_max(struct manager *m, const struct pin_event *e, int64_t max_bytes,
		      const char *source)
{
	_cleanup_json_ json_t *json = told(m, e);

	assert_int_equal(json_get_int(json, "max_bytes", -1), max_bytes);
	assert_string_equal(json_get_string(json, "max_source", "none"), source);
	assert_true(json_is_null(json_object_get(json, "limit_cgroup")));
	assert_true(json_is_null(json_object_get(json, "usage_bytes")));
}

/* RLIMIT_MEMLOCK: the kernel's word where it has one, else what /proc says. */
static void test_rlimit(void **state)
{
	const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };
	struct rlimit limit;
	struct manager *m = *state;
	struct pin_event e;
	struct process p;
	char comm[64];
	FILE *file;

	process_start(&p);
	snprintf(comm, sizeof(comm), "/proc/%d/comm", p.pid);
	file = fopen(comm, "r");
	assert_non_null(file);
	assert_non_null(fgets(comm, sizeof(comm), file));
	fclose(file);
	comm[strcspn(comm, "\n")] = '\0';

	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
	limit.rlim_cur = 4096;
	assert_int_equal(prlimit(p.pid, RLIMIT_MEMLOCK, &limit, NULL), 0);
	e = refusal(m, PINGUARD_REASON_RLIMIT, p.pid, comm);
	check_max(m, &e, 4096, "proc");
	e = refusal(m, PINGUARD_REASON_RLIMIT, p.pid, comm);
	e.max_bytes = 1 << 20;
	check_max(m, &e, 1 << 20, "kernel");
	e = refusal(m, PINGUARD_REASON_POLICY, p.pid, comm);
	check_max(m, &e, -1, "none");
	/* another process by now */
	e = refusal(m, PINGUARD_REASON_RLIMIT, p.pid, "another");
	check_max(m, &e, -1, "none");
	/* it has raised its limit, or the number is another's */
	if (prlimit(p.pid, RLIMIT_MEMLOCK, &none, NULL) == 0) {
		e = refusal(m, PINGUARD_REASON_RLIMIT, p.pid, comm);
		check_max(m, &e, -1, "none");
	}
	process_end(&p);
	e = refusal(m, PINGUARD_REASON_RLIMIT, p.pid, comm);
	check_max(m, &e, -1, "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rlimit, owner_setup, owner_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
