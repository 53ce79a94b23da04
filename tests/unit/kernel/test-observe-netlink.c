/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose memory regions and AF_XDP sockets are, of a netlink and a /proc made up. */
#include <linux/sock_diag.h>
#include <linux/xdp_diag.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <rdma/rdma_netlink.h>
#include <sys/socket.h>

#include "tests/unit/tree.h"

#include "daemon/kernel/observe.h"
#include "daemon/kernel/nlio.h"
#include "daemon/kernel/rdmamsg.h"
#include "daemon/kernel/xdpmsg.h"

#define ALIVE "VmLck:\t0 kB\nVmPin:\t4 kB\n"

/* The kernel: what it has been asked, and one answer to that. */
static struct {
	struct nl_msg *answer;
	unsigned int devices; /* that it has; the rows are of each */
	unsigned int opened_rdma, opened_diag;
	unsigned int asked_statistics, asked_regions, asked_domains, asked_contexts;
	bool no_system, exclusive, no_xdp;
	/* Rows of number, parent, pid */
	uint32_t rows[3][8][3];
	uint32_t on_demand; /* a region */
	uint64_t bytes;
	unsigned int n_rows[3];
} fake;

/* What the source told. */
static struct {
	struct pin_info pins[16];
	unsigned int n;
	const struct pin_info *by_region[8];
} told;

int __wrap_nlio_socket(int protocol, struct nl_sock **ret);
int __wrap_nlio_send(struct nl_sock *sk, struct nl_msg *msg);
int __wrap_nlio_recv(int fd, nlio_handler handler, void *userdata);

int __wrap_nlio_socket(int protocol, struct nl_sock **ret)
{
	fake.opened_rdma += protocol == NETLINK_RDMA;
	fake.opened_diag += protocol == NETLINK_SOCK_DIAG;
	*ret = nl_socket_alloc();
	return *ret ? 0 : -ENOMEM;
}

static void put_statistics(struct nl_msg *msg)
{
	struct nlattr *nest = nla_nest_start(msg, RDMA_NLDEV_ATTR_RES_MR), *entry, *counters;

	for (unsigned int i = 0; i < fake.n_rows[RDMA_REGIONS]; i++) {
		const uint32_t number = fake.rows[RDMA_REGIONS][i][0];

		entry = nla_nest_start(msg, RDMA_NLDEV_ATTR_RES_MR_ENTRY);
		nla_put_u32(msg, RDMA_NLDEV_ATTR_RES_MRN, number);
		if (number == fake.on_demand) {
			counters = nla_nest_start(msg, RDMA_NLDEV_ATTR_STAT_HWCOUNTERS);
			nla_put_string(msg, RDMA_NLDEV_ATTR_STAT_HWCOUNTER_ENTRY_NAME,
				       "page_faults");
			nla_nest_end(msg, counters);
		}
		nla_nest_end(msg, entry);
	}
	nla_nest_end(msg, nest);
}

static void put_table(struct nl_msg *msg, enum rdma_table table)
{
	static const int attrs[][4] = {
		{ RDMA_NLDEV_ATTR_RES_MR, RDMA_NLDEV_ATTR_RES_MR_ENTRY, RDMA_NLDEV_ATTR_RES_MRN,
		  RDMA_NLDEV_ATTR_RES_PDN },
		{ RDMA_NLDEV_ATTR_RES_PD, RDMA_NLDEV_ATTR_RES_PD_ENTRY, RDMA_NLDEV_ATTR_RES_PDN,
		  RDMA_NLDEV_ATTR_RES_CTXN },
		{ RDMA_NLDEV_ATTR_RES_CTX, RDMA_NLDEV_ATTR_RES_CTX_ENTRY,
		  RDMA_NLDEV_ATTR_RES_CTXN, 0 },
	};
	struct nlattr *nest = nla_nest_start(msg, attrs[table][0]), *entry;

	for (unsigned int i = 0; i < fake.n_rows[table]; i++) {
		const uint32_t *row = fake.rows[table][i];

		entry = nla_nest_start(msg, attrs[table][1]);
		nla_put_u32(msg, attrs[table][2], row[0]);
		if (attrs[table][3])
			nla_put_u32(msg, attrs[table][3], row[1]);
		if (row[2])
			nla_put_u32(msg, RDMA_NLDEV_ATTR_RES_PID, row[2]);
		if (table == RDMA_REGIONS)
			nla_put_u64(msg, RDMA_NLDEV_ATTR_RES_MRLEN, fake.bytes);
		nla_nest_end(msg, entry);
	}
	nla_nest_end(msg, nest);
}

