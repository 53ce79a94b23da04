/* SPDX-License-Identifier: GPL-2.0-or-later */
/* systemd over D-Bus: the connection, and the action that stops a unit. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "daemon/ladder/internal.h"
#include "lib/escape.h"

#define SYSTEM_BUS "unix:path=/run/dbus/system_bus_socket"
#define BUS_NAME   "org.freedesktop.DBus"
#define RENAMED_MATCH                                                                              \
	"type='signal',sender='" BUS_NAME "',interface='" BUS_NAME                                 \
	"',member='NameOwnerChanged',arg0='" SYSTEMD_NAME "'"

/* Whoever waits for a signal would wait for ever. Calls get an error of their own. */
static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct actions *actions = userdata;
	struct action *a;

	DL_FOREACH(actions->list, a)
		if (a->on_bus)
			action_finish(a, -ECONNRESET, "the connection to systemd was lost");
	return 0;
}

static int send_call(struct action *a, sd_bus_message *m)
{
	return sd_bus_call_async(a->actions->bus, &a->call, m, a->on_reply, a, 0);
}

int action_call(struct action *a, sd_bus_message *m, sd_bus_message_handler_t on_reply)
{
	a->on_bus = true;
	a->on_reply = on_reply;
	if (sd_bus_is_ready(a->actions->bus) > 0)
		return send_call(a, m);
	a->unsent = sd_bus_message_ref(m);
	return 0;
}

static int on_connected(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct actions *actions = userdata;
	struct action *a;

	DL_FOREACH(actions->list, a) {
		_cleanup_(sd_bus_message_unrefp) sd_bus_message *call = TAKE_PTR(a->unsent);
		int r = call ? send_call(a, call) : 0;

		if (r < 0)
			action_finish(a, r, "systemd cannot be asked: %s", strerror(-r));
	}
	return 0;
}

/* sss: name, old, new. It connects anew where it was executed anew; jobs and units stay. */
static int on_renamed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *sender = sd_bus_message_get_sender(m), *name, *new;
	struct actions *actions = userdata;
	struct action *a;

	/* The bus's own: nobody else can have that name. */
	if (!sender || strcmp(sender, BUS_NAME) != 0 ||
	    sd_bus_message_read(m, "sss", &name, NULL, &new) < 0 ||
	    strcmp(name, SYSTEMD_NAME) != 0 || !*new)
		return 0;
	DL_FOREACH(actions->list, a) {
		if (!a->systemd)
			continue;
		free(a->systemd);
		a->systemd = strdup(new);
		if (!a->systemd)
			action_finish(a, -ENOMEM, "out of memory");
	}
	return 0;
}

static void close_bus(struct actions *actions)
{
	actions->connected = sd_bus_slot_unref(actions->connected);
	actions->disconnected = sd_bus_slot_unref(actions->disconnected);
	actions->renamed = sd_bus_slot_unref(actions->renamed);
	actions->bus = sd_bus_close_unref(actions->bus);
}

/* As sd_bus_open_system(), which does not tell when the connection is made. */
static int open_bus(struct actions *actions)
{
	const char *address = secure_getenv("DBUS_SYSTEM_BUS_ADDRESS");
	int r = sd_bus_new(&actions->bus);

	if (r < 0 ||
	    (r = sd_bus_set_description(actions->bus, "actions")) < 0 ||
	    (r = sd_bus_set_address(actions->bus, address ?: SYSTEM_BUS)) < 0 ||
	    (r = sd_bus_set_bus_client(actions->bus, 1)) < 0 ||
	    (r = sd_bus_set_connected_signal(actions->bus, 1)) < 0)
		return r;
	/* The socket alone is opened here; what is said on it follows on the loop. */
	r = sd_bus_start(actions->bus);
	if (r < 0)
		return r;
	return sd_bus_attach_event(actions->bus, actions->event, SD_EVENT_PRIORITY_NORMAL);
}

static int match_local(struct actions *actions, sd_bus_slot **ret, const char *member,
		       sd_bus_message_handler_t handler)
{
	static const char local[] = "org.freedesktop.DBus.Local";

	return sd_bus_match_signal_async(actions->bus, ret, local, NULL, local, member, handler,
					 NULL, actions);
}

