/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What files declare, for cgroups that are plain directories. */
#include "tests/unit/tree.h"

#include <sys/xattr.h>

#include "daemon/cgroup/cgroups.h"
#include "daemon/cgroup/quotas-internal.h"

#define USER ((uid_t)12345)
#define ADMIN ((uid_t)-1)

struct env {
	char dir[64], state[64];
	struct registry *registry;
	struct cgroupfs *fs;
	struct quotas *quotas;
};

static void make(const char *path, const char *max)
{
	char full[256], text[64];

	snprintf(full, sizeof(full), "cgroup%s/misc.current", path);
	tree_put(full, "pinned 0\n");
	snprintf(full, sizeof(full), "cgroup%s/misc.max", path);
	snprintf(text, sizeof(text), "pinned %s\n", max);
	tree_put(full, text);
}

static void is_max(struct env *env, const char *path, uint64_t wanted)
{
	_cleanup_(closep) int fd = cgroupfs_open(env->fs, path);
	struct cgroup_misc misc;

	assert_true(fd >= 0);
	assert_int_equal(cgroupfs_read_misc(NULL, fd, &misc), 0);
	if (misc.max_bytes != wanted)
		fail_msg("%s: %llu", path, (unsigned long long)misc.max_bytes);
}

static int look_at(int fd, const char *path, void *userdata)
{
	struct env *env = userdata;

	if (path[1])
		(void)quotas_look(env->quotas, fd, path, NULL);
	return 0;
}

/* Files with this text are read, and all cgroups are looked at. */
static void declare(struct env *env, const char *text)
{
	struct declarations *d = declarations_new();
	const char *reason = "";
	unsigned int line;

	if (*text && declarations_parse(d, text, "/etc/x.conf", 1 << 20, &line, &reason) < 0)
		fail_msg("%u: %s", line, reason);
	quotas_declare(env->quotas, d, true);
	assert_int_equal(cgroupfs_walk(env->fs, look_at, env), 0);
	quotas_looked(env->quotas);
}

static void restart(struct env *env)
{
	quotas_free(env->quotas);
	assert_int_equal(quotas_new(env->fs, env->state, &env->quotas), 0);
}

static int setup(void **state)
{
	struct env *env = calloc(1, sizeof(*env));
	char *reason = NULL;

	assert_non_null(env);
	tree_new();
	make("/s.slice/a.service", "max");
	make("/s.slice/b.service", "max");
	make("/s.slice", "max");
	make("/jobs/1/step", "max");
	tree_put("state/", NULL);
	snprintf(env->dir, sizeof(env->dir), "%s/cgroup", tree);
	snprintf(env->state, sizeof(env->state), "%s/state", tree);
	env->registry = registry_new();
	assert_int_equal(cgroupfs_new(env->dir, env->registry, &env->fs, &reason), 0);
	assert_int_equal(quotas_new(env->fs, env->state, &env->quotas), 0);
	*state = env;
	return 0;
}

static int teardown(void **state)
{
	struct env *env = *state;

	quotas_free(env->quotas);
	cgroupfs_free(env->fs);
	registry_free(env->registry);
	tree_remove(NULL);
	free(env);
	return 0;
}

#define OF(match, max) "[Match]\n" match "\n[Quota]\nMax=" max "\n"

/* Applied, changed, taken back; also by a service that starts anew. */
static void test_life(void **state)
{
	struct env *env = *state;
	const struct quota *q;

	declare(env, OF("Unit=a.service", "4096") OF("CGroup=jobs/*/step", "50%"));
	is_max(env, "/s.slice/a.service", 4096);
	is_max(env, "/s.slice/b.service", UINT64_MAX);
	is_max(env, "/jobs/1/step", 1 << 19);
	q = quotas_find(env->quotas, "/s.slice/a.service");
	assert_non_null(q);
	assert_string_equal(q->declaration->file, "/etc/x.conf");
	assert_int_equal(q->declaration->max_line, 4);
	assert_null(quotas_find(env->quotas, "/s.slice/b.service"));

	declare(env, OF("Unit=[ab].service", "8192"));
	is_max(env, "/s.slice/a.service", 8192);
	is_max(env, "/s.slice/b.service", 8192);
	is_max(env, "/jobs/1/step", UINT64_MAX);
	assert_null(quotas_find(env->quotas, "/jobs/1/step"));
	declare(env, OF("Unit=a.service", "infinity"));
	is_max(env, "/s.slice/a.service", UINT64_MAX);
	is_max(env, "/s.slice/b.service", UINT64_MAX);

	declare(env, OF("Unit=a.service", "4096"));
	declare(env, "");
	is_max(env, "/s.slice/a.service", UINT64_MAX);
	assert_null(quotas_next(env->quotas, NULL));

	if (geteuid() != 0)
		return; /* nobody else can mark a cgroup */
	declare(env, OF("Unit=a.service", "4096"));
	restart(env);
	is_max(env, "/s.slice/a.service", 4096);
	declare(env, "");
	is_max(env, "/s.slice/a.service", UINT64_MAX);
}

