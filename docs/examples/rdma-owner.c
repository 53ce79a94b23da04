/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An owner of RDMA memory that lets go of it when it is asked.
 *
 * cc -o rdma-owner rdma-owner.c $(pkg-config --cflags --libs libpinguard libibverbs)
 *
 * It registers with pinguard, then memory regions with the device, and
 * deregisters those that a request names. A program with connections would first
 * stop using them: here that would be in release().
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <infiniband/verbs.h>
#include <pinguard/pinguard.h>

#define REGIONS_MAX 1024
#define PATIENCE_MS 2000 /* for the service, before pinning without it */

enum answer { RELEASE, REFUSE, DEFER, SILENCE };

struct app {
	const char *device, *file, *socket;
	size_t bytes;
	unsigned int count, defer_ms;
	enum answer answer;

	struct pinguard_owner *owner;
	struct ibv_pd *pd;
	char *memory;
	struct ibv_mr *regions[REGIONS_MAX];
	struct pinguard_request *deferred;
	int64_t deferred_until_ms;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void open_device(struct app *app)
{
	struct ibv_device **devices = ibv_get_device_list(NULL);
	struct ibv_context *context = NULL;

	for (struct ibv_device **d = devices; d && *d && !context; d++)
		if (!app->device || strcmp(ibv_get_device_name(*d), app->device) == 0)
			context = ibv_open_device(*d);
	if (devices)
		ibv_free_device_list(devices);
	app->pd = context ? ibv_alloc_pd(context) : NULL;
	if (!app->pd) {
		fprintf(stderr, "cannot open the RDMA device %s\n", app->device ? app->device : "");
		exit(1);
	}
	app->device = ibv_get_device_name(context->device);
}

static void map_memory(struct app *app)
{
	int fd = -1, flags = MAP_PRIVATE | MAP_ANONYMOUS;
	size_t bytes = app->bytes * app->count;

	if (app->file) {
		fd = open(app->file, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			fail(app->file);
		flags = MAP_SHARED;
	}
	app->memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
	if (app->memory == MAP_FAILED)
		fail("mmap");
	if (fd >= 0)
		close(fd);
}

static void pin(struct app *app)
{
	for (unsigned int i = 0; i < app->count; i++) {
		app->regions[i] = ibv_reg_mr(app->pd, app->memory + i * app->bytes, app->bytes,
					     IBV_ACCESS_LOCAL_WRITE);
		if (!app->regions[i])
			fail("ibv_reg_mr");
	}
	printf("pinned %u regions of %zu bytes at %p on %s\n", app->count, app->bytes,
	       (void *)app->memory, app->device);
}

/* Whether a pin of the request is this region: the kernel reports whole pages. */
static bool is_asked_for(const struct app *app, const struct ibv_mr *region,
			 const struct pinguard_request *request)
{
	uint64_t start = (uintptr_t)region->addr, address;

	for (size_t i = 0; i < pinguard_request_n_pins(request); i++) {
		const struct pinguard_pin *p = pinguard_request_pin(request, i);

		if (pinguard_pin_kind(p) == PINGUARD_PIN_RDMA &&
		    pinguard_pin_address(p, &address) == 0 && address < start + region->length &&
		    start < address + pinguard_pin_bytes(p))
			return true;
	}
	return false;
}

static void answer(struct app *app, const char *token, enum pinguard_result result,
		   const char *reason)
{
	int r = pinguard_owner_complete(app->owner, token, result, reason);

	if (r < 0)
		printf("cannot answer %s: %s\n", token, strerror(-r));
}

static void release(struct app *app, const struct pinguard_request *request)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < app->count; i++) {
		if (!app->regions[i] || !is_asked_for(app, app->regions[i], request))
			continue;
		if (ibv_dereg_mr(app->regions[i]) != 0)
			fail("ibv_dereg_mr");
		app->regions[i] = NULL;
		n++;
	}
	printf("deregistered %u regions\n", n);
	answer(app, pinguard_request_token(request), PINGUARD_RESULT_RELEASED, NULL);
}

