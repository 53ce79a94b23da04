/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "daemon/base/base.h"
#include "daemon/kernel/probe.h"
#include "daemon/kernel/probe-failures.h"
#include "daemon/kernel/probe-hello.h"
#include "daemon/kernel/probe-maps.h"
#include "daemon/kernel/probe-modules.h"
#include "lib/clock.h"
#include "lib/log.h"

#define EVENTS_PER_WAKEUP 4096 /* then the clients have their turn */
#define PLACES_PER_TURN	  16384
#define BACKOFF_MIN_USEC  (100 * 1000ULL)
#define BACKOFF_MAX_USEC  (1000 * 1000ULL) /* well below the time that calls wait for a list */
#define TICK_USEC	  (1000 * 1000ULL)
#define BUSY_USEC	  (10 * 1000ULL) /* for a program that was preempted as it wrote */
#define RETRY_MIN_USEC	  (10 * 1000000ULL) /* after the loader could do nothing */
#define RETRY_MAX_USEC	  (3600 * 1000000ULL)
#define CALM_USEC	  (10 * 1000000ULL) /* without loss, and the backoff starts anew */

struct probe {
	sd_event *event;
	struct probe_config config;
	struct probe_hello_call *hello;
	bool again; /* a module came while the loader was asked */
	struct probe_modules *modules;
	struct probe_maps *maps; /* NULL until the loader has answered */
	int ring_fd;
	sd_event_source *ring, *turn, *backoff, *tick;
	bool ready;
	uint32_t place; /* the next one to be listed */
	uint64_t seq; /* of the last event, by our own count */
	uint64_t boot_usec; /* CLOCK_REALTIME when CLOCK_BOOTTIME was 0 */
	uint64_t lost; /* as far as that is known */
	uint64_t synced_usec, backoff_usec, retry_usec;
	struct probe_limits limits;
	struct probe_failures failures;
	unsigned int n_resyncs;
};

static const char gone[] = "the eBPF programs have been taken away";

/*
 * New maps know nothing of the pins from before: a list of theirs would say that all
 * of these were given back. Whoever starts anew has no such belief.
 */
static int end_anew(const char *why)
{
	return log_error_errno(ESTALE, "%s: ending, to be started with the new ones", why);
}

static int start_list(struct probe *p);

/* What is there is not looked at for a while. */
static int rest(struct probe *p, uint64_t usec)
{
	int r = sd_event_source_set_enabled(p->ring, SD_EVENT_OFF);

	if (r >= 0)
		r = sd_event_source_set_time_relative(p->backoff, usec);
	return r < 0 ? r : sd_event_source_set_enabled(p->backoff, SD_EVENT_ONESHOT);
}

static int on_backoff(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct probe *p = userdata;

	if (!p->maps)
		return probe_ask(p);
	return p->ready ? sd_event_source_set_enabled(p->ring, SD_EVENT_ON) : start_list(p);
}

/* Something was lost: what the listener has is not to be trusted. */
static int resync(struct probe *p, const char *why)
{
	const uint64_t now = loop_usec(p->event, CLOCK_MONOTONIC);
	uint64_t wait;

	if (p->ready && now - p->synced_usec > CALM_USEC)
		p->backoff_usec = 0;
	wait = p->backoff_usec;
	p->backoff_usec = wait ? MIN(wait * 2, BACKOFF_MAX_USEC) : BACKOFF_MIN_USEC;
	p->n_resyncs++;
	p->ready = false;
	log_info("reading the pins from the eBPF maps again: %s", why);
	return wait ? rest(p, wait) : start_list(p);
}

/* A change that was told late, of a pin that is no more, would bring it back. */
static bool is_stale(struct probe *p, const struct probe_event *event)
{
	struct probe_pin now;

	return event->type == PROBE_EVENT_CHANGE &&
	       !(probe_maps_read(p->maps, event->pin.place, &now) && now.id == event->pin.id);
}

/* What a pin counts for is its cgroup, where that can have a limit. */
static struct pin_info pin_of(const struct probe *p, const struct probe_pin *pin)
{
	struct pin_info info;

