/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who and Classify, as clients call them; the kernel and /sys are made up. */
#include <linux/kernel-page-flags.h>
#include <sys/mman.h>

#include "tests/unit/manager/owner-fixture.h"
#include "tests/unit/tree.h"

#include "daemon/devices/devices-internal.h"
#include "daemon/devices/inventory.h"
#include "daemon/kernel/source-internal.h"
#include "daemon/manager/internal.h"
#include "daemon/triggers/triggers.h"
#include "lib/clock.h"

/* --- in the place of the kernel's family --- */

struct range_query {
	const struct range_listener *listener;
	void *userdata;
	sd_event_source *source;
};

static sd_event *loop;
static uint64_t features;
static int frame_error;
static void (*meanwhile)(void); /* before the kernel answers */
static size_t n_queries;

enum genl_state __wrap_genl_state(const struct genl *g);
uint64_t __wrap_genl_features(const struct genl *g);
int __wrap_genl_get_frame(struct genl *g, uint64_t pfn, struct frame_info *ret);
int __wrap_genl_query_range(struct genl *g, const struct pfn_range *ranges, size_t n,
			    const struct range_listener *listener, void *userdata,
			    struct range_query **ret);
struct range_query *__wrap_range_query_free(struct range_query *q);

enum genl_state __wrap_genl_state(const struct genl *g)
{
	return GENL_SYNCED;
}

uint64_t __wrap_genl_features(const struct genl *g)
{
	return features;
}

int __wrap_genl_get_frame(struct genl *g, uint64_t pfn, struct frame_info *ret)
{
	if (frame_error)
		return frame_error;
	*ret = (struct frame_info){
		.pfn = pfn,
		.class = pfn == 5 ? PINGUARD_MEMORY_CLASS_HUGETLB :
				    PINGUARD_MEMORY_CLASS_DEVICE_DAX,
		.has_page_flags = pfn == 5,
		.page_flags = UINT64_C(1) << KPF_HUGE,
	};
	return 0;
}

/* Pin 1 holds all memory. */
static int on_defer(sd_event_source *source, void *userdata)
{
	const struct pin_info pin = { .id = 1 };
	struct range_query *q = userdata;

	if (meanwhile)
		meanwhile();
	q->listener->pin(&pin, q->userdata);
	q->listener->done(0, q->userdata);
	return 0;
}

int __wrap_genl_query_range(struct genl *g, const struct pfn_range *ranges, size_t n,
			    const struct range_listener *listener, void *userdata,
			    struct range_query **ret)
{
	struct range_query *q = calloc(1, sizeof(*q));

	assert_non_null(q);
	n_queries++;
	q->listener = listener;
	q->userdata = userdata;
	assert_true(sd_event_add_defer(loop, &q->source, on_defer, q) >= 0);
	*ret = q;
	return 0;
}

struct range_query *__wrap_range_query_free(struct range_query *q)
{
	if (q)
		sd_event_source_disable_unref(q->source);
	free(q);
	return NULL;
}

/* --- a machine --- */

static int made_up_nd(struct inventory *inv)
{
	const struct inventory_layout layout = { .mapped = true,
						 .data = { 0x140400000, 0x14fffffff } };

	assert_int_equal(inventory_add(inv, "region0", 0x140000000, 0x20000000), 0);
	assert_int_equal(inventory_add(inv, "namespace0.0", 0x140000000, 0x10000000), 0);
	return inventory_set_layout(inv, "namespace0.0", &layout);
}

static void add_pin_of(struct manager *m, uint64_t id, pid_t pid, uint32_t kind, const char *device)
{
	struct pin_info pin = { .id = id, .kind = kind, .tgid = pid, .bytes = 4096,
				.cgroup_id = TEST_CGROUP, .charged_cgroup_id = TEST_CGROUP };

	strcpy(pin.device, device);
	assert_int_equal(registry_upsert(m->registry, &pin), 0);
}

static void add_pin(struct manager *m, uint64_t id, uint32_t kind, const char *device)
{
	add_pin_of(m, id, 1, kind, device);
}