static const char *reason_name(const struct pinguard_request *request)
{
	static const char *const names[] = {
		[PINGUARD_REQUEST_ADMINISTRATOR] = "administrator",
		[PINGUARD_REQUEST_DRAIN] = "drain",
		[PINGUARD_REQUEST_QUOTA] = "quota",
		[PINGUARD_REQUEST_DEVICE_REMOVAL] = "device_removal",
		[PINGUARD_REQUEST_MEMORY_OFFLINE] = "memory_offline",
		[PINGUARD_REQUEST_MEMORY_FAILURE] = "memory_failure",
	};
	unsigned int reason = pinguard_request_reason(request);

	/* a later library may know more of them */
	if (reason >= sizeof(names) / sizeof(names[0]) || !names[reason])
		return "unknown";
	return names[reason];
}

static void print_failures(const struct pinguard_request *request)
{
	for (size_t i = 0; i < pinguard_request_n_failures(request); i++) {
		const struct pinguard_failure *f = pinguard_request_failure(request, i);
		const char *lost = pinguard_failure_data_lost(f) ? "lost" : "good yet";
		uint64_t address;

		if (pinguard_failure_address(f, &address) == 0)
			printf("failed: %" PRIu64 " bytes at 0x%" PRIx64 ", content %s\n",
			       pinguard_failure_bytes(f), address, lost);
		else
			printf("failed: some of %" PRIu64 " bytes, content %s\n",
			       pinguard_failure_bytes(f), lost);
	}
}

static void on_request(struct pinguard_owner *owner, struct pinguard_request *request,
		       void *userdata)
{
	const char *token = pinguard_request_token(request);
	struct app *app = userdata;

	printf("asked %s: %zu pins, reason %s%s%s\n", token, pinguard_request_n_pins(request),
	       reason_name(request),
	       pinguard_request_mode(request) == PINGUARD_REQUEST_SYNC ? ", somebody waits" : "",
	       pinguard_request_is_reminder(request) ? ", a reminder" : "");
	print_failures(request);
	switch (app->answer) {
	case RELEASE:
		release(app, request);
		break;
	case REFUSE:
		answer(app, token, PINGUARD_RESULT_REFUSED, "told to refuse");
		break;
	case DEFER:
		if (app->deferred)
			break; /* one is enough for an example */
		app->deferred = pinguard_request_ref(request);
		app->deferred_until_ms = now_ms() + app->defer_ms;
		answer(app, token, PINGUARD_RESULT_DEFERRED, "told to wait");
		break;
	case SILENCE:
		break;
	}
}

static void forget_deferred(struct app *app)
{
	app->deferred = pinguard_request_unref(app->deferred);
}

static void on_withdrawn(struct pinguard_owner *owner, const char *token, void *userdata)
{
	struct app *app = userdata;

	printf("withdrawn %s\n", token);
	if (app->deferred && strcmp(pinguard_request_token(app->deferred), token) == 0)
		forget_deferred(app);
}

static void on_completed(struct pinguard_owner *owner, const char *token, int error,
			 uint64_t pins_left, uint64_t bytes_left, void *userdata)
{
	if (error == -EBUSY)
		printf("completed %s: %" PRIu64 " pins, %" PRIu64 " bytes are left\n", token,
		       pins_left, bytes_left);
	else
		printf("completed %s: %s\n", token, error ? strerror(-error) : "accepted");
}

static void on_state(struct pinguard_owner *owner, enum pinguard_owner_state state, void *userdata)
{
	if (state == PINGUARD_OWNER_REGISTERED)
		printf("registered\n");
	else if (state == PINGUARD_OWNER_WAITING)
		forget_deferred(userdata); /* it will be asked for again */
}

/* Waits for the service for up to @timeout_ms, -1 for ever, and does what comes of it. */
static void turn(struct app *app, int timeout_ms)
{
	struct pollfd pollfd = { .fd = pinguard_owner_fd(app->owner), .events = POLLIN };
	int r;

	if (poll(&pollfd, 1, timeout_ms) < 0 && errno != EINTR)
		fail("poll");
	r = pinguard_owner_dispatch(app->owner);
	if (r < 0)
		printf("not connected, trying again: %s\n", strerror(-r));
}

