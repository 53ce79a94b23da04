/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pinctl release, drain, who, owners and policy, against a server with known answers. */
#include "tests/unit/client/pinctl-fixture.h"

#include <signal.h>
#include <time.h>

#define TOKEN "0123456789abcdef0123456789abcdef"
#define LONG_PATH "/system.slice/a-very-long-name-of-a-service-that-does-not-fit-in-any-table.service"

/* --- the server --- */

static json_t *owner(int pid, const char *comm, const char *state, bool registered, int left)
{
	bool refused = !strcmp(state, "refused");

	return json_pack("{si ss si ss sb ss ss* si si si si ss* sI}", "pid", pid, "comm", comm, "uid", 0,
			 "cgroup", LONG_PATH, "registered", registered, "state", state, "reason",
			 refused ? "busy with a customer" : NULL, "pins", 1, "bytes", 8388608,
			 "pins_left", left > 0, "bytes_left", left, "next",
			 registered ? "give_up" : "kill", "next_usec", (json_int_t)1);
}

/* As of a job in a unit with others. */
static json_t *with_steps(json_t *owner)
{
	(void)json_object_set_new(owner, "steps", json_pack("[{ssssssso}{ssssssss}{ssssssso}]",
		"step", "hook", "acts_on", "command", "name", "/bin/hook a", "refused", json_null(),
		"step", "stop_unit", "acts_on", "unit", "name", "s.scope",
		"refused", "what runs in /s.scope/job_43",
		"step", "kill", "acts_on", "cgroup", "name", "/s.scope/job_42", "refused",
		json_null()));
	return owner;
}

static json_t *release(const char *phase, int left, json_t *owners)
{
	uint64_t deadline_usec = ((uint64_t)time(NULL) + 20) * 1000000;
	json_t *object = json_pack("{ss ss ss ss sb sI sI si si si si so}", "token", TOKEN, "reason",
				   "administrator", "mode", "sync", "phase", phase, "dry_run", false,
				   "started_usec", (json_int_t)1, "deadline_usec",
				   (json_int_t)deadline_usec, "pins", 3, "bytes", 25165824, "pins_left",
				   left / 8388608, "bytes_left", left, "owners", owners);

	return json_pack("{so}", "release", object);
}

/* A request that nobody ends. */
static int hang(struct call *call, json_t *first)
{
	static struct call *kept[8];
	static size_t n;

	kept[n++ % ARRAY_SIZE(kept)] = call_ref(call);
	return call_reply_continues(call, first);
}

/* Whether the request is known; not after a restart. */
static bool forgets;

static int follow_release(struct call *call, json_t *params, void *userdata)
{
	const char *token = json_get_string(params, "token", "");

	if (forgets || strcmp(token, TOKEN) != 0)
		return call_error(call, MANAGER "NoSuchToken", json_pack("{ss}", "token", token));
	return call_reply(call, release("cancelled", 8388608,
					json_pack("[o]", owner(42, "mr", "asked", true, 8388608))));
}

static int make_release(struct call *call, json_t *params, void *userdata)
{
	const char *device = json_get_string(params, "device", "");
	json_t *asked = json_pack("[ooo]", owner(41, "mr", "asked", true, 8388608),
				  with_steps(owner(42, "qemu", "asked", true, 8388608)),
				  with_steps(owner(43, "old", "waiting", false, 8388608)));

	if (json_get_bool(params, "dry_run", false) || json_get_bool(params, "async", false)) {
		json_t *answer = release("running", 25165824, asked);

		/* a dry run cannot be followed */
		if (json_get_bool(params, "dry_run", false))
			json_object_del(json_object_get(answer, "release"), "token");
		return call_reply(call, answer);
	}
	if (!strcmp(device, "hangs"))
		return hang(call, release("running", 25165824, asked));
	if (!strcmp(device, "denied"))
		return call_error_denied(call);
	if (!strcmp(json_get_string(params, "cgroup", ""), "/none"))
		return call_error(call, MANAGER "NoSuchCgroup", json_pack("{ss}", "cgroup", "/none"));
	(void)call_reply_continues(call, release("running", 25165824, asked));
	if (!strcmp(device, "done"))
		return call_reply(call, release("done", 0, json_pack("[o]", owner(41, "mr", "released",
										  true, 0))));
	return call_reply(call, release(strcmp(device, "refused") ? "timed_out" : "refused", 16777216,
					json_pack("[oooo]", owner(41, "mr", "released", true, 0),
						  owner(42, "qemu", "refused", true, 8388608),
						  owner(43, "old", "waiting", false, 4194304),
						  owner(44, "slow\\x1b", "reminded", true, 4194304))));
}