	probe_pin_info(pin, p->boot_usec, &info);
	if (p->limits.kept)
		info.charged_cgroup_id = info.cgroup_id;
	return info;
}

static int deliver(struct probe *p, const struct probe_event *told)
{
	static const enum pin_event_type types[] = {
		[PROBE_EVENT_PIN] = PIN_EVENT_PIN,
		[PROBE_EVENT_CHANGE] = PIN_EVENT_CHANGE,
		[PROBE_EVENT_UNPIN] = PIN_EVENT_UNPIN,
		[PROBE_EVENT_DENY] = PIN_EVENT_DENY,
	};
	struct pin_event event = { .charged_bytes = UINT64_MAX, .max_bytes = UINT64_MAX };
	int r;

	/* It was there to wake us: after the ring these are looked at in any case. */
	if (told->type == PROBE_EVENT_FAILURE)
		return 0;
	if (told->type < PROBE_EVENT_PIN || told->type > PROBE_EVENT_DENY)
		return resync(p, "an event could not be understood");
	if (is_stale(p, told))
		return 0;
	event.type = types[told->type];
	event.seq = ++p->seq;
	event.pin = pin_of(p, &told->pin);
	if (event.type == PIN_EVENT_DENY)
		probe_deny_info(told, &event);
	r = p->config.listener->event(&event, p->config.userdata);
	return r == -EILSEQ ? resync(p, "an event is missing") : r;
}

static int on_ring(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct probe *p = userdata;
	struct probe_event event;
	int r = 1;

	probe_failures_note(&p->failures, p->maps);
	for (unsigned int i = 0; i < EVENTS_PER_WAKEUP && p->ready; i++) {
		r = probe_maps_next(p->maps, &event);
		if (r == 0 || r == -EAGAIN)
			break;
		if (r == -ESTALE)
			r = resync(p, "somebody else has read events");
		else
			r = r < 0 ? resync(p, "an event could not be understood") :
				    deliver(p, &event);
		if (r < 0)
			return r;
	}
	/* It stays readable, though there is nothing to read. */
	if (r == -EAGAIN)
		r = rest(p, BUSY_USEC);
	if (r < 0)
		return r;
	/* Whoever finds the ring full says so there alone; it was full, and is read now. */
	if (p->ready && probe_maps_lost(p->maps) != p->lost)
		return resync(p, "events were lost");
	return p->ready ? probe_failures_tell(&p->failures, p->maps, p->boot_usec,
					      p->config.listener, p->config.userdata) : 0;
}