static void put_umem(struct nl_msg *msg)
{
	struct xdp_diag_msg head = { .xdiag_family = AF_XDP };
	struct xdp_diag_umem umem = { .size = 8192, .id = 5, .num_pages = 3, .ifindex = 1 };

	nlmsg_append(msg, &head, sizeof(head), NLMSG_ALIGNTO);
	nla_put_u32(msg, XDP_DIAG_UID, 1000);
	nla_put(msg, XDP_DIAG_UMEM, sizeof(umem), &umem);
}

int __wrap_nlio_send(struct nl_sock *sk, struct nl_msg *msg)
{
	const int type = nlmsg_hdr(msg)->nlmsg_type;
	bool error = (type == rdmamsg_type_system() && fake.no_system) ||
		     (type == xdpmsg_type() && fake.no_xdp);
	struct nl_msg *answer = nlmsg_alloc_simple(error ? NLMSG_ERROR : type, 0);

	if (type == rdmamsg_type_system() && !error)
		nla_put_u8(answer, RDMA_NLDEV_SYS_ATTR_NETNS_MODE, !fake.exclusive);
	if (type == rdmamsg_type_devices()) {
		nla_put_u32(answer, RDMA_NLDEV_ATTR_DEV_INDEX, 0);
		nla_put_string(answer, RDMA_NLDEV_ATTR_DEV_NAME, "rxe0");
	}
	for (enum rdma_table table = RDMA_REGIONS; table <= RDMA_CONTEXTS; table++)
		if (type == rdmamsg_type_table(table))
			put_table(answer, table);
	if (type == rdmamsg_type_statistics())
		put_statistics(answer);
	fake.asked_statistics += type == rdmamsg_type_statistics();
	fake.asked_regions += type == rdmamsg_type_table(RDMA_REGIONS);
	fake.asked_domains += type == rdmamsg_type_table(RDMA_DOMAINS);
	fake.asked_contexts += type == rdmamsg_type_table(RDMA_CONTEXTS);
	if (type == xdpmsg_type() && !error)
		put_umem(answer);
	nlmsg_free(fake.answer);
	fake.answer = answer;
	return 0;
}

int __wrap_nlio_recv(int fd, nlio_handler handler, void *userdata)
{
	struct nl_msg *answer = TAKE_PTR(fake.answer);
	bool devices = answer && nlmsg_hdr(answer)->nlmsg_type == rdmamsg_type_devices();
	int r = answer ? 0 : -EAGAIN;

	for (unsigned int i = 0; r == 0 && i < (devices ? fake.devices : 1); i++)
		r = handler(nlmsg_hdr(answer), userdata);
	nlmsg_free(answer);
	return r;
}

static int on_begin(void *userdata)
{
	return 0;
}

static int on_pin(const struct pin_info *pin, void *userdata)
{
	assert_true(told.n < ARRAY_SIZE(told.pins));
	told.pins[told.n] = *pin;
	if (pin->kind == PINGUARD_KIND_RDMA)
		told.by_region[(uint32_t)pin->id] = &told.pins[told.n];
	told.n++;
	return 0;
}

static int on_end(uint64_t seq, void *userdata)
{
	return sd_event_exit(userdata, 0);
}

static uint64_t cgroup_id(const char *path, void *userdata)
{
	return strtoul(path + 1, NULL, 10);
}

static const struct source_listener listener = { .begin = on_begin, .pin = on_pin, .end = on_end };

static void put(uint32_t pid, const char *name, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "proc/%u/%s", pid, name);
	tree_put(path, text);
}

