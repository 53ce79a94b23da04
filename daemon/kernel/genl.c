/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <netlink/socket.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "daemon/kernel/genl-internal.h"
#include "daemon/kernel/nlio.h"
#include "lib/log.h"

#define RCVBUF_BYTES	(8 << 20)
#define RECVS_PER_WAKEUP 32 /* then the clients have their turn */
#define QUEUE_MAX	(1 << 16)
#define DRAIN_MAX	(1 << 16) /* messages: more than a buffer holds */
#define BACKOFF_MIN_USEC (100 * 1000ULL)
#define BACKOFF_MAX_USEC (5 * 1000000ULL)
#define CALM_USEC	(10 * 1000000ULL) /* without loss, and the backoff starts anew */

/* What alerts are sent for. */
#define ALERT_FEATURES \
	(PINGUARD_FEATURE_DEVICE_REMOVAL | PINGUARD_FEATURE_MEMORY_OFFLINE | \
	 PINGUARD_FEATURE_MEMORY_FAILURE)

static int start_dump(struct genl *g);

static void dump_close(struct genl *g)
{
	g->dump_source = sd_event_source_disable_unref(g->dump_source);
	nl_socket_free(g->dump);
	g->dump = NULL;
	g->dump_started = false;
	g->dump_interrupted = false;
}

static void queue_clear(struct event_queue *queue)
{
	free(queue->events);
	*queue = (struct event_queue){};
}

static int queue_add(struct event_queue *queue, const struct pin_event *event)
{
	if (queue->n == queue->size) {
		size_t size = queue->size ? queue->size * 2 : 64;
		struct pin_event *events = reallocarray(queue->events, size, sizeof(*events));

		if (!events)
			return -ENOMEM;
		queue->events = events;
		queue->size = size;
	}
	queue->events[queue->n++] = *event;
	return 0;
}

static int on_backoff(sd_event_source *source, uint64_t usec, void *userdata)
{
	return start_dump(userdata);
}

/* Something was lost: what the listener has is not to be trusted. */
static int resync(struct genl *g, const char *why)
{
	uint64_t now, wait;
	int r;

	if (g->state == GENL_BACKOFF)
		return 0;
	r = sd_event_now(g->event, CLOCK_MONOTONIC, &now);
	if (r < 0)
		return r;
	if (g->state == GENL_SYNCED && now - g->synced_usec > CALM_USEC)
		g->backoff_usec = 0;
	wait = g->backoff_usec;
	g->backoff_usec = wait ? MIN(wait * 2, BACKOFF_MAX_USEC) : BACKOFF_MIN_USEC;
	g->n_resyncs++;
	log_info("reading the pins from the kernel again: %s", why);

	dump_close(g);
	queue_clear(&g->queue);
	queue_clear(&g->waiting);
	g->state = GENL_BACKOFF;
	r = sd_event_source_set_enabled(g->events_source, SD_EVENT_ON);
	if (r < 0)
		return r;
	if (!wait)
		return start_dump(g);
	r = sd_event_source_set_time(g->backoff_source, now + wait);
	if (r < 0)
		return r;
	return sd_event_source_set_enabled(g->backoff_source, SD_EVENT_ONESHOT);
}

static int drop_message(const struct nlmsghdr *nlh, void *userdata)
{
	return 0;
}

/*
 * A socket whose buffer ran over says so once, and drops what comes without a word
 * until all in it has been read. A list that is begun before lacks that.
 */
static int recover(struct genl *g, int fd, const char *why)
{
	for (unsigned int i = 0; i < DRAIN_MAX; i++)
		if (nlio_recv(fd, drop_message, NULL) == -EAGAIN)
			break;
	return resync(g, why);
}

static int deliver(struct genl *g, const struct pin_event *event)
{
	int r = g->listener->event(event, g->userdata);

	if (r == -EILSEQ)
		return resync(g, "an event is missing");
	if (r >= 0)
		g->seq = MAX(g->seq, event->seq);
	return r;
}