static int setup(void **state)
{
	struct manager *m;

	assert_int_equal(owner_setup(state), 0);
	m = *state;
	loop = m->event;
	features = PINGUARD_FEATURE_DEVICE_REMOVAL | PINGUARD_FEATURE_MEMORY_FAILURE;
	frame_error = 0;
	meanwhile = NULL;
	n_queries = 0;
	tree_new();
	tree_put("devices/system/memory/block_size_bytes", "8000000\n");
	tree_put("devices/system/memory/memory0/state", "online\n");
	tree_put("bus/dax/devices/dax0.0/mapping0/start", "0x140400000\n");
	tree_put("bus/dax/devices/dax0.0/mapping0/end", "0x14fffffff\n");
	tree_put("class/infiniband/rxe0/node_type", "1: CA\n");
	tree_put("class/infiniband/rxe1/node_type", "1: CA\n");
	tree_put("bus/pci/devices/0000:00:04.1/vendor", "0x8086\n");
	tree_put("bus/pci/devices/0000:00:04.1/iommu_group/devices/0000:00:04.0", "");
	tree_put("kernel/iommu_groups/12/devices/0000:00:04.0", "");
	add_pin(m, 1, PINGUARD_KIND_RDMA, "rxe0");
	add_pin(m, 2, PINGUARD_KIND_VFIO, "0000:00:04.0");
	add_pin(m, 3, PINGUARD_KIND_RDMA, "0000:00:04.0");
	add_pin(m, 4, PINGUARD_KIND_RDMA, "gone0");
	m->source->genl = (struct genl *)m;
	make_devices(m, tree, made_up_nd);
	return 0;
}

static int teardown(void **state)
{
	struct manager *m = *state;

	m->source->genl = NULL;
	tree_remove(NULL);
	return owner_teardown(state);
}

/* The reply, or NULL where that error came. */
static json_t *ask(struct manager *m, const struct process *p, const char *method,
		   const char *target, const char *error)
{
	json_t *reply = NULL;
	struct client c;

	client_open(m, &c, p);
	client_send(&c, method, false, json_pack("{s:s}", "target", target));
	if (error)
		client_error(m, &c, error);
	else
		reply = client_reply(m, &c, method, false);
	client_close(m, &c);
	return reply;
}

static void test_classify(void **state)
{
	struct manager *m = *state;
	_cleanup_json_ json_t *huge = NULL, *dax = NULL, *info = NULL, *proc = NULL, *old = NULL;
	_cleanup_json_ json_t *far = NULL;
	const json_t *place;
	struct process p;

	process_start(&p);
	huge = ask(m, &p, MANAGER("Classify"), "pfn:5", NULL);
	place = json_object_get(huge, "place");
	assert_string_equal(json_get_string(place, "class", ""), "hugetlb");
	assert_string_equal(json_get_string(place, "class_source", ""), "kernel");
	assert_string_equal(json_get_string(place, "memory_block", ""), "memory0");
	assert_string_equal(json_string_value(json_array_get(json_object_get(place, "page_flags"),
							     0)), "huge");
	dax = ask(m, &p, MANAGER("Classify"), "0x140400010", NULL);
	place = json_object_get(dax, "place");
	assert_string_equal(json_get_string(place, "address", ""), "0x140400010");
	assert_string_equal(json_get_string(place, "class", ""), "device_dax");
	assert_string_equal(json_get_string(place, "dax", ""), "dax0.0");
	assert_int_equal(json_get_int(place, "offset", 0), 0x10);
	info = ask(m, &p, MANAGER("Classify"), "0x140001000", NULL);
	assert_string_equal(json_get_string(json_object_get(info, "place"), "class", ""),
			    "dax_metadata");
	/* A kernel that cannot tell, by an error or by its features; and observe mode. */
	frame_error = -EOPNOTSUPP;
	proc = ask(m, &p, MANAGER("Classify"), "0x1000", NULL);
	place = json_object_get(proc, "place");
	assert_string_equal(json_get_string(place, "class", ""), "system_ram");
	assert_string_equal(json_get_string(place, "class_source", ""), "proc");
	far = ask(m, &p, MANAGER("Classify"), "0xfffffffffffff000", NULL);
	place = json_object_get(far, "place");
	assert_string_equal(json_get_string(place, "class", ""), "none");
	assert_non_null(strstr(json_get_string(place, "why", ""), "above all memory"));
	frame_error = 0;
	features = PINGUARD_FEATURE_DEVICE_REMOVAL;
	m->source->genl = NULL;
	old = ask(m, &p, MANAGER("Classify"), "0x140001000", NULL);
	place = json_object_get(old, "place");
	assert_string_equal(json_get_string(place, "class", ""), "dax_metadata");
	assert_string_equal(json_get_string(place, "class_source", ""), "proc");
	process_end(&p);
}

