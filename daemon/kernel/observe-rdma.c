/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory regions, device after device. The kernel tells which thread made a
 * region while that thread lives. Without it the region belongs to whoever made
 * its protection domain, or the context that this is in.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <rdma/rdma_netlink.h>
#include <stdio.h>
#include <string.h>

#include "daemon/kernel/observe-internal.h"

#define DEVICES_MAX   1024
#define STEP_ORPHANS  512
/* Never 0. */
#define SYNTHETIC_ID(dev, mr) (((uint64_t)(dev) + 1) << 32 | (mr))

static int next_device(struct observe *o);

void observe_rdma_clear(struct observe *o)
{
	free(o->devices);
	o->devices = NULL;
	o->n_devices = 0;
	o->device = 0;
	free(o->orphans);
	o->orphans = NULL;
	o->n_orphans = 0;
	free(o->on_demand);
	o->on_demand = NULL;
	o->n_on_demand = 0;
}

static bool is_end(const struct nlmsghdr *nlh)
{
	return nlh->nlmsg_type == NLMSG_DONE || nlh->nlmsg_type == NLMSG_ERROR;
}

/* NULL when out of memory. */
static struct nl_msg *request(struct observe *o, int type)
{
	_cleanup_(nlmsg_freep) struct nl_msg *msg =
		nlmsg_alloc_simple(type, NLM_F_REQUEST | NLM_F_DUMP);

	if (!msg || nla_put_u32(msg, RDMA_NLDEV_ATTR_DEV_INDEX,
				o->devices[o->device].index) < 0)
		return NULL;
	return TAKE_PTR(msg);
}

/* type: of the messages that have it */
static int on_table(const struct nlmsghdr *nlh, int type, enum rdma_table table,
		    int (*handler)(const struct rdma_object *object, void *userdata),
		    struct observe *o)
{
	int r;

	if (is_end(nlh))
		return 1;
	if (nlh->nlmsg_type != type)
		return 0;
	r = rdmamsg_parse_table(nlh, table, handler, o);
	return r == -EBADMSG ? 0 : r;
}

/* pin: of whom it is, so far */
static int tell_region(struct observe *o, const struct rdma_object *region, struct pin_info *pin)
{
	const struct rdma_device *dev = &o->devices[o->device];

	pin->id = SYNTHETIC_ID(dev->index, region->number);
	pin->kind = PINGUARD_KIND_RDMA;
	pin->bytes = rdma_region_pinned(region, sysconf(_SC_PAGESIZE));
	memcpy(pin->device, dev->name, sizeof(pin->device));
	return pin->bytes ? o->config.listener->pin(pin, o->config.userdata) : 0;
}

static int add_orphan(struct observe *o, const struct rdma_object *region)
{
	struct rdma_orphan *orphans;

	if ((o->n_orphans & (o->n_orphans - 1)) == 0) {
		orphans = reallocarray(o->orphans, o->n_orphans ? o->n_orphans * 2 : 1,
				       sizeof(*orphans));
		if (!orphans)
			return -ENOMEM;
		o->orphans = orphans;
	}
	o->orphans[o->n_orphans++] = (struct rdma_orphan){ .region = *region,
							   .above = region->parent };
	return 0;
}