static int enqueue(struct genl *g, const struct pin_event *event)
{
	int r = queue_add(&g->queue, event);

	/* Full: the socket's buffer takes the rest. */
	if (r >= 0 && g->queue.n == QUEUE_MAX)
		return sd_event_source_set_enabled(g->events_source, SD_EVENT_OFF);
	return r;
}

/* Alerts, as soon as the pins are known that were there before. */
static int deliver_alerts(struct genl *g)
{
	size_t n = 0;
	int r = 0;

	while (r >= 0 && g->state == GENL_SYNCED && n < g->waiting.n &&
	       g->waiting.events[n].seq <= g->seq) {
		struct pin_event alert = g->waiting.events[n++];

		/* It has no number among the events. */
		alert.seq = 0;
		r = g->listener->event(&alert, g->userdata);
	}
	if (n < g->waiting.n)
		memmove(g->waiting.events, g->waiting.events + n,
			(g->waiting.n - n) * sizeof(*g->waiting.events));
	g->waiting.n -= MIN(n, g->waiting.n);
	return r;
}

static int on_alert_message(const struct nlmsghdr *nlh, void *userdata)
{
	struct genl *g = userdata;
	struct pinmsg msg;
	int r;

	if (nlh->nlmsg_type != g->family)
		return 0;
	r = pinmsg_parse(nlh, &msg);
	if (r < 0)
		return resync(g, "a message could not be understood");
	/* Once the list has been read, what is open is asked for. */
	if (msg.type != PINMSG_ALERT || g->state == GENL_BACKOFF)
		return 0;
	return queue_add(&g->waiting, &msg.event);
}

static int on_event_message(const struct nlmsghdr *nlh, void *userdata)
{
	struct genl *g = userdata;
	struct pinmsg msg;
	int r;

	if (nlh->nlmsg_type != g->family)
		return 0;
	r = pinmsg_parse(nlh, &msg);
	if (r < 0)
		return resync(g, "a message could not be understood");
	if (msg.type != PINMSG_EVENT)
		return 0;
	switch (g->state) {
	case GENL_DUMPING:
		return enqueue(g, &msg.event);
	case GENL_BACKOFF:
		/* The dump to come includes it. */
		return 0;
	case GENL_SYNCED:
		break;
	}
	return deliver(g, &msg.event);
}

/* what: "events" or "alerts"; of events no more than there is room for */
static int follow(struct genl *g, int fd, nlio_handler handler, const char *what)
{
	char why[32];
	unsigned int i;
	int r;

	for (i = 0; i < RECVS_PER_WAKEUP; i++) {
		if (handler == on_event_message && g->queue.n >= QUEUE_MAX)
			break;
		r = nlio_recv(fd, handler, g);
		if (r == -EAGAIN)
			break;
		if (r == -ENOBUFS || r == -EMSGSIZE) {
			snprintf(why, sizeof(why), "%s were lost", what);
			r = recover(g, fd, why);
		}
		if (r < 0)
			return log_error_errno(r, "cannot follow the kernel's %s: %m", what);
	}
	return deliver_alerts(g);
}

static int on_events_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	return follow(userdata, fd, on_event_message, "events");
}

static int on_alerts_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	return follow(userdata, fd, on_alert_message, "alerts");
}

static int finish_dump(struct genl *g)
{
	struct event_queue queue;
	size_t i;
	int r;

	dump_close(g);
	g->seq = g->dump_seq;
	r = g->listener->end(g->dump_seq, g->userdata);
	if (r < 0)
		return r;
	r = sd_event_now(g->event, CLOCK_MONOTONIC, &g->synced_usec);
	if (r < 0)
		return r;
	g->state = GENL_SYNCED;

	/* An event that is missing here starts a dump, and the rest is void. */
	queue = g->queue;
	g->queue = (struct event_queue){};
	for (i = 0, r = 0; i < queue.n && r >= 0 && g->state == GENL_SYNCED; i++)
		r = deliver(g, &queue.events[i]);
	queue_clear(&queue);
	if (r >= 0)
		r = deliver_alerts(g);
	if (r < 0)
		return r;
	return sd_event_source_set_enabled(g->events_source, SD_EVENT_ON);
}