static void test_bad_targets(void **state)
{
	static const char *const invalid[] = { "", "memory0", "rxe0", "0x", "0x1000-0x1fff",
					       "0x10000000000000000", "pfn:-1", "4096" };
	struct manager *m = *state;
	struct process p;

	process_start(&p);
	for (size_t i = 0; i < ARRAY_SIZE(invalid); i++)
		ask(m, &p, MANAGER("Classify"), invalid[i], MANAGER("InvalidTarget"));
	ask(m, &p, MANAGER("Who"), "0x2-0x1", MANAGER("InvalidTarget"));
	ask(m, &p, MANAGER("Who"), "dax7.0", MANAGER("NoSuchTarget"));
	ask(m, &p, MANAGER("Who"), "memory7", MANAGER("NoSuchTarget"));
	ask(m, &p, MANAGER("Who"), "rxe7", MANAGER("NoSuchTarget"));
	ask(m, &p, MANAGER("Who"), "/dev/vfio/7", MANAGER("NoSuchTarget"));
	assert_int_equal(n_queries, 0);
	process_end(&p);
	if (!process_start_as(&p, USER_UID))
		return;
	ask(m, &p, MANAGER("Classify"), "0x1000", "org.varlink.service.PermissionDenied");
	ask(m, &p, MANAGER("Who"), "0x1000", "org.varlink.service.PermissionDenied");
	process_end(&p);
}

static const json_t *first(const json_t *reply, const char *key)
{
	return json_array_get(json_object_get(reply, key), 0);
}

static void test_who(void **state)
{
	struct manager *m = *state;
	_cleanup_json_ json_t *reply = NULL;
	struct process p;

	process_start(&p);
	reply = ask(m, &p, MANAGER("Who"), "namespace0.0", NULL);
	assert_string_equal(json_get_string(first(reply, "ranges"), "first", ""), "0x140000000");
	assert_string_equal(json_get_string(first(reply, "places"), "namespace", ""),
			    "namespace0.0");
	assert_string_equal(json_get_string(first(reply, "places"), "class", ""), "dax_metadata");
	assert_string_equal(json_get_string(first(reply, "pins"), "device", ""), "rxe0");
	assert_int_equal(json_array_size(json_object_get(reply, "pins")), 1);
	process_end(&p);
}

/* Of this target, as text; "null" where nobody knows. */
static void expect_busy(struct manager *m, const struct process *p, const char *target, bool ask,
			const char *expected)
{
	_cleanup_json_ json_t *reply = NULL;
	_cleanup_(freep) char *text = NULL;
	struct client c;

	client_open(m, &c, p);
	client_send(&c, MANAGER("Who"), false, json_pack("{s:s, s:b}", "target", target, "busy", ask));
	reply = client_reply(m, &c, MANAGER("Who"), false);
	client_close(m, &c);
	text = json_dumps(json_object_get(reply, "busy"), JSON_COMPACT | JSON_ENCODE_ANY);
	assert_string_equal(text, expected);
	/* the pins are told as well */
	assert_int_equal(json_array_size(json_object_get(reply, "pins")), 1);
}