/* What somebody else writes is left alone, and shown. */
static void test_external(void **state)
{
	struct env *env = *state;
	struct quota_status st;

	make("/s.slice/a.service", "100");
	make("/s.slice/b.service", "4096");
	declare(env, OF("Unit=*.service", "4096"));
	is_max(env, "/s.slice/a.service", 100);
	quotas_status(env->quotas, quotas_find(env->quotas, "/s.slice/a.service"), &st);
	assert_int_equal(st.external_bytes, 100);
	assert_int_equal(st.state, QUOTA_FAILED);
	assert_non_null(strstr(st.reason, "somebody else"));
	free(st.reason);
	/* the same number was not written here either */
	declare(env, "");
	is_max(env, "/s.slice/a.service", 100);
	is_max(env, "/s.slice/b.service", 4096);

	/* after it was ours: theirs from then on */
	make("/s.slice/a.service", "max");
	declare(env, OF("Unit=*.service", "8192"));
	is_max(env, "/s.slice/a.service", 8192);
	make("/s.slice/a.service", "200");
	declare(env, OF("Unit=*.service", "16384"));
	is_max(env, "/s.slice/a.service", 200);
	declare(env, "");
	is_max(env, "/s.slice/a.service", 200);
	/* no limit is nobody's */
	make("/s.slice/a.service", "max");
	declare(env, OF("Unit=*.service", "16384"));
	is_max(env, "/s.slice/a.service", 16384);
}

/* A quota that is set takes the place of a file's, until it is cleared. */
static void test_set(void **state)
{
	_cleanup_(freep) char *reason = NULL;
	struct env *env = *state;
	struct quota *q;

	declare(env, OF("Unit=a.service", "4096\nHigh=1024"));
	assert_int_equal(quotas_n_high(env->quotas), 1);
	assert_int_equal(quotas_set(env->quotas, "/s.slice/a.service", 5000, UINT64_MAX, false,
				    ADMIN, &reason), 0);
	is_max(env, "/s.slice/a.service", 5000);
	assert_int_equal(quotas_n_high(env->quotas), 0);
	q = quotas_next(env->quotas, NULL);
	assert_null(q->declaration);
	assert_null(quotas_next(env->quotas, q));
	declare(env, OF("Unit=a.service", "8192"));
	is_max(env, "/s.slice/a.service", 5000);
	restart(env);
	declare(env, OF("Unit=a.service", "8192"));
	is_max(env, "/s.slice/a.service", 5000);
	assert_int_equal(quotas_clear(env->quotas, "/s.slice/a.service", ADMIN), 0);
	is_max(env, "/s.slice/a.service", 8192);
	assert_non_null(quotas_find(env->quotas, "/s.slice/a.service")->declaration);
	/* and is the file's again */
	declare(env, "");
	is_max(env, "/s.slice/a.service", UINT64_MAX);

	/* no user's */
	declare(env, OF("Unit=a.service", "4096"));
	assert_int_equal(quotas_set(env->quotas, "/s.slice/a.service", 1, UINT64_MAX, true, USER,
				    &reason), -EPERM);
	assert_int_equal(quotas_clear(env->quotas, "/s.slice/a.service", USER), -EPERM);
	is_max(env, "/s.slice/a.service", 4096);
	/* one that is set stays when its file goes */
	assert_int_equal(quotas_set(env->quotas, "/s.slice/a.service", 4096, UINT64_MAX, true, ADMIN,
				    &reason), 0);
	declare(env, "");
	is_max(env, "/s.slice/a.service", 4096);
}