/* 1 when the dump is over, one way or the other. */
static int on_dump_end(struct genl *g, const struct nlmsghdr *nlh)
{
	const char *text;
	char why[256];
	int error, r;

	error = pinmsg_parse_error(nlh, &text);
	if (error == -EPERM || error == -EACCES)
		return log_error_errno(error, "the kernel refuses to list pins: %s",
				       text ?: "CAP_SYS_ADMIN is needed");
	if (error < 0) {
		snprintf(why, sizeof(why), "the last try failed: %s", text ?: strerror(-error));
		r = resync(g, why);
	} else if (g->dump_interrupted || !g->dump_started) {
		r = resync(g, "the list changed while it was read");
	} else {
		r = finish_dump(g);
	}
	return r < 0 ? r : 1;
}

static int on_dump_message(const struct nlmsghdr *nlh, void *userdata)
{
	struct genl *g = userdata;
	struct pinmsg msg;
	int r;

	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		g->dump_interrupted = true;
	if (nlh->nlmsg_type == NLMSG_DONE || nlh->nlmsg_type == NLMSG_ERROR)
		return on_dump_end(g, nlh);
	if (nlh->nlmsg_type != g->family)
		return 0;
	r = pinmsg_parse(nlh, &msg);
	if (r < 0)
		return r;
	if (msg.type == PINMSG_DUMP_START) {
		g->dump_started = true;
		g->dump_seq = msg.event.seq;
	} else if (msg.type == PINMSG_DUMP_PIN) {
		return g->listener->pin(&msg.event.pin, g->userdata);
	}
	return 0;
}

static int on_dump_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct genl *g = userdata;
	unsigned int i;
	int r;

	for (i = 0; i < RECVS_PER_WAKEUP; i++) {
		r = nlio_recv(fd, on_dump_message, g);
		if (r == -EAGAIN || r > 0)
			return 0;
		if (r == -EBADMSG || r == -ENOBUFS || r == -EMSGSIZE)
			return resync(g, "the list could not be read");
		if (r < 0)
			return log_error_errno(r, "cannot read the pins from the kernel: %m");
	}
	return 0;
}

/* Each dump has a socket of its own: nothing of an earlier one can linger. */
static int start_dump(struct genl *g)
{
	int r;

	r = g->listener->begin(g->userdata);
	if (r < 0)
		return r;
	r = nlio_socket(NETLINK_GENERIC, &g->dump);
	if (r < 0)
		return r;
	r = sd_event_add_io(g->event, &g->dump_source, nl_socket_get_fd(g->dump), EPOLLIN,
			    on_dump_io, g);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(g->dump_source, "genl-dump");
	(void)sd_event_source_set_exit_on_failure(g->dump_source, true);
	g->state = GENL_DUMPING;
	return nlio_send_genl(g->dump, g->family, PINGUARD_CMD_GET_PIN, NLM_F_DUMP);
}

/* Patches may be less than all: what they do is said by features. */
static int open_family(struct genl *g, int *ret_events, int *ret_alerts, char **ret_reason)
{
	struct pin_kernel_info info;
	int r;

	r = nlio_socket(NETLINK_GENERIC, &g->request);
	if (r < 0) {
		*ret_reason = strdup("generic netlink is not available");
		return r;
	}
	r = nlio_resolve(PINGUARD_FAMILY_NAME, NULL, &g->family, NULL);
	if (r < 0) {
		*ret_reason = strdup(r == -ENOENT ? "kernel has no pinguard support" :
						    "generic netlink does not answer");
		return r;
	}
	r = genl_get_info(g, &info);
	if (r < 0) {
		*ret_reason = strdup(r == -EPERM ?
			"not permitted to follow the kernel's pins (CAP_SYS_ADMIN is needed)" :
			"kernel does not say what its pinguard does");
		return r;
	}
	g->features = info.features;
	if (!(g->features & PINGUARD_FEATURE_EVENTS)) {
		*ret_reason = strdup("kernel limits and lists pins, but does not tell of them");
		return -ENOENT;
	}
	r = nlio_resolve(PINGUARD_FAMILY_NAME, PINGUARD_MCGRP_EVENTS, &g->family, ret_events);
	*ret_alerts = -1;
	if (r >= 0 && (g->features & ALERT_FEATURES))
		r = nlio_resolve(PINGUARD_FAMILY_NAME, PINGUARD_MCGRP_ALERTS, &g->family,
				 ret_alerts);
	if (r < 0)
		*ret_reason = strdup("generic netlink does not answer");
	return r;
}

