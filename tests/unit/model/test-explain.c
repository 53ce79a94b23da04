/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What binds a pin first, of invented figures: each cause, at its edge. */
#include <unistd.h>

#include "tests/unit/unit.h"

#include "daemon/model/explain.h"
#include "lib/json.h"

#define MIB (UINT64_C(1) << 20)

static struct explain_level levels[3];
static struct explain_rdma rdma[2];
static char leaf[] = "/a/b/c.service", middle[] = "/a/b", top[] = "/a";
static struct pin_check checks[EXPLAIN_CHECKS_MAX];
static size_t n_checks;

/* A patched kernel, with no limit but an unlimited RLIMIT_MEMLOCK. */
static struct explain_facts facts(void)
{
	struct explain_facts f = {
		.patched = true,
		.process = {
			.pid = 7, .uid = 1000, .soft_bytes = UINT64_MAX, .hard_bytes = UINT64_MAX,
			.has_memory = true, .ipc_lock_known = true, .user_ns = USER_NS_INITIAL,
			.cgroup = leaf,
		},
		.has_user_bytes = true,
		.levels = levels, .n_levels = 3, .rdma = rdma,
	};

	levels[0] = (struct explain_level){ .path = leaf, .counts = true, .max = UINT64_MAX };
	levels[1] = (struct explain_level){ .path = middle, .counts = true, .max = UINT64_MAX };
	levels[2] = (struct explain_level){ .path = top, .counts = true, .max = UINT64_MAX };
	return f;
}

static const struct pin_check *walk(const struct explain_facts *f, uint32_t kind)
{
	n_checks = explain_walk(f, kind, checks);
	for (size_t i = 0; i < n_checks; i++)
		if (checks[i].first)
			return &checks[i];
	return NULL;
}

static const struct pin_check *find(enum check_type type, const char *cgroup)
{
	for (size_t i = 0; i < n_checks; i++)
		if (checks[i].type == type &&
		    (!cgroup || (checks[i].cgroup && strcmp(checks[i].cgroup, cgroup) == 0)))
			return &checks[i];
	fail_msg("no check %d", type);
	return NULL;
}

static void check_order(uint32_t kind, const char *expected)
{
	static const char letters[] = { [CHECK_RDMA_OBJECTS] = 'o', [CHECK_DMA_ENTRIES] = 'e',
					[CHECK_UDMABUF_SIZE] = 'u', [CHECK_RLIMIT] = 'r',
					[CHECK_LIMIT] = 'l', [CHECK_REVOKE] = 'v', [CHECK_POLICY] = 'p' };
	struct explain_facts f = facts();
	char text[EXPLAIN_CHECKS_MAX + 1] = "";

	f.n_rdma = 1;
	rdma[0] = (struct explain_rdma){ .path = leaf, .device = "rxe0", .max = 9 };
	(void)walk(&f, kind);
	for (size_t i = 0; i < n_checks; i++)
		text[i] = letters[checks[i].type];
	text[n_checks] = '\0';
	assert_string_equal(text, expected);
}

static void test_order(void **state)
{
	check_order(PINGUARD_KIND_RDMA, "orlllvp");
	check_order(PINGUARD_KIND_VFIO, "elllvpr");
	check_order(PINGUARD_KIND_IOMMUFD, "lllvpr");
	check_order(PINGUARD_KIND_IO_URING, "lllvpr");
	check_order(PINGUARD_KIND_XDP, "rlllvp");
	check_order(PINGUARD_KIND_VDPA, "lllrvp");
	check_order(PINGUARD_KIND_UDMABUF, "ulllvp");
	check_order(PIN_KIND_UNKNOWN, "");
	check_order(99, "");
}

static void test_nothing_binds(void **state)
{
	struct explain_facts f = facts();

	assert_null(walk(&f, PINGUARD_KIND_RDMA));
	assert_int_equal(find(CHECK_RLIMIT, NULL)->state, CHECK_UNLIMITED);
	assert_int_equal(find(CHECK_LIMIT, leaf)->state, CHECK_UNLIMITED);
	assert_int_equal(find(CHECK_REVOKE, NULL)->state, CHECK_OPEN);
	assert_int_equal(find(CHECK_POLICY, NULL)->state, CHECK_OPEN);
}

