/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What pinctl prints and exits with, against a server with known answers. */
#include "tests/unit/client/pinctl-fixture.h"

#include <signal.h>
#include <sys/wait.h>

#define LONG_PATH "/system.slice/a-very-long-name-of-a-service-that-does-not-fit-in-any-table.service"

/* --- the server, in a child --- */

static int get_status(struct call *call, json_t *params, void *userdata)
{
	return call_reply(call, parse("{\"kernel\":{\"support\":\"patched\"},\"totals\":{},"
				      "\"cgroups\":[{\"path\":\"/\",\"pins\":2}]}"));
}

static int list_quotas(struct call *call, json_t *params, void *userdata)
{
	return call_reply(call, parse("{\"quotas\":[{\"cgroup\":\"/a.slice\"}]}"));
}

static int list_pins(struct call *call, json_t *params, void *userdata)
{
	const char *cgroup = json_get_string(params, "cgroup", "");

	if (!strcmp(json_get_string(params, "kind", ""), "xdp"))
		return call_reply(call, json_pack("{s[]}", "pins"));
	if (!strncmp(cgroup, "/missing", strlen("/missing")))
		return call_error(call, MANAGER "NoSuchCgroup", json_pack("{ss}", "cgroup", cgroup));
	if (!strcmp(cgroup, "lost.service"))
		return call_error(call, MANAGER "TooManyCgroups",
				  json_pack("{ss si}", "cgroup", cgroup, "max", 20000));
	if (!strcmp(cgroup, "/denied"))
		return call_error_denied(call);
	for (int i = 1; i <= (strcmp(cgroup, "/many") == 0 ? 200 : 2); i++) {
		json_t *pin = json_pack("{ss ss sn si ss ss si ss}", "id", i == 1 ? "0x1" : "0x2",
					"kind", "rdma", "device", "pid", 40 + i, "comm", "ib_write_bw",
					"cgroup", LONG_PATH, "bytes", 4194304 * i, "address",
					"0x7f0000000000");

		(void)call_reply_continues(call, json_pack("{s[o]}", "pins", pin));
	}
	return call_reply(call, json_pack("{s[]}", "pins"));
}

/* Whether this is a second server, where something has happened since. */
static bool restarted;

/* An event that tells what was asked for. */
static json_t *echo(json_t *params)
{
	_cleanup_(freep) char *text = json_dumps(params, JSON_COMPACT | JSON_SORT_KEYS);

	return json_pack("{s{si ss ss}}", "event", "time_usec", 1, "type", "quota_set",
			 "quota_cgroup", text);
}

#define DENY "{\"time_usec\":1,\"type\":\"deny\",\"pin\":{\"kind\":\"rdma\",\"pid\":7,"        \
	     "\"comm\":\"x\",\"cgroup\":\"/a\",\"bytes\":4096}"