static int compare_numbers(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int on_region(const struct rdma_object *region, void *userdata)
{
	struct observe *o = userdata;
	struct pin_info pin;

	if (o->n_on_demand && bsearch(&region->number, o->on_demand, o->n_on_demand,
				      sizeof(*o->on_demand), compare_numbers))
		return 0;
	if (!observe_find_owner(o, region->pid, &pin) && region->has_parent)
		return add_orphan(o, region);
	return tell_region(o, region, &pin);
}

static int on_regions(const struct nlmsghdr *nlh, void *userdata)
{
	return on_table(nlh, rdmamsg_type_table(RDMA_REGIONS), RDMA_REGIONS, on_region, userdata);
}

/* Those that have got an owner, and those that have none. */
static int step_orphans(struct observe *o)
{
	struct pin_info pin;
	unsigned int i;
	int r;

	for (i = 0; i < STEP_ORPHANS && o->orphan < o->n_orphans; i++, o->orphan++) {
		(void)observe_find_owner(o, o->orphans[o->orphan].region.pid, &pin);
		r = tell_region(o, &o->orphans[o->orphan].region, &pin);
		if (r < 0)
			return r;
	}
	if (o->orphan < o->n_orphans)
		return 0;
	free(o->orphans);
	o->orphans = NULL;
	o->n_orphans = 0;
	o->device++;
	return next_device(o);
}

static int tell_orphans(struct observe *o)
{
	o->orphan = 0;
	o->step = step_orphans;
	return 0;
}

static int by_above(const void *a, const void *b)
{
	const struct rdma_orphan *x = a, *y = b;

	return x->above < y->above ? -1 : x->above > y->above;
}

/* An object above some of the orphans, which are sorted. */
static int on_above(const struct rdma_object *object, void *userdata)
{
	struct observe *o = userdata;
	size_t low = 0, high = o->n_orphans, middle;
	struct rdma_orphan *orphan;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (o->orphans[middle].above < object->number)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < o->n_orphans && o->orphans[low].above == object->number; low++) {
		orphan = &o->orphans[low];
		if (orphan->region.pid)
			continue;
		orphan->region.pid = object->pid;
		orphan->has_next = object->has_parent;
		orphan->next_above = object->parent;
	}
	return 0;
}

static int on_contexts(const struct nlmsghdr *nlh, void *userdata)
{
	return on_table(nlh, rdmamsg_type_table(RDMA_CONTEXTS), RDMA_CONTEXTS, on_above, userdata);
}

static const struct observe_dump contexts = { .handler = on_contexts, .over = tell_orphans };

static int on_domains(const struct nlmsghdr *nlh, void *userdata)
{
	return on_table(nlh, rdmamsg_type_table(RDMA_DOMAINS), RDMA_DOMAINS, on_above, userdata);
}

static int domains_over(struct observe *o)
{
	_cleanup_(nlmsg_freep) struct nl_msg *msg = NULL;
	bool any = false;

	for (size_t i = 0; i < o->n_orphans; i++) {
		struct rdma_orphan *orphan = &o->orphans[i];

		orphan->above = orphan->has_next ? orphan->next_above : UINT32_MAX;
		any |= orphan->has_next && !orphan->region.pid;
	}
	if (!any)
		return tell_orphans(o);
	qsort(o->orphans, o->n_orphans, sizeof(*o->orphans), by_above);
	msg = request(o, rdmamsg_type_table(RDMA_CONTEXTS));
	return observe_ask(o, msg, &contexts);
}

static const struct observe_dump domains = { .handler = on_domains, .over = domains_over };

static int regions_over(struct observe *o)
{
	_cleanup_(nlmsg_freep) struct nl_msg *msg = NULL;

	if (!o->n_orphans) {
		o->device++;
		return next_device(o);
	}
	for (size_t i = 0; i < o->n_orphans; i++)
		o->orphans[i].region.pid = 0;
	qsort(o->orphans, o->n_orphans, sizeof(*o->orphans), by_above);
	msg = request(o, rdmamsg_type_table(RDMA_DOMAINS));
	return observe_ask(o, msg, &domains);
}

static const struct observe_dump regions = { .handler = on_regions, .over = regions_over };

static int ask_regions(struct observe *o)
{
	_cleanup_(nlmsg_freep) struct nl_msg *msg =
		request(o, rdmamsg_type_table(RDMA_REGIONS));

	if (o->n_on_demand)
		qsort(o->on_demand, o->n_on_demand, sizeof(*o->on_demand), compare_numbers);
	return observe_ask(o, msg, &regions);
}