/* RLIMIT_MEMLOCK: the counter is the kind's. */
static void test_rlimit(void **state)
{
	const uint64_t page = sysconf(_SC_PAGESIZE);
	struct explain_facts f = facts();
	const struct pin_check *c;

	f.process.soft_bytes = 8 * MIB;
	f.process.pinned_bytes = 8 * MIB - page;
	f.process.locked_bytes = 3 * MIB;
	f.user_bytes = 5 * MIB;
	c = walk(&f, PINGUARD_KIND_RDMA);
	assert_int_equal(c->type, CHECK_RLIMIT);
	assert_int_equal(c->counter, COUNTER_PINNED);
	assert_int_equal(c->state, CHECK_OPEN);
	f.process.pinned_bytes++;
	assert_int_equal(walk(&f, PINGUARD_KIND_RDMA)->state, CHECK_REFUSES);
	assert_int_equal(walk(&f, PINGUARD_KIND_VDPA)->state, CHECK_REFUSES);
	c = walk(&f, PINGUARD_KIND_VFIO);
	assert_int_equal(c->counter, COUNTER_LOCKED);
	assert_int_equal(c->used, 3 * MIB);
	c = walk(&f, PINGUARD_KIND_XDP);
	assert_int_equal(c->counter, COUNTER_USER);
	assert_int_equal(c->used, 5 * MIB);
	assert_int_equal(c->used_is, USED_ABOUT);
	/* what was refused, to the byte */
	f.asked_bytes = 3 * MIB;
	assert_int_equal(walk(&f, PINGUARD_KIND_XDP)->state, CHECK_OPEN);
	f.asked_bytes++;
	c = walk(&f, PINGUARD_KIND_XDP);
	assert_int_equal(c->state, CHECK_REFUSES);
	assert_int_equal(c->needed, 8 * MIB + 1);
	/* how much the user has is in no file */
	f.has_user_bytes = false;
	c = walk(&f, PINGUARD_KIND_IO_URING);
	assert_int_equal(c->used_is, USED_UNKNOWN);
	assert_int_equal(c->state, CHECK_OPEN);
	assert_int_equal(c->needed, 11 * MIB + 1);
	f.process.pid = 0;
	assert_null(walk(&f, PINGUARD_KIND_RDMA));
	assert_int_equal(find(CHECK_RLIMIT, NULL)->state, CHECK_UNKNOWN);
}

/* CAP_IPC_LOCK: where the kernel asks, in the first user namespace alone. */
static void test_capability(void **state)
{
	struct explain_facts f = facts();
	struct explain_process *p = &f.process;

	p->soft_bytes = p->pinned_bytes = p->locked_bytes = f.user_bytes = 8 * MIB;
	p->ipc_lock = true;
	assert_null(walk(&f, PINGUARD_KIND_RDMA));
	assert_int_equal(find(CHECK_RLIMIT, NULL)->state, CHECK_EXEMPT);
	assert_true(explain_is_exempt(p, PINGUARD_KIND_VFIO));
	assert_null(walk(&f, PINGUARD_KIND_VFIO));
	assert_null(walk(&f, PINGUARD_KIND_IOMMUFD));
	assert_null(walk(&f, PINGUARD_KIND_IO_URING));
	assert_null(walk(&f, PINGUARD_KIND_XDP));
	assert_int_equal(walk(&f, PINGUARD_KIND_VDPA)->state, CHECK_REFUSES);
	assert_non_null(find(CHECK_RLIMIT, NULL)->note);
	assert_false(explain_is_exempt(p, PINGUARD_KIND_VDPA));
	p->user_ns = USER_NS_OTHER;
	assert_int_equal(walk(&f, PINGUARD_KIND_RDMA)->state, CHECK_REFUSES);
	assert_non_null(find(CHECK_RLIMIT, NULL)->note);
	assert_false(explain_is_exempt(p, PINGUARD_KIND_RDMA));
	p->user_ns = USER_NS_UNKNOWN;
	assert_null(walk(&f, PINGUARD_KIND_RDMA));
	assert_int_equal(find(CHECK_RLIMIT, NULL)->state, CHECK_UNKNOWN);
	p->ipc_lock = false;
	assert_int_equal(walk(&f, PINGUARD_KIND_RDMA)->state, CHECK_REFUSES);
	assert_null(find(CHECK_RLIMIT, NULL)->note);
	p->ipc_lock_known = false;
	assert_null(walk(&f, PINGUARD_KIND_RDMA));
}