int actions_bus(struct actions *actions, sd_bus **ret)
{
	int r;

	if (actions->bus && sd_bus_is_open(actions->bus) <= 0)
		close_bus(actions);
	if (!actions->bus) {
		if ((r = open_bus(actions)) < 0 ||
		    (r = match_local(actions, &actions->connected, "Connected",
				     on_connected)) < 0 ||
		    (r = match_local(actions, &actions->disconnected, "Disconnected",
				     on_disconnected)) < 0 ||
		    (r = sd_bus_add_match_async(actions->bus, &actions->renamed, RENAMED_MATCH,
						on_renamed, NULL, actions)) < 0 ||
		    /* systemd sends no signals where nobody has asked for them */
		    (r = sd_bus_call_method_async(actions->bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH,
						  SYSTEMD_MANAGER, "Subscribe", NULL, NULL,
						  NULL)) < 0) {
			close_bus(actions);
			return r;
		}
	}
	*ret = actions->bus;
	return 0;
}

void actions_call_unit(struct actions *actions, const char *method, const char *unit)
{
	bool with_mode = strcmp(method, "StopUnit") == 0;

	if (!actions->bus || sd_bus_is_open(actions->bus) <= 0)
		return;
	/* Nothing is left to be done where it fails: its time limit ends a hook, too. */
	(void)sd_bus_call_method_async(actions->bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH,
				       SYSTEMD_MANAGER, method, NULL, NULL, with_mode ? "ss" : "s",
				       unit, "replace");
}

void action_finish_bus(struct action *a, int error, const char *what, sd_bus_message *reply)
{
	const sd_bus_error *e = sd_bus_message_get_error(reply);
	const char *message = e && e->message ? e->message : "no reason given";
	_cleanup_(freep) char *shown = escape_text(message);

	if (sd_bus_error_has_name(e, SD_BUS_ERROR_ACCESS_DENIED))
		error = -EACCES;
	else if (sd_bus_error_has_name(e, SD_BUS_ERROR_NO_REPLY))
		error = -ECONNRESET;
	action_finish(a, error, "%s: %s", what, shown ?: "out of memory");
}

/* The bus lets replies of nobody else through, but signals of everybody. */
int action_take_job(struct action *a, sd_bus_message *reply)
{
	const char *sender = sd_bus_message_get_sender(reply), *job;
	_cleanup_(freep) char *name = NULL;

	if (sd_bus_message_read(reply, "o", &job) < 0 || !sender)
		return -EBADMSG;
	name = strdup(sender);
	a->job = strdup(job);
	if (!name || !a->job)
		return -ENOMEM;
	a->systemd = TAKE_PTR(name);
	return 0;
}

bool action_is_systemd(const struct action *a, sd_bus_message *signal)
{
	const char *sender = sd_bus_message_get_sender(signal);

	return a->systemd && sender && strcmp(sender, a->systemd) == 0;
}

const char *unit_unkillable(const char *unit)
{
	if (strcmp(unit, "init.scope") == 0)
		return "it is the system's own";
	if (strcmp(unit, "pinguard.service") == 0 ||
	    strncmp(unit, HOOK_UNIT_PREFIX, strlen(HOOK_UNIT_PREFIX)) == 0)
		return "it is pinguard's own";
	return NULL;
}

const char *unit_protected(const char *unit)
{
	const char *suffix = strrchr(unit, '.');

	if (suffix && strcmp(suffix, ".slice") == 0)
		return "a slice is more than one unit";
	if (strncmp(unit, "user@", 5) == 0)
		return "it is all of a user's units";
	return unit_unkillable(unit);
}

/* uoss: id, job, unit, result */
static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct action *a = userdata;
	const char *job, *result;

	if (!action_is_systemd(a, m) ||
	    sd_bus_message_read(m, "uoss", NULL, &job, NULL, &result) < 0 ||
	    strcmp(job, a->job) != 0)
		return 0;
	if (strcmp(result, "done") == 0)
		action_finish(a, 0, "%s was stopped", a->unit);
	else
		action_finish(a, -EIO, "stopping %s ended as: %s", a->unit, result);
	return 0;
}

static int on_stop(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct action *a = userdata;
	int r;

	a->call = sd_bus_slot_unref(a->call);
	if (sd_bus_message_is_method_error(m, NULL))
		action_finish_bus(a, -EIO, "systemd does not stop the unit", m);
	else if ((r = action_take_job(a, m)) < 0)
		action_finish(a, r, "systemd's answer cannot be read: %s", strerror(-r));
	return 0;
}

