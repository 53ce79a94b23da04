/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/ladder/systemd-fixture.h"

#define OK(expression) assert_true((expression) >= 0)
#define SYSTEMD ":1.2"
#define SYSTEMD_ANEW ":1.3"
#define FORGER	":1.66"
#define JOB "/org/freedesktop/systemd1/job/7"

static void put(char **target, const char *format, ...) _printf_(2, 3);
static void put(char **target, const char *format, ...)
{
	_cleanup_(freep) char *old = *target, *more = NULL;
	va_list ap;

	va_start(ap, format);
	OK(vasprintf(&more, format, ap));
	va_end(ap);
	OK(asprintf(target, "%s%s", old ?: "", more));
}

static void set(char **target, const char *text)
{
	free(*target);
	*target = strdup(text);
}

static void send_signal(struct systemd *s, sd_bus_message *m, const char *sender)
{
	OK(sd_bus_message_set_sender(m, sender));
	OK(sd_bus_send(s->bus, m, NULL));
	sd_bus_message_unref(m);
}

/* As the bus does it: with the sender's unique name. */
static int reply_job(struct systemd *s, sd_bus_message *call)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;

	OK(sd_bus_message_new_method_return(call, &m));
	OK(sd_bus_message_append(m, "o", JOB));
	OK(sd_bus_message_set_sender(m, SYSTEMD));
	return sd_bus_send(s->bus, m, NULL);
}

static void send_job_removed(struct systemd *s, const char *sender, const char *job,
			     const char *result)
{
	sd_bus_message *m;

	OK(sd_bus_message_new_signal(s->bus, &m, "/org/freedesktop/systemd1",
				     "org.freedesktop.systemd1.Manager", "JobRemoved"));
	OK(sd_bus_message_append(m, "uoss", 7, job, s->unit ?: "", result));
	send_signal(s, m, sender);
}

static void send_state(struct systemd *s, const char *sender, const char *state, uint32_t job)
{
	char *path;
	sd_bus_message *m;

	OK(sd_bus_path_encode("/org/freedesktop/systemd1/unit", s->started, &path));
	OK(sd_bus_message_new_signal(s->bus, &m, path, "org.freedesktop.DBus.Properties",
				     "PropertiesChanged"));
	OK(sd_bus_message_append(m, "sa{sv}as", "org.freedesktop.systemd1.Unit", 3, "Other", "t",
				 (uint64_t)1, "ActiveState", "s", state, "Job", "(uo)", job, "/", 0));
	send_signal(s, m, sender);
	free(path);
}

static void read_words(sd_bus_message *m, char **target)
{
	const char *word;

	OK(sd_bus_message_enter_container(m, 'a', "s"));
	while (sd_bus_message_read(m, "s", &word) > 0)
		put(target, "%s|", word);
	OK(sd_bus_message_exit_container(m));
}

static void read_command(struct systemd *s, sd_bus_message *m)
{
	const char *path;

	OK(sd_bus_message_enter_container(m, 'a', "(sasas)"));
	OK(sd_bus_message_enter_container(m, 'r', "sasas"));
	OK(sd_bus_message_read(m, "s", &path));
	put(&s->command, "%s:", path);
	read_words(m, &s->command);
	put(&s->command, ":");
	read_words(m, &s->command);
	OK(sd_bus_message_exit_container(m));
	OK(sd_bus_message_exit_container(m));
}

static void read_input(struct systemd *s, sd_bus_message *m)
{
	char buf[4096] = "";
	ssize_t n;
	int fd;

	OK(sd_bus_message_read(m, "h", &fd));
	n = read(fd, buf, sizeof(buf) - 1);
	assert_true(n >= 0);
	buf[n] = '\0';
	set(&s->input, buf);
	/* sealed */
	assert_true(write(fd, "x", 1) < 0);
}