/* Each level up; the innermost that refuses is first, else the one with the least left. */
static void test_limits(void **state)
{
	struct explain_facts f = facts();
	const struct pin_check *c;

	f.asked_bytes = MIB;
	levels[0].max = 10 * MIB;
	levels[1].max = 20 * MIB;
	levels[1].used = 19 * MIB;
	assert_string_equal(walk(&f, PINGUARD_KIND_VFIO)->cgroup, middle);
	assert_int_equal(find(CHECK_LIMIT, middle)->state, CHECK_OPEN);
	levels[1].used++;
	c = walk(&f, PINGUARD_KIND_VFIO);
	assert_string_equal(c->cgroup, middle);
	assert_int_equal(c->state, CHECK_REFUSES);
	assert_int_equal(c->needed, 20 * MIB + 1);
	levels[0].used = 10 * MIB;
	assert_string_equal(walk(&f, PINGUARD_KIND_VFIO)->cgroup, leaf);
	assert_int_equal(find(CHECK_LIMIT, middle)->state, CHECK_REFUSES);
	/* more than that is used, since it was lowered */
	levels[0].used = 30 * MIB;
	assert_int_equal(walk(&f, PINGUARD_KIND_VFIO)->needed, 31 * MIB);
	/* what others use is not to be concluded from what would be enough */
	levels[0].hidden = true;
	c = walk(&f, PINGUARD_KIND_VFIO);
	assert_int_equal(c->used_is, USED_HIDDEN);
	assert_int_equal(c->needed, 11 * MIB);
	/* one that is not counted in has no limit */
	levels[0].counts = false;
	assert_string_equal(walk(&f, PINGUARD_KIND_VFIO)->cgroup, middle);
	/* the kernel asks RLIMIT_MEMLOCK of RDMA first, and of VFIO last */
	f.process.soft_bytes = 0;
	assert_int_equal(walk(&f, PINGUARD_KIND_RDMA)->type, CHECK_RLIMIT);
	assert_int_equal(walk(&f, PINGUARD_KIND_VFIO)->type, CHECK_LIMIT);
	f.levels_left_out = 1;
	(void)walk(&f, PINGUARD_KIND_VFIO);
	assert_int_equal(checks[3].state, CHECK_UNKNOWN);
	f.patched = false;
	assert_int_equal(walk(&f, PINGUARD_KIND_VFIO)->type, CHECK_RLIMIT);
	assert_int_equal(n_checks, 2);
}

static void test_policy(void **state)
{
	struct explain_facts f = facts();

	levels[0].policy = PINGUARD_POLICY_ALLOW;
	levels[1].policy = PINGUARD_POLICY_REVOCABLE;
	(void)walk(&f, PINGUARD_KIND_RDMA);
	assert_string_equal(find(CHECK_POLICY, NULL)->cgroup, middle);
	assert_int_equal(find(CHECK_POLICY, NULL)->state, CHECK_DEVICE_MEMORY);
	f.process.registered = true;
	(void)walk(&f, PINGUARD_KIND_RDMA);
	assert_int_equal(find(CHECK_POLICY, NULL)->state, CHECK_OPEN);
	levels[2].policy = PINGUARD_POLICY_DENY;
	(void)walk(&f, PINGUARD_KIND_RDMA);
	assert_string_equal(find(CHECK_POLICY, NULL)->cgroup, top);
	assert_int_equal(find(CHECK_POLICY, NULL)->state, CHECK_DEVICE_MEMORY);
	f.revokes = 1;
	(void)walk(&f, PINGUARD_KIND_RDMA);
	assert_int_equal(find(CHECK_REVOKE, NULL)->state, CHECK_DEVICE_MEMORY);
}

static void test_rdma(void **state)
{
	struct explain_facts f = facts();
	const struct pin_check *c;

	f.n_rdma = 2;
	rdma[0] = (struct explain_rdma){ .path = leaf, .device = "rxe0", .used = 4, .max = 5 };
	rdma[1] = (struct explain_rdma){ .path = top, .device = "rxe1", .used = 5, .max = 5 };
	c = walk(&f, PINGUARD_KIND_RDMA);
	assert_string_equal(c->device, "rxe1");
	assert_int_equal(c->needed, 6);
	strcpy(f.device, "rxe0");
	assert_null(walk(&f, PINGUARD_KIND_RDMA));
	rdma[0].used++;
	assert_int_equal(walk(&f, PINGUARD_KIND_RDMA)->state, CHECK_REFUSES);
	assert_null(walk(&f, PINGUARD_KIND_VFIO));
}