/* A mark without a limit, and a policy alone, leave misc.max alone. */
static void test_parts(void **state)
{
	struct env *env = *state;
	struct declarations *d;
	struct quota_status st;

	make("/s.slice/b.service", "100");
	declare(env, "[Match]\nUnit=a.service b.service\n[Quota]\nHigh=1024\n"
		     "[Match]\nUnit=s.slice\n[Quota]\nPolicy=deny\n" OF("Unit=none.service", "1"));
	is_max(env, "/s.slice/a.service", UINT64_MAX);
	is_max(env, "/s.slice/b.service", 100);
	assert_int_equal(quotas_find_high(env->quotas, "/s.slice/a.service")->high_bytes, 1024);
	quotas_status(env->quotas, quotas_find(env->quotas, "/s.slice/b.service"), &st);
	assert_int_equal(st.state, QUOTA_APPLIED);
	assert_int_equal(st.external_bytes, 100);
	assert_null(quotas_find(env->quotas, "/s.slice"));
	quotas_count_matches(env->quotas);
	d = quotas_declarations(env->quotas);
	assert_int_equal(d->all[0]->n_matches, 2);
	assert_int_equal(d->all[1]->n_matches, 1);
	assert_int_equal(d->all[2]->n_matches, 0);
	/* a limit that was declared before goes */
	declare(env, OF("Unit=a.service", "4096"));
	declare(env, "[Match]\nUnit=a.service\n[Quota]\nHigh=1024\n");
	is_max(env, "/s.slice/a.service", UINT64_MAX);
	/* what is gone matches nothing */
	tree_remove("cgroup/s.slice/a.service");
	quotas_count_matches(env->quotas);
	assert_int_equal(quotas_declarations(env->quotas)->all[0]->n_matches, 0);
}

/* Without misc.max, and another cgroup with the path of one that is gone. */
static void test_cannot(void **state)
{
	_cleanup_(freep) char *reason = NULL;
	struct env *env = *state;
	char path[128], other[128];
	struct quota_status st;
	int fd;

	tree_put("cgroup/s.slice/t.service/cgroup.type", "threaded\n");
	declare(env, OF("Unit=t.service", "4096"));
	fd = cgroupfs_open(env->fs, "/s.slice/t.service");
	assert_int_equal(quotas_enforce(env->quotas, fd, "/s.slice/t.service", &reason), -EOPNOTSUPP);
	close(fd);
	assert_non_null(strstr(reason, "threaded"));
	quotas_status(env->quotas, quotas_find(env->quotas, "/s.slice/t.service"), &st);
	assert_int_equal(st.state, QUOTA_FAILED);
	free(st.reason);

	declare(env, OF("Unit=a.service", "4096"));
	/* not removed first: its inode would be free for the next one */
	snprintf(path, sizeof(path), "%s/cgroup/s.slice/a.service", tree);
	snprintf(other, sizeof(other), "%s/old", tree);
	assert_int_equal(rename(path, other), 0);
	make("/s.slice/a.service", "4096");
	declare(env, "");
	is_max(env, "/s.slice/a.service", 4096);
}

/* The edge of what is kept; what is gone makes room. */
static void test_full(void **state)
{
	struct env *env = *state;
	char path[64];

	/* most of them cannot have it, and count all the same */
	for (unsigned int i = 0; i + 1 < QUOTAS_DECLARED_MAX; i++) {
		snprintf(path, sizeof(path), "cgroup/m/%u/", i);
		tree_put(path, NULL);
	}
	make("/m/last", "max");
	declare(env, OF("CGroup=m/*", "4096"));
	is_max(env, "/m/last", 4096);
	make("/m/x", "max");
	declare(env, OF("CGroup=m/*", "8192"));
	assert_int_equal(declared_count(env->quotas), QUOTAS_DECLARED_MAX);
	assert_null(quotas_find(env->quotas, "/m/x"));
	is_max(env, "/m/x", UINT64_MAX);
	tree_remove("cgroup/m/0");
	declare(env, OF("CGroup=m/*", "8192"));
	is_max(env, "/m/x", 8192);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life, setup, teardown),
		cmocka_unit_test_setup_teardown(test_external, setup, teardown),
		cmocka_unit_test_setup_teardown(test_set, setup, teardown),
		cmocka_unit_test_setup_teardown(test_parts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cannot, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