static int monitor(struct call *call, json_t *params, void *userdata)
{
	static struct call *kept;

	if (json_get_int(params, "since_usec", 0) == 7000000) {
		(void)call_reply_continues(
			call, parse("{\"event\":{\"time_usec\":7000000,\"type\":\"gap\",\"missing\":null}}"));
		(void)call_reply_continues(
			call, parse("{\"event\":{\"time_usec\":8000000,\"type\":\"gap\",\"missing\":"
				    "[\"pin\",\"pin_change\",\"unpin\"]}}"));
		return call_reply(call, parse("{\"event\":{\"time_usec\":9000000,\"type\":\"gap\","
					      "\"missing\":[\"deny\"]}}"));
	}
	if (json_get_int(params, "since_usec", 0) == 8000000) {
		(void)call_reply_continues(call, parse("{\"event\":" DENY ",\"reason\":\"rlimit\","
						       "\"max_bytes\":8388608,\"max_source\":\"proc\"}}"));
		(void)call_reply_continues(call, parse("{\"event\":" DENY ",\"reason\":\"rlimit\"}}"));
		return call_reply(call, parse("{\"event\":" DENY ",\"reason\":\"limit\","
					      "\"limit_cgroup\":\"/\",\"max_bytes\":1048576}}"));
	}
	if (json_object_get(params, "last") && !json_get_bool(params, "follow", false))
		return call_reply(call, echo(params));
	if (json_object_get(params, "last") && restarted)
		_exit(1);
	(void)call_reply_continues(
		call, parse("{\"event\":{\"time_usec\":1000000,\"type\":\"deny\",\"reason\":\"limit\","
			    "\"limit_cgroup\":\"/a.slice\",\"usage_bytes\":8388608,\"max_bytes\":8388608,"
			    "\"suppressed\":2,\"pin\":{\"id\":null,\"kind\":\"rdma\",\"device\":\"rxe0\","
			    "\"pid\":7,\"comm\":\"x\",\"cgroup\":\"/a.slice/x\",\"bytes\":4096}}}"));
	if (!json_get_bool(params, "follow", false))
		return call_reply(call, parse("{\"event\":{\"time_usec\":2000000,\"type\":\"quota_set\","
					      "\"quota_cgroup\":\"/b\",\"max_bytes\":1024,\"uid\":0}}"));
	if (restarted)
		(void)call_reply_continues(
			call, parse("{\"event\":{\"time_usec\":1000000,\"type\":\"gap\",\"missing\":null}}"));
	if (restarted)
		(void)call_reply_continues(
			call, parse("{\"event\":{\"time_usec\":3000000,\"type\":\"quota_set\","
				    "\"quota_cgroup\":\"/b\",\"max_bytes\":1024,\"uid\":0}}"));
	call_unref(kept);
	kept = call_ref(call);
	return 0;
}

static const struct method_param pins_params[] = {
	{ "cgroup", PARAM_STRING }, { "pid", PARAM_INT },   { "kind", PARAM_STRING },
	{ "device", PARAM_STRING }, { "id", PARAM_STRING }, {}
};
static const struct method_param monitor_params[] = { { "since_usec", PARAM_INT },
						      { "follow", PARAM_BOOL },
						      { "types", PARAM_STRINGS },
						      { "cgroup", PARAM_STRING },
						      { "pid", PARAM_INT },
						      { "last", PARAM_INT },
						      {} };

static const struct method methods[] = {
	{ MANAGER "GetStatus", 0, NULL, get_status },
	{ MANAGER "ListPins", METHOD_MORE, pins_params, list_pins },
	{ MANAGER "ListQuotas", 0, NULL, list_quotas },
	{ MANAGER "Monitor", METHOD_MORE, monitor_params, monitor },
	{},
};

static int start_server(void **state)
{
	return pinctl_start_server(methods);
}

/* --- running pinctl --- */

static void test_pins(void **state)
{
	_cleanup_json_ json_t *json = NULL, *empty = NULL;
	json_t *pins;

	EXPECT("pins", 0, "ID", "KIND", "0x2", "rdma", "-", "42", "ib_write_bw", LONG_PATH, "8M", "0x1",
	       "41", "4M");
	assert_int_equal(run("pins -j"), 0);
	json = json_loads(output, 0, NULL);
	assert_non_null(json);
	pins = json_object_get(json, "pins");
	assert_int_equal(json_array_size(pins), 2);
	assert_true(json_is_null(json_object_get(json_array_get(pins, 0), "since_usec")));
	assert_true(json_is_null(json_object_get(json_array_get(pins, 0), "charged_cgroup")));

	/* an empty list is a success */
	EXPECT("pins --kind=xdp", 0, "");
	assert_string_equal(output, "");
	assert_int_equal(run("pins --kind=xdp -j"), 0);
	empty = json_loads(output, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(empty, "pins")), 0);
	EXPECT("pins --cgroup=/missing", 5, "pinctl: no such cgroup /missing");
	EXPECT("pins -j --cgroup=/missing", 5, "pinctl: no such cgroup /missing");
	assert_null(strchr(output, '{'));
	EXPECT("pins --cgroup=/denied", 4, "permission denied");
	EXPECT("pins --cgroup=lost.service", 1,
	       "pinctl: lost.service was not found, but not all cgroups were looked at: there are "
	       "more than 20000, or too many of a user; give its path");
}

