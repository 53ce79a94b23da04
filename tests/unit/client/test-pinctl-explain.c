/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pinctl explain: what it says of each cause, in 80 columns. */
#include "tests/unit/client/pinctl-fixture.h"

#define EVENT(reason)                                                                            \
	"{\"time_usec\":1000000,\"type\":\"deny\",\"reason\":\"" reason "\",\"pin\":{\"kind\":\"rdma\"," \
	"\"device\":\"rxe0\",\"pid\":7,\"comm\":\"mr\\\\x1b\",\"bytes\":1048576,\"cgroup\":\"/a/b.service\"}}"
#define CHECK(name, counter, cgroup, used, how, max, left, state, first, note, more)             \
	"{\"check\":\"" name "\",\"counter\":" counter ",\"cgroup\":" cgroup ",\"device\":null,"     \
	"\"used\":" used ",\"used_is\":\"" how "\",\"max\":" max ",\"left\":" left ",\"state\":\"" state  \
	"\",\"first\":" first ",\"note\":" note "," more "}"
#define NOTHING "\"holders\":[],\"remedies\":[]"
#define HOLDER                                                                                   \
	"\"holders\":[{\"pid\":9,\"comm\":\"big\",\"uid\":0,\"cgroup\":\"/a/c.service\",\"kind\":"     \
	"\"rdma\",\"device\":\"rxe0\",\"pins\":2,\"bytes\":61440}]"
#define PROCESS                                                                                  \
	"{\"pid\":7,\"comm\":\"mr\",\"uid\":1000,\"cgroup\":\"/a/b.service\",\"memlock_bytes\":16384,"  \
	"\"memlock_max_bytes\":null,\"pinned_bytes\":12288,\"locked_bytes\":0,\"ipc_lock\":true,"      \
	"\"user_namespace\":\"other\"}"
#define WALK                                                                                     \
	"{\"kind\":\"rdma\",\"checks\":["                                                             \
	CHECK("rlimit", "\"pinned\"", "null", "12288", "exact", "16384", "4096", "open", "true",       \
	      "\"it has CAP_IPC_LOCK in its own user namespace, but the kernel asks for it in the first one\"", \
	      "\"holders\":[],\"remedies\":[{\"command\":\"systemctl edit b.service\",\"setting\":"     \
	      "\"[Service]\\nLimitMEMLOCK=1M\",\"file\":null,\"effect\":\"from its next start on\"},"    \
	      "{\"command\":\"prlimit --pid 7 --memlock=1048576\",\"setting\":null,\"file\":null,"      \
	      "\"effect\":\"at once\"}]") ","                                                         \
	CHECK("limit", "null", "\"/a/b.service\"", "null", "hidden", "65536", "null", "open", "false", \
	      "null", NOTHING) ","                                                                  \
	CHECK("limit", "null", "\"/a\"", "4096", "exact", "null", "null", "unlimited", "false", "null", \
	      NOTHING) ","                                                                          \
	CHECK("policy", "null", "\"/a\"", "null", "exact", "null", "null", "device_memory", "false",   \
	      "\"nobody may\"", NOTHING) "]}"
#define REPLY(refusal, known, process, unknown, walks)                                           \
	"{\"refusal\":" refusal ",\"refusals_known\":" known ",\"process\":" process                  \
	",\"process_unknown\":" unknown ",\"cgroup\":\"/a/b.service\",\"walks\":[" walks "]}"

static int explain(struct call *call, json_t *params, void *userdata)
{
	const char *cgroup = json_get_string(params, "cgroup", "");

	if (json_get_int(params, "pid", 0) == 7)
		return call_reply(call, parse(REPLY("null", "true", PROCESS, "null", WALK)));
	if (json_get_int(params, "pid", 0) == 8)
		return call_error(call, MANAGER "NoSuchProcess", json_pack("{si}", "pid", 8));
	if (json_get_int(params, "pid", 0) == 9)
		return call_error_denied(call);
	if (!strcmp(cgroup, "/limit"))
		return call_reply(call, parse(REPLY(
			"{\"event\":" EVENT("limit") ",\"check\":" CHECK("limit", "null", "\"/a\"", "61440",
			"exact", "65536", "4096", "refuses", "true", "null", HOLDER ",\"remedies\":[{\"command\":"
			"\"pinctl quota set /a 2M\",\"setting\":null,\"file\":null,\"effect\":\"at once\"}]") "}",
			"true", "null", "\"it has ended\"", WALK)));
	if (!strcmp(cgroup, "/rlimit"))
		return call_reply(call, parse(REPLY(
			"{\"event\":" EVENT("rlimit") ",\"check\":" CHECK("rlimit", "\"user\"", "null", "4096",
			"about", "8192", "4096", "refuses", "true", "null", "\"holders\":[],\"remedies\":[{"
			"\"command\":null,\"setting\":\":1000 - memlock 1024\",\"file\":\"/etc/security/limits.d/x\","
			"\"effect\":\"for sessions that begin afterwards\"}]") "}",
			"true", "null", "\"it has ended\"", "")));
	if (!strcmp(cgroup, "/policy"))
		return call_reply(call, parse(REPLY(
			"{\"event\":" EVENT("policy") ",\"check\":" CHECK("policy", "null", "\"/a\"", "null",
			"exact", "null", "null", "refuses", "true", "\"nobody may pin memory of devices\"", NOTHING) "}",
			"true", "null", "\"it has ended\"", "")));
	if (!strcmp(cgroup, "/revoke"))
		return call_reply(call, parse(REPLY(
			"{\"event\":" EVENT("revoke") ",\"check\":" CHECK("revoke", "null", "null", "0",
			"exact", "null", "null", "refuses", "true", "null", "\"holders\":[],\"remedies\":[{"
			"\"command\":null,\"setting\":null,\"file\":null,\"effect\":\"nothing does\"}]") "}",
			"true", "null", "\"it has ended\"", "")));
	/* what no service should send */
	if (!strcmp(cgroup, "/bad"))
		return call_reply(call, parse("{\"refusal\":{\"event\":[],\"check\":3},\"process\":{\"pid\":\"x\"},"
					      "\"walks\":[{\"checks\":[{},4,{\"first\":true,\"remedies\":[5,{}],"
					      "\"holders\":[{}]}]}]}"));
	if (!strcmp(json_get_string(params, "kind", ""), "vfio"))
		return call_reply(call, parse(REPLY("null", "false", PROCESS, "null",
			"{\"kind\":\"vfio\",\"checks\":[" CHECK("dma_entries", "null", "null", "9", "at_most", "9",
			"0", "unknown", "false", "\"as many\"", NOTHING) "]}")));
	return call_reply(call, parse(REPLY("null", "false", PROCESS, "null", WALK ","
		"{\"kind\":\"vfio\",\"checks\":[" CHECK("dma_entries", "null", "null", "null", "unknown", "null",
		"null", "unknown", "false", "\"not loaded\"", NOTHING) "]},{\"kind\":\"xdp\",\"checks\":[]}")));
}

