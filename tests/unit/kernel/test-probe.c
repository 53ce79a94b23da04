/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The source of pins that eBPF programs see, against maps made of files and a loader that is here. */
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
	const int with_ring[PROBE_FDS] = { fds[0], fds[1], fds[2], kernel.ring_fd };

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
	assert_int_equal(eventfd_write(kernel.fds[3], 1), 0);
	return turn_schedule(event, &settle, on_settle, NULL, "settle");
}

static int on_event(const struct pin_event *e, void *userdata)
{
	if (told.missing) {
		told.missing = false;
		return -EILSEQ;
	}
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
	kernel.consumer = make(2 * PAGE + 2 * PROBE_RING_BYTES, &kernel.ring_fd);
	kernel.producer = (void *)((uint8_t *)kernel.consumer + PAGE);
	kernel.events = (uint8_t *)kernel.consumer + 2 * PAGE;
	kernel.fds[3] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
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

static void start(void)
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

static void put_event(uint32_t type, const struct probe_pin *pin)
{
	const struct probe_event e = { .type = type, .pin = *pin };

	put_raw(sizeof(e), &e, sizeof(e));
}

static void wake(void)
{
	eventfd_t value = 1;

	assert_int_equal(eventfd_write(kernel.fds[3], value), 0);
	run();
	(void)eventfd_read(kernel.fds[3], &value);
}

static void test_list(void **state)
{
	const uint64_t now = clock_usec(CLOCK_REALTIME), up = clock_usec(CLOCK_BOOTTIME);

	put_pin(0, 9);
	put_pin(2, 12);
	start();
	assert_int_equal(told.n_begins, 1);
	assert_int_equal(told.n_ends, 1);
	assert_int_equal(told.n_pins, 2);
	assert_int_equal(told.pins[0].id, 9);
	assert_int_equal(told.pins[1].id, 12);
	assert_int_equal(told.pins[0].kind, PINGUARD_KIND_RDMA);
	assert_int_equal(told.pins[0].tgid, 4711);
	assert_int_equal(told.pins[0].uid, 1000);
	assert_int_equal(told.pins[0].cgroup_id, 77);
	assert_int_equal(told.pins[0].address, 0x7000);
	assert_int_equal(told.pins[0].bytes, 8192);
	assert_int_equal(told.pins[0].comm_len, 15);
	assert_memory_equal(told.pins[0].comm, "name of 15 byte", 15);
	assert_string_equal(told.pins[0].device, "rxe0");
	/* 5 ms after the machine was started. */
	assert_in_range(told.pins[0].since_usec + 1000000, now - up + 5000, now - up + 2005000);
}

static void test_events(void **state)
{
	struct probe_pin *pin, gone;

	start();
	assert_int_equal(told.n_pins, 0);
	pin = put_pin(1, 5);
	put_event(PROBE_EVENT_PIN, pin);
	pin->bytes = 4096;
	put_event(PROBE_EVENT_CHANGE, pin);
	gone = *pin;
	pin->id = 0;
	put_event(PROBE_EVENT_UNPIN, &gone);
	/* Told late: it would come back. */
	put_event(PROBE_EVENT_CHANGE, &gone);
	wake();
	/* Nor does the first change count any more. */
	assert_int_equal(told.n_events, 2);
	assert_int_equal(told.events[0].type, PIN_EVENT_PIN);
	assert_int_equal(told.events[0].seq, 1);
	assert_int_equal(told.events[0].pin.id, 5);
	assert_int_equal(told.events[0].pin.bytes, 8192);
	assert_int_equal(told.events[1].type, PIN_EVENT_UNPIN);
	assert_int_equal(told.events[1].seq, 2);

	pin = put_pin(1, 6);
	put_event(PROBE_EVENT_CHANGE, pin);
	wake();
	assert_int_equal(told.n_events, 3);
	assert_int_equal(told.events[2].type, PIN_EVENT_CHANGE);
	assert_int_equal(told.events[2].seq, 3);
	assert_int_equal(*kernel.consumer, *kernel.producer);
	assert_int_equal(told.n_begins, 1);
}

/* What was there before the list is in the list. */
static void test_before(void **state)
{
	put_event(PROBE_EVENT_PIN, put_pin(0, 1));
	start();
	assert_int_equal(told.n_pins, 1);
	assert_int_equal(told.n_events, 0);
}

static void test_loss(void **state)
{
	start();
	put_pin(0, 1);
	kernel.head->lost = 1;
	wake();
	assert_int_equal(told.n_begins, 2);
	assert_int_equal(told.n_pins, 1);
	assert_int_equal(probe_n_resyncs(probe), 1);
	assert_true(probe_ready(probe));
	/* The same loss is no other one. */
	wake();
	assert_int_equal(told.n_begins, 2);
	/* What the listener misses is missing. */
	told.missing = true;
	put_event(PROBE_EVENT_PIN, put_pin(1, 2));
	wake();
	assert_int_equal(probe_n_resyncs(probe), 2);
}

/* Without an end: whoever waits for a list is served nevertheless. */
static void test_churn(void **state)
{
	told.churn = true;
	connect_probe();
	answer(&(struct probe_hello){ .layout = PROBE_LAYOUT, .n_fds = PROBE_FDS },
	       sizeof(struct probe_hello), PROBE_FDS);
	for (unsigned int i = 0; i < 100 && told.n_ends < 4; i++)
		assert_true(sd_event_run(event, 5000000) >= 0);
	settle = sd_event_source_disable_unref(settle);
	assert_int_equal(told.n_ends, 4);
	assert_in_range(told.n_ready, 3, 4);
}

static void check_nonsense(uint32_t header, const void *data, size_t bytes)
{
	struct probe_maps *maps;
	struct probe_event e;

	assert_int_equal(__real_probe_maps_open((int[]){ kernel.fds[0], kernel.fds[1], kernel.fds[2],
							 kernel.ring_fd }, &maps), 0);
	put_raw(header, data, bytes);
	assert_int_equal(probe_maps_next(maps, &e), -EBADMSG);
	assert_int_equal(*kernel.consumer, *kernel.producer);
	assert_int_equal(probe_maps_next(maps, &e), 0);
	probe_maps_free(maps);
}

static void test_nonsense(void **state)
{
	const struct probe_event e = {};

	check_nonsense(sizeof(e) - 8, &e, sizeof(e) - 8);
	check_nonsense(sizeof(e) | BPF_RINGBUF_DISCARD_BIT, &e, sizeof(e));
	/* Longer than all there is. */
	check_nonsense(PROBE_RING_BYTES, &e, sizeof(e));
	check_nonsense(0, &e, 0);

	start();
	put_event(7, put_pin(0, 1));
	wake();
	assert_int_equal(told.n_events, 0);
	assert_int_equal(probe_n_resyncs(probe), 1);
}

static void test_busy(void **state)
{
	const struct probe_event e = { .type = PROBE_EVENT_PIN, .pin = *put_pin(0, 1) };
	unsigned int n_looks = 0;
	uint64_t start_usec;

	start();
	put_raw(sizeof(e) | BPF_RINGBUF_BUSY_BIT, &e, sizeof(e));
	wake();
	assert_int_equal(told.n_events, 0);
	assert_int_equal(*kernel.consumer, 0);
	/* A look now and then, though the ring stays readable. */
	assert_int_equal(eventfd_write(kernel.fds[3], 1), 0);
	start_usec = clock_usec(CLOCK_MONOTONIC);
	for (unsigned int i = 0; i < 50; i++)
		n_looks += sd_event_run(event, 100) > 0;
	assert_true(n_looks <= (clock_usec(CLOCK_MONOTONIC) - start_usec) / 5000 + 5);
	assert_int_equal(told.n_events, 0);
	*(uint32_t *)kernel.events = sizeof(e);
	for (unsigned int i = 0; i < 100 && told.n_events == 0; i++)
		assert_true(sd_event_run(event, 5000000) >= 0);
	assert_int_equal(told.n_events, 1);
}

/* With the ring full, after the last event of all. */
static void test_quiet_loss(void **state)
{
	start();
	put_pin(0, 1);
	kernel.head->lost = 1;
	for (unsigned int i = 0; i < 100 && told.n_begins < 2; i++)
		assert_true(sd_event_run(event, 5000000) >= 0);
	run();
	assert_int_equal(told.n_begins, 2);
	assert_int_equal(told.n_pins, 1);
}

static void ask_for_module(const struct probe_hello *hello, unsigned int n_fds)
{
	closep(&loader_fd);
	assert_int_equal(probe_ask(probe), 0);
	loader_fd = accept(listener_fd, NULL, NULL);
	answer(hello, sizeof(*hello), n_fds);
}

static void check_ended(void)
{
	int r = 1;

	for (unsigned int i = 0; i < 100 && r >= 0 && sd_event_get_state(event) != SD_EVENT_FINISHED; i++)
		r = sd_event_run(event, 5000000);
	assert_int_equal(sd_event_get_exit_code(event, &r), 0);
	assert_int_equal(r, -ESTALE);
	assert_int_equal(told.n_begins, 1);
}

/* When a module has come: the same maps. */
static void test_module(void **state)
{
	const struct probe_hello hello = { .layout = PROBE_LAYOUT, .n_fds = PROBE_FDS };
	const struct probe_hello no_maps = { .layout = PROBE_LAYOUT, .reason = "none" };

	kernel.head->build = 3;
	kernel.head->made_nsec = 1000;
	start();
	ask_for_module(&hello, PROBE_FDS);
	run();
	ask_for_module(&no_maps, 0);
	run();
	assert_true(probe_ready(probe));
	assert_int_equal(told.n_begins, 1);
	assert_int_equal(told.n_failed, 0);
	put_event(PROBE_EVENT_PIN, put_pin(0, 1));
	wake();
	assert_int_equal(told.n_events, 1);
}

/* Empty ones would say that all pins were given back. */
static void test_other_maps(void **state)
{
	const struct probe_hello hello = { .layout = PROBE_LAYOUT, .n_fds = PROBE_FDS };
	const int first = kernel.fds[0];
	struct probe_head *other;

	kernel.head->build = 3;
	kernel.head->made_nsec = 1000;
	put_pin(0, 1);
	start();
	other = make(sizeof(*other), &kernel.fds[0]);
	other->build = 3;
	other->made_nsec = 2000;
	ask_for_module(&hello, PROBE_FDS);
	check_ended();
	munmap(other, sizeof(*other));
	close(first);
}

static void test_taken_away(void **state)
{
	kernel.head->build = 3;
	start();
	kernel.head->build = 0;
	check_ended();
}

static void test_another_version(void **state)
{
	const struct probe_hello hello = { .layout = PROBE_LAYOUT + 1, .n_fds = PROBE_FDS };

	kernel.head->build = 3;
	start();
	/* Once it has put its own programs there. */
	kernel.head->build = 0;
	ask_for_module(&hello, PROBE_FDS);
	check_ended();
}

/* A second service, say: what it has read the first one lacks. */
static void test_other_reader(void **state)
{
	start();
	put_event(PROBE_EVENT_PIN, put_pin(0, 1));
	*kernel.consumer = *kernel.producer;
	wake();
	assert_int_equal(told.n_events, 0);
	assert_int_equal(probe_n_resyncs(probe), 1);
	assert_int_equal(told.n_pins, 1);
	put_event(PROBE_EVENT_PIN, put_pin(1, 2));
	wake();
	assert_int_equal(told.n_events, 1);
	assert_int_equal(probe_n_resyncs(probe), 1);
}

/* An event that goes over the end of the ring. */
static void test_end_of_ring(void **state)
{
	*kernel.producer = *kernel.consumer = PROBE_RING_BYTES - 16;
	start();
	put_event(PROBE_EVENT_PIN, put_pin(3, 8));
	wake();
	assert_int_equal(told.n_events, 1);
	assert_int_equal(told.events[0].pin.id, 8);
	assert_string_equal(told.events[0].pin.device, "rxe0");
}

static void test_places(void **state)
{
	struct probe_maps *maps;
	struct probe_pin pin;

	assert_int_equal(__wrap_probe_maps_open(kernel.fds, &maps), 0);
	assert_int_equal(probe_maps_places(maps), 0);
	put_pin(PROBE_PINS_MAX - 1, 3);
	assert_int_equal(probe_maps_places(maps), PROBE_PINS_MAX);
	assert_true(probe_maps_read(maps, PROBE_PINS_MAX - 1, &pin));
	assert_int_equal(pin.id, 3);
	assert_false(probe_maps_read(maps, PROBE_PINS_MAX, &pin));
	assert_false(probe_maps_read(maps, 0, &pin));
	/* For a moment, while two programs find that all are taken. */
	kernel.head->places = PROBE_PINS_MAX + 1;
	assert_int_equal(probe_maps_places(maps), PROBE_PINS_MAX);
	probe_maps_free(maps);
}

static void test_kinds(void **state)
{
	struct probe_kind *kind = &kernel.kinds[PINGUARD_KIND_XDP];
	struct probe_watch watch;

	kernel.kinds[PINGUARD_KIND_RDMA].since_nsec = 1000000000;
	memset(kind->reason, 'x', sizeof(kind->reason));
	start();
	watch = probe_watches(probe, PINGUARD_KIND_RDMA);
	assert_true(watch.since_usec > 0);
	assert_string_equal(watch.reason, "");
	watch = probe_watches(probe, PINGUARD_KIND_XDP);
	assert_int_equal(watch.since_usec, 0);
	assert_int_equal(strlen(watch.reason), PROBE_REASON_MAX - 1);
	assert_int_equal(probe_watches(probe, PROBE_KINDS_MAX).since_usec, 0);
	assert_int_equal(probe_unlisted(probe), 0);
	kernel.head->unlisted = 4;
	assert_int_equal(probe_unlisted(probe), 4);
}

static void check_failure(const void *data, size_t bytes, unsigned int n_fds, const char *reason)
{
	told.n_failed = 0;
	connect_probe();
	if (bytes > 0)
		answer(data, bytes, n_fds);
	close(TAKE_FD(loader_fd));
	run();
	assert_int_equal(told.n_failed, 1);
	assert_non_null(strstr(told.reason, reason));
	assert_int_equal(told.n_begins, 0);
	probe = probe_free(probe);
}

static void test_loader_fails(void **state)
{
	struct probe_hello hello = { .layout = PROBE_LAYOUT, .n_fds = PROBE_FDS };

	check_failure(NULL, 0, 0, "without an answer");
	check_failure(&hello, sizeof(hello) - 1, PROBE_FDS, "another version");
	check_failure(&hello, sizeof(hello), PROBE_FDS - 1, "no maps");
	check_failure(&hello, sizeof(hello), 0, "no maps");
	hello.layout++;
	check_failure(&hello, sizeof(hello), PROBE_FDS, "another version");
	hello.layout = PROBE_LAYOUT;
	hello.n_fds = 0;
	check_failure(&hello, sizeof(hello), 0, "no reason");
	memset(hello.reason, 'x', sizeof(hello.reason));
	check_failure(&hello, sizeof(hello), 0, "xxxx");
	assert_int_equal(strlen(told.reason), sizeof(hello.reason) - 1);
}

static void test_no_loader(void **state)
{
	const struct probe_config config = { .socket = "/nowhere/probe.sock", .listener = &listener };

	assert_int_equal(probe_new(event, &config, &probe), -ENOENT);
}

static struct source *new_source(const char *path)
{
	const struct source_config config = {
		.proc = tree, .probe_socket = path, .listener = &listener,
	};
	struct source *s;

	assert_int_equal(source_new(event, &config, &s), 0);
	return s;
}

/* On any machine without the patches, as those are where this runs. */
static void test_source(void **state)
{
	const struct probe_hello hello = { .layout = PROBE_LAYOUT, .reason = "locked down" };
	const struct probe_hello found = { .layout = PROBE_LAYOUT, .n_fds = PROBE_FDS };
	struct source *s = new_source("/nowhere/probe.sock");

	if (source_genl(s)) {
		source_free(s);
		skip();
	}
	assert_true(source_observes(s));
	assert_string_equal(source_name(s), "proc");
	assert_string_equal(source_caveats(s), source_reason(s));
	source_free(s);

	s = new_source(socket_path);
	assert_string_equal(source_name(s), "probe");
	assert_false(source_observes(s));
	assert_false(source_ready(s));
	assert_non_null(source_reason(s));
	assert_null(source_caveats(s));
	loader_fd = accept(listener_fd, NULL, NULL);
	answer(&hello, sizeof(hello), 0);
	run();
	/* What waits gets what can be observed. */
	assert_true(source_observes(s));
	assert_true(source_ready(s));
	assert_int_equal(told.n_ends, 1);
	assert_non_null(strstr(source_caveats(s), "eBPF does not help: locked down"));
	assert_null(strstr(source_reason(s), "eBPF"));
	assert_null(source_probe(s));
	/* A module has come, and it can be watched after all. */
	closep(&loader_fd);
	assert_int_equal(probe_ask(s->probe), 0);
	loader_fd = accept(listener_fd, NULL, NULL);
	answer(&found, sizeof(found), PROBE_FDS);
	put_pin(0, 1);
	run();
	assert_string_equal(source_name(s), "probe");
	assert_false(source_observes(s));
	assert_null(source_caveats(s));
	assert_true(source_ready(s));
	assert_int_equal(told.n_pins, 1);
	source_free(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_list),	 TEST(test_events), TEST(test_before),
		TEST(test_loss),	 TEST(test_nonsense), TEST(test_busy),
		TEST(test_other_reader), TEST(test_quiet_loss), TEST(test_module),
		TEST(test_churn),
		TEST(test_other_maps),	 TEST(test_taken_away), TEST(test_another_version),
		TEST(test_end_of_ring),	 TEST(test_places), TEST(test_kinds),
		TEST(test_loader_fails), TEST(test_no_loader), TEST(test_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