/* A process is in the cgroup of its number. */
static void put_process(uint32_t pid, uint32_t threads, const char *memory)
{
	char text[128];

	snprintf(text, sizeof(text), "Tgid:\t%u\nUid:\t%u\t%u\t0\t0\nThreads:\t%u\n%s", pid,
		 1000 + pid, 1000 + pid, threads, memory);
	put(pid, "status", text);
	snprintf(text, sizeof(text), "0::/%u\n", pid);
	put(pid, "cgroup", text);
	snprintf(text, sizeof(text), "name-%u\n", pid);
	put(pid, "comm", text);
}

/* /proc has the directory of a thread, too; of its cgroup and name it says its own. */
static void put_thread(uint32_t tid, uint32_t pid)
{
	char text[128];

	snprintf(text, sizeof(text), "Tgid:\t%u\nUid:\t%u\t%u\t0\t0\nThreads:\t2\n" ALIVE, pid,
		 1000 + pid, 1000 + pid);
	put(tid, "status", text);
	put(tid, "comm", "worker\n");
	put(tid, "cgroup", "0::/999\n");
}

static int setup(void **state)
{
	memset(&fake, 0, sizeof(fake));
	fake.bytes = 100;
	fake.devices = 1;
	tree_new();
	tree_put("sys/class/infiniband/", NULL);
	put_process(1, 1, ALIVE);
	put_process(10, 2, ALIVE);
	put_process(20, 1, ALIVE);
	return 0;
}

static int teardown(void **state)
{
	nlmsg_free(fake.answer);
	fake.answer = NULL;
	tree_remove(NULL);
	return 0;
}

/* One reading, and the reason that it gives then. */
static void read_all(char *reason, size_t size)
{
	char proc[64], sys[64];
	struct observe_config config = { .proc = proc, .sys = sys, .reason = "why",
					 .cgroup_id = cgroup_id, .listener = &listener };
	_cleanup_(observe_freep) struct observe *o = NULL;
	sd_event *event;

	memset(&told, 0, sizeof(told));
	snprintf(proc, sizeof(proc), "%s/proc", tree);
	snprintf(sys, sizeof(sys), "%s/sys", tree);
	assert_int_equal(sd_event_new(&event), 0);
	config.userdata = event;
	assert_int_equal(observe_new(event, &config, &o), 0);
	assert_string_equal(observe_reason(o), "why");
	assert_int_equal(observe_refresh(o), 0);
	assert_int_equal(sd_event_loop(event), 0);
	snprintf(reason, size, "%s%s", observe_is_blind(o) ? "blind: " : "", observe_reason(o));
	sd_event_unref(event);
}

static void add_row(enum rdma_table table, uint32_t number, uint32_t parent, uint32_t pid)
{
	uint32_t *row = fake.rows[table][fake.n_rows[table]++];

	row[0] = number;
	row[1] = parent;
	row[2] = pid;
}

static void is_of(uint32_t region, uint32_t pid, uint32_t flags)
{
	const struct pin_info *pin = told.by_region[region];
	char name[32];

	assert_non_null(pin);
	assert_int_equal(pin->tgid, pid);
	assert_int_equal(pin->flags, flags);
	assert_int_equal(pin->bytes, 4096);
	assert_string_equal(pin->device, "rxe0");
	if (!pid) {
		assert_int_equal(pin->uid, PIN_UID_NONE);
		assert_int_equal(pin->cgroup_id, 0);
		return;
	}
	assert_int_equal(pin->uid, 1000 + pid);
	assert_int_equal(pin->cgroup_id, pid);
	snprintf(name, sizeof(name), "name-%u", pid);
	assert_int_equal(pin->comm_len, strlen(name));
	assert_memory_equal(pin->comm, name, pin->comm_len);
}