static void test_events(void **state)
{
	static const char deny[] = "rdma rxe0 4K by x[7] in /a.slice/x: refused by limit of /a.slice, "
				   "8M of 8M in use; 2 more like it were not reported\n";

	EXPECT("events", 0, "deny", deny, "quota_set", "/b 1K by uid 0\n");
	EXPECT("events --since=@7", 0, "gap          all events before this may be missing\n",
	       "gap          pin, pin_change and unpin before this may be missing\n",
	       "gap          deny before this may be missing\n");
	EXPECT("events -j", 0, "{\"time_usec\":1000000,", "}\n{\"time_usec\":2000000,", "}\n");
	EXPECT("events --since=@8", 0, "by x[7] in /a: refused by RLIMIT_MEMLOCK, 8M\n",
	       "by x[7] in /a: refused by RLIMIT_MEMLOCK\n",
	       "by x[7] in /a: refused by limit of /, 1M\n");
	EXPECT("events -n 3 --type=deny,failure --type pin --pid 7 --cgroup=/a", 0,
	       "{\"cgroup\":\"/a\",\"follow\":false,\"last\":3,\"pid\":7,\"since_usec\":0,"
	       "\"types\":[\"deny\",\"failure\",\"pin\"]}");
	EXPECT("events -n3 --since=@2", 0, "{\"follow\":false,\"last\":3,\"since_usec\":2000000}");
	EXPECT("events --lines=0", 2, "not a number of events: \"0\"; it is 1 or more");
	EXPECT("events -n -1", 2, "not a number of events: \"-1\"");
	EXPECT("events -n 3x", 2, "not a number of events: \"3x\"");
	EXPECT("events -n ''", 2, "not a number of events: \"\"");
	EXPECT("events -n 99999999999999999999", 2, "not a number of events");
	EXPECT("events -n", 2, "-n needs an argument");
	EXPECT("events --type=denny", 2, "no type of event: \"denny\"; did you mean deny?");
	EXPECT("events --type=deny,", 2, "no type of event: \"\"; there are pin, pin_change,");
	EXPECT("events --type=gap", 2, "no type of event: \"gap\"");
	EXPECT("events --pid=0", 2, "not a process");
	EXPECT("events --cgroup=a/b", 2, "not a cgroup: \"a/b\"");
	EXPECT("events --since=tomorrow", 2, "it is no time such as");
}

/* Ctrl-C ends following with success, and what came before it is out. */
static void test_follow(void **state)
{
	int fd;
	pid_t pid = pinctl_start("events --follow -j", &fd);

	assert_true(pinctl_read_until(fd, "}"));
	assert_int_equal(output[strlen(output) - 1], '\n');
	kill(pid, SIGINT);
	assert_int_equal(pinctl_finish(pid, fd), 0);
}

/* The service is restarted: following goes on after the last event, and says so. */
static void check_reconnect(const char *arguments)
{
	static const char quota[] = "\"type\":\"quota_set\"", deny[] = "\"type\":\"deny\"";
	int fd;
	pid_t pid = pinctl_start(arguments, &fd);

	assert_true(pinctl_read_until(fd, deny));
	pinctl_stop_server(NULL);
	restarted = true;
	assert_int_equal(start_server(NULL), 0);
	assert_true(pinctl_read_until(fd, quota));
	kill(pid, SIGINT);
	assert_int_equal(pinctl_finish(pid, fd), 0);
	assert_non_null(strstr(output, "trying to reach it again"));
	assert_non_null(strstr(output, "connected again"));
	/* the first event came but once */
	assert_null(strstr(strstr(output, deny) + 1, deny));
	restarted = false;
	pinctl_stop_server(NULL);
	assert_int_equal(start_server(NULL), 0);
}