static void test_who_busy(void **state)
{
	const uint64_t flags[] = {
		UINT64_C(1) << KPF_SLAB, 0, 0, UINT64_C(1) << KPF_LRU, UINT64_C(1) << KPF_HUGE,
	};
	_cleanup_(closep) int fd = memfd_create("flags", MFD_CLOEXEC);
	struct manager *m = *state;
	struct process p;

	assert_int_equal(write(fd, flags, sizeof(flags)), sizeof(flags));
	process_start(&p);
	/* without the file */
	expect_busy(m, &p, "0x0-0x3fff", true, "null");
	manager_set_proc(m, -1, fd);
	expect_busy(m, &p, "0x0-0x3fff", false, "null");
	expect_busy(m, &p, "0x0-0x3fff", true,
		    "[{\"class\":\"kernel\",\"bytes\":8192},{\"class\":\"slab\",\"bytes\":4096}]");
	expect_busy(m, &p, "pfn:3", true, "[]");
	expect_busy(m, &p, "pfn:4", true, "[{\"class\":\"hugetlb\",\"bytes\":4096}]");
	expect_busy(m, &p, "0x0-0xffffffff", true,
		    "[{\"class\":\"kernel\",\"bytes\":8192},{\"class\":\"slab\",\"bytes\":4096},"
		    "{\"class\":\"hugetlb\",\"bytes\":4096}]");
	expect_busy(m, &p, "0x0-0x100000fff", true, "null");
	process_end(&p);
}

/* The user of pid, or NULL. */
static const json_t *user_of(const json_t *reply, pid_t pid)
{
	const json_t *user;
	size_t i;

	json_array_foreach(json_object_get(reply, "users"), i, user)
		if (json_get_int(user, "pid", 0) == pid)
			return user;
	return NULL;
}

/* /dev/zero is the device, and this process has it open; that pins nothing. */
static void test_users(void **state)
{
	_cleanup_json_ json_t *dax = NULL, *space = NULL, *rdma = NULL, *other = NULL;
	_cleanup_json_ json_t *block = NULL, *address = NULL;
	_cleanup_(closep) int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	struct manager *m = *state;
	struct process p;

	assert_true(fd >= 0);
	tree_put("bus/dax/devices/dax0.0/dev", "1:5\n");
	tree_put("class/infiniband_verbs/uverbs0/ibdev", "rxe1\n");
	tree_put("class/infiniband_verbs/uverbs0/dev", "1:5\n");
	process_start(&p);
	dax = ask(m, &p, MANAGER("Who"), "dax0.0", NULL);
	assert_string_equal(json_get_string(user_of(dax, getpid()), "how", ""), "open");
	assert_true(json_get_bool(user_of(dax, getpid()), "exact", false));
	space = ask(m, &p, MANAGER("Who"), "namespace0.0", NULL);
	assert_non_null(user_of(space, getpid()));
	rdma = ask(m, &p, MANAGER("Who"), "rxe1", NULL);
	assert_false(json_get_bool(user_of(rdma, getpid()), "exact", true));
	other = ask(m, &p, MANAGER("Who"), "rxe0", NULL);
	assert_int_equal(json_array_size(json_object_get(other, "users")), 0);
	assert_true(json_is_null(json_object_get(other, "users_unknown")));
	/* No devices. */
	block = ask(m, &p, MANAGER("Who"), "memory0", NULL);
	assert_true(json_is_null(json_object_get(block, "users")));
	address = ask(m, &p, MANAGER("Who"), "0x1000", NULL);
	assert_true(json_is_null(json_object_get(address, "users")));
	process_end(&p);
}

/* The maker has ended since the kernel told of its pin. */
static void test_maker_gone(void **state)
{
	_cleanup_json_ json_t *lives = NULL, *gone = NULL;
	struct manager *m = *state;
	struct process p, maker;

	process_start(&p);
	process_start(&maker);
	add_pin_of(m, 1, maker.pid, PINGUARD_KIND_RDMA, "rxe0");
	lives = ask(m, &p, MANAGER("Who"), "rxe0", NULL);
	assert_false(json_get_bool(first(lives, "pins"), "owner_gone", true));
	process_end(&maker);
	usleep(MAKERS_KEPT_USEC + 1000);
	gone = ask(m, &p, MANAGER("Who"), "rxe0", NULL);
	assert_true(json_get_bool(first(gone, "pins"), "owner_gone", false));
	process_end(&p);
}