static void test_owners(void **state)
{
	char reason[256];

	put_thread(11, 10);
	put_process(30, 1, "");
	add_row(RDMA_REGIONS, 0, 4, 20);
	add_row(RDMA_REGIONS, 1, 4, 11); /* a worker's */
	add_row(RDMA_REGIONS, 2, 7, 0); /* of one that has ended */
	add_row(RDMA_REGIONS, 3, 5, 0); /* as has the maker of its domain */
	add_row(RDMA_REGIONS, 4, 6, 0); /* and that of the context */
	add_row(RDMA_REGIONS, 5, 4, 12); /* ends while it is looked at */
	add_row(RDMA_REGIONS, 6, 99, 0); /* its domain is there no more */
	add_row(RDMA_REGIONS, 7, 4, 30); /* a zombie: others hold what it has made */
	add_row(RDMA_DOMAINS, 4, 1, 20);
	add_row(RDMA_DOMAINS, 5, 2, 0);
	add_row(RDMA_DOMAINS, 6, 3, 0);
	add_row(RDMA_DOMAINS, 7, 2, 11);
	add_row(RDMA_CONTEXTS, 1, 0, 20);
	add_row(RDMA_CONTEXTS, 2, 0, 10);
	add_row(RDMA_CONTEXTS, 3, 0, 0);
	read_all(reason, sizeof(reason));
	assert_string_equal(reason, "why");
	assert_int_equal(told.n, 8);
	is_of(0, 20, 0);
	is_of(1, 10, 0);
	is_of(2, 10, 0);
	is_of(3, 10, 0);
	is_of(4, 0, PINGUARD_FLAG_OWNER_GONE);
	is_of(5, 20, 0);
	is_of(6, 0, PINGUARD_FLAG_OWNER_GONE);
	is_of(7, 30, PINGUARD_FLAG_OWNER_GONE);
	assert_int_equal(fake.asked_contexts, 1);
}

/* What is known at once asks no more, and domains are enough where they say it. */
static void test_questions(void **state)
{
	char reason[256];

	add_row(RDMA_REGIONS, 0, 4, 20);
	add_row(RDMA_DOMAINS, 4, 1, 10);
	read_all(reason, sizeof(reason));
	is_of(0, 20, 0);
	assert_int_equal(fake.asked_domains, 0);
	fake.rows[RDMA_REGIONS][0][2] = 0;
	read_all(reason, sizeof(reason));
	is_of(0, 10, 0);
	assert_int_equal(fake.asked_domains, 1);
	assert_int_equal(fake.asked_contexts, 0);
}

static void test_on_demand(void **state)
{
	char reason[256];

	fake.bytes = UINT64_MAX;
	add_row(RDMA_REGIONS, 0, 4, 20);
	add_row(RDMA_REGIONS, 1, 4, 0);
	read_all(reason, sizeof(reason));
	assert_int_equal(told.n, 0);
	/* Some of it, which the statistics of one driver tell. */
	fake.bytes = 100;
	fake.on_demand = 1;
	read_all(reason, sizeof(reason));
	assert_int_equal(told.n, 2);
	assert_int_equal(fake.asked_statistics, 0);
	tree_link("sys/class/infiniband/rxe0/device/driver", "../../../bus/drivers/mlx5_core");
	read_all(reason, sizeof(reason));
	assert_int_equal(told.n, 1);
	is_of(0, 20, 0);
	assert_int_equal(fake.asked_statistics, 1);
}

/* What is not seen is said, and said no more when it is seen. */
static void test_namespaces(void **state)
{
	char reason[256];

	fake.exclusive = true;
	read_all(reason, sizeof(reason));
	assert_string_equal(reason, "why; RDMA devices in other network namespaces are not seen");
	fake.exclusive = false;
	read_all(reason, sizeof(reason));
	assert_string_equal(reason, "why");
	/* One that does not know the question has no such mode. */
	fake.exclusive = fake.no_system = true;
	add_row(RDMA_REGIONS, 0, 4, 20);
	read_all(reason, sizeof(reason));
	assert_string_equal(reason, "why");
	is_of(0, 20, 0);
}

static void test_many_devices(void **state)
{
	static const unsigned int numbers[] = { 0, 1, 1023, 1024, 1025 };
	char reason[256];

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		fake.devices = numbers[i];
		fake.asked_regions = 0;
		read_all(reason, sizeof(reason));
		assert_int_equal(fake.asked_regions, MIN(numbers[i], 1024U));
	}
}

/* The socket is what loads the modules. */
static void test_no_rdma(void **state)
{
	char reason[256];

	tree_remove("sys/class");
	add_row(RDMA_REGIONS, 0, 4, 20);
	read_all(reason, sizeof(reason));
	assert_int_equal(fake.opened_rdma, 0);
	assert_int_equal(told.n, 0);
	tree_put("sys/class/infiniband/", NULL);
	read_all(reason, sizeof(reason));
	assert_int_equal(fake.opened_rdma, 1);
	is_of(0, 20, 0);
}