static int cancel_release(struct call *call, json_t *params, void *userdata)
{
	return call_reply(call, json_object());
}

static int drain(struct call *call, json_t *params, void *userdata)
{
	const char *target = json_get_string(params, "target", "");
	json_t *answer;

	if (!strcmp(target, "memory99"))
		return call_error(call, MANAGER "NoSuchTarget", json_pack("{ss}", "target", target));
	if (json_get_int(params, "timeout_usec", 0) != 90000000)
		return call_error_invalid(call, "timeout_usec");
	answer = release("done", 0, json_array());
	(void)json_object_set_new(json_object_get(answer, "release"), "target", json_string(target));
	return call_reply(call, answer);
}

/* Its file is in flight in a socket; of memory nobody is looked for. */
static int who_left(struct call *call, bool looked)
{
	return call_reply(call, json_pack("{ss s[] s[{ss ss ss si ss si sb}] s[] so sn}",
					  "target", "rxe0", "ranges", "pins", "id", "0x1", "kind",
					  "rdma", "device", "rxe0", "pid", 7, "comm", "mr", "bytes",
					  4096, "owner_gone", true, "inexact", "users",
					  looked ? json_array() : json_null(), "users_unknown"));
}

static int who(struct call *call, json_t *params, void *userdata)
{
	const char *target = json_get_string(params, "target", "");

	if (strcmp(target, "rxe0") == 0 || strcmp(target, "memory5") == 0)
		return who_left(call, *target == 'r');
	return call_reply(
		call,
		parse("{\"target\":\"dax0.0\",\"ranges\":[{\"first\":\"0x100000000\",\"last\":"
		      "\"0x10fffffff\"}],\"pins\":[{\"id\":\"0x1\",\"kind\":\"rdma\",\"device\":"
		      "\"rxe0\",\"pid\":7,\"comm\":\"mr\",\"cgroup\":\"/a\",\"bytes\":4096,"
		      "\"owner_gone\":true},{\"id\":\"0x2\",\"kind\":\"vfio\",\"pid\":8,\"comm\":\"qemu\",\"cgroup\":\"/b\","
		      "\"bytes\":8192}],\"inexact\":[\"0x2\",\"0x3\"],\"users\":["
		      "{\"pid\":12,\"comm\":\"redis\",\"cgroup\":\"/c\",\"how\":\"mapped\","
		      "\"path\":null,\"exact\":true}],\"users_unknown\":\"2 more\"}"));
}

static int list_owners(struct call *call, json_t *params, void *userdata)
{
	return call_reply(
		call,
		parse("{\"owners\":[{\"pid\":4194303,\"comm\":\"a-process-of-15\",\"uid\":0,\"cgroup\":"
		      "\"" LONG_PATH "\",\"registered\":true,\"pins\":2,\"bytes\":8388608,\"asked\":100000,"
		      "\"released\":99997,\"refused\":2,\"lapsed\":1,\"open_requests\":1},"
		      "{\"pid\":9,\"comm\":\"big\",\"uid\":0,\"registered\":false,\"pins\":1,"
		      "\"bytes\":16777216,\"asked\":0,\"released\":0,\"refused\":0,\"lapsed\":0,"
		      "\"open_requests\":1}]}"));
}

static int list_policies(struct call *call, json_t *params, void *userdata)
{
	return call_reply(call, parse("{\"policies\":[{\"cgroup\":\"/a\",\"policy\":\"allow\","
				      "\"effective\":\"deny\",\"count\":\"each\",\"effective_count\":\"each\","
				      "\"runtime\":false,\"state\":\"applied\"}]}"));
}

static int set_policy(struct call *call, json_t *params, void *userdata)
{
	json_t *policy = json_pack("{sO sO sO ss ss}", "cgroup", json_object_get(params, "cgroup"),
				   "policy", json_object_get(params, "policy"), "runtime",
				   json_object_get(params, "runtime"), "effective", "deny", "state",
				   "applied");

	return call_reply(call, json_pack("{so}", "policy", policy));
}