static const struct method_param params[] = { { "cgroup", PARAM_STRING }, { "pid", PARAM_INT },
					      { "kind", PARAM_STRING }, {} };
static const struct method methods[] = { { MANAGER "Explain", 0, params, explain }, {} };

static int start_server(void **state)
{
	return pinctl_start_server(methods);
}

static void test_process(void **state)
{
	EXPECT("explain 7", 0, "Refused last: nothing that is known of\n\n",
	       "Process: mr[7] of uid 1000, CAP_IPC_LOCK in a user namespace of its own\n",
	       "  RLIMIT_MEMLOCK 16K, hard unlimited; VmPin 12K, VmLck 0\n  in /a/b.service\n",
	       "What refuses rdma, in the kernel's order; > binds first:\n", "CHECK ", "USED ", "WHERE\n",
	       "> MEMLOCK VmPin 12K ", "16K ", "4K ", "open ", "-\n",
	       "  misc.max ", "hidden ", "64K ", "? ", "open ", "/a/b.service\n",
	       "  misc.max ", "4K ", "max ", "unlimited ", "/a\n",
	       "  policy ", "- ", "device memory /a\n",
	       "  MEMLOCK VmPin: it has CAP_IPC_LOCK in its own user namespace, but the kernel\n"
	       "  asks for it in the first one\n",
	       "  policy: nobody may\n",
	       "  to let it through, from its next start on:\n    systemctl edit b.service\n"
	       "        [Service]\n        LimitMEMLOCK=1M\n"
	       "  or, at once:\n    prlimit --pid 7 --memlock=1048576\n");
	pinctl_check_width(80);
	pinctl_run_on_terminal("explain 7", 0);
	pinctl_check_width(80);
	EXPECT("explain -b 7", 0, "12288", "16384");
	EXPECT("explain --no-legend 7", 0, "> MEMLOCK");
	assert_null(strstr(output, "CHECK"));
}

static void test_refusals(void **state)
{
	EXPECT("explain /limit", 0, "Refused last: 1970-01-01 00:00:01, ", " ago\n",
	       "  1M for rdma rxe0, asked by mr\\x1b[7]\n  in /a/b.service\n",
	       "  by misc.max: 60K used, 64K allowed in /a\n",
	       "  to let it through, at once:\n    pinctl quota set /a 2M\n",
	       "  held by, the largest first:\n", "HELD ", "60K    2 rdma rxe0 ", "9 big  /a/c.service\n",
	       "Process: it has ended\n");
	pinctl_check_width(80);
	EXPECT("explain /rlimit", 0, "  by RLIMIT_MEMLOCK: ~4K used now (MEMLOCK of user), 8K allowed\n",
	       "  to let it through, for sessions that begin afterwards:\n    in /etc/security/limits.d/x\n"
	       "        :1000 - memlock 1024\n");
	EXPECT("explain /policy", 0, "  by the policy of /a\n  policy: nobody may pin memory of devices\n");
	EXPECT("explain /revoke", 0, "  by a revoke: the memory is being removed\n  nothing does\n");
}

static void test_kinds(void **state)
{
	EXPECT("explain", 0, "Refused last: this kernel does not tell\n", "What binds a pin first", "KIND ",
	       "rdma MEMLOCK VmPin 12K ", "vfio unknown ", "xdp  no limit ");
	pinctl_check_width(80);
	EXPECT("explain --kind=vfio", 0, "What refuses vfio, in the kernel's order:\n",
	       "  dma_entry_limit <=9 ", "unknown");
	EXPECT("explain -j", 0, "{\"refusal\":null,");
	EXPECT("explain -j 7", 0, "\"process_unknown\":null");
}

static void test_errors(void **state)
{
	EXPECT("explain 8", 5, "no such process");
	EXPECT("explain 9", 4, "permission denied");
	EXPECT("explain 0", 2, "not a process: \"0\"");
	EXPECT("explain a/b", 2, "a path must begin with /");
	EXPECT("explain 7 8", 2, "too many arguments");
	EXPECT("explain --kind=x", 2, "no kind of pin: \"x\"");
	EXPECT("explain -o A", 2, "explain has no columns");
	EXPECT("explain --list-columns", 2, "explain has no columns");
	EXPECT("explain 7 >/dev/full", 1, "No space left on device");
	EXPECT("explain /bad", 0, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_process),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_errors),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, start_server, pinctl_stop_server);
}
