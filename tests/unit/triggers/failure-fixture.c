/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/triggers/failure-fixture.h"

#include "daemon/kernel/holders.h"
#include "daemon/devices/inventory.h"
#include "daemon/manager/internal.h"
#include "daemon/model/render.h"

struct range_query {
	struct pfn_range range;
	const struct range_listener *listener;
	void *userdata;
	sd_event_source *source;
};

struct fake_kernel fake;

static int on_query(sd_event_source *source, void *userdata)
{
	struct range_query *q = userdata;
	struct pin_info info = {
		.id = fake.pin_of ? fake.pin_of(q->range.first) : 0,
		.has_offset = !fake.no_offset,
		.offset = q->range.first * PAGE,
	};
	int r = fake.error;

	if (r >= 0 && info.id)
		r = q->listener->pin(&info, q->userdata);
	for (unsigned int i = 0; r >= 0 && i < fake.n_more; i++) {
		info.id = fake.more_first + i;
		r = q->listener->pin(&info, q->userdata);
	}
	q->listener->done(r, q->userdata);
	return 0;
}

int genl_query_range(struct genl *g, const struct pfn_range *ranges, size_t n,
		     const struct range_listener *listener, void *userdata,
		     struct range_query **ret)
{
	struct range_query *q = calloc(1, sizeof(*q));

	assert_int_equal(n, 1);
	*q = (struct range_query){ .range = ranges[0], .listener = listener, .userdata = userdata };
	assert_true(sd_event_add_defer(fake.loop, &q->source, on_query, q) >= 0);
	fake.n_looks++;
	fake.n_open++;
	fake.n_open_max = MAX(fake.n_open_max, fake.n_open);
	*ret = q;
	return 0;
}

struct range_query *range_query_free(struct range_query *q)
{
	if (q) {
		sd_event_source_disable_unref(q->source);
		fake.n_open--;
	}
	free(q);
	return NULL;
}

int __wrap_genl_list_failures(struct genl *g, genl_failure_handler handler, void *userdata);
int __wrap_genl_get_info(struct genl *g, struct pin_kernel_info *ret);

int __wrap_genl_list_failures(struct genl *g, genl_failure_handler handler, void *userdata)
{
	for (size_t i = 0; i < fake.n_listed; i++)
		assert_int_equal(handler(&fake.listed[i], userdata), 0);
	return 0;
}

int __wrap_genl_get_info(struct genl *g, struct pin_kernel_info *ret)
{
	*ret = (struct pin_kernel_info){ .failures = fake.counted };
	return 0;
}

int failure_setup(void **state)
{
	struct manager *m;

	assert_int_equal(owner_setup(state), 0);
	m = *state;
	fake = (struct fake_kernel){ .loop = m->event };
	return 0;
}

/* --- the kernel's words --- */

void say(struct manager *m, const struct pin_event *e)
{
	struct pin_event event = *e;

	event.seq = registry_seq(m->registry) + 1;
	assert_true(manager_listener.event(&event, m) >= 0);
}

struct failure_info report(uint64_t id, uint64_t pfn, uint32_t result)
{
	return (struct failure_info){
		.id = id,
		.pfn = pfn,
		.started_usec = 1000 + id,
		.kind = PINGUARD_FAILURE_KIND_UNCORRECTED,
		.class = PINGUARD_MEMORY_CLASS_SYSTEM_RAM,
		.result = result,
		.action = "unsplit thp",
	};
}

void say_failed(struct manager *m, uint64_t id, uint64_t pfn)
{
	const struct pin_event e = {
		.type = PIN_EVENT_FAILURE,
		.failure = report(id, pfn, PINGUARD_FAILURE_RESULT_FAILED),
	};

	say(m, &e);
}

void say_done(struct manager *m, uint64_t pfn, uint32_t outcome)
{
	const struct pin_event e = {
		.type = PIN_EVENT_FAILURE_DONE,
		.failure = { .id = 1, .pfn = pfn, .outcome = outcome },
	};

	say(m, &e);
}

uint64_t always_2(uint64_t pfn)
{
	return 2;
}

json_t *list_failures(struct scene *s)
{
	client_send(&s->admin, MANAGER("ListFailures"), false, NULL);
	return client_reply(s->m, &s->admin, MANAGER("ListFailures"), false);
}

json_t *failure_at(const json_t *reply, size_t i)
{
	return json_array_get(json_object_get(reply, "failures"), i);
}

const char *part(const json_t *request, size_t i, const char *key)
{
	return json_get_string(json_array_get(json_object_get(request, "failures"), i), key, "");
}

size_t n_parts(const json_t *request)
{
	return json_array_size(json_object_get(request, "failures"));
}

/* What happened last, of a type. */
json_t *last_event(struct manager *m, enum event_type type)
{
	for (const struct event *event = events_before(m->events, UINT64_MAX); event;
	     event = events_before(m->events, event->number)) {
		json_t *json;

		if (event->type != type)
			continue;
		json = render_event(event, true);
		idl_check_type(idl_org_pinguard_Manager, "Event", json);
		return json;
	}
	return NULL;
}

bool has_event(struct manager *m, enum event_type type)
{
	_cleanup_json_ json_t *event = last_event(m, type);

	return event;
}