static void read_property(struct systemd *s, sd_bus_message *m)
{
	const char *name, *contents;
	const char *text;
	uint64_t number = 0;
	uint32_t small = 0;

	OK(sd_bus_message_read(m, "s", &name));
	OK(sd_bus_message_peek_type(m, NULL, &contents));
	OK(sd_bus_message_enter_container(m, 'v', contents));
	if (strcmp(name, "ExecStartEx") == 0) {
		read_command(s, m);
	} else if (strcmp(name, "Environment") == 0) {
		read_words(m, &s->environment);
	} else if (*contents == 'h') {
		put(&s->strings, "%s\n", name);
		read_input(s, m);
	} else if (*contents == 's') {
		OK(sd_bus_message_read(m, "s", &text));
		put(&s->strings, "%s=%s\n", name, text);
	} else if (*contents == 't') {
		OK(sd_bus_message_read(m, "t", &number));
		put(&s->strings, "%s=%" PRIu64 "\n", name, number);
	} else {
		/* a boolean is as wide */
		OK(sd_bus_message_read_basic(m, *contents, &small));
		put(&s->strings, "%s=%u\n", name, small);
	}
	OK(sd_bus_message_exit_container(m));
}

static int on_start(struct systemd *s, sd_bus_message *m)
{
	const char *unit, *mode;

	OK(sd_bus_message_read(m, "ss", &unit, &mode));
	set(&s->started, unit);
	OK(sd_bus_message_enter_container(m, 'a', "(sv)"));
	while (sd_bus_message_enter_container(m, 'r', "sv") > 0) {
		read_property(s, m);
		OK(sd_bus_message_exit_container(m));
	}
	if (s->start_error)
		return sd_bus_reply_method_errorf(m, "org.freedesktop.DBus.Error.InvalidArgs", "%s",
						  s->start_error);
	OK(reply_job(s, m));
	/* as it does: the job is there, nothing has begun */
	send_state(s, SYSTEMD, "inactive", 7);
	send_state(s, SYSTEMD, "active", 0);
	if (s->forged)
		send_state(s, FORGER, "inactive", 0);
	if (s->result)
		send_state(s, SYSTEMD, strcmp(s->result, "success") == 0 ? "inactive" : "failed", 0);
	return 1;
}

static void send_renamed(struct systemd *s, const char *sender, const char *name)
{
	sd_bus_message *m;

	OK(sd_bus_message_new_signal(s->bus, &m, "/org/freedesktop/DBus", "org.freedesktop.DBus",
				     "NameOwnerChanged"));
	OK(sd_bus_message_append(m, "sss", "org.freedesktop.systemd1", "", name));
	send_signal(s, m, sender);
}

void systemd_reexecute(struct systemd *s)
{
	send_renamed(s, FORGER, FORGER);
	send_state(s, FORGER, "inactive", 0);
	send_renamed(s, "org.freedesktop.DBus", SYSTEMD_ANEW);
	send_state(s, SYSTEMD, "inactive", 0);
	s->name = SYSTEMD_ANEW;
	send_state(s, s->name, "inactive", 0);
}

static int on_stop(struct systemd *s, sd_bus_message *m)
{
	const char *unit, *mode;

	OK(sd_bus_message_read(m, "ss", &unit, &mode));
	assert_string_equal(mode, "replace");
	set(&s->stopped, unit);
	if (s->silent)
		return 1;
	if (!s->job_result)
		return sd_bus_reply_method_errorf(m, "org.freedesktop.systemd1.NoSuchUnit",
						  "no \033[1munit");
	if (s->forged)
		send_job_removed(s, FORGER, JOB, "done");
	OK(reply_job(s, m));
	if (s->forged)
		send_job_removed(s, FORGER, JOB, "done");
	send_job_removed(s, SYSTEMD, "/org/freedesktop/systemd1/job/6", "failed");
	send_job_removed(s, SYSTEMD, JOB, s->job_result);
	return 1;
}