#define PROTOCOLS "protocol  size sockets  memory press maxhdr  slab module     cl co di\n" \
		  "XDPX      1088      7      -1   NI       0   no   kernel      n  n  n\n"

static void test_xdp(void **state)
{
	const struct pin_info *pin = told.pins;
	char reason[256];

	/* None are there, or nobody knows: nothing is loaded. */
	read_all(reason, sizeof(reason));
	tree_put("proc/self/net/protocols", PROTOCOLS "XDP       1088      0      -1   NI\n");
	read_all(reason, sizeof(reason));
	assert_int_equal(fake.opened_diag, 0);
	tree_put("proc/self/net/protocols", PROTOCOLS "XDP       1088      1      -1   NI\n");
	read_all(reason, sizeof(reason));
	assert_int_equal(fake.opened_diag, 1);
	assert_int_equal(told.n, 1);
	assert_int_equal(pin->kind, PINGUARD_KIND_XDP);
	assert_int_equal(pin->bytes, 3 * sysconf(_SC_PAGESIZE));
	assert_int_equal(pin->uid, 1000);
	assert_int_equal(pin->tgid, 0);
	assert_int_equal(pin->flags, 0);
	assert_string_equal(pin->device, "lo");
	assert_true(pin->id == (1ULL << 63 | 5));
	/* A kernel without xdp_diag. */
	fake.no_xdp = true;
	read_all(reason, sizeof(reason));
	assert_int_equal(told.n, 0);
	assert_string_equal(reason, "why");
}

static void test_xdp_messages(void **state)
{
	struct nl_msg *msg = nlmsg_alloc_simple(xdpmsg_type(), 0), *request = xdpmsg_request();
	struct xdp_diag_msg head = { .xdiag_family = AF_XDP };
	struct xdp_diag_umem umem = { .id = 1 };
	struct xdp_umem parsed;

	assert_int_equal(nlmsg_hdr(request)->nlmsg_len, NLMSG_HDRLEN + sizeof(struct xdp_diag_req));
	assert_int_equal(xdpmsg_parse(nlmsg_hdr(msg), &parsed), -EBADMSG);
	nlmsg_append(msg, &head, sizeof(head), NLMSG_ALIGNTO);
	assert_int_equal(xdpmsg_parse(nlmsg_hdr(msg), &parsed), -ENODATA);
	nla_put(msg, XDP_DIAG_UMEM, sizeof(umem) - 1, &umem);
	assert_int_equal(xdpmsg_parse(nlmsg_hdr(msg), &parsed), -EBADMSG);
	nlmsg_free(msg);
	nlmsg_free(request);
}

/* Others' processes are hidden: what they pin is unknown, and nobody is called gone. */
static void test_hidden(void **state)
{
	const struct pin_info *pin;
	char reason[256];

	tree_remove("proc/1");
	tree_remove("proc/20");
	add_row(RDMA_REGIONS, 0, 4, 20);
	read_all(reason, sizeof(reason));
	assert_string_equal(reason, "blind: why; processes of others cannot be read (hidepid of "
				    "/proc), what they pin is not known");
	pin = told.by_region[0];
	assert_non_null(pin);
	assert_int_equal(pin->tgid, 20);
	assert_int_equal(pin->flags, 0);
	assert_int_equal(pin->uid, PIN_UID_NONE);
	put_process(1, 1, ALIVE);
	put_process(20, 1, ALIVE);
	read_all(reason, sizeof(reason));
	assert_string_equal(reason, "why");
	is_of(0, 20, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_owners, setup, teardown),
		cmocka_unit_test_setup_teardown(test_questions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_on_demand, setup, teardown),
		cmocka_unit_test_setup_teardown(test_namespaces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_devices, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_rdma, setup, teardown),
		cmocka_unit_test_setup_teardown(test_xdp, setup, teardown),
		cmocka_unit_test(test_xdp_messages),
		cmocka_unit_test_setup_teardown(test_hidden, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
