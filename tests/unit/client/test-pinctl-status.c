/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What pinctl shows of cgroups and their quotas, against a server with known answers. */
#include "tests/unit/client/pinctl-fixture.h"

#include <sys/sysinfo.h>

/* --- the server, in a child --- */

/*
 * Of a stock kernel, once a quota was set on /stock or /hidden, or on /watched, where eBPF
 * watches; charged elsewhere, after one on /charged.
 */
static bool stock, hidden, watched, charged, marked;

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
	if (marked)
		return call_reply(
			call, parse("{\"kernel\":{\"support\":\"patched\",\"release\":\"6.12\"},"
				    "\"totals\":{\"pinned_bytes\":4096,\"pins\":1},\"cgroups\":["
				    "{\"path\":\"/a\",\"cgroup_id\":\"0x2\",\"source\":\"kernel\","
				    "\"pinned_bytes\":4096,\"high_bytes\":3072,\"pins\":1}]}"));
	if (watched)
		return call_reply(
			call,
			parse("{\"version\":\"1\",\"kernel\":{\"support\":\"stock\",\"source\":\"probe\","
			      "\"watched\":[{\"kind\":\"rdma\",\"since_usec\":86400000000,\"reason\":null},"
			      "{\"kind\":\"vfio\",\"since_usec\":null,\"reason\":\"no module\"},"
			      "{\"kind\":\"xdp\",\"since_usec\":86400000000,\"reason\":null,"
			      "\"before_reason\":\"no program\"}],"
			      "\"failures\":{\"since_usec\":null,\"reason\":\"no tracepoint\"},"
			      "\"features\":[],\"release\":\"6.12\",\"reason\":\"some are missing\","
			      "\"no_quotas_reason\":\"no patch\"},\"totals\":"
			      "{\"pinned_bytes\":4096,\"pins\":1,\"denied\":null,"
			      "\"unattributed_bytes\":8192},\"cgroups\":["
			      "{\"path\":\"/a\",\"cgroup_id\":\"0x1\",\"removed\":false,"
			      "\"source\":\"probe\",\"pinned_bytes\":4096,\"pins\":1,\"denied\":null}],"
			      "\"uncontrolled\":[]}"));
	if (charged)
		return call_reply(
			call,
			parse("{\"version\":\"1\",\"kernel\":{\"support\":\"patched\",\"features\":[\"rdma\",\"vfio\",\"events\","
			      "\"policy\",\"device_removal\",\"memory_offline\",\"memory_failure\",\"once\"],"
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

/* What is from files: a limit, a mark alone, and one that somebody else has changed. */
#define SOURCE(max, high) \
	"\"source\":{\"file\":\"/etc/q.conf\",\"line\":1,\"max_line\":" max "," \
	"\"high_line\":" high ",\"policy_line\":null}"

static int list_declared(struct call *call)
{
	return call_reply(call,
			  parse("{\"quotas\":[{\"cgroup\":\"/limit\",\"max_bytes\":4096,"
				"\"external_bytes\":null,\"state\":\"applied\"," SOURCE("4", "5") "},"
				"{\"cgroup\":\"/mark\",\"max_bytes\":null,\"high_bytes\":8192,"
				"\"external_bytes\":null,\"state\":\"applied\"," SOURCE("null", "7") "},"
				"{\"cgroup\":\"/changed\",\"max_bytes\":4096,\"external_bytes\":1024,"
				"\"state\":\"failed\"," SOURCE("4", "null") "}],"
				"\"unmatched\":[{\"match\":[\"x.service\",\"y-*.service\"],"
				"\"max_bytes\":1024,\"high_bytes\":null,\"policy\":null,"
				"\"count\":null," SOURCE("13", "null") "},"
				"{\"match\":[\"/z\"],\"max_bytes\":null,\"high_bytes\":null,"
				"\"policy\":\"deny\",\"count\":null,\"source\":{\"file\":\"/etc/q.conf\","
				"\"line\":20,\"max_line\":null,\"high_line\":null,\"policy_line\":23}}],"
				"\"others_usec\":null,\"others_complete\":true}"));
}

static int list_quotas(struct call *call, json_t *params, void *userdata)
{
	static bool asked;

	if (json_get_bool(params, "all", false))
		return list_declared(call);
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
	watched = !strcmp(json_get_string(params, "cgroup", ""), "/watched");
	charged = !strcmp(json_get_string(params, "cgroup", ""), "/charged");
	marked = !strcmp(json_get_string(params, "cgroup", ""), "/marked");
	hidden = !strcmp(json_get_string(params, "cgroup", ""), "/hidden");
	return call_reply(call, json_pack("{so}", "quota", quota));
}

static int clear_quota(struct call *call, json_t *params, void *userdata)
{
	return call_error(call, MANAGER "NoSuchQuota",
			  json_pack("{sO}", "cgroup", json_object_get(params, "cgroup")));
}

static const struct method_param quota_params[] = { { "cgroup", PARAM_STRING, true },
						    { "max_bytes", PARAM_INT },
						    { "high_bytes", PARAM_INT },
						    { "runtime", PARAM_BOOL },
						    {} };

static const struct method_param list_quotas_params[] = { { "all", PARAM_BOOL }, {} };

static const struct method methods[] = {
	{ MANAGER "GetStatus", 0, NULL, get_status },
	{ MANAGER "ListQuotas", 0, list_quotas_params, list_quotas },
	{ MANAGER "SetQuota", 0, quota_params, set_quota },
	{ MANAGER "ClearQuota", 0, quota_params, clear_quota },
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

/* The line of what is said first; what no cgroup has, a row for each pattern. */
static void test_declared(void **state)
{
	EXPECT("quota list --all -o CGROUP,MAX,HIGH,STATE,SOURCE", 0, "CGROUP ",
	       "/limit       4K    - applied   /etc/q.conf:4\n",
	       "/mark       max   8K applied   /etc/q.conf:7\n",
	       "/changed     4K    - external  /etc/q.conf:4\n",
	       "x.service    1K    - unmatched /etc/q.conf:13\n",
	       "y-*.service  1K    - unmatched /etc/q.conf:13\n",
	       "/z          max    - unmatched /etc/q.conf:23\n");
	EXPECT("quota list --all -j", 0, "\"unmatched\":[{\"match\":[\"x.service\",\"y-*.service\"]");
	assert_null(strstr(output, "looked for"));
	EXPECT("quota -o CGROUP,SOURCE", 0, "/a.slice ", "-\n");
	EXPECT("quota set --all /a 1M", 2, "--all belongs to pinctl quota list");
	EXPECT("quota apply", 2, "usage: pinctl quota apply --self");
	EXPECT("quota list --self", 2, "--self belongs to pinctl quota apply");
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

/* What eBPF sees is as exact as the kernel's word, from a moment on, and of some kinds. */
static void test_watched(void **state)
{
	EXPECT("quota set /watched 1G", 0, "");
	EXPECT("", 0, "Kernel: 6.12, pins are watched by eBPF\n", "Exact since 1970-01-0", ": rdma\n",
	       "Not watched: vfio, no module\n",
	       "Pins from before are not all known: xdp, no program\n",
	       "Not watched: memory that fails, no tracepoint\n", "Not whole: some are missing.\n",
	       "Quotas cannot be set: no patch.\n", "Pinned: 4K in 1 pin\n",
	       "Not attributed: 8K more that processes have pinned (VmPin)",
	       "CGROUP PINNED PINS\n", "/a         4K    1\n");
	assert_null(strstr(output, "observe mode"));
	EXPECT("quota set /a.slice 1G", 0, "");
}

/* Charged elsewhere than pinned: the column is there only then. */
static void test_charged(void **state)
{
	EXPECT("", 0, "PINNED MAX PEAK");
	assert_null(strstr(output, "Not attributed"));
	EXPECT("status -j", 0, "\"unattributed_bytes\":null", "\"charged_bytes\":null");
	EXPECT("quota set /charged 1G", 0, "");
	EXPECT("", 0, "memory_offline,\n        memory_failure, once\n", "Pinned: 4K in 1 pin\n", "Not attributed: 64M more that processes have pinned",
	       "PINNED CHARGED MAX PEAK PINS DENIED\n", "/m\\x2d1.scope     4K       0 max    -    1      -\n");
	EXPECT("-o PATH,CHARGED", 0, "PATH          CHARGED\n/m\\x2d1.scope       0\n");
	EXPECT("-o CGROUP,PINNED", 0, "CGROUP        PINNED\n/m\\x2d1.scope     4K\n");
	EXPECT("quota set /a.slice 1G", 0, "");
}

/* A high mark has a column where there is one. */
static void test_high(void **state)
{
	EXPECT("", 0, "PINNED MAX PEAK");
	EXPECT("quota set /marked 1G", 0, "");
	EXPECT("", 0, "PINNED MAX HIGH PEAK PINS DENIED\n", "/a         4K max   3K    -    1      -\n");
	EXPECT("quota set /a.slice 1G", 0, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_quota),
		cmocka_unit_test(test_declared),
		cmocka_unit_test(test_quota_of_memory),
		cmocka_unit_test(test_observe),
		cmocka_unit_test(test_watched),
		cmocka_unit_test(test_charged),
		cmocka_unit_test(test_high),
	};

	return cmocka_run_group_tests(tests, start_server, pinctl_stop_server);
}
