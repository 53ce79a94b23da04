/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <unistd.h>

#include "tests/unit/ladder/action-fixture.h"

struct action_fixture f;

void on_done(struct action *a, int error, const char *text, void *userdata)
{
	f.n_done++;
	f.error = error;
	snprintf(f.text, sizeof(f.text), "%s", text ?: "(none)");
	assert_ptr_equal(userdata, &f);
}

void on_done_free(struct action *a, int error, const char *text, void *userdata)
{
	on_done(a, error, text, userdata);
	action_free(a);
}

int action_setup(void **state)
{
	f = (struct action_fixture){ .pidfd = -1 };
	if (sd_event_new(&f.event) < 0)
		return -1;
	systemd_start(&f.systemd, f.event);
	systemd_listen(&f.systemd);
	return actions_new(f.event, &f.actions);
}

int action_teardown(void **state)
{
	f.actions = actions_free(f.actions);
	systemd_stop(&f.systemd);
	if (f.child > 0) {
		kill(f.child, SIGKILL);
		waitpid(f.child, NULL, 0);
	}
	closep(&f.pidfd);
	sd_event_unref(f.event);
	return 0;
}

static void run_until(unsigned int n_done)
{
	while (f.n_done < n_done)
		if (sd_event_run(f.event, 10000000) <= 0)
			fail_msg("nothing happens");
}

void settle(void)
{
	while (sd_event_run(f.event, 50000) > 0)
		;
}

void expect_end(int error, const char *text)
{
	assert_int_equal(f.n_done, 0);
	run_until(1);
	if (f.error != error || !strstr(f.text, text))
		fail_msg("%d: %s", f.error, f.text);
	settle();
	assert_int_equal(f.n_done, 1);
	f.n_done = 0;
}

void make_child(void)
{
	f.child = fork();
	if (f.child == 0) {
		pause();
		_exit(0);
	}
	f.pidfd = pidfd_open(f.child, 0);
	assert_true(f.pidfd >= 0);
}
