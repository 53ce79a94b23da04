/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/base/exit.h"
#include "client/base/output.h"
#include "client/base/pinctl.h"
#include "client/base/table.h"
#include "client/parts/user.h"
#include "lib/json.h"
#include "lib/log.h"

#define USERS_TOLD 10

/* The last one only where something is mounted. */
static const struct column columns[] = {
	{ "PID", "pid", COLUMN_NUMBER },
	{ "COMM", "comm", COLUMN_TEXT, .shrinks = true },
	{ "CGROUP", "cgroup", COLUMN_TEXT, .keeps_tail = true },
	{ "HOW", "how", COLUMN_TEXT },
	{ "WHERE", "path", COLUMN_TEXT },
	{},
};

void fill_users(json_t *reply)
{
	static const char *const keys[] = { "users", "users_unknown", NULL };

	fill_null(reply, keys);
}

static bool any_mounted(const json_t *users)
{
	const json_t *user;
	size_t i;

	json_array_foreach (users, i, user)
		if (json_get_string(user, "path", NULL))
			return true;
	return false;
}

/* Whose pins they are, where those who made them have ended. */
static void print_heirs(const json_t *reply)
{
	const json_t *users = json_object_get(reply, "users"), *pin, *user;
	bool gone = false, exact = true;
	size_t i;

	json_array_foreach (json_object_get(reply, "pins"), i, pin)
		gone = gone || json_get_bool(pin, "owner_gone", false);
	json_array_foreach (users, i, user)
		exact = exact && json_get_bool(user, "exact", false);
	/* null where nobody was looked for */
	if (!gone || !json_is_array(users))
		return;
	if (json_array_size(users) == 0)
		puts("\nPins whose maker is gone are held by no process that could be seen: perhaps\n"
		     "a socket's message or the kernel has the file.");
	else
		printf("Pins whose maker is gone %s held by %s.\n", exact ? "are" : "may be",
		       exact ? "these" : "any of these");
}

int print_users(struct pinctl *ctl, const json_t *reply)
{
	const json_t *users = json_object_get(reply, "users");
	const char *unknown = json_get_string(reply, "users_unknown", NULL);
	_cleanup_(table_done) struct table table = {};
	/* -o is for the pins */
	struct pinctl plain = *ctl;
	int r = -1;

	plain.columns = any_mounted(users) ? NULL : "PID,COMM,CGROUP,HOW";
	if (json_array_size(users) > 0) {
		puts("\nProcesses that use it:");
		r = table_init(&table, &plain, columns);
		if (r < 0)
			r = table_add_all(&table, users, NULL, NULL);
		if (r >= 0)
			return r;
		r = table_print(&table, "users");
		if (r != STATUS_DONE)
			return r;
	}
	print_heirs(reply);
	if (unknown)
		log_notice("others may use it: %s", unknown);
	return -1;
}

static bool has_pins(const json_t *reply, int64_t pid)
{
	const json_t *pin;
	size_t i;

	json_array_foreach (json_object_get(reply, "pins"), i, pin)
		if (json_get_int(pin, "pid", 0) == pid)
			return true;
	return false;
}

/* Names them on standard error; how many. */
static size_t tell_users(const json_t *reply, const json_t *before)
{
	const json_t *user;
	size_t i, n = 0;

	json_array_foreach (json_object_get(reply, "users"), i, user) {
		const int64_t pid = json_get_int(user, "pid", 0);
		const char *path = json_get_string(user, "path", NULL);

		if (has_pins(before, pid) || ++n > USERS_TOLD)
			continue;
		if (path)
			log_notice("in use: mounted at %s, as %s[%" PRId64 "] sees it", path,
				   json_get_string(user, "comm", "?"), pid);
		else
			log_notice("in use: %s[%" PRId64 "] in %s has it %s",
				   json_get_string(user, "comm", "?"), pid,
				   json_get_string(user, "cgroup", "-"),
				   json_get_string(user, "how", "open"));
	}
	if (n > USERS_TOLD)
		log_notice("and %zu more; see pinctl who", n - USERS_TOLD);
	return n;
}

int check_users(const char *target, const char *done, const json_t *reply, const json_t *before,
		bool force)
{
	const char *unknown = reply ? json_get_string(reply, "users_unknown", NULL) :
				      "the service did not say";
	size_t n;

	/* they have been named */
	if (force && reply != before)
		return -1;
	n = tell_users(reply, before);
	if (unknown)
		log_warning("whether others use %s is not known: %s", target, unknown);
	if ((n == 0 && !unknown) || force)
		return -1;
	if (n > 0)
		log_error("%s is in use and was not %s; end what uses it, or give --force to take "
			  "it away from them",
			  target, done);
	else
		log_error("%s was not %s: it may be in use; make sure that it is not, or give "
			  "--force to take it away from whoever uses it",
			  target, done);
	return STATUS_FAILED;
}