static void test_modules(void **state)
{
	struct explain_facts f = facts();

	assert_null(walk(&f, PINGUARD_KIND_VFIO));
	assert_int_equal(find(CHECK_DMA_ENTRIES, NULL)->state, CHECK_UNKNOWN);
	f.has_dma_entry_limit = true;
	f.dma_entry_limit = 2;
	f.vfio_pins = 1;
	(void)walk(&f, PINGUARD_KIND_VFIO);
	assert_int_equal(find(CHECK_DMA_ENTRIES, NULL)->state, CHECK_OPEN);
	/* of how many containers nobody knows */
	f.vfio_pins = 2;
	(void)walk(&f, PINGUARD_KIND_VFIO);
	assert_int_equal(find(CHECK_DMA_ENTRIES, NULL)->state, CHECK_UNKNOWN);
	f.dma_entry_limit = 0;
	assert_int_equal(walk(&f, PINGUARD_KIND_VFIO)->state, CHECK_REFUSES);
	assert_null(walk(&f, PINGUARD_KIND_UDMABUF));
	f.has_udmabuf_mb = true;
	f.udmabuf_mb = 64;
	f.asked_bytes = 64 * MIB;
	assert_int_equal(walk(&f, PINGUARD_KIND_UDMABUF)->state, CHECK_OPEN);
	f.asked_bytes++;
	assert_int_equal(walk(&f, PINGUARD_KIND_UDMABUF)->state, CHECK_REFUSES);
}

static void test_refused(void **state)
{
	struct explain_facts f = facts();
	struct pin_check c;

	f.asked_bytes = 4 * MIB;
	c = explain_refused(&f, PINGUARD_KIND_RDMA, PINGUARD_REASON_LIMIT, top, 61 * MIB, 64 * MIB);
	assert_int_equal(c.type, CHECK_LIMIT);
	assert_int_equal(c.needed, 65 * MIB);
	c = explain_refused(&f, PINGUARD_KIND_RDMA, PINGUARD_REASON_LIMIT, top, UINT64_MAX, 64 * MIB);
	assert_int_equal(c.used_is, USED_HIDDEN);
	assert_int_equal(c.needed, 68 * MIB);
	f.process.soft_bytes = f.process.pinned_bytes = 9 * MIB;
	c = explain_refused(&f, PINGUARD_KIND_RDMA, PINGUARD_REASON_RLIMIT, NULL, 0, 8 * MIB);
	assert_int_equal(c.type, CHECK_RLIMIT);
	assert_int_equal(c.max, 8 * MIB);
	assert_int_equal(c.needed, 13 * MIB);
	f.process.pid = 0;
	c = explain_refused(&f, PINGUARD_KIND_RDMA, PINGUARD_REASON_RLIMIT, NULL, 0, 8 * MIB);
	assert_int_equal(c.needed, 12 * MIB);
	c = explain_refused(&f, PINGUARD_KIND_RDMA, PINGUARD_REASON_RLIMIT, NULL, 0, UINT64_MAX);
	assert_int_equal(c.needed, 4 * MIB);
	assert_non_null(c.note);
	c = explain_refused(&f, PINGUARD_KIND_RDMA, PINGUARD_REASON_REVOKE, NULL, 0, UINT64_MAX);
	assert_int_equal(c.type, CHECK_REVOKE);
	c = explain_refused(&f, 99, 99, NULL, 0, UINT64_MAX);
	assert_true(c.first);
}

/* --- remedies --- */

static void check_remedy(const struct explain_facts *f, const char *unit, const char *user_unit,
			 const struct pin_check *c, size_t i, const char *key, const char *expected)
{
	const struct explain_unit u = { unit, user_unit };
	_cleanup_json_ json_t *array = remedies_json(f, &u, "/sys/fs/cgroup", c);

	assert_string_equal(json_get_string(json_array_get(array, i), key, "(none)"), expected);
}