static int on_unit_of(struct systemd *s, sd_bus_message *m, bool by_pidfd)
{
	char *path;

	if (by_pidfd && s->no_pidfd)
		return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_UNKNOWN_METHOD, "unknown");
	s->n_by_pid += !by_pidfd;
	if (!s->unit)
		return sd_bus_reply_method_errorf(m, "org.freedesktop.systemd1.NoUnitForPID", "none");
	if (s->before_stop)
		s->before_stop(s->userdata);
	OK(sd_bus_path_encode("/org/freedesktop/systemd1/unit", s->unit, &path));
	if (by_pidfd)
		OK(sd_bus_reply_method_return(m, "osay", path, s->unit, 1, 0));
	else
		OK(sd_bus_reply_method_return(m, "o", path));
	free(path);
	return 1;
}

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct systemd *s = userdata;
	const char *member = sd_bus_message_get_member(m), *unit;

	if (!sd_bus_message_is_method_call(m, NULL, NULL))
		return 0;
	if (strcmp(member, "Hello") == 0)
		return sd_bus_reply_method_return(m, "s", ":1.1");
	if (strcmp(member, "StartTransientUnit") == 0)
		return on_start(s, m);
	if (strcmp(member, "StopUnit") == 0)
		return on_stop(s, m);
	if (strcmp(member, "GetUnitByPIDFD") == 0 || strcmp(member, "GetUnitByPID") == 0)
		return on_unit_of(s, m, member[12] == 'F');
	if (strcmp(member, "GetAll") == 0) {
		s->n_asked++;
		assert_string_equal(sd_bus_message_get_destination(m), s->name);
		return sd_bus_reply_method_return(m, "a{sv}", 4, "Slice", "s", "system.slice",
						  "Result", "s", s->result, "ExecMainCode", "i",
						  s->code, "ExecMainStatus", "i", s->status);
	}
	if (strcmp(member, "UnrefUnit") == 0) {
		OK(sd_bus_message_read(m, "s", &unit));
		set(&s->unreferenced, unit);
	}
	s->n_subscribed += strcmp(member, "Subscribe") == 0;
	return sd_bus_reply_method_return(m, NULL);
}

static int on_connect(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct systemd *s = userdata;
	sd_id128_t id = SD_ID128_MAKE(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
	int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	assert_true(peer >= 0);
	systemd_drop(s);
	OK(sd_bus_new(&s->bus));
	OK(sd_bus_set_fd(s->bus, peer, peer));
	OK(sd_bus_set_server(s->bus, 1, id));
	OK(sd_bus_negotiate_fds(s->bus, 1));
	OK(sd_bus_set_trusted(s->bus, 1));
	OK(sd_bus_add_filter(s->bus, NULL, on_message, s));
	OK(sd_bus_start(s->bus));
	OK(sd_bus_attach_event(s->bus, s->event, 0));
	return 0;
}

void systemd_listen(struct systemd *s)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	s->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(s->listen_fd >= 0);
	strcpy(address.sun_path, s->socket);
	(void)unlink(s->socket);
	OK(bind(s->listen_fd, (struct sockaddr *)&address, sizeof(address)));
	OK(listen(s->listen_fd, 4));
	OK(sd_event_add_io(s->event, &s->source, s->listen_fd, 1 /* EPOLLIN */, on_connect, s));
}

void systemd_start(struct systemd *s, sd_event *event)
{
	char address[128];

	*s = (struct systemd){ .event = event, .listen_fd = -1, .name = SYSTEMD };
	strcpy(s->dir, "/tmp/pinguard-systemd-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->socket, sizeof(s->socket), "%s/bus", s->dir);
	snprintf(address, sizeof(address), "unix:path=%s", s->socket);
	OK(setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1));
}

void systemd_drop(struct systemd *s)
{
	s->bus = sd_bus_flush_close_unref(s->bus);
}

void systemd_stop(struct systemd *s)
{
	char **texts[] = { &s->started, &s->stopped, &s->unreferenced, &s->strings,
			   &s->command, &s->environment, &s->input };

	systemd_drop(s);
	sd_event_source_unref(s->source);
	if (s->listen_fd >= 0)
		close(s->listen_fd);
	(void)unlink(s->socket);
	(void)rmdir(s->dir);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		free(*texts[i]);
}
