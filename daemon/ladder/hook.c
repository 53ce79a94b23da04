/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hooks: transient units of systemd, which limits what they take and ends them. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "daemon/ladder/internal.h"
#include "daemon/ladder/units.h"
#include "lib/escape.h"
#include "lib/json.h"

/* How much of what a hook prints reaches the journal. */
#define LOG_INTERVAL_USEC (30 * UINT64_C(1000000))
#define LOG_BURST	  200

#define STOP_USEC	  (3 * UINT64_C(1000000)) /* from SIGTERM to SIGKILL */
#define HOOK_MEMORY_BYTES (256 * UINT64_C(1 << 20))
#define HOOK_TASKS	  64

static int write_some(const char *buffer, size_t size, void *userdata)
{
	int fd = *(int *)userdata;

	while (size > 0) {
		ssize_t n = write(fd, buffer, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		buffer += n;
		size -= n;
	}
	return 0;
}

static int count_some(const char *buffer, size_t size, void *userdata)
{
	size_t *total = userdata;

	*total += size;
	return *total > ACTION_INPUT_BYTES ? -1 : 0;
}

/* A file of memory that nobody can change any more. */
static int make_input(json_t *input, int *ret_fd)
{
	_cleanup_(closep) int fd = -1;
	size_t total = 1;

	if (json_dump_callback(input, count_some, &total, JSON_COMPACT) < 0)
		return total > ACTION_INPUT_BYTES ? -E2BIG : -ENOMEM;
	fd = memfd_create("pinguard-hook", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	if (json_dump_callback(input, write_some, &fd, JSON_COMPACT) < 0 ||
	    write_some("\n", 1, &fd) < 0)
		return -EIO;
	if (lseek(fd, 0, SEEK_SET) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int append_variable(sd_bus_message *m, const char *name, const char *value)
{
	_cleanup_(freep) char *text = NULL;

	if (!value)
		return 0;
	if (asprintf(&text, "%s=%s", name, value) < 0) {
		text = NULL;
		return -ENOMEM;
	}
	return sd_bus_message_append(m, "s", text);
}

static int append_number(sd_bus_message *m, const char *name, const json_t *input, const char *key)
{
	int64_t number = json_get_int(input, key, -1);
	char value[32];

	snprintf(value, sizeof(value), "%" PRId64, number);
	return append_variable(m, name, number >= 0 ? value : NULL);
}

static int append_environment(sd_bus_message *m, json_t *input, const char *cgroup)
{
	const char *shown = json_get_string(input, "cgroup", NULL);
	const char *reason = json_get_string(input, "reason", NULL);
	_cleanup_(freep) char *unit = cgroup_unit(cgroup);
	int r;

	/* What systemd would refuse is no unit's name, but the work of a user. */
	if (unit && strspn(unit, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				 ":-_.\\@") != strlen(unit))
		unit[0] = '\0';
	if ((r = sd_bus_message_open_container(m, 'r', "sv")) < 0 ||
	    (r = sd_bus_message_append(m, "s", "Environment")) < 0 ||
	    (r = sd_bus_message_open_container(m, 'v', "as")) < 0 ||
	    (r = sd_bus_message_open_container(m, 'a', "s")) < 0 ||
	    (r = append_variable(m, "PINGUARD_TOKEN", json_get_string(input, "token", NULL))) < 0 ||
	    (r = append_variable(m, "PINGUARD_REASON", reason)) < 0 ||
	    (r = append_number(m, "PINGUARD_PID", input, "pid")) < 0 ||
	    (r = append_number(m, "PINGUARD_DEADLINE_USEC", input, "deadline_usec")) < 0 ||
	    (r = append_variable(m, "PINGUARD_CGROUP", shown)) < 0 ||
	    (r = append_variable(m, "PINGUARD_STOP_REFUSED",
				 json_get_string(input, "stop_refused", NULL))) < 0 ||
	    (r = append_variable(m, "PINGUARD_UNIT", unit && *unit ? unit : NULL)) < 0 ||
	    (r = sd_bus_message_close_container(m)) < 0 ||
	    (r = sd_bus_message_close_container(m)) < 0)
		return r;
	return sd_bus_message_close_container(m);
}

/* The words as they are: systemd is not to look for variables in them. */
static int append_command(sd_bus_message *m, char **words)
{
	int r;

	if ((r = sd_bus_message_open_container(m, 'r', "sv")) < 0 ||
	    (r = sd_bus_message_append(m, "s", "ExecStartEx")) < 0 ||
	    (r = sd_bus_message_open_container(m, 'v', "a(sasas)")) < 0 ||
	    (r = sd_bus_message_open_container(m, 'a', "(sasas)")) < 0 ||
	    (r = sd_bus_message_open_container(m, 'r', "sasas")) < 0 ||
	    (r = sd_bus_message_append(m, "s", words[0])) < 0 ||
	    (r = sd_bus_message_append_strv(m, words)) < 0 ||
	    (r = sd_bus_message_append(m, "as", 1, "no-env-expand")) < 0 ||
	    (r = sd_bus_message_close_container(m)) < 0 ||
	    (r = sd_bus_message_close_container(m)) < 0 ||
	    (r = sd_bus_message_close_container(m)) < 0)
		return r;
	return sd_bus_message_close_container(m);
}

/*
 * A hook may talk to daemons, read and write files below /run and /sys, and
 * use devices. It may not change the system itself.
 */
static int append_sandbox(sd_bus_message *m)
{
	static const char *const on[] = {
		"NoNewPrivileges", "PrivateTmp",	  "ProtectKernelModules",
		"ProtectClock",	   "ProtectKernelLogs",	  "ProtectControlGroups",
		"LockPersonality", "RestrictRealtime",	  "RestrictSUIDSGID",
	};
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(on); i++)
		if ((r = sd_bus_message_append(m, "(sv)", on[i], "b", 1)) < 0)
			return r;
	return sd_bus_message_append(m, "(sv)(sv)(sv)(sv)", "ProtectSystem", "s", "full",
				     "ProtectHome", "s", "read-only", "TasksMax", "t",
				     (uint64_t)HOOK_TASKS, "MemoryMax", "t", HOOK_MEMORY_BYTES);
}

static int append_limits(sd_bus_message *m, uint64_t timeout_usec)
{
	int r = sd_bus_message_append(m, "(sv)(sv)(sv)(sv)(sv)(sv)", "Type", "s", "exec",
				      "RuntimeMaxUSec", "t", timeout_usec, "TimeoutStartUSec", "t",
				      timeout_usec, "TimeoutStopUSec", "t", STOP_USEC, "KillMode",
				      "s", "control-group", "CollectMode", "s",
				      "inactive-or-failed");

	if (r < 0)
		return r;
	return sd_bus_message_append(m, "(sv)(sv)(sv)(sv)(sv)(sv)", "AddRef", "b", 1,
				     "StandardOutput", "s", "journal", "StandardError", "s",
				     "journal", "SyslogIdentifier", "s", "pinguard-hook",
				     "LogRateLimitIntervalUSec", "t", LOG_INTERVAL_USEC,
				     "LogRateLimitBurst", "u", (uint32_t)LOG_BURST);
}

static int append_description(sd_bus_message *m, const struct ladder *ladder, const json_t *input)
{
	_cleanup_(freep) char *text = NULL;

	/* No name of a user's choice is in it. */
	if (asprintf(&text, "Release hook %s for process %" PRId64 ", request %.8s",
		     ladder->hook[0], json_get_int(input, "pid", 0),
		     json_get_string(input, "token", "")) < 0) {
		text = NULL;
		return -ENOMEM;
	}
	return sd_bus_message_append(m, "(sv)", "Description", "s", text);
}

static int on_result(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct action *a = userdata;
	int32_t code = 0, status = 0;
	char *result = NULL;

	a->call = sd_bus_slot_unref(a->call);
	if (sd_bus_message_is_method_error(m, NULL)) {
		action_finish_bus(a, -ECHILD, "what the hook came to is not known", m);
		return 0;
	}
	if (sd_bus_message_enter_container(m, 'a', "{sv}") < 0)
		goto unreadable;
	while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
		const char *name, *text = NULL;
		int r = sd_bus_message_read(m, "s", &name);

		if (r >= 0 && strcmp(name, "Result") == 0) {
			r = sd_bus_message_read(m, "v", "s", &text);
			free(result);
			result = r >= 0 ? escape_text(text) : NULL;
		} else if (r >= 0 && strcmp(name, "ExecMainCode") == 0) {
			r = sd_bus_message_read(m, "v", "i", &code);
		} else if (r >= 0 && strcmp(name, "ExecMainStatus") == 0) {
			r = sd_bus_message_read(m, "v", "i", &status);
		} else if (r >= 0) {
			r = sd_bus_message_skip(m, "v");
		}
		if (r < 0 || sd_bus_message_exit_container(m) < 0)
			goto unreadable;
	}
	if (!result)
		goto unreadable;
	if (strcmp(result, "success") == 0)
		action_finish(a, 0, "the hook succeeded");
	else if (strcmp(result, "timeout") == 0)
		action_finish(a, -ETIMEDOUT, "the hook ran out of time");
	else if (strcmp(result, "exit-code") == 0)
		action_finish(a, -ECHILD, "the hook failed with status %d%s", status,
			      status == 203 ? ": it cannot be executed" : "");
	else if (strcmp(result, "signal") == 0 || strcmp(result, "core-dump") == 0)
		action_finish(a, -ECHILD, "the hook was ended by signal %d", status);
	else
		action_finish(a, -ECHILD, "the hook failed: %s", result);
	free(result);
	return 0;
unreadable:
	free(result);
	action_finish(a, -EBADMSG, "systemd's answer cannot be read");
	return 0;
}

/* s, a{sv}: the state of a unit whose job is done. Return: whether it has ended. */
static bool has_ended(sd_bus_message *m)
{
	const char *state = "";
	bool ended = false;
	uint32_t job = 1;

	if (sd_bus_message_skip(m, "s") < 0 || sd_bus_message_enter_container(m, 'a', "{sv}") < 0)
		return false;
	while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
		const char *name;
		int r = sd_bus_message_read(m, "s", &name);

		if (r >= 0 && strcmp(name, "ActiveState") == 0) {
			r = sd_bus_message_read(m, "v", "s", &state);
			ended = r >= 0 && (strcmp(state, "inactive") == 0 ||
					   strcmp(state, "failed") == 0);
		} else if (r >= 0 && strcmp(name, "Job") == 0) {
			r = sd_bus_message_read(m, "v", "(uo)", &job, NULL);
		} else if (r >= 0) {
			r = sd_bus_message_skip(m, "v");
		}
		if (r < 0 || sd_bus_message_exit_container(m) < 0)
			return false;
	}
	return ended && job == 0;
}

static int on_properties(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct action *a = userdata;
	int r;

	/* not before systemd has taken it: until then it is inactive, too */
	if (!action_is_systemd(a, m) || a->call || !has_ended(m))
		return 0;
	/* by its unique name: nobody else can answer */
	r = sd_bus_call_method_async(a->actions->bus, &a->call, a->systemd,
				     sd_bus_message_get_path(m), "org.freedesktop.DBus.Properties",
				     "GetAll", on_result, a, "s",
				     "org.freedesktop.systemd1.Service");
	if (r < 0)
		action_finish(a, r, "systemd cannot be asked: %s", strerror(-r));
	return 0;
}

static int on_started(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	action_take_job(userdata, m, -ECHILD, "systemd does not start the hook");
	return 0;
}

static int start_unit(struct action *a, sd_bus *bus, const struct ladder *ladder,
		      const char *cgroup, json_t *input, uint64_t timeout_usec)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	_cleanup_(freep) char *path = NULL;
	_cleanup_(closep) int fd = -1;
	int r;

	r = make_input(input, &fd);
	if (r < 0)
		return r;
	r = sd_bus_path_encode(UNIT_PATH_PREFIX, a->unit, &path);
	if (r < 0)
		return r;
	r = sd_bus_match_signal_async(bus, &a->match, SYSTEMD_NAME, path,
				      "org.freedesktop.DBus.Properties", "PropertiesChanged",
				      on_properties, NULL, a);
	if (r < 0)
		return r;
	if ((r = sd_bus_message_new_method_call(bus, &m, SYSTEMD_NAME, SYSTEMD_PATH,
						SYSTEMD_MANAGER, "StartTransientUnit")) < 0 ||
	    (r = sd_bus_message_append(m, "ss", a->unit, "fail")) < 0 ||
	    (r = sd_bus_message_open_container(m, 'a', "(sv)")) < 0 ||
	    (r = append_description(m, ladder, input)) < 0 ||
	    (r = append_limits(m, timeout_usec)) < 0 || (r = append_sandbox(m)) < 0 ||
	    (r = append_environment(m, input, cgroup)) < 0 ||
	    (r = sd_bus_message_append(m, "(sv)", "StandardInputFileDescriptor", "h", fd)) < 0 ||
	    (r = append_command(m, ladder->hook)) < 0 ||
	    (r = sd_bus_message_close_container(m)) < 0 ||
	    (r = sd_bus_message_append(m, "a(sa(sv))", 0)) < 0)
		return r;
	return action_call(a, m, on_started);
}

int action_hook(struct actions *actions, const struct ladder *ladder, const char *cgroup,
		json_t *input, uint64_t timeout_usec, action_done done, void *userdata,
		struct action **ret)
{
	_cleanup_(action_freep) struct action *a = NULL;
	uint64_t number;
	sd_bus *bus;
	int r;

	r = action_new(actions, done, userdata, &a);
	if (r < 0)
		return r;
	r = a->over ? 0 : actions_bus(actions, &bus);
	if (r < 0)
		action_finish(a, -EOPNOTSUPP, "no connection to systemd: %s", strerror(-r));
	if (!a->over) {
		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			return -EIO;
		if (asprintf(&a->unit, HOOK_UNIT_PREFIX "%016" PRIx64 ".service", number) < 0) {
			a->unit = NULL;
			return -ENOMEM;
		}
		r = start_unit(a, bus, ladder, cgroup, input, timeout_usec);
		a->is_hook = r >= 0;
		if (r < 0)
			action_finish(a, r, "the hook cannot be started: %s", strerror(-r));
	}
	*ret = TAKE_PTR(a);
	return 0;
}
