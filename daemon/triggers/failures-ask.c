/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that failed: where it is, who holds it, and that they are asked to let go. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/base.h"
#include "daemon/kernel/kernel.h"
#include "daemon/model/model.h"
#include "daemon/triggers/failures-internal.h"
#include "lib/json.h"
#include "lib/log.h"

#define ADDRESS_LEN 24

static uint64_t page_bytes(void)
{
	return sysconf(_SC_PAGESIZE);
}

/* --- what is told of the pins --- */

/* The failed page of a pin, in its owner. */
static struct release_failure part_of(const struct failure *f, const struct holder *holder,
				      const struct pin *pin)
{
	const uint64_t first = pin->address & ~(page_bytes() - 1);
	const bool known = pin->address && holder->has_offset &&
			   holder->offset <= UINT64_MAX - page_bytes() - first;

	return (struct release_failure){
		.pin = pin->id,
		.has_address = known,
		.address = known ? first + holder->offset : 0,
		.bytes = known ? page_bytes() : pin->bytes,
		.data_lost = f->kind != PINGUARD_FAILURE_KIND_SOFT_OFFLINE,
		.test = holder->test,
	};
}

static json_t *owner_json(const struct triggers_config *c, const struct pin *pin,
			  const struct release_failure *part)
{
	const bool gone = pin->flags & PINGUARD_FLAG_OWNER_GONE;
	struct owner *owner = c->owners ? owners_find(c->owners, pin->origin->tgid) : NULL;

	return json_pack("{s:I, s:o, s:I, s:o, s:o, s:s, s:o, s:o, s:o, s:b, s:s}",
			 "pid", (json_int_t)pin->origin->tgid,
			 "comm", json_escaped(pin->origin->comm, pin->origin->comm_len),
			 "uid", (json_int_t)pin->origin->uid,
			 "cgroup", render_path(pin->origin->cgroup),
			 "pin", json_hex(pin->id),
			 "kind", render_kind(pin->origin->kind),
			 "device", render_device(pin->origin),
			 "address", part->has_address ? json_hex(part->address) : json_null(),
			 "bytes", json_bytes(part->bytes),
			 "registered", !gone && owner && owner_lives(owner),
			 "test", holder_test_name(part->test));
}

/* False where it is one too many, or its names are too long. */
static bool add_owner(json_t *array, json_t *owner, size_t *names_bytes)
{
	_cleanup_json_ json_t *json = owner;
	const size_t n = json_array_size(array), bytes = render_names_bytes(json);

	if (!json || n == FAILURE_OWNERS_MAX ||
	    (n > 0 && *names_bytes + bytes > FAILURE_NAMES_BYTES))
		return false;
	*names_bytes += bytes;
	return json_array_append(array, json) >= 0;
}

static void set_owners(struct failing *failing, struct failure *f, const struct holder *pins,
		       size_t n)
{
	_cleanup_json_ json_t *array = json_array();
	size_t known = 0, names_bytes = 0;
	bool full = false;

	/* Those that only may hold it come last. */
	for (size_t i = 0; i < 2 * n; i++) {
		const struct holder *holder = &pins[i % n];
		const struct pin *pin = registry_find(failing->config->registry, holder->id);
		struct release_failure part;

		if (!pin || (holder->test == HOLDER_NONE) != (i >= n))
			continue;
		known++;
		part = part_of(f, holder, pin);
		full = full || !add_owner(array, owner_json(failing->config, pin, &part),
					  &names_bytes);
	}
	/* Who it was stays known when they have let go. */
	if (known > 0 || !f->owners)
		failure_set_owners(f, known > 0 ? json_dumps(array, JSON_COMPACT) : NULL,
				   json_array_size(array), known - json_array_size(array));
}