static int left(int64_t until_ms)
{
	int64_t ms = until_ms - now_ms();

	return ms > 0 ? (int)ms : 0;
}

static void run(struct app *app)
{
	int64_t patience = now_ms() + PATIENCE_MS;
	int r = pinguard_owner_new(app->socket, &app->owner);

	if (r < 0) {
		errno = -r;
		fail("pinguard_owner_new");
	}
	pinguard_owner_set_request_callback(app->owner, on_request, app);
	pinguard_owner_set_withdrawn_callback(app->owner, on_withdrawn, app);
	pinguard_owner_set_completed_callback(app->owner, on_completed, app);
	pinguard_owner_set_state_callback(app->owner, on_state, app);

	/* first: a policy may let registered owners alone pin device memory */
	while (pinguard_owner_state(app->owner) != PINGUARD_OWNER_REGISTERED && left(patience) > 0)
		turn(app, left(patience));
	pin(app);
	for (;;) {
		turn(app, app->deferred ? left(app->deferred_until_ms) : -1);
		if (app->deferred && left(app->deferred_until_ms) == 0) {
			release(app, app->deferred);
			forget_deferred(app);
		}
	}
}

static unsigned long long number(const char *text, unsigned long long max)
{
	static const char suffixes[] = "KMG";
	char *end, *suffix;
	int shift = 0;
	unsigned long long n = strtoull(text, &end, 0);

	suffix = *end ? strchr(suffixes, *end) : NULL;
	if (suffix) {
		shift = 10 * (int)(suffix - suffixes + 1);
		end++;
	}
	if (*end || end == text || n == 0 || n > max >> shift) {
		fprintf(stderr, "wrong number %s\n", text);
		exit(2);
	}
	return n << shift;
}

static void usage(FILE *stream)
{
	fputs("Usage: rdma-owner [OPTION...]\n"
	      "\n"
	      "  --device=NAME    RDMA device, by default the first\n"
	      "  --size=SIZE      of each memory region, by default 8M\n"
	      "  --count=N        memory regions, by default 1\n"
	      "  --file=FILE      memory of a file, such as /dev/dax0.0, not anonymous\n"
	      "  --socket=PATH    of the service\n"
	      "  --refuse         answer requests with no\n"
	      "  --defer=MS       release so many milliseconds after being asked\n"
	      "  --silent         do not answer requests\n",
	      stream);
}

static void parse(struct app *app, int argc, char *argv[])
{
	static const struct option options[] = {
		{ "device", required_argument, NULL, 'd' },
		{ "size", required_argument, NULL, 's' },
		{ "count", required_argument, NULL, 'c' },
		{ "file", required_argument, NULL, 'f' },
		{ "socket", required_argument, NULL, 'S' },
		{ "refuse", no_argument, NULL, 'r' },
		{ "defer", required_argument, NULL, 'D' },
		{ "silent", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		switch (c) {
		case 'd':
			app->device = optarg;
			break;
		case 's':
			app->bytes = number(optarg, 1ULL << 40);
			break;
		case 'c':
			app->count = (unsigned int)number(optarg, REGIONS_MAX);
			break;
		case 'f':
			app->file = optarg;
			break;
		case 'S':
			app->socket = optarg;
			break;
		case 'r':
			app->answer = REFUSE;
			break;
		case 'D':
			app->answer = DEFER;
			app->defer_ms = (unsigned int)number(optarg, 3600000);
			break;
		case 'q':
			app->answer = SILENCE;
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			usage(stderr);
			exit(2);
		}
	}
	if (optind < argc) {
		usage(stderr);
		exit(2);
	}
}

int main(int argc, char *argv[])
{
	struct app app = { .bytes = 8 << 20, .count = 1 };

	parse(&app, argc, argv);
	setvbuf(stdout, NULL, _IOLBF, 0);
	open_device(&app);
	map_memory(&app);
	run(&app);
}