/* The unit was found by the process: still it is that process's, or nobody's. */
static void stop_unit(struct action *a, const char *unit)
{
	_cleanup_(freep) char *own = process_unit(a->actions, getpid());
	const char *why = unit_protected(unit);
	int r;

	if (!why && own && strcmp(own, unit) == 0)
		why = "it is pinguard's own";
	a->unit = escape_text(unit);
	if (!a->unit)
		return action_finish(a, -ENOMEM, "out of memory");
	if (why)
		return action_finish(a, -EPERM, "%s is protected: %s", a->unit, why);
	if (!pidfd_is_alive(a->pidfd))
		return action_finish(a, -ESRCH, "the process is gone");
	/* in this order: the signal may be there as soon as the answer is */
	r = sd_bus_match_signal_async(a->actions->bus, &a->match, SYSTEMD_NAME, SYSTEMD_PATH,
				      SYSTEMD_MANAGER, "JobRemoved", on_job_removed, NULL, a);
	if (r >= 0)
		r = sd_bus_call_method_async(a->actions->bus, &a->call, SYSTEMD_NAME, SYSTEMD_PATH,
					     SYSTEMD_MANAGER, "StopUnit", on_stop, a, "ss", unit,
					     "replace");
	if (r < 0)
		action_finish(a, r, "systemd cannot be asked: %s", strerror(-r));
}

static int on_unit_by_pid(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct action *a = userdata;
	_cleanup_(freep) char *unit = NULL;
	const char *path;

	a->call = sd_bus_slot_unref(a->call);
	if (sd_bus_message_is_method_error(m, NULL))
		action_finish_bus(a, -ENOENT, "systemd knows no unit of the process", m);
	else if (sd_bus_message_read(m, "o", &path) < 0 ||
		 sd_bus_path_decode(path, UNIT_PATH_PREFIX, &unit) <= 0)
		action_finish(a, -EBADMSG, "systemd's answer cannot be read");
	else
		stop_unit(a, unit);
	return 0;
}

/* osay: path, name, invocation */
static int on_unit_by_pidfd(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct action *a = userdata;
	const char *unit;
	int r;

	a->call = sd_bus_slot_unref(a->call);
	if (!sd_bus_message_is_method_error(m, NULL)) {
		if (sd_bus_message_read(m, "os", NULL, &unit) < 0)
			action_finish(a, -EBADMSG, "systemd's answer cannot be read");
		else
			stop_unit(a, unit);
		return 0;
	}
	if (!sd_bus_message_is_method_error(m, SD_BUS_ERROR_UNKNOWN_METHOD)) {
		action_finish_bus(a, -ENOENT, "systemd knows no unit of the process", m);
		return 0;
	}
	/* before systemd 254 */
	r = sd_bus_call_method_async(a->actions->bus, &a->call, SYSTEMD_NAME, SYSTEMD_PATH,
				     SYSTEMD_MANAGER, "GetUnitByPID", on_unit_by_pid, a, "u",
				     (uint32_t)a->pid);
	if (r < 0)
		action_finish(a, r, "systemd cannot be asked: %s", strerror(-r));
	return 0;
}

static int ask_unit(struct action *a)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	sd_bus *bus;
	int r;

	r = actions_bus(a->actions, &bus);
	if (r < 0 ||
	    (r = sd_bus_message_new_method_call(bus, &m, SYSTEMD_NAME, SYSTEMD_PATH,
						SYSTEMD_MANAGER, "GetUnitByPIDFD")) < 0 ||
	    (r = sd_bus_message_append(m, "h", a->pidfd)) < 0)
		return r;
	return action_call(a, m, on_unit_by_pidfd);
}

int action_stop_unit(struct actions *actions, int pidfd, action_done done, void *userdata,
		     struct action **ret)
{
	_cleanup_(action_freep) struct action *a = NULL;
	int r;

	r = action_new(actions, done, userdata, &a);
	if (r < 0)
		return r;
	if (action_process(a, pidfd, unit_protected)) {
		r = ask_unit(a);
		if (r < 0)
			action_finish(a, -EOPNOTSUPP, "no connection to systemd: %s", strerror(-r));
	}
	*ret = TAKE_PTR(a);
	return 0;
}