static void set_place(struct failing *failing, struct failure *f)
{
	const struct triggers_config *c = failing->config;
	_cleanup_json_ json_t *json = NULL;
	struct place place;
	uint64_t flags;
	int r;

	if (f->place)
		return;
	/* While memory is being taken away sysfs is left alone. */
	r = devices_place(c->devices, f->pfn * page_bytes(), devices_at_rest(c->devices),
			  &place);
	if (r < 0) {
		log_debug_errno(r, "cannot tell where failed memory is: %m");
		place_init(&place, f->pfn * page_bytes());
	}
	/* The class is what it was when it failed, where somebody said it. */
	flags = place.page_flags;
	if (f->class_guessed)
		f->class = place.class;
	else
		place_set_frame(&place, f->class, true, flags ? &flags : NULL);
	json = place_to_json(&place);
	failure_set_place(f, json ? json_dumps(json, JSON_COMPACT) : NULL);
}

/* --- asking --- */

struct asking {
	uint64_t *ids; /* of pins that no request asks for yet */
	struct release_failure *parts; /* of them */
	size_t n;
	bool blocked; /* there is no room for some */
};

static void asking_done(struct asking *a)
{
	free(a->ids);
	free(a->parts);
}

static void set_token(struct failure *f, const struct release *release)
{
	snprintf(f->token, sizeof(f->token), "%s", release_token(release));
}

/* Adds to the requests that run what they ask for already; the rest is a's. */
static int sort(struct failing *failing, struct failure *f, const struct holder *pins, size_t n,
		struct asking *a)
{
	const struct triggers_config *c = failing->config;

	a->ids = calloc(n ?: 1, sizeof(*a->ids));
	a->parts = calloc(n ?: 1, sizeof(*a->parts));
	if (!a->ids || !a->parts)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct pin *pin = registry_find(c->registry, pins[i].id);
		struct release_failure part;
		struct release *release;
		int r;

		/* Nothing is known of one that only may hold it: it is as good as any other. */
		if (!pin || pins[i].test == HOLDER_NONE)
			continue;
		part = part_of(f, &pins[i], pin);
		release = release_find_failure(c->releases, pin->id);
		if (!release) {
			a->parts[a->n] = part;
			a->ids[a->n++] = pin->id;
			continue;
		}
		r = release_add_failures(release, &part, 1);
		if (r == -E2BIG)
			a->blocked = true; /* when it is over */
		else if (r < 0)
			return r;
		set_token(f, release);
	}
	return 0;
}

static int start(struct failing *failing, struct failure *f, struct asking *a)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	const struct triggers_config *c = failing->config;
	char address[ADDRESS_LEN];
	const struct release_config config = {
		.reason = RELEASE_MEMORY_FAILURE,
		.target = address,
		.mode = RELEASE_ASYNC,
		.timeout_usec = RELEASE_TIMEOUT_LADDER,
		.admin = true,
		.uid = PIN_UID_NONE,
		.pin_ids = a->ids,
		.n_pins = a->n,
		.failures = a->parts,
		.n_failures = a->n,
	};
	int r;

	if (releases_n_reason(c->releases, RELEASE_MEMORY_FAILURE) >= FAILURES_REQUESTS_MAX)
		return -EBUSY;
	snprintf(address, sizeof(address), "0x%" PRIx64, f->pfn * page_bytes());
	r = release_start(c->releases, &config, &release);
	if (r >= 0)
		set_token(f, release);
	return r;
}

static int ask(struct failing *failing, struct failure *f, const struct holder *pins, size_t n,
	       bool *ret_blocked)
{
	_cleanup_(asking_done) struct asking a = {};
	int r;

	*ret_blocked = false;
	if (n == 0 || !failing->config->releases)
		return 0;
	r = sort(failing, f, pins, n, &a);
	if (r >= 0 && a.n > 0)
		r = start(failing, f, &a);
	*ret_blocked = a.blocked || r == -EBUSY;
	return r == -EBUSY ? 0 : r;
}

/* --- the look --- */

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct failing *failing = userdata;

	failing->retry = sd_event_source_disable_unref(failing->retry);
	failures_unblock(failing->failures);
	failing_work(failing);
	return 0;
}