/* Whoever asks may go while the look is under way. */
static void test_asker_goes(void **state)
{
	struct manager *m = *state;
	struct process p;
	struct client c;

	tree_put("bus/dax/devices/dax0.0/dev", "1:5\n");
	process_start(&p);
	client_open(m, &c, &p);
	client_send(&c, MANAGER("Who"), false, json_pack("{s:s}", "target", "dax0.0"));
	pump(m);
	client_close(m, &c);
	/* The child that looks has a copy of this end for a moment. */
	for (int i = 0; i < 100 && m->calls.inquiries; i++)
		assert_true(sd_event_run(m->event, 100000) >= 0);
	assert_null(m->calls.inquiries);
	json_decref(ask(m, &p, MANAGER("Who"), "dax0.0", NULL));
	process_end(&p);
}

static void remove_dax(void)
{
	tree_remove("bus/dax/devices/dax0.0");
}

static void change_dax(void)
{
	tree_put("bus/dax/devices/dax0.0/mapping0/end", "0x14effffff\n");
}

static struct inventory *read_again;

static void remove_and_tell(void)
{
	remove_dax();
	assert_int_equal(inventory_refresh(read_again), 0);
}

static void change_and_tell(void)
{
	change_dax();
	assert_int_equal(inventory_refresh(read_again), 0);
}

/* The device goes, or changes, after it has been looked up. */
static void test_vanishes(void **state)
{
	struct manager *m = *state;
	struct process p;

	process_start(&p);
	read_again = devices_inventory(m->devices);
	meanwhile = change_and_tell;
	ask(m, &p, MANAGER("Who"), "dax0.0", MANAGER("NotReady"));
	meanwhile = remove_and_tell;
	ask(m, &p, MANAGER("Who"), "dax0.0", MANAGER("NoSuchTarget"));
	assert_int_equal(n_queries, 2);
	ask(m, &p, MANAGER("Who"), "dax0.0", MANAGER("NoSuchTarget"));
	process_end(&p);
}

static void check_pins(struct manager *m, const struct process *p, const char *target,
		       const char *ids)
{
	_cleanup_json_ json_t *reply = ask(m, p, MANAGER("Who"), target, NULL);
	char text[64] = "";
	const json_t *pin;
	size_t i;

	json_array_foreach(json_object_get(reply, "pins"), i, pin)
		strncat(text, json_get_string(pin, "id", "?") + 2, 8);
	assert_string_equal(text, ids);
	assert_int_equal(json_array_size(json_object_get(reply, "ranges")), 0);
	assert_int_equal(json_array_size(json_object_get(reply, "places")), 0);
}

static void test_names(void **state)
{
	struct manager *m = *state;
	struct process p;

	process_start(&p);
	check_pins(m, &p, "rxe0", "1");
	/* It is there, and pins nothing. */
	check_pins(m, &p, "rxe1", "");
	/* It is not there, and pins do remain. */
	check_pins(m, &p, "gone0", "4");
	check_pins(m, &p, "0000:00:04.0", "23");
	/* Another of the same group, whose pins carry the first one's name. */
	check_pins(m, &p, "0000:00:04.1", "2");
	check_pins(m, &p, "/dev/vfio/12", "2");
	ask(m, &p, MANAGER("Drain"), "rxe1", MANAGER("InvalidTarget"));
	ask(m, &p, MANAGER("Drain"), "gone0", MANAGER("InvalidTarget"));
	ask(m, &p, MANAGER("Drain"), "rxe7", MANAGER("NoSuchTarget"));
	process_end(&p);
}

static void rename_device(const char *old, const char *new)
{
	char from[128], to[128];

	snprintf(from, sizeof(from), "%s/class/infiniband/%s", tree, old);
	snprintf(to, sizeof(to), "%s/class/infiniband/%s", tree, new);
	assert_int_equal(rename(from, to), 0);
}

/* What the kernel tells of a pin of rxe0. */
static void tell_pin(struct manager *m, uint64_t id, uint64_t since_usec)
{
	const struct pin_info pin = { .id = id, .kind = PINGUARD_KIND_RDMA, .tgid = 1, .bytes = 4096,
				      .device = "rxe0", .since_usec = since_usec };

	assert_int_equal(manager_listener.pin(&pin, m), 0);
}

static const char *device_of(struct manager *m, uint64_t id)
{
	return registry_find(m->registry, id)->origin->device;
}

