/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/release/scene.h"

void release_ask(struct client *c, pid_t pid, bool more, bool async, int64_t timeout_usec)
{
	client_send(c, MANAGER("Release"), more,
		    json_pack("{s:i, s:b, s:I}", "pid", (int)pid, "async", async, "timeout_usec",
			      (json_int_t)timeout_usec));
}

json_t *release_state(struct manager *m, struct client *c, const char *method, bool continues,
		      const char *phase)
{
	_cleanup_json_ json_t *reply = client_reply(m, c, method, continues);
	json_t *release = json_object_get(reply, "release");

	assert_string_equal(json_get_string(release, "phase", ""), phase);
	return json_incref(release);
}

const char *owner_state(const json_t *release, size_t i)
{
	return json_get_string(json_array_get(json_object_get(release, "owners"), i), "state", "");
}

void release_wait_state(struct manager *m, struct client *c, const char *state)
{
	bool there = false;

	while (!there) {
		_cleanup_json_ json_t *r =
			release_state(m, c, MANAGER("Release"), true, "running");

		there = strcmp(owner_state(r, 0), state) == 0;
	}
}

json_t *release_last_state(struct manager *m, struct client *c, const char *phase)
{
	for (;;) {
		_cleanup_json_ json_t *message = client_read(m, c);
		json_t *release = json_object_get(json_object_get(message, "parameters"),
						  "release");

		assert_non_null(release);
		if (json_get_bool(message, "continues", false))
			continue;
		assert_string_equal(json_get_string(release, "phase", ""), phase);
		return json_incref(release);
	}
}

void scene_open(struct scene *s, void **state)
{
	s->m = *state;
	if (geteuid() != 0)
		skip();
	process_start(&s->root);
	process_start(&s->owner);
	client_open(s->m, &s->admin, &s->root);
	owner_register(s->m, &s->registered, &s->owner);
	pin_add(s->m, 1, s->owner.pid, 4096);
	pin_add(s->m, 2, s->owner.pid, 8192);
	pin_add(s->m, 3, s->root.pid, 1);
}

void scene_close(struct scene *s)
{
	client_close(s->m, &s->admin);
	client_close(s->m, &s->registered);
	process_end(&s->root);
	process_end(&s->owner);
}

json_t *scene_ask(struct scene *s, char token[static 64])
{
	release_ask(&s->admin, s->owner.pid, true, false, HOUR_USEC);
	json_decref(release_state(s->m, &s->admin, MANAGER("Release"), true, "running"));
	return owner_request(s->m, &s->registered, token);
}
