/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What pinctl prints and exits with, against a server with known answers. */
#include "tests/unit/client/pinctl-fixture.h"

#include <signal.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>

#define LONG_PATH "/system.slice/a-very-long-name-of-a-service-that-does-not-fit-in-any-table.service"

/* --- the server, in a child --- */

/* Of a stock kernel, once a quota was set on /stock or /hidden; charged elsewhere, after one on /charged. */
static bool stock, hidden, charged;

static int get_status(struct call *call, json_t *params, void *userdata)
{
	if (stock || hidden)
		return call_reply(
			call,
			parse(hidden ?
			      "{\"kernel\":{\"support\":\"stock\",\"processes_hidden\":true},"
			      "\"totals\":{\"pinned_bytes\":8192,\"pins\":2},\"cgroups\":[]}" :
			      "{\"version\":\"1\",\"kernel\":{\"support\":\"stock\",\"features\":[],"
			      "\"release\":\"6.1\",\"reason\":\"no patch\"},\"totals\":"
			      "{\"pinned_bytes\":4096,\"pins\":0,\"denied\":null,"
			      "\"unattributed_bytes\":8192},\"cgroups\":["
			      "{\"path\":\"/a\",\"cgroup_id\":\"0x1\",\"removed\":false,"
			      "\"source\":\"proc\",\"pinned_bytes\":4096,\"locked_bytes\":8192,"
			      "\"pins\":0,\"denied\":0}],\"uncontrolled\":[]}"));
	if (charged)
		return call_reply(
			call,
			parse("{\"version\":\"1\",\"kernel\":{\"support\":\"patched\",\"features\":[\"rdma\",\"events\"],"
			      "\"release\":\"6.12\"},\"totals\":{\"pinned_bytes\":4096,\"pins\":1,"
			      "\"denied\":null,\"unattributed_bytes\":67108864},\"cgroups\":["
			      "{\"path\":\"/m\\\\x2d1.scope\","
			      "\"cgroup_id\":\"0x2\",\"removed\":false,\"source\":\"kernel\","
			      "\"pinned_bytes\":4096,\"charged_bytes\":0,\"pins\":1,\"denied\":null}],"
			      "\"uncontrolled\":[]}"));
	return call_reply(
		call,
		parse("{\"version\":\"1\",\"kernel\":{\"support\":\"patched\",\"features\":[\"rdma\",\"events\"],\"release\":\"6.12\"},"
		      "\"totals\":{\"pinned_bytes\":16777216,\"pins\":2,\"denied\":3},\"cgroups\":["
		      "{\"path\":\"/a.slice/x.service\",\"cgroup_id\":\"0x2\",\"removed\":true,"
		      "\"source\":\"kernel\",\"pinned_bytes\":4194304,\"pins\":1,\"denied\":0},"
		      "{\"path\":\"/\",\"cgroup_id\":\"0x1\",\"removed\":false,\"source\":\"kernel\","
		      "\"pinned_bytes\":16777216,\"pins\":2,\"denied\":3},"
		      "{\"path\":\"/a.slice/y\\\\x1b.service\",\"cgroup_id\":\"0x3\",\"removed\":false,"
		      "\"source\":\"kernel\",\"pinned_bytes\":12582912,\"max_bytes\":16777216,"
		      "\"peak_bytes\":12582912,\"pins\":1,\"denied\":3},"
		      "{\"path\":\"/a.slice\",\"cgroup_id\":\"0x4\",\"removed\":false,\"source\":\"kernel\","
		      "\"pinned_bytes\":16777216,\"pins\":2,\"denied\":3},"
		      "{\"path\":\"/a.slice-not\",\"cgroup_id\":\"0x5\",\"removed\":false,"
		      "\"source\":\"kernel\",\"pinned_bytes\":0,\"pins\":0,\"denied\":0}],"
		      "\"uncontrolled\":[{\"path\":\"/user.slice\",\"reason\":\"busy\"}]}"));
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

static int list_quotas(struct call *call, json_t *params, void *userdata)
{
	static bool asked;

	if (!asked) {
		asked = true;
		return call_error(call, MANAGER "NotReady", json_pack("{ss}", "reason", "resync"));
	}
	return call_reply(call,
			  parse("{\"quotas\":[{\"cgroup\":\"/a.slice\",\"max_bytes\":1610612736,"
				"\"high_bytes\":1073741824,\"effective_bytes\":1610612736,\"current_bytes\":8388608,"
				"\"external_bytes\":null,\"runtime\":true,\"state\":\"applied\"},"
				"{\"cgroup\":\"/theirs\",\"max_bytes\":null,\"high_bytes\":null,"
				"\"effective_bytes\":104857600,\"external_bytes\":104857600,"
				"\"current_bytes\":4096,\"runtime\":true,\"state\":\"applied\"},"
				"{\"cgroup\":\"/changed\",\"max_bytes\":8192,\"high_bytes\":null,"
				"\"effective_bytes\":4096,\"external_bytes\":4096,"
				"\"current_bytes\":0,\"runtime\":false,\"state\":\"failed\"}],"
				"\"others_usec\":1000000,\"others_complete\":false}"));
}

static int set_quota(struct call *call, json_t *params, void *userdata)
{
	json_t *high = json_object_get(params, "high_bytes") ?: json_null();
	json_t *quota = json_pack("{sO sO sO sO sI ss}", "cgroup",
				  json_object_get(params, "cgroup"), "max_bytes",
				  json_object_get(params, "max_bytes"), "high_bytes", high,
				  "runtime", json_object_get(params, "runtime"), "current_bytes",
				  (json_int_t)8388608, "state", "applied");

	stock = !strcmp(json_get_string(params, "cgroup", ""), "/stock");
	charged = !strcmp(json_get_string(params, "cgroup", ""), "/charged");
	hidden = !strcmp(json_get_string(params, "cgroup", ""), "/hidden");
	return call_reply(call, json_pack("{so}", "quota", quota));
}

static int clear_quota(struct call *call, json_t *params, void *userdata)
{
	return call_error(call, MANAGER "NoSuchQuota",
			  json_pack("{sO}", "cgroup", json_object_get(params, "cgroup")));
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
static const struct method_param quota_params[] = { { "cgroup", PARAM_STRING, true },
						    { "max_bytes", PARAM_INT },
						    { "high_bytes", PARAM_INT },
						    { "runtime", PARAM_BOOL },
						    {} };
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
	{ MANAGER "SetQuota", 0, quota_params, set_quota },
	{ MANAGER "ClearQuota", 0, quota_params, clear_quota },
	{ MANAGER "Monitor", METHOD_MORE, monitor_params, monitor },
	{},
};

static int start_server(void **state)
{
	return pinctl_start_server(methods);
}

/* --- running pinctl --- */

static void test_status(void **state)
{
	_cleanup_json_ json_t *json = NULL;
	json_t *cgroup;

	EXPECT("", 0, "Kernel: 6.12", "rdma, events\n", "16M in 2 pins, 3 refused",
	       "Cannot be limited: /user.slice: busy", "CGROUP", "PINNED", "DENIED", "/", "a.slice ",
	       "y\\x1b.service", "12M", "16M", "12M", "x.service (removed)", "4M", "max", "a.slice-not");
	EXPECT("status --no-legend -b -o pinned,PATH", 0, "16777216 /\n", "16777216 /a.slice\n",
	       "12582912 /a.slice/y\\x1b.service\n", " 4194304 /a.slice/x.service\n",
	       "       0 /a.slice-not\n");
	assert_int_equal(run("status -j"), 0);
	json = json_loads(output, 0, NULL);
	assert_non_null(json);
	cgroup = json_array_get(json_object_get(json, "cgroups"), 0);
	assert_true(json_is_null(json_object_get(cgroup, "max_bytes")));
	assert_true(json_is_null(json_object_get(cgroup, "peak_bytes")));
	assert_true(json_is_null(json_object_get(cgroup, "high_bytes")));
}

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

static void test_quota(void **state)
{
	/* the service is not ready the first time */
	EXPECT("quota", 0, "CGROUP", "MAX", "HIGH", "/a.slice", "1.5G", "1G", "1.5G", "8M", "yes",
	       "applied");
	/* limits that others have set, and when it was looked for them */
	EXPECT("quota -o CGROUP,MAX,EFFECTIVE,STATE,EXTERNAL", 0, "CGROUP", "/a.slice ",
	       "applied         -\n", "/theirs  100M      100M external     100M\n",
	       "/changed   8K        4K failed         4K\n",
	       "pinctl: limits that others have set were looked for ", " ago",
	       "pinctl: limits that others have set may be missing: there are too many cgroups");
	EXPECT("quota -j", 0, "\"cgroup\":\"/theirs\",\"max_bytes\":null",
	       "\"state\":\"applied\"", "\"others_usec\":1000000");
	assert_null(strstr(output, "looked for"));
	EXPECT("quota set /a.slice 1.5G -j", 0, "\"max_bytes\":1610612736", "\"runtime\":false");
	EXPECT("quota set /a.slice 1G --runtime -j", 0, "\"runtime\":true");
	EXPECT("quota set /a.slice 4M", 0, "pinctl: 8M are pinned already, over the new limit of 4M");
	EXPECT("quota set /a.slice 16M --high=4M", 0,
	       "pinctl: 8M are pinned already, over the high mark of 4M");
	EXPECT("quota set /a.slice 16M --high=4M -j", 0, "\"high_bytes\":4194304");
	EXPECT("quota set /a.slice 16M --high=16M -j", 0, "\"high_bytes\":16777216");
	EXPECT("quota set /a.slice 16M --high=max -j", 0, "\"high_bytes\":null");
	EXPECT("quota set /a.slice max --high=1G -j", 0, "\"max_bytes\":9223372036854775807",
	       "\"high_bytes\":1073741824");
	EXPECT("quota set /a.slice 16M --high=17M", 2,
	       "the high mark of 17M is above the limit of 16M");
	EXPECT("quota set /a.slice 16M --high=much", 2, "not a size: \"much\"");
	EXPECT("quota list --high=1M", 2, "--high belongs to pinctl quota set");
	EXPECT("quota clear /a.slice", 5, "no quota is set on /a.slice");
	EXPECT("quota set /a.slice max -j", 0, "{}");
	EXPECT("quota set /a.slice -- -1G", 2, "it is negative; max or infinity is no limit");
	EXPECT("quota set /a.slice 8Gi --high=8192Mi -j", 0, "\"max_bytes\":8589934592",
	       "\"high_bytes\":8589934592");
	EXPECT("quota set /a.slice infinity -j", 0, "{}");
	EXPECT("quota set /a.slice unlimited -j", 0, "{}");
	EXPECT("quota set /a.slice 16M --high=infinity -j", 0, "\"high_bytes\":null");
	EXPECT("quota set /a.slice 101%", 2, "it is more than all of the memory");
	EXPECT("quota set /a.slice", 2, "usage: pinctl quota set CGROUP MAX");
	EXPECT("quota set '' 1G", 2, "it is empty");
	EXPECT("quota sett /a 1G", 2, "did you mean set?");
}

/* Against what the machine has, and more than that is said. */
static void test_quota_of_memory(void **state)
{
	char half[64];
	struct sysinfo info;

	assert_int_equal(sysinfo(&info), 0);
	snprintf(half, sizeof(half), "\"max_bytes\":%llu",
		 (unsigned long long)info.totalram * info.mem_unit / 2);
	EXPECT("quota set /a.slice 50% -j", 0, half);
	assert_null(strstr(output, "more than"));
	EXPECT("quota set /a.slice 100%", 0, "");
	assert_null(strstr(output, "more than"));
	EXPECT("quota set /a.slice 4E", 0, "pinctl: 4E is more than the ",
	       "of memory that this machine has\n");
	EXPECT("quota set /a.slice max --high 5E", 0, "pinctl: 5E is more than the ");
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

static void test_observe(void **state)
{
	EXPECT("quota set /hidden 1G", 0, "");
	EXPECT("", 0, "Pinned: unknown, at least 8K in 2 memory regions");
	EXPECT("quota set /stock 1G", 0, "");
	EXPECT("", 0, "Kernel: 6.1, observe mode: no patch",
	       "Pinned: 4K by processes (VmPin); 0 memory regions listed\n",
	       "Not attributed: 8K more that is listed, of processes that have ended", "CGROUP", "PINNED",
	       "LOCKED", "PINS\n",
	       "/a", "4K", "8K");
	assert_null(strstr(output, "DENIED"));
	EXPECT("quota set /a.slice 1G", 0, "");
}

/* Charged elsewhere than pinned: the column is there only then. */
static void test_charged(void **state)
{
	EXPECT("", 0, "PINNED MAX PEAK");
	assert_null(strstr(output, "Not attributed"));
	EXPECT("status -j", 0, "\"unattributed_bytes\":null", "\"charged_bytes\":null");
	EXPECT("quota set /charged 1G", 0, "");
	EXPECT("", 0, "Pinned: 4K in 1 pin\n", "Not attributed: 64M more that processes have pinned",
	       "PINNED CHARGED MAX PEAK PINS DENIED\n", "/m\\x2d1.scope     4K       0 max    -    1      -\n");
	EXPECT("-o PATH,CHARGED", 0, "PATH          CHARGED\n/m\\x2d1.scope       0\n");
	EXPECT("-o CGROUP,PINNED", 0, "CGROUP        PINNED\n/m\\x2d1.scope     4K\n");
	EXPECT("quota set /a.slice 1G", 0, "");
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
		cmocka_unit_test(test_status),	 cmocka_unit_test(test_pins),
		cmocka_unit_test(test_quota),	 cmocka_unit_test(test_events),
		cmocka_unit_test(test_follow),	 cmocka_unit_test(test_terminal),
		cmocka_unit_test(test_failures), cmocka_unit_test(test_observe),
		cmocka_unit_test(test_quota_of_memory), cmocka_unit_test(test_charged),
		cmocka_unit_test(test_reconnect), cmocka_unit_test(test_no_reader),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, start_server, pinctl_stop_server);
}