static int clear_policy(struct call *call, json_t *params, void *userdata)
{
	return call_error(call, MANAGER "NoSuchPolicy",
			  json_pack("{sO}", "cgroup", json_object_get(params, "cgroup")));
}

static int monitor(struct call *call, json_t *params, void *userdata)
{
	static const char *const events[] = {
		"\"type\":\"policy_set\",\"quota_cgroup\":\"/b\",\"policy\":\"revocable\",\"uid\":0",
		"\"type\":\"revoke\",\"revoke\":{\"id\":\"0x5\",\"reason\":\"device_removal\",\"device\":"
		"\"dax0.0\",\"first\":\"0x1000\",\"last\":\"0x1fff\",\"pins\":1,\"timeout_usec\":30000000,"
		"\"pid\":12,\"comm\":\"ndctl\"}",
		"\"type\":\"revoke_done\",\"revoke\":{\"id\":\"0x5\",\"reason\":\"device_removal\",\"device\":"
		"\"dax0.0\",\"first\":\"0x1000\",\"last\":\"0x1fff\",\"pins\":1,\"timeout_usec\":0,"
		"\"pid\":12,\"comm\":\"ndctl\",\"outcome\":\"done\"}",
		"\"type\":\"release\",\"release\":{\"token\":\"" TOKEN "\",\"reason\":\"drain\",\"target\":"
		"\"memory33\",\"pins\":2,\"bytes\":8388608,\"bytes_left\":8388608,\"uid\":0}",
		"\"type\":\"release_step\",\"release\":{\"token\":\"" TOKEN "\",\"reason\":\"quota\"},"
		"\"owner\":{\"pid\":12,\"comm\":\"mr\",\"cgroup\":\"/c\",\"state\":\"refused\",\"reason\":"
		"\"busy\",\"bytes\":8388608,\"bytes_left\":4194304,\"next\":\"kill\",\"next_usec\":61000000}",
		"\"type\":\"release_done\",\"release\":{\"token\":\"" TOKEN "\",\"reason\":\"drain\","
		"\"phase\":\"timed_out\",\"bytes\":8388608,\"bytes_left\":0}",
	};
	char text[1024];

	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		snprintf(text, sizeof(text), "{\"event\":{\"time_usec\":%zu,%s}}", i, events[i]);
		(void)call_reply_continues(call, parse(text));
	}
	return call_reply(call, parse("{}"));
}

static const struct method_param release_params[] = {
	{ "cgroup", PARAM_STRING }, { "pid", PARAM_INT },     { "kind", PARAM_STRING },
	{ "device", PARAM_STRING }, { "id", PARAM_STRING },   { "async", PARAM_BOOL },
	{ "timeout_usec", PARAM_INT }, { "dry_run", PARAM_BOOL }, {}
};
static const struct method_param drain_params[] = { { "target", PARAM_STRING, true },
						    { "async", PARAM_BOOL },
						    { "timeout_usec", PARAM_INT },
						    { "dry_run", PARAM_BOOL },
						    {} };
static const struct method_param token_params[] = { { "token", PARAM_STRING, true }, {} };
static const struct method_param who_params[] = { { "target", PARAM_STRING, true },
						  { "busy", PARAM_BOOL },
						  {} };
static const struct method_param policy_params[] = { { "cgroup", PARAM_STRING, true },
						     { "policy", PARAM_STRING },
						     { "runtime", PARAM_BOOL },
						     {} };
static const struct method_param monitor_params[] = { { "since_usec", PARAM_INT },
						      { "follow", PARAM_BOOL },
						      {} };

static const struct method methods[] = {
	{ MANAGER "Release", 0, release_params, make_release },
	{ MANAGER "FollowRelease", 0, token_params, follow_release },
	{ MANAGER "CancelRelease", 0, token_params, cancel_release },
	{ MANAGER "Drain", 0, drain_params, drain },
	{ MANAGER "Who", 0, who_params, who },
	{ MANAGER "ListOwners", 0, NULL, list_owners },
	{ MANAGER "ListPolicies", 0, NULL, list_policies },
	{ MANAGER "SetPolicy", 0, policy_params, set_policy },
	{ MANAGER "ClearPolicy", 0, policy_params, clear_policy },
	{ MANAGER "Monitor", METHOD_MORE, monitor_params, monitor },
	{},
};

