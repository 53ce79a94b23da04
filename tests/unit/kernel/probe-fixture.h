/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Maps of eBPF programs made of files, a loader that is here, and a listener that takes notes. */
#ifndef PINGUARD_TEST_PROBE_FIXTURE_H
#define PINGUARD_TEST_PROBE_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/pinguard.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "tests/unit/tree.h"

#include "daemon/base/base.h"
#include "daemon/kernel/probe-maps.h"
#include "daemon/kernel/source-internal.h"
#include "lib/clock.h"
#include "lib/socket.h"

#define PAGE 4096UL

static struct {
	int fds[PROBE_FDS]; /* the last is one that can be polled */
	int ring_fd;
	struct probe_head *head;
	struct probe_pin *pins;
	struct probe_kind *kinds;
	struct probe_group *groups;
	struct probe_bucket *limits;
	struct probe_failure *failures;
	unsigned long *consumer, *producer;
	uint8_t *events;
} kernel;

static sd_event *event;
static struct probe *probe;
static char socket_path[128];
static int listener_fd, loader_fd;

/* What the listener was told. */
static struct {
	unsigned int n_begins, n_pins, n_ends, n_events, n_failed;
	unsigned int n_failures, n_failures_max; /* of these the rest is only counted; 0: of none */
	struct pin_info pins[8];
	struct pin_event events[16];
	char reason[512];
	bool missing; /* say so, once */
	bool churn; /* lose events as soon as a list has ended */
	unsigned int n_ready; /* turns after the end of a list that found it so */
} told;


int __real_probe_maps_open(const int fds[PROBE_FDS], struct probe_maps **ret);
int __wrap_probe_maps_open(const int fds[PROBE_FDS], struct probe_maps **ret);
int __wrap_probe_maps_open(const int fds[PROBE_FDS], struct probe_maps **ret)
{
	const int with_ring[PROBE_FDS] = { fds[0], fds[1], fds[2], fds[3], fds[4], fds[5],
					   kernel.ring_fd };

	return __real_probe_maps_open(with_ring, ret);
}

static void *make(size_t bytes, int *ret_fd)
{
	*ret_fd = memfd_create("map", MFD_CLOEXEC);
	assert_true(*ret_fd >= 0);
	assert_int_equal(ftruncate(*ret_fd, bytes), 0);
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, *ret_fd, 0);
}

static int on_begin(void *userdata)
{
	told.n_begins++;
	told.n_pins = 0;
	return 0;
}

static int on_pin(const struct pin_info *pin, void *userdata)
{
	assert_true(told.n_pins < ARRAY_SIZE(told.pins));
	told.pins[told.n_pins++] = *pin;
	return 0;
}

static sd_event_source *settle;

static int on_settle(sd_event_source *source, void *userdata)
{
	told.n_ready += probe_ready(probe);
	return 0;
}

static int on_end(uint64_t seq, void *userdata)
{
	told.n_ends++;
	if (!told.churn)
		return 0;
	kernel.head->lost++;
	assert_int_equal(eventfd_write(kernel.fds[PROBE_FDS - 1], 1), 0);
	return turn_schedule(event, &settle, on_settle, NULL, "settle");
}

static int on_event(const struct pin_event *e, void *userdata)
{
	if (told.missing) {
		told.missing = false;
		return -EILSEQ;
	}
	if (e->type == PIN_EVENT_FAILURE && told.n_failures++ >= told.n_failures_max &&
	    told.n_failures_max > 0)
		return 0;
	assert_true(told.n_events < ARRAY_SIZE(told.events));
	told.events[told.n_events++] = *e;
	return 0;
}

static int on_failed(const char *reason, void *userdata)
{
	told.n_failed++;
	snprintf(told.reason, sizeof(told.reason), "%s", reason);
	return 0;
}

static const struct source_listener listener = { on_begin, on_pin, on_end, on_event };

