/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A service whose clients call Who and Classify; the kernel and /sys are made up. */
#ifndef PINGUARD_TEST_WHO_FIXTURE_H
#define PINGUARD_TEST_WHO_FIXTURE_H

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
static inline int on_defer(sd_event_source *source, void *userdata)
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

static inline int made_up_nd(struct inventory *inv)
{
	const struct inventory_layout layout = { .mapped = true,
						 .data = { 0x140400000, 0x14fffffff } };

	assert_int_equal(inventory_add(inv, "region0", 0x140000000, 0x20000000), 0);
	assert_int_equal(inventory_add(inv, "namespace0.0", 0x140000000, 0x10000000), 0);
	return inventory_set_layout(inv, "namespace0.0", &layout);
}

static inline void add_pin_of(struct manager *m, uint64_t id, pid_t pid, uint32_t kind, const char *device)
{
	struct pin_info pin = { .id = id, .kind = kind, .tgid = pid, .bytes = 4096,
				.cgroup_id = TEST_CGROUP, .charged_cgroup_id = TEST_CGROUP };

	strcpy(pin.device, device);
	assert_int_equal(registry_upsert(m->registry, &pin), 0);
}

static inline void add_pin(struct manager *m, uint64_t id, uint32_t kind, const char *device)
{
	add_pin_of(m, id, 1, kind, device);
}

static inline int setup(void **state)
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

static inline int teardown(void **state)
{
	struct manager *m = *state;

	m->source->genl = NULL;
	tree_remove(NULL);
	return owner_teardown(state);
}

/* The reply, or NULL where that error came. */
static inline json_t *ask(struct manager *m, const struct process *p, const char *method,
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

static inline const json_t *first(const json_t *reply, const char *key)
{
	return json_array_get(json_object_get(reply, key), 0);
}

static inline void check_pins(struct manager *m, const struct process *p, const char *target,
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

#endif