static int on_counted(const struct rdma_object *region, void *userdata)
{
	struct observe *o = userdata;
	uint32_t *numbers;

	if (!region->has_counters)
		return 0;
	if ((o->n_on_demand & (o->n_on_demand - 1)) == 0) {
		numbers = reallocarray(o->on_demand, o->n_on_demand ? o->n_on_demand * 2 : 1,
				       sizeof(*numbers));
		if (!numbers)
			return -ENOMEM;
		o->on_demand = numbers;
	}
	o->on_demand[o->n_on_demand++] = region->number;
	return 0;
}

static int on_statistics(const struct nlmsghdr *nlh, void *userdata)
{
	return on_table(nlh, rdmamsg_type_statistics(), RDMA_REGIONS, on_counted, userdata);
}

static const struct observe_dump statistics = { .handler = on_statistics, .over = ask_regions };

/*
 * The one driver whose statistics tell regions on demand from others: it counts
 * their faults. Of others they are a second list of all regions, for nothing.
 */
static bool tells_on_demand(struct observe *o)
{
	char path[PINGUARD_DEVICE_NAME_MAX + 64], target[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "class/infiniband/%s/device/driver",
		 o->devices[o->device].name);
	n = readlinkat(o->sys_fd, path, target, sizeof(target) - 1);
	target[MAX(n, 0)] = '\0';
	return strcmp(basename(target), "mlx5_core") == 0;
}

static int next_device(struct observe *o)
{
	_cleanup_(nlmsg_freep) struct nl_msg *msg = NULL;

	o->n_on_demand = 0;
	if (o->device >= o->n_devices)
		return observe_next_part(o);
	if (!tells_on_demand(o))
		return ask_regions(o);
	msg = request(o, rdmamsg_type_statistics());
	if (!msg || nla_put_u32(msg, RDMA_NLDEV_ATTR_STAT_RES, RDMA_NLDEV_ATTR_RES_MR) < 0)
		return -ENOMEM;
	return observe_ask(o, msg, &statistics);
}

static int on_device(const struct nlmsghdr *nlh, void *userdata)
{
	struct observe *o = userdata;
	struct rdma_device dev, *devices;

	if (is_end(nlh))
		return 1;
	if (nlh->nlmsg_type != rdmamsg_type_devices() || o->n_devices >= DEVICES_MAX ||
	    rdmamsg_parse_device(nlh, &dev) < 0)
		return 0;
	devices = reallocarray(o->devices, o->n_devices + 1, sizeof(*devices));
	if (!devices)
		return -ENOMEM;
	o->devices = devices;
	o->devices[o->n_devices++] = dev;
	return 0;
}

static const struct observe_dump devices = { .handler = on_device, .over = next_device };

static int on_system(const struct nlmsghdr *nlh, void *userdata)
{
	struct observe *o = userdata;

	if (nlh->nlmsg_type == rdmamsg_type_system())
		(void)rdmamsg_parse_exclusive(nlh, &o->exclusive);
	return is_end(nlh) || nlh->nlmsg_type == rdmamsg_type_system();
}

static int system_over(struct observe *o)
{
	_cleanup_(nlmsg_freep) struct nl_msg *msg =
		nlmsg_alloc_simple(rdmamsg_type_devices(), NLM_F_REQUEST | NLM_F_DUMP);

	return observe_ask(o, msg, &devices);
}

static const struct observe_dump system_mode = { .handler = on_system, .over = system_over };

int observe_rdma_start(struct observe *o)
{
	_cleanup_(nlmsg_freep) struct nl_msg *msg = NULL;

	/* To open the socket would load ib_core, for machines that have no use for it. */
	if (o->sys_fd < 0 || faccessat(o->sys_fd, "class/infiniband", F_OK, 0) < 0 ||
	    nlio_socket(NETLINK_RDMA, &o->sk) < 0)
		return observe_next_part(o);
	msg = nlmsg_alloc_simple(rdmamsg_type_system(), NLM_F_REQUEST);
	return observe_ask(o, msg, &system_mode);
}
