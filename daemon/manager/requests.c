/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owners and requests to release pins: what they are told, and what is told of them. */
#include "daemon/base/base.h"
#include "daemon/manager/internal.h"
#include "lib/json.h"

static char *as_text(json_t *json)
{
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	return text;
}

/* Whom a request concerns, as far as an event knows. */
static int add_owners(struct event *event, const struct release *release)
{
	const struct release_owner *o;
	struct release_process process;
	int r = 0;

	for (size_t i = 0; r == 0 && !event->owners_left_out &&
			   (o = release_owner_at(release, i)); i++) {
		release_owner_process(o, &process);
		r = event_add_owner(event, process.cgroup, process.pid);
	}
	return r;
}

/* Others' processes are nothing to those who see an owner's events: not by any of its texts. */
static json_t *without_holders(json_t *owner)
{
	json_t *step;
	size_t i;

	if (json_array_size(json_object_get(owner, "holders")) > 0) {
		(void)json_object_set_new(owner, "reason",
					  json_string("its process has ended, others have the "
						      "device open"));
		json_array_foreach (json_object_get(owner, "steps"), i, step)
			(void)json_object_set_new(step, "name", json_null());
	}
	(void)json_object_set_new(owner, "holders", json_null());
	return owner;
}

static void on_event(enum release_event type, struct release *release,
		     const struct release_owner *o, void *userdata)
{
	static const enum event_type types[] = {
		[RELEASE_EVENT_STARTED] = EVENT_RELEASE,
		[RELEASE_EVENT_STEP] = EVENT_RELEASE_STEP,
		[RELEASE_EVENT_OVER] = EVENT_RELEASE_DONE,
	};
	struct manager *m = userdata;
	struct event *event = event_new(types[type], loop_usec(m->event, CLOCK_REALTIME));
	struct release_process process;
	int r = 0;

	if (type == RELEASE_EVENT_OVER)
		triggers_release_over(m->triggers, release);
	if (!event)
		return;
	event->uid = release_uid(release);
	event->release = as_text(release_json(release, 0));
	if (o) {
		release_owner_process(o, &process);
		event->owner = as_text(without_holders(release_owner_json(o)));
		event->pin.uid = process.uid;
		event->pin.tgid = process.pid;
		event->cgroup = cgroup_node_ref(process.cgroup);
	} else {
		r = add_owners(event, release);
	}
	if (!event->release || (o && !event->owner) || r < 0) {
		event_free(event);
		return;
	}
	events_add(m->events, event);
}

static int numbers(const char *device, uint32_t kind, struct device_numbers *ret, void *userdata)
{
	const struct target target = { .type = TARGET_NAME };
	struct manager *m = userdata;

	if (!*device)
		return devices_find_kind_numbers(m->devices, kind, ret);
	return devices_find_numbers(m->devices, device, &target, ret);
}

static int look(uint64_t pin_id, struct pin_info *ret, void *userdata)
{
	struct manager *m = userdata;

	return genl_get_pin(source_genl(m->source), pin_id, ret);
}

static bool is_ready(void *userdata)
{
	struct manager *m = userdata;

	return source_ready(m->source);
}

static void on_owner_left(struct owner *owner, void *userdata)
{
	struct manager *m = userdata;

	releases_owner_left(m->releases, owner);
}

int requests_new(struct manager *m)
{
	const struct cgroupfs *fs = cgroups_fs(m->cgroups);
	struct genl *genl = source_genl(m->source);
	const struct owners_config owners = { .genl = genl, .left = on_owner_left, .userdata = m };
	struct releases_config releases = {
		.registry = m->registry,
		.proc = "/proc",
		.cgroup_mount = fs ? cgroupfs_mount(fs) : NULL,
		.look = genl ? look : NULL,
		.openers = m->openers,
		.numbers = numbers,
		.ready = is_ready,
		.on_event = on_event,
		.userdata = m,
	};
	int r;

	r = owners_new(m->event, &owners, &m->owners);
	if (r < 0)
		return r;
	releases.owners = m->owners;
	r = releases_new(m->event, &releases, &m->releases);
	if (r < 0)
		return r;
	releases_load_ladders(m->releases, NULL);
	return 0;
}