static void test_remedies(void **state)
{
	struct explain_facts f = facts();
	struct pin_check c = { .type = CHECK_RLIMIT, .counter = COUNTER_PINNED, .first = true,
			   .needed = 12 * MIB + 1 };

	f.process.soft_bytes = f.process.hard_bytes = 8 * MIB;
	check_remedy(&f, "c.service", NULL, &c, 0, "command", "systemctl edit c.service");
	check_remedy(&f, "c.service", NULL, &c, 0, "setting", "[Service]\nLimitMEMLOCK=13M");
	check_remedy(&f, "c.service", NULL, &c, 1, "command", "prlimit --pid 7 --memlock=13631488");
	check_remedy(&f, "c.socket", NULL, &c, 0, "setting", "[Socket]\nLimitMEMLOCK=13M");
	check_remedy(&f, "a\\x2db.service", NULL, &c, 0, "command", "systemctl edit 'a\\x2db.service'");
	check_remedy(&f, "session-3.scope", NULL, &c, 0, "setting", ":1000 - memlock 13312");
	check_remedy(&f, "session-3.scope", NULL, &c, 0, "file", "/etc/security/limits.d/memlock.conf");
	check_remedy(&f, "machine-x.scope", NULL, &c, 0, "command", "(none)");
	check_remedy(&f, "user@1000.service", "c.service", &c, 0, "command", "systemctl edit user@1000.service");
	check_remedy(&f, "user@1000.service", "c.service", &c, 1, "command", "systemctl --user edit c.service");
	f.process.hard_bytes = 13 * MIB;
	check_remedy(&f, "user@1000.service", "c.service", &c, 0, "command", "systemctl --user edit c.service");
	check_remedy(&f, "c.service", NULL, &c, 1, "command", "prlimit --pid 7 --memlock=13631488:");
	c.needed = UINT64_MAX;
	check_remedy(&f, "c.service", NULL, &c, 0, "setting", "[Service]\nLimitMEMLOCK=infinity");
	c = (struct pin_check){ .type = CHECK_LIMIT, .state = CHECK_REFUSES, .cgroup = "/a/it's", .needed = MIB };
	check_remedy(&f, NULL, NULL, &c, 0, "command", "pinctl quota set '/a/it'\\''s' 1M");
	c.cgroup = "/a/\033b";
	check_remedy(&f, NULL, NULL, &c, 0, "command", "pinctl quota set '/a/\\x1bb' 1M");
	c = (struct pin_check){ .type = CHECK_POLICY, .state = CHECK_DEVICE_MEMORY, .cgroup = "/a" };
	check_remedy(&f, NULL, NULL, &c, 0, "command", "pinctl policy set /a allow");
	c = (struct pin_check){ .type = CHECK_RDMA_OBJECTS, .state = CHECK_REFUSES, .cgroup = "/a b",
			    .device = "rxe0", .needed = 6 };
	check_remedy(&f, NULL, NULL, &c, 0, "command",
		     "echo 'rxe0 hca_object=6' >'/sys/fs/cgroup/a b/rdma.max'");
	c.cgroup = "/a\n";
	check_remedy(&f, NULL, NULL, &c, 0, "command", "(none)");
	c = (struct pin_check){ .type = CHECK_DMA_ENTRIES, .state = CHECK_REFUSES, .needed = 3 };
	check_remedy(&f, NULL, NULL, &c, 0, "command",
		     "echo 3 >/sys/module/vfio_iommu_type1/parameters/dma_entry_limit");
	check_remedy(&f, NULL, NULL, &c, 0, "setting", "options vfio_iommu_type1 dma_entry_limit=3");
	c = (struct pin_check){ .type = CHECK_UDMABUF_SIZE, .state = CHECK_REFUSES, .needed = MIB + 1 };
	check_remedy(&f, NULL, NULL, &c, 0, "command",
		     "echo 2 >/sys/module/udmabuf/parameters/size_limit_mb");
	c = (struct pin_check){ .type = CHECK_REVOKE, .state = CHECK_REFUSES };
	check_remedy(&f, NULL, NULL, &c, 0, "command", "(none)");
	/* nothing is to be raised that lets it through */
	c = (struct pin_check){ .type = CHECK_LIMIT, .cgroup = "/a", .needed = MIB };
	check_remedy(&f, NULL, NULL, &c, 0, "effect", "(none)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),	cmocka_unit_test(test_nothing_binds),
		cmocka_unit_test(test_rlimit),	cmocka_unit_test(test_capability),
		cmocka_unit_test(test_limits),	cmocka_unit_test(test_policy),
		cmocka_unit_test(test_rdma),	cmocka_unit_test(test_modules),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_remedies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