/* What wakes nobody: a loss after the last event, maps that nobody writes any more. */
static int on_tick(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct probe *p = userdata;
	int r;

	if (!probe_maps_live(p->maps))
		return end_anew(gone);
	r = on_ring(p->ring, p->ring_fd, EPOLLIN, p);
	if (r >= 0)
		r = sd_event_source_set_time_relative(source, TICK_USEC);
	return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int finish_list(struct probe *p)
{
	int r;

	p->ready = true;
	p->synced_usec = loop_usec(p->event, CLOCK_MONOTONIC);
	r = p->config.listener->end(p->seq, p->config.userdata);
	if (r < 0)
		return r;
	/* Calls that wait for the list have their turn first: there may be a loss in the ring. */
	return sd_event_source_set_enabled(p->ring, SD_EVENT_ON);
}

static int on_turn(sd_event_source *source, void *userdata);

static int next_turn(struct probe *p)
{
	int r = turn_schedule(p->event, &p->turn, on_turn, p, "probe-list");

	if (r >= 0)
		r = sd_event_source_set_exit_on_failure(p->turn, true);
	return MIN(r, 0);
}

static int on_turn(sd_event_source *source, void *userdata)
{
	const uint64_t start_usec = clock_usec(CLOCK_MONOTONIC);
	struct probe *p = userdata;
	const uint32_t n = probe_maps_places(p->maps);
	struct probe_pin pin;
	struct pin_info info;
	int r;

	for (unsigned int i = 0; p->place < n; p->place++, i++) {
		if (i == PLACES_PER_TURN || (i % 64 == 63 && turn_is_long(start_usec)))
			return next_turn(p);
		if (!probe_maps_read(p->maps, p->place, &pin))
			continue;
		info = pin_of(p, &pin);
		r = p->config.listener->pin(&info, p->config.userdata);
		if (r < 0)
			return r;
	}
	return finish_list(p);
}

/*
 * Pins are in their places before they are told of, and told of as gone after they
 * have left them: what is in the ring from now on makes any list whole.
 */
static int start_list(struct probe *p)
{
	int r;

	p->ready = false;
	r = sd_event_source_set_enabled(p->ring, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_source_set_enabled(p->backoff, SD_EVENT_OFF);
	if (r < 0)
		return r;
	p->place = 0;
	p->boot_usec = clock_usec(CLOCK_REALTIME) - clock_usec(CLOCK_BOOTTIME);
	p->lost = probe_maps_lost(p->maps);
	probe_maps_skip(p->maps);
	r = p->config.listener->begin(p->config.userdata);
	return r < 0 ? r : next_turn(p);
}

static int check_same(struct probe *p, const int *fds)
{
	_cleanup_(probe_maps_freep) struct probe_maps *maps = NULL;
	int r = probe_maps_open(fds, &maps);

	if (r < 0)
		return r;
	return probe_maps_same(maps, p->maps) ? 0 : end_anew("the eBPF maps are others");
}

static int take_maps(struct probe *p, int *fds)
{
	int r = probe_maps_open(fds, &p->maps);

	if (r < 0)
		return r;
	p->ring_fd = TAKE_FD(fds[PROBE_FDS - 1]);
	r = sd_event_add_io(p->event, &p->ring, p->ring_fd, EPOLLIN, on_ring, p);
	if (r < 0)
		return r;
	/* After turns. Where these never end the tick reads it. */
	r = sd_event_source_set_priority(p->ring, SD_EVENT_PRIORITY_NORMAL + 1);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(p->ring, "probe-ring");
	(void)sd_event_source_set_exit_on_failure(p->ring, true);
	r = sd_event_add_time_relative(p->event, &p->tick, CLOCK_MONOTONIC, TICK_USEC, 0, on_tick, p);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(p->tick, "probe-tick");
	(void)sd_event_source_set_exit_on_failure(p->tick, true);
	if (p->retry_usec && p->config.watching)
		p->config.watching(p->config.failed_userdata);
	return start_list(p);
}

/* After each answer. The pins are listed anew: they say what they count for. */
static int look_at_limits(struct probe *p)
{
	int r;

	if (!probe_limits_look(&p->limits, p->maps))
		return 0;
	r = start_list(p);
	return r < 0 || !p->config.limited ? r : p->config.limited(p->config.failed_userdata);
}

/* The answer when a module has come: what is watched by then is in the maps. */
static int on_more(struct probe *p, const int *fds, const char *reason)
{
	int r = fds ? check_same(p, fds) : 0;

	if (r < 0)
		return r;
	if (!probe_maps_live(p->maps))
		return end_anew(gone);
	if (!fds)
		log_warning("pins of modules that came are not watched: %s", reason);
	return look_at_limits(p);
}

/* For now. When a module comes it is tried at once, and may be what was missing. */
static int give_up(struct probe *p, const char *why)
{
	int r;

	p->retry_usec = p->retry_usec ? MIN(p->retry_usec * 2, RETRY_MAX_USEC) : RETRY_MIN_USEC;
	r = sd_event_source_set_time_relative(p->backoff, p->retry_usec);
	if (r >= 0)
		r = sd_event_source_set_enabled(p->backoff, SD_EVENT_ONESHOT);
	return r < 0 ? r : p->config.failed(why, p->config.failed_userdata);
}

static int on_first(struct probe *p, int *fds, const char *reason)
{
	int r;

	if (!fds)
		return give_up(p, reason);
	r = take_maps(p, fds);
	if (r < 0)
		return r != -ENOMEM && !p->maps ? give_up(p, "its maps cannot be read") : r;
	return look_at_limits(p);
}

static int on_hello(int *fds, const char *reason, void *userdata)
{
	struct probe *p = userdata;
	int r;

	p->hello = probe_hello_call_free(p->hello);
	r = p->maps ? on_more(p, fds, reason) : on_first(p, fds, reason);
	if (r < 0)
		return r;
	if (!p->again)
		return 0;
	p->again = false;
	return probe_ask(p);
}

static int ask(struct probe *p)
{
	return probe_hello_call(p->event, p->config.socket, p->limits.wish, on_hello, p, &p->hello);
}

int probe_ask(struct probe *p)
{
	int r;

	if (p->hello) {
		p->again = true;
		return 0;
	}
	r = ask(p);
	if (r < 0 && !p->maps)
		return r == -ENOMEM ? r : give_up(p, strerror(-r));
	if (r < 0)
		log_warning_errno(r, "pins of a module that came are not watched: %m");
	return 0;
}

int probe_wish_limits(struct probe *p, bool wish)
{
	const enum probe_wish new = wish ? PROBE_WISH_LIMIT : PROBE_WISH_WATCH;

	if (p->limits.wish == new)
		return 0;
	p->limits.wish = new;
	return probe_ask(p);
}

bool probe_is_limited(const struct probe *p)
{
	return p->limits.kept;
}

const char *probe_why_unlimited(const struct probe *p)
{
	return *p->limits.why_not ? p->limits.why_not : NULL;
}

struct probe_groups probe_groups(const struct probe *p)
{
	return probe_maps_groups(p->maps);
}

static int on_module(void *userdata)
{
	return probe_ask(userdata);
}

int probe_new(sd_event *event, const struct probe_config *config, struct probe **ret)
{
	_cleanup_(probe_freep) struct probe *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	p->event = sd_event_ref(event);
	p->config = *config;
	p->ring_fd = -1;
	p->limits.wish = config->limits ? PROBE_WISH_LIMIT : PROBE_WISH_WATCH;
	r = sd_event_add_time(event, &p->backoff, CLOCK_MONOTONIC, 0, 0, on_backoff, p);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(p->backoff, "probe-backoff");
	(void)sd_event_source_set_exit_on_failure(p->backoff, true);
	r = sd_event_source_set_enabled(p->backoff, SD_EVENT_OFF);
	/* First, so that none comes unnoticed while the loader looks. */
	if (r >= 0)
		r = probe_modules_watch(event, on_module, p, &p->modules);
	if (r >= 0)
		r = ask(p);
	/* Where it is not installed nobody expects it. */
	if (r < 0 && p->modules && r != -ENOENT && r != -ENOMEM)
		r = give_up(p, strerror(-r));
	if (r < 0)
		return r;
	*ret = TAKE_PTR(p);
	return 0;
}

struct probe *probe_free(struct probe *p)
{
	if (!p)
		return NULL;
	probe_hello_call_free(p->hello);
	probe_modules_free(p->modules);
	sd_event_source_disable_unref(p->ring);
	sd_event_source_disable_unref(p->turn);
	sd_event_source_disable_unref(p->backoff);
	sd_event_source_disable_unref(p->tick);
	probe_maps_free(p->maps);
	closep(&p->ring_fd);
	sd_event_unref(p->event);
	free(p);
	return NULL;
}

bool probe_ready(const struct probe *p)
{
	return p->ready;
}

unsigned int probe_n_resyncs(const struct probe *p)
{
	return p->n_resyncs;
}

struct probe_watch probe_watches(const struct probe *p, uint32_t kind)
{
	struct probe_watch watch = {};
	struct probe_kind found;

	if (!p->maps)
		return watch;
	found = probe_maps_kind(p->maps, kind);
	if (found.since_nsec)
		watch.since_usec = p->boot_usec + found.since_nsec / 1000;
	memcpy(watch.reason, found.reason, sizeof(watch.reason));
	memcpy(watch.before, found.before, sizeof(watch.before));
	watch.enforced = found.enforced;
	memcpy(watch.limit_reason, found.limit_reason, sizeof(watch.limit_reason));
	return watch;
}

uint64_t probe_ungrouped(const struct probe *p)
{
	return p->maps ? probe_maps_ungrouped(p->maps) : 0;
}

uint64_t probe_boot_usec(const struct probe *p)
{
	return p->boot_usec;
}

uint64_t probe_unlisted(const struct probe *p)
{
	return p->maps ? probe_maps_unlisted(p->maps) : 0;
}