/* Pins have the name that their device has today, whatever the kernel calls it. */
static void test_renamed(void **state)
{
	struct manager *m = *state;
	const uint64_t before = clock_usec(CLOCK_REALTIME);
	struct process p;

	process_start(&p);
	m->devices->config.renamed = feed_renamed;
	assert_int_equal(devices_start_renames(m->devices), 0);
	tell_pin(m, 10, before);
	check_pins(m, &p, "rxe0", "1a");
	rename_device("rxe0", "rocep1s0f0");
	check_pins(m, &p, "rocep1s0f0", "1a");
	assert_string_equal(device_of(m, 1), "rocep1s0f0");
	assert_string_equal(device_of(m, 2), "0000:00:04.0");
	/* by the old name, too, while no device has that */
	check_pins(m, &p, "rxe0", "1a");
	/* another list of the kernel's has the old name */
	tell_pin(m, 10, before);
	assert_string_equal(device_of(m, 10), "rocep1s0f0");
	/* another device takes the name, and pins */
	tree_put("class/infiniband/rxe0/node_type", "1: CA\n");
	tell_pin(m, 11, clock_usec(CLOCK_REALTIME) + 1000000);
	check_pins(m, &p, "rxe0", "b");
	check_pins(m, &p, "rocep1s0f0", "1a");
	/* it goes: its pins are its own still */
	tree_remove("class/infiniband/rxe0");
	check_pins(m, &p, "rxe0", "b");
	process_end(&p);
}

/* Of a kernel that tells nothing a device's pins are known all the same, memory's are not. */
static void test_stock(void **state)
{
	_cleanup_(closep) int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	struct manager *m = *state;
	_cleanup_json_ json_t *users = NULL;
	struct process p;

	assert_true(fd >= 0);
	tree_put("class/infiniband_verbs/uverbs0/ibdev", "rxe1\n");
	tree_put("class/infiniband_verbs/uverbs0/dev", "1:5\n");
	process_start(&p);
	m->source->genl = NULL;
	check_pins(m, &p, "rxe0", "1");
	users = ask(m, &p, MANAGER("Who"), "rxe1", NULL);
	assert_non_null(user_of(users, getpid()));
	ask(m, &p, MANAGER("Who"), "dax0.0", MANAGER("NotSupported"));
	ask(m, &p, MANAGER("Who"), "0x1000", MANAGER("NotSupported"));
	process_end(&p);
}

/* Memory is being taken away: what was seen before is told, nothing is read. */
static void test_revoke(void **state)
{
	struct manager *m = *state;
	const struct pin_event begin = { .type = PIN_EVENT_REVOKE, .seq = 1,
					 .revoke = { .id = 9, .first_pfn = 1, .last_pfn = 2 } };
	struct pin_event end = begin;
	_cleanup_json_ json_t *known = NULL, *place = NULL;
	struct process p;

	process_start(&p);
	assert_int_equal(inventory_refresh(devices_inventory(m->devices)), 0);
	assert_int_equal(triggers_event(m->triggers, &begin), 0);
	remove_dax();
	known = ask(m, &p, MANAGER("Who"), "dax0.0", NULL);
	assert_string_equal(json_get_string(first(known, "places"), "dax", ""), "dax0.0");
	place = ask(m, &p, MANAGER("Classify"), "0x1000", NULL);
	assert_true(json_is_null(json_object_get(json_object_get(place, "place"), "online")));
	ask(m, &p, MANAGER("Who"), "dax7.0", MANAGER("InvalidTarget"));
	end.type = PIN_EVENT_REVOKE_DONE;
	end.revoke.outcome = PINGUARD_REVOKE_OUTCOME_DONE;
	assert_int_equal(triggers_event(m->triggers, &end), 0);
	ask(m, &p, MANAGER("Who"), "dax0.0", MANAGER("NoSuchTarget"));
	process_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_classify, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_targets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_busy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_users, setup, teardown),
		cmocka_unit_test_setup_teardown(test_maker_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_asker_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vanishes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_renamed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stock, setup, teardown),
		cmocka_unit_test_setup_teardown(test_revoke, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