struct subscription {
	int group, rcvbuf_bytes;
	sd_event_io_handler_t handler;
	const char *description;
};

static int subscribe(struct genl *g, const struct subscription *s, struct nl_sock **ret_sock,
		     sd_event_source **ret_source, char **ret_reason)
{
	int r;

	r = nlio_socket(NETLINK_GENERIC, ret_sock);
	if (r < 0)
		return r;
	r = nlio_set_rcvbuf(*ret_sock, s->rcvbuf_bytes);
	if (r < 0)
		log_warning_errno(r, "cannot set the size of the netlink buffer, going on: %m");
	r = nlio_join(*ret_sock, s->group);
	if (r < 0) {
		*ret_reason = strdup(r == -EPERM ?
			"not permitted to follow the kernel's pins (CAP_SYS_ADMIN is needed)" :
			"cannot follow the kernel's events");
		return r;
	}
	r = sd_event_add_io(g->event, ret_source, nl_socket_get_fd(*ret_sock), EPOLLIN, s->handler,
			    g);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(*ret_source, s->description);
	return sd_event_source_set_exit_on_failure(*ret_source, true);
}

int genl_new(sd_event *event, const struct genl_config *config, struct genl **ret,
	     char **ret_reason)
{
	_cleanup_(genl_freep) struct genl *g = calloc(1, sizeof(*g));
	struct subscription events = {
		.rcvbuf_bytes = config->rcvbuf_bytes ?: RCVBUF_BYTES,
		.handler = on_events_io,
		.description = "genl-events",
	};
	struct subscription alerts = {
		.rcvbuf_bytes = RCVBUF_BYTES,
		.handler = on_alerts_io,
		.description = "genl-alerts",
	};
	int r;

	*ret_reason = NULL;
	if (!g)
		return -ENOMEM;
	g->event = sd_event_ref(event);
	g->listener = config->listener;
	g->userdata = config->userdata;

	r = open_family(g, &events.group, &alerts.group, ret_reason);
	if (r < 0)
		return r;
	r = subscribe(g, &events, &g->events, &g->events_source, ret_reason);
	/* Of their own, so that no traffic of pins fills it. */
	if (r >= 0 && alerts.group >= 0)
		r = subscribe(g, &alerts, &g->alerts, &g->alerts_source, ret_reason);
	if (r < 0)
		return r;
	r = sd_event_add_time(event, &g->backoff_source, CLOCK_MONOTONIC, 0, 0, on_backoff, g);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(g->backoff_source, "genl-backoff");
	(void)sd_event_source_set_exit_on_failure(g->backoff_source, true);
	r = sd_event_source_set_enabled(g->backoff_source, SD_EVENT_OFF);
	if (r < 0)
		return r;
	r = start_dump(g);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(g);
	return 0;
}

struct genl *genl_free(struct genl *g)
{
	if (!g)
		return NULL;
	dump_close(g);
	queue_clear(&g->queue);
	queue_clear(&g->waiting);
	sd_event_source_disable_unref(g->events_source);
	sd_event_source_disable_unref(g->alerts_source);
	sd_event_source_disable_unref(g->backoff_source);
	nl_socket_free(g->events);
	nl_socket_free(g->alerts);
	nl_socket_free(g->request);
	sd_event_unref(g->event);
	free(g);
	return NULL;
}

enum genl_state genl_state(const struct genl *g)
{
	return g->state;
}

unsigned int genl_n_resyncs(const struct genl *g)
{
	return g->n_resyncs;
}

uint64_t genl_features(const struct genl *g)
{
	return g->features;
}