static void test_reconnect(void **state)
{
	check_reconnect("events -f -j");
	/* of the last ones no more are asked for: all that are new are wanted */
	check_reconnect("events -f -j -n 5");
}

/* Nothing is wider than a terminal, and there the end of a path is kept. */
static void test_terminal(void **state)
{
	pinctl_run_on_terminal("pins", 0);
	assert_non_null(strstr(output, "\xe2\x80\xa6"));
	assert_non_null(strstr(output, "table.service"));
	assert_null(strchr(output, '\033'));
	pinctl_check_width(80);
}

static void test_failures(void **state)
{
	EXPECT("--socket=@nobody pins", 3, "systemctl start pinguard");
	EXPECT("--socket=/nonexistent/socket", 3, "systemctl start pinguard");
	EXPECT("owners", 1, "the service does not know ListOwners; it is older than pinctl");
	EXPECT("--socket=", 2, "the path of the socket is empty");
	EXPECT("--socket=/$(printf %0200d 1)", 2, "too long");
	EXPECT("quota set /a -1", 2, "it is negative; max or infinity is no limit");
	/* what is typed in comes from somewhere, too */
	EXPECT("\"$(printf '\\033[31m\\nx')\"", 2, "unknown command \\x1b[31m\\x0ax;");
	EXPECT("pins --cgroup=/missing\"$(printf '\\033')\"", 5, "no such cgroup /missing\\x1b\n");
	EXPECT("pinz", 2, "did you mean pins?");
	EXPECT("pins --devcie=x", 2, "did you mean --device?");
	EXPECT("pins --pin=12", 2, "not of the form 0x1f");
	EXPECT("pins --pid=0", 2, "no process can have this number");
	EXPECT("pins -o ID,NAME", 2, "no column \"NAME\"", "CGROUP");
	EXPECT("pins extra", 2, "not \"extra\"");
	EXPECT("-j events -o ID", 2, "no columns");
	EXPECT("--version", 0, "pinctl ");
	EXPECT("quota --help", 0, "Usage: pinctl quota");
	EXPECT("status -j > /dev/full", 1, "No space left on device");
	EXPECT("pins > /dev/full", 1, "No space left on device");
	EXPECT("events > /dev/full", 1, "No space left on device");
}

/* @arguments with a stdout that nobody reads, where whoever calls ignores SIGPIPE. */
static int run_without_reader(const char *arguments)
{
	int errors, out[2], status;
	char command[256];
	pid_t pid;

	assert_int_equal(pipe(out), 0);
	close(out[0]);
	pid = pinctl_fork(&errors);
	if (pid == 0) {
		(void)signal(SIGPIPE, SIG_IGN);
		dup2(out[1], STDOUT_FILENO);
		snprintf(command, sizeof(command), "exec ${PINCTL:-./pinctl} %s", arguments);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	close(out[1]);
	pinctl_read_until(errors, NULL);
	close(errors);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* As of "pinctl ... | head": no noise, and the end that other tools come to. */
static void test_no_reader(void **state)
{
	static const char *const commands[] = { "--help",   "status",	  "pins --cgroup=/many",
						"quota -j", "pins --cgroup=/many -j", "events -f",
						"events -j" };

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		int status = run_without_reader(commands[i]);

		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGPIPE);
		assert_string_equal(output, "");
	}
	/* what failed before that is said as ever */
	assert_int_equal(run_without_reader("pins --cgroup=/denied"), 4 << 8);
	assert_non_null(strstr(output, "permission denied"));
	EXPECT("pins --cgroup=/many > /dev/full", 1, "cannot write the output: ");
	EXPECT("pins --cgroup=/many -j > /dev/full", 1, "No space left on device");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pins),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_follow),
		cmocka_unit_test(test_terminal),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_reconnect),
		cmocka_unit_test(test_no_reader),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, start_server, pinctl_stop_server);
}