static int start_server(void **state)
{
	return pinctl_start_server(methods);
}

/* --- the tests --- */

static void test_release(void **state)
{
	EXPECT("release --device=done", 0, "24M released, in 3 pins.\n");
	assert_null(strstr(output, "PID"));
	EXPECT("release --device=refused", 1,
	       "8M of 24M released, 2 pins left.\n",
	       "1 process refused, 1 did not answer, 1 cannot be asked.\n",
	       "PID", "COMM", "STATE", "LEFT", "REASON", "42", "qemu", LONG_PATH, "refused", "8M",
	       "busy with a customer", "43", "waiting", "44", "slow\\x1b", "reminded",
	       "pinguard.release(5)");
	assert_null(strstr(output, "41"));
	assert_null(strchr(output, '\033'));
	EXPECT("release --device=late", 6, "8M of 24M released");
	EXPECT("release --device=denied", 4, "permission denied");
	EXPECT("release --cgroup=/none", 5, "no such cgroup /none");
	EXPECT("release --device=refused --no-legend -b -o LEFT,PID,state", 1, "8388608 ", "42 refused");
	assert_null(strstr(output, "released,"));
	EXPECT("release --device=done > /dev/full", 1, "No space left on device");
}

static void test_release_json(void **state)
{
	size_t lines = 0;
	char *rest;

	assert_int_equal(run("release --device=refused -j"), 1);
	for (char *line = strtok_r(output, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		_cleanup_json_ json_t *object = json_loads(line, 0, NULL);

		assert_non_null(object);
		assert_string_equal(json_get_string(object, "phase", ""), lines ? "refused" : "running");
		lines++;
	}
	assert_int_equal(lines, 2);
	EXPECT("release --device=x --dry-run -j", 0, "{", "\"phase\":\"running\"", "}\n");
}

static void test_async(void **state)
{
	assert_int_equal(run("release --device=x --async"), 0);
	assert_string_equal(output, TOKEN "\n");
	EXPECT("release --device=x --async -j", 0, "\"token\":\"" TOKEN "\"");
	EXPECT("release --follow=" TOKEN, 1,
	       "16M of 24M released, 1 pin left; the request was cancelled.\n",
	       "1 process did not answer.\n", "PID", "42");
	EXPECT("release --follow=00000000000000000000000000000000", 5, "no such request", "0000");
	assert_int_equal(run("release --cancel=" TOKEN), 0);
	assert_string_equal(output, "");
	EXPECT("release --cancel=" TOKEN " -j", 0, "{}\n");
}

static void test_dry_run(void **state)
{
	EXPECT("release --device=x --dry-run", 0, "24M would be asked for, in 3 pins.\n", "FIRST", "41",
	       "ask", "43", "kill",
	       "hook /bin/hook a, stop unit s.scope (refused), kill cgroup /s.scope/job_42",
	       "\n\nstop unit s.scope would be refused: what runs in /s.scope/job_43\n"
	       "kill cgroup /s.scope/job_42, with all that runs in it\n");
	/* once for a unit */
	assert_ptr_equal(strstr(strstr(output, "would be refused") + 1, "would be refused"), NULL);
}

static void test_release_usage(void **state)
{
	EXPECT("release", 2, "say whose pins are to be released");
	EXPECT("release --timeout=5", 2, "say whose pins are to be released");
	EXPECT("release --pid=x", 2, "not a process");
	EXPECT("release --pid=1 --timeout=x", 2, "it is no span such as");
	EXPECT("release --pid=1 --async --dry-run", 2, "do not go together");
	EXPECT("release --follow=" TOKEN " --pid=1", 2, "--follow takes a token");
	EXPECT("release --follow=" TOKEN " --async", 2, "--follow takes a token");
	EXPECT("release --follow=" TOKEN " --cancel=" TOKEN, 2, "do not go together");
	EXPECT("release --follow=123", 2, "it has 32 hex digits");
	EXPECT("release 42", 2, "not \"42\"");
	/* before anybody is asked */
	EXPECT("release --device=done -o NAME", 2, "no column \"NAME\"", "LEFT");
	EXPECT("release --device=x --dry-run -o LEFT", 2, "no column \"LEFT\"", "FIRST");
}

/* Ctrl-C ends the waiting, and says how to go on. */
static void test_interrupt(void **state)
{
	int fd;
	pid_t pid = pinctl_start("release --device=hangs -j", &fd);

	assert_true(pinctl_read_until(fd, "\n"));
	kill(pid, SIGINT);
	assert_int_equal(pinctl_finish(pid, fd), 1);
	assert_non_null(strstr(output, "pinctl release --follow=" TOKEN));
	assert_non_null(strstr(output, "pinctl release --cancel=" TOKEN));
}

/* The service is restarted: its requests are gone, or, where it was the connection alone, they are not. */
static void test_restart(void **state)
{
	static const bool knows[] = { false, true };

	for (size_t i = 0; i < ARRAY_SIZE(knows); i++) {
		int fd;
		pid_t pid = pinctl_start("release --device=hangs -j", &fd);

		assert_true(pinctl_read_until(fd, "\n"));
		pinctl_stop_server(NULL);
		forgets = !knows[i];
		assert_int_equal(start_server(NULL), 0);
		forgets = false;
		assert_int_equal(pinctl_finish(pid, fd), 1);
		assert_non_null(strstr(output, "connected again"));
		assert_non_null(strstr(output, knows[i] ? "\"phase\":\"cancelled\"" :
							  "has given the request up"));
	}
	pinctl_stop_server(NULL);
	assert_int_equal(start_server(NULL), 0);
}

static void test_drain(void **state)
{
	EXPECT("drain memory33 --timeout=1min30s", 0, "memory33: 24M released, in 3 pins.\n");
	EXPECT("drain memory33", 1, "does not accept this value: timeout_usec");
	EXPECT("drain memory99", 5, "no such memory block", "memory99");
	EXPECT("drain", 2, "usage: pinctl drain TARGET");
	EXPECT("drain ''", 2, "the target is empty");
	EXPECT("drain memory33 --offline --disable", 2, "give one of them");
	EXPECT("drain memory33 --offline --async", 2, "--async does not wait");
	EXPECT("drain memory33 --disable", 2, "not \"memory33\"; for this there is --offline");
	EXPECT("drain namespace0.0 --offline", 2, "not \"namespace0.0\"; for this there is --disable");
	EXPECT("drain dax90.0 --offline", 5, "there is no such DAX device");
	EXPECT("drain 0x1000 --offline", 2, "not \"0x1000\"\n");
	EXPECT("drain memory33/../memory34 --offline", 2, "is for memory blocks");
	EXPECT("drain namespace0 --disable", 2, "is for DAX devices");
	EXPECT("drain memory33 --timeout=90s --dry-run", 0, "Processes that use it:", "redis");
	EXPECT("drain memory33 --timeout=90s --dry-run -j", 0, "}\n{\"users\":[{\"pid\":12,");
	EXPECT("drain dax0.0 --force", 2, "--force is for --offline and --disable");
	/* nobody is asked for what cannot be done */
	EXPECT("drain memory4000000000 --offline", 5, "cannot be taken offline: No such file",
	       "there is no such memory block");
	EXPECT("drain dax999.999 --disable", 5, "there is no such DAX device");
	EXPECT("drain namespace999.999 --disable", 5, "there is none of this name");
}

static void test_who(void **state)
{
	EXPECT("who dax0.0", 0, "dax0.0: 0x100000000-0x10fffffff (256M)\n\n", "ID", "HOLDS", "0x2", "maybe",
	       "vfio", "8K", "0x1", "yes", "rdma", "mr (gone)", "4K", "0x3", "maybe", "\nProcesses that use it:\n",
	       "PID", "HOW\n", "12", "redis", "/c", "mapped\n",
	       "Pins whose maker is gone are held by these.\n");
	assert_non_null(strstr(output, "others may use it: 2 more"));
	assert_null(strstr(output, "WHERE"));
	EXPECT("who dax0.0 --no-legend -o id,holds", 0, "0x2 maybe\n0x1 yes\n0x3 maybe\n");
	EXPECT("who dax0.0 -j", 0, "{\"target\":\"dax0.0\",", "\"comm\":\"mr\"", "\"inexact\":[\"0x2\",\"0x3\"]",
	       "\"users\":[{\"pid\":12,", "\"users_unknown\":\"2 more\"");
	assert_null(strstr(output, "holds"));
	EXPECT("who rxe0", 0, "mr (gone)", "4K",
	       "\nPins whose maker is gone are held by no process that could be seen: perhaps\n"
	       "a socket's message or the kernel has the file.\n");
	EXPECT("who memory5", 0, "mr (gone)");
	assert_null(strstr(output, "maker is gone"));
	EXPECT("who", 2, "usage: pinctl who TARGET");
}

static void test_owners(void **state)
{
	EXPECT("owners", 0, "PID", "REG", "LAPSED\n", "9", "big", "no", "16M", "4194303", "yes", "8M", "1",
	       "100000", "99997", "2", "1\n");
	EXPECT("owners -j", 0, "\"pid\":9", "\"cgroup\":null");
}

static void test_policy(void **state)
{
	EXPECT("policy", 0, "CGROUP POLICY EFFECTIVE COUNT RUNTIME STATE", "/a", "allow", "deny", "each", "no", "applied");
	EXPECT("policy list -j", 0, "\"cgroup_id\":null");
	EXPECT("policy set /a revocable --runtime", 0, "deny is in effect");
	EXPECT("policy set /a deny -j", 0, "\"policy\":\"deny\"", "\"runtime\":false");
	EXPECT("policy set /a never", 2, "there are allow, revocable, deny, each and once");
	EXPECT("policy set /a denny", 2, "did you mean deny?");
	EXPECT("policy set /a once -j", 0, "\"policy\":\"once\"");
	EXPECT("policy set /a", 2, "usage: pinctl policy set CGROUP");
	EXPECT("policy clear /a", 5, "no policy is set on /a");
	EXPECT("policy clear /a --runtime", 2, "belongs to pinctl policy set");
	EXPECT("policy sett", 2, "did you mean set?");
}

static void test_events(void **state)
{
	EXPECT("events", 0, "policy_set   /b revocable by uid 0\n",
	       "revoke       0x5 device_removal dax0.0 0x1000-0x1fff by ndctl[12]: 1 pin, waits for 30s\n",
	       "revoke_done  0x5 device_removal dax0.0 0x1000-0x1fff by ndctl[12]: done\n",
	       "release      " TOKEN " drain of memory33: 8M in 2 pins, by uid 0\n",
	       "release_step " TOKEN " quota: mr[12] in /c refused (busy), 4M of 8M left, kill at 00:01:01\n",
	       "release_done " TOKEN " drain: timed_out, 0 of 8M left\n");
}

/* What is drawn over and over is gone at the end, and nothing is wider than the terminal. */
static void test_terminal(void **state)
{
	pinctl_run_on_terminal("release --device=refused", 1);
	assert_non_null(strstr(output, "Releasing [--------------------] 24M of 24M still pinned, "));
	assert_non_null(strstr(output, "  41 mr: asked, 8M left, give up in 0s\r\n"));
	assert_non_null(strstr(output, "\r\033[4A\033[J"));
	pinctl_check_width(80);
	pinctl_run_on_terminal("owners", 0);
	pinctl_check_width(80);
	pinctl_run_on_terminal("who dax0.0", 0);
	pinctl_check_width(80);
	pinctl_run_on_terminal("release --device=x --dry-run", 0);
	pinctl_check_width(80);
	/* nothing is drawn for programs */
	pinctl_run_on_terminal("release --device=refused -j", 1);
	assert_null(strchr(output, '\033'));
}

static void test_help(void **state)
{
	static const char *const verbs[] = { "release", "drain", "who", "owners", "policy" };
	char arguments[64], usage[64];

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		snprintf(arguments, sizeof(arguments), "%s --help", verbs[i]);
		snprintf(usage, sizeof(usage), "Usage: pinctl %s", verbs[i]);
		EXPECT(arguments, 0, usage, "--socket");
		pinctl_check_width(88);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_release),	   cmocka_unit_test(test_release_json),
		cmocka_unit_test(test_async),	   cmocka_unit_test(test_dry_run),
		cmocka_unit_test(test_release_usage), cmocka_unit_test(test_interrupt),
		cmocka_unit_test(test_restart),	   cmocka_unit_test(test_drain),
		cmocka_unit_test(test_who),	   cmocka_unit_test(test_owners),
		cmocka_unit_test(test_policy),	   cmocka_unit_test(test_events),
		cmocka_unit_test(test_terminal),   cmocka_unit_test(test_help),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, start_server, pinctl_stop_server);
}