static int setup(void **state)
{
	struct sockaddr_un address;
	socklen_t length;

	memset(&told, 0, sizeof(told));
	tree_new();
	kernel.head = make(sizeof(*kernel.head), &kernel.fds[0]);
	kernel.pins = make(sizeof(*kernel.pins) * PROBE_PINS_MAX, &kernel.fds[1]);
	kernel.kinds = make(sizeof(*kernel.kinds) * PROBE_KINDS_MAX, &kernel.fds[2]);
	kernel.groups = make(sizeof(*kernel.groups) * PROBE_GROUPS_MAX, &kernel.fds[3]);
	kernel.limits = make(sizeof(*kernel.limits) * PROBE_BUCKETS_MAX, &kernel.fds[4]);
	kernel.failures = make(sizeof(*kernel.failures) * PROBE_FAILURES_MAX, &kernel.fds[5]);
	kernel.consumer = make(2 * PAGE + 2 * PROBE_RING_BYTES, &kernel.ring_fd);
	kernel.producer = (void *)((uint8_t *)kernel.consumer + PAGE);
	kernel.events = (uint8_t *)kernel.consumer + 2 * PAGE;
	kernel.fds[PROBE_FDS - 1] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	snprintf(socket_path, sizeof(socket_path), "%s/probe.sock", tree);
	listener_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_int_equal(socket_address(socket_path, &address, &length), 0);
	assert_int_equal(bind(listener_fd, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(listener_fd, 4), 0);
	assert_true(sd_event_new(&event) >= 0);
	loader_fd = -1;
	return 0;
}

static int teardown(void **state)
{
	probe = probe_free(probe);
	munmap(kernel.head, sizeof(*kernel.head));
	munmap(kernel.pins, sizeof(*kernel.pins) * PROBE_PINS_MAX);
	munmap(kernel.kinds, sizeof(*kernel.kinds) * PROBE_KINDS_MAX);
	munmap(kernel.groups, sizeof(*kernel.groups) * PROBE_GROUPS_MAX);
	munmap(kernel.limits, sizeof(*kernel.limits) * PROBE_BUCKETS_MAX);
	munmap(kernel.failures, sizeof(*kernel.failures) * PROBE_FAILURES_MAX);
	munmap(kernel.consumer, 2 * PAGE + 2 * PROBE_RING_BYTES);
	for (size_t i = 0; i < PROBE_FDS; i++)
		close(kernel.fds[i]);
	close(kernel.ring_fd);
	close(listener_fd);
	closep(&loader_fd);
	event = sd_event_unref(event);
	unlink(socket_path);
	tree_remove(NULL);
	return 0;
}

static void connect_probe(void)
{
	const struct probe_config config = {
		.socket = socket_path, .listener = &listener, .failed = on_failed,
	};

	assert_int_equal(probe_new(event, &config, &probe), 0);
	assert_false(probe_ready(probe));
	loader_fd = accept(listener_fd, NULL, NULL);
	assert_true(loader_fd >= 0);
}

static void answer(const void *data, size_t bytes, unsigned int n_fds)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(kernel.fds))];
	} control = {};
	struct iovec iov = { (void *)data, bytes };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n_fds > 0) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		control.header = (struct cmsghdr){ CMSG_LEN(n_fds * sizeof(int)), SOL_SOCKET,
						   SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.header), kernel.fds, n_fds * sizeof(int));
	}
	assert_int_equal(sendmsg(loader_fd, &message, 0), bytes);
}

static void run(void)
{
	for (unsigned int i = 0; i < 50; i++)
		assert_true(sd_event_run(event, 1000) >= 0);
}

static inline void start(void)
{
	const struct probe_hello hello = { .layout = PROBE_LAYOUT, .n_fds = PROBE_FDS };

	connect_probe();
	answer(&hello, sizeof(hello), PROBE_FDS);
	run();
	assert_true(probe_ready(probe));
}

static struct probe_pin *put_pin(uint32_t place, uint64_t id)
{
	struct probe_pin *pin = &kernel.pins[place];

	*pin = (struct probe_pin){
		.id = id, .cgroup_id = 77, .address = 0x7000, .bytes = 8192,
		.since_nsec = 5000000, .kind = PINGUARD_KIND_RDMA, .tgid = 4711, .uid = 1000,
		.place = place, .comm = "name of 15 byte", .device = "rxe0",
	};
	kernel.head->places = MAX(kernel.head->places, (__u64)place + 1);
	return pin;
}

/* As the kernel does, where it has the ring mapped twice. */
static void put_raw(uint32_t header, const void *data, size_t bytes)
{
	const size_t at = *kernel.producer & (PROBE_RING_BYTES - 1);
	uint32_t *record = (uint32_t *)(kernel.events + at);

	record[0] = header;
	record[1] = 0;
	memcpy(record + 2, data, bytes);
	*kernel.producer += (bytes + BPF_RINGBUF_HDR_SZ + 7) & ~7UL;
}

static inline void put_event(uint32_t type, const struct probe_pin *pin)
{
	const struct probe_event e = { .type = type, .pin = *pin };

	put_raw(sizeof(e), &e, sizeof(e));
}

static void wake(void)
{
	eventfd_t value = 1;

	assert_int_equal(eventfd_write(kernel.fds[PROBE_FDS - 1], value), 0);
	run();
	(void)eventfd_read(kernel.fds[PROBE_FDS - 1], &value);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