static void retry_later(struct failing *failing)
{
	int r;

	if (failing->retry)
		return;
	r = sd_event_add_time_relative(failing->event, &failing->retry, CLOCK_MONOTONIC,
				       FAILURES_PAUSE_USEC, 0, on_retry, failing);
	if (r < 0)
		log_error_errno(r, "cannot look at failures of memory again: %m");
	else
		(void)sd_event_source_set_description(failing->retry, "failures-retry");
}

/* Told once for a spell of them. */
static void fail(struct failing *failing, struct failure *f, int error)
{
	const bool again = ++f->tries < FAILURES_TRIES;

	if (!failing->look_failed)
		log_warning_errno(error, "cannot ask the owners of memory that failed, %s: %m",
				  again ? "trying again" : "giving up");
	failing->look_failed = true;
	failure_set_step(f, again ? FAILURE_BLOCKED : FAILURE_IDLE);
	if (again)
		retry_later(failing);
	else if (!f->told)
		failing_tell(failing, f);
}

static void looked(struct failing *failing, struct failure *f, const struct holder *pins, size_t n)
{
	bool blocked = false;
	int r, over;

	set_owners(failing, f, pins, n);
	f->asked_usec = loop_usec(failing->event, CLOCK_REALTIME);
	r = over = failing_hold(failing, f, pins, n);
	if (r == 0)
		r = ask(failing, f, pins, n, &blocked);
	if (r < 0) {
		fail(failing, f, r);
		return;
	}
	failing->look_failed = false;
	f->tries = 0;
	failure_set_step(f, blocked ? FAILURE_BLOCKED : FAILURE_IDLE);
	/* A request that ends takes it up; without one of failed memory, others are too many. */
	if (blocked && !releases_n_reason(failing->config->releases, RELEASE_MEMORY_FAILURE))
		retry_later(failing);
	if (over > 0)
		failing_tell_done(failing, f);
	else if (!f->told)
		failing_tell(failing, f);
	failing_changed(failing);
}

static void on_holders(int error, const struct holder *pins, size_t n, void *userdata)
{
	struct failure *f = userdata;
	struct failing *failing = failures_userdata(f->failures);
	_cleanup_(holders_freep) struct holders *holders = TAKE_PTR(f->holders);

	if (error < 0)
		fail(failing, f, error);
	else if (!source_ready(failing->config->source))
		failure_set_step(f, FAILURE_BLOCKED); /* until the pins have been read again */
	else
		looked(failing, f, pins, n);
	failing_work(failing);
}

static void look(struct failing *failing, struct failure *f)
{
	const struct pfn_range range = { f->pfn, f->pfn };
	const struct holders_config config = {
		.genl = source_genl(failing->config->source),
		.walks = failing->config->walks,
		.registry = failing->config->registry,
		.exact = true,
		.max = SIZE_MAX,
		.ranges = &range,
		.n_ranges = 1,
		.done = on_holders,
		.userdata = f,
	};
	struct holders *holders = NULL;
	int r;

	failure_set_step(f, FAILURE_LOOKING);
	set_place(failing, f);
	r = holders_find(failing->event, &config, &holders);
	f->holders = holders;
	if (r < 0)
		fail(failing, f, r);
}

void failing_drop_work(struct failing *failing, struct failure *f)
{
	f->holders = holders_free(f->holders);
	failure_set_step(f, FAILURE_IDLE);
}

static int on_turn(sd_event_source *source, void *userdata)
{
	struct failing *failing = userdata;
	struct failure *f;

	for (unsigned int i = 0; i < FAILURE_LOOKS_MAX; i++) {
		f = failures_next_waiting(failing->failures);
		if (!f)
			break;
		look(failing, f);
	}
	return 0;
}

void failing_work(struct failing *failing)
{
	int r;

	if (!failures_next_waiting(failing->failures))
		return;
	r = turn_schedule(failing->event, &failing->turn, on_turn, failing, "failures");
	if (r < 0)
		log_error_errno(r, "cannot look at failures of memory: %m");
}
