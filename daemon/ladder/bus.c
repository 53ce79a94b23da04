/* SPDX-License-Identifier: GPL-2.0-or-later */
/* systemd over D-Bus: the connection, and what is read of its answers. */
#include <errno.h>
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
static int take_job(struct action *a, sd_bus_message *reply)
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

void action_take_job(struct action *a, sd_bus_message *reply, int error, const char *what)
{
	int r;

	a->call = sd_bus_slot_unref(a->call);
	if (sd_bus_message_is_method_error(reply, NULL)) {
		action_finish_bus(a, error, what, reply);
		return;
	}
	r = take_job(a, reply);
	if (r < 0)
		action_finish(a, r, "systemd's answer cannot be read: %s", strerror(-r));
}

bool action_is_systemd(const struct action *a, sd_bus_message *signal)
{
	const char *sender = sd_bus_message_get_sender(signal);

	return a->systemd && sender && strcmp(sender, a->systemd) == 0;
}
